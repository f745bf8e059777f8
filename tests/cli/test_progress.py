"""A relay shows now and then what it has done and what waits, and nothing that it does not know."""

from __future__ import annotations

import asyncio
import io
import time

import pytest
from rich.console import Console

from jobarium_events.cli import progress
from jobarium_events.cli.progress import Progress
from jobarium_events.postgres import Batch
from tests.postgres.events import add, job, outbox_in

AWAY = "postgresql://postgres@127.0.0.1:1/x"


@pytest.fixture(autouse=True)
def _in_a_hurry(monkeypatch):
    monkeypatch.setattr(progress, "_PRINT_EVERY", 0.01)
    monkeypatch.setattr(progress, "_COUNT_EVERY", 0.01)


async def shown(progress, to, *, until):
    """Return the lines that are shown until one of them has a text."""

    async def work():
        end = time.monotonic() + 60
        while until not in to.getvalue():
            assert time.monotonic() < end, to.getvalue()
            await asyncio.sleep(0.01)

    await progress.during(work())
    await progress.end(is_counted=False)
    return to.getvalue().splitlines()


async def test_a_line_is_shown_where_something_has_changed(postgres):
    outbox, to = outbox_in(postgres), io.StringIO()
    add(postgres, outbox, job(1, 1), job(2, 1))
    running = Progress(Console(file=to, width=200), postgres.url, outbox)
    await shown(running, to, until="2 waiting")
    add(postgres, outbox, job(3, 1))
    running.add(Batch(published=1_000, refused=1, held=2, failed=3))
    lines = await shown(running, to, until="3 waiting")
    assert "1,000 published  " in lines[-2]
    assert lines[-2].endswith("/s  3 waiting  1 set aside  2 held  3 failed attempts")
    assert "waiting" not in lines[-1]  # what was counted last may be long ago
    assert len(lines) < 20


async def test_what_waits_is_not_shown_where_the_database_is_away(postgres):
    to = io.StringIO()
    running = Progress(Console(file=to, width=200), AWAY, outbox_in(postgres))
    assert await shown(running, to, until="0 published") == ["0 published  0/s"] * 2
