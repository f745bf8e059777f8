"""The examples that a schema gives of itself: pages and exports show the first that is valid."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from jobarium_events.catalog.loading import schema_path
from jobarium_events.evolution.findings import Finding, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from jobarium_events.catalog import Entry

__all__ = ["given_examples", "is_payload", "refused_examples"]


def given_examples(schema: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield the examples that a schema gives itself, each with its JSON Pointer there."""
    every = schema.get("examples")
    for place, each in enumerate(every if isinstance(every, list) else ()):
        yield f"/examples/{place}", each
    if "example" in schema:
        yield "/example", schema["example"]


def is_payload(entry: Entry, value: Any) -> bool:
    """Whether producers may send a value and consumers accept it; a schema may let in what is no object."""
    return isinstance(value, dict) and entry.closed.is_valid(value) and entry.open.is_valid(value)


def refused_examples(entry: Entry) -> Iterator[Finding]:
    """Yield the examples that a schema gives itself and refuses: nobody would ever see them."""
    contract = entry.contract
    for pointer, value in given_examples(contract.schema):
        if is_payload(entry, value):
            continue
        found = entry.closed.violations(value) or entry.open.violations(value)
        reason = str(found[0]) if found else "the document: must be of type object"
        yield Finding(
            rule="example-refused",
            severity=Severity.WARNING,
            contract=contract.name,
            file=schema_path(contract.event, contract.version),
            pointer=pointer,
            text=f"an example that the schema gives is refused by it: {reason}",
            advice="mend the example; pages and exports show another one until then",
        )
