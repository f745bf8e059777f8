from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobarium_events.evolution.containment.atoms import ALWAYS, NEVER, AnyOf, Literal, Multiple, Opaque
from jobarium_events.evolution.containment.formulas import TYPES, formula, fraction, type_of
from jobarium_events.evolution.containment.nodes import Nodes
from jobarium_events.validation import compile_schema
from tests.evolution.containment.meaning import holds
from tests.evolution.containment.pairs import DIALECTS, DOCUMENTS, Pairs
from tests.strategies import examples


def said(schema, kind, *, sign=True):
    return formula(Literal(Nodes(formats=True).root(schema), holds=sign), kind)


@pytest.mark.parametrize("dialect", DIALECTS)
@examples(25)
@given(st.randoms(use_true_random=False))
def test_a_formula_holds_of_exactly_the_documents_that_the_validators_accept(dialect, chance):
    making = Pairs(chance, DIALECTS[dialect])
    making.keywords = [each for each in making.keywords if each not in (making.any_items, making.any_members)]
    schema = making.root()
    validator = compile_schema(schema)
    literal = Literal(Nodes(formats=True).root(schema), holds=True)
    assert [value for value in DOCUMENTS if holds(literal, value) is not validator.is_valid(value)] == []


def test_the_types():
    values = (None, True, False, 0, 1, 0.5, "", [], {})
    types = "null boolean boolean number number number string array object".split()
    assert list(map(type_of, values)) == types
    assert {type_of(value) for value in DOCUMENTS} == set(TYPES)


@pytest.mark.parametrize(("type_", "number"), [("integer", Multiple(Fraction(1), holds=True)), ("number", ALWAYS)])
def test_an_integer_is_a_number_of_a_kind(type_, number):
    assert said({"type": type_}, "number") == number
    assert said({"type": type_}, "string") == NEVER
    assert said({"type": ["string", type_]}, "string") == ALWAYS


@given(st.decimals(-1000, 1000, places=4))
def test_a_number_is_exactly_what_is_written(number):
    assert fraction(float(number)) == Fraction(number)
    assert fraction(0.1) == Fraction(1, 10) != Fraction(0.1)
    assert fraction(10**40) == 10**40 == fraction(1e40) == Fraction(Decimal("1e40"))


def test_what_stands_beside_a_reference_counts_but_in_draft_7():
    schema = {"$ref": "#/definitions/a", "maximum": 0, "definitions": {"a": {"minimum": 1}}}
    assert holds(said(schema, "number"), 2)
    assert not holds(said({"$schema": DIALECTS["2019-09"], **schema}, "number"), 2)


@pytest.mark.parametrize(
    ("dialect", "schema", "value", "valid"),
    [
        ("draft-07", {"prefixItems": [False]}, [1], True),
        ("draft-07", {"dependentRequired": {"a": ["b"]}}, {"a": 1}, True),
        ("draft-07", {"dependencies": {"a": ["b"]}}, {"a": 1}, False),
        ("2019-09", {"dependencies": {"a": ["b"]}}, {"a": 1}, True),
        ("2020-12", {"dependencies": {"a": False}}, {"a": 1}, True),
        ("draft-07", {"contains": {"const": 1}, "minContains": 2}, [1], True),
        ("2019-09", {"prefixItems": [False]}, [1], True),
        ("2019-09", {"items": [True], "additionalItems": False}, [1, 1], False),
        ("2020-12", {"additionalItems": False, "prefixItems": [True]}, [1, 1], True),
        ("2020-12", {"items": False, "prefixItems": [True]}, [1], True),
        ("2020-12", {"contains": {"const": 1}, "minContains": 0, "maxContains": 1}, [1, 1], False),
        ("2020-12", {"minContains": 2, "maxContains": 0}, [], True),
    ],
)
def test_each_dialect_has_keywords_of_its_own(dialect, schema, value, valid):
    schema = {"$schema": DIALECTS[dialect], **schema}
    assert holds(said(schema, type_of(value)), value) is valid is compile_schema(schema).is_valid(value)


def test_a_denied_schema_is_known_by_what_it_denies():
    schema = {"minimum": 1, "maximum": 2}
    negative = said(schema, "number", sign=False)
    assert isinstance(negative, AnyOf)
    assert negative.denies is not None
    assert negative.denies.node.schema == schema
    assert said({"minimum": 1}, "number", sign=False) == formula(
        Literal(Nodes(formats=True).root({"exclusiveMaximum": 1}), holds=True), "number"
    )


def test_what_a_keyword_says_that_is_not_looked_into_is_left_open():
    schema = {"$schema": DIALECTS["2020-12"], "unevaluatedItems": False, "contains": {"const": 1}}
    assert [part.keyword for part in said(schema, "array").parts if isinstance(part, Opaque)] == ["unevaluatedItems"]
    assert said(schema, "string") == ALWAYS
