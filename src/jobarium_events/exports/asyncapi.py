"""The catalog as an AsyncAPI 3.0 document.

How it says what a catalog says:

- A channel for each event, with the event's name for its address: where transports send it unless told otherwise.
- A message for each version. Its payload is what a broker carries, the whole event; its headers are the attributes that
  the library sends beside the bytes.
- An operation for each service and event: its owner sends, its consumers receive. The service is the operation's tag.
- What AsyncAPI has no word for stands in extensions (``x-...``). A message cannot be deprecated in 3.0, so a deprecated
  version says so by a tag, by its summary, by ``x-lifecycle``, and by ``deprecated`` in its payload's schema.

The parsers of AsyncAPI resolve every ``$ref`` from the root of the document, also those within a schema, so each names
the whole way there.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, cast

import msgspec

from jobarium_events.catalog import SCHEMAS
from jobarium_events.envelope import REPLAY
from jobarium_events.examples import NoExample, event_example
from jobarium_events.exports.bundling import event_schema, redirected
from jobarium_events.exports.choosing import chosen, facts, services_of, standing
from jobarium_events.exports.errors import ExportRefused
from jobarium_events.exports.naming import plain_names
from jobarium_events.exports.referring import holds_references, without_references
from jobarium_events.validation.dialects import DRAFT_7, dialect_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from jobarium_events.catalog import Catalog, Entry
    from jobarium_events.contract import Contract

__all__ = ["asyncapi_document"]

_VERSION = "3.0.0"
_JSON = "application/json"
_HEADERS = "EventHeaders"
_CORRELATION = "correlation"
_UNRELEASED = "unreleased"


def asyncapi_document(
    catalog: Catalog, *, title: str = "Events", service: str | None = None, drafts: bool = False, retired: bool = False
) -> dict[str, Any]:
    """Return the AsyncAPI document of a catalog, or of what one service sends and receives.

    Args:
        catalog: The catalog.
        title: The document's title.
        service: The one service whose operations, channels and messages are described; all services if it is None.
        drafts: Whether drafts are described too.
        retired: Whether retired versions are described too.

    Raises:
        ExportRefused: If no event is of that service, or a schema cannot be said in AsyncAPI.
    """
    entries = chosen(catalog, drafts=drafts, retired=retired)
    if service is not None:
        known = services_of(entry.contract for entry in entries)
        if service not in known:
            raise ExportRefused(
                f"service {service!r}", f"neither sends nor reads an event; there are: {_listed(known)}"
            )
        entries = [each for each in entries if service in (each.contract.owner, *each.contract.consumers)]
    by_event: dict[str, list[Contract]] = {}
    for entry in entries:
        by_event.setdefault(entry.contract.event, []).append(entry.contract)
    everywhere = {event: catalog.versions(event) for event in by_event}
    return {
        "asyncapi": _VERSION,
        "info": _info(catalog, entries, title, service),
        "defaultContentType": _JSON,
        "channels": {event: _channel(contracts) for event, contracts in by_event.items()},
        "operations": _operations(by_event, service),
        "components": {
            "schemas": {
                _HEADERS: _headers(),
                **{each.contract.class_name: _schema(each.contract) for each in entries},
            },
            "messages": {each.contract.class_name: _message(each, everywhere[each.contract.event]) for each in entries},
            "correlationIds": {
                _CORRELATION: {
                    "description": "Links events that belong together. It is absent where the producer links none.",
                    "location": "$message.payload#/correlation_id",
                }
            },
        },
    }


def _info(catalog: Catalog, entries: Sequence[Entry], title: str, service: str | None) -> dict[str, Any]:
    contracts = [entry.contract for entry in entries]
    release = catalog.releases[-1] if catalog.releases else _UNRELEASED
    of_whom = f" that {service} sends and receives" if service else ""
    return {
        "title": title,
        "version": release,
        "description": (
            f"The events{of_whom}, as they are at release {release}. A message is a whole event: the fields of the "
            "envelope around the payload. Events are delivered at least once and possibly out of order."
        ),
        "tags": [
            {"name": each, "description": _described(each, contracts)}
            for each in ([service] if service else services_of(contracts))
        ],
    }


def _described(service: str, contracts: Iterable[Contract]) -> str:
    count: Counter[str] = Counter()
    for owner, consumers in {each.event: (each.owner, each.consumers) for each in contracts}.values():
        count["sends"] += owner == service
        count["receives"] += service in consumers
    said = [f"{verb} {many} event{'' if many == 1 else 's'}" for verb, many in count.items() if many]
    return f"A service that {' and '.join(said)}."


def _channel(contracts: Sequence[Contract]) -> dict[str, Any]:
    newest = contracts[-1]
    said = newest.schema
    channel: dict[str, Any] = {"address": newest.event, "title": _text(said.get("title")) or newest.event}
    if description := _text(said.get("description")):
        channel["description"] = description
    channel["messages"] = {each.class_name: _to("components", "messages", each.class_name) for each in contracts}
    return {**channel, "x-owner": newest.owner, "x-consumers": list(newest.consumers)}


def _operations(by_event: Mapping[str, Sequence[Contract]], service: str | None) -> dict[str, Any]:
    names = plain_names(services_of(each[0] for each in by_event.values()))
    operations: dict[str, Any] = {}
    for event, contracts in by_event.items():
        owner, consumers = contracts[0].owner, dict.fromkeys(contracts[0].consumers)
        for action, verb, who in [("send", "sends", owner), *(("receive", "receives", each) for each in consumers)]:
            if service not in (None, who):
                continue
            operation = {
                "action": action,
                "channel": _to("channels", event),
                "title": f"{who} {verb} {event}",
                "tags": [{"name": who}],
                "messages": [_to("channels", event, "messages", each.class_name) for each in contracts],
                "x-service": who,
            }
            key = f"{names[who]}.{verb}.{event}"
            # A service and an event with dots in their names may read like two others.
            operations[key if key not in operations else f"{key}.{len(operations)}"] = operation
    return operations


def _message(entry: Entry, versions: Sequence[Contract]) -> dict[str, Any]:
    contract = entry.contract
    said = contract.schema
    message: dict[str, Any] = {
        "name": contract.class_name,
        "title": _text(said.get("title")) or contract.name,
        "summary": " ".join(filter(None, (f"{contract.name}.", standing(contract, versions)))),
    }
    if description := _text(said.get("description")):
        message["description"] = description
    message |= {
        "contentType": _JSON,
        "tags": [{"name": contract.lifecycle.value}],
        "headers": {
            "type": "object",
            "allOf": [_to("components", "schemas", _HEADERS)],
            "properties": {
                "event_name": {"const": contract.event},
                "event_version": {"const": contract.version},
                "producer": {"const": contract.owner},
            },
        },
        "correlationId": _to("components", "correlationIds", _CORRELATION),
        "payload": _to("components", "schemas", contract.class_name),
    }
    if (example := _example(entry)) is not None:
        message["examples"] = [example]
    return {**message, **facts(contract)}


def _example(entry: Entry) -> dict[str, Any] | None:
    """Return an example, if there is one that a parser would not take for a reference."""
    try:
        event = event_example(entry)
    except NoExample:
        return None
    if holds_references(event):
        return None
    headers = {name: value for name, value in event.items() if name != "payload"}
    return {"name": entry.contract.class_name, "headers": headers, "payload": event}


def _schema(contract: Contract) -> dict[str, Any]:
    """Return the schema of a contract's events, in its own dialect."""
    whole = event_schema(contract)
    dialect = dialect_of(whole)
    del whole["$schema"], whole["$id"]  # the format says the one, and the other would turn the references
    root = f"#/components/schemas/{contract.class_name}/schema"
    schema = redirected(whole, lambda reference: root + reference[1:])
    return {
        "schemaFormat": f"application/schema+json;version={dialect if dialect == DRAFT_7 else f'draft-{dialect}'}",
        "schema": without_references(cast("dict[str, Any]", schema), contract.name),
    }


def _headers() -> dict[str, Any]:
    """Return the schema of what is sent beside the bytes of any event."""
    envelope: Any = msgspec.json.decode((SCHEMAS / "envelope.json").read_bytes())
    fields = {name: field for name, field in envelope["properties"].items() if name != "payload"}
    fields[REPLAY] = {
        "title": "Replay",
        "description": "Marks an event that is sent again. If absent, it is sent for the first time.",
        "const": "true",
    }
    return {
        "title": "Headers of an event",
        "description": "The fields of the envelope as text, for a broker to route and to filter by.",
        "type": "object",
        "required": [name for name in envelope["required"] if name != "payload"],
        "properties": fields,
    }


def _to(*way: str) -> dict[str, str]:
    return {"$ref": "#/" + "/".join(way)}


def _text(said: Any) -> str:
    return said if isinstance(said, str) else ""


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names) or "none"
