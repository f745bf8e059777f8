from __future__ import annotations

import gc

import pytest

from benchmarks.timing import Effort, Runner, Task, compared, race

BRIEF = Effort(rounds=6, slice_seconds=0.0001, processes=1)


def test_a_ratio_is_the_median_of_the_rounds_ratios():
    # The second round was disturbed, and both sides with it; the third one side alone.
    ratio = compared([2.0, 20.0, 90.0, 2.0, 2.0], [1.0, 10.0, 1.0, 1.0, 1.0])
    assert ratio.value == 2.0
    assert (ratio.low, ratio.high) == (2.0, 2.0)


def test_a_ratio_keeps_each_sides_best_round():
    ratio = compared([3.0, 2.0], [1.5, 4.0])
    assert (ratio.seconds, ratio.base_seconds) == (2.0, 1.5)


def test_the_spread_is_told_by_the_quartiles():
    ratio = compared([1.0, 2.0, 3.0, 4.0, 5.0], [1.0] * 5)
    assert (ratio.low, ratio.value, ratio.high) == (2.0, 3.0, 4.0)


def test_sides_of_different_rounds_are_not_compared():
    with pytest.raises(ValueError, match="shorter"):
        compared([1.0, 2.0], [1.0])


def test_a_race_gives_every_task_every_round():
    times = race([Task.of(abs, -1), Task.of(max, 1, 2), Task.of(dict)], BRIEF)
    assert [len(each) for each in times] == [6, 6, 6]
    assert all(seconds > 0 for each in times for seconds in each)


def test_the_order_rotates():
    calls: list[str] = []
    runs = race([Task.of(calls.append, name) for name in "ab"], Effort(rounds=2, slice_seconds=0, processes=1))
    assert len(runs) == 2
    # After calibration, one call each: a before b in the first round, b before a in the second.
    assert calls[-4:] == ["a", "b", "b", "a"]


def test_a_task_calls_with_each_input_in_turn():
    calls: list[tuple[int, ...]] = []

    def note(*given: int) -> None:
        calls.append(given)

    Runner(Task(note, ((1,), (2, 3), ())), 0).run()
    assert calls[-3:] == [(1,), (2, 3), ()]


def test_the_garbage_collector_is_on_while_timing():
    seen: list[bool] = []
    Runner(Task.of(lambda: seen.append(gc.isenabled())), 0).run()
    assert all(seen)
    assert gc.isenabled()


def test_slices_of_a_slow_task_are_single_calls():
    calls: list[int] = []

    def slow() -> None:
        calls.append(sum(range(2000)))

    runner = Runner(Task.of(slow), 1e-9)
    before = len(calls)
    runner.run()
    assert len(calls) == before + 1
