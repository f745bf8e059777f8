"""What a type checker says of payload classes and of emitting them. Never executed."""

from datetime import UTC, datetime
from typing import Literal, assert_type
from uuid import uuid4

from jobarium_events import Catalog, Message, Producer
from jobarium_events.payloads import BillingUsageUpdatedV2, JobUpdatedV1

now = datetime.now(UTC)

job = JobUpdatedV1(job_id="j", job_version=1, status="active", updated_at=now)
JobUpdatedV1(job_id="j", job_version=1, status="active", updated_at=now, changed_fields=["title"])
JobUpdatedV1(job_id="j", job_version=1, status="active", updated_at=now, changed_fields=None)
assert_type(job.job_id, str)
assert_type(job.job_version, int)
assert_type(job.status, Literal["draft", "active", "paused", "closed", "archived"])
assert_type(job.updated_at, datetime)
assert_type(job.changed_fields, list[str] | None)

JobUpdatedV1(job_idd="j", job_version=1, status="active", updated_at=now)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
JobUpdatedV1(job_version=1, status="active", updated_at=now)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
JobUpdatedV1("j", 1, "active", now)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
JobUpdatedV1(job_id=7, job_version=1, status="active", updated_at=now)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
JobUpdatedV1(job_id="j", job_version="1", status="active", updated_at=now)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
JobUpdatedV1(job_id="j", job_version=1, status="on", updated_at=now)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
JobUpdatedV1(job_id="j", job_version=1, status="active", updated_at="now")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
job.job_idd  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]
job.changed_fields.append("x")  # type: ignore[union-attr]  # pyright: ignore[reportOptionalMemberAccess]
job.job_id = "k"  # type: ignore[misc]  # pyright: ignore[reportAttributeAccessIssue]
BillingUsageUpdatedV2(  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    organization_id="o",
    billing_month="2026-03",
    metric_name="invites_sent",
    delta=1.5,  # type: ignore[arg-type]
    updated_at=now,
)  # the source_event_id that v1 could do without is missing

producer = Producer(Catalog.bundled(), name="job-service", declares={"job.updated": "v1"})
assert_type(producer.emit(job), Message)
assert_type(producer.prepare("job.updated", {"job_id": "j"}, tenant_id="t", event_id=uuid4(), occurred_at=now), Message)
with producer.context(correlation_id="c"):
    producer.replay(producer.emit(job).body, {"a": "b"})

producer.emit(job, tenant="t")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
producer.emit(job, tenant_id=7)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
producer.emit(job, occurred_at="now")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
producer.emit(job).body.encode()  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]
producer.replay("text")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
with producer.context(producer="other"):  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    pass
Producer(Catalog.bundled())  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
Producer(Catalog.bundled(), name="x", declares={"job.updated": 1})  # type: ignore[dict-item]  # pyright: ignore[reportArgumentType]


async def emit() -> None:
    assert_type(await producer.aemit(job), Message)
    message: Message = producer.aemit(job)  # type: ignore[assignment]  # pyright: ignore[reportAssignmentType]
    message.ordering_key
