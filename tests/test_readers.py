"""The fast way and the exact way agree, whatever the bytes."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobarium_events import Consumer, Event
from jobarium_events.errors import Malformed, Rejection
from jobarium_events.readers import parsed
from tests import strategies
from tests.strategies import BUNDLED, CONTRACTS, event_of, many, sample, some

Result = tuple[Any, ...]


def outcome(consume: Any, got: list[Event[Any]]) -> Result:
    """What came of an event: the event as a handler got it, or else the error."""
    got.clear()
    try:
        result = consume()
    except Rejection as error:
        # Which of its violations a rejection names first, the fast way may have a say in.
        known = error.violation in error.violations if error.violations else error.violation is None
        return type(error), error.event, error.version, getattr(error, "problem", None), error.violations, known
    return result, *got


class Subject:
    """A consumer of every contract, and the same one as it would be with the exact way alone."""

    def __init__(self, view: Any) -> None:
        self.got: list[Event[Any]] = []
        self.consumer = Consumer(BUNDLED, name="taker")

        def handler(event):
            self.got.append(event)

        if view is not None:
            handler.__annotations__["event"] = Event[view]
        for contract in CONTRACTS:
            self.consumer.on(contract.event, contract.version)(handler)

    def fast(self, raw: bytes, attributes: dict[str, str] | None = None) -> Result:
        return outcome(lambda: self.consumer.consume(raw, attributes), self.got)

    def exactly(self, raw: bytes, *, replayed: bool = False) -> Result:
        def consume():
            route, event = self.consumer._read_exactly(raw, replayed=replayed)
            if route.call is None:
                return "skipped"
            route.call(event)
            return "handled"

        return outcome(consume, self.got)


SUBJECTS = {"class": Subject(None), "dict": Subject(dict)}
subjects = pytest.mark.parametrize("subject", SUBJECTS.values(), ids=SUBJECTS)
contracts = st.sampled_from(CONTRACTS)

# What stands in for a piece of the bytes: JSON's own signs, numbers at the edges, and what is no JSON or no UTF-8.
PIECES = [
    b"", b" ", b"\n", b"\t", b",", b":", b'"', b"{", b"}", b"[", b"]", b"\\", b"\\u0000", b"\\ud83d\\ude00", b"\\ud800",
    b"null", b"true", b"1", b"1.0", b"-0", b"1e2", b"01", b"NaN", b"9007199254740993", b"1" * 25, b"0.1e1",
    b"\xff", b"\xc3\xa9", b"\xed\xa0\x80", b"\x00", b"\x7f", b"v2", b"{}", b"[]", b'"x":1,', b'"payload":{},',
    b'"event_version":"v2",', b'"producer":"x",', b'"tenant_id":null,', b'"tenant_id":"t",', b'"job_id":"j",',
]  # fmt: skip


@st.composite
def mutated_bytes(draw: Any) -> bytes:
    """Bytes of an event with up to three pieces cut out, replaced or put in."""
    contract = draw(contracts)
    payload = draw(st.one_of(strategies.payloads(contract), strategies.mutated(contract)))
    document = event_of(contract, payload)
    if draw(st.booleans()):
        document = dict(draw(st.permutations(list(document.items()))))
    text = json.dumps(document, separators=draw(st.sampled_from([(",", ":"), (", ", ": ")])),
                      ensure_ascii=draw(st.booleans()))  # fmt: skip
    raw = text.encode()
    for _ in range(draw(st.integers(0, 3))):
        start = draw(st.integers(0, len(raw)))
        end = min(len(raw), start + draw(st.integers(0, 4)))
        raw = raw[:start] + draw(st.sampled_from(PIECES)) + raw[end:]
    return raw


@subjects
@many
@given(raw=mutated_bytes(), replayed=st.booleans())
def test_both_ways_agree_on_mutated_bytes(subject, raw, replayed):
    attributes = {"replay": "true"} if replayed else None
    first = subject.fast(raw, attributes)
    assert not isinstance(first[0], type) or first[-1]
    assert first == subject.exactly(raw, replayed=replayed)
    assert subject.fast(raw, attributes) == first


@subjects
@some
@given(data=st.data())
def test_both_ways_agree_on_every_place_of_a_valid_event(subject, data):
    contract = data.draw(contracts)
    raw = json.dumps(event_of(contract, sample(contract)), separators=(",", ":")).encode()
    piece = data.draw(st.sampled_from(PIECES))
    for place in data.draw(st.lists(st.integers(0, len(raw)), min_size=10, max_size=10)):
        changed = raw[:place] + piece + raw[place:]
        assert subject.fast(changed) == subject.exactly(changed), changed


@many
@given(raw=st.binary(max_size=60))
def test_any_bytes_at_all(raw):
    subject = SUBJECTS["class"]
    assert subject.fast(raw) == subject.exactly(raw)


@many
@given(document=strategies.documents)
def test_what_is_parsed_is_what_the_standard_library_parses(document):
    raw = json.dumps(document).encode()
    if isinstance(document, dict):
        assert parsed(raw) == json.loads(raw)
        return
    with pytest.raises(Malformed, match="but not an object"):
        parsed(raw)


def test_every_field_of_the_envelope_is_read_the_same():
    contract = CONTRACTS[0]
    fields = {"tenant_id": "t", "correlation_id": "c", "schema_ref": "s"}
    raw = json.dumps(event_of(contract, sample(contract), **fields), separators=(",", ":")).encode()
    (_, fast), (_, exact) = SUBJECTS["class"].fast(raw), SUBJECTS["class"].exactly(raw)
    assert fast == exact
    assert msgspec.to_builtins(fast) == msgspec.to_builtins(exact) == json.loads(raw)
