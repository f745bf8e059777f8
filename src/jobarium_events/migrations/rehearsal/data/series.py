"""The values of each type as a series: SQL that makes the value at a place, counted from 0.

Two places have two different values, up to the series' size. So a unique column takes one place after another, and any
other takes places at random.
"""

from __future__ import annotations

import string
from collections.abc import Callable
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import TYPE_CHECKING

import msgspec

from jobarium_events.migrations.rehearsal.data.documents import Member, document
from jobarium_events.migrations.rehearsal.data.patterns import MOST, matching
from jobarium_events.migrations.rehearsal.data.quoting import text

if TYPE_CHECKING:
    from jobarium_events.migrations.rehearsal.data.types import ValueType

__all__ = ["Limits", "Series", "UnknownType", "is_linear", "series"]

_DIGITS = string.digits + string.ascii_lowercase
_LONG = 12  # characters of a text that tell it from every other
_SCRAMBLE = 2654435761  # odd, so that a multiplication by it modulo 2 ** 48 maps no two numbers to one
_HEX = 32  # characters of an md5
_OWN_BYTES = 7  # the same of bytes
_WIDTH = 24
_HASHES = 8  # of a longer text the rest repeats itself


class UnknownType(Exception):
    """There is no series for a type; `name` is its name."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """What a column's values have to be.

    Attributes:
        low: Not less than this, in the unit of the type.
        high: Not more than this.
        above: More than this.
        below: Less than this.
        values: One of these, each as SQL.
        least: At least as many characters, bytes or bits.
        most: At most as many.
        patterns: Regular expressions.
        case: ``lower`` if it has no capitals, ``upper`` if it has no small letters.
        width: How many bytes one takes on the average.
        members: What members of a document have to be.
    """

    low: Decimal | None = None
    high: Decimal | None = None
    above: Decimal | None = None
    below: Decimal | None = None
    values: tuple[str, ...] | None = None
    least: int = 0
    most: int | None = None
    patterns: tuple[str, ...] = ()
    case: str | None = None
    width: int | None = None
    members: tuple[Member, ...] = ()


class Series(msgspec.Struct, frozen=True):
    """The values of a column.

    Attributes:
        at: From SQL of a place, a ``bigint`` from 0 on, to SQL of the value.
        size: How many places there are.
        spread: How many of them usual values take.
    """

    at: Callable[[str], str]
    size: int
    spread: int


class _Linear(msgspec.Struct, frozen=True):
    """A type whose values are numbers of a unit."""

    sql: str
    least: int
    usual: int
    most: int
    step: str = "1"
    spread: int = 1_000_000


_YEARS = 1095 * 86_400
_2023 = 8401  # days since 2000-01-01
_LINEAR = {
    "int2": _Linear("({})::int2", -(2**15), 1, 2**15 - 1, spread=30_000),
    "int4": _Linear("({})::int4", -(2**31), 1, 2**31 - 1),
    "int8": _Linear("({})::int8", -(2**63), 1, 2**63 - 1),
    "oid": _Linear("({})::oid", 0, 1, 2**32 - 1),
    "float4": _Linear("({})::float4", -(2**24), 0, 2**24),
    "float8": _Linear("({})::float8", -(10**13), 0, 10**13, "0.01"),
    "numeric": _Linear("({})::numeric", -(10**16), 0, 10**16, "0.01"),
    "money": _Linear("({})::numeric::money", -(10**14), 0, 10**14, "0.01"),
    "date": _Linear("(date '2000-01-01' + ({})::int)", -2_400_000, _2023, 2_000_000, spread=1095),
    "timestamp": _Linear(
        "(timestamp '2000-01-01' + ({}) * interval '1 second')", -(10**11), _2023 * 86_400, 10**12, spread=_YEARS
    ),
    "timestamptz": _Linear(
        "(timestamptz '2000-01-01 00:00+00' + ({}) * interval '1 second')",
        -(10**11),
        _2023 * 86_400,
        10**12,
        spread=_YEARS,
    ),
    "time": _Linear("(time '00:00' + ({}) * interval '1 second')", 0, 0, 86_399),
    "timetz": _Linear("((time '00:00' + ({}) * interval '1 second')::text || '+00')::timetz", 0, 0, 86_399),
    "interval": _Linear("(({}) * interval '1 second')", -(10**11), 0, 10**11, spread=30 * 86_400),
    "inet": _Linear("(inet '0.0.0.0' + ({})::bigint)", 0, 10 * 2**24, 2**32 - 1, spread=2**24),
    "cidr": _Linear("(inet '0.0.0.0' + ({})::bigint)::cidr", 0, 10 * 2**24, 2**32 - 1, spread=2**24),
    "macaddr": _Linear("lpad(to_hex({}), 12, '0')::macaddr", 0, 2**41, 2**48 - 1, spread=2**24),
    "macaddr8": _Linear("lpad(to_hex({}), 16, '0')::macaddr8", 0, 2**57, 2**62, spread=2**24),
    "pg_lsn": _Linear("('0/' || to_hex({}))::pg_lsn", 0, 1, 2**32 - 1),
}
_TEXTS = ("text", "varchar", "bpchar", "citext", "name")
_SIMPLE = {
    "uuid": ("md5('u' || ({i}))::uuid", MOST),
    "bool": ("(({i}) % 2 = 1)", 2),
    "jsonb": ("""('{"id": ' || ({i}) || ', "note": "' || {text} || '"}')::jsonb""", MOST),
    "json": ("""('{"id": ' || ({i}) || ', "note": "' || {text} || '"}')::json""", MOST),
    "xml": ("('<value>' || ({i}) || '</value>')::xml", MOST),
    "tsvector": ("('w' || ({i}) || ' w' || ({i}) % 997 || ' w' || ({i}) % 89)::tsvector", MOST),
    "tsquery": ("('w' || ({i}) || ' | w' || ({i}) % 997)::tsquery", MOST),
    "hstore": ("('key=>' || ({i}))::hstore", MOST),
    "point": ("{point}", 2**52),
    "box": ("box({point}, {other})", 2**52),
    "circle": ("circle({point}, ({i}) % 97 + 1)", 2**52),
    "line": ("line({point}, {other})", 2**52),
    "lseg": ("lseg({point}, {other})", 2**52),
    "path": ("path(polygon(box({point}, {other})))", 2**52),
    "polygon": ("polygon(box({point}, {other}))", 2**52),
}
_POINTS = {"{point}": "point({i}, ({i}) % 1000)", "{other}": "point(({i}) + 2, ({i}) % 1000 + ({i}) % 7 + 1)"}


def is_linear(kind: ValueType) -> bool:
    """Whether limits of size can be kept by a series of the type."""
    return kind.base in _LINEAR


def series(kind: ValueType, limits: Limits) -> Series:
    """Return the values of a type.

    Raises:
        UnknownType: If there is no series for it, or within these limits.
    """
    if limits.values is not None:
        return _listed(limits.values, kind.sql)
    if kind.element is not None:
        return _array(kind, kind.element)
    if kind.kind in ("c", "e", "m", "r"):
        return _made_of_others(kind, limits)
    if is_linear(kind):
        return _linear(kind, limits)
    if kind.base in _TEXTS:
        return _text(kind, limits)
    if kind.base in ("bit", "varbit"):
        return _bits(kind, limits)
    if kind.base == "bytea":
        return _bytes(limits)
    if kind.base in _SIMPLE:
        return _simple(kind, limits)
    raise UnknownType(kind.name)


def _simple(kind: ValueType, limits: Limits) -> Series:
    sql, size = _SIMPLE[kind.base]
    note = _filler("{i}", max((limits.width or _WIDTH) - _WIDTH, 8))
    if limits.members:
        made, few = document(limits.members, note)
        return Series(lambda i: f"{made(i)}::{kind.base}", few or size, few or size)
    template = sql.replace("{text}", note)
    for name, point in _POINTS.items():
        template = template.replace(name, point)
    return Series(lambda i: template.replace("{i}", i), size, size)


def _listed(values: tuple[str, ...], name: str) -> Series:
    count, array = len(values), f"(array[{', '.join(values)}])"
    return Series(lambda i: f"({array}[1 + (({i}) % {count})::int])::{name}", count, count)


def _made_of_others(kind: ValueType, limits: Limits) -> Series:
    if kind.kind == "e" and kind.labels:
        return _listed(tuple(map(text, kind.labels)), kind.name)
    if kind.kind == "r" and kind.subtype is not None and is_linear(kind.subtype):
        ends = _within(kind, kind.subtype)
        return Series(
            lambda i: f"{kind.name}({ends.at(f'2 * ({i})')}, {ends.at(f'2 * ({i}) + 1')})",
            ends.size // 2,
            ends.spread // 2,
        )
    if kind.kind == "m" and kind.subtype is not None:
        inner = series(kind.subtype, limits)
        return Series(lambda i: f"{kind.name}({inner.at(i)})", inner.size, inner.spread)
    if kind.kind == "c" and kind.fields:
        fields = [_within(kind, field) for _, field in kind.fields]
        size = max(field.size for field in fields)
        return Series(lambda i: f"row({', '.join(field.at(i) for field in fields)})::{kind.name}", size, size)
    raise UnknownType(kind.name)


def _within(kind: ValueType, inner: ValueType) -> Series:
    """Return the values of a type that another is made of; of a domain, checks could not be tried on them."""
    if inner.checks:
        raise UnknownType(kind.name)
    return series(inner, Limits())


def _linear(kind: ValueType, limits: Limits) -> Series:
    how = _LINEAR[kind.base]
    step, least, most = Decimal(how.step), Decimal(how.least), Decimal(how.most)
    if kind.digits is not None:
        step = Decimal(1).scaleb(-kind.digits[1])
        most = min(most, (10 ** kind.digits[0] - 1) * step)
        least = -most
    low = max([each for each in (limits.low, limits.above) if each is not None], default=None)
    high = min([each for each in (limits.high, limits.below) if each is not None], default=None)
    if low is not None and high is not None and not _is_whole(kind) and high - low < 1000 * step:
        step = Decimal(max((high - low) / 1_000_003, Decimal("1e-9")))
    spread = min(how.spread, int((most - least) / step) + 1)
    if low is None:
        low = min(Decimal(how.usual), most) if high is None or high > how.usual else max(least, high - spread * step)
    high = most if high is None else min(high, most)
    first = max((low / step).to_integral_value(ROUND_CEILING), (least / step).to_integral_value(ROUND_CEILING))
    last = (high / step).to_integral_value(ROUND_FLOOR)
    first += first * step == limits.above
    last -= last * step == limits.below
    size = max(int(last - first) + 1, 0)
    begin, stepped = int(first), format(step, "f")

    def at(i: str) -> str:
        place = f"{begin} + ({i})" if begin else f"({i})"
        value = place if step == 1 else f"({place}) * {stepped}"
        return how.sql.format(value)

    return Series(at, min(size, MOST), min(size, spread))


def _is_whole(kind: ValueType) -> bool:
    return kind.base not in ("float4", "float8", "numeric") or kind.digits is not None


def _text(kind: ValueType, limits: Limits) -> Series:
    most = min(
        (each for each in (limits.most, kind.length, 63 if kind.base == "name" else None) if each is not None),
        default=None,
    )
    if limits.patterns:
        found = matching(limits.patterns, limits.least, most, limits.case)
        if found is not None:
            sql, size = found
            return Series(lambda i: f"({sql.replace('{i}', i)})::{kind.sql}", size, size)
    width = max(limits.width or _WIDTH, limits.least)
    width = width if most is None else min(width, most)
    made = _short(kind, width) if width < _LONG else _long(kind, width, limits.least, most)
    if limits.case is None:
        return made
    return msgspec.structs.replace(made, at=lambda i: f"{limits.case}({made.at(i)})::{kind.sql}")


def _long(kind: ValueType, width: int, least: int, most: int | None) -> Series:
    spare = width - _LONG
    varied = min(spare // 2, spare - max(least - _LONG, 0), (most or MOST) - width)

    def at(i: str) -> str:
        number = f"lpad(to_hex((({i}) * {_SCRAMBLE}) & {2**48 - 1}), {_LONG}, '0')"
        if not spare:
            return f"{number}::{kind.sql}"
        length = f"{spare - varied} + (({i}) % {2 * varied + 1})::int" if varied else str(spare)
        return f"({number} || left({_filler(i, spare + varied)}, {length}))::{kind.sql}"

    return Series(at, 2**31, 2**31)


def _filler(i: str, width: int) -> str:
    """Return SQL of a text that is at least that long, unless it is very long."""
    hashes = min(-(-width // _HEX), _HASHES)
    once = " || ".join(f"md5('{place}' || ({i}))" for place in range(hashes))
    times = -(-width // (_HEX * hashes)) if hashes else 0
    return f"repeat({once}, {times})" if times > 1 else f"({once or text('')})"


def _short(kind: ValueType, width: int) -> Series:
    size = len(_DIGITS) ** width

    def at(i: str) -> str:
        digits = (
            f"substr('{_DIGITS}', 1 + ((({i}) / {len(_DIGITS) ** place}) % {len(_DIGITS)})::int, 1)"
            for place in range(width)
        )
        return f"({' || '.join(digits) or text('')})::{kind.sql}"

    return Series(at, size, size)


def _bits(kind: ValueType, limits: Limits) -> Series:
    count = kind.length or limits.most or max(limits.least, 32)
    low = min(count, 62)
    zeros = f"repeat('0', {count - low})::bit({count - low}) || " if count > low else ""
    return Series(lambda i: f"({zeros}({i})::bigint::bit({low}))::{kind.sql}", 2**low, 2**low)


def _bytes(limits: Limits) -> Series:
    wanted = max(limits.width or _WIDTH, limits.least)
    count = wanted if limits.most is None else min(wanted, limits.most)
    own_count = min(count, _OWN_BYTES)
    size = 256**own_count

    def at(i: str) -> str:
        own, more = f"substr(int8send({i}), {9 - own_count})", count - own_count
        return f"({own} || substr(decode({_filler(i, 2 * count)}, 'hex'), 1, {more}))" if more else own

    return Series(at, size, size)


def _array(kind: ValueType, element: ValueType) -> Series:
    inner = _within(kind, element)
    size = inner.size

    def at(i: str) -> str:
        elements = ", ".join(inner.at(f"(({i}) + {place}) % {size}") for place in range(3))
        return f"((array[{elements}])[1:1 + (({i}) % 3)::int])"

    return Series(at, size, inner.spread)
