"""The official JSON Schema suite: the same verdicts, but for what is listed here, each with its reason."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from jobarium_events.errors import SchemaError
from jobarium_events.validation import checking, compile_schema

SUITE = Path(__file__).parents[3] / "shared" / "suites" / "json-schema-test-suite" / "tests"
DIALECTS = {
    "draft7": "http://json-schema.org/draft-07/schema#",
    "draft2019-09": "https://json-schema.org/draft/2019-09/schema",
    "draft2020-12": "https://json-schema.org/draft/2020-12/schema",
}

# The library checks four formats in every dialect; the suite has them as annotations.
FORMATS = {
    ("draft2020-12", "format.json", f"{name} format", f"invalid {name} string is only an annotation by default")
    for name in ("date", "date-time", "time", "uuid")
}
# jsonschema does not count what an `additionalProperties` schema evaluated. jsonschema-rs does.
UNEVALUATED = {
    (
        "draft2019-09",
        "unevaluatedProperties.json",
        "unevaluatedProperties with adjacent non-bool additionalProperties",
        "with additional properties",
    )
}
# How many schemas of each file are refused, since they refer to another document, or to a metaschema of their own.
REFUSED = Counter(
    {
        ("draft7", "refRemote.json"): 11,
        ("draft2019-09", "refRemote.json"): 15,
        ("draft2020-12", "refRemote.json"): 15,
        ("draft2020-12", "dynamicRef.json"): 5,
        ("draft2019-09", "vocabulary.json"): 2,
        ("draft2020-12", "vocabulary.json"): 2,
    }
)

# A little of everything, for where the suite is not at hand: schema, valid, invalid.
SAMPLE: list[tuple[Any, list[Any], list[Any]]] = [
    (True, [None, 1], []),
    (False, [], [None, {}]),
    ({"type": "integer"}, [1, 1.0, -(10**30)], [1.5, "1", True, None]),
    ({"type": ["number", "null"]}, [1, 1.5, None], ["", False]),
    ({"enum": [1, "a", [0], {"x": False}]}, [1, 1.0, "a", [0], {"x": False}], [True, [False], {"x": 0}]),
    ({"const": [1]}, [[1], [1.0]], [[True], 1]),
    ({"multipleOf": 0.01}, [19.99, 0, "x"], [0.001]),
    ({"multipleOf": 3}, [9, 9.0, 3e30], [10, 1e16]),
    ({"minLength": 1, "maxLength": 2}, ["é", "😀😀", 5], ["", "abc"]),
    ({"uniqueItems": True}, [[1, True], [[1], [True]], [{}, []]], [[1, 1.0], [[1], [True], [1]]]),
    ({"items": {"type": "string"}, "contains": {"const": "a"}}, [["a", "b"]], [["b"], ["a", 1]]),
    ({"properties": {"a": {"type": "null"}}, "required": ["b"]}, [{"b": 1}, {"a": None, "b": 1}, 3], [{"a": None}]),
    ({"patternProperties": {"^a": False}, "additionalProperties": {"const": 2}}, [{"b": 2}], [{"a": 1}, {"b": 1}]),
    ({"propertyNames": {"maxLength": 1}, "minProperties": 1}, [{"a": 1}], [{}, {"ab": 1}]),
    ({"allOf": [{"minimum": 1}, {"maximum": 2}], "not": {"const": 1.5}}, [1, 2], [0, 3, 1.5]),
    ({"oneOf": [{"minimum": 1}, {"maximum": 2}]}, [0, 3], [1.5]),
    ({"anyOf": [{"type": "string"}, {"minimum": 2}]}, ["", 2], [1]),
    ({"if": {"type": "string"}, "then": {"minLength": 1}, "else": {"type": "null"}}, ["a", None], ["", 1]),
    ({"$ref": "#/definitions/a%25b", "definitions": {"a%b": {"type": "null"}}}, [None], [1]),
    ({"items": {"$ref": "#"}, "type": "array"}, [[], [[], [[]]]], [[1], {}]),
]  # fmt: skip


@pytest.mark.parametrize("rust", [True, False], ids=["jsonschema-rs", "jsonschema"])
@pytest.mark.parametrize("dialect", DIALECTS)
def test_the_official_suite(dialect: str, rust: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if not SUITE.is_dir():
        pytest.skip(f"the official suite is not at {SUITE}")
    if not rust:
        monkeypatch.setattr(checking, "rust_available", lambda: False)
    wrong: set[tuple[str, ...]] = set()
    refused: Counter[tuple[str, str]] = Counter()
    engines: set[str] = set()
    checked = 0
    for file in sorted((SUITE / dialect).glob("*.json")):
        for case in json.loads(file.read_text()):
            schema = case["schema"]
            if isinstance(schema, dict) and "$schema" not in schema:
                schema = {"$schema": DIALECTS[dialect], **schema}
            try:
                validator = compile_schema(schema)
            except SchemaError:
                refused[dialect, file.name] += 1
                continue
            engines.add(validator.engine)
            for test in case["tests"]:
                checked += 1
                document, valid = test["data"], test["valid"]
                if validator.is_valid(document) != valid:
                    wrong.add((dialect, file.name, case["description"], test["description"]))
                    continue
                violations = validator.violations(document)
                assert (violations == []) == valid
                first = validator.first_violation(document)
                assert first in violations if violations else first is None
    expected = FORMATS if rust else FORMATS | UNEVALUATED
    assert wrong == {each for each in expected if each[0] == dialect}
    assert refused == Counter({key: count for key, count in REFUSED.items() if key[0] == dialect})
    assert checked > 850
    assert {"msgspec", "jsonschema-rs" if rust else "jsonschema"} <= engines
    assert "fastjsonschema" in engines  # for what names no dialect of its own


@pytest.mark.parametrize("rust", [True, False], ids=["jsonschema-rs", "jsonschema"])
@pytest.mark.parametrize("dialect", DIALECTS.values())
@pytest.mark.parametrize("case", SAMPLE)
def test_a_sample(
    case: tuple[Any, list[Any], list[Any]], dialect: str, rust: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    schema, valid, invalid = case
    if not rust:
        monkeypatch.setattr(checking, "rust_available", lambda: False)
    validator = compile_schema({"$schema": dialect, **schema} if isinstance(schema, dict) else schema)
    assert [document for document in valid if not validator.is_valid(document)] == []
    assert [document for document in invalid if validator.is_valid(document)] == []
    assert [validator.violations(document) for document in valid] == [[] for _ in valid]
    assert all(validator.violations(document) for document in invalid)
