"""`jobarium-events release`, `new-version`, `deprecate`, `retire` and `reword`."""

import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from jobarium_events.cli import releases
from jobarium_events.evolution.lock import read_lock
from tests.cli.conftest import Run
from tests.evolution.logs import V1_LINES, V2_LINES, catalog, decision
from tests.folders import WHOLE, schema

ACTIVE = V2_LINES.replace('"4"', '"3"')
LEAVING = f'{V1_LINES}\ndeprecated = "4"\nretired = "6"'


@pytest.fixture
def schemas(tmp_path: Path) -> Path:
    """A folder with two active versions, of which v1 is to go; nothing is frozen yet."""
    return catalog(tmp_path / "schemas", {"v1": LEAVING, "v2": ACTIVE})


@pytest.fixture
def released(run: Run, schemas: Path) -> Path:
    """The same folder, frozen."""
    assert run("release", "3", schemas).code == 0
    return schemas


def counters(folder: Path, service: str, consumed: int = 0) -> Path:
    now = datetime.now(UTC)
    count = {"event": "thing.made", "version": "v1", "emitted": 0, "consumed": consumed}
    count["since"] = (now - timedelta(days=30)).isoformat()
    if consumed:
        count["last"] = (now - timedelta(days=1)).isoformat()
    path = folder.parent / f"{service}.json"
    path.write_text(json.dumps({"format": 1, "service": service, "until": now.isoformat(), "counts": [count]}))
    return path


def test_a_release_says_what_it_has_frozen_and_written(run: Run, schemas: Path) -> None:
    ended = run("release", "3", schemas)
    assert ended.out.splitlines() == [
        "3 is released: 2 contracts frozen",
        "  new or changed  thing.made v1",
        "  new or changed  thing.made v2",
        f"  written  {schemas / 'catalog.lock'}",
    ]
    assert (ended.code, ended.err) == (0, "")
    again = json.loads(run("release", "4", schemas, "--json").out)
    assert again == {
        "release": "4",
        "contracts": 2,
        "changed": [],
        "findings": [],
        "written": [str(schemas / "catalog.toml"), str(schemas / "catalog.lock")],
    }


