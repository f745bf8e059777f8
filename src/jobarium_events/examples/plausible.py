"""What a value looks like to a reader, by the name of its field, its format and its unit."""

from __future__ import annotations

import re
from hashlib import blake2s

import msgspec

__all__ = ["Known", "numbers", "singular", "texts"]

_MOMENT = "2026-03-01T09:30:00Z"
_LATER = "2026-03-15T09:30:00Z"
_FIRST = 1042

_WORD = re.compile(r"[A-Z]{2,}s?(?![a-z])|[A-Z]?[a-z]+|[A-Z]|[0-9]+")
_TO_COME = frozenset("deadline due end ends expire expired expires expiry until".split())
_SENTENCES = frozenset("comment description message note reason remark subject summary text warning".split())
_PEOPLE = frozenset("author candidate contact customer display full person recipient sender user".split())
_SERIAL = {"number": "{}", "sku": "SKU-{}"}
_IRREGULAR = {"children": "child", "men": "man", "people": "person", "women": "woman"}

_BY_FORMAT = {
    "date": "2026-03-01",
    "duration": "PT30M",
    "email": "ada@example.org",
    "hostname": "example.org",
    "idn-email": "ada@example.org",
    "idn-hostname": "example.org",
    "ipv4": "192.0.2.10",
    "ipv6": "2001:db8::10",
    "json-pointer": "/status",
    "regex": "^[a-z]+$",
    "relative-json-pointer": "0/status",
    "time": "09:30:00Z",
    "uri-template": "https://example.org/{id}",
}
_ADDRESSES = frozenset("iri iri-reference uri uri-reference".split())

_BY_NAME = {
    "city": "Berlin",
    "country": "DE",
    "currency": "EUR",
    "date": "2026-03-01",
    "day": "2026-03-01",
    "digest": "9f86d081884c7d659a2feaa0c55ad015",
    "email": "ada@example.org",
    "field": "title",
    "hash": "9f86d081884c7d659a2feaa0c55ad015",
    "host": "example.org",
    "language": "en",
    "locale": "en",
    "month": "2026-03",
    "phone": "+1 202 555 0142",
    "postcode": "10115",
    "street": "Example Street 1",
    "time": "09:30:00Z",
    "timezone": "Europe/Berlin",
    "token": "9f86d081884c7d659a2feaa0c55ad015",
    "version": "2.1.0",
    "year": "2026",
    "zip": "10115",
}
"""By the last word of a field's name."""

_NUMBERS: dict[str, tuple[float, ...]] = {
    "age": (36,),
    "amount": (12.5, 1250),
    "bytes": (2048,),
    "cents": (1250,),
    "confidence": (0.87, 87),
    "cost": (12.5, 1250),
    "count": (3,),
    "day": (1,),
    "days": (30,),
    "hours": (8,),
    "latitude": (52.52, 52),
    "longitude": (13.405, 13),
    "minutes": (30,),
    "month": (3,),
    "ms": (250,),
    "percent": (50,),
    "percentage": (50,),
    "points": (87.5, 87),
    "port": (8080,),
    "price": (12.5, 1250),
    "probability": (0.87,),
    "quantity": (3,),
    "rate": (0.87, 87),
    "ratio": (0.87,),
    "score": (0.87, 87),
    "seconds": (30,),
    "size": (2048,),
    "total": (3,),
    "version": (7,),
    "year": (2026,),
}
"""By the last word of a field's name, or by its unit; the first that fits."""


