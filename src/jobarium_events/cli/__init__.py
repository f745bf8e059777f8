"""The command line, `jobarium-events`; it needs the extra ``cli``."""

from __future__ import annotations

import importlib.util
import signal
import sys

__all__ = ["main"]


def main() -> None:
    """Run the command line and exit."""
    if any(importlib.util.find_spec(each) is None for each in ("rich", "tomlkit", "typer")):
        sys.stderr.write('jobarium-events needs its extra: pip install "jobarium-events[cli]"\n')
        sys.exit(2)
    # End as other tools do on Ctrl-C and when the reader of a pipe goes away: at once, and without a word.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    if hasattr(signal, "SIGPIPE"):
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    from jobarium_events.cli.app import app  # noqa: PLC0415 - the extra may be missing

    app(prog_name="jobarium-events")
