"""Models of pydantic 2, for services that hold their payloads in pydantic anyway."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from jobarium_events.generation.code import fitted
from jobarium_events.generation.printing import Printer, tag_field
from jobarium_events.validation.shapes import Field, Record, Shape, Union, nullable
from jobarium_events.validation.source import literal

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from jobarium_events.catalog import Entry

__all__ = ["ModelPrinter"]


_PROTECTED = ("model_dump", "model_validate")  # pydantic warns of a field whose name starts like this


class ModelPrinter(Printer):
    """Prints models. They come near the schema, which the library validates by in any case."""

    modules: ClassVar[Mapping[str, str]] = {
        **Printer.modules,
        **dict.fromkeys(("AwareDatetime", "BaseModel", "ConfigDict", "Field"), "pydantic"),
    }
    formats: ClassVar[Mapping[str, str]] = {
        "uuid": "UUID",
        "date": "date",
        "time": "time",
        "date-time": "AwareDatetime",
    }

    def annotation(self, shape: Shape) -> str:
        """Return the type that comes nearest to a shape."""
        kind = super().annotation(shape)
        match shape:
            case Union((Record(tag=(tag, _)) as first, *_), kind="tagged"):
                return f"Annotated[{kind}, Field(discriminator={literal(self.attributes(first)[tag])})]"
            case _:
                return kind

    def constrained(self, kind: str, **constraints: Any) -> str:
        """Return a type with its constraints."""
        stated = ", ".join(f"{name}={literal(value)}" for name, value in constraints.items() if value is not None)
        return f"Annotated[{kind}, Field({stated})]" if stated else kind

    def attributes(self, record: Record) -> dict[str, str]:
        """Return the Python name of each field: none that every model has for something else."""
        names = super().attributes(record)
        for wire, name in names.items():
            free = f"field_{name}" if name.startswith(_PROTECTED) else name
            while _is_models(free) or (free != name and free in names.values()):
                free += "_"
            names[wire] = free
        return names

    def class_(self, name: str, record: Record, summary: str, outermost: Entry | None) -> str:  # noqa: ARG002 - see base
        """Return the class of a record."""
        names = self.attributes(record)
        options = ["frozen=True", 'regex_engine="python-re"', "allow_inf_nan=False"]
        if record.closed:
            options.append('extra="forbid"')
        if any(python != wire for wire, python in names.items()):
            options.append("populate_by_name=True")
        taken = names.values()
        config = self.expression(f"ConfigDict({', '.join(options)})", taken)
        fields = [self._field(each, names[each.name], taken) for each in [*tag_field(record), *record.fields]]
        groups = [fitted("model_config = ", config, "", level=1)], fields
        return f"{self.head(name, 'BaseModel')}\n{self.body(record, names, summary, *groups)}"

    def _field(self, field: Field, name: str, taken: Collection[str]) -> str:
        kind = self.annotation(field.shape)
        if not field.required and not nullable(field.shape):
            kind = f"{kind} | None"
        value = None if field.required else "None"
        if name != field.name:
            # Not `alias`, which would be the name of the parameter to type checkers.
            default = "" if value is None else f"default={value}, "
            wire = literal(field.name)
            value = f"Field({default}validation_alias={wire}, serialization_alias={wire})"
        return self.line(name, kind, value, taken)


def _is_models(name: str) -> bool:
    """Whether a name is one that every model has for something else."""
    from pydantic import BaseModel  # noqa: PLC0415 - slow to import, and of use to this style alone

    return hasattr(BaseModel, name)
