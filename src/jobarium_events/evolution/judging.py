"""Whom a difference breaks: the two containments of the policy, and a witness for each difference by itself.

What producers emit is the closed form of their schema; what consumers accept is the open one. Every witness is judged
by the two compiled validators before it is shown.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

import msgspec

from jobarium_events.errors import SchemaError
from jobarium_events.evolution.changes import Break
from jobarium_events.evolution.containment import is_subset
from jobarium_events.evolution.isolating import both, swapped
from jobarium_events.evolution.shrinking import shrunk
from jobarium_events.evolution.verdicts import Containment, Reader, Verdict
from jobarium_events.evolution.wording import explanation
from jobarium_events.validation import Validator

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from jobarium_events.evolution.isolating import Path
    from jobarium_events.validation.dialects import Schema
    from jobarium_events.validation.places import Place

__all__ = ["Delivery", "Side", "as_written", "same_emitted"]

_CALLS = 1000

_NO_CLOSED_FORM = (
    "a reference is no '#/...' pointer, so that the schema has no closed form; copy what it leads to into definitions"
)
_NOT_BORNE_OUT = "a witness was found, but the compiled validators do not bear it out"


class Side:
    """One contract's payloads: as its producers emit them, and as its consumers accept them.

    Attributes:
        schema: The schema as it is written.
        label: How the side is named where a witness is explained.
        consumers: The open validator.
    """

    def __init__(self, schema: Mapping[str, Any], label: str) -> None:
        self.schema = schema
        self.label = label
        self.consumers = Validator(schema)

    @cached_property
    def producers(self) -> Validator:
        """The closed validator; made late, as not every schema has a closed form."""
        return Validator(self.schema, closed=True)


class Delivery:
    """What the producers of one side emit, read by the consumers of the other."""

    def __init__(self, writer: Side, reader: Side, whom: Reader) -> None:
        self.writer = writer
        self.reader = reader
        self.whom = whom

    def shows(self, payload: Any) -> bool:
        """Whether a payload is a witness: producers emit it and consumers refuse it."""
        return self.writer.producers.is_valid(payload) and not self.reader.consumers.is_valid(payload)

    @cached_property
    def containment(self) -> Containment:
        """Whether everything that is emitted is accepted."""
        if not (self.writer.consumers.has_closed_form and self.reader.consumers.has_closed_form):
            return Containment(Verdict.UNPROVEN, reason=_NO_CLOSED_FORM)
        return _settled(is_subset(self.writer.producers.schema, self.reader.consumers.schema), self.shows)

    def alone(self, emitted: Place, accepted: Place, paths: tuple[Path, ...]) -> Containment:
        """Return whether one difference by itself makes consumers refuse what is emitted.

        Args:
            emitted: Its place in the writer's schema.
            accepted: Its place in the reader's.
            paths: What differs there.

        Returns:
            A witness that is refused for this difference and for no other, where there is one.
        """
        try:
            answer = self._alone(emitted, accepted, paths)
        except SchemaError:
            # One schema on a shelf of another may be nested more deeply than any schema may be.
            return self.containment
        # Where it cannot be told which of the differences it is, all of them may be.
        return self.containment if answer.verdict is Verdict.UNPROVEN else answer

    def _alone(self, emitted: Place, accepted: Place, paths: tuple[Path, ...]) -> Containment:
        agreeing, differing = swapped(accepted, emitted, paths), swapped(emitted, accepted, paths)
        if agreeing is None or differing is None:
            return Containment(Verdict.UNPROVEN)
        tolerant, strict = Validator(agreeing), Validator(differing)
        known = self.containment.witness
        if known is not msgspec.UNSET and tolerant.is_valid(known):
            return self.containment
        # First what only this difference keeps out; then what it keeps out, whatever else does as well.
        only = is_subset(both(self.writer.producers.schema, tolerant.schema), self.reader.consumers.schema)
        answer = _settled(only, lambda payload: self.shows(payload) and tolerant.is_valid(payload))
        if answer.verdict is Verdict.NOT_CONTAINED:
            return answer
        too = is_subset(self.writer.producers.schema, strict.schema)
        return _settled(too, lambda payload: self.shows(payload) and not strict.is_valid(payload))

    def broken(self, proof: Containment) -> Break:
        """Return how the reader is broken, with what each side says of the witness."""
        producers, consumers = f"{self.writer.label}, producers", f"{self.reader.label}, consumers"
        violations = self.reader.consumers.violations(proof.witness)
        return Break(self.whom, proof, explanation(producers, consumers, violations))


def as_written(one: Schema, other: Schema) -> Containment:
    """Return whether one schema's documents are a subset of another's, without closing either, shrunk."""
    accepts, refuses = Validator(one), Validator(other)
    answer = is_subset(accepts.schema, refuses.schema)
    return _settled(answer, lambda each: accepts.is_valid(each) and not refuses.is_valid(each))


def same_emitted(one: Side, other: Side) -> bool:
    """Return whether the producers of two sides are proven to emit the same payloads."""
    emitted = one.producers.schema, other.producers.schema
    return is_subset(*emitted).holds and is_subset(*reversed(emitted)).holds


def _settled(answer: Containment, shows: Callable[[Any], bool]) -> Containment:
    """Return an answer with its witness made minimal, if the validators bear it out."""
    if answer.verdict is not Verdict.NOT_CONTAINED:
        return answer
    if not shows(answer.witness):
        return Containment(Verdict.UNPROVEN, reason=_NOT_BORNE_OUT)
    return Containment(Verdict.NOT_CONTAINED, shrunk(answer.witness, shows, calls=_CALLS))
