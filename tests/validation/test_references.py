"""References are resolved within the schema, and nowhere else."""

import socket
from typing import Any

import pytest

from jobarium_events.errors import SchemaError
from jobarium_events.validation import checking, compile_schema
from jobarium_events.validation.references import bundled, endless, has_only_pointers, lookup, lost_references, walk

LATER = "https://json-schema.org/draft/2020-12/schema"


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("something was to be fetched")

    monkeypatch.setattr(socket, "socket", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


@pytest.mark.parametrize(
    "reference",
    [
        "http://nowhere.invalid/a.json",
        "http://nowhere.invalid/a.json#/definitions/A",
        "https://nowhere.invalid/",
        "other.json",
        "file:///etc/passwd",
        "urn:uuid:deadbeef-1234-00ff-ff00-4321feebdaed",
        "#anchor",
        "#/definitions/missing",
        "#/definitions/A/0",
        "#/type",
        "http://[",
    ],
)
@pytest.mark.parametrize("dialect", [None, LATER], ids=["draft-07", "2020-12"])
def test_a_reference_out_of_the_schema_is_refused_by_place(reference: str, dialect: str | None) -> None:
    schema = {"type": "object", "properties": {"a/b": {"$ref": reference}}, "definitions": {"A": {}}}
    schema |= {"$schema": dialect} if dialect else {}
    with pytest.raises(SchemaError) as caught:
        compile_schema(schema)
    assert caught.value.pointer == "/properties/a~1b/$ref"
    assert reference in caught.value.problem


def test_the_way_out_is_named() -> None:
    with pytest.raises(SchemaError, match="nothing is fetched, so copy its target into the schema"):
        compile_schema({"$ref": "http://nowhere.invalid/a.json"})


@pytest.mark.parametrize("rust", [True, False], ids=["rust", "no rust"])
@pytest.mark.parametrize(
    "data",
    [
        {"enum": [{"$ref": "http://nowhere.invalid/"}]},
        {"const": {"$id": "http://nowhere.invalid/", "$ref": "b"}},
        {"default": {"$ref": "http://nowhere.invalid/"}, "minLength": 1},
        {"examples": [{"$ref": "http://nowhere.invalid/"}], "minLength": 1},
        {"x-note": {"$ref": "http://nowhere.invalid/"}, "minLength": 1},
        {"properties": {"$ref": {"type": "string"}, "$id": {"type": "string"}}},
    ],
)
@pytest.mark.parametrize("dialect", [None, LATER], ids=["draft-07", "2020-12"])
def test_data_that_looks_like_a_reference_is_data(
    data: dict[str, Any], dialect: str | None, rust: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not rust:
        monkeypatch.setattr(checking, "rust_available", lambda: False)
    validator = compile_schema({**data, **({"$schema": dialect} if dialect else {})})
    for document in ("", "x", {"$ref": "http://nowhere.invalid/"}, {"$ref": 1}):
        assert validator.is_valid(document) == (validator.violations(document) == [])


@pytest.mark.parametrize("name", ["a", "a b", "a/b", "a~b", "a%b", "é", "", '"', "{x}", "$ref"])
def test_a_definition_may_have_any_name(name: str) -> None:
    token = name.replace("~", "~0").replace("/", "~1").replace("%", "%25")
    schema = {"items": {"$ref": f"#/definitions/{token}"}, "definitions": {name: {"type": "null"}, "other": True}}
    validator = compile_schema(schema)
    assert validator.is_valid([None])
    assert [each.pointer for each in validator.violations([1])] == ["/0"]


def test_a_pointer_may_lead_anywhere_in_the_schema() -> None:
    schema = {"items": [{"type": "null"}], "additionalItems": {"$ref": "#/items/0"}}
    assert compile_schema(schema).is_valid([None, None])
    assert not compile_schema(schema).is_valid([None, 1])


def test_a_target_outside_every_keyword_is_followed() -> None:
    schema = {"$ref": "#/x-shelf/A", "x-shelf": {"A": {"items": {"$ref": "#/x-shelf/B"}}, "B": {"type": "null"}}}
    assert compile_schema(schema).is_valid([None])
    assert not compile_schema(schema).is_valid([1])
    schema["x-shelf"]["B"] = {"$ref": "http://nowhere.invalid/"}  # type: ignore[index]
    with pytest.raises(SchemaError, match="leads out of this schema"):
        compile_schema(schema)


def test_names_within_the_schema_are_resolved() -> None:
    anchored = {"$schema": LATER, "items": {"$ref": "#x"}, "$defs": {"A": {"$anchor": "x", "type": "null"}}}
    identified = {
        "$id": "http://a.invalid/root.json",
        "items": {"$ref": "item.json"},
        "definitions": {"A": {"$id": "item.json", "type": "null"}},
    }
    for schema in (anchored, identified):
        validator = compile_schema(schema)
        assert validator.is_valid([None])
        assert not validator.is_valid([1])


def test_a_metaschema_may_be_referred_to() -> None:
    validator = compile_schema({"$ref": "http://json-schema.org/draft-07/schema#"})
    assert validator.is_valid({"type": "string"})
    assert not validator.is_valid({"type": "strnig"})


@pytest.mark.parametrize(
    "schema",
    [
        {"$ref": "#"},
        {"allOf": [{"$ref": "#"}]},
        {"not": {"$ref": "#"}},
        {
            "$ref": "#/definitions/A",
            "definitions": {"A": {"$ref": "#/definitions/B"}, "B": {"$ref": "#/definitions/A"}},
        },
        {"properties": {"a": {"anyOf": [{"type": "null"}, {"$ref": "#/properties/a"}]}}},
        {"$schema": LATER, "dependentSchemas": {"a": {"$ref": "#"}}},
    ],
)
def test_a_reference_to_itself_is_refused(schema: dict[str, Any]) -> None:
    with pytest.raises(SchemaError, match="leads back to itself"):
        compile_schema(schema)


def test_what_stands_beside_a_reference_counts_in_later_dialects_alone() -> None:
    schema = {"$ref": "#/definitions/A", "type": "integer", "definitions": {"A": {"minimum": 1}}}
    assert compile_schema(schema).is_valid(1.5)
    assert not compile_schema({**schema, "$schema": LATER}).is_valid(1.5)


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        ({"items": {"items": {"type": "array"}}}, False),
        ({"items": {"$ref": "#/definitions/A"}, "definitions": {"A": {"type": "array"}}}, False),
        ({"items": {"$ref": "#"}}, True),
        ({"items": {"$ref": "#/definitions/A"}, "definitions": {"A": {"items": {"$ref": "#/definitions/A"}}}}, True),
        ({"uniqueItems": True}, True),
        ({"uniqueItems": False}, False),
        ({"enum": ["a", 1]}, False),
        ({"enum": ["a", []]}, True),
        ({"const": {}}, True),
    ],
)
def test_endless(schema: dict[str, Any], expected: bool) -> None:
    assert endless(schema) is expected


