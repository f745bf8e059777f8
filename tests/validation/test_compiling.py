"""What holds of a compiled schema, whichever engine serves it."""

import copy
import json
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given

from jobarium_events.errors import SchemaError, Violation
from jobarium_events.validation import Validator, checking, compile_schema
from jobarium_events.validation.documents import DEEPEST, too_deep
from tests.strategies import examples
from tests.validation.schemas import cases, schemas

LATER = "https://json-schema.org/draft/2020-12/schema"
SCHEMAS = Path(__file__).parents[2] / "schemas"
# Each makes one engine serve whatever else the schema says.
SERVED_BY: dict[str, dict[str, Any]] = {
    "msgspec": {},
    "fastjsonschema": {"not": {"const": "never"}},
    "jsonschema-rs": {"$schema": LATER, "not": {"const": "never"}},
    "jsonschema": {"$schema": LATER, "not": {"const": "never"}},
}


@pytest.fixture(params=SERVED_BY)
def engine(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    name: str = request.param
    if name == "jsonschema":
        monkeypatch.setattr(checking, "rust_available", lambda: False)
    return name


def served(engine: str, schema: dict[str, Any], *, closed: bool = False) -> Validator:
    validator = compile_schema({**SERVED_BY[engine], **schema}, closed=closed)
    assert validator.engine == engine
    return validator


def nested(levels: int, value: Any = None, kind: type = list) -> Any:
    for _ in range(levels):
        value = [value] if kind is list else {"next": value}
    return value


RECURSIVE = {"type": "object", "properties": {"next": {"anyOf": [{"$ref": "#"}, {"type": "null"}]}}}


def test_too_deep_for_a_recursive_schema(engine: str) -> None:
    validator = served(engine, RECURSIVE)
    assert validator.is_valid(nested(DEEPEST, kind=dict))
    assert validator.violations(nested(DEEPEST, kind=dict)) == []
    for levels in (DEEPEST + 1, 500, 5_000, 200_000):
        document = nested(levels, kind=dict)
        assert not validator.is_valid(document)
        assert validator.violations(document) == [Violation("", "depth", DEEPEST)]
        assert validator.first_violation(document) == Violation("", "depth", DEEPEST)


def test_depth_below_what_a_schema_looks_at_is_no_concern_of_it(engine: str) -> None:
    validator = served(engine, {"type": "object", "properties": {"a": {"type": "integer"}, "free": {}}})
    for levels in (DEEPEST + 1, 500, 5_000):
        document = {"a": 1, "free": nested(levels), "unknown": nested(levels, kind=dict)}
        assert validator.is_valid(document)
        assert validator.violations(document) == []
        assert validator.convert(document).a == 1
        bad = {**document, "a": nested(levels)}
        assert not validator.is_valid(bad)
        assert len(validator.violations(bad)) == 1
        assert validator.first_violation(bad) in validator.violations(bad)


@pytest.mark.parametrize("keyword", [{"uniqueItems": True}, {"enum": [[1], [[2]]]}, {"const": [[1]]}])
@pytest.mark.parametrize("dialect", [{}, {"$schema": LATER}], ids=["draft-07", "2020-12"])
@pytest.mark.parametrize("rust", [True, False], ids=["rust", "no rust"])
def test_too_deep_for_a_comparison(
    keyword: dict[str, Any], dialect: dict[str, Any], rust: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not rust:
        monkeypatch.setattr(checking, "rust_available", lambda: False)
    validator = compile_schema({**keyword, **dialect})
    for levels in (DEEPEST + 1, 5_000, 200_000):
        document = [nested(levels), nested(levels)]
        assert not validator.is_valid(document)
        assert validator.violations(document) == [Violation("", "depth", DEEPEST)]


@pytest.mark.parametrize(("document", "levels"), [(1, 0), ("a", 0), ([], 1), ({}, 1), ([{}, 1], 2), ({"a": [[]]}, 3)])
def test_levels(document: Any, levels: int) -> None:
    assert not too_deep(document, levels)
    assert levels == 0 or too_deep(document, levels - 1)


def test_half_a_surrogate_pair(engine: str) -> None:
    validator = served(engine, {"type": "object", "properties": {"a": {"type": "string"}, "b": {"enum": ["x"]}}})
    assert validator.is_valid({"a": "\ud800"})
    assert validator.is_valid({"\ud800": 1})
    for document in ({"b": "\ud800"}, {"a": 1, "\udfff": 1}):
        assert not validator.is_valid(document)
        assert len(validator.violations(document)) == 1
        assert validator.first_violation(document) in validator.violations(document)
    with pytest.raises(msgspec.ValidationError):
        validator.convert({"\ud800": 1})


@pytest.mark.parametrize("number", [2**53 + 1, 2**63, 2**64 + 1, -(2**63) - 1, 10**30, 10**400, 1e300, 5e-324, -0.0])
def test_numbers_beyond_the_machine(engine: str, number: float) -> None:
    whole = isinstance(number, int) or number.is_integer()
    assert served(engine, {"type": "integer"}).is_valid(number) == whole
    assert served(engine, {"type": "number"}).is_valid(number)
    assert served(engine, {"type": "integer", "maximum": 10}).is_valid(number) == (whole and number <= 10)
    assert served(engine, {"type": "number", "minimum": 0.5}).is_valid(number) == (number >= 0.5)


@pytest.mark.parametrize("divisor", [0.01, 0.1, 1e-7])
def test_remainders_are_those_of_decimals(engine: str, divisor: float) -> None:
    if engine == "jsonschema":  # the one that Rust's absence leaves
        assert compile_schema({"multipleOf": divisor}).engine == "jsonschema"
    validator = compile_schema({"multipleOf": divisor})
    for number in (19.9, 0.3, 1, -1.1, 10**20, 1e20):
        assert validator.is_valid(number)
    for number in (19.95000000001, 0.30000000001, 5e-324):
        assert not validator.is_valid(number)


def test_remainders(engine: str) -> None:
    schema = {"type": "integer", "multipleOf": 3}
    # fastjsonschema is never asked for a remainder
    validator = compile_schema(schema) if engine == "fastjsonschema" else served(engine, schema)
    for number in (0, 3, -9, 10**30 - 1, 3 * 2**64, 9.0, 3e30 - 3e30):
        assert validator.is_valid(number)
    for number in (1, 10**30, 3 * 2**64 + 1, 10.0):
        assert not validator.is_valid(number)


def test_an_integer_may_be_written_with_a_fraction_of_zero(engine: str) -> None:
    schema = {
        "type": "object",
        "properties": {"a": {"type": "integer"}, "b": {"type": "array", "items": {"enum": [1]}}},
    }
    validator = served(engine, schema)
    value = validator.convert({"a": 3.0, "b": [1.0]})
    assert (value.a, type(value.a), value.b) == (3, int, [1])


@examples(60)
@given(cases(count=3))
def test_no_violation_holds_a_value(case: Any) -> None:
    schema, documents = case
    try:
        validator = compile_schema(schema)
    except SchemaError:
        return
    for document in [marked(each) for each in documents]:
        for violation in validator.violations(document):
            assert "TOP-SECRET" not in repr(violation) + str(violation)


def marked(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: marked(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return list(map(marked, value))
    return f"TOP-SECRET{value}" if isinstance(value, str) else value


@examples(40)
@given(cases(count=3))
def test_neither_schema_nor_document_is_changed(case: Any) -> None:
    before = copy.deepcopy(case)
    schema, documents = case
    for closed in (False, True):
        try:
            validator = compile_schema(schema, closed=closed)
        except SchemaError:
            continue
        for document in documents:
            if not validator.violations(document) and not too_deep(document, 8):
                validator.is_valid(document)
    assert repr(case) == repr(before)


@examples(40)
@given(cases(count=3))
def test_a_field_looked_at_first_gives_a_violation_too(case: Any) -> None:
    schema, documents = case
    try:
        validator = compile_schema(schema)
    except SchemaError:
        return
    for document in documents:
        violations = validator.violations(document)
        names = [*document, "missing", "date"] if isinstance(document, dict) else ["a"]
        for name in names:
            near = validator.first_violation(document, name)
            assert (near in violations) if violations else (near is None)


@examples(30)
@given(schema=schemas(typed=True))
def test_the_same_schema_gives_the_same_types(schema: Any) -> None:
    try:
        one, other = compile_schema(schema), compile_schema(copy.deepcopy(schema))
    except SchemaError:
        return
    assert one.type == other.type


def test_a_value_can_be_pickled() -> None:
    value = compile_schema(RECURSIVE).convert({"next": {"next": None}})
    assert pickle.loads(pickle.dumps(value)) == value


@pytest.mark.parametrize(
    ("schema", "document", "expected"),
    [
        ({"required": ["a/b", "c"]}, {}, ["/a~1b: is required", "/c: is required"]),
        ({"type": ["string", "null"]}, 1, ["the document: must be of type string or null"]),
        ({"items": {"type": "integer"}}, [1, "x", 2.5], ["/1: must be of type integer", "/2: must be of type integer"]),
        ({"additionalProperties": False}, {"x": 1, "y": 2}, [f"/{n}: is not a field of the contract" for n in "xy"]),
        ({"properties": {"a": {"maximum": 3}}}, {"a": 4}, ["/a: breaks maximum 3"]),
        ({"allOf": [{"minimum": 5}, {"minimum": 7}]}, 1, [f"the document: breaks minimum {n}" for n in (5, 7)]),
        ({"format": "date"}, "x", ["the document: must be a valid date"]),
        ({"properties": {"a": False}}, {"a": 1}, ["/a: must not be there"]),
        ({"enum": ["a", "b"]}, "c", ["the document: must be one of a, b"]),
        ({"not": {}}, 1, ["the document: breaks not"]),
        (
            {"oneOf": [{"properties": {"k": {"const": n}, "x": {"type": "null"}}, "required": ["k"]} for n in "ab"]},
            {"k": "b", "x": 1},
            ["/x: must be of type null"],
        ),
        ({"anyOf": [{"type": "string"}, {"type": "integer", "minimum": 3}]}, 1, ["the document: breaks minimum 3"]),
        ({"anyOf": [{"minimum": 3}, {"minimum": 4}]}, 1, ["the document: breaks anyOf"]),
    ],
)  # fmt: skip
@pytest.mark.parametrize("dialect", [{}, {"$schema": LATER}], ids=["draft-07", "2020-12"])
def test_reasons(schema: dict[str, Any], document: Any, expected: list[str], dialect: dict[str, Any]) -> None:
    validator = compile_schema({**schema, **dialect})
    assert [str(each) for each in validator.violations(document)] == expected
    assert str(validator.first_violation(document)) in expected


@pytest.mark.parametrize("file", sorted(SCHEMAS.glob("*/v*.json")), ids=lambda file: f"{file.parent.name}-{file.stem}")
def test_every_bundled_contract_is_typed(file: Path) -> None:
    schema = json.loads(file.read_text())
    assert compile_schema(schema).engine == compile_schema(schema, closed=True).engine == "msgspec"


def test_no_engine_is_imported_before_it_is_needed() -> None:
    code = "import sys, jobarium_events.validation; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert {"jsonschema", "jsonschema_rs", "fastjsonschema", "referencing"}.isdisjoint(done.stdout.split())
    assert "msgspec" in done.stdout.split()


def test_free_form() -> None:
    assert compile_schema({"type": "object", "properties": {"a": {}}}).free_form
    assert compile_schema({"type": "array"}).free_form
    assert not compile_schema(RECURSIVE).free_form
