"""What a catalog of many events costs the site: how long it takes to be built, and to be searched in a browser.

Searching is timed within the page, from the event that a key causes until all that is in sight is laid out anew. What
a browser has to do is compared with the time of one picture, of which it shows sixty in a second.
"""

from __future__ import annotations

import statistics
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

from benchmarks.companies import write_company
from benchmarks.results import Row
from benchmarks.scenarios import UnfitScenario
from benchmarks.timing import Effort, compared
from jobarium_events import Catalog
from jobarium_events.site.building import site_files
from jobarium_events.site.shown import read_shown
from tests.servers import Missing, chromium

__all__ = ["EVENTS", "FRAME", "index_of", "searching", "sites"]

EVENTS = 1_000
FRAME = 1 / 60
"""Seconds that a browser has for one picture."""

_ROUNDS = 5
_TYPED = ("invoice.", "order requested", "claim-audit-service", "_template", "nothing at all")
_SEARCH = """
async (typed) => {
  const box = document.querySelector("input[type=search]");
  const list = document.querySelector("#events");
  const keys = [], clears = [];
  const took = (text) => {
    box.value = text;
    const start = performance.now();
    box.dispatchEvent(new Event("input", {bubbles: true}));
    list.getBoundingClientRect();
    return (performance.now() - start) / 1000;
  };
  for (const text of typed) {
    for (let end = 1; end <= text.length; end++) keys.push(took(text.slice(0, end)));
    clears.push(took(""));
    // What is out of sight comes back in the frames after.
    for (let end = performance.now() + 10000; list.querySelector("li[hidden]") && performance.now() < end;) {
      await new Promise(requestAnimationFrame);
    }
  }
  return [keys, clears];
}
"""


def sites(effort: Effort) -> list[Row]:
    """Compare building a large site with loading its catalog, and searching it with the time of one picture."""
    count = EVENTS if effort.changed >= EVENTS else EVENTS // 10
    with TemporaryDirectory() as directory:
        write_company(Path(directory), count)
        ours, base = [], []
        for _ in range(_ROUNDS if count == EVENTS else 2):
            ours.append(_building(Path(directory), count))
            start = perf_counter()
            Catalog.load(directory)
            base.append(perf_counter() - start)
    rows = [Row(f"build the site of {count:,} events", "Catalog.load of its folder", compared(ours, base))]
    try:
        path = chromium()
    except (ImportError, Missing) as missing:
        print(f"left out: search among {EVENTS:,} events: {missing}", file=sys.stderr)
        return rows
    keys, clears = searching(path)
    frames = [FRAME] * _ROUNDS
    return [
        *rows,
        Row(f"search among {EVENTS:,} events, a key", "a frame", compared(keys, frames), 1),
        Row(f"clear the search among {EVENTS:,} events, the first in sight", "a frame", compared(clears, frames), 1),
    ]


def index_of(folder: Path) -> dict[str, bytes]:
    """Return the index of a catalog's site and what it loads, without the folders of the other pages."""
    return {path: content for path, content in site_files(read_shown(folder)).items() if "/" not in path}


def searching(path: str, count: int = EVENTS) -> tuple[list[float], list[float]]:
    """Return how many seconds a key of a few searches takes, and clearing one: the median of each page load.

    Args:
        path: Where the browser is.
        count: How many events there are to search.

    Raises:
        UnfitScenario: If the search did not do its job.
    """
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 - only where there is a browser

    with TemporaryDirectory() as schemas, TemporaryDirectory() as site, sync_playwright() as playwright:
        write_company(Path(schemas), count)
        for name, content in index_of(Path(schemas)).items():
            (Path(site) / name).write_bytes(content)
        browser = playwright.chromium.launch(executable_path=path)
        page = browser.new_page(viewport={"width": 1280, "height": 844})
        keys, clears = [], []
        for _ in range(_ROUNDS):
            page.goto(f"{Path(site).as_uri()}/index.html")
            one, other = page.evaluate(_SEARCH, list(_TYPED))
            keys.append(statistics.median(one))
            clears.append(statistics.median(other))
        rows = page.locator("#events > li:visible")
        after = rows.count()
        page.locator("input[type=search]").fill(_TYPED[0])
        found = rows.count()
        browser.close()
    if after != count or not 0 < found < count:
        raise UnfitScenario(f"{found} of {count} events are found, and {after} are shown after the search is cleared")
    return keys, clears


def _building(folder: Path, count: int) -> float:
    start = perf_counter()
    files = site_files(read_shown(folder))
    took = perf_counter() - start
    pages = sum(path.startswith("events/") for path in files)
    if pages != count:
        raise UnfitScenario(f"{pages} pages of events for {count} events")
    return took
