"""The page of one event, as a value: what it means, who sends and who reads it, and all of its versions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from jobarium_events.annotations import json_text
from jobarium_events.contract import Contract, Lifecycle
from jobarium_events.errors import JobariumEventsError
from jobarium_events.examples import event_example, example
from jobarium_events.fields import FieldRow, ItemRow, fields_of, payload_of
from jobarium_events.site.pictures.flow import Flow, flow
from jobarium_events.site.pictures.timeline import Timeline, timeline
from jobarium_events.site.pictures.traffic import Traffic, traffic
from jobarium_events.site.shown import Shown, named
from jobarium_events.site.since import Since, since_when
from jobarium_events.site.snippets import consumer_code, producer_code
from jobarium_events.site.versions import Beside, beside
from jobarium_events.site.wording import listed, moves

if TYPE_CHECKING:
    from jobarium_events.catalog.entry import Entry
    from jobarium_events.counters import Counters

__all__ = ["EventShown", "ExampleRefused", "FieldShown", "VersionShown", "event_shown"]


class ExampleRefused(JobariumEventsError):
    """An example that is to be shown, and that the contract's own validators refuse.

    Attributes:
        contract: Event and version.
        violations: What speaks against it.
    """

    def __init__(self, contract: str, violations: Sequence[object]) -> None:
        self.contract = contract
        self.violations = tuple(violations)

    def __str__(self) -> str:
        lines = "".join(f"\n  - {each}" for each in self.violations)
        return f"the example of {self.contract} is refused by its own contract; mend `examples` in its schema:{lines}"


class FieldShown(msgspec.Struct, frozen=True):
    """One field of a version.

    Attributes:
        row: What the schema says of it.
        depth: How many fields are around it.
        since: Since when the event has it.
    """

    row: FieldRow
    depth: int
    since: Since

    @property
    def anchor(self) -> str:
        """What its path is called in the page's anchors."""
        return self.row.path.removeprefix("/")

    @property
    def patterns(self) -> tuple[tuple[str, str], ...]:
        """The patterns of it and of what is in it, each with of what: ``("each item", "^a")``."""
        return tuple((": ".join(within), row.pattern) for within, row in _rows(self.row) if row.pattern)

    @property
    def unit(self) -> str:
        """What it or what is in it is measured in; "" if nothing is said."""
        return next((row.unit for _, row in _rows(self.row) if row.unit), "")


class VersionShown(msgspec.Struct, frozen=True, kw_only=True):
    """One version of an event.

    Attributes:
        contract: The version.
        title: What its schema is called; "" if it has no title.
        description: What the schema says of it.
        moves: Its moves over the releases, in words.
        key: Its key template, explained.
        ordering: Its ordering, explained.
        fields: Its fields, each followed by those within it.
        payload: What is said of a payload as a whole.
        schema: Its schema, as JSON.
        example: A valid payload, as JSON.
        event: A whole event, as JSON.
        producer: How it is sent, as Python; "" if it is retired.
        consumer: How it is read, as Python; "" if it is retired.
        older: What has changed since the version before; None for the first.
    """

    contract: Contract
    title: str
    description: str
    moves: tuple[str, ...]
    key: str
    ordering: str
    fields: tuple[FieldShown, ...]
    payload: ItemRow
    schema: str
    example: str
    event: str
    producer: str
    consumer: str
    older: Beside | None

    @property
    def id(self) -> str:
        """What its anchors begin with: ``"v1"``."""
        return self.contract.version

    @property
    def when(self) -> str:
        """Its moves, as a sentence."""
        text = ", ".join(self.moves)
        return text[:1].upper() + text[1:]


class EventShown(msgspec.Struct, frozen=True, kw_only=True):
    """One event.

    Attributes:
        name: Its name.
        head: The version that it is introduced with: the newest active one, or else the newest.
        versions: All of them, the newest first.
        timeline: The picture of its lifecycle.
        flow: The picture of who sends and who reads it.
        traffic: The picture of how often each version was seen; None without counters of it.
    """

    name: str
    head: VersionShown
    versions: tuple[VersionShown, ...]
    timeline: Timeline
    flow: Flow
    traffic: Traffic | None


