"""What the lint foretells of a migration that is rehearsed."""

from __future__ import annotations

from pathlib import Path

import pytest

from jobarium_events.migrations import MigrationError, Migrations
from jobarium_events.migrations.lint.locking.locks import LockMode
from jobarium_events.migrations.rehearsal.predicting import Foretold
from tests.migrations.rehearsal.trials import Trials


def foretold(trials: Trials, id_: str = "0001") -> Foretold:
    migrations = Migrations.load(trials.folder)
    return Foretold(migrations, migrations[id_], 15)


@pytest.fixture
def trials(tmp_path: Path) -> Trials:
    return Trials(tmp_path / "migrations", "")


def test_the_tables_that_a_migration_touches_are_named_with_their_schemas(trials: Trials) -> None:
    trials.write(
        "0001_it",
        {"backfill": {"table": "audit.entry", "key": ["id"]}},
        up="alter table job add column source text;\ncreate table fresh (id int primary key);",
        backfill="update audit.entry set note = '' where id between $1 and $2;",
    )

    assert {"public.job", "audit.entry"} <= foretold(trials).tables
    assert "public.person" not in foretold(trials).tables


def test_each_step_has_what_its_statements_do(trials: Trials) -> None:
    trials.write("0001_it", up="create index a on job (rank);\nbegin;\nalter table job add b text;\nselect 1;\ncommit;")
    (plain, (index,)), (both, two) = foretold(trials).steps()

    assert [(lock.table, lock.mode) for lock in index.locks] == [("job", LockMode.SHARE)]
    assert (plain.line, len(both.statements), len(two)) == (plain.line, 2, 2)
    assert foretold(trials).backfill() == ()


def test_what_came_before_is_known(trials: Trials) -> None:
    trials.write("0001_it", up="alter table job add constraint ranked check (rank is not null) not valid;")
    trials.write("0002_it", up="alter table job validate constraint ranked;\nalter table job alter rank set not null;")
    _, (_, (effects,)) = foretold(trials, "0002").steps()

    assert not effects.scan  # the check has proved it


def test_a_baseline_that_has_data_is_refused_with_its_line(trials: Trials) -> None:
    (trials.folder / "baseline.sql").write_text(
        "create table job (id int);\ncopy job from stdin;\n1\n\\.\n", encoding="utf-8"
    )
    trials.write("0001_it")

    with pytest.raises(MigrationError, match=r"baseline\.sql:[34]: syntax error"):
        foretold(trials)
