"""A push is consumed without the extra, and what is none is told without its values."""

import base64
import json
import subprocess
import sys
from typing import Any

import pytest
from google.api_core.exceptions import Aborted

from jobarium_events import Consumer, Event, Message, Outcome
from jobarium_events.errors import Malformed
from jobarium_events.integrations.pubsub import Push, apush, push
from jobarium_events.payloads import JobUpdatedV1
from tests.integrations.pubsub.conftest import job
from tests.strategies import BUNDLED


def pushed(message: Message, **fields: Any) -> bytes:
    wrapped = {
        "data": base64.b64encode(message.body).decode(),
        "attributes": dict(message.attributes),
        "messageId": "136969346945",
        "message_id": "136969346945",
        "publishTime": "2026-03-01T12:00:00Z",
        "orderingKey": "j-7",
    }
    return json.dumps({"message": wrapped, "subscription": "projects/p/subscriptions/s", **fields}).encode()


def test_a_push_is_consumed():
    got: list[Event[Any]] = []
    consumer = Consumer(BUNDLED, name="taker")
    consumer.on(JobUpdatedV1)(got.append)
    message = job()
    replayed = Message(message.body, {**message.attributes, "replay": "true"})
    assert push(consumer, pushed(replayed)) is Outcome.HANDLED
    assert got[0].replay is True
    assert str(got[0].event_id) == message.attributes["event_id"]


async def test_a_push_reaches_an_async_handler():
    got: list[Event[Any]] = []
    consumer = Consumer(BUNDLED, name="taker")

    @consumer.on(JobUpdatedV1)
    async def take(event: Event[JobUpdatedV1]) -> None:
        got.append(event)

    assert await apush(consumer, pushed(job())) is Outcome.HANDLED
    assert len(got) == 1


def test_what_a_push_says():
    message = job()
    assert Push.parse(pushed(message, deliveryAttempt=5)) == Push(
        raw=message.body,
        attributes=dict(message.attributes),
        message_id="136969346945",
        ordering_key="j-7",
        subscription="projects/p/subscriptions/s",
        delivery_attempt=5,
    )
    bare = Push.parse(b'{"message": {"messageId": "1", "attributes": null}}')
    assert bare == Push(b"", {}, "1", None, "", None)


def test_what_a_handler_raises_comes_out_of_push():
    consumer = Consumer(BUNDLED, name="taker")

    @consumer.on(JobUpdatedV1)
    def take(event: Event[JobUpdatedV1]) -> None:
        raise Aborted("not now")

    with pytest.raises(Aborted):
        push(consumer, pushed(job()))


SECRET = "a-value-from-the-wire"


@pytest.mark.parametrize(
    "body",
    [
        SECRET.encode(),
        b"",
        b"\xff",
        b'{"message": {"messageId": "\xff"}}',
        b"[1]",
        json.dumps({"event_name": SECRET}).encode(),
        json.dumps({"message": SECRET}).encode(),
        json.dumps({"message": {"data": f"!{SECRET}"}}).encode(),
        json.dumps({"message": {"data": "e30", "attributes": {}}}).encode(),
        json.dumps({"message": {"data": "e30=", "attributes": {"x": {"y": SECRET}}}}).encode(),
        json.dumps({"message": {"data": "e30="}, "deliveryAttempt": SECRET}).encode(),
        b'{"message": ' + b"[" * 5000,
        b'{"other": ' + b"[" * 5000,
    ],
)
def test_what_is_no_push_is_told_without_its_values(body):
    with pytest.raises(Malformed, match="no push of Pub/Sub's") as rejected:
        Push.parse(body)
    assert SECRET not in f"{rejected.value}{rejected.value!r}"
    assert rejected.value.__suppress_context__


def test_only_what_publishes_and_pulls_needs_the_extra():
    code = """
import sys
sys.modules["google"] = None
from jobarium_events import Catalog, Consumer
from jobarium_events.extras import MissingExtra
from jobarium_events.integrations.pubsub import PubSubTransport, Push, subscribe

consumer = Consumer(Catalog.bundled(), name="taker")
print(Push.parse(b'{"message": {"data": "e30="}}').raw)
for use in (lambda: PubSubTransport(None, topic="t"), lambda: subscribe(None, "s", consumer)):
    try:
        use()
    except MissingExtra as missing:
        print(missing)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, encoding="utf-8", check=False)
    missing = "google is missing: pip install 'jobarium-events[pubsub]'"
    assert done.stdout.splitlines() == ["b'{}'", missing, missing], done.stderr
