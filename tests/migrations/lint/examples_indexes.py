"""Examples of indexes, and what else is kept beside a table."""

from tests.migrations.lint.examples import MATERIALIZED, PARTED, of
from tests.migrations.lint.observing import Example

INDEXES = (
    *of(
        "create-index",
        ("create index on job (title)",),
        ("create unique index i on job (lower(note), id)",),
        ("create index if not exists i on job (title)", "create index i on job (title);"),
        ("create index on entry (id)", PARTED),
        ("create index on only entry (id)", PARTED),
        ("create index on counts (id)", MATERIALIZED),
    ),
    Example(
        id="create index concurrently",
        kind="create-index",
        sql="create index concurrently i on job (title)",
        blockers=("lock table job in row exclusive mode",),
    ),
    *of(
        "drop-index",
        ("drop index i", "create index i on job (title);"),
        ("drop index i, j", "create index i on job (title); create index j on employer (name);"),
        ("drop index i -- parted", PARTED + "create index i on entry (id);"),
    ),
    Example(
        id="drop index concurrently",
        kind="drop-index",
        sql="drop index concurrently i",
        before="create index i on job (title);",
        blockers=("lock table job in access share mode",),
    ),
    *of(
        "reindex",
        ("reindex table job",),
        ("reindex index job_pkey",),
    ),
    Example(
        id="reindex concurrently",
        kind="reindex",
        sql="reindex table concurrently job",
        blockers=("lock table job in row exclusive mode", "lock table job in access share mode"),
    ),
    Example(
        id="reindex partitions concurrently",
        kind="reindex",
        sql="reindex table concurrently entry",
        before=PARTED + "create index on entry (id);",
        blockers=("lock table only entry_26 in row exclusive mode",),
    ),
    Example(
        id="reindex index concurrently",
        kind="reindex",
        sql="reindex index concurrently job_pkey",
        blockers=("lock table job in row exclusive mode",),
    ),
    *of(
        "alter-index",
        ("alter index job_pkey set (fillfactor = 80)",),
        (
            "alter index i attach partition j",
            PARTED + "create index i on only entry (id); create index j on entry_26 (id);",
        ),
    ),
    *of("rename-index", ("alter index job_pkey rename to k",)),
    *of("cluster", ("cluster job using job_pkey",)),
    *of("cluster-on", ("alter table job cluster on job_pkey",)),
    *of("set-without-cluster", ("alter table job set without cluster",)),
    *of("create-statistics", ("create statistics s on id, title from job",)),
    *of("drop-statistics", ("drop statistics s", "create statistics s on id, title from job;")),
)
