"""A contract with its two compiled forms, each made when it is first needed."""

from __future__ import annotations

import threading
from hashlib import blake2s
from typing import TYPE_CHECKING, Any

import orjson

from jobarium_events.errors import DeclarationError
from jobarium_events.validation import Validator

if TYPE_CHECKING:
    from collections.abc import Mapping

    from jobarium_events.contract import Contract

__all__ = ["Entry", "digest_of"]

_lock = threading.Lock()


def digest_of(schema: Mapping[str, Any]) -> str:
    """Return the digest by which a generated class knows the schema that it was generated from."""
    return blake2s(orjson.dumps(schema, option=orjson.OPT_SORT_KEYS), digest_size=8).hexdigest()


class Entry:
    """One contract in a catalog. Safe to share between threads.

    Attributes:
        contract: The contract.
    """

    __slots__ = ("_closed", "_open", "_payload_class", "contract")

    def __init__(self, contract: Contract, payload_class: type | None = None) -> None:
        self.contract = contract
        self._payload_class = payload_class
        self._open: Validator | None = None
        self._closed: Validator | None = None

    @property
    def open(self) -> Validator:
        """The validator of consumers."""
        if self._open is None:
            with _lock:
                if (validator := self._open) is None:
                    validator = self._open = Validator(self.contract.schema, name=self.contract.class_name)
            return validator
        return self._open

    @property
    def closed(self) -> Validator:
        """The validator of producers."""
        if self._closed is None:
            with _lock:
                if (validator := self._closed) is None:
                    name = self.contract.class_name
                    validator = self._closed = Validator(self.contract.schema, closed=True, name=name)
            return validator
        return self._closed

    @property
    def payload_type(self) -> Any:
        """The payload's class; for a schema that is no record, the type that comes nearest."""
        return self._payload_class or self.open.type

    @property
    def is_typed(self) -> bool:
        """Whether decoding an event is all that validating it takes."""
        return self.engine == "msgspec" and not self.open.follows_on

    @property
    def engine(self) -> str:
        """Name of the engine that validates the contract."""
        return self.open.engine

    @property
    def digest(self) -> str:
        """The digest of the contract's schema."""
        return digest_of(self.contract.schema)

    def agreed(self, payload_class: type) -> type:
        """Return a generated class if it is this contract's, generated from this very schema.

        Raises:
            DeclarationError: If it was generated from another one.
        """
        if payload_class is not self._payload_class and payload_class.__contract__[2] != self.digest:  # type: ignore[attr-defined]
            raise DeclarationError(
                f"{payload_class.__name__} was generated from another schema of {self.contract.name} than the catalog "
                "holds; run `jobarium-events generate` again"
            )
        return payload_class
