"""Rows that refer to rows of their own table, as trees have them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from jobarium_events.migrations.rehearsal.data.statistics import (
    ColumnStatistics,
    Statistics,
    TableStatistics,
    read_statistics,
)
from jobarium_events.migrations.rehearsal.data.tables import read_tables
from jobarium_events.migrations.rehearsal.data.volumes import fill

ROWS = 10_000
TREE = "create table node (id bigint primary key, parent_id bigint references node, note text)"
TREE_OF_PARTS = """
    create table node (part int, id bigint, parent_part int, parent_id bigint, note text, primary key (part, id),
        foreign key (parent_part, parent_id) references node) partition by list (part);
    create table node_1 partition of node for values in (1);
    create table node_2 partition of node for values in (2);
"""


@pytest.fixture
def connection(database: str) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(database, autocommit=True) as opened:
        yield opened


def parents(connection: psycopg.Connection[Any], statistics: Statistics | None = None) -> ColumnStatistics:
    """Fill the table, and return how its references are spread."""
    fill(connection, read_tables(connection), {"node": ROWS}, seed=1, statistics=statistics)
    ((lost,),) = connection.execute(
        "select count(*) from node as n where parent_id is not null and not exists "
        "(select from node as p where p.id = n.parent_id) or parent_id = id"
    ).fetchall()
    assert lost == 0
    return read_statistics(connection).tables["public.node"].columns["parent_id"]


@pytest.mark.parametrize(
    ("parent", "null_share", "different", "most"),
    [
        ("case when n % 5 = 0 then 1 + n % 40 end", 0.8, 8, 0.025),
        ("case when n % 10 < 6 then 7 when n % 10 < 9 then 1 + n % 500 end", 0.1, 151, 0.6),
        ("null", 1.0, 0, 0.0),
        ("1 + n % 3000", 0.0, 3000, 0.0),
    ],
)
def test_they_refer_as_often_and_to_as_many_as_statistics_say(
    connection: psycopg.Connection[Any], parent: str, null_share: float, different: int, most: float
) -> None:
    connection.execute(TREE)
    made = f"insert into node select n, {parent} from generate_series(1, {ROWS}) n"
    connection.execute(f"set session_replication_role = replica; {made}; analyze node".encode())
    connection.execute("set session_replication_role = origin")
    statistics = read_statistics(connection)
    connection.execute("truncate node")

    found = parents(connection, statistics)
    ((distinct,),) = connection.execute("select count(distinct parent_id) from node").fetchall()
    assert found.null_share == pytest.approx(null_share, abs=0.03)
    assert distinct == pytest.approx(statistics.tables["public.node"].columns["parent_id"].distinct_of(ROWS), rel=0.05)
    assert distinct == pytest.approx(different, rel=0.2)
    assert max(found.frequencies, default=0.0) == pytest.approx(most, abs=0.02)


def test_the_columns_of_a_key_refer_together(connection: psycopg.Connection[Any]) -> None:
    connection.execute(TREE_OF_PARTS.encode())
    known = ColumnStatistics(null_share=0.7, distinct=20, frequencies=(0.2,))
    columns = {"parent_part": known, "parent_id": known}
    spread = Statistics(tables={"public.node": TableStatistics(rows=ROWS, columns=columns)})

    found = parents(connection, spread)
    assert found.null_share == pytest.approx(0.7, abs=0.03)
    query = "select count(distinct (parent_part, parent_id)) from node where parent_id is not null"
    assert connection.execute(query.encode()).fetchone() == (20,)
    mixed = "select count(*) from node where (parent_part is null) <> (parent_id is null)"
    assert connection.execute(mixed.encode()).fetchone() == (0,)


def test_without_statistics_few_are_referred_to_often(connection: psycopg.Connection[Any]) -> None:
    connection.execute(TREE)
    found = parents(connection)

    assert found.null_share == pytest.approx(0.1, abs=0.03)
    assert found.frequencies[0] > 0.05


UNIQUE = [
    ("unique (parent_id, name)", 40, 0.3),
    ("unique (name, parent_id), unique (parent_id, place)", 40, 0.3),
    ("unique (parent_id)", 3000, 0.7),
]


@pytest.mark.parametrize(("unique", "different", "null_share"), UNIQUE)
def test_what_is_unique_beside_a_parent_is_kept_apart(
    connection: psycopg.Connection[Any], unique: str, different: int, null_share: float
) -> None:
    connection.execute(
        "create table node (id bigint primary key, parent_id bigint references node, name text not null, "
        f"place int, {unique})".encode()
    )
    columns = {"parent_id": ColumnStatistics(null_share=null_share, distinct=different)}
    spread = Statistics(tables={"public.node": TableStatistics(rows=ROWS, columns=columns)})

    found = parents(connection, spread)
    assert found.null_share == pytest.approx(null_share, abs=0.2 if different == 3000 else 0.05)
    ((distinct,),) = connection.execute("select count(distinct parent_id) from node").fetchall()
    assert distinct == pytest.approx(different, rel=0.5)
    fill(connection, read_tables(connection), {"node": ROWS + 100}, seed=2, statistics=spread)


@pytest.mark.parametrize("unique", ["unique nulls not distinct (parent_id, name)", "unique (parent_id, name)"])
def test_what_may_not_be_null_or_is_not_known_stays_as_it_is(connection: psycopg.Connection[Any], unique: str) -> None:
    connection.execute(
        "create table node (id bigint primary key, parent_id bigint references node, name text not null, "
        f"{unique})".encode()
    )
    known = {"parent_id": ColumnStatistics(null_share=0.5, distinct=7)} if "not distinct" in unique else {}
    spread = Statistics(tables={"public.node": TableStatistics(rows=ROWS, columns=known)})

    assert parents(connection, spread).null_share == 1.0
