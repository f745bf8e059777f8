"""A finding's place leads to its line, in every kind of file that a catalog's folder has."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobarium_events.evolution.reporting.lines import Lines, json_lines, toml_lines

DOCUMENTS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    max_leaves=15,
)


def values(document: Any, pointer: str = "") -> Iterator[tuple[str, str, Any]]:
    """Every value below a document: its pointer, its name with a colon as JSON writes it, and itself."""
    if isinstance(document, dict):
        for name, inner in document.items():
            at = f"{pointer}/{name.replace('~', '~0').replace('/', '~1')}"
            yield at, f"{json.dumps(name)}:", inner
            yield from values(inner, at)
    elif isinstance(document, list):
        for place, inner in enumerate(document):
            yield f"{pointer}/{place}", "", inner
            yield from values(inner, f"{pointer}/{place}")


@given(DOCUMENTS, st.sampled_from([None, 1, 4]))
def test_every_value_is_found_on_the_line_where_it_starts(document: Any, indent: int | None) -> None:
    text = json.dumps(document, indent=indent)
    lines, found = text.split("\n"), json_lines(text)
    for pointer, name, value in values(document):
        start = json.dumps(value)[:1] if isinstance(value, dict | list) else json.dumps(value)
        assert f"{name} {start}".strip() in lines[found[pointer] - 1]


def test_a_text_in_an_array_is_found_by_itself() -> None:
    found = json_lines('{"required": [\n"job_id",\n"a/b"\n]}')
    assert (found["/required/job_id"], found["/required/a~1b"], found["/required/1"]) == (2, 3, 3)


def test_what_is_no_json_has_the_line_where_that_shows() -> None:
    assert json_lines('{\n\n  "a":,\n}') == {"": 3}


def test_tables_and_keys_of_toml_have_their_lines() -> None:
    text = """\
releases = ["1"]

[event."job.updated"]
owner = "x"   # [not.a.table]
[event."job.updated".v1]
ordering = { per = "a", by = "b" }
"quoted key" = 1
a.b = 2

[[allows]]
event = "one"
[[allows]]
event = "two"
"""
    found = toml_lines(text)
    assert found["/releases"] == 1
    assert found["/event/job.updated"] == 3
    assert found["/event/job.updated/owner"] == 4
    assert found["/event/job.updated/v1/ordering"] == 6
    assert found["/event/job.updated/v1/quoted key"] == 7
    assert found["/event/job.updated/v1/a/b"] == 8
    assert found["/allows"] == found["/allows/0"] == 10
    assert found["/allows/1/event"] == 13
    assert "/not/a/table" not in found


@pytest.fixture
def lines(tmp_path: Path) -> Lines:
    (tmp_path / "v1.json").write_text('{\n"properties": {\n"a": {}}}', encoding="utf-8")
    (tmp_path / "catalog.toml").write_text(
        'releases = []\n[event."a.b"]\n[event."a.b".v1]\nkey = "k"\n', encoding="utf-8"
    )
    decision = '+++\nid = "DEC-0001"\n\n[[allows]]\nevent = "a"\n+++\n\n## Context\n\nstatus = "said here"\n'
    (tmp_path / "DEC-0001.md").write_text(decision, encoding="utf-8")
    (tmp_path / "binary.json").write_bytes(b"\xff\xfe")
    return Lines(tmp_path)


@pytest.mark.parametrize(
    ("file", "place", "line"),
    [
        ("v1.json", "", 1),
        ("v1.json", "/properties/a", 3),
        ("v1.json", "/properties/gone", 2),
        ("v1.json", "/required/gone", 1),
        ("catalog.toml", "releases", 1),
        ("catalog.toml", 'event."a.b".v1', 3),
        ("catalog.toml", 'event."a.b".v1.key', 4),
        ("catalog.toml", 'event."a.b".v1.retired', 3),
        ("catalog.toml", "no such = = key", 1),
        ("DEC-0001.md", "id", 2),
        ("DEC-0001.md", "allows[0]", 4),
        ("DEC-0001.md", "allows[0].event", 5),
        ("DEC-0001.md", "status", 1),
        ("DEC-0001.md", "## Context", 8),
        ("DEC-0001.md", "## Why", 1),
        ("missing.json", "/a", None),
        ("binary.json", "/a", None),
    ],
)
def test_a_place_that_is_not_there_has_the_line_of_what_is_around_it(
    lines: Lines, file: str, place: str, line: int | None
) -> None:
    assert lines.line(file, place) == line


@pytest.mark.parametrize(
    ("file", "text", "line"),
    [
        ("catalog.toml", 'releases = []\n\n[event."a.b"]\nowner = shop\n', 4),
        ("catalog.toml", "releases = [\n", 1),
        ("DEC-0002.md", '+++\nid = "DEC-0002"\ndate = never\n+++\n\n## Context\n', 3),
        ("DEC-0002.md", "## Context\n", 1),
    ],
)
def test_what_is_no_toml_has_the_line_where_that_shows(
    lines: Lines, tmp_path: Path, file: str, text: str, line: int
) -> None:
    (tmp_path / file).write_text(text, encoding="utf-8")
    assert lines.line(file, "") == line


def test_a_file_is_read_once(lines: Lines, tmp_path: Path) -> None:
    assert lines.line("v1.json", "/properties") == 2
    (tmp_path / "v1.json").unlink()
    assert lines.line("v1.json", "/properties/a") == 3
