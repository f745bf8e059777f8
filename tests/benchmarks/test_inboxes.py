from __future__ import annotations

from typing import Any

import psycopg
import pytest

from benchmarks import inboxes as measured
from benchmarks.inboxes import inboxes
from benchmarks.timing import Effort
from tests.servers import Missing

BRIEF = Effort(rounds=2, slice_seconds=0.00001, processes=2)


def test_the_inbox_is_compared_with_its_statements_by_hand(postgres: Any, capsys: pytest.CaptureFixture[str]) -> None:
    [row] = inboxes(BRIEF)
    assert row.name == "consume with the Postgres inbox, one event a transaction"
    assert row.bound == pytest.approx(1 / 0.7)
    assert row.ratio.value > 0
    assert capsys.readouterr().err == ""
    with psycopg.connect(postgres.url) as connection:
        left = connection.execute("select nspname from pg_namespace where nspname like 'jobarium_benchmark_%'")
        assert left.fetchall() == []


def test_without_a_server_it_is_left_out(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def missing() -> str:
        raise Missing("Postgres: there is none")

    monkeypatch.setattr(measured, "postgres_url", missing)
    assert inboxes(BRIEF) == []
    assert "left out: consume with the Postgres inbox: Postgres: there is none" in capsys.readouterr().err
