"""What fails fails its span, and the span quotes nothing of the payload."""

from typing import Any

import pytest
from opentelemetry.trace import StatusCode

from jobarium_events import Event, Message, Outcome
from jobarium_events.errors import PayloadRefused
from jobarium_events.payloads import JobUpdatedV1
from jobarium_events.transports import Refused
from tests.integrations.opentelemetry.conftest import JOB, SECRET, maker, taker


def test_a_handler_that_raises_fails_its_span_and_quotes_nothing(watched, telemetry):
    def fail(event: Event[JobUpdatedV1]) -> None:
        raise KeyError(event.payload.job_id)

    message = maker(telemetry).prepare("job.updated", JOB)
    with pytest.raises(KeyError):
        taker(telemetry, fail).consume(message.body, message.attributes)
    span = watched.spans["consume job.updated"]
    assert span.status.status_code is StatusCode.ERROR
    assert span.attributes["error.type"] == "KeyError"
    assert span.attributes["jobarium.reason"] == "error"
    assert SECRET not in span.to_json()


def test_a_refused_payload_fails_its_span_and_quotes_nothing(watched, telemetry):
    with pytest.raises(PayloadRefused):
        maker(telemetry, print).emit("job.updated", {**JOB, "status": SECRET})
    span = watched.spans["emit job.updated"]
    assert span.status.status_code is StatusCode.ERROR
    assert span.attributes["error.type"] == "invalid-payload"
    assert SECRET not in span.to_json()


async def test_a_refusal_by_the_broker_fails_its_span(watched, telemetry):
    class Refusing:
        async def asend(self, message: Message) -> None:
            raise Refused("in words without end")

    with pytest.raises(Refused):
        await telemetry.instrument(Refusing()).asend(maker(telemetry).prepare("job.updated", JOB))
    assert watched.spans["publish job.updated"].attributes["error.type"] == "Refused"
    assert watched.spans["publish job.updated"].status.description is None


def test_a_dead_letter_fails_its_span(watched, telemetry):
    letters: list[Any] = []
    raw = b'{"event_name": "' + SECRET.encode() + b'", "event_version": "v1"}'
    assert taker(telemetry, dead_letters=letters.append).consume(raw) is Outcome.DEAD_LETTERED
    span = watched.spans["consume"]
    assert span.status.status_code is StatusCode.ERROR
    assert dict(span.attributes) == {
        "messaging.system": "kafka",
        "messaging.operation.name": "consume",
        "messaging.operation.type": "process",
        "messaging.message.body.size": len(raw),
        "jobarium.event.name": "_OTHER",
        "jobarium.event.version": "_OTHER",
        "jobarium.outcome": "dead-lettered",
        "jobarium.reason": "unknown-event",
        "error.type": "unknown-event",
    }
