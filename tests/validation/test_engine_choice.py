"""Which engine serves which schema: the typed one wherever types say all."""

from typing import Any

import pytest

from jobarium_events.validation import Validator, checking, compile_schema

LATER = "https://json-schema.org/draft/2020-12/schema"
STRING, OBJECT = {"type": "string"}, {"type": "object"}


def tagged(value: str, **more: Any) -> dict[str, Any]:
    return {"type": "object", "properties": {"kind": {"const": value}, **more}, "required": ["kind"]}


TYPED: dict[str, Any] = {
    "anything": {},
    "null": {"type": "null"},
    "boolean": {"type": "boolean"},
    "both booleans": {"enum": [True, False]},
    "integer": {"type": "integer"},
    "number": {"type": "number"},
    "string": STRING,
    "array": {"type": "array"},
    "object": OBJECT,
    "nullable": {"type": ["string", "null"]},
    "several types": {"type": ["string", "integer", "boolean", "array", "null"]},
    "required and optional": {**OBJECT, "properties": {"a": STRING, "b": {"type": "integer"}}, "required": ["a"]},
    "required alone": {**OBJECT, "required": ["a"], "properties": {"a": True}},
    "closed by itself": {**OBJECT, "properties": {"a": STRING}, "additionalProperties": False},
    "nested": {**OBJECT, "properties": {"a": {**OBJECT, "properties": {"b": {"type": "array", "items": OBJECT}}}}},
    "array bounds": {"type": "array", "items": STRING, "minItems": 1, "maxItems": 3},
    "map": {**OBJECT, "additionalProperties": {"type": "integer"}, "minProperties": 1, "maxProperties": 4},
    "map of records": {**OBJECT, "additionalProperties": {**OBJECT, "properties": {"a": STRING}}},
    "enum": {"type": "string", "enum": ["a", "b"]},
    "mixed enum": {"enum": ["a", 1, None, 2.0]},
    "enum without a type's values": {"type": "string", "enum": ["a", None]},
    "const": {"const": "a"},
    "integral const": {"const": 1.0},
    "null const": {"const": None},
    "integer bounds": {"type": "integer", "minimum": 0, "exclusiveMaximum": 10.5},
    "number bounds": {"type": "number", "exclusiveMinimum": 0.5, "maximum": 9},
    "both kinds of bound": {"type": "number", "minimum": 1, "exclusiveMinimum": 1, "maximum": 3, "exclusiveMaximum": 4},
    "enum with an unchecked format": {"enum": ["a"], "format": "email"},
    "multipleOf": {"type": "integer", "multipleOf": 5},
    "multipleOf a number": {"type": "number", "multipleOf": 5.0},
    "string lengths": {**STRING, "minLength": 1, "maxLength": 5.0},
    "pattern": {**STRING, "pattern": "^a$", "maxLength": 3},
    "nullable pattern": {"type": ["string", "null"], "pattern": "^a$"},
    "nullable format": {"type": ["string", "null"], "format": "date"},
    "unchecked format": {**STRING, "format": "email", "minLength": 1},
    **{name: {**STRING, "format": name} for name in ("uuid", "date-time", "date", "time")},
    "definitions": {"properties": {"a": {"$ref": "#/definitions/A"}}, **OBJECT, "definitions": {"A": STRING}},
    "$defs": {"properties": {"a": {"$ref": "#/$defs/A"}}, **OBJECT, "$defs": {"A": {"type": ["null", "string"]}}},
    "reference at the root": {"$ref": "#/definitions/A", "definitions": {"A": {**OBJECT, "properties": {"x": STRING}}}},
    "recursive": {**OBJECT, "properties": {"next": {"$ref": "#"}, "all": {"type": "array", "items": {"$ref": "#"}}}},
    "nullable recursive": {
        "$ref": "#/definitions/Node",
        "definitions": {
            "Node": {**OBJECT, "properties": {"next": {"oneOf": [{"$ref": "#/definitions/Node"}, {"type": "null"}]}}}
        },
    },
    "mutually recursive": {
        "$ref": "#/definitions/A",
        "definitions": {
            "A": {**OBJECT, "properties": {"b": {"$ref": "#/definitions/B"}}},
            "B": {**OBJECT, "properties": {"a": {"$ref": "#/definitions/A"}}},
        },
    },
    "allOf of objects": {
        "allOf": [{**OBJECT, "properties": {"a": STRING}, "required": ["a"]}, {"$ref": "#/definitions/B"}],
        "definitions": {"B": {**OBJECT, "properties": {"b": {"type": "integer"}}}},
    },
    "allOf beside properties": {**OBJECT, "properties": {"c": STRING}, "allOf": [{"properties": {"a": STRING}}]},
    "allOf to describe a reference": {
        **OBJECT,
        "properties": {"a": {"allOf": [{"$ref": "#/definitions/A"}], "description": "of its own"}},
        "definitions": {"A": {**STRING, "enum": ["x", "y"]}},
    },
    "allOf of bounds": {"allOf": [{"type": "integer", "minimum": 1}, {"maximum": 4, "minimum": 2}]},
    "allOf of enums": {"allOf": [{"enum": ["a", "b"]}, {"enum": ["b", "c"]}]},
    "oneOf by tag": {"oneOf": [tagged("a", x=STRING), tagged("b")]},
    "anyOf by tag": {"anyOf": [tagged("a"), {**OBJECT, "properties": {"kind": {"enum": ["b"]}}, "required": ["kind"]}]},
    "oneOf by tag of references": {
        "oneOf": [{"$ref": "#/definitions/A"}, {"$ref": "#/definitions/B"}],
        "definitions": {"A": tagged("a"), "B": tagged("b", inner={"$ref": "#/definitions/A"})},
    },
    "oneOf by tag of allOf": {
        "oneOf": [{"allOf": [{"$ref": "#/definitions/Base"}, tagged("a")]}, tagged("b")],
        "definitions": {"Base": {**OBJECT, "properties": {"id": STRING}, "required": ["id"]}},
    },
    "oneOf by tag beside properties": {
        **OBJECT,
        "properties": {"id": STRING},
        "oneOf": [{"properties": {"kind": {"const": name}}, "required": ["kind"]} for name in "ab"],
    },
    "recursive by tag": {"oneOf": [tagged("leaf"), tagged("branch", left={"$ref": "#"}, right={"$ref": "#"})]},
    "nullable by tag": {"anyOf": [{"type": "null"}, {"oneOf": [tagged("a"), tagged("b")]}]},
    "alternatives by type": {"oneOf": [STRING, {"type": "integer", "minimum": 1}, {"type": "array"}]},
    "x-extensible-enum": {**STRING, "x-extensible-enum": ["a", "b"]},
    "x-extensible-enum beside an enum": {**STRING, "enum": ["a", "b"], "x-extensible-enum": ["a"]},
    "odd names": {**OBJECT, "properties": dict.fromkeys(["date", "class", "a-b", "", "é", "2nd", "a.b", "$ref"], True)},
}

