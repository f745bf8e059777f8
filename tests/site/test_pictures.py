"""The pictures: nothing is lost, nothing lies outside, nothing lies upon another, and no name is more than a text."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobarium_events.site.pictures import flow, timeline, traffic
from jobarium_events.site.pictures.flow import of_service
from jobarium_events.site.pictures.texts import fitted, folded, listed, width_of
from tests.site.drawn import HOSTILE, cases, contract, counted, drawn, inside, part
from tests.strategies import CONTRACTS

TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=("C",)), max_size=90)


# ---------------------------------------------------------------- texts


@given(TEXTS, st.floats(30, 400))
def test_what_is_fitted_has_room_and_keeps_both_ends_of_a_name(text, room):
    found = fitted(text, room)
    assert width_of(found) <= room + 0.001
    if found != text:
        head, _, tail = found.partition("…") if "…" not in text else (found, "", "")
        assert text.startswith(head)
        assert text.endswith(tail)


@given(TEXTS, st.floats(30, 400))
def test_what_is_folded_has_room_in_two_lines_at_most(text, room):
    lines = folded(text, room)
    assert 1 <= len(lines) <= 2
    assert all(width_of(line) <= room + 0.001 for line in lines)
    if width_of(text) <= room:
        assert lines == (text,)


def test_a_name_is_folded_at_a_joint_and_shortened_only_after_that():
    assert folded("candidate.enrichment.completed", 160, 11.0) == ("candidate.enrichment.", "completed")
    first, second = folded("candidate.enrichment.completed.by.the.worker.of.another.team", 160, 11.0)
    assert first == "candidate.enrichment."
    assert second.startswith("completed")
    assert second.endswith("team")
    assert "…" in second


@pytest.mark.parametrize(
    ("names", "words"), [(["v1"], "v1"), (["v1", "v2"], "v1 and v2"), (["v1", "v2", "v3"], "v1, v2 and v3")]
)
def test_names_are_listed_as_in_a_sentence(names, words):
    assert listed(names) == words


# ---------------------------------------------------------------- who sends and who reads


@given(cases(most=12))
def test_everything_of_a_flow_lies_within_it_and_nothing_upon_another(case):
    picture = flow(case.contracts)
    columns = (picture.producers, picture.events, picture.consumers)
    for column in columns:
        for node in column:
            inside(picture, node.x, node.y, node.width, node.height)
            assert all(width_of(line, 13.0) <= node.width for line in node.lines)
            assert width_of(node.note, 11.0) <= node.width
            assert node.height >= 16 * (len(node.lines) + bool(node.note))
        for above, below in pairwise(column):
            assert above.y + above.height < below.y
    for left, right in pairwise(columns):
        for node, other in ((node, other) for node in left for other in right):
            assert node.x + node.width < other.x


@given(cases(most=12))
def test_every_service_and_event_has_a_node_and_every_edge_joins_two(case):
    picture = flow(case.contracts)
    assert {node.name for node in picture.producers} == {each.owner for each in case.contracts}
    assert {node.name for node in picture.events} == {each.event for each in case.contracts}
    assert {node.name for node in picture.consumers} == {name for each in case.contracts for name in each.consumers}
    assert len(picture.nodes) == len({(node.kind, node.name) for node in picture.nodes})
    sends = {(each.owner, each.event) for each in case.contracts}
    reads = {(each.event, name) for each in case.contracts for name in each.consumers}
    found = set()
    for place, edge in enumerate(picture.edges):
        begin, end = (node for node in picture.nodes if place in node.edges)
        found.add((edge.side, begin.name, end.name))
        numbers = [float(number) for number in re.findall(r"[\d.]+", edge.path)]
        assert numbers[:2] == pytest.approx([begin.x + begin.width, begin.y + begin.height / 2], abs=0.2)
        assert numbers[-2:] == pytest.approx([end.x, end.y + end.height / 2], abs=0.2)
    assert found == {("sends", *each) for each in sends} | {("reads", *each) for each in reads}
    assert len(picture.edges) == len(found)


def crossings(picture, order=None):
    """Count the pairs of edges that cross, by where their ends stand; or as they would if the nodes stood in order."""
    places = {(node.kind, node.name): node.y for node in picture.nodes}
    if order is not None:
        places = {key: place for place, key in enumerate(order)}
    count = 0
    for side in ("sends", "reads"):
        ends = []
        for place in (place for place, edge in enumerate(picture.edges) if edge.side == side):
            begin, end = (node for node in picture.nodes if place in node.edges)
            ends.append((places[begin.kind, begin.name], places[end.kind, end.name]))
        count += sum((a[0] - b[0]) * (a[1] - b[1]) < 0 for i, a in enumerate(ends) for b in ends[:i])
    return count


@given(cases(most=8))
def test_no_more_edges_cross_than_in_the_order_of_the_catalog(case):
    picture = flow(case.contracts)
    order = [("event", each.event) for each in case.contracts]
    order += [("producer", each.owner) for each in case.contracts]
    order += [("consumer", name) for each in case.contracts for name in each.consumers]
    assert crossings(picture) <= crossings(picture, dict.fromkeys(order))


def test_what_can_be_untangled_is():
    pairs = [("a", "z"), ("b", "y"), ("c", "x"), ("a", "z"), ("b", "y"), ("c", "x")]
    contracts = [contract(f"e.n{n}", owner=own, consumers=(reads,)) for n, (own, reads) in enumerate(pairs)]
    assert crossings(flow(contracts)) == 0


def test_the_same_contracts_give_the_same_graph_and_the_bundled_catalog_fits_a_page():
    picture = flow(CONTRACTS)
    assert picture == flow(tuple(CONTRACTS))
    assert len(picture.events) == 13
    assert picture.width < 1136  # of the site's pages, without their margins
    assert all(len(node.lines) == 1 or "…" not in node.lines[1] for node in picture.nodes)


def test_a_service_that_sends_and_reads_stands_on_both_sides():
    usage = [each for each in CONTRACTS if each.event == "billing.usage.updated"]
    picture = flow(usage)
    assert [node.name for node in picture.producers] == ["billing-service"]
    assert "billing-service" in [node.name for node in picture.consumers]
    assert picture.events[0].note == "v2; v1 deprecated"
    assert picture.text == (
        "billing-service sends billing.usage.updated; billing-service and analytics-service read it."
    )
    _, page = part("pictures.html.jinja", "flow", "picture, 'flow', '../'", picture=picture)
    links = [each.attributes["href"] for each in page.all("a")]
    assert "../events/billing.usage.updated.html" in links
    assert links.count("../services.html#billing-service") == 2
    (svg,) = page.all("svg")
    assert svg.attributes["role"] == "group"  # its links are there for everybody
    used = [each.attributes["href"].removeprefix("#") for each in page.all("use")]
    assert set(used) == {each.attributes["id"] for each in page.all("path")}
    assert len(used) == 2 * len(picture.edges)


def test_a_graph_of_very_many_events_is_a_table_alone():
    picture = flow([contract(f"job.updated{number}") for number in range(5)])
    assert len(drawn(part("pictures.html.jinja", "flow", "picture, 'p', many=5", picture=picture)[0])) == 1
    text, page = part("pictures.html.jinja", "flow", "picture, 'p', many=4", picture=picture)
    assert drawn(text) == []
    assert "5 events, read by 1 service: too many to be drawn." in page.text
    assert "open" in page.one("details").attributes
    assert len(page.all("th", scope="row")) == 5


def test_a_graph_of_very_many_readers_is_a_table_alone():
    readers = tuple(f"reader-{number}" for number in range(5))
    picture = flow([contract("job.updated", consumers=readers), contract("job.closed", consumers=readers[:2])])
    assert picture.most == 5
    assert picture.readers == (("reader-0", 2), ("reader-1", 2), ("reader-2", 1), ("reader-3", 1), ("reader-4", 1))
    text, page = part("pictures.html.jinja", "flow", "picture, 'p', many=4", picture=picture)
    assert drawn(text) == []
    assert "2 events, read by 5 services: too many to be drawn." in page.text


RETIRED = {"introduced": "2026.1", "deprecated": "2026.2", "retired": "2026.3"}
DEPRECATED = {"introduced": "2026.1", "deprecated": "2026.2"}
DRAFT = {"introduced": None}


@pytest.mark.parametrize(
    ("moves", "note", "title"),
    [
        (
            [RETIRED] * 5 + [DEPRECATED] * 2 + [{}],
            "v8; v7 and v6 deprecated; 5 retired",
            "v8; v7 and v6 deprecated; v5, v4, v3, v2 and v1 retired",
        ),
        ([RETIRED, DEPRECATED, {}], "v3; v2 deprecated; v1 retired", "v3; v2 deprecated; v1 retired"),
        ([RETIRED], "v1 retired", "v1 retired"),
        ([RETIRED, {}, {}, DRAFT], "v4 draft; v3 and v2; v1 retired", "v4 draft; v3 and v2; v1 retired"),
    ],
)
def test_an_event_says_which_versions_are_on_the_wire_the_newest_first(moves, note, title):
    contracts = [contract(version=f"v{number}", **each) for number, each in enumerate(moves, 1)]
    (node,) = flow(contracts).events
    assert node.note == note
    assert node.title == f"job.updated: {title}"
    assert node.width - 18 >= width_of(node.note)


@given(st.lists(st.sampled_from([RETIRED, DEPRECATED, DRAFT, {}]), min_size=1, max_size=40))
def test_versions_for_which_there_is_no_room_are_counted(moves):
    contracts = [contract(version=f"v{number}", **each) for number, each in enumerate(moves, 1)]
    picture = flow(contracts)
    (node,), (told,) = picture.events, picture.told
    newest = [f"v{number}" for number in range(len(moves), 0, -1)]
    assert re.findall(r"v\d+", told.versions) == newest
    assert width_of(node.note) <= node.width - 18
    states = {each.version: str(each.lifecycle) for each in contracts}
    used = [each for each in newest if states[each] != "retired"] or newest
    rest = [each for each in newest if each not in used]
    named = re.findall(r"v\d+", node.note)
    shown = [each for each in named if each in used]
    assert shown == used[: len(shown)]
    assert named == shown + (rest if len(rest) == 1 else [])
    counts = {word: int(number) for number, word in re.findall(r"(?<![v\d])(\d+) (\w+)", node.note)}
    assert counts.get("more", 0) == len(used) - len(shown)
    assert counts.get("retired", 0) == (len(rest) if len(rest) > 1 else 0)
    for words in node.note.split("; "):
        here = re.findall(r"v\d+", words)
        assert len({states[each] for each in here}) <= 1
        assert all(words.endswith(states[each]) or states[each] == "active" for each in here)


def test_an_event_that_nobody_reads_says_so():
    assert flow([contract(consumers=())]).text == ("job-service sends job.updated; nobody that is known reads it.")


def test_the_graph_of_a_service_has_what_it_sends_and_what_it_reads():
    mine = of_service(CONTRACTS, "matching-service")
    assert {each.event for each in mine} == {
        "profile.updated",
        "job.updated",
        "candidate.enrichment.completed",
        "matching.shortlist.changed",
    }


# ---------------------------------------------------------------- all of them


def test_names_are_text_wherever_they_stand():
    contracts = [
        contract(HOSTILE, owner=HOSTILE, consumers=(HOSTILE, "x"), introduced=HOSTILE, releases=(HOSTILE,)),
        contract("other", owner="x", deprecated=HOSTILE, releases=("2026.1", HOSTILE)),
    ]
    for macro, picture in (
        ("timeline", timeline(contracts, ("2026.1", HOSTILE), ())),
        ("timeline", timeline(contracts, (), (), many=0)),
        ("flow", flow(contracts)),
        ("traffic", traffic([counted(HOSTILE, event=HOSTILE, v1=(1, 2))], contracts)),
    ):
        text, page = part("pictures.html.jinja", macro, "picture, 'p'", picture=picture)
        assert "<script" not in text
        assert not page.all("script", "b", "style")
        assert "alert(1)" in page.text
        assert all("style" not in each.attributes for each in page.elements)
        assert drawn(text)  # each is well-formed


@given(cases())
def test_each_picture_is_well_formed_and_named(case):
    for macro, picture in (
        ("timeline", timeline(case.contracts, case.releases, case.planned)),
        ("flow", flow(case.contracts)),
    ):
        text, page = part("pictures.html.jinja", macro, "picture, 'p'", picture=picture)
        assert len(page.ids) == len(set(page.ids))
        sizes = [picture, picture.narrow] if macro == "timeline" else [picture]
        for svg, size in zip(drawn(text), sizes, strict=False):
            names = [svg.get("aria-labelledby"), svg.get("aria-describedby")]
            assert all(name in page.ids for name in names)
            assert svg.get("viewBox") == f"0 0 {size.width} {size.height}"
        assert all(each.attributes["href"][1:] in page.ids for each in page.all("use"))
        for box in page.all("div", class_="picture"):
            assert box.attributes["tabindex"] == "0"
            assert box.attributes["aria-label"]
