"""What a field or a value once was is not free for another meaning, as long as its version is on the wire."""

import json
from itertools import pairwise

import pytest

from jobarium_events.evolution.checking import check
from jobarium_events.evolution.lock import read_lock
from jobarium_events.evolution.meanings import publish
from jobarium_events.evolution.refusals import Refused
from jobarium_events.evolution.releasing import release
from jobarium_events.evolution.removed import Removals, removals, returned
from jobarium_events.evolution.rewording import reword
from tests.evolution.logs import TODAY, V1_LINES, catalog, rules
from tests.evolution.test_meanings import contract
from tests.folders import TEXT, WHOLE, schema

NOTE = {**TEXT, "description": "A note.", "deprecated": True}
PLACE = "/properties/note"
KEY = ("thing.made", "v1")
SAID = {"web": "In a browser.", "phone": "By telephone."}


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


def returned_fields(folder):
    return [(each.rule, each.pointer) for each in check(folder).findings if each.rule == "field-returned"]


def test_the_lock_keeps_what_a_removed_field_was(folder):
    (kept,) = read_lock(folder).removed.values()
    assert {pointer: each.since for pointer, each in kept.fields.items()} == {"/note": "6"}
    release(folder, "7", today=TODAY)
    assert read_lock(folder).removed[KEY] == kept


@pytest.mark.parametrize(
    "note", [WHOLE, {**TEXT, "description": "Another thing."}, {**TEXT, "x-unit": "points"}, {**NOTE, "maxLength": 3}]
)
def test_it_does_not_come_back_as_something_else(folder, note):
    rewritten(folder, schema({"id": TEXT}, note=note))
    assert returned_fields(folder) == [("field-returned", PLACE)]
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
    assert read_lock(folder).removed[KEY].fields.keys() == {"/note"}


def test_one_that_comes_back_behind_a_reference_is_found(folder):
    behind = schema({"id": TEXT}, note={"$ref": "#/definitions/note"})
    rewritten(folder, {**behind, "definitions": {"note": WHOLE}})
    assert returned_fields(folder) == [("field-returned", PLACE)]


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


def listing(*values, said=SAID, keyword="x-extensible-enum"):
    meanings = {name: text for name, text in said.items() if name in values}
    return {keyword: list(values), **({"x-enum-meanings": meanings} if meanings else {})}


@pytest.fixture
def narrowed(tmp_path):
    """A folder whose contract listed two values in its third release, and one in its fourth."""
    folder = catalog(tmp_path, {"v1": V1_LINES}, schemas={"v1": schema({"id": TEXT}, channel=listing("web", "phone"))})
    release(folder, "3", today=TODAY)
    rewritten(folder, schema({"id": TEXT}, channel=listing("web")))
    release(folder, "4", today=TODAY)
    return folder


def test_the_lock_keeps_what_a_removed_value_was(narrowed):
    kept = read_lock(narrowed).removed[KEY]
    assert {path: {text: each.since for text, each in values.items()} for path, values in kept.values.items()} == {
        "/channel": {'"phone"': "4"}
    }
    assert kept.fields == {}
    release(narrowed, "5", today=TODAY)
    assert read_lock(narrowed).removed[KEY] == kept


@pytest.mark.parametrize("text", ["By a mobile application.", None], ids=["another meaning", "none"])
def test_a_value_does_not_come_back_as_something_else(narrowed, text):
    said = {name: each for name, each in {**SAID, "phone": text}.items() if each}
    rewritten(narrowed, schema({"id": TEXT}, channel=listing("web", "phone", said=said)))
    (finding,) = (each for each in check(narrowed).findings if each.severity == "error")
    assert (finding.rule, finding.pointer, finding.file) == (
        "value-returned",
        "/properties/channel",
        "thing.made/v1.json",
    )
    assert finding.text.startswith('channel lists "phone" again, which was removed in 4, and does not say of it')
    with pytest.raises(Refused) as caught:
        release(narrowed, "5", today=TODAY)
    assert rules(caught.value.findings) == ["value-returned"]


