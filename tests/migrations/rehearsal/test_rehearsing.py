"""Migrations are rehearsed on a live Postgres: what is well is green, and what is not is said."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest

from jobarium_events.migrations import Environment, Migrations
from jobarium_events.migrations.files.spans import Span
from jobarium_events.migrations.rehearsal import observing
from jobarium_events.migrations.rehearsal.report import Rehearsal, read_rehearsal, write_rehearsal
from tests.evolution.logs import decision
from tests.migrations.rehearsal.trials import Trials

DUAL_WRITE = """
alter table job add column source text;
create function job_source() returns trigger language plpgsql as
    $$ begin new.source := new.status; return new; end $$;
create trigger job_source before insert or update on job for each row execute function job_source();
"""
UNDONE = "drop trigger job_source on job; drop function job_source(); alter table job drop column source;"
BACKFILL = "update job set source = status where id between $1 and $2 and source is null;"
OF_JOB = {"backfill": {"table": "job", "key": ["id"], "batch_rows": 100, "share": 1.0}}
NOTHING_TO_CHECK = "-- returns: 1\nselect 1;"


@pytest.fixture
def trials(tmp_path: Path, database: str) -> Trials:
    return Trials(tmp_path / "migrations", database)


def locks(rehearsal: Rehearsal) -> set[tuple[int, str, str]]:
    first = rehearsal.steps[0].line
    return {(step.line - first, lock.table, lock.mode) for step in rehearsal.steps for lock in step.locks}


def test_a_good_expand_is_green(tmp_path: Path, each_database: str) -> None:
    trials = Trials(tmp_path / "migrations", each_database)
    found = trials.one(
        up="alter table job add column source text;\ncreate index concurrently job_source on job (source);",
        down="drop index concurrently job_source;\nalter table job drop column source;",
        verify="-- the column is there\n-- returns: 0\nselect count(source) from job;"
        "\n-- when: before\n-- returns: true\nselect count(*) > 300 from job;",
    )

    assert found.problems == ()
    assert found.green
    assert (0, "job", "AccessExclusiveLock") in locks(found)
    assert (1, "job", "ShareUpdateExclusiveLock") in locks(found)
    assert not [mode for line, table, mode in locks(found) if (line, table) == (1, "job") and mode == "ShareLock"]
    assert [built.index for step in found.steps for built in step.indexes] == ["job_source"]
    assert [(check.at, check.ok) for check in found.checks] == [
        ("before", True),
        ("after", True),
        ("after up again", True),
    ]
    assert found.back is not None
    assert found.back.again is not None
    assert found.rows["job"] == 400
    names = {probe.name: probe for probe in found.probes}
    assert {"select from job", "update job", "insert into job", "delete from job"} <= set(names)
    assert "select from job by the new code" in names
    assert not [probe for probe in found.probes if probe.failed]
    assert all(names[name].count for name in ("select from job", "update job", "insert into job"))
    assert {series.name for series in found.series} == {"old reads", "old writes", "new reads", "new writes"}
    assert found.began >= 0.15
    with psycopg.connect(each_database) as connection:
        assert found.server_version.startswith(str(connection.info.server_version // 10000))

    write_rehearsal(trials.folder, found)
    read = read_rehearsal(trials.folder, "0001_it")
    assert read is not None
    assert read.covers(Migrations.load(trials.folder)["0001"].hash)
    path = trials.folder / "0001_it.sql"
    path.write_text(path.read_text(encoding="utf-8") + "-- changed\n", encoding="utf-8")
    assert not read.covers(Migrations.load(trials.folder)["0001"].hash)


def test_an_index_that_is_not_built_concurrently_blocks_writes(trials: Trials) -> None:
    trials.write(
        "0001_it",
        up="begin;\ncreate index job_status on job (status);\nselect pg_sleep(1);\ncommit;",
        down="drop index job_status;",
        verify=NOTHING_TO_CHECK,
    )
    found = trials.rehearse("0001", environment=Environment(lock_timeout=Span(0.3)))

    assert (0, "job", "ShareLock") in locks(found)
    writes = {wait.probe for wait in found.blocked}
    assert writes & {"insert into job", "update job", "delete from job"}
    assert "select from job" not in writes
    assert {(wait.table, wait.line) for wait in found.blocked} == {("job", found.steps[0].line)}
    assert found.longest_wait > 0.3
    assert [each for each in found.problems if "blocked 'update job' for" in each and "lock_timeout of 300ms" in each]
    (lock,) = (each for each in found.steps[0].locks if each.mode == "ShareLock")
    assert lock.seconds >= 1


def test_a_type_change_that_rewrites_is_seen_as_one(trials: Trials) -> None:
    found = trials.one(
        up="alter table job alter column rank type bigint;",
        down="alter table job alter column rank type int;",
        verify=NOTHING_TO_CHECK,
    )

    assert found.steps[0].rewrites == ("job",)
    assert (0, "job", "AccessExclusiveLock") in locks(found)
    assert found.steps[0].wal > 0


def test_a_down_that_forgets_something_is_red_and_says_what(trials: Trials) -> None:
    found = trials.one(
        up="alter table job add column source text;\ncreate table extra (id int primary key);",
        down="alter table job drop column source;",
        verify=NOTHING_TO_CHECK,
    )

    assert found.back is not None
    assert any(each.startswith("table public.extra is new") for each in found.back.schema)
    assert any(each.startswith("down does not put back the schema: table public.extra") for each in found.problems)
    assert any(each.startswith("up fails the second time: ") for each in found.problems)


def test_a_down_that_does_not_put_back_the_data_is_red(trials: Trials) -> None:
    found = trials.one(
        {"category": "migrate"},
        up="update job set legacy = 'gone' where id = 200;",
        down="update job set legacy = 'back' where id = 200;",
        verify=NOTHING_TO_CHECK,
    )

    assert found.problems == ("down does not put back the data: public.job has as many rows, and not the same ones",)


def test_a_down_that_removes_what_was_written_since_is_red(trials: Trials) -> None:
    found = trials.one(
        up="create table seen as select id from job;",
        down="delete from job where id not in (select id from seen);\ndrop table seen;",
        verify=NOTHING_TO_CHECK,
    )

    assert found.back is not None
    assert found.back.written > 0
    assert any("rows written since up are not there as they were written" in each for each in found.problems)


def test_a_backfill_is_rehearsed_with_what_writes_meanwhile(trials: Trials) -> None:
    told: list[str] = []
    trials.write(
        "0001_it",
        OF_JOB,
        up=DUAL_WRITE,
        down=UNDONE,
        backfill=BACKFILL,
        verify="-- every job has one\n-- returns: 0\nselect count(*) from job where source is distinct from status;",
    )
    # a replica of the environment is none of the rehearsal's
    elsewhere = Environment(lock_timeout=Span(30.0), replicas=("postgresql://127.0.0.1:1/nowhere",))
    found = trials.rehearse("0001", environment=elsewhere, watch=told.append)

    assert found.problems == ()
    assert found.steps[-1].text.startswith("backfill: update job set source = status")
    assert found.steps[-1].seconds > 0
    assert ("job", "RowExclusiveLock") in {(lock.table, lock.mode) for lock in found.steps[-1].locks}
    assert [check.at for check in found.checks] == ["after", "after up again"]
    assert told[0] == "making a scratch database"
    assert {"running the backfill", "running down", "running up again"} <= set(told)


def test_what_a_batch_locks_is_seen_however_brief_it_is(trials: Trials, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(observing, "_EVERY", 30.0)  # no sample is taken while it runs
    trials.write("0001_it", OF_JOB, up=DUAL_WRITE, down=UNDONE, backfill=BACKFILL, verify=NOTHING_TO_CHECK)
    found = trials.rehearse("0001")

    assert ("job", "RowExclusiveLock") in {(lock.table, lock.mode) for lock in found.steps[-1].locks}


def test_a_backfill_without_dual_write_misses_what_the_old_code_writes(trials: Trials) -> None:
    found = trials.one(
        OF_JOB,
        up="alter table job add column source text;",
        backfill=BACKFILL,
        verify="-- every job has a source\n-- returns: 0\nselect count(*) from job where source is null;",
    )

    assert any(each.startswith("verify after: every job has a source: ") for each in found.problems)


def test_a_contract_that_is_contained_has_no_way_back_to_rehearse(trials: Trials) -> None:
    found = trials.one(
        {
            "category": "contract",
            "containment": "a backup of the column is kept for 30 days",
            "out_of_use": {"job.legacy": "2026.10"},
        },
        up="alter table job drop column legacy;",
        down=None,
        verify=NOTHING_TO_CHECK,
    )

    assert found.problems == ()
    assert found.back is None
    (note,) = (each for each in found.notes if "no way back" in each)
    assert "a backup of the column is kept for 30 days" in note
    assert {probe.when for probe in found.probes} == {"both"}


def test_a_contract_with_a_down_loses_data_by_its_nature(trials: Trials) -> None:
    found = trials.one(
        {"category": "contract", "out_of_use": {"job.legacy": "2026.10"}},
        up="alter table job drop column legacy;",
        down="alter table job add column legacy text;",
        verify=NOTHING_TO_CHECK,
    )

    assert found.problems == ()
    assert found.back is not None
    assert found.back.lost == ("the values of job.legacy",)


def test_a_contract_that_removes_what_it_does_not_name_is_red(trials: Trials) -> None:
    found = trials.one(
        {"category": "contract"},
        up="alter table job drop column legacy;",
        down="alter table job add column legacy text;",
        verify=NOTHING_TO_CHECK,
    )

    assert any(
        each.startswith("'select from job', which the old code as the new runs, failed") for each in found.problems
    )
    assert any(each.startswith("down does not put back the data: public.job") for each in found.problems)


def test_what_breaks_the_old_code_is_red(trials: Trials) -> None:
    found = trials.one(
        up="alter table job rename column status to state;",
        down="alter table job rename column state to status;",
        verify=NOTHING_TO_CHECK,
    )

    assert any(
        each.startswith("'select from job', which the old code runs, failed")
        and 'column "status" does not exist' in each
        for each in found.problems
    )
    assert any("it removes the column public.job.status" in each for each in found.problems)


@pytest.mark.parametrize("category", ["expand", "migrate", "contract"])
def test_a_type_that_changes_is_for_no_category(trials: Trials, category: str) -> None:
    found = trials.one(
        {"category": category},
        up="alter table job alter column rank type bigint;",
        down="alter table job alter column rank type int;",
        verify=NOTHING_TO_CHECK,
    )

    assert f"it changes the column public.job.rank, which is not for a migration of category {category}" in (
        found.problems
    )


DECISION = decision({"review": "2099-01-01"}, '\n[[columns]]\ntable = "job"\nmeanings = ["legacy"]\n')


@pytest.mark.parametrize("is_decided", [False, True])
def test_a_comment_that_changes_is_red_unless_it_is_decided(trials: Trials, is_decided: bool) -> None:
    path = trials.folder / "baseline.sql"
    path.write_text(f"{path.read_text()}comment on column job.legacy is 'a';\n", encoding="utf-8")
    if is_decided:
        (trials.folder / "decisions").mkdir()
        (trials.folder / "decisions" / "DEC-0001.md").write_text(DECISION, encoding="utf-8")
    found = trials.one(
        {"decision": "DEC-0001"} if is_decided else {},
        up="do $$ begin comment on column job.legacy is 'b'; comment on column job.rank is 'first'; end $$;",
        down="comment on column job.legacy is 'a';\ncomment on column job.rank is null;",
        verify=NOTHING_TO_CHECK,
    )
    said = "it changes the comment on job.legacy, and no accepted decision in its header names the column"

    assert found.problems == (() if is_decided else (said,))


def test_an_up_that_fails_is_red_and_goes_no_further(trials: Trials) -> None:
    found = trials.one(up="alter table job add column source text;\nalter table job add column status text;")

    assert found.problems[0].startswith("up fails: line ")
    assert 'column "status" of relation "job" already exists' in found.problems[0]
    assert found.back is None
    assert [check.at for check in found.checks] == []


def test_what_it_takes_for_granted_is_verified_before(trials: Trials) -> None:
    found = trials.one(verify="-- no job has a rank\n-- when: always\n-- returns: 7\nselect 1;")

    assert [(check.at, check.ok) for check in found.checks] == [
        ("before", False),
        ("after", False),
        ("after down", False),
        ("after up again", False),
    ]
    assert found.problems[0].startswith("verify before: no job has a rank: ")


def test_a_table_without_a_primary_key_is_not_probed_and_that_is_said(trials: Trials) -> None:
    found = trials.one(
        {"estimated_runtime": "10ms"},
        up="alter table log add column at timestamptz;\nselect pg_sleep(0.1);",
        down="alter table log drop column nothing;",
        verify=NOTHING_TO_CHECK,
    )

    late, back = found.problems
    assert late.endswith("more than 1.5 times the estimated 10ms; correct estimated_runtime, or make it quicker")
    assert back.startswith("down fails: line ")
    assert found.probes == ()
    assert "log has no primary key, so no probes were made for it." in found.notes


def test_a_team_probes_with_its_own_statements_and_they_leave_nothing(trials: Trials) -> None:
    (trials.folder / "rehearsal.toml").write_text(
        '[rows]\njob = 500\n[generators]\n"job.legacy" = "\'L-\' || n"\n'
        '[[probe]]\nname = "count"\nsql = "select count(*) from job where legacy like \'L-%\'"\nper_second = 50\n'
        '[[probe]]\nname = "empty"\nsql = "delete from job"\nwhen = "old"\n'
        '[[probe]]\nname = "wrong"\nsql = "select nothing from job"\nwhen = "new"\nper_second = 50\n'
        '[[probe]]\nname = "sources"\nsql = "select source from job limit 1"\nwhen = "new"\nper_second = 50\n',
        encoding="utf-8",
    )
    trials.write("0001_it")
    found = trials.rehearse("0001", rows={"person": 100}, default_rows=10)

    (problem,) = found.problems
    assert problem.startswith("'wrong', which the new code runs, failed ")
    assert found.rows == {"person": 100, "job": 500, "log": 10}
    probes = {probe.name: probe for probe in found.probes}
    assert probes["count"].count > 0
    assert not probes["count"].writes
    assert probes["empty"].writes
    assert probes["sources"].failed == 0  # though it failed before the column was there
