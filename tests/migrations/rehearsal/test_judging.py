"""What is wrong with a migration, told from what was seen."""

from __future__ import annotations

import pytest

from jobarium_events.migrations import Category
from jobarium_events.migrations.lint.locking.locks import Effects, Lock, LockMode
from jobarium_events.migrations.rehearsal.categories import of_category, of_meanings
from jobarium_events.migrations.rehearsal.judging import of_blocking, of_effects, of_rewrites, of_runtime, of_vacuums
from jobarium_events.migrations.rehearsal.report import Blocked, Held, ObservedStep

BEFORE = {
    "table public.job": "heap",
    "column public.job.id": "integer",
    "column public.job.old": "text",
    "constraint proof of public.job": "CHECK ((old IS NOT NULL))",
    "constraint rule of public.job": "CHECK ((id > 0))",
    "privileges on table public.job": "owner a",
    "domain public.pos": "integer c CHECK ((VALUE > 0)) NOT VALID",
    "column public.job.code": "character varying(9) not null default 'x'::character varying",
    "enum public.mood": "{good,bad}",
    "table public.part": "FOR VALUES FROM (1) TO (2); access method heap",
    "index public.job_old": "CREATE INDEX job_old ON public.job USING btree (old)",
    "trigger both of public.job": "CREATE TRIGGER both; O",
    "sequence public.ticket": "bigint start 1 owned by public.job.id",
    "view public.open": "SELECT id FROM job",
}


def code(type_: str, default: str = " default 'x'::character varying") -> dict[str, str]:
    return {"column public.job.code": f"{type_} not null{default}"}


def without(name: str) -> dict[str, str]:
    return {key: value for key, value in BEFORE.items() if key != name}


@pytest.mark.parametrize(
    ("category", "after", "said"),
    [
        ("expand", BEFORE | {"column public.job.new": "text"}, None),
        ("expand", BEFORE | {"column public.job.old": "character varying(90)"}, "it changes the column public.job.old"),
        ("expand", BEFORE | {"column public.job.id": "bigint"}, "it changes the column public.job.id"),
        ("expand", BEFORE | {"column public.job.old": "text default 'a'::text"}, None),
        ("expand", BEFORE | {"column public.job.old": "text not null"}, "it changes the column public.job.old"),
        (
            "expand",
            BEFORE | {"column public.job.old": "text not null", "constraint k of public.job": "PRIMARY KEY (old)"},
            None,
        ),
        ("expand", BEFORE | code("character varying(20)"), None),
        ("expand", BEFORE | code("text"), None),
        ("expand", BEFORE | {"column public.job.old": "text identity by default"}, None),
        ("expand", BEFORE | {"column public.job.old": "text identity always"}, "it changes the column public.job.old"),
        ("expand", BEFORE | code("character varying(8)"), "it changes the column public.job.code"),
        ("expand", BEFORE | code("character varying(9)", ""), "it changes the column public.job.code"),
        ("expand", BEFORE | {"enum public.mood": "{good,fair,bad}"}, None),
        ("expand", BEFORE | {"enum public.mood": "{good,evil}"}, "it changes the enum public.mood"),
        ("expand", BEFORE | {"view public.open": "SELECT id, old FROM job"}, None),
        ("expand", BEFORE | {"table public.job": "heap; FOR VALUES FROM (2) TO (3)"}, None),
        ("expand", BEFORE | {"table public.part": "access method heap"}, "it changes the table public.part"),
        ("expand", BEFORE | {"table public.job": "unlogged; heap"}, "it changes the table public.job"),
        ("expand", BEFORE | {"table public.job": "with fillfactor=70; heap"}, None),
        (
            "expand",
            BEFORE | {"index public.job_old": "CREATE INDEX job_old ON public.job USING btree (id)"},
            "it changes the index public.job_old",
        ),
        (
            "expand",
            BEFORE | {"constraint rule of public.job": "CHECK ((id > 7))"},
            "it changes the constraint rule of public.job",
        ),
        ("expand", BEFORE | {"domain public.pos": "integer"}, "it changes the domain public.pos"),
        ("expand", BEFORE | {"sequence public.ticket": "bigint start 1"}, None),
        ("expand", BEFORE | {"sequence public.ticket": "integer start 1"}, "it changes the sequence public.ticket"),
        (
            "migrate",
            BEFORE | {"constraint rule of public.job": "CHECK ((id > 7))"},
            "it changes the constraint rule of public.job",
        ),
        ("contract", BEFORE | {"column public.job.id": "bigint"}, "it changes the column public.job.id"),
        ("contract", BEFORE | {"column public.job.id": "integer not null"}, "it changes the column public.job.id"),
        ("contract", BEFORE | code("character varying(9)", ""), None),
        ("contract", BEFORE | {"table public.part": "access method heap"}, None),
        ("contract", BEFORE | {"trigger both of public.job": "CREATE TRIGGER both; D"}, None),
        (
            "contract",
            BEFORE | {"trigger both of public.job": "CREATE TRIGGER others; O"},
            "it changes the trigger both of public.job",
        ),
        ("contract", BEFORE | {"domain public.pos": "integer"}, None),
        ("contract", BEFORE | {"view public.open": "SELECT 1 AS id"}, "it changes the view public.open"),
        (
            "contract",
            BEFORE | {"constraint rule of public.job": "CHECK ((id > 7))"},
            "it changes the constraint rule of public.job",
        ),
        ("expand", without("column public.job.old"), "it removes the column public.job.old"),
        ("expand", without("constraint proof of public.job"), None),
        ("expand", without("constraint rule of public.job"), "it removes the constraint rule of public.job"),
        ("migrate", BEFORE, None),
        ("migrate", BEFORE | {"column public.job.old": "text not null"}, None),
        ("migrate", BEFORE | {"column public.job.old": "bigint"}, "it changes the column public.job.old"),
        ("migrate", BEFORE | {"constraint rule of public.job": "CHECK ((id > 0)) NOT VALID"}, None),
        ("migrate", BEFORE | {"trigger both of public.job": "create trigger"}, None),
        ("migrate", BEFORE | {"index public.more": "create index"}, "it adds the index public.more"),
        ("migrate", without("constraint proof of public.job"), None),
        ("migrate", without("column public.job.old"), "it removes the column public.job.old"),
        ("contract", without("column public.job.old"), None),
        ("contract", BEFORE | {"column public.job.new": "text"}, "it adds the column public.job.new"),
        ("contract", BEFORE | {"comment on column public.job.id": "x"}, None),
        ("migrate", BEFORE | {"privileges on table public.job": "owner b"}, None),
        ("migrate", BEFORE | {"domain public.pos": "integer c CHECK ((VALUE > 0))"}, None),
        (
            "migrate",
            BEFORE | {"domain public.pos": "integer c CHECK ((VALUE > 1))"},
            "it changes the domain public.pos",
        ),
    ],
)
def test_what_was_seen_of_the_schema_is_held_against_the_category(
    category: str, after: dict[str, str], said: str | None
) -> None:
    found = list(of_category(Category(category), BEFORE, after))

    assert found == ([] if said is None else [f"{said}, which is not for a migration of category {category}"])


