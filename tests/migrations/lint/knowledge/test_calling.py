"""Which tables have a trigger that calls a function, whatever has become of them since."""

from __future__ import annotations

import pytest

from jobarium_events.migrations.files.parsing import parse
from jobarium_events.migrations.lint.knowledge.schema import Schema

MADE = """
create table a (id bigint);
create table b (id bigint);
create trigger t before insert on b for each row execute function f();
create trigger t before insert on a for each row execute function f();
"""
LATER = {
    "": ("a", "b"),
    "alter table a rename to c;": ("b", "c"),
    "alter table a rename to c; alter trigger t on c rename to u;": ("b", "c"),
    "drop table b;": ("a",),
    "drop trigger t on a;": ("b",),
    "create table c (id bigint); drop table c;": ("a", "b"),
    "create or replace trigger t before insert on a for each row execute function g();": ("b",),
    "alter table a add column more text; alter table a drop column more;": ("a", "b"),
}


@pytest.mark.parametrize("later", LATER)
def test_the_tables_whose_triggers_call_a_function_are_found(later: str) -> None:
    schema = Schema().apply_all(parse(MADE + later))
    assert sorted(schema.calling("f")) == sorted(LATER[later])
    by_all = [each.name for each in schema.tables.values() if "f" in each.triggers.values()]
    assert list(schema.calling("f")) == by_all


def test_a_function_and_a_table_of_one_name_are_two() -> None:
    schema = Schema().apply_all(parse(MADE + "create table f (id bigint);"))
    assert schema.descendants("f") == ()
    assert list(schema.referencing("f")) == []
    assert schema.readers("f") == ()
