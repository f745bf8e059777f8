"""Texts between dollars, in which a line that looks like a section is none."""

from pathlib import Path

import pytest

from jobarium_events.migrations.files.migration import read_migration
from jobarium_events.migrations.files.quoting import left_open
from tests.migrations.lint.rules_page import migration


@pytest.mark.parametrize(
    ("line", "tag", "left"),
    [
        ("create function f() returns int language sql as $$", "", "$$"),
        ("create function f() returns int language sql as $body$ select $$a$$", "", "$body$"),
        ("select 1", "$$", "$$"),
        ("$$;", "$$", ""),
        ("$$; do $a$ begin", "$$", "$a$"),
        ("select $$a$$", "", ""),
        ("select '$$'", "", ""),
        ("-- costs $$", "", ""),
        ("-- ends here $$", "$$", ""),
        ("select a$b$c, $1", "", ""),
    ],
)
def test_what_is_open_at_the_end_of_a_line(line, tag, left):
    assert left_open(line, tag) == left


def test_a_line_of_a_text_begins_no_section(tmp_path: Path):
    body = "create function f() returns int language sql as $$\n-- name: verify\nselect 1\n$$;\n"
    path = tmp_path / "0002_example.sql"
    path.write_text(migration(f"-- name: up\n{body}"))
    found = read_migration(path)
    assert [each.text for each in found.up] == [body.rstrip(";\n")]
