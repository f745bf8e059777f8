"""The lock: what it keeps, and what it does when it was not written by a command."""

import json

import msgspec
import pytest

from jobarium_events import Catalog
from jobarium_events.catalog import SCHEMAS
from jobarium_events.contract import Lifecycle
from jobarium_events.evolution import lock as lock_module
from jobarium_events.evolution.lock import LOCK_FILE, Retirement, Rewording, lock_bytes, read_lock
from jobarium_events.evolution.meanings import MeaningChange, meaning_changes, publish, structure
from jobarium_events.evolution.refusals import LockError
from jobarium_events.evolution.releasing import release
from jobarium_events.evolution.removed import Removal, Removals
from tests.evolution.logs import OLD, TODAY, V1_LINES, catalog
from tests.folders import TEXT, schema


@pytest.fixture
def folder(tmp_path):
    folder = catalog(tmp_path, {"v1": V1_LINES}, schemas={"v1": schema({"id": TEXT}, old={**TEXT, "deprecated": True})})
    release(folder, "3", today=TODAY)
    return folder


def reworded(old, new, after="3"):
    return Rewording(
        event="thing.made",
        version="v1",
        pointer="/properties/id",
        keyword="description",
        old=old,
        new=new,
        after=after,
        who="me",
        when="2026-10-05",
        why="It reads better.",
    )


def test_a_folder_without_a_lock_has_none(tmp_path):
    assert read_lock(tmp_path) is None


def test_what_is_written_is_read_again(folder):
    lock = read_lock(folder)
    lock = msgspec.structs.replace(
        lock,
        rewordings=(reworded(None, "new"),),
        retirements=(Retirement(event="thing.made", version="v1", release="5", when="", unseen={"maker": "a/b"}),),
    )
    (folder / LOCK_FILE).write_bytes(lock_bytes(lock))
    again = read_lock(folder)
    assert lock_bytes(again) == lock_bytes(lock)
    assert (again.releases, again.planned, again.rewordings) == (lock.releases, lock.planned, lock.rewordings)
    assert again.retirement("thing.made", "v1").unseen == {"maker": "a/b"}
    assert again.retirement("thing.made", "v2") is None


@pytest.mark.parametrize(
    "removed",
    [
        Removals({"/note": Removal("a", "2")}),
        Removals(values={"/channel": {'"phone"': Removal("b", "3"), "1": Removal("c", "3")}}),
        Removals({"/note": Removal("a", "2")}, {"/channel": {'"phone"': Removal("b", "3")}}),
    ],
    ids=["fields", "values", "both"],
)
def test_what_a_contract_has_lost_is_read_again(folder, removed):
    assert b"removed" not in (folder / LOCK_FILE).read_bytes()
    assert read_lock(folder).removed == {}
    lock = msgspec.structs.replace(read_lock(folder), removed={("thing.made", "v1"): removed})
    (folder / LOCK_FILE).write_bytes(lock_bytes(lock))
    assert read_lock(folder).removed == lock.removed


def test_the_bundled_lock_holds_the_bundled_catalog():
    lock = read_lock(SCHEMAS)
    released = {(each.event, each.version): each for each in Catalog.bundled() if each.lifecycle is not Lifecycle.DRAFT}
    assert lock.contracts.keys() == released.keys()
    for key, contract in released.items():
        kept = lock.contracts[key]
        assert kept.structure == publish(contract).structure
        assert kept.contract.schema == structure(contract.schema)
        assert meaning_changes(lock.baseline().contracts[key], publish(contract)) == ()
        assert kept.contract.lifecycle is contract.lifecycle
        assert (kept.contract.owner, kept.contract.consumers) == (contract.owner, contract.consumers)


def test_it_has_no_texts_of_the_schemas(folder):
    assert read_lock(folder).contracts["thing.made", "v1"].contract.schema == {
        "type": "object",
        "required": ["id"],
        "properties": {"id": TEXT, "old": TEXT},
    }


def test_it_knows_in_how_many_releases_a_field_has_been_deprecated(folder):
    assert read_lock(folder).contracts["thing.made", "v1"].deprecated == {"/old": 1}
    release(folder, "4", today=TODAY)
    release(folder, "5", today=TODAY)
    assert read_lock(folder).contracts["thing.made", "v1"].deprecated == {"/old": 3}


def test_line_ends_may_be_those_of_windows(folder):
    path = folder / LOCK_FILE
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert read_lock(folder).releases == ("1", "2", "3")


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda text: text.replace('"maker"', '"taker"'), "was edited by hand"),
        (lambda text: text.replace('"planned": [', '"planned": ["0",'), "was edited by hand"),
        (lambda text: text[:-10], "is no valid JSON"),
        (lambda text: f"<<<<<<< HEAD\n{text}", "is no valid JSON"),
        (lambda text: "[]", "is no lock"),
        (lambda text: "", "is no valid JSON"),
        (lambda text: text.replace('"format": 1', '"format": 2'), "has the format 2"),
    ],
)
def test_a_lock_that_no_command_wrote_is_refused_with_the_way_out(folder, change, told):
    path = folder / LOCK_FILE
    path.write_text(change(path.read_text()))
    with pytest.raises(LockError, match=told) as caught:
        read_lock(folder)
    assert str(path) in str(caught.value)
    assert ("git checkout" in str(caught.value)) != ("format" in told)


def test_a_lock_with_a_right_digest_and_wrong_content_is_refused(folder):
    path = folder / LOCK_FILE
    document = json.loads(path.read_text())
    document["releases"] = "many"
    del document["digest"]
    document["digest"] = lock_module._digest(document)
    path.write_text(json.dumps(document))
    with pytest.raises(LockError, match=r"is not as it should be: .*releases"):
        read_lock(folder)


