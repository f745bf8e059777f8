"""What Postgres refuses may say of a table or a domain that it is above itself; it can be asked about all the same."""

from __future__ import annotations

import pytest

from jobarium_events.migrations.files.parsing import parse
from jobarium_events.migrations.lint.knowledge.schema import Schema
from jobarium_events.migrations.lint.locking.effects import effects

TABLE = "create table job partition of job for values from (1) to (2) partition by hash (id);"
TABLES = (
    "create table job partition of trade default partition by hash (id);"
    "create table trade partition of job default partition by hash (id);"
    "create table job partition of trade default partition by hash (id);"
)
DOMAINS = (
    "create domain grade as int; create domain level as grade; create domain grade as level;"
    "create table mark (of grade);"
)


@pytest.mark.parametrize(
    ("known", "asked", "locked"),
    [
        (TABLE, "create table job partition of job default", {"job"}),
        (TABLE, "alter table job detach partition job", {"job"}),
        (TABLES, "truncate job cascade", {"job", "trade"}),
        (TABLES, "alter table trade add column x int", {"job", "trade"}),
        (DOMAINS, "alter domain grade add check (value > 0)", {"mark"}),
        (DOMAINS, "drop domain level cascade", {"mark"}),
    ],
)
def test_what_is_above_itself_is_met_once(known: str, asked: str, locked: set[str]) -> None:
    schema = Schema().apply_all(parse(known))
    (statement,) = parse(asked)
    assert {lock.table for lock in effects(statement, schema, 18).locks} == locked
