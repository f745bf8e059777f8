import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobarium_events.evolution.containment.atoms import Among, Formatted, Longest, Patterned, Shortest, denied
from jobarium_events.evolution.containment.strings import strings
from tests.evolution.containment.meaning import Steps, holds
from tests.evolution.containment.patterns import TEXTS, patterns
from tests.strategies import examples

atoms = st.one_of(
    st.builds(Shortest, st.integers(0, 3)),
    st.builds(Longest, st.integers(-1, 4)),
    st.builds(Patterned, patterns, st.booleans()),
    st.builds(Among, st.frozensets(st.sampled_from(TEXTS[:30]), max_size=4), st.booleans()),
)


def found(*said, count=1, wide=True):
    return strings(said, count, Steps(), wide=wide)


@examples(150)
@given(st.lists(atoms, max_size=4), st.integers(1, 5))
def test_strings_are_found_exactly_if_they_are_there(said, count):
    texts, complete, opaque = found(*said, count=count)
    fitting = [text for text in TEXTS if all(holds(atom, text) for atom in said)]
    assert opaque == set()
    assert all(holds(atom, text) for atom in said for text in texts)
    assert len(set(texts)) == len(texts) <= count
    assert complete or len(texts) == count
    assert not complete or set(fitting) <= set(texts)


@pytest.mark.parametrize("name", ["uuid", "date", "ipv4", "json-pointer"])
def test_a_format_that_is_known_exactly_can_be_both_held_and_failed(name):
    held = found(Formatted(name, holds=True))
    failed = found(Formatted(name, holds=False))
    assert len(held[0]) == len(failed[0]) == 1
    assert found(Formatted(name, holds=True), *map(denied, [Formatted(name, holds=True)]))[0] == []


def test_where_a_format_is_not_known_exactly_a_proof_errs_one_way_and_a_witness_the_other():
    between = [Formatted("hostname", holds=False), Patterned(r"^[a-z]{3}(\.[a-z]{3}){4}$", holds=True)]
    assert found(*between, wide=False)[:2] == ([], True)
    texts, _, opaque = found(*between, wide=True)
    assert len(texts) == 1
    assert opaque == {"format 'hostname'"}


def test_a_listed_text_of_which_a_format_is_not_known_goes_with_the_doubt():
    listed = [Among(frozenset(["a.b.c.d.e.f", "a b"]), holds=True), Formatted("hostname", holds=True)]
    assert found(*listed, wide=True, count=3) == (["a.b.c.d.e.f"], True, {"format 'hostname'"})
    assert found(*listed, wide=False, count=3) == ([], True, {"format 'hostname'"})


def test_a_format_implies_another():
    assert found(Formatted("uri", holds=True), Formatted("iri-reference", holds=False))[:2] == ([], True)
    assert found(Formatted("iri", holds=True), Formatted("uri", holds=False))[0] != []


def test_a_pattern_that_automata_cannot_say_is_left_out_and_told():
    texts, complete, opaque = found(Patterned(r"\ba", holds=True), Longest(1))
    assert texts
    assert not complete
    assert opaque == {r"pattern '\\ba'"}
