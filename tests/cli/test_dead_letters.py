"""`jobarium-events dead-letters`, all but `replay`, which is in test_replaying.py."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import msgspec
import psycopg
import pytest

from jobarium_events.errors import UnknownVersion
from jobarium_events.sqlite import SqliteDeadLetters
from tests.cli.conftest import Run, said
from tests.cli.letters import SENTINEL, Place, unknown


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


class TestDrop:
    def test_letters_are_dropped(self, run: Run, kept: Place):
        ended = run("dead-letters", "drop", "--older-than", "2d", *kept.options, "--yes")
        assert (ended.code, ended.out) == (0, "1 dead letter dropped\n")
        assert [letter.id for letter in kept.store.list()] == [1, 2]

    def test_it_asks_first(self, run: Run, kept: Place, monkeypatch):
        ended = run("dead-letters", "drop", "--all", *kept.options)
        assert ended.code == 2
        assert "this deletes 3 dead letters; give --yes" in ended.err
        monkeypatch.setattr("jobarium_events.cli.databases._can_ask", lambda: True)
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

    @pytest.mark.parametrize(
        ("options", "problem"),
        [
            ([], "name letters by their ids, or by filters such as --event, or give --all"),
            ([1, "--all"], "and no two of them"),
            ([1, "--event", "a"], "and no two of them"),
            (["--all", "--event", "a"], "and no two of them"),
        ],
    )
    def test_which_are_meant_has_to_be_said_in_one_way(self, run: Run, kept: Place, options, problem):
        ended = run("dead-letters", "drop", *options, *kept.options, "--yes")
        assert ended.code == 2
        assert problem in said(ended.err)
        assert len(kept.store.list()) == 3


class TestSlips:
    """What fits no letter is not taken for a word that fits none today."""

    @pytest.mark.parametrize("command", [["list"], ["drop", "--yes"], ["replay", "--to", "sending:transport"]])
    @pytest.mark.parametrize(
        "slip",
        [
            (["--reason", "unknown-evnt"], "there is no reason 'unknown-evnt'; did you mean unknown-event"),
            (["--reason", "nonsense"], "there is no reason 'nonsense'; there are: "),
            (["--version", "1"], "'1' is no version: write v1, v2 and so on"),
        ],
    )
    @pytest.mark.usefixtures("transport")
    def test_what_cannot_be_is_refused(self, run: Run, kept: Place, command, slip):
        options, problem = slip
        ended = run("dead-letters", *command, *options, *kept.options)
        assert (ended.code, ended.out) == (2, "")
        assert problem in said(ended.err)
        assert len(kept.store.list()) == 3

    @pytest.mark.parametrize("command", [["list"], ["drop", "--yes"], ["replay", "--to", "sending:transport"]])
    @pytest.mark.parametrize(
        "slip",
        [
            (["--event", "job.updatd"], "no letter has the event job.updatd; did you mean job.updated?\n"),
            (["--event", "x"], "no letter has the event x; there are: invite.expired, job.updated\n"),
            (["--version", "v9"], "no letter has the version v9; there are: v1\n"),
            (["--reason", "retired-version"], "no letter has the reason retired-version; there are: "),
            (["--consumer", "x"], "no letter has the consumer x; there are: analytics-service, matching-service\n"),
            (["--event", "job.updated", "--reason", "malformed"], ""),
        ],
    )
    @pytest.mark.usefixtures("transport")
    def test_what_is_not_there_is_told(self, run: Run, kept: Place, command, slip):
        options, problem = slip
        ended = run("dead-letters", *command, *options, *kept.options)
        assert ended.code == 0
        assert ended.out.startswith("0 dead letters")
        assert ended.err.startswith(problem)
        assert bool(ended.err) is bool(problem)

    def test_an_empty_store_has_nothing_to_tell(self, run: Run, place: Place):
        place.store(unknown(b"{}"))
        place.store.drop([letter.id for letter in place.store.list()])
        ended = run("dead-letters", "list", "--event", "order.placed", *place.options)
        assert (ended.code, ended.out, ended.err) == (0, "0 dead letters\n", "")

    def test_a_reason_of_a_newer_release_can_be_asked_for(self, run: Run, place: Place):
        class Newer(UnknownVersion):
            reason = "of-a-newer-release"

        place.store(msgspec.structs.replace(unknown(b"{}"), rejection=Newer("job.updated", "v1")))
        options = ["--reason", "of-a-newer-release", *place.options]
        assert "1 dead letter\n" in run("dead-letters", "list", *options).out
        ended = run("dead-letters", "list", *options, "--newer-than", "1h")
        assert (ended.code, ended.out) == (0, "0 dead letters\n")


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("sqlite:///no/such/file.db", "there is no file no/such/file.db"),
        ("mysql://host", "the database must be named by a URL"),
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
    assert f"{tmp_path / 'text'} cannot be used: file is not a database" in ended.err


@pytest.mark.parametrize(
    "command", [["list"], ["show", 1], ["drop", 1, "--yes"], ["replay", "--all", "--to", "sending:transport"]]
)
@pytest.mark.usefixtures("transport")
def test_a_wrong_file_is_told_and_left_as_it_is(run: Run, tmp_path: Path, command):
    path = tmp_path / "other.db"
    with closing(sqlite3.connect(path)) as other:
        other.execute("create table mine (a)")
        other.commit()
    before = path.read_bytes()
    ended = run("dead-letters", *command, "--store", f"sqlite:///{path}")
    assert (ended.code, ended.out) == (2, "")
    assert f"{path} has no table dead_letter; a consumer makes it when it first has" in ended.err
    assert path.read_bytes() == before
    assert [found.name for found in tmp_path.glob("other.db*")] == ["other.db"]


def test_a_table_of_another_name_is_not_made_by_looking(run: Run, tmp_path: Path):
    store = SqliteDeadLetters(tmp_path / "letters.db")
    store(unknown(b"{}"))
    store.close()
    ended = run("dead-letters", "list", "--store", f"sqlite:///{tmp_path / 'letters.db'}", "--table", "nope")
    assert ended.code == 2
    assert "has no table nope" in ended.err
    with closing(sqlite3.connect(tmp_path / "letters.db")) as other:
        assert other.execute("select 1 from sqlite_master where name = 'nope'").fetchall() == []


@pytest.mark.parametrize(
    "command",
    [
        ["list", "--limit", 10**20],
        ["list", "--older-than", "9999999d"],
        ["list", "--newer-than", "99999999999d"],
        ["show", 10**20],
        ["drop", 10**20, "--yes"],
        ["replay", 10**20, "--to", "sending:transport"],
    ],
)
@pytest.mark.usefixtures("transport")
def test_numbers_beyond_what_a_database_can_count_to_are_refused(run: Run, kept: Place, command):
    ended = run("dead-letters", *command, *kept.options)
    assert ended.code == 2
    assert "has to be 9223372036854775" in said(ended.err) or "before the year 1" in said(ended.err)
    assert len(kept.store.list()) == 3
    highest = {"list": ["--limit", 2**63 - 2], "show": [2**63 - 1]}.get(command[0])
    if highest:
        assert run("dead-letters", command[0], *highest, *kept.options).code == (0 if command[0] == "list" else 1)


def test_a_table_that_is_not_there(run: Run, postgres):
    ended = run("dead-letters", "list", "--store", postgres.url, "--table", f"{postgres.schema}.dead_letter")
    assert ended.code == 2
    command = f"jobarium-events dead-letters tables --table {postgres.schema}.dead_letter"
    assert f"does not exist; run the SQL that `{command}` prints" in ended.err


def test_the_sql_of_a_table(run: Run, postgres):
    made = run("dead-letters", "tables", "--table", f"{postgres.schema}.dead_letter").out
    with psycopg.connect(postgres.url) as connection:
        connection.execute(made)
    ended = run("dead-letters", "list", "--store", postgres.url, "--table", f"{postgres.schema}.dead_letter")
    assert (ended.code, ended.out) == (0, "0 dead letters\n")
    assert run("dead-letters", "tables").out.startswith('create table if not exists "dead_letter" (\n')
