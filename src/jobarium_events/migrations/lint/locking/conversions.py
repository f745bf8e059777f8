"""Changes of a column's type: which of them keep the rows as they are on disk.

Postgres writes a table anew unless the old values are also the new ones: where the types share their form, or where
a limit only grows wider (``ATColumnChangeRequiresRewrite``, and the support functions of the types).
"""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import msgspec

from jobarium_events.migrations.lint.names import type_text

if TYPE_CHECKING:
    from jobarium_events.migrations.lint.knowledge.known import Known

__all__ = ["keeps_indexes", "keeps_rows"]

_WRITTEN = re.compile(r"(?P<name>[^(\[]+?)(?:\((?P<mods>[^)]*)\))?(?P<rest> with[^\[]*)?(?P<array>\[\])?")
_NUMBERS = ("oid", "integer")
_REGISTERED = (
    "regclass regcollation regconfig regdictionary regnamespace regoper regoperator regproc regprocedure regrole "
    "regtype"
).split()
_SAME_FORM = {
    ("character varying", "text"),
    ("text", "character varying"),
    ("cidr", "inet"),
    ("bit", "bit varying"),
    ("bit varying", "bit"),
    ("xml", "text"),
    ("xml", "character varying"),
    ("text", "bpchar"),
    ("character varying", "bpchar"),
    ("integer", "oid"),
    ("oid", "integer"),
    *((one, other) for number in _NUMBERS for each in _REGISTERED for one, other in ((number, each), (each, number))),
}
"""Casts that need no function: those of ``pg_cast`` whose method is ``b``."""
_UNLIMITED = ("character", "bpchar")
"""The same type, of which the latter has no limit."""
_SAME_ORDER = {("character varying", "text"), ("text", "character varying"), ("cidr", "inet"), _UNLIMITED}
"""Those of them that the same operator class serves."""
_PRECISE = ("timestamp without time zone", "timestamp with time zone", "time without time zone", "time with time zone")
_FINEST = 6
_LIMIT = re.compile(r"\([\d,]+\)")
_INTERVAL = re.compile(r"interval(?: (?P<fields>[a-z ]+))?(?:\((?P<precision>\d+)\))?")


class _Type(msgspec.Struct, frozen=True):
    name: str
    mods: tuple[int, ...] = ()
    array: bool = False


def _read(text: str) -> _Type:
    match = _WRITTEN.fullmatch(text)
    if match is None:
        return _Type(text)
    mods = tuple(int(mod) for mod in (match["mods"] or "").split(",") if mod.lstrip("-").isdigit())
    return _Type(match["name"] + (match["rest"] or ""), mods, bool(match["array"]))


def keeps_rows(known: Known, column: str, old: str, new: str, using: Any = None) -> bool:
    """Whether a change of type leaves the rows as they are.

    Args:
        known: What is known of the domains.
        column: The column's name.
        old: Its type as Postgres shows it; empty if it is not known.
        new: Its type afterwards.
        using: The tree of the expression that makes the new values; None if there is none.
    """
    types = [old]
    if using is not None:
        casts = _casts(using, column)
        if casts is None:
            return False
        types += casts
    types.append(new)
    return all(_keeps(known, one, other) for one, other in pairwise(types))


def keeps_indexes(known: Known, old: str, new: str) -> bool:
    """Whether a change of type that leaves the rows as they are leaves indexes on the column as they are, too."""
    one, other = _read(_base(known, old)), _read(_base(known, new))
    return one.name == other.name or (one.name, other.name) in _SAME_ORDER


def _casts(using: Any, column: str) -> list[str] | None:
    """Return the types that a column is cast to, the first one first; None if something else is done to it."""
    types: list[str] = []
    node = using
    while node.WhichOneof("node") == "type_cast":
        types.insert(0, type_text(node.type_cast.type_name))
        node = node.type_cast.arg
    if node.WhichOneof("node") != "column_ref" or node.column_ref.fields[-1].string.sval != column:
        return None
    return types


def _base(known: Known, type_: str) -> str:
    domain = known.domains.get(type_)
    return domain.type if domain else type_


def _keeps(known: Known, old: str, new: str) -> bool:
    if old == new and old:
        return True
    domain = known.domains.get(new)
    if domain is not None and domain.limited:
        return False
    source = _base(known, old)
    # Of the values that a domain has, Postgres takes the type into account, but not how far that limits them.
    return _same_values(_LIMIT.sub("", source) if old in known.domains else source, _base(known, new))


def _same_values(old: str, new: str) -> bool:
    if old == new:
        return bool(old)
    if old.startswith("interval") and new.startswith("interval"):
        return _wider_interval(old, new)
    one, other = _read(old), _read(new)
    if one.array or other.array:
        return False
    if (one.name, other.name) == _UNLIMITED:
        return True
    if one.name != other.name:
        return (one.name, other.name) in _SAME_FORM and not other.mods
    if not other.mods:
        return one.name != "bpchar"
    if one.name in _PRECISE:
        return other.mods[0] >= (one.mods[0] if one.mods else _FINEST)
    if one.name in ("character varying", "bit varying"):
        return bool(one.mods) and other.mods[0] >= one.mods[0]
    if one.name == "numeric":
        return bool(one.mods) and _scale(one) == _scale(other) and other.mods[0] >= one.mods[0]
    return False


def _scale(type_: _Type) -> int:
    return type_.mods[1] if len(type_.mods) > 1 else 0


def _wider_interval(old: str, new: str) -> bool:
    one, other = _INTERVAL.fullmatch(old), _INTERVAL.fullmatch(new)
    if one is None or other is None:
        return False
    seconds = other["fields"] is None or other["fields"].endswith("second")
    return seconds and int(other["precision"] or _FINEST) >= int(one["precision"] or _FINEST)
