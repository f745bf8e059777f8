"""A schema that is none is refused by place, whatever it is made of."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobarium_events.errors import SchemaError
from jobarium_events.validation import Validator, check_schema, compile_schema
from tests.strategies import examples
from tests.validation.schemas import documents, schemas

DIALECTS = [
    "http://json-schema.org/draft-07/schema#",
    "https://json-schema.org/draft/2019-09/schema",
    "https://json-schema.org/draft/2020-12/schema",
]
BAD: list[tuple[dict[str, Any], str]] = [
    ({"type": "strnig"}, "/type"),
    ({"properties": {"a": {"minimum": "1"}}}, "/properties/a/minimum"),
    ({"properties": {"a/b": 3}}, "/properties/a~1b"),
    ({"required": "a"}, "/required"),
    ({"maxLength": -1}, "/maxLength"),
    ({"multipleOf": 0}, "/multipleOf"),
    ({"allOf": []}, "/allOf"),
    ({"items": 1}, "/items"),
    ({"pattern": "("}, "/pattern"),
    ({"patternProperties": {"(?i)a": {}}}, "/patternProperties/(?i)a"),
]
NO_JSON: list[tuple[Any, str]] = [
    ({"const": float("nan")}, "/const"),
    ({"enum": [1, {"a": {1, 2}}]}, "/enum/1/a"),
    ({"default": object()}, "/default"),
    ({"description": "\ud800"}, "/description"),
    ({"properties": {"\udfff": {}}}, "/properties"),
    ({"properties": {1: {}}}, "/properties"),
    ({"enum": (1, 2)}, "/enum"),
    ({"maximum": float("inf")}, "/maximum"),
]


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize(("schema", "pointer"), BAD)
def test_a_mistake_is_placed(schema: dict[str, Any], pointer: str, dialect: str) -> None:
    schema = {"$schema": dialect, **schema}
    assert pointer in [mistake.pointer for mistake in check_schema(schema)]
    with pytest.raises(SchemaError) as caught:
        compile_schema(schema)
    assert caught.value.pointer == pointer


@pytest.mark.parametrize(("schema", "pointer"), NO_JSON)
def test_what_is_no_json_is_no_schema(schema: Any, pointer: str) -> None:
    assert [mistake.pointer for mistake in check_schema(schema)] == [pointer]
    with pytest.raises(SchemaError, match="no JSON"):
        compile_schema(schema)


@pytest.mark.parametrize("schema", [None, 1, "string", [], [{}], object(), {1, 2}])
def test_what_is_no_object_is_no_schema(schema: Any) -> None:
    with pytest.raises(SchemaError, match="an object or a boolean"):
        compile_schema(schema)


@pytest.mark.parametrize("uri", ["http://json-schema.org/draft-04/schema#", "http://nowhere.invalid/schema", 3])
def test_an_unknown_dialect_is_refused(uri: Any) -> None:
    with pytest.raises(SchemaError) as caught:
        compile_schema({"$schema": uri})
    assert caught.value.pointer == "/$schema"
    assert "draft-07" in caught.value.problem


@pytest.mark.parametrize("uri", [*DIALECTS, "http://json-schema.org/draft-07/schema"])
def test_a_dialect_is_known_by_its_uri(uri: str) -> None:
    assert compile_schema({"$schema": uri}).dialect in uri


@pytest.mark.parametrize("keyword", ["properties", "items", "allOf", "not", "const", "default"])
@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_schema_may_not_be_endlessly_deep(keyword: str, dialect: str) -> None:
    schema: Any = {}
    for _ in range(5000):
        schema = {keyword: {"a": schema} if keyword == "properties" else [schema] if keyword == "allOf" else schema}
    with pytest.raises(SchemaError, match="deep"):
        compile_schema({"$schema": dialect, **schema})


@pytest.mark.parametrize("closed", [False, True], ids=["open", "closed"])
@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_schema_may_be_rather_deep(dialect: str, closed: bool) -> None:
    schema: Any = {"type": "null"}
    document: Any = None
    for _ in range(20):
        schema = {"type": "object", "properties": {"a": {"type": "array", "items": schema, "minItems": 1}}}
        document = {"a": [document]}
    schema = schema["properties"]["a"]["items"]
    assert compile_schema({"$schema": dialect, **schema}, closed=closed).is_valid(document["a"][0])


@pytest.mark.parametrize("dialect", DIALECTS)
def test_lists_may_be_rather_deep(dialect: str) -> None:
    schema: Any = {"type": "string", "minLength": 1}
    document: Any = "a"
    for _ in range(60):
        schema = {"type": "array", "items": schema, "minItems": 1}
        document = [document]
    validator = compile_schema({"$schema": dialect, **schema})
    assert validator.is_valid(document)
    assert validator.violations(document) == []
    assert [each.rule for each in validator.violations(document[0])] == ["type"]


MAYBE_SCHEMAS = st.one_of(
    schemas(), schemas().flatmap(lambda schema: st.dictionaries(st.sampled_from(sorted(schema)), documents))
)


@examples(50)
@given(schema=MAYBE_SCHEMAS)
def test_nothing_but_a_schema_error_escapes(schema: Any) -> None:
    try:
        compile_schema(schema)
    except SchemaError as error:
        text = str(error)
    else:
        return
    assert text.startswith("schema")


@examples(50)
@given(schema=MAYBE_SCHEMAS)
def test_what_has_no_mistake_and_no_lost_reference_always_compiles(schema: Any) -> None:
    """So a catalog need not compile what it loads."""
    if check_schema(schema):
        return
    try:
        forms = [Validator(schema, closed=True), Validator(schema)]
    except SchemaError:
        return
    for form in forms:
        assert form.engine
        assert form.type is not None
        assert form.violations({"a": [1]}) is not None


WRONG = {"properties": 5}


@pytest.mark.parametrize(
    ("dialect", "keyword", "value", "pointer"),
    [
        (DIALECTS[0], "$defs", {"a/b": WRONG}, "/a~1b/properties"),
        (DIALECTS[0], "contentSchema", WRONG, "/properties"),
        (DIALECTS[0], "dependentSchemas", {"a/b": WRONG}, "/a~1b/properties"),
        (DIALECTS[0], "prefixItems", [{}, WRONG], "/1/properties"),
        (DIALECTS[0], "unevaluatedItems", WRONG, "/properties"),
        (DIALECTS[0], "unevaluatedProperties", WRONG, "/properties"),
        (DIALECTS[1], "prefixItems", [{}, WRONG], "/1/properties"),
        (DIALECTS[2], "additionalItems", WRONG, "/properties"),
    ],
)
def test_a_mistake_within_a_keyword_of_another_dialect(dialect: str, keyword: str, value: Any, pointer: str) -> None:
    for wrong, place in ((value, pointer), (1, "")):
        schema = {"$schema": dialect, "properties": {"x": {"properties": {}, keyword: wrong}}}
        assert {mistake.pointer for mistake in check_schema(schema)} == {f"/properties/x/{keyword}{place}"}
