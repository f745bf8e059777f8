"""One folder with findings of many kinds, and the whole report of it in each format, as it was reviewed.

``JOBARIUM_EVENTS_GOLDEN=renew`` writes the reports anew; look at the difference before it is committed.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from jobarium_events.cli.app import app
from tests.folders import MOMENT, TEXT, WHOLE, schema, table, write

GOLDEN = Path(__file__).parent / "golden"
FORMATS = {"text": "txt", "json": "json", "github": "github", "sarif": "sarif", "markdown": "md"}
RELEASES = 'releases = ["1", "2", "3"]\nplanned = ["4", "5", "6"]\n'

PLACED: dict[str, Any] = {
    **schema(
        {"id": TEXT, "placed_at": MOMENT, "total": {"type": "number", "description": "In euros.", "x-unit": "EUR"}},
        channel={"enum": ["web", "shop"], "x-enum-meanings": {"web": "Over the web.", "shop": "In a shop."}},
        score={"type": "integer", "minimum": 0, "maximum": 100, "description": "Trust, from 0 to 100."},
        note={"type": "string", "maxLength": 200},
        address={"type": "object", "properties": {"city": TEXT, "zip": TEXT}},
    ),
    "description": "An order was placed.",
}
PLACED_NOW: dict[str, Any] = {
    **schema(
        {"id": TEXT, "placed_at": MOMENT, "total": {"type": "number", "description": "In cents.", "x-unit": "cent"}},
        channel={
            "enum": ["web", "shop", "phone"],
            "x-enum-meanings": {"web": "Over the web.", "shop": "In a shop.", "phone": "By phone."},
        },
        score={"type": "integer", "minimum": 0, "maximum": 10, "description": "Trust, from 0 to 10."},
        address={"type": "object", "properties": {"city": TEXT, "zip": TEXT}, "required": ["zip"]},
        coupon=TEXT,
    ),
    "description": "An order was placed, as the shop sees it.",
}
SHIPPED = schema({"id": TEXT, "carrier": TEXT}, weight={"type": "number"})
SHIPPED_V2 = schema({"id": TEXT, "carrier": {"enum": ["post", "courier"]}}, weight=WHOLE)
CANCELLED = schema({"id": TEXT}, why={"type": "string", "description": "Said by the customer."})
CANCELLED_NOW = schema({"id": TEXT}, why={"type": "string", "description": "Said by the customer, or by us."}, by=TEXT)

DECISION = """\
+++
id = "{id}"
title = "{title}"
date = 2026-01-05
status = "{status}"
owner = "shop"
review = 2999-01-01

[[allows]]
{allows}
+++

## Context
Orders.
## Decision
{decision}
## Alternatives
None.
## Why
It is needed.
"""
CONSEQUENCES = "## Consequences\nAll know.\n"


def manifest(**orders: dict[str, str]) -> str:
    parts = [table(f"order.{name}", versions, owner="shop", releases="") for name, versions in orders.items()]
    return RELEASES + "".join(parts)


def before(folder: Path) -> None:
    """What was released."""
    text = manifest(
        placed={"v1": 'key = "order.placed:{id}"\nintroduced = "1"'},
        shipped={"v1": 'key = "{id}"\nintroduced = "1"'},
        cancelled={"v1": 'key = "{id}"\nintroduced = "2"'},
        returned={"v1": 'key = "{id}"\nintroduced = "3"'},
    )
    schemas = {"order.placed/v1.json": PLACED, "order.shipped/v1.json": SHIPPED}
    schemas |= {"order.cancelled/v1.json": CANCELLED, "order.returned/v1.json": schema({"id": TEXT})}
    write(folder, text, schemas)


def after(folder: Path) -> None:
    """What is checked: a contract that breaks, a new version, a meaning that was decided, and one that is gone."""
    text = manifest(
        placed={"v1": 'key = "order.placed:{id}:{placed_at}"\nintroduced = "1"'},
        shipped={
            "v1": 'key = "{id}"\nintroduced = "1"\ndeprecated = "4"\nretired = "5"',
            "v2": 'key = "{id}"\nintroduced = "4"\ndecision = "DEC-0002"',
        },
        cancelled={"v1": 'key = "{id}"\nintroduced = "2"'},
    )
    meaning = 'event = "order.cancelled"\nversion = "v1"\nmeanings = ["/properties/why"]'
    breaking = 'event = "order.shipped"\nversion = "v2"\nbreaking = ["/properties/weight/type"]'
    decisions = {
        "decisions/DEC-0001.md": DECISION.format(
            id="DEC-0001",
            title="Reasons may be ours",
            status="accepted",
            allows=meaning,
            decision="A reason may be ours.",
        )
        + CONSEQUENCES,
        "decisions/DEC-0002.md": DECISION.format(
            id="DEC-0002",
            title="Whole kilograms",
            status="accepted",
            allows=breaking,
            decision="Weights are whole.",
        ),
    }
    schemas = {"order.placed/v1.json": PLACED_NOW, "order.shipped/v1.json": SHIPPED}
    schemas |= {"order.shipped/v2.json": SHIPPED_V2, "order.cancelled/v1.json": CANCELLED_NOW}
    write(folder, text, {path: json.dumps(each, indent=2) for path, each in schemas.items()} | decisions)


@pytest.fixture
def report(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], str]:
    """The report of the folder in a format, as it is printed to a pipe."""
    monkeypatch.chdir(tmp_path)
    for name in ("COLUMNS", "NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    before(tmp_path / "released")
    after(tmp_path / "schemas")

    def report(format_: str) -> str:
        ended = CliRunner().invoke(app, ["check", "schemas", "--against", "released", "--format", format_])
        assert ended.exit_code == 1, ended.output
        return ended.stdout

    return report


@pytest.mark.parametrize("format_", FORMATS)
def test_the_report_is_as_it_was_reviewed(report: Callable[[str], str], format_: str) -> None:
    golden = GOLDEN / f"report.{FORMATS[format_]}"
    told = report(format_)
    if os.environ.get("JOBARIUM_EVENTS_GOLDEN") == "renew":
        golden.write_text(told, encoding="utf-8")
    assert told == golden.read_text(encoding="utf-8")


def test_the_report_is_the_same_every_time(report: Callable[[str], str]) -> None:
    assert report("json") == report("json")
