"""The pages of the site: where each stands, its template, and what it is given."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from jobarium_events.site.decisions import decisions_of
from jobarium_events.site.deprecations import deprecations_of
from jobarium_events.site.events import event_shown
from jobarium_events.site.indexing import rows_of
from jobarium_events.site.pictures.flow import MANY, flow
from jobarium_events.site.pictures.timeline import timeline
from jobarium_events.site.services import LONG, services_of

if TYPE_CHECKING:
    from jobarium_events.site.shown import Shown

__all__ = ["Page", "pages_of"]


class Page(NamedTuple):
    """One page.

    Attributes:
        path: Where it stands in the site.
        template: The template's file.
        values: What the template is given.
    """

    path: str
    template: str
    values: Mapping[str, Any]


def pages_of(shown: Shown) -> Iterator[Page]:
    """Yield the pages."""
    deprecations = deprecations_of(shown)
    decisions = tuple(decisions_of(shown))
    yield Page("index.html", "index.html.jinja", {"rows": tuple(rows_of(shown))})
    for event in shown.catalog.events:
        naming = tuple(each for each in decisions if any(link.event == event for link in each.contracts))
        values = {"event": event_shown(shown, event), "leaving": deprecations.of(event), "decisions": naming}
        yield Page(f"events/{event}.html", "event.html.jinja", values)
    yield Page("flow.html", "flow.html.jinja", {"flows": tuple(_flows(shown)), "many": MANY})
    contracts = tuple(shown.catalog)
    yield Page("timeline.html", "timeline.html.jinja", {"picture": timeline(contracts, shown.releases, shown.planned)})
    yield Page("services.html", "services.html.jinja", {"services": tuple(services_of(shown)), "long": LONG})
    yield Page("decisions.html", "decisions.html.jinja", {"decisions": decisions})
    for each in decisions:
        yield Page(f"decisions/{each.decision.id}.html", "decision.html.jinja", {"page": each})
    yield Page("deprecations.html", "deprecations.html.jinja", {"deprecations": deprecations})
    if shown.migrations is not None:
        yield from _migrations(shown)


def _flows(shown: Shown) -> Iterator[tuple[str, Any]]:
    """Yield the pictures of who sends what to whom: of all events, or one for each service that sends some."""
    contracts = tuple(shown.catalog)
    if len(shown.catalog.events) <= MANY:
        yield "", flow(contracts)
        return
    for owner in sorted({each.owner for each in contracts}):
        yield owner, flow([each for each in contracts if each.owner == owner])


def _migrations(shown: Shown) -> Iterator[Page]:
    from jobarium_events.site.migrations import migration_pages  # noqa: PLC0415 - it needs an extra of its own

    yield from migration_pages(shown)
