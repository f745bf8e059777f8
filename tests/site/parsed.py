"""A page as a browser would read it: its elements, its links and its text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from html.parser import HTMLParser
from typing import NamedTuple

BLOCKS = frozenset("dd div dt h1 h2 h3 h4 h5 h6 li p td th tr".split())
VOID = frozenset("area base br col embed hr img input link meta source track wbr".split())
OPTIONAL = frozenset(("li", "p"))  # their end tags may be left out


class Element(NamedTuple):
    """One element: its tag, its attributes, the text within it, and the tags around it."""

    tag: str
    attributes: Mapping[str, str]
    words: list[str]
    around: tuple[str, ...]

    @property
    def text(self) -> str:
        return " ".join("".join(self.words).split())


class Parsed(HTMLParser):
    """Reads a page; an element that is closed out of turn fails."""

    def __init__(self, page: bytes) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[Element] = []
        self.open: list[Element] = []
        self.feed(page.decode())
        self.close()
        assert not self.open, f"left open: {[each.tag for each in self.open]}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = [name for name, _ in attrs]
        assert len(names) == len(set(names)), f"an attribute twice: {tag} {names}"
        if tag in BLOCKS:
            self.handle_data(" ")
        if tag == "li" and self.open and self.open[-1].tag == "li":
            self.open.pop()
        element = Element(tag, {name: value or "" for name, value in attrs}, [], tuple(each.tag for each in self.open))
        self.elements.append(element)
        if tag not in VOID:
            self.open.append(element)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        while self.open[-1].tag != tag and self.open[-1].tag in OPTIONAL:
            self.open.pop()
        assert self.open[-1].tag == tag, f"</{tag}> within <{self.open[-1].tag}>"
        self.open.pop()

    def handle_data(self, data: str) -> None:
        for element in self.open:
            element.words.append(data)

    def all(self, *tags: str, **attributes: str) -> list[Element]:
        """Return the elements of some tags that have some attributes; ``class_`` is a class among others."""
        wanted = dict(attributes)
        class_ = wanted.pop("class_", None)
        return [
            each
            for each in self.elements
            if (not tags or each.tag in tags)
            and all(each.attributes.get(name) == value for name, value in wanted.items())
            and (class_ is None or class_ in each.attributes.get("class", "").split())
        ]

    def one(self, *tags: str, **attributes: str) -> Element:
        """Return the only element of them."""
        found = self.all(*tags, **attributes)
        assert len(found) == 1, (tags, attributes, len(found))
        return found[0]

    @property
    def ids(self) -> list[str]:
        return [each.attributes["id"] for each in self.elements if "id" in each.attributes]

    def targets(self) -> Iterator[str]:
        """Yield all that the page leads to or loads."""
        for element in self.elements:
            for name in ("href", "src", "xlink:href"):
                if name in element.attributes:
                    yield element.attributes[name]

    @property
    def text(self) -> str:
        return self.all("html")[0].text