def step(*modes: LockMode, table: str = "job", rewrites: tuple[str, ...] = ()) -> ObservedStep:
    locks = tuple(Held(table=table, mode=mode, waited=0.0, begin=0.0, end=1.0, seconds=1.0) for mode in modes)
    return ObservedStep(line=7, text="", begin=0.0, seconds=1.0, locks=locks, rewrites=rewrites)


def foretold(*locks: tuple[str, LockMode], rewrite: bool = False) -> Effects:
    return Effects(kind="x", locks=tuple(Lock(*lock) for lock in locks), rewrite=rewrite)


def test_a_lock_that_was_foretold_is_no_problem() -> None:
    expected = foretold(("public.job", LockMode.SHARE), ("other", LockMode.ACCESS_EXCLUSIVE))

    assert list(of_effects(step(LockMode.SHARE, LockMode.ACCESS_SHARE), [expected])) == []
    assert list(of_effects(step(LockMode.ROW_EXCLUSIVE), [])) == []


def test_a_stronger_lock_than_foretold_is_one() -> None:
    expected = [foretold(("job", LockMode.SHARE)), foretold(("job", LockMode.ROW_SHARE))]

    assert list(of_effects(step(LockMode.ACCESS_EXCLUSIVE), expected)) == [
        "line 7 took ACCESS EXCLUSIVE on job; the lint foretells SHARE"
    ]
    assert list(of_effects(step(LockMode.SHARE, table="audit.entry"), expected)) == [
        "line 7 took SHARE on audit.entry; the lint foretells none"
    ]


