"""What is committed at once: each statement by itself, apart from those between begin and commit."""

from __future__ import annotations

import psycopg
import pytest

from jobarium_events.migrations import Environment
from jobarium_events.migrations.files.parsing import SqlError, parse
from jobarium_events.migrations.files.steps import runs_in_transaction, steps
from jobarium_events.migrations.running.running import run_step

CLUSTERS_PARTITIONS = 15_00_00  # the version of Postgres that does


def grouped(text: str) -> list[list[str]]:
    return [[each.text for each in step.statements] for step in steps(parse(text))]


def test_each_statement_is_a_step():
    assert grouped("select 1; select 2") == [["select 1"], ["select 2"]]


@pytest.mark.parametrize(
    ("begin", "commit"), [("begin", "commit"), ("start transaction", "end"), ("BEGIN WORK", "COMMIT")]
)
def test_a_transaction_is_one(begin, commit):
    text = f"select 1; {begin}; select 2; select 3; {commit}; {begin}; {commit}; select 4"
    assert grouped(text) == [["select 1"], ["select 2", "select 3"], ["select 4"]]


def test_a_step_has_the_line_of_its_first_statement():
    first, second = steps(parse("begin;\n\nselect 1;\nselect 2;\ncommit;\nselect 3;"))
    assert (first.line, second.line) == (3, 6)


@pytest.mark.parametrize(
    ("text", "line", "problem"),
    [
        ("select 1;\nbegin;\nselect 2;", 2, "begins a transaction that is not committed"),
        ("begin;\nselect 1;\nbegin;", 3, "begins a transaction within the one of line 1"),
        ("select 1;\ncommit;", 2, "commits, and no transaction was begun"),
        ("begin; select 1;\nrollback;", 2, "only begin and commit may do so"),
        ("begin;\nsavepoint a;\ncommit;", 2, "only begin and commit may do so"),
        ("begin;\nprepare transaction 'a';", 2, "only begin and commit may do so"),
        ("\nbegin isolation level serializable;\ncommit;", 2, "by more than a plain begin or commit"),
        ("begin;\nselect 1;\ncommit and chain;", 3, "by more than a plain begin or commit"),
    ],
)
def test_mistakes_have_their_line(text, line, problem):
    with pytest.raises(SqlError, match=problem) as caught:
        steps(parse(text))
    assert caught.value.line == line


ALONE = [
    "create index concurrently i on job (a)",
    "create unique index concurrently if not exists i on job (a)",
    "drop index concurrently job_a",
    "reindex index concurrently job_a",
    "reindex (concurrently) table job",
    "reindex schema public",
    "vacuum job",
    "vacuum (analyze) job",
    "cluster",
    "create database other",
    "drop database if exists other",
    "alter database postgres set tablespace pg_default",
    "alter system set work_mem = '4MB'",
    "create tablespace s location '/nowhere'",
    "drop tablespace if exists s",
    "alter table parts detach partition part concurrently",
    "discard all",
    "create subscription s connection 'dbname=nowhere' publication p",
]
TOGETHER = [
    "create index i on job (a)",
    "drop index job_a",
    "drop table job",
    "analyze job",
    "alter table job add column b int",
    "alter table parts detach partition part",
    "refresh materialized view concurrently view",
    "discard temp",
    "truncate job",
    "alter database postgres connection limit -1",
    "alter type kind add value 'c'",
    "create publication p for table job",
]
OF_PARTITIONS = [
    "reindex table {}",
    "reindex index {}_a",
    "cluster {} using {}_a",
]


@pytest.mark.parametrize("sql", ALONE + TOGETHER)
def test_postgres_says_the_same(each_database, sql):
    (step,) = steps(parse(sql))
    assert step.in_transaction is (sql in TOGETHER)
    with psycopg.connect(each_database, autocommit=True) as connection:
        connection.execute("""
            create table job (a int); create index job_a on job (a); create type kind as enum ('a');
            create materialized view view as select 1 as a; create unique index on view (a);
            create table parts (a int) partition by list (a); create table part partition of parts for values in (1);
        """)
        connection.execute("begin")
        try:
            connection.execute(sql)
            accepted = True
        except psycopg.errors.ActiveSqlTransaction:
            accepted = False
        connection.execute("rollback")
    assert accepted is runs_in_transaction(step.statements[0])


def test_a_transaction_with_what_runs_alone_cannot_be_one():
    (step,) = steps(parse("begin; select 1; create index concurrently i on job (a); commit"))
    assert not step.in_transaction


@pytest.mark.parametrize("sql", OF_PARTITIONS)
def test_what_postgres_refuses_of_partitions_runs_alone(each_database, sql):
    with psycopg.connect(each_database, autocommit=True) as connection:
        connection.execute("""
            create table job (a int); create index job_a on job (a);
            create table parts (a int) partition by list (a); create index parts_a on parts (a);
            create table part partition of parts for values in (1);
        """)
        is_clustered = sql.startswith("cluster") and connection.info.server_version < CLUSTERS_PARTITIONS
        for table in ("job",) if is_clustered else ("job", "parts"):
            (step,) = steps(parse(sql.replace("{}", table)))
            assert step.in_transaction is False
            run_step(connection, step, Environment())
            connection.execute("begin")
            if table == "job":
                connection.execute(step.statements[0].text)
            else:
                with pytest.raises(psycopg.errors.ActiveSqlTransaction):
                    connection.execute(step.statements[0].text)
            connection.execute("rollback")