class Known(msgspec.Struct, frozen=True):
    """What is known of a value before its schema is asked.

    Attributes:
        name: The name of its field; of an item, that of the list.
        thing: What the object is that has the field, such as ``"order"``.
        number: Which one it is among several items, from 0.
        unit: What it is measured in.
        identifies: Whether it is described as an identifier.
    """

    name: str
    thing: str
    number: int = 0
    unit: str | None = None
    identifies: bool = False

    @property
    def identified(self) -> str:
        """What it identifies, such as ``"candidate"``; ``""`` if it is no identifier."""
        *before, last = self.words
        if last == "id":
            return before[-1] if before else self.thing
        return last if self.identifies or last == "sku" else ""

    @property
    def words(self) -> list[str]:
        """The words of the name, in lower case; a list's name is that of one of its items."""
        words = [word.lower() for word in _WORD.findall(self.name)]
        while len(words) > 1 and words[-1].endswith("ed"):
            words.pop()  # signals_updated
        return [*words[:-1], singular(words[-1])] if words else [self.thing]


def singular(word: str) -> str:
    """Return an English word for one of what a word may name several of."""
    if word in _IRREGULAR:
        return _IRREGULAR[word]
    if word.endswith("ies") and len(word) > 4:  # noqa: PLR2004 - "ties" and "lies" have no y
        return f"{word[:-3]}y"
    if word.endswith(("sses", "xes", "ches", "shes")):
        return word[:-2]
    return word[:-1] if word.endswith("s") and not word.endswith(("ss", "us", "is")) else word


def texts(named: Known, form: str | None) -> list[str]:
    """Return texts that a field may hold, the nicest first.

    Args:
        named: The field.
        form: Its ``format``, if it has one.
    """
    words = named.words
    moment = _LATER if _TO_COME.intersection(words) else _MOMENT
    serial = _FIRST + named.number
    if form == "uuid":
        tail = blake2s(f"{named.name}/{named.thing}/{named.number}".encode(), digest_size=6).hexdigest()
        return [f"0197f2a0-5c1e-7b3a-9d41-{tail}"]
    if form == "date-time":
        return [moment]
    address = f"https://example.org/{'/'.join(words[:-1]) or named.thing}/{serial}"
    if form in _ADDRESSES:
        return [address]
    if form in _BY_FORMAT:
        return [_BY_FORMAT[form]]
    return [*_by_words(words, named, moment=moment, address=address, serial=serial), _generic(words, named), "example"]


def _generic(words: list[str], named: Known) -> str:
    return f"example {' '.join(words)}{f' {named.number + 1}' if named.number else ''}"


def _by_words(words: list[str], named: Known, *, moment: str, address: str, serial: int) -> list[str]:
    *before, last = words
    if last == "id":
        return [f"{'-'.join(before) or named.thing}-{serial}", str(serial)]
    if named.identifies:
        return [f"{last}-{serial}", str(serial)]
    if last in ("at", "timestamp"):
        return [moment]
    if last in ("uri", "url", "link", "href"):
        return [address]
    if last == "type" and before[-1:] in (["mime"], ["content"], ["media"]):
        return ["application/pdf"]
    if last == "name":
        name = _name(before or [named.thing])
        return [name] if name else []
    if last in _SERIAL:
        return [_SERIAL[last].format(serial)]
    if last == "code":
        return [f"{'-'.join(before) or named.thing}-{named.number + 1}".upper()]
    if last in _SENTENCES:
        return [f"Example {' '.join(words)}{f' {named.number + 1}' if named.number else ''}."]
    return [_BY_NAME[last]] if last in _BY_NAME and not named.number else []


def _name(before: list[str]) -> str:
    """Return the name of what is named; ``""`` if it could be anything."""
    if before[-1] in ("first", "given"):
        return "Ada"
    if before[-1] in ("last", "family"):
        return "Lovelace"
    if before[-1] in ("file", "document"):
        return "resume.pdf"
    return "Ada Lovelace" if before[-1] in _PEOPLE else ""


def numbers(named: Known, *, large: bool) -> list[float]:
    """Return numbers that a field may hold, the nicest first.

    Args:
        named: The field.
        large: Whether its scale is said to reach beyond 1.
    """
    found: list[float] = []
    for word in (named.unit or "", named.words[-1]):
        found += _NUMBERS.get(word, ())
    if large:
        found.sort(key=lambda number: number <= 1)
    return [number + named.number for number in (*found, 1)]
