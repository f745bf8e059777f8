"""What the commands on a database print of what is refused there, and by which code they end."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import typer

from jobarium_events.cli.databases import NoDatabase
from jobarium_events.cli.output import console, printable

if TYPE_CHECKING:
    from pathlib import Path

    from jobarium_events.migrations.applying.target import Target

__all__ = ["REFUSED", "stopping", "target_of", "told"]

REFUSED = 1
"""The exit code where something was refused, or was found wrong."""

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


def target_of(database: str, migrations: Path, environment: str, operator: str) -> Target:
    """Return the database that a command's options name."""
    from jobarium_events.migrations import Migrations  # noqa: PLC0415 - the extra may be missing
    from jobarium_events.migrations.applying.target import Target  # noqa: PLC0415

    return Target(database, Migrations.load(migrations), environment=environment, operator=operator)


@contextmanager
def told() -> Iterator[None]:
    """Print what is refused or has failed, and end the command by the code for it.

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
        raise NoDatabase(problem_of(error)) from None


@contextmanager
def stopping() -> Iterator[threading.Event]:
    """Lend an event that is set at a signal; at a second one the command ends at once, and Postgres with its step."""
    stop = threading.Event()

    def handle(number: int, _: object) -> None:
        if stop.is_set():
            signal.signal(number, signal.SIG_DFL)
            signal.raise_signal(number)
        stop.set()
        console(stderr=True).print("ends after this step, or this batch; once more ends it at once")

    handler: Callable[..., None] = handle
    before = {each: signal.signal(each, handler) for each in _SIGNALS}
    try:
        yield stop
    finally:
        for each, previous in before.items():
            signal.signal(each, previous)
