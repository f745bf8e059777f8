"""What was seen to change of the schema, held against what a migration may do by its category and its decision."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from jobarium_events.migrations.files.header import Category
from jobarium_events.migrations.files.parsing import parse
from jobarium_events.migrations.lint.queries import redefined

__all__ = ["of_category", "of_meanings"]

_QUIET = ("comment", "privileges")
_MIGRATED = ("constraint", "trigger", "function")
_REPLACED = ("view", "function", "trigger")
_TABLES = ("table", "foreign")
_COLUMN = re.compile(
    r"(?P<type>.+?(?: collate \S+)?)(?P<required> not null)?(?P<default> default .+?)?(?P<made> generated . as .+?)?"
    r"(?P<identity> identity (?:always|by default))?"
    r"(?: storage \w+)?(?: compression \w+)?(?: statistics \d+)?(?: with [^()]*)?"
)
_SIZED = re.compile(r"(?P<name>[a-z ]+)\((?P<size>\d+)(?:,(?P<scale>-?\d+))?\)(?P<rest>[a-z \[\]]*)")
_TEXTS = ("character varying", "text")
_SET = ("with ", "replica identity ")
_BOUND = ("FOR VALUES", "DEFAULT", "inherits ")
_INDEX_SET = re.compile(r" WITH \([^)]*\)")
_CAST = re.compile(r"::[\w ]+(?:\(\d+(?:,\d+)?\))?(?:\[\])?$")
_COMMENT = re.compile(r"comment on (?:table )?column (?P<table>.+)\.(?P<column>[^.]+)")


def of_category(category: Category, before: Mapping[str, str], after: Mapping[str, str]) -> Iterator[str]:
    """Tell what does not fit the category: expand removes nothing, contract adds nothing, and migrate does neither.

    Nor does any of them change what is there into something else. An expand may widen it: a longer text, a default,
    another value of an enum, a view that is replaced. A migrate may ask more of the rows, by constraints and not null,
    hold them against what a domain asks for, and have them written twice, by triggers. A contract may take a part away:
    a default, a partition.

    Args:
        category: The migration's category.
        before: The objects of the schema with their definitions, as `schema_digest` has them.
        after: The same after ``up``.
    """
    for name in sorted(before.keys() | after.keys()):
        kind = name.partition(" ")[0]
        old, new = before.get(name), after.get(name)
        if kind in _QUIET or old == new:
            continue
        if old is None:
            wrong = category is Category.CONTRACT or (category is Category.MIGRATE and kind not in _MIGRATED)
            said = "adds"
        elif new is None:
            wrong = category is not Category.CONTRACT and not (kind == "constraint" and "IS NOT NULL" in old)
            said = "removes"
        else:
            wrong = not _MAY_CHANGE[category](name, old, new) and not _is_demanded(category, name, old, before, after)
            said = "changes"
        if wrong:
            yield f"it {said} the {name}, which is not for a migration of category {category}"


def of_meanings(
    before: Mapping[str, str], after: Mapping[str, str], is_allowed: Callable[[str, str], bool]
) -> Iterator[str]:
    """Tell of which column the meaning changed, and no accepted decision names it.

    It does where its comment is another one, or gone; where its default is another one; and where it is that of a view
    whose query gives it other values, as far as the two queries show it.

    Args:
        before: The objects of the schema with their definitions.
        after: The same after ``up``.
        is_allowed: Whether a decision lets the meaning of a column change, by the names of its table and its own.
    """
    for name, old in before.items():
        for title, column, said in _reworded(name, old, after):
            table, own = title.replace('"', "").removeprefix("public."), column.replace('"', "")
            if not is_allowed(table, own):
                yield f"it changes {said} {table}.{own}, and no accepted decision in its header names the column"


def _reworded(name: str, old: str, after: Mapping[str, str]) -> Iterator[tuple[str, str, str]]:
    """Yield each column whose meaning changed, as its table's name, its own, and what of it changed."""
    new = after.get(name)
    if new == old:
        return
    kind, _, title = name.partition(" ")
    if (found := _COMMENT.fullmatch(name)) and f"column {found['table']}.{found['column']}" in after:
        yield found["table"], found["column"], "the comment on"
    elif kind == "column" and new is not None and _default(new) and _default(old) not in ("", _default(new)):
        table, _, column = title.rpartition(".")
        yield table, column, "the default of"
    elif kind == "view" and new is not None:
        for column in redefined(_query(old), _query(new)):
            yield title, column, "the values of"


def _default(definition: str) -> str:
    """Return the default of a column, without the type that Postgres prints behind it; empty if it has none."""
    found = _COLUMN.fullmatch(definition)
    return _CAST.sub("", found["default"] or "") if found is not None else ""


