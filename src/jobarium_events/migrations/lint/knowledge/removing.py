"""What is known after ``drop``."""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec

from jobarium_events.migrations.files.parsing import enum_name
from jobarium_events.migrations.lint.knowledge.known import Known
from jobarium_events.migrations.lint.names import chosen_name, joined, listed_name, listed_names, schema_of, texts

__all__ = ["domain_changed", "dropped"]

K = TypeVar("K", bound=Known)


def dropped(known: K, node: Any) -> K:
    """Return what is known after a ``DropStmt``."""
    cascade = enum_name(node, "behavior") == "DROP_CASCADE"
    match enum_name(node, "remove_type"):
        case "OBJECT_TABLE" | "OBJECT_VIEW" | "OBJECT_MATVIEW" | "OBJECT_FOREIGN_TABLE":
            names = [listed_name(each) for each in node.objects]
            return known.without_tables([*names, *(reader for name in names for reader in known.readers(name))])
        case "OBJECT_INDEX":
            return known.without_indexes([listed_name(each) for each in node.objects])
        case "OBJECT_TYPE" | "OBJECT_DOMAIN":
            names = [joined(texts(each.type_name.names)) for each in node.objects]
            return known.without_types(names)
        case "OBJECT_TRIGGER":
            table, trigger = listed_names(node.objects[0])
            return _without_triggers(known, table, {trigger})
        case "OBJECT_PUBLICATION":
            return known.without_publications(map(listed_name, node.objects))
        case "OBJECT_SCHEMA" if cascade:
            schemas = {listed_name(each) for each in node.objects}
            known = known.without_tables([name for name in known.tables if schema_of(name) in schemas])
            types = [name for name in (*known.enums, *known.domains) if schema_of(name) in schemas]
            return known.without_types(types)
        case "OBJECT_FUNCTION" if cascade:
            names = [joined(texts(each.object_with_args.objname)) for each in node.objects]
            for each in tuple(known.tables.values()):
                gone = {trigger for trigger, function in each.triggers.items() if function in names}
                known = _without_triggers(known, each.name, gone) if gone else known
            return known
        case _:
            return known


def _without_triggers(known: K, table: str, gone: set[str]) -> K:
    found = known.tables.get(table)
    if found is None:
        return known
    kept = {name: function for name, function in found.triggers.items() if name not in gone}
    return known.with_table(msgspec.structs.replace(found, triggers=kept))


def _with_check(known: K, domain: str, constraint: Any) -> K:
    """Return the same with what a domain is asked for more; that it is not null is no check."""
    found = known.domains[domain]
    if not constraint.HasField("raw_expr"):
        return known
    name = constraint.conname or chosen_name(domain, (), "check", found.checks)
    return known.with_domain(msgspec.structs.replace(found, checks={**found.checks, name: constraint.raw_expr}))


def domain_changed(known: K, node: Any) -> K:
    """Return what is known after an ``AlterDomainStmt``; a limit that is taken away counts until the domain goes."""
    domain = known.domains.get(joined(texts(node.type_name)))
    if domain is None:
        return known
    if node.subtype in ("C", "O"):
        for name in known.domains_over(domain.name):
            known = known.with_domain(msgspec.structs.replace(known.domains[name], limited=True))
        return _with_check(known, domain.name, getattr(node, "def").constraint)
    if node.subtype == "T":
        default = getattr(node, "def") if node.HasField("def") else None
        return known.with_domain(msgspec.structs.replace(domain, default=default))
    return known
