import json
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobarium_events.evolution.containment.atoms import Among, AtLeast, AtMost, Multiple
from jobarium_events.evolution.containment.formulas import fraction
from jobarium_events.evolution.containment.numbers import numbers
from tests.evolution.containment.meaning import Steps, holds
from tests.strategies import examples

BOUND = 6
LINE = [Fraction(each, 4) for each in range(-4 * BOUND, 4 * BOUND + 1)]

some = st.sampled_from([Fraction(each, 2) for each in range(-6, 7)])
steps = st.sampled_from([Fraction(1), Fraction(2), Fraction(3), Fraction(1, 2), Fraction(3, 4)])
atoms = st.one_of(
    st.builds(AtLeast, some, st.booleans()),
    st.builds(AtMost, some, st.booleans()),
    st.builds(Multiple, steps, st.booleans()),
    st.builds(Among, st.frozensets(some, max_size=3), st.booleans()),
)
enclosed = [AtLeast(Fraction(-BOUND), strict=False), AtMost(Fraction(BOUND), strict=False)]
quarters = Multiple(Fraction(1, 4), holds=True)


def fits(number, said):
    return all(holds(atom, json.loads(str(Decimal(number.numerator) / number.denominator))) for atom in said)


@examples(200)
@given(st.lists(atoms, max_size=5), st.integers(1, 4))
def test_numbers_of_a_grid_are_found_exactly_if_they_are_there(said, count):
    said = [*said, *enclosed, quarters]
    found, complete = numbers(said, count, Steps())
    fitting = [number for number in LINE if fits(number, said)]
    assert len(set(found)) == len(found) == min(count, len(fitting))
    assert {fraction(each) for each in found} <= set(fitting)
    assert complete == (len(found) < count) or len(found) == len(fitting)


@examples(200)
@given(st.lists(atoms, max_size=5))
def test_what_is_found_fits_and_none_is_missed(said):
    found, complete = numbers(said, 1, Steps())
    assert all(holds(atom, number) for atom in said for number in found)
    if complete and not found:
        assert [number for number in LINE if fits(number, said)] == []
    assert found or complete  # these are not too fine for any


@pytest.mark.parametrize(
    ("said", "first"),
    [
        ([], 0),
        ([AtLeast(Fraction(0), strict=True)], 1),
        ([AtMost(Fraction(0), strict=True)], -1),
        ([AtLeast(Fraction(0), strict=True), AtMost(Fraction(1), strict=True)], 0.1),
        ([Multiple(Fraction(3), holds=True), AtLeast(Fraction(100), strict=False)], 102),
        ([Multiple(Fraction(1), holds=False)], 0.1),
        ([Multiple(Fraction(1, 100), holds=True), AtLeast(Fraction(0), strict=True)], 0.01),
    ],
)
def test_the_number_that_is_nearest_to_zero_comes_first(said, first):
    assert numbers(said, 1, Steps())[0] == [first]


@pytest.mark.parametrize(
    "said",
    [
        [AtLeast(Fraction(1), strict=True), AtMost(Fraction(1), strict=False)],
        [Multiple(Fraction(6), holds=True), Multiple(Fraction(3), holds=False)],
        [
            Multiple(Fraction(1, 2), holds=True),
            Multiple(Fraction(1, 3), holds=True),
            Multiple(Fraction(1), holds=False),
        ],
        [Multiple(Fraction(7), holds=True), AtLeast(Fraction(1), strict=False), AtMost(Fraction(6), strict=False)],
        [Among(frozenset([Fraction(1)]), holds=True), Among(frozenset([Fraction(1)]), holds=False)],
    ],
)
def test_where_there_is_none_it_is_proven(said):
    assert numbers(said, 1, Steps()) == ([], True)


def test_between_two_numbers_there_are_others_but_not_without_end():
    close = [AtLeast(Fraction(0), strict=True), AtMost(Fraction(1, 10**15), strict=True)]
    assert numbers(close, 1, Steps()) == ([1e-16], False)
    closer = [AtLeast(Fraction(0), strict=True), AtMost(Fraction(1, 10**30), strict=True)]
    assert numbers(closer, 1, Steps()) == ([], False)


def test_a_number_that_python_cannot_hold_is_not_found_and_nothing_is_proven():
    high = [AtLeast(Fraction(10**16), strict=True), AtMost(Fraction(10**16 + 1), strict=True)]
    assert numbers([*high, Multiple(Fraction(1, 2), holds=True)], 1, Steps()) == ([], False)
    assert numbers([Among(frozenset([Fraction(10**400 * 2 + 1, 2)]), holds=True)], 1, Steps()) == ([], False)
    assert numbers([Among(frozenset([Fraction(10**400)]), holds=True)], 1, Steps()) == ([10**400], False)


def test_a_search_stops_where_it_is_told_to():
    with pytest.raises(TimeoutError):
        numbers(
            [Multiple(Fraction(1), holds=True), Among(frozenset(map(Fraction, range(-500, 500))), holds=False)],
            1,
            Steps(99),
        )
