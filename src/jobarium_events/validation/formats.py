"""The formats that are checked, each defined once for all engines.

Four formats are checked, and msgspec's own parser of each is the definition, so that the typed engine and the
others cannot disagree. Every other ``format`` is an annotation, as JSON Schema has it by default.

What the definitions decide where RFC 3339 and RFC 4122 leave room or msgspec differs from them:

- ``uuid``: hyphens may be left out; upper case is fine; braces and ``urn:uuid:`` are not.
- ``date-time`` and ``time``: an offset is required; ``t``, ``z`` and a space for ``T`` are fine; so is an offset
  without its colon. Digits beyond microseconds are rounded. A leap second (``:60``), hour 24 and the year 0 are not
  valid: Python has no value for them.
- ``date``: the day must exist.
"""

from __future__ import annotations

from datetime import date, datetime, time
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import msgspec

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["CHECKS", "TYPES"]

TYPES: dict[str, Any] = {
    "uuid": UUID,
    "date-time": Annotated[datetime, msgspec.Meta(tz=True)],
    "date": date,
    "time": Annotated[time, msgspec.Meta(tz=True)],
}
"""The Python type of each format that is checked."""


def _check(kind: Any) -> Callable[[object], bool]:
    # Half of a surrogate pair cannot be encoded, and has a place in no format.
    convert, invalid = msgspec.convert, (msgspec.ValidationError, UnicodeEncodeError)

    def holds(value: object) -> bool:
        if not isinstance(value, str):
            return True
        try:
            convert(value, kind)
        except invalid:
            return False
        return True

    return holds


CHECKS: dict[str, Callable[[object], bool]] = {name: _check(kind) for name, kind in TYPES.items()}
"""For each format, whether a value satisfies it; values other than strings always do."""
