"""Which links of a built site lead nowhere, and what a page would load from the network."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

__all__ = ["Link", "Page", "broken_links", "loaded_from_elsewhere", "read_pages"]

# What a browser fetches by itself; of the rest of a page's links it is the reader who follows them.
_LOADED = {"audio", "embed", "iframe", "img", "input", "object", "script", "source", "track", "video"}
_LOADED_RELATIONS = set("dns-prefetch icon manifest modulepreload preconnect prefetch preload stylesheet".split())
_URL_IN_CSS = re.compile(r"""(?:url\(\s*|@import\s+)["']?([^"')\s]+)""")


class Link(NamedTuple):
    """Something that a page refers to, and whether a browser fetches it by itself."""

    target: str
    is_loaded: bool


class Page(HTMLParser):
    """What one page refers to, and what in it can be referred to."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.anchors: set[str] = set()
        self.links: list[Link] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note the anchors and the links of one element."""
        values = {name: value or "" for name, value in attrs}
        self.anchors |= {values[name] for name in ("id", "name") if name in values and (name == "id" or tag == "a")}
        relations = set(values.get("rel", "").split())
        is_loaded = tag in _LOADED or (tag == "link" and bool(relations & _LOADED_RELATIONS))
        if "href" in values and not (tag == "link" and relations & {"canonical"}):
            self.links.append(Link(values["href"], is_loaded))
        if "src" in values:
            self.links.append(Link(values["src"], is_loaded))
        for each in values.get("srcset", "").split(","):
            if each.strip():
                self.links.append(Link(each.split()[0], is_loaded))


def read_pages(site: Path) -> dict[Path, Page]:
    """Read every page of a site."""
    return {path: Page(path.read_text(encoding="utf-8")) for path in sorted(site.rglob("*.html"))}


def broken_links(site: Path) -> list[str]:
    """Return a line for each link whose file or anchor is not there. Other sites are not asked."""
    return list(_broken(site.resolve()))


def _broken(site: Path) -> Iterator[str]:
    pages = read_pages(site)
    for path, page in pages.items():
        for link in page.links:
            parts = urlsplit(link.target)
            if parts.scheme or parts.netloc:
                continue
            to = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            where = f"{path.relative_to(site)}: {link.target}"
            if not to.is_relative_to(site) or not to.is_file():
                yield f"{where} leads to no file of the site"
            elif parts.fragment and to in pages and unquote(parts.fragment) not in pages[to].anchors:
                yield f"{where} leads to no place on that page"


def loaded_from_elsewhere(site: Path) -> list[str]:
    """Return a line for each thing that a browser would fetch from the network to show a page of the site."""
    found = [
        f"{path.relative_to(site)}: {link.target}"
        for path, page in read_pages(site).items()
        for link in page.links
        if link.is_loaded and _is_elsewhere(link.target)
    ]
    for path in sorted(site.rglob("*.css")):
        targets = _URL_IN_CSS.findall(path.read_text(encoding="utf-8"))
        found += [f"{path.relative_to(site)}: {target}" for target in targets if _is_elsewhere(target)]
    return found


def _is_elsewhere(target: str) -> bool:
    parts = urlsplit(target)
    return bool(parts.netloc) or parts.scheme not in ("", "data")
