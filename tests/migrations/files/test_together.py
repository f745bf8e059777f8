"""Several texts that the parser takes apart by one call: the same as each by itself, or nothing."""

from __future__ import annotations

import re
from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobarium_events.migrations.files.parsing import SqlError, Statement, Together, parse
from tests.strategies import examples

PIECES = (
    *("select 1", ";", "\n", "-- a word\n", "-- at the end", "-- ; '\n", "'", '"', "$$", "$a$", "(", ")", "/*", "*/"),
    *("create table t (a int default 1)", "alter table t add b text", "select 'a;b'", "select $$ ; $$", "E'\\''", " "),
    *("create rule r as on insert to t do (select 1; select 2)", "create function f() returns int begin atomic", "end"),
    *("insert into t values ('€')", "\ufefeselect ä", "return 1", "select '''", "begin", "commit", "$1", "\0", "selec"),
)
TEXTS = st.lists(st.lists(st.sampled_from(PIECES), max_size=7).map("".join), max_size=5)


def told(statements: Iterable[Statement]) -> list[tuple[object, ...]]:
    """Return what is known of statements; the tree says of its parts where they stood in what was parsed."""
    return [
        (each.text, each.line, each.kind, each.comments, re.sub(r"location: -?\d+", "", str(each.node)))
        for each in statements
    ]


def together(texts: list[str]) -> list[list[tuple[object, ...]]] | None:
    both = Together(texts)
    both.parse()
    found = both.statements()
    return None if found is None else [told(each) for each in found]


@given(TEXTS)
@examples(1_000)
def test_each_text_is_as_it_is_by_itself_or_there_is_nothing(texts):
    found = together(texts)
    if found is not None:
        assert found == [told(parse(text)) for text in texts]


@given(st.lists(st.sampled_from(["", "select 1", "select 1;\n-- é\n", "-- ü\nselect 'x;';\nselect 2; -- y", "\n;;\n"])))
def test_what_has_no_mistake_is_taken_apart(texts):
    assert together(texts) == [told(parse(text)) for text in texts]


@pytest.mark.parametrize(
    "texts",
    [
        ["select 'a", "b';"],
        ["select $$ a;", "b $$;"],
        ['select 1 as "a', 'b"'],
        ["/* a", "*/ select 1"],
        ["create function f() returns int begin atomic return 1", "end;"],
        ["create rule r as on insert to t do (select 1", "select 2)"],
        ["selec 1", "select 1"],
        ["select 1", "select '\0'"],
        ["select 1", f"select 1{' + 1' * 5000}"],
    ],
)
def test_a_text_that_goes_on_into_the_next_is_a_mistake_of_its_own(texts):
    assert together(texts) is None


def test_a_mistake_has_its_line_where_the_text_is_parsed_by_itself():
    with pytest.raises(SqlError) as caught:
        parse("select 1;\nselec 2;")
    assert caught.value.line == 2
