"""Which functions may return something else each time within one statement: the volatile ones."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Any

from jobarium_events.migrations.lint.names import texts
from jobarium_events.migrations.lint.walking import messages

__all__ = ["is_volatile", "steady_functions"]

_OPERATORS = frozenset(
    "!! !~ !~* !~~ !~~* # ## #- #> #>> % & && &< &<| &> * *< *<= *<> *= *> *>= + - -> ->> -|- / < <-> << <<= <<| <= "
    "<> <@ <^ = > >= >> >>= >^ ? ?# ?& ?- ?-| ?| ?|| @ @-@ @> @? @@ @@@ ^ ^@ | |&> |/ |>> || ||/ ~ ~* ~<=~ ~<~ ~= "
    "~>=~ ~>~ ~~ ~~*".split()
)
"""Those of ``pg_operator``, in Postgres 15 as in 18; the functions behind them are all steady."""


@cache
def steady_functions() -> frozenset[str]:
    """Return the names of Postgres' own functions that are not volatile.

    They are those of ``pg_proc`` in Postgres 15 or 18 of whose variants none is volatile in either::

        select proname from pg_proc
        where pronamespace = 'pg_catalog'::regnamespace and prokind in ('f', 'a', 'w')
          and not ('internal'::regtype = any (proargtypes) or 'cstring'::regtype = any (proargtypes)
                   or prorettype in ('internal'::regtype, 'cstring'::regtype, 'trigger'::regtype,
                                     'event_trigger'::regtype))
        group by proname having bool_and(provolatile <> 'v');

    So a variant that only Postgres itself calls, by way of a type or an index, is not there.
    """
    return frozenset(files(__package__).joinpath("functions.txt").read_text(encoding="utf-8").split())


def is_volatile(expression: Any) -> bool:
    """Whether an expression has to be worked out for each row; a function that is not Postgres' own counts as such."""
    return any(_is_volatile(message) for message in messages(expression))


def _is_volatile(message: Any) -> bool:
    match type(message).__name__:
        case "FuncCall":
            *schema, name = texts(message.funcname)
            return schema not in ([], ["pg_catalog"]) or name not in steady_functions()
        case "A_Expr":
            *schema, name = texts(message.name) or ("=",)
            return schema not in ([], ["pg_catalog"]) or (name not in _OPERATORS and not name.isalpha())
        case _:
            return False
