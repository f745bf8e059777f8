"""The catalog as the content of an EventCatalog: a folder of pages for its domain, services, events and channels.

EventCatalog sorts and finds versions as semantic ones, and finds no ``v1``. So ``v1`` is its ``1.0.0``, ``v2`` its
``2.0.0``, and the page says which it is on the wire. What has no versions in a catalog is ``1.0.0`` there. The newest
version that is exported is the page of its event, the others stand below ``versioned``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from jobarium_events.contract import Contract, Lifecycle, version_number
from jobarium_events.examples import NoExample, event_example
from jobarium_events.exports.bundling import event_schema
from jobarium_events.exports.choosing import chosen, services_of, standing
from jobarium_events.exports.mdx import code, escaped, page
from jobarium_events.exports.naming import plain_names
from jobarium_events.exports.printing import as_json

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from jobarium_events.catalog import Catalog, Entry

__all__ = ["eventcatalog_files"]

_ONLY_VERSION = "1.0.0"
_SCHEMA = "schema.json"
_ON_THE_WIRE = (Lifecycle.ACTIVE, Lifecycle.DEPRECATED)


def eventcatalog_files(
    catalog: Catalog, *, domain: str = "Events", drafts: bool = False, retired: bool = False
) -> dict[str, bytes]:
    """Return the pages and schemas of an EventCatalog, by their paths in it.

    Args:
        catalog: The catalog.
        domain: The name of the domain that all services belong to.
        drafts: Whether drafts have pages too.
        retired: Whether retired versions have pages too.
    """
    return dict(_Export(catalog, domain, chosen(catalog, drafts=drafts, retired=retired)).files())


class _Export:
    """One export, with the ids that are given in it: a graph of EventCatalog's knows a node by its id alone."""

    def __init__(self, catalog: Catalog, domain: str, entries: Sequence[Entry]) -> None:
        self.catalog = catalog
        self.domain = domain
        self.by_event: dict[str, list[Entry]] = {}
        for entry in entries:
            self.by_event.setdefault(entry.contract.event, []).append(entry)
        self.services = plain_names(services_of(entry.contract for entry in entries), self.by_event)
        taken = [*self.by_event, *self.services.values()]
        by_address = plain_names([f"{event}.channel" for event in self.by_event], taken)
        self.channels = dict(zip(self.by_event, by_address.values(), strict=True))
        self.domain_id = plain_names([domain], [*taken, *self.channels.values()])[domain]

    def files(self) -> Iterator[tuple[str, bytes]]:
        yield f"domains/{self.domain_id}/index.mdx", self._domain()
        for service, identifier in self.services.items():
            yield f"services/{identifier}/index.mdx", self._service(service)
        for event, entries in self.by_event.items():
            yield f"channels/{self.channels[event]}/index.mdx", self._channel(event)
            for entry in entries:
                version = _semantic(entry.contract)
                folder = f"events/{event}" if entry is entries[-1] else f"events/{event}/versioned/{version}"
                yield f"{folder}/index.mdx", self._event(entry)
                yield f"{folder}/{_SCHEMA}", as_json(event_schema(entry.contract))

    def _domain(self) -> bytes:
        front = {
            "id": self.domain_id,
            "name": self.domain,
            "version": _ONLY_VERSION,
            "summary": f"{_counted(len(self.by_event), 'event')} of {_counted(len(self.services), 'service')}.",
            "services": [{"id": each, "version": _ONLY_VERSION} for each in self.services.values()],
        }
        return page(front, ["## Services and events", "<NodeGraph />"])

    def _service(self, service: str) -> bytes:
        sends = [event for event, entries in self.by_event.items() if entries[0].contract.owner == service]
        reads = [event for event, entries in self.by_event.items() if service in entries[0].contract.consumers]
        front = {
            "id": self.services[service],
            "name": service,
            "version": _ONLY_VERSION,
            "summary": f"Sends {_counted(len(sends), 'event')} and reads {_counted(len(reads), 'event')}.",
            "sends": self._messages(sends, "to"),
            "receives": self._messages(reads, "from"),
        }
        return page({key: value for key, value in front.items() if value != []}, ["<NodeGraph />"])

    def _messages(self, events: Sequence[str], way: str) -> list[dict[str, Any]]:
        return [
            {
                "id": event,
                "version": _semantic(entry.contract),
                way: [{"id": self.channels[event], "version": _ONLY_VERSION}],
            }
            for event in events
            for entry in self.by_event[event]
            if entry.contract.lifecycle in _ON_THE_WIRE
        ]

    def _channel(self, event: str) -> bytes:
        front = {
            "id": self.channels[event],
            "name": event,
            "version": _ONLY_VERSION,
            "summary": f"Carries all versions of {event}.",
            "address": event,
            "deliveryGuarantee": "at-least-once",
        }
        return page(front, ["<NodeGraph />"])

    def _event(self, entry: Entry) -> bytes:
        contract = entry.contract
        said = contract.schema
        note = standing(contract, self.catalog.versions(contract.event))
        front: dict[str, Any] = {
            "id": contract.event,
            "name": contract.event,
            "version": _semantic(contract),
            "summary": _text(said.get("description")) or _text(said.get("title")),
            "badges": [{"content": contract.version, "backgroundColor": "blue", "textColor": "blue"}],
            "schemaPath": _SCHEMA,
        }
        if contract.lifecycle is Lifecycle.DRAFT:
            front["draft"] = {"title": "Draft", "message": note}
        elif note:
            front["deprecated"] = {"message": note}
        blocks = [
            f"On the wire this is **{contract.event} {contract.version}**. {escaped(note)}".rstrip(),
            "## When",
            "\n".join(f"- {escaped(each)}" for each in self._moves(contract)),
            "## The same event twice, and late ones",
            f"Events with the same idempotency key report the same fact. The key is {escaped(contract.key.text)}.",
            _ordering(contract),
            "## Flow",
            "<NodeGraph />",
            "## Fields",
            f'<SchemaViewer file="{_SCHEMA}" />',
            *_example(entry),
        ]
        return page(front, blocks)

    def _moves(self, contract: Contract) -> list[str]:
        moves = {"introduced": contract.introduced, "deprecated": contract.deprecated, "retired": contract.retired}
        said = [
            f"{move.capitalize()} in {release}" if release in self.catalog.releases else f"To be {move} in {release}"
            for move, release in moves.items()
            if release is not None
        ]
        allowed = [f"Allowed by {contract.decision}"] if contract.decision else []
        return [*(said or ["Bound to no release yet"]), *allowed]


def _semantic(contract: Contract) -> str:
    return f"{version_number(contract.version)}.0.0"


def _ordering(contract: Contract) -> str:
    if contract.ordering is None:
        return "They may be handled in any order."
    per, by = escaped(contract.ordering.per), escaped(contract.ordering.by)
    return f"Of the events with the same **{per}**, the one with the highest **{by}** counts; an older one is stale."


def _example(entry: Entry) -> list[str]:
    try:
        return ["## Example", code(event_example(entry))]
    except NoExample:
        return []


def _text(said: Any) -> str:
    return " ".join(said.split()) if isinstance(said, str) else ""


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
