"""The producer: what it refuses, what it declares, and how it sends."""

import asyncio
import dataclasses
import json
import warnings
from datetime import UTC, datetime

import pydantic
import pytest

from jobarium_events import Catalog, Emitted, Producer
from jobarium_events.errors import (
    DeclarationError,
    EmitRetired,
    ForeignEvent,
    Malformed,
    PayloadRefused,
    UndeclaredVersion,
    UnknownContract,
)
from jobarium_events.payloads import BillingUsageUpdatedV1, BillingUsageUpdatedV2, JobUpdatedV1
from jobarium_events.testing import captured
from tests import folders
from tests.strategies import BUNDLED, event_of, sample

NOW = datetime(2026, 3, 1, tzinfo=UTC)
JOB = {"job_id": "j-1", "job_version": 3, "status": "active", "updated_at": "2026-03-01T12:00:00Z"}
USAGE = sample(BUNDLED.contract("billing.usage.updated", "v1"))


@pytest.fixture
def sent():
    return []


@pytest.fixture
def producer(sent):
    return Producer(BUNDLED, name="job-service", send=sent.append)


@pytest.fixture
def chain(tmp_path):
    return folders.chain(tmp_path)


def usage(version):
    return USAGE if version == "v1" else {**USAGE, "delta": 1}


def versions(messages):
    return [message.attributes["event_version"] for message in messages]


# -- what is refused -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "event", "payload", "error"),
    [
        ("job-service", "job.updatd", JOB, UnknownContract("job.updatd", None, BUNDLED.events)),
        ("other", "job.updated", JOB, ForeignEvent("job.updated", "v1", "job-service", "other")),
        ("job-service", "job.updated", {**JOB, "status": "on"}, PayloadRefused),
        ("job-service", "job.updated", {}, PayloadRefused),
        ("job-service", "job.updated", [JOB], PayloadRefused),
        ("job-service", "job.updated", "text", PayloadRefused),
        ("job-service", JOB, None, DeclarationError),
        ("job-service", None, None, DeclarationError),
        ("job-service", "job.updated", None, DeclarationError),
        ("job-service", 7, JOB, DeclarationError),
        ("job-service", JobUpdatedV1, JOB, DeclarationError),
    ],
)
def test_what_is_refused_is_not_sent(name, event, payload, error, sent):
    producer = Producer(BUNDLED, name=name, send=sent.append)
    kind = error if isinstance(error, type) else type(error)
    with pytest.raises(kind) as refused:
        producer.emit(event, payload)
    assert type(refused.value) is kind
    assert isinstance(error, type) or refused.value == error
    assert sent == []


def test_lifecycles(chain, sent):
    def emit(version):
        Producer(chain, name="maker", declares={"thing.made": version}, send=sent.append).emit(
            "thing.made", {"id": "a", f"field_{version}": 1}
        )

    with pytest.raises(EmitRetired) as retired:
        emit("v5")
    assert retired.value == EmitRetired("thing.made", "v5")
    with pytest.warns(DeprecationWarning, match=r"thing\.made v1 is deprecated; emit v6"):
        emit("v1")
    emit("v4")  # a draft, but declared
    emit("v2")
    assert versions(sent) == ["v1", "v4", "v2"]
    assert Producer(chain, name="maker").declared("thing.made") == "v6"


def test_a_draft_has_to_be_declared(tmp_path, sent):
    drafts = folders.one(tmp_path, folders.schema({"id": folders.TEXT}), lines="")
    producer = Producer(drafts, name="maker", send=sent.append)
    for ask in (lambda: producer.emit("thing.made", {"id": "a"}), lambda: producer.declared("thing.made")):
        with pytest.raises(UndeclaredVersion) as refused:
            ask()
        assert refused.value == UndeclaredVersion("thing.made", None, None)
    assert sent == []


