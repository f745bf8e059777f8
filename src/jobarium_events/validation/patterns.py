r"""ECMA 262 regular expressions, as JSON Schema has them, in the dialects of the engines.

Python's ``$`` also matches before a last newline, its ``.`` matches ``\r``, its ``\d`` and ``\w`` match beyond ASCII,
and some of its syntax is none of ECMA's: ``(?i)``, ``a++``, ``a{,2}``. Rust's has differences of its own. So every
engine gets a translation that leaves nothing to its dialect, and all of them mean the same.
"""

from __future__ import annotations

import re
import sys
import unicodedata
from functools import cache, lru_cache
from itertools import groupby
from typing import TYPE_CHECKING

from jobarium_events.errors import SchemaError

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Scanner", "portable", "translate"]

_SETS: dict[str, list[tuple[int, int]]] = {
    "d": [(0x30, 0x39)],
    "w": [(0x30, 0x39), (0x41, 0x5A), (0x5F, 0x5F), (0x61, 0x7A)],
    "s": [
        (0x09, 0x0D), (0x20, 0x20), (0xA0, 0xA0), (0x1680, 0x1680), (0x2000, 0x200A),
        (0x2028, 0x2029), (0x202F, 0x202F), (0x205F, 0x205F), (0x3000, 0x3000), (0xFEFF, 0xFEFF),
    ],
}  # fmt: skip
_LONG_NAMES = dict(
    pair.split("=")
    for pair in """
    Other=C Control=Cc cntrl=Cc Format=Cf Unassigned=Cn Private_Use=Co Surrogate=Cs Letter=L Lowercase_Letter=Ll
    Modifier_Letter=Lm Other_Letter=Lo Titlecase_Letter=Lt Uppercase_Letter=Lu Mark=M Combining_Mark=M Spacing_Mark=Mc
    Enclosing_Mark=Me Nonspacing_Mark=Mn Number=N Decimal_Number=Nd digit=Nd Letter_Number=Nl Other_Number=No
    Punctuation=P punct=P Connector_Punctuation=Pc Dash_Punctuation=Pd Close_Punctuation=Pe Final_Punctuation=Pf
    Initial_Punctuation=Pi Other_Punctuation=Po Open_Punctuation=Ps Symbol=S Currency_Symbol=Sc Modifier_Symbol=Sk
    Math_Symbol=Sm Other_Symbol=So Separator=Z Line_Separator=Zl Paragraph_Separator=Zp Space_Separator=Zs
    """.split()
)
_NOT_A_LINE_END = r"[^\n\r\u2028\u2029]"
_W = "[0-9A-Z_a-z]"
_BOUNDARIES = {
    r"\b": f"(?:(?<={_W})(?!{_W})|(?<!{_W})(?={_W}))",
    r"\B": f"(?:(?<={_W})(?={_W})|(?<!{_W})(?!{_W}))",
}
"""In Rust, the boundaries of words are Unicode's."""
_CONTROLS = {"t": "\t", "n": "\n", "v": "\v", "f": "\f", "r": "\r", "0": "\0"}
_QUANTIFIER = r"[*+?]|\{\d+(?:,\d*)?\}"
_TOKEN = re.compile(
    r"(?P<set>\\[dDwWsS]|\\[pP]\{(?P<category>[^}]*)\})"
    r"|\\u(?P<high>[dD][89abAB][0-9a-fA-F]{2})\\u(?P<low>[dD][c-fC-F][0-9a-fA-F]{2})"
    r"|\\(?:x(?P<x>[0-9a-fA-F]{2})|u(?P<u>[0-9a-fA-F]{4})|u\{(?P<braces>[0-9a-fA-F]{1,6})\}|c(?P<control>[A-Za-z]))"
    r"|(?P<boundary>\\[bB])|\\k<(?P<named>\w+)>|\\(?P<back>[1-9]\d*)|\\(?!0\d)(?P<escaped>.)"
    r"|(?P<open>\((?:\?(?::|=|!|<=|<!|<(?P<group>\w+)>))?)(?P<foreign>\?)?"
    rf"|(?P<quantifier>(?:{_QUANTIFIER})\??)(?P<again>{_QUANTIFIER})?"
    r"|(?P<plain>[^\\])",
    re.DOTALL,
)


