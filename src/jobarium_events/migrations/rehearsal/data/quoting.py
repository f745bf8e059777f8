"""Values as they stand in SQL that is put together here; names are quoted by `statements.identifier`."""

from __future__ import annotations

__all__ = ["text"]


def text(value: str) -> str:
    """Return a text as a literal."""
    quoted = value.replace("'", "''")
    return "E'" + quoted.replace("\\", "\\\\") + "'" if "\\" in value else f"'{quoted}'"
