"""Documents as text: JSON, and YAML that every reader of YAML takes alike."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

__all__ = ["as_json", "as_yaml"]

# Words that YAML reads as something else than text, and what looks like a number, are no such keys.
_PLAIN_KEY = re.compile(r"(?!(?:y|n|yes|no|on|off|true|false|null)$)[A-Za-z][0-9A-Za-z_-]*", re.IGNORECASE)
# What may stand in a JSON text as it is, and not in a YAML one.
_UNPRINTABLE = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")


def as_json(document: Any) -> bytes:
    """Return a document as JSON, in UTF-8, its members in their order."""
    return json.dumps(document, ensure_ascii=False, indent=2).encode() + b"\n"


def as_yaml(document: Any) -> bytes:
    """Return a document as YAML, in UTF-8: blocks, every text in quotes."""
    return "".join(f"{line}\n" for line in _lines(document)).encode()


def _lines(value: Any) -> list[str]:
    """Return a value as lines, the first of which may stand behind ``- ``."""
    if isinstance(value, Mapping) and value:
        return [line for key, inner in value.items() for line in _member(key, inner)]
    if isinstance(value, list) and value:
        items = (_lines(inner) for inner in value)
        return [f"{'  ' if place else '- '}{line}" for lines in items for place, line in enumerate(lines)]
    return [_scalar(value)]


def _member(key: str, value: Any) -> list[str]:
    name = key if _PLAIN_KEY.fullmatch(key) else _scalar(key)
    if isinstance(value, Mapping | list) and value:
        return [f"{name}:", *(f"  {line}" for line in _lines(value))]
    return [f"{name}: {_scalar(value)}"]


def _scalar(value: Any) -> str:
    """Return text, a number, a constant or something empty; each is YAML as JSON writes it, a few letters aside."""
    text = json.dumps(value, ensure_ascii=False)
    if isinstance(value, float) and "." not in text:
        text = text.replace("e", ".0e")  # some readers take 1e+20 for text
    return _UNPRINTABLE.sub(lambda found: f"\\u{ord(found[0]):04x}", text)
