"""`db new`: begins a migration."""

from pathlib import Path
from typing import Annotated

import typer

from jobarium_events.cli.db.options import MigrationsOption
from jobarium_events.cli.output import console, printable

__all__ = ["new"]


def new(
    words: Annotated[list[str], typer.Argument(metavar="WORDS...", help="What it does, for its name: job source.")],
    *,
    category: Annotated[str, typer.Option("--category", metavar="NAME", help="One of expand, migrate and contract.")],
    owner: Annotated[str, typer.Option("--owner", metavar="NAME", help="The service or person who answers for it.")],
    risk: Annotated[str | None, typer.Option("--risk", metavar="NAME", help="One of low and high.")] = None,
    release: Annotated[
        str | None,
        typer.Option("--release", metavar="NAME", help="The release that it comes with. [default: the last]"),
    ] = None,
    migrations: MigrationsOption = Path("migrations"),
) -> None:
    """Write the file of the next migration, with a header to fill in and examples to replace.

    Makes the folder and its migrations.toml where there are none. Nothing is written over.

    Example: `jobarium-events db new job source --category expand --owner job-service --risk low`
    """
    from jobarium_events.migrations.files.header import Category, Risk  # noqa: PLC0415 - the extra may be missing
    from jobarium_events.migrations.files.scaffolding import new_migration  # noqa: PLC0415

    begun = new_migration(
        migrations,
        words,
        category=Category(_one_of(category, list(Category), "--category")),
        owner=owner,
        risk=None if risk is None else Risk(_one_of(risk, list(Risk), "--risk")),
        release=release,
    )
    to = console()
    for path in (begun.settings, begun.path):
        if path is not None:
            to.print(f"wrote {printable(str(path))}")
    to.print()
    to.print("Fill in what is empty there, write its SQL, and then:")
    number = begun.id.partition("_")[0]
    to.print(f"  jobarium-events db lint {printable(str(begun.path))}")
    to.print(f"  jobarium-events db rehearse {number}")


def _one_of(given: str, known: list[str], option: str) -> str:
    if given not in known:
        raise typer.BadParameter(f"it is one of {', '.join(known)}, not {given!r}", param_hint=option)
    return given
