"""What is said of a field, as values."""

from __future__ import annotations

from typing import Any, cast

import msgspec

__all__ = ["FieldRow", "ItemRow", "ListedValue", "Repeat"]


class ListedValue(msgspec.Struct, frozen=True):
    """A value that a schema lists.

    Attributes:
        value: The value.
        meaning: What it stands for, by ``x-enum-meanings``; None if the schema does not say.
    """

    value: Any
    meaning: str | None


class Repeat(msgspec.Struct, frozen=True):
    """A place of a recursive schema behind which all comes again.

    Attributes:
        name: The place, written as the name of a field is.
        like: The place that it is like, and so is all within it.
    """

    name: str
    like: str


class ItemRow(msgspec.Struct, frozen=True, kw_only=True):
    """What is said of a value without a name: an item of a list, a value of a map, or the payload as a whole.

    The attributes are those of a `FieldRow`.
    """

    type: str
    format: str
    meaning: str
    values: tuple[Any, ...] | None
    description: str
    unit: str | None
    pattern: str | None
    listed: tuple[ListedValue, ...]
    extensible: bool
    default: str | None
    items: ItemRow | None
    entries: ItemRow | None
    further: bool
    repeats: tuple[Repeat, ...] = ()

    @property
    def always(self) -> bool:
        """Whether it has one value and no other."""
        return _is_one(self.values, self.type)


class FieldRow(msgspec.Struct, frozen=True, kw_only=True):
    """One field.

    What is said of it for some payloads only, in a branch, a condition or a dependency, is left out where something is
    said of it for all of them.

    Attributes:
        name: Its name; within an object or a list, after the names around it: ``items[].sku``. A name that could be
            taken for several stands in quotes.
        type: Its JSON type, or several of them.
        required: Whether it must be there, where the object around it is.
        format: Its format and its limits, and those of what is in it.
        meaning: Its description, pattern, unit, possible values and default, and those of what is in it.
        values: The values that it may have, if they are listed; where it may be null too, its type says so.
        path: Where it stands in a payload, as the lock and the checks write it: ``/items/items/sku``.
        description: Its description alone, or its title where it has none; ``""`` if it has neither.
        unit: What it is measured in, by ``x-unit``.
        pattern: The regular expression that it matches.
        listed: The values that are listed, each with its meaning.
        extensible: Whether values may be added to those that are listed.
        deprecated: Whether it is marked ``"deprecated": true``.
        default: Its default, as JSON; None if the schema gives none.
        items: What is said of each of its items, if it is a list and more is said of them than their type.
        entries: Likewise of each of its values, if it is a map: an object that names none of its fields.
        further: Whether the schema has rules for it that are told nowhere here.
        repeats: The places within it behind which all comes again.
    """

    name: str
    type: str
    required: bool
    format: str
    meaning: str
    values: tuple[Any, ...] | None
    path: str
    description: str = ""
    unit: str | None = None
    pattern: str | None = None
    listed: tuple[ListedValue, ...] = ()
    extensible: bool = False
    deprecated: bool = False
    default: str | None = None
    items: ItemRow | None = None
    entries: ItemRow | None = None
    further: bool = False
    repeats: tuple[Repeat, ...] = ()

    @property
    def always(self) -> bool:
        """Whether it has one value and no other."""
        return _is_one(self.values, self.type)

    def as_json(self) -> dict[str, Any]:
        """Return the field as a JSON document."""
        return cast("dict[str, Any]", msgspec.to_builtins(self))


def _is_one(values: tuple[Any, ...] | None, type_: str) -> bool:
    return values is not None and len(values) == 1 and not type_.endswith(" or null")
