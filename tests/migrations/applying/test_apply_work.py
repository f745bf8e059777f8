"""How much work applying is, beside what the migrations themselves do."""

from __future__ import annotations

import psycopg

from jobarium_events.migrations.record.record import Event, Record


def test_a_small_migration_is_little_work(team, monkeypatch):
    """What each one adds to a run is the same for the last as for the first, and the disk is waited for once."""
    asked, waited = [], []
    execute, write = psycopg.Connection.execute, Record.write

    def executed(self, query, *arguments, **options):
        asked.append(query)
        return execute(self, query, *arguments, **options)

    def written(self, connection, event, *arguments, waits=True, **detail):
        if waits and connection.info.transaction_status is psycopg.pq.TransactionStatus.IDLE:
            waited.append(event)
        return write(self, connection, event, *arguments, waits=waits, **detail)

    monkeypatch.setattr(psycopg.Connection, "execute", executed)
    monkeypatch.setattr(Record, "write", written)
    counts = []
    for number in range(1, 31):
        up, verify = f"create table t{number} (id int);", f"-- returns: 0\nselect count(*) from t{number};"
        team.file(f"{number:04}_t", up=up, down=f"drop table t{number};", verify=verify)
        if number % 10 == 0:
            asked.clear()
            waited.clear()
            assert len(team.target().apply().done) == 10
            counts.append(len(asked))
            assert waited == [Event.RUN_BEGAN, Event.RUN_ENDED]  # and each step, with the entry of it
    first, second, third = counts
    assert second == third <= first
    assert third <= 10 * 15 + 15
