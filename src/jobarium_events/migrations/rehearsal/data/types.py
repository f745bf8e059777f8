"""The types of columns, as a database knows them, down to the types that they are made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from jobarium_events.extras import extra
from jobarium_events.statements import statements

with extra("migrations"):
    from psycopg.rows import tuple_row

if TYPE_CHECKING:
    from psycopg import Connection

__all__ = ["Types", "ValueType", "read_types"]

Fields = Mapping[int, Sequence[tuple[str, int, int]]]

_VARIABLE = ("varchar", "bpchar", "bit", "varbit")
_MULTIRANGES = 140_000  # the version that brought them


class ValueType(msgspec.Struct, frozen=True, kw_only=True):
    """A type.

    Attributes:
        name: As SQL has it, without what is in brackets: ``"character varying"``, ``"public.mood"``.
        base: Postgres' own name of what its values are, with domains seen through: ``"varchar"``.
        modifier: The number in Postgres' catalog that says length, precision or scale; -1 if there is none.
        kind: ``b`` for a base type, ``c`` composite, ``e`` enum, ``m`` multirange, ``r`` range.
        labels: Of an enum.
        element: Of an array.
        subtype: Of a range, or the range of a multirange.
        fields: Of a composite type, each with its name.
        domain: The domain, if it is one.
        not_null: Whether a domain forbids nulls.
        checks: What domains demand, each as SQL that speaks of ``VALUE``.
    """

    name: str
    base: str
    modifier: int = -1
    kind: str = "b"
    labels: tuple[str, ...] = ()
    element: ValueType | None = None
    subtype: ValueType | None = None
    fields: tuple[tuple[str, ValueType], ...] = ()
    domain: str | None = None
    not_null: bool = False
    checks: tuple[str, ...] = ()

    @property
    def length(self) -> int | None:
        """How many characters or bits it may have, or has to have; None if it does not say."""
        if self.modifier < 0 or self.base not in _VARIABLE:
            return None
        return self.modifier - 4 if self.base in ("varchar", "bpchar") else self.modifier

    @property
    def digits(self) -> tuple[int, int] | None:
        """Precision and scale of a numeric; None if it does not say."""
        if self.modifier < 4 or self.base != "numeric":  # noqa: PLR2004 - below are no modifiers
            return None
        packed = self.modifier - 4
        scale = packed & 0x7FF
        return packed >> 16, scale - 0x800 if scale > 0x3FF else scale  # noqa: PLR2004 - 11 bits with a sign

    @property
    def sql(self) -> str:
        """As a cast has it, with its length or precision, and with domains seen through."""
        if self.digits is not None:
            return f"numeric({self.digits[0]},{self.digits[1]})"
        if self.length is not None:
            return f"{self.name}({self.length})"
        if self.base == "bpchar":  # without its length, `character` would be one of length 1
            return "bpchar"
        return self.name


class Types:
    """The types of a database, by their ids."""

    def __init__(self, rows: Mapping[int, tuple[Any, ...]], inner: Mapping[int, int], fields: Fields) -> None:
        self._rows = rows
        self._inner = inner
        self._fields = fields

    def of(self, oid: int, modifier: int = -1) -> ValueType:
        """Return a type by its id and its modifier."""
        base, kind, of, own_modifier, not_null, element, name, labels, checks = self._rows[oid]
        if kind == "d":
            inner = self.of(of, own_modifier)
            return msgspec.structs.replace(
                inner,
                domain=name,
                not_null=not_null or inner.not_null,
                checks=(*inner.checks, *checks),
            )
        return ValueType(
            name=name,
            base=base,
            modifier=modifier,
            kind=kind,
            labels=tuple(labels),
            element=self.of(element, modifier) if element else None,
            subtype=self.of(self._inner[oid]) if oid in self._inner else None,
            fields=tuple((field, self.of(*rest)) for field, *rest in self._fields.get(oid, ())),
        )


def read_types(connection: Connection[Any]) -> Types:
    """Read every type of a database."""
    sql = statements(__package__ or "", "tables.sql")
    rows: dict[int, tuple[Any, ...]] = {}
    inner: dict[int, int] = {}
    fields: dict[int, list[tuple[str, int, int]]] = {}
    with connection.cursor(row_factory=tuple_row) as cursor:
        for oid, *row, subtype in cursor.execute(sql["types"]):
            rows[oid] = tuple(row)
            if subtype:
                inner[oid] = subtype
        if connection.info.server_version >= _MULTIRANGES:
            inner.update(cursor.execute(sql["multiranges"]).fetchall())
        for oid, name, kind, modifier in cursor.execute(sql["fields"]):
            fields.setdefault(oid, []).append((name, kind, modifier))
    return Types(rows, inner, fields)
