"""Builds the site into a folder."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import msgspec

from jobarium_events.catalog.outside import refuse_within
from jobarium_events.folders import write_folder
from jobarium_events.site.decisions import decision_links
from jobarium_events.site.indexing import search_index
from jobarium_events.site.pages import pages_of
from jobarium_events.site.rendering import Rendering
from jobarium_events.site.shown import Shown, read_shown

__all__ = ["Built", "build_site", "site_files"]

LISTED = "site.json"
"""What the site keeps in its folder: the list of the files that are its own."""

_ASSETS = Path(__file__).parent / "assets"
_SECTIONS = {
    "index.html": "Events",
    "flow.html": "Flow",
    "timeline.html": "Timeline",
    "services.html": "Services",
    "decisions.html": "Decisions",
    "deprecations.html": "Deprecations",
}


class Built(msgspec.Struct, frozen=True):
    """A site that was built.

    Attributes:
        folder: Where it stands.
        pages: How many pages it has.
        events: How many events it shows.
        written: The files that are new or changed, by their paths in the folder.
        removed: The files of an earlier build that are no longer part of it.
    """

    folder: Path
    pages: int
    events: int
    written: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()


def build_site(
    folder: Path | None,
    output: Path,
    *,
    evidence: Sequence[Path] = (),
    migrations: Path | None = None,
    databases: Sequence[tuple[str, str]] = (),
    title: str | None = None,
) -> Built:
    """Build the site of a catalog: static files that need no network and no server.

    The same input gives the same bytes. What an earlier build wrote there and is no longer part of the site is removed.

    Args:
        folder: A folder of schemas with its ``catalog.toml``; None for the bundled catalog.
        output: Where the site is to stand: a new or an empty folder, or one that holds an earlier build.
        evidence: Files of counters, as `VersionCounters` writes them.
        migrations: A folder of migrations, which are then shown as well.
        databases: Environment and URL of each database that is asked, read only, how its migrations stand.
        title: The title of the site; by default "Jobarium events" for the bundled catalog, "Event catalog" for others.

    Raises:
        CatalogError: With every mistake in the catalog or in its decision log.
        CountersError: If a file is no file of counters.
        MigrationError: With every mistake in the migrations.
        ExampleRefused: If an example of a payload is refused by the contract's own validators.
        FolderRefused: If `output` holds somebody else's files, or lies within the catalog's folder.
        JobariumEventsError: As `read_shown` does.
        OSError: If something cannot be read or written.

    Example:
        >>> build_site(Path("schemas"), Path("build/site")).pages
        9
    """
    refuse_within(folder, output)
    shown = read_shown(folder, evidence=evidence, migrations=migrations, databases=databases, title=title)
    files = site_files(shown)
    done = write_folder(output, files, listed=LISTED, alone=True)
    pages = sum(path.endswith(".html") for path in files)
    return Built(output, pages, len(shown.catalog.events), done.written, done.removed)


def site_files(shown: Shown) -> dict[str, bytes]:
    """Return the files of a site, by their paths in it; parameters and errors are those of `build_site`."""
    sections = [*_SECTIONS.items(), *([("migrations.html", "Migrations")] if shown.migrations else [])]
    rendering = Rendering({"shown": shown, "sections": sections}, partial(decision_links, shown))
    files = {path.name: path.read_bytes() for path in sorted(_ASSETS.iterdir())}
    files["index.js"] = search_index(shown)
    files |= {each.path: rendering.page(*each) for each in pages_of(shown)}
    return files