def translate(pattern: str) -> str:
    """Return the pattern that means in Python what `pattern` means in ECMA 262.

    Raises:
        SchemaError: If it is no valid regular expression, or uses what Python's ``re`` lacks.
    """
    return _translations(pattern)[0]


def portable(pattern: str) -> str:
    """Return an ECMA 262 pattern that means the same as `pattern` and is read alike in Rust; raises the same."""
    return _translations(pattern)[1]


@lru_cache(maxsize=1024)
def _translations(pattern: str) -> tuple[str, str]:
    try:
        pythons, portables = zip(*Scanner(pattern).parts(), strict=True) if pattern else ((), ())
        python = "".join(pythons)
        re.compile(python)
    except (re.error, OverflowError, RecursionError) as error:
        raise SchemaError(f"the pattern {pattern!r} cannot be used: {error}") from None
    return python, "".join(portables)


class Scanner:
    """Reads a pattern token by token; `parts` yields each as it is in Python and as it is in Rust."""

    def __init__(self, pattern: str) -> None:
        self.pattern = pattern
        self.position = 0

    def token(self) -> re.Match[str]:
        """Read one token."""
        match = _TOKEN.match(self.pattern, self.position)
        if match is None:
            raise self.refused("an escape is not complete")
        self.position = match.end()
        return match

    def refused(self, problem: str) -> re.error:
        """Return the error that says what is wrong here."""
        return re.error(problem, self.pattern, self.position)

    def parts(self) -> Iterator[tuple[str, str]]:
        """Yield each token, or class, as Python and as Rust write it."""
        while self.position < len(self.pattern):
            token = self.token()
            match token.lastgroup, token[0]:
                case "boundary", text:
                    yield f"(?a:{text})", _BOUNDARIES[text]
                case "named", text:
                    yield f"(?P={token['named']})", text
                case "open", text:
                    yield (f"(?P<{token['group']}>" if token["group"] else text), text
                case (("foreign" | "again"), text):
                    raise self.refused(f"{text} is not of ECMA 262")
                case "plain", "$":
                    yield r"\Z", "$"
                case _, text:
                    part = self.part(token, text)
                    yield part, part

    def part(self, token: re.Match[str], text: str) -> str:
        """Return what is the same in Python and in Rust."""
        match token.lastgroup, text:
            case ("back" | "quantifier", _) | ("plain", "^" | "|" | ")"):
                return text
            case "set", _ if text[1].isupper():
                return f"[^{_written(_complement(self.set(token)))}]"
            case "set", _:
                return f"[{_written(self.set(token))}]"
            case "plain", ".":
                return r"[^\n\r\u2028\u2029]"
            case "plain", "[":
                return self.bracketed()
            case _:
                return _literal(self.code_point(token))

    def bracketed(self) -> str:
        """Read a class, after its ``[``, and return it as both write it."""
        negated, members = self.members()
        if not members:  # `[]` matches nothing, `[^]` anything
            return r"[\s\S]" if negated else r"[^\s\S]"
        return f"[{'^' if negated else ''}{_written(members)}]"

    def members(self) -> tuple[bool, list[tuple[int, int]]]:
        """Read a class, after its ``[``: whether it is negated, and the ranges of code points that it lists."""
        negated = self.pattern.startswith("^", self.position)
        self.position += negated
        members: list[tuple[int, int]] = []
        while not self.pattern.startswith("]", self.position):
            members += self.member()
        self.position += 1
        return negated, members

    def member(self) -> list[tuple[int, int]]:
        """Read one member of a class, as ranges of code points: a character, an escape or a range."""
        low = self.atom()
        if not self.pattern.startswith("-", self.position) or self.pattern.startswith("-]", self.position):
            return low
        self.position += 1
        high = self.atom()
        (first, *more), (*others, last) = low, high
        if more or others or first[0] != first[1] or last[0] != last[1]:
            return [*low, (0x2D, 0x2D), *high]  # `[+-\d]` has no range in it
        if first > last:
            raise self.refused("a range is the wrong way round")
        return [(first[0], last[0])]

    def atom(self) -> list[tuple[int, int]]:
        """Read one end of a range, or an escape for a set, as ranges of code points."""
        if self.position >= len(self.pattern):
            raise self.refused("a [ is not closed")
        if self.pattern[self.position] != "\\":  # what starts a group or a quantifier elsewhere is itself here
            code = ord(self.pattern[self.position])
            self.position += 1
        else:
            token = self.token()
            if token.lastgroup == "set":
                return self.set(token)
            code = 0x08 if token[0] == r"\b" else self.code_point(token)
        return [(code, code)]

    def set(self, token: re.Match[str]) -> list[tuple[int, int]]:
        """Return the ranges of code points that an escape for a set of them stands for."""
        kind = token[0][1]
        ranges = _SETS.get(kind.lower()) or _category(token["category"])
        if not ranges:
            raise self.refused(f"{token[0]} is not known; only general categories such as \\p{{L}} are")
        return _complement(ranges) if kind.isupper() else ranges

    def code_point(self, token: re.Match[str]) -> int:
        """Return the character that a token stands for."""
        match token.lastgroup:
            case "x" | "u" | "braces" as base:
                return self.character(int(token[base], 16))
            case "low":
                return 0x10000 + ((int(token["high"], 16) & 0x3FF) << 10) + (int(token["low"], 16) & 0x3FF)
            case "control":
                return ord(token["control"]) % 32
            case "escaped" if token["escaped"] not in "xucpPk":
                return ord(_CONTROLS.get(token["escaped"], token["escaped"]))
            case "plain":
                return ord(token["plain"])
            case _:
                raise self.refused(f"{token[0]} is not complete")

    def character(self, code: int) -> int:
        """Return a code point, if there is such a one."""
        if code > sys.maxunicode:
            raise self.refused("there is no such code point")
        return code


