"""Files as they were at a commit, read through git itself: nothing is checked out, and no file is touched."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path, PurePosixPath

import msgspec

from jobarium_events.errors import JobariumEventsError

__all__ = ["Commit", "GitError"]

# What a hook of git sets for itself; it would lead git to another place than the folder's own repository.
_OF_HOOKS = frozenset(("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX"))

_REGULAR = ("100644", "100755")  # modes of files that are neither links nor repositories of their own
_SUFFIXES = (".json", ".toml", ".lock")
_DEPTH = 2  # <event name>/<version>.json


class GitError(JobariumEventsError):
    """Git is not there, or does not have what was asked for; `problem` goes on from the name of a baseline."""

    def __init__(self, problem: str) -> None:
        self.problem = problem

    def __str__(self) -> str:
        return self.problem


class Commit(msgspec.Struct, frozen=True):
    """One commit of a repository.

    Attributes:
        root: The folder in which the repository's files stand.
        id: The commit's full hash.
    """

    root: Path
    id: str

    @classmethod
    def find(cls, folder: Path, ref: str) -> Commit:
        """Find a commit in the repository that a folder is part of.

        Args:
            folder: The folder.
            ref: A tag, a branch, a hash or what else git takes for a commit, such as ``HEAD~1``.

        Raises:
            GitError: If there is no git, no repository or no such commit.
        """
        # Git would take a ref that starts with a hyphen for one of its options.
        if not ref or ref.startswith("-") or not ref.isprintable():
            raise GitError(f"names no commit: {ref!r} is no ref; write git:REF, such as git:v1.4 or git:origin/main")
        root = Path(_line(folder, "rev-parse", "--show-toplevel"))
        found = _ran(folder, "rev-parse", "--quiet", "--verify", f"{ref}^{{commit}}")
        if found.returncode == 0:
            return cls(root, found.stdout.decode().strip())
        if _line(folder, "rev-parse", "--is-shallow-repository") == "true":
            raise GitError(
                "is not in this clone, which is shallow; run `git fetch --unshallow --tags`, "
                "or set fetch-depth: 0 where CI checks out"
            )
        raise GitError("does not exist: git knows no such ref; `git fetch --tags` fetches those of the remote")

    def path_of(self, folder: Path) -> str:
        """Return the path of a folder within the repository; empty for its root."""
        path = PurePosixPath(folder.resolve().relative_to(self.root.resolve()).as_posix())
        return "" if path == PurePosixPath() else str(path)

    def files(self, path: str) -> dict[str, bytes]:
        """Return the files of a catalog's folder as they were then, by their path in it; none if it was not there."""
        start = f"{path}/" if path else ""
        blobs = {
            name.removeprefix(start): blob
            for name, blob in self._listed(path)
            if name.startswith(start) and _belongs(name.removeprefix(start))
        }
        return dict(zip(blobs, self._contents(list(blobs.values())), strict=True))

    def folders_with(self, name: str) -> list[str]:
        """Return the paths of all folders that had a file of this name."""
        paths = (PurePosixPath(path) for path, _ in self._listed(""))
        return sorted(str(path.parent) for path in paths if path.name == name)

    def _listed(self, path: str) -> list[tuple[str, str]]:
        """Return path and blob of each regular file below a folder."""
        below = ["--", f"{path}/"] if path else []
        output = _output(self.root, "ls-tree", "-r", "-z", "--full-tree", self.id, *below)
        entries = (entry.split("\t", 1) for entry in output.decode(errors="surrogateescape").split("\0") if entry)
        return [(name, facts.split()[2]) for facts, name in entries if facts.startswith(_REGULAR)]

    def _contents(self, blobs: list[str]) -> list[bytes]:
        # As they were committed: `git archive` would leave out or rewrite what .gitattributes says.
        output = _output(self.root, "cat-file", "--batch", given="".join(f"{blob}\n" for blob in blobs).encode())
        contents, start = [], 0
        for _ in blobs:
            head = output.index(b"\n", start)
            size = int(output[start:head].rsplit(b" ", 1)[1])
            contents.append(output[head + 1 : head + 1 + size])
            start = head + size + 2
        return contents


def _belongs(name: str) -> bool:
    parts = name.split("/")
    return len(parts) <= _DEPTH and ".." not in parts and name.endswith(_SUFFIXES)


def _line(folder: Path, *arguments: str) -> str:
    return _output(folder, *arguments).decode(errors="surrogateescape").removesuffix("\n")


def _output(folder: Path, *arguments: str, given: bytes = b"") -> bytes:
    done = _ran(folder, *arguments, given=given)
    if done.returncode == 0:
        return done.stdout
    said = done.stderr.decode(errors="replace").strip()
    if "not a git repository" in said:
        raise GitError(f"cannot be read: {folder} is in no git repository; check against lock or a folder")
    raise GitError(f"cannot be read: git {arguments[0]} fails with {said or f'exit code {done.returncode}'}")


def _ran(folder: Path, *arguments: str, given: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    git = shutil.which("git")
    if git is None:
        raise GitError("cannot be read: there is no git on the PATH; install it, or check against lock or a folder")
    environment = {name: value for name, value in os.environ.items() if name not in _OF_HOOKS}
    return subprocess.run(  # noqa: S603 - no shell, and no argument that starts with a hyphen comes from outside
        [git, "-C", str(folder), *arguments],
        input=given,
        capture_output=True,
        check=False,
        env={**environment, "LC_ALL": "C"},
    )
