"""Changes in words: what was done, and what to do instead."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from jobarium_events.evolution.changes import ChangeKind

if TYPE_CHECKING:
    from jobarium_events.errors import Violation
    from jobarium_events.evolution.differences import Difference
    from jobarium_events.evolution.meanings import MeaningChange

__all__ = ["advice", "advice_on_meanings", "described", "explanation", "reworded"]

_LONGEST = 60
_SHOWN = 3  # of what is said against a witness

_NEW_VERSION = "write a new version with `jobarium-events new-version`"
_BESIDE = f"Add an optional field beside it and deprecate this one, or {_NEW_VERSION}."
_NARROWED = f"Leave the rule as it was and let producers keep to the narrower one by themselves, or {_NEW_VERSION}."
_WIDENED = f"Leave the rule as it was and say what is new in an optional field of its own, or {_NEW_VERSION}."
_ADVICE: Mapping[ChangeKind, str] = {
    ChangeKind.FIELD_ADDED_OPTIONAL: (
        f"Consumers refuse a field here that they do not know or know otherwise; {_NEW_VERSION}."
    ),
    ChangeKind.FIELD_ADDED_REQUIRED: f"Make the field optional, or {_NEW_VERSION}.",
    ChangeKind.FIELD_REMOVED: f"Keep the field as it was, or {_NEW_VERSION}.",
    ChangeKind.FIELD_REMOVED_REQUIRED: f"Keep the field and go on filling it, or {_NEW_VERSION}.",
    ChangeKind.BECAME_REQUIRED: f"Leave the field optional and let producers always fill it, or {_NEW_VERSION}.",
    ChangeKind.BECAME_OPTIONAL: f"Leave the field required and go on filling it, or {_NEW_VERSION}.",
    ChangeKind.ENUM_WIDENED: (
        f"Old consumers refuse a value that they do not know; {_NEW_VERSION}, and list values that may grow in number "
        "under x-extensible-enum."
    ),
    ChangeKind.ENUM_NARROWED: f"Keep the value and let producers no longer emit it, or {_NEW_VERSION}.",
    ChangeKind.ENUM_CLOSED: f"Leave the list extensible, or {_NEW_VERSION}.",
    ChangeKind.ENUM_OPENED: f"Old consumers still refuse values beyond the list; {_NEW_VERSION}.",
    ChangeKind.MAP_CLOSED: (
        f"Leave the object as open as it was and let producers keep to fewer fields by themselves, or {_NEW_VERSION}."
    ),
    ChangeKind.MAP_OPENED: f"Name the new fields as optional ones in place of opening the object, or {_NEW_VERSION}.",
    ChangeKind.KEY_TEMPLATE_CHANGED: (
        f"Leave the key as it was: a retry or a replay must have the key that the event had. Or {_NEW_VERSION}."
    ),
    ChangeKind.ORDERING_CHANGED: f"Leave the ordering as it was, or {_NEW_VERSION}.",
    ChangeKind.MEANING_CHANGED: "Add a field for the new meaning, or have a decision name this one.",
}
_FIELDS = {
    ChangeKind.FIELD_ADDED_OPTIONAL: "is new, and optional",
    ChangeKind.FIELD_ADDED_REQUIRED: "is new, and required",
    ChangeKind.FIELD_REMOVED: "is gone; it was optional",
    ChangeKind.FIELD_REMOVED_REQUIRED: "is gone; it was required",
    ChangeKind.BECAME_REQUIRED: "was optional and is required",
    ChangeKind.BECAME_OPTIONAL: "was required and is optional",
}


def advice(kind: ChangeKind) -> str:
    """Return what to do instead of a change that breaks a reader, in one sentence."""
    if kind in _ADVICE:
        return _ADVICE[kind]
    if kind.endswith(("-narrowed", "-added")):
        return _NARROWED
    return _WIDENED if kind.endswith(("-widened", "-removed")) else _BESIDE


def advice_on_meanings(changes: Sequence[MeaningChange]) -> str:
    """Return what to do where meanings of one subschema have changed."""
    said = advice(ChangeKind.MEANING_CHANGED)
    if not all(change.is_in_words for change in changes):
        return said
    otherwise = "if it means the same and is only said otherwise, accept the rewording with `jobarium-events reword`"
    return f"{said.removesuffix('.')}; {otherwise}."


def described(difference: Difference) -> str:
    """Return what was done, as a clause that starts with the field."""
    done = _described(difference)
    return f"under {difference.under}, {done}" if difference.under else done


def _described(difference: Difference) -> str:
    field = _field(difference.pointer)
    if difference.kind in _FIELDS:
        return f"{field} {_FIELDS[difference.kind]}"
    keyword = difference.pointer.rpartition("/")[2]
    match _shown(difference.was), _shown(difference.now):
        case ("", "") if difference.kind is ChangeKind.OTHER:
            return f"{field}: {_come_or_gone(difference, keyword)}"
        case ("", ""):
            return f"{field}: {difference.kind.replace('-', ' ')}"
        case ("", now):
            return f"{field}: {keyword} is new: {now}"
        case (was, ""):
            return f"{field}: {keyword} is gone; it was {was}"
        case (was, now):
            return f"{field}: {keyword} was {was} and is {now}"


def _come_or_gone(difference: Difference, keyword: str) -> str:
    had, has = (any(place.values(keyword)) for place in (difference.before, difference.after))
    if not (had or has):
        return "what is accepted has changed"
    return f"{keyword} has changed" if had and has else f"{keyword} is new" if has else f"{keyword} is gone"


def explanation(accepting: str, refusing: str, violations: Sequence[Violation]) -> tuple[tuple[str, str], ...]:
    """Return what each of two sides says of a witness.

    Args:
        accepting: The side that accepts it.
        refusing: The side that does not.
        violations: What that one finds.
    """
    said = "; ".join(str(violation) for violation in violations[:_SHOWN])
    more = len(violations) - _SHOWN
    return (accepting, "accepts"), (refusing, f"{said}; and {more} more" if more > 0 else said)


def reworded(changes: Sequence[MeaningChange]) -> str:
    """Return which meanings of one subschema have changed."""
    said = [f"{change.keyword} {_moved(change)}" for change in changes]
    return f"{_field(changes[0].pointer)} may mean something else: {', '.join(said)}"


def _moved(change: MeaningChange) -> str:
    if change.old is None:
        return "is new"
    return "is gone" if change.new is None else "has changed"


def _field(pointer: str) -> str:
    """Return the field that a JSON Pointer into a schema leads to, as a path of names."""
    names: list[str] = []
    tokens = iter(pointer.split("/")[1:])
    for token in tokens:
        match token:
            case "properties" | "required" | "definitions" | "$defs":
                name = next(tokens, "").replace("~1", "/").replace("~0", "~")
                names.append(f".{name}" if names else name)
            case "items" | "additionalProperties" if names:
                names.append("[]" if token == "items" else ".*")
            case _:
                continue
    return "".join(names) or "the payload"


def _shown(value: Any) -> str:
    """Return a keyword's value, shortened; nothing where there is none, or one that holds schemas."""
    if (
        value is msgspec.UNSET
        or isinstance(value, dict)
        or (isinstance(value, list) and any(isinstance(each, dict) for each in value))
    ):
        return ""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."
