"""`db status`, `db history`, `db deployed` and `db verify`: what the record of a database says, and what is added."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from jobarium_events.cli.catalogs import JsonOption
from jobarium_events.cli.databases import DatabaseOption
from jobarium_events.cli.db.options import EnvironmentOption, MigrationsOption, OperatorOption, operator_named
from jobarium_events.cli.db.showing import in_line
from jobarium_events.cli.db.telling import REFUSED, target_of, told
from jobarium_events.cli.output import Column, console, print_json, printable, table

if TYPE_CHECKING:
    from jobarium_events.migrations import Run, Standing

__all__ = ["deployed", "history", "status", "verify"]

_FOLDER = Path("migrations")


def status(
    *,
    database: DatabaseOption,
    environment: EnvironmentOption,
    migrations: MigrationsOption = _FOLDER,
    operator: OperatorOption = None,
    json: JsonOption = False,
) -> None:
    """Show where each migration stands in a database.

    The exit code is 1 if one is half done, or if a file was changed after it ran, or is gone.

    Example: `jobarium-events db status --environment production`
    """
    target = target_of(database, migrations, environment, operator_named(operator))
    with told():
        found = target.status()
    if json:
        print_json(msgspec.to_builtins(found))
    else:
        columns = [Column("MIGRATION"), Column("STANDS"), Column("SINCE"), Column("PROBLEM", below=True)]
        rows = (
            (
                each.id,
                "begun" if each.left_by else each.stage,
                each.at.isoformat(timespec="seconds") if each.at else "",
                _told_of(each),
            )
            for each in found
        )
        table(console(), columns, rows)
    if any(each.problem or each.stage not in ("pending", "applied") for each in found):
        raise typer.Exit(REFUSED)


def history(
    *,
    database: DatabaseOption,
    environment: EnvironmentOption,
    migrations: MigrationsOption = _FOLDER,
    operator: OperatorOption = None,
    json: JsonOption = False,
) -> None:
    """Show the runs in a database: environment, range, operator, start, end and result.

    Example: `jobarium-events db history --environment production --json`
    """
    target = target_of(database, migrations, environment, operator_named(operator))
    with told():
        runs = target.history()
    if json:
        print_json(msgspec.to_builtins(runs))
        return
    columns = [
        Column("START"),
        Column("END"),
        Column("RUN"),
        Column("ENVIRONMENT"),
        Column("OPERATOR"),
        Column("GATES"),
        Column("RESULT"),
        Column("RANGE", below=True),
    ]
    rows = (
        (
            run.start.isoformat(timespec="seconds"),
            run.end.isoformat(timespec="seconds") if run.end else "",
            run.kind,
            run.environment,
            run.operator,
            "" if run.gates is None else "passed" if run.gates else "not asked",
            run.result,
            "; ".join(_done_by(run)),
        )
        for run in runs
    )
    table(console(), columns, rows)


def _told_of(standing: "Standing") -> str:
    first = f"`db backfill resume {standing.id}`, and then " if standing.is_paused else ""
    left = f"nobody is at it: {first}`{standing.left_by}` goes on" if standing.left_by else None
    problem = standing.problem and in_line(standing.problem)
    return "; ".join(filter(None, (problem, standing.note, left)))


def _done_by(run: "Run") -> list[str]:
    if run.was is not None:
        return [f"was {run.was}: {run.reason}"]
    said = (run.reason and f"no gates: {run.reason}", run.problem and in_line(run.problem))
    return [*map(str, run.range), *filter(None, (run.held and f"{run.held} held by a gate", *said))]


def deployed(
    release: Annotated[str, typer.Argument(metavar="RELEASE", help="The release that was deployed.")],
    *,
    database: DatabaseOption,
    environment: EnvironmentOption,
    migrations: MigrationsOption = _FOLDER,
    operator: OperatorOption = None,
) -> None:
    """Record that a release of the services is deployed; by that it is known since when something is out of use.

    The exit code is 1 if an expanding migration that the release reads from is not applied.

    Example: `jobarium-events db deployed 2026.12 --environment production`
    """
    target = target_of(database, migrations, environment, operator_named(operator))
    with told():
        found = target.deployed(release)
    to = console()
    to.print(f"{release} is deployed")
    if found.back_from is not None:
        to.print(
            f"the app went back from {found.back_from} to {release}: what is out of use since a release after "
            f"{release} may be in use again, and the releases after it count anew"
        )
    for each in found.missing:
        to.print(f"{each} is not applied, and this release may read what it adds: `db apply {each}`")
    if found.missing:
        raise typer.Exit(REFUSED)


def verify(
    id_: Annotated[
        str | None, typer.Argument(metavar="ID", help="Which one, by its id or its number alone. [default: all]")
    ] = None,
    *,
    database: DatabaseOption,
    environment: EnvironmentOption,
    migrations: MigrationsOption = _FOLDER,
    operator: OperatorOption = None,
    json: JsonOption = False,
) -> None:
    """Ask the queries of applied migrations again, as after a release was deployed, and record what came of it.

    Where no ID is given, those are left out of which a later migration has removed what they are about. The exit code
    is 1 if a query does not return what it must.

    Example: `jobarium-events db verify 0007 --environment production`
    """
    target = target_of(database, migrations, environment, operator_named(operator))
    with told():
        found = target.verify(id_)
    if json:
        print_json(msgspec.to_builtins(found))
    else:
        to = console()
        for each in found:
            for check in each.checks:
                to.print(printable(f"{each.migration}  {check.name}  {'ok' if check.ok else f'not: {check.problem}'}"))
            if each.outdated_by is not None:
                why = f"{each.outdated_by} has removed something of what it is about"
                to.print(f"{each.migration}  not asked: {why}; `db verify {each.migration}` asks all the same")
        if not found:
            to.print("nothing is applied")
    if not all(each.ok for each in found):
        raise typer.Exit(REFUSED)
