"""Values that differ in what data differs in: capitals, spaces, letters beyond ASCII, empty texts, numbers below zero.

Without them, a migration that folds them together would seem to lose nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from jobarium_events.migrations.rehearsal.data.quoting import text

if TYPE_CHECKING:
    from jobarium_events.migrations.rehearsal.data.series import Series
    from jobarium_events.migrations.rehearsal.data.types import ValueType

__all__ = ["varied"]

_TEXTS = ("text", "varchar", "bpchar", "citext")
_NUMBERS = ("int2", "int4", "int8", "float4", "float8", "numeric")
_LONG = 8  # characters that a text has to have room for
_MIXED = " \u00c4\u00df\u00e9 Oslo "


def varied(kind: ValueType, found: Series) -> Series:
    """Return a series of a column that nothing is demanded of, with values of every sort among the others."""
    if kind.kind != "b" or kind.element is not None:
        return found
    if kind.base in _NUMBERS:
        return msgspec.structs.replace(found, at=lambda i: _number(found.at(i), i))
    if kind.base in _TEXTS and (kind.length is None or kind.length >= _LONG):
        return msgspec.structs.replace(found, at=lambda i: _text(found.at(i), i, kind))
    return found


def _number(value: str, i: str) -> str:
    return f"(case ({i}) % 8 when 3 then -({value}) when 5 then ({value}) - ({value}) else {value} end)"


def _text(value: str, i: str, kind: ValueType) -> str:
    mixed = f"{text(_MIXED)} || {value}"
    if kind.length is not None:
        mixed = f"left({mixed}, {kind.length})"
    cases = (
        f"when 1 then upper({value}) when 3 then initcap({value}) when 5 then {mixed} "
        f"when 7 then rpad(left({value}, 4), 6) when 9 then ''"
    )
    return f"(case ({i}) % 16 {cases} else {value} end)::{kind.sql}"
