"""The list of all events, and what its search and its filters look through."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

import msgspec

from jobarium_events.contract import Contract
from jobarium_events.fields import fields_of
from jobarium_events.site.wording import unturned

if TYPE_CHECKING:
    from jobarium_events.site.shown import Shown

__all__ = ["Row", "rows_of", "search_index"]

_ROOM = 50_000  # bytes
_JOINTS = re.compile(r"[\W_]+")
_PARTS = re.compile(r"[\W_]*[A-Z]*[^\WA-Z_]*")
# What a number is written with, in characters that JSON leaves as they are: of these the last digit of it ...
_LAST = tuple(map(chr, range(ord("#"), ord("\\"))))
# ... and of these the ones before. Most numbers have one digit or two.
_BEFORE = tuple(map(chr, range(ord("]"), ord("~") + 1)))


class Row(msgspec.Struct, frozen=True):
    """One event in the list.

    Attributes:
        name: Its name.
        title: What it is called; "" if its schema has no title, or one that only repeats the name.
        owner: The service that sends it.
        consumers: The services that read it.
        versions: Its versions, the oldest first.
        readers: What the list says of its consumers: their names, or how many they are where the names of all rows
            would take too much room; there the script writes them, which has each name once.
    """

    name: str
    title: str
    owner: str
    consumers: tuple[str, ...]
    versions: tuple[Contract, ...]
    readers: str


def rows_of(shown: Shown) -> Iterator[Row]:
    """Yield a row for each event, in the order of their names."""
    events = [(name, shown.catalog.versions(name)) for name in sorted(shown.catalog.events)]
    heads = [shown.catalog.newest(name) or versions[-1] for name, versions in events]
    named = [", ".join(head.consumers) for head in heads]
    apart = sum(len(each.encode()) for each in named) > _ROOM
    for (name, versions), head, names in zip(events, heads, named, strict=True):
        count = len(head.consumers)
        readers = f"{count} service{'' if count == 1 else 's'}" if apart and names else names
        yield Row(name, _title(name, head), head.owner, head.consumers, versions, readers)


def _title(name: str, head: Contract) -> str:
    title = head.schema.get("title")
    if not isinstance(title, str) or _words(title) == _words(name):
        return ""
    return title


def _words(text: str) -> list[str]:
    return _JOINTS.sub(" ", text).casefold().split()


def search_index(shown: Shown) -> bytes:
    """Return the script that gives the search what it needs of each row, in their order.

    It stands apart from the list, which is to stay small and to be read without any script. Each service stands in it
    once, and so does each part of a field's name. Everything else is numbers, as in `_numbers`: the services of each
    row, its owner first; the parts of each name of a field; and the names of each row's fields, each as its distance
    from the one before. The most frequent come first, as they have the shortest numbers.
    """
    rows = tuple(rows_of(shown))
    serving = [(row.owner, *row.consumers) for row in rows]
    services = _places(each for names in serving for each in names)
    having = [_field_names(row.versions) for row in rows]
    names = _places(each for fields in having for each in fields)
    split = [[part for part in _PARTS.findall(name) if part] for name in names]
    parts = _places(part for each in split for part in each)
    found = {
        "services": list(map(unturned, services)),
        "served": _numbers([services[each] for each in names] for names in serving),
        "parts": list(map(unturned, parts)),
        "names": _numbers([parts[part] for part in each] for each in split),
        "fields": _numbers(_distances(names, fields) for fields in having),
    }
    return b"const searched = " + msgspec.json.encode(found) + b";\n"


def _field_names(versions: tuple[Contract, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(row.name for each in versions for row in fields_of(each.schema)))


def _places(words: Iterable[str]) -> dict[str, int]:
    """Return the place of each word among all of them, the most frequent first."""
    return {word: place for place, (word, _) in enumerate(Counter(words).most_common())}


def _distances(places: Mapping[str, int], names: Iterable[str]) -> list[int]:
    found = sorted(places[name] for name in names)
    return [place - before for before, place in zip([0, *found], found, strict=False)]


def _numbers(lists: Iterable[list[int]]) -> str:
    """Return lists of numbers as a text: of each list how many there are, then these."""
    return "".join(_number(number) for each in lists for number in (len(each), *each))


def _number(number: int) -> str:
    high, low = divmod(number, len(_LAST))
    digits = [_LAST[low]]
    while high:
        high, low = divmod(high - 1, len(_BEFORE))
        digits.append(_BEFORE[low])
    return "".join(reversed(digits))
