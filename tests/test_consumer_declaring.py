"""Handlers: how they are declared, what is refused where it is declared, and what verify finds."""

from __future__ import annotations

import functools
import json
from typing import Any

import pytest

from jobarium_events import Catalog, Consumed, Consumer, Event, Outcome
from jobarium_events.errors import ConsumptionGap, DeclarationError, InvalidPayload, UnknownVersion
from jobarium_events.payloads import BillingUsageUpdatedV1, BillingUsageUpdatedV2, JobUpdatedV1, QaSubmittedV1
from tests import folders
from tests.strategies import BUNDLED, event_of, sample

CONTRACT = BUNDLED.contract("job.updated", "v1")
RAW = json.dumps(event_of(CONTRACT, sample(CONTRACT)), separators=(",", ":")).encode()


@pytest.fixture
def consumer():
    return Consumer(BUNDLED, name="taker")


class Service:
    def __init__(self) -> None:
        self.got: list[Event[Any]] = []

    def method(self, event: Event[JobUpdatedV1]) -> None:
        self.got.append(event)

    async def async_method(self, event: Event[JobUpdatedV1]) -> None:
        self.got.append(event)

    def two(self, tag: str, event: Event[dict[str, Any]]) -> None:
        self.got.append(event)

    def __call__(self, event: Event[JobUpdatedV1]) -> None:
        self.got.append(event)


class AsyncCallable(Service):
    async def __call__(self, event: Event[JobUpdatedV1]) -> None:  # type: ignore[override]
        self.got.append(event)


HANDLERS = {
    "method": lambda service: service.method,
    "callable": lambda service: service,
    "partial": lambda service: functools.partial(service.two, "tag"),
    "built in": lambda service: service.got.append,
    "lambda": lambda service: lambda event: service.got.extend([event]),
    "keyword-only rest": lambda service: lambda event, *, flag=0: service.got.extend([event]),
    "all": lambda service: lambda *events: service.got.extend(events),
}


@pytest.mark.parametrize("make", HANDLERS.values(), ids=HANDLERS)
async def test_what_a_handler_may_be(consumer, make):
    service = Service()
    handler = make(service)
    assert consumer.on(JobUpdatedV1)(handler) is handler
    assert consumer.consume(RAW) is Outcome.HANDLED
    assert await consumer.aconsume(RAW) is Outcome.HANDLED
    kind = dict if isinstance(handler, functools.partial) else JobUpdatedV1
    assert [type(event.payload) for event in service.got] == [kind, kind]


@pytest.mark.parametrize(
    "make",
    [lambda service: service.async_method, lambda service: service, functools.partial],
    ids=["method", "callable", "partial"],
)
async def test_what_an_async_handler_may_be(consumer, make):
    service = AsyncCallable()
    consumer.on(JobUpdatedV1)(make(service))
    assert await consumer.aconsume(RAW) is Outcome.HANDLED
    assert len(service.got) == 1
    with pytest.raises(DeclarationError, match="use aconsume"):
        consumer.consume(RAW)


def none(event: Event[JobUpdatedV1]) -> None:
    raise NotImplementedError


def of_another(event: Event[QaSubmittedV1]) -> None:
    raise NotImplementedError


def of_no_event(event: JobUpdatedV1) -> None:
    raise NotImplementedError


def of_a_list(event: Event[list[int]]) -> None:
    raise NotImplementedError


def of_what_is_not_there(event: Event[NoSuchThing]) -> None:  # type: ignore[name-defined]  # noqa: F821
    raise NotImplementedError


def of_two(event: Event[JobUpdatedV1], other: object) -> None:
    raise NotImplementedError


def of_none() -> None:
    raise NotImplementedError


def of_keywords(*, event: Event[JobUpdatedV1]) -> None:
    raise NotImplementedError


def of_an_open_class(event: Event[type]) -> None:
    raise NotImplementedError


