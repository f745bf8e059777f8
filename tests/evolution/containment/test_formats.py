import datetime as dt
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobarium_events.evolution.containment.formats import FORMATS, bounds, implied
from jobarium_events.evolution.containment.regular import requirements
from jobarium_events.validation.formats import CHECKS
from jobarium_events.validation.patterns import translate
from tests.strategies import examples, moments
from tests.validation.test_formats import CASES

LIKELY = {
    "uuid": st.one_of(st.uuids().map(str), st.uuids().map(lambda each: each.hex.upper())),
    "date": st.dates().map(str),
    "time": st.builds(
        lambda moment, ends: moment.time().isoformat() + ends, moments, st.sampled_from(["Z", "z", "+0130"])
    ),
    "date-time": st.builds(lambda moment, joint: moment.isoformat(joint), moments, st.sampled_from(["T", "t", " "])),
}


def judged(name, text):
    certain, possible = bounds(name)
    is_certain = certain is not None and re.search(translate(certain), text) is not None
    is_possible = possible is None or re.search(translate(possible), text) is not None
    return is_certain, is_possible


def agrees(name, text):
    is_certain, is_possible = judged(name, text)
    return is_certain <= CHECKS[name](text) <= is_possible


@st.composite
def nearly(draw, texts):
    """A text with one character left out, put in, or in place of another."""
    text = draw(texts)
    place, size = draw(st.integers(0, len(text))), draw(st.integers(0, 1))
    return (
        text[:place]
        + draw(st.sampled_from(["", "0", "9", "6", "-", ":", "Z", "+", ".", " ", "T", "a", "\n"]))
        + text[place + size :]
    )


@pytest.mark.parametrize("name", CHECKS)
@examples(200)
@given(st.data())
def test_what_is_certain_is_valid_and_what_is_valid_is_possible(name, data):
    text = data.draw(st.one_of(LIKELY[name], nearly(LIKELY[name]), nearly(nearly(LIKELY[name]))))
    assert agrees(name, text)


@pytest.mark.parametrize("name", CHECKS)
def test_the_cases_that_define_a_format_are_within_its_bounds(name):
    valid, invalid = CASES[name]
    assert [text for text in (*valid, *invalid) if not agrees(name, text)] == []


def test_every_day_of_the_calendar_and_no_other_is_a_date():
    years = [
        1,
        4,
        99,
        100,
        400,
        999,
        1000,
        1600,
        1899,
        1900,
        1999,
        2000,
        2023,
        2024,
        2100,
        2400,
        8999,
        9000,
        9996,
        9999,
    ]
    certain, possible = bounds("date")
    assert certain == possible
    pattern = re.compile(translate(certain))
    for year in years:
        days = {dt.date(year, 1, 1) + dt.timedelta(days) for days in range(366 if year < 9999 else 365)}
        days = {str(day) for day in days if day.year == year}
        for month in range(14):
            for day in range(33):
                text = f"{year:04}-{month:02}-{day:02}"
                assert (pattern.search(text) is not None) is (text in days)


def test_every_leap_year_is_one():
    possible = re.compile(translate(bounds("date")[1]))
    leap = [year for year in range(1, 10_000) if possible.search(f"{year:04}-02-29")]
    assert leap == [year for year in range(1, 10_000) if year % 4 == 0 and (year % 100 or year % 400 == 0)]


@pytest.mark.parametrize("name", sorted(FORMATS))
def test_bounds_are_patterns_that_automata_can_say_and_certain_lies_within_possible(name):
    certain, possible = bounds(name)
    for pattern in filter(None, (certain, possible)):
        assert requirements(pattern) is not None
    sample = {
        "date": "2024-02-29", "time": "10:00:00Z", "date-time": "2024-02-29T10:00:00Z", "ipv4": "127.0.0.1",
        "uuid": "1b9d6bcd-bbfd-4b2d-9b5d-ab8dfbbd4bed", "ipv6": "1:2:3:4:5:6:7:8", "hostname": "a.example",
        "idn-hostname": "a.example", "email": "a@b.example", "idn-email": "a@b.example", "uri": "http://a",
        "iri": "http://a", "uri-reference": "/a", "iri-reference": "/a", "uri-template": "a", "json-pointer": "/a~1b",
        "relative-json-pointer": "1/a", "regex": "a", "duration": "P1Y2M3DT4H5M6S",
    }  # fmt: skip
    assert judged(name, sample[name]) == (True, True)


# Those of the JSON Schema Test Suite, and of the grammar in RFC 3339, appendix A.
@pytest.mark.parametrize(
    "text", ["P4DT12H30M5S", "P4Y", "PT0S", "P0D", "P1M", "PT1M", "PT36H", "P1DT12H", "P2W", "P1Y2M"]
)
def test_a_duration_certainly_is_one(text):
    assert judged("duration", text) == (True, True)
    assert judged("duration", text.lower()) == (False, True)


@pytest.mark.parametrize(
    "text",
    [
        "PT1D",
        "4DT12H",
        "P",
        "P1YT",
        "PT",
        "P2D1Y",
        "P1D2H",
        "P2S",
        "P1Y2W",
        "P1",
        "P\u09e8Y",
        "P1Y2D",
        "PT1H5S",
        "P-1D",
    ],
)
def test_what_is_no_duration_possibly_is_none(text):
    assert judged("duration", text) == (False, False)


def test_the_formats_that_are_checked_are_all_known():
    assert set(CHECKS) <= FORMATS
    assert bounds("colour") == (None, None)
    assert implied("uri") == ("iri", "iri-reference", "uri-reference")
    assert implied("date") == ()
