"""Files are written together, each of them whole, or not at all."""

import os
import stat
from pathlib import Path

import pytest

from jobarium_events import writing
from jobarium_events.writing import write_files


def contents(folder):
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_files_are_written_with_their_folders(tmp_path):
    write_files({tmp_path / "a": b"1", tmp_path / "x" / "y" / "b": b"2"})
    assert contents(tmp_path) == {"a": b"1", "x/y/b": b"2"}


def test_a_file_keeps_its_mode_and_a_link_its_target(tmp_path):
    (tmp_path / "a").write_bytes(b"old")
    (tmp_path / "a").chmod(0o640)
    (tmp_path / "link").symlink_to("a")
    write_files({tmp_path / "link": b"new"})
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "a").read_bytes() == b"new"
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o640


def full(*_):
    raise OSError(28, os.strerror(28), ".temporary")


def test_if_one_cannot_be_written_none_is(tmp_path, monkeypatch):
    (tmp_path / "a").write_bytes(b"old")
    real, staged = writing._stage, []

    def stage(path, content):
        staged.append(path)
        return real(path, content) if len(staged) == 1 else full()

    monkeypatch.setattr(writing, "_stage", stage)
    with pytest.raises(OSError, match="No space left") as caught:
        write_files({tmp_path / "a": b"new", tmp_path / "x" / "b": b"new"})
    assert caught.value.filename == str(tmp_path / "x" / "b")
    assert [path.name for path in tmp_path.iterdir()] == ["a"]
    assert contents(tmp_path) == {"a": b"old"}


def test_if_one_cannot_take_its_place_the_others_get_theirs_back(tmp_path, monkeypatch):
    (tmp_path / "a").write_bytes(b"old")
    (tmp_path / "c").write_bytes(b"old")
    replace = Path.replace

    def fail_at_c(self, target):
        return full() if Path(target).name == "c" else replace(self, target)

    monkeypatch.setattr(Path, "replace", fail_at_c)
    with pytest.raises(OSError, match="No space left") as caught:
        write_files({tmp_path / "a": b"new", tmp_path / "b": b"new", tmp_path / "c": b"new"})
    assert caught.value.filename == str(tmp_path / "c")
    assert contents(tmp_path) == {"a": b"old", "c": b"old"}


def test_a_disk_that_is_full_leaves_nothing_behind(tmp_path, monkeypatch):
    monkeypatch.setattr(writing.os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        write_files({tmp_path / "x" / "a": b"new"})
    assert list(tmp_path.iterdir()) == []
