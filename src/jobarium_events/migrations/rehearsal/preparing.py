"""What a team says of its rehearsals: ``rehearsal.toml``, in the folder of migrations.

::

    [rows]                            # how many a table is to have; those that are not named get a default
    job = 2_000_000

    [generators]                      # SQL of a value from the row's number n, where none can be made up
    "job.code" = "'J-' || n"

    [[probe]]                         # what runs beside the statements that are made from the tables
    name = "jobs of a source"
    sql = "select count(*) from job where source = 'form'"
    when = "new"                      # the code that runs it: old, new or both
    per_second = 5

What a probe here writes is undone each time it has run.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from jobarium_events.catalog.toml import TomlError, read_toml
from jobarium_events.migrations.files.parsing import SqlError, Statement, parse
from jobarium_events.migrations.files.places import key_lines
from jobarium_events.migrations.files.steps import runs_in_transaction, transaction_command
from jobarium_events.migrations.refusals import MigrationError, Mistake
from jobarium_events.migrations.rehearsal.probes import Probe
from jobarium_events.misfits import misfits

__all__ = ["PREPARATION", "Preparation", "read_preparation"]

PREPARATION = "rehearsal.toml"
"""The file's name."""


class Preparation(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a team says of its rehearsals.

    Attributes:
        rows: How many rows a table is to have, by its name, with its schema unless that is ``public``.
        generators: SQL of a value from the row's number ``n``, by the table's and the column's name.
        probe: The team's own probes.
    """

    rows: Mapping[str, int] = {}
    generators: Mapping[str, str] = {}
    probe: tuple[Probe, ...] = ()


def read_preparation(folder: Path) -> Preparation:
    """Read what a team says; nothing if there is no such file.

    Args:
        folder: The folder of migrations.

    Raises:
        MigrationError: With every mistake in it.
    """
    path = folder / PREPARATION
    document: Any = None
    text = ""
    try:
        text = path.read_text(encoding="utf-8-sig")
        document = read_toml(text)
        found = msgspec.convert(document, Preparation)
    except FileNotFoundError:
        return Preparation()
    except UnicodeDecodeError:
        raise MigrationError([Mistake(str(path), 0, "is not encoded in UTF-8; save it so")]) from None
    except TomlError as error:
        raise MigrationError([Mistake(str(path), error.line, error.problem)]) from None
    except msgspec.ValidationError:
        lines = key_lines(text)
        wrong = misfits(document, Preparation)
        raise MigrationError(Mistake(str(path), each.line(lines), str(each)) for each in wrong) from None
    mistakes = [Mistake(str(path), 0, each) for each in _mistakes(found.probe)]
    lines = key_lines(text) if _wrong(found) else {}
    mistakes += [Mistake(str(path), lines.get(key, 0), problem) for key, problem in _wrong(found)]
    if mistakes:
        raise MigrationError(mistakes)
    return found


def _wrong(found: Preparation) -> list[tuple[str, str]]:
    """Return the keys that cannot be meant, each with what is wrong."""
    few = [
        (f"rows.{name}", f"asks for {n} rows of {name}; ask for 0 or more") for name, n in found.rows.items() if n < 0
    ]
    return few + [
        (f"generators.{name}", f'has a generator {name!r}, which names no table; write it as "table.{name}"')
        for name in found.generators
        if "." not in name.strip(".")
    ]


def _mistakes(probes: tuple[Probe, ...]) -> Iterator[str]:
    names: set[str] = set()
    for probe in probes:
        if probe.name in names:
            yield f"has two probes {probe.name!r}; give one of them another name"
        names.add(probe.name)
        try:
            statements = parse(probe.sql)
        except SqlError as error:
            yield f"has a probe {probe.name!r} that Postgres cannot read: {error.problem}"
            continue
        if len(statements) != 1 or not _may_run(statements[0]):
            yield f"has a probe {probe.name!r} that is not one statement which a transaction may hold; write one"


def _may_run(statement: Statement) -> bool:
    return runs_in_transaction(statement) and not transaction_command(statement)
