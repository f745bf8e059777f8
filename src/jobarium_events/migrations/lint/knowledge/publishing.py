"""What is known of publications, and what is known after one comes or changes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from jobarium_events.migrations.files.parsing import enum_name
from jobarium_events.migrations.lint.knowledge.tables import Publication, Relation
from jobarium_events.migrations.lint.names import relation_name

if TYPE_CHECKING:
    from jobarium_events.migrations.lint.knowledge.known import Known

__all__ = ["publication_altered", "publication_created", "tables_named"]

K = TypeVar("K", bound="Known")
_CHANGING = {"update", "delete"}
_IN_SCHEMA = "PUBLICATIONOBJ_TABLES_IN_SCHEMA"


def publication_created(known: K, node: Any) -> K:
    """Return what is known after a ``CreatePublicationStmt``."""
    publication = Publication(
        name=node.pubname,
        tables=frozenset(tables_named(known, node)),
        schemas=frozenset(_schemas(node)),
        every=node.for_all_tables,
    )
    return known.with_publication(_with_options(publication, node.options))


def publication_altered(known: K, node: Any) -> K:
    """Return what is known after an ``AlterPublicationStmt``; nothing of a publication that no file has made."""
    publication = known.publications.get(node.pubname)
    if publication is None:
        return known
    tables, schemas = frozenset(tables_named(known, node)), frozenset(_schemas(node))
    match enum_name(node, "action"):
        case "AP_AddObjects":
            tables, schemas = publication.tables | tables, publication.schemas | schemas
        case "AP_DropObjects":
            tables, schemas = publication.tables - tables, publication.schemas - schemas
        case _:
            pass
    changed = msgspec.structs.replace(publication, tables=tables, schemas=schemas)
    return known.with_publication(_with_options(changed, node.options))


def tables_named(known: Known, node: Any) -> list[str]:
    """Return the tables that a statement on a publication names, with their heirs; partitions come with the whole."""
    found: list[str] = []
    for each in node.pubobjects:
        named = each.publication_obj_spec.pubtable
        if named.HasField("relation"):
            table = relation_name(named.relation)
            is_whole = named.relation.inh and known.table(table).kind is not Relation.PARTITIONED
            found += (table, *(known.descendants(table) if is_whole else ()))
    return found


def _schemas(node: Any) -> Iterable[str]:
    specs = (each.publication_obj_spec for each in node.pubobjects)
    return (each.name for each in specs if enum_name(each, "pubobjtype") == _IN_SCHEMA)


def _with_options(publication: Publication, options: Any) -> Publication:
    """Return a publication that publishes what its options say; all changes, if they never say it."""
    for each in options:
        if each.def_elem.defname == "publish":
            published = {word.strip().lower() for word in each.def_elem.arg.string.sval.split(",")}
            return msgspec.structs.replace(publication, changes=not published.isdisjoint(_CHANGING))
    return publication
