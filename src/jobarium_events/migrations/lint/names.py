"""Names, types and what else the parser's trees hold, as text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any

__all__ = [
    "base_type",
    "chosen_name",
    "inner",
    "joined",
    "listed_name",
    "listed_names",
    "output_names",
    "relation_name",
    "schema_elements",
    "schema_of",
    "texts",
    "type_text",
]

_LONGEST = 63
_BEFORE_COMMON = "public."
_INTERNAL = "pg_catalog"
_TYPES = {
    "bool": "boolean",
    "bpchar": "character",
    "float4": "real",
    "float8": "double precision",
    "int": "integer",
    "int2": "smallint",
    "int4": "integer",
    "int8": "bigint",
    "time": "time without time zone",
    "timestamp": "timestamp without time zone",
    "timestamptz": "timestamp with time zone",
    "timetz": "time with time zone",
    "varbit": "bit varying",
    "varchar": "character varying",
    "serial": "integer",
    "serial2": "smallint",
    "serial4": "integer",
    "serial8": "bigint",
    "bigserial": "bigint",
    "smallserial": "smallint",
    "decimal": "numeric",
}
_FIELDS = {4: "year", 2: "month", 8: "day", 1024: "hour", 2048: "minute", 4096: "second"}
_ALL_FIELDS = 0x7FFF


def inner(node: Any) -> Any:
    """Return what a node of the tree holds; None if nothing."""
    kind = node.WhichOneof("node")
    return None if kind is None else getattr(node, kind)


def texts(nodes: Iterable[Any]) -> tuple[str, ...]:
    """Return the texts of a list of nodes."""
    return tuple([node.string.sval for node in nodes])


def joined(parts: Iterable[str]) -> str:
    """Return a name of its parts, without the schema where everything is."""
    return ".".join([part for part in parts if part]).removeprefix(_BEFORE_COMMON)


def relation_name(relation: Any) -> str:
    """Return the name of a ``RangeVar``."""
    schema: str = relation.schemaname
    return joined((schema, relation.relname)) if schema else str(relation.relname).removeprefix(_BEFORE_COMMON)


def schema_of(name: str) -> str:
    """Return the schema of a name."""
    return name.rpartition(".")[0] or _BEFORE_COMMON.removesuffix(".")


def listed_name(node: Any) -> str:
    """Return a name that is a list of texts, or the name of a type."""
    found = inner(node)
    if hasattr(found, "items") and not callable(found.items):
        return joined(texts(found.items))
    if hasattr(found, "names"):
        return joined(texts(found.names))
    return str(getattr(found, "sval", ""))


def listed_names(node: Any) -> tuple[str, str]:
    """Return the name of something on a table as that of the table, and its own: ``("audit.entry", "reader")``."""
    *table, own = texts(node.list.items)
    return joined(table), own


def base_type(definition: Any) -> str:
    """Return the type of a ``ColumnDef`` by its own name: ``"varchar"``; empty if it has none."""
    names = definition.type_name.names
    return str(names[-1].string.sval) if names else ""


def type_text(type_: Any, names: tuple[str, ...] | None = None, *, array: bool = True) -> str:
    """Return a ``TypeName`` as Postgres shows it: ``"character varying(20)"``, ``"timestamp(3) with time zone"``.

    Args:
        type_: The tree.
        names: The parts of its name, if they are known.
        array: Whether to say that it is an array.
    """
    names = texts(type_.names) if names is None else names
    if not type_.typmods and not type_.array_bounds:
        return _plain_type(names)
    return _limited_type(type_, names, array=array)


@cache
def _plain_type(names: tuple[str, ...]) -> str:
    """Return the text of a type that has no limits and is no array; there are few of them, and they come often."""
    return _limited_type(None, names, array=False)


def _limited_type(type_: Any, names: tuple[str, ...], *, array: bool) -> str:
    base = names[-1] if names[:1] == (_INTERNAL,) or len(names) == 1 else joined(names)
    known = _TYPES.get(base, base)
    brackets = "[]" if array and type_.array_bounds else ""
    if known == "interval" and type_ is not None:
        return _interval(type_) + brackets
    mods = ",".join(_mods(type_)) if type_ is not None else ""
    if known == "character" and base == "bpchar" and not mods and names[:1] != (_INTERNAL,):
        return f"bpchar{brackets}"
    if known in ("character", "bit") and not mods:
        mods = "1"
    if known == "numeric" and mods and "," not in mods:
        mods += ",0"
    if not mods:
        return known + brackets
    first, space, rest = known.partition(" ")
    return f"{first}({mods}){space}{rest}{brackets}" if first in ("time", "timestamp") else f"{known}({mods}){brackets}"


def _mods(type_: Any) -> Iterator[str]:
    for mod in type_.typmods:
        constant = mod.a_const
        yield str(constant.sval.sval if constant.HasField("sval") else constant.ival.ival)


def _interval(type_: Any) -> str:
    mods = [int(mod) for mod in _mods(type_) if mod.isdigit()]
    fields = [name for bit, name in _FIELDS.items() if mods and mods[0] != _ALL_FIELDS and mods[0] & bit]
    span = f" {fields[0]}{f' to {fields[-1]}' if len(fields) > 1 else ''}" if fields else ""
    return f"interval{span}{f'({mods[1]})' if len(mods) > 1 else ''}"


def output_names(select: Any) -> tuple[str, ...]:
    """Return the names of a query's columns; an empty one where that cannot be told."""
    targets = [node.res_target for node in select.target_list]
    return tuple(each.name or _last_part(each.val.column_ref) for each in targets)


def _last_part(column: Any) -> str:
    return column.fields[-1].string.sval if column.fields else ""


def schema_elements(statement: Any) -> Iterator[Any]:
    """Yield what a ``CreateSchemaStmt`` makes, each as a node by itself, with the schema in its name."""
    for element in statement.schema_elts:
        node = type(element)()
        node.CopyFrom(element)
        relation = getattr(inner(node), "view" if node.WhichOneof("node") == "view_stmt" else "relation", None)
        if relation is not None and not relation.schemaname:
            relation.schemaname = statement.schemaname
        yield node


def chosen_name(table: str, columns: Iterable[str], label: str, taken: Iterable[str]) -> str:
    """Return the name that Postgres gives to what has none: ``"job_employer_id_fkey"``."""
    first, second = table.rpartition(".")[2], "_".join(columns)
    number = 0
    while True:
        suffix = f"_{label}{number or ''}"
        room = _LONGEST - len(suffix) - (1 if second else 0)
        one, two = first, second
        while len(one) + len(two) > room:
            if len(one) > len(two):
                one = one[:-1]
            else:
                two = two[:-1]
        name = f"{one}{'_' if two else ''}{two}{suffix}"
        if name not in taken:
            return name
        number += 1
