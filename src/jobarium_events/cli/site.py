"""`site`: the catalog as pages that anybody can read."""

from pathlib import Path
from typing import Annotated

import typer

from jobarium_events.cli.catalogs import FolderArgument
from jobarium_events.cli.output import console, counted, printable
from jobarium_events.cli.serving import serve
from jobarium_events.cli.site_options import (
    DatabasesOption,
    EvidenceOption,
    MigrationsOption,
    TitleOption,
    named_databases,
)

__all__ = ["site"]

site = typer.Typer(no_args_is_help=True, rich_markup_mode="markdown", help="Show a catalog as a site.")


@site.command()
def build(
    folder: FolderArgument = None,
    *,
    output: Annotated[
        Path,
        typer.Option("--output", "-o", file_okay=False, metavar="DIR", help="Where the site is to stand."),
    ],
    evidence: EvidenceOption = None,
    migrations: MigrationsOption = None,
    database: DatabasesOption = None,
    title: TitleOption = None,
) -> None:
    """Build the site of a catalog: static pages, which need no server and no network.

    An earlier build in DIR is replaced, and other files beside it are left alone; a folder that holds only other files
    is refused. The same input gives the same bytes.

    Example: `jobarium-events site build -o public`

    Example: `jobarium-events site build schemas -o public --evidence counters.json --migrations migrations`
    """
    from jobarium_events.site import build_site  # noqa: PLC0415 - the extra may be missing

    databases = named_databases(database, migrations)
    built = build_site(folder, output, evidence=evidence or (), migrations=migrations, databases=databases, title=title)
    removed = f", {len(built.removed)} removed" if built.removed else ""
    text = f"{built.folder}: {counted(built.pages, 'page')} of {counted(built.events, 'event')}"
    console().print(printable(f"{text}; {counted(len(built.written), 'file')} written{removed}"), style="bold green")


site.command()(serve)
