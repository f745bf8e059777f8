"""A rehearsal with something of everything."""

from __future__ import annotations

import math
from datetime import UTC, datetime

from jobarium_events.migrations import Category
from jobarium_events.migrations.rehearsal.report import (
    Blocked,
    Bucket,
    Built,
    Checked,
    Held,
    ObservedStep,
    ProbeResult,
    Rehearsal,
    Series,
    WayBack,
)


def _series(name: str, calm: float, spike: float) -> Series:
    buckets = []
    for place in range(60):
        hit = spike if 22 <= place < 30 else calm
        wave = 1 + 0.3 * math.sin(place)
        failed = 1 if name.startswith("new") and place == 35 else 0
        buckets.append(Bucket(place * 0.1, 4, failed, calm * wave, (hit + calm) * wave / 1.4, hit * 1.5 * wave))
    return Series(name=name, width=0.1, buckets=tuple(buckets))


def _lock(mode: str, begin: float, end: float, waited: float = 0.0, table: str = "job") -> Held:
    return Held(table=table, mode=mode, waited=waited, begin=begin, end=end, seconds=end - begin)


def sample(*, id_: str = "0007_job_source", problems: tuple[str, ...] = ("it took too long",)) -> Rehearsal:
    """Return it."""
    return Rehearsal(
        id=id_,
        hash="5d41402abc4b2a76b9719d911017c592" * 2,
        category=Category.EXPAND,
        at=datetime(2026, 10, 5, 9, 30, tzinfo=UTC),
        server_version="15.20",
        rows={"audit.entry": 20, "job": 2_000_000},
        estimated=1.0,
        seconds=3.21,
        began=1.5,
        lasted=6.0,
        steps=(
            ObservedStep(
                line=17,
                text="alter table job add column source text",
                begin=1.5,
                seconds=0.42,
                locks=(_lock("AccessExclusiveLock", 1.81, 1.92, waited=0.3),),
                wal=4096,
                retries=1,
            ),
            ObservedStep(
                line=18,
                text="create index job_source on job (source)",
                begin=2.0,
                seconds=1.2,
                locks=(_lock("ShareLock", 2.0, 3.2), _lock("AccessShareLock", 2.1, 3.2, table="audit.entry")),
                rewrites=("job",),
                indexes=(Built(index="job_source", table="job", seconds=1.1, size=45_000_000),),
                wal=48_234_496,
            ),
            ObservedStep(
                line=24,
                text="backfill: update job set source = 'form' where id between $1 and $2 and source is null",
                begin=3.3,
                seconds=1.41,
                locks=(_lock("RowExclusiveLock", 3.31, 4.7),),
                wal=1_000_000,
            ),
        ),
        blocked=(
            Blocked(probe="insert into job", table="job", line=18, begin=2.1, seconds=1.1),
            Blocked(probe="update job", table="job", line=17, begin=1.6, seconds=0.3),
        ),
        probes=(
            ProbeResult(
                name="insert into job",
                sql='insert into "public"."job" ("id", "status") overriding system value values ($1, $2)',
                when="old",
                writes=True,
                count=60,
                failed=0,
                error="",
                idle=0.0021,
                p95=1.1,
                most=1.102,
            ),
            ProbeResult(
                name="select from job by the new code",
                sql='select "id", "status", "source" from "public"."job" where "id" = $1',
                when="new",
                writes=False,
                count=31,
                failed=1,
                error='column "source" does not exist',
                idle=None,
                p95=0.0031,
                most=0.004,
            ),
        ),
        series=(
            _series("new reads", 0.0008, 0.002),
            _series("old reads", 0.0007, 0.003),
            _series("old writes", 0.002, 1),
        ),
        checks=(
            Checked(at="before", name="every job has a status", ok=True, problem=""),
            Checked(
                at="after", name="every job has a source", ok=False, problem="line 30: must return 0, and returned 7"
            ),
        ),
        back=WayBack(
            seconds=0.02,
            written=5,
            schema=("index job_source is left",),
            data=("job: 3 rows differ",),
            lost=("the values of job.legacy",),
            again=3.0,
        ),
        notes=("audit.entry has no primary key, so nothing probes it.",),
        problems=problems,
    )
