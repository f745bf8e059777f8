"""What the reports for people say alike: findings as sentences, and the whole in one line."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from jobarium_events.annotations import json_text
from jobarium_events.evolution.findings import Severity
from jobarium_events.evolution.verdicts import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator

    from jobarium_events.evolution.findings import Finding
    from jobarium_events.evolution.reports import Report
    from jobarium_events.evolution.verdicts import Containment

__all__ = ["View", "sentences", "summary", "verdict", "views", "witness"]


class View(NamedTuple):
    """How one comparison is judged in two ways that differ.

    Attributes:
        contract: The contract, and the one that it is compared with if this is another version.
        policy: What the policy says: producers closed, consumers open.
        registry: What plain containment of the schemas as written says, as a registry would judge.
    """

    contract: str
    policy: str
    registry: str


def sentences(finding: Finding) -> str:
    """Return what a finding says and what it advises, as one text that names the contract."""
    said = (f"{finding.text} " if finding.text.endswith(".") else f"{finding.text}; ") + finding.advice
    said = said.rstrip(" ;")
    named = not finding.contract or finding.text.startswith(finding.contract)
    return said if named else f"{finding.contract}: {said}"


def witness(finding: Finding) -> str:
    """Return the witness of a finding as JSON in one line; empty where there is none."""
    if finding.proof is None or finding.proof.verdict is not Verdict.NOT_CONTAINED:
        return ""
    return json_text(finding.proof.witness)


def summary(report: Report) -> str:
    """Return what was checked against what, and whether it may ship, in one line."""
    against = f"against {report.against}" if report.against else "against nothing"
    how = f", as a registry would judge ({report.mode})" if report.mode else ""
    contracts = f"{_counted(report.contracts, 'contract')}, {report.unchanged} unchanged"
    found = ", ".join(_counted(count, severity) for severity in Severity if (count := report.count(severity)))
    verdict = "may ship as it is" if report.ok else "may not ship as it is"
    return f"{report.folder} {against}{how}: {contracts}; {f'{found}: ' if found else ''}{verdict}"


def views(report: Report) -> Iterator[View]:
    """Yield the comparisons that the policy and a registry judge differently."""
    for each in report.comparisons:
        if each.differs:
            name = each.new if each.old == each.new else f"{each.new}, compared with {each.old}"
            registry = verdict(each.plain_backward, each.plain_forward)
            yield View(name, verdict(each.backward, each.forward), registry)


def verdict(backward: Containment, forward: Containment) -> str:
    """Return the verdict on both directions, in the words of the registries."""
    answers = {"backward": backward.verdict, "forward": forward.verdict}
    if all(answer is Verdict.CONTAINED for answer in answers.values()):
        return "compatible both ways"
    return ", ".join(f"{name}: {_IN_WORDS[answer]}" for name, answer in answers.items())


_IN_WORDS = {
    Verdict.CONTAINED: "compatible",
    Verdict.NOT_CONTAINED: "breaks",
    Verdict.UNPROVEN: "unproven",
}


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
