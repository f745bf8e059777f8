"""What may not be done to tables that running code uses: one small function for each rule."""

from jobarium_events.migrations.lint.rules import (
    ages,
    calling,
    columns,
    constraints,
    data,
    domains,
    foreign_keys,
    indexes,
    partitions,
    publications,
    relied,
    removals,
    renames,
    sessions,
    tables,
    transactions,
    types,
)
from jobarium_events.migrations.lint.rules.calling import made_by
from jobarium_events.migrations.lint.rules.categories import misplaced
from jobarium_events.migrations.lint.rules.downs import incomplete
from jobarium_events.migrations.lint.rules.meanings import commented_types, reworded
from jobarium_events.migrations.lint.rules.rule import RULES, checks
from jobarium_events.migrations.lint.rules.suppressions import UNDECIDED, allowed, broken_anyway
from jobarium_events.migrations.lint.rules.unnamed import long_under_lock

__all__ = [
    "RULES",
    "UNDECIDED",
    "ages",
    "allowed",
    "broken_anyway",
    "calling",
    "checks",
    "columns",
    "commented_types",
    "constraints",
    "data",
    "domains",
    "foreign_keys",
    "incomplete",
    "indexes",
    "long_under_lock",
    "made_by",
    "misplaced",
    "partitions",
    "publications",
    "relied",
    "removals",
    "renames",
    "reworded",
    "sessions",
    "tables",
    "transactions",
    "types",
]
