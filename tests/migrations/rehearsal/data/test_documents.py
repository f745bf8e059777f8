"""Documents of JSON are made so that they fulfil what a check demands of their members."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from jobarium_events.migrations.rehearsal.data.conditions import columns_of, understand
from jobarium_events.migrations.rehearsal.data.tables import read_tables
from jobarium_events.migrations.rehearsal.data.volumes import fill
from jobarium_events.migrations.rehearsal.refusals import FillError

if TYPE_CHECKING:
    from psycopg import Connection


@pytest.fixture
def connection(each_database: str) -> Iterator[Connection[Any]]:
    with psycopg.connect(each_database, autocommit=True) as opened:
        yield opened


def made(connection: Connection[Any], check: str, kind: str = "jsonb", **generators: str) -> None:
    connection.execute(f"create table t (a {kind} not null, constraint shape check ({check}))".encode())
    given = {f"t.{name}": sql for name, sql in generators.items()}
    fill(connection, read_tables(connection), {"t": 40}, seed=1, generators=given)


@pytest.mark.parametrize(
    ("check", "kind", "is_so"),
    [
        ("jsonb_typeof(a) = 'object'", "jsonb", "jsonb_typeof(a) = 'object'"),
        ("jsonb_typeof(a) = 'array'", "jsonb", "jsonb_array_length(a) > 0"),
        ("'string' = jsonb_typeof(a)", "jsonb", "a #>> '{}' <> ''"),
        ("jsonb_typeof(a) in ('number', 'null')", "jsonb", "jsonb_typeof(a) = 'number'"),
        ("jsonb_typeof(a) = 'boolean'", "jsonb", "jsonb_typeof(a) = 'boolean'"),
        ("json_typeof(a) = 'array'", "json", "json_array_length(a) > 0"),
        ("jsonb_typeof(a -> 'k') = 'string'", "jsonb", "a ->> 'k' <> ''"),
        ("jsonb_typeof(a -> 'k') = any (array['null', 'array'])", "jsonb", "jsonb_typeof(a -> 'k') = 'array'"),
        ("jsonb_typeof(a -> 'k' -> 'it''s') = 'number'", "jsonb", "(a -> 'k' ->> 'it''s')::numeric > 0"),
        ("a ? 'k' and jsonb_typeof(a) = 'object'", "jsonb", "a ->> 'k' is not null and a ? 'id'"),
        ("a -> 'k' ? 'l' and a -> 'k' ->> 'm' is not null", "jsonb", "a -> 'k' ?& array['l', 'm']"),
        ("a ->> 'k' in ('x', 'it''s') and a ->> 'l' = 'y'", "jsonb", "a ->> 'k' in ('x', 'it''s') and a ->> 'l' = 'y'"),
        ("a is null or jsonb_typeof(a) = 'object'", "jsonb", "a ? 'id'"),
        (
            "jsonb_typeof(a -> 'k') in ('string', 'number') and jsonb_typeof(a -> 'k') <> 'string'",
            "jsonb",
            None,
        ),
        ("jsonb_typeof(a -> 'k') in ('string', 'number') and jsonb_typeof(a -> 'k') = 'number'", "jsonb", "true"),
    ],
)
def test_members_are_what_a_check_demands(
    connection: Connection[Any], check: str, kind: str, is_so: str | None
) -> None:
    if is_so is None:
        with pytest.raises(
            FillError, match=r"only 0 of 40 rows could be made .* as the generator of t\.a in rehearsal"
        ):
            made(connection, check, kind)
        return
    made(connection, check, kind)
    query = f"select count(*), count(*) filter (where {is_so}), count(distinct a::text) from t"
    rows, so, different = connection.execute(query.encode()).fetchall()[0]
    assert (rows, so) == (40, 40)
    assert different > (1 if "boolean" in check else 20)


@pytest.mark.parametrize(
    ("check", "problem"),
    [
        ("a @> '{\"k\": 1}'", r"only 0 of 40 rows could be made that keep to its constraints \(shape\)"),
        ("jsonb_array_length(a) > 0", "Postgres says invalid parameter value"),
        ("a -> 0 is not null", "only 0 of 40 rows"),
    ],
)
def test_other_checks_are_refused_with_the_column_and_the_way_out(
    connection: Connection[Any], check: str, problem: str
) -> None:
    way_out = r"; give SQL that makes a value from the row's number n, as the generator of t\.a in rehearsal\.toml"
    with pytest.raises(FillError, match=f"public.t cannot be filled: {problem}.*{way_out}"):
        made(connection, check)


def test_a_generator_makes_what_a_check_demands(connection: Connection[Any]) -> None:
    made(connection, "a @> '{\"k\": 1}'", a="jsonb_build_object('k', 1, 'n', n)")
    assert connection.execute("select count(distinct a) from t").fetchone() == (40,)


def test_a_text_is_no_document(connection: Connection[Any]) -> None:
    connection.execute("create table t (a text not null check (a::jsonb ->> 'k' = 'x'))")
    with pytest.raises(FillError, match=r"as the generator of t\.a in rehearsal"):
        fill(connection, read_tables(connection), {"t": 5}, seed=1)


@pytest.mark.parametrize(
    "check", ["a ->> 'k' is null", "a -> b = '1'", "jsonb_typeof(a -> b) = 'string'", "jsonb_typeof(a || b) = 'object'"]
)
def test_what_is_not_understood_is_tried(check: str) -> None:
    assert not understand(check).whole


def test_the_columns_of_a_check_are_known() -> None:
    assert columns_of("a > 5 or (b ->> 'c')::int = any (array[d, 7]) and length(a) < 3") == ("a", "b", "d")