# What the types cannot say exactly.
UNTYPED: dict[str, Any] = {
    "uniqueItems": {"type": "array", "uniqueItems": True},
    "propertyNames": {**OBJECT, "propertyNames": {"pattern": "^a"}},
    "patternProperties": {**OBJECT, "patternProperties": {"^a": STRING}},
    "additionalProperties beside properties": {**OBJECT, "properties": {"a": STRING}, "additionalProperties": STRING},
    "if": {"if": STRING, "then": {"minLength": 1}},
    "not": {"type": "string", "not": {"const": ""}},
    "contains": {"type": "array", "contains": STRING},
    "no type": {"properties": {"a": STRING}},
    "a single boolean": {"const": True},
    "a fraction": {"const": 1.5},
    "a format and more": {**STRING, "format": "uuid", "minLength": 36},
    "overlapping alternatives": {"oneOf": [STRING, {**STRING, "minLength": 1}]},
    "a quote in a name": {**OBJECT, "properties": {'"': STRING}},
    "a pattern in a union with a container": {"type": ["string", "object"], "pattern": "a"},
    "never": {**OBJECT, "properties": {"a": False}},
}


@pytest.mark.parametrize("closed", [False, True], ids=["open", "closed"])
@pytest.mark.parametrize("dialect", [None, LATER], ids=["draft-07", "2020-12"])
@pytest.mark.parametrize("schema", TYPED.values(), ids=TYPED)
def test_typed(schema: dict[str, Any], dialect: str | None, closed: bool) -> None:
    schema = {"$schema": dialect, **schema} if dialect else schema
    assert compile_schema(schema, closed=closed).engine == "msgspec"


@pytest.mark.parametrize("schema", UNTYPED.values(), ids=UNTYPED)
def test_not_typed(schema: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    assert compile_schema(schema).engine == "fastjsonschema"
    assert compile_schema({"$schema": LATER, **schema}).engine == "jsonschema-rs"
    monkeypatch.setattr(checking, "rust_available", lambda: False)
    assert compile_schema(schema).engine == "fastjsonschema"
    assert compile_schema({"$schema": LATER, **schema}).engine == "jsonschema"


BEYOND_FASTJSONSCHEMA: dict[str, Any] = {
    "a remainder": {"multipleOf": 0.01},
    "a reference in data": {"enum": [{"$ref": "http://nowhere.invalid/"}]},
    "an identifier in data": {"const": [{"$id": "http://nowhere.invalid/"}]},
    "a name for a reference": {"$id": "http://a/b", "items": {"$id": "c", "type": "string"}},
    "what it takes for a mistake": {"type": "object", "required": ["a"], "additionalProperties": False, "not": False},
}


@pytest.mark.parametrize("schema", BEYOND_FASTJSONSCHEMA.values(), ids=BEYOND_FASTJSONSCHEMA)
def test_not_fit_for_fastjsonschema(schema: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    assert compile_schema(schema).engine == "jsonschema-rs"
    monkeypatch.setattr(checking, "rust_available", lambda: False)
    assert compile_schema(schema).engine == "jsonschema"


def test_not_fit_for_rust_either() -> None:
    schema = {"$schema": LATER, "pattern": r"(?<n>a)\k<n>"}
    assert compile_schema(schema).engine == "jsonschema"


def test_what_is_typed_does_not_wake_the_exact_engine_for_what_is_valid() -> None:
    validator = Validator(TYPED["required and optional"])
    assert validator.is_valid({"a": "x", "b": 3, "unknown": {}})
    assert "_exact" not in vars(validator)
    assert validator.is_valid({"a": "x", "b": 3.0})
    assert "_exact" in vars(validator)


def test_names_that_differ_in_case_alone_are_two() -> None:
    # fastjsonschema makes one function of them.
    schema = {
        "properties": {"x": {"$ref": "#/definitions/A"}, "y": {"$ref": "#/definitions/a"}},
        "definitions": {"A": {"type": "string"}, "a": {"type": "integer"}},
    }
    validator = compile_schema(schema)
    assert validator.engine == "fastjsonschema"
    assert validator.is_valid({"x": "", "y": 1})
    assert not validator.is_valid({"x": 1, "y": ""})
    assert [each.pointer for each in validator.violations({"x": 1, "y": ""})] == ["/x", "/y"]
