import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from jobarium_events.evolution.containment import is_subset
from jobarium_events.evolution.containment.atoms import Literal
from jobarium_events.evolution.containment.evaluating import unevaluated
from jobarium_events.evolution.containment.nodes import Nodes
from jobarium_events.evolution.verdicts import Verdict
from jobarium_events.validation import compile_schema
from tests.evolution.containment.meaning import NotSaid, holds
from tests.evolution.containment.pairs import DIALECTS, DOCUMENTS, DRAFT_2019_09, DRAFT_2020_12, Pairs
from tests.strategies import examples

IDENTIFIED = {"required": ["id"], "properties": {"id": True}}
TAGGED = [{"properties": {f"f{i}": True}, "required": [f"f{i}"]} for i in range(40)]
PERSON = {"properties": {"name": {"type": "string"}}, "required": ["name"]}
CLOSED = {"$schema": DRAFT_2020_12, "type": "object", "unevaluatedProperties": False}


def closed(*parts, **more):
    return {**CLOSED, "allOf": [True, *parts], **more}


@pytest.mark.parametrize("dialect", ["2019-09", "2020-12"])
@examples(20)
@given(st.randoms(use_true_random=False))
def test_it_is_said_of_exactly_the_documents_that_the_validators_accept(dialect, chance):
    making = Pairs(chance, DIALECTS[dialect])
    keyword = making.one_of("unevaluatedProperties", "unevaluatedItems")
    schema = {**making.root(), keyword: making.schema(0), **making.composed(2), **making.conditional(1)}
    schema = making.finished(schema)
    validator = compile_schema(schema)
    literal = Literal(Nodes(formats=True).root(schema), holds=True)
    try:
        wrong = [value for value in DOCUMENTS if holds(literal, value) is not validator.is_valid(value)]
    except NotSaid:
        assume(False)
    assert wrong == []


@pytest.mark.parametrize(
    ("a", "b", "verdict"),
    [
        (closed(PERSON), closed(PERSON, {"properties": {"age": True}}), Verdict.CONTAINED),
        (closed(PERSON, {"properties": {"age": True}}), closed(PERSON), Verdict.NOT_CONTAINED),
        (closed(PERSON), {**PERSON, "additionalProperties": False}, Verdict.CONTAINED),
        (closed({"$ref": "#/$defs/p"}, **{"$defs": {"p": PERSON}}), closed(PERSON), Verdict.CONTAINED),
        (closed({"$ref": "#/$defs/p"}, **{"$defs": {"p": PERSON}}), closed({"properties": {"age": True}}),
         Verdict.NOT_CONTAINED),
        (closed(anyOf=[PERSON, IDENTIFIED]), {"maxProperties": 2}, Verdict.CONTAINED),
        (closed(anyOf=[PERSON, IDENTIFIED]), {"maxProperties": 1},
         Verdict.NOT_CONTAINED),
        (closed(oneOf=TAGGED), {"maxProperties": 1}, Verdict.CONTAINED),
        ({"$schema": DRAFT_2020_12, "type": "array", "prefixItems": [True], "unevaluatedItems": False}, {"maxItems": 1},
         Verdict.CONTAINED),
        ({"$schema": DRAFT_2019_09, "type": "array", "allOf": [{"items": [True, True]}], "unevaluatedItems": False},
         {"maxItems": 1}, Verdict.NOT_CONTAINED),
    ],
)  # fmt: skip
def test_what_a_composition_leaves_is_known(a, b, verdict):
    assert is_subset(a, b).verdict is verdict


@pytest.mark.parametrize(
    ("schema", "keyword"),
    [
        ({"unevaluatedItems": False, "contains": True}, "unevaluatedItems"),
        ({"$schema": DRAFT_2019_09, "unevaluatedItems": False, "allOf": [{"contains": True}]}, "unevaluatedItems"),
        ({"unevaluatedProperties": False, "anyOf": [{"properties": {f"f{i}": True}} for i in range(9)]},
         "unevaluatedProperties"),
        ({"unevaluatedProperties": False, "$dynamicRef": "#n", "$dynamicAnchor": "n", "$id": "http://x.test/a",
          "$defs": {"a": {"$id": "http://x.test/b", "$dynamicAnchor": "n"}}}, "unevaluatedProperties"),
    ],
)  # fmt: skip
def test_where_it_cannot_be_told_it_is_left_open(schema, keyword):
    assert unevaluated(Nodes(formats=True).root({"$schema": DRAFT_2020_12, **schema}), keyword) is None


def test_items_that_contains_looks_at_are_left_to_the_validators_in_both_dialects():
    for dialect in (DRAFT_2019_09, DRAFT_2020_12):
        schema = {"$schema": dialect, "type": "array", "contains": {"type": "string"}, "unevaluatedItems": False}
        answer = is_subset(schema, False)
        assert answer.witness == [""]
        assert compile_schema(schema).is_valid(answer.witness)
