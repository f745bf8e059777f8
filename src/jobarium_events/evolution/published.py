"""What has been published: the contracts that a change is held against, wherever they were kept."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import msgspec
import orjson

from jobarium_events.contract import Contract

if TYPE_CHECKING:
    # The lock is made of what is here.
    from jobarium_events.evolution.lock import Lock  # noqa: TC004

__all__ = ["Baseline", "Form", "Published"]


class Published(msgspec.Struct, frozen=True):
    """One contract as it was published.

    Attributes:
        contract: The contract; from a lock file, its schema has the structure only, and no texts.
        structure: Digest of all that decides which payloads are valid, and of key template and ordering.
        meanings: By JSON Pointer into the schema, and by keyword (``"description"``, ``"x-unit"`` ...), the digest of
            what the schema says there.
        deprecated: By its path in an event, for each field that is marked ``"deprecated": true``, in how many releases
            it has been so.
    """

    contract: Contract
    structure: str
    meanings: Mapping[str, Mapping[str, str]]
    deprecated: Mapping[str, int] = {}

    @property
    def facts(self) -> dict[str, object]:
        """All that a release freezes of the contract, by name, to be compared."""
        contract = self.contract
        return {
            "structure": self.structure,
            "meanings": self.meanings,
            "owner": contract.owner,
            "consumers": contract.consumers,
            "introduced": contract.introduced,
            "deprecated": contract.deprecated,
            "retired": contract.retired,
            "decision": contract.decision,
        }


class Form(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How a released version once was, before a compatible change.

    Attributes:
        first: The first release in which it was so, as far as that is known.
        last: The last one.
        structure: As in `Published`.
        schema: The structure of its schema, without texts.
    """

    first: str
    last: str
    structure: str
    schema: dict[str, Any]

    def of(self, contract: Contract) -> Contract:
        """Return a contract as it was in this form."""
        return msgspec.structs.replace(contract, schema_json=orjson.dumps(self.schema))


class Baseline(msgspec.Struct, frozen=True):
    """A state of a catalog's folder that a change is held against.

    Attributes:
        name: How the user named it: ``"lock"``, ``"git:v1.4"`` or a folder.
        releases: Names of the releases then, in order.
        planned: Names of the releases that were planned then, in order.
        contracts: By event and version.
        lock: The lock that stood there; None where there was none, and where the baseline is a lock itself.
    """

    name: str
    releases: tuple[str, ...]
    planned: tuple[str, ...]
    contracts: Mapping[tuple[str, str], Published]
    lock: Lock | None = None
