"""Rules about whole tables: what writes them anew, locks them, or empties them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from jobarium_events.migrations.files.migration import Section
from jobarium_events.migrations.files.parsing import enum_name, written
from jobarium_events.migrations.lint.findings import Severity
from jobarium_events.migrations.lint.knowledge.creating import hides
from jobarium_events.migrations.lint.names import output_names, relation_name
from jobarium_events.migrations.lint.rewriting import changed, lines, quoted, shown
from jobarium_events.migrations.lint.rules.keys import key_of, within
from jobarium_events.migrations.lint.rules.parts import BACKFILL, UP, part, parts
from jobarium_events.migrations.lint.rules.rule import Hit, Subject, rule

_REWRITING = ("AT_SetLogged", "AT_SetUnLogged", "AT_SetAccessMethod", "AT_SetTableSpace")


@rule(
    "vacuum-full",
    "VACUUM FULL writes the whole table anew while even reads wait.",
    "vacuum_stmt",
)
def vacuum_full(subject: Subject, _: Any) -> Iterator[Hit]:
    """Yield a vacuum that keeps everybody waiting."""
    if subject.effects.rewrite:

        def plain(copy: Any) -> None:
            kept = [each for each in copy.options if each.def_elem.defname != "full"]
            del copy.options[:]
            copy.options.extend(kept)

        text = "writes tables anew while even reads wait; vacuum plainly, or use an extension that does it beside them"
        yield Hit(text, lines(changed(subject.statement, plain)))


@rule(
    "cluster",
    "CLUSTER writes the whole table anew while even reads wait.",
    "cluster_stmt",
)
def cluster(subject: Subject, node: Any) -> Iterator[Hit]:
    """Yield a table that is written in another order."""
    table = relation_name(node.relation) if node.HasField("relation") else "every clustered table"
    if not subject.is_new(table):
        yield Hit(f"writes {table} anew while even reads wait; have an index that covers what the queries ask for")


@rule(
    "table-rewritten",
    "A table that is written anew takes as long as it is large, and even reads wait all that time.",
    *_REWRITING,
)
def table_rewritten(subject: Subject, command: Any) -> Iterator[Hit]:
    """Yield other commands with which a table is written anew."""
    table = relation_name(subject.node.relation)
    if enum_name(subject.node, "objtype") == "OBJECT_INDEX":
        if subject.waited_for:
            text = f"writes the index {table} anew while even reads of its table wait; build another one there "
            text += "concurrently, and drop this one concurrently after that"
            yield Hit(text, _index_elsewhere(subject, table, command.name))
    elif subject.effects.rewrite and not subject.is_new(table):
        text = f"writes {table} anew while even reads wait; make another table so, and move the rows in a backfill"
        yield Hit(text, _beside(subject, table, command))


def _index_elsewhere(subject: Subject, name: str, tablespace: str) -> str:
    """Return what builds an index anew in another tablespace; empty if its statement is not known."""
    index = subject.schema.indexes.get(name)
    if index is None or index.made is None:
        return ""
    copy = type(index.made)()
    copy.CopyFrom(index.made)
    own = name.rpartition(".")[2]
    copy.idxname, copy.concurrent, copy.if_not_exists, copy.table_space = f"{own}_new", True, False, tablespace
    new = shown(f"{name}_new")
    drop = f"drop index concurrently {shown(name)}"
    return lines(written("index_stmt", copy), drop, f"alter index {new} rename to {quoted(own)}")


def _beside(subject: Subject, table: str, command: Any) -> str:
    """Return what makes a table like another one where or as that is to be, and what fills it."""
    known, new = subject.schema.table(table), f"{table}_new"
    kind, how = _MADE[enum_name(command, "subtype")]
    name = quoted(command.name) if command.name else "heap"
    make = f"create {kind}table {shown(new)} (like {shown(table)} including all){how.format(name)}"
    columns = ", ".join(quoted(each.name) for each in known.columns.values() if not each.generated)
    copied = columns if known.complete and columns else "*"
    into = f"{shown(new)} ({columns}) overriding system value" if copied != "*" else shown(new)
    where = within(key_of(subject, table))
    fill = f"insert into {into} select {copied} from {shown(table)} where {where} on conflict do nothing"  # noqa: S608 - shown, and not run; names are quoted
    return parts(part(UP, make), part(BACKFILL, fill))


_MADE = {
    "AT_SetLogged": ("", ""),
    "AT_SetUnLogged": ("unlogged ", ""),
    "AT_SetAccessMethod": ("", " using {}"),
    "AT_SetTableSpace": ("", " tablespace {}"),
}
"""What stands before and behind a new table of that kind."""


@rule(
    "all-locked",
    "What is done to all that a role owns or a tablespace holds locks one after the other, and keeps all to the end.",
    "alter_table_move_all_stmt",
    "reassign_owned_stmt",
)
def all_locked(subject: Subject, node: Any) -> Iterator[Hit]:
    """Yield what is done to whatever a tablespace holds or a role owns."""
    if subject.statement.kind == "reassign_owned_stmt":
        text = "locks all that a role owns, so that even reads of it wait until the last is another's; do it for each "
        yield Hit(f"{text}table by its name: alter table ... owner to")
    else:
        text = f"locks and writes anew whatever {node.orig_tablespacename} holds, while even reads wait until the last "
        yield Hit(f"{text}is done; make what has to be elsewhere anew there, and move the rows in a backfill")


@rule(
    "lock-table",
    "A lock that is taken by hand keeps others waiting until the end of the transaction, whatever it is for.",
    "lock_stmt",
)
def lock_table(subject: Subject, node: Any) -> Iterator[Hit]:
    """Yield a table that is locked by hand."""
    tables = [relation_name(each.range_var) for each in node.relations]
    if not all(map(subject.is_new, tables)):
        yield Hit(f"locks {', '.join(tables)} by hand; statements take the locks that they need")


@rule(
    "truncate",
    "TRUNCATE takes all rows away from code that runs, while even reads wait, and nothing brings them back.",
    "truncate_stmt",
)
def truncate(subject: Subject, node: Any) -> Iterator[Hit]:
    """Yield tables that are emptied."""
    tables = [relation_name(each.range_var) for each in node.relations]
    if all(map(subject.is_new, tables)):
        return
    safe = [f"delete from {shown(table)} where {within(key_of(subject, table))}" for table in tables]  # noqa: S608 - shown, and not run; names are quoted
    text = f"empties {', '.join(tables)} while even reads wait; delete the rows that nobody needs in a backfill"
    yield Hit(text, parts(*(part("backfill", each) for each in safe)))


@rule(
    "drop-cascade",
    "CASCADE drops whatever depends on it as well, which nobody has listed or looked at.",
    "drop_stmt",
    "truncate_stmt",
    "AT_DropColumn",
    "AT_DropConstraint",
)
def drop_cascade(subject: Subject, node: Any) -> Iterator[Hit]:
    """Yield what goes with all that depends on it; what a migration drops so is for `removal-unnamed`."""
    is_guarded = subject.section is Section.UP and subject.statement.kind != "truncate_stmt"
    if enum_name(node, "behavior") != "DROP_CASCADE" or is_guarded:
        return

    def restrict(copy: Any) -> None:
        for each in [copy, *(command.alter_table_cmd for command in getattr(copy, "cmds", ()))]:
            if "behavior" in each.DESCRIPTOR.fields_by_name:
                kinds = each.DESCRIPTOR.fields_by_name["behavior"].enum_type.values_by_name
                each.behavior = kinds["DROP_RESTRICT"].number

    text = "takes whatever depends on it as well; name those before it, so that they are looked at"
    yield Hit(text, lines(changed(subject.statement, restrict)))


@rule(
    "refresh-not-concurrent",
    "A materialized view that is refreshed without CONCURRENTLY cannot be read until that is done.",
    "refresh_mat_view_stmt",
)
def refresh_not_concurrent(subject: Subject, node: Any) -> Iterator[Hit]:
    """Yield a materialized view that is refreshed while reads wait."""
    view = relation_name(node.relation)
    if node.concurrent or node.skip_data or subject.is_new(view):
        return

    def concurrently(copy: Any) -> None:
        copy.concurrent = True

    text = f"fills {view} anew while reads of it wait; refresh it concurrently, for which it needs a unique index"
    yield Hit(text, lines(changed(subject.statement, concurrently)))


@rule(
    "triggers-off",
    "While triggers or rules are off, what they keep in step is no longer: rows that are written twice, and the like.",
    "AT_DisableTrig",
    "AT_DisableTrigAll",
    "AT_DisableTrigUser",
    "AT_DisableRule",
    "variable_set_stmt",
)
def triggers_off(subject: Subject, command: Any) -> Iterator[Hit]:
    """Yield triggers and rules that are turned off."""
    if subject.statement.kind == "variable_set_stmt":
        if command.name == "session_replication_role" and enum_name(command, "kind") == "VAR_SET_VALUE":
            yield Hit("turns off all triggers, and the checks of foreign keys with them, for what it writes")
        return
    table = relation_name(subject.node.relation)
    if not subject.is_new(table):
        what = f"{command.name} of {table}" if command.name else f"all triggers of {table}"
        yield Hit(f"turns off {what} for everybody; have the trigger itself tell which rows it is for")


@rule(
    "create-rule",
    "A rule rewrites queries before they run, in ways that surprise: a default may be evaluated twice.",
    "rule_stmt",
    severity=Severity.WARNING,
)
def create_rule(subject: Subject, node: Any) -> Iterator[Hit]:
    """Yield a rule that is made."""
    if enum_name(node, "event") != "CMD_SELECT" and not subject.is_new(relation_name(node.relation)):
        yield Hit(f"makes a rule on {relation_name(node.relation)}; a trigger does the same for each row, and once")


@rule(
    "view-columns",
    "CREATE OR REPLACE VIEW can only add columns at the end; otherwise it fails, or code misses what it reads.",
    "view_stmt",
)
def view_columns(subject: Subject, node: Any) -> Iterator[Hit]:
    """Yield a view that loses columns, or has them in another order."""
    view = relation_name(node.view)
    known = subject.schema.tables.get(view)
    select = node.query.select_stmt
    columns = [each.string.sval for each in node.aliases] or list(output_names(select))
    if not node.replace or known is None or not known.columns or "" in columns:
        return
    before = list(known.columns)
    if columns[: len(before)] != before:
        lost = [each for each in before if each not in columns]
        said = f"loses the columns {', '.join(lost)}" if lost else "has its columns in another order"
        text = f"{view} {said}, which Postgres refuses; make another view beside it, and drop this one later"

        def beside(copy: Any) -> None:
            copy.view.relname, copy.replace = f"{node.view.relname}_new", False

        yield Hit(text, lines(changed(subject.statement, beside)))


@rule(
    "catalog-changed",
    "Postgres does not watch over what is written to its own catalog: a mistake there can lose the whole database.",
    "insert_stmt",
    "update_stmt",
    "delete_stmt",
)
def catalog_changed(_: Subject, node: Any) -> Iterator[Hit]:
    """Yield what is written to the system's catalog."""
    if node.relation.schemaname in ("pg_catalog", "information_schema") or node.relation.relname.startswith("pg_"):
        yield Hit(
            f"writes to {node.relation.relname}, which is Postgres' own; there is a statement for what is allowed"
        )


@rule(
    "drop-database",
    "A database that is dropped is gone, with all of its tables.",
    "dropdb_stmt",
    "drop_owned_stmt",
)
def drop_database(subject: Subject, _: Any) -> Iterator[Hit]:
    """Yield a database, or all that a role owns; what a migration drops so is for `removal-unnamed`."""
    if subject.section is not Section.UP:
        yield Hit("drops all that is there; drop what is no longer used by its name")


@rule(
    "temporary-hides",
    "A temporary table hides the one of its name for the rest of the session, so that what follows is about neither.",
    "create_stmt",
    "create_table_as_stmt",
)
def temporary_hides(subject: Subject, node: Any) -> Iterator[Hit]:
    """Yield a temporary table of the name of one that is there."""
    relation = node.relation if subject.statement.kind == "create_stmt" else node.into.rel
    if hides(subject.schema, relation):
        yield Hit(f"hides {relation_name(relation)} for the rest of the session; give it a name of its own")
