"""What the commands on the site share: their options."""

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer

__all__ = ["DatabasesOption", "EvidenceOption", "MigrationsOption", "TitleOption", "named_databases"]

EvidenceOption = Annotated[
    list[Path] | None,
    typer.Option(exists=True, dir_okay=False, metavar="FILE", help="Counters of a service; may be repeated."),
]
MigrationsOption = Annotated[
    Path | None,
    typer.Option(exists=True, file_okay=False, metavar="FOLDER", help="Folder of migrations, to show them as well."),
]
DatabasesOption = Annotated[
    list[str] | None,
    typer.Option(
        "--database",
        metavar="ENVIRONMENT=URL",
        help="A database to ask, read only, how its migrations stand; may be repeated.",
    ),
]
TitleOption = Annotated[str | None, typer.Option(metavar="TEXT", help="The title of the site.")]


def named_databases(given: Iterable[str] | None, migrations: Path | None) -> list[tuple[str, str]]:
    """Return environment and URL of each database that was given.

    Raises:
        BadParameter: If one is not written ``ENVIRONMENT=URL``, an environment is given twice, or there are no
            migrations to ask for.
    """
    found: dict[str, str] = {}
    for each in given or ():
        environment, equals, url = each.partition("=")
        # What was given is not repeated: a URL may hold a password.
        if not (environment and equals and url) or "://" in environment:
            raise typer.BadParameter(
                "write it as ENVIRONMENT=URL, as in staging=postgresql://...", param_hint="--database"
            )
        if environment in found:
            raise typer.BadParameter(f"the environment {environment} is given twice", param_hint="--database")
        found[environment] = url
    if found and migrations is None:
        raise typer.BadParameter("a database is asked how migrations stand: give --migrations", param_hint="--database")
    return list(found.items())
