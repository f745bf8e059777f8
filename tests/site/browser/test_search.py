"""The index: what is typed narrows it at once, filters narrow it further, and its address keeps both."""

from __future__ import annotations

import pytest

from jobarium_events import Catalog
from tests import folders
from tests.site.browser.sites import Given
from tests.site.browser.windows import DESKTOP, PHONE, Site, until, violations

BUNDLED = Catalog.bundled()
OWNER = {event: BUNDLED.versions(event)[-1].owner for event in BUNDLED.events}
CONSUMERS = {event: BUNDLED.versions(event)[-1].consumers for event in BUNDLED.events}
STATES = {event: {each.lifecycle.value for each in BUNDLED.versions(event)} for event in BUNDLED.events}


@pytest.fixture
def index(whole, opened):
    return opened(whole.url).open("index.html")


def rows(page):
    return page.locator("#events > li:visible > a").all_text_contents()


def reasons(page, event):
    row = page.locator("#events > li:visible").filter(has=page.get_by_role("link", name=event, exact=True))
    return row.locator("em").all_text_contents()


def search(page):
    return page.get_by_role("searchbox", name="Search")


def test_at_first_every_event_is_shown(index):
    assert sorted(rows(index)) == sorted(BUNDLED.events)


@pytest.mark.parametrize("text", ["job.updated", "JOB.UPDATED", " job.updated ", "job updated", "updated job"])
def test_what_is_typed_narrows_the_list(index, text):
    search(index).press_sequentially(text)
    assert "job.updated" in rows(index)
    assert len(rows(index)) < len(BUNDLED.events)


def test_each_letter_answers_at_once(index):
    before = len(rows(index))
    for letter in "billing.usage":
        search(index).press_sequentially(letter)
        assert len(rows(index)) <= before
        before = len(rows(index))
    assert rows(index) == ["billing.usage.updated"]


def test_services_and_fields_are_found_too(index):
    search(index).fill("source_event_id")
    assert rows(index) == ["billing.usage.updated"]
    search(index).fill("security-scan-service")
    assert rows(index) == [event for event in rows(index) if "security-scan-service" in CONSUMERS[event]]
    assert rows(index)


def test_what_is_found_by_its_name_comes_first_and_the_others_say_why(index):
    search(index).fill("updated")
    named = [event for event in sorted(BUNDLED.events) if "updated" in event]
    assert rows(index)[: len(named)] == named
    others = rows(index)[len(named) :]
    assert others == sorted(others) != []
    assert [reasons(index, event) for event in named] == [[]] * len(named)
    for event in others:
        (why,) = reasons(index, event)
        assert why.startswith("field: ")
        assert "updated" in why


def test_a_row_says_which_word_it_has_elsewhere(index):
    search(index).fill("source_event_id")
    assert reasons(index, "billing.usage.updated") == ["field: source_event_id"]
    search(index).fill("Usage SOURCE_EVENT_ID billing")
    assert reasons(index, "billing.usage.updated") == ["field: source_event_id"]
    search(index).fill("active billing-service source_event_id")
    (why,) = reasons(index, "billing.usage.updated")
    newest = BUNDLED.newest("billing.usage.updated").version
    assert why == f"version: {newest} active, service: billing-service, field: source_event_id"
    search(index).fill("usage")
    assert reasons(index, "billing.usage.updated") == []


def test_a_whole_name_is_told_rather_than_a_longer_one(opened, tmp_path):
    manifest = folders.table("thing.made", {"v1": 'key = "k:{old_job_id}"\nintroduced = "1"'})
    schema = folders.schema({"old_job_id": folders.TEXT}, job_id=folders.TEXT)
    folder = folders.write(tmp_path / "catalog", manifest, {"thing.made/v1.json": schema})
    page = opened(Site(tmp_path, Given(folder)).url).open("index.html")
    for text, field in (("job", "old_job_id"), ("job_id", "job_id")):
        search(page).fill(text)
        assert reasons(page, "thing.made") == [f"field: {field}"]


