"""What has been published: the contracts that a change is held against, wherever they were kept."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from jobarium_events.contract import Contract

__all__ = ["Baseline", "Published"]


class Published(msgspec.Struct, frozen=True):
    """One contract as it was published.

    Attributes:
        contract: The contract; from a lock file, its schema has the structure only, and no texts.
        structure: Digest of all that decides which payloads are valid, and of key template and ordering.
        meanings: By JSON Pointer into the schema, and by keyword (``"description"``, ``"x-unit"`` ...), the digest of
            what the schema says there.
        deprecated: By JSON Pointer, for each field that is marked ``"deprecated": true``, in how many releases it has
            been so.
    """

    contract: Contract
    structure: str
    meanings: Mapping[str, Mapping[str, str]]
    deprecated: Mapping[str, int] = {}


class Baseline(msgspec.Struct, frozen=True):
    """A state of a catalog's folder that a change is held against.

    Attributes:
        name: How the user named it: ``"lock"``, ``"git:v1.4"`` or a folder.
        releases: Names of the releases then, in order.
        planned: Names of the releases that were planned then, in order.
        contracts: By event and version.
    """

    name: str
    releases: tuple[str, ...]
    planned: tuple[str, ...]
    contracts: Mapping[tuple[str, str], Published]
