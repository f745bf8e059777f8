"""What is shown to be copied is copied as it stands."""

from __future__ import annotations

import pytest

from jobarium_events.site.serving import Live, Server
from tests.site.browser.windows import shows, until

PAGE = "events/billing.usage.updated.html"


@pytest.mark.parametrize("through", ["file", "server"])
def test_every_button_copies_its_text(whole, opened, through):
    live = Live()
    live.built(whole.files)
    with Server(live, port=0) as server:
        url = whole.url if through == "file" else server.url
        page = opened(url, permissions=["clipboard-read", "clipboard-write"]).open(PAGE)
        buttons = page.locator("button.copy:visible")
        assert buttons.count() >= 4  # an example, a producer and a consumer, of each version
        for place in range(buttons.count()):
            button = buttons.nth(place)
            text = button.locator("xpath=..").locator("code").text_content()
            assert text.strip()
            button.click()
            until(page, "text => navigator.clipboard.readText().then((found) => found === text)", text)
            shows(button, "Copied")
            assert page.get_by_role("status").inner_text() == "Copied."


def test_buttons_say_what_they_copy(whole, opened):
    page = opened(whole.url).open(PAGE)
    names = page.get_by_role("button", name="Copy").all_inner_texts()
    assert len(names) == len(set(names))