def test_the_end_that_a_vacuum_cuts_off_is_no_problem_but_told() -> None:
    vacuum = [Effects(kind="vacuum", locks=(Lock("job", LockMode.SHARE_UPDATE_EXCLUSIVE),))]
    full = [Effects(kind="vacuum", locks=(Lock("job", LockMode.SHARE_UPDATE_EXCLUSIVE),), rewrite=True)]
    seen = step(LockMode.SHARE_UPDATE_EXCLUSIVE, LockMode.ACCESS_EXCLUSIVE)

    assert list(of_effects(seen, vacuum)) == []
    (told,) = of_vacuums(seen, vacuum)
    assert told.startswith("Line 7 cut off the empty end of job under an ACCESS EXCLUSIVE lock.")
    assert list(of_vacuums(step(LockMode.SHARE_UPDATE_EXCLUSIVE), vacuum)) == []
    assert len(list(of_effects(seen, full))) == 1
    assert list(of_vacuums(seen, full)) == []
    assert len(list(of_effects(step(LockMode.ACCESS_EXCLUSIVE, table="audit.entry"), vacuum))) == 1


def test_a_rewrite_that_was_not_foretold_is_a_problem() -> None:
    assert list(of_effects(step(rewrites=("job",)), [foretold()])) == [
        "line 7 wrote job anew; the lint foretells no rewrite"
    ]
    assert list(of_effects(step(rewrites=("job",)), [foretold(), foretold(rewrite=True)])) == []


def test_of_a_table_that_the_migration_makes_no_rows_are_told() -> None:
    told = list(of_rewrites(step(rewrites=("job", "job_text")), {"job": 100}, {}))
    assert [line.partition(":")[0] for line in told] == [
        "Line 7 wrote job anew",
        "Line 7 wrote job_text anew, which the migration makes",
    ]
    assert "100 rows" in told[0]
    assert "rows" not in told[1]


def test_a_runtime_within_the_tolerance_is_none() -> None:
    assert list(of_runtime(1.5, 1.0)) == []
    assert list(of_runtime(1.6, 1.0)) == [
        "it took 1.6 s, which is more than 1.5 times the estimated 1s; correct estimated_runtime, or make it quicker"
    ]


def test_of_many_waits_the_longest_is_told() -> None:
    waits = [Blocked(probe="update job", table="job", line=7, begin=0.0, seconds=each) for each in (0.1, 2.5, 2.1)]

    assert list(of_blocking(waits, 2.0)) == [
        "line 7 blocked 'update job' for 2.5 s, longer than the lock_timeout of 2s"
    ]
    assert list(of_blocking(waits, 2.5)) == []


def test_a_comment_that_changes_is_told_unless_a_decision_names_its_column() -> None:
    before = {
        "column public.job.pay": "integer",
        "column public.job.kind": "text",
        'column audit."Entry".note': "text",
        "comment on table column public.job.pay": "a month",
        "comment on table column public.job.gone": "it goes",
        'comment on table column audit."Entry".note': "a note",
        "comment on table public.job": "a job",
    }
    after = {**before, "comment on table column public.job.pay": "a year", "comment on table public.job": "a task"}
    del after['comment on table column audit."Entry".note']
    after["comment on table column public.job.kind"] = "a first one"

    assert list(of_meanings(before, after, lambda table, column: (table, column) == ("job", "pay"))) == [
        "it changes the comment on audit.Entry.note, and no accepted decision in its header names the column"
    ]
    assert list(of_meanings(before, after, lambda table, column: table == "audit.Entry")) == [
        "it changes the comment on job.pay, and no accepted decision in its header names the column"
    ]


@pytest.mark.parametrize(
    ("name", "old", "new", "said"),
    [
        ("column public.job.pay", "text default 'a'::text", "text default 'b'::text", ["the default of job.pay"]),
        ("column public.job.pay", "text default 'a'::character varying", "text default 'a'::text", []),
        ("column public.job.pay", "text", "text default 'a'::text", []),
        (
            "view public.open",
            " SELECT job.id,\n    1 AS one\n   FROM job;",
            " SELECT job.id,\n    2 AS one\n   FROM job;",
            ["the values of open.one"],
        ),
        (
            "view public.open",
            "with security_barrier=true;  SELECT job.id\n   FROM job;",
            " SELECT job.id\n   FROM job;",
            [],
        ),
        ("view public.open", " SELECT job.id\n   FROM job;", " SELECT job.id,\n    1 AS one\n   FROM job;", []),
        (
            "view public.open",
            " SELECT job.id\n   FROM job;",
            " SELECT job.id\n   FROM job\n  WHERE job.id > 1;",
            ["the values of open.id"],
        ),
    ],
)
def test_a_default_or_a_view_of_other_values_is_told_unless_a_decision_names_the_column(
    name: str, old: str, new: str, said: list[str]
) -> None:
    expected = [f"it changes {each}, and no accepted decision in its header names the column" for each in said]

    assert list(of_meanings({name: old}, {name: new}, lambda _table, _column: False)) == expected
    assert list(of_meanings({name: old}, {name: new}, lambda _table, _column: True)) == []
