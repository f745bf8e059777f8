"""A large catalog as a company might have one: hardly a name in it is there twice, and many services read an event."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from random import Random

__all__ = ["write_company"]

_DOMAINS = (
    "account billing booking campaign candidate catalog claim contract customer delivery employer inventory invoice "
    "matching order payment return shipment support tenant"
).split()
_THINGS = (
    "address amount approval assessment attachment attempt audience balance batch budget category channel clause "
    "cohort commission consent contact currency deadline device discount document enrichment experiment feature "
    "forecast holder identifier interview item language ledger limit location message milestone notification offer "
    "owner packet parent period plan policy price priority profile quota rating reason receipt reference region "
    "reminder retry reviewer schedule score segment session shortlist signature source status target tax template "
    "threshold total transfer variant version voucher window"
).split()
_DONE = ("cancelled", "completed", "created", "rejected", "requested", "updated")
_SERVICES = tuple(f"{domain}-{part}-service" for domain in _DOMAINS for part in ("audit", "lifecycle", "query", "sync"))
_FIELDS, _READERS = 14, 4


def write_company(folder: Path, count: int) -> None:
    """Write a catalog's folder of so many events, the same at each run: each of 15 fields, and read by four services.

    A field's name has one word to three, the first that of its domain where it has more than one.
    """
    random = Random(count)
    tables = ['releases = ["2026.1"]\n']
    for number in range(count):
        domain = _DOMAINS[number % len(_DOMAINS)]
        event = f"{domain}.{random.choice(_THINGS)}.{random.choice(_THINGS)}{number}.{random.choice(_DONE)}"
        tables.append(
            f'[event."{event}"]\n'
            f"owner = {json.dumps(random.choice(_SERVICES))}\n"
            f"consumers = {json.dumps(random.sample(_SERVICES, _READERS))}\n"
            f'[event."{event}".v1]\n'
            f'key = "{event}:{{id}}"\n'
            'introduced = "2026.1"\n'
        )
        fields = {name: {"type": "string", "description": "What it says."} for name in ("id", *_names(domain, random))}
        title = event.replace(".", " ").capitalize()
        schema = {"title": title, "description": "Sent.", "type": "object", "required": ["id"], "properties": fields}
        (folder / event).mkdir()
        (folder / event / "v1.json").write_text(json.dumps(schema), encoding="utf-8")
    (folder / "catalog.toml").write_text("\n".join(tables), encoding="utf-8")


def _names(domain: str, random: Random) -> Iterator[str]:
    for _ in range(_FIELDS):
        words = random.sample(_THINGS, random.choice((1, 2, 2, 3)))
        yield "_".join(words if len(words) < 3 else [domain, *words[1:]])
