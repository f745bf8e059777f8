"""Catalogs whose sites the tests build, with something of everything that a page shows."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec

from jobarium_events.counters import Count, Counters
from jobarium_events.evolution.releasing import release
from tests import folders
from tests.folders import MOMENT, TEXT, WHOLE, schema

UNTIL = datetime(2026, 11, 20, 8, tzinfo=UTC)

_ADDRESS = schema({"city": {**TEXT, "description": "Where it goes."}}, zip=TEXT)
_LINE = schema({"sku": TEXT, "count": {**WHOLE, "x-unit": "piece", "minimum": 1}})

ORDER_V1: dict[str, Any] = {
    "title": "Order placed",
    "description": "Sent when somebody has placed an order.",
    **schema(
        {"order_id": {**TEXT, "description": "Identifier of the order."}, "revision": WHOLE, "placed_at": MOMENT},
        channel={
            **TEXT,
            "enum": ["web", "app"],
            "x-enum-meanings": {"web": "In the shop's pages.", "app": "In its app."},
        },
        note={**TEXT, "deprecated": True},
        address=_ADDRESS,
        lines={"type": "array", "items": _LINE},
    ),
}
ORDER_V2 = {**ORDER_V1, "required": [*ORDER_V1["required"], "channel"]}
SHIPPED = {"description": "Sent when it is on its way.", **schema({"order_id": TEXT, "carrier": TEXT})}

DECISION = """+++
id = "DEC-0001"
title = "Orders say where they were placed"
date = 2026-01-05
status = "accepted"
owner = "shop-service"
review = 2099-01-01

[[allows]]
event = "order.placed"
version = "v2"
breaking = ["/required/channel"]

[[timeline]]
event = "order.placed"
version = "v1"
deprecated = "2026.2"
retired = "2026.4"
+++

## Context

Nobody knows whence an order comes: see [the schema](../order.placed/v2.json).

## Decision

It says so.

## Migration plan

First the consumers, then the shop.

## Alternatives

None.

## Why

To count.

## Consequences

| who | what |
| --- | --- |
| billing | moves |
"""

_KEY = 'key = "order.placed:{order_id}:{revision}"\nordering = { per = "order_id", by = "revision" }\n'
_PLACED = {
    "v1": f'{_KEY}introduced = "2026.1"\ndeprecated = "2026.2"\nretired = "2026.4"',
    "v2": f'{_KEY}introduced = "2026.2"\ndecision = "DEC-0001"',
}


def manifest(
    placed: Mapping[str, str], *, releases: Sequence[str] = (), planned: Sequence[str] = (), drafts: bool = True
) -> str:
    """The manifest of the shop."""
    drafted = '[event."order.shipped".v2]\nkey = "order.shipped:{order_id}"\n' if drafts else ""
    tables = "\n".join(f'[event."order.placed".{version}]\n{lines}' for version, lines in placed.items())
    return f"""releases = {json.dumps(list(releases))}
planned = {json.dumps(list(planned))}

[event."order.placed"]
owner = "shop-service"
consumers = ["billing-service", "shop-service"]

{tables}

[event."order.shipped"]
owner = "warehouse"
consumers = []

[event."order.shipped".v1]
key = "order.shipped:{{order_id}}:{{carrier}}"
introduced = "2026.1"
{drafted}"""


def shop(folder: Path, *, drafts: bool = True) -> Path:
    """A catalog with two releases: one version deprecated, one new by a decision, a deprecated field, and a draft."""
    first = {"v1": f'{_KEY}introduced = "2026.1"'}
    before = {**ORDER_V1, "properties": {**ORDER_V1["properties"]}}
    del before["properties"]["address"]
    schemas = {"order.placed/v1.json": before, "order.shipped/v1.json": SHIPPED}
    folders.write(folder, manifest(first, planned=["2026.1", "2026.2", "2026.3", "2026.4"], drafts=False), schemas)
    release(folder, "2026.1")
    schemas = {"order.placed/v1.json": ORDER_V1, "order.placed/v2.json": ORDER_V2, "decisions/DEC-0001.md": DECISION}
    releases, planned = ["2026.1"], ["2026.2", "2026.3", "2026.4"]
    folders.write(folder, manifest(_PLACED, releases=releases, planned=planned, drafts=False), schemas)
    release(folder, "2026.2")
    if drafts:
        text = manifest(_PLACED, releases=["2026.1", "2026.2"], planned=["2026.3", "2026.4"])
        folders.write(folder, text, {"order.shipped/v2.json": {**SHIPPED, "required": ["order_id"]}})
    return folder


def counters(
    path: Path,
    service: str,
    last: Mapping[tuple[str, str], int | None],
    *,
    days: int = 60,
    until: datetime = UNTIL,
) -> Path:
    """Counters of a service: for each contract, how many days before their end it saw the last event; None if never."""
    counts = tuple(
        Count(
            event=event,
            version=version,
            since=until - timedelta(days=days),
            emitted=0,
            consumed=0 if ago is None else 4_711,
            last=None if ago is None else until - timedelta(days=ago),
        )
        for (event, version), ago in last.items()
    )
    path.write_bytes(msgspec.json.encode(Counters(service=service, until=until, counts=counts)))
    return path


READERS = tuple(f"{word}-reader" for word in ("first", "second", "third", "fourth", "fifth", "sixth"))


def large(folder: Path, events: int) -> Path:
    """Write a catalog of two services that send many events; the first reader reads all, each other one fewer."""
    manifest, schemas = [folders.RELEASES], {}
    for number in range(events):
        name, readers = f"thing{number}.made", READERS[: 1 + number // 2 % len(READERS)]
        lines = [f'[event."{name}"]', f'owner = "{("maker", "main")[number % 2]}"', f"consumers = {list(readers)}"]
        manifest += [*lines, f'[event."{name}".v1]', 'key = "k:{id}"', 'introduced = "1"']
        schemas[f"{name}/v1.json"] = folders.schema({"id": folders.TEXT})
    return folders.write(folder, "\n".join(manifest) + "\n", schemas)
