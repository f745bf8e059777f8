"""`db dual-write`: the SQL by which old and new code write both representations of something."""

from pathlib import Path
from typing import Annotated

import typer

from jobarium_events.cli.db.options import MigrationsOption

__all__ = ["dual_write"]


def dual_write(
    *,
    table: Annotated[str, typer.Option(metavar="NAME", help="The table's name.")],
    old: Annotated[list[str], typer.Option(metavar="COLUMN", help="The old column; once for each pair.")],
    new: Annotated[list[str], typer.Option(metavar="COLUMN", help="The column that takes its place.")],
    to_new: Annotated[list[str], typer.Option(metavar="SQL", help="The new one's value, made of the old one.")],
    to_old: Annotated[
        list[str] | None, typer.Option(metavar="SQL", help="The old one's value, made of the new one; or none at all.")
    ] = None,
    old_default: Annotated[
        list[str] | None, typer.Option(metavar="SQL", help="The old column's default, as the table has it; or null.")
    ] = None,
    new_default: Annotated[
        list[str] | None, typer.Option(metavar="SQL", help="The new column's default, as the table has it; or null.")
    ] = None,
    as_text: Annotated[
        bool, typer.Option("--as-text", help="Compare values as texts: json, for one, knows no equality.")
    ] = False,
    key: Annotated[list[str] | None, typer.Option(metavar="COLUMN", help="The table's key, for a backfill.")] = None,
    schema: Annotated[str | None, typer.Option(metavar="NAME", help="The table's schema.")] = None,
    migrations: MigrationsOption = Path("migrations"),
) -> None:
    """Print the sections of migrations by which old and new code write both representations of something.

    A trigger has the other column follow whichever is written. The first sections are for the migration that adds the
    new column; the second ones for the next, which fills it. What `down` has belongs into `up` of the one that removes
    the old column.

    A column with a default has to be told: an insert that leaves it out looks to the trigger like one that writes it.

    Example: `jobarium-events db dual-write --table job --old status --new state --to-new "upper(status)" --to-old
    "lower(state)" --key id`
    """
    from jobarium_events.migrations.backfills.dual_write import Pair  # noqa: PLC0415 - the extra may be missing
    from jobarium_events.migrations.backfills.dual_write import dual_write as made_for  # noqa: PLC0415
    from jobarium_events.migrations.files.settings import read_settings  # noqa: PLC0415

    count = len(old)
    if not count == len(new) == len(to_new):
        raise typer.BadParameter("give --old, --new and --to-new as often as each other")
    optional = {"to_old": to_old, "old_default": old_default, "new_default": new_default}
    for name, given in optional.items():
        if given and len(given) != count:
            option = f"--{name.replace('_', '-')}"
            raise typer.BadParameter(f"give {option} as often as --old, or not at all; null stands for none")
    pairs = [
        Pair(
            old=of,
            new=into,
            to_new=there,
            as_text=as_text,
            **{name: _or_none(given[place]) for name, given in optional.items() if given},
        )
        for place, (of, into, there) in enumerate(zip(old, new, to_new, strict=True))
    ]
    made = made_for(table, pairs, schema=schema, key=key or (), postgres=read_settings(migrations).postgres)
    typer.echo("-- The migration that adds what is new:\n")
    typer.echo(_sections(up=made.create, down=made.remove, verify=made.verify))
    typer.echo("\n-- The next one, which fills it:\n")
    typer.echo(_sections(backfill=made.backfill, verify=made.verify_filled))


def _or_none(expression: str) -> str | None:
    return None if expression.strip().lower() == "null" else expression


def _sections(**texts: str) -> str:
    return "\n\n".join(f"-- name: {name}\n{text}" for name, text in texts.items() if text)
