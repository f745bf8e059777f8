"""What is found wrong, and where: the values that errors carry."""

from __future__ import annotations

from typing import Any

import msgspec

__all__ = ["Problem", "Violation"]

# Rules that no limit explains; those after the first two are the library's own, and no keywords.
_SAID = {
    "uniqueItems": "must not hold the same value twice",
    "false": "must not be there",
    "depth": "is nested too deeply",
    "finite": "must be a finite number",
    "json": "holds a value of a type that JSON does not have",
    "range": "holds a number that is out of range",
    "upcast": "could not be upcast: the upcast raised",
}


class Violation(msgspec.Struct, frozen=True):
    """One place in a document where a rule of its schema is broken.

    Attributes:
        pointer: JSON Pointer (RFC 6901) to the offending value, or to where a missing one belongs.
        rule: The schema keyword that is broken, such as ``"required"`` or ``"maximum"``.
        limit: What the schema says for that keyword, such as ``100``; never a value from the document.
    """

    pointer: str
    rule: str
    limit: Any = None

    def __str__(self) -> str:
        place = self.pointer or "the document"
        match self.rule:
            case "required":
                return f"{place}: is required"
            case "additionalProperties" | "unevaluatedProperties":
                return f"{place}: is not a field of the contract"
            case "type":
                types = self.limit if isinstance(self.limit, list) else [self.limit]
                return f"{place}: must be of type {' or '.join(map(str, types))}"
            case "enum" if isinstance(self.limit, list):
                return f"{place}: must be one of {', '.join(map(str, self.limit))}"
            case "const" if isinstance(self.limit, str | int | float):
                return f"{place}: must be {self.limit}"
            case "format":
                offset = ", with its offset from UTC" if self.limit in ("date-time", "time") else ""
                return f"{place}: must be a valid {self.limit}{offset}"
            case rule if rule in _SAID:
                return f"{place}: {_SAID[rule]}"
            case _ if isinstance(self.limit, str | int | float):
                return f"{place}: breaks {self.rule} {self.limit}"
            case _:
                return f"{place}: breaks {self.rule}"


class Problem(msgspec.Struct, frozen=True, order=True):
    """One mistake in a catalog's folder.

    Attributes:
        file: Path of the file, relative to the folder.
        place: Where in the file: a JSON Pointer, a manifest key, or ``""`` for the whole file.
        text: What is wrong and how to mend it.
    """

    file: str
    place: str
    text: str

    def __str__(self) -> str:
        return f"{self.file}{f' at {self.place}' if self.place else ''}: {self.text}"
