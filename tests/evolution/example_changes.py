"""One pair of schemas for each kind of change, and the readers whom it breaks. The docs show them as well."""

from typing import Any, NamedTuple

from jobarium_events.evolution.changes import ChangeKind
from jobarium_events.evolution.verdicts import Reader

TEXT = {"type": "string"}
WHOLE = {"type": "integer"}
NEW, OLD = (Reader.NEW,), (Reader.OLD,)
BOTH, NOBODY = (Reader.NEW, Reader.OLD), ()


class Example(NamedTuple):
    """How one kind of change looks.

    Attributes:
        old: The schema before.
        new: The schema after.
        pointer: The place by which the change is named.
        breaks: The readers whom it breaks.
    """

    old: dict[str, Any]
    new: dict[str, Any]
    pointer: str
    breaks: tuple[Reader, ...]


def payload(required: dict[str, Any] | None = None, **optional: Any) -> dict[str, Any]:
    """A payload's schema with ``id`` and some more required fields, and some optional ones."""
    fields = {"id": TEXT, **(required or {})}
    return {"type": "object", "required": list(fields), "properties": {**fields, **optional}}


def field(old: Any, new: Any, keyword: str, breaks: tuple[Reader, ...]) -> Example:
    """An example in which one keyword of the required field ``a`` changes."""
    return Example(payload({"a": old}), payload({"a": new}), f"/properties/a{keyword}", breaks)


KIND = ChangeKind
LETTERS, FEW_LETTERS, DIGITS = ({"type": "string", "pattern": f"^[{each}]+$"} for each in ("a-z", "a-f", "0-9"))
OPEN, SHUT, BOTH_VALUES = ({"type": "string", "enum": each} for each in (["open"], ["shut"], ["open", "shut"]))
EXT_OPEN, EXT_SHUT, EXT_BOTH = (
    {"type": "string", "x-extensible-enum": each["enum"]} for each in (OPEN, SHUT, BOTH_VALUES)
)
CARD, BANK, CASH = (
    {"type": "object", "required": ["kind"], "properties": {"kind": {"const": kind}}}
    for kind in ("card", "bank", "cash")
)
LIST = {"type": "array", "items": TEXT}
OPEN_MAP = {"type": "object", "properties": {"a": TEXT}}
SCORE = {"type": "number", "description": "From 0 to 100."}

EXAMPLES: dict[ChangeKind, Example] = {
    KIND.FIELD_ADDED_OPTIONAL: Example(payload(), payload(note=TEXT), "/properties/note", NOBODY),
    KIND.FIELD_ADDED_REQUIRED: Example(payload(), payload({"note": TEXT}), "/properties/note", NEW),
    KIND.FIELD_REMOVED: Example(payload(note=TEXT), payload(), "/properties/note", NOBODY),
    KIND.FIELD_REMOVED_REQUIRED: Example(payload({"note": TEXT}), payload(), "/properties/note", OLD),
    KIND.BECAME_REQUIRED: Example(payload(note=TEXT), payload({"note": TEXT}), "/required/note", NEW),
    KIND.BECAME_OPTIONAL: Example(payload({"note": TEXT}), payload(note=TEXT), "/required/note", OLD),
    KIND.TYPE_NARROWED: field({"type": "number"}, WHOLE, "/type", NEW),
    KIND.TYPE_WIDENED: field(TEXT, {"type": ["string", "null"]}, "/type", OLD),
    KIND.TYPE_CHANGED: field({**TEXT, "maxLength": 5}, WHOLE, "/type", BOTH),
    KIND.RANGE_NARROWED: field({**WHOLE, "maximum": 100}, {**WHOLE, "maximum": 10}, "/maximum", NEW),
    KIND.RANGE_WIDENED: field({**WHOLE, "minimum": 0}, WHOLE, "/minimum", OLD),
    KIND.RANGE_CHANGED: field({**WHOLE, "multipleOf": 2}, {**WHOLE, "multipleOf": 3}, "/multipleOf", BOTH),
    KIND.LENGTH_NARROWED: field({**TEXT, "maxLength": 8}, {**TEXT, "maxLength": 4}, "/maxLength", NEW),
    KIND.LENGTH_WIDENED: field({**LIST, "minItems": 1}, LIST, "/minItems", OLD),
    KIND.PATTERN_NARROWED: field(LETTERS, FEW_LETTERS, "/pattern", NEW),
    KIND.PATTERN_WIDENED: field(FEW_LETTERS, LETTERS, "/pattern", OLD),
    KIND.PATTERN_CHANGED: field(FEW_LETTERS, DIGITS, "/pattern", BOTH),
    KIND.FORMAT_ADDED: field(TEXT, {**TEXT, "format": "uuid"}, "/format", NEW),
    KIND.FORMAT_REMOVED: field({**TEXT, "format": "uuid"}, TEXT, "/format", OLD),
    KIND.FORMAT_CHANGED: field({**TEXT, "format": "date"}, {**TEXT, "format": "date-time"}, "/format", BOTH),
    KIND.ENUM_NARROWED: field(BOTH_VALUES, OPEN, "/enum", NEW),
    KIND.ENUM_WIDENED: field(OPEN, BOTH_VALUES, "/enum", OLD),
    KIND.ENUM_CHANGED: field(OPEN, SHUT, "/enum", BOTH),
    KIND.ENUM_OPENED: field(BOTH_VALUES, EXT_BOTH, "/x-extensible-enum", NOBODY),
    KIND.ENUM_CLOSED: field(EXT_BOTH, BOTH_VALUES, "/x-extensible-enum", NOBODY),
    KIND.EXTENSIBLE_ENUM_NARROWED: field(EXT_BOTH, EXT_OPEN, "/x-extensible-enum", NOBODY),
    KIND.EXTENSIBLE_ENUM_WIDENED: field(EXT_OPEN, EXT_BOTH, "/x-extensible-enum", NOBODY),
    KIND.EXTENSIBLE_ENUM_CHANGED: field(EXT_OPEN, EXT_SHUT, "/x-extensible-enum", NOBODY),
    KIND.ITEMS_NARROWED: field(LIST, {**LIST, "uniqueItems": True}, "/uniqueItems", NEW),
    KIND.ITEMS_WIDENED: field(LIST, {"type": "array"}, "/items", OLD),
    KIND.ITEMS_CHANGED: field(LIST, {**LIST, "items": [TEXT, WHOLE]}, "/items", BOTH),
    KIND.MAP_CLOSED: field(
        {"type": "object"}, {"type": "object", "additionalProperties": TEXT}, "/additionalProperties", NEW
    ),
    KIND.MAP_OPENED: field(
        {**OPEN_MAP, "additionalProperties": False},
        {**OPEN_MAP, "additionalProperties": True},
        "/additionalProperties",
        OLD,
    ),
    KIND.ALTERNATIVES_NARROWED: field({"oneOf": [CARD, BANK]}, {"oneOf": [CARD]}, "/oneOf", NEW),
    KIND.ALTERNATIVES_WIDENED: field({"oneOf": [CARD, BANK]}, {"oneOf": [BANK, CARD, CASH]}, "/oneOf", OLD),
    KIND.ALTERNATIVES_CHANGED: field({"oneOf": [CARD, BANK]}, {"oneOf": [CASH]}, "/oneOf", BOTH),
    KIND.OTHER: field({"type": "object"}, {"type": "object", "propertyNames": {"maxLength": 3}}, "/propertyNames", NEW),
    KIND.MEANING_CHANGED: field(SCORE, {**SCORE, "description": "From 0 to 1."}, "", NOBODY),
}
"""All kinds but those of the manifest: of key template and ordering."""
