"""Documents of JSON that have what a check demands of their members."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import msgspec

from jobarium_events.migrations.rehearsal.data.quoting import text

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Member", "document"]

_KINDS = {
    "array": "jsonb_build_array({i}, 'n' || ({i}))",
    "boolean": "to_jsonb(({i}) % 2 = 1)",
    "null": "'null'::jsonb",
    "number": "to_jsonb({i})",
    "string": "to_jsonb('s' || ({i}))",
}
_VALUES = {"boolean": 2, "null": 1}


class Member(msgspec.Struct, frozen=True):
    """What a member has to be.

    Attributes:
        path: The keys on the way to it; empty for the document itself.
        kinds: Of which kind it is, as ``jsonb_typeof`` has it: one of these; none if it only has to be there.
        texts: One of these, each as SQL; none if it may be anything.
    """

    path: tuple[str, ...]
    kinds: tuple[str, ...] = ()
    texts: tuple[str, ...] = ()


def document(members: Iterable[Member], note: str) -> tuple[Callable[[str], str], int]:
    """Return SQL of a ``jsonb`` at a place, from SQL of the place, and how many different ones there are.

    Args:
        members: What it has to have.
        note: SQL of a text to be in it, where ``{i}`` stands for the place.
    """
    root = _Part()
    for each in members:
        part = root
        for key in each.path:
            part = part.inner.setdefault(key, _Part())
        part.demand(each)
    template = root.sql({"id": "{i}", "note": note})
    return lambda i: template.replace("{i}", i), _VALUES.get(root.kind(is_whole=True), 0)


class _Part:
    """A document, or a member of it."""

    def __init__(self) -> None:
        self.inner: dict[str, _Part] = {}
        self._kinds: tuple[str, ...] = ()
        self._texts: tuple[str, ...] = ()

    def demand(self, member: Member) -> None:
        """Have it be what is demanded, besides what was before."""
        both = tuple(each for each in member.kinds if each in self._kinds)
        self._kinds = both if self._kinds and member.kinds else member.kinds or self._kinds
        self._texts = member.texts or self._texts

    def kind(self, *, is_whole: bool = False) -> str:
        """Return of which kind it is; rather not null, which says the least."""
        if self.inner or (is_whole and not self._kinds):
            return "object"
        return next((each for each in self._kinds if each != "null"), "null" if self._kinds else "string")

    def sql(self, else_: dict[str, str] | None = None) -> str:
        """Return its SQL; `else_` are members that a whole document has besides."""
        kind = self.kind(is_whole=else_ is not None)
        if kind == "object":
            members = {**(else_ or {"id": "{i}"}), **{key: part.sql() for key, part in self.inner.items()}}
            return f"jsonb_build_object({', '.join(f'{text(key)}, {sql}' for key, sql in members.items())})"
        if self._texts:
            return f"to_jsonb((array[{', '.join(self._texts)}]::text[])[1 + (({{i}}) % {len(self._texts)})::int])"
        return _KINDS[kind]
