"""Events and messages as values."""

import copy
import json
import pickle

import msgspec
import pytest

from jobarium_events import Consumer, Event, Message, Outcome
from jobarium_events.envelope import Replayed
from tests.strategies import BUNDLED, CONTRACTS, NAMES, event_of, sample


def events(contract, attributes=None, **fields):
    got = []
    consumer = Consumer(BUNDLED, name="taker")
    consumer.on(contract.event, contract.version)(got.append)
    raw = json.dumps(event_of(contract, sample(contract), **fields), separators=(",", ":")).encode()
    consumer.consume(raw, attributes)
    consumer.consume(raw[:-1] + b', "unknown": 1.0}', {**(attributes or {}), "replay": "no"})
    return got


@pytest.mark.parametrize("contract", CONTRACTS, ids=NAMES)
def test_events_are_values(contract):
    fast, exact = events(contract, tenant_id="t")
    assert fast == exact
    assert hash(fast) == hash(exact)
    assert fast != exact.payload
    assert fast != events(contract)[0]
    for event in (fast, exact):
        assert isinstance(event, Event)
        for copied in (pickle.loads(pickle.dumps(event)), copy.deepcopy(event), copy.copy(event)):
            assert copied == event
            assert (copied.replay, copied.payload) == (False, event.payload)


def test_a_replay_is_another_value():
    contract = CONTRACTS[0]
    event, replay = events(contract)[0], events(contract, {"replay": "true"})[0]
    assert (event.replay, replay.replay) == (False, True)
    assert event != replay
    assert isinstance(replay, Replayed)
    assert type(pickle.loads(pickle.dumps(replay))) is Replayed
    assert event.payload == replay.payload


def test_events_and_messages_are_frozen():
    event = events(CONTRACTS[0])[0]
    for value, name in ((event, "payload"), (event, "event_id"), (Message(b"", {}), "body")):
        with pytest.raises(AttributeError):
            setattr(value, name, None)


def test_absent_fields_are_none_and_not_written():
    event = events(CONTRACTS[0])[0]
    assert (event.tenant_id, event.correlation_id, event.schema_ref) == (None, None, None)
    assert "tenant_id" not in msgspec.to_builtins(event)


def test_outcomes_are_texts():
    assert [str(outcome) for outcome in Outcome] == ["handled", "skipped", "dead-lettered", "duplicate", "stale"]
