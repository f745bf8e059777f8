"""May this change to the schemas ship as it is? Proofs, witnesses, meanings, lifecycle and decisions."""

from jobarium_events.evolution.changes import Change, ChangeKind
from jobarium_events.evolution.checking import check
from jobarium_events.evolution.comparing import Comparison, compare, plain
from jobarium_events.evolution.containment import is_subset
from jobarium_events.evolution.findings import Finding, Severity
from jobarium_events.evolution.reports import Mode, Report
from jobarium_events.evolution.verdicts import Containment, Reader, Verdict

__all__ = [
    "Change",
    "ChangeKind",
    "Comparison",
    "Containment",
    "Finding",
    "Mode",
    "Reader",
    "Report",
    "Severity",
    "Verdict",
    "check",
    "compare",
    "is_subset",
    "plain",
]
