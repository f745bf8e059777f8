"""What the pages say in words of their own."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jobarium_events.contract import Contract

__all__ = ["listed", "moves", "unturned"]

# The marks, embeddings, overrides and isolates of Unicode's bidirectional algorithm.
_TURNING = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def unturned(text: str) -> str:
    """Return a text with the characters that turn it around written as JSON and Python escape them.

    Raw, one that nothing ends would turn around what follows in the line, which somebody else has written.
    """
    return _TURNING.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def listed(words: Sequence[str], last: str = "and") -> str:
    """Return some words as a sentence has them: ``"a, b and c"``."""
    return f" {last} ".join(filter(None, (", ".join(words[:-1]), *words[-1:])))


def moves(contract: Contract, releases: Collection[str]) -> Iterator[str]:
    """Yield the moves of a contract over the releases, those to come included."""
    named = (
        ("introduced", contract.introduced),
        ("deprecated", contract.deprecated),
        ("retired", contract.retired),
    )
    known = [(move, release) for move, release in named if release is not None]
    for move, release in known:
        yield f"{move} in {release}" if release in releases else f"to be {move} in {release}"
    if not known:
        yield "bound to no release yet"
