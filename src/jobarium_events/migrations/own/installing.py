"""The library's own tables, made and moved by its own migrations: `install`.

The files are those of ``tables/``. What stands in them in braces are the names that a service has chosen. Each table
has two ways to its present form: it is made, or it is moved there from its first form. One that is there already, made
by ``schema.sql`` or by the SQL that ``jobarium-events outbox tables`` prints, is left as it is.

What is there decides, and the record only says what goes on. All parts are looked at before anything is made or
recorded, so what is refused leaves nothing behind. A table that was made once and is gone is made again, and an index
that is gone is built again.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

from jobarium_events.errors import DeclarationError
from jobarium_events.extras import extra
from jobarium_events.migrations.applying.applying import Job, News
from jobarium_events.migrations.applying.sessions import applying, opener
from jobarium_events.migrations.files.settings import Environment
from jobarium_events.migrations.own.parts import Installed, Installing
from jobarium_events.migrations.own.refusals import NotInstalled
from jobarium_events.migrations.record.record import Record
from jobarium_events.migrations.running.failures import said_by

with extra("migrations"):
    import psycopg

if TYPE_CHECKING:
    from jobarium_events.migrations.applying.situation import Situation
    from jobarium_events.migrations.own.parts import Part

__all__ = ["install"]

_LONGEST = 63  # bytes that Postgres keeps of a name


def install(
    database: str,
    *parts: Part,
    environment: str,
    operator: str,
    limits: Environment | None = None,
    wait: float = 0,
    watch: Callable[[News], None] = lambda _: None,
    stop: threading.Event | None = None,
) -> tuple[Installed, ...]:
    """Bring the tables of outboxes, inboxes and dead letters to their present form, whatever is there.

    It can be repeated, and goes on where an earlier run was broken off. What it does is in the record of the database.

    Args:
        database: As psycopg takes it.
        *parts: What the service uses, with the names that it has chosen: ``Outbox(schema="billing")``.
        environment: The name of the database's environment.
        operator: Who does it, for the record.
        limits: How long to wait for locks, and so on; gates are not asked for.
        wait: For how many seconds to wait for another applier to end.
        watch: Is told of each step and each batch.
        stop: When it is set, no further step or batch is begun.

    Returns:
        What was done for each part, in their order; fewer than there are parts if it was to stop.

    Raises:
        DeclarationError: If the database's URL cannot be read, it takes no changes, or a name is too long for Postgres.
        OtherEnvironment: If the database is another environment's.
        Held: If somebody else is applying migrations.
        NotInstalled: If a table is neither in its present form nor in the first, or may not be made; nothing was done.
        StepFailed: If a step failed; it is undone, unless its end is not known.
        psycopg.Error: If the database cannot be used.

    Example:
        >>> install(url, Outbox(), environment="production", operator="ada")
    """
    for part in parts:
        _check_names(part.names)
    connect = opener(database, operator)
    record = Record(environment, operator)
    stop = stop or threading.Event()
    done: list[Installed] = []
    with applying(connect, wait, stop) as session:

        def job(look: Callable[[frozenset[str]], Situation]) -> Job:
            return Job(
                session=session,
                connect=connect,
                record=record,
                environment=limits or Environment(),
                look=look,
                watch=watch,
                stop=stop,
            )

        with _told_who_may():
            record.check(session.connection)
            ahead = [Installing(part, session, job) for part in parts]
            for each in ahead:
                each.check()
            record.install(session.connection)
        for each in ahead:
            installed = each.install()
            if installed is None:
                break
            done.append(installed)
    return tuple(done)


@contextmanager
def _told_who_may() -> Iterator[None]:
    """Say what is to be granted where the record is out of reach."""
    try:
        yield
    except psycopg.errors.InsufficientPrivilege as error:
        way_out = "run it as a role that may make the schema jobarium_migrations, or may use it if it is there"
        raise NotInstalled("jobarium_migrations.record", said_by(error), way_out) from None


def _check_names(names: Mapping[str, str]) -> None:
    for name in names.values():
        last = name.rpartition('"."')[2].strip('"')
        if len(last.encode()) > _LONGEST:
            raise DeclarationError(f"the name {last!r} is longer than the {_LONGEST} bytes that Postgres keeps")
        if not last.isprintable():
            raise DeclarationError(f"the name {last!r} has characters that cannot be seen; name the table otherwise")
