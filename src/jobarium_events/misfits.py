"""What does not fit in a document that people write, in their words: which key, what is wrong, what may stand there.

A conversion by msgspec ends at the first mistake, and says it in the words of its own types. This goes on through the
document wherever a conversion fails, and tells every mistake.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterator, Mapping
from types import NoneType, UnionType
from typing import Annotated, Any, Union, get_args, get_origin

import msgspec
from msgspec import inspect

__all__ = ["MISSING", "UNKNOWN", "Misfit", "misfits"]

MISSING, UNKNOWN = "is missing", "means nothing"
"""What is said of a key that is not there and has to be, and of one that is there and may not be."""

_NOT_BLANK = r"\S"
_KINDS: tuple[tuple[type, str], ...] = (
    (bool, "true or false"),
    (int, "a whole number"),
    (float, "a number"),
    (str, "a text"),
    (list, "a list"),
    (dict, "a table"),
    (datetime.date, "a date"),
    (datetime.time, "a time of day"),
)
_DESCRIBED: tuple[tuple[type[inspect.Type], str], ...] = (
    (inspect.BoolType, "true or false"),
    (inspect.StrType, "a text"),
    (inspect.DateType, "a date"),
    (inspect.StructType, "a table"),
    (inspect.DictType, "a table"),
)


class Misfit(msgspec.Struct, frozen=True):
    """One mistake in a document.

    Attributes:
        path: The keys that lead there from the top; for an entry of a list its number, counted from 1.
        said: What is wrong with it, to be read after its name: ``"is empty"``.
        wanted: What may stand there: ``"one of low, high"``.
    """

    path: tuple[str | int, ...]
    said: str
    wanted: str

    @property
    def place(self) -> str:
        """What it is about, as people say it: ``"'when' in entry 2 of 'probe'"``."""
        place = ""
        keys: list[str] = []
        for part in self.path:
            if isinstance(part, int):
                place, keys = f"entry {part} of {_in(keys, place)}", []
            else:
                keys.append(part)
        return _in(keys, place) or "it"

    def line(self, lines: Mapping[str, int]) -> int:
        """Return its line, or that of what it stands in; 0 if that has none.

        Args:
            lines: Those of a document's keys, with dots where tables are within others.
        """
        names = (".".join(map(str, self.path[:end])) for end in range(len(self.path), 0, -1))
        return next((lines[name] for name in names if name in lines), 0)

    def __str__(self) -> str:
        return f"{self.place} {self.said}; write {self.wanted}"


def misfits(
    document: Any,
    kind: Any,
    *,
    dec_hook: Callable[[type, Any], Any] | None = None,
    words: Mapping[type, str] | None = None,
) -> Iterator[Misfit]:
    """Yield every mistake in a document; none if `msgspec.convert` takes it.

    Args:
        document: As a reader of TOML or JSON returns it.
        kind: What it is to become: of structs, mappings, tuples of any length and plain values. A union is of one of
            these and none.
        dec_hook: As `msgspec.convert` takes it; what it raises has to be readable after "is".
        words: What the types of `dec_hook` want: ``'a time such as "30s"'``.
    """
    yield from _Reading(dec_hook, words or {}).of(document, kind, ())


def _in(keys: list[str], place: str) -> str:
    name = f"'{'.'.join(keys)}'" if keys else ""
    return " in ".join(filter(None, (name, place)))


class _Reading:
    def __init__(self, dec_hook: Callable[[type, Any], Any] | None, words: Mapping[type, str]) -> None:
        self._dec_hook = dec_hook
        self._words = words

    def of(self, value: Any, kind: Any, path: tuple[str | int, ...]) -> Iterator[Misfit]:
        problem = self._problem(value, kind)
        if not problem:
            return
        within, info = _bare(kind), _info(kind)
        if isinstance(info, inspect.StructType) and isinstance(value, dict):
            yield from self._of_struct(value, within, path)
        elif isinstance(info, inspect.DictType) and isinstance(value, dict):
            of_keys, of_values = get_args(within)
            for key, each in value.items():
                if self._problem(key, of_keys) and not key.strip():
                    yield Misfit(path, "has a key without a name", self._wanted(kind))
                elif self._problem(key, of_keys):
                    yield Misfit((*path, key), UNKNOWN, self._wanted(of_keys))
                else:
                    yield from self.of(each, of_values, (*path, key))
        elif isinstance(info, inspect.VarTupleType) and isinstance(value, list):
            for number, each in enumerate(value, 1):
                yield from self.of(each, get_args(within)[0], (*path, number))
        else:
            yield Misfit(path, _said(value, kind, problem), self._wanted(kind))

    def _of_struct(
        self, value: dict[str, Any], kind: type[msgspec.Struct], path: tuple[str | int, ...]
    ) -> Iterator[Misfit]:
        fields = {field.encode_name: field for field in msgspec.structs.fields(kind)}
        for name in value:
            if name not in fields and kind.__struct_config__.forbid_unknown_fields:
                yield Misfit((*path, name), UNKNOWN, f"one of {', '.join(fields)}")
        for name, field in fields.items():
            if name in value:
                yield from self.of(value[name], field.type, (*path, name))
            elif field.required:
                yield Misfit((*path, name), MISSING, self._wanted(field.type))

    def _problem(self, value: Any, kind: Any) -> str:
        """Return what msgspec says of a value; nothing if it fits."""
        try:
            msgspec.convert(value, kind, dec_hook=self._dec_hook)
        except msgspec.ValidationError as error:
            return str(error)
        return ""

    def _wanted(self, kind: Any) -> str:
        info = _info(kind)
        match info:
            case inspect.CustomType():
                return self._words.get(info.cls, info.cls.__name__)
            case inspect.EnumType():
                return f"one of {', '.join(str(each.value) for each in info.cls)}"
            case inspect.VarTupleType():
                return f"a list with {self._wanted(get_args(_bare(kind))[0])} for each entry"
            case inspect.IntType() | inspect.FloatType():
                return _range(info)
            case inspect.StrType() if info.pattern not in (None, _NOT_BLANK):
                return f"a text that matches {info.pattern}"
            case _:
                return next(words for each, words in _DESCRIBED if isinstance(info, each))


def _said(value: Any, kind: Any, problem: str) -> str:
    """Return what is wrong with one value; its own text only where it is one of few words or a number."""
    info = _info(kind)
    match info:
        case inspect.CustomType():
            return f"is {problem}"
        case inspect.EnumType() if isinstance(value, str):
            return f"is {value!r}"
        case inspect.StrType() if isinstance(value, str):
            return "is not written like that" if value.strip() else "is empty"
        case inspect.IntType() | inspect.FloatType() if isinstance(value, int | float) and not isinstance(value, bool):
            return f"is {value}"
        case _:
            return f"is {next((words for each, words in _KINDS if isinstance(value, each)), 'something else')}"


def _range(info: inspect.IntType | inspect.FloatType) -> str:
    noun = "a whole number" if isinstance(info, inspect.IntType) else "a number"
    if info.ge is not None and info.le is not None:
        return f"{noun} from {info.ge} to {info.le}"
    least = "" if info.gt is None else f"above {info.gt}"
    limits = (
        noun,
        least if info.ge is None else f"of at least {info.ge}",
        "" if info.le is None else f"up to {info.le}",
    )
    return " ".join(filter(None, limits))


def _bare(kind: Any) -> Any:
    """Return a type without what is noted at it, and without its none, which no document has."""
    if get_origin(kind) is Annotated:
        return _bare(get_args(kind)[0])
    if get_origin(kind) in (Union, UnionType):
        return _bare(next(each for each in get_args(kind) if each is not NoneType))
    return kind


def _info(kind: Any) -> inspect.Type:
    info = inspect.type_info(kind)
    if isinstance(info, inspect.UnionType):
        info = next(each for each in info.types if not isinstance(each, inspect.NoneType))
    return info.type if isinstance(info, inspect.Metadata) else info
