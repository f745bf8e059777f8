"""The options in brackets that some statements have: ``(verbose, concurrently off)``."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

__all__ = ["is_on"]

_OFF = ("false", "off", "no", "0")


def is_on(options: Iterable[Any], name: str) -> bool:
    """Whether an option is among those of a statement's tree, and not turned off; the last one of a name counts."""
    found = [each.def_elem.arg for each in options if each.def_elem.defname == name]
    return bool(found) and not _is_off(found[-1])


def _is_off(arg: Any) -> bool:
    match arg.WhichOneof("node"):
        case None:
            return False
        case "integer":
            return not arg.integer.ival
        case "boolean":
            return not arg.boolean.boolval
        case _:
            return arg.string.sval.lower() in _OFF
