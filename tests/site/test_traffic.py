"""Traffic: what was counted is summed, drawn to scale, and told with what is missing."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobarium_events.site.pictures import traffic
from jobarium_events.site.pictures.texts import width_of
from tests.site.drawn import HOSTILE, contract, counted, inside, part

NUMBERS = st.integers(0, 10) | st.integers(0, 10**15)


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["job-service", "matching-service", "x" * 60, HOSTILE]),
            st.tuples(NUMBERS, NUMBERS),
            st.tuples(NUMBERS, NUMBERS),
        ),
        min_size=1,
        max_size=8,
    )
)
def test_traffic_is_summed_by_service_and_drawn_within_the_picture(files):
    contracts = [contract(version="v1"), contract(version="v2")]
    picture = traffic([counted(service, v1=one, v2=two) for service, one, two in files], contracts)
    for number, version in enumerate(("v1", "v2"), 1):
        for service in {service for service, *_ in files}:
            found = [each for each in picture.seen if (each.service, each.version) == (service, version)]
            if service not in ("job-service", "matching-service") and not any(
                sum(each[number]) for each in files if each[0] == service
            ):
                assert not found  # a bystander
                continue
            (seen,) = found
            assert seen.emitted == sum(each[number][0] for each in files if each[0] == service)
            assert seen.consumed == sum(each[number][1] for each in files if each[0] == service)
    bars = []
    bottom = 0.0
    for version in picture.versions:
        assert version.y >= bottom
        for lane in version.lanes:
            bottom = lane.y + 15.0 * len(lane.lines)
            inside(picture, lane.bar.x, lane.y, lane.bar.width + 6 + width_of(lane.bar.label), 26)
            assert all(width_of(line, 13.0) <= picture.word for line in lane.lines)
            bars.append((int(lane.bar.label.replace(",", "")), lane.bar.width))
    bars.sort()
    assert all(before[1] <= after[1] for before, after in pairwise(bars))  # more often is never shorter
    assert all((width == 0) is (number == 0) for number, width in bars)
    for before, after in pairwise(picture.ticks):
        assert width_of(before.label) / 2 + width_of(after.label) / 2 <= after.x - before.x
    assert all(picture.left <= tick.x <= picture.width for tick in picture.ticks)


@pytest.mark.parametrize(("least", "words"), [(10, "Linear"), (9, "Logarithmic")])
def test_the_scale_is_logarithmic_from_a_hundred_times_on_and_says_so(least, words):
    picture = traffic([counted("job-service", v1=(1000, 0)), counted("matching-service", v1=(0, least))], [contract()])
    assert picture.scale.startswith(words)
    (first, second) = (lane.bar.width for lane in picture.versions[0].lanes)
    assert (first / second == pytest.approx(1000 / least, rel=0.02)) is (words == "Linear")


def test_without_counters_there_is_no_picture_and_what_they_lack_is_said():
    assert traffic([], [contract()]) is None
    other = traffic([counted("job-service", event="other", v1=(1, 0))], [contract()])
    assert other.versions == ()
    _, page = part("pictures.html.jinja", "traffic", "picture, 'traffic'", picture=other)
    assert page.text == "None of the counters that were given counts it."


def test_traffic_tells_who_counts_and_who_does_not():
    files = [counted("matching-service", v1=(0, 9)), counted("matching-service", days=3, v1=(0, 3))]
    picture = traffic([*files, counted("stranger", v1=(0, 1))], [contract(consumers=("matching-service", "late"))])
    assert [(each.service, each.role) for each in picture.seen] == [
        ("matching-service", "consumer"),
        ("stranger", "unknown"),
    ]
    assert picture.seen[0].last_seen == "2026-09-01 11:00 UTC"
    assert picture.seen[0].counted == "2026-09-01 08:00 UTC to 2026-09-04 08:00 UTC"
    assert picture.versions[0].missing == ("job-service", "late")
    _, page = part("pictures.html.jinja", "traffic", "picture, 'traffic'", picture=picture)
    assert "No counters of job.updated v1 from job-service, late." in page.text
    assert "stranger (not named by the catalog)" in page.text
    assert "job.updated v1: emitted 0 times, consumed 13 times, last seen 2026-09-01 11:00 UTC." in page.text


def test_a_bystander_that_saw_none_is_left_out():
    found = traffic([counted("job-service", v1=(3, 0)), counted("bystander", v1=(0, 0))], [contract()])
    assert [each.service for each in found.seen] == ["job-service"]
    assert traffic([counted("bystander", v1=(0, 0))], [contract()]).text == (
        "None of the counters that were given counts it."
    )
    found = traffic([counted("job-service", v1=(0, 0)), counted("bystander", v1=(0, 1))], [contract()])
    assert [each.service for each in found.seen] == ["job-service", "bystander"]
