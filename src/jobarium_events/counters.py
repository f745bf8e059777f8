"""How often a service has seen each version of an event, kept in a file: the evidence that a version may be retired.

The file is JSON. It goes on from one process of a service to the next, and says for each contract since when it is
counted without a gap and when it was last seen::

    {
      "format": 1,
      "service": "analytics-service",
      "until": "2026-11-20T08:00:00Z",
      "counts": [
        {
          "event": "billing.usage.updated",
          "version": "v1",
          "since": "2026-09-01T08:00:00Z",
          "emitted": 0,
          "consumed": 1204,
          "last": "2026-10-02T11:14:05Z"
        }
      ]
    }
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Annotated

import msgspec

from jobarium_events.errors import JobariumEventsError
from jobarium_events.writing import write_files

if TYPE_CHECKING:
    import os

    from jobarium_events.contract import Contract
    from jobarium_events.observing import Consumed, Emitted

__all__ = ["PAUSE", "Count", "Counters", "CountersError", "VersionCounters", "read_counters"]

PAUSE = timedelta(hours=1)
"""For how long nobody may count, between one process of a service and the next."""

_FORMAT = 1
_FAILED_ON_THE_WAY = "error"

_Moment = Annotated[datetime, msgspec.Meta(tz=True)]
_Number = Annotated[int, msgspec.Meta(ge=0)]


class CountersError(JobariumEventsError):
    """A file of counters that cannot be used.

    Attributes:
        path: The file.
        problem: What is wrong with it, and the way out.
    """

    def __init__(self, path: str, problem: str) -> None:
        self.path = path
        self.problem = problem

    def __str__(self) -> str:
        return f"{self.path} {self.problem}"


class Count(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """How often one version was seen by one service.

    Attributes:
        event: The event's name.
        version: Such as ``"v1"``.
        since: Since when it is counted without a gap.
        emitted: How often the service has emitted it, or prepared it for an outbox.
        consumed: How often it has arrived, whatever became of it.
        last: When it was last emitted or arrived; None if never.
    """

    event: str
    version: str
    since: _Moment
    emitted: _Number
    consumed: _Number
    last: _Moment | None = None

    @property
    def is_seen(self) -> bool:
        """Whether it was ever seen."""
        return bool(self.emitted or self.consumed or self.last)


class Counters(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What one service has seen.

    Attributes:
        format: The number of the file's format.
        service: The service's name.
        until: The moment up to which it is counted.
        counts: One for each contract that is watched.
    """

    format: int = _FORMAT
    service: str
    until: _Moment
    counts: tuple[Count, ...]


class VersionCounters:
    """Counts what a producer emits or prepares and what a consumer gets, by version: it is one of the `hooks` of both.

    It is safe to share between threads. Write it every few minutes and when the process ends; each process of a service
    needs a file of its own. Where nobody has counted for more than an hour, counting begins anew.

    Args:
        service: The service's name.
        contracts: The contracts to watch, such as a catalog: what is never seen is counted as zero, and what is not
            among them is not counted.
    """

    def __init__(self, service: str, contracts: Iterable[Contract]) -> None:
        self.service = service
        self._guard = Lock()
        self._since = datetime.now(UTC)
        self._counts = {
            (each.event, each.version): Count(
                event=each.event, version=each.version, since=self._since, emitted=0, consumed=0
            )
            for each in contracts
        }

    def emitted(self, details: Emitted) -> None:
        """Count an event that was sent or prepared to be sent, or that may have been."""
        if details.reason in (None, _FAILED_ON_THE_WAY):
            self._seen(details.event, details.version, emitted=1)

    def consumed(self, details: Consumed) -> None:
        """Count an event that arrived, whatever became of it."""
        self._seen(details.event, details.version, consumed=1)

    def _seen(self, event: str | None, version: str | None, *, emitted: int = 0, consumed: int = 0) -> None:
        with self._guard:
            count = self._counts.get((event or "", version or ""))
            if count is not None:
                self._counts[count.event, count.version] = msgspec.structs.replace(
                    count,
                    emitted=count.emitted + emitted,
                    consumed=count.consumed + consumed,
                    last=max(datetime.now(UTC), count.since),  # a clock may be set back
                )

    def write(self, path: str | os.PathLike[str]) -> None:
        """Add to a file what was counted since the last time, whole or not at all.

        What the file counts and this does not watch is taken out of it: from now on nobody would count it.

        Raises:
            CountersError: If the file is there and holds something else.
        """
        file = Path(path)
        with self._guard:
            before: dict[tuple[str, str], Count] = {}
            if file.exists():
                kept = read_counters(file)
                if kept.service != self.service:
                    raise CountersError(str(file), f"holds the counters of {kept.service}; give {self.service} its own")
                if self._since - kept.until <= PAUSE:
                    before = {(each.event, each.version): each for each in kept.counts}
            now = datetime.now(UTC)
            counts = tuple(_sum(before.get(key), count) for key, count in self._counts.items())
            written = Counters(service=self.service, until=now, counts=counts)
            write_files({file: msgspec.json.format(msgspec.json.encode(written)) + b"\n"})
            self._since = now
            self._counts = {
                key: msgspec.structs.replace(count, since=now, emitted=0, consumed=0, last=None)
                for key, count in self._counts.items()
            }


def _sum(before: Count | None, now: Count) -> Count:
    if before is None:
        return now
    return msgspec.structs.replace(
        before,
        emitted=before.emitted + now.emitted,
        consumed=before.consumed + now.consumed,
        last=max(filter(None, (before.last, now.last)), default=None),
    )


def read_counters(path: Path) -> Counters:
    """Read a file of counters.

    Raises:
        CountersError: If it is not one.
        OSError: If it cannot be read.
    """
    try:
        counters = msgspec.json.decode(path.read_bytes(), type=Counters)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise CountersError(str(path), f"is no file of counters: {error}; VersionCounters.write makes one") from None
    if counters.format != _FORMAT:
        raise CountersError(str(path), f"has the format {counters.format}; this version of the library reads {_FORMAT}")
    return counters
