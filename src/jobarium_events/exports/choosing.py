"""Which contracts are exported, and what is said of how each stands."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from jobarium_events.contract import Lifecycle, successor

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from jobarium_events.catalog import Catalog, Entry
    from jobarium_events.contract import Contract

__all__ = ["chosen", "facts", "services_of", "standing"]


def chosen(catalog: Catalog, *, drafts: bool, retired: bool) -> list[Entry]:
    """Return the contracts that are exported, in the catalog's order: what is on the wire, and more if asked for.

    Args:
        catalog: The catalog.
        drafts: Whether drafts are exported too.
        retired: Whether retired versions are exported too.
    """
    left_out = {*(() if drafts else (Lifecycle.DRAFT,)), *(() if retired else (Lifecycle.RETIRED,))}
    return [entry for entry in catalog.entries.values() if entry.contract.lifecycle not in left_out]


def services_of(contracts: Iterable[Contract]) -> list[str]:
    """Return the services that send or read some events, in alphabetical order."""
    return sorted({service for contract in contracts for service in (contract.owner, *contract.consumers)})


def standing(contract: Contract, others: Sequence[Contract]) -> str:
    """Return in one sentence that a contract is no ordinary, active one; nothing if it is.

    Args:
        contract: The contract.
        others: The versions of its event.
    """
    newer = successor(contract, others)
    way_out = f" Move to {newer.version}." if newer else ""
    match contract.lifecycle:
        case Lifecycle.DRAFT:
            when = f", to be active in {contract.introduced}" if contract.introduced else ""
            return f"Draft{when}. Nothing is sent yet."
        case Lifecycle.DEPRECATED:
            end = f", to be retired in {contract.retired}" if contract.retired else ""
            return f"Deprecated since {contract.deprecated}{end}.{way_out}"
        case Lifecycle.RETIRED:
            return f"Retired since {contract.retired}. It is neither sent nor read.{way_out}"
        case Lifecycle.ACTIVE:
            return ""


def facts(contract: Contract) -> dict[str, Any]:
    """Return what a contract says beside its schema, under the names of extensions (``x-...``)."""
    moves = {
        "introduced": contract.introduced,
        "deprecated": contract.deprecated,
        "retired": contract.retired,
        "decision": contract.decision,
    }
    said: dict[str, Any] = {
        "x-event": contract.event,
        "x-version": contract.version,
        "x-owner": contract.owner,
        "x-consumers": list(contract.consumers),
        "x-lifecycle": {
            "state": contract.lifecycle.value,
            **{move: name for move, name in moves.items() if name is not None},
        },
        "x-idempotency-key": contract.key.text,
    }
    if contract.ordering:
        said["x-ordering"] = {"per": contract.ordering.per, "by": contract.ordering.by}
    return said
