"""A name that a field once had is not free for another meaning, as long as its version is on the wire."""

import json

import pytest

from jobarium_events.evolution.checking import check
from jobarium_events.evolution.lock import read_lock
from jobarium_events.evolution.releasing import release
from tests.evolution.logs import TODAY, V1_LINES, catalog
from tests.folders import TEXT, WHOLE, schema

NOTE = {**TEXT, "description": "A note.", "deprecated": True}
PLACE = "/properties/note"


@pytest.fixture
def folder(tmp_path):
    """A folder whose contract had a field `note` in three releases, which the last of five does not have."""
    folder = catalog(tmp_path, {"v1": V1_LINES}, schemas={"v1": schema({"id": TEXT}, note=NOTE)})
    for name in ("3", "4", "5"):
        release(folder, name, today=TODAY)
    rewritten(folder, schema({"id": TEXT}))
    release(folder, "6", today=TODAY)
    return folder


def rewritten(folder, document):
    (folder / "thing.made" / "v1.json").write_text(json.dumps(document))


def returned(folder):
    return [(each.rule, each.pointer) for each in check(folder).findings if each.rule == "field-returned"]


def test_the_lock_keeps_what_a_removed_field_was(folder):
    (kept,) = read_lock(folder).removed.values()
    assert {pointer: each.since for pointer, each in kept.items()} == {"/note": "6"}
    release(folder, "7", today=TODAY)
    assert read_lock(folder).removed[("thing.made", "v1")] == kept


@pytest.mark.parametrize(
    "note", [WHOLE, {**TEXT, "description": "Another thing."}, {**TEXT, "x-unit": "points"}, {**NOTE, "maxLength": 3}]
)
def test_it_does_not_come_back_as_something_else(folder, note):
    rewritten(folder, schema({"id": TEXT}, note=note))
    assert returned(folder) == [("field-returned", PLACE)]
    (finding,) = (each for each in check(folder).findings if each.rule == "field-returned")
    assert finding.text.startswith("note was removed in 6, and is back as something else")


def test_it_may_come_back_as_it_was(folder):
    rewritten(folder, schema({"id": TEXT}, note={key: NOTE[key] for key in ("type", "description")}))
    assert check(folder).ok
    release(folder, "7", today=TODAY)
    assert read_lock(folder).removed == {}


def test_another_field_may_be_added(folder):
    rewritten(folder, schema({"id": TEXT}, remark=WHOLE))
    assert check(folder).ok


def test_a_field_that_moves_behind_a_reference_is_not_gone(folder):
    place = {"type": "object", "properties": {"zip": TEXT}}
    rewritten(folder, schema({"id": TEXT}, address=place))
    release(folder, "7", today=TODAY)
    behind = schema({"id": TEXT}, address={"$ref": "#/definitions/place"})
    rewritten(folder, {**behind, "definitions": {"place": place}})
    release(folder, "8", today=TODAY)
    assert read_lock(folder).removed[("thing.made", "v1")].keys() == {"/note"}


def test_one_that_comes_back_behind_a_reference_is_found(folder):
    behind = schema({"id": TEXT}, note={"$ref": "#/definitions/note"})
    rewritten(folder, {**behind, "definitions": {"note": WHOLE}})
    assert returned(folder) == [("field-returned", PLACE)]


def test_a_mark_behind_a_reference_deprecates_a_field(tmp_path):
    behind = schema({"id": TEXT}, note={"$ref": "#/definitions/note"})
    marked = {**behind, "definitions": {"note": NOTE}}
    folder = catalog(tmp_path, {"v1": V1_LINES}, schemas={"v1": marked})
    release(folder, "3", today=TODAY)
    rewritten(folder, schema({"id": TEXT}, note=NOTE))
    release(folder, "4", today=TODAY)
    release(folder, "5", today=TODAY)
    rewritten(folder, schema({"id": TEXT}))
    assert check(folder).ok
