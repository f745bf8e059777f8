"""Rules about transactions and sessions: how long locks are kept, how long they are waited for, what is left set."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from jobarium_events.migrations.files.parsing import enum_name
from jobarium_events.migrations.lint.findings import Severity
from jobarium_events.migrations.lint.names import texts
from jobarium_events.migrations.lint.rewriting import lines, quoted
from jobarium_events.migrations.lint.rules.calling import is_hidden
from jobarium_events.migrations.lint.rules.rule import Hit, Stands, Subject, TimeoutSet, described, rule

if TYPE_CHECKING:
    from jobarium_events.migrations.files.parsing import Statement

__all__ = ["NO_TIMEOUT", "SET_TIMEOUT", "TOGETHER", "TRANSACTION_OPEN", "timeout_set"]

NO_TIMEOUT = "no-lock-timeout"
TOGETHER = "heavy-locks-together"
SET_TIMEOUT = "set lock_timeout = '2s';"
"""The ids of those of which something is said for more than one finding."""

_LONGEST = 10_000  # milliseconds that a statement may wait for a lock
_UNITS = {"": 1, "ms": 1, "us": 0.001, "s": 1_000, "min": 60_000, "h": 3_600_000, "d": 86_400_000}
_WRITTEN = re.compile(r"\s*(-?\d+(?:\.\d+)?)\s*([a-z]*)\s*")
_ARGUMENTS = 3  # of set_config: a name, a value, and whether it is local
_TRUE = ("t", "true", "on", "yes", "y", "1")
_HARMLESS = {"lock_timeout", "statement_timeout", "client_min_messages", "application_name", "transaction_timeout"}
_HARMLESS |= {"idle_in_transaction_session_timeout", "maintenance_work_mem", "client_encoding"}

TRANSACTION_OPEN = described(
    "transaction-open",
    "What begins and does not end, or ends and did not begin, is not committed as it reads.",
)


@rule(
    TOGETHER,
    "A transaction keeps every lock until its end: what waits for the first also waits for all that comes after it.",
    "",
    where=Stands.TRANSACTION,
)
def heavy_locks_together(subject: Subject, _: Any) -> Iterator[Hit]:
    """Yield a second statement for which much waits, in one transaction."""
    if subject.transaction is None:
        return
    held = subject.transaction.blocked(subject.created)
    if not held:
        return
    more = [lock.table for lock in subject.waited_for if lock.table not in held]
    first = next(iter(held))
    safe = lines("commit", "begin", subject.statement.text)  # what ends the transaction stands below already
    if more:
        yield Hit(f"locks {', '.join(more)} while {first} is locked as well; do each in a transaction of its own", safe)
    elif subject.goes_through or _moves_data(subject):
        yield Hit(f"goes through a table while {first} is locked; do each in a transaction of its own", safe)


def _moves_data(subject: Subject) -> bool:
    """Whether it goes through the rows of a table that is not new."""
    if subject.statement.kind not in ("update_stmt", "delete_stmt", "merge_stmt"):
        return False
    return any(lock.mode.strength >= _WRITES and not subject.is_new(lock.table) for lock in subject.effects.locks)


_WRITES = 3
"""The strength of the lock that writes take."""


@rule(
    NO_TIMEOUT,
    "A statement that waits for a lock makes all others wait behind it; without lock_timeout, for as long as it takes.",
    "",
    where=Stands.WITHOUT_TIMEOUT,
)
def no_lock_timeout(subject: Subject, _: Any) -> Iterator[Hit]:
    """Yield a statement that may wait for ever."""
    tables = ", ".join(lock.table for lock in subject.waited_for)
    if tables or is_hidden(subject.statement):
        what = f"its lock on {tables}" if tables else "whatever locks it takes"
        yield Hit(
            f"waits for {what} for as long as it takes; set lock_timeout before it",
            f"{SET_TIMEOUT}\n{lines(subject.statement.text)}",
        )


def timeout_set(statement: Statement) -> TimeoutSet | None:
    """Return what a statement sets lock_timeout to, by ``set`` or by ``set_config``; None if it does nothing of it."""
    match statement.kind:
        case "variable_set_stmt":
            return _set(statement.node)
        case "select_stmt" if "set_config" in statement.text.lower():
            return _configured(statement.node)
        case _:
            return None


def _set(node: Any) -> TimeoutSet | None:
    if node.name != "lock_timeout":
        return TimeoutSet(0.0, is_local=False) if enum_name(node, "kind") == "VAR_RESET_ALL" else None
    if enum_name(node, "kind") != "VAR_SET_VALUE":
        return TimeoutSet(0.0, node.is_local)  # the server's default, which is none
    constant = node.args[0].a_const
    if constant.HasField("ival"):
        return TimeoutSet(float(constant.ival.ival), node.is_local)
    return TimeoutSet(_milliseconds(constant.sval.sval or constant.fval.fval), node.is_local)


def _configured(node: Any) -> TimeoutSet | None:
    """Return the same of a query for ``set_config``, as far as it says it by constants."""
    for each in node.target_list:
        call = each.res_target.val.func_call
        if texts(call.funcname)[-1:] != ("set_config",) or len(call.args) != _ARGUMENTS:
            continue
        name, value, is_local = (_uncast(argument).a_const for argument in call.args)
        if name.sval.sval.lower() == "lock_timeout" and value.HasField("sval"):
            local = is_local.boolval.boolval or is_local.sval.sval.lower() in _TRUE
            return TimeoutSet(_milliseconds(value.sval.sval), local)
    return None


def _uncast(node: Any) -> Any:
    while node.WhichOneof("node") == "type_cast":
        node = node.type_cast.arg
    return node


@lru_cache
def _milliseconds(text: str) -> float:
    written = _WRITTEN.fullmatch(text)
    return float(written[1]) * _UNITS.get(written[2], 1) if written else 0.0


@rule(
    "lock-timeout-long",
    "For as long as a statement waits for a lock, all others wait behind it; the time-out is what bounds it.",
    "variable_set_stmt",
    "select_stmt",
)
def lock_timeout_long(subject: Subject, node: Any) -> Iterator[Hit]:
    """Yield a lock_timeout that bounds little or nothing."""
    found = subject.timeout
    if found is None or 0 < found.milliseconds <= _LONGEST:
        return
    is_reset = subject.statement.kind == "variable_set_stmt" and enum_name(node, "kind") != "VAR_SET_VALUE"
    if is_reset and subject.header is None:
        return
    where = "set local" if found.is_local else "set"
    long = "more than ten seconds" if found.milliseconds else "as long as it takes"
    yield Hit(
        f"waits for locks for {long}, and so do all others behind it; a short time-out and another try do better",
        lines(f"{where} lock_timeout = '2s'"),
    )


@rule(
    "setting-left",
    "What a session sets holds for whatever runs on the same connection after it.",
    "variable_set_stmt",
    severity=Severity.WARNING,
)
def setting_left(subject: Subject, node: Any) -> Iterator[Hit]:
    """Yield a setting that outlives its transaction."""
    is_set = enum_name(node, "kind") in ("VAR_SET_VALUE", "VAR_SET_MULTI")
    if not is_set or node.is_local or node.name in _HARMLESS or "TRANSACTION" in node.name:
        return
    alone = "within a transaction, " if subject.transaction is None else ""
    local = re.sub(r"(?i)^set\s+(session\s+)?", "set local ", subject.statement.text)
    steps = ("begin", local, "commit") if subject.transaction is None else (local,)
    yield Hit(
        f"sets {node.name} for all that runs on the connection after it; {alone}set it with LOCAL, or name schemas",
        lines(*steps) if not subject.own else f"{lines(*steps)}\n{lines(f'reset {quoted(node.name)}')}",
        Severity.ERROR if subject.header is not None else None,
    )