def test_a_class_of_another_version_than_is_declared(sent):
    producer = Producer(BUNDLED, name="billing-service", declares={"billing.usage.updated": "v2"}, send=sent.append)
    payload = BillingUsageUpdatedV1(**USAGE | {"updated_at": NOW})
    for emit in (lambda: producer.emit(payload), lambda: producer.emit("billing.usage.updated", payload)):
        with pytest.raises(UndeclaredVersion) as refused:
            emit()
        assert refused.value == UndeclaredVersion("billing.usage.updated", "v1", "v2")
    assert sent == []


def test_a_class_emitted_by_name_does_not_settle_the_version_of_the_name(sent):
    producer = Producer(BUNDLED, name="billing-service", send=sent.append)
    with pytest.warns(DeprecationWarning, match="emit v2"):
        producer.emit("billing.usage.updated", BillingUsageUpdatedV1(**USAGE | {"updated_at": NOW}))
    producer.emit("billing.usage.updated", usage("v2"))
    producer.emit("billing.usage.updated", usage("v2"))
    assert versions(sent) == ["v1", "v2", "v2"]


def test_a_class_under_another_events_name(producer, sent):
    with pytest.raises(
        DeclarationError, match=r"BillingUsageUpdatedV2 is a payload of billing\.usage\.updated, not of"
    ):
        producer.emit("job.updated", BillingUsageUpdatedV2(**usage("v2") | {"updated_at": NOW}))
    assert sent == []


def test_a_class_of_another_catalog(tmp_path, sent):
    other = folders.one(tmp_path, folders.schema({"id": folders.TEXT}))
    with pytest.raises(UnknownContract):
        Producer(other, name="maker", send=sent.append).emit(JobUpdatedV1(**JOB | {"updated_at": NOW}))
    assert sent == []


# -- which version -------------------------------------------------------------------------------------------------


def test_declares_must_name_contracts_of_the_catalog():
    for event, version, told in (
        ("job.updated", "v7", "the catalog has no job.updated v7; it has v1"),
        ("job.updatd", "v1", "the catalog has no event 'job.updatd'; did you mean job.updated or profile.updated?"),
    ):
        with pytest.raises(DeclarationError) as raised:
            Producer(BUNDLED, name="job-service", declares={event: version})
        assert str(raised.value) == f"`declares` names {event} {version}, but {told}"
    for wrong in ({JobUpdatedV1: "v1"}, {"job.updated": None}, {7: "v1"}, {"job.updated": JobUpdatedV1}):
        with pytest.raises(DeclarationError, match="must map names of events to versions"):
            Producer(BUNDLED, name="job-service", declares=wrong)


def test_declares_is_read_once_as_a_mapping_and_every_time_as_a_callable(sent):
    mapping, flag = {"billing.usage.updated": "v2"}, {"billing.usage.updated": "v2"}
    fixed = Producer(BUNDLED, name="billing-service", declares=mapping, send=sent.append)
    flipping = Producer(BUNDLED, name="billing-service", declares=flag.get, send=sent.append)
    for producer in (fixed, flipping):
        producer.emit("billing.usage.updated", usage("v2"))
    mapping["billing.usage.updated"] = flag["billing.usage.updated"] = "v1"
    fixed.emit("billing.usage.updated", usage("v2"))
    with pytest.warns(DeprecationWarning, match="deprecated"):
        flipping.emit("billing.usage.updated", usage("v1"))
    flag["billing.usage.updated"] = "v2"
    flipping.emit("billing.usage.updated", usage("v2"))
    assert versions(sent) == ["v2", "v2", "v2", "v1", "v2"]
    assert flipping.declared("billing.usage.updated") == "v2"


def test_a_flag_is_asked_once_for_each_event(sent):
    answers = iter(["v2", "v1", "v2"])
    producer = Producer(BUNDLED, name="billing-service", declares=lambda _: next(answers), send=sent.append)
    producer.emit("billing.usage.updated", usage("v2"))
    with pytest.warns(DeprecationWarning, match="deprecated"):
        producer.emit("billing.usage.updated", usage("v1"))
    assert versions(sent) == ["v2", "v1"]


