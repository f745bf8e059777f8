"""`jobarium-events dead-letters`."""

import json
import sys
import textwrap
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import psycopg
import pytest

from jobarium_events import Catalog, Consumer, DeadLetter, Event, Outcome
from jobarium_events.errors import UnknownVersion
from jobarium_events.postgres import PostgresDeadLetters
from jobarium_events.sqlite import SqliteDeadLetters, SqliteInbox
from tests.cli.conftest import Run
from tests.dead import broken
from tests.inboxes import CATALOG, invite, job

SENTINEL = "sentinel-2298"

TRANSPORT = """
import contextlib, json, sys
from pathlib import Path
from jobarium_events.transports import Refused

SENT = Path(__file__).with_name("sent.jsonl")

class Transport:
    def __init__(self, limit=1000):
        self.limit = limit

    async def asend(self, message):
        if self.limit == 0:
            raise ConnectionError("the broker is gone")
        self.limit -= 1
        with SENT.open("a") as file:
            file.write(json.dumps([message.body.decode(), dict(message.attributes), message.ordering_key]) + "\\n")

class Refusing:
    async def asend(self, message):
        raise Refused("too large")

transport = Transport()
refusing = Refusing()

def failing():
    return Transport(1)

async def made():
    return Transport()

@contextlib.asynccontextmanager
async def managed():
    yield Transport()
    SENT.with_name("closed").touch()

def raising():
    raise ValueError("no settings")

nothing = 7
"""


class Place(NamedTuple):
    """A store as the command line and the tests know it."""

    url: str
    store: Any
    more: tuple[str, ...] = ()

    @property
    def options(self) -> tuple[str, ...]:
        """What names it to a command."""
        return ("--store", self.url, *self.more)


@pytest.fixture(params=["sqlite", "postgres"])
def place(request, tmp_path):
    if request.param == "sqlite":
        store = SqliteDeadLetters(tmp_path / "letters.db")
        yield Place(f"sqlite:///{tmp_path / 'letters.db'}", store)
        store.close()
        return
    database = request.getfixturevalue("postgres")
    store = PostgresDeadLetters(lambda: psycopg.connect(database.url), schema=database.schema)
    with psycopg.connect(database.url) as connection:
        connection.execute(store.tables)
    yield Place(database.url, store, ("--table", f"{database.schema}.dead_letter"))


@pytest.fixture
def kept(place: Place) -> Place:
    """A store with three letters: 1 a payload that is no good, 2 no event, 3 of an event that was unknown then."""
    consumer = Consumer(CATALOG, name="matching-service", dead_letters=place.store)
    consumer.on("job.updated", "v1")(print)
    attributes = {**job(1).attributes, "idempotency_key": f"job.updated:{SENTINEL}:1", "x-own": SENTINEL}
    consumer.consume(broken(job(1).body, status=SENTINEL, job_version="x"), attributes)
    consumer.consume(b'{"torn": "' + SENTINEL.encode())
    place.store(unknown(invite(1).body))
    return place


def unknown(raw: bytes, *, consumer: str = "analytics-service", days: int = 3) -> DeadLetter:
    moment = datetime.now(UTC) - timedelta(days=days)
    rejection = UnknownVersion("invite.expired", "v1")
    return DeadLetter(raw=raw, attributes={}, consumer=consumer, rejected_at=moment, rejection=rejection)


