"""Dead letters."""

import json
import pickle
from datetime import UTC, datetime

import pytest

from jobarium_events import Consumer, DeadLetter, Violation
from jobarium_events.errors import InvalidPayload
from tests.strategies import BUNDLED, event_of

CONTRACT = BUNDLED.contract("invite.expired", "v1")


@pytest.fixture
def letter():
    letters: list[DeadLetter] = []
    consumer = Consumer(BUNDLED, name="taker", dead_letters=letters.append)
    consumer.on(CONTRACT.event, "v1")(print)
    attributes = {"a": "b"}
    consumer.consume(json.dumps(event_of(CONTRACT, {"invite_id": 7})).encode(), attributes)
    attributes.clear()
    return letters[0]


def test_a_dead_letter_says_all(letter):
    assert json.loads(letter.raw)["payload"] == {"invite_id": 7}
    assert letter.attributes == {"a": "b"}
    assert letter.consumer == "taker"
    assert letter.rejected_at.tzinfo is UTC
    assert abs((datetime.now(UTC) - letter.rejected_at).total_seconds()) < 60
    assert (letter.event, letter.version, letter.reason) == ("invite.expired", "v1", "invalid-payload")
    assert [(each.pointer, each.rule) for each in letter.violations] == [
        ("/payload/candidate_id", "required"),
        ("/payload/expired_at", "required"),
        ("/payload/invite_id", "type"),
        ("/payload/job_id", "required"),
    ]


def test_a_dead_letter_is_frozen_and_travels(letter):
    with pytest.raises(AttributeError):
        letter.raw = b""
    again = pickle.loads(pickle.dumps(letter))
    assert again == letter
    assert again.violations == letter.violations


def test_what_a_dead_letter_shows_of_itself(letter):
    assert repr(letter) == "<DeadLetter invite.expired v1: invalid-payload>"
    unread = DeadLetter(
        raw=b"x", attributes={}, consumer="c", rejected_at=letter.rejected_at,
        rejection=InvalidPayload(violation=Violation("", "x")),
    )  # fmt: skip
    assert str(unread) == "<DeadLetter an unreadable event: invalid-payload>"
    assert unread.event is None
