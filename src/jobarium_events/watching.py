"""How the hooks of a consumer are told of one event, however it ends."""

from __future__ import annotations

from time import perf_counter
from typing import TYPE_CHECKING, Self

from jobarium_events.envelope import Outcome
from jobarium_events.errors import Rejection, ViewError
from jobarium_events.observing import Consumed, Hooks, notify

if TYPE_CHECKING:
    from jobarium_events.routing import Route

__all__ = ["Watch"]


class Watch:
    """Tells the hooks of one event when its block ends.

    Attributes:
        route: Which way the event went, once that is known.
        rejection: Why it was rejected, if it was.
        outcome: What became of it; None if it raised.
    """

    __slots__ = ("consumer", "hooks", "outcome", "rejection", "route", "start")

    def __init__(self, consumer: str, hooks: tuple[Hooks, ...]) -> None:
        self.consumer = consumer
        self.hooks = hooks
        self.route: Route | None = None
        self.rejection: Rejection | None = None
        self.outcome: Outcome | None = None

    def __enter__(self) -> Self:
        self.start = perf_counter()
        return self

    def ended(self, outcome: Outcome) -> Outcome:
        """Note what became of the event, and return it."""
        self.outcome = outcome
        return outcome

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: object) -> None:
        if not self.hooks:
            return
        known = self.rejection or self.route or (error if isinstance(error, ViewError) else None)
        reason = self.rejection.reason if self.rejection else None
        if reason is None and kind is not None:
            reason = "error"
        if self.outcome is Outcome.SKIPPED:
            reason = "no-handler"
        details = Consumed(
            consumer=self.consumer,
            event=known.event if known else None,
            version=known.version if known else None,
            outcome=self.outcome,
            reason=reason,
            seconds=perf_counter() - self.start,
        )
        notify(self.hooks, details)
