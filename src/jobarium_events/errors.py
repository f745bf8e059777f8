"""What can go wrong, as values: fields in, the text computed from them.

::

    JobariumEventsError
    ├── SchemaError               a JSON Schema that cannot be compiled
    ├── CatalogError              a folder of schemas with mistakes: all of them, in `.problems`
    ├── UnknownContract           a look-up of a contract that the catalog lacks (a LookupError too)
    ├── DeclarationError          a producer, handler or upcast that is declared wrongly
    │   └── ConsumptionGap        `Consumer.verify()` found contracts that nothing consumes
    ├── EmitError                 a producer refused to emit; nothing was sent
    │   ├── UndeclaredVersion     the version is not the one that the producer declares
    │   ├── EmitRetired           the contract is retired
    │   ├── ForeignEvent          another service owns the event
    │   └── PayloadRefused        the payload (or an envelope field) breaks the contract
    ├── Rejection                 a consumer rejected an event; it was not handled
    │   ├── Malformed             not JSON, not an event, too large or nested too deeply
    │   ├── UnknownEvent          the catalog has no event of this name
    │   ├── UnknownVersion        the catalog has the event, but not in this version
    │   ├── RetiredVersion        the version is retired
    │   ├── UnexpectedProducer    the producer in the envelope does not own the event
    │   ├── InvalidPayload        the payload breaks the contract
    │   ├── InvalidUpcast         an upcast returned a payload that breaks its target's contract
    │   └── HandlerFailed         its handler failed as often as it may
    └── ViewError                 a handler's own payload type refuses an event that its contract accepts

Every error compares equal to another of its class with the same fields. No text of any of them holds a
value from a payload: payloads are personal data.
"""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, ClassVar

from jobarium_events.findings import Problem, Violation

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

__all__ = [
    "CatalogError",
    "ConsumptionGap",
    "DeclarationError",
    "EmitError",
    "EmitRetired",
    "ForeignEvent",
    "HandlerFailed",
    "InvalidPayload",
    "InvalidUpcast",
    "JobariumEventsError",
    "Malformed",
    "PayloadRefused",
    "Problem",
    "Rejection",
    "RetiredVersion",
    "SchemaError",
    "UndeclaredVersion",
    "UnexpectedProducer",
    "UnknownContract",
    "UnknownEvent",
    "UnknownVersion",
    "ViewError",
    "Violation",
]


_LONGEST = 80


class JobariumEventsError(Exception):
    """The root of every error that this library raises on purpose."""

    def _fields(self) -> tuple[object, ...]:
        return tuple(value for name, value in sorted(vars(self).items()) if not name.startswith("_"))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, JobariumEventsError):
            return NotImplemented
        return type(self) is type(other) and self._fields() == other._fields()

    def __hash__(self) -> int:
        return hash((type(self), *(value for value in self._fields() if isinstance(value, str))))

    def __repr__(self) -> str:
        fields = (f"{name}={value!r}" for name, value in vars(self).items() if not name.startswith("_"))
        return f"{type(self).__name__}({', '.join(fields)})"

    def __reduce__(self) -> tuple[Any, ...]:
        return _restored, (type(self), self._state())

    def _state(self) -> dict[str, Any]:
        return dict(vars(self))


def _restored(kind: type[JobariumEventsError], state: dict[str, Any]) -> JobariumEventsError:
    error = kind.__new__(kind)
    vars(error).update(state)
    return error


class SchemaError(JobariumEventsError):
    """A JSON Schema that cannot be compiled.

    Attributes:
        pointer: JSON Pointer to the place in the schema.
        problem: What is wrong there.
    """

    def __init__(self, problem: str, pointer: str = "") -> None:
        self.problem = problem
        self.pointer = pointer

    def __str__(self) -> str:
        return f"schema{f' at {self.pointer}' if self.pointer else ''}: {self.problem}"


