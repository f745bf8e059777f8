"""How the commands print: names are never cut, and a pipe gets plain text with one row a line."""

from __future__ import annotations

import os
import sys
import textwrap
from typing import TYPE_CHECKING, Any, NamedTuple

import orjson
from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["STYLES", "Column", "console", "counted", "paragraphs", "print_error", "print_json", "printable", "table"]

STYLES = {
    "active": "green",
    "draft": "cyan",
    "deprecated": "yellow",
    "retired": "dim",
    "handled": "green",
    "skipped": "yellow",
    "dead-lettered": "red",
}
"""The colours of words that say how something stands."""

_GAP = "  "
_READABLE = 40  # columns that a text needs to be read well
_LEAST = 20  # columns that it gets in any case


class Column(NamedTuple):
    """A column of a table.

    Attributes:
        title: Its title.
        below: Whether it goes to lines of its own below the row, where the terminal is too narrow for the table.
    """

    title: str
    below: bool = False


def console(*, stderr: bool = False) -> Console:
    """Return where to print to. Text is printed as it is: no markup is read in it, and nothing is highlighted."""
    color = None if os.environ.get("NO_COLOR") else "auto"
    return Console(stderr=stderr, color_system=color, markup=False, highlight=False, emoji=False, soft_wrap=True)  # type: ignore[arg-type]


def print_json(document: Any) -> None:
    """Print a document for a machine."""
    sys.stdout.write(orjson.dumps(document, option=orjson.OPT_INDENT_2).decode() + "\n")


def print_error(text: str) -> None:
    """Print what a command ends with where it does not end well."""
    to = console(stderr=True)
    to.print("Error: ", style="bold red", end="")
    to.print("\n".join(map(printable, text.split("\n"))))


def counted(number: int, noun: str) -> str:
    """Return a number of things in words: ``"2 events"``."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def printable(text: str) -> str:
    """Return text from outside so that it cannot steer a terminal."""
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)


def paragraphs(to: Console, text: str, indent: str = "") -> None:
    """Print a text, wrapped to the terminal."""
    for line in _wrapped(text, _width(to) - len(indent)):
        to.print(f"{indent}{line}")


def table(to: Console, columns: Sequence[Column], rows: Iterable[Sequence[str]]) -> None:
    """Print a table; its last column is wrapped where need be, and a cell that is a word of `STYLES` is coloured."""
    cells = [[printable(cell) for cell in row] for row in rows]
    widths = _widths(columns, cells)
    room = _width(to) - sum(width + len(_GAP) for width in widths[:-1])
    below: list[int] = []
    if room < min(widths[-1], _READABLE):
        below = [place for place, column in enumerate(columns) if column.below]
    beside = [place for place in range(len(columns)) if place not in below]
    last = max(room, _LEAST) if not below else widths[beside[-1]]
    head = [columns[place].title for place in beside]
    used = [widths[place] for place in beside]
    used[-1] = min(used[-1], last)
    _line(to, head, used, ["bold"] * len(head))
    to.print("─" * (sum(used) + len(_GAP) * (len(used) - 1)), style="dim")
    for row in cells:
        lasts = _wrapped(row[beside[-1]], last) or [""]
        for number, text in enumerate(lasts):
            line = [row[place] if number == 0 else "" for place in beside[:-1]] + [text]
            _line(to, line, used, [STYLES.get(cell, "") for cell in line])
        for place in below:
            _labelled(to, columns[place].title, row[place], max(len(columns[each].title) for each in below))


def _labelled(to: Console, label: str, text: str, width: int) -> None:
    lines = _wrapped(text, _width(to) - width - 2 * len(_GAP))
    for number, line in enumerate(lines):
        shown = Text(f"{_GAP}{label.lower() if number == 0 else '':<{width}}{_GAP}", style="dim")
        to.print(shown.append(line, style="not dim"))


def _line(to: Console, cells: Sequence[str], widths: Sequence[int], styles: Sequence[str]) -> None:
    line = Text()
    for cell, width, style in zip(cells, widths, styles, strict=True):
        line.append(cell, style=style).append(" " * (width - cell_len(cell)) + _GAP)
    line.rstrip()
    to.print(line)


def _widths(columns: Sequence[Column], rows: Sequence[Sequence[str]]) -> list[int]:
    return [max([len(column.title), *(cell_len(row[place]) for row in rows)]) for place, column in enumerate(columns)]


def _width(to: Console) -> int:
    """Return how many columns there are; in a pipe as many as it takes, unless COLUMNS says otherwise."""
    return to.width if to.is_terminal or os.environ.get("COLUMNS", "").isdigit() else sys.maxsize


def _wrapped(text: str, width: int) -> list[str]:
    return textwrap.wrap(text, max(width, _LEAST), break_long_words=False, break_on_hyphens=False)
