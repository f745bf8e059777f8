"""What is wrong with a migration, told from what was seen."""

from __future__ import annotations

import pytest

from jobarium_events.migrations import Category
from jobarium_events.migrations.lint.locking.locks import Effects, Lock, LockMode
from jobarium_events.migrations.rehearsal.judging import of_blocking, of_category, of_effects, of_runtime
from jobarium_events.migrations.rehearsal.report import Blocked, Held, ObservedStep

BEFORE = {
    "table public.job": "heap",
    "column public.job.id": "integer",
    "column public.job.old": "text",
    "constraint proof of public.job": "CHECK ((old IS NOT NULL))",
    "constraint rule of public.job": "CHECK ((id > 0))",
    "privileges on table public.job": "owner a",
    "domain public.pos": "integer c CHECK ((VALUE > 0)) NOT VALID",
}


def without(name: str) -> dict[str, str]:
    return {key: value for key, value in BEFORE.items() if key != name}


@pytest.mark.parametrize(
    ("category", "after", "said"),
    [
        ("expand", BEFORE | {"column public.job.new": "text"}, None),
        ("expand", BEFORE | {"column public.job.old": "character varying(90)"}, None),
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


def test_a_rewrite_that_was_not_foretold_is_a_problem() -> None:
    assert list(of_effects(step(rewrites=("job",)), [foretold()])) == [
        "line 7 wrote job anew; the lint foretells no rewrite"
    ]
    assert list(of_effects(step(rewrites=("job",)), [foretold(), foretold(rewrite=True)])) == []


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
