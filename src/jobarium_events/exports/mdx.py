"""Pages of MDX, in which every text of a catalog is only text: Markdown, JSX, expressions and imports are escaped."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from jobarium_events.exports.printing import as_json, as_yaml

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["code", "escaped", "page"]

_PUNCTUATION = re.compile(r"[\\`*_{}\[\]<>#+|~&$:!=^-]")
# What begins a statement or a list at the start of a line; a letter or a digit takes no backslash.
_OPENING = re.compile(r"(?:import|export)\b|[0-9]+[.)]")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
# EventCatalog looks for links in what is left after the escapes are undone.
_LINK, _NOT_A_LINK = "[[", "[\u2060["


def escaped(text: str) -> str:
    """Return a text as one line that says it and nothing else, wherever a paragraph or a list item may stand."""
    line = " ".join(_CONTROL.sub("", text).split())
    while _LINK in line:
        line = line.replace(_LINK, _NOT_A_LINK)
    opening = _OPENING.match(line)
    line = _PUNCTUATION.sub(lambda found: f"\\{found[0]}", line)
    return f"&#{ord(line[0])};{line[1:]}" if opening else line


def code(document: Any) -> str:
    """Return a document as a block of JSON. No line of it can end the block, as none begins with a backtick."""
    return f"```json\n{as_json(document).decode()}```"


def page(front: Mapping[str, Any], blocks: Iterable[str]) -> bytes:
    """Return a page of its frontmatter and its blocks, empty ones left out."""
    body = "\n\n".join(filter(None, blocks))
    return b"---\n" + as_yaml(front) + f"---\n\n{body}\n".encode()
