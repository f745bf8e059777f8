"""Dead letters in a table of SQLite: kept whole, looked through, replayed and dropped."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import msgspec

from jobarium_events.deadletters import (
    BeingReplayed,
    DeadLetter,
    KeptLetter,
    LetterFilter,
    LetterKind,
    NoLetter,
    storable_fields,
)
from jobarium_events.findings import Violation
from jobarium_events.inboxes import sortable
from jobarium_events.sqlite.database import Database
from jobarium_events.statements import identifier, statements

if TYPE_CHECKING:
    import os

__all__ = ["SqliteDeadLetters"]

_ALL = LetterFilter()


class SqliteDeadLetters:
    """A store of dead letters in a file: ``Consumer(dead_letters=SqliteDeadLetters(path))``.

    Each letter is committed before the consumer returns. The file may be the inbox's.

    Args:
        path: The file; it and the table are made with the first letter, if they are not there.
        patience: How many seconds to wait for another transaction before this raises `Busy`.
        table: The table's name.
    """

    def __init__(self, path: str | os.PathLike[str], *, patience: float = 30.0, table: str = "dead_letter") -> None:
        names = {"dead_letter": identifier(table)}
        self._sql = {key: text.format_map(names) for key, text in statements(__package__, "deadletters.sql").items()}
        self._database = Database(path, self._sql["tables"], table, patience)

    def __call__(self, letter: DeadLetter) -> None:
        """Keep a letter."""
        with self._database.transaction() as connection:
            connection.execute(self._sql["keep"], _in_text(storable_fields(letter)))

    def list(self, which: LetterFilter = _ALL, *, after: int = 0, limit: int = 100) -> Sequence[KeptLetter]:
        """Return the first letters that a filter means, in the order of their ids, beginning after an id."""
        asked = _in_text({**msgspec.structs.asdict(which), "after": after, "limit": limit})
        return [_letter(row) for row in self._rows("list", asked)]

    def kinds(self) -> Sequence[LetterKind]:
        """Return of which events, versions, reasons and consumers there are letters, and how many."""
        return [LetterKind(*row) for row in self._rows("kinds", {})]

    def get(self, id: int) -> KeptLetter | None:  # noqa: A002 - the column's name
        """Return one letter, or None if it is not there."""
        rows = self._rows("one", {"id": id})
        return _letter(rows[0]) if rows else None

    def drop(self, ids: Iterable[int]) -> int:
        """Forget letters, and return how many of them were there."""
        return sum(self._change("drop", [{"id": each} for each in ids]))

    @contextmanager
    def replaying(self, id: int) -> Iterator[KeptLetter]:  # noqa: A002 - the column's name
        """Keep a letter from other replays for a block that replays it; it is noted at the end, unless that raises.

        A replay whose process is killed lets go of it. In a file there is one at a time, over threads and processes.

        Raises:
            BeingReplayed: If another replay has it, or another letter in the file.
            NoLetter: If it is not there.
        """
        if self.get(id) is None:
            raise NoLetter(id)
        with self._database.alone("replay") as is_alone:
            if not is_alone:
                raise BeingReplayed(id)
            letter = self.get(id)  # another may just have replayed or dropped it
            if letter is None:
                raise NoLetter(id)
            yield letter
            self._change("replayed", [{"id": id, "at": sortable(datetime.now(UTC))}])

    def missing(self) -> str | None:
        """Return the table's name if it is not there, as no letter was kept yet; it is not made."""
        return self._database.missing()

    def close(self) -> None:
        """Close the connections that are idle; the store can still be used."""
        self._database.close()

    def _rows(self, name: str, parameters: dict[str, Any]) -> Sequence[tuple[Any, ...]]:
        if self.missing():
            return []
        with self._database.reading() as connection:
            return connection.execute(self._sql[name], parameters).fetchall()

    def _change(self, name: str, changes: Iterable[dict[str, Any]]) -> Sequence[int]:
        if self.missing():
            return []
        with self._database.transaction(make=False) as connection:
            return [connection.execute(self._sql[name], each).rowcount for each in changes]


def _in_text(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: sortable(value) if isinstance(value, datetime) else value for name, value in fields.items()}


def _letter(row: tuple[Any, ...]) -> KeptLetter:
    fields = dict(zip(KeptLetter.__struct_fields__, row, strict=True))
    fields["attributes"] = json.loads(fields["attributes"])
    fields["violations"] = msgspec.json.decode(fields["violations"], type=tuple[Violation, ...])
    for name in ("rejected_at", "replayed_at"):
        if fields[name] is not None:
            fields[name] = datetime.fromisoformat(fields[name])
    return KeptLetter(**fields)
