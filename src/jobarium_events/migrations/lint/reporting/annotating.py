"""A report as annotations of lines: for GitHub Actions, and as SARIF."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import msgspec

from jobarium_events.annotations import Annotation, as_log, as_workflow_commands
from jobarium_events.migrations.lint.reporting.wording import file_shown, summary
from jobarium_events.migrations.lint.rules import RULES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from jobarium_events.migrations.lint.findings import Report

__all__ = ["as_github", "as_sarif"]


def as_github(report: Report) -> str:
    """Return one workflow command for each finding, and the summary for whoever reads the log."""
    return as_workflow_commands(_annotations(report), summary(report))


def as_sarif(report: Report) -> str:
    """Return a SARIF log of one run."""
    return as_log(_annotations(report), {rule.id: rule.why for rule in RULES.values()})


def _annotations(report: Report) -> Iterator[Annotation]:
    seen: Counter[tuple[str, str, str]] = Counter()
    for finding in report.findings:
        path = file_shown(finding.file)
        said = (finding.rule, path, finding.text)
        seen[said] += 1
        yield Annotation(
            rule=finding.rule,
            level=finding.severity.value,
            path=path,
            line=finding.line or None,
            text=finding.sentence,
            details=(f"instead:\n{finding.safe}",) if finding.safe else (),
            # The same may be found twice in a file, and each is another finding.
            known_by=(*said, str(seen[said])),
            properties={**msgspec.to_builtins(finding), "file": path},
        )
