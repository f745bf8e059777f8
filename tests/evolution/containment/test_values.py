import itertools

from hypothesis import given
from hypothesis import strategies as st

from jobarium_events.evolution.containment.values import different, distinct, identity
from jobarium_events.validation import compile_schema
from tests.evolution.containment.meaning import Steps
from tests.strategies import examples
from tests.validation.schemas import documents

lists = st.lists(st.lists(st.integers(0, 5), max_size=4, unique=True), max_size=5)


@examples(150)
@given(documents, documents)
def test_two_values_are_identical_exactly_if_the_validators_take_them_for_equal(one, other):
    assert (identity(one) == identity(other)) is compile_schema({"const": one}).is_valid(other)


def test_a_number_is_no_boolean_and_may_be_spelt_in_several_ways():
    assert identity(1) == identity(1.0) == identity(1e0)
    assert identity(0.1) != identity(0.1 + 2**-55)
    assert len({identity(value) for value in (1, True, "1", [1], {"1": 1}, [], {}, None, 0, False, "")}) == 11


@examples(200)
@given(lists)
def test_values_can_be_chosen_all_different_exactly_if_some_choice_of_them_is(choices):
    every = [list(each) for each in itertools.product(*choices) if len(set(each)) == len(each)]
    chosen = distinct(choices)
    assert chosen in every if every else chosen is None


@examples(100)
@given(lists)
def test_every_choice_of_different_values_is_found(choices):
    every = [list(each) for each in itertools.product(*choices) if len(set(each)) == len(each)]
    assert list(different(choices, Steps())) == every
