"""Names of services, which are free text, as parts of paths, ids and pointers."""

from __future__ import annotations

import re
from collections import Counter
from hashlib import blake2s
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Container, Iterable

__all__ = ["plain_names"]

_PLAIN = re.compile(r"[0-9A-Za-z]+(?:[._-][0-9A-Za-z]+)*")
_WORD = re.compile("[0-9A-Za-z]+")
_LONGEST = 80


def plain_names(names: Iterable[str], taken: Iterable[str] = ()) -> dict[str, str]:
    """Return for each name one of letters, digits, ``.``, ``_`` and ``-``, no two alike even where case is ignored.

    A name is its own if it is plain already; of another, its words are left. Where two would be alike, each ends with a
    digest of what it was.

    Args:
        names: The names, each once.
        taken: Names that must not be given.
    """
    plain = {name: name if _PLAIN.fullmatch(name) else "-".join(_WORD.findall(name)) for name in names}
    count = Counter(name.casefold() for name in [*plain.values(), *taken])
    return {
        name: text if 0 < len(text) <= _LONGEST and count[text.casefold()] == 1 else _digested(name, text, count)
        for name, text in plain.items()
    }


def _digested(name: str, text: str, taken: Container[str]) -> str:
    start = text[: _LONGEST // 2].strip("._-")
    made, seed = "", name
    while not made or made.casefold() in taken:
        made = "-".join(filter(None, (start, blake2s(seed.encode(), digest_size=6).hexdigest())))
        seed += "."
    return made
