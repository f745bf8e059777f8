import sys
import time

import pytest
from hypothesis import given

from jobarium_events.evolution.containment.atoms import Literal
from jobarium_events.evolution.containment.found import Found
from jobarium_events.evolution.containment.nodes import Nodes
from jobarium_events.evolution.containment.solver import Exhausted, Solver
from jobarium_events.validation import compile_schema
from tests.evolution.containment.meaning import solved, solver
from tests.evolution.containment.pairs import DIALECTS, DOCUMENTS, pairs
from tests.strategies import examples


def goal(search, schema, *, holds=True):
    return frozenset([Literal(search.nodes.root(schema), holds=holds)])


@examples(40)
@given(pairs(DIALECTS["draft-07"]))
def test_nothing_is_found_exactly_where_nothing_is(schemas):
    for schema in schemas:
        found = solved(schema)
        validator = compile_schema(schema)
        valid = [document for document in DOCUMENTS if validator.is_valid(document)]
        assert all(validator.is_valid(document) for document in found.values)
        assert not (found.nothing and valid)
        assert found.values or found.complete


@pytest.mark.parametrize(
    ("schema", "count", "values"),
    [
        (True, 3, [None, False, True]),
        (False, 1, []),
        ({"type": ["null", "boolean"]}, 5, [None, False, True]),
        ({"const": 1}, 2, [1]),
        ({"enum": [[1], {"a": 1}, "b", 2]}, 9, [2, "b", [1], {"a": 1}]),
        ({"type": "boolean", "not": {"const": False}}, 2, [True]),
    ],
)
def test_values_of_every_type_are_found_in_the_order_of_the_types(schema, count, values):
    found = solved(schema, count=count)
    assert found == Found(tuple(values), complete=len(values) < count)


TREE = {"type": "object", "required": ["v"], "properties": {"v": {"type": "integer"}, "next": {"$ref": "#"}}}
ENDLESS = {"type": "object", "required": ["next"], "properties": {"next": {"$ref": "#"}}}
TWO = {
    "$ref": "#/definitions/a",
    "definitions": {
        "a": {"type": "object", "required": ["b"], "properties": {"b": {"$ref": "#/definitions/b"}}},
        "b": {"anyOf": [{"type": "array", "minItems": 1, "items": {"$ref": "#/definitions/a"}}, {"const": 1}]},
    },
}


def test_a_value_that_would_have_to_hold_itself_is_none():
    assert solved(ENDLESS).nothing
    assert solved(TREE).values == ({"v": 0},)
    assert solved(TREE, fails=[{"properties": {"next": {"type": "null"}}}]).values == ({"v": 0, "next": {"v": 0}},)
    assert solved(TWO).values == ({"b": 1},)
    assert solved(TWO, {"properties": {"b": {"type": "array"}}}).values == ({"b": [{"b": 1}]},)
    assert solved({**TWO, "definitions": {**TWO["definitions"], "b": TWO["definitions"]["b"]["anyOf"][0]}}).nothing


def test_what_a_search_found_inside_another_does_not_count_outside_of_it():
    # Inside the goal for `a`, `b` has no value but by `a`; by itself it has one.
    search = solver()
    schema = {
        "definitions": {
            "a": {"type": "array", "items": {"$ref": "#/definitions/b"}, "minItems": 1, "not": {"const": [[]]}},
            "b": {"anyOf": [{"$ref": "#/definitions/a"}, {"type": "array", "maxItems": 0}]},
        },
    }
    root = search.nodes.root({**schema, "$ref": "#/definitions/a"})
    assert search.solve(frozenset([Literal(root, holds=True)])).values == ([[], []],)
    inner = root.target("#/definitions/b")
    assert search.solve(frozenset([Literal(inner, holds=True)])).values
    several = search.solve(frozenset([Literal(inner, holds=True)]), 4)
    assert len(several.values) == 4 or not several.complete


def test_several_different_values_of_a_kind_that_holds_its_own_kind():
    search = solver()
    nested = {"type": "array", "items": {"$ref": "#"}, "maxItems": 1}
    found = search.solve(goal(search, nested), 3)
    assert not found.complete
    assert all(compile_schema(nested).is_valid(value) for value in found.values)
    assert search.unclear


def test_what_is_known_is_not_sought_again():
    search = solver(steps=60)
    one = goal(search, {"type": "object", "required": ["a"], "properties": {"a": {"enum": [1, 2, 3]}}})
    first = search.solve(one)
    assert all(search.solve(one) == first for _ in range(100))


def test_a_search_ends_when_its_steps_or_its_time_are_over():
    hard = {"type": "string", "allOf": [{"pattern": "^(a|b)*a(a|b){16}$"}, {"not": {"pattern": "^(b|a)*a(b|a){16}$"}}]}
    search = solver(steps=1_000)
    with pytest.raises(Exhausted):
        search.solve(goal(search, hard))
    late = Solver(Nodes(formats=True), steps=10**9, deadline=time.monotonic() - 1)
    with pytest.raises(Exhausted):
        late.solve(goal(late, hard))


def kinds(count, **more):
    return [{"required": ["t"], "properties": {"t": {"const": i}, "v": {"minimum": i}, **more}} for i in range(count)]


LONG = {
    "texts": ({"type": "string", "pattern": "^(a|b)*a(a|b){25}$"}, {"pattern": "^(b|a)*a(b|a){25}$"}),
    "names": (
        {"type": "object", "patternProperties": {each: {"minimum": ord(each)} for each in "abcdefghijkl"}},
        {"patternProperties": {f"{each}{each}?": {"minimum": ord(each)} for each in "abcdefghijkl"}},
    ),
    "kinds": ({"type": "object", "oneOf": kinds(40)}, {"anyOf": kinds(40, extra={"type": "string"})}),
}


@pytest.mark.parametrize("name", LONG)
def test_a_step_is_so_much_work_and_no_more(name):
    calls = 0

    def count(_frame, event, _argument):
        nonlocal calls
        calls += event == "call"

    search = solver(steps=4_000)
    holds, fails = LONG[name]
    wanted = goal(search, holds) | goal(search, fails, holds=False)
    sys.setprofile(count)
    try:
        with pytest.raises(Exhausted):
            search.solve(wanted)
    finally:
        sys.setprofile(None)
    assert 10 < calls / 4_000 < 70


def test_what_was_not_looked_into_is_told():
    search = solver()
    search.solve(goal(search, {"type": "string", "pattern": r"\b", "format": "email"}))
    assert search.unclear == {r"pattern '\\b'", "format 'email'"}
