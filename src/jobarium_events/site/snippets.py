"""Python to copy: how the owner of an event sends it, and how a consumer reads it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

import msgspec

from jobarium_events.contract import Contract, Lifecycle, version_number

if TYPE_CHECKING:
    from jobarium_events.catalog import Catalog
    from jobarium_events.catalog.entry import Entry

__all__ = ["consumer_code", "producer_code"]

_WIDTH = 78
_INDENT = "    "
_PAYLOADS = "jobarium_events.payloads"
_NO_CONSUMER = "your-service"
_ON_THE_WIRE = (Lifecycle.ACTIVE, Lifecycle.DEPRECATED)


def producer_code(catalog: Catalog, entry: Entry, payload: Any, *, folder: str | None) -> str:
    """Return how the owner emits a payload.

    Args:
        catalog: The catalog that has the contract.
        entry: The contract.
        payload: One that it accepts.
        folder: The folder that the catalog was loaded from; None for the one that comes with this library, whose
            payload classes do so too.
    """
    contract, printed = entry.contract, _Printed()
    if folder is None:
        # The class's own values, such as a datetime, are what a service has at hand.
        given = [printed.of(entry.open.convert(payload), 1)]
    else:
        given = [json.dumps(contract.event), printed.of(payload, 1)]
    declares = _declares(catalog, contract, by_class=folder is None)
    options = [f"name={_text(contract.owner)}", *declares, "send=transport.send"]
    lines = [
        *printed.imports("Catalog", "Producer"),
        "from jobarium_events.testing import InMemoryTransport",
        "",
        *_catalog(folder),
        "transport = InMemoryTransport()  # in a service: your broker's client",
        _opened("producer = Producer(", ["catalog", *options], ")", 0),
        "",
        _opened("producer.emit(", given, ")", 0),
    ]
    return "\n".join(lines) + "\n"


def consumer_code(catalog: Catalog, entry: Entry, *, folder: str | None) -> str:
    """Return how a consumer handles a contract, and the other versions that may be on the wire at the same time.

    The parameters are those of `producer_code`.
    """
    contract, printed = entry.contract, _Printed()
    others = [
        each for each in catalog.versions(contract.event) if each.lifecycle in _ON_THE_WIRE and each is not contract
    ]
    handlers = list(_handler(printed, entry, "handle" if not others else f"handle_{contract.version}", folder))
    for other in others:
        handlers += ["", "", f"# {_why(contract, other)}"]
        theirs = catalog.entry(contract.event, other.version)
        handlers += _handler(printed, theirs, f"handle_{other.version}", folder)
    consumers = [*contract.consumers, _NO_CONSUMER]
    lines = [
        *printed.imports("Catalog", "Consumer", "Event"),
        "",
        *_catalog(folder),
        f"consumer = Consumer(catalog, name={_text(consumers[0])})",
        "",
        "",
        *handlers,
        "",
        "",
        "consumer.verify()  # raises if a version that may arrive has no handler",
        "",
        "",
        "def receive(body: bytes, attributes: dict[str, str]) -> None:",
        f"{_INDENT}consumer.consume(body, attributes)  # for each message of your broker",
    ]
    return "\n".join(lines) + "\n"


def _handler(printed: _Printed, entry: Entry, name: str, folder: str | None) -> Iterator[str]:
    """Yield the lines of a function that handles a contract."""
    contract = entry.contract
    if folder is None:
        printed.names.add(contract.class_name)
        kind = contract.class_name
        field = _first_field(entry)
        yield f"@consumer.on({contract.class_name})"
    else:
        printed.modules.add("from typing import Any")
        kind, field = "dict[str, Any]", ""
        yield f"@consumer.on({_text(contract.event)}, {_text(contract.version)})"
    yield f"def {name}(event: Event[{kind}]) -> None:"
    yield f"{_INDENT}print(event.idempotency_key, {f'event.payload.{field}' if field else 'event.payload'})"


def _why(contract: Contract, other: Contract) -> str:
    """Return why a consumer handles another version as well."""
    if version_number(other.version) > version_number(contract.version):
        return f"{other.version} is on the wire as well."
    until = f"until {other.retired}" if other.retired else "until it is retired"
    return f"{other.version} is on the wire as well, {until}; an upcast may take it to {contract.version} instead."


def _catalog(folder: str | None) -> Iterator[str]:
    if folder is None:
        yield "catalog = Catalog.bundled()"
    else:
        yield f"catalog = Catalog.load({_text(folder)})  # the folder of the schemas, wherever it stands"


def _declares(catalog: Catalog, contract: Contract, *, by_class: bool) -> list[str]:
    """Return what the producer has to be told: a draft is emitted by who says so, and so is an old version by name."""
    newest = catalog.newest(contract.event)
    if contract.lifecycle is not Lifecycle.DRAFT and (by_class or newest is contract):
        return []
    return [f"declares={{{_text(contract.event)}: {_text(contract.version)}}}"]


def _first_field(entry: Entry) -> str:
    fields = getattr(entry.payload_type, "__struct_fields__", ())
    return str(fields[0]) if fields else ""


class _Printed:
    """Prints values as Python, and notes what they need.

    Attributes:
        names: The payload classes.
        modules: The other lines of import.
    """

    def __init__(self) -> None:
        self.names: set[str] = set()
        self.modules: set[str] = set()
        self._from_datetime: set[str] = set()

    def imports(self, *names: str) -> list[str]:
        """Return the lines of import, with some names of the library."""
        times = ", ".join(sorted(self._from_datetime))
        standard = sorted(filter(None, [*self.modules, times and f"from datetime import {times}"]))
        lines = [*standard, ""] if standard else []
        lines.append(f"from jobarium_events import {', '.join(names)}")
        if self.names:
            lines.append(_opened(f"from {_PAYLOADS} import ", sorted(self.names), "", 0, around="()"))
        return lines

    def of(self, value: Any, level: int) -> str:
        """Return a value as it stands at a level of indentation."""
        match value:
            case msgspec.Struct():
                name = type(value).__name__
                self.names.add(name)
                return _opened(f"{name}(", self._fields(value, level + 1), ")", level)
            case dict():
                return _opened(
                    "{", [f"{_text(str(key))}: {self.of(each, level + 1)}" for key, each in value.items()], "}", level
                )
            case list() | tuple():
                return _opened("[", [self.of(each, level + 1) for each in value], "]", level)
            case str():
                return _text(value)
            case datetime() | date() | time() | UUID():
                return self._known(value)
            case _:
                return repr(value)

    def _fields(self, value: msgspec.Struct, level: int) -> list[str]:
        said = [(each.name, getattr(value, each.name), each.default) for each in msgspec.structs.fields(value)]
        return [
            f"{name}={self.of(given, level)}"
            for name, given, default in said
            if given is not msgspec.UNSET and not (given is None and default is None)
        ]

    def _known(self, value: datetime | date | time | UUID) -> str:
        if isinstance(value, UUID):
            self.modules.add("from uuid import UUID")
            return f'UUID("{value}")'
        kind = type(value).__name__
        self._from_datetime.add(kind)
        if isinstance(value, datetime) and value.utcoffset() == timedelta() and not value.microsecond:
            self._from_datetime.add("UTC")
            parts = list(value.timetuple()[:6])
            return f"datetime({', '.join(map(str, parts if parts[5] else parts[:5]))}, tzinfo=UTC)"
        return f'{kind}.fromisoformat("{value.isoformat()}")'


def _opened(before: str, parts: list[str], after: str, level: int, *, around: str = "") -> str:
    """Return some parts on one line, or on a line each where that is too long."""
    flat = f"{before}{', '.join(parts)}{after}"
    if "\n" not in flat and len(flat) + len(_INDENT) * level <= _WIDTH:
        return flat
    inner, outer = "\n" + _INDENT * (level + 1), "\n" + _INDENT * level
    opening, closing = around[:1], around[1:]
    return f"{before}{opening}{''.join(f'{inner}{part},' for part in parts)}{outer}{closing}{after}"


def _text(text: str) -> str:
    """Return a text as Python writes it; what could not be seen in it is escaped."""
    return json.dumps(text, ensure_ascii=False) if text.isprintable() else repr(text)
