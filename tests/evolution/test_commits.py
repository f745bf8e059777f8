"""Files as they were at a commit: read exactly, from any place in a repository, and with nothing touched."""

from __future__ import annotations

from pathlib import Path

import pytest

from jobarium_events.evolution.commits import Commit, GitError
from tests.evolution.conftest import Git, committed


@pytest.fixture
def repo(git: Git, tmp_path: Path) -> Path:
    root = tmp_path / "repo"
    files = {
        "services/shop/schemas/catalog.toml": b"releases = []\r\n",
        "services/shop/schemas/order.placed/v1.json": b"{}",
        "services/shop/schemas/order.placed/deep/er.json": b"{}",
        "services/shop/schemas/notes.txt": b"not ours",
        "services/shop/schemas-of-another/catalog.toml": b"releases = ['x']\n",
        ".gitattributes": b"*.json export-ignore\n*.toml text=auto\n",
    }
    committed(git, root, files, tag="v1.4")
    (root / "services/shop/schemas/catalog.toml").write_bytes(b"changed, and not committed\n")
    return root


def test_the_files_are_those_of_the_commit_and_of_the_folder_alone(repo: Path) -> None:
    schemas = repo / "services" / "shop" / "schemas"
    commit = Commit.find(schemas, "v1.4")
    assert commit.path_of(schemas) == "services/shop/schemas"
    assert commit.path_of(repo) == ""
    assert commit.files("services/shop/schemas").keys() == {"catalog.toml", "order.placed/v1.json"}
    assert commit.files("services/shop/schemas")["order.placed/v1.json"] == b"{}"
    assert commit.files("no/such/folder") == {}


def test_nothing_is_touched(repo: Path, git: Git) -> None:
    before = git("status", "--porcelain"), git("rev-parse", "HEAD")
    Commit.find(repo, "v1.4").files("services/shop/schemas")
    assert (git("status", "--porcelain"), git("rev-parse", "HEAD")) == before
    assert (repo / "services/shop/schemas/catalog.toml").read_bytes() == b"changed, and not committed\n"


@pytest.mark.parametrize("ref", ["v1.4", "main", "HEAD", "HEAD~0", "main^{commit}"])
def test_whatever_git_takes_for_a_commit_is_found(repo: Path, git: Git, ref: str) -> None:
    assert Commit.find(repo, ref).id == git("rev-parse", "HEAD")


def test_a_folder_that_is_a_link_is_followed(repo: Path, tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(repo / "services" / "shop" / "schemas")
    assert Commit.find(link, "v1.4").path_of(link) == "services/shop/schemas"


def test_what_a_hook_of_git_sets_does_not_mislead(repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_DIR", ".git")
    schemas = repo / "services" / "shop" / "schemas"
    assert Commit.find(schemas, "v1.4").path_of(schemas) == "services/shop/schemas"


def test_links_and_paths_that_lead_elsewhere_are_left_out(repo: Path, git: Git) -> None:
    (repo / "linked.json").symlink_to("/etc/passwd")
    committed(git, repo, {"kept.json": b"1"})
    assert Commit.find(repo, "HEAD").files("").keys() == {"kept.json"}


def test_folders_with_a_file_are_listed(repo: Path) -> None:
    found = Commit.find(repo, "v1.4").folders_with("catalog.toml")
    assert found == ["services/shop/schemas", "services/shop/schemas-of-another"]


def test_names_beyond_ascii_are_read(repo: Path, git: Git) -> None:
    committed(git, repo, {"größe/v1.json": b"2"})
    assert Commit.find(repo, "HEAD").files("größe") == {"v1.json": b"2"}


@pytest.mark.parametrize("ref", ["", "-h", "--all", "--output=/tmp/x", "a\nb"])
def test_a_ref_is_never_taken_for_an_option(repo: Path, ref: str) -> None:
    with pytest.raises(GitError, match="is no ref; write git:REF"):
        Commit.find(repo, ref)


def test_a_ref_that_is_missing_is_said_to_be(repo: Path) -> None:
    with pytest.raises(GitError, match="git knows no such ref; `git fetch --tags`"):
        Commit.find(repo, "v9")


def test_a_shallow_clone_is_told_from_a_missing_ref(repo: Path, git: Git, tmp_path: Path) -> None:
    committed(git, repo, {"x.json": b"1"})
    shallow = tmp_path / "shallow"
    git("clone", "--quiet", "--depth=1", "--no-tags", repo.as_uri(), str(shallow))
    assert Commit.find(shallow, "HEAD").files("")["x.json"] == b"1"
    for ref in ("v1.4", "HEAD~1"):
        with pytest.raises(GitError, match=r"shallow; run `git fetch --unshallow --tags`, or set fetch-depth: 0"):
            Commit.find(shallow, ref)


def test_a_folder_outside_any_repository_is_said_to_be(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    with pytest.raises(GitError, match="is in no git repository"):
        Commit.find(tmp_path, "HEAD")


def test_without_git_it_is_said_what_to_do(repo: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(GitError, match="there is no git on the PATH; install it"):
        Commit.find(repo, "HEAD")


def test_what_else_git_says_is_passed_on(repo: Path, git: Git) -> None:
    commit = Commit(repo, "0" * 40)
    with pytest.raises(GitError, match=r"git ls-tree fails with fatal: not a tree object"):
        commit.files("")
