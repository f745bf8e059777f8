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
from jobarium_events.validation.shapes import Array, Map, Record, Reference, Shape, nullable

if TYPE_CHECKING:
    from jobarium_events.validation import Validator

__all__ = ["NotJson", "document_of", "in_payload", "is_pydantic"]


class NotJson(Exception):  # never leaves the library: it becomes the violation that it carries
    """A payload that JSON cannot hold."""

    def __init__(self, violation: Violation) -> None:
        self.violation = violation


def document_of(payload: Any, validator: Validator) -> Any:
    """Return a payload as a JSON document of its own.

    Args:
        payload: A dict, a pydantic model, a dataclass, or a Struct such as a generated class.
        validator: The contract's; a model or dataclass that holds None for a field which the contract wants absent
            rather than null has it absent.

    Raises:
        NotJson: If it holds something that JSON does not have.
    """
    try:
        if is_pydantic(payload):
            document = _present(payload.model_dump(mode="json", by_alias=True), validator.reading.shape)
        elif dataclasses.is_dataclass(payload) and not isinstance(payload, type):
            document = _present(_builtins(payload), validator.reading.shape)
        elif isinstance(payload, msgspec.Struct):
            document = _builtins(payload)
        elif isinstance(payload, Mapping):
            document = _builtins(dict(payload))
        else:
            raise NotJson(Violation("", "type", "object"))
        _check_json(document, "")
    except RecursionError:
        raise NotJson(Violation("", "depth")) from None
    except (TypeError, ValueError, NotImplementedError):
        # Of msgspec or pydantic: a value of a type that has no JSON form.
        raise NotJson(Violation("", "json")) from None
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


def _builtins(payload: Any) -> Any:
    # msgspec would make text of these, and so change what the payload says without a word.
    return msgspec.to_builtins(payload, builtin_types=(bytes, bytearray, memoryview, Decimal, timedelta))


def _check_json(document: Any, pointer: str) -> None:
    if isinstance(document, dict):
        for key, value in document.items():
            _check_json(value, f"{pointer}/{escape(key)}")
    elif isinstance(document, list):
        for index, value in enumerate(document):
            _check_json(value, f"{pointer}/{index}")
    elif isinstance(document, float) and not math.isfinite(document):
        raise NotJson(Violation(pointer, "finite"))
    elif document is not None and not isinstance(document, str | int | float):
        raise NotJson(Violation(pointer, "json"))


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
