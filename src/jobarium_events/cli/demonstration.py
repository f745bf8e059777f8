"""Services that publish and consume events, as services of your own would; the broker is a transport in memory."""

import warnings
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from msgspec import Struct

from jobarium_events import Catalog, Consumer, DeadLetter, Event, Message, Outcome, Producer
from jobarium_events.payloads import (
    BillingUsageUpdatedV1,
    BillingUsageUpdatedV2,
    CandidateDocumentParsedV1,
    CandidateDocumentUploadedV1,
    CandidateEnrichmentCompletedV1,
    CandidateEnrichmentRequestedV1,
    InviteCreatedV1,
    InviteExpiredV1,
    JobUpdatedV1,
    MatchingShortlistChangedV1,
    PacketReadyV1,
    ProfileUpdatedV1,
    QaAuthenticityAssessedV1,
    QaSubmittedV1,
)
from jobarium_events.testing import Delivery, InMemoryTransport

__all__ = ["Ending", "Seen", "demonstrate"]

NOW = datetime(2026, 10, 5, 9, 30, tzinfo=UTC)

BILLING = "billing.usage.updated"


class Ending(NamedTuple):
    """How an event ends: its outcome, and why if that needs a reason."""

    outcome: str
    reason: str = ""


HANDLED = Ending(Outcome.HANDLED)
UPCAST = Ending(Outcome.HANDLED, "upcast to v2")


class Seen(NamedTuple):
    """What became of one event."""

    event: str
    version: str
    outcome: str
    reason: str
    pointer: str
    expected: Ending

    @property
    def as_expected(self) -> bool:
        """Whether it ended as it should."""
        return (self.outcome, self.reason) == self.expected


class AnalyticsService:
    """Consumes every event: a handler for each version that it knows, and an upcast for the one that is deprecated."""

    def __init__(self, catalog: Catalog) -> None:
        self.statuses: dict[str, str] = {}
        self.usage: Counter[str] = Counter()
        self.handled: list[Event[Any]] = []
        self.dead_letters: list[DeadLetter] = []
        self.consumer = Consumer(catalog, name="analytics-service", strict=True, dead_letters=self.dead_letters.append)
        self.consumer.on(JobUpdatedV1)(self.follow_job)
        self.consumer.on(BillingUsageUpdatedV2)(self.count_usage)
        self.consumer.upcast(with_source)
        for contract in catalog:
            if contract.event not in ("job.updated", BILLING):
                self.consumer.on(contract.event, contract.version)(self.note)
        self.consumer.verify()  # refuses to start while a version that may arrive has neither handler nor upcast

    def follow_job(self, event: Event[JobUpdatedV1]) -> None:
        """Handle job.updated v1; the payload is typed, so a type checker knows its fields."""
        self.statuses[event.payload.job_id] = event.payload.status
        self.note(event)

    def count_usage(self, event: Event[BillingUsageUpdatedV2]) -> None:
        """Handle billing.usage.updated v2, and v1 after its upcast."""
        self.usage[event.payload.metric_name] += event.payload.delta
        self.note(event)

    def note(self, event: Event[Any]) -> None:
        """Handle any other event."""
        self.handled.append(event)


def with_source(payload: BillingUsageUpdatedV1, event: Event[BillingUsageUpdatedV1]) -> BillingUsageUpdatedV2:
    """Upcast billing usage from v1 to v2. What it cannot upcast goes to the dead letters, and is not rounded."""
    if not payload.delta.is_integer():
        raise ValueError("delta is no whole number")
    return BillingUsageUpdatedV2(
        organization_id=payload.organization_id,
        billing_month=payload.billing_month,
        metric_name=payload.metric_name,
        delta=int(payload.delta),
        updated_at=payload.updated_at,
        source_event_id=payload.source_event_id or str(event.event_id),
    )


def demonstrate() -> list[Seen]:
    """Emit good events and send bad ones, deliver them all, and return what became of each."""
    catalog = Catalog.bundled()
    transport = InMemoryTransport(attempts=1)
    service = AnalyticsService(catalog)
    transport.subscribe(service.consumer)

    expected = [*emit_events(catalog, transport), *emit_usage(catalog, transport), *send_bad_bytes(transport)]
    deliveries = transport.deliver()

    handled, dead_letters = iter(service.handled), iter(service.dead_letters)
    return [
        seen(delivery, ending, handled, dead_letters) for delivery, ending in zip(deliveries, expected, strict=True)
    ]


def emit_events(catalog: Catalog, transport: InMemoryTransport) -> Iterator[Ending]:
    """Emit each event that has one version, by the service that owns it."""
    for payload in samples():
        contract = catalog.contract(type(payload))
        producer = Producer(catalog, name=contract.owner, send=transport.send)
        producer.emit(payload)
        yield HANDLED


