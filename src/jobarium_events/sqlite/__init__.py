"""Inbox and dead letters in a file, by the SQLite that comes with Python."""

from jobarium_events.sqlite.database import Busy, Unusable
from jobarium_events.sqlite.deadletters import SqliteDeadLetters
from jobarium_events.sqlite.inbox import SqliteInbox

__all__ = ["Busy", "SqliteDeadLetters", "SqliteInbox", "Unusable"]
