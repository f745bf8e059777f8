"""A release checks, freezes and appends, or leaves everything as it is."""

import json
import re
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobarium_events.errors import CatalogError
from jobarium_events.evolution import releasing
from jobarium_events.evolution.checking import check
from jobarium_events.evolution.lock import Retirement, lock_bytes, parse_lock, read_lock
from jobarium_events.evolution.refusals import EditError, LockError, Refused
from jobarium_events.evolution.releasing import freeze, release
from jobarium_events.evolution.state import State
from tests.evolution.logs import TODAY, V1_LINES, V2_LINES, catalog, decision, rules
from tests.folders import TEXT, schema
from tests.strategies import few


def contents(folder):
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def folder(tmp_path):
    """A folder whose first three releases are frozen, and which is to introduce v2 in the next."""
    folder = catalog(tmp_path, {"v1": V1_LINES})
    release(folder, "3", today=TODAY)
    return catalog(tmp_path)


def refused(folder, name):
    before = contents(folder)
    with pytest.raises(Refused) as caught:
        release(folder, name, today=TODAY)
    assert contents(folder) == before
    assert str(caught.value).startswith(f"release {name} is refused:\n  - ")
    return rules(caught.value.findings)


def not_possible(folder, name, told):
    before = contents(folder)
    with pytest.raises(EditError, match=told):
        release(folder, name, today=TODAY)
    assert contents(folder) == before


def test_the_first_release_of_a_folder_freezes_all_that_there_is(tmp_path):
    folder = catalog(tmp_path, {"v1": V1_LINES})
    manifest = (folder / "catalog.toml").read_bytes()
    done = release(folder, "3", today=TODAY)
    assert (done.name, done.contracts, done.changed) == ("3", 1, ("thing.made v1",))
    assert done.written == (folder / "catalog.lock",)
    assert done.findings == ()
    assert (folder / "catalog.toml").read_bytes() == manifest
    assert read_lock(folder).releases == ("1", "2", "3")


def test_the_first_one_may_be_a_new_release_as_well(tmp_path):
    folder = catalog(tmp_path, {"v1": V1_LINES})
    release(folder, "4", today=TODAY)
    assert read_lock(folder).releases == ("1", "2", "3", "4")
    assert check(folder).findings == ()


def test_a_release_is_appended_and_what_is_new_is_frozen(folder):
    done = release(folder, "4", today=TODAY)
    assert done.changed == ("thing.made v1", "thing.made v2")
    lock = read_lock(folder)
    assert (lock.releases, lock.planned) == (("1", "2", "3", "4"), ("5", "6", "7"))
    assert lock.frozen == {("thing.made", "v1"): "4", ("thing.made", "v2"): "4"}
    assert lock.contracts["thing.made", "v1"].contract.lifecycle == "deprecated"
    assert list(lock.decisions) == ["DEC-0001"]
    assert 'releases = ["1", "2", "3", "4"]' in (folder / "catalog.toml").read_text()
    report = check(folder)
    assert report.ok
    assert report.unchanged == 2


def test_what_did_not_change_keeps_the_release_that_froze_it(folder):
    release(folder, "4", today=TODAY)
    assert release(folder, "5", today=TODAY).changed == ()
    assert set(read_lock(folder).frozen.values()) == {"4"}


def test_a_draft_is_not_frozen(tmp_path):
    folder = catalog(tmp_path, {"v1": V1_LINES, "v2": 'key = "k:{id}"'})
    assert release(folder, "3", today=TODAY).contracts == 1


def test_what_the_check_finds_stands_against_a_release(folder):
    (folder / "thing.made" / "v1.json").write_bytes((folder / "thing.made" / "v2.json").read_bytes())
    assert "became-required" in refused(folder, "4")


