"""A report as Markdown, for a comment on a pull request."""

from __future__ import annotations

import itertools
import re
from typing import TYPE_CHECKING

from jobarium_events.annotations import printable
from jobarium_events.evolution.reporting.locations import Location, located
from jobarium_events.evolution.reporting.wording import summary, views, witness

if TYPE_CHECKING:
    from collections.abc import Iterator

    from jobarium_events.evolution.findings import Finding
    from jobarium_events.evolution.reports import Report

__all__ = ["as_markdown"]

_CODE_OR_MARK = re.compile(r"`[^`]*`|[\\`*_\[\]<>|#~]")
_FENCES = re.compile(r"`+")


def as_markdown(report: Report) -> str:
    """Return a page with the findings by contract, their witnesses folded, and where a registry judges otherwise."""
    lines = ["## Schemas", "", f"**{_text(summary(report))}**", ""]
    for contract, found in itertools.groupby(located(report), key=lambda each: each[0].contract):
        lines += [f"### {_text(contract or 'The catalog')}", ""]
        for finding, location in found:
            lines += _finding(finding, location)
        lines.append("")
    differing = list(views(report))
    if differing:
        lines += ["### Where a registry would judge otherwise", ""]
        lines += ["| contract | by the policy | as written |", "| --- | --- | --- |"]
        lines += [f"| {' | '.join(map(_text, each))} |" for each in differing]
    return "\n".join(lines).rstrip("\n") + "\n"


def _finding(finding: Finding, location: Location) -> Iterator[str]:
    place = f", `{_code(finding.pointer)}`" if finding.pointer else ""
    advice = f"<br>{_text(finding.advice)}" if finding.advice else ""
    yield f"- **{finding.severity}** `{finding.rule}` in {_text(str(location))}{place}: {_text(finding.text)}{advice}"
    shown = witness(finding)
    if shown:
        fence = "`" * max(3, 1 + max(map(len, _FENCES.findall(shown)), default=0))
        yield from ("  <details><summary>Witness</summary>", "", f"  {fence}json", f"  {shown}", f"  {fence}", "")
        for side, verdict in finding.explanation:
            yield f"  - {_text(side)}: {_text(verdict)}"
        yield from ("", "  </details>")


def _text(text: str) -> str:
    """Return a text so that Markdown shows it as it is, in one line; code in it stays code."""
    return _CODE_OR_MARK.sub(_escaped, printable(" ".join(text.split())))


def _escaped(match: re.Match[str]) -> str:
    return match[0] if len(match[0]) > 1 else f"\\{match[0]}"


def _code(text: str) -> str:
    return printable(text).replace("`", "'")
