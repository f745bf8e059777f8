"""The closed form: what a producer may emit."""

import copy
from typing import Any

import pytest

from jobarium_events.errors import SchemaError
from jobarium_events.validation import Validator, compile_schema

LATER = "https://json-schema.org/draft/2020-12/schema"
STRING = {"type": "string"}


def tagged(value: str, *names: str) -> dict[str, Any]:
    properties = {"kind": {"const": value}, **dict.fromkeys(names, STRING)}
    return {"type": "object", "properties": properties, "required": ["kind"]}


# A schema; documents that its closed form accepts; documents that only the schema itself accepts.
CASES: dict[str, tuple[Any, list[Any], list[Any]]] = {
    "a record": ({"properties": {"a": STRING}}, [{}, {"a": ""}, 1], [{"b": 1}]),
    "a nested record": (
        {"properties": {"a": {"properties": {"b": STRING}}}},
        [{"a": {"b": ""}}],
        [{"a": {"c": 1}}, {"a": {}, "b": 1}],
    ),
    "in a list": ({"items": {"properties": {"a": STRING}}}, [[{"a": ""}]], [[{"b": 1}]]),
    "in a map": ({"additionalProperties": {"properties": {"a": STRING}}}, [{"x": {"a": ""}}], [{"x": {"b": 1}}]),
    "a map": ({"type": "object"}, [{"a": 1}], []),
    "a map of anything": ({"additionalProperties": True, "properties": {"a": STRING}}, [{"b": 1}], []),
    "required alone": ({"properties": {"a": STRING}, "required": ["b"]}, [{"b": 1}], [{"b": 1, "c": 1}]),
    "names by pattern": (
        {"properties": {"a": STRING}, "patternProperties": {"^x-": True}},
        [{"a": "", "x-1": 1}],
        [{"y": 1}],
    ),
    "allOf": (
        {"properties": {"a": STRING}, "allOf": [{"properties": {"b": STRING}}, {"required": ["a"]}]},
        [{"a": "", "b": ""}],
        [{"a": "", "c": 1}],
    ),
    "a reference": (
        {"$ref": "#/definitions/A", "definitions": {"A": {"properties": {"a": STRING}}}},
        [{"a": ""}],
        [{"b": 1}],
    ),
    "a reference into a reference's neighbour": (
        {"$ref": "#/definitions/A", "definitions": {"A": {"$ref": "#/definitions/B"}, "B": {"properties": {"a": {}}}}},
        [{"a": ""}],
        [{"b": 1}],
    ),
    "allOf of references": (
        {
            "allOf": [{"$ref": "#/definitions/A"}, {"$ref": "#/definitions/B"}],
            "definitions": {"A": {"properties": {"a": STRING}}, "B": {"properties": {"b": STRING}}},
        },
        [{"a": "", "b": ""}],
        [{"a": "", "c": ""}],
    ),
    "a recursive record": (
        {"properties": {"next": {"$ref": "#"}}},
        [{"next": {"next": {}}}],
        [{"next": {"next": {"nxt": {}}}}],
    ),
    "branches by tag": (
        {"oneOf": [tagged("a", "x"), tagged("b", "y")]},
        [{"kind": "a", "x": ""}, {"kind": "b"}],
        [{"kind": "a", "y": 1}, {"kind": "b", "z": 1}],
    ),
    "branches by tag with a base": (
        {
            "oneOf": [{"allOf": [{"$ref": "#/definitions/Base"}, tagged("a", "x")]}, tagged("b", "y")],
            "definitions": {"Base": {"properties": {"id": STRING}}},
        },
        [{"kind": "a", "x": "", "id": ""}],
        [{"kind": "a", "y": 1}, {"kind": "b", "id": 1}],
    ),
    "branches by tag beside properties": (
        {"properties": {"id": STRING}, "anyOf": [tagged("a", "x"), tagged("b")]},
        [{"id": "", "kind": "a", "x": ""}],
        [{"id": "", "kind": "b", "x": 1}],
    ),
    "branches by type": (
        {"oneOf": [{"type": "object", "properties": {"a": STRING}}, {"type": "array"}]},
        [{"a": ""}, []],
        [{"b": 1}],
    ),
    "branches that may overlap": (
        {"anyOf": [{"properties": {"a": STRING}, "required": ["a"]}, {"properties": {"b": STRING}}]},
        [{"a": "", "b": ""}, {"b": ""}],
        [{"a": "", "c": 1}],
    ),
    "oneOf whose branches may overlap": (
        {"oneOf": [{"properties": {"a": STRING}, "required": ["a"]}, {"properties": {"b": STRING}, "required": ["b"]}]},
        [{"a": ""}, {"b": ""}],
        [{"a": "", "c": 1}],
    ),
    "if": (
        {"properties": {"a": STRING}, "if": {"required": ["a"]}, "then": {"properties": {"b": STRING}}},
        [{"a": "", "b": ""}],
        [{"a": "", "c": 1}],
    ),
    "not": (
        {"properties": {"a": {"not": {"properties": {"x": STRING}, "required": ["x"]}}}},
        [{"a": {}}, {"a": {"x": 1}}, {"a": {"y": 1}}],
        [{"b": 1}],
    ),
    "contains": (
        {"contains": {"properties": {"a": STRING}, "required": ["a"]}},
        [[{"a": "", "b": 1}]],
        [],
    ),
    "x-extensible-enum": ({"items": {"x-extensible-enum": ["a", "b"]}}, [["a", "b"]], [["c"], [1]]),
    "x-extensible-enum beside an enum": (
        {"enum": ["a", "b"], "x-extensible-enum": ["b", "c"]},
        ["b"],
        ["a"],
    ),
    "x-extensible-enum under not": ({"not": {"x-extensible-enum": ["a"], "type": "string"}}, [1], []),
    "x-extensible-enum by reference": (
        {"items": {"$ref": "#/definitions/A"}, "definitions": {"A": {"type": "string", "x-extensible-enum": ["a"]}}},
        [["a"]],
        [["b"]],
    ),
}  # fmt: skip


