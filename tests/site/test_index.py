"""The list of events: what it says without a script, and what its search is given."""

from __future__ import annotations

import itertools
import json
import re
from collections import Counter

import pytest

from jobarium_events import Catalog
from jobarium_events.site.indexing import _numbers, rows_of
from jobarium_events.site.shown import read_shown
from tests import folders
from tests.site.conftest import site_of

LAST, BEFORE = "".join(map(chr, range(35, 92))), "".join(map(chr, range(93, 127)))


def given(site):
    """Return what the search is given, as it is written."""
    text = site.files["index.js"].decode()
    assert text.startswith("const searched = ")
    return json.loads(text.removeprefix("const searched = ").removesuffix(";\n"))


def lists(text):
    """Read lists of numbers: of each list how many there are, then these."""
    numbers = []
    for digits in re.findall(f"[{re.escape(BEFORE)}]*[{re.escape(LAST)}]", text):
        high = 0
        for digit in digits[:-1]:
            high = high * len(BEFORE) + BEFORE.index(digit) + 1
        numbers.append(high * len(LAST) + LAST.index(digits[-1]))
    found = []
    while numbers:
        count = numbers.pop(0)
        found.append([numbers.pop(0) for _ in range(count)])
    return found


def searched(site):
    """Return the services and the fields that the search is given of each row."""
    found = given(site)
    names = ["".join(found["parts"][place] for place in places) for places in lists(found["names"])]
    rows = zip(lists(found["served"]), lists(found["fields"]), strict=True)
    return [
        ([found["services"][place] for place in served], [names[place] for place in itertools.accumulate(steps)])
        for served, steps in rows
    ]


def test_the_list_says_all_without_a_script(bundled):
    page = bundled["index.html"]
    items = [each for each in page.all("li") if "main" in each.around]
    catalog = Catalog.bundled()
    assert len(items) == len(catalog.events)
    for item, event in zip(items, sorted(catalog.events), strict=True):
        newest = catalog.newest(event)
        for text in (event, newest.owner, ", ".join(newest.consumers)):
            assert text in item.text
        for each in catalog.versions(event):
            assert f"{each.version} {each.lifecycle}" in item.text
    links = [each.attributes["href"] for each in page.all("a") if "li" in each.around and "main" in each.around]
    assert links == [f"events/{event}.html" for event in sorted(catalog.events)]


def titles(page):
    return [each.text for each in page.all("div") if "ul" in each.around and "main" in each.around]


def one(folder, schema):
    """Return the site of one event with one version."""
    manifest = folders.table("thing.made", {"v1": 'key = "k:{id}"\nintroduced = "1"'})
    return site_of(folders.write(folder, manifest, {"thing.made/v1.json": schema}))


def test_only_titles_that_say_more_than_the_name_are_shown(bundled):
    assert titles(bundled["index.html"]) == ["Q&A authenticity assessed", "Q&A submitted"]


@pytest.mark.parametrize(
    ("title", "shown"),
    [
        ("Thing made", []),
        ("THING_made ", []),
        ("", []),
        ("The thing is made", ["The thing is made"]),
        ("Th ing made", ["Th ing made"]),
    ],
)
def test_a_title_that_only_repeats_the_name_is_left_out(title, shown, tmp_path):
    page = one(tmp_path, {"title": title} | folders.schema({"id": folders.TEXT}))["index.html"]
    assert titles(page) == shown
    assert [each.text for each in page.all("p") if "li" in each.around and "main" in each.around] == ["maker", "taker"]


def test_an_event_without_a_title_has_no_empty_place_for_one(tmp_path):
    assert titles(one(tmp_path, folders.schema({"id": folders.TEXT}))["index.html"]) == []


def test_what_needs_a_script_is_hidden_without_one(bundled):
    page = bundled["index.html"]
    assert "hidden" in page.one("search", id="search").attributes
    assert "hidden" in page.one("div", id="none").attributes
    assert page.one(id="count").attributes["role"] == "status"
    for path in bundled.pages:
        for button in bundled[path].all("button", class_="copy"):
            assert "hidden" in button.attributes


def test_each_control_has_a_label(bundled):
    page = bundled["index.html"]
    labelled = {each.attributes["for"] for each in page.all("label")}
    assert (
        labelled
        == {each.attributes["id"] for each in page.all("input", "select")}
        == {"q", "owner", "consumer", "state"}
    )


def test_the_search_knows_the_fields_and_the_services(bundled):
    catalog = Catalog.bundled()
    for (services, fields), event in zip(searched(bundled), sorted(catalog.events), strict=True):
        versions = catalog.versions(event)
        assert services == [versions[-1].owner, *versions[-1].consumers]
        assert sorted(fields) == sorted({name for each in versions for name in each.schema["properties"]})


def test_each_word_of_the_search_is_given_once_and_the_most_frequent_first(bundled):
    found = given(bundled)
    for words, uses in (("services", "served"), ("parts", "names")):
        assert len(found[words]) == len(set(found[words]))
        counts = Counter(place for places in lists(found[uses]) for place in places)
        assert [counts[place] for place in range(len(found[words]))] == sorted(counts.values(), reverse=True)
    counts = Counter(place for steps in lists(found["fields"]) for place in itertools.accumulate(steps))
    assert [counts[place] for place in range(len(lists(found["names"])))] == sorted(counts.values(), reverse=True)


def test_numbers_of_every_length_are_read_as_they_were_written():
    numbers = [0, 1, 56, 57, 58, 1994, 1995, 1996, 67886, 67887, 67888, 10**7]
    text = _numbers([numbers, [], [7]])
    assert lists(text) == [numbers, [], [7]]
    assert json.dumps(text) == f'"{text}"'
    assert [len(_numbers([[number]])) - 1 for number in numbers] == [1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 5]


@pytest.mark.parametrize("name", ["customer_id", "candidateID2", "a-b", "_x__y_", "größe", "名前", "A", "9", "-", " "])
def test_a_name_is_the_sum_of_its_parts(name, tmp_path):
    site = one(tmp_path, folders.schema({"id": folders.TEXT, name: folders.TEXT}))
    assert sorted(searched(site)[0][1]) == sorted(["id", name])


def test_the_search_finds_fields_within_fields(shop_site):
    assert {"address.zip", "lines", "lines[].sku", "lines[].count"} <= set(searched(shop_site)[0][1])


@pytest.mark.parametrize("count", [700, 720])
def test_who_reads_is_left_to_the_script_in_a_long_list(count, tmp_path):
    # As long as those of the bundled catalog: of 705 events they come to 50,000 characters.
    readers = ["candidate-experience-service", "packet-builder-service", "analytics-service"]
    manifest, schemas = [folders.RELEASES], {}
    for number in range(count):
        event = f"thing.made.{number}"
        manifest.append(f'[event."{event}"]\nowner = "maker"\nconsumers = {json.dumps(readers[: number or None])}')
        manifest.append(f'[event."{event}".v1]\nkey = "k:{{id}}"\nintroduced = "1"')
        schemas[f"{event}/v1.json"] = folders.schema({"id": folders.TEXT})
    shown = read_shown(folders.write(tmp_path, "\n".join(manifest), schemas))
    said = {row.name: row.readers for row in rows_of(shown)}
    if count == 700:
        assert said["thing.made.1"] == readers[0]
        assert said["thing.made.2"] == ", ".join(readers[:2])
        assert said["thing.made.699"] == said["thing.made.0"] == ", ".join(readers)
    else:
        assert [said[f"thing.made.{number}"] for number in (0, 1, 2, 719)] == [
            "3 services",
            "1 service",
            "2 services",
            "3 services",
        ]
