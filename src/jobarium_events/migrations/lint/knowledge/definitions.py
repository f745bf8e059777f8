"""Columns, constraints and indexes as a statement defines them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any

import msgspec

from jobarium_events.migrations.files.parsing import enum_name
from jobarium_events.migrations.lint.knowledge.tables import Column, Constraint, ConstraintKind, Index
from jobarium_events.migrations.lint.names import (
    base_type,
    chosen_name,
    inner,
    joined,
    relation_name,
    texts,
    type_text,
)
from jobarium_events.migrations.lint.walking import columns_in

__all__ = [
    "INDEXED",
    "Columns",
    "collation_of",
    "column_of",
    "constraint_of",
    "constraint_of_heir",
    "constraints_of",
    "index_of",
    "is_serial",
]

_SERIALS = {"serial", "serial2", "serial4", "serial8", "smallserial", "bigserial"}
_KINDS = {
    "CONSTR_CHECK": ConstraintKind.CHECK,
    "CONSTR_NOTNULL": ConstraintKind.NOT_NULL,
    "CONSTR_PRIMARY": ConstraintKind.PRIMARY_KEY,
    "CONSTR_UNIQUE": ConstraintKind.UNIQUE,
    "CONSTR_FOREIGN": ConstraintKind.FOREIGN_KEY,
    "CONSTR_EXCLUSION": ConstraintKind.EXCLUSION,
}
_NAMED = _KINDS.keys() - {"CONSTR_NOTNULL"}
_LABELS = {
    ConstraintKind.CHECK: "check",
    ConstraintKind.NOT_NULL: "not_null",
    ConstraintKind.PRIMARY_KEY: "pkey",
    ConstraintKind.UNIQUE: "key",
    ConstraintKind.FOREIGN_KEY: "fkey",
    ConstraintKind.EXCLUSION: "excl",
}
INDEXED = (ConstraintKind.PRIMARY_KEY, ConstraintKind.UNIQUE, ConstraintKind.EXCLUSION)
"""The kinds that have an index of their name."""
_GENERATED = {"s": "stored", "v": "virtual"}
_ACTIONS = {"c": "cascade", "n": "set null", "d": "set default", "r": "restrict"}


def is_serial(definition: Any) -> bool:
    """Whether a ``ColumnDef`` says ``serial`` or the like."""
    return base_type(definition) in _SERIALS


def column_of(definition: Any) -> Column:
    """Return the column of a ``ColumnDef``."""
    type_ = definition.type_name
    names = texts(type_.names)
    serial = bool(names) and names[-1] in _SERIALS
    nullable, default, generated, identity = not serial, None, "", False
    for node in definition.constraints:
        constraint = node.constraint
        kind = enum_name(constraint, "contype")
        if kind in ("CONSTR_NOTNULL", "CONSTR_PRIMARY"):
            nullable = False
        elif kind == "CONSTR_DEFAULT":
            default = constraint.raw_expr
        elif kind == "CONSTR_GENERATED":
            generated = _GENERATED[constraint.generated_kind or "s"]
        elif kind == "CONSTR_IDENTITY":
            nullable, identity = False, True
    return Column(
        name=definition.colname,
        type=type_text(type_, names),
        nullable=nullable,
        default=default,
        generated=generated,
        identity=identity,
        serial=serial,
        collation=collation_of(definition),
    )


class Columns(Mapping[str, Column]):
    """The columns of a table by name, each worked out when it is first asked for: of most nothing ever is.

    Args:
        known: Each column, or the ``ColumnDef`` that it comes from.
    """

    __slots__ = ("_known",)

    def __init__(self, known: dict[str, Any]) -> None:
        self._known = known

    def __getitem__(self, name: str) -> Column:
        found = self._known[name]
        if not isinstance(found, Column):
            found = self._known[name] = column_of(found)
        return found

    def get(self, name: str, default: Any = None) -> Any:
        """Return a column by its name, or something else where there is none."""
        return self[name] if name in self._known else default

    def __contains__(self, name: object) -> bool:
        return name in self._known

    def __iter__(self) -> Iterator[str]:
        return iter(self._known)

    def __len__(self) -> int:
        return len(self._known)


def collation_of(definition: Any) -> str:
    """Return the collation that a ``ColumnDef`` sets; empty if it sets none."""
    return joined(texts(definition.coll_clause.collname)) if definition.HasField("coll_clause") else ""


def constraints_of(definition: Any, table: str, taken: Collection[str]) -> list[Constraint]:
    """Return the constraints within a ``ColumnDef``, but for those that Postgres older than 18 gives no name."""
    found: list[Constraint] = []
    for node in definition.constraints:
        constraint = node.constraint
        if enum_name(constraint, "contype") in _NAMED:
            names = (*taken, *[each.name for each in found]) if found else taken
            named = constraint_of(constraint, table, names, (definition.colname,))
            found += () if named is None else (named,)
    return found


def constraint_of(
    constraint: Any, table: str, taken: Collection[str], columns: tuple[str, ...] = ()
) -> Constraint | None:
    """Return the constraint that stands by itself, or in the definition of a column; None if it is no real one.

    Args:
        constraint: The tree.
        table: The table's name.
        taken: The names that its constraints have already.
        columns: The column in whose definition it stands.
    """
    kind = _KINDS.get(enum_name(constraint, "contype"))
    if kind is None:
        return None
    found = _READ.get(kind, _key_of)(constraint, columns)
    if not found.name:
        named = () if kind is ConstraintKind.PRIMARY_KEY else found.columns
        if kind is ConstraintKind.CHECK and len(named) != 1:
            named = ()
        return msgspec.structs.replace(found, name=chosen_name(table, named, _LABELS[kind], taken))
    return found


def _check_of(constraint: Any, _: tuple[str, ...]) -> Constraint:
    expression = constraint.raw_expr
    columns = columns_in(expression)
    return Constraint(
        name=constraint.conname,
        kind=ConstraintKind.CHECK,
        columns=columns,
        validated=not constraint.skip_validation,
        enforced=constraint.is_enforced,
        expression=expression,
        proves=tuple(_proven(expression)),
        allowed=_listed(expression) if len(columns) == 1 else None,
    )


def _foreign_key_of(constraint: Any, columns: tuple[str, ...]) -> Constraint:
    return Constraint(
        name=constraint.conname,
        kind=ConstraintKind.FOREIGN_KEY,
        columns=columns or texts(constraint.fk_attrs),
        validated=not constraint.skip_validation,
        enforced=constraint.is_enforced,
        references=relation_name(constraint.pktable),
        referenced=texts(constraint.pk_attrs),
        on_delete=_ACTIONS.get(constraint.fk_del_action, ""),
        on_update=_ACTIONS.get(constraint.fk_upd_action, ""),
    )


def _key_of(constraint: Any, columns: tuple[str, ...]) -> Constraint:
    kind = _KINDS[enum_name(constraint, "contype")]
    if kind is ConstraintKind.EXCLUSION:
        columns = tuple(each.list.items[0].index_elem.name for each in constraint.exclusions if each.list.items)
    return Constraint(
        name=constraint.conname or constraint.indexname,
        kind=kind,
        columns=columns or texts(constraint.keys),
        validated=not constraint.skip_validation,
    )


_READ: dict[ConstraintKind, Callable[[Any, tuple[str, ...]], Constraint]] = {
    ConstraintKind.CHECK: _check_of,
    ConstraintKind.FOREIGN_KEY: _foreign_key_of,
}


def _proven(expression: Any) -> Iterator[str]:
    """Yield the columns that are not null where an expression is true."""
    found = inner(expression)
    name = type(found).__name__
    if name == "NullTest" and enum_name(found, "nulltesttype") == "IS_NOT_NULL":
        fields = found.arg.column_ref.fields
        if fields:
            yield fields[-1].string.sval
    elif name == "BoolExpr" and enum_name(found, "boolop") == "AND_EXPR":
        for each in found.args:
            yield from _proven(each)


def _listed(expression: Any) -> tuple[str, ...] | None:
    """Return the values that a check lists for its one column: ``x in (...)``, ``x = any (array[...])``, ``x = 1``."""
    found = inner(expression)
    name = type(found).__name__
    if name == "BoolExpr" and enum_name(found, "boolop") == "OR_EXPR":
        parts = [_listed(each) for each in found.args if not _is_null_test(each)]
        return None if not parts or any(part is None for part in parts) else sum((part or () for part in parts), ())
    if name != "A_Expr" or texts(found.name) != ("=",) or not _is_column(found.lexpr):
        return None
    values = []
    for each in _elements(enum_name(found, "kind"), found.rexpr):
        value = _constant(each)
        if value is None:
            return None
        values.append(value)
    return tuple(values)


def _elements(kind: str, right: Any) -> Any:
    if kind == "AEXPR_IN":
        return right.list.items
    if kind == "AEXPR_OP_ANY":
        return _uncast(right).a_array_expr.elements
    return [right]


def _uncast(node: Any) -> Any:
    while node.WhichOneof("node") == "type_cast":
        node = node.type_cast.arg
    return node


def _is_column(node: Any) -> bool:
    return bool(_uncast(node).WhichOneof("node") == "column_ref")


def _is_null_test(node: Any) -> bool:
    return bool(node.WhichOneof("node") == "null_test")


def _constant(node: Any) -> str | None:
    node = _uncast(node)
    if node.WhichOneof("node") != "a_const":
        return None
    constant = node.a_const
    match constant.WhichOneof("val"):
        case "sval":
            return str(constant.sval.sval)
        case "ival":
            return str(constant.ival.ival)
        case "fval":
            return str(constant.fval.fval)
        case "boolval":
            return str(constant.boolval.boolval).lower()
        case _:
            return None


def index_of(statement: Any, taken: Collection[str]) -> Index:
    """Return the index of an ``IndexStmt``."""
    table = relation_name(statement.relation)
    elements = [each.index_elem for each in statement.index_params]
    columns: dict[str, None] = {}
    for element in elements:
        for name in (element.name,) if element.name else columns_in(element.expr):
            columns[name] = None
    for name in columns_in(statement.where_clause) if statement.HasField("where_clause") else ():
        columns[name] = None
    named = [element.name or element.indexcolname or _called(element.expr) for element in elements]
    schema = table.rpartition(".")[0]
    name = statement.idxname or chosen_name(table, named, "idx", taken)
    return Index(
        name=joined((schema, name)),
        table=table,
        columns=tuple(columns),
        computed=statement.HasField("where_clause") or any(not element.name for element in elements),
        unique=statement.unique,
        made=statement,
    )


def _called(expression: Any) -> str:
    """Return what Postgres calls an expression in the name of an index: the function, the column, or the type."""
    found = inner(expression)
    match type(found).__name__:
        case "FuncCall":
            return texts(found.funcname)[-1]
        case "ColumnRef":
            return texts(found.fields)[-1]
        case "TypeCast":
            name = _called(found.arg)
            return texts(found.type_name.names)[-1] if name == "expr" else name
        case "CoalesceExpr":
            return "coalesce"
        case _:
            return "expr"


def constraint_of_heir(constraint: Constraint, heir: str, taken: Collection[str]) -> Constraint:
    """Return a table's constraint as its partition has it: one with an index gets a name of its own."""
    if constraint.kind not in INDEXED:
        return constraint
    columns = () if constraint.kind is ConstraintKind.PRIMARY_KEY else constraint.columns
    return msgspec.structs.replace(constraint, name=chosen_name(heir, columns, _LABELS[constraint.kind], taken))
