"""Which of the differences between two contracts are to blame where a reader breaks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jobarium_events.evolution.changes import ChangeKind
from jobarium_events.evolution.verdicts import Containment, Reader, Verdict

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jobarium_events.evolution.differences import Difference
    from jobarium_events.evolution.judging import Delivery

__all__ = ["Blame"]

_BY_ITSELF = 12
"""The differences that are judged by themselves, for each reader, among those that should break it and the others.

Each takes a proof about the whole contract, so that without a bound the time would grow with the square of its size.
"""

_HARMLESS = frozenset(
    (
        ChangeKind.FIELD_ADDED_OPTIONAL,
        ChangeKind.FIELD_REMOVED,
        ChangeKind.EXTENSIBLE_ENUM_NARROWED,
        ChangeKind.EXTENSIBLE_ENUM_WIDENED,
        ChangeKind.EXTENSIBLE_ENUM_CHANGED,
    )
)
_LESS = ("-narrowed", "-added", "-added-required", "became-required", "map-closed", "enum-closed")
_MORE = ("-widened", "-removed", "-removed-required", "became-optional", "map-opened", "enum-opened")


class Blame:
    """Finds who is to blame, within bounds.

    Args:
        differences: How many there are; a single one is to blame for everything.
    """

    def __init__(self, differences: int) -> None:
        self._differences = differences
        self._judged: dict[tuple[Reader, bool], int] = {}

    def of(self, delivery: Delivery, met: Sequence[Difference]) -> Containment:
        """Return whether one difference, wherever it is met, makes consumers refuse what is emitted.

        Args:
            delivery: What does not arrive, or may not.
            met: The difference, once for each use of the definition that it stands in.

        Returns:
            With a witness for this difference alone. Where there are too many differences for that, those that should
            break the reader, by their kind, share the witness of the whole contract.
        """
        if self._differences == 1:
            return delivery.containment
        answer = Containment(Verdict.CONTAINED)
        for each in met:
            alone = self._alone(delivery, each)
            if alone.verdict is Verdict.NOT_CONTAINED:
                return alone
            answer = alone if alone.verdict is Verdict.UNPROVEN else answer
        return answer

    def _alone(self, delivery: Delivery, difference: Difference) -> Containment:
        likely = _should_break(difference, delivery.whom)
        key = delivery.whom, likely
        self._judged[key] = self._judged.get(key, 0) + 1
        if self._judged[key] > _BY_ITSELF:
            return delivery.containment if likely else Containment(Verdict.CONTAINED)
        old, new = difference.before, difference.after
        places = (old, new) if delivery.whom is Reader.NEW else (new, old)
        return delivery.alone(*places, difference.paths)


def _should_break(difference: Difference, whom: Reader) -> bool:
    """Whether a difference breaks a reader as its kind goes, if nothing else in the contract sees to it."""
    kind = difference.named
    if kind in _HARMLESS:
        return False
    return not kind.endswith(_MORE if whom is Reader.NEW else _LESS)