def event_shown(shown: Shown, event: str) -> EventShown:
    """Return what the page of an event shows.

    Raises:
        ExampleRefused: If the example of a version is not valid.
        JobariumEventsError: If there is no valid payload of a version.
    """
    contracts = shown.catalog.versions(event)
    rows = [fields_of(each.schema) for each in contracts]
    since = since_when(shown, tuple(zip(contracts, rows, strict=True)))
    versions = [
        _version(shown, shown.catalog.entry(event, each.version), older, tuple(_fields(found, known)))
        for older, each, found, known in zip((None, *contracts), contracts, rows, since, strict=False)
    ]
    newest = shown.catalog.newest(event)
    head = next((each for each in versions if each.contract is newest), versions[-1])
    return EventShown(
        name=event,
        head=head,
        versions=tuple(reversed(versions)),
        timeline=timeline(contracts, shown.releases, shown.planned, is_own=True),
        flow=flow(contracts),
        traffic=traffic(_counted(shown.counters, event), contracts),
    )


def _counted(counters: Sequence[Counters], event: str) -> tuple[Counters, ...]:
    """Return the counters that say something of an event."""
    return tuple(each for each in counters if any(count.event == event for count in each.counts))


def _version(shown: Shown, entry: Entry, older: Contract | None, fields: tuple[FieldShown, ...]) -> VersionShown:
    contract, schema = entry.contract, entry.contract.schema
    payload, event = _checked(entry)
    is_used = contract.lifecycle is not Lifecycle.RETIRED
    folder = None if shown.is_bundled else named(shown.folder)
    code = producer_code(shown.catalog, entry, payload, folder=folder) if is_used else ""
    return VersionShown(
        contract=contract,
        title=_said(schema, "title"),
        description=_said(schema, "description"),
        moves=tuple(moves(contract, shown.releases)),
        key=_key(contract, [each.row for each in fields]),
        ordering=_ordering(contract),
        fields=fields,
        payload=payload_of(schema),
        schema=json_text(schema, indent=2),
        example=_json(payload),
        event=_json(event),
        producer=code,
        consumer=consumer_code(shown.catalog, entry, folder=folder) if is_used else "",
        older=None if older is None else beside(older, contract, shown.decisions.values()),
    )


def _checked(entry: Entry) -> tuple[Any, dict[str, Any]]:
    """Return an example of the payload and of the whole event, once the contract's own validators have taken both."""
    payload, event = example(entry), event_example(entry)
    for document in (payload, event["payload"]):
        if not (entry.closed.is_valid(document) and entry.open.is_valid(document)):
            violations = [*entry.closed.violations(document), *entry.open.violations(document)]
            raise ExampleRefused(entry.contract.name, violations)
    return payload, event


def _said(schema: dict[str, Any], keyword: str) -> str:
    value = schema.get(keyword)
    return value if isinstance(value, str) else ""


def _json(document: Any) -> str:
    return msgspec.json.format(msgspec.json.encode(document), indent=2).decode()


def _key(contract: Contract, fields: Sequence[FieldRow]) -> str:
    named = contract.key.fields
    text = f"Two events with the same {listed(named)} are one and the same: the second is a repetition."
    optional = [each for each in named if any(row.path == f"/{each}" and not row.required for row in fields)]
    if optional:
        verb = "is" if len(optional) == 1 else "are"
        text += f" Where {listed(optional)} {verb} absent, the event's own event_id stands in the key."
    return text


def _ordering(contract: Contract) -> str:
    ordering = contract.ordering
    if ordering is None:
        return "None: no event makes another one stale."
    return f"For each {ordering.per}, the highest {ordering.by} wins; an event with a lower one is stale."


def _rows(
    row: FieldRow | ItemRow, within: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], FieldRow | ItemRow]]:
    """Yield what is said of a value and of each value in it, with the words that lead there."""
    yield within, row
    for word, inner in (("each item", row.items), ("each value", row.entries)):
        if inner is not None:
            yield from _rows(inner, (*within, word))


def _fields(rows: Sequence[FieldRow], since: Mapping[str, Since]) -> Iterator[FieldShown]:
    paths: list[str] = []
    for row in rows:
        while paths and not row.path.startswith(f"{paths[-1]}/"):
            paths.pop()
        yield FieldShown(row, len(paths), since[row.path])
        paths.append(row.path)
