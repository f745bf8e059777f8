"""Rules about the session that a migration is given: what is kept in it, and what is not a migration's to touch."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from jobarium_events.migrations.files.parsing import enum_name
from jobarium_events.migrations.lint.findings import Severity
from jobarium_events.migrations.lint.rules.rule import Hit, Stands, Subject, rule
from jobarium_events.migrations.lint.walking import calls, tables_of

_RECORD = "jobarium_migrations"
_USUAL = {"public", "pg_catalog", "$user", "pg_temp", ""}


@rule(
    "record-touched",
    "What happened to a database is written down for everybody; a migration that reads or writes it may forge it.",
    "",
    where=Stands.MIGRATION,
    firm=True,
)
def record_touched(subject: Subject, node: Any) -> Iterator[Hit]:
    """Yield a statement that names the schema of the record, be it in a text that may be run."""
    text = subject.statement.text.lower()
    hidden = 'u&"' in text and any(each.startswith(f"{_RECORD}.") for each in tables_of(node))
    if _RECORD in text or hidden:
        yield Hit(f"names {_RECORD}, where the record of all migrations is; leave it to the commands of db")


@rule(
    "lock-let-go",
    "Those who apply migrations keep each other out by a lock of the session; without it two run at once.",
    "discard_stmt",
    "select_stmt",
    where=Stands.MIGRATION,
    firm=True,
)
def lock_let_go(subject: Subject, node: Any) -> Iterator[Hit]:
    """Yield what lets go of all locks of a session."""
    if subject.statement.kind == "discard_stmt":
        if enum_name(node, "target") == "DISCARD_ALL":
            yield Hit("lets go of the lock under which migrations are applied; each begins with a session as new")
    elif "unlock" in subject.statement.text.lower():
        found = [each for each in sorted(calls(node)) if each.startswith("pg_advisory_unlock")]
        if found:
            yield Hit(f"calls {found[0]}, which lets go of the lock under which migrations are applied")


@rule(
    "search-path",
    "Names without a schema mean other tables from then on than those that rules and gates take them for.",
    "variable_set_stmt",
)
def search_path(subject: Subject, node: Any) -> Iterator[Hit]:
    """Yield a search_path that is not the usual one."""
    if node.name != "search_path" or enum_name(node, "kind") != "VAR_SET_VALUE":
        return
    schemas = [each.a_const.sval.sval for each in node.args]
    if not {*schemas} <= _USUAL:
        text = f"has names without a schema mean those of {', '.join(schemas)}; write the schema before each name"
        yield Hit(text, "", None if subject.header is not None else Severity.WARNING)
