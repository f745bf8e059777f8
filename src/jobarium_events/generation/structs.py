"""``msgspec.Struct`` classes: a value of one is valid, and a type checker knows its fields."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from jobarium_events.generation.printing import Printer
from jobarium_events.validation.shapes import Field, Record, Shape, nullable
from jobarium_events.validation.source import annotation, literal

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from jobarium_events.catalog import Entry

__all__ = ["StructPrinter"]


class StructPrinter(Printer):
    """Prints classes of the same fields and types as those that the typed engine makes at run time."""

    modules: ClassVar[Mapping[str, str]] = {
        **Printer.modules,
        **dict.fromkeys(("Meta", "Struct", "UNSET", "UnsetType", "field"), "msgspec"),
        "MaybeAbsent": "jobarium_events.envelope",
    }

    def annotation(self, shape: Shape) -> str:
        """Return the type that is exact for a shape."""
        return annotation(shape)

    def class_(self, name: str, record: Record, summary: str, outermost: Entry | None) -> str:
        """Return the class of a record, with its contract as a constant if it is a whole payload."""
        names = self.attributes(record)
        taken = names.values()
        options = ["frozen=True", "kw_only=True", "omit_defaults=True"]
        if record.closed:
            options.append("forbid_unknown_fields=True")
        constants = []
        if outermost is not None:
            contract = outermost.contract
            identity = repr((contract.event, contract.version, outermost.digest))
            constants.append(self.line("__contract__", "ClassVar", identity, taken))
        if record.tag is not None:
            tag, value = record.tag[0], literal(record.tag[1])
            options += [f"tag_field={literal(tag)}", f"tag={value}"]
            constants.append(self.line(names[tag], f"ClassVar[Literal[{value}]]", value, taken))
        fields = [self._field(each, names[each.name], taken) for each in record.fields]
        return f"{self.head(name, 'Struct', *options)}\n{self.body(record, names, summary, constants, fields)}"

    def _field(self, field: Field, name: str, taken: Collection[str]) -> str:
        kind, default = self.annotation(field.shape), None
        if not field.required:
            # A field that may be null is absent in another way than by being None.
            may_be_null = nullable(field.shape)
            kind = f"{kind} | UnsetType" if may_be_null else f"MaybeAbsent[{kind}]"
            default = "UNSET" if may_be_null else "None"
        value = default
        if name != field.name:
            value = f"field({f'default={default}, ' if default else ''}name={literal(field.name)})"
        return self.line(name, kind, value, taken)
