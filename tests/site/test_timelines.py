"""The lifecycle timeline: every version is in it as the manifest says, on a desktop and on a phone."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given

from jobarium_events.contract import Lifecycle
from jobarium_events.evolution.lifecycle import WINDOW
from jobarium_events.site.pictures import timeline
from jobarium_events.site.pictures.texts import width_of
from tests.site.drawn import RELEASES, cases, contract, drawn, inside, part
from tests.strategies import CONTRACTS


def lies_well(picture):
    for column in picture.columns:
        inside(picture, column.x, 0, column.width)
        assert width_of(column.label, 13.0) <= column.width
    for before, after in pairwise(picture.columns):
        assert before.x + before.width == pytest.approx(after.x, abs=0.11)
    ends = 0.0
    for event in picture.events:
        assert event.y >= ends
        ends = event.y + event.height
        for band in event.bands:
            inside(picture, band.x, event.y, band.width, event.height)
        rows = [row.y for row in event.rows]
        assert all(after - before >= 30 for before, after in pairwise(rows))
        assert all(event.y <= y and y + 30 <= ends for y in rows)
        assert all(event.y <= y <= ends for y, _ in event.lines)
        for row in event.rows:
            assert width_of(row.label, 11.0) + 8 <= picture.left
            for bar in row.bars:
                inside(picture, bar.x, row.y, bar.width, 30)
                assert bar.x >= picture.left
                assert bar.width > 0
                if bar.label:
                    assert bar.x < bar.at
                    assert bar.at + width_of(bar.label) < bar.x + bar.width
                    clear = (bar.at + width_of(bar.label) <= each.x - 8 or each.x + 8 <= bar.at for each in row.markers)
                    assert all(clear)
            for before, after in pairwise(row.bars):
                assert before.x + before.width <= after.x + 0.11
            for marker in row.markers:
                inside(picture, marker.x, row.y)


@given(cases())
def test_everything_of_a_timeline_lies_within_it_and_nothing_upon_another(case):
    picture = timeline(case.contracts, case.releases, case.planned)
    lies_well(picture)
    lies_well(picture.narrow)


@given(cases())
def test_the_narrow_timeline_shows_the_same(case):
    """A name stands above its rows, so that bars are in sight on a phone; what is drawn and said is the same."""
    picture = timeline(case.contracts, case.releases, case.planned)
    narrow = picture.narrow
    assert (narrow.told, narrow.text, narrow.left_out) == (picture.told, picture.text, picture.left_out)
    assert (narrow.has_windows, narrow.has_markers) == (picture.has_windows, picture.has_markers)
    assert narrow.left < 60
    assert narrow.narrow is None
    for wide, event in zip(picture.events, narrow.events, strict=True):
        assert event.name == wide.name
        assert [[bar.title for bar in row.bars] for row in event.rows] == [
            [bar.title for bar in row.bars] for row in wide.rows
        ]
        assert all(y < event.rows[0].y for y, _ in event.lines)
        assert all(width_of(line, 13.0) <= 328 for _, line in event.lines)
        assert len(event.lines) == 1


@given(cases())
def test_every_contract_is_in_the_timeline_or_said_to_be_left_out(case):
    picture = timeline(case.contracts, case.releases, case.planned)
    assert picture.left_out == ()
    versions = [row.label for event in picture.events for row in event.rows if row.label != "dual-consume"]
    assert len(versions) == len(case.contracts)
    assert {(each.event, each.version) for each in picture.told} == {
        (each.event, each.version) for each in case.contracts
    }
    short = timeline(case.contracts, case.releases, case.planned, many=0)
    events = list(dict.fromkeys(each.event for each in case.contracts))
    assert [name for name in events if name not in short.left_out] == [each.name for each in short.events]
    for name in short.left_out:
        (only,) = [each for each in case.contracts if each.event == name]
        assert only.lifecycle is Lifecycle.ACTIVE
        assert only.deprecated is None


@given(cases())
def test_at_the_current_release_each_bar_is_of_the_state_in_which_the_version_is(case):
    picture = timeline(case.contracts, case.releases, case.planned)
    if picture.now is None:
        return
    for event in picture.events:
        contracts = [each for each in case.contracts if each.event == event.name]
        for row, each in zip(event.rows, contracts, strict=False):
            here = [bar.look for bar in row.bars if bar.x <= picture.now + 1 < bar.x + bar.width]
            assert here == [f"state-{each.lifecycle}"]


@given(cases())
def test_a_window_is_where_two_versions_are_on_the_wire(case):
    """Each release is asked by itself, in place of the moves."""
    picture = timeline(case.contracts, case.releases, case.planned)
    if len(case.releases) > 6:
        return  # several releases share a column
    for event in picture.events:
        contracts = [each for each in case.contracts if each.event == event.name]
        windows = [row.bars for row in event.rows if row.label == "dual-consume"]
        assert len(windows) <= 1
        for place, column in enumerate(picture.columns if case.every else ()):
            together = [
                each.version
                for each in contracts
                if each.introduced is not None
                and case.every.index(each.introduced) <= place
                and (each.retired is None or place < case.every.index(each.retired))
            ]
            middle = column.x + column.width / 2
            shown = [bar for bars in windows for bar in bars if bar.x <= middle <= bar.x + bar.width]
            assert len(shown) == (len(together) > 1)
            assert all(version in bar.title for bar in shown for version in together)


@given(cases())
def test_the_marker_stands_where_a_deprecated_version_may_be_retired(case):
    picture = timeline(case.contracts, case.releases, case.planned)
    told = {(each.event, each.version): each for each in picture.told}
    for each in case.contracts:
        (row,) = (
            row
            for event in picture.events
            if event.name == each.event
            for row in event.rows
            if row.label == each.version
        )
        words = told[each.event, each.version].earliest
        if each.deprecated is None or each.lifecycle is Lifecycle.RETIRED:
            assert (row.markers, words) == ((), "")
            continue
        place = case.every.index(each.deprecated) + WINDOW
        if place >= len(case.every):
            assert row.markers == ()
            assert words.endswith(f"release after {case.every[-1]}")
            continue
        assert words == case.every[place]
        assert row.markers[0].title == f"{each.version} may be retired from {words} on"
        if len(case.releases) <= 6:
            assert row.markers[0].x == picture.columns[place].x


def test_the_bundled_catalog_is_told_in_words():
    usage = [each for each in CONTRACTS if each.event == "billing.usage.updated"]
    picture = timeline(usage, RELEASES[:3], RELEASES[3:5], is_own=True)
    assert picture.title == "Lifecycle of billing.usage.updated"
    assert picture.text == (
        "v1 is deprecated; introduced in 2026.1, deprecated in 2026.3, retired in 2026.5 (planned), on the wire with "
        "v2 from 2026.3 until 2026.5. "
        "v2 is active; introduced in 2026.3, on the wire with v1 from 2026.3 until 2026.5."
    )
    text, page = part("pictures.html.jinja", "timeline", "picture, 'life'", picture=picture)
    broad, narrow = drawn(text)
    assert (broad.get("role"), broad.get("aria-labelledby")) == ("img", "life-title")
    assert (narrow.get("role"), narrow.get("aria-labelledby")) == ("img", "life-narrow-title")
    assert (broad.get("class"), narrow.get("class")) == ("broad", "narrow")
    assert not page.all("a")  # what is an image for a screen reader has no links that it would hide
    assert [each.text for each in page.all("th", scope="row")] == ["v1", "v2"]
    assert "from here on a deprecated version may be retired" in page.text


def test_releases_of_long_ago_share_a_column_and_keep_their_order():
    early = contract(introduced="2026.1", deprecated="2026.2", retired="2026.4", releases=RELEASES)
    picture = timeline([early], RELEASES, ())
    assert [column.label for column in picture.columns] == ["6 earlier", *RELEASES[6:]]
    assert picture.columns[0].title == "2026.1 to 2026.6, 6 releases"
    looks = [bar.look for bar in picture.events[0].rows[0].bars]
    assert looks == ["state-active", "state-deprecated", "state-retired"]


def test_a_catalog_that_was_never_released_has_one_column():
    picture = timeline([contract(introduced=None, releases=())], (), ())
    assert [(column.label, column.when) for column in picture.columns] == [("now", "current")]
    assert [bar.look for bar in picture.events[0].rows[0].bars] == ["state-draft"]
    assert picture.told[0].introduced == "no release is named yet"


def test_a_release_that_the_catalog_does_not_have_is_no_mistake():
    """As in a catalog that was put together of two."""
    strange = contract(introduced="1.0", deprecated="2.0", releases=("1.0", "2.0", "3.0"))
    row = timeline([strange], RELEASES[:3], ()).events[0].rows[0]
    assert [bar.look for bar in row.bars] == ["state-active", "state-deprecated"]
    gone = contract(introduced="1.0", deprecated="2.0", retired="3.0", releases=("1.0", "2.0", "3.0"))
    row = timeline([gone], RELEASES[:3], ()).events[0].rows[0]
    assert [bar.look for bar in row.bars] == ["state-active", "state-retired"]


def test_the_catalog_names_its_event_where_only_one_is_drawn_and_an_events_own_page_does_not():
    contracts = [contract(f"event.n{number}") for number in range(30)]
    moving = [contract("event.moving", deprecated="2026.2")]
    for picture in (timeline(contracts + moving, RELEASES[:3], ()), timeline(moving, RELEASES[:3], ())):
        assert picture.title == "Lifecycle of the events"
        assert picture.text == "1 version of 1 event: 1 deprecated."
        text, page = part("pictures.html.jinja", "timeline", "picture, 'life'", picture=picture)
        assert [svg.get("role") for svg in drawn(text)] == ["group", "group"]
        linked = [each for each in page.all("a") if "event.moving" in each.text]
        assert [each.attributes["href"] for each in linked] == [
            "events/event.moving.html",  # on a desktop, on a phone, and in the table
            "events/event.moving.html",
            "events/event.moving.html#v1",
        ]
    own = timeline(moving, RELEASES[:3], (), is_own=True)
    assert own.title == "Lifecycle of event.moving"
    assert (own.events[0].lines, own.narrow.events[0].lines) == ((), ())


@pytest.mark.parametrize("names", [("2025.{}", 12), ("2026-0{}-15", 10), ("spring {}", 10)])
def test_releases_keep_their_names_on_a_phone_however_many_there_are(names):
    releases = [names[0].format(number) for number in range(1, names[1])]
    old = contract(introduced=releases[0], releases=releases)
    narrow = timeline([old], releases[:-4], releases[-4:]).narrow
    assert [column.label for column in narrow.columns[1:]] == [column.title for column in narrow.columns[1:]]
    assert "…" not in narrow.columns[0].label
    assert narrow.columns[0].label.endswith(" past")


def test_a_label_stands_behind_the_marker_that_would_cover_it():
    releases = RELEASES[:6]
    first = contract(introduced=releases[0], deprecated=releases[1], releases=releases)
    narrow = timeline([first], releases, ()).narrow
    (row,) = narrow.events[0].rows
    (marker,) = row.markers
    assert [(bar.label, bar.at > marker.x) for bar in row.bars] == [("", False), ("deprecated", True)]


def test_what_a_large_catalog_leaves_out_is_linked():
    contracts = [contract(f"event.n{number}") for number in range(30)]
    contracts += [contract("event.moving", deprecated="2026.2")]
    picture = timeline(contracts, RELEASES[:3], ())
    assert [event.name for event in picture.events] == ["event.moving"]
    _, page = part("pictures.html.jinja", "timeline", "picture, 'life', '../'", picture=picture)
    links = {each.attributes["href"] for each in page.all("a")}
    assert links >= {f"../events/event.n{number}.html" for number in range(30)}
    assert "30 events with one active version and no move to come are left out" in page.text
    _, quiet = part("pictures.html.jinja", "timeline", "p, 'x'", p=timeline(contracts[:30], RELEASES[:3], ()))
    assert "there is nothing to draw" in quiet.text
    _, empty = part("pictures.html.jinja", "timeline", "p, 'x'", p=timeline([], RELEASES[:3], ()))
    assert "There are no events." in empty.text
