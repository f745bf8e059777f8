"""`check` as a user meets it: what it prints in each format, and how it ends."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from jobarium_events.cli.app import app
from tests.cli.conftest import Run, process
from tests.evolution.logs import SECTIONS, decision
from tests.folders import TEXT, schema, table, write

ROOT = Path(__file__).parents[2]
FORMATS = ["text", "json", "github", "sarif", "markdown"]


def written(path: Path, payload: dict[str, Any]) -> Path:
    return write(path, table("thing.made", {"v1": 'key = "k:{id}"\nintroduced = "1"'}), {"thing.made/v1.json": payload})


@pytest.fixture(autouse=True)
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What was released in `old`, and what is checked in `schemas`; both in the current folder."""
    monkeypatch.chdir(tmp_path)
    payload = schema({"id": TEXT}, kind={"enum": ["a", "b"], "description": "Of which kind."})
    written(tmp_path / "old", payload)
    written(tmp_path / "schemas", payload)
    return tmp_path


def widened(folders: Path) -> None:
    written(folders / "schemas", schema({"id": TEXT}, kind={"enum": ["a", "b", "c"], "description": "Of which kind."}))


@pytest.mark.parametrize("format_", FORMATS)
def test_what_may_ship_ends_with_0(run: Run, format_: str) -> None:
    ended = run("check", "--against", "old", "--format", format_)
    assert ended.code == 0
    assert ended.err == ""


@pytest.mark.parametrize("format_", FORMATS)
def test_what_may_not_ship_ends_with_1(run: Run, folders: Path, format_: str) -> None:
    widened(folders)
    ended = run("check", "schemas", "--against", "old", "--format", format_)
    assert ended.code == 1
    assert "enum-widened" in ended.out
    assert ended.err == ""


def test_warnings_and_notes_do_not_stop_a_change(run: Run, folders: Path) -> None:
    written(folders / "old", schema({"id": TEXT}))
    ended = run("check", "--against", "old")
    assert ended.code == 0
    assert "note [field-added-optional]" in ended.out


def test_what_is_no_toml_is_shown_at_its_line(run: Run, folders: Path) -> None:
    manifest = folders / "schemas" / "catalog.toml"
    manifest.write_text(f"{manifest.read_text()}\n\nwrong\n")
    line = len(manifest.read_text().splitlines())
    assert run("check").out.startswith(f"schemas/catalog.toml:{line}: error [catalog-mistake]\n")


def test_the_mistakes_of_a_file_are_in_the_order_of_their_lines(run: Run, folders: Path) -> None:
    path = folders / "schemas" / "decisions" / "DEC-0001.md"
    path.parent.mkdir()
    path.write_text(decision({"status": '"proposed"'}, "", dict.fromkeys(SECTIONS, "")))
    found = re.findall(r"DEC-0001\.md:(\d+): (\w+)", run("check").out)
    assert len(found) > 2
    assert {severity for _, severity in found} == {"warning"}
    assert [int(line) for line, _ in found] == sorted(int(line) for line, _ in found)


def test_people_see_the_witness_as_what_each_side_says_of_it(run: Run, folders: Path) -> None:
    widened(folders)
    lines = run("check", "--against", "old").out.splitlines()
    assert re.fullmatch(r"schemas/thing\.made/v1\.json:\d+: error \[enum-widened\]", lines[0])
    assert lines[1] == "    thing.made v1 at /properties/kind/enum"
    witness = next(line for line in lines if line.startswith("    witness"))
    assert json.loads(witness.split("witness")[1])["kind"] == "c"
    (accepts,) = [line for line in lines if line.startswith("    + ")]
    (refuses,) = [line for line in lines if line.startswith("    - ")]
    assert accepts.endswith("producers: accepts")
    assert "/kind: must be one of a, b" in refuses
    assert lines[-1] == "schemas against old: 1 contract, 0 unchanged; 1 error: may not ship as it is"


def test_both_views_stand_beside_each_other_where_they_differ(run: Run, folders: Path) -> None:
    written(folders / "old", schema({"id": TEXT}))
    out = run("check", "--against", "old").out
    assert "Where a registry would judge otherwise" in out
    assert re.search(
        r"^thing\.made v1 +compatible both ways +backward: breaks, forward: compatible$", out, re.MULTILINE
    )


def test_a_mode_gives_the_plain_view_alone(run: Run, folders: Path) -> None:
    written(folders / "old", schema({"id": TEXT}))
    assert run("check", "--against", "old", "--mode", "forward").code == 0
    ended = run("check", "--against", "old", "--mode", "backward")
    assert ended.code == 1
    assert "error [backward-incompatible]" in ended.out
    assert "as a registry would judge (backward)" in ended.out
    assert "Where a registry would judge otherwise" not in ended.out


def test_a_folder_with_mistakes_is_reported_with_its_lines(run: Run, folders: Path) -> None:
    (folders / "schemas" / "thing.made" / "v1.json").write_text('{\n"type": "object",,\n}')
    ended = run("check", "--against", "old", "--format", "github")
    assert ended.code == 1
    assert ended.out.startswith("::error file=schemas/thing.made/v1.json,line=2,title=catalog-mistake::")


def test_without_a_folder_it_is_said_which_one_is_meant(
    run: Run, folders: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folders / "old")
    ended = run("check")
    assert ended.code == 2
    assert "there is no folder schemas here" in ended.err.replace("\n", " ")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--against", "lock"], "the baseline lock is not there: schemas has no catalog.lock"),
        (["--against", "nowhere"], "the baseline nowhere is no folder"),
        (["--against", ""], "the baseline '' is no name, as of a variable that is not set"),
        (["--against", "."], "the baseline . is no catalog's folder: it has no catalog.toml"),
        (["--against", "git:v1"], "is in no git repository"),
        (["--against", "git:--all"], "is no ref"),
    ],
)
def test_a_baseline_that_cannot_be_used_is_misuse(
    run: Run, monkeypatch: pytest.MonkeyPatch, folders: Path, arguments: list[str], said: str
) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(folders.parent))
    ended = run("check", *arguments)
    assert (ended.code, ended.out) == (2, "")
    assert ended.err.startswith("Error: the baseline ")
    assert said in ended.err


@pytest.mark.parametrize("arguments", [["--mode", "transitive"], ["--format", "xml"], ["no-such-folder"]])
def test_what_there_is_not_is_misuse(run: Run, arguments: list[str]) -> None:
    assert run("check", *arguments).code == 2


def test_a_lock_that_was_edited_by_hand_is_an_error_without_a_traceback(folders: Path) -> None:
    (folders / "schemas" / "catalog.lock").write_text('{"format": 1, "digest": "0"}')
    done = process("check")
    assert done.returncode == 2
    assert b"Error: schemas/catalog.lock was edited by hand" in done.stderr
    assert b"Traceback" not in done.stderr


def test_text_from_a_schema_cannot_steer_the_terminal(run: Run, folders: Path) -> None:
    written(folders / "schemas", schema({"id": TEXT}, kind={"enum": ["a", "b", "\x1b[31m"]}))
    assert "\x1b" not in run("check", "--against", "old").out


def test_the_hook_of_pre_commit_runs_a_command_that_there_is() -> None:
    hooks = (ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8")
    entries = re.findall(r"^  entry: jobarium-events (\S+)$", hooks, re.MULTILINE)
    names = {each.name or each.callback.__name__ for each in app.registered_commands if each.callback}
    assert entries == ["check"]
    assert set(entries) <= names
