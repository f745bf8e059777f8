"""What a comparison means for the check: inside a version, between two versions, and to a registry of schemas."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Literal

import msgspec

from jobarium_events.contract import Lifecycle, version_number
from jobarium_events.evolution.changes import ChangeKind
from jobarium_events.evolution.comparing import UNPROVEN, plain
from jobarium_events.evolution.findings import Finding, Severity
from jobarium_events.evolution.verdicts import Reader, Verdict
from jobarium_events.evolution.wording import explanation
from jobarium_events.validation import Validator

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from jobarium_events.contract import Contract
    from jobarium_events.evolution.comparing import Comparison
    from jobarium_events.evolution.decision import Decision
    from jobarium_events.evolution.lock import Lock
    from jobarium_events.evolution.meanings import MeaningChange
    from jobarium_events.evolution.reports import Mode

__all__ = ["between_versions", "inside_version", "predecessor", "to_registry"]


def inside_version(
    comparison: Comparison,
    contract: Contract,
    decisions: Collection[Decision],
    lock: Lock | None,
    open_: Collection[MeaningChange] | None = None,
) -> Iterator[Finding]:
    """Yield what a change to a published version amounts to.

    It may not break a consumer, whatever was decided: that takes a new version. A meaning may change where a decision
    names the field, and a field may be put in other words where somebody has answered for that. A decision is good for
    the change that it was made for: once that is released, the next change takes another one.

    Args:
        comparison: The contract as it is, compared with the baseline.
        contract: The contract as it is.
        decisions: The decision log.
        lock: The folder's lock.
        open_: The meanings that have changed since the lock froze the contract: what else differs from the baseline
            was accepted by that release. None where the lock knows of no later release than the baseline.
    """
    event, version = contract.event, contract.version
    spent = [each for each in decisions if lock is not None and lock.has_spent(each.id)]
    fresh = [each for each in decisions if each not in spent]
    for finding in comparison.findings():
        if finding.rule == ChangeKind.MEANING_CHANGED:
            by = _allowing(fresh, contract, finding.pointer, "meanings")
            here = [each for each in comparison.meanings if each.pointer == finding.pointer]
            accepted = lock is not None and all(
                lock.accepts(event, version, each) or _was_released(each, open_) for each in here
            )
            if by or accepted:
                text = f"{finding.text.removesuffix('.')}, as {by.id if by else 'the lock'} allows"
                if not by and lock and (who := _answering(lock, contract, here)):
                    field = finding.text.rpartition(" may mean something else")[0]
                    keywords = " and ".join(dict.fromkeys(each.keyword for each in here))
                    text = f"{field} means the same in other words: {keywords} reworded by {who}"
                yield msgspec.structs.replace(finding, severity=Severity.NOTE, text=text, advice="")
                continue
            if lock is not None and (by := _allowing(spent, contract, finding.pointer, "meanings")):
                since = lock.decisions[by.id].since or "an earlier release"
                text = f"{finding.text.removesuffix('.')}; {by.id} named it, and was spent in {since}."
                advice = f"A decision is good for one release. {finding.advice}"
                finding = msgspec.structs.replace(finding, text=text, advice=advice)  # noqa: PLW2901
        yield finding


def between_versions(comparison: Comparison, contract: Contract, decisions: Collection[Decision]) -> Iterator[Finding]:
    """Yield where a new version breaks with the one before it, and no decision says that it may; and what else changed.

    While the new version is bound to no release, it is still being worked on. What breaks nobody is a note: whoever
    moves to the new version has to know which fields are gone, and which mean something else.
    """
    severity = Severity.WARNING if contract.introduced is None else Severity.ERROR
    seen = set()
    for finding in comparison.findings():
        place = (finding.file, finding.pointer)
        if finding.severity is not Severity.ERROR:
            yield msgspec.structs.replace(finding, text=f"compared with {comparison.old}, {finding.text}")
            continue
        if place in seen:
            continue
        seen.add(place)
        if _allowing(decisions, contract, finding.pointer, "breaking") is None:
            advice = (
                f"have a decision accepted that allows it: breaking = [{_toml(finding.pointer)}] for {contract.name}"
            )
            verb = "may break" if finding.rule == UNPROVEN else "breaks"
            text = f"{verb} with {comparison.old}, and no accepted decision allows that: {finding.text}"
            rule = "breaking-undecided"
            yield msgspec.structs.replace(finding, rule=rule, severity=severity, text=text, advice=advice)


def to_registry(old: Contract, new: Contract, file: str, mode: Mode) -> Iterator[Finding]:
    """Yield what a registry would refuse: it knows the schemas as they are written, and nothing of producers."""
    before, after = old.schema, new.schema
    for reader, answer in plain(before, after, mode).items():
        if answer.verdict is Verdict.CONTAINED:
            continue
        backward = reader is Reader.NEW
        accepts, refuses = ("old", "new") if backward else ("new", "old")
        explained: tuple[tuple[str, str], ...] = ()
        if answer.verdict is Verdict.UNPROVEN:
            text = f"whether the {refuses} schema accepts all that the {accepts} one does is unproven: {answer.reason}"
        else:
            text = f"the {refuses} schema as written does not accept all that the {accepts} one does"
            violations = Validator(after if backward else before).violations(answer.witness)
            explained = explanation(f"the {accepts} schema", f"the {refuses} schema", violations)
        yield Finding(
            rule="backward-incompatible" if backward else "forward-incompatible",
            severity=Severity.ERROR,
            contract=new.name,
            file=file,
            text=text,
            reader=reader,
            proof=answer,
            explanation=explained,
        )


def predecessor(contract: Contract, published: Mapping[str, Contract]) -> Contract | None:
    """Return the version that a new one follows: the newest older one that may be on the wire.

    Args:
        contract: The new version.
        published: The event's versions that have been published.
    """
    older = [
        each
        for version, each in published.items()
        if version_number(version) < version_number(contract.version) and each.lifecycle is not Lifecycle.RETIRED
    ]
    return max(older, key=lambda each: version_number(each.version), default=None)


def _allowing(
    decisions: Collection[Decision], contract: Contract, pointer: str, kind: Literal["breaking", "meanings"]
) -> Decision | None:
    event, version = contract.event, contract.version
    return next((each for each in decisions if each.allows(event, version, pointer, kind)), None)


def _answering(lock: Lock, contract: Contract, changes: Collection[MeaningChange]) -> str:
    """Return who has answered for it that meanings are only said in other words; "" where that is not all there is."""
    names: dict[str, None] = {}
    for change in changes:
        said = {change.old}
        for each in lock.rewordings:
            place = (each.event, each.version, each.pointer, each.keyword)
            if place == (contract.event, contract.version, change.pointer, change.keyword) and each.old in said:
                said.add(each.new)
                names[each.who] = None
        if change.new not in said:
            return ""
    return " and ".join(names)


def _was_released(change: MeaningChange, open_: Collection[MeaningChange] | None) -> bool:
    """Whether a changed meaning is what the lock has frozen since, for the same field."""
    if open_ is None:
        return False
    if change.new is None:  # it has no place any more by which it could be told from others that are gone
        return not any(each.new is None and each.keyword == change.keyword for each in open_)
    return (change.pointer, change.keyword) not in {(each.pointer, each.keyword) for each in open_}


def _toml(pointer: str) -> str:
    """Return a pointer as a string of TOML; one into the manifest has quotes in it."""
    as_it_is = pointer.isprintable() and "'" not in pointer and ('"' in pointer or "\\" in pointer)
    return f"'{pointer}'" if as_it_is else json.dumps(pointer, ensure_ascii=False)
