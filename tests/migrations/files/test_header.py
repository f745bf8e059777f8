"""The header of a migration: every key, every mistake with its line, and any text that TOML can have."""

from __future__ import annotations

import re

import msgspec
import pytest
import tomlkit
from hypothesis import given
from hypothesis import strategies as st

from jobarium_events.migrations.files.header import (
    MEANINGS,
    Backfill,
    Category,
    Header,
    HeaderError,
    Risk,
    header_lines,
    read_header,
)
from jobarium_events.migrations.files.spans import Span
from tests.migrations.written import HEADER, in_comments
from tests.strategies import examples

LINES = {"id": '"0007_job_source"', **{key: f'"{value}"' for key, value in HEADER.items()}}
TEXTS = ("id", "owner", "release", "rollback_plan", "feature_flag", "containment")
REQUIRED = [field.name for field in msgspec.structs.fields(Header) if field.required]


def toml(**changed: str | None) -> str:
    return "\n".join(f"{key} = {value}" for key, value in {**LINES, **changed}.items() if value is not None)


def mistakes(text: str) -> list[tuple[int, str]]:
    with pytest.raises(HeaderError) as caught:
        read_header(text)
    return caught.value.mistakes


def test_the_least_and_what_holds_by_default():
    header, line = read_header(in_comments(toml()) + "\n-- name: up\n")
    assert header == Header(
        id="0007_job_source",
        owner="job-service",
        category=Category.EXPAND,
        release="2026.12",
        estimated_runtime=Span(1),
        rollback_plan="db rollback",
        risk=Risk.LOW,
    )
    assert line == 10
    assert (header.depends_on, header.out_of_use, header.backfill, header.decision) == ((), {}, None, None)


def test_all_of_it():
    header, _ = read_header(
        in_comments(
            toml(
                category='"contract"',
                risk='"high"',
                estimated_runtime='"1.5h"',
                depends_on='["0006_a"]',
                feature_flag='"job-source"',
                decision='"DEC-0007"',
                containment='"none"',
                alerts='["a", "b"]',
                out_of_use='{"job.status" = "2026.10"}',
                completes='["0005_b"]',
            )
            + '\n[backfill]\ntable = "job"\nkey = ["a", "b"]\nbatch_rows = 5\n'
            + 'batch_time = "1s"\nshare = 1\nmax_lag = "2s"'
        )
    )
    assert (header.category, header.risk, header.estimated_runtime) == (Category.CONTRACT, Risk.HIGH, 5400)
    assert (header.depends_on, header.completes, header.alerts) == (("0006_a",), ("0005_b",), ("a", "b"))
    assert (header.decision, header.out_of_use) == ("DEC-0007", {"job.status": "2026.10"})
    assert header.backfill == Backfill(
        table="job", key=("a", "b"), batch_rows=5, batch_time=Span(1), share=1, max_lag=Span(2)
    )


def test_each_key_has_its_meaning_told():
    assert MEANINGS.keys() == {field.name for field in msgspec.structs.fields(Header)}


