"""`db backfill`: running a migration's backfill, pausing it, and looking how far it is."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any

import msgspec
import typer

from jobarium_events.cli.catalogs import JsonOption
from jobarium_events.cli.databases import DatabaseOption, NoDatabase
from jobarium_events.cli.db.options import (
    EnvironmentOption,
    MigrationArgument,
    MigrationsOption,
    OperatorOption,
    operator_named,
)
from jobarium_events.cli.output import console, print_json
from jobarium_events.errors import JobariumEventsError

if TYPE_CHECKING:
    from jobarium_events.migrations import Environment, Migration, Migrations
    from jobarium_events.migrations.backfills.checkpoints import Progress

__all__ = ["backfill"]

_FOUND = 1
_SIGNALS = (signal.SIGTERM, signal.SIGINT)
_PRINT_EVERY = 10.0  # seconds between two lines where there is no terminal

backfill = typer.Typer(
    help="""Move a migration's data in batches, gently, and each row exactly once.

    Example: `jobarium-events db backfill run 0007`

    Example: `jobarium-events db backfill status 0007 --json`
    """,
)


@backfill.command()
def run(
    id_: MigrationArgument,
    *,
    database: DatabaseOption,
    environment: EnvironmentOption,
    migrations: MigrationsOption = Path("migrations"),
    operator: OperatorOption = None,
) -> None:
    """Go on with a backfill from where it stands until it is complete; one that is complete stays so.

    `db apply` begins it, through the gates, and may have been stopped, paused or killed since. At SIGTERM or Ctrl-C the
    batch under way is finished; the next run goes on from there, as it does after a crash. What is recorded is that it
    is complete; `db apply` then verifies.

    The exit code is 1 if it is not complete at the end.

    Example: `jobarium-events db backfill run 0007 --environment production`
    """
    from jobarium_events.migrations.applying.stepping import text_hash  # noqa: PLC0415 - the extra may be missing
    from jobarium_events.migrations.backfills import backfilling  # noqa: PLC0415
    from jobarium_events.migrations.backfills.refusals import BackfillRefused  # noqa: PLC0415
    from jobarium_events.migrations.files.steps import steps  # noqa: PLC0415
    from jobarium_events.migrations.record.record import Direction, Event, Record, entries  # noqa: PLC0415
    from jobarium_events.migrations.record.states import Stage, State, states  # noqa: PLC0415

    loaded, migration = _read(migrations, id_)
    settings = _environment(loaded, environment)
    record = Record(environment, operator_named(operator))
    with _told(), _connected(database) as connection:
        record.check(connection)
        state = states(entries(connection)).get(migration.id) or State(id=migration.id)
        record = msgspec.structs.replace(record, run=state.number or None)
        if state.stage not in (Stage.APPLYING, Stage.APPLIED) or len(state.up) < len(steps(migration.up)):
            problem = f"it is not applied up to its backfill; `db apply {migration.id}` does that, through its gates"
            raise BackfillRefused(migration.id, problem)

    place: dict[str, Any] = {"direction": Direction.UP, "round_": state.round}
    text = text_hash([] if migration.backfill is None else [migration.backfill])

    def begun(within: Any) -> None:
        record.write(within, Event.BACKFILL_BEGAN, migration, **place, text=text)

    def finished(within: Any) -> None:
        record.write(within, Event.BACKFILLED, migration, **place)

    shown = _Shown(migration.id)
    with _told(), shown, _stopping() as stop:
        found = backfilling.run(
            lambda: _connection(database),
            migration,
            settings,
            stop=stop,
            watch=shown.watch,
            begun=begun,
            finished=finished,
        )
    _end(found)


@backfill.command()
def pause(
    id_: MigrationArgument, *, database: DatabaseOption, migrations: MigrationsOption = Path("migrations")
) -> None:
    """Keep a backfill from beginning another batch, whichever process runs it; that process then ends.

    Example: `jobarium-events db backfill pause 0007`
    """
    from jobarium_events.migrations.backfills import backfilling  # noqa: PLC0415 - the extra may be missing

    _, migration = _read(migrations, id_)
    with _told(), _connected(database) as connection:
        found = backfilling.pause(connection, migration)
    console().print(_line(found))


@backfill.command()
def resume(
    id_: MigrationArgument, *, database: DatabaseOption, migrations: MigrationsOption = Path("migrations")
) -> None:
    """Let a paused backfill be run again; it does not run it.

    The exit code is 1 if it was never begun.

    Example: `jobarium-events db backfill resume 0007`
    """
    from jobarium_events.migrations.backfills import backfilling  # noqa: PLC0415 - the extra may be missing

    _, migration = _read(migrations, id_)
    with _told(), _connected(database) as connection:
        found = backfilling.resume(connection, migration)
    _print(migration, found)
    if found is None:
        raise typer.Exit(_FOUND)
    if not found.is_complete and not found.is_running:
        console().print(f"`db backfill run {migration.id}` goes on")


@backfill.command()
def status(
    id_: MigrationArgument,
    *,
    database: DatabaseOption,
    migrations: MigrationsOption = Path("migrations"),
    json: JsonOption = False,
) -> None:
    """Show how far a backfill has come, how fast it goes, and when it will be complete if it goes on so.

    The exit code is 1 if it is neither complete nor running. Keys are not shown, as they are values of rows.

    Example: `jobarium-events db backfill status 0007`
    """
    from jobarium_events.migrations.backfills import backfilling  # noqa: PLC0415 - the extra may be missing

    _, migration = _read(migrations, id_)
    with _told(), _connected(database) as connection:
        found = backfilling.progress(connection, migration)
    if json:
        print_json({"migration": migration.id, "stands": "not begun"} if found is None else _document(found))
    else:
        _print(migration, found)
    if found is None or not (found.is_complete or found.is_running):
        raise typer.Exit(_FOUND)


class _Shown:
    """Shows how a backfill goes: a bar in a terminal, and elsewhere a line now and then."""

    def __init__(self, migration: str) -> None:
        from rich.progress import BarColumn, Progress, TextColumn  # noqa: PLC0415 - for a terminal alone

        self._to = console()
        columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[text]}", markup=False))
        self._bar = Progress(*columns, console=self._to)
        self._task = self._bar.add_task(migration, total=1.0, text="")
        self._printed = float("-inf")
        self._waited_for = ""

    def __enter__(self) -> None:
        if self._to.is_terminal:
            self._bar.start()

    def __exit__(self, *_: object) -> None:
        if self._to.is_terminal:
            self._bar.stop()

    def watch(self, found: "Progress") -> None:
        """Show how far it has come."""
        if self._to.is_terminal:
            self._bar.update(self._task, completed=found.share, text=_figures(found))
        elif not found.is_complete and (self._is_new(found.waits_for) or monotonic() - self._printed > _PRINT_EVERY):
            self._printed = monotonic()
            self._to.print(_line(found))

    def _is_new(self, waits_for: str) -> bool:
        """Whether something is waited for now that was not before; how far a replica is behind changes each time."""
        before, self._waited_for = self._waited_for, waits_for
        return bool(waits_for) and not before


def _line(found: "Progress") -> str:
    return f"{found.migration}  {found.stands}  {_figures(found)}"


def _figures(found: "Progress") -> str:
    parts = [f"{found.share:.1%}", f"{found.passed:,} rows visited, {found.rows:,} changed"]
    if found.rate is not None:
        parts.append(f"{found.rate:,.0f}/s")
    if found.eta and not found.is_paused:
        parts.append(f"{_lasting(found.eta)} left")
    if found.waits_for:
        parts.append(f"waits for {found.waits_for}")
    return "  ".join(parts)


def _lasting(seconds: float) -> str:
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"


def _print(migration: "Migration", found: "Progress | None") -> None:
    console().print(f"{migration.id}  not begun" if found is None else _line(found))


def _document(found: "Progress") -> dict[str, Any]:
    fields = {name: value for name, value in msgspec.to_builtins(found).items() if name != "last_key"}
    return {**fields, "stands": found.stands, "share": found.share, "rate": found.rate, "eta": found.eta}


def _end(found: "Progress") -> None:
    """Say how a run ended, and how to go on."""
    console().print(_line(msgspec.structs.replace(found, is_running=False)))
    if found.is_complete:
        return
    first = f"`db backfill resume {found.migration}` first, then " if found.is_paused else ""
    console().print(f"nothing is lost: {first}`db backfill run {found.migration}` goes on from here")
    raise typer.Exit(_FOUND)


def _read(folder: Path, id_: str) -> "tuple[Migrations, Migration]":
    from jobarium_events.migrations import Migrations  # noqa: PLC0415 - the extra may be missing

    loaded = Migrations.load(folder)
    return loaded, loaded[id_]


def _environment(loaded: "Migrations", name: str) -> "Environment":
    from jobarium_events.migrations import Environment  # noqa: PLC0415 - the extra was there

    known = loaded.settings.environments
    if known and name not in known:
        raise typer.BadParameter(f"migrations.toml has no environment {name!r}; it has {', '.join(known)}")
    return known.get(name, Environment())


def _connection(database: str) -> Any:
    import psycopg  # noqa: PLC0415 - the extra was there

    from jobarium_events.postgres.connecting import parameters  # noqa: PLC0415

    return psycopg.Connection.connect(**parameters(database, "jobarium-events backfill"), autocommit=True)


@contextmanager
def _connected(database: str) -> Iterator[Any]:
    """Lend a connection; what goes wrong with it is what a command prints."""
    import psycopg  # noqa: PLC0415 - the extra was there

    from jobarium_events.postgres.connecting import problem_of  # noqa: PLC0415

    try:
        with _connection(database) as connection:
            yield connection
    except psycopg.Error as error:
        raise NoDatabase(problem_of(error)) from None


@contextmanager
def _told() -> Iterator[None]:
    """Print what is refused or failed, and end the command by the code of something that was found wrong."""
    from jobarium_events.migrations.backfills.refusals import BackfillFailed, BackfillRefused  # noqa: PLC0415
    from jobarium_events.migrations.record.record import OtherEnvironment  # noqa: PLC0415

    try:
        yield
    except (BackfillFailed, BackfillRefused, OtherEnvironment) as error:
        _print_error(error)
        raise typer.Exit(_FOUND) from None


def _print_error(error: JobariumEventsError) -> None:
    to = console(stderr=True)
    to.print("Error: ", style="bold red", end="")
    to.print(str(error))


@contextmanager
def _stopping() -> Iterator[threading.Event]:
    """Lend an event that is set at a signal."""
    stop = threading.Event()
    handler: Callable[..., object] = lambda *_: stop.set()  # noqa: E731 - as short as what it does
    before = {each: signal.signal(each, handler) for each in _SIGNALS}
    try:
        yield stop
    finally:
        for each, previous in before.items():
            signal.signal(each, previous)
