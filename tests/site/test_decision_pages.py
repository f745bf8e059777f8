"""The decision log: a list, a page each, and the ways there and back."""

from __future__ import annotations

from tests.site.catalogs import DECISION, shop
from tests.site.conftest import site_of

PAGE = "decisions/DEC-0001.html"


def test_the_list(shop_site):
    page = shop_site["decisions.html"]
    assert "DEC-0001 Orders say where they were placed accepted 2026-01-05 shop-service 2099-01-01" in page.text


def test_what_it_allows_and_links_to(shop_site):
    page = shop_site[PAGE]
    assert page.one("h1").text == "DEC-0001: Orders say where they were placed"
    assert "order.placed v2 may break its consumers at /required/channel." in page.text
    assert "order.placed v1 was deprecated in 2026.2 and is to be retired in 2026.4." in page.text
    links = [each.attributes["href"] for each in page.all("a")]
    assert "../events/order.placed.html#v2" in links
    assert "../events/order.placed.html#v1" in links
    assert any(each.attributes["href"] == f"../{PAGE}" for each in shop_site["events/order.placed.html"].all("a"))


def test_sections_are_markdown(shop_site):
    page = shop_site[PAGE]
    headings = [each.text for each in page.all("h2")]
    assert headings == [
        *("What it allows", "When versions go"),
        *("Context", "Decision", "Migration plan", "Alternatives", "Why", "Consequences"),
    ]
    assert [each.text for each in page.all("th")] == ["who", "what"]
    (link,) = [each for each in page.all("a") if each.text == "the schema"]
    assert link.attributes["href"] == "../events/order.placed.html#v2"


def test_one_takes_the_place_of_another(tmp_path):
    folder = shop(tmp_path, drafts=False)
    first = DECISION.replace('status = "accepted"', 'status = "superseded"\nsuperseded_by = "DEC-0002"')
    second = DECISION.replace("DEC-0001", "DEC-0002").replace(
        "the schema](../order.placed/v2.json)", "the first](DEC-0001.md#why)"
    )
    (folder / "decisions/DEC-0001.md").write_text(first)
    (folder / "decisions/DEC-0002.md").write_text(
        second.replace("[[allows]]", '[[allows]]\nretirement = true\nmeanings = [""]')
    )
    site = site_of(folder)
    assert "superseded by DEC-0002" in site[PAGE].text
    page = site["decisions/DEC-0002.html"]
    assert "Supersedes DEC-0001" in page.text
    assert "order.placed v2 may change what is meant at the payload." in page.text
    assert "order.placed v2 may be retired without evidence that it is no longer seen." in page.text
    (link,) = [each for each in page.all("a") if each.text == "the first"]
    assert link.attributes["href"] == "DEC-0001.html"


def test_links_lead_out_by_http_alone(tmp_path):
    # What a release has frozen may not change any more; a shop without a lock has frozen nothing.
    folder = shop(tmp_path, drafts=False)
    (folder / "catalog.lock").unlink()
    text = DECISION.replace("To count.", "[a](https://example.org/x) [b](HTTP://example.org) [c](ftp://example.org)")
    (folder / "decisions/DEC-0001.md").write_text(text)
    page = site_of(folder)[PAGE]
    links = {each.text: each.attributes["href"] for each in page.all("a")}
    assert links["a"] == "https://example.org/x"
    assert links["b"] == "HTTP://example.org"
    assert "c" not in links
