"""`db`: migrations of a service's Postgres, linted, rehearsed, applied and recorded."""

import typer

from jobarium_events.cli.db.applying import apply, plan, rollback
from jobarium_events.cli.db.approving import approve, checklist
from jobarium_events.cli.db.backfilling import backfill
from jobarium_events.cli.db.dual_writing import dual_write
from jobarium_events.cli.db.installing import install
from jobarium_events.cli.db.linting import lint
from jobarium_events.cli.db.records import deployed, history, status, verify
from jobarium_events.cli.db.rehearsing import rehearse
from jobarium_events.cli.db.scaffolding import new

__all__ = ["db"]

db = typer.Typer(
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
for command in (plan, apply, status, history, rollback, approve, checklist, deployed, verify):
    db.command()(command)
