"""SQL is taken apart by Postgres' own parser, and each statement knows its line and its comments."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobarium_events.migrations.files.parsing import SqlError, parameters, parse
from tests.strategies import examples


def lines(text: str) -> list[tuple[int, str]]:
    return [(each.line, each.text) for each in parse(text)]


def test_a_statement_has_its_text_its_kind_and_its_line():
    first, second = parse("-- how many\nselect count(*)\nfrom job;\n\nalter table job add column a int;\n", line=10)
    assert (first.text, first.line, first.kind) == ("select count(*)\nfrom job", 11, "select_stmt")
    assert (second.text, second.line, second.kind) == ("alter table job add column a int", 14, "alter_table_stmt")
    assert second.node.relation.relname == "job"


def test_no_statement_is_none():
    assert parse("") == parse(" \n-- nothing\n;;/* ; */") == ()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("select 1;;;\n;select 2", [(1, "select 1"), (2, "select 2")]),
        ("select 'a;b';\nselect 2", [(1, "select 'a;b'"), (2, "select 2")]),
        ("do $$ begin\n perform 1; end $$;\nselect 2;", [(1, "do $$ begin\n perform 1; end $$"), (3, "select 2")]),
        ("select $a$ $$ ; $$ $a$;\nselect 2;", [(1, "select $a$ $$ ; $$ $a$"), (2, "select 2")]),
        ("/* a /* b\n */ ; */ select 1;\nselect 2", [(2, "select 1"), (3, "select 2")]),
        ("select '€😀';\n-- é\nselect 1 as ä;\nselect 3", [(1, "select '€😀'"), (3, "select 1 as ä"), (4, "select 3")]),
        ("select 1 /* inside\n */ + 1;\nselect 2", [(1, "select 1 /* inside\n */ + 1"), (3, "select 2")]),
        ("select E'\\';';\nselect 2", [(1, "select E'\\';'"), (2, "select 2")]),
        ('select 1 as "--";\nselect 2', [(1, 'select 1 as "--"'), (2, "select 2")]),
    ],
)  # fmt: skip
def test_statements_end_where_postgres_ends_them(text, expected):
    assert lines(text) == expected


class TestComments:
    def test_those_above_are_a_statements(self):
        (only,) = parse("\n-- first\n--second  \n/* a block is none */\n--\nselect 1;")
        assert only.comments == ("first", "second", "")

    def test_one_behind_the_semicolon_is_the_statements_before_it(self):
        first, second, third = parse(
            "select 1; -- of the first\n-- of the second\nselect 2;\nselect 3; -- of the third"
        )
        assert [each.comments for each in (first, second, third)] == [
            ("of the first",),
            ("of the second",),
            ("of the third",),
        ]

    def test_one_before_the_first_statement_is_its_own(self):
        assert parse("-- a\nselect 1")[0].comments == ("a",)


class TestMistakes:
    @pytest.mark.parametrize(
        ("text", "line", "problem"),
        [
            ("select 1;\n\nselec 2;", 3, 'syntax error at or near "selec"'),
            ("select 'ü€😀';\nselec 2", 2, 'syntax error at or near "selec"'),
            ("select 1;\nselect (\n\n\n", 2, "syntax error at end of input"),
            ("select 1;\n\nselect 'open", 3, "unterminated quoted string"),
            ("select 1;\ndo $x$ open", 2, "unterminated dollar-quoted string"),
            ("select 1;\n/* open", 2, "unterminated /\\* comment"),
            ("select 1;\nselect 2;\0\ndrop table job", 2, "has a NUL byte"),
        ],
    )
    def test_each_has_its_line(self, text, line, problem):
        with pytest.raises(SqlError, match=problem) as caught:
            parse(text)
        assert caught.value.line == line
        assert str(caught.value) == f"line {line}: {caught.value.problem}"

    def test_the_line_is_that_of_the_file(self):
        with pytest.raises(SqlError) as caught:
            parse("select 1;\nselec", line=40)
        assert caught.value.line == 41

    def test_what_nests_too_deeply_is_told_with_its_line(self):
        with pytest.raises(SqlError, match="nests too deeply to be read") as caught:
            parse("select 1;\n\n-- a chain\nselect " + " || ".join(["'a'"] * 500), line=5)
        assert caught.value.line in (7, 8)  # the comment above is a part of the statement there


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("update job set a = 1 where id between $1 and $2", {1, 2}),
        ("select '$1', $$ $2 $$", set()),
        ("insert into a select b from c where (d, e) >= ($1, $2) and (d, e) <= ($3, $4)", {1, 2, 3, 4}),
        ("with a as (delete from b where c = $3 returning 1) select (select count(*) from a)", {3}),
    ],
)
def test_parameters(text, expected):
    assert parameters(parse(text)[0]) == expected


BETWEEN = st.lists(
    st.sampled_from(["\n", " ", "\t", "\r\n", ";", "-- ü; 'a\n", "--\n", "/* ; */", "/* /* \n */ é */", "-- $$ /*\n"]),
    max_size=6,
).map("".join)
STATEMENTS = st.sampled_from([
    "select 1", "select 'ü;\n--'", "do $$ begin\nend; $$", "update job set a = $1\nwhere b", 'drop table "a;b"',
    "insert into a values (E'\\'', U&'\\00fc')", "select 1 /* a\n */ + 2", "select -- in\n 1",
])  # fmt: skip


@given(st.lists(st.tuples(BETWEEN, STATEMENTS), max_size=6), BETWEEN)
@examples(300)
def test_lines_are_right_whatever_is_between(parts, tail):
    text, expected = "", []
    for between, statement in parts:
        text += between
        expected.append((text.count("\n") + 1, statement))
        text += f"{statement};"
    assert lines(text + tail) == expected
