"""A rehearsal is to be believed: what is well is green whatever the database has, and what shows nothing is said."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from jobarium_events.migrations import Environment, Migrations
from jobarium_events.migrations.files.spans import Span
from jobarium_events.migrations.rehearsal import observing
from jobarium_events.migrations.rehearsal.data.statistics import Statistics, TableStatistics
from jobarium_events.migrations.rehearsal.refusals import DumpError, ScratchError
from jobarium_events.migrations.rehearsal.rehearsing import rehearse
from tests.migrations.rehearsal.trials import ENVIRONMENT, Trials

if TYPE_CHECKING:
    from jobarium_events.migrations.rehearsal.report import Rehearsal

DOCS = Path(__file__).parents[3] / "docs" / "migrations.md"
JOB = "create table job (id bigserial primary key, title text not null, origin text);\n"
TRIGGER = "create function f() returns trigger language plpgsql as $$ begin {} end $$;\n"
CHECK = "-- the column is there\n-- returns: 0\nselect count(source) from job where source = 'x' || id;"


@pytest.fixture
def trials(tmp_path: Path, database: str) -> Trials:
    return Trials(tmp_path / "migrations", database)


def one(trials: Trials, baseline: str, header: Mapping[str, Any] | None = None, **sections: Any) -> Rehearsal:
    """Rehearse one migration over another baseline."""
    (trials.folder / "baseline.sql").write_text(baseline, encoding="utf-8")
    options = {name: sections.pop(name) for name in ("rows", "default_rows", "calm", "dump") if name in sections}
    trials.write("0001_it", header, **{"verify": CHECK, **sections})
    return trials.rehearse("0001", **{"rows": {}, "default_rows": 200, "calm": 0.4, **options})


def test_the_example_of_the_docs_is_green(tmp_path: Path, database: str) -> None:
    for title, body in re.findall(r'```\w+ title="migrations/([^"]+)"\n(.*?)```', DOCS.read_text("utf-8"), re.DOTALL):
        path = tmp_path / title
        path.parent.mkdir(exist_ok=True)
        # A loaded machine may take longer than the example does.
        path.write_text(re.sub('estimated_runtime = "[^"]+"', 'estimated_runtime = "10m"', body), encoding="utf-8")
    migrations = Migrations.load(tmp_path)

    for id_ in ("0001", "0002", "0003"):
        found = rehearse(
            migrations, id_, url=database, rows={"job": 2000}, default_rows=100, calm=0.3, environment=ENVIRONMENT
        )
        assert found.problems == (), id_
        assert found.rows["job"] == 2000


AUDIT = (
    "create table audit (id bigserial primary key, job_id bigint);\n"
    + TRIGGER.format("insert into audit (job_id) values (coalesce(new.id, old.id)); return null;")
    + "create trigger t after insert or update or delete on job for each row execute function f();\n"
)
COUNTER = (
    "create table company (id bigserial primary key, jobs int not null default 0);\n"
    "alter table job add company_id bigint not null references company;\n"
    + TRIGGER.format("update company set jobs = jobs + 1 where id = new.company_id; return null;")
    + "create trigger t after insert on job for each row execute function f();\n"
)
TOUCH = (
    "alter table job add at timestamptz;\n"
    + TRIGGER.format("new.at := clock_timestamp(); return new;")
    + "create trigger t before insert on job for each row execute function f();\n"
)
APPEND_ONLY = (
    TRIGGER.format("raise exception 'append only';")
    + "create trigger t before delete on job for each row execute function f();\n"
)
HEIRS = "create table heir (primary key (id)) inherits (job);\n"


@pytest.mark.parametrize(
    ("more", "note"),
    [
        (AUDIT, "audit is written by triggers while job is probed"),
        (COUNTER, "company is written by triggers while job is probed"),
        (TOUCH, None),
        (APPEND_ONLY, "'delete from job' is refused before up as well"),
        (HEIRS, None),
    ],
)
def test_what_triggers_and_heirs_do_is_no_fault_of_the_migration(trials: Trials, more: str, note: str | None) -> None:
    found = one(trials, JOB + more)

    assert found.problems == ()
    assert any(probe.name == "insert into job" and probe.count for probe in found.probes)
    if note is not None:
        assert any(each.startswith(note) for each in found.notes)


def test_parents_of_rows_that_are_held_stay(trials: Trials) -> None:
    found = one(
        trials,
        "create table part (id bigserial primary key);\n"
        "create table a_child (id bigserial primary key, part_id bigint not null references part);\n",
        up="alter table a_child add source text;\nalter table part add source text;",
        down="alter table a_child drop source;\nalter table part drop source;",
        verify="-- returns: 1\nselect 1;",
        default_rows=40,
    )

    assert found.problems == ()
    assert any(each == "part has 40 rows only: that says little of how long anything takes." for each in found.notes)
    assert any("passes before up already" in each for each in found.notes)


def test_many_tables_share_connections(trials: Trials) -> None:
    names = [f"t{number}" for number in range(24)]
    found = one(
        trials,
        "".join(f"create table {name} (id bigserial primary key, a text);" for name in names),
        up="\n".join(f"alter table {name} add b text;" for name in names),
        down="\n".join(f"alter table {name} drop b;" for name in names),
        verify="-- returns: 1\nselect 1;",
        calm=1.0,
    )

    assert found.problems == ()
    assert len([probe for probe in found.probes if probe.count]) > 60


@pytest.mark.parametrize(
    ("up", "down", "what"),
    [
        ("create unique index concurrently u on job (origin);", "drop index concurrently u;", "u"),
        ("alter table job add constraint c check (origin is not null);", "alter table job drop constraint c;", "c"),
        ("alter table job alter origin set not null;", "alter table job alter origin drop not null;", "origin not"),
        (
            "alter table other add constraint k foreign key (job_id) references job;",
            "alter table other drop constraint k;",
            "k",
        ),
    ],
)
def test_made_up_rows_meet_what_up_demands(trials: Trials, up: str, down: str, what: str) -> None:
    other = "create table other (id bigserial primary key, job_id bigint not null);"
    found = one(trials, JOB + other, up=up, down=down, verify="-- returns: 1\nselect 1;")

    assert [each for each in found.problems if "failed" in each or "up fails" in each] == []
    assert any(f"meet what up demands ({what}" in each for each in found.notes)


def test_rows_that_do_not_meet_what_up_demands_are_not_said_to(trials: Trials, tmp_path: Path) -> None:
    dump = tmp_path / "dump.sql"
    dump.write_text(JOB + "insert into job (title, origin) select 'same', 'x' from generate_series(1, 200);\n", "utf-8")
    found = one(trials, JOB, up="create unique index concurrently u on job (title);", down="select 1;", dump=dump)

    assert any("up fails: " in each and '"u"' in each for each in found.problems)
    assert not [each for each in found.notes if "meet what up demands" in each]


def test_with_a_dump_the_database_tells_what_to_foretell(trials: Trials, tmp_path: Path) -> None:
    dump = tmp_path / "dump.sql"
    dump.write_text(
        "create table company (id bigint primary key);\n"
        "create table job (id bigint primary key, company_id bigint constraint fk references company);\n"
        "insert into company select generate_series(1, 200);\n"
        "insert into job select n, n from generate_series(1, 200) n;\n",
        encoding="utf-8",
    )
    found = one(
        trials,
        "select 1;",
        {"category": "contract"},
        up="alter table job drop constraint fk;",
        down="alter table job add constraint fk foreign key (company_id) references company;",
        verify="-- returns: 1\nselect 1;",
        dump=dump,
    )

    assert found.problems == ()


def test_what_a_block_locks_is_said_and_probed(trials: Trials) -> None:
    found = one(trials, JOB, up="do $$ begin alter table job add column source text; end $$;")

    assert found.problems == ()
    assert any("ACCESS EXCLUSIVE on job" in each and "look into blocks" in each for each in found.notes)
    assert any(probe.name == "update job" for probe in found.probes)


def test_a_down_that_folds_values_is_red(trials: Trials) -> None:
    found = one(
        trials,
        JOB,
        {"category": "migrate"},
        up="update job set title = lower(title) where true;",
        down="select 1;",
        verify="-- returns: 1\nselect 1;",
    )

    assert "down does not put back the data: public.job has as many rows, and not the same ones" in found.problems


def test_writes_that_a_trigger_slows_down_are_red(trials: Trials) -> None:
    found = one(
        trials,
        JOB,
        up=TRIGGER.format("perform pg_sleep(1); return new;")
        + "create trigger t before insert or update on job for each row execute function f();",
        down="drop trigger t on job; drop function f();",
        verify="-- returns: 1\nselect 1;",
        calm=3.5,
    )

    assert any("'update job' takes " in each and "after up" in each for each in found.problems)


def test_new_tables_are_probed(trials: Trials) -> None:
    found = one(
        trials,
        JOB,
        up="create table skill (id bigserial primary key, job_id bigint not null references job, name text);",
        down="drop table skill;",
        verify="-- returns: 1\nselect 1;",
        calm=1.0,
    )

    assert found.problems == ()
    probes = {probe.name: probe for probe in found.probes}
    assert probes["insert into skill by the new code"].count
    assert probes["select from skill by the new code"].count


def test_rows_that_are_not_there_show_nothing(trials: Trials) -> None:
    found = one(trials, JOB, rows={"job": 0})
    assert any(each.startswith("job is empty, so nothing was shown of it") for each in found.problems)

    with pytest.raises(ScratchError, match="without rows shows nothing"):
        trials.rehearse("0001", default_rows=0)


def test_the_report_says_what_is_expected_where_it_matters(trials: Trials) -> None:
    (trials.folder / "baseline.sql").write_text(JOB, encoding="utf-8")
    trials.write("0001_it")
    statistics = Statistics(tables={"public.job": TableStatistics(rows=4000)}, unknown=("public.other",))
    found = trials.rehearse("0001", rows={}, statistics=statistics, scale=0.1)

    assert (found.rows, found.expected, found.scale) == ({"job": 400}, {"job": 4000}, 0.1)
    assert "other was never analyzed, so it gets as many rows as others do." in found.notes


def test_what_drops_an_index_concurrently_is_seen_however_brief_it_is(
    trials: Trials, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(observing, "_EVERY", 0.1)
    baseline = trials.folder / "baseline.sql"
    baseline.write_text(f"{baseline.read_text()}create index job_rank on job (rank);\n")
    found = trials.one(
        {"category": "contract"},
        up="drop index concurrently job_rank;",
        down="create index concurrently job_rank on job (rank);",
        verify="-- returns: 1\nselect 1;",
    )

    assert found.problems == ()
    assert [(lock.table, lock.mode) for lock in found.steps[0].locks] == [("job", "ShareUpdateExclusiveLock")]


def test_a_query_of_verify_may_take_as_long_as_where_it_is_applied(trials: Trials) -> None:
    slow = "-- it takes its time\n-- when: {when}\n-- returns: 1\nselect 1 from pg_sleep(0.4);"
    trials.write("0001_it", verify=f"{slow.format(when='always')}\n{slow.format(when='after')}")
    found = trials.rehearse("0001", environment=Environment(lock_timeout=Span(30.0), statement_timeout=Span(0.2)))

    assert {check.at for check in found.checks} == {"before", "after", "after down", "after up again"}
    assert {check.ok for check in found.checks} == {False}
    assert all("statement timeout" in check.problem for check in found.checks)
    assert not [note for note in found.notes if "passes before up already" in note]


def test_what_a_dump_quotes_of_a_row_is_not_shown(trials: Trials, tmp_path: Path) -> None:
    dump = tmp_path / "dump.sql"
    dump.write_text('create table job (id int, title text);\ninsert into job values (1, "alice@example.com");\n')
    trials.write("0001_it")

    with pytest.raises(DumpError, match=r"dump\.sql:2: ") as caught:
        trials.rehearse("0001", dump=dump, rows={})
    assert "alice" not in str(caught.value)


def test_trees_are_filled_without_loops_and_generators_are_heeded(trials: Trials) -> None:
    tree = "create table job (id bigserial primary key, parent_id bigint references job, check (parent_id <> id));\n"
    assert one(trials, tree).problems == ()

    (trials.folder / "rehearsal.toml").write_text('[generators]\n"job.parent_id" = "null::bigint"\n', encoding="utf-8")
    none = "-- no job has a parent\n-- when: always\n-- returns: 0\nselect count(parent_id) from job;"
    assert one(trials, tree, verify=none).problems == ()


def test_addresses_may_be_unique_whatever_their_case(trials: Trials) -> None:
    email = r"check (email ~ '^[^@]+@[^@]+\.[a-z]{2,}$')"
    found = one(
        trials,
        f"create table job (id bigserial primary key, email text not null {email});"
        "create unique index on job (lower(email));\n",
    )

    assert found.problems == ()


def test_what_can_never_run_is_no_probe(trials: Trials) -> None:
    empty = "create table nothing (id bigint primary key, job_id bigint references job);\n"
    up = "alter table job add source text;\nalter table nothing add source text;"
    down = "alter table job drop source;\nalter table nothing drop source;"
    found = one(trials, JOB + empty, rows={"nothing": 0}, up=up, down=down)

    assert [probe.name for probe in found.probes if probe.name.endswith("nothing")] == []
    assert any(probe.name == "delete from job" for probe in found.probes)


def test_a_value_of_an_enum_that_stays_has_a_way_out(trials: Trials) -> None:
    enum = "create type mood as enum ('glad', 'sad');\ncreate table person (id int primary key, m mood not null);\n"
    sections = {
        "up": "alter type mood add value if not exists 'calm';",
        "verify": "-- returns: 1\nselect count(*) from pg_enum where enumlabel = 'calm';",
    }
    (said,) = one(trials, JOB + enum, **sections, down="select 1;").problems
    assert said == (
        "down does not put back the schema: enum public.mood was: {glad,sad}; it is: {glad,sad,calm}; if up adds a "
        "value, which Postgres takes out of no enum again, leave out down, and say in containment what limits the harm"
    )
    assert one(trials, JOB + enum, {"containment": "no code uses it"}, **sections, down=None).problems == ()
