"""What every store of dead letters does, whichever it is."""

import json
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta

import msgspec
import psycopg
import pytest

from jobarium_events import Consumer, DeadLetter
from jobarium_events.deadletters import BeingReplayed, KeptLetter, LetterFilter, NoLetter
from jobarium_events.errors import InvalidPayload, Malformed, UnexpectedProducer, UnknownEvent, Violation
from jobarium_events.postgres import PostgresDeadLetters
from jobarium_events.sqlite import Busy, SqliteDeadLetters
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
    with store.replaying(min(names)):
        pass
    assert "".join(names[each.id] for each in store.list(LetterFilter(**which))) == found


def test_kinds_of_letters_are_counted(store: Store):
    assert store.kinds() == []
    for each in (letter(), letter(), letter(version="v2"), letter(event=None, version=None), letter(consumer="other")):
        store.keep(each)
    assert {(each.event, each.version, each.reason, each.consumer, each.number) for each in store.kinds()} == {
        ("job.updated", "v1", "invalid-payload", "taker", 2),
        ("job.updated", "v2", "invalid-payload", "taker", 1),
        (None, None, "invalid-payload", "taker", 1),
        ("job.updated", "v1", "invalid-payload", "other", 1),
    }


def test_each_rejection_is_a_letter_even_of_the_same_delivery(store: Store):
    raw = broken(job(1).body, status=SENTINEL)
    for _ in range(2):
        store.reject(raw, {"a": "b"})
    first, second = store.list()
    assert (first.raw, first.attributes) == (second.raw, second.attributes) == (raw, {"a": "b"})
    assert first.id < second.id


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
    with store.replaying(kept.id):
        pass
    noted = store.get(kept.id)
    assert isinstance(noted, KeptLetter)
    assert abs((datetime.now(UTC) - noted.replayed_at).total_seconds()) < 60
    assert store.get(kept.id + 1) is None


def test_one_replay_at_a_time_has_a_letter_and_it_is_noted_at_the_end(store: Store):
    store.keep(letter())
    [kept] = store.list()
    with store.replaying(kept.id) as claimed:
        assert claimed == kept
        with pytest.raises(BeingReplayed) as caught, store.replaying(kept.id):
            raise AssertionError
        assert str(caught.value) == f"another replay has dead letter {kept.id}; try again when it has ended"
        assert store.list() == [kept]  # whoever looks is not held up
        store.keep(letter())  # nor is a consumer
    with store.replaying(kept.id) as claimed:
        assert claimed.replayed_at is not None
        assert claimed == store.get(kept.id)


def test_a_replay_that_fails_is_not_noted_and_lets_go(store: Store):
    store.keep(letter())
    [kept] = store.list()
    with pytest.raises(KeyError), store.replaying(kept.id):
        raise KeyError
    assert store.list() == [kept]
    with store.replaying(kept.id) as claimed:
        assert claimed == kept


def test_a_letter_that_is_not_there_cannot_be_replayed(store: Store):
    store.keep(letter())
    [kept] = store.list()
    with pytest.raises(NoLetter, match=f"^there is no dead letter {kept.id + 1}$"), store.replaying(kept.id + 1):
        raise AssertionError


def test_in_postgres_other_letters_can_be_replayed_meanwhile(postgres):
    with opened("postgres", path="", database=postgres) as store:
        for _ in range(2):
            store.keep(letter())
        first, second = (each.id for each in store.list())
        with store.replaying(first), store.replaying(second):
            pass
        assert [each.replayed_at is None for each in store.list()] == [False, False]


@pytest.mark.parametrize(
    "setting", ["default_transaction_isolation = serializable", "idle_in_transaction_session_timeout = 500"]
)
def test_in_postgres_a_replay_makes_its_own_settings(postgres, setting):
    options = f"-c search_path={postgres.schema} -c {setting.replace(' ', '')}"
    store = PostgresDeadLetters(lambda: psycopg.connect(postgres.url, options=options))
    with psycopg.connect(postgres.url, options=f"-c search_path={postgres.schema}") as connection:
        connection.execute(store.tables)
    store(letter())
    with store.replaying(1), psycopg.connect(postgres.url, options=options) as other:
        other.execute("select count(*), pg_sleep(1) from dead_letter")
        other.execute(
            "insert into dead_letter (raw, attributes, consumer, reason, violations, rejected_at) "
            "values ('', '{}', 'taker', 'malformed', '[]', now())"
        )
        other.commit()
    assert store.get(1).replayed_at is not None


def test_in_a_file_looking_makes_nothing_and_waits_for_nobody(tmp_path):
    path = tmp_path / "letters.db"
    with closing(SqliteDeadLetters(path)) as keeper, closing(SqliteDeadLetters(path, patience=0)) as store:
        assert (store.list(), store.kinds(), store.get(1), store.drop([1])) == ([], [], None, 0)
        assert store.missing() == "dead_letter"
        assert not path.exists()
        keeper(letter())
        assert store.missing() is None
        handler = sqlite3.connect(path, isolation_level=None)
        handler.execute("begin immediate")
        assert [each.id for each in store.list()] == [1]
        assert store.get(1).reason == store.kinds()[0].reason
        with pytest.raises(Busy):
            store.drop([1])
        handler.close()


def test_moments_before_the_year_1000_sort_too(store: Store):
    store.keep(letter())
    old = datetime(999, 1, 1, tzinfo=UTC)
    assert store.list(LetterFilter(before=old)) == []
    assert len(store.list(LetterFilter(since=old))) == 1


def test_an_unknown_reason_is_read_all_the_same(store: Store):
    class Newer(InvalidPayload):
        reason = "of-a-newer-release"

    store.keep(letter(reason=Newer))
    [kept] = store.list()
    assert kept.reason == "of-a-newer-release"
    assert "of-a-newer-release" in str(kept.rejection)