@pytest.mark.parametrize(
    ("name", "handler", "message"),
    [
        (("job.updated",), none, 'on("job.updated", "v1")'),
        (("job.updated", 1), none, 'on("job.updated", "v1")'),
        (("job.updated", "1"), none, "versions are written v1, v2"),
        (("job.updated", "v01"), none, "versions are written v1, v2"),
        ((none,), none, 'on("job.updated", "v1")'),
        ((int,), none, "use a generated payload class"),
        ((QaSubmittedV1,), none, "register it for that, or upcast"),
        ((JobUpdatedV1,), of_another, "register it for that, or upcast"),
        (("job.updated", "v1"), of_no_event, "annotate it as Event[...]"),
        (("job.updated", "v1"), of_a_list, "take its class, dict, a pydantic model"),
        (("job.updated", "v1"), of_an_open_class, "take its class, dict, a pydantic model"),
        (("job.updated", "v1"), of_what_is_not_there, "at run time, not under TYPE_CHECKING"),
        ((JobUpdatedV1,), of_two, "a handler takes one argument"),
        ((JobUpdatedV1,), of_none, "a handler takes one argument"),
        ((JobUpdatedV1,), of_keywords, "a handler takes one argument"),
        ((JobUpdatedV1,), None, "register what is to be called"),
        ((JobUpdatedV1,), "none", "register what is to be called"),
    ],
)
def test_a_malformed_handler_fails_where_it_is_declared(consumer, name, handler, message):
    with pytest.raises(DeclarationError) as refused:
        consumer.on(*name)(handler)
    assert message in str(refused.value)
    assert consumer.consume(RAW) is Outcome.SKIPPED


def test_a_contract_has_one_handler(consumer):
    consumer.on(JobUpdatedV1)(none)
    for again in ((JobUpdatedV1,), ("job.updated", "v1")):
        with pytest.raises(DeclarationError, match="has a handler already"):
            consumer.on(*again)(of_another)


def test_a_class_from_another_schema_is_refused(tmp_path):
    other = folders.write(
        tmp_path,
        folders.table("job.updated", {"v1": 'key = "k:{job_id}"\nintroduced = "1"'}, owner="job-service"),
        {"job.updated/v1.json": folders.schema({"job_id": folders.TEXT})},
    )
    catalog = Catalog.load(other)
    for declare in (
        lambda: Consumer(catalog, name="taker").on(JobUpdatedV1)(print),
        lambda: catalog.contract(JobUpdatedV1),
        lambda: catalog.entry(JobUpdatedV1),
    ):
        with pytest.raises(
            DeclarationError, match=r"JobUpdatedV1 was generated from another schema of job\.updated v1"
        ):
            declare()


def test_handlers_may_be_registered_after_the_first_event(consumer):
    first, second = [], []
    consumer.on(JobUpdatedV1)(first.append)
    usage = BUNDLED.contract("billing.usage.updated", "v2")
    raw = json.dumps(event_of(usage, sample(usage)), separators=(",", ":")).encode()
    assert [consumer.consume(RAW), consumer.consume(raw)] == ["handled", "skipped"]
    consumer.on(BillingUsageUpdatedV2)(second.append)
    assert [consumer.consume(raw), consumer.consume(RAW)] == ["handled", "handled"]
    assert (len(first), len(second)) == (2, 1)


# -- verify --------------------------------------------------------------------------------------------------------


def test_verify_of_what_is_complete(consumer):
    consumer.verify()
    consumer.on(JobUpdatedV1)(none)
    consumer.on(BillingUsageUpdatedV2)(print)
    consumer.on(BillingUsageUpdatedV1)(print)
    consumer.verify()
    assert consumer.name == "taker"


