import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobarium_events.evolution.containment.values import identity
from jobarium_events.validation import compile_schema
from tests.evolution.containment.meaning import solved
from tests.evolution.containment.pairs import DRAFT_2019_09, DRAFT_2020_12
from tests.strategies import examples

VALUES = [0, 1, 2]
ALL = [list(items) for length in range(5) for items in itertools.product(VALUES, repeat=length)]
FINITE = {"type": "array", "items": {"enum": VALUES}, "maxItems": 4}

inner = st.sampled_from([{"const": 0}, {"enum": [0, 1]}, {"minimum": 1}, {"multipleOf": 2}, True, False])
limits = {"minContains": st.integers(0, 3), "maxContains": st.integers(0, 3)}
pieces = st.one_of(
    st.builds(lambda number: {"minItems": number}, st.integers(0, 4)),
    st.builds(lambda number: {"maxItems": number}, st.integers(0, 4)),
    st.just({"uniqueItems": True}),
    st.just({"not": {"uniqueItems": True}}),
    st.builds(lambda each: {"items": each}, inner),
    st.builds(lambda one, two, rest: {"items": [one, two], "additionalItems": rest}, inner, inner, inner),
    st.builds(lambda each, more: {"contains": each, **more}, inner, st.fixed_dictionaries({}, optional=limits)),
    st.builds(lambda each: {"not": {"contains": each}}, inner),
    st.builds(lambda each: {"not": {"items": each}}, inner),
)  # fmt: skip


def fitting(schema):
    validator = compile_schema(schema)
    return [value for value in ALL if validator.is_valid(value)]


@examples(150)
@given(st.lists(pieces, max_size=4), st.sampled_from([1, 2, 5, 500]))
def test_arrays_are_found_exactly_if_they_are_there(said, count):
    schema = {"$schema": DRAFT_2019_09, "allOf": [FINITE, *said]}
    found = solved(schema, count=count)
    expected = fitting(schema)
    assert all(value in expected for value in found.values)
    assert len({identity(value) for value in found.values}) == len(found.values) == min(count, len(expected))
    assert not found.complete or len(found.values) == len(expected)
    assert found.complete or expected


@examples(100)
@given(st.lists(pieces, max_size=3), st.integers(1, 12))
def test_so_many_different_arrays_are_in_an_array_exactly_if_there_are_so_many(said, size):
    item = {"allOf": [{**FINITE, "maxItems": 2}, *said]}
    schema = {"$schema": DRAFT_2019_09, "type": "array", "items": item, "uniqueItems": True, "minItems": size}
    found = solved(schema)
    assert found.nothing is (len(fitting({"$schema": DRAFT_2019_09, **item})) < size)
    assert all(compile_schema(schema).is_valid(value) for value in found.values)


@pytest.mark.parametrize(
    ("schema", "nothing"),
    [
        # A repeated item may have to stand beyond all that is needed.
        ({"allOf": [{"contains": {"const": 1}}, {"contains": {"const": 2}}], "not": {"uniqueItems": True}}, False),
        ({"items": [{"const": 1}, {"const": 2}], "minItems": 2, "not": {"uniqueItems": True}}, False),
        ({"items": [{"const": 1}, {"const": 2}], "additionalItems": False, "not": {"uniqueItems": True}}, True),
        ({"items": [{"const": 1}, {"const": 2}], "additionalItems": {"const": 3}, "maxItems": 3,
          "not": {"uniqueItems": True}}, True),
        # One value is too few where another item has it.
        ({"uniqueItems": True, "minItems": 3, "items": {"uniqueItems": True, "minItems": 2, "maxItems": 2,
          "type": "array", "items": [{"const": 1}, {"enum": [1, 2, 3, 4]}]}}, False),
        ({"uniqueItems": True, "minItems": 4, "items": {"uniqueItems": True, "minItems": 2, "maxItems": 2,
          "type": "array", "items": [{"const": 1}, {"enum": [1, 2, 3, 4]}]}}, True),
        # Arrays with a repetition, of each length.
        ({"uniqueItems": True, "minItems": 7, "items": {"type": "array", "not": {"uniqueItems": True}, "maxItems": 8,
          "items": [{"const": each} for each in (1, 1, 2, 3, 4, 5, 6, 7)]}}, False),
        ({"uniqueItems": True, "minItems": 8, "items": {"type": "array", "not": {"uniqueItems": True}, "maxItems": 8,
          "items": [{"const": each} for each in (1, 1, 2, 3, 4, 5, 6, 7)]}}, True),
        ({"items": {"type": "string", "minLength": 1, "maxLength": 1}, "uniqueItems": True, "minItems": 300}, False),
        ({"$schema": DRAFT_2020_12, "contains": {"type": "integer"}, "maxContains": 1, "prefixItems": [{"const": 1}],
          "not": {"uniqueItems": True}}, False),
    ],
)  # fmt: skip
def test_what_has_to_repeat_or_to_differ(schema, nothing):
    schema = {"type": "array", **schema}
    found = solved(schema)
    assert found.nothing is nothing
    assert all(compile_schema(schema).is_valid(value) for value in found.values)


def test_a_long_array_is_built_where_its_items_have_nothing_to_do_with_each_other():
    ((value,), _) = solved({"type": "array", "minItems": 50_000})
    assert len(value) == 50_000
    assert not solved({"type": "array", "minItems": 500_000}).complete
    assert not solved({"type": "array", "minItems": 50_000, "uniqueItems": True}).complete


def test_an_array_ends_where_no_item_can_be():
    found = solved({"type": "array", "items": [True, {"type": "string", "const": 1}]}, fails=[{"maxItems": 1}])
    assert found.nothing
