"""A folder that a command fills: what is the command's own is replaced and removed, and nothing else is touched."""

import json
import shutil
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobarium_events import folders
from jobarium_events.folders import Difference, FolderRefused, State, check_folder, write_folder
from tests.strategies import some
from tests.test_writing import contents

LIST = "made.json"


def written(folder, *paths, content=b"new", **options):
    return write_folder(folder, dict.fromkeys(paths, content), listed=LIST, **options)


def checked(folder, *paths, content=b"new"):
    return check_folder(folder, dict.fromkeys(paths, content), listed=LIST)


def test_files_and_their_list_are_written(tmp_path):
    done = written(tmp_path / "out", "a", "x/y/b")
    made = contents(tmp_path / "out")
    assert json.loads(made.pop(LIST))["files"] == ["a", "x/y/b"]
    assert made == {"a": b"new", "x/y/b": b"new"}
    assert (done.written, done.removed, done.unchanged) == (("a", LIST, "x/y/b"), (), 0)


def test_what_is_as_it_should_be_is_left_alone(tmp_path):
    written(tmp_path, "a", "b")
    before = (tmp_path / "a").stat().st_mtime_ns
    (tmp_path / "b").write_bytes(b"changed")
    done = written(tmp_path, "a", "b")
    assert (done.written, done.unchanged) == (("b",), 2)
    assert (tmp_path / "a").stat().st_mtime_ns == before


def test_what_an_earlier_run_wrote_is_removed_with_its_folders(tmp_path):
    written(tmp_path, "a", "x/y/b", "x/z/c", "gone")
    (tmp_path / "x/z/own").write_bytes(b"mine")
    (tmp_path / "gone").unlink()
    done = written(tmp_path, "a")
    assert done.removed == ("x/y/b", "x/z/c")
    assert contents(tmp_path).keys() == {"a", "x/z/own", LIST}
    assert not (tmp_path / "x/y").exists()
    assert json.loads((tmp_path / LIST).read_bytes())["files"] == ["a"]


def test_files_of_somebody_else_are_not_replaced(tmp_path):
    (tmp_path / "x").mkdir()
    (tmp_path / "x/b").write_bytes(b"mine")
    (tmp_path / "c").write_bytes(b"new")  # as it would be written, so nothing is lost
    with pytest.raises(FolderRefused, match="somebody else") as error:
        written(tmp_path, "a", "x/b", "c")
    assert error.value.paths == ("x/b",)
    assert str(error.value).endswith("move them, or name another folder:\n  - x/b")
    assert contents(tmp_path) == {"x/b": b"mine", "c": b"new"}


def test_a_folder_of_somebody_else_is_refused_if_it_is_to_be_ones_own(tmp_path):
    (tmp_path / "mine").write_bytes(b"")
    with pytest.raises(FolderRefused, match="name an empty or a new folder"):
        written(tmp_path, "a", alone=True)
    assert contents(tmp_path).keys() == {"mine"}
    (tmp_path / "mine").unlink()
    written(tmp_path, "a", alone=True)
    (tmp_path / "mine").write_bytes(b"")
    written(tmp_path, "b", alone=True)
    assert contents(tmp_path).keys() == {"mine", "b", LIST}


@pytest.mark.parametrize("content", [b"", b"{}", b"[]", b'{"about": "", "files": "a"}'])
def test_a_list_that_is_none(content, tmp_path):
    (tmp_path / LIST).write_bytes(content)
    for use in (written, checked):
        with pytest.raises(FolderRefused, match=r"has a made\.json that is no list of this command; delete it"):
            use(tmp_path, "a")


