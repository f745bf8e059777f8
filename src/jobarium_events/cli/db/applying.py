"""`db plan`, `db apply` and `db rollback`: what would be done, doing it, and going back."""

from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from jobarium_events.cli.catalogs import JsonOption
from jobarium_events.cli.databases import DatabaseOption
from jobarium_events.cli.db.options import (
    EnvironmentOption,
    MigrationArgument,
    MigrationsOption,
    OperatorOption,
    WaitOption,
    operator_named,
)
from jobarium_events.cli.db.showing import Progress, marks, show_plan
from jobarium_events.cli.db.telling import REFUSED, stopping, target_of, told
from jobarium_events.cli.output import console, print_json, printable

__all__ = ["apply", "plan", "rollback"]

_FOLDER = Path("migrations")


_LastArgument = Annotated[
    str | None,
    typer.Argument(metavar="ID", help="The last one, by its id or its number alone. [default: as far as it may go]"),
]


def plan(
    id_: _LastArgument = None,
    *,
    database: DatabaseOption,
    environment: EnvironmentOption,
    migrations: MigrationsOption = _FOLDER,
    operator: OperatorOption = None,
    json: JsonOption = False,
) -> None:
    """Show what applying would do: the steps, their locks, and the gates, with what to do where one is closed.

    Nothing is run. The exit code is 1 if something keeps it from being applied.

    Example: `jobarium-events db plan --environment production`
    """
    target = target_of(database, migrations, environment, operator_named(operator))
    with told():
        found = target.plan(id_)
    if json:
        print_json(_document(found))
    else:
        show_plan(found)
    if not found.ok:
        raise typer.Exit(REFUSED)


def apply(
    id_: _LastArgument = None,
    *,
    database: DatabaseOption,
    environment: EnvironmentOption,
    migrations: MigrationsOption = _FOLDER,
    operator: OperatorOption = None,
    without_gates: Annotated[
        str | None,
        typer.Option(
            metavar="REASON", help="Why migrations.toml says `gates = false` now, where earlier runs had to pass them."
        ),
    ] = None,
    wait: WaitOption = "0s",  # type: ignore[assignment] # it is parsed
) -> None:
    """Apply the migrations up to one, or go on where an earlier run has ended, whichever way it did.

    Where no ID is given, it stops before the first migration with a closed gate. At SIGTERM or Ctrl-C the step or the
    batch under way is finished; at another one it is broken off, and undone.

    What would be done, without doing it, `db plan` shows.

    The exit code is 1 if something is refused, held back by a gate, or not done at the end.

    Example: `jobarium-events db apply 0007 --environment production`
    """
    target = target_of(database, migrations, environment, operator_named(operator))
    again = "db apply" if id_ is None else f"db apply {id_}"
    progress = Progress()
    if without_gates is not None and target.environment.gates:
        progress.say(
            "--without-gates changes nothing here: it counts only where migrations.toml says `gates = false`, and in "
            f"{environment} all gates are asked for"
        )
    with told(lambda: again if progress.has_begun else ""), progress, stopping(progress.say, again) as stop:
        applied = target.apply(id_, without_gates=without_gates, wait=wait, watch=progress.watch, stop=stop)
    to = console()
    for each in applied.done:
        to.print(f"{each}  applied")
    if applied.held is not None:
        to.print(f"{applied.held}  not applied, as a gate is closed:")
        marks(to, ((gate.name, gate.passed, gate.text) for gate in applied.gates), indent="  ")
    if applied.stopped is not None:
        if applied.is_paused:
            how = f"its backfill is paused; `db backfill resume {applied.stopped}`, and then `{again}`, goes on"
        else:
            how = f"stopped; nothing is lost, and `{again}` goes on from here"
        to.print(f"{applied.stopped}  not done: {how}")
    if applied.held is not None or applied.stopped is not None:
        raise typer.Exit(REFUSED)
    if not applied.done:
        to.print("nothing to apply")


def rollback(
    id_: MigrationArgument,
    *,
    database: DatabaseOption,
    environment: EnvironmentOption,
    migrations: MigrationsOption = _FOLDER,
    operator: OperatorOption = None,
    app_runs: Annotated[
        str | None,
        typer.Option(
            "--app-runs",
            metavar="RELEASE",
            help="The release that the app runs now that you have rolled it back: one before the migration's own, "
            "whose code does not count on what the migration did. The word none if no app uses this database. "
            "[default: as recorded by `db deployed`]",
        ),
    ] = None,
    wait: WaitOption = "0s",  # type: ignore[assignment] # it is parsed
) -> None:
    """Go a migration's way back: the app first, then the backfill paused, the flag off, and `down`.

    The app is yours to roll back first. Where gates are asked for, this goes on only once it is known that the app runs
    an older release than the migration's own: as `db deployed` recorded it, or as `--app-runs` says. Where there is no
    `down`, it prints what limits the harm.

    Example: `jobarium-events db rollback 0007 --environment production --app-runs 2026.11`
    """
    target = target_of(database, migrations, environment, operator_named(operator))
    progress, again = Progress(), f"db rollback {id_}"
    with told(lambda: again if progress.has_begun else ""), progress, stopping(progress.say, again) as stop:
        back = target.rollback(id_, app_runs=app_runs, wait=wait, watch=progress.watch, stop=stop)
    to = console()
    for number, said in enumerate(back.done, 1):
        to.print(printable(f"{number}. {said}"))
    if back.containment is not None:
        to.print(printable(f"{back.migration} has no way back; contain it: {back.containment}"))
        if back.frees:
            to.print(f"it is no longer in the way of rolling back {' and '.join(back.frees)}")
        raise typer.Exit(REFUSED)
    if back.is_stopped:
        to.print(f"{back.migration}  not done; `db rollback {back.migration}` goes on")
        raise typer.Exit(REFUSED)
    to.print(f"{back.migration}  rolled back")


def _document(found: Any) -> Any:
    document = msgspec.to_builtins(found, enc_hook=str)
    for each, planned in zip(document["migrations"], found.migrations, strict=True):
        each["estimated_runtime"] = str(planned.estimated_runtime)
    return {**document, "estimated_runtime": str(found.estimated_runtime), "ok": found.ok}
