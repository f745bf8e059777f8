"""Since when an event has each of its fields, over all of its versions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from jobarium_events.contract import Contract
    from jobarium_events.fields import FieldRow
    from jobarium_events.site.shown import Shown

__all__ = ["Since", "since_when"]

_NEXT = "the next release"


class Since(msgspec.Struct, frozen=True, kw_only=True):
    """Since when an event has a field, without a version between that has none of that path.

    Attributes:
        there: Since which release it is there, in words.
        deprecated: Since when it is deprecated, in words; "" if it is not.
        new: Whether the version is not the first, and the one before it does not have the field.
    """

    there: str
    deprecated: str
    new: bool


def since_when(shown: Shown, versions: Sequence[tuple[Contract, Sequence[FieldRow]]]) -> Iterator[Mapping[str, Since]]:
    """Yield for each version since when the event has its fields, by their paths.

    Args:
        shown: What the site shows.
        versions: All versions of the event with their fields, the oldest first.
    """
    there: dict[str, str | None] = {}
    deprecated: dict[str, str | None] = {}
    for place, (contract, rows) in enumerate(versions):
        key = (contract.event, contract.version)
        marked = shown.lock.deprecated.get(key, {}) if shown.lock else {}
        own = _own(shown, contract, rows)
        was_there, there = there, {}
        was_deprecated, deprecated = deprecated, {}
        for row in rows:
            path = row.path
            before = [was_there[path]] if path in was_there else []
            there[path] = _first(shown, (own[path], *before))
            if row.deprecated:
                before = [was_deprecated[path]] if path in was_deprecated else []
                deprecated[path] = _first(shown, (marked.get(path), *before))
        yield {
            path: Since(
                there=_words(shown, release),
                deprecated=_deprecated(deprecated[path]) if path in deprecated else "",
                new=place > 0 and path not in was_there,
            )
            for path, release in there.items()
        }


def _own(shown: Shown, contract: Contract, rows: Sequence[FieldRow]) -> dict[str, str | None]:
    """Return since which release a version has each of its fields; None where it is bound to none."""
    key = (contract.event, contract.version)
    if shown.lock is None or key not in shown.lock.contracts:
        return {row.path: contract.introduced for row in rows}
    locked = shown.lock.fields_since(*key)
    return {row.path: locked.get(row.path, _NEXT) for row in rows}


def _first(shown: Shown, found: Sequence[str | None]) -> str | None:
    """Return the first of some releases; the next one has no name yet, and None comes last."""
    order = [*shown.releases, _NEXT, *shown.planned]
    return min(found, key=lambda each: order.index(each) if each in order else len(order))


def _words(shown: Shown, release: str | None) -> str:
    if release is None:
        return "not released"
    return release if release in shown.releases or release == _NEXT else f"{release} (planned)"


def _deprecated(release: str | None) -> str:
    return "to be deprecated" if release is None else f"deprecated since {release}"
