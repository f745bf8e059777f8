"""The consumer: the outcome of each event, and why one is rejected."""

import json

import pytest

from jobarium_events import Catalog, Consumer, DeadLetter, Event, Outcome
from jobarium_events.errors import (
    DeclarationError,
    InvalidPayload,
    Malformed,
    RetiredVersion,
    UnexpectedProducer,
    UnknownEvent,
    UnknownVersion,
    ViewError,
    Violation,
)
from jobarium_events.payloads import JobUpdatedV1
from tests import folders
from tests.strategies import BUNDLED, event_of, sample

CONTRACT = BUNDLED.contract("job.updated", "v1")
JOB = sample(CONTRACT)


def raw(payload=JOB, **fields):
    return json.dumps(event_of(CONTRACT, payload, **fields), separators=(",", ":")).encode()


@pytest.fixture
def got():
    return []


@pytest.fixture
def letters():
    return []


@pytest.fixture
def consumer(got):
    consumer = Consumer(BUNDLED, name="taker")
    consumer.on(JobUpdatedV1)(got.append)
    return consumer


@pytest.fixture
def chain(tmp_path):
    return folders.chain(tmp_path)


def thing(version, **fields):
    event = {
        **event_of(CONTRACT, {"id": "a", f"field_{version}": 1}),
        "event_name": "thing.made",
        "event_version": version,
        "producer": "maker",
    }
    return json.dumps(event | fields, separators=(",", ":")).encode()


NEWER = "this consumer takes v1, and the catalog has v1; install one that has the version"
REJECTED = [
    (b"", Malformed("not JSON, at byte 0")),
    (b"{", Malformed("not JSON, at byte 1")),
    (b"{]", Malformed("not JSON, at byte 1")),
    (b"[]", Malformed("JSON, but not an object")),
    (b'"x"', Malformed("JSON, but not an object")),
    (b"\xef\xbb\xbf" + raw(), Malformed("not JSON, at byte 0")),
    (raw() + b"x", Malformed(f"not JSON, at byte {len(raw()) + 1}")),
    (raw().replace(b"j", b"\xff", 1), Malformed("not JSON, at byte 15")),
    (raw()[:-1] + b',"x":"\xff"}', Malformed(f"not JSON, at byte {len(raw()) + 5}")),
    (raw()[:-1] + b',"x":NaN}', Malformed(f"not JSON, at byte {len(raw()) + 4}")),
    (b'{"a":' * 100_000, Malformed("nested too deeply")),
    (raw()[:-1] + b',"x":' + b"[" * 100_000 + b"]" * 100_000 + b"}", Malformed("nested too deeply")),
    (raw().replace(b'"job_version":1', b'"job_version":1e999'),
     Malformed("a number in it is out of range")),
    (b"{}", Malformed("the envelope is not valid", None, None, Violation("/event_name", "required"))),
    (raw(event_name=1), Malformed("the envelope is not valid", None, "v1", Violation("/event_name", "type", "string"))),
    (raw(event_id="x"), Malformed("the envelope is not valid", "job.updated", "v1",
                                  Violation("/event_id", "format", "uuid"))),
    (raw(event_version="1"), Malformed("the envelope is not valid", "job.updated", "1",
                                       Violation("/event_version", "pattern", "^v[1-9][0-9]*$"))),
    (raw(tenant_id=None), Malformed("the envelope is not valid", "job.updated", "v1",
                                    Violation("/tenant_id", "type", "string"))),
    (raw([]), InvalidPayload("job.updated", "v1", Violation("/payload", "type", "object"))),
    (raw(event_name="job.updatd"), UnknownEvent(
        "job.updatd", "v1", problem="the catalog has no such event; install one that has it, or no longer subscribe")),
    (raw(event_version="v2"), UnknownVersion("job.updated", "v2", problem=NEWER)),
    (raw(event_version="v10"), UnknownVersion("job.updated", "v10", problem=NEWER)),
    (raw(producer="other"), UnexpectedProducer("job.updated", "v1", Violation("/producer", "const", "job-service"))),
    (raw({**JOB, "job_version": "3"}),
     InvalidPayload("job.updated", "v1", Violation("/payload/job_version", "type", "integer"))),
    (raw({**JOB, "job_version": None}),
     InvalidPayload("job.updated", "v1", Violation("/payload/job_version", "type", "integer"))),
    (raw({**JOB, "changed_fields": None}),
     InvalidPayload("job.updated", "v1", Violation("/payload/changed_fields", "type", "array"))),
]  # fmt: skip


