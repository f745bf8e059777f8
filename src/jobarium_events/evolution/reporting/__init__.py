"""Reports for machines and for pull requests; how people see one in a terminal is up to the command line."""

from jobarium_events.evolution.reporting.github import as_github
from jobarium_events.evolution.reporting.markdown import as_markdown
from jobarium_events.evolution.reporting.plain import as_json
from jobarium_events.evolution.reporting.sarif import as_sarif

__all__ = ["as_github", "as_json", "as_markdown", "as_sarif"]
