"""SQL statements in files of their own, where each has a name."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

__all__ = ["identifier", "statements"]

_COMMENT = re.compile(r"^--(?! name: ).*\n", re.MULTILINE)
_NAME = re.compile(r"^-- name: (\w+)\n", re.MULTILINE)


@cache
def statements(package: str, file: str) -> Mapping[str, str]:
    """Return the statements of a file beside a package's modules, by the names that stand above them: ``-- name: x``.

    Within a statement, ``{table}`` stands for the identifier that a caller puts there. Comments are left out.
    """
    text = files(package).joinpath(file).read_text(encoding="utf-8")
    _, *parts = _NAME.split(_COMMENT.sub("", text))
    return {name: statement.strip() for name, statement in zip(parts[::2], parts[1::2], strict=True)}


def identifier(*names: str | None) -> str:
    """Return a table's name, in its schema if that is named, quoted as both Postgres and SQLite read it."""
    return ".".join('"' + name.replace('"', '""') + '"' for name in names if name is not None)
