"""A rule about publications: of a table that is published and has no replica identity, code can change no row."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from jobarium_events.migrations.files.parsing import enum_name
from jobarium_events.migrations.lint.findings import Severity
from jobarium_events.migrations.lint.knowledge.schema import ConstraintKind, Relation, Schema
from jobarium_events.migrations.lint.names import listed_name, relation_name
from jobarium_events.migrations.lint.rewriting import lines, quoted, shown
from jobarium_events.migrations.lint.rules.rule import Hit, Subject, rule


@rule(
    "publication-without-identity",
    "Postgres refuses updates and deletes of a published table whose replica identity does not tell which row it was.",
    "create_publication_stmt",
    "alter_publication_stmt",
    "AT_ReplicaIdentity",
    "AT_DropConstraint",
    "drop_stmt",
    breaks=True,
)
def publication_without_identity(subject: Subject, node: Any) -> Iterator[Hit]:
    """Yield tables whose rows running code can change no more, since a publication could not tell of which row it is.

    Publications are often made by others than migrations, so that to take a table its identity counts for itself.
    """
    before, after = subject.schema, subject.after
    is_altered = subject.statement.kind == "alter_table_stmt"
    is_identity = is_altered and enum_name(node, "subtype") == "AT_ReplicaIdentity"
    if not after.publications and not is_identity:
        return
    losing = [each for each in _concerned(subject, node) if not subject.is_new(each) and not after.is_identified(each)]
    refused = [each for each in losing if after.is_published(each)]
    refused = [each for each in refused if before.is_identified(each) or not before.is_published(each)]
    if refused:
        names = ", ".join(sorted(refused))
        text = f"leaves running code no update or delete of {names}: what is published has to tell of which row it is"
        steps = [_identity(after, each) for each in sorted(refused)]
        rest = () if is_identity else (subject.statement.text,)  # those take the place of another identity
        yield Hit(f"{text}; give it a replica identity first", lines(*steps, *rest))
    elif is_identity:
        for each in losing:
            if not after.is_published(each) and before.table(each).identity is not after.table(each).identity:
                text = f"takes {each} its replica identity; if a publication that these files do not name has it, "
                safe = lines(_identity(after, each))
                yield Hit(f"{text}running code can update and delete no row of it", safe, Severity.WARNING)


def _concerned(subject: Subject, node: Any) -> Iterable[str]:
    """Return the tables whose rows may be refused after a statement."""
    schema = subject.after
    match subject.statement.kind:
        case "create_publication_stmt" | "alter_publication_stmt":
            found = schema.publications.get(node.pubname)
            tables = schema.tables if found is not None and found.changes else ()
            return [each for each in tables if _has_rows(schema, each) and schema.is_published(each)]
        case "alter_table_stmt":
            table = relation_name(subject.node.relation)
            return [each for each in (table, *schema.descendants(table)) if _has_rows(schema, each)]
        case _ if enum_name(node, "remove_type") == "OBJECT_INDEX":
            indexes = (subject.schema.indexes.get(listed_name(each)) for each in node.objects)
            return dict.fromkeys(each.table for each in indexes if each is not None)
        case _:
            return ()


def _has_rows(schema: Schema, table: str) -> bool:
    """Whether a table has rows of its own; those of a partitioned one are in its partitions."""
    return schema.table(table).kind is Relation.TABLE


def _identity(schema: Schema, table: str) -> str:
    """Return what gives a table a replica identity: a primary key or an index that can be one, or else whole rows."""
    constraints, columns = schema.table(table).constraints.values(), schema.table(table).columns
    if any(each.kind is ConstraintKind.PRIMARY_KEY for each in constraints):
        return f"alter table {shown(table)} replica identity default"
    for index in schema.indexes_of(table):
        is_plain = index.unique and index.valid and not index.computed
        if is_plain and all(each in columns and not columns[each].nullable for each in index.columns):
            own = quoted(index.name.rpartition(".")[2])
            return f"alter table {shown(table)} replica identity using index {own}"
    return f"alter table {shown(table)} replica identity full"