@pytest.mark.parametrize("key", REQUIRED)
def test_each_that_is_missing_is_named(key):
    assert mistakes("\n" + in_comments(toml(**{key: None}))) == [(2, f"the header lacks {key!r}: {MEANINGS[key]}")]


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        *[
            (key, "5", f"'{key}' is a whole number")
            for key in ("owner", "risk", "containment", "decision", "depends_on")
        ],
        *[(key, '" "', "is empty") for key in TEXTS],
        *[(key, '""', "is empty") for key in TEXTS],
        ("category", '"extend"', "'category' is 'extend'"),
        ("risk", '"medium"', "'risk' is 'medium'"),
        ("risk", '""', "'risk' is ''"),
        ("estimated_runtime", '"soon"', "'estimated_runtime' is not a number and ms, s, m or h"),
        ("estimated_runtime", "5", "'estimated_runtime' is not a text"),
        ("estimated_runtime", '"999h"', "'estimated_runtime' is longer than 596h, which is as far as Postgres counts"),
        ("decision", '"7"', "'decision' is not written like that"),
        ("depends_on", '["a", ""]', "entry 2 of 'depends_on' is empty"),
        ("alerts", '"one"', "'alerts' is a text"),
        ("out_of_use", '{"job.a" = 1}', "'out_of_use.job.a' is a whole number"),
        ("out_of_use", '{"" = ""}', "'out_of_use' has a key without a name"),
        ("completes", "[true]", "entry 1 of 'completes' is true or false"),
        ("backfill", '"job"', "'backfill' is a text"),
    ],
)
def test_each_that_is_wrong_is_told_with_its_line_and_its_meaning(key, value, said):
    place = list({**LINES, key: value}).index(key) + 2
    ((line, problem),) = mistakes(in_comments(toml(**{key: value})))
    assert line == place
    assert problem.endswith(f"{said}; write {MEANINGS[key]}")
    assert repr(key)[:-1] in problem


@pytest.mark.parametrize(
    ("table", "line", "said"),
    [
        ('key = ["id"]', 9, "'backfill.table' is missing; write a text"),
        ('table = "job"', 9, "'backfill.key' is missing; write a list with a text for each entry"),
        ('table = "job"\nkey = "id"', 11, "'backfill.key' is a text; write a list with a text for each entry"),
        (
            'table = "job"\nkey = ["id"]\nbatch_rows = 0',
            12,
            "'backfill.batch_rows' is 0; write a whole number from 1 to 1000000",
        ),
        (
            'table = "job"\nkey = ["id"]\nshare = 1.5',
            12,
            "'backfill.share' is 1.5; write a number above 0 up to 1",
        ),
        ('table = "job"\nkey = ["id"]\n\nshare = 0', 13, "'backfill.share' is 0; write a number above 0 up to 1"),
        ('table = "job"\nkey = ["id"]\nmax_lag = 3', 12, "'backfill.max_lag' is not a text; write a time such as"),
        (
            'table = "job"\nkey = ["id"]\nrows = 3',
            12,
            "'backfill.rows' means nothing; write one of table, key, batch_rows, batch_time, share, max_lag",
        ),
    ],
)
def test_mistakes_within_the_backfill(table, line, said):
    ((found, problem),) = mistakes(in_comments(f"{toml()}\n[backfill]\n{table}"))
    assert (found, said in problem) == (line, True), problem


def test_every_mistake_is_told_at_once():
    found = mistakes(in_comments(toml(owner=None, risk='"x"', release="1") + "\nowned_by = 'me'"))
    assert [(line, re.search(r"'(\w+)'", text)[1]) for line, text in found] == [
        (1, "owner"),
        (4, "release"),
        (7, "risk"),
        (8, "owned_by"),
    ]


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("", 1, "has no header"),
        ("\n\nselect 1;", 3, "has no header"),
        (
            "-- name: up\nselect 1;",
            1,
            "it begins with a line `-- /// migration` and ends with a line `-- ///`,",
        ),
        ("-- /// migration\n-- id = 'a'\nselect 1", 1, "does not end; close it with a line `-- ///`"),
        ("-- /// migration\n-- id = 'a'\nowner = 'b'\n-- ///", 3, "is in the header and no comment"),
        (
            "-- /// migration\n-- id = 'a'\n-- owner = \n-- ///",
            3,
            "this is no value; a text stands in quotation marks",
        ),
        ("-- /// migration\n-- id = 'a'\n-- id = 'b'\n-- ///", 3, "the header has 'id' twice; keep one of them"),
        ("-- /// migration\n-- id = '''a\n-- b\n-- ///", 3, "the header is no valid TOML: Expected"),
        ("-- /// migration\n-- id = '\x01'\n-- ///", 2, "the header is no valid TOML: Found invalid character"),
        ("-- /// migration\n-- id = '\0'\n-- ///", 2, "the header is no valid TOML: "),
        ("-- /// migration\n-- a = " + "[" * 5000 + "\n-- ///", 2, "the header is no valid TOML: "),
    ],
)
def test_what_is_no_header(text, line, said):
    ((found, problem), *more) = mistakes(text)
    assert (found, more) == (line, [])
    assert said in problem


