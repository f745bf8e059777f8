"""Which columns of a view may have other values once another query stands behind it."""

from __future__ import annotations

from typing import Any

from jobarium_events.migrations.files.parsing import enum_name, expression, written
from jobarium_events.migrations.lint.names import output_names
from jobarium_events.migrations.lint.walking import calls

__all__ = ["redefined"]

_MANY = {"unnest", "generate_series", "generate_subscripts", "regexp_split_to_table", "regexp_matches"}
_MANY |= {"jsonb_array_elements", "jsonb_array_elements_text", "jsonb_object_keys", "jsonb_each", "jsonb_each_text"}
_MANY |= {"json_array_elements", "json_array_elements_text", "json_object_keys", "json_each", "json_each_text"}
"""The functions of Postgres that give several rows for one, wherever they stand among the columns."""


def redefined(old: Any, new: Any, names: tuple[str, ...] = ()) -> list[str]:
    """Return the columns of a query that may have other values in another one: all, where its rows may be others.

    Args:
        old: The tree of a ``SelectStmt``.
        new: That of the one in its place, whose first columns have the same names.
        names: The names that the view gives its columns; empty if they are those of the query.

    Returns:
        The names, each once; ``"*"`` for those that the query does not name.
    """
    names = names or output_names(_first(old))
    altered = sorted(_altered(old, new))
    return list(dict.fromkeys((names[at] if at < len(names) else "") or "*" for at in altered))


def _altered(old: Any, new: Any) -> set[int]:
    """Return the places of the columns that may have other values."""
    count = len(_first(old).target_list) or 1
    if written("select_stmt", old) == written("select_stmt", new):
        return set()
    if _rows(old) != _rows(new):
        return set(range(count))
    if enum_name(old, "op") != "SETOP_NONE":
        return _altered(old.larg, new.larg) | _altered(old.rarg, new.rarg) if old.all else set(range(count))
    added = new.target_list[count:]
    if (added and old.distinct_clause) or any(calls(each) & _MANY for each in added):
        return set(range(count))
    both = zip(old.target_list, new.target_list, strict=False)
    return {at for at, (was, now) in enumerate(both) if _value(was) != _value(now)}


def _rows(select: Any) -> tuple[str, bool, str]:
    """Return what a query says of its rows, whatever it takes of each."""
    copy = type(select)()
    copy.CopyFrom(select)
    for field in ("target_list", "larg", "rarg", "op", "all"):
        copy.ClearField(field)
    copy.op = 1  # none; nothing else can be written by itself
    return enum_name(select, "op"), bool(select.all), written("select_stmt", copy)


def _value(target: Any) -> str:
    return expression(target.res_target.val)


def _first(select: Any) -> Any:
    """Return the query that names the columns."""
    while enum_name(select, "op") != "SETOP_NONE":
        select = select.larg
    return select
