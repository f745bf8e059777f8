"""Rules about functions that a statement calls: what they do is not in the statement, so that no rule sees it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from jobarium_events.migrations.files.migration import Section
from jobarium_events.migrations.lint.changing import MAY_CHANGE
from jobarium_events.migrations.lint.findings import Severity
from jobarium_events.migrations.lint.locking.functions import steady_functions
from jobarium_events.migrations.lint.names import joined, texts
from jobarium_events.migrations.lint.rewriting import lines
from jobarium_events.migrations.lint.rules.rule import Hit, Subject, rule
from jobarium_events.migrations.lint.walking import constants, messages, tables_of

if TYPE_CHECKING:
    from jobarium_events.migrations.files.parsing import Statement

__all__ = ["is_hidden", "made_by"]

_BEYOND = re.compile(
    r"setval|set_config|dblink\w*|lo_\w+|pg_sleep\w*|pg_(?:terminate|cancel)_backend|pg_(?:try_)?advisory_lock\w*"
    r"|pg_notify|pg_reload_conf|pg_promote|pg_switch_wal|pg_(?:create|drop|logical)_\w+|(?:query|cursor)_to_xml\w*"
)
"""Functions of Postgres' own, and of what comes with it, that do more than return something."""
_SIGNS = ("pg_", "lo_", "setval", "set_config", "dblink", "to_xml")
"""What their names have in them; few statements have any of it, and to look for it is quick."""
_QUIET = frozenset("random gen_random_uuid clock_timestamp timeofday nextval currval lastval setseed".split())
_LOOKED_FOR = "set local lock_timeout "
"""What rules look for in files of others, however it is set."""
_MAY_EXECUTE = ("execute_stmt", "explain_stmt", "create_table_as_stmt")
_MAKING = {"create_function_stmt": lambda node: joined(texts(node.funcname))}
_MAKING["create_schema_stmt"] = lambda node: str(node.schemaname)


def made_by(statement: Statement) -> frozenset[str]:
    """Return the name of the function, or of the schema, that a statement makes."""
    name = _MAKING.get(statement.kind)
    return frozenset((name(statement.node),)) if name is not None else frozenset()


def is_hidden(statement: Statement) -> bool:
    """Whether a statement is there for code that is not in it as statements: of a block, or of a function."""
    match statement.kind:
        case "do_stmt" | "call_stmt":
            return True
        case "select_stmt":
            return any(_is_unknown(call) for call in _bare_calls(statement))
        case kind:
            return kind in _MAY_EXECUTE and _executed(statement) is not None


def _executed(statement: Statement) -> Any:
    """Return the ``execute`` that a statement is, or holds; None if there is none."""
    if statement.kind == "execute_stmt":
        return statement.node
    node = statement.node.query.execute_stmt
    return node if node.name else None


@rule(
    "code-unseen",
    "What a block of code does is not in statements that any rule or gate looks at: it may lock and write anything.",
    "do_stmt",
    *_MAY_EXECUTE,
)
def code_unseen(subject: Subject, _: Any) -> Iterator[Hit]:
    """Yield a block of code, and what runs a statement that was prepared."""
    if subject.statement.kind == "do_stmt":
        yield Hit("runs a block of code, in which nobody sees what is locked or written; write statements instead")
        return
    execute = _executed(subject.statement)
    if execute is not None:
        yield Hit(f"runs {execute.name}, which was prepared and is not looked at here; write the statement itself")


@rule(
    "function-called",
    "What a function does is not in the statement that calls it, so that no rule and no gate looks at it.",
    "call_stmt",
    *MAY_CHANGE,
)
def function_called(subject: Subject, node: Any) -> Iterator[Hit]:
    """Yield calls for the sake of what a function does, and of functions that the file makes."""
    text = subject.statement.text
    lowered = text.lower()
    bare = any(_bare_calls(subject.statement))
    suspect = bare or any(sign in lowered for sign in _SIGNS)
    suspect = suspect or any(name.rpartition(".")[2] in text for name in subject.made)
    if not suspect:
        return
    for call in (each for each in messages(node) if type(each).__name__ == "FuncCall"):
        name = _named(call)
        if name == "set_config":
            weighs, safe = None if subject.header is not None else Severity.WARNING, _set(call)
            if weighs is None or not safe.startswith(_LOOKED_FOR):
                text = "sets something by a function, where nobody looks for it; write it as a set local"
                yield Hit(text, safe, weighs)
        elif name == "setval" and _of_new_table(subject, call):
            continue
        elif _BEYOND.fullmatch(name):
            yield Hit(f"calls {name}, which does more than return something; no migration needs it")
        elif name in subject.made and subject.section is not Section.BACKFILL:
            yield Hit(
                f"calls {name}, which the file makes; write what it does as statements, or in the section backfill"
            )
        elif bare and _is_unknown(call):
            yield Hit(f"calls {name} for what it does, which nobody sees here; write that as statements")


def _bare_calls(statement: Statement) -> list[Any]:
    """Return the calls of a statement that is there for what it calls: a query of no table is."""
    node = statement.node
    is_query = statement.kind == "select_stmt" and "(" in statement.text and not node.HasField("larg")
    if statement.kind != "call_stmt" and not (is_query and not tables_of(node)):
        return []
    return [each for each in messages(node) if type(each).__name__ == "FuncCall"]


def _is_unknown(call: Any) -> bool:
    """Whether nobody can tell from its name what a function does."""
    name = _named(call)
    known = name in steady_functions() or name in _QUIET or name == "set_config"
    return not known and _BEYOND.fullmatch(name) is None


def _named(call: Any) -> str:
    return joined(texts(call.funcname)).removeprefix("pg_catalog.")


def _set(call: Any) -> str:
    """Return a call of ``set_config`` as a statement."""
    values = [each.a_const.sval.sval for each in call.args[:2] if each.a_const.HasField("sval")]
    return lines(f"set local {values[0]} = '{values[1].replace(chr(39), chr(39) * 2)}'") if len(values) == 2 else ""  # noqa: PLR2004 - a name and a value


def _of_new_table(subject: Subject, call: Any) -> bool:
    """Whether a sequence goes by the name of a table that the file made."""
    named = [joined(each.split(".")) for each in constants(call)]
    return any(each == table or each.startswith(f"{table}_") for each in named for table in subject.created)
