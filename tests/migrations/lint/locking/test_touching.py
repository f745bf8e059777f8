"""Which tables a statement names: the same whether or not its text is known, which only saves looking into it."""

from __future__ import annotations

import pytest

from jobarium_events.migrations.files.parsing import parse
from jobarium_events.migrations.lint.locking.touching import touched

FOUND = {
    "select id from job": ["job"],
    "select id from job join site on site.id = job.id where pay > 1": ["job", "site"],
    "select id from job where id in (select job_id from entry)": ["job", "entry"],
    "select (values (1)) from job where exists (table entry)": ["job", "entry"],
    "select id from job union select id from site": ["job", "site"],
    "with a as (delete from entry returning id) select id from a": ["entry"],
    "insert into job values (1), (2)": ["job"],
    "insert into job default values": ["job"],
    "insert into job select id from site": ["job", "site"],
    "insert into job values ((select max(id) from site))": ["job", "site"],
    "insert into job with a as (delete from entry returning id) select id from a": ["job", "entry"],
    "insert into job values (1) on conflict (id) do update set pay = (select 1 from site)": ["job", "site"],
    "update job set pay = 1 from site where site.id = job.id": ["job", "site"],
    "update job set pay = (TABLE entry)": ["job", "entry"],
    "delete from job using site where site.id = job.id": ["job", "site"],
    "delete from job where id in (Select id from entry)": ["job", "entry"],
    "merge into job using site on site.id = job.id when matched then delete": ["job", "site"],
}


@pytest.mark.parametrize("sql", FOUND)
def test_the_text_of_a_statement_makes_no_difference_to_the_tables_that_it_names(sql: str) -> None:
    (statement,) = parse(sql)
    known = list(touched(statement.node, text=sql))
    assert sorted({name for name, _ in known}) == sorted(FOUND[sql])
    assert sorted(known) == sorted(touched(statement.node))


def test_a_row_lock_is_told_by_either_way() -> None:
    (statement,) = parse("select id from job for update")
    assert list(touched(statement.node, text=statement.text)) == list(touched(statement.node))
