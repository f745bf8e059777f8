"""Every engine gives jsonschema's verdict, on generated schemas and documents, open and closed."""

import functools
import re
from typing import Any

import jsonschema
import msgspec
import pytest
from hypothesis import assume, given

from jobarium_events.errors import SchemaError
from jobarium_events.validation import Validator, formats
from jobarium_events.validation.checking import Checker
from jobarium_events.validation.closing import closed as closed_form
from jobarium_events.validation.engines.fastjsonschema import FastJsonSchema
from jobarium_events.validation.engines.jsonschema import JsonSchema, validator_class
from jobarium_events.validation.engines.jsonschema_rs import JsonSchemaRs
from jobarium_events.validation.patterns import translate
from jobarium_events.validation.references import walk
from tests.strategies import examples
from tests.validation.schemas import cases

generated = examples(60)


def oracle(schema: Any, *, closed: bool) -> Any:
    """jsonschema itself, told of the formats' definitions and of ECMA's patterns, and nothing else of the library."""
    checker = jsonschema.FormatChecker(formats=())
    checker.checkers = {name: (check, ()) for name, check in formats.CHECKS.items()}

    def pattern(validator: Any, text: str, instance: Any, _: Any) -> Any:
        if isinstance(instance, str) and not re.search(translate(text), instance):
            yield jsonschema.ValidationError("no match")

    v = Validator(schema)
    cls = jsonschema.validators.extend(validator_class(v.dialect), {"pattern": pattern})
    return cls(closed_form(schema) if closed else schema, format_checker=checker)


def compiled(schema: Any, *, closed: bool) -> Validator:
    try:
        return Validator(schema, closed=closed)
    except SchemaError as error:
        refused = error.problem
    assume("leads back to itself" not in refused)  # the one thing that the strategies do not avoid
    raise AssertionError(refused)


def forced(validator: Validator) -> dict[str, Checker]:
    """Every engine that takes the schema, whichever would be chosen."""
    prepared, explain = validator._prepared, validator._explain
    engines: dict[str, Checker] = {"jsonschema": JsonSchema(prepared)}
    for name, make in (("fastjsonschema", FastJsonSchema), ("jsonschema-rs", JsonSchemaRs)):
        if name == "fastjsonschema" and validator.dialect != "draft-07":
            continue
        try:
            engines[name] = make(prepared, explain)
        except SchemaError:
            continue
    return engines


@pytest.mark.parametrize("closed", [False, True], ids=["open", "closed"])
@generated
@given(case=cases())
def test_all_engines_agree(case: Any, closed: bool) -> None:
    schema, documents = case
    validator = compiled(schema, closed=closed)
    expected = oracle(schema, closed=closed)
    engines = forced(validator)
    for document in documents:
        want = expected.is_valid(document)
        got = {name: engine.accepts(document) for name, engine in engines.items()}
        got["validator"] = validator.is_valid(document)
        assert got == dict.fromkeys(got, want), (validator.engine, document)
        for name, engine in engines.items():
            assert (engine.first(document) is None) == want, name


@pytest.mark.parametrize("closed", [False, True], ids=["open", "closed"])
@generated
@given(case=cases())
def test_reasons_are_right(case: Any, closed: bool) -> None:
    schema, documents = case
    validator = compiled(schema, closed=closed)
    for document in documents:
        violations = validator.violations(document)
        assert (violations == []) == validator.is_valid(document)
        first = validator.first_violation(document)
        if not violations:
            assert first is None
            continue
        assert first in violations
        for engine in forced(validator).values():
            assert engine.first(document) in violations
        assert all(each.rule != "schema" for each in violations)
        assert violations == sorted(violations, key=lambda each: (each.pointer, each.rule, repr(each.limit)))


@pytest.mark.parametrize("closed", [False, True], ids=["open", "closed"])
@generated
@given(case=cases())
def test_what_the_schema_accepts_can_be_converted(case: Any, closed: bool) -> None:
    schema, documents = case
    validator = compiled(schema, closed=closed)
    for document in documents:
        if validator.is_valid(document):
            try:
                value = validator.convert(document)
            except msgspec.ValidationError:
                assert has_tricky_numbers(document)
                continue
            if validator.reading.exact:
                assert validator.is_valid(msgspec.json.decode(msgspec.json.encode(value))) or has_tricky_numbers(
                    document
                )
            if validator.keeps_all:
                assert plain(msgspec.to_builtins(value)) == plain(document)


def plain(value: Any) -> Any:
    """The value, with formatted texts and numbers in one spelling."""
    if isinstance(value, dict):
        return {name: plain(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return list(map(plain, value))
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    if isinstance(value, str):
        return functools.reduce(respelled, formats.TYPES.values(), value)
    return value


def respelled(text: Any, kind: Any) -> Any:
    try:
        return msgspec.to_builtins(msgspec.convert(text, kind))
    except msgspec.ValidationError:
        return text


def has_tricky_numbers(value: Any) -> bool:
    if isinstance(value, dict):
        return any(map(has_tricky_numbers, value.values()))
    if isinstance(value, list):
        return any(map(has_tricky_numbers, value))
    return isinstance(value, int | float) and abs(value) > 2**53


@generated
@given(case=cases())
def test_what_a_producer_emits_a_consumer_accepts(case: Any) -> None:
    schema, documents = case
    emitted, accepted = compiled(schema, closed=True), compiled(schema, closed=False)
    for document in documents:
        assert accepted.is_valid(document) or not emitted.is_valid(document)


@generated
@given(case=cases(typed=True))
def test_the_typed_engine_decodes_as_it_converts(case: Any) -> None:
    schema, documents = case
    validator = compiled(schema, closed=False)
    assume(validator.engine == "msgspec")
    for document in documents:
        try:
            msgspec.json.decode(msgspec.json.encode(document), type=validator.type)
        except msgspec.ValidationError:
            continue
        assert validator.is_valid(document)


def test_walk_is_what_the_strategies_rely_on() -> None:
    assert [pointer for pointer, _ in walk({"properties": {"a/b": {"items": True}}})] == [
        "", "/properties/a~1b", "/properties/a~1b/items",
    ]  # fmt: skip


@pytest.mark.parametrize("dialect", ["2019-09", "2020-12"])
@pytest.mark.parametrize("needed", [["b"], {"required": ["b"]}, False])
def test_a_keyword_that_the_later_dialects_dropped_asserts_nothing_in_any_engine(dialect: str, needed: Any) -> None:
    uri = f"https://json-schema.org/draft/{dialect}/schema"
    inner = {"type": "object", "dependencies": {"c": needed}}
    schema = {
        "$schema": uri,
        "dependencies": {"a": needed, "shelf": inner},
        "properties": {"a": {"$ref": "#/dependencies/shelf"}},
    }
    validator = Validator(schema)
    for document, valid in (({"a": {"c": 1}}, True), ({"a": 1}, False), ({"shelf": 1}, True)):
        assert oracle(schema, closed=False).is_valid(document) is valid
        got = {name: engine.accepts(document) for name, engine in forced(validator).items()}
        assert got == {"jsonschema": valid, "jsonschema-rs": valid}
        assert validator.is_valid(document) is valid
