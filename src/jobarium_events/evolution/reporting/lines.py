"""Finds the line that a finding speaks of: by JSON Pointer in a schema or lock, by key or heading elsewhere.

No library that is light and kept gives the lines of parsed JSON or TOML. The files are read for their values before,
so this only has to place what is there: a line that cannot be told is that of the nearest thing around it.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson

from jobarium_events.catalog.toml import TomlError, read_toml
from jobarium_events.evolution.frontmatter import FENCE, FrontMatterError, parse
from jobarium_events.validation.dialects import escape

__all__ = ["Lines", "json_lines", "toml_lines"]

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[\[\]{},:]|[^\s\[\]{},:"]+')
_KEY = re.compile(r"\s*((?:[A-Za-z0-9_-]+|\"[^\"]*\"|'[^']*')(?:\s*\.\s*(?:[A-Za-z0-9_-]+|\"[^\"]*\"|'[^']*'))*)\s*=")
_INDEX = re.compile(r"\[(\d+)\]")
_JSON = (".json", ".lock")


class Lines:
    """The lines of a folder's files; each file is read once, when a finding first speaks of it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._files: dict[str, dict[str, int]] = {}

    def line(self, file: str, place: str) -> int | None:
        """Return the line of a place in a file; None if there is no such file."""
        if file not in self._files:
            self._files[file] = _lines(self._folder / file)
        known = self._files[file]
        if not known:
            return None
        if not file.endswith(_JSON) and not place.startswith(("/", "#")):
            place = "".join(f"/{escape(key)}" for key in _path(_INDEX.sub(r".\1", place)))
        while place and place not in known:
            place = place.rpartition("/")[0]
        return known.get(place, 1)


def _lines(path: Path) -> dict[str, int]:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return {}  # what is wrong with the file is a finding already, and has no line
    if path.suffix == ".toml":
        return toml_lines(text)
    if path.suffix == ".md":
        try:
            parse(text)
        except FrontMatterError as error:
            return {"": error.line}
        headings = {line.rstrip(): number for number, line in enumerate(text.split("\n"), 1) if line.startswith("#")}
        return {**headings, **toml_lines(_front(text))}
    return json_lines(text)


def _front(text: str) -> str:
    """Return the front matter of a page, its opening fence an empty line so that lines are those of the page."""
    return text.split(f"\n{FENCE}", 1)[0].removeprefix("\ufeff").removeprefix(FENCE)


def json_lines(text: str) -> dict[str, int]:
    """Return the line of each value in a JSON text, by JSON Pointer; that of a member is the line of its name.

    A text in an array can be found by its value as well: ``/required/job_id``. In a text that is no JSON, it is the
    line where that shows.
    """
    try:
        orjson.loads(text)
    except orjson.JSONDecodeError as error:
        return {"": error.lineno}
    found: dict[str, int] = {}
    around: list[_Container] = []
    line, seen = 1, 0
    for match in _TOKEN.finditer(text):
        line += text.count("\n", seen, match.start())
        seen, token = match.start(), match[0]
        inner = around[-1] if around else _Container("")
        if token in "]}":
            around.pop()
        elif token in ",:":
            inner.go_on(token)
        else:
            pointer = inner.placed(token, line, found)
            if token in "[{":
                around.append(_Container(pointer, 0 if token == "[" else None))
    return found


class _Container:
    """An array or object that is open, with the place in it that comes next."""

    def __init__(self, pointer: str, place: int | None = None) -> None:
        self.pointer = pointer
        self.place = place  # of the next item; None in an object
        self.member = ""  # whose value comes next; empty if its name does

    def go_on(self, mark: str) -> None:
        if self.place is not None:
            self.place += 1
        elif mark == ",":
            self.member = ""

    def placed(self, token: str, line: int, found: dict[str, int]) -> str:
        """Note the line of a name or value, and return the pointer to it."""
        if self.member:
            return self.member
        is_text = token.startswith('"')
        if self.place is None and is_text:
            self.member = f"{self.pointer}/{escape(json.loads(token))}"
            found[self.member] = line
            return self.member
        pointer = self.pointer if self.place is None else f"{self.pointer}/{self.place}"
        found.setdefault(pointer, line)
        if is_text:
            found.setdefault(f"{self.pointer}/{escape(json.loads(token))}", line)
        return pointer


def toml_lines(text: str) -> dict[str, int]:
    """Return the line of each table and of each key of a TOML text, by JSON Pointer: ``/allows/0/event``.

    In a text that is no TOML, it is the line where that shows.
    """
    try:
        read_toml(text)
    except TomlError as error:
        return {"": error.line}
    found = {"": 1}
    counts: Counter[str] = Counter()  # of the tables in each list of tables
    table = ""
    for number, line in enumerate(text.split("\n"), 1):
        if line.lstrip().startswith("["):
            path = _path(line)
            if path:
                table = "".join(f"/{escape(key)}" for key in path)
                found.setdefault(table, number)
                if line.lstrip().startswith("[["):
                    counts[table] += 1
                    table += f"/{counts[table] - 1}"
                    found[table] = number
        elif match := _KEY.match(line):
            place = table
            for key in _path(match[1]):
                place += f"/{escape(key)}"
                found.setdefault(place, number)
    return found


def _path(text: str) -> list[str]:
    """Return the keys of a table's head, or of a dotted key; none if it is neither."""
    try:
        tables = tomllib.loads(text if text.lstrip().startswith("[") else f"{text} = 0")
    except tomllib.TOMLDecodeError:
        return []
    return list(_only_keys(tables))


def _only_keys(tables: Any) -> Iterator[str]:
    while isinstance(tables, dict) and tables:
        key, tables = next(iter(tables.items()))
        yield key
        if isinstance(tables, list):
            tables = tables[0]
