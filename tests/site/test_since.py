"""Since when an event has its fields: over all versions, so long as none between is without them."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from jobarium_events import Catalog
from jobarium_events.evolution.lock import Lock
from jobarium_events.evolution.meanings import publish
from jobarium_events.fields import fields_of
from jobarium_events.site.shown import Shown
from jobarium_events.site.since import since_when
from tests import folders
from tests.evolution.test_meanings import contract
from tests.folders import TEXT
from tests.site.conftest import site_of
from tests.site.test_events import cells

OLD = {**TEXT, "deprecated": True}


def version(number, introduced, **fields):
    made = contract(folders.schema({"id": TEXT}, **fields))
    return msgspec.structs.replace(made, version=f"v{number}", introduced=introduced)


def since(versions, *, locked=(), added=None, deprecated=None):
    """Return since when there is each field of each version but the id, of an event with releases 1 and 2.

    The lock has `locked`, and since when fields of a version were added and deprecated by its number.
    """
    lock = None
    if locked:
        lock = Lock(
            releases=("1", "2"),
            planned=("3",),
            contracts={(each.event, each.version): publish(each) for each in locked},
            frozen={},
            added={(locked[0].event, f"v{number}"): paths for number, paths in (added or {}).items()},
            deprecated={(locked[0].event, f"v{number}"): paths for number, paths in (deprecated or {}).items()},
        )
    shown = Shown(folder=Path(), catalog=Catalog.bundled(), releases=("1", "2"), planned=("3", "4"), lock=lock)
    found = since_when(shown, [(each, fields_of(each.schema)) for each in versions])
    return [{path: tuple(msgspec.to_builtins(told).values()) for path, told in each.items() if path != "/id"}
            for each in found]  # fmt: skip


def test_a_new_version_has_most_of_its_fields_from_the_one_before(shop_site):
    page = shop_site["events/order.placed.html"]
    assert cells(page, "v2-field-order_id")["Since"] == "2026.1"
    assert cells(page, "v2-field-lines/items/sku")["Since"] == "2026.1"
    # The first version has got it as the second one came.
    assert cells(page, "v2-field-address/city")["Since"] == "2026.2"
    assert "new in" not in page.text


def test_what_is_new_in_a_version_is_marked_by_a_word(tmp_path):
    manifest = folders.table(
        "thing.made",
        {"v1": 'key = "k:{id}"\nintroduced = "1"', "v2": 'key = "k:{id}"\nintroduced = "2"'},
        releases='releases = ["1", "2"]',
    )
    schemas = {
        "thing.made/v1.json": folders.schema({"id": TEXT}, a=folders.schema({"x": TEXT})),
        "thing.made/v2.json": folders.schema({"id": TEXT}, a=folders.schema({"x": TEXT, "y": OLD}), b=TEXT),
    }
    page = site_of(folders.write(tmp_path, manifest, schemas))["events/thing.made.html"]
    rows = {id_: cells(page, id_) for id_ in page.ids if "-field-" in id_}
    assert {id_.replace("-field-", " "): (row["Field"], row["Since"]) for id_, row in rows.items()} == {
        "v2 id": ("id", "1"),
        "v2 a": ("a", "1"),
        "v2 a/x": ("a.x", "1"),
        "v2 a/y": ("a.y new in v2 to be deprecated", "2"),
        "v2 b": ("b new in v2", "2"),
        "v1 id": ("id", "1"),
        "v1 a": ("a", "1"),
        "v1 a/x": ("a.x", "1"),
    }


def test_a_version_without_a_field_ends_what_was_before_it():
    versions = [version(1, "1", a=TEXT, b=TEXT), version(2, "1", b=TEXT), version(3, "2", a=TEXT, b=TEXT)]
    assert since(versions) == [
        {"/a": ("1", "", False), "/b": ("1", "", False)},
        {"/b": ("1", "", False)},
        {"/a": ("2", "", True), "/b": ("1", "", False)},
    ]


def test_a_field_that_the_older_version_got_later_is_there_since_the_newer_one_came():
    first, second, got = version(1, "1"), version(2, "1", a=TEXT), version(1, "1", a=TEXT)
    assert since([first, second], locked=[first, second]) == [{}, {"/a": ("1", "", True)}]
    assert since([got, second], locked=[first, second]) == [
        {"/a": ("the next release", "", False)},
        {"/a": ("1", "", False)},
    ]
    assert since([got, second], locked=[got, second], added={1: {"/a": "2"}}) == [
        {"/a": ("2", "", False)},
        {"/a": ("1", "", False)},
    ]


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ("1", "2", "1"),
        ("1", None, "1"),
        ("3", "4", "3 (planned)"),
        ("4", "3", "3 (planned)"),
        (None, "3", "3 (planned)"),
        (None, None, "not released"),
        ("unheard of", "2", "2"),
    ],
)
def test_the_first_release_counts(first, second, expected):
    _, found = since([version(1, first, a=TEXT), version(2, second, a=TEXT)])
    assert found["/a"] == (expected, "", False)


def test_what_the_next_release_brings_is_there_before_what_is_planned():
    locked, first, second = version(1, "1"), version(1, "1", a=TEXT), version(2, "3", a=TEXT)
    assert since([first, second], locked=[locked])[1]["/a"] == ("the next release", "", False)


def test_what_was_marked_deprecated_before_is_deprecated_since_then():
    versions = [version(1, "1", a=OLD, b=TEXT), version(2, "2", a=OLD, b=OLD), version(3, None, a=OLD, b=OLD)]
    marked = {1: {"/a": "1"}, 2: {"/a": "2", "/b": "2"}}
    assert since(versions, locked=versions[:2], deprecated=marked) == [
        {"/a": ("1", "deprecated since 1", False), "/b": ("1", "", False)},
        {"/a": ("1", "deprecated since 1", False), "/b": ("1", "deprecated since 2", False)},
        {"/a": ("1", "deprecated since 1", False), "/b": ("1", "deprecated since 2", False)},
    ]
    assert since(versions, locked=versions[:1], deprecated={1: {"/a": "1"}})[2]["/b"] == (
        "1",
        "to be deprecated",
        False,
    )


@pytest.mark.parametrize(
    ("between", "expected"),
    [({"a": TEXT}, ("1", "deprecated since 2", False)), ({}, ("2", "deprecated since 2", True))],
)
def test_a_mark_that_is_gone_between_counts_from_where_it_is_again(between, expected):
    versions = [version(1, "1", a=OLD), version(2, "1", **between), version(3, "2", a=OLD)]
    marked = {1: {"/a": "1"}, 3: {"/a": "2"}}
    assert since(versions, locked=versions, deprecated=marked)[2]["/a"] == expected
