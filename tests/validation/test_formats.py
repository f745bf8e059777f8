"""The four formats mean what their module's docstring says, in every engine."""

import datetime as dt
import uuid

import msgspec
import pytest

from jobarium_events.validation import Validator, checking
from jobarium_events.validation.formats import CHECKS, TYPES

CASES = {
    "uuid": (
        [
            "1b9d6bcd-bbfd-4b2d-9b5d-ab8dfbbd4bed",
            "1B9D6BCD-BBFD-4B2D-9B5D-AB8DFBBD4BED",
            "1b9d6bcdbbfd4b2d9b5dab8dfbbd4bed",
            "00000000-0000-0000-0000-000000000000",
        ],
        [
            "",
            "1b9d6bcd",
            "{1b9d6bcd-bbfd-4b2d-9b5d-ab8dfbbd4bed}",
            "urn:uuid:1b9d6bcd-bbfd-4b2d-9b5d-ab8dfbbd4bed",
            "1b9d6bcd-bbfd-4b2d-9b5dab8dfbbd4bed-",
            "gb9d6bcd-bbfd-4b2d-9b5d-ab8dfbbd4bed",
            " 1b9d6bcd-bbfd-4b2d-9b5d-ab8dfbbd4bed",
            "1b9d6bcd-bbfd-4b2d-9b5d-ab8dfbbd4bed\n",
        ],
    ),
    "date-time": (
        [
            "2024-02-29T10:00:00Z",
            "2024-02-29t10:00:00z",
            "2024-02-29 10:00:00Z",
            "2024-02-29T10:00:00+02:00",
            "2024-02-29T10:00:00-0200",
            "2024-02-29T10:00:00.123456789Z",
            "0001-01-01T00:00:00Z",
            "9999-12-31T23:59:59Z",
        ],
        [
            "2024-02-29T10:00:00",
            "2023-02-29T10:00:00Z",
            "2024-02-29",
            "2024-02-29T10:00Z",
            "2024-02-29T24:00:00Z",
            "2016-12-31T23:59:60Z",
            "0000-01-01T00:00:00Z",
            "2024-2-9T10:00:00Z",
            "2024-02-29T10:00:00Z\n",
            "2024-02-29T10:00:00Z٣",
            "1709200800",
        ],
    ),
    "date": (
        ["2024-02-29", "0001-01-01"],
        ["2023-02-29", "2024-13-01", "2024-2-9", "20240229", "2024-02-29T10:00:00Z", "0000-01-01", "2024-02-29\n", ""],
    ),
    "time": (
        ["10:00:00Z", "10:00:00z", "10:00:00+02:00", "10:00:00-0200", "10:00:00.5Z"],
        ["10:00:00", "10:00Z", "24:00:00Z", "23:59:60Z", "1:00:00Z", "10:00:00Z\n"],
    ),
}
EXAMPLES = [
    (name, text, valid)
    for name, both in CASES.items()
    for valid, texts in zip((True, False), both, strict=True)
    for text in texts
]


def test_every_format_is_covered() -> None:
    assert CASES.keys() == CHECKS.keys() == TYPES.keys()


@pytest.mark.parametrize(("name", "text", "valid"), EXAMPLES)
def test_the_definition(name: str, text: str, valid: bool) -> None:
    assert CHECKS[name](text) is valid


@pytest.mark.parametrize(
    "dialect", ["http://json-schema.org/draft-07/schema#", "https://json-schema.org/draft/2020-12/schema"]
)
@pytest.mark.parametrize("typed", [True, False], ids=["typed", "not typed"])
@pytest.mark.parametrize("rust", [True, False], ids=["rust", "no rust"])
@pytest.mark.parametrize("name", CASES)
def test_engines_follow_it(name: str, rust: bool, typed: bool, dialect: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if not rust:
        monkeypatch.setattr(checking, "rust_available", lambda: False)
    schema = {"$schema": dialect, "type": "string", "format": name, **({} if typed else {"not": {"const": ""}})}
    validator = Validator(schema)
    assert (validator.engine == "msgspec") is typed
    for text in CASES[name][0]:
        assert validator.is_valid(text)
        assert validator.violations(text) == []
    for text in CASES[name][1]:
        assert not validator.is_valid(text)
        assert "format" in [each.rule for each in validator.violations(text)]


@pytest.mark.parametrize("value", [None, 1, True, [], {}])
def test_a_format_speaks_of_strings_alone(value: object) -> None:
    assert all(check(value) for check in CHECKS.values())


def test_half_a_surrogate_pair_is_in_no_format() -> None:
    assert not any(check("\ud800") for check in CHECKS.values())


def test_other_formats_are_annotations() -> None:
    for name in ("email", "uri", "ipv4", "regex", "hostname", "no-such-format"):
        for extra in ({}, {"not": {"const": ""}}):
            assert Validator({"type": "string", "format": name, **extra}).is_valid("(")


def test_digits_beyond_microseconds_are_rounded() -> None:
    value = msgspec.convert("2024-02-29T10:00:00.1234567Z", TYPES["date-time"])
    assert value == dt.datetime(2024, 2, 29, 10, 0, 0, 123457, dt.UTC)


def test_a_format_types_its_value() -> None:
    texts = {name: both[0][0] for name, both in CASES.items()}
    types = {name: type(Validator({"type": "string", "format": name}).convert(text)) for name, text in texts.items()}
    assert types == {"uuid": uuid.UUID, "date-time": dt.datetime, "date": dt.date, "time": dt.time}