@pytest.mark.parametrize(
    ("name", "planned", "what"),
    [
        ("3.1", True, "release 3.1, which is not planned (the next that is planned is 4),"),
        ("4", True, "release 4"),
        ("3.1", False, "release 3.1"),
    ],
)
def test_what_is_refused_says_first_that_it_is_not_planned(folder, name, planned, what):
    if not planned:
        path = folder / "catalog.toml"
        text = re.sub("planned = .*", "planned = []", path.read_text())
        path.write_text(re.sub("(deprecated|retired) = .*", "", text).replace('"4"', '"3"'))
    (folder / "thing.made" / "v1.json").write_bytes((folder / "thing.made" / "v2.json").read_bytes())
    with pytest.raises(Refused) as caught:
        release(folder, name, today=TODAY)
    assert str(caught.value).startswith(f"{what} is refused:\n  - ")


def test_so_does_what_only_the_release_would_bring_about(tmp_path):
    lines = {"v1": f'{V1_LINES}\ndeprecated = "2"\nretired = "4"', "v2": V2_LINES.replace('"4"', '"2"')}
    folder = catalog(tmp_path, lines)
    path = folder / "decisions" / "DEC-0001.md"
    path.write_text(decision().replace('"4"', '"2"').replace('"6"', '"4"'))
    release(folder, "3", today=TODAY)
    assert check(folder).ok
    assert refused(folder, "4") == ["retirement-without-evidence"]
    lock = read_lock(folder)
    shown = Retirement(event="thing.made", version="v1", release="4", when="2026-10-05")
    (folder / "catalog.lock").write_bytes(lock_bytes(msgspec.structs.replace(lock, retirements=(shown,))))
    release(folder, "4", today=TODAY)
    assert read_lock(folder).contracts["thing.made", "v1"].contract.lifecycle == "retired"


def test_warnings_do_not_stand_against_it_and_are_told(folder):
    (folder / "decisions" / "DEC-0001.md").write_text(decision({"review": "2026-09-02"}))
    assert rules(release(folder, "4", today=TODAY).findings) == ["decision-review-passed"]


def test_a_decision_that_was_released_is_not_rewritten(folder):
    release(folder, "4", today=TODAY)
    path = folder / "decisions" / "DEC-0001.md"
    path.write_text(decision(sections={"Why": "In better words."}))
    assert refused(folder, "5") == ["decision-changed"]
    path.write_text(decision({"review": "2028-03-01"}))
    assert release(folder, "5", today=TODAY).findings == ()


def test_a_release_in_the_past_is_none(folder):
    not_possible(folder, "2", "2 has been released already; the current release is 3")
    not_possible(folder, "3", "3 has been released already")


def test_the_next_planned_release_comes_next(folder):
    not_possible(folder, "5", "4 is to be released before 5")


def test_a_release_that_was_not_planned_may_come_first(folder):
    release(folder, "3.1", today=TODAY)
    assert read_lock(folder).planned == ("4", "5", "6", "7")


@pytest.mark.parametrize("name", ["", " 4", "4\n"])
def test_a_name_is_a_word(folder, name):
    not_possible(folder, name, "is no name of a release")


def test_a_release_that_was_appended_by_hand_is_frozen_by_its_name(folder):
    catalog(folder, releases='releases = ["1", "2", "3", "4"]\nplanned = ["5", "6"]\n')
    assert "release-not-frozen" in rules(check(folder).findings)
    done = release(folder, "4", today=TODAY)
    assert done.written == (folder / "catalog.lock",)
    assert check(folder).ok


def test_two_that_were_appended_by_hand_are_not(folder):
    catalog(folder, releases='releases = ["1", "2", "3", "3.1", "4"]\nplanned = ["5", "6"]\n')
    not_possible(folder, "4", "4 has been released already")


def test_a_release_that_ended_between_its_files_can_be_run_again(folder, monkeypatch):
    written = {}
    monkeypatch.setattr(releasing, "write_files", written.update)
    release(folder, "4", today=TODAY)
    monkeypatch.undo()
    first, second = written
    assert (first.name, second.name) == ("catalog.toml", "catalog.lock")
    first.write_bytes(written[first])
    release(folder, "4", today=TODAY)
    assert second.read_bytes() == written[second]


