"""Other words for the same meaning are accepted by somebody, and the lock says by whom."""

import json
import shutil

import pytest

from jobarium_events.evolution.checking import check
from jobarium_events.evolution.lock import read_lock
from jobarium_events.evolution.refusals import EditError
from jobarium_events.evolution.releasing import release
from jobarium_events.evolution.rewording import reword
from tests.evolution.logs import TODAY, V1_LINES, catalog, decision, rules
from tests.folders import TEXT, WHOLE, schema

COUNT = {**WHOLE, "title": "Count", "description": "How many there are.", "x-unit": "pieces"}
KIND = {**TEXT, "enum": ["a", "b"], "x-enum-meanings": {"a": "First.", "b": "Second."}}


def payload(count=None, kind=None, **said):
    return schema({"id": TEXT}, count={**COUNT, **(count or {})}, kind=kind or KIND) | said


def changed(folder, **changes):
    if (folder / "catalog.toml").exists():
        (folder / "thing.made" / "v1.json").write_text(json.dumps(payload(**changes)))
    else:
        catalog(folder, {"v1": V1_LINES}, schemas={"v1": payload(**changes)})


def accept(folder, pointer="/properties/count", why="A typing error.", who="me"):
    return reword(folder, "thing.made", "v1", pointer, who=who, why=why, today=TODAY)


@pytest.fixture
def folder(tmp_path):
    changed(tmp_path)
    release(tmp_path, "3", today=TODAY)
    return tmp_path


def refused(folder, told, *arguments, **options):
    before = (folder / "catalog.lock").read_bytes()
    with pytest.raises(EditError, match=told):
        accept(folder, *arguments, **options)
    assert (folder / "catalog.lock").read_bytes() == before


def test_other_words_are_found_until_somebody_answers_for_them(folder):
    changed(folder, count={"description": "The number of things."})
    assert rules(each for each in check(folder).findings if each.severity == "error") == ["meaning-changed"]
    (accepted,) = accept(folder)
    assert (accepted.pointer, accepted.keyword) == ("/properties/count", "description")
    assert (accepted.who, accepted.when, accepted.why) == ("me", "2026-10-05", "A typing error.")
    assert read_lock(folder).rewordings == (accepted,)
    assert check(folder).ok


def test_what_was_accepted_is_not_accepted_for_other_words(folder):
    changed(folder, count={"description": "The number of things."})
    accept(folder)
    changed(folder, count={"description": "The number of things in percent."})
    assert not check(folder).ok
    accept(folder)
    assert check(folder).ok
    first, second = read_lock(folder).rewordings
    assert first.new == second.old
    changed(folder)
    assert check(folder).ok, "the words that were released are always right"


def test_the_next_release_freezes_the_new_words_and_keeps_who_accepted_them(folder):
    changed(folder, count={"description": "The number of things."})
    accept(folder)
    release(folder, "4", today=TODAY)
    assert len(read_lock(folder).rewordings) == 1
    assert check(folder).ok


def decided(folder, id_="DEC-0001"):
    tables = '[[allows]]\nevent = "thing.made"\nversion = "v1"\nmeanings = ["/properties/count"]\n'
    (folder / "decisions").mkdir(exist_ok=True)
    (folder / "decisions" / f"{id_}.md").write_text(decision({"id": f'"{id_}"'}, tables))


def test_old_words_do_not_come_back_after_the_meaning_has_changed(folder):
    changed(folder, count={"description": "The number of things."})
    accept(folder)
    release(folder, "4", today=TODAY)
    changed(folder, count={"description": "The number of boxes."})
    decided(folder)
    release(folder, "5", today=TODAY)
    assert check(folder).ok
    changed(folder, count={"description": "The number of things."})
    assert not check(folder).ok


def test_a_decision_is_spent_on_the_change_that_it_was_made_for(folder, tmp_path_factory):
    before = shutil.copytree(folder, tmp_path_factory.mktemp("before") / "schemas")
    decided(folder)
    changed(folder, count={"x-unit": "boxes"})
    assert check(folder).ok
    release(folder, "4", today=TODAY)
    assert check(folder, against=str(before)).ok
    changed(folder, count={"x-unit": "pallets"})
    assert not check(folder).ok
    assert not check(folder, against=str(before)).ok
    decided(folder, "DEC-0002")
    assert check(folder).ok


@pytest.mark.parametrize(
    ("changes", "pointer", "keywords"),
    [
        ({"count": {"title": "Number", "description": "x"}}, "/properties/count", ["description", "title"]),
        (
            {"kind": {**KIND, "x-enum-meanings": {"a": "1st.", "b": "Second."}}},
            "/properties/kind",
            ["x-enum-meanings/a"],
        ),
        ({"title": "A thing"}, "", ["title"]),
    ],
)
def test_all_words_at_a_place_are_accepted_together(folder, changes, pointer, keywords):
    changed(folder, **changes)
    assert [each.keyword for each in accept(folder, pointer)] == keywords
    assert check(folder).ok


def test_a_unit_is_no_matter_of_words(folder):
    changed(folder, count={"x-unit": "dozens"})
    refused(folder, "has changed its x-unit at /properties/count, which is more than a rewording")


def test_beside_one_the_words_are_accepted_and_the_unit_is_still_found(folder):
    changed(folder, count={"x-unit": "dozens", "description": "x"})
    assert [each.keyword for each in accept(folder)] == ["description"]
    assert not check(folder).ok


def test_words_that_are_taken_away_are_not_other_words(folder):
    bare = {name: value for name, value in COUNT.items() if name != "description"}
    changed_schema = payload()
    changed_schema["properties"]["count"] = bare
    catalog(folder, {"v1": V1_LINES}, schemas={"v1": changed_schema})
    refused(folder, "has changed its description")


def test_where_nothing_was_reworded_the_places_are_told(folder):
    refused(folder, "says the same at /properties/count as when it was released; nothing in it is reworded")
    changed(folder, count={"description": "x"})
    refused(folder, "says the same at /properties/id .* it is reworded at /properties/count", "/properties/id")
    accept(folder)
    refused(folder, "nothing in it is reworded")


@pytest.mark.parametrize("missing", [{"who": " "}, {"why": ""}])
def test_somebody_has_to_answer_for_it(folder, missing):
    changed(folder, count={"description": "x"})
    refused(folder, "needs to say who answers for it, and why", **missing)


def test_what_has_not_been_released_needs_no_acceptance(tmp_path):
    changed(tmp_path)
    with pytest.raises(EditError, match=r"thing\.made v1 has not been released"):
        accept(tmp_path)


def test_what_there_is_not_is_told(folder):
    with pytest.raises(EditError, match=r"has no thing\.lost v1; it has thing\.made"):
        reword(folder, "thing.lost", "v1", "", who="me", why="x", today=TODAY)