class CatalogError(JobariumEventsError):
    """A catalog that cannot be built; `problems` lists every mistake that was found."""

    def __init__(self, source: str, problems: Iterable[Problem]) -> None:
        self.source = source
        self.problems = tuple(problems)

    def __str__(self) -> str:
        count = len(self.problems)
        lines = "".join(f"\n  - {problem}" for problem in self.problems)
        return f"the catalog {self.source} has {count} mistake{'s' if count != 1 else ''}:{lines}"


class UnknownContract(JobariumEventsError, LookupError):
    """The catalog has no such contract.

    Attributes:
        reason: Stable and machine-readable.
        event: The event's name as it was asked for.
        version: The version, or None if only the event was asked for.
        known: The names (or, for a known event, the versions) that the catalog does have.
    """

    reason: ClassVar[str] = "unknown-contract"

    def __init__(self, event: str, version: str | None, known: Iterable[str]) -> None:
        self.event = event
        self.version = version
        self.known = tuple(known)

    def __str__(self) -> str:
        if self.version is not None:
            return f"the catalog has no {self.event} {self.version}; it has {', '.join(self.known) or 'none'}"
        near = get_close_matches(self.event, self.known, n=3)
        hint = f"; did you mean {' or '.join(near)}?" if near else ""
        return f"the catalog has no event {self.event!r}{hint}"


class DeclarationError(JobariumEventsError):
    """A producer, handler or upcast was declared wrongly; `problem` says how to mend it."""

    def __init__(self, problem: str) -> None:
        self.problem = problem

    def __str__(self) -> str:
        return self.problem


class ConsumptionGap(DeclarationError):
    """What `Consumer.verify()` found; `gaps` has a sentence for each."""

    def __init__(self, consumer: str, gaps: Iterable[str]) -> None:
        self.consumer = consumer
        self.gaps = tuple(gaps)

    def __str__(self) -> str:
        return f"consumer {self.consumer!r} is not complete:" + "".join(f"\n  - {gap}" for gap in self.gaps)


class EmitError(JobariumEventsError):
    """A producer refused to emit an event; nothing was sent."""

    reason: ClassVar[str]

    def __init__(self, event: str, version: str | None) -> None:
        self.event = event
        self.version = version


class UndeclaredVersion(EmitError):
    """The payload is of another version than the one that the producer declares for the event."""

    reason = "undeclared-version"

    def __init__(self, event: str, version: str | None, declared: str | None) -> None:
        super().__init__(event, version)
        self.declared = declared

    def __str__(self) -> str:
        if self.declared is None:
            return f"{self.event} has no active version; declare one with Producer(declares=...)"
        return (
            f"{self.event} {self.version} was not declared: this producer declares {self.declared}; "
            f"emit a payload of {self.declared}, or change `declares`"
        )


class EmitRetired(EmitError):
    """The contract is retired: no service consumes it any more."""

    reason = "retired-version"

    def __str__(self) -> str:
        return f"{self.event} {self.version} is retired; emit a newer version"


class ForeignEvent(EmitError):
    """The event is another service's: only its owner may emit it."""

    reason = "foreign-event"

    def __init__(self, event: str, version: str | None, owner: str, producer: str) -> None:
        super().__init__(event, version)
        self.owner = owner
        self.producer = producer

    def __str__(self) -> str:
        return f"{self.event} belongs to {self.owner}; {self.producer} may not emit it"


def _shown(text: str) -> str:
    """Return a text from the wire as it may stand in a message: no control characters, and not without end."""
    cut = text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."
    return cut if cut.isprintable() else repr(cut)


def _listed(violations: tuple[Violation, ...]) -> str:
    return "".join(f"\n  - {violation}" for violation in violations)


class PayloadRefused(EmitError):
    """The payload, or an envelope field that was given, breaks the contract; `violations` lists how."""

    reason = "invalid-payload"

    def __init__(self, event: str, version: str | None, violations: Iterable[Violation]) -> None:
        super().__init__(event, version)
        self.violations = tuple(violations)

    def __str__(self) -> str:
        return f"{self.event} {self.version} was not emitted, it breaks its contract:{_listed(self.violations)}"