def test_a_flag_may_have_no_answer_or_a_wrong_one():
    producer = Producer(BUNDLED, name="job-service", declares={"job.updated": "v9"}.get)
    with pytest.raises(UnknownContract) as unknown:
        producer.prepare("job.updated", JOB)
    assert unknown.value == UnknownContract("job.updated", "v9", ["v1"])
    assert Producer(BUNDLED, name="job-service", declares=lambda _: None).declared("job.updated") == "v1"


def test_deprecated_warns_once_and_where_it_is_emitted(sent):
    producer = Producer(BUNDLED, name="billing-service", declares=lambda _: "v1", send=sent.append)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        producer.emit("billing.usage.updated", USAGE)
        producer.emit("billing.usage.updated", USAGE)
    assert [(each.category, each.filename) for each in caught] == [(DeprecationWarning, __file__)]


# -- sending -------------------------------------------------------------------------------------------------------


class JobModel(pydantic.BaseModel):
    job_id: str
    job_version: int
    status: str
    updated_at: str
    changed_fields: list[str] | None = None


@dataclasses.dataclass
class JobData:
    job_id: str
    job_version: int
    status: str
    updated_at: str
    changed_fields: list[str] | None = None


@pytest.mark.parametrize("make", [dict, JobModel, JobData])
def test_every_form_of_a_payload_gives_the_same_event(producer, sent, make):
    given = make(**JOB)
    message = producer.emit("job.updated", given)
    assert sent == [message]
    assert json.loads(message.body)["payload"] == JOB
    assert given == make(**JOB)


def test_the_body_begins_with_name_and_version_and_ends_with_the_payload(producer):
    message = producer.prepare("job.updated", JOB, tenant_id="t", schema_ref="s", correlation_id="c")
    assert message.body.startswith(b'{"event_name":"job.updated","event_version":"v1","event_id":"')
    document = json.loads(message.body)
    assert list(document)[-1] == "payload"
    assert {**document, "payload": None} == {**message.attributes, "payload": None}
    assert message.ordering_key == "j-1"
    assert Producer(BUNDLED, name="qa-service").prepare(
        "qa.submitted", sample(BUNDLED.contract("qa.submitted", "v1"))
    ).ordering_key is None  # fmt: skip


def test_without_send(sent):
    producer = Producer(BUNDLED, name="job-service")
    assert producer.prepare("job.updated", JOB).attributes["event_name"] == "job.updated"
    with pytest.raises(DeclarationError, match="has no send"):
        producer.emit("job.updated", JOB)
    with captured(producer) as messages:
        message = producer.emit("job.updated", JOB)
    assert messages == [message]
    assert producer.send is None


async def test_an_async_send_needs_aemit(sent):
    async def send(message):
        await asyncio.sleep(0)
        sent.append(message)

    producer = Producer(BUNDLED, name="job-service", send=send)
    with pytest.raises(DeclarationError, match="use aemit"):
        producer.emit("job.updated", JOB)
    assert sent == []
    message = await producer.aemit("job.updated", JOB)
    assert sent == [message]
    assert await producer.areplay(message.body) == sent[1]


async def test_aemit_takes_a_plain_send_too(producer, sent):
    assert [await producer.aemit("job.updated", JOB)] == sent


def test_what_send_raises_comes_through(sent):
    failure = ConnectionError("gone")

    def send(message):
        raise failure

    producer = Producer(BUNDLED, name="job-service", send=send)
    with pytest.raises(ConnectionError) as raised:
        producer.emit("job.updated", JOB)
    assert raised.value is failure


# -- replays -------------------------------------------------------------------------------------------------------