@pytest.mark.parametrize(("body", "rejection"), REJECTED)
async def test_rejections(consumer, got, letters, body, rejection):
    with pytest.raises(type(rejection)) as raised:
        consumer.consume(body)
    with pytest.raises(type(rejection)) as awaited:
        await consumer.aconsume(body)
    assert raised.value == awaited.value == rejection
    keeping = Consumer(BUNDLED, name="taker", dead_letters=letters.append)
    keeping.on(JobUpdatedV1)(got.append)
    attributes = {"any": "thing"}
    assert keeping.consume(body, attributes) is await keeping.aconsume(body, attributes) is Outcome.DEAD_LETTERED
    assert [(each.raw, each.attributes, each.rejection) for each in letters] == [(body, attributes, rejection)] * 2
    assert got == []


def test_a_number_that_python_cannot_hold():
    contract = BUNDLED.contract("billing.usage.updated", "v1")
    body = json.dumps(event_of(contract, sample(contract) | {"delta": 10**400})).encode()
    consumer = Consumer(BUNDLED, name="taker")
    consumer.on("billing.usage.updated", "v1")(print)
    with pytest.raises(InvalidPayload) as rejected:
        consumer.consume(body)
    assert rejected.value == InvalidPayload("billing.usage.updated", "v1", Violation("/payload", "range"))


def test_every_rejection_has_a_reason_of_its_own():
    reasons = {type(rejection): rejection.reason for _, rejection in REJECTED}
    assert sorted(reasons.values()) == [
        "invalid-payload", "malformed", "unexpected-producer", "unknown-event", "unknown-version",
    ]  # fmt: skip


ACCEPTED = {
    "as written": raw(),
    "reversed": json.dumps(dict(reversed(event_of(CONTRACT, JOB).items()))).encode(),
    "spaced": json.dumps(event_of(CONTRACT, JOB), indent=4).encode(),
    "surrounded": b" \r\n\t" + raw() + b" \n",
    "escaped": raw().replace(b"job.updated", b"job\\u002eupdated"),
    "unknown fields": raw({**JOB, "more": {"a": [1.5, None]}}, more=["x"]),
    "1.0": raw().replace(b'"job_version":1', b'"job_version":1.0'),
    "1e0": raw().replace(b'"job_version":1', b'"job_version":1e0'),
    "duplicate keys": raw().replace(b'"job_version":1', b'"job_version":"x","job_version":1'),
    "duplicate version": raw().replace(b'{"event_name"', b'{"event_version":"v7","event_name"'),
    "duplicate payload": raw().replace(b'"payload":', b'"payload":[],"payload":'),
    "another offset": raw(occurred_at="2026-03-01T14:00:00+02:00"),
    "another spelling": raw(event_id="0197F2A0000070008000000000000001"),
    "huge but skipped": raw()[:-1] + b',"x":' + b"1" * 400 + b"}",
}


@pytest.mark.parametrize("body", ACCEPTED.values(), ids=ACCEPTED)
async def test_spellings(consumer, got, body):
    for attributes in (None, {}, {"replay": "false"}):
        assert consumer.consume(body, attributes) is Outcome.HANDLED
    assert await consumer.aconsume(body) is Outcome.HANDLED
    assert consumer.consume(raw()) is Outcome.HANDLED
    assert got == [got[-1]] * 5


def test_the_last_of_duplicate_keys_wins(consumer, got):
    consumer.consume(raw().replace(b'"job_version":1', b'"job_version":1,"job_version":2'))
    assert got[0].payload.job_version == 2
    with pytest.raises(InvalidPayload):
        consumer.consume(raw().replace(b'"job_version":1', b'"job_version":1,"job_version":"x"'))
    with pytest.raises(UnknownVersion):
        consumer.consume(raw().replace(b',"event_id"', b',"event_version":"v7","event_id"'))


def test_non_ascii_text(consumer, got):
    text = "é\u2028😀 \x7f"
    for ascii_only in (True, False):
        body = json.dumps(event_of(CONTRACT, {**JOB, "job_id": text}, tenant_id=text), ensure_ascii=ascii_only)
        consumer.consume(body.encode())
    assert [(event.payload.job_id, event.tenant_id) for event in got] == [(text, text)] * 2


