"""The rules for a field as people read them: all are told, or it is said that there are more."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given

from jobarium_events.fields import Repeat, fields_of, payload_of
from tests.folders import TEXT, WHOLE
from tests.strategies import some
from tests.test_fields import SKU, one, rows
from tests.validation.schemas import schemas

UUID = {"type": "string", "format": "uuid"}
NUMBER = {"type": "number", "minimum": 3}


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        ({"oneOf": [UUID, {"type": "integer", "minimum": 3}]}, "string (uuid) or integer (>= 3)"),
        ({"anyOf": [UUID, WHOLE, {"type": "null"}]}, "string (uuid) or integer"),
        ({"anyOf": [{"enum": ["a", "b"]}, {"const": 1}]}, 'string (one of "a", "b") or integer (always 1)'),
        ({"anyOf": [{**TEXT, "pattern": "^a"}, {**WHOLE, "x-extensible-enum": [1]}]},
         "string (matches ^a) or integer (one of 1, or others)"),
        ({"type": "string", "anyOf": [{"format": "uuid"}, {"maxLength": 2}]}, "uuid or at most 2 characters"),
        ({"oneOf": [TEXT, WHOLE]}, ""),
        ({"type": "array", "items": {"oneOf": [UUID, WHOLE]}}, "each item: string (uuid) or integer"),
        ({"type": "array", "prefixItems": [UUID, WHOLE], "items": False}, "in order: string (uuid), integer, no more"),
        ({"type": "array", "prefixItems": [UUID], "items": NUMBER}, "in order: string (uuid), then number (>= 3)"),
        ({"type": "array", "items": [WHOLE, UUID]}, "in order: integer, string (uuid)"),
        ({"type": "array", "prefixItems": [TEXT], "items": False}, ""),
        ({"type": "object", "additionalProperties": NUMBER, "maxProperties": 1}, "at most 1 field, each value: >= 3"),
        ({"type": "object", "properties": {}, "additionalProperties": False}, "no other fields"),
        ({"type": "object", "patternProperties": {"^x/": NUMBER, "^y": False}, "additionalProperties": True},
         "fields that match ^x/: number (>= 3), no fields that match ^y"),
        ({"type": "object", "patternProperties": {"^x": True}, "additionalProperties": NUMBER, "minProperties": 2},
         "at least 2 fields, fields that match ^x: any, other fields: number (>= 3)"),
    ],
)  # fmt: skip
def test_the_rules_of_what_has_no_row_of_its_own(field: Any, expected: str) -> None:
    row = one(field)
    assert (row.format, row.further) == (expected, False)


def test_other_fields_beside_those_that_are_named() -> None:
    named = {"properties": {"a": {"type": "object", "properties": {"b": TEXT}, "additionalProperties": NUMBER}}}
    row = rows(named)["/a"]
    assert (row.type, row.format, row.entries) == ("object", "other fields: number (>= 3)", None)


def test_what_is_said_of_the_values_of_a_map() -> None:
    value = {**NUMBER, "description": "A price.", "x-unit": "EUR"}
    row = one({"type": "object", "additionalProperties": value})
    assert row.entries is not None
    assert (row.entries.description, row.entries.unit, row.entries.format) == ("A price.", "EUR", ">= 3")
    assert row.meaning == "Each value: A price. Unit: EUR."
    assert json.loads(json.dumps(row.as_json()))["entries"]["unit"] == "EUR"
    assert one({"type": "object", "additionalProperties": TEXT}).entries is None


@pytest.mark.parametrize(
    ("field", "meaning", "always"),
    [
        ({"const": "x"}, "Always: x.", True),
        ({"enum": ["x"]}, "Always: x.", True),
        ({"const": None}, "Always: null.", True),
        ({"const": True}, "Always: true.", True),
        ({"enum": ["x", "y"]}, "One of: x, y.", False),
        ({"x-extensible-enum": ["x"]}, "One of: x, or others.", False),
        ({"anyOf": [{"const": "x"}, {"type": "null"}]}, "One of: x.", False),
        ({"type": "array", "items": {"const": "x"}}, "Each item: Always: x.", False),
    ],
)
def test_a_value_that_is_the_only_one_is_told_as_that(field: Any, meaning: str, *, always: bool) -> None:
    row = one(field)
    assert (row.meaning, row.always) == (meaning, always)


FURTHER = "Further rules: see the schema."


@pytest.mark.parametrize(
    "field",
    [
        {"not": {"const": 1}},
        {"if": TEXT, "then": {"minLength": 1}},
        {"if": TEXT, "else": {"minimum": 1}},
        {"dependentRequired": {"x": ["y"]}},
        {"dependentSchemas": {"x": {"required": ["y"]}}},
        {"dependencies": {"x": ["y"]}},
        {"contains": TEXT},
        {"propertyNames": {"maxLength": 3}},
        {"unevaluatedProperties": False},
        {"required": ["nowhere"]},
        {"allOf": [{"pattern": "^a"}, {"pattern": "b$"}]},
        {"allOf": [{"type": ["string", "null"]}, {"type": ["string", "integer"]}]},
        {"enum": [1, 2], "const": 1},
        {"$ref": "#anchor"},
        {"anyOf": [{"required": ["x"]}, {"required": ["y"]}]},
        {"oneOf": [{"type": "number"}, WHOLE]},
        {"oneOf": [UUID, {"type": "string", "maxLength": 2}]},
        {"anyOf": [{"properties": {"x": TEXT}}, {"properties": {"y": TEXT}}]},
        {"anyOf": [TEXT, WHOLE], "oneOf": [UUID, WHOLE]},
        {"anyOf": [TEXT, {"type": "integer", "not": {"const": 1}}]},
        {"anyOf": [{"$ref": "#/properties/a"}, TEXT]},
        {"oneOf": [{"anyOf": [UUID, NUMBER]}, {"type": "boolean"}]},
        {"oneOf": [{"type": "array", "items": {"anyOf": [UUID, NUMBER]}}, TEXT]},
        {"prefixItems": [{"not": TEXT}]},
        {"prefixItems": [{"$ref": "#/properties/a"}]},
        {"items": {"not": TEXT}},
        {"additionalProperties": {"not": TEXT}},
        {"patternProperties": {"^x": {"$ref": "#/properties/a"}}},
    ],
)
def test_rules_that_are_told_nowhere_are_said_to_be_there(field: Any) -> None:
    row = fields_of({"properties": {"a": field}})[0]
    assert row.further
    assert row.meaning.endswith(FURTHER)
    assert payload_of(field if "$ref" not in str(field) else {"not": field}).further


@pytest.mark.parametrize(
    "field",
    [
        {"if": TEXT},
        {"then": TEXT},
        {"unevaluatedProperties": True},
        {"allOf": [{"pattern": "^a"}, {"pattern": "^a"}]},
        {"properties": {"b": TEXT}, "required": ["b"]},
        {"anyOf": [{"type": "object", "properties": {"b": TEXT}, "required": ["b"]}, {"type": "null"}]},
        {"oneOf": [{"type": "object", "properties": {"b": TEXT}, "required": ["b"]}, UUID]},
        {"anyOf": [UUID, {"type": "string", "maxLength": 2}]},
        {"properties": {"b": {"not": TEXT}}},
        {"type": "object", "x-other": 1},
    ],
)
def test_where_all_is_told_nothing_is_said_to_be_left(field: Any) -> None:
    row = fields_of({"properties": {"a": field}})[0]
    assert not row.further
    assert FURTHER not in row.meaning


def test_rules_for_the_payload_as_a_whole() -> None:
    whole = payload_of({"properties": {"a": TEXT}, "minProperties": 1, "additionalProperties": WHOLE})
    assert (whole.format, whole.further, whole.repeats) == ("at least 1 field, other fields: integer", False, ())
    assert payload_of({"properties": {"a": TEXT}, "dependentRequired": {"a": ["b"]}}).further
    tree = {"type": "object", "additionalProperties": {"$ref": "#"}}
    assert payload_of(tree).repeats == (Repeat("*.*", "*"),)


def test_a_recursive_schema_says_where_it_goes_on() -> None:
    node = {"properties": {"v": WHOLE, "kids": {"type": "array", "items": {"$ref": "#/definitions/T"}}}}
    found = rows({"properties": {"tree": {"$ref": "#/definitions/T"}}, "definitions": {"T": node}})
    assert {path: row.repeats for path, row in found.items() if row.repeats} == {
        "/tree/kids": (Repeat("tree.kids[].kids", "tree.kids"),)
    }
    (row,) = (row for path, row in rows({"properties": {"next": {"$ref": "#"}}}).items() if path == "/next")
    assert row.meaning == "next.next: as next, and so on."
    assert not any(row.repeats for row in fields_of({"properties": {"a": {"$ref": "#/definitions/T"}, "b": SKU},
                                                     "definitions": {"T": SKU}}))  # fmt: skip


@some
@given(schemas())
def test_whatever_is_dropped_of_a_recursive_schema_is_said_to_go_on(schema: Any) -> None:
    for row in (*fields_of(schema), payload_of(schema)):
        assert len(set(row.repeats)) == len(row.repeats)
        for each in row.repeats:
            assert each.name != each.like
            assert each.name.startswith(each.like)


def test_a_field_of_the_only_branch_that_is_an_object_is_required_there() -> None:
    inner = {"type": "object", "properties": {"k": WHOLE}, "required": ["k"]}
    assert rows({"properties": {"a": {"oneOf": [UUID, inner]}}})["/a/k"].required
    assert not rows({"properties": {"a": {"oneOf": [{}, inner]}}})["/a/k"].required