def test_verify_finds_every_gap(tmp_path):
    consumer = Consumer(folders.chain(tmp_path), name="taker")
    consumer.on("thing.made", "v2")(print)
    consumer.on("thing.made", "v5")(print)
    consumer.on("thing.made", "v9")(print)
    consumer.on("other.made", "v1")(print)
    consumer.upcast("thing.made", "v8", "v9")(lambda payload: payload)
    consumer.upcast("thing.made", "v1", "v2")(lambda payload: payload)
    lacking = "the catalog has no thing.made"
    with pytest.raises(ConsumptionGap) as gap:
        consumer.verify()
    assert gap.value == ConsumptionGap(
        "taker",
        [
            "other.made v1 has a handler, but the catalog has no event 'other.made'; did you mean thing.made?",
            "thing.made v5 is retired; remove its handler",
            f"thing.made v9 has a handler, but {lacking} v9; it has v1, v2, v3, v4, v5, v6",
            f"an upcast leads from thing.made v8, but {lacking} v8; it has v1, v2, v3, v4, v5, v6",
            f"an upcast leads to thing.made v9, but {lacking} v9; it has v1, v2, v3, v4, v5, v6",
            "thing.made v3 is active and nothing consumes it; add a handler, or an upcast to a version that has one",
            "thing.made v6 is active and nothing consumes it; add a handler, or an upcast to a version that has one",
        ],
    )
    assert isinstance(gap.value, DeclarationError)
    assert str(gap.value).count("\n  - ") == 7


def test_a_version_in_a_gap_is_not_guessed(tmp_path):
    consumer = Consumer(folders.chain(tmp_path), name="taker")
    consumer.on("thing.made", "v2")(print)
    raw = event_of(CONTRACT, {"id": "a", "field_v3": 1}) | {
        "event_name": "thing.made", "event_version": "v3", "producer": "maker",
    }  # fmt: skip
    with pytest.raises(UnknownVersion) as rejected:
        consumer.consume(json.dumps(raw).encode())
    assert rejected.value.problem == "this consumer takes v2; add a handler, or an upcast to a version that has one"
    consumer.upcast("thing.made", "v1", "v2")(lambda payload: payload)
    consumer.on("thing.made", "v10")(print)
    with pytest.raises(UnknownVersion) as rejected:
        consumer.consume(json.dumps(raw | {"event_version": "v9"}).encode())
    assert rejected.value.problem == (
        "this consumer takes v1, v2, and the catalog has v1, v2, v3, v4, v5, v6; install one that has the version"
    )


# -- hooks ---------------------------------------------------------------------------------------------------------


class Recording:
    def __init__(self) -> None:
        self.seen: list[Consumed] = []

    def consumed(self, details: Consumed) -> None:
        self.seen.append(details)


class Failing:
    def consumed(self, details: Consumed) -> None:
        raise OSError("the hook's own trouble")


async def test_hooks_hear_of_each_event(caplog):
    def handler(event: Event[JobUpdatedV1]) -> None:
        if event.tenant_id:
            raise LookupError

    recording = Recording()
    letters: list[Any] = []
    for dead_letters in (None, letters.append):
        consumer = Consumer(BUNDLED, name="taker", hooks=[Failing(), recording], dead_letters=dead_letters)
        consumer.on(JobUpdatedV1)(handler)
        for consume in (consumer.consume, consumer.aconsume):
            for body in (RAW, RAW.replace(b"job.updated", b"qa.submitted"), RAW.replace(b":1,", b':"x",'), b"{",
                         RAW[:-1] + b',"tenant_id":"t"}', RAW + b" "):  # fmt: skip
                try:
                    outcome = consume(body)
                    if not isinstance(outcome, Outcome):
                        await outcome
                except Exception:  # noqa: BLE001 - what is told of it is the point
                    pass
    expected = [
        ("job.updated", "v1", "handled", None),
        ("qa.submitted", "v1", "skipped", "no-handler"),
        ("job.updated", "v1", None, "invalid-payload"),
        (None, None, None, "malformed"),
        ("job.updated", "v1", None, "error"),
        ("job.updated", "v1", "handled", None),
    ]
    kept = [(*each[:2], "dead-lettered" if each[3] in ("invalid-payload", "malformed") else each[2], each[3])
            for each in expected]  # fmt: skip
    seen = [(each.event, each.version, each.outcome, each.reason) for each in recording.seen]
    assert seen == expected * 2 + kept * 2
    assert {each.consumer for each in recording.seen} == {"taker"}
    assert caplog.messages == ["the hook 'Failing' failed"] * 24
    assert [type(letter.rejection) is InvalidPayload for letter in letters] == [True, False] * 2
