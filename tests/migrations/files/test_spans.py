"""Spans of time as people write them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobarium_events.migrations.files.spans import Span
from tests.strategies import examples


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("200ms", 0.2), ("30s", 30), (" 1.5 m ", 90), ("15m", 900), ("2h", 7200), ("0s", 0), ("596h", 2_145_600)],
)
def test_a_span_is_a_number_and_a_unit(text, seconds):
    assert Span.read(text) == pytest.approx(seconds)


@pytest.mark.parametrize("text", ["", "5", "s", "1 day", "-1s", "1e3s", "٣s", "1s 5ms", "1,5s", "1m\n1s"])
def test_anything_else_is_none(text):
    with pytest.raises(ValueError, match="not a number and ms, s, m or h"):
        Span.read(text)


@pytest.mark.parametrize("text", ["597h", "9" * 400 + "ms"])
def test_one_longer_than_postgres_counts_is_refused(text):
    with pytest.raises(ValueError, match="longer than 596h"):
        Span.read(text)


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (0, "0ms"), (0.0123, "12.3ms"), (0.2, "200ms"), (1, "1s"), (90, "1.5m"), (100, "100s"), (3600, "1h"),
        (4000, "4000s"), (100.123, "1.7m"), (7.26, "7.3s"),
    ],
)  # fmt: skip
def test_it_prints_as_people_write_it(seconds, shown):
    assert str(Span(seconds)) == shown


def test_milliseconds_are_never_none():
    assert [Span(each).milliseconds for each in (0, 0.0001, 0.2, 3600)] == [1, 1, 200, 3_600_000]


@given(st.integers(0, 5_000), st.sampled_from(["s", "m"]))
@examples(200)
def test_what_is_printed_of_a_whole_number_is_read_as_the_same(number, unit):
    span = Span.read(f"{number}{unit}")
    assert Span.read(str(span)).milliseconds == span.milliseconds