def test_a_folder_with_mistakes_is_not_released(folder):
    (folder / "thing.made" / "v1.json").write_text("{")
    with pytest.raises(CatalogError):
        release(folder, "4", today=TODAY)


def test_nor_one_with_a_lock_that_was_edited(folder):
    path = folder / "catalog.lock"
    path.write_text(path.read_text().replace("maker", "other"))
    with pytest.raises(LockError):
        release(folder, "4", today=TODAY)


def test_since_when_a_field_is_deprecated_is_kept(tmp_path):
    old = schema({"id": TEXT}, gone={**TEXT, "deprecated": True}, other=TEXT)
    folder = catalog(tmp_path, {"v1": V1_LINES}, schemas={"v1": old})
    release(folder, "3", today=TODAY)
    old["properties"]["other"] = {**TEXT, "deprecated": True}
    catalog(tmp_path, {"v1": V1_LINES}, schemas={"v1": old})
    release(folder, "4", today=TODAY)
    since = read_lock(folder).deprecated["thing.made", "v1"]
    assert since == {"/gone": "3", "/other": "4"}


def test_a_deprecated_field_may_be_described_elsewhere_before_it_goes(tmp_path):
    note = {"note": {**TEXT, "deprecated": True}}
    elsewhere = {**schema({"id": TEXT}), "allOf": [{"$ref": "#/definitions/old"}]}
    elsewhere["definitions"] = {"old": {"properties": note}}
    folder = catalog(tmp_path, {"v1": V1_LINES}, schemas={"v1": schema({"id": TEXT}, **note)})
    file = folder / "thing.made" / "v1.json"
    release(folder, "3", today=TODAY)
    file.write_text(json.dumps(elsewhere))
    release(folder, "4", today=TODAY)
    assert read_lock(folder).deprecated["thing.made", "v1"] == {"/note": "3"}
    file.write_text(json.dumps(schema({"id": TEXT})))
    release(folder, "5", today=TODAY)
    assert read_lock(folder).deprecated == {}


HISTORIES = st.lists(st.tuples(st.sets(st.sampled_from("abc")), st.booleans()), min_size=1, max_size=6)
"""What optional fields a contract has from release to release, and whether they are spoken of behind a reference."""


def spoken(names, *, apart):
    """A payload with some optional fields: in its own properties, or behind a reference."""
    optional = {name: {**TEXT, "deprecated": True} for name in sorted(names)}
    if not apart:
        return schema({"id": TEXT}, **optional)
    return {
        **schema({"id": TEXT}),
        "allOf": [{"$ref": "#/definitions/o"}],
        "definitions": {"o": {"properties": optional}},
    }


@few
@given(HISTORIES)
def test_a_field_is_there_since_the_release_that_last_brought_it(history):
    releases = [str(number) for number in range(1, len(history) + 1)]
    with TemporaryDirectory() as folder:
        lock = None
        for place, (names, apart) in enumerate(history):
            lines = f"releases = {json.dumps(releases[: place + 1])}\nplanned = []\n"
            catalog(Path(folder), {"v1": V1_LINES}, releases=lines, schemas={"v1": spoken(names, apart=apart)})
            state = State.of(Path(folder), today=TODAY)
            lock = freeze(msgspec.structs.replace(state, lock=lock), state.manifest, releases[place])
            lock = parse_lock(lock_bytes(lock), Path("catalog.lock"))
    expected = {"/id": "1"}
    for name in history[-1][0]:
        absent = [place for place, (names, _) in enumerate(history) if name not in names]
        expected[f"/{name}"] = releases[max(absent, default=-1) + 1]
    assert lock.fields_since("thing.made", "v1") == expected
    since_first = {path for path, since in expected.items() if since == "1"}
    assert lock.added.get(("thing.made", "v1"), {}).keys() == expected.keys() - since_first