def test_a_reason_is_gone_once_it_is_not_asked_for(index):
    before = index.locator("#events").inner_html()
    search(index).fill("_id")
    assert index.locator("#events em").count() > 0
    search(index).fill("")
    assert index.locator("#events").inner_html() == before


def test_enter_opens_the_first_that_is_found(index):
    search(index).fill("updated")
    first = rows(index)[0]
    search(index).press("Enter")
    index.wait_for_url(f"**/events/{first}.html")
    index.go_back()
    until(index, "document.querySelector('#q').value === 'updated'")
    search(index).fill("source_event_id")
    search(index).press("Enter")
    index.wait_for_url("**/events/billing.usage.updated.html")


@pytest.mark.parametrize("text", ["", "  ", "no such event"])
def test_enter_opens_nothing_where_nothing_is_searched_or_found(index, text):
    search(index).fill(text)
    search(index).press("Enter")
    index.wait_for_timeout(200)
    assert index.url.partition("#")[0].endswith("/index.html")


def test_what_marks_a_row_is_accessible(index):
    search(index).fill("_id")
    assert index.locator("#events em").count() > 0
    assert violations(index) == []


def test_rows_begin_where_the_heading_does(whole, opened):
    for width in (PHONE, DESKTOP):
        page = opened(whole.url, width=width).open("index.html")
        left = page.locator("h1").bounding_box()["x"]
        assert {each.bounding_box()["x"] for each in page.locator("#events > li > a").all()} == {left}


def test_escape_clears_what_was_typed(index):
    search(index).press_sequentially("invite.")
    assert sorted(rows(index)) == ["invite.created", "invite.expired"]
    search(index).press("Escape")
    assert search(index).input_value() == ""
    assert len(rows(index)) == len(BUNDLED.events)


def test_a_slash_leads_to_the_search_but_can_be_typed_there(index):
    index.keyboard.press("/")
    assert index.evaluate("document.activeElement.type") == "search"
    assert search(index).input_value() == ""
    index.keyboard.press("/")
    assert search(index).input_value() == "/"


@pytest.mark.parametrize("text", ["*", "\\", "(", ".*", "<b>", "%", '"', "\u0130"])
def test_what_is_typed_is_no_pattern(index, text):
    search(index).fill(text)
    for event in rows(index):
        assert text.lower() in event or text not in ".*"
    assert len(rows(index)) < len(BUNDLED.events)


@pytest.mark.parametrize("owner", sorted(set(OWNER.values())))
def test_events_are_filtered_by_who_sends_them(index, owner):
    index.get_by_label("Sent by").select_option(label=owner)
    assert sorted(rows(index)) == sorted(event for event in OWNER if OWNER[event] == owner)


def test_events_are_filtered_by_who_reads_them(index):
    choices = index.get_by_label("Read by").locator("option").all_inner_texts()[1:]
    assert sorted(choices) == sorted({each for consumers in CONSUMERS.values() for each in consumers})
    for consumer in choices:
        index.get_by_label("Read by").select_option(label=consumer)
        assert sorted(rows(index)) == sorted(event for event in CONSUMERS if consumer in CONSUMERS[event])


@pytest.mark.parametrize("state", sorted({each for states in STATES.values() for each in states}))
def test_events_are_filtered_by_lifecycle(index, state):
    index.get_by_label("Lifecycle").select_option(value=state)
    assert sorted(rows(index)) == sorted(event for event in STATES if state in STATES[event])


def test_search_and_filters_hold_together(index):
    index.get_by_label("Sent by").select_option(label="automation-service")
    index.get_by_label("Read by").select_option(label="analytics-service")
    search(index).fill("expired")
    assert rows(index) == ["invite.expired"]
    assert index.get_by_role("status").inner_text() == "1 of 13 events"


def test_how_many_match_is_said(index):
    search(index).fill("invite.")
    assert index.get_by_role("status").inner_text() == "2 of 13 events"
    assert index.get_by_role("status").get_attribute("aria-live") in (None, "polite")