def test_a_value_may_come_back_as_it_was(narrowed):
    rewritten(narrowed, schema({"id": TEXT}, channel=listing("web", "phone")))
    assert check(narrowed).ok
    release(narrowed, "5", today=TODAY)
    assert read_lock(narrowed).removed == {}


def test_another_value_may_be_listed(narrowed):
    rewritten(narrowed, schema({"id": TEXT}, channel=listing("web", "post", said={**SAID, "post": "By telephone."})))
    assert check(narrowed).ok


def test_a_closed_list_that_was_opened_and_closed_again_is_a_list(tmp_path):
    closed = listing("web", "phone", keyword="enum")
    folder = catalog(tmp_path, {"v1": V1_LINES}, schemas={"v1": schema({"id": TEXT}, channel=closed)})
    release(folder, "3", today=TODAY)
    rewritten(folder, schema({"id": TEXT}, channel=listing("web")))
    release(folder, "4", today=TODAY)
    rewritten(folder, schema({"id": TEXT}, channel=closed))
    assert check(folder).ok
    other = listing("web", "phone", said={**SAID, "phone": "By a mobile application."}, keyword="enum")
    rewritten(folder, schema({"id": TEXT}, channel=other))
    assert [each.rule for each in check(folder).findings if each.severity == "error"] == ["value-returned"]


def steps(*schemas):
    """What is lost by the last but one of some schemas, and the fields that the last one brings back otherwise."""
    published = [publish(contract(each)) for each in schemas]
    lost = Removals()
    for number, (old, new) in enumerate(pairwise(published[:-1]), 2):
        lost = removals(old, new, lost, str(number))
    return lost, [(each.rule, each.pointer) for each in returned(published[-1], lost)]


@pytest.mark.parametrize(
    ("around", "path", "pointer"),
    [
        (lambda at: {"properties": {"a": at}}, "/a", "/properties/a"),
        (lambda at: {"properties": {"a": {"properties": {"b": at}}}}, "/a/b", "/properties/a/properties/b"),
        (
            lambda at: {"properties": {"a": {"items": {"properties": {"b": at}}}}},
            "/a/items/b",
            "/properties/a/items/properties/b",
        ),
        (lambda at: {"properties": {"a": {"items": at}}}, "/a", "/properties/a"),
        (lambda at: {"properties": {"a": {"additionalProperties": at}}}, "/a", "/properties/a"),
        (lambda at: {"properties": {"a": {"anyOf": [{"type": "null"}, at]}}}, "/a", "/properties/a"),
        (lambda at: {"properties": {"a": {"allOf": [TEXT, at]}}}, "/a", "/properties/a"),
        (
            lambda at: {"properties": {"a": {"$ref": "#/definitions/b"}}, "definitions": {"b": at}},
            "/a",
            "/properties/a",
        ),
        (lambda at: {"oneOf": [{"properties": {"a": at}}, {"properties": {"b": TEXT}}]}, "/a", "/oneOf/0/properties/a"),
        (lambda at: {"additionalProperties": at}, "", ""),
    ],
    ids="field nested items-field items map branch part reference alternative payload".split(),
)
@pytest.mark.parametrize("keyword", ["enum", "x-extensible-enum"])
def test_a_value_is_known_by_the_field_that_lists_it(around, path, pointer, keyword):
    both, one, other = (
        around(listing(*values, said=said, keyword=keyword))
        for values, said in ((SAID, SAID), (["web"], SAID), (SAID, {**SAID, "phone": "Another."}))
    )
    lost, found = steps(both, one, other)
    assert {path: list(values) for path, values in lost.values.items()} == {path: ['"phone"']}
    assert found == [("value-returned", pointer)]
    assert steps(both, one, both)[1] == []


