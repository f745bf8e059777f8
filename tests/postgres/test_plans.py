"""However long the backlog is, Postgres reads no more of it than it needs, with statistics and without."""

from __future__ import annotations

import psycopg
import pytest

from tests.postgres.events import outbox_in


@pytest.mark.parametrize("analyzed", [False, True])
@pytest.mark.parametrize("published", [0, 10_000])
@pytest.mark.parametrize("aggregates", [1, 5, 500])
def test_a_batch_walks_one_index_and_reads_no_more_than_it_needs(postgres, analyzed, published, aggregates):
    outbox = outbox_in(postgres, notify=False)
    with psycopg.connect(postgres.url, autocommit=True) as connection:
        connection.execute(
            f"insert into {outbox.table} (id, event_name, event_version, idempotency_key, aggregate, bucket, body,"
            " attributes, published_at) select gen_random_uuid(), 'job.updated', 'v1', n, n %% %(aggregates)s,"
            " n %% %(aggregates)s %% 100 + 20, '', '{}', case when n <= %(published)s then now() end"
            " from generate_series(1, 20000) as n",
            {"aggregates": aggregates, "published": published},
        )
        if analyzed:
            connection.execute(f"analyze {outbox.table}")
        buckets, taken = min(aggregates, 100), min(aggregates, 16)
        values = {
            "table": outbox.table,
            "resting": ["none"],
            "turn": 40,
            "most": 16,
            "each": 500 // taken,
            "bytes": 1_000,
            "milliseconds": "1000",
        }
        with connection.transaction():
            connection.execute(outbox.statement("settings"), values)
            for name, given, read in (
                ("lock_buckets", 128, buckets + 1),
                ("take", list(range(20, 20 + taken)), 500),
            ):
                explain = b"explain (analyze, format json) " + outbox.statement(name)
                ((explained,),) = connection.execute(explain, values | {"buckets": given}).fetchall()
                scans = [node for node in nodes(explained[0]["Plan"]) if node.get("Relation Name") == "outbox_event"]
                assert {node["Node Type"] for node in scans} <= {"Index Scan", "Index Only Scan"}, name
                indexes = {node["Index Name"] for node in scans}
                assert indexes == {"outbox_event_waiting"} | ({"outbox_event_held"} if name == "take" else set()), name
                assert sum(rows_read(node) for node in scans) <= read, name


def test_what_is_held_is_found_by_its_index_where_most_is_held(postgres):
    outbox = outbox_in(postgres, notify=False)
    with psycopg.connect(postgres.url) as connection:
        connection.execute(
            f"insert into {outbox.table} (id, event_name, event_version, idempotency_key, aggregate, bucket, body,"
            " attributes, held) select gen_random_uuid(), 'job.updated', 'v1', n, (n > 19000)::text, (n > 19000)::int,"
            " '', '{}', n <= 19000 from generate_series(1, 20000) as n",
            (),
        )
        connection.execute(f"analyze {outbox.table}")
        connection.execute(outbox.statement("settings"), {"milliseconds": "1000"})
        values = {"buckets": [1], "resting": [], "each": 500, "bytes": 1_000}
        explain = b"explain (analyze, format json) " + outbox.statement("take")
        ((explained,),) = connection.execute(explain, values).fetchall()
        scans = [node for node in nodes(explained[0]["Plan"]) if node.get("Relation Name") == "outbox_event"]
        assert {node.get("Index Name") for node in scans} == {"outbox_event_waiting", "outbox_event_held"}
        assert sum(rows_read(node) for node in scans) == 500


def test_the_buckets_come_by_turns(postgres):
    outbox = outbox_in(postgres)
    with psycopg.connect(postgres.url) as connection:
        connection.execute(
            f"insert into {outbox.table} (id, event_name, event_version, idempotency_key, aggregate, bucket, body,"
            " attributes) select gen_random_uuid(), 'job.updated', 'v1', n, n, n, '', '{}'"
            " from unnest(array[0, 3, 3, 7, 90, 127]) with ordinality as m (n, place) on conflict do nothing",
            (),
        )
        values = {"table": outbox.table, "buckets": 128, "resting": ["90"], "turn": 7, "most": 3}
        found = connection.execute(outbox.statement("lock_buckets"), values).fetchall()
        assert [bucket for (bucket,) in found] == [7, 127, 0]


@pytest.mark.parametrize("analyzed", [False, True])
def test_the_backlog_is_counted_without_reading_the_table(postgres, analyzed):
    outbox = outbox_in(postgres, notify=False)
    with psycopg.connect(postgres.url, autocommit=True) as connection:
        connection.execute(
            f"insert into {outbox.table} (id, event_name, event_version, idempotency_key, aggregate, bucket, body,"
            " attributes) select gen_random_uuid(), 'job.updated', 'v1', n, n, n %% 128, '', '{}'"
            " from generate_series(1, 20000) as n",
            (),
        )
        if analyzed:
            connection.execute(f"analyze {outbox.table}")
        statement = b"explain (analyze, format json) " + outbox.statement("backlog")
        explained = connection.execute(statement, {"buckets": 128, "most": 1_000}).fetchone()[0]
        every = list(nodes(explained[0]["Plan"]))
        assert "Seq Scan" not in {node["Node Type"] for node in every}
        assert max(node["Actual Rows"] * node["Actual Loops"] for node in every) < 2 * 1_000


def rows_read(node):
    return (node["Actual Rows"] + node.get("Rows Removed by Filter", 0)) * node["Actual Loops"]


def nodes(plan):
    yield plan
    for each in plan.get("Plans", ()):
        yield from nodes(each)
