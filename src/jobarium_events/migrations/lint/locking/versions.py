"""Where Postgres 13 to 18 differ in what a statement locks, rewrites or reads.

15 and 18 are observed by the tests. 13, 14, 16 and 17 are told from what Postgres publishes, which each of these names.
What an older version does not know at all, such as a virtual column, it refuses; it is told here as the first
version that knows it does it.
"""

from __future__ import annotations

__all__ = [
    "ANALYZE_HEIRS",
    "CONSTRAINT_LOCKS_HEIRS",
    "GRANT_LOCKS",
    "IDENTITY_IN_PARTITIONS",
    "NOT_NULL_IS_A_CONSTRAINT",
]

ANALYZE_HEIRS = 18
"""``vacuum`` and ``analyze`` of a table go through its heirs as well; before, ``analyze`` read them for its sample in
ACCESS SHARE mode. Release notes of 18, "Migration to Version 18"; partitions have always been gone through."""

CONSTRAINT_LOCKS_HEIRS = 18
"""``add constraint`` locks the heirs of a table before it begins, as 18 is observed to do. Up to 17 it locks them as it
comes to them (``ATPrepCmd`` of ``tablecmds.c`` in 17 leaves them to the execution phase): those that it reads for a
unique constraint in SHARE mode, and those that do not inherit a check not at all."""

GRANT_LOCKS = 18
"""``grant`` and ``revoke`` lock the table in ACCESS SHARE mode, as 18 is observed to do and 15 not. For 16 and 17 it
is taken for granted that they are like 15; the mode is one that nothing but ACCESS EXCLUSIVE waits for."""

IDENTITY_IN_PARTITIONS = 17
"""A partitioned table shares its identity columns with its partitions, so they are locked too. Release notes of 17,
"Allow partitioned tables to have identity columns"; ``ATPrepCmd`` of ``tablecmds.c`` in 17."""

NOT_NULL_IS_A_CONSTRAINT = 18
"""That a column is not null is a constraint, which heirs inherit, so that ``alter table only`` locks those right below
when it drops it, as 18 is observed to do and 15 not. Release notes of 18, "Store column NOT NULL specifications in
pg_constraint"."""
