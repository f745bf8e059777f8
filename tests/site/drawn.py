"""Contracts to draw, of services and events with names of every kind, and how a picture becomes a part of a page."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from types import SimpleNamespace
from typing import Any

from hypothesis import strategies as st

from jobarium_events.catalog.manifest import Manifest, VersionEntry
from jobarium_events.contract import Contract, KeyTemplate
from jobarium_events.counters import Count, Counters
from jobarium_events.site.rendering import Rendering
from tests.site.parsed import Parsed

__all__ = ["HOSTILE", "RELEASES", "Case", "cases", "contract", "counted", "drawn", "inside", "part"]

HOSTILE = "<script>alert(1)</script>\"'&{{ x }}</svg><b>"
START = datetime(2026, 9, 1, 8, tzinfo=UTC)
RELEASES = tuple(f"2026.{number}" for number in range(1, 13))

SERVICES = st.sampled_from(["job-service", "matching-service", "analytics-service", "x", HOSTILE]) | st.text(
    st.characters(codec="utf-8", exclude_categories=("C", "Z")), min_size=1, max_size=50
)
EVENTS = st.from_regex(r"[A-Za-z][0-9A-Za-z]{0,12}(?:[._-][0-9A-Za-z]{1,12}){0,6}", fullmatch=True)


class Case:
    """Some contracts, with the releases that there were and that are to come."""

    def __init__(self, contracts: Sequence[Contract], releases: Sequence[str], planned: Sequence[str]) -> None:
        self.contracts = tuple(contracts)
        self.releases = tuple(releases)
        self.planned = tuple(planned)

    @property
    def every(self) -> tuple[str, ...]:
        return self.releases + self.planned

    def __repr__(self) -> str:
        shown = [(each.name, each.introduced, each.deprecated, each.retired) for each in self.contracts]
        return f"Case({shown}, {self.releases}, {self.planned})"


def contract(event: str = "job.updated", version: str = "v1", releases: Sequence[str] = RELEASES[:3], **facts: Any):
    """Return a contract that stands where its moves say at the last release."""
    entry = VersionEntry(
        key="a:{b}",
        introduced=facts.pop("introduced", "2026.1"),
        deprecated=facts.pop("deprecated", None),
        retired=facts.pop("retired", None),
    )
    values = {"owner": "job-service", "consumers": ("matching-service",), "schema_json": b"{}", **facts}
    return Contract(
        event=event,
        version=version,
        key=KeyTemplate(entry.key),
        ordering=None,
        lifecycle=Manifest(tuple(releases), (), {}).lifecycle(entry),
        introduced=entry.introduced,
        deprecated=entry.deprecated,
        retired=entry.retired,
        **values,
    )


@st.composite
def cases(draw: Any, most: int = 6) -> Case:
    """Draw a small catalog whose manifest is in order: the moves of a version come after each other."""
    past = draw(st.integers(0, 10))
    every = RELEASES[: draw(st.integers(past, min(past + 4, len(RELEASES))))]
    releases = every[:past]
    contracts = []
    for event in draw(st.lists(EVENTS, max_size=most, unique=True)):
        owner, consumers = draw(SERVICES), tuple(draw(st.lists(SERVICES, max_size=5, unique=True)))
        for number in range(1, draw(st.integers(1, 4)) + 1):
            moves = sorted(draw(st.sets(st.sampled_from(every), max_size=3)), key=every.index) if every else []
            introduced, deprecated, retired = [*moves, None, None, None][:3]
            version = {"introduced": introduced, "deprecated": deprecated, "retired": retired}
            contracts.append(contract(event, f"v{number}", releases, owner=owner, consumers=consumers, **version))
    return Case(contracts, releases, every[past:])


def counted(service: str, event: str = "job.updated", days: int = 1, **counts: tuple[int, int]) -> Counters:
    """Return a file that counts each version so often emitted and consumed."""
    return Counters(
        service=service,
        until=START + timedelta(days=days),
        counts=tuple(
            Count(
                event=event,
                version=version,
                since=START,
                emitted=emitted,
                consumed=consumed,
                last=START + timedelta(hours=days) if emitted + consumed else None,
            )
            for version, (emitted, consumed) in counts.items()
        ),
    )


def inside(picture: Any, x: float, y: float, width: float = 0.0, height: float = 0.0) -> None:
    """See that something lies within a picture."""
    assert 0 <= x <= x + width <= picture.width + 0.11, (x, width, picture.width)
    assert 0 <= y <= y + height <= picture.height + 0.11, (y, height, picture.height)


def drawn(text: str) -> list[ET.Element]:
    """Return the pictures of a page; each is well-formed."""
    return [ET.fromstring(each) for each in re.findall(r"<svg.*?</svg>", text, re.DOTALL)]


def part(template: str, name: str, call: str, **values: Any) -> tuple[str, Parsed]:
    """Return what a macro makes of some values, as text and as a browser reads it.

    Args:
        template: The file of the macro.
        name: The macro.
        call: Its arguments, as the template has them.
        **values: What these arguments name.
    """
    source = f'{{% from "{template}" import {name} with context %}}{{{{ {name}({call}) }}}}'
    text = _template(source).render(**values)
    return text, Parsed(f"<html>{text}</html>".encode())


@cache
def _template(source: str) -> Any:
    return Rendering({"shown": SimpleNamespace(decisions={"DEC-0001"})}, lambda _: None)._environment.from_string(
        source
    )
