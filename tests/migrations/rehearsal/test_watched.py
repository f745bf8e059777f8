"""What is told of the locks of a step, by the looks at it."""

from __future__ import annotations

import pytest

from jobarium_events.migrations.rehearsal.relations import Relation
from jobarium_events.migrations.rehearsal.watched import Found, Watched

JOB = 7
MODE = "RowExclusiveLock"


@pytest.mark.parametrize(
    ("looks", "seconds"),
    [
        ([(1.0, True), (1.01, True), (1.03, True), (1.04, False)], 0.03),
        ([(1.0, False), (1.02, True), (1.03, False)], 0.02),  # met once: no longer than from one look to the next
    ],
)
def test_how_long_a_lock_was_held(looks: list[tuple[float, bool]], seconds: float) -> None:
    watched = Watched(1, "select 1", 1.0, {JOB: Relation("job", "r", 1, None)})
    before = 0.99
    for at, is_held in looks:
        watched.look([Found(1, JOB, MODE, True, None, None)] if is_held else [], frozenset(), at, before)
        before = at
    (held,) = watched.locks(before, None)
    assert (held.table, held.mode, held.seconds) == ("job", MODE, pytest.approx(seconds))
