import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobarium_events import Contract, Lifecycle
from jobarium_events.contract import KeyTemplate, Ordering
from jobarium_events.evolution.meanings import MEANINGS, MeaningChange, meaning_changes, publish, structure
from jobarium_events.validation import compile_schema
from tests.strategies import CONTRACTS, NAMES, few
from tests.validation.schemas import cases, examples

SCORE = {"type": "number", "description": "From 0 to 100.", "x-unit": "points", "default": 0}
STATUS = {"type": "string", "enum": ["open", "shut"], "x-enum-meanings": {"open": "Taken on.", "shut": "Over."}}


def contract(schema, *, key="k:{id}", ordering=None):
    return Contract(
        event="thing.made",
        version="v1",
        schema_json=json.dumps(schema).encode(),
        owner="maker",
        consumers=(),
        key=KeyTemplate(key),
        ordering=ordering,
        lifecycle=Lifecycle.ACTIVE,
    )


def fields(**properties):
    return {"type": "object", "properties": properties}


def changed(old, new):
    found = meaning_changes(publish(contract(old)), publish(contract(new)))
    return {change.place: ("was" if change.old else "") + ("is" if change.new else "") for change in found}


@pytest.mark.parametrize("each", CONTRACTS, ids=NAMES)
def test_a_contract_has_the_meanings_that_it_had(each):
    assert meaning_changes(publish(each), publish(each)) == ()
    assert publish(each).meanings[""].keys() == {"title", "description"}


@pytest.mark.parametrize("keyword", [*(each for each in MEANINGS if each != "x-enum-meanings")])
def test_every_keyword_counts_when_it_changes_appears_or_vanishes(keyword):
    said, other, unsaid = ({"type": "string", **more} for more in ({keyword: "a"}, {keyword: "b"}, {}))
    assert changed(fields(a=said), fields(a=other)) == {f"/properties/a/{keyword}": "wasis"}
    assert changed(fields(a=unsaid), fields(a=said)) == {f"/properties/a/{keyword}": "is"}
    assert changed(fields(a=said), fields(a=unsaid)) == {f"/properties/a/{keyword}": "was"}


def test_the_payloads_own_meaning_counts():
    assert changed({**fields(), "title": "A"}, {**fields(), "title": "B"}) == {"/title": "wasis"}


def test_a_field_repurposed_by_its_description_alone_is_seen():
    assert changed(fields(score=SCORE), fields(score={**SCORE, "description": "From 0 to 1."})) == {
        "/properties/score/description": "wasis"
    }


def test_meanings_of_a_field_that_came_or_went_are_no_change():
    assert changed(fields(), fields(score=SCORE)) == {}
    assert changed(fields(score=SCORE), fields()) == {}


def test_values_of_an_enum_have_a_meaning_each():
    other = {**STATUS, "x-enum-meanings": {**STATUS["x-enum-meanings"], "shut": "Never mind."}}
    assert changed(fields(a=STATUS), fields(a=other)) == {"/properties/a/x-enum-meanings/shut": "wasis"}
    assert changed(fields(a=STATUS), fields(a={**STATUS, "x-enum-meanings": {"open": "Taken on."}})) == {
        "/properties/a/x-enum-meanings/shut": "was"
    }
    assert changed(fields(a={**STATUS, "x-enum-meanings": {}}), fields(a=STATUS)) == {
        "/properties/a/x-enum-meanings/open": "is",
        "/properties/a/x-enum-meanings/shut": "is",
    }


@pytest.mark.parametrize("keyword", ["enum", "x-extensible-enum"])
def test_the_meaning_of_a_value_comes_and_goes_with_the_value(keyword):
    few_values = {keyword: ["open"], "x-enum-meanings": {"open": "Taken on."}}
    many_values = {keyword: ["open", "shut"], "x-enum-meanings": STATUS["x-enum-meanings"]}
    assert changed(fields(a=few_values), fields(a=many_values)) == {}
    assert changed(fields(a=many_values), fields(a=few_values)) == {}


