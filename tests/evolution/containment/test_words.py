import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobarium_events.evolution.containment.regular import Requirement, requirements
from jobarium_events.evolution.containment.words import words
from tests.evolution.containment.meaning import Steps
from tests.evolution.containment.patterns import TEXTS, matches, patterns
from tests.strategies import examples


def required(*held, fails=()):
    denied = [Requirement(each.automaton, not each.holds) for pattern in fails for each in requirements(pattern)]
    return [each for pattern in held for each in requirements(pattern)] + denied


def found(*held, fails=(), least=0, most=None, count=1, without=(), steps=1_000_000):
    return words(required(*held, fails=fails), least, most, count, without=frozenset(without), spend=Steps(steps))


@examples(200)
@given(patterns, patterns, st.integers(0, 3), st.one_of(st.none(), st.integers(0, 4)))
def test_a_text_is_found_exactly_if_there_is_one_and_it_is_a_shortest(one, other, least, most):
    texts, _ = found(one, other, least=least, most=most)
    fitting = [
        text
        for text in TEXTS
        if matches(one, text) and matches(other, text) and least <= len(text) and (most is None or len(text) <= most)
    ]
    for text in texts:
        assert matches(one, text)
        assert matches(other, text)
        assert least <= len(text)
        assert most is None or len(text) <= most
    if fitting:
        assert len(texts[0]) == min(map(len, fitting))
    elif texts:
        assert len(texts[0]) > 5 or not set(texts[0]) <= set("ab\n")


@examples(100)
@given(patterns)
def test_a_pattern_and_its_denial_have_no_text_in_common(pattern):
    required_ = requirements(pattern)
    denied = [Requirement(required_[-1].automaton, holds=False)]
    assert words([*required_, *denied], 0, None, 1, without=frozenset(), spend=Steps()) == ([], True)


@examples(150)
@given(patterns, st.integers(1, 30), st.integers(0, 3), st.sets(st.sampled_from(TEXTS[:40]), max_size=5))
def test_several_texts_are_all_different_and_all_that_there_are_if_it_says_so(pattern, count, most, without):
    texts, complete = found("^[ab\n]*$", pattern, most=most, count=count, without=without)
    fitting = {text for text in TEXTS if len(text) <= most and matches(pattern, text)} - without
    assert len(texts) == len(set(texts)) == min(count, len(fitting))
    assert set(texts) <= fitting
    assert not complete or set(texts) == fitting


@pytest.mark.parametrize("pattern", ["^.$", "^[^a]$", None])
def test_there_are_as_many_one_character_texts_as_are_wanted(pattern):
    excluded = {chr(code) for code in range(0x20, 0x320)}
    texts, complete = found(*filter(None, [pattern]), least=1, most=1, count=1_200, without=excluded)
    assert len(set(texts)) == 1_200
    assert not complete
    assert {len(text) for text in texts} == {1}
    assert excluded.isdisjoint(texts)


def test_no_text_has_half_of_a_surrogate_pair():
    assert found(r"[\ud800]") == ([], True)
    texts, _ = found("^[\ud7ff-\ue000]$", count=5)
    assert sorted(texts) == ["\ud7ff", "\ue000"]


def test_texts_are_such_as_a_person_can_read():
    assert found("^.$") == (["a"], False)
    assert found("^[^a-z]{2}$") == (["00"], False)
    assert found("^[\x00-é]$", count=3)[0] == ["a", "b", "c"]


def test_a_length_alone_costs_nothing():
    texts, complete = words([], 1_000_000, 1_000_000, 2, without=frozenset(["a" * 1_000_000]), spend=Steps(0))
    assert [len(text) for text in texts] == [1_000_000] * 2
    assert not complete
    assert words([], 0, 0, 2, without=frozenset(), spend=Steps(0)) == ([""], True)
    assert words([], 3, 2, 1, without=frozenset(), spend=Steps(0)) == ([], True)


def test_a_search_stops_where_it_is_told_to():
    with pytest.raises(TimeoutError):
        found("^(a|b)*a(a|b){25}$", fails=["^(b|a)*a(b|a){25}$"], steps=5_000)


def test_what_is_denied_for_good_is_not_followed_further():
    many = [f"{letter}" for letter in "abcdefghijklmnopqrst"]
    assert found(fails=[*many, "^[^a-t]*$"], steps=5_000) == ([], True)


def test_a_text_too_long_to_be_built_is_not_said_to_be_none():
    assert found(least=10**20) == ([], False)
