"""A rehearsal as a page, and its picture."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from html.parser import HTMLParser

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobarium_events.migrations.lint.locking.locks import LockMode
from jobarium_events.migrations.rehearsal.html import as_html
from jobarium_events.migrations.rehearsal.report import Blocked, Held, ObservedStep, Series
from jobarium_events.migrations.rehearsal.timeline import NARROW, WIDE, Format, timeline
from jobarium_events.migrations.rehearsal.wording import harm, in_bytes, in_time
from tests.migrations.rehearsal.samples import sample

HOSTILE = '<script>alert("x")</script>'


class Tags(HTMLParser):
    """Gathers the tags of a page, and its text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        assert not any(name.startswith("on") or (value or "").startswith("http") for name, value in attrs)

    def handle_data(self, data: str) -> None:
        self.text += data


def picture(page: str) -> ET.Element:
    begin, end = page.index("<svg"), page.index("</svg>") + len("</svg>")
    return ET.fromstring(page[begin:end])


def test_a_page_needs_nothing_else_and_runs_no_script() -> None:
    found = Tags(as_html(sample()))

    assert not {"script", "link", "img", "iframe"} & set(found.tags)
    assert found.tags.count("svg") == 2


def test_what_was_found_is_on_the_page() -> None:
    text = " ".join(Tags(as_html(sample())).text.split())

    for said in (
        "0007_job_source red",
        "it took too long",
        "runtime, estimated 1 s",
        "alter table job add column source text",
        "ACCESS EXCLUSIVE on job, 110 ms, waited 300 ms",
        "wrote job anew",
        "index job_source, 42.9 MB in 1.1 s",
        "tried 2 times",
        'column "source" does not exist',
        "line 30: must return 0, and returned 7",
        "index job_source is left",
        "job: 3 rows differ",
        "the values of job.legacy",
        "2,000,000",
        "audit.entry has no primary key",
    ):
        assert said in text, said


def test_a_green_one_without_a_way_back_says_so() -> None:
    text = Tags(as_html(msgspec.structs.replace(sample(problems=()), back=None, checks=(), probes=()))).text

    assert "green" in text
    assert "What is wrong" not in text
    assert "It was not gone." in text
    assert "Nothing was asked." in text


def test_names_and_sentences_are_escaped_wherever_they_stand() -> None:
    hostile = sample(id_=HOSTILE, problems=(HOSTILE,))
    steps = (
        ObservedStep(
            line=1,
            text=HOSTILE,
            begin=1.5,
            seconds=1.0,
            locks=(Held(table=HOSTILE, mode="ShareLock", waited=0.1, begin=1.6, end=2.0, seconds=0.4),),
            rewrites=(HOSTILE,),
        ),
    )
    page = as_html(
        msgspec.structs.replace(
            hostile,
            rows={HOSTILE: 1},
            server_version=HOSTILE,
            steps=steps,
            blocked=(Blocked(probe=HOSTILE, table=HOSTILE, line=1, begin=1.6, seconds=0.4),),
            series=(Series(name=HOSTILE, width=0.1, buckets=hostile.series[0].buckets),),
            notes=(HOSTILE,),
        )
    )

    assert "<script" not in page
    assert "script" not in Tags(page).tags
    assert Tags(page).text.count(HOSTILE) >= 10
    picture(page)  # it is well-formed all the same


def test_the_picture_has_each_lock_in_the_colour_of_its_harm() -> None:
    found = picture(as_html(sample()))
    looks = [each.get("class") for each in found.iter("rect")]

    assert looks.count("harm-all") == 1
    assert looks.count("harm-writes") == 1
    assert looks.count("harm-none") == 2
    assert looks.count("waited") == 1
    assert looks.count("blocked") == 2
    assert looks.count("span") == 3
    assert len(list(found.iter("path"))) == 9
    titles = [each.text for each in found.iter("title")]
    assert "SHARE on job, line 18: held 1.2 s" in titles
    assert "insert into job waited 1.1 s for line 18" in titles


def test_bars_are_as_wide_as_what_they_show_lasted() -> None:
    bars = {lane.label + lane.detail: lane.bars[-1] for lane in timeline(sample()).lanes}
    wide, narrow = bars["jobSHARE"], bars["jobACCESS EXCLUSIVE"]

    assert wide.width / narrow.width == pytest.approx(1.2 / 0.11, rel=0.01)


