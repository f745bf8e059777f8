"""`jobarium-events demo`."""

from __future__ import annotations

import json

import pytest

from jobarium_events import Catalog, Outcome
from jobarium_events.cli import demo as demo_command
from jobarium_events.cli.demonstration import Ending, Seen, demonstrate
from tests.cli.conftest import Run, process

REJECTED = [
    ("billing.usage.updated", "v1", "invalid-upcast", "/payload"),
    ("job.updated", "v9", "unknown-version", ""),
    ("job.updated", "v1", "invalid-payload", "/payload/status"),
    ("(unreadable)", "", "malformed", ""),
]


def test_every_bundled_contract_is_emitted_and_handled() -> None:
    handled = {(each.event, each.version) for each in demonstrate() if each.outcome == Outcome.HANDLED}
    assert handled == {(each.event, each.version) for each in Catalog.bundled()}


def test_each_bad_event_is_rejected_for_its_own_reason() -> None:
    rejected = [each for each in demonstrate() if each.outcome == Outcome.DEAD_LETTERED]
    assert [(each.event, each.version, each.reason, each.pointer) for each in rejected] == REJECTED


def test_the_old_version_is_upcast_and_the_new_one_is_not() -> None:
    billing = [each for each in demonstrate() if each.event == "billing.usage.updated"]
    assert [(each.version, each.reason) for each in billing] == [
        ("v1", "upcast to v2"),
        ("v1", "invalid-upcast"),
        ("v2", ""),
    ]


def test_the_table_fits_80_columns_and_ends_with_a_summary(run: Run) -> None:
    ended = run("demo", columns=80)
    lines = ended.out.splitlines()
    assert ended.code == 0
    assert max(map(len, lines)) <= 80
    assert lines[0].split() == ["Event", "Version", "Outcome", "Reason"]
    assert lines[-2:] == ["18 events: 14 handled, 4 dead-lettered", "Each ended as it should."]


def test_a_pipe_gets_one_line_for_each_event(run: Run) -> None:
    rows = run("demo").out.splitlines()[2:-3]
    assert len(rows) == 18
    assert rows[16].split(maxsplit=3) == ["job.updated", "v1", "dead-lettered", "invalid-payload at /payload/status"]


def test_the_json_has_the_same(run: Run) -> None:
    ended = run("demo", "--json")
    document = json.loads(ended.out)
    assert set(document) == {"ok", "counts", "events"}
    assert document["ok"] is True
    assert document["counts"] == {"handled": 14, "dead-lettered": 4}
    assert document["events"][-1] == {
        "event": "(unreadable)",
        "version": "",
        "outcome": "dead-lettered",
        "reason": "malformed",
        "pointer": "",
        "expected": {"outcome": "dead-lettered", "reason": "malformed"},
        "ok": True,
    }


@pytest.mark.parametrize("arguments", [["demo"], ["demo", "--json"]])
def test_an_outcome_that_differs_is_told_and_fails(
    run: Run, monkeypatch: pytest.MonkeyPatch, arguments: list[str]
) -> None:
    odd = Seen("job.updated", "v1", "skipped", "", "", Ending("dead-lettered", "malformed"))
    monkeypatch.setattr(demo_command, "demonstrate", lambda: [odd])
    ended = run(*arguments)
    assert ended.code == 1
    assert "dead-lettered" in ended.out
    assert "as it should." not in ended.out


def test_it_runs_without_a_warning_in_a_process_of_its_own() -> None:
    done = process("demo", PYTHONWARNINGS="error")
    assert (done.returncode, done.stderr) == (0, b"")