def resigned(path, edit):
    """Edit a lock by hand, and give it the digest that fits."""
    document = json.loads(path.read_text())
    del document["digest"]
    edit(document["events"]["thing.made"]["v1"])
    document["digest"] = lock_module._digest(document)
    path.write_text(json.dumps(document))


def test_a_schema_that_does_not_fit_its_structure_was_edited_by_hand(folder):
    path = folder / LOCK_FILE
    resigned(path, lambda version: version["schema"]["properties"].pop("old"))
    with pytest.raises(LockError, match=r"edited by hand: the structure of thing\.made v1 does not fit its schema"):
        read_lock(folder)


def test_so_was_an_earlier_form_of_it(folder):
    (folder / "thing.made" / "v1.json").write_text(json.dumps(schema({"id": TEXT}, old=TEXT, new=TEXT)))
    release(folder, "4", today=TODAY)
    path = folder / LOCK_FILE
    assert read_lock(folder).forms["thing.made", "v1"][0].schema["properties"].keys() == {"id", "old"}
    resigned(path, lambda version: version["earlier_forms"][0]["schema"].pop("required"))
    with pytest.raises(LockError, match="does not fit its schema"):
        read_lock(folder)


def test_the_baseline_is_what_was_released(folder):
    baseline = read_lock(folder).baseline()
    assert (baseline.name, baseline.releases, baseline.planned) == ("lock", ("1", "2", "3"), ("4", "5", "6", "7"))
    assert list(baseline.contracts) == [("thing.made", "v1")]


@pytest.mark.parametrize(
    ("rewordings", "expected"),
    [
        ([(None, "a")], "a"),
        ([(None, "a"), ("a", "b")], "b"),
        ([("x", "a")], None),
        ([(None, "a", "2")], None),
        ([(None, "a"), ("a", None)], None),
    ],
    ids=["once", "twice", "other words", "before the release", "taken away"],
)
def test_the_baseline_speaks_in_the_accepted_words(folder, rewordings, expected):
    lock = msgspec.structs.replace(read_lock(folder), rewordings=tuple(reworded(*each) for each in rewordings))
    said = lock.baseline().contracts["thing.made", "v1"].meanings.get("/properties/id", {})
    assert said.get("description") == expected


def test_new_words_are_accepted_where_somebody_has_answered_for_them(folder):
    lock = msgspec.structs.replace(read_lock(folder), rewordings=(reworded("a", "b"), reworded("b", "c")))

    def accepts(old, new, pointer="/properties/id", keyword="description", version="v1"):
        return lock.accepts("thing.made", version, MeaningChange(pointer, keyword, old, new))

    assert accepts("a", "b")
    assert accepts("b", "c")
    assert accepts("a", "c")
    assert not accepts("b", "a")
    assert not accepts("other", "c")
    assert not accepts("a", "other")
    assert not accepts("a", "b", keyword="title")
    assert not accepts("a", "b", pointer="")
    assert not accepts("a", "b", version="v2")


def test_a_released_text_is_not_accepted_for_another_field(folder):
    published = read_lock(folder).contracts["thing.made", "v1"]
    meanings = {"/properties/id": {"description": "frozen"}}
    contracts = {("thing.made", "v1"): msgspec.structs.replace(published, meanings=meanings)}
    lock = msgspec.structs.replace(read_lock(folder), contracts=contracts)
    assert not lock.accepts("thing.made", "v1", MeaningChange("/properties/id", "description", "other", "frozen"))


def test_old_is_released_as_it_is(tmp_path):
    folder = catalog(tmp_path, {"v1": V1_LINES})
    release(folder, "3", today=TODAY)
    assert read_lock(folder).contracts["thing.made", "v1"].contract.schema == structure(OLD)


def test_it_knows_since_when_each_field_is_there(folder):
    assert b"added_fields" not in (folder / LOCK_FILE).read_bytes()
    assert read_lock(folder).fields_since("thing.made", "v1") == {"/id": "1", "/old": "1"}
    lines = {"type": "array", "items": {"type": "object", "properties": {"sku": TEXT}}}
    (folder / "thing.made" / "v1.json").write_text(json.dumps(schema({"id": TEXT}, old=TEXT, lines=lines)))
    assert read_lock(folder).fields_since("thing.made", "v1").keys() == {"/id", "/old"}, "not released yet"
    release(folder, "4", today=TODAY)
    release(folder, "5", today=TODAY)
    lock = read_lock(folder)
    assert lock.added == {("thing.made", "v1"): {"/lines": "4", "/lines/items/sku": "4"}}
    since = {"/id": "1", "/old": "1", "/lines": "4", "/lines/items/sku": "4"}
    assert lock.fields_since("thing.made", "v1") == since
    assert lock.fields_since("thing.made", "v2") == {}


def test_a_lock_without_later_fields_is_the_file_that_it_was(folder):
    content = (folder / LOCK_FILE).read_bytes()
    release(folder, "4", today=TODAY)
    added = msgspec.structs.replace(read_lock(folder), added={("thing.made", "v1"): {"/old": "4"}})
    without = msgspec.structs.replace(added, added={})
    assert (
        lock_bytes(msgspec.structs.replace(without, releases=("1", "2", "3"), planned=("4", "5", "6", "7"))) == content
    )
    assert json.loads(lock_bytes(added))["digest"] != json.loads(lock_bytes(without))["digest"]
