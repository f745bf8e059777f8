from __future__ import annotations

import orjson
import pytest

from benchmarks.events import broken, foreign, four, large, medium, reordered, small
from benchmarks.peers import OURS, PARSER, PEERS, Peer, UnfitPeer, fit
from jobarium_events.errors import Rejection

SAMPLES = [small, medium, large]
EVERY = [OURS, *PEERS]


@pytest.mark.parametrize("sample", SAMPLES)
@pytest.mark.parametrize("peer", EVERY, ids=lambda peer: peer.name)
def test_every_peer_agrees_on_what_is_valid(peer, sample):
    read, raw = fit(peer, sample())
    read(raw)
    for wrong in broken(sample()).values():
        with pytest.raises(Exception):  # noqa: B017, PT011 - each library has errors of its own
            read(peer.translate(wrong))


def test_the_parser_alone_is_not_asked_to_reject():
    read, raw = fit(PARSER, medium())
    assert read(raw) == medium().document


def test_a_peer_that_accepts_anything_is_refused():
    with pytest.raises(UnfitPeer, match="lenient accepts the medium event with a broken missing"):
        fit(Peer("lenient", lambda _: orjson.loads), medium())


def test_a_peer_that_rejects_the_event_is_refused():
    def reader(_):
        def read(raw):
            raise ValueError("no")

        return read

    with pytest.raises(UnfitPeer, match="strict rejects the small event: no"):
        fit(Peer("strict", reader), small())


def test_ours_rejects_by_its_own_error():
    read, _ = fit(OURS, medium())
    with pytest.raises(Rejection):
        read(broken(medium())["type"])


def test_the_events_are_of_the_sizes_that_the_tables_claim():
    assert len(small().raw) < 450
    assert 530 <= len(medium().raw) <= 570
    assert 19_000 <= len(large().raw) <= 21_000
    assert not foreign().raw.isascii()
    assert len({sample.contract.event for sample in four()}) == 4


def test_a_reordered_event_says_the_same():
    raw = reordered(medium())
    assert orjson.loads(raw) == medium().document
    assert raw.startswith(b'{"payload":')


def altered(change):
    document = medium().document
    change(document)
    return orjson.dumps(document)


UNUSUAL = {
    "no-uuid": altered(lambda event: event.update(event_id="nope")),
    "no-offset": altered(lambda event: event["payload"].update(assessed_at="2026-03-14T15:09:26")),
    "other-name": altered(lambda event: event.update(event_name="other")),
    "no-version": altered(lambda event: event.update(event_version="latest")),
    "quoted-number": altered(lambda event: event["payload"].update(confidence="0.5")),
    "null": altered(lambda event: event["payload"].update(reason_codes=None)),
    "no-utf8": medium().raw.removesuffix(b"}") + b',"extra":"\xff"}',
}


@pytest.mark.parametrize(
    ("name", "lets_through"),
    [
        ("jobarium-events", set()),
        ("msgspec by hand", {"other-name", "no-version", "null", "no-utf8"}),
        ("orjson + jsonschema-rs", {"no-uuid", "other-name"}),
        ("pydantic", {"other-name", "no-version", "quoted-number", "null"}),
        ("orjson + fastjsonschema", {"no-uuid", "other-name"}),
        ("orjson + jsonschema", {"no-uuid", "other-name"}),
    ],
)
def test_the_page_tells_what_each_peer_lets_through(name, lets_through):
    (peer,) = (each for each in EVERY if each.name == name)
    read = peer.reader(medium())

    def accepts(raw):
        try:
            read(raw)
        except Exception:  # noqa: BLE001 - each library has errors of its own
            return False
        return True

    assert {what for what, raw in UNUSUAL.items() if accepts(raw)} == lets_through