def test_lines_of_keys_are_those_where_they_begin():
    texts = 'id = """a\nowner = 1\n"""\nalerts = [\n  "x",\n  # owner = 2\n]\n"owner" = "b"\n'
    header = f'{texts}[backfill]\n# key\nkey = [\n"a"]'
    lines = header_lines("\n" + in_comments(header))
    assert lines == {"id": 3, "alerts": 6, "owner": 10, "backfill": 11, "backfill.key": 13}
    assert header_lines("select 1") == {}


def test_separators_of_other_standards_end_no_line():
    odd = "a\u2028b\x85c\u2029d"
    header, line = read_header(in_comments(toml(owner=f'"{odd}"')) + "-- name: up")
    assert (header.owner, line) == (odd, 10)


words = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=30).filter(lambda text: text.strip())
spans = st.integers(0, 10**6).map(lambda number: Span(number / 1000))
multiline = st.booleans()


@st.composite
def headers(draw: st.DrawFn) -> Header:
    texts = st.lists(words, max_size=3).map(tuple)
    backfill = st.builds(
        Backfill,
        table=words,
        key=st.lists(words, min_size=1, max_size=3).map(tuple),
        batch_rows=st.integers(1, 10**6),
        share=st.floats(0.01, 1),
        batch_time=spans,
    )
    return draw(
        st.builds(
            Header,
            id=words,
            owner=words,
            category=st.sampled_from(Category),
            release=words,
            estimated_runtime=spans,
            rollback_plan=words,
            risk=st.sampled_from(Risk),
            depends_on=texts,
            feature_flag=st.none() | words,
            decision=st.none() | st.from_regex(r"\ADEC-[0-9]{4,6}\Z"),
            containment=st.none() | words,
            alerts=texts,
            out_of_use=st.dictionaries(words, words, max_size=3),
            completes=texts,
            backfill=st.none() | backfill,
        )
    )


def document_of(header: Header, *, long: bool) -> str:
    """A header as TOML; its longer texts over several lines if so wished."""
    values = msgspec.to_builtins(header, enc_hook=str)
    values["estimated_runtime"] = f"{header.estimated_runtime * 1000:f}ms"
    if header.backfill is not None:
        values["backfill"] |= {
            name: f"{getattr(header.backfill, name) * 1000:f}ms" for name in ("batch_time", "max_lag")
        }
    document = {key: value for key, value in values.items() if value is not None}
    if long:
        document["rollback_plan"] = tomlkit.string(header.rollback_plan, multiline=True)
    return tomlkit.dumps(document).rstrip("\n")


@given(headers(), multiline)
@examples(300)
def test_what_is_written_is_read(header, long):
    written = document_of(header, long=long and "\r" not in header.rollback_plan)
    # A line that looks like the end of the header would be one.
    if any(line.rstrip() == "///" for line in written.split("\n")):
        return
    text = "-- /// migration\n" + "".join(f"-- {line}\n" for line in written.split("\n")) + "-- ///\n-- name: up\n"
    read, line = read_header(text)
    assert line == text.count("\n")
    for field in ("estimated_runtime",):
        assert getattr(read, field) == pytest.approx(getattr(header, field))
    if header.backfill is not None:
        assert read.backfill.batch_time == pytest.approx(header.backfill.batch_time)
        read = msgspec.structs.replace(
            read, backfill=msgspec.structs.replace(read.backfill, batch_time=header.backfill.batch_time)
        )
    assert msgspec.structs.replace(read, estimated_runtime=header.estimated_runtime) == header
