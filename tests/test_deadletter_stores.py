"""What every store of dead letters does, whichever it is."""

import json
from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from jobarium_events import Consumer, DeadLetter
from jobarium_events.deadletters import KeptLetter, LetterFilter
from jobarium_events.errors import InvalidPayload, Malformed, UnexpectedProducer, UnknownEvent, Violation
from tests.dead import STORES, Store, broken, opened
from tests.inboxes import CATALOG, NOW, job

SENTINEL = "sentinel-7741"


@pytest.fixture(params=STORES)
def store(request, tmp_path):
    database = request.getfixturevalue("postgres") if request.param.startswith("postgres") else None
    with opened(request.param, path=str(tmp_path / "letters.db"), database=database) as found:
        yield found


def rejected(raw: bytes, attributes=None) -> DeadLetter:
    letters: list[DeadLetter] = []
    consumer = Consumer(CATALOG, name="taker", dead_letters=letters.append)
    consumer.on("job.updated", "v1")(print)
    consumer.consume(raw, attributes)
    return letters[0]


def letter(event="job.updated", version="v1", reason=InvalidPayload, consumer="taker", at=NOW) -> DeadLetter:
    rejection = reason(event, version, Violation("/payload/a", "type", "string"))
    return DeadLetter(raw=b"{}", attributes={}, consumer=consumer, rejected_at=at, rejection=rejection)


def document(**fields) -> bytes:
    return json.dumps({**json.loads(job(1).body), **fields}).encode()


@pytest.mark.parametrize(
    ("raw", "kind"),
    [
        (broken(job(1).body, status=SENTINEL, job_version="x"), InvalidPayload),
        (b"\xff\0{", Malformed),
        (b"", Malformed),
        (document(event_id="no uuid"), Malformed),
        (document(event_name="no.such"), UnknownEvent),
        (document(producer="somebody"), UnexpectedProducer),
        (document(event_name="a\0b" + "x" * 5000), UnknownEvent),
        (document(event_name="tab\there", event_version="\x1b[31m"), Malformed),
    ],
)
def test_a_letter_comes_back_as_it_was_kept(store: Store, raw, kind):
    given = rejected(raw, {"a": "b", "odd": "\0\ud800ключ"})
    store.keep(given)
    [kept] = store.list()
    assert isinstance(kept.rejection, kind)
    assert (kept.raw, kept.attributes, kept.consumer) == (raw, {"a": "b", "odd": "\0\ud800ключ"}, "taker")
    assert kept.rejected_at == given.rejected_at
    assert kept.violations == given.violations
    assert kept.replayed_at is None
    assert store.get(kept.id) == kept
    if (given.event or "").isprintable() and len(given.event or "") < 100 and (given.version or "").isprintable():
        assert kept.rejection == given.rejection
        assert str(kept.rejection) == str(given.rejection)
        assert (kept.event, kept.version) == (given.event, given.version)
    else:
        assert kept.event is not None
        assert kept.event.isprintable()


def test_beside_the_bytes_no_value_of_the_payload_is_kept(store: Store):
    store.reject(broken(job(1).body, status=SENTINEL, updated_at=SENTINEL, changed_fields=[SENTINEL, 7]))
    [kept] = store.list()
    assert SENTINEL in kept.raw.decode()
    assert SENTINEL not in repr(msgspec.structs.replace(kept, raw=b""))
    assert SENTINEL not in repr(kept)
    assert {each.pointer for each in kept.violations} == {
        "/payload/status",
        "/payload/updated_at",
        "/payload/changed_fields/1",
    }


def test_of_very_many_violations_the_first_hundred_are_kept(store: Store):
    store.reject(broken(job(1).body, changed_fields=[7] * 1000))
    [kept] = store.list()
    assert len(kept.violations) == 100
    assert kept.rejection.violation == Violation("/payload/changed_fields/0", "type", "string")


@pytest.mark.parametrize(
    ("which", "found"),
    [
        ({}, "abcdef"),
        ({"event": "job.updated"}, "abdef"),
        ({"event": "job.updated", "version": "v2"}, "b"),
        ({"reason": "malformed"}, "d"),
        ({"consumer": "other"}, "e"),
        ({"before": NOW}, "f"),
        ({"since": NOW}, "abcde"),
        ({"since": NOW - timedelta(days=2), "before": NOW - timedelta(hours=1)}, "f"),
        ({"replayed": True}, "a"),
        ({"replayed": False, "consumer": "taker"}, "bcdf"),
        ({"event": "' or 1=1 --"}, ""),
    ],
)
def test_letters_are_found_by_what_they_are(store: Store, which, found):
    for each in (
        letter(),
        letter(version="v2"),
        letter(event="invite.expired"),
        letter(reason=lambda *given: Malformed("torn", *given)),
        letter(consumer="other"),
        letter(at=NOW - timedelta(days=1)),
    ):
        store.keep(each)
    names = dict(zip((each.id for each in store.list()), "abcdef", strict=True))
    store.mark_replayed(min(names))
    assert "".join(names[each.id] for each in store.list(LetterFilter(**which))) == found


def test_letters_are_listed_page_by_page(store: Store):
    for number in range(7):
        store.keep(letter(version=f"v{number + 1}"))
    pages, after = [], 0
    while page := store.list(after=after, limit=3):
        pages.append([each.version for each in page])
        after = page[-1].id
    assert pages == [["v1", "v2", "v3"], ["v4", "v5", "v6"], ["v7"]]


def test_letters_can_be_dropped(store: Store):
    for _ in range(3):
        store.keep(letter())
    first, second, third = (each.id for each in store.list())
    assert store.drop([first, third, third + 1]) == 2
    assert [each.id for each in store.list()] == [second]
    assert store.drop([]) == 0
    store.keep(letter())
    assert store.list()[-1].id > third


def test_a_replay_is_noted(store: Store):
    store.keep(letter())
    [kept] = store.list()
    store.mark_replayed(kept.id)
    noted = store.get(kept.id)
    assert isinstance(noted, KeptLetter)
    assert abs((datetime.now(UTC) - noted.replayed_at).total_seconds()) < 60
    assert store.get(kept.id + 1) is None


def test_an_unknown_reason_is_read_all_the_same(store: Store):
    class Newer(InvalidPayload):
        reason = "of-a-newer-release"

    store.keep(letter(reason=Newer))
    [kept] = store.list()
    assert kept.reason == "of-a-newer-release"
    assert "of-a-newer-release" in str(kept.rejection)
