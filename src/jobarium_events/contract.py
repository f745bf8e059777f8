"""A contract: one event name at one version, as a frozen value."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import datetime
from enum import StrEnum
from functools import cache
from typing import Any

import msgspec

from jobarium_events.errors import DeclarationError

__all__ = ["VERSION", "Contract", "KeyTemplate", "Lifecycle", "Ordering", "contract_of", "successor", "version_number"]

VERSION = re.compile(r"v[1-9][0-9]*")
"""How a version is written, on the wire and everywhere else."""

_FIELD = re.compile(r"\{([^{}]*)\}")


@cache
def _parts(template: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return a key template's fields, and the texts before, between and after them."""
    split = _FIELD.split(template)
    return tuple(split[1::2]), tuple(split[::2])


def version_number(version: str) -> int:
    """Return the number by which a version such as ``"v2"`` sorts."""
    return int(version[1:])


def contract_of(payload_class: type) -> tuple[str, str]:
    """Return event and version of a generated payload class.

    Raises:
        DeclarationError: If it is no such class.
    """
    try:
        event, version, _ = payload_class.__contract__  # type: ignore[attr-defined]
    except (AttributeError, TypeError, ValueError):
        raise DeclarationError(
            f"{getattr(payload_class, '__name__', payload_class)} names no contract; use a generated payload class, "
            "or give event and version"
        ) from None
    return event, version


class Lifecycle(StrEnum):
    """Where a contract stands at the catalog's current release."""

    DRAFT = "draft"
    """Not released yet."""
    ACTIVE = "active"
    """Emitted and consumed."""
    DEPRECATED = "deprecated"
    """Still consumed; producers are to move to a newer version."""
    RETIRED = "retired"
    """Neither emitted nor consumed."""


class Ordering(msgspec.Struct, frozen=True):
    """How a consumer tells a stale event: per value of one field, the highest value of another wins.

    Attributes:
        per: Name of the payload field that names the aggregate.
        by: Name of the payload field that grows.
    """

    per: str
    by: str


class KeyTemplate(msgspec.Struct, frozen=True):
    """An idempotency-key template over the payload, such as ``"job.updated:{job_id}:{job_version}"``.

    A field that is absent from the payload is rendered as the event's own id, so that two events which happen to
    lack it are never taken for one. ``:`` and ``%`` within a value are percent-encoded, so that different values
    never render the same key.
    """

    text: str

    @property
    def fields(self) -> tuple[str, ...]:
        """The names of the payload fields that the template holds, in order."""
        return _parts(self.text)[0]

    @property
    def texts(self) -> tuple[str, ...]:
        """What stands before, between and after the fields: one more than there are fields."""
        return _parts(self.text)[1]

    @property
    def colons(self) -> int:
        """How many ``:`` the template itself has."""
        return "".join(self.texts).count(":")

    @property
    def stray(self) -> bool:
        """Whether a brace belongs to no field, or a field has no name."""
        return any("{" in text or "}" in text for text in self.texts) or "" in self.fields

    def rendered(self, values: Sequence[Any], absent: str) -> str:
        """Render the key.

        Args:
            values: The values of `fields`, in their order; None or UNSET for one that is absent.
            absent: What stands for an absent one: the event's own id.
        """
        parts = [_key_part(value, absent) for value in values]
        return "".join(text + part for text, part in zip(self.texts, [*parts, ""], strict=True))


def _key_part(value: Any, absent: str) -> str:
    if value is None or value is msgspec.UNSET:
        return absent
    if isinstance(value, datetime):
        value = value.isoformat()
    return str(value).replace("%", "%25").replace(":", "%3A")


class Contract(msgspec.Struct, frozen=True, eq=False):
    """One event name at one version. Two contracts are the same only if they are one object.

    Attributes:
        event: The event's name.
        version: Such as ``"v1"``.
        schema_json: The payload's JSON Schema, as JSON.
        owner: The one service that may emit it.
        consumers: The services that are known to consume it.
        key: The idempotency-key template.
        ordering: How a stale event is told, or None if order does not matter.
        lifecycle: Where it stands at the catalog's current release.
        introduced: The release that introduced it, or None for a draft that has no release yet.
        deprecated: The release that deprecates it, past or planned, or None.
        retired: The release that retires it, past or planned, or None.
        decision: The decision that allowed it, such as ``"DEC-0001"``, or None.
    """

    event: str
    version: str
    schema_json: bytes
    owner: str
    consumers: tuple[str, ...]
    key: KeyTemplate
    ordering: Ordering | None
    lifecycle: Lifecycle
    introduced: str | None = None
    deprecated: str | None = None
    retired: str | None = None
    decision: str | None = None

    @property
    def schema(self) -> dict[str, Any]:
        """The payload's JSON Schema: a copy, which may be changed without changing the contract."""
        schema: dict[str, Any] = msgspec.json.decode(self.schema_json)
        return schema

    @property
    def name(self) -> str:
        """Event and version as they are written in messages: ``"job.updated v1"``."""
        return f"{self.event} {self.version}"

    @property
    def class_name(self) -> str:
        """The name of its payload class: ``"JobUpdatedV1"``."""
        words = re.split(r"[^0-9A-Za-z]+", self.event)
        return "".join(word[:1].upper() + word[1:] for word in words) + self.version.upper()

    def __repr__(self) -> str:
        return f"<Contract {self.name}, {self.lifecycle}>"


def successor(contract: Contract, versions: Iterable[Contract]) -> Contract | None:
    """Return what to move to from a contract: the newest active version that is newer; None if there is none.

    Args:
        contract: The contract.
        versions: The versions of its event.
    """
    number = version_number(contract.version)
    newer = (each for each in versions if each.lifecycle is Lifecycle.ACTIVE and version_number(each.version) > number)
    return max(newer, key=lambda each: version_number(each.version), default=None)
