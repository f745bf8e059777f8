"""Prints a shape as the source of ``msgspec.Struct`` classes.

The source is run, so nothing of a schema gets into it as it is: names are made of letters and digits, and texts are
printed as literals. A field may have the name of a type (``date``), and would hide it from the fields below it in the
class body. No field's name starts with an underscore, so there the type goes by an alias that does: ``_date``.
"""

from __future__ import annotations

import keyword
import unicodedata
from typing import TYPE_CHECKING, Any

from jobarium_events.validation.shapes import (
    Array,
    Boolean,
    Field,
    Formatted,
    Literals,
    Map,
    Null,
    Number,
    Record,
    Reference,
    Shape,
    Text,
    Union,
    nullable,
    records,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

__all__ = ["STRUCT_IMPORTS", "annotation", "field_names", "literal", "records", "struct_source"]

STRUCT_IMPORTS = """\
from datetime import date, datetime, time
from typing import Annotated, Any, ClassVar, Literal
from uuid import UUID

from msgspec import UNSET, Meta, Struct, UnsetType, field

from jobarium_events.envelope import MaybeAbsent
"""
"""What the printed classes may use."""

_RESERVED = ("field", "replay")
_LARGEST = 1.7976931348623157e308  # the largest double


def struct_source(shape: Shape) -> str:
    """Return the source of a class for each record in the shape, inner ones first."""
    done: set[str] = set()
    hidden: set[str] = set()
    blocks = []
    for record in records(shape):
        printer = _Annotations(_attributes(record).values())
        blocks.append(_class(record, printer, done))
        done.add(record.name)
        hidden |= printer.hidden
    # An alias of a class stands right below it, any other above all classes.
    blocks = [
        f"{block}\n\n_{name} = {name}\n" if name in hidden else block
        for name, block in zip((record.name for record in records(shape)), blocks, strict=True)
    ]
    aliases = "".join(f"_{name} = {name}\n" for name in sorted(hidden - done))
    return "\n\n".join([aliases, *blocks] if aliases else blocks)


def field_names(record: Record) -> dict[str, str]:
    """Return the Python name of each field by its name on the wire."""
    wanted = {each.name: _python_name(each.name) for each in record.fields}
    # A name that is kept as it is has the right of way.
    taken = {name for name, python in wanted.items() if name == python}
    for name, python in wanted.items():
        if name != python:
            while python in taken:
                python += "_"  # noqa: PLW2901 - until it is free
            taken.add(python)
            wanted[name] = python
    return wanted


def _python_name(name: str) -> str:
    # Python reads identifiers in this normal form, so any other would be a second name.
    text = unicodedata.normalize("NFKC", name)
    text = "".join(char if f"_{char}".isidentifier() else "_" for char in text).lstrip("_") or "field"
    text = text if text.isidentifier() else f"field_{text}"
    return f"{text}_" if keyword.iskeyword(text) or text in _RESERVED else text


def annotation(shape: Shape) -> str:
    """Return the shape as a type annotation."""
    return _Annotations(())(shape)


class _Annotations:
    """Prints annotations for a class.

    Attributes:
        hidden: The names that were needed but are taken by the class's own attributes, so that an alias was printed.
    """

    def __init__(self, taken: Collection[str]) -> None:
        self.taken = taken
        self.hidden: set[str] = set()

    def __call__(self, shape: Shape) -> str:
        match shape:
            case Number():
                return self.number(shape)
            case Text(low, high, pattern):
                return self.constrained(self.word("str"), min_length=low, max_length=high, pattern=pattern)
            case Formatted(kind):
                return self.formatted(kind)
            case Array(item, low, high):
                return self.constrained(f"{self.word('list')}[{self(item)}]", min_length=low, max_length=high)
            case Map(value, low, high):
                mapping = f"{self.word('dict')}[{self.word('str')}, {self(value)}]"
                return self.constrained(mapping, min_length=low, max_length=high)
            case Union(members):
                return " | ".join(map(self, members))
            case _:
                return self.plain(shape)

    def plain(self, shape: Shape) -> str:
        match shape:
            case Boolean():
                return self.word("bool")
            case Null() | Literals((None,)):
                return "None"
            case Literals(values):
                return f"{self.word('Literal')}[{', '.join(map(literal, values))}]"
            case Record(name) | Reference(Record(name)):
                return self.word(name)
            case _:
                return self.word("Any")

    def word(self, name: str) -> str:
        if name not in self.taken:
            return name
        self.hidden.add(name)
        return f"_{name}"

    def number(self, shape: Number) -> str:
        bounds: dict[str, Any] = {"ge": shape.ge, "gt": shape.gt, "le": shape.le, "lt": shape.lt}
        if shape.integer:
            return self.constrained(self.word("int"), **bounds, multiple_of=shape.multiple_of)
        # Where the schema sets no bound, the finite range of a double keeps NaN and infinity out: they are not JSON.
        if shape.ge is None and shape.gt is None:
            bounds["ge"] = -_LARGEST
        if shape.le is None and shape.lt is None:
            bounds["le"] = _LARGEST
        return self.constrained(self.word("float"), **bounds, multiple_of=shape.multiple_of)

    def formatted(self, kind: str) -> str:
        match kind:
            case "uuid":
                return self.word("UUID")
            case "date":
                return self.word("date")
            case "time":
                return self.constrained(self.word("time"), tz=True)
            case _:
                return self.constrained(self.word("datetime"), tz=True)

    def constrained(self, kind: str, **constraints: Any) -> str:
        stated = ", ".join(f"{name}={literal(value)}" for name, value in constraints.items() if value is not None)
        return f"{self.word('Annotated')}[{kind}, {self.word('Meta')}({stated})]" if stated else kind


def _class(record: Record, annotations: _Annotations, done: set[str]) -> str:
    options = ["frozen=True", "kw_only=True", "omit_defaults=True"]
    if record.closed:
        options.append("forbid_unknown_fields=True")
    if record.tag:
        options += [f"tag_field={literal(record.tag[0])}", f"tag={literal(record.tag[1])}"]
    head = f"class {record.name}(Struct, {', '.join(options)}):"
    body = []
    names = _attributes(record)
    if record.tag:
        name, value = record.tag
        variable = annotations.word("ClassVar")
        body.append(f"    {names[name]}: {variable}[{annotations(Literals((value,)))}] = {literal(value)}")
    body += [_field(each, names[each.name], annotations, done) for each in record.fields]
    return "\n".join([head, *(body or ["    pass"])]) + "\n"


def _attributes(record: Record) -> dict[str, str]:
    """Return the names that the class's body binds: of its fields, and of the tag, which gives way to them."""
    names = field_names(record)
    if record.tag:
        tag = _python_name(record.tag[0])
        while tag in names.values():
            tag += "_"
        names[record.tag[0]] = tag
    return names


def _field(each: Field, name: str, annotations: _Annotations, done: set[str]) -> str:
    kind = annotations(each.shape)
    default = None
    if not each.required and nullable(each.shape):
        kind, default = f"{kind} | {annotations.word('UnsetType')}", annotations.word("UNSET")
    elif not each.required:
        kind, default = f"{annotations.word('MaybeAbsent')}[{kind}]", "None"
    if any(part.name not in done for part in _references(each.shape)):
        kind = repr(kind)  # the class is not there yet
    value = default
    if name != each.name:
        value = f"field({f'default={default}, ' if default else ''}name={literal(each.name)})"
    return f"    {name}: {kind}{f' = {value}' if value else ''}"


def _references(shape: Shape) -> Iterator[Record]:
    """Yield the records that the shape refers to by name."""
    match shape:
        case Reference(record):
            yield record
        case Array(item=inner) | Map(value=inner):
            yield from _references(inner)
        case Union(members):
            for member in members:
                yield from _references(member)
        case _:
            return


def literal(value: Any) -> str:
    """Return a string, a number or None as source."""
    text = repr(value)
    if isinstance(value, str) and text.startswith("'") and '"' not in text:
        return f'"{text[1:-1]}"'
    return text
