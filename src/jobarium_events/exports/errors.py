"""What can go wrong in an export.

::

    JobariumEventsError
    └── ExportRefused             something of the catalog cannot be said in the other format, or is not there
"""

from __future__ import annotations

from jobarium_events.errors import JobariumEventsError

__all__ = ["ExportRefused"]


class ExportRefused(JobariumEventsError):
    """Something of the catalog cannot be exported.

    Attributes:
        subject: What it is: a contract, or a service.
        problem: Why not, and the way out.
    """

    def __init__(self, subject: str, problem: str) -> None:
        self.subject = subject
        self.problem = problem

    def __str__(self) -> str:
        return f"{self.subject} {self.problem}"
