"""Reports of lint for machines; how people see one in a terminal is up to the command line."""

from jobarium_events.migrations.lint.reporting.annotating import as_github, as_sarif
from jobarium_events.migrations.lint.reporting.plain import as_json
from jobarium_events.migrations.lint.reporting.wording import summary

__all__ = ["as_github", "as_json", "as_sarif", "summary"]
