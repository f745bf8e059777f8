"""Two versions of a contract side by side: their schemas line by line, and what the change means for their readers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from jobarium_events.annotations import json_text
from jobarium_events.contract import Contract, Lifecycle
from jobarium_events.evolution import ChangeKind, Comparison, Containment, Reader, Severity, Verdict, compare
from jobarium_events.evolution.reporting.wording import verdict
from jobarium_events.site.lines import Run, rows_of, runs_of
from jobarium_events.site.wording import listed

if TYPE_CHECKING:
    from jobarium_events.evolution import Change
    from jobarium_events.evolution.changes import Break
    from jobarium_events.evolution.decision import Decision

__all__ = ["Answer", "Beside", "Changed", "Said", "Sentence", "beside"]

_IN_MANIFEST = {
    ChangeKind.KEY_TEMPLATE_CHANGED: "another idempotency key",
    ChangeKind.ORDERING_CHANGED: "another rule of what is stale",
}
"""What changes beside the schema, and what a reader then goes by."""


class Answer(msgspec.Struct, frozen=True):
    """What a change does to one reader.

    Attributes:
        reader: Whom it breaks, or may break.
        verdict: ``not-contained`` or ``unproven``.
        reason: Where it is unproven, why.
        witness: A payload that shows it, as JSON; empty where there is none.
        says: What each side says of the witness.
    """

    reader: str
    verdict: str
    reason: str
    witness: str
    says: tuple[tuple[str, str], ...]


class Changed(msgspec.Struct, frozen=True):
    """One change, with what it means.

    Attributes:
        kind: Its kind.
        pointer: Where it is.
        text: What was done.
        verdict: ``contained``, ``not-contained`` or ``unproven``.
        words: The verdict in words.
        answers: For each reader that it breaks, or may break.
        advice: What would have been possible within the version; empty where nothing is broken.
        decision: Id of the accepted decision that allows it; "" if none does, None if it needs none.
    """

    kind: str
    pointer: str
    text: str
    verdict: str
    words: str
    answers: tuple[Answer, ...]
    advice: str
    decision: str | None


class Said(msgspec.Struct, frozen=True):
    """A meaning that is not what it was.

    Attributes:
        pointer: Where it is said.
        keyword: Which meaning it is.
        old: What was said; None if nothing was.
        new: What is said; None if nothing is.
    """

    pointer: str
    keyword: str
    old: str | None
    new: str | None


class Sentence(msgspec.Struct, frozen=True):
    """Whether one kind of reader reads what the other side sends.

    Attributes:
        verdict: ``contained``, ``not-contained`` or ``unproven``.
        word: That in a word or two.
        text: That in words.
    """

    verdict: str
    word: str
    text: str


class Beside(msgspec.Struct, frozen=True, kw_only=True):
    """Two versions beside each other.

    Attributes:
        old: The older version.
        new: The newer one.
        runs: The lines of their schemas.
        added: How many lines are new or changed in the new one.
        removed: How many are gone or changed of the old one.
        compatible: Whether it is proven that no reader of either version would notice.
        summary: What that means, in words.
        decisions: Ids of the decisions on it: those that allow something of it, and the one that the newer one names.
        directions: Whether new consumers read old events, and old consumers new ones.
        changes: What was changed, apart from meanings.
        meanings: The meanings that have changed.
        registry: What a registry says of the schemas as written, where that differs; otherwise empty.
        policy: What the policy says in the same words.
        is_kept_apart: Whether key or ordering change, of which neither of the two says anything.
    """

    old: Contract
    new: Contract
    runs: tuple[Run, ...]
    added: int
    removed: int
    compatible: bool
    summary: str
    decisions: tuple[str, ...]
    directions: tuple[Sentence, ...]
    changes: tuple[Changed, ...]
    meanings: tuple[Said, ...]
    registry: str
    policy: str
    is_kept_apart: bool


def beside(old: Contract, new: Contract, decisions: Iterable[Decision] = ()) -> Beside:
    """Put two versions of an event beside each other.

    Args:
        old: The older version.
        new: The newer one.
        decisions: The decision log.
    """
    comparison = compare(old, new)
    allowing = _allowing(comparison, new, tuple(decisions))
    named = dict.fromkeys(filter(None, (new.decision, *allowing.values())))
    rows = rows_of(_lines(old), _lines(new))
    return Beside(
        old=old,
        new=new,
        runs=tuple(runs_of(rows)),
        added=sum(row.kind in ("changed", "added") for row in rows),
        removed=sum(row.kind in ("changed", "removed") for row in rows),
        compatible=comparison.compatible,
        summary=_summary(comparison, old, new, allowing),
        decisions=tuple(named),
        directions=tuple(_directions(comparison, old, new)),
        changes=tuple(
            _changed(each, allowing) for each in comparison.changes if each.kind is not ChangeKind.MEANING_CHANGED
        ),
        meanings=tuple(_said(comparison, old.schema, new.schema)),
        registry=verdict(comparison.plain_backward, comparison.plain_forward) if comparison.differs else "",
        policy=verdict(comparison.backward, comparison.forward),
        is_kept_apart=any(each.kind in _IN_MANIFEST for each in comparison.changes),
    )


def _lines(contract: Contract) -> list[str]:
    return json_text(contract.schema, indent=2).split("\n")


def _allowing(comparison: Comparison, new: Contract, decisions: Iterable[Decision]) -> dict[str, str]:
    """Return by whom each change is allowed that takes a decision: an id by its pointer, "" where nobody allows it.

    The check asks the same of the same pointers, of the whole log: the decision that the manifest names is one of it.
    """
    pointers = (each.pointer for each in comparison.findings() if each.severity is Severity.ERROR)
    return {
        pointer: next((each.id for each in decisions if each.allows(new.event, new.version, pointer, "breaking")), "")
        for pointer in pointers
    }


def _summary(comparison: Comparison, old: Contract, new: Contract, allowing: Mapping[str, str]) -> str:
    """Return what is to be known first: that a new version may break, and who allowed it."""
    if comparison.compatible:
        return f"Nothing here breaks a reader: {new.version} could be read by consumers of {old.version} as well."
    allowed = _allowed(new, allowing)
    doubted = all(change.verdict is not Verdict.NOT_CONTAINED for change in comparison.changes)
    if doubted and Verdict.NOT_CONTAINED not in (comparison.backward.verdict, comparison.forward.verdict):
        return f"It could not be proven that {new.version} breaks nobody, so it is taken for breaking. {allowed}"
    return (
        f"{new.version} breaks readers of {old.version}, as a new version may: the two are told apart on the wire, and "
        f"consumers read both until {old.version} is retired. {allowed}"
    )


def _allowed(new: Contract, allowing: Mapping[str, str]) -> str:
    """Return whether what breaks is allowed: all of it, some of it or nothing."""
    ids = list(dict.fromkeys(filter(None, allowing.values())))
    yet = " yet" if new.lifecycle is Lifecycle.DRAFT else ""
    if not ids:
        return f"No accepted decision allows it{yet}."
    who = f"{listed(ids)} {'allows' if len(ids) == 1 else 'allow'}"
    return f"{who} it." if all(allowing.values()) else f"{who} some of it, and no accepted decision the rest{yet}."


def _directions(comparison: Comparison, old: Contract, new: Contract) -> Iterator[Sentence]:
    for reader, containment, consumers, events in (
        (Reader.NEW, comparison.backward, new.version, old.version),
        (Reader.OLD, comparison.forward, old.version, new.version),
    ):
        kinds = [each.kind for each in comparison.changes if reader in each.readers]
        by_schema = any(each not in _IN_MANIFEST for each in kinds)
        # A changed key or ordering breaks whoever goes by it, but every event is read for all that.
        other = f"it would go by {listed([_IN_MANIFEST[each] for each in kinds if each in _IN_MANIFEST])}"
        answer = Verdict.NOT_CONTAINED if by_schema else containment.verdict
        word, told = {
            Verdict.CONTAINED: ("reads", f"would read every {events} event: proven"),
            Verdict.NOT_CONTAINED: ("breaks", f"would not read every {events} event"),
            Verdict.UNPROVEN: ("unproven", f"may not read every {events} event: unproven, as {containment.reason}"),
        }[answer]
        text = f"A consumer of {consumers} {told}."
        if kinds and answer is Verdict.CONTAINED:
            yield Sentence(Verdict.NOT_CONTAINED, "reads otherwise", f"{text} But {other}.")
        elif kinds and answer is Verdict.UNPROVEN:
            yield Sentence(answer, word, f"{text} In any case {other}.")
        else:
            yield Sentence(answer, word, text)


def _changed(change: Change, allowing: Mapping[str, str]) -> Changed:
    words = {
        Verdict.CONTAINED: "breaks nobody",
        Verdict.NOT_CONTAINED: f"breaks {' and '.join(change.readers)}",
        Verdict.UNPROVEN: "unproven",
    }
    answers = [_answer(each, Verdict.NOT_CONTAINED) for each in change.breaks]
    answers += [_answer(each, Verdict.UNPROVEN) for each in change.doubts]
    return Changed(
        kind=change.kind,
        pointer=change.pointer,
        text=change.text,
        verdict=change.verdict,
        words=words[change.verdict],
        answers=tuple(answers),
        advice=change.advice,
        decision=None if change.verdict is Verdict.CONTAINED else allowing.get(change.pointer, ""),
    )


def _answer(found: Break, answer: Verdict) -> Answer:
    proof = found.proof or Containment(answer)
    witness = "" if proof.witness is msgspec.UNSET else json_text(proof.witness, indent=2)
    return Answer(found.reader, answer, proof.reason, witness, found.explanation)


def _said(comparison: Comparison, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Said]:
    for change in comparison.meanings:
        was = None if change.old is None else _text(_at(old, change.place))
        now = None if change.new is None else _text(_at(new, change.place))
        yield Said(change.pointer, change.keyword.replace("~1", "/").replace("~0", "~"), was, now)


def _text(value: Any) -> str:
    """Return what a schema says somewhere, as it is read."""
    if value is msgspec.UNSET:
        return "said elsewhere"
    return value if isinstance(value, str) else json_text(value)


def _at(document: Any, pointer: str) -> Any:
    """Return what a JSON Pointer leads to; UNSET if that is nothing, as where a meaning has moved to a definition."""
    for token in pointer.split("/")[1:]:
        key = token.replace("~1", "/").replace("~0", "~")
        if isinstance(document, Mapping) and key in document:
            document = document[key]
        elif isinstance(document, list) and key.isdigit() and int(key) < len(document):
            document = document[int(key)]
        else:
            return msgspec.UNSET
    return document
