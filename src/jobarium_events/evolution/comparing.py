"""`compare`: may a contract be changed from this into that, whom would it break, and what shows it.

Producers are closed and consumers open, so two containments decide: what the old producers emit must be accepted by
the new consumers, and what the new producers emit by the old consumers. Beside these stand the plain containments of
the schemas as they are written, by which a registry of schemas would judge.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from itertools import groupby
from typing import TYPE_CHECKING, Any

import msgspec

from jobarium_events.catalog.loading import schema_path
from jobarium_events.catalog.manifest import MANIFEST, quoted
from jobarium_events.contract import Contract
from jobarium_events.evolution.changes import Break, Change, ChangeKind
from jobarium_events.evolution.fields import fields
from jobarium_events.evolution.findings import Finding, Severity
from jobarium_events.evolution.meanings import MeaningChange, meaning_changes, publish
from jobarium_events.evolution.verdicts import Containment, Reader, Verdict
from jobarium_events.evolution.wording import advice, advice_on_meanings, described, reworded

if TYPE_CHECKING:
    from jobarium_events.evolution.blaming import Blame
    from jobarium_events.evolution.differences import Difference
    from jobarium_events.evolution.judging import Delivery
    from jobarium_events.evolution.published import Published
    from jobarium_events.evolution.reports import Mode
    from jobarium_events.validation.dialects import Schema
    from jobarium_events.validation.places import Place

__all__ = ["DEPRECATED_FOR", "UNPROVEN", "Comparison", "compare", "plain"]

DEPRECATED_FOR = 2
"""The releases for which an optional field is marked ``"deprecated": true`` before it may go."""

UNPROVEN = "unproven"
"""The rule of a finding that something is neither proven nor disproven."""

_CONTAINED = Containment(Verdict.CONTAINED)


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """What a change to a contract means for those who read its events.

    Attributes:
        old: The contract before: event and version.
        new: The contract after.
        changes: What was changed, and whom each change breaks.
        meanings: The meanings that have changed.
        backward: Whether new consumers accept all that old producers emit.
        forward: Whether old consumers accept all that new producers emit.
        plain_backward: Whether the new schema as written accepts all that the old one does.
        plain_forward: Whether the old schema as written accepts all that the new one does.
        file: Path of the new contract's schema, relative to the folder.
    """

    old: str
    new: str
    changes: tuple[Change, ...] = ()
    meanings: tuple[MeaningChange, ...] = ()
    backward: Containment = _CONTAINED
    forward: Containment = _CONTAINED
    plain_backward: Containment = _CONTAINED
    plain_forward: Containment = _CONTAINED
    file: str = ""

    @property
    def compatible(self) -> bool:
        """Whether the change is proven to break no reader."""
        return self.backward.holds and self.forward.holds and not any(change.breaks for change in self.changes)

    @property
    def differs(self) -> bool:
        """Whether a registry, judging the schemas as written, would say otherwise than the policy."""
        policy, registry = (self.backward, self.forward), (self.plain_backward, self.plain_forward)
        return [each.verdict for each in policy] != [each.verdict for each in registry]

    def findings(self) -> tuple[Finding, ...]:
        """Return a finding for each reader that a change breaks, for each change that breaks none, and for doubts."""
        return (*(finding for change in self.changes for finding in self._of(change)), *self._doubts())

    def _of(self, change: Change) -> Iterator[Finding]:
        in_manifest = change.kind in (ChangeKind.KEY_TEMPLATE_CHANGED, ChangeKind.ORDERING_CHANGED)
        finding = Finding(
            rule=change.kind.value,
            severity=change.severity,
            contract=self.new,
            file=MANIFEST if in_manifest else self.file,
            pointer=change.pointer,
            text=f"{change.text}.",
            advice=change.advice,
        )
        if not change.breaks and not change.doubts:
            yield finding
        for each in change.breaks:
            yield msgspec.structs.replace(
                finding,
                text=f"{change.text}; this breaks {each.reader}.",
                reader=each.reader,
                proof=each.proof,
                explanation=each.explanation,
            )
        for doubt in change.doubts:
            yield msgspec.structs.replace(finding, **self._doubt(doubt.reader, doubt.proof, f"{change.text}; "))

    def _doubts(self) -> Iterator[Finding]:
        """Yield a finding for each direction that is not proven, where no change has been found at fault."""
        for reader, answer in ((Reader.NEW, self.backward), (Reader.OLD, self.forward)):
            named = {each.reader for change in self.changes for each in change.doubts}
            if answer.verdict is Verdict.UNPROVEN and reader not in named:
                yield Finding(contract=self.new, file=self.file, **self._doubt(reader, answer))

    @staticmethod
    def _doubt(reader: Reader, proof: Containment | None, change: str = "") -> dict[str, Any]:
        reason = proof.reason if proof is not None else ""
        return {
            "rule": UNPROVEN,
            "severity": Severity.ERROR,
            "text": f"{change}whether this breaks {reader} could not be proven: {reason}.",
            "advice": "Make the change in smaller steps or say it with simpler keywords, or write a new version.",
            "reader": reader,
            "proof": proof,
        }


def compare(old: Contract | Published, new: Contract | Published, *, released: str = "") -> Comparison:
    """Compare a contract with what it is to become.

    Where the digests are equal, nothing is proven: the comparison is empty.

    Args:
        old: The contract as it was published, or the version before.
        new: The contract as it is now.
        released: When the old contract was released, in words; by default that goes without saying.
    """
    old, new = (publish(each) if isinstance(each, Contract) else each for each in (old, new))
    if old.structure == new.structure and old.meanings == new.meanings:
        return Comparison(old=old.contract.name, new=new.contract.name, file=_file(new.contract))
    return _Comparing(old, new, released).result()


def plain(old: Schema, new: Schema, mode: Mode) -> dict[Reader, Containment]:
    """Return what a registry would say of two schemas as written, by whom it would break.

    Args:
        old: The schema before.
        new: The schema after.
        mode: What is asked: ``backward`` is about new consumers, ``forward`` about old ones, ``full`` about both.
    """
    from jobarium_events.evolution.judging import as_written  # noqa: PLC0415 - the provers are slow to import

    answers = {}
    if mode != "forward":
        answers[Reader.NEW] = as_written(old, new)
    if mode != "backward":
        answers[Reader.OLD] = as_written(new, old)
    return answers


def as_released(old: str, new: str, released: str = "") -> tuple[str, str]:
    """Return how the two sides of a change inside a version are named."""
    return f"{old} as released{' in ' if released else ''}{released}", f"{new} as it is now"


def _file(contract: Contract) -> str:
    return schema_path(contract.event, contract.version)


class _Comparing:
    def __init__(self, old: Published, new: Published, released: str) -> None:
        self.old = old
        self.new = new
        self.released = released
        # A new version may break, and mean what it likes; within a version, that takes a decision.
        self.same_version = (old.contract.event, old.contract.version) == (new.contract.event, new.contract.version)

    def result(self) -> Comparison:
        meanings = meaning_changes(self.old, self.new)
        comparison = Comparison(
            old=self.old.contract.name,
            new=self.new.contract.name,
            changes=tuple(self.in_manifest()),
            meanings=meanings,
            file=_file(self.new.contract),
        )
        if self.old.structure != self.new.structure:
            comparison = self.structural(comparison)
        said = {change.pointer for change in comparison.changes}
        return msgspec.structs.replace(comparison, changes=(*comparison.changes, *self.in_meanings(meanings, said)))

    def in_manifest(self) -> Iterator[Change]:
        old, new = self.old.contract, self.new.contract
        place = f"event.{quoted(new.event)}.{new.version}"
        everyone = (Break(Reader.NEW), Break(Reader.OLD))
        if old.key.text != new.key.text:
            text = f"the key template was {old.key.text} and is {new.key.text}, so that one event has two keys"
            yield _change(ChangeKind.KEY_TEMPLATE_CHANGED, f"{place}.key", text, everyone)
        if old.ordering != new.ordering:
            was, now = (f"{each.by} per {each.per}" if each else "none" for each in (old.ordering, new.ordering))
            text = f"the ordering was {was} and is {now}, so that consumers disagree on what is stale"
            yield _change(ChangeKind.ORDERING_CHANGED, f"{place}.ordering", text, everyone)

    def structural(self, comparison: Comparison) -> Comparison:
        """Return the comparison with what is proven of the schemas, and what has changed in them."""
        # The provers are slow to import, and most contracts have not changed.
        from jobarium_events.evolution.blaming import Blame  # noqa: PLC0415
        from jobarium_events.evolution.differences import differences  # noqa: PLC0415
        from jobarium_events.evolution.judging import Delivery, Side, as_written, same_emitted  # noqa: PLC0415

        before, after = self.labels()
        old, new = Side(self.old.contract.schema, before), Side(self.new.contract.schema, after)
        backward, forward = Delivery(old, new, Reader.NEW), Delivery(new, old, Reader.OLD)
        changes = []
        if old.consumers.has_closed_form and new.consumers.has_closed_form:
            found: dict[tuple[ChangeKind, str], list[Difference]] = {}
            for each in differences(old.consumers.schema, new.consumers.schema):
                # A definition is met wherever it is used, and named once.
                found.setdefault((each.named, each.pointer), []).append(each)
            blame = Blame(len(found))
            changes += [self.judged(each, backward, forward, blame) for each in found.values()]
            changes += [self.unexplained(each) for each in (backward, forward) if _is_unexplained(each, changes)]
            if self.same_version:
                changes += self.vanished({change.pointer for change in changes})
        plain_backward, plain_forward = as_written(old.schema, new.schema), as_written(new.schema, old.schema)
        answers = backward.containment, forward.containment, plain_backward, plain_forward
        if changes and all(answer.holds for answer in answers):
            # What is accepted and what is emitted are the same as before: it is only said otherwise.
            changes = [] if same_emitted(old, new) else changes
        return msgspec.structs.replace(
            comparison,
            changes=(*comparison.changes, *changes),
            backward=_overall(backward, changes),
            forward=_overall(forward, changes),
            plain_backward=plain_backward,
            plain_forward=plain_forward,
        )

    def labels(self) -> tuple[str, str]:
        old, new = self.old.contract.version, self.new.contract.version
        return as_released(old, new, self.released) if self.same_version else (old, new)

    def judged(self, met: list[Difference], backward: Delivery, forward: Delivery, blame: Blame) -> Change:
        """Return a difference, wherever it is met, as a change: whom it breaks, by itself."""
        difference = met[0]
        answers = [
            (delivery, blame.of(delivery, met))
            for delivery in (backward, forward)
            if delivery.containment.verdict is not Verdict.CONTAINED
        ]
        breaks = tuple(each.broken(alone) for each, alone in answers if alone.verdict is Verdict.NOT_CONTAINED)
        doubts = tuple(Break(each.whom, alone) for each, alone in answers if alone.verdict is Verdict.UNPROVEN)
        text = described(difference)
        harmless = not breaks and not doubts
        if difference.named is ChangeKind.FIELD_REMOVED and self.same_version and harmless:
            if difference.pointer in self.lost:
                return self.removed(difference.pointer, text)
            text = f"{text}, but other alternatives still have it"
        return _change(difference.named, difference.pointer, text, breaks, doubts)

    def unexplained(self, delivery: Delivery) -> Change:
        """Return that the contract breaks a reader where no difference has been found to do so."""
        text = "the schema accepts other payloads than before, and no single keyword says why"
        return _change(ChangeKind.OTHER, "", text, (delivery.broken(delivery.containment),))

    def removed(self, pointer: str, text: str) -> Change:
        """Return that an optional field is gone: it must have been deprecated for long enough."""
        releases = self.old.deprecated.get(self.lost[pointer], 0)
        if releases >= DEPRECATED_FOR:
            return _change(ChangeKind.FIELD_REMOVED, pointer, text)
        so_far = f"it has been so for {releases}" if releases else "it has not been"
        return Change(
            kind=ChangeKind.FIELD_REMOVED,
            pointer=pointer,
            text=f'{text}, and must be marked "deprecated": true for {DEPRECATED_FOR} releases first; {so_far}',
            advice='Put the field back with "deprecated": true, and take it out two releases later.',
            severity=Severity.ERROR,
        )

    @cached_property
    def lost(self) -> dict[str, str]:
        """The fields that no place of the new schema speaks of, with their paths, by JSON Pointer into the old one."""
        had, has = fields(self.old.contract.schema), fields(self.new.contract.schema)
        gone = [path for path in had if path not in has]
        inner = {path for path in gone for other in gone if path.startswith(f"{other}/")}
        return {place.pointer: path for path in gone if path not in inner for place in had[path]}

    def vanished(self, named: set[str]) -> Iterator[Change]:
        """Yield the fields that are gone where another change, such as of alternatives, has covered it."""
        said = {self.lost[pointer] for pointer in self.lost.keys() & {_field_of(each) for each in named}}
        for pointer, path in self.lost.items():
            if path not in said:
                said.add(path)
                yield self.removed(pointer, f"{path.rsplit('/', 1)[1]} is gone")

    def in_meanings(self, meanings: tuple[MeaningChange, ...], named: set[str]) -> Iterator[Change]:
        # Where a format that is checked has changed, that has been said.
        silent = [each for each in meanings if not (each.keyword == "format" and each.place in named)]
        for pointer, group in groupby(silent, key=lambda each: each.pointer):
            here = list(group)
            users = ", ".join(sorted(self.users(here)))
            yield Change(
                kind=ChangeKind.MEANING_CHANGED,
                pointer=pointer,
                text=f"in {users}, {reworded(here)}" if users else reworded(here),
                advice=advice_on_meanings(here) if self.same_version else "",
                severity=Severity.ERROR if self.same_version else Severity.NOTE,
            )

    def users(self, changes: list[MeaningChange]) -> Iterator[str]:
        """Yield the fields for which a definition says something else, where a change stands in one."""
        pointer = changes[0].pointer
        if not pointer.startswith(("/definitions/", "/$defs/")):
            return
        had, has = fields(self.old.contract.schema), fields(self.new.contract.schema)
        for path in has.keys() & had.keys():
            met = any(pointer in place.pointers for place in (*had[path], *has[path]))
            if met and any(_said(self.old, had[path], each) != _said(self.new, has[path], each) for each in changes):
                yield ".".join(name.replace("~1", "/").replace("~0", "~") for name in path.split("/")[1:])


def _said(published: Published, places: tuple[Place, ...], change: MeaningChange) -> set[str | None]:
    """Return the digests of what all that speaks of a field says for a keyword."""
    pointers = (pointer for place in places for pointer in place.pointers)
    return {published.meanings.get(pointer, {}).get(change.keyword) for pointer in pointers} - {None}


def _field_of(pointer: str) -> str:
    """Return the pointer of the field that a change is about: of ``/required/a`` it is ``/properties/a``."""
    start, keyword, name = pointer.rpartition("/required/")
    return f"{start}/properties/{name}" if keyword else pointer


def _change(
    kind: ChangeKind, pointer: str, text: str, breaks: tuple[Break, ...] = (), doubts: tuple[Break, ...] = ()
) -> Change:
    """Return a change that weighs as much as it breaks."""
    harmful = bool(breaks or doubts)
    return Change(
        kind=kind,
        pointer=pointer,
        text=text,
        advice=advice(kind) if harmful else "",
        severity=Severity.ERROR if harmful else Severity.NOTE,
        breaks=breaks,
        doubts=doubts,
    )


def _overall(delivery: Delivery, changes: list[Change]) -> Containment:
    """Return whether all that is emitted is accepted; a witness of one change answers that as well."""
    answer = delivery.containment
    if answer.verdict is not Verdict.UNPROVEN:
        return answer
    breaks = (each for change in changes for each in change.breaks)
    return next((each.proof for each in breaks if each.reader is delivery.whom and each.proof is not None), answer)


def _is_unexplained(delivery: Delivery, changes: list[Change]) -> bool:
    readers = {reader for change in changes for reader in change.readers}
    return delivery.containment.verdict is Verdict.NOT_CONTAINED and delivery.whom not in readers