class Rejection(JobariumEventsError):
    """A consumer rejected an event; no handler saw any part of it, unless it is `HandlerFailed`.

    Attributes:
        reason: Stable and machine-readable; one for each class.
        event: The event's name, as far as it was readable.
        version: The event's version, as far as it was readable.
        violation: The first violation, where there is one; its pointer starts at the event, not at the payload.
        problem: What is wrong, where neither the reason nor a violation says it.
    """

    reason: ClassVar[str]

    def __init__(
        self,
        event: str | None = None,
        version: str | None = None,
        violation: Violation | None = None,
        *,
        problem: str | None = None,
        explain: Callable[[], Iterable[Violation]] | None = None,
    ) -> None:
        self.event = event
        self.version = version
        self.violation = violation
        self.problem = problem
        self._explain = explain
        self._violations: tuple[Violation, ...] | None = None

    @property
    def violations(self) -> tuple[Violation, ...]:
        """All violations, worked out when first read."""
        if self._violations is None:
            self._violations = tuple(self._explain()) if self._explain else ()
            if self.violation is not None and not self._violations:
                self._violations = (self.violation,)
        return self._violations

    @property
    def contract(self) -> str:
        """Name and version, as text: ``"job.updated v1"``; cut, and quoted, where what was on the wire is odd."""
        return " ".join(_shown(part) for part in (self.event, self.version) if part) or "an unreadable event"

    def _state(self) -> dict[str, Any]:
        return {**vars(self), "_violations": self.violations, "_explain": None}

    def __str__(self) -> str:
        problem = "" if self.problem is None else f": {self.problem}"
        return f"{self.contract} was rejected, {self.reason}{problem}{_listed(self.violations)}"


class Malformed(Rejection):
    """The bytes are no event: not JSON, not an object, too large, nested too deeply, or a bad envelope."""

    reason = "malformed"

    def __init__(
        self,
        problem: str,
        event: str | None = None,
        version: str | None = None,
        violation: Violation | None = None,
        *,
        explain: Callable[[], Iterable[Violation]] | None = None,
    ) -> None:
        super().__init__(event, version, violation, problem=problem, explain=explain)


class UnknownEvent(Rejection):
    """The catalog has no event of this name."""

    reason = "unknown-event"


class UnknownVersion(Rejection):
    """The catalog lacks this version of the event, or nothing here consumes it; a strict consumer does not guess."""

    reason = "unknown-version"


class RetiredVersion(Rejection):
    """The version is retired."""

    reason = "retired-version"


class UnexpectedProducer(Rejection):
    """The envelope names a producer that does not own the event."""

    reason = "unexpected-producer"


class InvalidPayload(Rejection):
    """The payload breaks the contract."""

    reason = "invalid-payload"


class InvalidUpcast(Rejection):
    """An upcast returned a payload that breaks the contract of its target version."""

    reason = "invalid-upcast"


class HandlerFailed(Rejection):
    """The event's handler failed as often as the consumer's `attempts` allow; what it raised last is the cause."""

    reason = "handler-failed"


class ViewError(JobariumEventsError):
    """A handler's own payload type refuses an event that the contract accepts: the type is at fault, not the event.

    Attributes:
        event: The event's name.
        version: Its version.
        view: Name of the handler's payload type.
        places: JSON Pointers into the payload with what the type says of them, values left out.
    """

    def __init__(self, event: str, version: str, view: str, places: Iterable[str]) -> None:
        self.event = event
        self.version = version
        self.view = view
        self.places = tuple(places)

    def __str__(self) -> str:
        return (
            f"{self.view} refuses an event, {self.event} {self.version}, that its contract accepts; mend {self.view}:"
            + "".join(f"\n  - {place}" for place in self.places)
        )
