"""`db rehearse`: a migration is tried out on a scratch Postgres, and what was found is written beside it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from jobarium_events.cli.catalogs import JsonOption
from jobarium_events.cli.databases import NoDatabase
from jobarium_events.cli.db.options import MigrationArgument, MigrationsOption
from jobarium_events.cli.db.telling import folder_of
from jobarium_events.cli.interrupting import EndedBySignals
from jobarium_events.cli.output import console, print_json
from jobarium_events.errors import JobariumEventsError
from jobarium_events.writing import write_files

if TYPE_CHECKING:
    from jobarium_events.migrations import Environment, Migrations
    from jobarium_events.migrations.rehearsal.data.statistics import Statistics

__all__ = ["rehearse"]

_FOUND = 1
_INTERRUPTED = 130


class NotRehearsed(JobariumEventsError):
    """The scratch database has refused something that a rehearsal needs.

    Attributes:
        problem: What Postgres says, without a value of a row.
    """

    def __init__(self, problem: str) -> None:
        self.problem = problem

    def __str__(self) -> str:
        return f"the rehearsal could not go on, as its scratch database says: {self.problem}"


def rehearse(
    id_: MigrationArgument,
    *,
    migrations: MigrationsOption = Path("migrations"),
    url: Annotated[
        str | None,
        typer.Option(
            "--url",
            metavar="URL",
            envvar="JOBARIUM_REHEARSAL_URL",
            help="A Postgres on which a scratch database may be made. [default: an embedded one]",
        ),
    ] = None,
    dump: Annotated[
        Path | None, typer.Option("--dump", metavar="FILE", help="A dump to begin with, instead of the baseline.")
    ] = None,
    rows: Annotated[
        list[str] | None,
        typer.Option("--rows", metavar="TABLE=N", help="How many rows a table is to have; may be repeated."),
    ] = None,
    default_rows: Annotated[
        int, typer.Option("--default-rows", metavar="N", min=1, help="How many rows each other table gets.")
    ] = 100_000,
    like: Annotated[
        str | None,
        typer.Option("--like", metavar="URL", help="A database whose statistics say how many rows there are."),
    ] = None,
    statistics: Annotated[
        Path | None, typer.Option("--statistics", metavar="FILE", help="The same from a file, as JSON.")
    ] = None,
    scale: Annotated[
        float, typer.Option("--scale", metavar="SHARE", min=0.0, help="Which part of the rows that statistics say.")
    ] = 1.0,
    calm: Annotated[
        float,
        typer.Option(
            "--calm", metavar="SECONDS", min=0.0, help="How long the probes are alone before `up`, and after it."
        ),
    ] = 2.0,
    seed: Annotated[int, typer.Option("--seed", metavar="N", help="Where made-up values come from.")] = 0,
    environment: Annotated[
        str | None,
        typer.Option(
            "--environment", metavar="NAME", envvar="JOBARIUM_ENVIRONMENT", help="The one whose time-outs hold."
        ),
    ] = None,
    html: Annotated[Path | None, typer.Option("--html", metavar="FILE", help="Write the report as a page.")] = None,
    json: JsonOption = False,
) -> None:
    """Try a migration out on a scratch Postgres, while code goes on using its tables: there, back, and there again.

    What was found is written to `rehearsals/ID.json` in the folder of migrations, bound to the file as it is now; it is
    to be committed with it. The exit code is 1 if something is wrong.

    Example: `jobarium-events db rehearse 0007`

    Example: `jobarium-events db rehearse 0007 --like "$PRODUCTION_URL" --scale 0.1 --html rehearsal.html`
    """
    from jobarium_events.cli.db.rehearsed import print_rehearsal  # noqa: PLC0415 - the extra may be missing
    from jobarium_events.migrations.rehearsal import rehearsing  # noqa: PLC0415
    from jobarium_events.migrations.rehearsal.html import as_html  # noqa: PLC0415
    from jobarium_events.migrations.rehearsal.report import write_rehearsal  # noqa: PLC0415

    if not scale > 0:
        raise typer.BadParameter("--scale is a part of the rows, and more than 0: 0.1")
    counts = dict(map(_count, rows or ()))
    found = folder_of(migrations)
    done = None
    with EndedBySignals(), _told() as watch, _database_errors():
        done = rehearsing.rehearse(
            found,
            id_,
            url=url,
            dump=dump,
            rows=counts,
            statistics=_statistics(like, statistics),
            scale=scale,
            default_rows=default_rows,
            seed=seed,
            environment=_environment(found, environment),
            calm=calm,
            watch=watch,
        )
    if done is None:
        console(stderr=True).print("interrupted; the scratch database is gone, and no report was written")
        raise typer.Exit(_INTERRUPTED)
    path = write_rehearsal(migrations, done)
    if html is not None:
        write_files({html: as_html(done).encode()})
    if json:
        print_json(done.as_json())
    else:
        print_rehearsal(console(), done, path)
    if not done.green:
        raise typer.Exit(_FOUND)


def _count(text: str) -> tuple[str, int]:
    table, _, number = text.rpartition("=")
    if not table or not number.isascii() or not number.replace("_", "").isdigit():
        raise typer.BadParameter(f"{text!r} is no table and number of rows; write --rows job=2000000")
    return table, int(number)


def _environment(migrations: "Migrations", name: str | None) -> "Environment | None":
    if name is None:
        return None
    environments = migrations.settings.environments
    if environments and name not in environments:
        raise typer.BadParameter(f"migrations.toml has no environment {name!r}; it has {', '.join(environments)}")
    return environments.get(name)


def _statistics(like: str | None, file: Path | None) -> "Statistics | None":
    if like is not None and file is not None:
        raise typer.BadParameter("give --like or --statistics, not both")
    if like is None and file is None:
        return None
    from jobarium_events.migrations.rehearsal.data.statistics import Statistics, read_statistics  # noqa: PLC0415

    if file is not None:
        try:
            return Statistics.decoded(file.read_bytes())
        except ValueError as error:
            raise typer.BadParameter(f"{file} has no statistics: {error}") from None
    import psycopg  # noqa: PLC0415

    from jobarium_events.postgres.connecting import parameters, problem_of  # noqa: PLC0415

    try:
        with psycopg.connect(**parameters(like or ""), autocommit=True) as connection:
            return read_statistics(connection)
    except psycopg.Error as error:
        raise NoDatabase(f"--like: {problem_of(error)}") from None


@contextmanager
def _database_errors() -> Iterator[None]:
    import psycopg  # noqa: PLC0415 - the extra was there

    from jobarium_events.migrations.running.failures import said_by  # noqa: PLC0415

    try:
        yield
    except psycopg.Error as error:
        raise NotRehearsed(said_by(error)) from None


@contextmanager
def _told() -> Iterator[Callable[[str], None]]:
    """Yield what tells how a rehearsal goes: on a terminal only, in one line."""
    to = console(stderr=True)
    if not to.is_terminal:
        yield lambda _: None
        return
    with to.status("") as status:
        yield lambda text: status.update(Text(text))