def test_a_release_tells_its_warnings_as_check_does(run: Run, schemas: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(schemas.parent)
    (schemas / "decisions" / "DEC-0001.md").write_text(decision({"review": "2020-01-01"}))
    released = run("release", "3").out
    assert re.match(r"schemas/decisions/DEC-0001\.md:\d+: warning \[decision-review-passed\]\n    \S", released)
    warned = released.split("\n\n", maxsplit=1)[0]
    assert warned in run("check").out


def test_what_stands_against_a_release_is_told_and_ends_with_1(run: Run, released: Path) -> None:
    (released / "decisions" / "DEC-0001.md").unlink()
    before = (released / "catalog.toml").read_bytes()
    ended = run("release", "4", released)
    assert ended.code == 1
    assert ended.err.startswith("Error: release 4 is refused:\n  - ")
    assert "[decision-deleted]" in ended.err
    assert (released / "catalog.toml").read_bytes() == before


def test_a_release_that_cannot_be_is_misuse(run: Run, released: Path) -> None:
    ended = run("release", "3", released)
    assert (ended.code, ended.err) == (2, "Error: 3 has been released already; the current release is 3\n")


def test_a_lock_that_was_edited_is_misuse(run: Run, released: Path) -> None:
    path = released / "catalog.lock"
    path.write_text(path.read_text().replace("maker", "other"))
    for arguments in (["release", "4"], ["deprecate", "thing.made", "v1"], ["decisions"]):
        ended = run(*arguments, released, *(["--in", "5"] if "deprecate" in arguments else []))
        assert ended.code == 2
        assert "was edited by hand" in ended.err


def test_the_folder_is_schemas_if_none_is_named(run: Run, schemas: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(schemas.parent)
    assert run("release", "3").code == 0
    monkeypatch.chdir(schemas)
    ended = run("release", "4")
    assert ended.code == 2
    assert "there is no folder schemas here" in " ".join(ended.err.split())


def test_a_new_version_is_begun(run: Run, released: Path) -> None:
    ended = run("new-version", "thing.made", released, "--in", "4", "--upcasts", released.parent / "src")
    assert ended.out.splitlines()[0] == "thing.made v3 is begun from v2, with DEC-0002"
    written = [Path(line.split()[1]) for line in ended.out.splitlines()[1:]]
    assert [path.name for path in written] == [
        "v3.json",
        "DEC-0002.md",
        "thing_made_v2_to_v3.py",
        "test_thing_made_v2_to_v3.py",
        "catalog.toml",
    ]
    assert all(path.is_file() for path in written)
    refused = run("new-version", "thing.made", released)
    assert (refused.code, "v3 is a draft" in refused.err) == (2, True)


def test_a_new_version_as_json(run: Run, released: Path) -> None:
    begun = json.loads(run("new-version", "thing.made", released, "--json").out)
    assert (begun["event"], begun["version"], begun["from"]) == ("thing.made", "v3", "v2")
    assert begun["decision"] == "DEC-0002"
    assert len(begun["written"]) == 5


def test_a_version_is_deprecated(run: Run, released: Path) -> None:
    catalog(released, {"v1": V1_LINES, "v2": ACTIVE})
    ended = run("deprecate", "thing.made", "v1", released, "--in", "5")
    assert ended.out.splitlines() == [
        "thing.made v1 is to be deprecated in 5",
        f"  written  {released / 'catalog.toml'}",
    ]
    moved = json.loads(run("deprecate", "thing.made", "v1", released, "--in", "4", "--json").out)
    assert (moved["event"], moved["version"], moved["to_be"], moved["in"]) == ("thing.made", "v1", "deprecated", "4")
    refused = run("deprecate", "thing.made", "v2", released, "--in", "4")
    assert (refused.code, "[successor-missing]" in refused.err) == (1, True)


def test_a_retirement_is_planned_and_evidence_taken_right_before_it(run: Run, released: Path) -> None:
    ended = run("retire", "thing.made", "v1", released, "--in", "6")
    assert "The release will ask for evidence" in ended.out
    run("release", "4", released)
    run("release", "5", released)
    assert "[retirement-without-evidence]" in run("release", "6", released).err
    seen = counters(released, "taker", consumed=2)
    refused = run("retire", "thing.made", "v1", released, "--in", "6", "--evidence", seen)
    assert refused.code == 1
    assert "taker has emitted it 0 times and got it 2 times" in refused.err
    assert "maker has no counters of it" in refused.err
    files = [counters(released, "maker"), counters(released, "taker")]
    options = [part for file in files for part in ("--evidence", file)]
    ended = run("retire", "thing.made", "v1", released, "--in", "6", *options)
    assert ended.out.splitlines()[0] == "thing.made v1 is to be retired in 6"
    assert "evidence" not in ended.out
    assert run("release", "6", released).code == 0


def test_something_else_than_counters_is_misuse(run: Run, released: Path) -> None:
    run("release", "4", released)
    run("release", "5", released)
    ended = run("retire", "thing.made", "v1", released, "--in", "6", "--evidence", released / "catalog.toml")
    assert (ended.code, "is no file of counters" in ended.err) == (2, True)


def test_evidence_or_a_decision(run: Run, released: Path) -> None:
    evidence = ["--evidence", counters(released, "maker")]
    ended = run("retire", "thing.made", "v1", released, "--in", "6", *evidence, "--decision", "DEC-0001")
    assert (ended.code, "not both" in ended.err) == (2, True)
    assert run("retire", "thing.made", "v1", released, "--in", "6", "--decision", "DEC-0001").code == 2
    tables = '[[allows]]\nevent = "thing.made"\nversion = "v1"\nretirement = true\n'
    (released / "decisions" / "DEC-0002.md").write_text(decision({"id": '"DEC-0002"'}, tables))
    options = ["--decision", "DEC-0002", "--json"]
    assert json.loads(run("retire", "thing.made", "v1", released, "--in", "6", *options).out)["to_be"] == "retired"


def test_other_words_are_accepted_by_somebody(run: Run, released: Path) -> None:
    words = schema({"id": {"type": "string"}}, count={**WHOLE, "description": "The number of things."})
    (released / "thing.made" / "v1.json").write_text(json.dumps(words))
    assert run("check", released).code == 1
    arguments = ["reword", "thing.made", "v1", "/properties/count", released, "--why", "Clearer."]
    ended = run(*arguments, "--who", "Ada")
    expected = "thing.made v1 at /properties/count: the new description is accepted by Ada\n"
    assert (ended.code, ended.out) == (0, expected)
    assert run("check", released).code == 0
    assert run(*arguments).code == 2
    (kept,) = read_lock(released).rewordings  # type: ignore[union-attr]
    assert (kept.who, kept.why) == ("Ada", "Clearer.")


def test_who_it_was_is_known_from_git(run: Run, released: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(releases, "user_name", lambda: "Grace")
    words = schema({"id": {"type": "string"}}, count={**WHOLE, "description": "The number of things."})
    (released / "thing.made" / "v1.json").write_text(json.dumps(words))
    ended = run("reword", "thing.made", "v1", "/properties/count", released, "--why", "Clearer.", "--json")
    (accepted,) = json.loads(ended.out)["accepted"]
    assert (accepted["who"], accepted["keyword"]) == ("Grace", "description")


def test_without_git_it_is_the_account(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(releases.shutil, "which", lambda _: None)
    monkeypatch.setattr(releases.getpass, "getuser", lambda: "ada")
    assert releases.user_name() == "ada"

    def nobody() -> str:
        raise OSError("no such account")

    monkeypatch.setattr(releases.getpass, "getuser", nobody)
    assert releases.user_name() == ""


def test_git_is_asked_for_the_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CONFIG_COUNT", "1")
    monkeypatch.setenv("GIT_CONFIG_KEY_0", "user.name")
    monkeypatch.setenv("GIT_CONFIG_VALUE_0", "Grace Hopper")
    assert releases.user_name() == "Grace Hopper"


@pytest.mark.parametrize("command", ["release", "new-version", "deprecate", "retire", "reword", "decisions"])
def test_help_has_an_example(run: Run, command: str) -> None:
    ended = run(command, "--help", columns=200)
    assert ended.code == 0
    assert f"Example: jobarium-events {command}" in ended.out