def test_walk_yields_each_subschema_with_its_pointer() -> None:
    schema = {"properties": {"a/b": {"items": True}}, "allOf": [{}], "enum": [{"items": {}}], "x": {"items": {}}}
    assert {pointer for pointer, _ in walk(schema)} == {"", "/properties/a~1b", "/properties/a~1b/items", "/allOf/0"}


@pytest.mark.parametrize("reference", ["#/a/b", "#/a/²", "#/a/-1", "#/a/9", "#/b", "#/a/0"])
def test_lookup_refuses_what_is_not_there(reference: str) -> None:
    with pytest.raises(SchemaError):
        lookup({"a": ["no schema"]}, reference)


def test_every_lost_reference_is_named() -> None:
    schema = {
        "properties": {"a": {"$ref": "#/none"}, "b": {"$ref": "#/nothing"}},
        "$defs": {"c": {"$ref": "#/$defs/c"}},
    }
    assert {error.pointer for error in lost_references(schema)} == {"/properties/a/$ref", "/properties/b/$ref"}
    far = {"properties": {"a": {"$ref": "a.json"}, "b": {"$ref": "b.json"}}}
    assert {error.pointer for error in lost_references(far)} == {"/properties/a/$ref", "/properties/b/$ref"}


def test_in_a_schema_with_other_mistakes_only_pointers_are_followed() -> None:
    assert [e.pointer for e in lost_references({"type": 1, "not": {"$ref": "#/none"}}, valid=False)] == ["/not/$ref"]
    assert lost_references({"$id": 1, "type": 1, "not": {"$ref": "a.json"}}, valid=False) == []
    assert lost_references({"properties": {"a": {"$ref": "#"}}}) == []


TEXT = {"type": "string"}
BUNDLES = [
    {
        "$id": "http://x.test/a",
        "properties": {"a": {"$ref": "b"}},
        "definitions": {"b": {"$id": "b", "type": "string"}},
    },
    {"properties": {"a": {"$ref": "#here"}}, "definitions": {"b": {"$id": "#here", "type": "string"}}},
    {"$id": "http://x.test/tree", "type": "object", "properties": {"a": TEXT, "next": {"$ref": "tree"}}},
    {"$schema": LATER, "properties": {"a": {"$ref": "#b"}}, "$defs": {"b": {"$anchor": "b", "type": "string"}}},
    {"properties": {"a": {"$ref": "#/x/y"}}, "x": {"y": {"type": "string"}}},
    {"properties": {"a": {"type": "string"}, "meta": {"$ref": "http://json-schema.org/draft-07/schema#"}}},
]


@pytest.mark.parametrize("schema", BUNDLES)
def test_a_bundle_means_the_same_and_has_only_pointers(schema: dict[str, Any]) -> None:
    bundle = bundled(schema)
    assert has_only_pointers(bundle)
    one, other = compile_schema(schema), compile_schema(bundle)
    documents = [{}, {"a": "x"}, {"a": 1}, {"next": {"a": 1}}, {"next": {"next": {"a": "x"}}}, {"meta": {"type": 1}}, 3]
    assert [one.is_valid(each) for each in documents] == [other.is_valid(each) for each in documents]
    assert len({one.is_valid(each) for each in documents}) == 2


def test_what_needs_no_bundle_is_left_as_it_is() -> None:
    schema = {"properties": {"a": {"$ref": "#/definitions/a"}}, "definitions": {"a": {"type": "string"}}}
    assert bundled(schema) is schema
    assert bundled(True) is True