def test_where_nothing_matches_there_is_a_way_out(index):
    index.get_by_label("Lifecycle").select_option(value="deprecated")
    search(index).fill("no such event")
    assert rows(index) == []
    assert index.get_by_text("No event matches").is_visible()
    index.get_by_role("button", name="Clear").click()
    assert len(rows(index)) == len(BUNDLED.events)
    assert search(index).input_value() == ""
    assert index.get_by_label("Lifecycle").input_value() == ""
    assert not index.get_by_text("No event matches").is_visible()
    assert index.evaluate("document.activeElement !== document.body")  # the button is gone, and the focus goes on


def test_the_address_keeps_a_view(whole, index, opened):
    index.get_by_label("Sent by").select_option(label="automation-service")
    index.get_by_label("Lifecycle").select_option(value="active")
    search(index).fill("expired & <b>")
    search(index).fill("expired")
    until(index, "location.hash.includes('expired')")
    other = opened(whole.url).open("index.html" + index.evaluate("location.hash"))
    assert rows(other) == rows(index) == ["invite.expired"]
    assert search(other).input_value() == "expired"
    assert other.get_by_label("Sent by").input_value() == index.get_by_label("Sent by").input_value() != ""
    assert other.get_by_label("Lifecycle").input_value() == "active"


def test_odd_texts_come_back_from_the_address(whole, index, opened):
    for text in ("a&b=c", "100%", "ünï cödé", "#", "+ +"):
        search(index).fill(text)
        until(index, "text => new URLSearchParams(location.hash.slice(1)).get('q') === text", text)
        other = opened(whole.url).open("index.html" + index.evaluate("location.hash"))
        assert search(other).input_value() == text


@pytest.mark.parametrize("part", ["#nonsense", "#q=%", "#owner=nobody&q=", "#state=odd", "#content", "#%E0%A4%A"])
def test_an_address_that_means_nothing_shows_every_event_or_says_why_not(whole, opened, part):
    page = opened(whole.url).open("index.html" + part)
    assert len(rows(page)) == len(BUNDLED.events) or page.get_by_text("No event matches").is_visible()


def test_going_back_restores_the_view(index):
    search(index).fill("invite.")
    until(index, "location.hash.includes('invite.')")
    index.get_by_role("link", name="invite.created").click()
    index.wait_for_url("**/invite.created.html")
    index.go_back()
    until(index, "document.querySelector('#q').value === 'invite.'")
    assert sorted(rows(index)) == ["invite.created", "invite.expired"]


def test_the_skip_link_leaves_the_view_and_its_address(whole, index, opened):
    index.get_by_label("Lifecycle").select_option(value="deprecated")
    found = rows(index)
    index.get_by_text("Skip to the content").focus()
    index.keyboard.press("Enter")
    until(index, "location.hash === '#state=deprecated'")
    assert index.evaluate("document.activeElement.tagName") == "MAIN"
    index.reload()
    assert rows(index) == found != []
    assert index.get_by_label("Lifecycle").input_value() == "deprecated"


def test_a_link_to_the_content_shows_the_whole_list(whole, opened):
    page = opened(whole.url).open("index.html#main:content")
    assert page.get_by_role("status").inner_text() == "13 events"
    assert len(rows(page)) == len(BUNDLED.events)


def test_without_scripts_there_is_the_whole_list_and_no_dead_control(whole, opened):
    page = opened(whole.url, java_script_enabled=False).open("index.html")
    assert sorted(rows(page)) == sorted(BUNDLED.events)
    assert page.locator("input:visible, select:visible, button:visible").count() == 0


def test_without_scripts_every_page_shows_its_content(whole, opened):
    window = opened(whole.url, java_script_enabled=False)
    for path in whole.kinds:
        page = window.open(path)
        assert page.locator("button:visible").count() == 0, path
        assert len(page.locator("main").inner_text()) > 40, path


def test_the_filters_fit_a_phone(whole, opened):
    page = opened(whole.url, width=PHONE).open("index.html")
    for control in (search(page), *(page.get_by_label(each) for each in ("Sent by", "Read by", "Lifecycle"))):
        box = control.bounding_box()
        assert box["height"] >= 32
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= PHONE