def emit_usage(catalog: Catalog, transport: InMemoryTransport) -> Iterator[Ending]:
    """Emit billing usage in both versions of the dual-consume window, first v1 and then v2."""
    declared = {BILLING: "v1"}  # in a service, a feature flag: turned back without a deploy
    producer = Producer(catalog, name="billing-service", send=transport.send, declares=declared.get)
    v1 = {
        "organization_id": "org-4",
        "billing_month": "2026-10",
        "metric_name": "packets_generated",
        "updated_at": NOW.isoformat(),
    }
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # v1 is deprecated, and the library says so
        producer.emit(BILLING, v1 | {"delta": 3})
        yield UPCAST
        producer.emit(BILLING, v1 | {"delta": 0.5})
        yield Ending(Outcome.DEAD_LETTERED, "invalid-upcast")
    declared[BILLING] = "v2"
    producer.emit(BILLING, v1 | {"delta": 3, "source_event_id": "packet-9"})
    yield HANDLED


def send_bad_bytes(transport: InMemoryTransport) -> Iterator[Ending]:
    """Send what no producer of this library would, as bytes that came from elsewhere."""
    good = (
        b'{"event_name": "job.updated", "event_version": "v1", "event_id": "01999d1e-7f31-7c8a-9f6e-3f6f0d3c2b1a",'
        b' "occurred_at": "2026-10-05T09:30:00Z", "producer": "job-service", "trace_id": "t-1",'
        b' "idempotency_key": "job.updated:j-7:4", "payload":'
        b' {"job_id": "j-7", "job_version": 4, "status": "active", "updated_at": "2026-10-05T09:30:00Z"}}'
    )
    transport.send(Message(good.replace(b'"v1"', b'"v9"'), {}))
    yield Ending(Outcome.DEAD_LETTERED, "unknown-version")
    transport.send(Message(good.replace(b'"active"', b'"on hold"'), {}))
    yield Ending(Outcome.DEAD_LETTERED, "invalid-payload")
    transport.send(Message(good[:150], {}))
    yield Ending(Outcome.DEAD_LETTERED, "malformed")


def samples() -> Iterator[Struct]:
    """Yield a payload of each event that has one version."""
    yield ProfileUpdatedV1(candidate_id="c-1", profile_version=2, changed_fields=["skills"], updated_at=NOW)
    yield JobUpdatedV1(job_id="j-7", job_version=3, status="active", updated_at=NOW)
    yield CandidateDocumentUploadedV1(
        candidate_id="c-1",
        document_id="d-5",
        storage_uri="s3://resumes/d-5",
        mime_type="application/pdf",
        uploaded_at=NOW,
    )
    yield CandidateDocumentParsedV1(
        candidate_id="c-1",
        document_id="d-5",
        parse_job_id="p-8",
        parser_version="7",
        quality_score=0.92,
        completed_at=NOW,
    )
    yield CandidateEnrichmentRequestedV1(
        candidate_id="c-1", enrichment_version="3", reason="document_parsed", requested_at=NOW
    )
    yield CandidateEnrichmentCompletedV1(
        candidate_id="c-1", enrichment_version="3", signals_updated=["seniority"], completed_at=NOW
    )
    yield MatchingShortlistChangedV1(
        job_id="j-7", shortlist_version=1, entered_candidates=["c-1"], exited_candidates=[], computed_at=NOW
    )
    yield InviteCreatedV1(
        invite_id="i-2", job_id="j-7", candidate_id="c-1", expires_at=NOW + timedelta(days=7), created_at=NOW
    )
    yield InviteExpiredV1(invite_id="i-1", job_id="j-7", candidate_id="c-2", expired_at=NOW)
    yield QaSubmittedV1(session_id="s-6", invite_id="i-2", job_id="j-7", candidate_id="c-1", submitted_at=NOW)
    yield QaAuthenticityAssessedV1(
        session_id="s-6",
        candidate_id="c-1",
        job_id="j-7",
        policy_result="likely_self_authored",
        authenticity_score=91.5,
        confidence=0.8,
        model_version="m-4",
        assessed_at=NOW,
    )
    yield PacketReadyV1(packet_id="packet-9", job_id="j-7", candidate_id="c-1", session_id="s-6", ready_at=NOW)


def seen(
    delivery: Delivery, expected: Ending, handled: Iterator[Event[Any]], dead_letters: Iterator[DeadLetter]
) -> Seen:
    """Return what became of a delivery, told by the service's own records."""
    sent = delivery.message.attributes
    event, version, reason, pointer = sent.get("event_name"), sent.get("event_version"), "", ""
    if delivery.outcome is Outcome.HANDLED:
        seen_as = next(handled).event_version
        reason = "" if seen_as == version else f"upcast to {seen_as}"
    elif delivery.outcome is Outcome.DEAD_LETTERED:
        letter = next(dead_letters)
        event, version, reason = letter.event, letter.version, letter.reason
        pointer = letter.violations[0].pointer if letter.violations else ""
    outcome = delivery.outcome or type(delivery.error).__name__
    return Seen(event or "(unreadable)", version or "", outcome, reason, pointer, expected)