@pytest.mark.parametrize("form", [bytes, bytearray, memoryview, bytes.decode])
async def test_forms_of_the_bytes(consumer, got, letters, form):
    consumer.consume(raw())
    assert consumer.consume(form(raw())) is Outcome.HANDLED
    assert consumer.consume(form(raw()), {"replay": "true"}) is Outcome.HANDLED
    assert await consumer.aconsume(form(raw())) is Outcome.HANDLED
    assert [event.replay for event in got] == [False, False, True, False]
    Consumer(BUNDLED, name="t", dead_letters=letters.append).consume(form(b"{"))
    assert (letters[0].raw, type(letters[0].raw)) == (b"{", bytes)


@pytest.mark.parametrize("what", [None, 7, {}, object()])
async def test_what_is_no_bytes_is_the_callers_mistake(consumer, letters, what):
    for each in (consumer, Consumer(BUNDLED, name="t", dead_letters=letters.append)):
        with pytest.raises(TypeError, match="an event is bytes, not"):
            each.consume(what)
        with pytest.raises(TypeError, match="an event is bytes, not"):
            await each.aconsume(what)
    assert letters == []


def test_a_text_that_is_no_utf_8(consumer):
    with pytest.raises(Malformed) as malformed:
        consumer.consume(raw().decode().replace("trace", "\ud800"))
    assert malformed.value.problem.startswith("not JSON, at byte ")


def test_size(got):
    body = raw()
    for limit, outcome in ((len(body), Outcome.HANDLED), (len(body) - 1, Outcome.DEAD_LETTERED)):
        letters: list[DeadLetter] = []
        consumer = Consumer(BUNDLED, name="taker", max_bytes=limit, dead_letters=letters.append)
        consumer.on(JobUpdatedV1)(got.append)
        for attributes in (None, {"replay": "true"}):
            assert [consumer.consume(body, attributes) for _ in range(2)] == [outcome] * 2
        assert {str(letter.rejection) for letter in letters} <= {
            f"an unreadable event was rejected, malformed: larger than {limit} bytes"
        }
    assert len(got) == 4
    consumer = Consumer(BUNDLED, name="taker", max_bytes=len(body))
    consumer.on(JobUpdatedV1)(got.append)
    consumer.consume(body)
    for attributes in (None, {"replay": "true"}):
        with pytest.raises(Malformed, match="larger than"):
            consumer.consume(body + b" ", attributes)
    assert len(got) == 5


@pytest.mark.parametrize(
    ("attributes", "replay"), [(None, False), ({"replay": "true"}, True), ({"replay": "1"}, False)]
)
async def test_replays(consumer, got, attributes, replay):
    consumer.consume(raw(), attributes)
    consumer.consume(raw(), attributes)
    await consumer.aconsume(raw(), attributes)
    assert [event.replay for event in got] == [replay] * 3


# -- which events are for this consumer ----------------------------------------------------------------------------


def test_events_of_others_are_skipped_unread(consumer, got):
    for body in (raw(event_name="qa.submitted"), raw({}, event_name="qa.submitted", event_version="v77")):
        assert consumer.consume(body) is Outcome.SKIPPED
    assert Consumer(BUNDLED, name="idle").consume(raw()) is Outcome.SKIPPED
    assert got == []


@pytest.mark.parametrize(
    ("version", "expected"),
    [("v1", "handled"), ("v2", "handled"), ("v4", "handled"), ("v5", RetiredVersion), ("v3", UnknownVersion),
     ("v7", UnknownVersion)],
)  # fmt: skip
def test_a_strict_consumer_by_lifecycle(chain: Catalog, got, version, expected):
    consumer = Consumer(chain, name="taker")
    for handled in ("v1", "v2", "v4", "v5"):
        consumer.on("thing.made", handled)(got.append)
    if isinstance(expected, str):
        assert consumer.consume(thing(version)) == expected
        assert got[0].event_version == version
        return
    with pytest.raises(expected) as rejected:
        consumer.consume(thing(version))
    takes = "this consumer takes v1, v2, v4"  # and not v5, which is retired
    problem = {
        "v3": f"{takes}; add a handler, or an upcast to a version that has one",
        "v7": f"{takes}, and the catalog has v1, v2, v3, v4, v5, v6; install one that has the version",
    }.get(version)
    assert rejected.value == expected("thing.made", version, problem=problem)
    assert got == []


