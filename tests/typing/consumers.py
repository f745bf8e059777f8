"""What a type checker says of handlers, upcasts and outcomes. Never executed."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any, assert_never, assert_type
from uuid import UUID

from jobarium_events import Catalog, Consumed, Consumer, DeadLetter, Event, Outcome, Violation
from jobarium_events.payloads import BillingUsageUpdatedV1, BillingUsageUpdatedV2, JobUpdatedV1

consumer = Consumer(Catalog.bundled(), name="taker", strict=False)


@consumer.on(JobUpdatedV1)
def refresh(event: Event[JobUpdatedV1]) -> int:
    assert_type(event.payload.job_version, int)
    assert_type(event.event_id, UUID)
    assert_type(event.occurred_at, datetime)
    assert_type(event.tenant_id, str | None)
    assert_type(event.replay, bool)
    event.payload.job_versoin  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]
    event.payload = event.payload  # type: ignore[misc]  # pyright: ignore[reportAttributeAccessIssue]
    return event.payload.job_version


assert_type(refresh, Callable[[Event[JobUpdatedV1]], int])


@consumer.on(BillingUsageUpdatedV2)
async def count(event: Event[BillingUsageUpdatedV2]) -> None:
    assert_type(event.payload.delta, int)


@consumer.on(BillingUsageUpdatedV1)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
def of_another(event: Event[JobUpdatedV1]) -> None: ...


@consumer.on(JobUpdatedV1)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
def of_a_payload(payload: JobUpdatedV1) -> None: ...


@consumer.on("job.updated", "v1")
def by_name(event: Event[dict[str, Any]]) -> None: ...


by_name(Event)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


consumer.on("job.updated")  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType]
consumer.on("job.updated", 1)  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType]


@consumer.upcast
def upcast(payload: BillingUsageUpdatedV1, event: Event[Any]) -> BillingUsageUpdatedV2:
    return BillingUsageUpdatedV2(
        organization_id=payload.organization_id,
        billing_month=payload.billing_month,
        metric_name=payload.metric_name,
        delta=payload.delta,  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
        updated_at=payload.updated_at,
        source_event_id=payload.source_event_id or str(event.event_id),
    )


def takes_any(event: Event[object]) -> None: ...


refresh_any: Callable[[Event[JobUpdatedV1]], None] = takes_any  # an event is covariant in its payload

outcome = consumer.consume(b"{}", {"replay": "true"})
assert_type(outcome, Outcome)
text: str = outcome
number: int = consumer.consume(b"{}")  # type: ignore[assignment]  # pyright: ignore[reportAssignmentType]
consumer.consume(b"{}").handled  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]
Outcome.REJECTED  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]
consumer.consume({})  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
consumer.consume(b"{}", {"replay": True})  # type: ignore[dict-item]  # pyright: ignore[reportArgumentType]
consumer.consumes(b"{}")  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]


def act(outcome: Outcome) -> bool:
    match outcome:
        case Outcome.HANDLED | Outcome.DUPLICATE | Outcome.STALE:
            return True
        case Outcome.SKIPPED | Outcome.DEAD_LETTERED:
            return False
        case _:
            assert_never(outcome)


def act_on_too_few(outcome: Outcome) -> bool:
    match outcome:
        case Outcome.HANDLED:
            return True
        case _:
            assert_never(outcome)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


async def consume() -> Outcome:
    assert_type(await consumer.aconsume(b"{}"), Outcome)
    return consumer.aconsume(b"{}")  # type: ignore[return-value]  # pyright: ignore[reportReturnType]


def keep(letter: DeadLetter) -> None:
    assert_type(letter.violations, tuple[Violation, ...])
    assert_type(letter.raw, bytes)
    letter.raw = b""  # type: ignore[misc]  # pyright: ignore[reportAttributeAccessIssue]


async def keep_later(letter: DeadLetter) -> None: ...


def keep_wrongly(letter: str) -> None: ...


later: Callable[[DeadLetter], Awaitable[None]] = keep_later
Consumer(Catalog.bundled(), name="taker", dead_letters=keep)
Consumer(Catalog.bundled(), name="taker", dead_letters=keep_later)
Consumer(Catalog.bundled(), name="taker", dead_letters=keep_wrongly)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
Consumer(Catalog.bundled(), "taker")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]


class Recording:
    def emitted(self, details: object) -> None: ...

    def consumed(self, details: Consumed) -> None:
        assert_type(details.outcome, Outcome | None)


class Incomplete:
    def consumed(self, details: Consumed) -> None: ...


Consumer(Catalog.bundled(), name="taker", hooks=[Recording()])
Consumer(Catalog.bundled(), name="taker", hooks=[Incomplete()])  # type: ignore[list-item]  # pyright: ignore[reportArgumentType]