def test_a_list_in_a_branch_has_the_meanings_that_are_stated_around_it():
    def nullable(*values, **said):
        return {"properties": {"a": {"anyOf": [{"enum": values}, {"type": "null"}], "x-enum-meanings": said}}}

    gone = nullable("web", web="In a browser.")
    assert steps(nullable("web", "phone", **SAID), gone, nullable("web", "phone", **SAID))[1] == []
    other = nullable("web", "phone", web="In a browser.", phone="Another.")
    assert steps(nullable("web", "phone", **SAID), gone, other)[1] == [("value-returned", "/properties/a")]


@pytest.mark.parametrize("value", ["a/b", "", 1, 1.5, True, None])
def test_a_value_of_any_type_has_its_meaning(value):
    def of(*values, said):
        name = value if isinstance(value, str) else json.dumps(value)
        return {"properties": {"a": {"enum": ["x", *values], "x-enum-meanings": {name: said}}}}

    lost, found = steps(of(value, said="One."), of(said="One."), of(value, said="Another."))
    assert list(lost.values["/a"]) == [json.dumps(value)]
    assert found == [("value-returned", "/properties/a")]


def test_a_text_is_not_the_number_that_it_looks_like():
    one, other = ({"properties": {"a": {"enum": [value], "x-enum-meanings": {"1": "One."}}}} for value in ("1", 1))
    lost, found = steps(one, other, other)
    assert list(lost.values["/a"]) == ['"1"']
    assert found == []


def test_a_value_of_which_nothing_was_said_comes_back_without_a_meaning():
    both, one, said = (
        schema({}, channel=listing(*values, said=said)) for values, said in ((SAID, {}), (["web"], {}), (SAID, SAID))
    )
    assert steps(both, one, both)[1] == []
    assert steps(both, one, said)[1] == [("value-returned", "/properties/channel")]


def test_it_is_given_a_meaning_in_a_later_release(tmp_path):
    both, one, said = (
        schema({"id": TEXT}, channel=listing(*values, said=texts))
        for values, texts in ((SAID, {}), (["web"], {}), (SAID, {"phone": "By telephone."}))
    )
    folder = catalog(tmp_path, {"v1": V1_LINES}, schemas={"v1": both})
    release(folder, "3", today=TODAY)
    for name, document in (("4", one), ("5", both)):
        rewritten(folder, document)
        release(folder, name, today=TODAY)
    rewritten(folder, said)
    assert [each.rule for each in check(folder).findings] == ["meaning-changed"]
    reword(folder, *KEY, "/properties/channel", who="me", why="It was never said.", today=TODAY)
    assert check(folder).ok


def test_it_is_remembered_while_its_field_is_gone():
    both, one, other = (schema({}, channel=listing(*values)) for values in (SAID, ["web"], ["web", "post"]))
    lost, _ = steps(both, one, schema({}), schema({}), schema({}))
    assert lost.values.keys() == lost.fields.keys() == {"/channel"}
    assert {text: each.since for text, each in lost.values["/channel"].items()} == {'"phone"': "2"}
    assert lost.fields["/channel"].since == "3"
    assert steps(both, one, schema({}), other)[1] == [("field-returned", "/properties/channel")]


def test_what_a_field_listed_that_is_gone_is_part_of_what_it_was():
    lost, _ = steps(schema({}, channel=listing(*SAID)), schema({}), schema({}))
    assert lost.fields.keys() == {"/channel"}
    assert lost.values == {}


@pytest.mark.parametrize("keyword", ["not", "if", "contains", "propertyNames"])
def test_what_only_tests_a_value_lists_none(keyword):
    both, one = (schema({}, channel={keyword: listing(*values)}) for values in (SAID, ["web"]))
    assert steps(both, one, both)[0] == Removals()


def test_a_list_in_a_recursive_schema_is_found_once():
    def tree(*values):
        node = {"anyOf": [listing(*values), {"type": "array", "items": {"$ref": "#/definitions/node"}}]}
        return {**schema({}, root={"$ref": "#/definitions/node"}), "definitions": {"node": node}}

    lost, _ = steps(tree(*SAID), tree("web"), tree("web"))
    assert {path: list(values) for path, values in lost.values.items()} == {"/root": ['"phone"']}
