"""How deep a document is. Engines differ in how deep they can follow one; the library has a limit of its own.

A schema can be *endless*: by a reference around itself, or by a comparison of whole values (``uniqueItems``), it
follows a document down however deep that is. To such a schema, a document nested deeper than `DEEPEST` levels is not
valid, in every engine alike. Any other schema looks only so far into a document, and what lies below is no concern
of it. Where Python itself cannot follow a document that is not valid, its depth is all that is said of it.
"""

from __future__ import annotations

from typing import Any

__all__ = ["DEEPEST", "encodable", "too_deep"]

DEEPEST = 64
"""The levels of lists and objects that a document may have; ``[]`` has one."""


def too_deep(document: Any, limit: int = DEEPEST) -> bool:
    """Whether a document has more than `limit` levels of lists and objects within each other."""
    if type(document) is dict:
        document = document.values()
    elif type(document) is not list:
        return False
    if not limit:
        return True
    for value in document:  # noqa: SIM110 - a generator would take twice as long
        if (type(value) is dict or type(value) is list) and too_deep(value, limit - 1):
            return True
    return False


def encodable(text: str) -> bool:
    """Whether JSON can hold a text: half of a surrogate pair is no character."""
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
