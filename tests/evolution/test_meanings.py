import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobarium_events import Contract, Lifecycle
from jobarium_events.contract import KeyTemplate, Ordering
from jobarium_events.evolution.meanings import MEANINGS, MeaningChange, meaning_changes, publish, structure
from jobarium_events.validation import compile_schema
from tests.strategies import CONTRACTS, NAMES, examples, few
from tests.validation.schemas import cases

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


@pytest.mark.parametrize("few_values", [[True], [1], [1.5], [None]])
def test_a_value_that_is_no_text_is_known_by_its_json(few_values):
    def listing(*values):
        return fields(a={"enum": [*values], "x-enum-meanings": {json.dumps(each): f"Is {each}." for each in values}})

    assert changed(listing(*few_values), listing(*few_values, False)) == {}
    silent = fields(a={"enum": few_values})
    assert changed(silent, listing(*few_values)) == {f"/properties/a/x-enum-meanings/{json.dumps(few_values[0])}": "is"}


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


# ---- subschemas that only one of the two has

OTHER = {"description": "From 0 to 1."}
BRANCHES = {
    "/anyOf/0": lambda said: {"anyOf": [said]},
    "/oneOf/0": lambda said: {"oneOf": [said]},
    "/allOf/0": lambda said: {"allOf": [said]},
    "/anyOf/1": lambda said: {"anyOf": [{}, said]},
    "/oneOf/0/anyOf/0": lambda said: {"oneOf": [{"anyOf": [said]}]},
    "/if": lambda said: {"if": said},
    "/then": lambda said: {"if": True, "then": said},
    "/else": lambda said: {"if": False, "else": said},
    "/dependencies/id": lambda said: {"dependencies": {"id": said}},
}


@pytest.mark.parametrize("pointer", BRANCHES)
def test_a_branch_may_not_say_otherwise_what_a_field_means(pointer):
    score = {**SCORE, **BRANCHES[pointer](OTHER)}
    assert changed(fields(score=SCORE), fields(score=score)) == {f"/properties/score{pointer}/description": "is"}
    assert changed(fields(score=score), fields(score=SCORE)) == {f"/properties/score{pointer}/description": "was"}


def test_no_branch_of_the_whole_may_do_so_either():
    old = fields(id={}, score=SCORE)
    for pointer, branch in BRANCHES.items():
        assert changed(old, {**old, **branch(fields(score=OTHER))}) == {f"{pointer}/properties/score/description": "is"}


def test_a_condition_that_never_comes_true_by_what_it_holds_is_no_meaning():
    assert changed(fields(a=SCORE), fields(a={**SCORE, "not": {"type": "null", **OTHER}})) == {}


def test_a_branch_for_values_that_there_were_not_brings_its_meaning_along():
    number, null = {"type": "number"}, {"type": "null", "description": "Not scored."}
    old = {**number, "description": "A score."}
    assert changed(fields(a=old), fields(a={"description": "A score.", "anyOf": [number, null]})) == {}
    low, high = {"maximum": 1, **OTHER}, {"exclusiveMinimum": 1}
    assert changed(fields(a=old), fields(a={**old, "anyOf": [low, high]})) == {
        "/properties/a/anyOf/0/description": "is"
    }


def test_what_is_said_of_a_new_kind_of_event_is_not_said_of_those_that_there_were():
    def event(*kinds, **more):
        return {**fields(kind={"x-extensible-enum": [*kinds]}, score=SCORE), "required": ["kind"], **more}

    paid = {"if": {"properties": {"kind": {"const": "paid"}}}, "then": fields(score=OTHER)}
    assert changed(event("free"), event("free", "paid", **paid)) == {}
    assert changed(event("free", "paid"), event("free", "paid", **paid)) == {"/then/properties/score/description": "is"}


def test_what_is_said_where_a_new_field_is_filled_is_not_said_of_events_without_it():
    old, refund = fields(score=SCORE), {"refund": {"description": "Money went back."}}
    new = {**fields(score=SCORE, refund=True), "dependencies": refund}
    assert changed(old, new) == {}
    assert changed({**old, "properties": {**old["properties"], "refund": True}}, new) == {
        "/dependencies/refund/description": "is"
    }


def test_a_value_of_an_enum_may_not_get_another_meaning_in_a_branch():
    branch = {"x-enum-meanings": {"open": "Never mind.", "lost": "Nobody knows."}}
    assert changed(fields(a=STATUS), fields(a={**STATUS, "anyOf": [branch]})) == {
        "/properties/a/anyOf/0/x-enum-meanings/open": "is"
    }


def test_a_field_of_one_branch_may_not_be_described_otherwise_for_all():
    branch = {"anyOf": [fields(score=SCORE)]}
    assert changed(branch, {**fields(score=OTHER), **branch}) == {"/properties/score/description": "is"}


def test_where_nothing_can_be_proven_a_branch_counts():
    old = {**fields(a={"$ref": "#text"}), "definitions": {"text": {"$id": "#text", "type": "string"}}}
    deep = {}
    for _ in range(61):
        deep = {"items": deep}
    later = {"$schema": "https://json-schema.org/draft/2020-12/schema", "unevaluatedProperties": False}
    null = {"type": "null", **OTHER}
    for each in (old, fields(a=deep), {**fields(), **later}):
        assert changed(each, {**each, "anyOf": [{"type": "object"}, null]}) == {"/anyOf/1/description": "is"}


def test_an_alternative_may_hold_fields_that_are_described_around_it():
    def event(**more):
        kinds = [{**fields(kind={"const": kind}), "required": ["kind"]} for kind in ("a", "b")]
        return {**fields(id=True), "oneOf": [{**kinds[0], **more}, kinds[1]]}

    assert changed(event(), event(anyOf=[{"required": ["id"], **OTHER}, {}])) == {"/oneOf/0/anyOf/0/description": "is"}


# A field without an `id` is never met by what is said of those that have one.
@given(st.sampled_from(CONTRACTS), st.sampled_from(sorted(BRANCHES.keys() - {"/dependencies/id"})), st.data())
@few
def test_a_meaning_can_be_added_to_no_published_field_unseen(each, pointer, data):
    schema = each.schema
    name = data.draw(st.sampled_from(sorted(schema["properties"])))
    published = schema["properties"][name]
    field = {**published, **BRANCHES[pointer]({"description": "Anything else."})}
    new = {**schema, "properties": {**schema["properties"], name: field}}
    assert changed(schema, new) == {f"/properties/{name}{pointer}/description": "is"}


@given(st.sampled_from(CONTRACTS), st.sampled_from(sorted(BRANCHES)))
@few
def test_what_a_contract_says_anyway_may_be_said_again(each, pointer):
    again = {keyword: value for keyword, value in each.schema.items() if not keyword.startswith("$")}
    assert changed(each.schema, {**each.schema, **BRANCHES[pointer](again)}) == {}


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
