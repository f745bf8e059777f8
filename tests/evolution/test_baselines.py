"""What a folder can be held against, and what is said where that cannot be used."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from jobarium_events.evolution.baselines import BaselineError, NoCatalog, open_baseline
from jobarium_events.evolution.lock import Lock, lock_bytes
from jobarium_events.evolution.meanings import publish
from jobarium_events.evolution.refusals import LockError
from tests.evolution.conftest import Git, committed
from tests.folders import TEXT, one, schema, table, write

KEY = ("thing.made", "v1")
PAYLOAD = schema({"id": TEXT}, extra={"type": "string", "description": "More.", "deprecated": True})


def locked(folder: Path) -> Lock:
    """Write a lock as the folder stands, whose field `extra` has been deprecated for two releases."""
    catalog = one(folder, PAYLOAD)
    lock = Lock(
        releases=("1", "2"),
        planned=(),
        contracts={KEY: publish(catalog.contract(*KEY))},
        frozen={KEY: "1"},
        deprecated={KEY: {"/extra": "1"}},
    )
    (folder / "catalog.lock").write_bytes(lock_bytes(lock))
    return lock


def test_without_a_lock_there_is_nothing_by_default(tmp_path: Path) -> None:
    one(tmp_path, PAYLOAD)
    assert open_baseline(tmp_path, None) is None
    with pytest.raises(BaselineError, match=r"has no catalog.lock; `jobarium-events release NAME` writes it"):
        open_baseline(tmp_path, "lock")


@pytest.mark.parametrize("against", [None, "lock"])
def test_the_lock_is_the_default(tmp_path: Path, against: str | None) -> None:
    locked(tmp_path)
    baseline = open_baseline(tmp_path, against)
    assert baseline is not None
    assert baseline.name == "lock"
    assert baseline.contracts.keys() == {KEY}


def test_a_lock_that_was_edited_by_hand_is_refused(tmp_path: Path) -> None:
    locked(tmp_path)
    lock = tmp_path / "catalog.lock"
    lock.write_text(lock.read_text().replace('"type": "string"', '"type": "integer"', 1))
    with pytest.raises(LockError, match="was edited by hand"):
        open_baseline(tmp_path, None)
    with pytest.raises(BaselineError, match=r"has a catalog.lock that was edited by hand.*; restore it, or choose"):
        open_baseline(tmp_path, str(tmp_path))


def test_a_lock_that_was_committed_edited_cannot_be_restored(schemas: Path, git: Git) -> None:
    lock = (schemas / "catalog.lock").read_bytes()
    committed(git, schemas, {"catalog.lock": lock.replace(b"maker", b"taker")}, tag="edited")
    with pytest.raises(BaselineError, match=r"edited by hand.*; choose another commit, or check") as raised:
        open_baseline(schemas, "git:edited")
    assert "git checkout" not in str(raised.value)


def test_a_folder_is_a_baseline(tmp_path: Path) -> None:
    catalog = one(tmp_path, PAYLOAD)
    baseline = open_baseline(tmp_path, str(tmp_path))
    assert baseline is not None
    assert baseline.name == str(tmp_path)
    assert (baseline.releases, baseline.planned) == (("1", "2", "3", "4"), ("5",))
    assert baseline.contracts[KEY].structure == publish(catalog.contract(*KEY)).structure


def test_drafts_are_no_part_of_a_baseline(tmp_path: Path) -> None:
    one(tmp_path, PAYLOAD, lines="")
    baseline = open_baseline(tmp_path, str(tmp_path))
    assert baseline is not None
    assert baseline.contracts == {}


def test_a_folder_with_a_lock_knows_since_when_fields_are_deprecated(tmp_path: Path) -> None:
    locked(tmp_path)
    baseline = open_baseline(tmp_path, str(tmp_path))
    assert baseline is not None
    assert baseline.contracts[KEY].deprecated == {"/extra": 2}


def test_what_is_no_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(
        BaselineError, match=r"the baseline v1.4 is no folder; name a folder, or lock, or a commit as git"
    ):
        open_baseline(tmp_path, "v1.4")


@pytest.mark.parametrize("against", ["", " "])
def test_an_empty_name_is_not_the_current_folder(tmp_path: Path, against: str, monkeypatch: pytest.MonkeyPatch) -> None:
    one(tmp_path, PAYLOAD)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(BaselineError, match=r"is no name, as of a variable that is not set; name a folder, or lock"):
        open_baseline(tmp_path, against)


def test_a_folder_without_a_manifest_is_no_catalogs(tmp_path: Path) -> None:
    one(tmp_path / "schemas", PAYLOAD)
    with pytest.raises(BaselineError, match=r"is no catalog's folder: it has no catalog.toml") as raised:
        open_baseline(tmp_path / "schemas", str(tmp_path))
    assert raised.value.problems == ()


def test_broken_schemas_are_named_with_the_baseline(tmp_path: Path) -> None:
    write(tmp_path, table("thing.made", {"v1": 'key = "k:{id}"'}), {"thing.made/v1.json": "{", "stray.json": "{}"})
    with pytest.raises(BaselineError) as raised:
        open_baseline(tmp_path, str(tmp_path))
    assert str(raised.value).startswith(
        f"the baseline {tmp_path} has broken schemas; choose another one, or mend them:\n"
    )
    assert [each.file for each in raised.value.problems] == ["stray.json", "thing.made/v1.json"]


@pytest.fixture
def schemas(git: Git, tmp_path: Path) -> Path:
    """A folder of schemas in a repository, changed since its last commit, ``v1``."""
    folder = tmp_path / "repo" / "services" / "schemas"
    locked(folder)
    committed(git, folder, {}, tag="v1")
    one(folder, schema({"id": TEXT, "more": TEXT}))
    return folder


def test_a_commit_is_a_baseline(schemas: Path) -> None:
    baseline = open_baseline(schemas, "git:v1")
    assert baseline is not None
    assert baseline.name == "git:v1"
    assert baseline.contracts[KEY].contract.schema == PAYLOAD
    assert baseline.contracts[KEY].deprecated == {"/extra": 2}


def test_a_commit_with_another_path_can_be_named(schemas: Path, git: Git) -> None:
    git("mv", "services/schemas", "contracts")
    assert not schemas.exists()
    moved = schemas.parents[1] / "contracts"
    with pytest.raises(
        BaselineError, match=r"has no folder contracts; if the schemas were moved, check against git:v1:"
    ):
        open_baseline(moved, "git:v1")
    baseline = open_baseline(moved, "git:v1:services/schemas")
    assert baseline is not None
    assert baseline.contracts.keys() == {KEY}


@pytest.mark.parametrize(
    "path",
    ["services/schemas/", "./services/schemas", "/services/schemas", "services//./schemas", "services/x/../schemas"],
)
def test_a_path_may_be_spelled_as_the_shell_completes_it(schemas: Path, path: str) -> None:
    baseline = open_baseline(schemas, f"git:v1:{path}")
    assert baseline is not None
    assert baseline.contracts.keys() == {KEY}


def test_a_path_may_begin_with_a_dot(git: Git, tmp_path: Path) -> None:
    folder = tmp_path / "repo" / ".schemas"
    one(folder, PAYLOAD)
    committed(git, folder, {}, tag="v1")
    baseline = open_baseline(folder, "git:v1:.schemas")
    assert baseline is not None
    assert baseline.contracts.keys() == {KEY}


@pytest.mark.parametrize("path", ["..", "../schemas", "services/../../schemas"])
def test_a_path_out_of_the_repository_is_refused(schemas: Path, path: str) -> None:
    with pytest.raises(BaselineError, match=r"leads out of the repository; give the path from"):
        open_baseline(schemas, f"git:v1:{path}")


def test_the_root_of_a_repository_can_be_the_folder(git: Git, tmp_path: Path) -> None:
    root = tmp_path / "repo"
    one(root, PAYLOAD)
    committed(git, root, {}, tag="v1")
    for against in ("git:v1", "git:v1:.", "git:v1:./", "git:v1:/", "git:v1:"):
        baseline = open_baseline(root, against)
        assert baseline is not None
        assert baseline.contracts.keys() == {KEY}


def test_before_the_first_catalog_there_was_nothing(git: Git, tmp_path: Path) -> None:
    root = tmp_path / "repo"
    committed(git, root, {"README": b""}, tag="v0")
    one(root / "schemas", PAYLOAD)
    baseline = open_baseline(root / "schemas", "git:v0")
    assert isinstance(baseline, NoCatalog)
    assert (baseline.contracts, baseline.releases) == ({}, ())


def test_another_catalog_that_is_still_there_was_not_moved(schemas: Path, git: Git) -> None:
    new = schemas.parents[1] / "new"
    one(new, PAYLOAD)
    baseline = open_baseline(new, "git:v1")
    assert baseline is not None
    assert baseline.contracts == {}


@pytest.mark.parametrize("against", ["git:v1:services/schemas/thing.made", "git:v1:nowhere"])
def test_a_path_that_is_named_has_to_be_there(schemas: Path, against: str) -> None:
    with pytest.raises(BaselineError, match=r"has no catalog.toml in "):
        open_baseline(schemas, against)


@pytest.mark.parametrize(
    ("against", "said"),
    [
        ("git:v9", "the baseline git:v9 does not exist: git knows no such ref"),
        ("git:", "the baseline git: names no commit"),
        ("git:--upload-pack=x", "names no commit"),
    ],
)
def test_what_git_does_not_have_is_refused(schemas: Path, against: str, said: str) -> None:
    with pytest.raises(BaselineError, match=said):
        open_baseline(schemas, against)


def test_broken_schemas_in_a_commit_are_named_with_it(schemas: Path, git: Git) -> None:
    committed(git, schemas, {"thing.made/v1.json": b"{"}, tag="broken")
    with pytest.raises(
        BaselineError,
        match=r"git:broken has broken schemas; choose another commit:\n  - thing.made/v1.json: is no valid JSON",
    ):
        open_baseline(schemas, "git:broken")


def test_the_work_tree_is_as_it_was(schemas: Path, git: Git) -> None:
    def state() -> list[tuple[str, bytes]]:
        return sorted((str(path), path.read_bytes()) for path in schemas.rglob("*") if path.is_file())

    before = state(), git("status", "--porcelain")
    open_baseline(schemas, "git:v1")
    assert (state(), git("status", "--porcelain")) == before
    assert (
        subprocess.run(["git", "worktree", "list"], cwd=schemas, capture_output=True, check=True).stdout.count(b"\n")
        == 1
    )
