"""Sending dead letters again: each event once, and no longer in wait for a broker than an operator wants."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager
from hashlib import sha256

import msgspec

from jobarium_events.catalog import Catalog
from jobarium_events.cli.letters import Store
from jobarium_events.cli.output import console, counted, printable
from jobarium_events.cli.transports import opened
from jobarium_events.deadletters import BeingReplayed, KeptLetter, NoLetter
from jobarium_events.errors import JobariumEventsError
from jobarium_events.replaying import replay_of
from jobarium_events.transports import Transport, safe_text

__all__ = ["Replay", "Replays"]

_UNUSUAL = 2.0  # seconds, after which it is said what is waited for
_PAUSE = 0.02  # seconds, between two looks at a letter that another replay has


class Replays(msgspec.Struct):
    """What a replay has come to, by the letters' ids.

    Attributes:
        replayed: Those whose events were sent.
        same: Of these, those whose event was sent once for another letter as well.
        already: Those that had been replayed before.
        failed: Those that were not sent, each with the reason.
        stopped: Why it ended before its end, if it did.
    """

    replayed: list[int] = []
    same: list[int] = []
    already: list[int] = []
    failed: dict[int, str] = {}
    stopped: str | None = None

    def print(self) -> None:
        """Print it for people."""
        to = console()
        to.print(f"{counted(len(self.replayed), 'dead letter')} replayed", style="bold")
        if self.same:
            has = "holds the event" if len(self.same) == 1 else "hold the events"
            to.print(f"{len(self.same)} of them {has} of another letter; an event is sent once", style="yellow")
        if self.already:
            to.print(f"{len(self.already)} replayed already; --again sends them once more", style="yellow")
        for id_, problem in self.failed.items():
            to.print(printable(f"{id_} was not sent: ") + "\n".join(map(printable, problem.split("\n"))), style="red")
        if self.stopped:
            to.print(printable(self.stopped), style="red")


class Replay:
    """Sends letters of a store.

    Args:
        store: Where they are.
        target: What names the transport.
        catalog: What they are checked by.
        again: Whether to send those too that have been replayed already.
        timeout: How many seconds to wait at most: for the transport to open and to close, and for each event.
    """

    def __init__(self, store: Store, target: str, catalog: Catalog, *, again: bool, timeout: float) -> None:
        self._store = store
        self._target = target
        self._catalog = catalog
        self._again = again
        self._timeout = timeout
        self._sent: set[bytes] = set()
        self.done = Replays()

    async def run(self, ids: Sequence[int]) -> None:
        """Send some letters, until a transport fails."""
        stack = AsyncExitStack()
        try:
            try:
                async with self._limited("to open"):
                    transport = await stack.enter_async_context(opened(self._target))
                for id_ in ids:
                    await self._replay(id_, transport)
            except _Stopped as stopped:
                self.done.stopped = f"{stopped}; run the command again for the rest"
            finally:
                async with self._limited("to close"):
                    await stack.aclose()
        except _Stopped as stopped:
            self.done.stopped = self.done.stopped or str(stopped)

    async def _replay(self, id_: int, transport: Transport) -> None:
        """Replay a letter. Whatever is raised while it is claimed leaves it as one that is not replayed."""
        try:
            with ExitStack() as claim:
                is_same = await self._send(await self._claimed(id_, claim), transport)
        except _AlreadyReplayed:
            self.done.already.append(id_)
        except (NoLetter, _Unsent) as problem:
            self.done.failed[id_] = str(problem)
        else:
            self.done.replayed.append(id_)
            if is_same:
                self.done.same.append(id_)

    async def _claimed(self, id_: int, claim: ExitStack) -> KeptLetter:
        """Claim a letter, once no other replay has it.

        Raises:
            NoLetter: If it is not there.
            _AlreadyReplayed: If it was replayed before, and that is not to be done again.
            _Stopped: If another replay has it for long.
        """
        notice = self._noticed(f"waiting for another replay, which has {id_}")
        limit = asyncio.timeout(self._timeout)
        try:
            async with limit:
                while True:
                    try:
                        return self._unless_replayed(claim.enter_context(self._store.replaying(id_)))
                    except BeingReplayed:
                        await asyncio.sleep(_PAUSE)
        except TimeoutError:
            raise _Stopped(f"another replay has had {id_} for {self._timeout:g} s") from None
        finally:
            notice.cancel()

    def _unless_replayed(self, letter: KeptLetter) -> KeptLetter:
        if letter.replayed_at is not None and not self._again:
            raise _AlreadyReplayed
        return letter

    async def _send(self, letter: KeptLetter, transport: Transport) -> bool:
        """Send a letter's event, and return whether that was done before, for another letter.

        Raises:
            _Stopped: If the transport fails, or takes too long.
            _Unsent: If it cannot be sent.
        """
        event = sha256(letter.raw).digest()
        if event in self._sent:
            return True
        try:
            message = replay_of(letter, self._catalog)
            async with self._limited(f"at {letter.id}"):
                await transport.asend(message)
        except JobariumEventsError as error:
            raise _Unsent(str(error)) from None
        self._sent.add(event)
        return False

    @asynccontextmanager
    async def _limited(self, doing: str) -> AsyncIterator[None]:
        """Let a transport do something, and say so if it takes long.

        Raises:
            _Stopped: If it fails, or takes too long.
        """
        notice = self._noticed(f"waiting for {self._target} {doing}")
        limit = asyncio.timeout(self._timeout)
        try:
            async with limit:
                yield
        except JobariumEventsError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever a broker's client raises, the next would meet it too
            late = f"no answer within {self._timeout:g} s (is the broker there?)"
            raise _Stopped(f"{self._target} failed {doing}: {late if limit.expired() else safe_text(error)}") from None
        finally:
            notice.cancel()

    def _noticed(self, waiting: str) -> asyncio.TimerHandle:
        """Say what is waited for, unless that is cancelled soon."""
        text = printable(f"{waiting}, for {self._timeout:g} s at most")
        after = min(_UNUSUAL, self._timeout / 2)
        return asyncio.get_running_loop().call_later(after, lambda: console(stderr=True).print(text, style="dim"))


class _Stopped(Exception):
    """A transport failed, or another replay takes its time."""


class _Unsent(Exception):
    """An event cannot be sent."""


class _AlreadyReplayed(Exception):
    """A letter was replayed before."""
