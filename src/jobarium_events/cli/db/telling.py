"""What the commands on a database print of what is refused there, and by which code they end."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import typer

from jobarium_events.cli.databases import NoDatabase
from jobarium_events.cli.interrupting import BrokenOff, stopped_by_signals
from jobarium_events.cli.output import console, printable
from jobarium_events.cli.retrying import without_staminas_lines

if TYPE_CHECKING:
    from pathlib import Path

    from jobarium_events.migrations import Migrations
    from jobarium_events.migrations.applying.target import Target

__all__ = ["REFUSED", "folder_of", "stopping", "target_of", "told"]

REFUSED = 1
"""The exit code where something was refused, or was found wrong."""

_BY_SIGNAL = 128
"""What is added to a signal's number, as shells do."""


def target_of(database: str, migrations: Path, environment: str, operator: str) -> Target:
    """Return the database that a command's options name."""
    from jobarium_events.migrations.applying.target import Target  # noqa: PLC0415 - the extra may be missing

    return Target(database, folder_of(migrations), environment=environment, operator=operator)


def folder_of(path: Path) -> Migrations:
    """Return the migrations of a folder.

    Raises:
        DeclarationError: If there is none.
    """
    from jobarium_events.migrations import Migrations  # noqa: PLC0415 - the extra may be missing

    return Migrations.load(path)


@contextmanager
def told(goes_on: Callable[[], str] = str) -> Iterator[None]:
    """Print what is refused or has failed, and end the command by the code for it.

    Args:
        goes_on: Returns the command that goes on where the database is lost; empty for none.

    Raises:
        NoDatabase: If the database is out of reach, or refuses what is asked of it.
    """
    import psycopg  # noqa: PLC0415 - the extra was there

    from jobarium_events import migrations  # noqa: PLC0415
    from jobarium_events.postgres.connecting import problem_of  # noqa: PLC0415

    try:
        yield
    except (
        migrations.ApprovalRefused,
        migrations.BackfillFailed,
        migrations.BackfillRefused,
        migrations.Closed,
        migrations.FileChanged,
        migrations.Held,
        migrations.NotAdopted,
        migrations.NotApplied,
        migrations.NotInstalled,
        migrations.NotVerified,
        migrations.OtherEnvironment,
        migrations.RecordUnreadable,
        migrations.RollbackRefused,
        migrations.StepFailed,
    ) as error:
        to = console(stderr=True)
        to.print("Error: ", style="bold red", end="")
        to.print("\n".join(map(printable, str(error).split("\n"))))
        raise typer.Exit(REFUSED) from None
    except psycopg.Error as error:
        again = goes_on()
        end = f"; what is done is in its record, and `{again}` goes on from there" if again else ""
        raise NoDatabase(f"{problem_of(error)}{end}") from None


@contextmanager
def stopping(say: Callable[[str], None], again: str) -> Iterator[threading.Event]:
    """Lend an event that is set at a signal. A second one breaks off what is under way, and ends the command.

    Args:
        say: Is told what a signal does.
        again: The command that goes on.
    """
    first = (
        f"ends after this step, or this batch; `{again}` goes on from there. "
        "Once more breaks off what is under way, which is then undone"
    )
    second = (
        "broken off, and what was under way is undone; an index that is half built is dropped by the next run. "
        f"`db status` shows what is done, and `{again}` goes on from there"
    )
    try:
        with stopped_by_signals(lambda: say(first)) as stop, without_staminas_lines():
            yield stop
    except BrokenOff as broken:
        say(second)
        raise typer.Exit(_BY_SIGNAL + broken.number) from None