@pytest.mark.parametrize("path", ["../out", "/out", "x/../../out", "link/out", ""])
def test_nothing_outside_of_the_folder_is_touched(path, tmp_path):
    folder, other, outside = tmp_path / "folder", tmp_path / "other", tmp_path / "elsewhere"
    outside.mkdir()
    (outside / "out").write_bytes(b"mine")
    (tmp_path / "out").write_bytes(b"mine")
    for each in (folder, other):
        each.mkdir()
        (each / "link").symlink_to(outside)
    (folder / LIST).write_text(json.dumps({"about": "", "files": [path]}))
    with pytest.raises(FolderRefused, match="nothing outside of it is written or removed"):
        written(folder, "a")
    with pytest.raises(FolderRefused):
        written(other, path)
    assert contents(outside) == {"out": b"mine"}
    assert (tmp_path / "out").read_bytes() == b"mine"


def test_a_link_is_not_written_through(tmp_path):
    folder = tmp_path / "folder"
    written(folder, "a")
    (tmp_path / "mine").write_bytes(b"mine")
    (folder / "a").unlink()
    (folder / "a").symlink_to(tmp_path / "mine")
    with pytest.raises(FolderRefused, match="somebody else"):
        written(folder, "a")
    written(folder, "b")  # the link itself is no longer needed
    assert contents(folder).keys() == {"b", LIST}
    assert (tmp_path / "mine").read_bytes() == b"mine"


def test_a_folder_in_the_place_of_a_file(tmp_path):
    (tmp_path / "a").mkdir()
    for use in (written, checked):
        with pytest.raises(OSError, match="is a folder") as error:
            use(tmp_path, "a")
        assert error.value.filename == str(tmp_path / "a")


def test_a_run_that_was_killed_is_cleared_up_by_the_next(tmp_path, monkeypatch):
    written(tmp_path, "a", "b")
    monkeypatch.setattr(folders, "_remove", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        written(tmp_path, "c", "d", content=b"newer")
    assert contents(tmp_path).keys() == {"a", "b", "c", "d", LIST}
    monkeypatch.undo()
    written(tmp_path, "e")
    assert contents(tmp_path).keys() == {"e", LIST}


def test_if_a_file_cannot_be_written_the_folder_is_as_before(tmp_path, monkeypatch):
    written(tmp_path, "a")
    before = contents(tmp_path)

    def fail(files):
        raise OSError(28, "No space left on device", str(next(iter(files))))

    monkeypatch.setattr(folders, "write_files", fail)
    with pytest.raises(OSError, match="No space left"):
        written(tmp_path, "b")
    assert contents(tmp_path) == before


def test_what_a_check_finds(tmp_path):
    missing = [Difference("a", State.MISSING), Difference("b", State.MISSING), Difference(LIST, State.MISSING)]
    assert checked(tmp_path / "out", "a", "b") == missing
    written(tmp_path, "a", "b", "x/c")
    assert checked(tmp_path, "a", "b", "x/c") == []
    (tmp_path / "a").write_bytes(b"changed")
    (tmp_path / "b").unlink()
    (tmp_path / "mine").write_bytes(b"")
    before = contents(tmp_path)
    assert checked(tmp_path, "a", "b") == [
        Difference("a", State.DIFFERENT),
        Difference("b", State.MISSING),
        Difference(LIST, State.DIFFERENT),
        Difference("x/c", State.STALE),
    ]
    assert contents(tmp_path) == before


paths = st.sampled_from(["a", "b", "x/a", "x/b", "x/y/a", "z/a"])
runs = st.lists(st.dictionaries(paths, st.binary(max_size=2), max_size=4), min_size=1, max_size=4)


@given(runs=runs)
@some
def test_after_each_run_the_folder_holds_its_files_and_those_of_others(runs, tmp_path_factory):
    folder = tmp_path_factory.mktemp("out")
    (folder / "x").mkdir()
    (folder / "x/mine").write_bytes(b"mine")
    for files in runs:
        write_folder(folder, files, listed=LIST)
        found = contents(folder)
        del found[LIST]
        assert found == {**files, "x/mine": b"mine"}
        assert check_folder(folder, files, listed=LIST) == []
        kept = {path.relative_to(folder) for path in folder.rglob("*") if path.is_dir()}
        assert kept == {above for path in found for above in Path(path).parents} - {Path()}
    shutil.rmtree(folder)
