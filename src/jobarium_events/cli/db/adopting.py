"""`db adopt`: a database that was restored from another environment's, or was named wrongly, gets its own name."""

from pathlib import Path
from typing import Annotated

import typer

from jobarium_events.cli.databases import DatabaseOption
from jobarium_events.cli.db.options import EnvironmentOption, MigrationsOption, OperatorOption, operator_named
from jobarium_events.cli.db.telling import target_of, told
from jobarium_events.cli.output import console, printable

__all__ = ["adopt"]

_FOLDER = Path("migrations")


def adopt(
    *,
    from_: Annotated[
        str, typer.Option("--from", metavar="NAME", help="The environment that the database is by its record.")
    ],
    because: Annotated[str, typer.Option(metavar="TEXT", help="Why, for the record.")],
    database: DatabaseOption,
    environment: EnvironmentOption,
    migrations: MigrationsOption = _FOLDER,
    operator: OperatorOption = None,
) -> None:
    """Make a database another environment's: one restored from a dump of production, or one that was named wrongly.

    Where each migration stands stays as it is. What was approved and deployed before counts no more, also if the
    database is adopted back. It is an entry of the record, which nothing removes.

    Example: `jobarium-events db adopt --environment staging --from production --because "restored from last night"`
    """
    target = target_of(database, migrations, environment, operator_named(operator))
    with told():
        target.adopt(from_, because=because)
    to = console()
    to.print(printable(f"the database is the environment {environment!r} now, and was {from_!r}"))
    to.print("where each migration stands is as it was; approvals and deployments from before count no more")
