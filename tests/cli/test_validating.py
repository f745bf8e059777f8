"""`jobarium-events validate`."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import EVENT, Run

Events = Callable[..., Path]

SECRET = "hush-hush"
PAYLOAD: dict[str, Any] = EVENT["payload"]


def test_valid_events(run: Run, events: Events) -> None:
    assert run("validate", events({}, {})) == (0, "2 events valid\n", "")
    assert run("validate", events({})) == (0, "1 event valid\n", "")


@pytest.mark.parametrize(
    ("difference", "finding"),
    [
        (
            {"event_name": "job.updatd"},
            "job.updatd v1: is no event of the catalog; did you mean job.updated? [unknown-event]",
        ),
        ({"event_name": "zzz"}, "zzz v1: is no event of the catalog [unknown-event]"),
        ({"event_version": "v3"}, "job.updated v3: is no version of the catalog, which has v1 [unknown-version]"),
        (
            {"event_version": "3"},
            "job.updated 3: /event_version: breaks pattern ^v[1-9][0-9]*$ [pattern]",
        ),
        (
            {"producer": "x"},
            "job.updated v1: /producer: must be job-service, which owns the event [unexpected-producer]",
        ),
        ({"event_id": SECRET}, "job.updated v1: /event_id: must be a valid uuid [format]"),
        (
            {"payload": PAYLOAD | {"job_version": SECRET}},
            "job.updated v1: /payload/job_version: must be of type integer [type]",
        ),
        (
            {"payload": PAYLOAD | {"status": SECRET}},
            "job.updated v1: /payload/status: must be one of draft, active, paused, closed, archived [enum]",
        ),
        (
            {"payload": {key: PAYLOAD[key] for key in PAYLOAD if key != "job_id"}},
            "job.updated v1: /payload/job_id: is required [required]",
        ),
    ],
)
def test_each_finding_says_where_and_what_to_do(
    run: Run, events: Events, difference: dict[str, Any], finding: str
) -> None:
    file = events({}, difference)
    assert run("validate", file) == (1, f"{file}:2: {finding}\n1 of 2 events invalid\n", "")


def test_all_that_is_wrong_with_an_event_is_told(run: Run, events: Events) -> None:
    out = run("validate", events({"payload": {"status": SECRET, "job_version": SECRET}})).out
    assert [line.split(": ")[2] for line in out.splitlines()[:-1]] == [
        "/payload/job_id",
        "/payload/job_version",
        "/payload/status",
        "/payload/updated_at",
    ]
    assert SECRET not in out


def test_an_unknown_field_is_wrong_for_producers_alone(run: Run, events: Events) -> None:
    file = events({"payload": PAYLOAD | {"extra": SECRET}})
    assert run("validate", file).code == 0
    ended = run("validate", file, "--closed")
    assert ended.code == 1
    assert ended.out.startswith(
        f"{file}:1: job.updated v1: /payload/extra: is not a field of the contract [additionalProperties]\n"
    )
    assert SECRET not in ended.out


def test_payloads_of_a_contract_that_is_named(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "payload.json"
    file.write_text(json.dumps(PAYLOAD, indent=2))
    assert run("validate", file, "--as", "job.updated", "v1") == (0, "1 payload valid\n", "")
    file.write_text(json.dumps(PAYLOAD | {"job_id": 7, "extra": 1}, indent=2))
    ended = run("validate", file, "--as", "job.updated", "v1")
    assert ended.out == f"{file}:1: job.updated v1: /job_id: must be of type string [type]\n1 of 1 payload invalid\n"
    assert "/extra: is not a field" in run("validate", file, "--as", "job.updated", "v1", "--closed").out


@pytest.mark.parametrize(
    ("content", "finding"),
    [
        (b"", "is empty"),
        (b" \n\n", "is empty"),
        (b'{"a": "\xff"}', "is not UTF-8, at byte 7"),
        (b'{"a": ', "is not JSON, at byte "),
        (b" [1]\n", "is a JSON array; write what it holds as JSON lines, one to a line"),
        (b"[1", "is not JSON, at byte "),
        (b"1", "is JSON, but not an object"),
    ],
)
@pytest.mark.parametrize("options", [[], ["--as", "job.updated", "v1"]])
def test_what_is_no_event_at_all(run: Run, tmp_path: Path, content: bytes, finding: str, options: list[str]) -> None:
    file = tmp_path / "event.json"
    file.write_bytes(content)
    ended = run("validate", file, *options)
    assert ended.code == 1
    line = ended.out.splitlines()[0]
    assert line.startswith(f"{file}:1: {finding}")
    assert line.endswith(" [malformed]")


def test_json_lines_without_a_line(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "events.jsonl"
    file.write_bytes(b"\n")
    assert run("validate", file) == (1, f"{file}:1: is empty [malformed]\n1 of 1 event invalid\n", "")


def test_json_lines_are_known_by_their_look_as_well(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "events.txt"
    line = json.dumps(EVENT)
    file.write_text(f"{line}\n\n{line}\nnope\n")
    ended = run("validate", file)
    assert ended.code == 1
    assert ended.out.startswith(f"{file}:4: is not JSON, at byte ")
    assert ended.out.endswith("[malformed]\n1 of 3 events invalid\n")


def test_one_event_over_several_lines(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "event.json"
    file.write_text(json.dumps(EVENT, indent=2))
    assert run("validate", file).out == "1 event valid\n"


def test_events_from_stdin_and_files_together(run: Run, events: Events) -> None:
    stdin = json.dumps(EVENT | {"event_version": "v3"}).encode()
    ended = run("validate", "-", events({}), stdin=stdin)
    assert ended.code == 1
    assert ended.out.splitlines()[0].startswith("stdin:1: job.updated v3: ")
    assert ended.out.splitlines()[1] == "1 of 2 events invalid"


def test_a_name_cannot_steer_the_terminal(run: Run, events: Events) -> None:
    out = run("validate", events({"event_name": "\x1b[31m\x07"})).out
    assert "\x1b" not in out
    assert "\\x1b[31m\\x07 v1: is no event" in out


def test_an_event_of_ones_own_catalog(run: Run, events: Events, folder: Path) -> None:
    file = events({"event_name": "order.placed", "producer": "shop", "payload": {"order_id": EVENT["event_id"]}})
    assert run("validate", file, "--folder", folder).code == 0


def test_an_event_of_a_retired_version(run: Run, events: Events, folder: Path) -> None:
    manifest = folder / "catalog.toml"
    text = manifest.read_text().replace("releases = []", 'releases = ["1", "2", "3", "4", "5"]')
    manifest.write_text(text + 'introduced = "1"\ndeprecated = "2"\nretired = "5"\n')
    file = events({"event_name": "order.placed", "producer": "shop", "payload": {"order_id": EVENT["event_id"]}})
    ended = run("validate", file, "--folder", folder)
    assert ended.out.splitlines()[0] == f"{file}:1: order.placed v1: is retired [retired-version]"


def test_the_json_of_a_report(run: Run, events: Events) -> None:
    file = events({}, {"payload": PAYLOAD | {"status": SECRET}})
    ended = run("validate", file, "--json")
    assert ended.code == 1
    assert json.loads(ended.out) == {
        "valid": False,
        "checked": 2,
        "invalid": 1,
        "findings": [
            {
                "file": str(file),
                "line": 2,
                "event": "job.updated",
                "version": "v1",
                "pointer": "/payload/status",
                "rule": "enum",
                "text": "must be one of draft, active, paused, closed, archived",
            }
        ],
    }
    assert json.loads(run("validate", events({}), "--json").out) == {
        "valid": True,
        "checked": 1,
        "invalid": 0,
        "findings": [],
    }


def test_a_file_that_is_not_there_is_misuse(run: Run, events: Events, tmp_path: Path) -> None:
    ended = run("validate", events({}), tmp_path / "missing.json")
    assert (ended.code, ended.out) == (2, "")
    assert "there is no file" in ended.err


def test_a_folder_is_misuse(run: Run, events: Events, tmp_path: Path) -> None:
    ended = run("validate", events({}), tmp_path, columns=500)
    assert (ended.code, ended.out) == (2, "")
    assert f"{tmp_path} is a folder; name the files in it" in ended.err


def test_an_unknown_contract_is_misuse(run: Run, events: Events) -> None:
    ended = run("validate", events({}), "--as", "job.updatd", "v1")
    assert ended.code == 2
    assert "did you mean job.updated" in ended.err
