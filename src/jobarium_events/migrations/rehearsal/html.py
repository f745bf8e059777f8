"""A rehearsal as a page of HTML: one file with all that it needs, which runs no script."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jobarium_events.extras import extra
from jobarium_events.migrations.rehearsal.timeline import NARROW, WIDE, timeline
from jobarium_events.migrations.rehearsal.wording import harm, in_bytes, in_time, mode_words

if TYPE_CHECKING:
    from jobarium_events.migrations.rehearsal.report import Rehearsal

__all__ = ["as_html"]

_TEMPLATE = "rehearsal.html.jinja"


def as_html(rehearsal: Rehearsal) -> str:
    """Return the page."""
    with extra("migrations"):
        from jinja2 import Environment, PackageLoader, StrictUndefined  # noqa: PLC0415 - only where a page is wanted

    environment = Environment(
        loader=PackageLoader(__package__ or "", ""),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"time": in_time, "bytes": in_bytes, "mode": mode_words, "harm": harm}
    pictures = {name: timeline(rehearsal, layout) for name, layout in (("broad", WIDE), ("narrow", NARROW))}
    return environment.get_template(_TEMPLATE).render(rehearsal=rehearsal, pictures=pictures) + "\n"