def test_a_meaning_may_move_to_where_a_reference_points():
    inner = fields(amount=SCORE)
    old = fields(price={**inner, "description": "What it costs."})
    new = {
        **fields(price={"$ref": "#/definitions/Money"}),
        "definitions": {"Money": {**inner, "description": "What it costs."}},
    }
    assert changed(old, new) == {}
    new["definitions"]["Money"] = {**fields(amount={**SCORE, "x-unit": "cents"}), "description": "What it costs."}
    assert changed(old, new) == {"/definitions/Money/properties/amount/x-unit": "wasis"}


def test_a_meaning_may_move_into_a_part_of_the_same_object():
    old = {**fields(a=SCORE, b=STATUS), "required": ["a"]}
    assert changed(old, {"type": "object", "allOf": [fields(a=SCORE), fields(b=STATUS)]}) == {}


def test_a_definition_changes_once_however_often_it_is_referred_to():
    def shared(text):
        each = {"$ref": "#/definitions/a~1b%20c"}
        return {**fields(a=each, b=each), "definitions": {"a/b c": {"description": text}, "unused": {"title": text}}}

    assert changed(shared("A."), shared("B.")) == {"/definitions/a~1b c/description": "wasis"}


def test_a_reference_may_not_be_turned_to_another_meaning():
    def of(name):
        shelf = {"A": {"description": "In metres."}, "B": {"description": "In feet."}}
        return {**fields(a={"$ref": f"#/definitions/{name}"}), "definitions": shelf}

    assert changed(of("A"), of("B")) == {"/definitions/B/description": "wasis"}


def test_recursive_schemas_have_meanings():
    def tree(text):
        return {
            **fields(root={"$ref": "#/definitions/node"}),
            "definitions": {
                "node": fields(value={"description": text}, nodes={"items": {"$ref": "#/definitions/node"}})
            },
        }

    assert changed(tree("A."), tree("B.")) == {"/definitions/node/properties/value/description": "wasis"}


def test_a_branch_that_was_added_changes_no_other_ones_meaning():
    one, other, third = ({"type": kind, "description": kind} for kind in ("string", "null", "integer"))
    assert changed(fields(a={"anyOf": [one, other]}), fields(a={"anyOf": [third, one, other]})) == {}


def test_the_structure_has_no_texts_and_its_digest_covers_key_and_ordering():
    schema = {**fields(score=SCORE, status=STATUS), "$schema": "http://json-schema.org/draft-07/schema#", "title": "A"}
    bare = fields(score={"type": "number"}, status={"type": "string", "enum": ["open", "shut"]})
    assert structure(schema) == {**bare, "$schema": "http://json-schema.org/draft-07/schema#"}
    ordering = Ordering("id", "version")
    digests = {
        publish(contract(schema)).structure,
        publish(contract(schema, key="k:{a}")).structure,
        publish(contract(schema, ordering=ordering)).structure,
        publish(contract(fields())).structure,
    }
    assert len(digests) == 4
    assert publish(contract(schema, ordering=ordering)).structure == (
        publish(contract(schema, ordering=Ordering("id", "version"))).structure
    )


@given(cases())
@examples(100)
def test_the_structure_accepts_what_the_schema_accepts(case):
    schema, documents = case
    whole, bare = compile_schema(schema), compile_schema(structure(schema))
    assert [whole.is_valid(each) for each in documents] == [bare.is_valid(each) for each in documents]


@given(st.sampled_from(CONTRACTS), st.randoms())
@few
def test_the_order_of_keys_is_nothing(each, random):
    def shuffled(value):
        if not isinstance(value, dict):
            return value
        keys = list(value)
        random.shuffle(keys)
        return {key: shuffled(value[key]) for key in keys}

    other = publish(contract(shuffled(each.schema), key=each.key.text, ordering=each.ordering))
    assert (other.structure, other.meanings) == (publish(each).structure, publish(each).meanings)


def test_a_change_names_its_place():
    assert MeaningChange("/properties/a", "title", None, "x").place == "/properties/a/title"
