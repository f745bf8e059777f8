"""The database half of the policy: plain SQL, linted, rehearsed, applied without hurting traffic, and recorded."""

from jobarium_events.migrations.applying.applying import Applied, News
from jobarium_events.migrations.applying.approving import Approval, ApprovalRefused, Window
from jobarium_events.migrations.applying.asking import Asked
from jobarium_events.migrations.applying.checklists import Item
from jobarium_events.migrations.applying.deploying import Deployed
from jobarium_events.migrations.applying.gates import Gate
from jobarium_events.migrations.applying.planning import Plan
from jobarium_events.migrations.applying.refusals import Closed, FileChanged, Held, NotApplied, RollbackRefused
from jobarium_events.migrations.applying.rolling_back import RolledBack
from jobarium_events.migrations.applying.standing import Standing
from jobarium_events.migrations.applying.stepping import StepNews
from jobarium_events.migrations.applying.target import Target
from jobarium_events.migrations.backfills.checkpoints import Progress
from jobarium_events.migrations.backfills.dual_write import DualWrite, DualWriteError, Pair, dual_write
from jobarium_events.migrations.backfills.refusals import BackfillFailed, BackfillRefused, BackfillRunning
from jobarium_events.migrations.files.folder import Migrations
from jobarium_events.migrations.files.header import Category, Header, Risk
from jobarium_events.migrations.files.migration import Check, Migration, When
from jobarium_events.migrations.files.scaffolding import Begun, new_migration
from jobarium_events.migrations.files.settings import Environment, Role, Settings
from jobarium_events.migrations.lint.findings import Finding, Report
from jobarium_events.migrations.lint.linting import lint_files, lint_migration, lint_migrations
from jobarium_events.migrations.lint.reporting import as_github as lint_as_github
from jobarium_events.migrations.lint.reporting import as_json as lint_as_json
from jobarium_events.migrations.lint.reporting import as_sarif as lint_as_sarif
from jobarium_events.migrations.own.installing import install
from jobarium_events.migrations.own.parts import Installed
from jobarium_events.migrations.own.refusals import NotInstalled
from jobarium_events.migrations.record.histories import Run
from jobarium_events.migrations.record.record import NotAdopted, OtherEnvironment, RecordUnreadable
from jobarium_events.migrations.refusals import MigrationError, Mistake, UnknownMigration
from jobarium_events.migrations.rehearsal.data.statistics import Statistics, read_statistics
from jobarium_events.migrations.rehearsal.html import as_html as rehearsal_as_html
from jobarium_events.migrations.rehearsal.rehearsing import rehearse
from jobarium_events.migrations.rehearsal.report import Rehearsal, read_rehearsal, write_rehearsal
from jobarium_events.migrations.running.failures import NotVerified, StepFailed
from jobarium_events.migrations.running.verifying import Verified

__all__ = [
    "Applied",
    "Approval",
    "ApprovalRefused",
    "Asked",
    "BackfillFailed",
    "BackfillRefused",
    "BackfillRunning",
    "Begun",
    "Category",
    "Check",
    "Closed",
    "Deployed",
    "DualWrite",
    "DualWriteError",
    "Environment",
    "FileChanged",
    "Finding",
    "Gate",
    "Header",
    "Held",
    "Installed",
    "Item",
    "Migration",
    "MigrationError",
    "Migrations",
    "Mistake",
    "News",
    "NotAdopted",
    "NotApplied",
    "NotInstalled",
    "NotVerified",
    "OtherEnvironment",
    "Pair",
    "Plan",
    "Progress",
    "RecordUnreadable",
    "Rehearsal",
    "Report",
    "Risk",
    "Role",
    "RollbackRefused",
    "RolledBack",
    "Run",
    "Settings",
    "Standing",
    "Statistics",
    "StepFailed",
    "StepNews",
    "Target",
    "UnknownMigration",
    "Verified",
    "When",
    "Window",
    "dual_write",
    "install",
    "lint_as_github",
    "lint_as_json",
    "lint_as_sarif",
    "lint_files",
    "lint_migration",
    "lint_migrations",
    "new_migration",
    "read_rehearsal",
    "read_statistics",
    "rehearsal_as_html",
    "rehearse",
    "write_rehearsal",
]
