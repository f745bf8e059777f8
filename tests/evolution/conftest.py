"""What the tests of evolution share: proofs without a clock, and repositories of git."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from jobarium_events.evolution.containment import subset

Git = Callable[..., str]


@pytest.fixture(autouse=True)
def no_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """A search ends by its steps alone, so that a busy machine changes no answer."""
    monkeypatch.setattr(subset, "_SECONDS", 3600.0)


@pytest.fixture
def git(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Git:
    """A repository in ``tmp_path/repo``, and the way to run git in it."""
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    repo = tmp_path / "repo"
    repo.mkdir()

    def run(*arguments: str, at: Path = repo) -> str:
        identity = ["-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false"]
        command = ["git", *identity, *arguments]
        return subprocess.run(command, cwd=at, check=True, capture_output=True, text=True).stdout.strip()

    run("init", "--quiet", "--initial-branch=main")
    return run


def committed(git: Git, root: Path, files: dict[str, bytes], *, tag: str = "") -> str:
    """Write files, commit all that is there, and return the hash."""
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    git("add", "--all")
    git("commit", "--quiet", "--allow-empty", "--message=state")
    if tag:
        git("tag", tag)
    return git("rev-parse", "HEAD")