def test_a_replay_keeps_the_bytes(producer, sent):
    message = producer.emit("job.updated", JOB)
    replay = producer.replay(message.body, {"event_name": "wrong", "other": "kept"})
    assert replay.body is message.body
    assert replay.attributes == {**message.attributes, "other": "kept", "replay": "true"}
    assert replay.ordering_key == message.ordering_key
    assert sent == [message, replay]
    assert producer.prepare_replay(message.body).attributes == {**message.attributes, "replay": "true"}


@pytest.mark.parametrize(
    ("name", "raw", "error"),
    [
        ("job-service", b"{", Malformed),
        ("job-service", b"{}", Malformed),
        ("job-service", event_of(BUNDLED.contract("job.updated", "v1"), {}), PayloadRefused),
        ("job-service", event_of(BUNDLED.contract("job.updated", "v1"), JOB, producer="x"), ForeignEvent),
        ("other", event_of(BUNDLED.contract("job.updated", "v1"), JOB), ForeignEvent),
        ("job-service", event_of(BUNDLED.contract("job.updated", "v1"), JOB, event_name="no"), UnknownContract),
    ],
)
def test_what_cannot_be_replayed(name, raw, error, sent):
    producer = Producer(BUNDLED, name=name, send=sent.append)
    with pytest.raises(error):
        producer.replay(raw if isinstance(raw, bytes) else json.dumps(raw).encode())
    assert sent == []


def test_a_retired_event_is_not_replayed(chain: Catalog):
    event = event_of(chain.contract("thing.made", "v5"), {"id": "a", "field_v5": 1})
    with pytest.raises(EmitRetired):
        Producer(chain, name="maker").prepare_replay(json.dumps(event).encode())


# -- hooks ---------------------------------------------------------------------------------------------------------


class Recording:
    def __init__(self):
        self.seen: list[Emitted] = []

    def emitted(self, details):
        self.seen.append(details)


class Failing:
    def emitted(self, details):
        raise OSError("the hook's own trouble")


async def test_hooks_hear_of_each_attempt(sent, caplog):
    recording = Recording()
    producer = Producer(BUNDLED, name="job-service", send=sent.append, hooks=[Failing(), recording])
    producer.emit("job.updated", JOB)
    await producer.aemit(JobUpdatedV1(**JOB | {"updated_at": NOW}))
    for event, payload in (("job.updated", {}), ("nope", {}), ("qa.submitted", {}), (7, None)):
        with pytest.raises((PayloadRefused, UnknownContract, ForeignEvent, DeclarationError)):
            producer.emit(event, payload)
    producer.send = None
    with pytest.raises(DeclarationError):
        producer.emit("job.updated", JOB)
    assert [(each.event, each.version, each.reason) for each in recording.seen] == [
        ("job.updated", "v1", None),
        ("job.updated", "v1", None),
        ("job.updated", "v1", "invalid-payload"),
        ("nope", None, "unknown-contract"),
        ("qa.submitted", "v1", "foreign-event"),
        (None, None, "error"),
        ("job.updated", "v1", "error"),
    ]
    assert {(each.producer, each.prepared) for each in recording.seen} == {("job-service", False)}
    assert all(each.seconds >= 0 for each in recording.seen)
    assert len(sent) == 2
    assert caplog.messages == ["the hook 'Failing' failed"] * 7


def test_hooks_hear_of_what_is_prepared_for_others_to_send():
    recording = Recording()
    producer = Producer(BUNDLED, name="job-service", hooks=[recording])
    message = producer.prepare("job.updated", JOB)
    producer.prepare_replay(message.body)
    with pytest.raises(PayloadRefused):
        producer.prepare("job.updated", {})
    with pytest.raises(Malformed):
        producer.prepare_replay(b"{}")
    assert [(each.event, each.version, each.reason, each.prepared) for each in recording.seen] == [
        ("job.updated", "v1", None, True),
        ("job.updated", "v1", None, True),
        ("job.updated", "v1", "invalid-payload", True),
        (None, None, "malformed", True),
    ]
