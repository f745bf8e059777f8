"""Schemas of one value merge into one that means the same, or not at all."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobarium_events.validation import Validator
from jobarium_events.validation.merging import Unmergeable, merged
from tests.strategies import examples
from tests.validation.schemas import documents, schemas

MERGEABLE: list[tuple[Any, Any]] = [
    ({"allOf": []}, {}),
    ({"allOf": [True, {"type": "string"}]}, {"type": "string"}),
    ({"allOf": [{"minimum": 1}, {"minimum": 3}, {"maximum": 9}]}, {"minimum": 3, "maximum": 9}),
    ({"allOf": [{"maxLength": 5}], "maxLength": 3}, {"maxLength": 3}),
    ({"allOf": [{"required": ["a", "b"]}], "required": ["b", "c"]}, {"required": ["b", "c", "a"]}),
    ({"allOf": [{"properties": {"a": True}}, {"properties": {"a": {}}}]}, {"properties": {"a": {}}}),
    (
        {"allOf": [{"properties": {"a": {"minimum": 1}}}, {"properties": {"a": {"maximum": 2}}}]},
        {"properties": {"a": {"allOf": [{"minimum": 1}, {"maximum": 2}]}}},
    ),
    ({"allOf": [{"enum": ["a", "b"]}, {"enum": ["b", None]}]}, {"enum": ["b"]}),
    ({"$ref": "#/definitions/A", "minimum": 5}, {"type": "null"}),
    ({"allOf": [{"additionalProperties": True}], "additionalProperties": False}, {"additionalProperties": False}),
    ({"title": "mine", "allOf": [{"title": "its", "description": "kept"}]}, {"title": "mine", "description": "kept"}),
]  # fmt: skip
UNMERGEABLE: list[Any] = [
    {"allOf": [False]},
    {"allOf": [{"type": "string"}, {"type": "null"}]},
    {"allOf": [{"const": 1}, {"const": True}]},
    {"allOf": [{"enum": [1]}, {"enum": [True]}]},
    {"allOf": [{"enum": ["a"]}, {"enum": ["b"]}]},
    {"allOf": [{"pattern": "a"}, {"pattern": "b"}]},
    {"allOf": [{"multipleOf": 2}, {"multipleOf": 3}]},
    {"allOf": [{"anyOf": [{}]}, {"anyOf": [True]}]},
    {"allOf": [{"properties": {"a": True}, "additionalProperties": False}, {"properties": {"b": True}}]},
    {"allOf": [{"patternProperties": {"a": True}}], "additionalProperties": False},
    {"allOf": [{"not": {}}], "minimum": 1},
    {"allOf": [{"if": {}, "then": {}}], "else": {}},
    {"allOf": [{"$ref": "#/definitions/loop"}]},
]
DEFINITIONS = {"A": {"type": "null"}, "loop": {"allOf": [{"$ref": "#/definitions/loop"}]}}


@pytest.mark.parametrize(("schema", "expected"), MERGEABLE)
def test_mergeable(schema: Any, expected: Any) -> None:
    assert merged({"definitions": DEFINITIONS}, schema, ref_stands_alone=True) == expected


@pytest.mark.parametrize("schema", UNMERGEABLE)
def test_unmergeable(schema: Any) -> None:
    with pytest.raises(Unmergeable):
        merged({"definitions": DEFINITIONS}, schema, ref_stands_alone=True)


def test_what_stands_beside_a_reference_is_merged_in_later_dialects() -> None:
    root = {"$defs": {"A": {"minimum": 1}}}
    assert merged(root, {"$ref": "#/$defs/A", "maximum": 2}, ref_stands_alone=False) == {"minimum": 1, "maximum": 2}


@examples(60)
@given(
    parts=st.lists(schemas(dialect="http://json-schema.org/draft-07/schema#"), min_size=2, max_size=3),
    values=st.lists(documents),
)
def test_the_merged_schema_means_the_same(parts: list[Any], values: list[Any]) -> None:
    flat = [{key: value for key, value in part.items() if key != "definitions"} for part in parts]
    root = {"definitions": {name: True for part in parts for name in part.get("definitions", ())}}
    try:
        whole = merged(root, {"allOf": flat}, ref_stands_alone=True)
    except Unmergeable:
        return
    one, other = Validator({**root, "allOf": flat}), Validator({**root, **whole})
    assert [one.is_valid(value) for value in values] == [other.is_valid(value) for value in values]
