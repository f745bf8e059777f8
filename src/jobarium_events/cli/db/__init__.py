"""`db`: migrations of a service's Postgres, linted, rehearsed, applied and recorded."""

from typing import Any

import typer
from typer.core import TyperGroup

from jobarium_events.cli.db.adopting import adopt
from jobarium_events.cli.db.applying import apply, plan, rollback
from jobarium_events.cli.db.approving import approve, checklist
from jobarium_events.cli.db.backfilling import backfill
from jobarium_events.cli.db.dual_writing import dual_write
from jobarium_events.cli.db.installing import install
from jobarium_events.cli.db.linting import lint
from jobarium_events.cli.db.records import deployed, history, status, verify
from jobarium_events.cli.db.rehearsing import rehearse
from jobarium_events.cli.db.scaffolding import new
from jobarium_events.extras import MissingExtra

__all__ = ["db"]


class _Commands(TyperGroup):
    """Names the extra that all of these commands need, where a part of it is missing that another has too."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except MissingExtra as missing:
            extra = "migrations" if missing.extra == "postgres" else missing.extra
            raise MissingExtra(extra, missing.package) from None


db = typer.Typer(
    cls=_Commands,
    help="""Move tables safely: lint migrations, rehearse them, apply them, and look at the record.

    Example: `jobarium-events db lint migrations/*.sql`

    Example: `jobarium-events db plan`
    """,
)
db.add_typer(backfill, name="backfill")
db.command()(dual_write)
db.command()(lint)
db.command()(rehearse)
db.command()(new)
db.command()(install)
for command in (plan, apply, status, history, rollback, approve, checklist, deployed, verify, adopt):
    db.command()(command)
