"""`jobarium-events decisions`."""

import json
from pathlib import Path

import pytest

from jobarium_events.cli import decisions
from tests.cli.conftest import Run
from tests.evolution.logs import catalog, decision


@pytest.fixture
def schemas(tmp_path: Path) -> Path:
    """A folder with one decision."""
    return catalog(tmp_path / "schemas")


@pytest.mark.parametrize("command", [["decisions"], ["decisions", "list"]])
def test_the_log_is_listed(run: Run, schemas: Path, command: list[str]) -> None:
    ended = run(*command, schemas)
    assert (ended.code, ended.err) == (0, "")
    head, _, row, count = ended.out.splitlines()
    assert head.split() == ["Decision", "Status", "Decided", "Review", "Title"]
    assert row.split(maxsplit=4) == ["DEC-0001", "accepted", "2026-09-01", "2027-03-01", "thing.made v2 counts"]
    assert count == "1 decision"


def test_the_log_of_the_folder_schemas_if_none_is_named(
    run: Run, schemas: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(schemas.parent)
    assert "thing.made v2 counts" in run("decisions").out
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    ended = run("decisions")
    assert ended.code == 2
    assert "there is no folder schemas here" in ended.err


def test_as_json(run: Run, schemas: Path) -> None:
    document = json.loads(run("decisions", schemas, "--json").out)
    (listed,) = document["decisions"]
    assert document["findings"] == []
    assert (listed["id"], listed["status"], listed["date"]) == ("DEC-0001", "accepted", "2026-09-01")
    assert listed["allowed"][0]["breaking"] == ["/required/count"]
    assert "sections" not in listed


def test_a_mistake_is_told_with_its_place(run: Run, schemas: Path) -> None:
    (schemas / "decisions" / "DEC-0001.md").write_text(decision({"status": '"done"'}))
    ended = run("decisions", schemas)
    assert ended.code == 1
    assert "error: decisions/DEC-0001.md at status: has a status that is not one of proposed" in ended.out
    assert json.loads(run("decisions", schemas, "--json").out)["findings"][0]["rule"] == "decision-status-unknown"


def test_a_warning_is_told_and_ends_well(run: Run, schemas: Path) -> None:
    (schemas / "decisions" / "DEC-0001.md").write_text(decision({"review": "2020-01-01"}))
    ended = run("decisions", schemas)
    assert ended.code == 0
    assert "warning: decisions/DEC-0001.md at review: DEC-0001 was to be looked at again on 2020-01-01" in ended.out


def test_a_folder_without_a_log_has_none(run: Run, folder: Path) -> None:
    assert run("decisions", folder).out == "0 decisions\n"


def test_a_decision_is_begun(run: Run, schemas: Path) -> None:
    ended = run("decisions", "new", "Cents", schemas, "--owner", "shop")
    path = schemas / "decisions" / "DEC-0002.md"
    assert (ended.code, ended.out) == (0, f"DEC-0002 is begun: {path}\n")
    assert 'owner = "shop"' in path.read_text()
    assert "DEC-0002" in run("decisions", schemas).out


def test_its_owner_is_whoever_begins_it(run: Run, schemas: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decisions, "user_name", lambda: "Grace")
    begun = json.loads(run("decisions", "new", "Cents", schemas, "--json").out)
    assert begun == {"decision": "DEC-0002", "written": [str(schemas / "decisions" / "DEC-0002.md")]}
    assert 'owner = "Grace"' in (schemas / "decisions" / "DEC-0002.md").read_text()


def test_one_without_a_title_is_misuse(run: Run, schemas: Path) -> None:
    ended = run("decisions", "new", " ", schemas, "--owner", "shop")
    assert (ended.code, ended.err) == (2, "Error: a decision has a title of one line of text\n")
    assert run("decisions", "new").code == 2
    assert run("decisions", schemas / "missing").code == 2