def _literal(code: int, special: str = r"\^$.|?*+()[]{}/") -> str:
    char = chr(code)
    if char in special:
        return f"\\{char}"
    if char.isprintable() or code > 0xFFFF:  # noqa: PLR2004 - the engines spell escapes beyond it differently
        return char
    return f"\\x{code:02x}" if char.isascii() else f"\\u{code:04x}"


def _written(members: list[tuple[int, int]]) -> str:
    """Return the inside of a class of these ranges."""
    parts = []
    for first, last in members:
        low, high = (f"\\x{end:02x}" if chr(end) in "&|~" else _literal(end, r"\]^[-$") for end in (first, last))
        parts.append(low if first == last else f"{low}{'-' if last > first + 1 else ''}{high}")
    return "".join(parts)


def _complement(ranges: list[tuple[int, int]]) -> list[tuple[int, int]]:
    starts = [0, *(last + 1 for _, last in ranges)]
    ends = [*(first - 1 for first, _ in ranges), sys.maxunicode]
    return [(start, end) for start, end in zip(starts, ends, strict=True) if start <= end]


@cache
def _category(name: str) -> list[tuple[int, int]]:
    """Return the code points of a general category, in order; none if there is no such category."""
    short = _LONG_NAMES.get(name, name)
    if short not in _LONG_NAMES.values():
        return []
    of = unicodedata.category
    codes = [code for code in range(sys.maxunicode + 1) if of(chr(code)).startswith(short)]
    runs = [list(run) for _, run in groupby(enumerate(codes), lambda pair: pair[1] - pair[0])]
    return [(run[0][1], run[-1][1]) for run in runs]