def _query(definition: str) -> Any:
    """Return the tree of a view's query."""
    text = definition.partition("; ")[2] if definition.startswith("with ") else definition
    return parse(text)[0].node


def _expands(name: str, old: str, new: str) -> bool:
    kind = name.partition(" ")[0]
    match kind:
        case "column":
            return _widens(old, new)
        case "enum":
            values = iter(new.strip("{}").split(","))
            return all(each in values for each in old.strip("{}").split(","))
        case "domain":
            return new.startswith(old) or old.replace(" NOT VALID", "") == new
        case "constraint":
            return old.replace(" NOT VALID", "") == new.replace(" NOT VALID", "")
        case "index":
            return _index(old) == _index(new)
        case kind if kind in _TABLES:
            return _parts(old) in (_parts(new), _parts(new, _BOUND))
        case _:
            return kind in _REPLACED or _is_owned(kind, old, new)


def _migrates(name: str, old: str, new: str) -> bool:
    kind = name.partition(" ")[0]
    asks = kind == "column" and old == new.replace(" not null", "")
    validates = kind == "domain" and old.replace(" NOT VALID", "") == new
    same = kind != "constraint" or old.replace(" NOT VALID", "") == new.replace(" NOT VALID", "")
    return (kind in _MIGRATED and same) or asks or validates


def _contracts(name: str, old: str, new: str) -> bool:
    kind = name.partition(" ")[0]
    match kind:
        case "column":
            was, now = _COLUMN.fullmatch(old), _COLUMN.fullmatch(new)
            left = ("required", "default", "made", "identity")
            is_less = was is not None and now is not None and all(now[part] in (None, was[part]) for part in left)
            return is_less and was is not None and now is not None and was["type"] == now["type"]
        case "domain":
            return set(new.split(" ")) <= set(old.split(" "))
        case "index":
            return _index(old) == _index(new)
        case "trigger":
            return old.rpartition("; ")[0] == new.rpartition("; ")[0]
        case kind if kind in _TABLES:
            return _parts(new) in (_parts(old), _parts(old, _BOUND))
        case _:
            return _is_owned(kind, old, new)


_MAY_CHANGE: Mapping[Category, Callable[[str, str, str], bool]] = {
    Category.EXPAND: _expands,
    Category.MIGRATE: _migrates,
    Category.CONTRACT: _contracts,
}


def _widens(old: str, new: str) -> bool:
    """Whether a column takes all that it took, as the same type, and what leaves it out is still taken."""
    was, now = _COLUMN.fullmatch(old), _COLUMN.fullmatch(new)
    if was is None or now is None or was["made"] != now["made"] or (now["required"] and not was["required"]):
        return False
    keeps = (now["default"] or not was["default"]) and now["identity"] in (was["identity"], " identity by default")
    return bool(keeps) and _holds(now["type"], was["type"])


def _holds(new: str, old: str) -> bool:
    """Whether a type takes every value of another one, and has it as it was."""
    if new == old:
        return True
    was, now = _SIZED.fullmatch(old), _SIZED.fullmatch(new)
    name = old if was is None else was["name"] + was["rest"]
    if now is None:
        return new == name or (name in _TEXTS and new in _TEXTS)
    if was is None or was["name"] in ("character", "bit"):
        return False
    same = ("name", "rest", "scale")
    return int(now["size"]) >= int(was["size"]) and was.group(*same) == now.group(*same)


def _is_demanded(category: Category, name: str, old: str, before: Mapping[str, str], after: Mapping[str, str]) -> bool:
    """Whether an expand has a column not null by a key, or a constraint, that it adds."""
    table, _, column = name.removeprefix("column ").rpartition(".")
    if category is not Category.EXPAND or not name.startswith("column "):
        return False
    is_same = old == after[name].replace(" not null", "")
    added = (after[each] for each in after.keys() - before.keys() if each.endswith(f" of {table}"))
    return is_same and any(re.search(rf"(KEY \(|NOT NULL ).*(?<!\w){re.escape(column)}(?!\w)", each) for each in added)


def _is_owned(kind: str, old: str, new: str) -> bool:
    """Whether of a sequence only the column is another one that it belongs to."""
    return kind == "sequence" and old.partition(" owned by ")[0] == new.partition(" owned by ")[0]


def _parts(definition: str, without: tuple[str, ...] = ()) -> tuple[str, ...]:
    """Return what a table is, part by part, without what may be set of it, and without some others."""
    return tuple(part for part in definition.split("; ") if not part.startswith((*_SET, *without)))


def _index(definition: str) -> str:
    """Return what an index is, without what may be set of it."""
    return _INDEX_SET.sub("", definition.partition("; ")[0])
