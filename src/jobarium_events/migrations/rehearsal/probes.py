"""What runs while a migration is rehearsed: statements of the old code and of the new.

Those on the tables that a migration touches are made from their columns; see `supplies`. A team adds its own; see
`preparing`.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import msgspec

from jobarium_events.migrations.files.parsing import parse

__all__ = ["Probe", "ProbeWhen"]

_READS = ("select_stmt",)
_MOST = 1000

Text = Annotated[str, msgspec.Meta(min_length=1, pattern=r"\S")]


class ProbeWhen(StrEnum):
    """Whose statement a probe is."""

    OLD = "old"
    """Of the code before the migration; it has to succeed before, during and after."""
    NEW = "new"
    """Of the code after it; it has to succeed from the end of ``up`` on."""
    BOTH = "both"
    """Of both; it has to succeed always."""


class Probe(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A statement that is run again and again.

    Attributes:
        name: Its name.
        sql: The statement.
        when: Whose it is.
        per_second: How often it is run.
    """

    name: Text
    sql: Text
    when: ProbeWhen = ProbeWhen.BOTH
    per_second: Annotated[float, msgspec.Meta(gt=0, le=_MOST)] = 10.0

    @property
    def writes(self) -> bool:
        """Whether it does more than read."""
        return any(statement.kind not in _READS for statement in parse(self.sql))
