import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobarium_events.evolution.containment.values import identity
from jobarium_events.validation import compile_schema
from tests.evolution.containment.meaning import solved
from tests.strategies import examples

NAMES = ["a", "b", "ab", "ba"]
ALL = [
    dict(zip(names, values, strict=True))
    for size in range(5)
    for names in itertools.combinations(NAMES, size)
    for values in itertools.product((0, 1), repeat=size)
]
FINITE = {"type": "object", "propertyNames": {"enum": NAMES}, "additionalProperties": {"enum": [0, 1]}}

inner = st.sampled_from([{"const": 0}, {"const": 1}, {"minimum": 1}, True, False])
about_names = st.sampled_from([{"pattern": "^a"}, {"maxLength": 1}, {"enum": ["a", "ba"]}, {"pattern": "b"}, False])
patterns = st.sampled_from(["a", "^a", "b$", "^.$", ""])
members = st.fixed_dictionaries(
    {},
    optional={
        "properties": st.dictionaries(st.sampled_from(NAMES), inner, min_size=1, max_size=2),
        "patternProperties": st.dictionaries(patterns, inner, min_size=1, max_size=2),
        "additionalProperties": inner,
    },
)
pieces = st.one_of(
    members,
    st.builds(lambda each: {"not": each}, members),
    st.builds(lambda number: {"minProperties": number}, st.integers(0, 5)),
    st.builds(lambda number: {"maxProperties": number}, st.integers(0, 4)),
    st.builds(lambda names: {"required": names}, st.lists(st.sampled_from(NAMES), max_size=2, unique=True)),
    st.builds(lambda names: {"not": {"required": names}}, st.lists(st.sampled_from(NAMES), max_size=2, unique=True)),
    st.builds(lambda names: {"propertyNames": names}, about_names),
    st.builds(lambda names: {"not": {"propertyNames": names}}, about_names),
    st.builds(lambda need: {"dependencies": {"a": need, "ba": ["b"]}}, st.one_of(members, st.just(["b"]))),
)  # fmt: skip


@examples(150)
@given(st.lists(pieces, max_size=4), st.sampled_from([1, 2, 5, 500]))
def test_objects_are_found_exactly_if_they_are_there(said, count):
    schema = {"allOf": [FINITE, *said]}
    validator = compile_schema(schema)
    expected = [value for value in ALL if validator.is_valid(value)]
    found = solved(schema, count=count)
    assert all(value in expected for value in found.values)
    assert len({identity(value) for value in found.values}) == len(found.values)
    assert bool(found.values) is bool(expected)
    assert not found.complete or len(found.values) == len(expected)
    assert found.complete or expected


@pytest.mark.parametrize(
    ("schema", "nothing"),
    [
        ({"propertyNames": {"pattern": "^[ab]$"}, "minProperties": 2}, False),
        ({"propertyNames": {"pattern": "^[ab]$"}, "minProperties": 3}, True),
        ({"propertyNames": {"pattern": "^[ab]$"}, "minProperties": 2, "not": {"required": ["a"]}}, True),
        ({"patternProperties": {"^a": {"const": 1}, "b$": {"const": 2}},
          "not": {"propertyNames": {"not": {"pattern": "^a.*b$"}}}}, True),
        ({"patternProperties": {"^a": False}, "additionalProperties": False, "minProperties": 1}, True),
        ({"propertyNames": {"maxLength": 1}, "minProperties": 400, "maxProperties": 400}, False),
        ({"properties": {"a": {"$ref": "#"}}, "required": ["a"]}, True),
        ({"minProperties": 2, "maxProperties": 1}, True),
    ],
)  # fmt: skip
def test_whether_there_are_enough_names(schema, nothing):
    schema = {"type": "object", **schema}
    found = solved(schema)
    assert found.nothing is nothing
    assert all(compile_schema(schema).is_valid(value) for value in found.values)


def test_needs_share_a_member_where_there_is_room_for_one_only():
    schema = {"type": "object", "maxProperties": 1}
    needs = [{"additionalProperties": {"minimum": 3}}, {"additionalProperties": {"type": "integer"}}]
    assert solved(schema, fails=[*needs, {"additionalProperties": {"maximum": 5}}]).nothing
    ((value,), _) = solved(schema, fails=needs)
    assert len(value) == 1


def test_patterns_that_exclude_each_other_are_not_tried_in_all_combinations():
    letters = "abcdefghijklmnopqr"
    one = {
        "type": "object",
        "patternProperties": {each: {"type": "integer"} for each in letters},
        "additionalProperties": False,
    }
    other = {"patternProperties": {f"[{letters}]": {"type": "number"}}, "additionalProperties": False}
    assert solved(one, fails=[other]).nothing


def test_an_object_of_very_many_members_is_not_built_and_nothing_is_proven():
    assert solved({"type": "object", "minProperties": 100_000}) == ((), False)
