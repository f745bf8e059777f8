"""A payload, in any of the forms that a service has it in, as a JSON document."""

from __future__ import annotations

import dataclasses
import math
import sys
from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec

from jobarium_events.errors import Violation
from jobarium_events.validation.dialects import escape
from jobarium_events.validation.documents import encodable
from jobarium_events.validation.shapes import Array, Map, Record, Reference, Shape, nullable

if TYPE_CHECKING:
    from jobarium_events.validation import Validator

__all__ = ["NotJson", "document_of", "in_payload", "is_pydantic"]


# Put in the place of a value that JSON does not have: half of a surrogate pair, which JSON does not have either.
_LACKING = "\ud800"
# The rules that a schema may apply to a value with all that is within it.
_OF_THE_WHOLE = frozenset("anyOf const contains enum not oneOf uniqueItems".split())


class NotJson(Exception):  # never leaves the library: it becomes the violations that it carries
    """A payload that JSON cannot hold; `violations` has these places and whatever else is wrong with it."""

    def __init__(self, violations: list[Violation]) -> None:
        self.violations = violations


def document_of(payload: Any, validator: Validator) -> Any:
    """Return a payload as a JSON document of its own.

    What a pydantic model's own serializers raise comes out as it is: the model is to be mended, not the payload.

    Args:
        payload: A dict, a pydantic model, a dataclass, or a Struct such as a generated class.
        validator: The contract's; a model or dataclass that holds None for a field which the contract wants absent
            rather than null has it absent.

    Raises:
        NotJson: If it holds something that JSON does not have.
    """
    try:
        if is_pydantic(payload):
            document = _present(_dumped(payload), validator.reading.shape)
        elif dataclasses.is_dataclass(payload) and not isinstance(payload, type):
            document = _present(_builtins(payload), validator.reading.shape)
        elif isinstance(payload, msgspec.Struct):
            document = _builtins(payload)
        elif isinstance(payload, Mapping):
            document = _builtins(dict(payload))
        else:
            raise NotJson([Violation("", "type", "object")])
        if not _is_json(document):
            raise NotJson(_violations(document, validator))
    except RecursionError:
        raise NotJson([Violation("", "depth")]) from None
    return document


def in_payload(violation: Violation) -> Violation:
    """Return a violation of a payload with its pointer from the event."""
    return Violation(f"/payload{violation.pointer}", violation.rule, violation.limit)


def is_pydantic(payload: Any) -> bool:
    """Whether something is a pydantic model, or its class, without importing pydantic to find out."""
    pydantic = sys.modules.get("pydantic")
    if pydantic is None:
        return False
    return issubclass(payload if isinstance(payload, type) else type(payload), pydantic.BaseModel)


def _dumped(model: Any) -> Any:
    from pydantic_core import PydanticSerializationError, to_jsonable_python  # noqa: PLC0415 - there is a model

    try:
        return model.model_dump(mode="json", by_alias=True)
    except UnicodeDecodeError:  # of bytes; pydantic does not say where
        raise NotJson([Violation("", "json")]) from None
    except PydanticSerializationError as error:
        if error.__cause__ is not None:  # what a serializer of the model itself raised
            raise
    return to_jsonable_python(model, by_alias=True, fallback=_lacking)


def _builtins(payload: Any) -> Any:
    # msgspec would make text of these, and so change what the payload says without a word.
    return msgspec.to_builtins(
        payload, builtin_types=(bytes, bytearray, memoryview, Decimal, timedelta), enc_hook=_lacking
    )


def _lacking(_: Any) -> str:
    return _LACKING


def _is_json(document: Any) -> bool:
    if isinstance(document, dict):
        if not all(map(_is_key, document)):
            return False
        document = [*document.values()]
    if isinstance(document, list):
        for value in document:  # noqa: SIM110 - a generator would take twice as long, and twice the stack
            if not _is_json(value):
                return False
        return True
    if isinstance(document, str):
        return encodable(document)
    return document is None or isinstance(document, int) or (isinstance(document, float) and math.isfinite(document))


def _is_key(key: Any) -> bool:
    """Whether msgspec writes it as a key: text, or a number as text."""
    return encodable(key) if isinstance(key, str) else isinstance(key, int | float) and not isinstance(key, bool)


def _violations(document: Any, validator: Validator) -> list[Violation]:
    """Return every violation of a document that holds what JSON does not have, in the order of their pointers."""
    lacking: dict[str, Violation] = {}
    rest = validator.violations(_without(document, "", lacking))

    def is_sure(violation: Violation) -> bool:
        """Whether it holds whatever comes to stand in the places that JSON has no value for."""
        within = f"{violation.pointer}/"
        return violation.pointer not in lacking and not (
            violation.rule in _OF_THE_WHOLE and any(pointer.startswith(within) for pointer in lacking)
        )

    return sorted([*lacking.values(), *filter(is_sure, rest)], key=lambda violation: violation.pointer)


def _without(document: Any, pointer: str, lacking: dict[str, Violation]) -> Any:
    """Return a document with null for each value that JSON does not have, and without such keys; note their places."""
    if isinstance(document, dict):
        if not all(map(_is_key, document)):
            lacking[pointer] = Violation(pointer, "json")  # a place cannot be named by a key that is none
        return {
            key: _without(value, f"{pointer}/{escape(key)}", lacking) for key, value in document.items() if _is_key(key)
        }
    if isinstance(document, list):
        return [_without(value, f"{pointer}/{index}", lacking) for index, value in enumerate(document)]
    if _is_json(document):
        return document
    lacking[pointer] = Violation(pointer, "finite" if isinstance(document, float) else "json")
    return None


def _present(document: Any, shape: Shape) -> Any:
    """Leave out the fields that hold None where the contract has them absent and not null."""
    match shape:
        case Reference(record):
            return _present(document, record)
        case Record() if isinstance(document, dict):
            fields = {each.name: each for each in shape.fields}
            return {
                name: _present(value, fields[name].shape) if name in fields else value
                for name, value in document.items()
                if value is not None or name not in fields or fields[name].required or nullable(fields[name].shape)
            }
        case Array(item=item) if isinstance(document, list):
            return [_present(value, item) for value in document]
        case Map(value=inner) if isinstance(document, dict):
            return {name: _present(value, inner) for name, value in document.items()}
        case _:
            return document