def test_a_consumer_that_is_not_strict(chain: Catalog, got):
    consumer = Consumer(chain, name="taker", strict=False)
    consumer.on("thing.made", "v1")(got.append)
    assert consumer.consume(thing("v7")) is Outcome.SKIPPED
    assert consumer.consume(thing("v1", event_name="other.made")) is Outcome.SKIPPED
    with pytest.raises(RetiredVersion):
        consumer.consume(thing("v5"))
    with pytest.raises(Malformed):
        consumer.consume(thing("7"))
    others: list[Event[dict[str, object]]] = []
    assert consumer.otherwise(others.append) == others.append
    assert consumer.consume(thing("v7")) is Outcome.HANDLED
    assert consumer.consume(thing("v7"), {"replay": "true"}) is Outcome.HANDLED
    assert [(each.event_version, each.payload, each.replay) for each in others] == [
        ("v7", {"id": "a", "field_v7": 1}, False),
        ("v7", {"id": "a", "field_v7": 1}, True),
    ]
    for broken in ({"payload": []}, {"event_id": "x"}, {"payload": None}):
        with pytest.raises(Malformed):
            consumer.consume(thing("v7", **broken))
    assert got == []


def test_otherwise_is_for_consumers_that_are_not_strict(consumer):
    with pytest.raises(DeclarationError, match="strict=False"):
        consumer.otherwise(print)
    loose = Consumer(BUNDLED, name="taker", strict=False)
    loose.otherwise(print)
    with pytest.raises(DeclarationError, match="already"):
        loose.otherwise(print)


def test_otherwise_takes_documents():
    def handler(event: Event[JobUpdatedV1]) -> None:
        raise NotImplementedError

    with pytest.raises(DeclarationError, match=r"annotate it as Event\[dict\]"):
        Consumer(BUNDLED, name="taker", strict=False).otherwise(handler)


# -- what handlers and dead letters do -----------------------------------------------------------------------------

FAILURES = [ValueError("x"), KeyError("x"), TypeError("x"), RecursionError("x"), Malformed("x"), OSError("x"),
            ViewError("a", "v1", "V", []), KeyboardInterrupt(), AttributeError("x")]  # fmt: skip


@pytest.mark.parametrize("failure", FAILURES, ids=lambda failure: type(failure).__name__)
@pytest.mark.parametrize("body", [raw(), raw() + b" ", ACCEPTED["1.0"]], ids=["fast", "spaced", "exact"])
async def test_what_a_handler_raises_comes_through_untouched(letters, failure, body):
    calls = []

    def handler(event):
        calls.append(event)
        raise failure

    consumer = Consumer(BUNDLED, name="taker", dead_letters=letters.append)
    consumer.on(JobUpdatedV1)(handler)
    for attributes in (None, {"replay": "true"}):
        with pytest.raises(type(failure)) as raised:
            consumer.consume(body, attributes)
        assert raised.value is failure
        assert raised.value.__cause__ is None
    with pytest.raises(type(failure)) as raised:
        await consumer.aconsume(body)
    assert raised.value is failure
    assert len(calls) == 3
    assert letters == []


async def test_dead_letters_that_raise():
    failure = OSError("disk full")

    def dead_letters(letter):
        raise failure

    consumer = Consumer(BUNDLED, name="taker", dead_letters=dead_letters)
    with pytest.raises(OSError, match="disk full") as raised:
        consumer.consume(b"{")
    assert raised.value is failure
    with pytest.raises(OSError, match="disk full"):
        await consumer.aconsume(b"{")


async def test_async_dead_letters(letters):
    async def keep(letter):
        letters.append(letter)

    def hidden(letter):
        return keep(letter)

    for dead_letters in (keep, hidden):
        consumer = Consumer(BUNDLED, name="taker", dead_letters=dead_letters)
        with pytest.raises(DeclarationError, match="use aconsume") as refused:
            consumer.consume(b"{")
        assert isinstance(refused.value.__cause__, Malformed)
        assert letters == []
        assert await consumer.aconsume(b"{") is Outcome.DEAD_LETTERED
        assert letters.pop().reason == "malformed"


async def test_async_handlers(got):
    async def handler(event):
        got.append(event)

    consumer = Consumer(BUNDLED, name="taker")
    assert consumer.on(JobUpdatedV1)(handler) is handler
    for body in (raw(), raw() + b" ", ACCEPTED["1.0"]):
        with pytest.raises(DeclarationError, match=r"the handler of job\.updated v1 is async; use aconsume"):
            consumer.consume(body)
        assert got == []
        assert await consumer.aconsume(body) is Outcome.HANDLED
        assert got.pop().payload.job_version == 1
