"""What gates, records and rehearsals say, in the words of the pages: one form of time, and commands in full."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path
from shlex import quote

from jobarium_events.site.shown import named

__all__ = ["UNKNOWN", "Wording", "moment_said"]

UNKNOWN = "ENVIRONMENT"
"""What stands in a command for an environment that is not known."""

_MOMENT = r"\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d)"
_MOMENTS = re.compile(rf"({_MOMENT})(?:/({_MOMENT}))?")
_COMMAND = re.compile(r"(?:jobarium-events )?db (?P<verb>[a-z-]+)(?P<rest>(?: .*)?)")
_OF_NO_ENVIRONMENT = ("lint", "new", "rehearse", "dual-write")


def moment_said(moment: datetime, timespec: str = "minutes") -> str:
    """Return a moment as the pages say it."""
    return f"{moment.astimezone(UTC).replace(tzinfo=None).isoformat(' ', timespec)} UTC"


class Wording:
    """Says things of one folder of migrations.

    Args:
        folder: The folder.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.option = f"--migrations {quote(named(folder))}"
        """What names the folder to a command that is run where the site was built."""

    def said(self, text: str, environment: str = UNKNOWN) -> str:
        """Return a text with its moments in one form, its commands in full, and no path of a machine's own.

        Args:
            text: The text; what stands between two backticks is code.
            environment: The name of the environment that it is about, for the commands; as it is typed.
        """
        if self._folder.is_absolute():
            text = text.replace(f"{self._folder}/", f"{named(self._folder)}/")
        parts = text.split("`")
        for place in range(0, len(parts), 2):
            parts[place] = _MOMENTS.sub(_moments, parts[place])
        for place in range(1, len(parts) - 1, 2):
            parts[place] = self._command(parts[place], environment)
        return "`".join(parts)

    def _command(self, code: str, environment: str) -> str:
        found = _COMMAND.fullmatch(code)
        if found is None:
            return code
        options = [] if found["verb"] in _OF_NO_ENVIRONMENT else [f"--environment {quote(environment)}"]
        options = [each for each in (*options, self.option) if each.partition(" ")[0] not in code.split()]
        return " ".join([f"jobarium-events db {found['verb']}{found['rest']}", *options])


def _moments(found: re.Match[str]) -> str:
    try:
        moments = [datetime.fromisoformat(each) for each in found.groups() if each]
        return " to ".join(moment_said(each, "seconds" if each.second else "minutes") for each in moments)
    except (ValueError, OverflowError):
        return found[0]  # somebody's own words, which only look like a moment
