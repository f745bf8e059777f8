"""Dead letters in a table of SQLite: kept whole, looked through, replayed and dropped."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import msgspec

from jobarium_events.deadletters import DeadLetter, KeptLetter, LetterFilter, storable_fields
from jobarium_events.findings import Violation
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
        path: The file; it and the table are made if they are not there.
        patience: How many seconds to wait for another transaction before this raises `Busy`.
        table: The table's name.
    """

    def __init__(self, path: str | os.PathLike[str], *, patience: float = 30.0, table: str = "dead_letter") -> None:
        names = {"dead_letter": identifier(table)}
        self._sql = {key: text.format_map(names) for key, text in statements(__package__, "deadletters.sql").items()}
        self._database = Database(path, self._sql["tables"], patience)

    def __call__(self, letter: DeadLetter) -> None:
        """Keep a letter."""
        with self._database.transaction() as connection:
            connection.execute(self._sql["keep"], _in_text(storable_fields(letter)))

    def list(self, which: LetterFilter = _ALL, *, after: int = 0, limit: int = 100) -> Sequence[KeptLetter]:
        """Return the first letters that a filter means, in the order of their ids, beginning after an id."""
        asked = _in_text({**msgspec.structs.asdict(which), "after": after, "limit": limit})
        with self._database.transaction() as connection:
            return [_letter(row) for row in connection.execute(self._sql["list"], asked).fetchall()]

    def get(self, id: int) -> KeptLetter | None:  # noqa: A002 - the column's name
        """Return one letter, or None if it is not there."""
        with self._database.transaction() as connection:
            row = connection.execute(self._sql["one"], {"id": id}).fetchone()
        return _letter(row) if row else None

    def drop(self, ids: Iterable[int]) -> int:
        """Forget letters, and return how many of them were there."""
        with self._database.transaction() as connection:
            return sum(connection.execute(self._sql["drop"], {"id": each}).rowcount for each in ids)

    def mark_replayed(self, id: int) -> None:  # noqa: A002 - the column's name
        """Note that a letter has been replayed, now."""
        with self._database.transaction() as connection:
            connection.execute(self._sql["replayed"], _in_text({"id": id, "at": datetime.now(UTC)}))

    def close(self) -> None:
        """Close the connections that are idle; the store can still be used."""
        self._database.close()


def _in_text(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: _moment(value) if isinstance(value, datetime) else value for name, value in fields.items()}


def _moment(value: datetime) -> str:
    return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _letter(row: tuple[Any, ...]) -> KeptLetter:
    fields = dict(zip(KeptLetter.__struct_fields__, row, strict=True))
    fields["attributes"] = json.loads(fields["attributes"])
    fields["violations"] = msgspec.json.decode(fields["violations"], type=tuple[Violation, ...])
    for name in ("rejected_at", "replayed_at"):
        if fields[name] is not None:
            fields[name] = datetime.fromisoformat(fields[name])
    return KeptLetter(**fields)
