"""What keeps the library's own tables from being installed, as an error."""

from __future__ import annotations

from jobarium_events.errors import JobariumEventsError

__all__ = ["NotInstalled"]


class NotInstalled(JobariumEventsError):
    """A table that cannot be made, or is there and can be neither used nor moved.

    Attributes:
        table: The table.
        problem: What is there, and what was expected.
        way_out: What to do.
    """

    def __init__(self, table: str, problem: str, way_out: str) -> None:
        self.table = table
        self.problem = problem
        self.way_out = way_out

    def __str__(self) -> str:
        return f"{self.table} cannot be used: {self.problem}; {self.way_out}, and install again"
