"""The pages on changes and on Confluent's modes say what is so: each of their examples is judged here."""

from __future__ import annotations

import json
import re
import tomllib
from typing import Any, NamedTuple

import msgspec
import pytest

from jobarium_events.catalog.manifest import quoted
from jobarium_events.contract import Ordering
from jobarium_events.evolution.changes import ChangeKind
from jobarium_events.evolution.comparing import compare
from jobarium_events.evolution.containment import is_subset
from jobarium_events.evolution.findings import Severity
from jobarium_events.evolution.meanings import publish
from jobarium_events.evolution.verdicts import Containment, Reader
from jobarium_events.evolution.wording import advice
from jobarium_events.validation import compile_schema
from tests.evolution.example_changes import TEXT, payload
from tests.evolution.test_meanings import contract
from tests.test_documentation import read, section

PAGE = "docs/changes.md"
IN_MANIFEST = (ChangeKind.KEY_TEMPLATE_CHANGED, ChangeKind.ORDERING_CHANGED)
READERS = (Reader.NEW, Reader.OLD)
ROW = re.compile(r"^\| `([^`]+)` \| (read it|break)(?:: `(.+?)`)? \| (read it|break)(?:: `(.+?)`)? \|$", re.MULTILINE)


class Shown(NamedTuple):
    """What the page shows of a kind of change: the two sides of its example, and what is found for it."""

    text: str
    before: str
    after: str
    place: str
    breaks: dict[Reader, str | None]


def shown(kind: ChangeKind) -> Shown:
    text = section(PAGE, f"`{kind.value}`")
    example = re.search(r"```diff\n(.*?)```", text, re.DOTALL)
    row = ROW.search(text)
    assert example
    assert row
    before, after = (
        "\n".join(line[1:] for line in example[1].splitlines() if line[0] in (" ", sign)) for sign in ("-", "+")
    )
    said = ((Reader.NEW, row[2], row[3]), (Reader.OLD, row[4], row[5]))
    return Shown(text, before, after, row[1], {reader: witness for reader, what, witness in said if what == "break"})


def schema(members: str) -> dict[str, Any]:
    parsed: dict[str, Any] = json.loads(f'{{"type": "object", {members}}}')
    return parsed


def test_every_kind_of_change_has_its_section_and_its_row() -> None:
    headings = re.findall(r"^### `([a-z-]+)`$", read(PAGE), re.MULTILINE)
    assert sorted(headings) == sorted(ChangeKind)
    table = read(PAGE).partition("## Fields")[0]
    linked: dict[str, str] = {
        kind: row
        for row, kinds in re.findall(r"^\| (breaks [^|]+) \| (.+) \|$", table, re.MULTILINE)
        for kind in re.findall(r"`([a-z-]+)`", kinds)
    }
    assert linked.keys() == set(ChangeKind)
    for kind in ChangeKind:
        breaks = tuple(shown(kind).breaks)
        expected = {(): "nobody", READERS: "both", (Reader.NEW,): "new consumers", (Reader.OLD,): "old consumers"}
        assert linked[kind].removeprefix("breaks ").startswith(expected[breaks]), kind


@pytest.mark.parametrize("kind", [kind for kind in ChangeKind if kind not in IN_MANIFEST])
def test_the_example_of_a_change_is_judged_as_the_page_says(kind: ChangeKind) -> None:
    said = shown(kind)
    old, new = schema(said.before), schema(said.after)
    (change,) = compare(publish(contract(old)), contract(new)).changes
    assert (change.kind, change.pointer, change.readers) == (kind, said.place, tuple(said.breaks))
    for reader, witness in said.breaks.items():
        assert witness
        writer, refuses = (old, new) if reader is Reader.NEW else (new, old)
        assert compile_schema(writer, closed=True).is_valid(json.loads(witness))
        assert not compile_schema(refuses).is_valid(json.loads(witness))
    if change.severity is Severity.ERROR:
        assert " ".join(change.advice.split()) in " ".join(said.text.split())


@pytest.mark.parametrize("kind", IN_MANIFEST)
def test_a_change_to_the_manifest_is_judged_as_the_page_says(kind: ChangeKind) -> None:
    said = shown(kind)
    fields = payload({"order_id": TEXT, "revision": TEXT, "placed_at": TEXT})
    old, new = (
        msgspec.structs.replace(
            contract(
                fields, **({"key": table["key"]} if "key" in table else {"ordering": Ordering(**table["ordering"])})
            ),
            event="order.placed",
        )
        for table in map(tomllib.loads, (said.before, said.after))
    )
    (change,) = compare(old, new).changes
    assert (change.kind, change.pointer, change.readers) == (kind, said.place, tuple(said.breaks))
    assert said.place.startswith(f"event.{quoted('order.placed')}.v1.")
    assert " ".join(advice(kind).split()) in " ".join(said.text.split())


NUMBER, SMALL = {"type": "number", "maximum": 9}, {"type": "number", "maximum": 5}
CHANGES = {
    "an optional field is added": (payload(), payload(note=TEXT)),
    "an optional field is removed": (payload(note=TEXT), payload()),
    "a required field is added": (payload(), payload({"note": TEXT})),
    "a required field is removed": (payload({"note": TEXT}), payload()),
    "an optional field becomes required": (payload(note=TEXT), payload({"note": TEXT})),
    "a required field becomes optional": (payload({"note": TEXT}), payload(note=TEXT)),
    "a range is narrowed": (payload(note=NUMBER), payload(note=SMALL)),
    "a range is widened": (payload(note=SMALL), payload(note=NUMBER)),
    "a value is added to an `enum`": (payload(note={"enum": ["a"]}), payload(note={"enum": ["a", "b"]})),
    "a value is added to an `x-extensible-enum`": (
        payload(note={"x-extensible-enum": ["a"]}),
        payload(note={"x-extensible-enum": ["a", "b"]}),
    ),
}


def test_the_table_of_views_is_that_of_the_prover() -> None:
    rows = re.findall(
        r"^\| (.+?) \| (\w+) \| (\w+) \| (\w+)",
        section("docs/confluent.md", "The same changes, in both views"),
        re.MULTILINE,
    )
    assert {row[0]: row[1:] for row in rows if row[0] != "change"} == {
        name: (
            views(is_subset(old, new), is_subset(new, old)),
            views(is_subset(closed(old), closed(new)), is_subset(closed(new), closed(old))),
            views(*(getattr(compare(contract(old), contract(new)), way) for way in ("backward", "forward"))),
        )
        for name, (old, new) in CHANGES.items()
    }


def closed(schema: dict[str, Any]) -> dict[str, Any]:
    return {**schema, "additionalProperties": False}


def views(backward: Containment, forward: Containment) -> str:
    named = {(True, True): "both", (True, False): "backward", (False, True): "forward", (False, False): "neither"}
    return named[backward.holds, forward.holds]
