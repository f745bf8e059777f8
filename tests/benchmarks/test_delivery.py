from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from benchmarks import delivery as measured
from benchmarks.delivery import delivery
from benchmarks.scenarios import UnfitScenario
from benchmarks.timing import Effort
from tests import servers

if TYPE_CHECKING:
    from tests.conftest import Database, Server

BRIEF = Effort(rounds=2, slice_seconds=0.00001, processes=2, changed=2)


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    sizes = {"ADDED": 20, "PUBLISHED": 40, "FROM_BACKLOG": 30, "AT_ONCE": 10, "SMALL_BACKLOG": 100}
    for name, size in sizes.items():
        monkeypatch.setattr(measured, name, size)


def test_outbox_and_relay_are_measured(postgres: Database, nats: Server) -> None:
    rows = delivery(BRIEF)
    assert [(row.name, row.base, row.bound) for row in rows] == [
        ("Outbox.add of 20 events", "psycopg's executemany of the same rows", pytest.approx(1 / 0.7)),
        ("relay 40 events from Postgres to NATS JetStream, confirmed", "publishing them from memory, confirmed", 2),
        ("relay 30 events of a backlog of 2,000", "of a backlog of 100", 1),
    ]
    assert all(row.ratio.value > 0 for row in rows)


def test_without_servers_it_says_so(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def missing() -> str:
        raise servers.Missing("Postgres: none")

    monkeypatch.setattr(servers, "postgres_url", missing)
    assert delivery(BRIEF) == []
    assert capsys.readouterr().err == "not measured, the outbox: Postgres: none\n"


def test_a_relay_that_publishes_too_little_ends_the_run(
    postgres: Database, nats: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(measured, "SMALL_BACKLOG", 10)
    with pytest.raises(UnfitScenario, match="the backlog was too small"):
        delivery(BRIEF)


def test_without_a_broker_the_outbox_is_measured_alone(
    postgres: Database, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def missing() -> str:
        raise servers.Missing("NATS: none")

    monkeypatch.setattr(servers, "nats_url", missing)
    assert len(delivery(BRIEF)) == 1
    assert capsys.readouterr().err == "not measured, the relay: NATS: none\n"
