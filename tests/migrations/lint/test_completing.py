"""A contract names in `completes` each migration whose backfill uses what it removes, be it before or after it."""

from __future__ import annotations

from pathlib import Path

import pytest

from jobarium_events.migrations.lint.linting import lint_files
from tests.migrations.lint.rules_page import DECISION, SETTINGS, migration

RULE = "backfill-not-completed"
BEFORE = "create table job (id bigint primary key, status text, state text);\ncreate table other (status text);\n"
HEAD = '-- category = "contract"\n-- feature_flag = "f"\n-- decision = "DEC-0007"\n-- out_of_use = {out}\n'
FILL = "update job set state = status where id between $1 and $2;"
TRIGGER = (
    "create function f() returns trigger language plpgsql as $$ begin new.state := new.status; return new; end $$;\n"
    "create trigger t before update on job for each row execute function f();"
)


def found(
    folder: Path, fill: str, gone: str, *, up: str = "", completes: str = "", later: bool = False
) -> list[tuple[str, str]]:
    (folder / "decisions").mkdir()
    (folder / "decisions" / "DEC-0007.md").write_text(DECISION)
    (folder / "baseline.sql").write_text(BEFORE)
    (folder / "migrations.toml").write_text(SETTINGS)
    filling, removing = ("0002_fill", "0001_gone") if later else ("0001_fill", "0002_gone")
    head = f'-- id = "{filling}"\n-- category = "migrate"\n-- backfill = {{ table = "job", key = ["id"] }}\n'
    first = f"-- name: up\n{up}\n" if up else ""
    (folder / f"{filling}.sql").write_text(migration(f"{first}-- name: backfill\n{fill}", head))
    out = '{ "job" = "2026.10", "other" = "2026.10" }'
    head = f'-- id = "{removing}"\n{HEAD.format(out=out)}{completes}'
    (folder / f"{removing}.sql").write_text(migration(f"-- name: up\n{gone}", head))
    findings = lint_files([folder / f"{removing}.sql"]).findings
    assert {each.rule for each in findings} <= {RULE}
    return [(each.text, each.safe) for each in findings]


SAID = "removes job.status, which the backfill of 0001_fill uses; say that this has to be complete before"
DROP = "alter table job drop column status;"


@pytest.mark.parametrize(
    ("fill", "gone"),
    [
        (FILL, DROP),
        ("update job set status = 'open' where id between $1 and $2;", DROP),
        ("insert into other (status) select j.status from job j where id between $1 and $2;", DROP),
        ("insert into other select j.* from job j where id between $1 and $2;", DROP),
        ("with a as (select status from job where id between $1 and $2) insert into other select 'a' from a;", DROP),
    ],
)
def test_a_backfill_that_uses_a_column_is_complete_before_it_goes(tmp_path: Path, fill: str, gone: str) -> None:
    assert found(tmp_path, fill, gone) == [(SAID, '-- completes = ["0001_fill"]')]


def test_one_that_uses_a_table_is_complete_before_that_goes(tmp_path: Path) -> None:
    ((text, _),) = found(tmp_path, FILL, "drop table job;")
    assert text.startswith("removes job, which the backfill of 0001_fill uses")


def test_one_that_uses_a_column_by_the_trigger_of_its_migration_is_so_too(tmp_path: Path) -> None:
    fill = "update job set id = id where id between $1 and $2;"
    assert found(tmp_path, fill, DROP, up=TRIGGER) == [(SAID, '-- completes = ["0001_fill"]')]


@pytest.mark.parametrize(
    ("fill", "gone"),
    [
        ("update job set state = 'open' where id between $1 and $2;", DROP),
        (FILL, "alter table other drop column status;"),
        (FILL, "drop table other;"),
        ("update job set state = (select count(*)::text from other) where id between $1 and $2;", DROP),
    ],
)
def test_one_that_does_not_use_it_need_not_be(tmp_path: Path, fill: str, gone: str) -> None:
    assert found(tmp_path, fill, gone) == []


def test_one_that_the_header_names_is_known(tmp_path: Path) -> None:
    assert found(tmp_path, FILL, DROP, completes='-- completes = ["0001_fill"]\n') == []


def test_one_that_comes_later_cannot_be_complete(tmp_path: Path) -> None:
    text = "removes job.status, which the backfill of 0002_fill uses, and that comes after it; remove it in a migration"
    assert found(tmp_path, FILL, DROP, later=True) == [(f"{text} that comes later", "")]
