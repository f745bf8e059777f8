"""``jsonschema``: exact in every dialect, explains in detail, and slow.

It is the measure for the other engines, with three corrections: `_multiple_of`, `_unique_items` and `_placing_false`.
"""

from __future__ import annotations

import re
from fractions import Fraction
from functools import cache
from typing import TYPE_CHECKING, Any

from jsonschema import Draft7Validator, Draft201909Validator, Draft202012Validator, FormatChecker, ValidationError
from jsonschema.validators import extend

from jobarium_events.errors import Violation
from jobarium_events.validation import formats
from jobarium_events.validation.dialects import DRAFT_7, DRAFT_2019_09, Schema, escape, rebuilt
from jobarium_events.validation.references import specifications

if TYPE_CHECKING:
    from collections.abc import Iterator

    from jobarium_events.validation.preparing import Prepared

__all__ = ["JsonSchema", "validator_class"]

_FALSE = "the schema false"


class JsonSchema:
    """The engine that every schema can fall back on, and that explains what any engine rejects."""

    name = "jsonschema"

    def __init__(self, prepared: Prepared) -> None:
        checker = FormatChecker(formats=())
        checker.checkers = {name: (check, ()) for name, check in formats.CHECKS.items()}
        # Without a registry it would fetch what it does not know.
        self._validator: Any = validator_class(prepared.dialect)(
            _placing_false(prepared.python), registry=specifications(), format_checker=checker
        )
        self._originals = prepared.patterns

    def accepts(self, document: Any) -> bool:
        """Whether the document is valid."""
        return bool(self._validator.is_valid(document))

    def first(self, document: Any) -> Violation | None:
        """The first violation, or None if the document is valid."""
        return next(self.violations(document), None)

    def violations(self, document: Any) -> Iterator[Violation]:
        """Every violation."""
        for error in self._validator.iter_errors(document):
            yield from self._said(error)

    def _said(self, error: Any) -> Iterator[Violation]:
        pointer = "".join(f"/{escape(token)}" for token in error.absolute_path)
        rule, limit = str(error.validator), error.validator_value
        if rule == "required":
            missing = [name for name in limit if name not in error.instance]
            # One error for each missing name, and each error's message begins with its own.
            yield from (
                Violation(f"{pointer}/{escape(name)}", rule) for name in missing if error.message.startswith(repr(name))
            )
        elif rule in ("additionalProperties", "unevaluatedProperties") and limit is False:
            known = error.schema.get("properties", ()) if rule == "additionalProperties" else ()
            patterns = error.schema.get("patternProperties", ()) if rule == "additionalProperties" else ()
            extra = [
                name
                for name in error.instance
                if name not in known
                and not any(re.search(pattern, name) for pattern in patterns)
                and (rule == "additionalProperties" or repr(name) in error.message)
            ]
            yield from (Violation(f"{pointer}/{escape(name)}", rule) for name in extra)
        elif rule in ("oneOf", "anyOf") and (branch := _meant_branch(error)):
            for inner in branch:
                yield from self._said(inner)
        elif error.validator in (None, _FALSE):
            yield Violation(pointer, "false")
        else:
            yield Violation(pointer, rule, self._originals.get(limit, limit) if rule == "pattern" else limit)


@cache
def validator_class(dialect: str) -> Any:
    """Return jsonschema's class for a dialect."""
    classes = {DRAFT_7: Draft7Validator, DRAFT_2019_09: Draft201909Validator}
    corrected = {"multipleOf": _multiple_of, "uniqueItems": _unique_items, _FALSE: _false}
    return extend(classes.get(dialect, Draft202012Validator), corrected)  # type: ignore[no-untyped-call]


def _placing_false(schema: Schema) -> Schema:
    """Return the schema with a keyword for ``false`` where jsonschema loses the place of what that refuses."""

    def placed(inner: Schema, keyword: str) -> Schema:
        if inner is False and not keyword.startswith(("additional", "unevaluated")):
            return {_FALSE: True}
        return _placing_false(inner)

    return rebuilt(schema, placed)


def _false(_validator: Any, _value: Any, _instance: Any, _schema: Any) -> Iterator[ValidationError]:
    yield ValidationError("is never valid")


def _multiple_of(validator: Any, divisor: float, instance: Any, _: Any) -> Iterator[ValidationError]:
    """Check in decimals: as doubles, 19.99 would be no multiple of 0.01."""
    if validator.is_type(instance, "number") and _exactly(instance) % _exactly(divisor):
        yield ValidationError("is not a multiple")


def _exactly(number: float) -> Fraction:
    return Fraction(number if isinstance(number, int) else repr(number))


def _unique_items(validator: Any, unique: bool, instance: Any, _: Any) -> Iterator[ValidationError]:  # noqa: FBT001 - jsonschema's
    """Check whole values: jsonschema compares sorted neighbours, and so misses ``[[1], [true], [1]]``."""
    if unique and validator.is_type(instance, "array") and len(set(map(_hashable, instance))) < len(instance):
        yield ValidationError("has equal items")


def _hashable(value: Any) -> Any:
    """Return what is equal for two values if they are equal in JSON, where 1 is 1.0 but not true."""
    if isinstance(value, dict):
        return frozenset((name, _hashable(inner)) for name, inner in value.items())
    if isinstance(value, list):
        return tuple(map(_hashable, value))
    return (value,) if isinstance(value, bool) else ("", value)


def _meant_branch(error: Any) -> list[Any]:
    """Return the errors of the one branch whose constant tag, or type, the value has; nothing if that is not clear."""
    branches: dict[Any, list[Any]] = {}
    for inner in error.context:
        branches.setdefault(inner.schema_path[0] if inner.schema_path else None, []).append(inner)
    depth = len(error.absolute_path)
    meant = [
        errors
        for errors in branches.values()
        if not any(
            (inner.validator in ("const", "enum") and len(inner.absolute_path) == depth + 1)
            or (inner.validator == "type" and len(inner.absolute_path) == depth)
            for inner in errors
        )
    ]
    return meant[0] if len(meant) == 1 and len(branches) > 1 else []
