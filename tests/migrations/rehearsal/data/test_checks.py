"""Columns with the checks that schemas commonly have are filled, on a live Postgres."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import combinations
from typing import Any

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobarium_events.migrations.rehearsal.data.conditions import understand
from jobarium_events.migrations.rehearsal.data.tables import read_tables
from jobarium_events.migrations.rehearsal.data.volumes import fill
from jobarium_events.migrations.rehearsal.refusals import FillError
from tests.strategies import examples

ROWS = 300
ALWAYS = [
    "{0} like '%@%'",
    "{0} like 'https://%'",
    "{0} like 'A__-%'",
    "{0} like '%.example'",
    "{0} like '100\\%%\\_'",
    "{0} like '%+%%' and {0} <> ''",
    "{0} ilike '%Ab%'",
    "{0} ~* '^[^@ ]+@[^@ ]+$'",
    "{0} ~ '@'",
    "{0} ~ '^(EUR|usd)[0-9]+' and upper({0}) = {0}",
    "{0} ~ '^[A-Za-z]+$' and {0} = lower({0})",
    "{0} similar to '[a-z]+@[a-z]+'",
    "strpos({0}, '@') > 0",
    "strpos({0}, 'x') = 3",
    "position('@' in {0}) > 1",
    "position('@' in {0}) <> 0",
    "starts_with({0}, 'https://')",
    "{0} ^@ 'ab'",
    "left({0}, 2) = 'AB'",
    "left({0}, 1) in ('A', 'B')",
    "right({0}, 3) = 'xyz'",
    "substr({0}, 1, 2) = 'AB'",
    "substring({0} from 1 for 2) = 'AB'",
    "length({0}) between 3 and 20",
    "lower({0}) = {0}",
    "upper({0}) = {0}",
    "trim({0}) <> ''",
    "{0} = trim({0})",
    "{0} <> ''",
    "char_length(trim({0})) > 0",
    "{0} not like '% %'",
    "{0} not ilike '%admin%'",
    "lower({0}) like '%@%'",
    "{0} like 'http://%' or {0} like 'https://%'",
    "{0} like any (array['a%', 'b%'])",
    "{0} like '%@%' or {0} is null",
    "{0} like '%@%' and {0} like '%.%' and length({0}) <= 12",
    "{0} like '%@%' and {0} not like '%@%@%' and lower({0}) = {0}",
    "{0} like 'A%' and upper({0}) = {0}",
    "{0} like 'a%' and {0} like '%z' and length({0}) between 40 and 60",
    "{0} !~ '[[:space:]]' and {0} like '%@%.%'",
]
FEW = ["length({0}) > 0 and {0} in ('ab', 'cd')", "{0} like 'a%' and {0} in ('b', 'ab')"]
NULLABLE = "create table t (x text check ({0}))"
KINDS = {
    "text": "create table t (x text not null check ({0}))",
    "varchar": "create table t (x varchar(60) not null check ({0}))",
    "key": "create table t (x text primary key check ({0}))",
    "domain": "create domain d as text not null check ({1}); create table t (x d)",
    "not valid": "create table t (x text not null); alter table t add check ({0}) not valid",
}


@pytest.fixture
def connection(database: str) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(database, autocommit=True) as opened:
        yield opened


def filled(connection: psycopg.Connection[Any], definition: str, rows: int = ROWS) -> int:
    connection.execute("drop schema public cascade; create schema public")
    connection.execute(definition.encode())
    return fill(connection, read_tables(connection), {"t": rows}, seed=1)["public.t"]


@pytest.mark.parametrize("check", ALWAYS)
def test_a_text_with_a_common_check_is_filled(connection: psycopg.Connection[Any], check: str) -> None:
    for kind, definition in KINDS.items():
        assert filled(connection, definition.format(check.format("x"), check.format("value"))) == ROWS, kind


@pytest.mark.parametrize("check", FEW)
def test_what_a_text_is_one_of_comes_before_what_else_is_said_of_it(
    connection: psycopg.Connection[Any], check: str
) -> None:
    assert filled(connection, KINDS["text"].format(check.format("x"))) == ROWS


def test_an_optional_text_is_given_as_a_rule(connection: psycopg.Connection[Any]) -> None:
    assert filled(connection, NULLABLE.format("x like '%@%'")) == ROWS
    ((given_,),) = connection.execute("select count(distinct x) from t").fetchall()
    assert given_ > ROWS / 2


@given(
    st.lists(st.text("ab%_\\.@+ '^$Ö", max_size=5).map(lambda each: each.removesuffix("\\")), min_size=1, max_size=2),
    st.sampled_from(["and", "or"]),
)
@examples(60)
def test_texts_are_made_of_any_pattern_of_like(database: str, patterns: list[str], word: str) -> None:
    """Of two that both have to match, where neither says where: those are put one after the other."""
    if word == "and":
        patterns = [f"%{each}%" for each in patterns]
    whole = [each for each in patterns if not re.search(r"(?<!\\)(\\\\)*\\$", each)]
    conditions = [f"x like '{each.replace(chr(39), chr(39) * 2)}'" for each in whole]
    if conditions:
        with psycopg.connect(database, autocommit=True) as connection:
            assert filled(connection, KINDS["text"].format(f" {word} ".join(conditions)), 20) == 20


RELATED = [
    "a int not null, b int not null, check (a < b), check (b - a < 100)",
    "a int not null, b int not null, check (a < b and b < a + 3)",
    "a int not null unique, b int not null, check (a < b), check (b - a < 100)",
    "a int not null check (a > 500), b int not null, check (a < b), check (b - a < 100)",
    "a date not null, b date not null, check (a < b), check (b - a < 10)",
    "a timestamptz not null, b timestamptz not null, check (a < b), check (b - a < interval '1 hour')",
    "a numeric(10,2) not null, b numeric(10,2) not null, check (a < b), check (b - a < 1)",
    "a int not null, b int not null, c int not null, check (a < b), check (b < c), check (c - a < 50)",
    "id serial primary key, b int not null, check (b - id between 1 and 20)",
]


@pytest.mark.parametrize("columns", RELATED)
def test_columns_that_have_to_be_near_to_each_other_are_filled(
    connection: psycopg.Connection[Any], columns: str
) -> None:
    assert filled(connection, f"create table t ({columns})", 1000) == 1000
    names = re.findall(r"\b(\w+) (?:int|date|timestamptz|numeric|serial)\b", columns)
    for one, other in combinations(names, 2):
        ((different,),) = connection.execute(f"select count(distinct ({one}, {other})) from t".encode()).fetchall()
        assert different > 300


def test_a_document_that_has_a_key_is_filled(connection: psycopg.Connection[Any]) -> None:
    assert filled(connection, "create table t (j jsonb not null check (j ? 'x'))") == ROWS


def test_what_a_domain_refuses_is_said(connection: psycopg.Connection[Any]) -> None:
    definition = "create domain palindrome as text check (value = reverse(value) and length(value) = 20)"
    with pytest.raises(FillError, match=r"only 0 of 9 rows could be made that keep to its constraints \(those of"):
        filled(connection, f"{definition}; create table t (x palindrome not null)", 9)


@pytest.mark.parametrize(
    "check",
    [
        "a like b",
        "a like '%' || b",
        "starts_with(a, b)",
        "left(a, 3) = 'AB'",
        "left(a, length(b)) = 'AB'",
        "strpos(a, '@') = 0",
        "position('@' in a) < 5",
        "a = lower(b)",
        "reverse(a) like 'x%'",
        "left(a, 2) <> 'AB'",
        "a not like 'x%'",
    ],
)
def test_what_says_another_thing_of_a_text_is_not_taken_for_it(check: str) -> None:
    assert not understand(check).whole
