"""``TypedDict`` classes: the JSON of a payload as it is, for code that keeps payloads as dicts."""

from __future__ import annotations

import keyword
from typing import TYPE_CHECKING, ClassVar

from jobarium_events.generation.code import Expression, docstring, fitted
from jobarium_events.generation.printing import Printer, tag_field
from jobarium_events.validation.source import literal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from jobarium_events.catalog import Entry
    from jobarium_events.validation.shapes import Field, Record

__all__ = ["DictPrinter"]


class DictPrinter(Printer):
    """Prints TypedDicts; where a key cannot stand in a class's body, by calling ``TypedDict``."""

    modules: ClassVar[Mapping[str, str]] = {
        **Printer.modules,
        **dict.fromkeys(("NotRequired", "TypedDict"), "typing"),
    }

    def class_(self, name: str, record: Record, summary: str, outermost: Entry | None) -> str:  # noqa: ARG002 - see base
        """Return the class of a record."""
        fields = [*tag_field(record), *record.fields]
        keys = {each.name: each.name for each in fields}
        kinds = {each.name: self.expression(self._kind(each)) for each in fields}
        used = set[str]().union(*(kind.names() for kind in kinds.values()))
        if all(map(_is_plain, keys)) and used.isdisjoint(keys):
            lines = [self.line(each.name, self._kind(each), None) for each in fields]
            return f"{self.head(name, 'TypedDict')}\n{self.body(record, keys, summary, lines)}"
        items = ", ".join(f"{literal(key)}: {self._now(kind)}" for key, kind in kinds.items())
        call = Expression(f"{self.import_('TypedDict')}({literal(name)}, {{{items}}})", str)
        return f"{fitted(f'{name} = ', call, '')}\n{docstring(summary, record, keys, level=0)}"

    def _kind(self, field: Field) -> str:
        kind = self.annotation(field.shape)
        return kind if field.required else f"NotRequired[{kind}]"

    def _now(self, kind: Expression) -> str:
        """Return a type as it can be evaluated at once: a class that is not there yet is named in a string."""
        return str(kind) if self.pending.isdisjoint(kind.names()) else literal(str(kind))


def _is_plain(key: str) -> bool:
    return key.isidentifier() and key.isascii() and not keyword.iskeyword(key) and not key.startswith("_")