@pytest.mark.parametrize("later", [False, True], ids=["draft-07", "2020-12"])
@pytest.mark.parametrize(("schema", "both", "open_only"), CASES.values(), ids=CASES)
def test_what_is_closed(schema: Any, both: list[Any], open_only: list[Any], later: bool) -> None:
    schema = {**schema, **({"$schema": LATER} if later else {})}
    before = copy.deepcopy(schema)
    opened, closed = compile_schema(schema), compile_schema(schema, closed=True)
    assert schema == before
    assert [document for document in (*both, *open_only) if not opened.is_valid(document)] == []
    assert [document for document in both if not closed.is_valid(document)] == []
    assert [document for document in open_only if closed.is_valid(document)] == []


def test_a_typo_is_named() -> None:
    closed = compile_schema({"type": "object", "properties": {"amount": {"type": "integer"}}}, closed=True)
    violation = closed.first_violation({"amuont": 3})
    assert str(violation) == "/amuont: is not a field of the contract"
    assert closed.violations({"amuont": 3}) == [violation]


def test_a_value_outside_an_extensible_enum_is_named_to_the_producer_alone() -> None:
    schema = {"type": "object", "properties": {"status": {"type": "string", "x-extensible-enum": ["a", "b"]}}}
    assert str(Validator(schema, closed=True).first_violation({"status": "c"})) == "/status: must be one of a, b"
    assert Validator(schema).first_violation({"status": "c"}) is None


@pytest.mark.parametrize("say", ["additionalProperties", "unevaluatedProperties"])
def test_a_schema_with_its_own_say_is_left_alone(say: str) -> None:
    schema = {"$schema": LATER, "properties": {"a": STRING}, say: {"type": "null"}}
    closed = compile_schema(schema, closed=True)
    assert closed.is_valid({"a": "", "b": None})
    assert not closed.is_valid({"a": "", "b": 1})


def test_a_closed_record_keeps_all_that_a_valid_document_says() -> None:
    schema = {"type": "object", "properties": {"a": {"type": "object", "properties": {"b": STRING}}}}
    assert compile_schema(schema, closed=True).keeps_all
    assert not compile_schema(schema).keeps_all


def test_a_part_may_be_one_object_in_several_places() -> None:
    part = {"properties": {"a": STRING}}
    closed = compile_schema({"properties": {"x": part, "y": {"not": part}, "z": {"allOf": [part]}}}, closed=True)
    assert closed.is_valid({"x": {"a": ""}, "y": {"a": 1}})
    assert not closed.is_valid({"x": {"b": 1}})
    assert not closed.is_valid({"z": {"b": 1}})


def test_the_order_of_fields_stays() -> None:
    schema = {"allOf": [{"type": "object", "properties": {"z": STRING, "b": STRING}}, {"properties": {"a": STRING}}]}
    orders = [compile_schema(schema, closed=closed).type.__struct_fields__ for closed in (False, True)]
    assert orders == [("z", "b", "a"), ("z", "b", "a")]


@pytest.mark.parametrize("reference", ["#name", "other"])
def test_only_pointers_can_be_closed(reference: str) -> None:
    anchor = {"$id": "#name"} if reference == "#name" else {"$id": "http://a.invalid/other"}
    schema = {
        "$id": "http://a.invalid/",
        "items": {"$ref": reference},
        "definitions": {"A": {**anchor, "type": "null"}},
    }
    assert compile_schema(schema).is_valid([None])
    with pytest.raises(SchemaError, match="pointers"):
        compile_schema(schema, closed=True)
