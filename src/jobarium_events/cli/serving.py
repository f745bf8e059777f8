"""`site serve`: the site in a browser, built anew whenever what it is made of changes."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from time import monotonic, perf_counter
from traceback import walk_tb
from typing import TYPE_CHECKING, Annotated

import typer

from jobarium_events.cli.catalogs import FolderArgument
from jobarium_events.cli.interrupting import EndedBySignals
from jobarium_events.cli.output import console, counted, printable
from jobarium_events.cli.site_options import (
    DatabasesOption,
    EvidenceOption,
    MigrationsOption,
    TitleOption,
    named_databases,
)
from jobarium_events.errors import JobariumEventsError
from jobarium_events.extras import MissingExtra

if TYPE_CHECKING:
    from jobarium_events.site.serving import Live

__all__ = ["serve"]

_AGAIN = 5.0  # seconds after which a database that was away is asked again


def serve(
    folder: FolderArgument = None,
    *,
    evidence: EvidenceOption = None,
    migrations: MigrationsOption = None,
    database: DatabasesOption = None,
    title: TitleOption = None,
    host: Annotated[str, typer.Option(metavar="ADDRESS", help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[
        int | None,
        typer.Option(min=0, max=65_535, help="The port. [default: the first that is free from 8000 on]"),
    ] = None,
) -> None:
    """Show the site in a browser, and build it anew whenever its files change, until SIGTERM or Ctrl-C.

    An open page reloads by itself. A mistake is printed and shown above the page, which stays as it was before until
    the mistake is mended. Databases are asked each time that the site is built. One that cannot be asked is said in
    the same way; the pages do without it, and it is asked again every few seconds. Nothing is written.

    The address is that of this machine alone unless `--host` says otherwise: whoever reaches it reads the whole site.

    Example: `jobarium-events site serve`

    Example: `jobarium-events site serve schemas --migrations migrations --port 8080`
    """
    from jobarium_events.site.building import site_files  # noqa: PLC0415 - the extra may be missing
    from jobarium_events.site.serving import Live, Server, changes  # noqa: PLC0415
    from jobarium_events.site.shown import read_shown  # noqa: PLC0415

    files = evidence or []

    def build(databases: Sequence[tuple[str, str]]) -> Mapping[str, bytes]:
        shown = read_shown(folder, evidence=files, migrations=migrations, databases=databases, title=title)
        return site_files(shown)

    live = Live()
    building = _Building(build, named_databases(database, migrations))
    folders = [each for each in (folder, migrations) if each is not None]
    with EndedBySignals(), Server(live, host=host, port=port) as server:
        console().print(f"{server.url}  (Ctrl-C ends)", style="bold")
        for _ in changes(folders, files, is_due=building.is_due):
            _show(live, building)


class _Building:
    """Builds the site with those of the databases that answer.

    Args:
        build: Returns the site's files, given environment and URL of each database to ask.
        databases: All of them.

    Attributes:
        away: Why each database that is away cannot be asked, by its environment.
    """

    def __init__(
        self, build: Callable[[Sequence[tuple[str, str]]], Mapping[str, bytes]], databases: Sequence[tuple[str, str]]
    ) -> None:
        self._build = build
        self._databases = databases
        self._asked = 0.0
        self.away: dict[str, str] = {}

    def files(self) -> Mapping[str, bytes]:
        """Build it."""
        from jobarium_events.site.migrations import EnvironmentUnread  # noqa: PLC0415 - the extra may be missing

        self.away = {}
        while True:
            self._asked = monotonic()
            try:
                return self._build([each for each in self._databases if each[0] not in self.away])
            except EnvironmentUnread as error:
                self.away[error.environment] = str(error)

    def is_due(self) -> bool:
        """Whether it is time to ask a database again that was away."""
        return bool(self.away) and monotonic() - self._asked >= _AGAIN


def _show(live: "Live", building: _Building) -> None:
    start = perf_counter()
    try:
        files = building.files()
    except MissingExtra:
        raise
    except Exception as error:  # noqa: BLE001 - whatever it is, the pages stay, and the next change may mend it
        problem = _said(error)
        live.failed(problem)
        _tell(problem)
        return
    problem = "\n".join(building.away.values())
    if not live.built(files, problem or None):
        return
    if problem:
        _tell(problem)
    pages = sum(path.endswith(".html") for path in files)
    console().print(f"built: {counted(pages, 'page')}, {perf_counter() - start:.1f} s")


def _tell(problem: str) -> None:
    to = console(stderr=True)
    to.print("Error: ", style="bold red", end="")
    to.print("\n".join(map(printable, problem.split("\n"))))


def _said(error: Exception) -> str:
    if isinstance(error, OSError):
        place = f"{error.filename}: " if error.filename else ""
        return f"{place}{error.strerror or error}"
    if isinstance(error, JobariumEventsError):
        return str(error)
    # What it says may be a value of a schema's examples; where it happened is enough to report it.
    *_, frame = walk_tb(error.__traceback__)
    where = f"{Path(frame[0].f_code.co_filename).name}, line {frame[1]}"
    return f"the site could not be built: {type(error).__name__} in {where}; this is a mistake of jobarium-events"
