"""The fields of a payload as people read them: each one that the schema speaks of, wherever it does."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft7Validator, Draft202012Validator

from jobarium_events import Catalog
from jobarium_events.errors import SchemaError
from jobarium_events.evolution.fields import deprecated_fields, fields
from jobarium_events.fields import FieldRow, ListedValue, fields_of
from tests.folders import TEXT, WHOLE
from tests.strategies import CONTRACTS, some
from tests.validation.schemas import DRAFT_2020_12, cases, schemas


def rows(schema: Any) -> dict[str, FieldRow]:
    found = fields_of(schema)
    assert len({row.path for row in found}) == len(found)
    return {row.path: row for row in found}


def one(field: Any, **around: Any) -> FieldRow:
    """The row of the one field of a schema."""
    (row,) = fields_of({"type": "object", "properties": {"a": field}, **around})
    return row


@some
@given(schemas())
def test_no_field_is_missed_that_the_checks_find(schema: Any) -> None:
    found = rows(schema)
    assert found.keys() == fields(schema).keys()
    assert [path for path, row in found.items() if row.deprecated] == [
        path for path in found if path in deprecated_fields(schema)
    ]


@some
@given(schemas())
def test_each_field_is_followed_by_the_fields_within_it(schema: Any) -> None:
    open_paths: list[str] = []
    for row in fields_of(schema):
        while open_paths and not row.path.startswith(f"{open_paths[-1]}/"):
            open_paths.pop()
        around = [path for path in fields(schema) if row.path.startswith(f"{path}/")]
        assert open_paths == sorted(around, key=len), row.path
        open_paths.append(row.path)


@some
@given(cases())
def test_what_is_required_is_in_each_valid_object(case: tuple[dict[str, Any], list[Any]]) -> None:
    schema, documents = case
    oracle = Draft202012Validator if schema.get("$schema") == DRAFT_2020_12 else Draft7Validator
    required = {row.name for row in fields_of(schema) if row.required and row.path.count("/") == 1}
    for document in documents:
        if isinstance(document, dict) and oracle(schema).is_valid(document):
            assert required <= document.keys()


@given(st.lists(st.sampled_from(["", "a", "a.b", "a/b", "a~b", "properties", "items", "~1"]), unique=True, min_size=1))
def test_a_path_is_a_json_pointer_of_the_names(names: list[str]) -> None:
    schema: Any = {}
    for name in reversed(names):
        schema = {"properties": {name: schema}}
    paths = [row.path for row in fields_of(schema)]
    told = [path.rsplit("/", 1)[1].replace("~1", "/").replace("~0", "~") for path in paths]
    assert told == names


SKU = {"type": "object", "properties": {"sku": TEXT}}


@pytest.mark.parametrize(
    ("schema", "names"),
    [
        ({"properties": {"a": SKU}}, ["a", "a.sku"]),
        ({"properties": {"a": {"type": "array", "items": SKU}}}, ["a", "a[].sku"]),
        ({"properties": {"a": {"type": "array", "items": {"type": "array", "items": SKU}}}}, ["a", "a[][].sku"]),
        ({"properties": {"a": {"items": [TEXT, SKU], "additionalItems": SKU}}}, ["a", "a[1].sku", "a[].sku"]),
        ({"$schema": DRAFT_2020_12, "properties": {"a": {"prefixItems": [SKU]}}}, ["a", "a[0].sku"]),
        ({"properties": {"a": {"additionalProperties": SKU}}}, ["a", "a.*.sku"]),
        ({"properties": {"a": {"patternProperties": {"^x/": SKU}}}}, ["a", "a./^x//.sku"]),
        ({"properties": {"a": {"$ref": "#/definitions/s"}}, "definitions": {"s": SKU}}, ["a", "a.sku"]),
        ({"properties": {"a": SKU}, "allOf": [{"properties": {"b": TEXT, "a": {"properties": {"c": TEXT}}}}]},
         ["a", "a.sku", "a.c", "b"]),
        ({"oneOf": [{"properties": {"a": SKU}}, {"properties": {"b": TEXT, "a": {"properties": {"c": TEXT}}}}]},
         ["a", "a.sku", "a.c", "b"]),
        ({"if": {"properties": {"a": TEXT}}, "then": {"properties": {"b": TEXT}}, "else": SKU}, ["b", "sku"]),
        ({"dependencies": {"x": {"properties": {"a": TEXT}}}, "not": SKU}, ["a"]),
        ({"properties": {"next": {"$ref": "#"}, "a": TEXT}}, ["next", "a"]),
        ({"properties": {"a": True, "b": False}}, ["a", "b"]),
        # A name that reads as several, or as none, stands in quotes.
        ({"properties": {"a.b": TEXT, "a": {"properties": {"b": TEXT, "c.d": SKU}}}},
         ['"a.b"', "a", "a.b", 'a."c.d"', 'a."c.d".sku']),
        ({"properties": {"": TEXT, "a[]": TEXT, "*": TEXT, "/x/": TEXT, '"a"': TEXT, 'a"': TEXT, "a/b": TEXT}},
         ['""', '"a[]"', '"*"', '"/x/"', '"\\"a\\""', 'a"', "a/b"]),
        (True, []),
    ],
)  # fmt: skip
def test_a_name_says_where_a_field_is(schema: Any, names: list[str]) -> None:
    # A reference to the whole is followed once around; what is within has been told by then.
    assert [row.name for row in fields_of(schema) if not row.name.startswith("next.")] == names


@pytest.mark.parametrize(
    ("schema", "required"),
    [
        ({"required": ["a"]}, True),
        ({}, False),
        ({"allOf": [{"required": ["a"]}]}, True),
        ({"anyOf": [{"required": ["a"]}, {"required": ["b", "a"]}]}, True),
        ({"anyOf": [{"required": ["a"]}, {"required": ["b"]}]}, False),
        ({"oneOf": [{"allOf": [{"required": ["a"]}]}, {"oneOf": [{"required": ["a"]}]}]}, True),
        ({"allOf": [{"anyOf": [{"required": ["a"]}, {}]}, {"anyOf": [{}, {"required": ["a"]}]}]}, False),
        ({"if": {"required": ["a"]}, "then": {"required": ["a"]}}, False),
    ],
)
def test_a_field_is_required_where_each_valid_object_has_it(schema: Any, *, required: bool) -> None:
    assert one(TEXT, **schema).required is required


def test_a_field_of_branches_is_required_where_each_of_them_requires_it() -> None:
    branch = {"properties": {"kind": {"const": "a"}, "a": WHOLE}, "required": ["kind", "a"]}
    other = {"properties": {"kind": {"const": "b"}}, "required": ["kind"]}
    found = rows({"oneOf": [branch, other]})
    assert {path: row.required for path, row in found.items()} == {"/kind": True, "/a": False}
    assert found["/kind"].values == ("a", "b")


def test_a_field_within_one_of_branches_is_required_where_it_is_in_each() -> None:
    strict, loose = (
        {"properties": {"a": {"properties": {"zip": TEXT}, **more}}} for more in ({"required": ["zip"]}, {})
    )
    assert not rows({"anyOf": [strict, loose]})["/a/zip"].required
    assert rows({"anyOf": [strict, strict]})["/a/zip"].required
    assert rows({**loose, "allOf": [strict]})["/a/zip"].required


def test_a_row_tells_all_that_is_said_of_a_field() -> None:
    row = one(
        {
            "type": "string",
            "title": "A",
            "description": "What it is.",
            "format": "email",
            "pattern": "@",
            "maxLength": 9,
            "minLength": 2,
            "x-unit": "letters",
            "deprecated": True,
            "enum": ["x@y", "y@z"],
            "x-enum-meanings": {"x@y": "The first."},
        },
        required=["a"],
    )
    assert row == FieldRow(
        name="a",
        type="string",
        required=True,
        format="email, at least 2 characters, at most 9 characters",
        meaning="What it is. Unit: letters. Pattern: @ One of: x@y, y@z.",
        values=("x@y", "y@z"),
        path="/a",
        description="What it is.",
        unit="letters",
        pattern="@",
        listed=(ListedValue("x@y", "The first."), ListedValue("y@z", None)),
        extensible=False,
        deprecated=True,
    )
    assert json.loads(json.dumps(row.as_json()))["listed"][0] == {"value": "x@y", "meaning": "The first."}


def test_an_extensible_list_is_told_from_a_closed_one() -> None:
    row = one({"type": "string", "x-extensible-enum": ["web", 1], "x-enum-meanings": {"web": "W.", "1": "One."}})
    assert (row.values, row.extensible) == (None, True)
    assert row.listed == (ListedValue("web", "W."), ListedValue(1, "One."))
    assert row.meaning == "One of: web, 1, or others."


def test_a_title_stands_in_for_a_description() -> None:
    assert one({"title": "Job"}).description == "Job"
    assert one({}).description == ""


def test_the_whole_is_described_by_what_holds_for_all_payloads() -> None:
    row = one({**TEXT, "description": "Always."}, anyOf=[{"properties": {"a": {"maxLength": 3, "description": "So."}}}])
    assert (row.format, row.description) == ("", "Always.")


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        ({"type": ["string", "null"]}, "string or null"),
        ({"type": "array", "items": TEXT}, "array of string"),
        ({"type": "array", "items": {"$ref": "#/properties/a"}}, "array of array"),
        ({"type": "array"}, "array of any"),
        ({"type": "array", "prefixItems": [TEXT, WHOLE], "items": False}, "array of (string, integer, no more)"),
        ({"type": "array", "prefixItems": [TEXT, WHOLE], "items": TEXT}, "array of (string, integer, then string)"),
        ({"type": "array", "items": [TEXT, {"type": ["null", "integer"]}]},
         "array of (string, integer or null, then any)"),
        ({"type": "array", "items": [TEXT], "additionalItems": False}, "array of (string, no more)"),
        ({"type": "array", "items": False}, "array of none"),
        ({"type": "array", "items": [{"$ref": "#/properties/a"}]}, "array of (array, then any)"),
        ({"type": "object", "additionalProperties": {"type": "number"}}, "map of number"),
        ({"type": "object", "additionalProperties": {"type": ["null", "number"]}}, "map of (number or null)"),
        ({"type": "object", "additionalProperties": {"type": "array", "items": TEXT}}, "map of array of string"),
        ({"type": "object", "additionalProperties": {"$ref": "#/properties/a"}}, "map of object"),
        ({"type": "object", "additionalProperties": {"type": "number"}, "properties": {}}, "map of number"),
        ({"type": "object", "additionalProperties": True}, "object"),
        ({"type": "object", "additionalProperties": False}, "object"),
        ({"type": "object", "patternProperties": {"^x": TEXT}, "additionalProperties": WHOLE}, "object"),
        ({"oneOf": [TEXT, WHOLE]}, "string or integer"),
        ({"oneOf": [TEXT, {"minimum": 1}]}, "one of several"),
        ({"anyOf": [{"$ref": "#/properties/a"}, TEXT]}, "one of several"),
        ({"anyOf": [{"type": "null"}, TEXT]}, "string or null"),
        ({"anyOf": [{"type": "array", "items": TEXT}, {"const": None}]}, "array of string or null"),
        ({"type": ["array", "null"], "items": {"type": ["null", "integer"]}}, "array of (integer or null) or null"),
        ({"const": "k"}, "string"),
        ({"enum": [1, None, 2, True, 0.5, [], {}]}, "integer or boolean or number or array or object or null"),
        ({"x-extensible-enum": ["a"]}, "any"),
        ({"allOf": [TEXT]}, "string"),
        (True, "any"),
        (False, "none"),
    ],
)  # fmt: skip
def test_the_type_of_a_field(field: Any, expected: str) -> None:
    assert one(field).type == expected


def test_a_type_that_branches_give_is_either() -> None:
    branches = [{"properties": {"a": TEXT}}, {"properties": {"a": WHOLE}}]
    assert rows({"anyOf": branches})["/a"].type == "string or integer"


def test_a_reference_to_nothing_is_an_error() -> None:
    with pytest.raises(SchemaError, match="points at nothing"):
        fields_of({"properties": {"a": {"$ref": "#/definitions/none"}}})


@pytest.mark.parametrize("contract", CONTRACTS, ids=lambda contract: contract.name)
def test_the_rows_of_the_bundled_contracts_are_their_properties(contract: Any) -> None:
    schema = contract.schema
    found = fields_of(schema)
    assert [row.name for row in found] == list(schema["properties"])
    assert [row.name for row in found if row.required] == [
        name for name in schema["properties"] if name in schema["required"]
    ]
    assert all(row.description for row in found)


def test_every_listed_value_of_the_bundled_contracts_has_its_meaning() -> None:
    listed = [each for contract in Catalog.bundled() for row in fields_of(contract.schema) for each in row.listed]
    assert listed
    assert all(each.meaning for each in listed)


def test_a_field_that_may_be_null_is_told_as_one_that_may_not() -> None:
    day = {"type": "string", "format": "date", "description": "When."}
    row = one({"anyOf": [day, {"type": "null"}], "default": None})
    assert (row.type, row.format, row.description, row.default) == ("string or null", "date", "When.", "null")
    assert row.meaning == "When. Default: null."
    row = one({"oneOf": [{"type": "null"}, {"anyOf": [{"const": None}, {"enum": ["a", "b"]}]}]})
    assert (row.type, row.values) == ("string or null", ("a", "b"))
    row = one({"anyOf": [{"$ref": "#/definitions/day"}, {"type": "null"}]}, definitions={"day": day})
    assert (row.type, row.format) == ("string or null", "date")
    # What holds for some of its values only is told of these.
    row = one({"anyOf": [day, TEXT, {"type": "null"}]})
    assert (row.format, row.description) == ("string (date) or string", "")
    assert one({"anyOf": [{"type": "null"}, {"anyOf": [{"$ref": "#/properties/a"}]}]}).type == "one of several"


def test_what_an_object_requires_it_requires_where_it_may_be_null() -> None:
    inner = {"type": "object", "properties": {"zip": TEXT, "city": TEXT}, "required": ["zip"]}
    found = rows({"properties": {"a": {"anyOf": [inner, {"type": "null"}]}}})
    assert {path: row.required for path, row in found.items()} == {"/a": False, "/a/zip": True, "/a/city": False}
    assert not rows({"properties": {"a": {"anyOf": [{"type": "null"}]}, "b": TEXT}})["/b"].required


def test_what_is_said_of_the_items_of_a_list() -> None:
    tag = {
        "type": "string",
        "format": "uuid",
        "description": "A tag.",
        "enum": ["x", "y"],
        "x-enum-meanings": {"x": "The first."},
        "x-unit": "letters",
        "pattern": "^x",
    }
    row = one({"type": "array", "items": tag, "minItems": 1, "uniqueItems": True, "default": []})
    assert row.type == "array of string"
    assert row.format == "at least 1 item, no item twice, each item: uuid"
    assert row.meaning == "Default: []. Each item: A tag. Unit: letters. Pattern: ^x One of: x, y."
    assert (row.description, row.listed, row.values) == ("", (), None)
    assert row.items is not None
    assert row.items.listed == (ListedValue("x", "The first."), ListedValue("y", None))
    assert (row.items.unit, row.items.pattern, row.items.extensible) == ("letters", "^x", False)
    assert json.loads(json.dumps(row.as_json()))["items"]["listed"][1] == {"value": "y", "meaning": None}
    row = one({"type": "array", "items": {"type": "array", "items": {"minLength": 1, "maxLength": 2, **TEXT}}})
    assert row.format == "each item: each item: at least 1 character, at most 2 characters"
    assert one({"type": "array", "items": TEXT}).items is None
    assert one({"anyOf": [{"type": "array", "items": tag}, {"type": "null"}]}).items is not None


def test_items_of_their_own_kind_are_told_once() -> None:
    row = one({"type": "array", "description": "A tree.", "items": {"$ref": "#/properties/a"}})
    assert row.meaning == "A tree. Each item: A tree. a[][]: as a[], and so on."


@pytest.mark.parametrize("listed", [True, None, 1, "ab", {"a": 1}])
@pytest.mark.parametrize("meanings", [["a"], True, "a", {"a": 1, "b": None}])
def test_keywords_that_say_nothing_are_passed_over(listed: Any, meanings: Any) -> None:
    row = one({"type": "string", "x-extensible-enum": listed, "x-enum-meanings": meanings, "x-unit": 1})
    assert (row.listed, row.values, row.unit) == ((), None, None)
    row = one({"enum": ["a"], "x-enum-meanings": meanings})
    assert row.listed == (ListedValue("a", None),)
