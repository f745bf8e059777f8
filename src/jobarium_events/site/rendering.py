"""Templates to bytes: everything that a schema or a person has written is text, and stays text."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from jobarium_events.extras import extra
from jobarium_events.site.wording import listed, unturned

with extra("site"):
    from jinja2 import ChoiceLoader, Environment, FileSystemLoader, PrefixLoader, StrictUndefined
    from markdown_it import MarkdownIt
    from markupsafe import Markup

if TYPE_CHECKING:
    from markdown_it.token import Token

__all__ = ["Rendering", "anchor", "breakable", "coded", "markdown"]

_HERE = Path(__file__).parent
_UNSAFE = re.compile(r"[^0-9A-Za-z._~/-]")
_JOINTS = re.compile(r"(?<=[._:-])(?=.)|(?<=.)(?=/)|(?<=[a-z0-9])(?=[A-Z])")
_HIGHEST = 3  # a page has its h1, and each section of a decision its h2

_TABLE = '<div class="wide" tabindex="0" role="region" aria-label="Table">\n<table>\n'


def anchor(name: str) -> str:
    """Return a free name as an anchor of a page; different names have different ones.

    None has a ``:`` that two digits do not follow, so that a page's own anchors can be told apart by one.
    """
    return _UNSAFE.sub(lambda found: "".join(f":{byte:02X}" for byte in found[0].encode()), name) or ":"


def breakable(name: str) -> Markup:
    """Return a name that may go on in the next line behind each of its words."""
    return Markup("<wbr>").join(_JOINTS.split(name))


def coded(text: str) -> Markup:
    """Return a text whose code stands between backticks, as HTML; a backtick without another one stays."""
    parts = text.split("`")
    if len(parts) % 2 == 0:
        parts[-2:] = ["`".join(parts[-2:])]
    code = Markup("<code>{}</code>")
    return Markup("").join(code.format(part) if place % 2 else part for place, part in enumerate(parts))


def markdown(text: str, leads: Callable[[str], str | None]) -> Markup:
    """Return a text in Markdown as HTML; HTML within it is text.

    Args:
        text: The text.
        leads: Gives where a link leads in the site; None for one that leads nowhere, which becomes text.
    """
    parser = MarkdownIt("commonmark", {"html": False}).enable("table").disable("image")
    tokens = parser.parse(text)
    for token in tokens:
        if token.type in ("heading_open", "heading_close"):
            token.tag = f"h{max(_HIGHEST, int(token.tag[1:]))}"
        elif token.type in ("th_open", "td_open"):
            aligned = str(token.attrs.pop("style", "")).rpartition(":")[2]  # a style of its own is not let through
            token.attrs |= {"class": f"to-{aligned}"} if aligned else {}
            token.attrs |= {"scope": "col"} if token.tag == "th" else {}
        elif token.children:
            token.children = list(_linked(token.children, leads))
    html = parser.renderer.render(tokens, parser.options, {})
    html = html.replace("<table>\n", _TABLE).replace("</table>\n", "</table>\n</div>\n")
    return Markup(html)  # noqa: S704 - HTML is off, so that every tag is the parser's own


def _linked(tokens: Sequence[Token], leads: Callable[[str], str | None]) -> Iterator[Token]:
    """Yield what stands in a line, its links led to where they lead in the site."""
    kept: list[bool] = []
    for token in tokens:
        if token.type == "link_open":
            place = leads(str(token.attrGet("href")))
            kept.append(place is not None)
            if place is None:
                continue
            token.attrSet("href", place)
        elif token.type == "link_close" and not kept.pop():
            continue
        yield token


def _json(value: Any) -> str:
    """Return a value as JSON; a text as it is."""
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def _plural(count: int, word: str) -> str:
    return f"{count:,} {word}{'' if count == 1 else 's'}"


class Rendering:
    """The templates of the site.

    Args:
        shared: What every page is given besides its own values.
        leads: Gives where a link in a text leads; see `markdown`.
    """

    def __init__(self, shared: Mapping[str, Any], leads: Callable[[str], str | None]) -> None:
        loaders = [
            FileSystemLoader(_HERE / "templates"),
            PrefixLoader({"rehearsal": FileSystemLoader(_HERE.parent / "migrations" / "rehearsal")}),
        ]
        self._environment = Environment(
            loader=ChoiceLoader(loaders),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=True,
        )
        self._environment.filters |= {
            "anchor": anchor,
            "breakable": breakable,
            "coded": coded,
            "json": _json,
            "listed": listed,
            "markdown": lambda text: markdown(text, leads),
            "plural": _plural,
        }
        self._environment.globals |= shared

    def page(self, path: str, template: str, values: Mapping[str, Any]) -> bytes:
        """Return one page.

        Args:
            path: Where it stands in the site.
            template: The template's file.
            values: What the template is given.
        """
        given = {"path": path, "root": "../" * path.count("/"), **values}
        return unturned(self._environment.get_template(template).render(given)).encode()
