"""The page of an event: every sentence of it is true of the contract."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from jobarium_events import Catalog
from jobarium_events.catalog.bundled import envelope_validator
from jobarium_events.evolution.releasing import release
from jobarium_events.fields import fields_of
from jobarium_events.site import events
from jobarium_events.site.events import ExampleRefused, event_shown
from jobarium_events.site.shown import read_shown
from tests import folders
from tests.site.conftest import site_of

PLACED = "events/order.placed.html"


def cells(page, id_):
    """The cells of a row, by what they are called."""
    start = page.elements.index(page.one("tr", id=id_)) + 1
    found = {}
    for each in page.elements[start:]:
        if each.tag == "tr":
            break
        if each.tag in ("th", "td"):
            found[each.attributes.get("data-label", "Field")] = each.text
    return found


def fact(page, name, place=0):
    terms = [place for place, each in enumerate(page.elements) if each.tag == "dt" and each.text == name]
    return page.elements[terms[place] + 1].text


def test_who_sends_and_who_reads_it(shop_site):
    page = shop_site[PLACED]
    assert fact(page, "Sent by") == "shop-service"
    assert fact(page, "Read by") == "billing-service, shop-service"
    assert fact(shop_site["events/order.shipped.html"], "Read by") == "nobody that is known"


def test_what_it_means_and_when(shop_site):
    page = shop_site[PLACED]
    assert page.one("p", class_="lead").text == "Sent when somebody has placed an order."
    assert fact(page, "Versions") == (
        "v2 active introduced in 2026.2 "
        "v1 deprecated introduced in 2026.1, deprecated in 2026.2, to be retired in 2026.4"
    )
    assert fact(page, "When") == "Introduced in 2026.2"
    shipped = shop_site["events/order.shipped.html"]
    assert fact(shipped, "When") == "Bound to no release yet"


def test_key_and_ordering_are_explained(shop_site):
    key = fact(shop_site[PLACED], "Idempotency key")
    assert key.startswith("order.placed:{order_id}:{revision}")
    assert key.endswith("the same order_id and revision are one and the same: the second is a repetition.")
    assert fact(shop_site[PLACED], "Ordering") == (
        "For each order_id, the highest revision wins; an event with a lower one is stale."
    )
    shipped = shop_site["events/order.shipped.html"]
    assert fact(shipped, "Ordering") == "None: no event makes another one stale."
    # The draft, which stands first, has a key without the field; v1 has both.
    assert "carrier" not in fact(shipped, "Idempotency key", 0)
    assert "same order_id and carrier" in fact(shipped, "Idempotency key", 1)


def test_a_key_with_an_optional_field_says_what_stands_for_it(bundled):
    page = bundled["events/billing.usage.updated.html"]
    assert "absent" not in fact(page, "Idempotency key", 0)
    assert fact(page, "Idempotency key", 1).endswith(
        "Where source_event_id is absent, the event's own event_id stands in the key."
    )


def test_fields(shop_site):
    page = shop_site[PLACED]
    assert cells(page, "v1-field-order_id") == {
        "Field": "order_id",
        "Type": "string",
        "Required": "yes",
        "Format": "",
        "Unit": "",
        "Meaning": "Identifier of the order.",
        "Since": "2026.1",
    }
    # A cell with nothing in it, not even an empty element, is left out on a phone, and its label with it.
    start = page.elements.index(page.one("tr", id="v1-field-revision")) + 1
    end = page.elements.index(page.one("tr", id="v1-field-placed_at"))
    row = page.elements[start:end]
    assert [each.tag for each in row] == ["th", "a", "code", *["td"] * 6]
    assert [each.words for each in row if each.attributes.get("data-label") in ("Format", "Unit", "Meaning")] == [
        [],
        [],
        [],
    ]
    assert cells(page, "v1-field-placed_at")["Format"] == "date-time"
    assert cells(page, "v1-field-channel")["Required"] == "no"
    assert cells(page, "v2-field-channel")["Required"] == "yes"
    assert cells(page, "v1-field-channel")["Meaning"] == "One of: web: In the shop's pages. app: In its app."
    assert cells(page, "v1-field-note")["Field"] == "note deprecated since 2026.1"
    assert cells(page, "v2-field-note")["Field"] == "note deprecated since 2026.1"


def test_fields_within_fields_and_since_when(shop_site):
    page = shop_site[PLACED]
    assert cells(page, "v1-field-address")["Since"] == "2026.2"
    assert cells(page, "v1-field-address/city")["Since"] == "2026.2"
    assert cells(page, "v1-field-lines/items/count") == {
        "Field": "lines[].count",
        "Type": "integer",
        "Required": "yes",
        "Format": ">= 1",
        "Unit": "piece",
        "Meaning": "",
        "Since": "2026.1",
    }
    assert page.one("tr", id="v1-field-address/city").attributes["class"] == "depth-1"
    assert page.one("tr", id="v1-field-lines/items/sku").attributes["class"] == "depth-1"
    assert page.one("tr", id="v1-field-note").attributes["class"] == "depth-0"


def test_what_no_release_has_says_so(tmp_path, shop_folder):
    site = site_of(shop_folder)
    assert cells(site["events/order.shipped.html"], "v2-field-order_id")["Since"] == "2026.1"  # by the first version
    manifest = folders.table("thing.made", {"v1": 'key = "k:{id}"'})
    draft = folders.write(tmp_path / "draft", manifest, {"thing.made/v1.json": folders.schema({"id": folders.TEXT})})
    assert cells(site_of(draft)["events/thing.made.html"], "v1-field-id")["Since"] == "not released"
    manifest = folders.table("thing.made", {"v1": 'key = "k:{id}"\nintroduced = "5"'})
    planned = folders.write(tmp_path, manifest, {"thing.made/v1.json": folders.schema({"id": folders.TEXT})})
    assert cells(site_of(planned)["events/thing.made.html"], "v1-field-id")["Since"] == "5 (planned)"


def test_a_field_that_is_new_comes_with_the_next_release(tmp_path):
    manifest = folders.table(
        "thing.made", {"v1": 'key = "k:{id}"\nintroduced = "1"'}, releases='releases = []\nplanned = ["1"]'
    )
    folder = folders.write(tmp_path, manifest, {"thing.made/v1.json": folders.schema({"id": folders.TEXT})})
    release(folder, "1")
    new = folders.schema({"id": folders.TEXT}, size={"type": "integer", "deprecated": True})
    folders.write(folder, (folder / "catalog.toml").read_text(), {"thing.made/v1.json": new})
    page = site_of(folder)["events/thing.made.html"]
    assert cells(page, "v1-field-id")["Since"] == "1"
    assert cells(page, "v1-field-size")["Since"] == "the next release"
    assert cells(page, "v1-field-size")["Field"] == "size to be deprecated"


def test_every_field_of_every_version_has_its_row(bundled):
    for contract in Catalog.bundled():
        page = bundled[f"events/{contract.event}.html"]
        rows = [each for each in page.ids if each.startswith(f"{contract.version}-field-")]
        assert rows == [f"{contract.version}-field-{row.path[1:]}" for row in fields_of(contract.schema)]


def test_examples_are_valid_as_they_are_shown(bundled, shop_site, shop_folder):
    for site, catalog in ((bundled, Catalog.bundled()), (shop_site, Catalog.load(shop_folder))):
        for contract in catalog:
            page = site[f"events/{contract.event}.html"]
            entry = catalog.entry(contract.event, contract.version)
            payload = json.loads(page.one("pre", **{"aria-label": f"the payload of {contract.name}"}).text)
            event = json.loads(page.one("pre", **{"aria-label": f"the whole event {contract.name}"}).text)
            assert entry.closed.is_valid(payload)
            assert entry.open.is_valid(payload)
            assert envelope_validator().is_valid(event)
            assert entry.closed.is_valid(event["payload"])
            assert event["producer"] == contract.owner


def test_an_example_that_its_contract_refuses_is_not_shown(monkeypatch):
    monkeypatch.setattr(events, "example", lambda entry: {"job_id": 7})
    with pytest.raises(ExampleRefused) as caught:
        event_shown(read_shown(None), "job.updated")
    text = str(caught.value)
    assert text.startswith(
        "the example of job.updated v1 is refused by its own contract; mend `examples` in its schema:"
    )
    assert "/job_id" in text
    assert "job_version" in text


def test_the_newest_version_stands_first_and_the_changes_between(shop_site):
    page = shop_site[PLACED]
    order = [each for each in page.ids if each in ("v1", "v2", "v1-v2")]
    assert order == ["v2", "v1-v2", "v1"]
    order = [each for each in shop_site["events/order.shipped.html"].ids if each in ("v1", "v2")]
    assert order == ["v2", "v1"]
    lead = shop_site["events/order.shipped.html"].one("p", class_="lead")
    assert lead.text == "Sent when it is on its way."


def test_a_retired_version_has_no_code_to_copy(tmp_path):
    folders.chain(tmp_path)
    page = site_of(tmp_path)["events/thing.made.html"]
    assert "v5-example" in page.ids
    assert "v5-producer" not in page.ids
    assert "It is retired: nobody sends it, and nobody reads it." in page.text
    assert {f"{each}-producer" for each in ("v1", "v2", "v3", "v4", "v6")} <= set(page.ids)


def test_a_page_links_to_its_decisions_and_to_what_is_still_to_do(shop_site):
    page = shop_site[PLACED]
    links = {each.attributes["href"]: each.text for each in page.all("a")}
    assert "../decisions/DEC-0001.html" in links
    assert links["../deprecations.html#order.placed-v1"] == "What is still to do"
    assert "v1 is deprecated. New code sends and reads v2. What is still to do" in page.text


def test_counters_are_drawn_where_they_say_something_of_the_event(shop_site, counted_site):
    assert "traffic" not in shop_site[PLACED].ids
    assert "traffic" in counted_site[PLACED].ids
    assert "traffic" not in counted_site["events/order.shipped.html"].ids


def gone(folder):
    """A catalog of an event whose versions are all retired, and of one that goes on; its releases are in capitals."""
    manifest = folders.table(
        "thing.made",
        {"v1": 'key = "k:{id}"\nintroduced = "R1-RC"\ndeprecated = "R2"\nretired = "R3"'},
        owner="old-service",
        releases='releases = ["R1-RC", "R2", "R3"]',
    )
    manifest += '[event."thing.kept"]\nowner = "other-service"\nconsumers = ["old-service"]\n'
    manifest += '[event."thing.kept".v1]\nkey = "k:{id}"\nintroduced = "R1-RC"\n'
    schemas = dict.fromkeys(("thing.made/v1.json", "thing.kept/v1.json"), folders.schema({"id": folders.TEXT}))
    return folders.write(folder, manifest, schemas)


def test_of_an_event_that_is_retired_all_is_past_and_every_link_leads_somewhere(tmp_path):
    site = site_of(gone(tmp_path))
    page, services = site["events/thing.made.html"], site["services.html"]
    for each in (*page.all("a"), *site["flow.html"].all("a")):
        target = each.attributes.get("href", "")
        if "services.html#" in target:
            assert target.partition("#")[2] in services.ids, target
    assert "old-service sent thing.made, and taker read it, until it was retired." in page.text
    assert "Who sent and who read thing.made" in page.text
    assert "old-service sends thing.made" not in page.text
    flow = site["flow.html"].text
    assert "old-service sent thing.made" in flow
    assert "old-service sends" not in flow
    text = services.text
    assert "old-service Reads thing.kept v1 active Sent, until it was retired thing.made v1 retired" in text
    assert "taker Read, until it was retired thing.made v1 retired" in text
    assert "The catalog does not name it" not in text
    pills = [(each.text, each.attributes["href"]) for each in services.all("a", class_="state")]
    assert ("v1 active", "events/thing.kept.html#v1") in pills
    assert ("v1 retired", "events/thing.made.html#v1") in pills
    assert not services.all("span", class_="state")


def test_names_of_releases_are_left_as_they_are(tmp_path):
    page = site_of(gone(tmp_path))["events/thing.made.html"]
    assert fact(page, "When") == "Introduced in R1-RC, deprecated in R2, retired in R3"


def test_what_is_said_of_items_and_of_what_may_be_null(tmp_path):
    tag = {
        "type": "string",
        "format": "uuid",
        "pattern": "^x",
        "description": "A tag.",
        "x-unit": "letters",
        "enum": ["x1", "x2"],
        "x-enum-meanings": {"x1": "The first."},
    }
    day = {"anyOf": [{"type": "string", "format": "date"}, {"type": "null"}], "default": None}
    schema = folders.schema(
        {"id": folders.TEXT},
        tags={"type": "array", "items": tag, "minItems": 1, "uniqueItems": True},
        grid={"type": "array", "items": {"type": "array", "items": {"type": "string", "description": "A cell."}}},
        day=day,
        kind={"const": "k"},
    )
    schema["examples"] = [{"id": "a"}]
    folders.one(tmp_path, schema)
    page = site_of(tmp_path)["events/thing.made.html"]
    row = cells(page, "v1-field-tags")
    assert (row["Type"], row["Unit"]) == ("array of string", "letters")
    assert row["Format"] == "at least 1 item, no item twice, each item: uuid, each item matches ^x"
    assert row["Meaning"] == "Each item: A tag. Each item is one of: x1: The first. x2"
    assert cells(page, "v1-field-grid")["Meaning"] == "Each item of an item: A cell."
    row = cells(page, "v1-field-day")
    assert (row["Type"], row["Format"], row["Meaning"]) == ("string or null", "date", "Default: null")
    row = cells(page, "v1-field-kind")
    assert (row["Type"], row["Meaning"]) == ("string", "Always: k")


def test_the_code_names_the_folder_as_it_was_given(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    folders.one(tmp_path / "our/schemas", folders.schema({"id": folders.TEXT}))
    for given, said in ((Path("our/schemas"), "our/schemas"), (tmp_path / "our/schemas", "schemas")):
        text = site_of(given)["events/thing.made.html"].text
        assert text.count(f'catalog = Catalog.load("{said}") # the folder of the schemas, wherever it stands') == 2
        assert str(tmp_path) not in text


def test_the_schema_of_each_version_is_there_as_it_is(shop_site, shop_folder):
    for contract in Catalog.load(shop_folder):
        page = shop_site[f"events/{contract.event}.html"]
        block = page.one("details", id=f"{contract.version}-schema")
        assert "open" not in block.attributes
        text = page.one("pre", **{"aria-label": f"the schema of {contract.name}"}).text
        written = json.loads((shop_folder / contract.event / f"{contract.version}.json").read_text())
        assert json.dumps(json.loads(text)) == json.dumps(written)
        assert f"#{contract.version}-schema" in [each.attributes["href"] for each in page.all("a")]
        assert "Copy the schema of " + contract.name in [each.text for each in page.all("button")]


def test_what_the_table_does_not_tell_is_said_to_stand_in_the_schema(tmp_path):
    tree = {"type": "object", "properties": {"kids": {"type": "array", "items": {"$ref": "#/$defs/tree"}}}}
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **folders.schema(
            {"id": folders.TEXT},
            size={"type": "integer", "not": {"const": 3}},
            prices={
                "type": "object",
                "additionalProperties": {"enum": [1, 2], "description": "A price.", "x-unit": "EUR"},
                "propertyNames": {"maxLength": 3},
            },
            names={"type": "object", "additionalProperties": {"type": "array", "items": {"pattern": "^x"}}},
            tree={"$ref": "#/$defs/tree"},
            **{"a.b": folders.TEXT, "a": folders.schema({"b": folders.TEXT})},
        ),
        "dependentRequired": {"size": ["tree"]},
        "minProperties": 1,
        "$defs": {"tree": tree},
        "examples": [{"id": "a"}],
    }
    folders.one(tmp_path, schema)
    page = site_of(tmp_path)["events/thing.made.html"]
    assert cells(page, "v1-field-size")["Meaning"] == "Further rules: see the schema"
    row = cells(page, "v1-field-prices")
    assert (row["Type"], row["Unit"]) == ("map of integer", "EUR")
    assert row["Meaning"] == "Each value: A price. Each value is one of: 1 2 Further rules: see the schema"
    assert cells(page, "v1-field-names")["Format"] == "each value: each item matches ^x"
    assert cells(page, "v1-field-tree/kids")["Meaning"] == "tree.kids[].kids: as tree.kids, and so on"
    assert cells(page, "v1-field-a.b")["Field"] == '"a.b"'
    assert cells(page, "v1-field-a/b")["Field"] == "a.b"
    assert "Further rules" not in cells(page, "v1-field-id")["Meaning"]
    paragraphs = [each.text for each in page.all("p")]
    assert "The payload as a whole: at least 1 field." in paragraphs
    assert "Further rules hold for the payload as a whole: see the schema." in paragraphs


def test_a_page_says_nothing_of_rules_that_are_not_there(shop_site):
    assert "Further rules" not in shop_site[PLACED].text
    assert "The payload as a whole" not in shop_site[PLACED].text
