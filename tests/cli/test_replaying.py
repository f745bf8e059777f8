"""`jobarium-events dead-letters replay`."""

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from jobarium_events import Catalog, Consumer, Event, Outcome
from jobarium_events.sqlite import SqliteInbox
from tests.cli.conftest import Run
from tests.cli.letters import SENTINEL, Place, sent, unknown
from tests.inboxes import CATALOG, invite


def started(*arguments: object) -> subprocess.Popen[bytes]:
    """Start a command in a process of its own."""
    command = [sys.executable, "-m", "jobarium_events.cli", *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE)


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
        assert "sending:failing failed at 4: ConnectionError: the broker is gone; run the command again" in ended.out
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
            ("sending:nothing", "needs a transport with an async `asend`, not int"),
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

    def test_an_event_that_several_letters_hold_is_sent_once(self, run: Run, kept: Place, transport: Path):
        again = kept.store.get(3)
        kept.store(unknown(again.raw))  # the broker delivered it twice
        kept.store(unknown(again.raw, consumer="matching-service"))  # and to another consumer
        ended = run("dead-letters", "replay", "--event", "invite.expired", *kept.options, "--to", "sending:transport")
        assert ended.code == 0
        assert ended.out == (
            "3 dead letters replayed\n2 of them hold the events of another letter; an event is sent once\n"
        )
        assert len(sent(transport)) == 1
        ended = run("dead-letters", "replay", "--event", "invite.expired", *kept.options, "--to", "sending:transport")
        assert ended.out == "0 dead letters replayed\n3 replayed already; --again sends them once more\n"
        assert len(sent(transport)) == 1

    def test_what_a_transport_raises_is_not_printed_with_a_payload(self, run: Run, kept: Place, transport: Path):
        kept.store(unknown(invite(SENTINEL).body))
        ended = run("dead-letters", "replay", 4, *kept.options, "--to", "sending:telling")
        assert ended.code == 1
        assert "sending:telling failed at 4: ValueError; run the command again for the rest" in ended.out
        assert SENTINEL not in ended.out + ended.err

    @pytest.mark.parametrize(
        ("name", "doing", "replayed"), [("silent", "at 3", 0), ("unopened", "to open", 0), ("unclosed", "to close", 1)]
    )
    @pytest.mark.usefixtures("transport")
    def test_it_says_what_it_waits_for_and_gives_up(self, run: Run, kept: Place, name, doing, replayed):
        options = [*kept.options, "--to", f"sending:{name}", "--timeout", "0.2"]
        ended = run("dead-letters", "replay", 3, *options)
        assert ended.code == 1
        assert ended.err == f"waiting for sending:{name} {doing}, for 0.2 s at most\n"
        assert f"sending:{name} failed {doing}: no answer within 0.2 s (is the broker there?)" in ended.out
        assert (kept.store.get(3).replayed_at is not None) is bool(replayed)
        assert ("run the command again" in ended.out) is not bool(replayed)

    def test_two_at_once_send_each_event_once(self, run: Run, kept: Place, transport: Path):
        for number in range(2, 21):
            kept.store(unknown(invite(number).body))
        options = ["--event", "invite.expired", *kept.options, "--to", "sending:meeting", "--json"]
        replays = [started("dead-letters", "replay", *options) for _ in range(2)]
        done = [json.loads(replay.communicate(timeout=60)[0]) for replay in replays]
        assert [replay.returncode for replay in replays] == [0, 0]
        assert len(sent(transport)) == 20
        assert len({body for body, *_ in sent(transport)}) == 20
        assert sorted(id_ for each in done for id_ in each["replayed"]) == list(range(3, 23))
        assert [len(each["replayed"]) + len(each["already"]) for each in done] == [20, 20]

    def test_one_that_is_killed_lets_go_of_its_letter(self, run: Run, kept: Place, transport: Path):
        hung = started("dead-letters", "replay", 3, *kept.options, "--to", "sending:starting")
        try:
            while not transport.with_name("started").exists():
                assert hung.poll() is None
                time.sleep(0.01)
            ended = run("dead-letters", "replay", 3, *kept.options, "--to", "sending:transport", "--timeout", "0.2")
            assert ended.code == 1
            assert ended.err == "waiting for another replay, which has 3, for 0.2 s at most\n"
            assert "another replay has had 3 for 0.2 s; run the command again for the rest" in ended.out
            assert sent(transport) == []
        finally:
            hung.kill()
            hung.communicate()
        ended = run("dead-letters", "replay", 3, *kept.options, "--to", "sending:transport")
        assert (ended.code, ended.out) == (0, "1 dead letter replayed\n")
        assert len(sent(transport)) == 1