@given(
    st.floats(0.001, 1e5),
    st.tuples(st.floats(0, 1), st.floats(0, 1)),
    st.floats(0, 2),
    st.sampled_from(LockMode),
    st.sampled_from([WIDE, NARROW]),
)
def test_nothing_is_drawn_outside_of_the_picture(
    lasted: float, shares: tuple[float, float], seconds: float, mode: LockMode, layout: Format
) -> None:
    began, begin = shares
    at = begin * lasted
    lock = Held(table="job", mode=mode, waited=seconds, begin=at, end=at + seconds, seconds=seconds)
    step = ObservedStep(line=1, text="", begin=at, seconds=seconds, locks=(lock,))
    found = timeline(
        msgspec.structs.replace(sample(), began=began * lasted, lasted=lasted, steps=(step,), series=(), blocked=()),
        layout,
    )

    left, right = layout.left - 0.01, layout.width - layout.right + 0.01
    assert 1 <= len(found.ticks) <= 12
    for x, width in [(bar.x, bar.width) for lane in found.lanes for bar in lane.bars]:
        assert left <= x <= x + width <= right
    assert all(left <= tick.at <= right for tick in found.ticks)


def test_on_a_phone_each_row_is_a_list_whose_entries_are_named() -> None:
    """A table of six columns is wider than the screen, and of one that scrolls the columns of locks were not seen."""
    page = as_html(sample())
    _, phone = page.split("@media (max-width: 920px)")
    tables = re.findall(r"<table class=\"stacked\">(.*?)</table>", page, re.DOTALL)

    assert ".stacked td { display: block; }" in phone
    assert len(tables) == 3
    for table in tables:
        head, *rows = re.findall(r"<tr.*?</tr>", table, re.DOTALL)
        assert 'class="head"' in head
        for row in rows:
            cells = re.findall(r"<td[^>]*>", row)
            assert len(cells) == head.count("<th")
            assert sum("data-label" not in cell for cell in cells) == 1  # what the row is about
    assert '<td class="list" data-label="Locks">' in tables[0]


def test_names_of_any_length_are_broken_where_there_is_no_room() -> None:
    page = as_html(sample())
    broken = re.findall(r"^([^{}@]*) \{[^}]*overflow-wrap: anywhere", page, re.MULTILINE)
    wide = re.findall(r"^([^{}@]*) \{[^}]*min-width: (\d+)px", page, re.MULTILINE)

    assert {"h1", "li", "code", "td span, td.text", "td.list div"} <= set(broken)
    assert not wide, "what has a width of its own scrolls a narrow page"
    assert '<td class="text">' in page


def test_the_picture_for_a_phone_shows_the_same() -> None:
    wide, narrow = timeline(sample()), timeline(sample(), NARROW)

    assert [(lane.label, lane.detail, len(lane.bars)) for lane in wide.lanes] == [
        (lane.label, lane.detail, len(lane.bars)) for lane in narrow.lanes
    ]
    assert NARROW.width < 390 < WIDE.width
    assert len(narrow.ticks) <= NARROW.ticks + 1
    for above, below in zip(narrow.lanes, narrow.lanes[1:], strict=False):
        assert above.y + NARROW.bar + 15 <= below.y + NARROW.label - 12, "a label stands between the bars"
    page = as_html(sample())
    assert "svg.narrow { display: none; }" in page
    assert "svg.broad { display: none; }" in page.split("@media (max-width: 920px)")[1]


def test_what_waits_for_a_lock_is_known_for_each_mode() -> None:
    assert [harm(mode) for mode in LockMode] == [
        "none",
        "none",
        "none",
        "changes",
        "writes",
        "writes",
        "writes",
        "all",
    ]


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.0, "0 ms"),
        (0.00002, "20 µs"),
        (0.0042, "4.2 ms"),
        (0.9996, "1 s"),
        (1.25, "1.25 s"),
        (59.99, "1 min"),
        (200.0, "3 min 20 s"),
        (3599.9, "1 h"),
        (3600.0, "1 h"),
        (7320.0, "2 h 2 min"),
    ],
)
def test_times_are_written_for_people(seconds: float, words: str) -> None:
    assert in_time(seconds) == words


@pytest.mark.parametrize(
    ("size", "words"),
    [(0, "0 bytes"), (1023, "1023 bytes"), (16384, "16 kB"), (45_000_000, "42.9 MB"), (2**41, "2 TB")],
)
def test_sizes_are_written_for_people(size: int, words: str) -> None:
    assert in_bytes(size) == words