@pytest.fixture
def transport(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A module `sending` in the current folder; what its transports sent is in the file that is returned."""
    folder = tmp_path / "service"
    folder.mkdir()
    (folder / "sending.py").write_text(textwrap.dedent(TRANSPORT), encoding="utf-8")
    monkeypatch.chdir(folder)
    monkeypatch.setattr(sys, "path", [str(folder), *sys.path])
    monkeypatch.delitem(sys.modules, "sending", raising=False)
    return folder / "sent.jsonl"


def sent(path: Path) -> list[Any]:
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


class TestList:
    def test_letters_are_listed_without_what_they_carry(self, run: Run, kept: Place):
        ended = run("dead-letters", "list", *kept.options)
        assert (ended.code, ended.err) == (0, "")
        head, _, first, second, third, count = ended.out.splitlines()
        assert head.split() == ["Id", "Rejected", "Consumer", "Event", "Replayed", "Reason"]
        assert first.split()[3:] == [
            "matching-service",
            "job.updated",
            "v1",
            "invalid-payload",
            "at",
            "/payload/job_version",
        ]
        assert second.split()[3:] == ["matching-service", "an", "unreadable", "event", "malformed"]
        assert third.split()[3:] == ["analytics-service", "invite.expired", "v1", "unknown-version"]
        assert count == "3 dead letters"
        assert SENTINEL not in ended.out

    @pytest.mark.parametrize(
        ("options", "ids"),
        [
            ([], [1, 2, 3]),
            (["--event", "job.updated"], [1]),
            (["--version", "v1"], [1, 3]),
            (["--reason", "malformed"], [2]),
            (["--consumer", "analytics-service"], [3]),
            (["--older-than", "2d"], [3]),
            (["--newer-than", "2d"], [1, 2]),
            (["--older-than", "2d", "--event", "job.updated"], []),
        ],
    )
    def test_filters(self, run: Run, kept: Place, options, ids):
        document = json.loads(run("dead-letters", "list", *kept.options, *options, "--json").out)
        assert [each["id"] for each in document["letters"]] == ids
        assert document["complete"] is True
        assert SENTINEL not in json.dumps(document)

    def test_as_json_a_letter_says_where(self, run: Run, kept: Place):
        [letter] = json.loads(run("dead-letters", "list", *kept.options, "--reason", "invalid-payload", "--json").out)[
            "letters"
        ]
        assert {(each["pointer"], each["rule"]) for each in letter["violations"]} == {
            ("/payload/job_version", "type"),
            ("/payload/status", "enum"),
        }
        assert (letter["event"], letter["version"], letter["replayed_at"]) == ("job.updated", "v1", None)

    def test_there_may_be_more(self, run: Run, kept: Place):
        assert run("dead-letters", "list", *kept.options, "--limit", 2).out.endswith(
            "2 dead letters; there are more, see --limit 20\n"
        )
        assert json.loads(run("dead-letters", "list", *kept.options, "--limit", 2, "--json").out)["complete"] is False

    def test_the_store_may_be_told_by_the_environment(self, run: Run, kept: Place, monkeypatch):
        monkeypatch.setenv("JOBARIUM_DEAD_LETTERS", kept.url)
        assert "3 dead letters" in run("dead-letters", "list", *kept.more).out


class TestShow:
    def test_payloads_only_if_asked_for(self, run: Run, kept: Place):
        plain = run("dead-letters", "show", 1, *kept.options)
        assert plain.code == 0
        assert SENTINEL not in plain.out
        assert "job.updated v1 was rejected, invalid-payload" in plain.out
        assert "/payload/status: must be one of draft, active" in plain.out
        assert "  producer: job-service\n" in plain.out
        assert "and 2 attributes are shown with --payload" in plain.out
        whole = run("dead-letters", "show", 1, *kept.options, "--payload")
        assert whole.out.count(SENTINEL) == 3

    def test_as_json(self, run: Run, kept: Place):
        plain = json.loads(run("dead-letters", "show", 2, *kept.options, "--json").out)
        assert (plain["reason"], plain["problem"]) == ("malformed", "not JSON, at byte 23")
        assert SENTINEL not in json.dumps(plain)
        whole = json.loads(run("dead-letters", "show", 2, *kept.options, "--json", "--payload").out)
        assert whole["raw"] == '{"torn": "' + SENTINEL

    def test_one_that_is_not_there(self, run: Run, kept: Place):
        ended = run("dead-letters", "show", 99, *kept.options)
        assert (ended.code, ended.out) == (1, "")
        assert "there is no dead letter 99" in ended.err


class TestReplay:
    def test_the_same_event_is_sent_again_and_marked(self, run: Run, kept: Place, transport: Path):
        before = kept.store.get(3)
        ended = run("dead-letters", "replay", 3, *kept.options, "--to", "sending:transport")
        assert (ended.code, ended.out) == (0, "1 dead letter replayed\n")
        [(body, attributes, ordering_key)] = sent(transport)
        assert body.encode() == before.raw
        document = json.loads(before.raw)
        assert attributes["replay"] == "true"
        assert (attributes["event_id"], attributes["occurred_at"]) == (document["event_id"], document["occurred_at"])
        assert ordering_key is None
        assert kept.store.get(3).replayed_at is not None

    def test_a_second_time_nothing_is_sent_unless_asked_for(self, run: Run, kept: Place, transport: Path):
        run("dead-letters", "replay", 3, *kept.options, "--to", "sending:transport")
        ended = run("dead-letters", "replay", 3, *kept.options, "--to", "sending:transport")
        assert ended.code == 0
        assert ended.out == "0 dead letters replayed\n1 replayed already; --again sends them once more\n"
        assert len(sent(transport)) == 1
        run("dead-letters", "replay", 3, *kept.options, "--to", "sending:transport", "--again")
        assert len(sent(transport)) == 2

    def test_a_replay_takes_effect_once_whatever_is_sent(self, run: Run, kept: Place, transport: Path, tmp_path: Path):
        for _ in range(2):
            run("dead-letters", "replay", 3, *kept.options, "--to", "sending:transport", "--again")
        inbox, got = SqliteInbox(tmp_path / "inbox.db"), []
        consumer = Consumer(CATALOG, name="analytics-service", inbox=inbox)

        @consumer.on("invite.expired", "v1")
        def take(event: Event[Any]) -> None:
            got.append((str(event.event_id), event.replay))

        outcomes = [consumer.consume(body.encode(), attributes) for body, attributes, _ in sent(transport)]
        inbox.close()
        assert outcomes == [Outcome.HANDLED, Outcome.DUPLICATE]
        assert got == [(json.loads(kept.store.get(3).raw)["event_id"], True)]

    def test_what_would_be_rejected_again_is_not_sent(self, run: Run, kept: Place, transport: Path):
        ended = run("dead-letters", "replay", "--all", *kept.options, "--to", "sending:transport")
        assert ended.code == 1
        assert "1 dead letter replayed" in ended.out
        assert "1 was not sent: job.updated v1 was not emitted, it breaks its contract" in ended.out
        assert "2 was not sent: an unreadable event was rejected, malformed" in ended.out
        assert SENTINEL not in ended.out
        assert len(sent(transport)) == 1
        assert kept.store.get(1).replayed_at is None

    @pytest.mark.parametrize("name", ["made", "managed"])
    def test_a_transport_may_have_to_be_made(self, run: Run, kept: Place, transport: Path, name):
        ended = run("dead-letters", "replay", "--event", "invite.expired", *kept.options, "--to", f"sending:{name}")
        assert ended.code == 0
        assert len(sent(transport)) == 1
        assert transport.with_name("closed").exists() is (name == "managed")

    def test_by_filter_and_as_json(self, run: Run, kept: Place, transport: Path):
        options = [*kept.options, "--to", "sending:transport", "--json"]
        ended = run("dead-letters", "replay", "--version", "v1", *options)
        document = json.loads(ended.out)
        assert (document["replayed"], document["already"], list(document["failed"])) == ([3], [], ["1"])
        assert ended.code == 1

    def test_a_transport_that_fails_ends_it_and_the_rest_can_be_sent_later(
        self, run: Run, kept: Place, transport: Path
    ):
        kept.store(unknown(invite(2).body))
        options = ["--event", "invite.expired", *kept.options]
        ended = run("dead-letters", "replay", *options, "--to", "sending:failing")
        assert ended.code == 1
        assert "1 dead letter replayed" in ended.out
        assert "the transport failed at 4: ConnectionError: the broker is gone" in ended.out
        ended = run("dead-letters", "replay", *options, "--to", "sending:transport")
        assert ended.out.startswith("1 dead letter replayed\n1 replayed already")
        assert len(sent(transport)) == 2

    def test_a_message_that_the_broker_refuses(self, run: Run, kept: Place, transport: Path):
        ended = run("dead-letters", "replay", 3, *kept.options, "--to", "sending:refusing")
        assert ended.code == 1
        assert "3 was not sent: the broker refused the message: too large" in ended.out

    def test_one_that_is_not_there(self, run: Run, kept: Place, transport: Path):
        ended = run("dead-letters", "replay", 99, 3, *kept.options, "--to", "sending:transport")
        assert ended.code == 1
        assert "there is no dead letter 99" in ended.out
        assert len(sent(transport)) == 1

    @pytest.mark.parametrize(
        ("target", "problem"),
        [
            ("sending", "names no transport; write package.module:name"),
            ("sending:nothing", "is no transport"),
            ("sending:raising", "made no transport: ValueError: no settings"),
            ("sending:transprt", "did you mean transport"),
            ("no_such_module:transport", "there is no module no_such_module"),
        ],
    )
    def test_a_transport_that_is_none(self, run: Run, kept: Place, transport: Path, target, problem):
        ended = run("dead-letters", "replay", 3, *kept.options, "--to", target)
        assert ended.code == 2
        assert problem in ended.err

    def test_the_catalog_may_be_another(self, run: Run, kept: Place, transport: Path, folder: Path):
        ended = run("dead-letters", "replay", 3, *kept.options, "--to", "sending:transport", "--folder", folder)
        assert ended.code == 1
        assert "the catalog has no event 'invite.expired'" in ended.out
        assert "invite.expired" in Catalog.bundled()


class TestDrop:
    def test_letters_are_dropped(self, run: Run, kept: Place):
        ended = run("dead-letters", "drop", "--older-than", "2d", *kept.options, "--yes")
        assert (ended.code, ended.out) == (0, "1 dead letter dropped\n")
        assert [letter.id for letter in kept.store.list()] == [1, 2]

    def test_it_asks_first(self, run: Run, kept: Place, monkeypatch):
        ended = run("dead-letters", "drop", "--all", *kept.options)
        assert ended.code == 2
        assert "this deletes 3 dead letters; give --yes" in ended.err
        monkeypatch.setattr("jobarium_events.cli.dead_letters._can_ask", lambda: True)
        assert run("dead-letters", "drop", "--all", *kept.options, stdin=b"n\n").code == 1
        assert len(kept.store.list()) == 3
        ended = run("dead-letters", "drop", "--all", *kept.options, "--json", stdin=b"y\n")
        assert "Delete 3 dead letters? They are lost" in ended.err
        assert ended.out.endswith('{\n  "dropped": 3\n}\n')
        assert kept.store.list() == []

    def test_some_may_not_be_there(self, run: Run, kept: Place):
        ended = run("dead-letters", "drop", 1, 99, *kept.options, "--yes")
        assert ended.code == 1
        assert ended.out == "1 dead letter dropped\n"
        assert "1 of them were not there" in ended.err

    @pytest.mark.parametrize("options", [[], [1, "--all"], [1, "--event", "a"], ["--all", "--event", "a"]])
    def test_which_are_meant_has_to_be_said_in_one_way(self, run: Run, kept: Place, options):
        ended = run("dead-letters", "drop", *options, *kept.options, "--yes")
        assert ended.code == 2
        assert len(kept.store.list()) == 3


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("sqlite:///no/such/file.db", "there is no file no/such/file.db"),
        ("mysql://host", "the store must be named by a URL"),
        ("postgresql://postgres@127.0.0.1:1/postgres?connect_timeout=2", "the database cannot be used: "),
    ],
)
def test_a_store_that_cannot_be_opened(run: Run, url, problem):
    ended = run("dead-letters", "list", "--store", url)
    assert ended.code == 2
    assert problem in ended.err


def test_a_file_that_is_no_database(run: Run, tmp_path: Path):
    (tmp_path / "text").write_text("not a database, but long enough to be looked at" * 100)
    ended = run("dead-letters", "list", "--store", f"sqlite:///{tmp_path / 'text'}")
    assert ended.code == 2
    assert "the database cannot be used: file is not a database" in ended.err


def test_a_table_that_is_not_there(run: Run, postgres):
    ended = run("dead-letters", "list", "--store", postgres.url, "--table", f"{postgres.schema}.dead_letter")
    assert ended.code == 2
    assert "does not exist" in ended.err
