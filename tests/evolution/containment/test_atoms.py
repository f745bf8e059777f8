import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobarium_events.evolution.containment.atoms import ALWAYS, NEVER, Literal, denied, opposite
from jobarium_events.evolution.containment.formulas import formula, type_of
from jobarium_events.evolution.containment.nodes import Nodes
from tests.evolution.containment.meaning import holds
from tests.evolution.containment.pairs import DIALECTS, DOCUMENTS, pairs
from tests.strategies import examples

SAID = {  # what schemas say in atoms of every kind
    "number": [{"minimum": 1}, {"exclusiveMaximum": 1.5}, {"multipleOf": 2}, {"enum": [1, 2, "a"]}],
    "boolean": [{"const": True}],
    "string": [{"minLength": 1}, {"maxLength": 1}, {"pattern": "^a"}, {"format": "date"}, {"const": "ab"}],
    "array": [
        {"items": {"type": "integer"}},
        {"items": [True, {"type": "string"}], "additionalItems": {"const": "a"}},
        {"contains": {"const": 1}},
        {"$schema": DIALECTS["2019-09"], "contains": {"const": 1}, "minContains": 2, "maxContains": 2},
        {"uniqueItems": True},
        {"maxItems": 1},
    ],
    "object": [
        {"properties": {"a": {"const": 1}}, "patternProperties": {"^b": False}, "additionalProperties": {"const": 0}},
        {"propertyNames": {"maxLength": 1}},
        {"required": ["a"], "minProperties": 2},
    ],
}


@pytest.mark.parametrize(("kind", "schema"), [(kind, schema) for kind, each in SAID.items() for schema in each])
def test_a_denied_formula_holds_exactly_where_the_formula_does_not(kind, schema):
    said = formula(Literal(Nodes(formats=True).root(schema), holds=True), kind)
    values = [value for value in DOCUMENTS if type_of(value) == kind]
    verdicts = [holds(said, value) for value in values]
    assert True in verdicts
    assert False in verdicts
    assert [not verdict for verdict in verdicts] == [holds(denied(said), value) for value in values]
    assert verdicts == [holds(denied(denied(said)), value) for value in values]


@examples(100)
@given(pairs(DIALECTS["draft-07"]), st.sampled_from(DOCUMENTS))
def test_whatever_is_said_of_a_value_can_be_denied(schemas, value):
    nodes = Nodes(formats=True)
    one, other = (formula(Literal(nodes.root(schema), holds=True), type_of(value)) for schema in schemas)
    assert holds(denied(one), value) is not holds(one, value)
    assert holds(denied(denied(other)), value) is holds(other, value)


def test_always_and_never_deny_each_other():
    assert denied(ALWAYS) == NEVER
    assert denied(NEVER) == ALWAYS
    assert [holds(ALWAYS, value) for value in (0, "", None)] == [True] * 3
    assert [holds(NEVER, value) for value in (0, "", None)] == [False] * 3


def test_a_literal_and_its_opposite():
    literal = Literal(Nodes(formats=True).root({"type": "string"}), holds=True)
    assert opposite(literal) == Literal(literal.node, holds=False) == denied(literal)
    assert opposite(opposite(literal)) == literal
