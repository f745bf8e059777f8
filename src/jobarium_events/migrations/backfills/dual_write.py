"""Dual-write by a trigger: while old and new code run side by side, what either writes, the other finds.

What is generated is plain SQL for the sections of two migrations: one that adds the new columns and the trigger, and
one that fills them in the rows that were there before. The trigger works on the row that is being written, so it cannot
call itself, and one statement on a million rows needs no second one.

What the apply of a logical replication writes, or a session with `session_replication_role = replica`, fires no
trigger; there the two drift apart, and `verify` tells.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from hashlib import sha256
from typing import Any

import msgspec

from jobarium_events.errors import JobariumEventsError
from jobarium_events.migrations.files.parsing import SqlError, parse
from jobarium_events.statements import identifier

__all__ = ["DualWrite", "DualWriteError", "Pair", "dual_write"]

_LONGEST = 63  # bytes of a name in Postgres
_REPLACES_TRIGGERS = 14  # the first version that has `create or replace trigger`


class DualWriteError(JobariumEventsError):
    """Something from which no trigger can be made.

    Attributes:
        problem: What is wrong, and the way out.
    """

    def __init__(self, problem: str) -> None:
        self.problem = problem

    def __str__(self) -> str:
        return self.problem


class Pair(msgspec.Struct, frozen=True, kw_only=True):
    """An old column and the new one that takes its place.

    Attributes:
        old: The old column.
        new: The new column.
        to_new: SQL for the new column's value, made of the old column alone: ``"upper(status)"``.
        to_old: SQL for the old one's, made of the new column alone; None if the old one does not follow.
        old_default: SQL for the old column's default, which has to be given if it has one: an insert that leaves the
            column out looks to a trigger like one that writes this value, and would win over what it does write.
        new_default: The same for the new column.
        as_text: Whether to compare values as texts, for types such as ``json`` that know no equality.
    """

    old: str
    new: str
    to_new: str
    to_old: str | None = None
    old_default: str | None = None
    new_default: str | None = None
    as_text: bool = False


class DualWrite(msgspec.Struct, frozen=True):
    """The SQL of a dual-write.

    Attributes:
        create: For the section ``up`` of the migration that expands: makes the trigger and its function, or replaces
            them.
        remove: For its section ``down``, and for the ``up`` of the migration that ends the dual-write.
        verify: For its section ``verify``: counts the rows that have both representations and in which they disagree.
        backfill: For the section ``backfill`` of the migration that fills the new columns: those of one range; empty if
            no key was given.
        verify_filled: For its section ``verify``: counts all rows in which the two disagree.
    """

    create: str
    remove: str
    verify: str
    verify_filled: str
    backfill: str = ""


def dual_write(
    table: str, pairs: Sequence[Pair], *, schema: str | None = None, key: Sequence[str] = (), postgres: int = 13
) -> DualWrite:
    """Return the SQL of a dual-write on one table.

    An update that changes one of the two columns has the other follow; one that changes both is respected, and so is
    one that makes them agree, as a backfill does. An insert that leaves a column out has it follow the other. Two
    columns agree if either is what its expression makes of the other, so that neither direction needs to be exact.

    What the trigger compares are values of one type, bit by bit, so that it needs no equality of theirs. The queries
    and the backfill compare a column with an expression, for which `Pair.as_text` is there.

    Args:
        table: The table's name, as the catalog has it.
        pairs: Its columns; one trigger serves all of them.
        schema: The table's schema; by default wherever the search path leads when the trigger is made.
        key: The columns of the table's key, for the backfill.
        postgres: The oldest version of Postgres that the SQL is to run on.

    Raises:
        DualWriteError: If there are no pairs, an expression is none, or is made of other columns.
    """
    if not pairs:
        raise DualWriteError(f"no columns of {table} are named; name an old and a new one")
    for pair in pairs:
        _check(pair)
    name = _name(table, pairs)
    function, whole = identifier(schema, name), identifier(schema, table)
    path = "from current" if schema is None else f"= {identifier(schema)}, pg_temp"
    body = _body(whole, pairs)
    quote = "$dual_write$"
    while quote in body:
        quote = quote.replace("write", "write_")
    trigger = identifier(name)
    shown = ", ".join(f"{_shown(pair.old)} and {_shown(pair.new)}" for pair in pairs)
    timing = f"before insert or update on {whole}\n    for each row execute function {function}();"
    if postgres >= _REPLACES_TRIGGERS:
        made = f"create or replace trigger {trigger} {timing}"
    else:
        made = f"begin;\ndrop trigger if exists {trigger} on {whole};\ncreate trigger {trigger} {timing}\ncommit;"
    return DualWrite(
        create=f"create or replace function {function}() returns trigger language plpgsql set search_path {path} as "
        f"{quote}\n{body}\n{quote};\n\n{made}",
        remove=f"drop trigger if exists {trigger} on {whole};\n\ndrop function if exists {function}();",
        verify=_verify(f"{_shown(table)}: {shown} agree where both are written", whole, map(_disagrees_if_set, pairs)),
        verify_filled=_verify(f"{_shown(table)}: {shown} agree", whole, map(_disagrees, pairs)),
        backfill=_backfill(whole, pairs, key) if key else "",
    )


def _check(pair: Pair) -> None:
    if pair.old == pair.new:
        raise DualWriteError(f"the old and the new column are both {pair.old!r}; name two")
    of = {"to_new": pair.old, "to_old": pair.new, "old_default": None, "new_default": None}
    for name, column in of.items():
        expression = getattr(pair, name)
        if expression is None:
            continue
        try:
            (statement,) = parse(f"select (\n{expression}\n)", line=0)
            (target,) = statement.node.target_list
            is_row = target.res_target.val.WhichOneof("node") == "row_expr"
        except SqlError as error:
            raise DualWriteError(f"{name} {expression!r} is no SQL expression: {error.problem}") from None
        except ValueError:
            raise DualWriteError(f"{name} {expression!r} is more than one expression; write one") from None
        if is_row or [field.name for field, _ in statement.node.ListFields() if field.message_type] != ["target_list"]:
            raise DualWriteError(f"{name} {expression!r} is more than an expression; write one that stands for a value")
        others = sorted({each for each in _columns(target) if each != column})
        if others:
            made_of = "of no column" if column is None else f"of the column {column!r} alone"
            raise DualWriteError(
                f"{name} {expression!r} is made of {', '.join(map(repr, others))}; it has to be made {made_of}, as a "
                "change of another column would not be followed"
            )


def _columns(tree: Any) -> Iterator[str]:
    """Yield what an expression calls columns: ``x``, or ``t.x`` as it is; and a query, which has columns of its own."""
    if tree.DESCRIPTOR.name == "SubLink":
        yield "a query (put it into a function)"
    if tree.DESCRIPTOR.name == "ColumnRef":
        yield ".".join(each.string.sval if each.HasField("string") else "*" for each in tree.fields)
    for field, value in tree.ListFields():
        if field.message_type is not None:
            for inner in value if field.is_repeated else (value,):
                yield from _columns(inner)


def _name(table: str, pairs: Sequence[Pair]) -> str:
    """Return the name of trigger and function: late in the alphabet, by which triggers are run, and never too long."""
    name = "zz_dual_write_" + "_".join([table, *(pair.new for pair in pairs)])
    if len(name.encode()) <= _LONGEST:
        return name
    digest = sha256(name.encode()).hexdigest()[:8]
    return f"{name.encode()[: _LONGEST - 9].decode(errors='ignore')}_{digest}"


def _body(table: str, pairs: Sequence[Pair]) -> str:
    inserted = "".join(_on_insert(pair) for pair in pairs)
    updated = "".join(_on_update(pair) for pair in pairs)
    defaults = f"    left_out {table}%rowtype;\n" if any(each.old_default or each.new_default for each in pairs) else ""
    return (
        f"#variable_conflict use_column\ndeclare\n    made {table}%rowtype;\n{defaults}begin\n"
        f"    if tg_op = 'INSERT' then\n{inserted}    else\n{updated}    end if;\n    return new;\nend"
    )


def _on_insert(pair: Pair) -> str:
    of = {pair.new: pair.new_default, pair.old: pair.old_default}
    lines = [f"left_out.{identifier(each)} := ({_whole(default)});" for each, default in of.items() if default]
    lines += [f"if {_is_left_out(pair.new, pair.new_default)} then", f"    {_follow(pair)}"]
    if pair.to_old is not None:
        lines += [f"elsif {_is_left_out(pair.old, pair.old_default)} then", *_follow_new(pair)]
    return _indented([*lines, "end if;"])


def _is_left_out(column: str, default: str | None) -> str:
    name = identifier(column)
    return f"new.{name} is null" if default is None else _same(f"new.{name}", f"left_out.{name}")


def _on_update(pair: Pair) -> str:
    of = identifier(pair.old), identifier(pair.new)
    is_old, is_new = (_differ(f"new.{each}", f"old.{each}") for each in of)
    is_not_old, is_not_new = (_same(f"new.{each}", f"old.{each}") for each in of)
    lines = [f"if {is_old} and {is_not_new} then", f"    {_follow(pair)}"]
    if pair.to_old is not None:
        lines += [f"elsif {is_new} and {is_not_old} then", *_follow_new(pair)]
    return _indented([*lines, "end if;"])


def _same(one: str, other: str) -> str:
    """Return the condition that two values of one type are alike, bit by bit; records can be compared so."""
    return f"row({one})::record *= row({other})::record"


def _differ(one: str, other: str) -> str:
    return f"row({one})::record *<> row({other})::record"


def _follow(pair: Pair) -> str:
    return f"new.{identifier(pair.new)} := {_made(pair.to_new, pair.old)};"


def _follow_new(pair: Pair) -> list[str]:
    """Have the old column follow, unless the two agree already: a backfill must not write the old one anew."""
    assert pair.to_old is not None  # noqa: S101 - checked by the callers
    new, value = identifier(pair.new), _made(pair.to_new, pair.old)
    return [
        f"    if {value} is not null then",  # else `made` has null, which a domain may refuse to be given
        f"        made.{new} := {value};",
        "    end if;",
        f"    if {_differ(f'new.{new}', f'made.{new}')} then",
        f"        new.{identifier(pair.old)} := {_made(pair.to_old, pair.new)};",
        "    end if;",
    ]


def _made(expression: str, column: str) -> str:
    """Return SQL for an expression of one column of the row that is written."""
    name = identifier(column)
    return f"(select ({_whole(expression)}) from (select new.{name}) as written ({name}))"  # noqa: S608 - checked to be one value


def _whole(expression: str) -> str:
    """Return an expression after which one can go on: a comment at its end ends with its line."""
    return f"{expression}\n" if "--" in expression else expression


def _indented(lines: list[str]) -> str:
    return "".join(f"        {line}\n" for line in lines)


def _disagrees(pair: Pair) -> str:
    to_new = _differs(pair, pair.new, pair.to_new)
    return to_new if pair.to_old is None else f"{to_new} and {_differs(pair, pair.old, pair.to_old)}"


def _disagrees_if_set(pair: Pair) -> str:
    """Return the same for rows in which the new column was written; the others are filled later."""
    new = identifier(pair.new)
    is_set = f"{new} is not null" if pair.new_default is None else _differs(pair, pair.new, pair.new_default)
    return f"{is_set} and {_disagrees(pair)}"


def _differs(pair: Pair, column: str, expression: str) -> str:
    cast = "::text" if pair.as_text else ""
    return f"{identifier(column)}{cast} is distinct from ({_whole(expression)}){cast}"


def _verify(name: str, table: str, conditions: Iterator[str]) -> str:
    return f"-- {name}\n-- returns: 0\nselect count(*) from {table}\nwhere {_either(conditions)};"


def _either(conditions: Iterator[str]) -> str:
    return "\n    or ".join(f"({each})" for each in conditions)


def _backfill(table: str, pairs: Sequence[Pair], key: Sequence[str]) -> str:
    columns = ", ".join(map(identifier, key))
    first = ", ".join(f"${place}" for place in range(1, len(key) + 1))
    last = ", ".join(f"${place}" for place in range(len(key) + 1, 2 * len(key) + 1))
    bounds = f"{columns} between {first} and {last}" if len(key) == 1 else f"({columns}) between ({first}) and ({last})"
    values = ", ".join(_filled(pair, is_one=len(pairs) == 1) for pair in pairs)
    return f"update {table} set {values}\nwhere {bounds}\n    and ({_either(map(_disagrees, pairs))});"  # noqa: S608 - as above


def _filled(pair: Pair, *, is_one: bool) -> str:
    new, value = identifier(pair.new), f"({_whole(pair.to_new)})"
    return f"{new} = {value}" if is_one else f"{new} = case when {_disagrees(pair)} then {value} else {new} end"


def _shown(name: str) -> str:
    return " ".join(name.split())
