"""What the three styles have in common: a class for each record in the shape of each contract."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar

from jobarium_events.generation.code import Expression, assigned, docstring, fitted
from jobarium_events.validation.naming import ClassNames
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
    records,
)
from jobarium_events.validation.source import field_names, literal

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from jobarium_events.catalog import Entry
    from jobarium_events.contract import Contract

__all__ = ["Printer", "tag_field"]


class Printer(ABC):
    """Prints classes in one style, and notes which names they use.

    A field may have the name of a type, such as ``date``, and would hide it from the fields below it. There the type
    goes by an alias, ``_date``; no field has such a name.

    Attributes:
        blocks: The source of each class and type alias, by its name, in order.
        imported: What they need: module, name, and the name that it goes by.
        deferred: Whether an annotation names a class that stands further down.
    """

    modules: ClassVar[Mapping[str, str]] = {
        **dict.fromkeys(("bool", "dict", "float", "int", "list", "str"), "builtins"),
        **dict.fromkeys(("date", "datetime", "time"), "datetime"),
        **dict.fromkeys(("Annotated", "Any", "ClassVar", "Literal", "TypeAlias"), "typing"),
        "UUID": "uuid",
    }
    """Where the names that may be printed come from."""
    formats: ClassVar[Mapping[str, str]] = {}
    """The type of a string in each format that has one of its own."""

    def __init__(self, contracts: Iterable[Contract]) -> None:
        self.blocks: dict[str, str] = {}
        self.imported: set[tuple[str, str, str]] = set()
        self.deferred = False
        self._names = ClassNames(map(_outer_name, contracts))
        self._classes: dict[str, str] = {}  # of the contract being printed, by the names of its records
        self._hidden: set[str] = set()

    def annotation(self, shape: Shape) -> str:
        """Return a shape as a type, in terms of `modules` and of the records' names."""
        match shape:
            case Number(integer, ge, gt, le, lt, multiple):
                kind = "int" if integer else "float"
                return self.constrained(kind, ge=ge, gt=gt, le=le, lt=lt, multiple_of=multiple)
            case Text(low, high, pattern):
                return self.constrained("str", min_length=low, max_length=high, pattern=pattern)
            case Formatted(kind):
                return self.formats.get(kind, "str")
            case Array(item, low, high):
                return self.constrained(f"list[{self.annotation(item)}]", min_length=low, max_length=high)
            case Map(value, low, high):
                return self.constrained(f"dict[str, {self.annotation(value)}]", min_length=low, max_length=high)
            case Union(members):
                return " | ".join(map(self.annotation, members))
            case _:
                return _plain(shape)

    def constrained(self, kind: str, **_constraints: Any) -> str:
        """Return a type with constraints, as far as the style has them."""
        return kind

    @abstractmethod
    def class_(self, name: str, record: Record, summary: str, outermost: Entry | None) -> str:
        """Return the class of a record; `outermost` is its contract if it is the whole payload."""

    def add(self, entry: Entry) -> None:
        """Print the classes of one contract, or a type alias if its payload is no record."""
        contract, shape = entry.contract, entry.open.reading.shape
        found = list(records(shape))
        self._classes = {}
        for record in found:
            self._classes[record.name] = _outer_name(contract) if record is shape else self._names.new(record.name)
        for record in found:
            name = self._classes[record.name]
            summary = f"{'Payload' if record is shape else 'Part of the payload'} of {contract.name}."
            self.blocks[name] = self.class_(name, record, summary, entry if record is shape else None)
        for name in self._hidden:
            self.blocks[name] += f"\n\n\n_{name} = {name}"
        self._hidden.clear()
        if not isinstance(shape, Record):
            name = _outer_name(contract)
            alias = assigned(name, self.expression("TypeAlias"), self.expression(self.annotation(shape)), level=0)
            self.blocks[name] = f'{alias}\n"""Payload of {contract.name}."""'

    def expression(self, source: str, taken: Collection[str] = ()) -> Expression:
        """Read a type or value, with aliases for the names that a class's own attributes have taken."""

        def known(name: str) -> str:
            printed = self._classes.get(name, name)
            alias = f"_{printed}" if printed in taken else printed
            if name not in self._classes:
                return self.import_(name, alias)
            self._hidden |= {printed} if alias != printed else set()
            return alias

        return Expression(source, known)

    def line(self, name: str, kind: str, value: str | None, taken: Collection[str] = ()) -> str:
        """Return a line of a class's body, or lines if it is long: an annotated name and, if it has one, its value."""
        annotation = self.expression(kind, taken)
        self.deferred |= not self.pending.isdisjoint(annotation.names())
        return assigned(name, annotation, self.expression(value, taken) if value else None)

    @property
    def pending(self) -> set[str]:
        """The names of this contract's classes that are still to be printed."""
        return set(self._classes.values()) - self.blocks.keys()

    def import_(self, name: str, alias: str = "") -> str:
        """Note that a name is needed; return what it goes by."""
        alias = alias or name
        if self.modules[name] != "builtins" or alias != name:
            self.imported.add((self.modules[name], name, alias))
        return alias

    def head(self, name: str, base: str, *options: str) -> str:
        """Return the first line or lines of a class."""
        bases = ", ".join((self.import_(base), *options))
        return fitted("class ", Expression(f"{name}({bases})", str), ":")

    def body(self, record: Record, names: Mapping[str, str], summary: str, *groups: list[str]) -> str:
        """Return the inside of a class: its docstring and groups of lines, a blank line before each."""
        parts = [docstring(summary, record, names), *("\n".join(lines) for lines in groups if lines)]
        return "\n\n".join(parts)

    def attributes(self, record: Record) -> dict[str, str]:
        """Return the Python name of each field, and of the tag if there is one, by its name on the wire."""
        return field_names(Record(record.name, [*tag_field(record), *record.fields]))


def _plain(shape: Shape) -> str:
    match shape:
        case Boolean():
            return "bool"
        case Null() | Literals((None,)):
            return "None"
        case Literals(values):
            return f"Literal[{', '.join(map(literal, values))}]"
        case Record(name) | Reference(Record(name)):
            return name
        case _:
            return "Any"


def tag_field(record: Record) -> list[Field]:
    """Return the tag of a tagged record as a field of it; none if there is no tag."""
    return [Field(record.tag[0], Literals((record.tag[1],)), required=True)] if record.tag else []


def _outer_name(contract: Contract) -> str:
    """Return the name of a contract's class, which is `Contract.class_name` unless that is no identifier."""
    return contract.class_name if contract.class_name[:1].isalpha() else f"Value{contract.class_name}"
