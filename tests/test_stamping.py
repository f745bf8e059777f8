"""The fields around a payload: as they are stamped, and as they are given."""

import json
import sys
import threading
from datetime import UTC, datetime, timedelta, timezone
from types import SimpleNamespace
from uuid import UUID, uuid4

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobarium_events import Producer
from jobarium_events.errors import PayloadRefused
from tests.strategies import BUNDLED, moments, some, texts

JOB = {"job_id": "j-1", "job_version": 3, "status": "active", "updated_at": "2026-03-01T12:00:00Z"}
ORIGINAL = uuid4()


@pytest.fixture
def producer():
    return Producer(BUNDLED, name="job-service")


def stamped(producer, **fields):
    message = producer.prepare("job.updated", JOB, **fields)
    assert {**json.loads(message.body), "payload": 0} == {**message.attributes, "payload": 0}
    return message.attributes


@pytest.fixture
def telemetry(monkeypatch):
    span = SimpleNamespace(is_valid=True, trace_id=0xABC)
    current = SimpleNamespace(get_span_context=lambda: span)
    monkeypatch.setitem(sys.modules, "opentelemetry.trace", SimpleNamespace(get_current_span=lambda: current))
    return span


@pytest.mark.parametrize("fields", [{}, {"tenant_id": "t"}])
def test_what_is_stamped(producer, fields):
    before = datetime.now(UTC)
    attributes = stamped(producer, **fields)
    event_id = UUID(attributes["event_id"])
    assert event_id.version == 7
    assert before <= datetime.fromisoformat(attributes["occurred_at"]) <= datetime.now(UTC)
    assert attributes["occurred_at"].endswith("Z")
    assert attributes["trace_id"] == event_id.hex
    assert attributes["producer"] == "job-service"
    assert attributes["idempotency_key"] == "job.updated:j-1:3"
    assert attributes.keys() - fields.keys() == {
        "event_name", "event_version", "event_id", "occurred_at", "producer", "trace_id", "idempotency_key",
    }  # fmt: skip


def test_event_ids_differ_and_ascend(producer):
    ids = [stamped(producer)["event_id"] for _ in range(100)]
    assert ids == sorted(set(ids))


@pytest.mark.parametrize("fields", [{}, {"tenant_id": "t"}])
def test_the_trace_is_the_one_that_runs(producer, telemetry, fields):
    assert stamped(producer, **fields)["trace_id"] == f"{0xABC:032x}"
    assert stamped(producer, trace_id="given")["trace_id"] == "given"
    telemetry.is_valid = False
    attributes = stamped(producer, **fields)
    assert attributes["trace_id"] == attributes["event_id"].replace("-", "")


@some
@given(
    occurred_at=moments,
    event_id=st.one_of(st.uuids(), st.uuids().map(str), st.uuids().map(lambda each: each.hex.upper())),
    others=st.dictionaries(st.sampled_from(["trace_id", "tenant_id", "correlation_id", "schema_ref"]), texts),
)
def test_what_is_given_is_kept(occurred_at, event_id, others):
    attributes = stamped(Producer(BUNDLED, name="job-service"), occurred_at=occurred_at, event_id=event_id, **others)
    moment = msgspec.convert(attributes["occurred_at"], datetime)
    assert (moment, moment.utcoffset()) == (occurred_at, timedelta(0))
    assert UUID(attributes["event_id"]) == UUID(str(event_id))
    assert {name: attributes[name] for name in others} == others


def test_a_moment_whose_offset_has_seconds_is_given_in_utc_exactly():
    amsterdam = timezone(timedelta(minutes=19, seconds=32))
    attributes = stamped(Producer(BUNDLED, name="job-service"), occurred_at=datetime(1930, 1, 1, tzinfo=amsterdam))
    assert attributes["occurred_at"] == "1929-12-31T23:40:28Z"


@pytest.mark.parametrize(
    ("name", "value", "rule"),
    [
        ("event_id", "no-uuid", "format"),
        ("event_id", "", "format"),
        ("event_id", None, "format"),
        ("event_id", "\ud800", "format"),
        ("occurred_at", datetime(2026, 3, 1), "type"),  # noqa: DTZ001 - that it has no offset is the point
        ("occurred_at", "2026-03-01T12:00:00Z", "type"),
        ("occurred_at", None, "type"),
        ("occurred_at", datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=14))), "type"),
        ("occurred_at", datetime.max.replace(tzinfo=timezone(-timedelta(hours=14))), "type"),
        ("trace_id", 7, "type"),
        ("tenant_id", None, "type"),
        ("correlation_id", b"c", "type"),
        ("schema_ref", "\ud800", "type"),
    ],
)
def test_what_is_given_is_checked(producer, name, value, rule):
    with pytest.raises(PayloadRefused) as refused:
        producer.prepare("job.updated", JOB, **{name: value})
    assert [(each.pointer, each.rule) for each in refused.value.violations] == [(f"/{name}", rule)]


def test_only_some_fields_can_be_given(producer):
    with pytest.raises(TypeError, match="producer: no field"):
        producer.prepare("job.updated", JOB, producer="other")


def test_contexts_nest(producer):
    with producer.context(tenant_id="outer", correlation_id="c"):
        with producer.context(tenant_id="inner"):
            inner = stamped(producer, schema_ref="s")
            given_ = stamped(producer, tenant_id="given")
        outer = stamped(producer)
    assert [inner[name] for name in ("tenant_id", "correlation_id", "schema_ref")] == ["inner", "c", "s"]
    assert given_["tenant_id"] == "given"
    assert (outer["tenant_id"], outer["correlation_id"]) == ("outer", "c")
    assert "tenant_id" not in stamped(producer)


def test_a_context_ends_with_an_error_too_and_is_one_producers_own(producer):
    other = Producer(BUNDLED, name="job-service")

    def failing():
        with producer.context(tenant_id="t"):
            assert "tenant_id" not in stamped(other)
            raise LookupError

    with pytest.raises(LookupError):
        failing()
    assert "tenant_id" not in stamped(producer)


def test_a_context_is_one_threads_own(producer):
    seen = []
    with producer.context(tenant_id="here"):
        thread = threading.Thread(target=lambda: seen.append(stamped(producer)))
        thread.start()
        thread.join()
    assert ["tenant_id" in each for each in seen] == [False]


MAY = (
    "of the envelope that a caller may set; "
    "the fields that may be set: event_id, occurred_at, trace_id, tenant_id, correlation_id, schema_ref"
)
DECLARED = "the version of an event is set with Producer(declares=...)"


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"tenant": "t"}, f"tenant: no field {MAY}"),
        ({"tenant": "t", "b": 1}, f"b, tenant: no fields {MAY}"),
        ({"version": "v9"}, f"version: no field {MAY}; {DECLARED}"),
        ({"event_version": "v9"}, f"event_version: no field {MAY}; {DECLARED}"),
    ],
)
def test_a_field_that_cannot_be_set_leads_to_those_that_can(producer, fields, told):
    with pytest.raises(TypeError) as raised:
        producer.prepare("job.updated", JOB, **fields)
    assert str(raised.value) == told
