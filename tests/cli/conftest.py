"""The command line as a user runs it, in this process or in one of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from typer.testing import CliRunner

from jobarium_events.cli.app import app
from tests.cli.letters import kept, place, transport  # noqa: F401 - fixtures
from tests.cli.relays import outbox, service, where  # noqa: F401 - fixtures
from tests.cli.teams import of_team, team, team_database  # noqa: F401 - fixtures

EVENT: dict[str, Any] = {
    "event_name": "job.updated",
    "event_version": "v1",
    "event_id": "01999d1e-7f31-7c8a-9f6e-3f6f0d3c2b1a",
    "occurred_at": "2026-10-05T09:30:00Z",
    "producer": "job-service",
    "trace_id": "t-1",
    "idempotency_key": "job.updated:j-7:4",
    "payload": {"job_id": "j-7", "job_version": 4, "status": "active", "updated_at": "2026-10-05T09:30:00Z"},
}


class Ended(NamedTuple):
    """How a command ended."""

    code: int
    out: str
    err: str


Run = Callable[..., Ended]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs a command in this process, as in a pipe."""
    for name in ("COLUMNS", "NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)

    def run(*arguments: object, stdin: bytes | None = None, columns: int | None = None) -> Ended:
        environment = {} if columns is None else {"COLUMNS": str(columns)}
        result = CliRunner(env=environment).invoke(app, [str(each) for each in arguments], input=stdin)
        # A traceback is never a way to end.
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        return Ended(result.exit_code, result.stdout, result.stderr)

    return run


def said(err: str) -> str:
    """What is said of a wrong option, without the box that it is put in."""
    return " ".join(err.replace("│", " ").split())


def process(*arguments: object, **environment: str) -> subprocess.CompletedProcess[bytes]:
    """Run a command in a process of its own."""
    command = [sys.executable, "-m", "jobarium_events.cli", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, check=False, env={**os.environ, **environment})


@pytest.fixture
def events(tmp_path: Path) -> Callable[..., Path]:
    """Writes events to a file of JSON lines; each is given by what differs from a good one."""

    def write(*differences: dict[str, Any]) -> Path:
        path = tmp_path / "events.jsonl"
        path.write_text("".join(json.dumps(EVENT | difference) + "\n" for difference in differences), encoding="utf-8")
        return path

    return write


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A service's own catalog: one event, a draft."""
    root = tmp_path / "shop"
    (root / "order.placed").mkdir(parents=True)
    schema = {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "type": "object",
        "required": ["order_id"],
        "properties": {
            "order_id": {"type": "string", "format": "uuid", "description": "Names the order."},
            "lines": {
                "type": "array",
                "items": {
                    "type": "object",
                    "properties": {
                        "sku": {"type": "string", "maxLength": 8},
                        "part_of": {"$ref": "#/properties/lines/items"},
                    },
                },
            },
            "kind": {"const": "web"},
            "rest": {"oneOf": [{"type": "string"}, {"type": "null"}]},
            "note": {"type": ["string", "null"]},
            "free": True,
        },
    }
    (root / "order.placed" / "v1.json").write_text(json.dumps(schema), encoding="utf-8")
    (root / "catalog.toml").write_text(
        'releases = []\n[event."order.placed"]\nowner = "shop"\n[event."order.placed".v1]\nkey = "order:{order_id}"\n',
        encoding="utf-8",
    )
    return root
