"""Folders to build sites of: the bundled catalog with all that can be given besides, and one that is hostile."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from jobarium_events import Catalog
from jobarium_events.counters import Count, Counters
from tests.folders import write

HOSTILE = (
    "<img src=x onerror=hacked()>",
    '"><script>hacked()</script>',
    "'--><svg onload=hacked()>",
    "</title></head><body onload=hacked()>",
    "</script><script>hacked()</script>",
    '<a href="javascript:hacked()">',
    '" autofocus onfocus="hacked()" x="',
    "{{ hacked() }}{% raw %}",
    "<iframe srcdoc='<script>hacked()</script>'>",
    "<style>*{display:none}</style>",
    "<form action=//elsewhere.example><button>",
    "<base href=//elsewhere.example/>",
    "<meta http-equiv=refresh content=0;url=//elsewhere.example>",
    "&lt;script&gt;",
    "</pre></code><!--",
    "]]></svg>",
)
"""What must be text wherever it stands."""


_WRITTEN = ("Title", "Description", "Heading", "Name", "Meaning", "meaning", "Text")
_MARKS = re.compile(r"[^0-9A-Za-z ]")


class Given(NamedTuple):
    """What a site is built of."""

    folder: Path | None
    evidence: tuple[Path, ...] = ()
    migrations: Path | None = None


def whole(folder: Path) -> Given:
    """The bundled catalog with counters, migrations and a rehearsal."""
    evidence = tuple(_counters(folder / f"{service}.json", service) for service in _SEEN)
    return Given(None, evidence, _migrations(folder / "migrations"))


_SEEN = {"billing-service": (41_000, 0), "analytics-service": (0, 40_960), "job-service": (7, 0)}


def _counters(path: Path, service: str) -> Path:
    """Write what a service has seen of the bundled contracts."""
    until = datetime(2026, 11, 20, 8, tzinfo=UTC)
    emitted, consumed = _SEEN[service]
    counts = tuple(
        Count(
            event=contract.event,
            version=contract.version,
            since=until - timedelta(days=80),
            emitted=emitted if contract.owner == service else 0,
            consumed=consumed // (place + 1) if service in contract.consumers else 0,
            last=until - timedelta(hours=5) if service in (contract.owner, *contract.consumers) else None,
        )
        for place, contract in enumerate(Catalog.bundled())
    )
    counters = Counters(service=service, until=until, counts=counts)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(msgspec.json.format(msgspec.json.encode(counters)))
    return path


def _migrations(folder: Path) -> Path:
    """Write migrations of every category, of which one was rehearsed."""
    from jobarium_events.migrations import write_rehearsal  # noqa: PLC0415 - it needs an extra
    from tests.migrations.rehearsal.samples import sample  # noqa: PLC0415
    from tests.migrations.written import folder_of  # noqa: PLC0415
    from tests.migrations.written import write as write_migration  # noqa: PLC0415

    folder_of(folder)
    write_migration(folder, "0007_job_source")
    write_migration(folder, "0008_job_note", {"risk": "high"}, up="create index job_note on job (note);")
    write_rehearsal(folder, sample())
    return folder


# ---------------------------------------------------------------- texts from outside


def hostile(folder: Path) -> Given:
    """A catalog whose every free text is HTML or script."""
    texts = itertools.cycle(HOSTILE)
    return _with_texts(folder, lambda word: f"{word}{next(texts)}")


def harmless(folder: Path) -> Given:
    """The same catalog with words of the same length instead: its pages have the same elements."""
    texts = itertools.cycle(HOSTILE)
    return _with_texts(folder, lambda word: word + _MARKS.sub("x", next(texts)))


def unbroken(folder: Path) -> Given:
    """The same catalog with words that no line holds in all that is written for people."""
    return _with_texts(folder, lambda word: word + "x" * 200 * (word in _WRITTEN))


def _with_texts(folder: Path, text: Callable[[str], str]) -> Given:
    """Write a catalog whose names and texts come from a function; what comes out of it begins as what goes in."""
    first, second, third, between, later = (text(word) for word in ("r1", "r2", "r3", "r4", "r5"))
    owner, consumers, field = text("maker"), [text("reader"), text("taker")], text("field")
    versions: dict[str, dict[str, Any]] = {
        "v1": {"introduced": first, "deprecated": third},
        "v2": {"introduced": second, "decision": "DEC-0001"},
    }
    lines = [f"releases = {_toml([first, second, third])}", f"planned = {_toml([between, later])}"]
    lines += ['[event."thing.made"]', f"owner = {_toml(owner)}", f"consumers = {_toml(consumers)}"]
    for version, moves in versions.items():
        lines += [f'[event."thing.made".{version}]', f"key = {_toml('thing:{id}')}"]
        lines += [f"{name} = {_toml(value)}" for name, value in moves.items()]
    old = _schema(text, field, text("gone"))
    new = {**old, "required": ["id", field], "title": text("Heading")}
    write(folder, "\n".join(lines) + "\n", {"thing.made/v1.json": old, "thing.made/v2.json": new})
    (folder / "decisions").mkdir()
    (folder / "decisions" / "DEC-0001.md").write_text(
        _decision(text, f"/required/{_escaped(field)}", third, later), encoding="utf-8"
    )
    return Given(folder)


def _schema(text: Callable[[str], str], field: str, other: str) -> dict[str, Any]:
    values = [text("value"), text("worth")]
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": text("Title"),
        "description": text("Description"),
        "type": "object",
        "required": ["id"],
        "properties": {
            "id": {"type": "string", "title": text("Name"), "description": text("Meaning")},
            field: {
                "type": "string",
                "enum": values,
                "x-enum-meanings": {value: text("meaning") for value in values},
                "x-unit": text("unit"),
                "description": text("Meaning"),
                "examples": values[:1],
            },
            other: {
                "type": "object",
                "description": text("Meaning"),
                "properties": {text("within"): {"type": "string", "default": text("default")}},
            },
        },
    }


def _decision(text: Callable[[str], str], pointer: str, deprecated: str, retired: str) -> str:
    front = {"id": "DEC-0001", "title": text("Title"), "status": "accepted", "owner": text("maker")}
    lines = [f"{key} = {_toml(value)}" for key, value in front.items()]
    lines += ["date = 2026-09-01", "review = 2027-03-01"]
    lines += ["[[allows]]", 'event = "thing.made"', 'version = "v2"', f"breaking = {_toml([pointer])}"]
    lines += ["[[timeline]]", 'event = "thing.made"', 'version = "v1"', f"deprecated = {_toml(deprecated)}"]
    lines += [f"retired = {_toml(retired)}"]
    names = ("Context", "Decision", "Migration plan", "Alternatives", "Why", "Consequences")
    sections = [f"## {name}\n\n{text('Text')}\n\n[link](javascript:hacked())" for name in names]
    return "+++\n" + "\n".join(lines) + "\n+++\n\n" + "\n\n".join(sections) + "\n"


def _toml(value: str | list[str]) -> str:
    return json.dumps(value, ensure_ascii=False)  # what is a string in JSON is one in TOML


def _escaped(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")
