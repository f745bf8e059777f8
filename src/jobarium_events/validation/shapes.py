"""What a schema says of a value, in terms that a Python type can express.

`read` reads a schema into a tree of shapes and says whether the tree is *exact*, that is whether a value fits it
if and only if the schema accepts it. A tree that is not exact is wider than the schema: whatever the schema accepts
still fits, so the tree can type a payload that another engine has validated.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = [
    "AnyValue",
    "Array",
    "Boolean",
    "Field",
    "Formatted",
    "Literals",
    "Map",
    "Null",
    "Number",
    "Record",
    "Reference",
    "Shape",
    "Text",
    "Union",
    "holds_any",
    "keeps_all",
    "nullable",
    "records",
]


class AnyValue(msgspec.Struct, frozen=True):
    """Any JSON value."""


class Null(msgspec.Struct, frozen=True):
    """``null``."""


class Boolean(msgspec.Struct, frozen=True):
    """``true`` or ``false``."""


class Number(msgspec.Struct, frozen=True):
    """A number, or an integer; bounds inclusive (``ge``, ``le``) or not (``gt``, ``lt``)."""

    integer: bool
    ge: float | None = None
    gt: float | None = None
    le: float | None = None
    lt: float | None = None
    multiple_of: int | None = None


class Text(msgspec.Struct, frozen=True):
    """A string; lengths in code points, `pattern` in Python's dialect."""

    min_length: int | None = None
    max_length: int | None = None
    pattern: str | None = None


class Formatted(msgspec.Struct, frozen=True):
    """A string in one of the checked formats."""

    format: str


class Literals(msgspec.Struct, frozen=True):
    """One of some strings, integers or null."""

    values: tuple[str | int | None, ...]


class Array(msgspec.Struct, frozen=True):
    """A list of one shape."""

    item: Shape
    min_length: int | None = None
    max_length: int | None = None


class Map(msgspec.Struct, frozen=True):
    """An object with any keys and values of one shape."""

    value: Shape
    min_length: int | None = None
    max_length: int | None = None


class Field(msgspec.Struct, frozen=True):
    """A named field of a record.

    Attributes:
        name: As it is on the wire.
        shape: Of its value.
        required: Whether it must be there.
        description: From the schema; may be empty.
    """

    name: str
    shape: Shape
    required: bool
    description: str = ""


class Record(msgspec.Struct, eq=False):
    """An object with named fields.

    Attributes:
        name: A name for its class, unique within the tree.
        fields: In the schema's order; filled after creation, since a record may contain itself.
        closed: Whether other fields are refused.
        description: From the schema; may be empty.
        tag: Where the record is a branch of a tagged union, the tag's field and this branch's value of it.
    """

    name: str
    fields: list[Field] = []
    closed: bool = False
    description: str = ""
    tag: tuple[str, str] | None = None


class Reference(msgspec.Struct, frozen=True):
    """A record that is being read further out: the schema is recursive here."""

    record: Record


class Union(msgspec.Struct, frozen=True):
    """One of several shapes."""

    members: tuple[Shape, ...]
    kind: Literal["disjoint", "tagged"] = "disjoint"


Shape = AnyValue | Null | Boolean | Number | Text | Formatted | Literals | Array | Map | Record | Reference | Union


def nullable(shape: Shape) -> bool:
    """Whether null fits the shape."""
    match shape:
        case Null() | AnyValue():
            return True
        case Literals(values):
            return None in values
        case Union(members):
            return any(map(nullable, members))
        case _:
            return False


def records(shape: Shape) -> Iterator[Record]:
    """Yield each record in a shape once, those that it contains first."""
    return (each for each in _everything(shape, set()) if isinstance(each, Record))


def holds_any(shape: Shape) -> bool:
    """Whether some part of a value may be any JSON at all."""
    return any(isinstance(each, AnyValue) for each in _everything(shape, set()))


def keeps_all(shape: Shape) -> bool:
    """Whether no record in the shape admits fields that it does not name."""
    return all(each.closed for each in records(shape))


def _everything(shape: Shape, seen: set[int]) -> Iterator[Shape]:
    """Yield a shape and all in it, the innermost first, each record once."""
    if isinstance(shape, Reference):
        shape = shape.record
    if isinstance(shape, Record):
        if id(shape) in seen:
            return
        seen.add(id(shape))
    for part in _parts(shape):
        yield from _everything(part, seen)
    yield shape


def _parts(shape: Shape) -> tuple[Shape, ...]:
    match shape:
        case Array(item=inner) | Map(value=inner):
            return (inner,)
        case Record(fields=fields):
            return tuple(each.shape for each in fields)
        case Union(members):
            return members
        case _:
            return ()
