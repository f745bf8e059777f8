import pytest
from hypothesis import given

from jobarium_events.evolution.containment.regular import Automaton, Requirement, requirements
from tests.evolution.containment.patterns import TEXTS, matches, patterns
from tests.strategies import examples


def after(automaton, text):
    """Walk an automaton over a text."""
    states = automaton.start
    for letter in text:
        inside = frozenset(
            each for each in automaton.alphabet if any(low <= ord(letter) <= high for low, high in each.ranges)
        )
        states = automaton.next(states, inside)
    return states


def accepts(automaton, text):
    return automaton.accepts(after(automaton, text)) if text else automaton.accepts_nothing


def fulfils(required, text):
    return all(accepts(automaton, text) is holds for automaton, holds in required)


@examples(150)
@given(patterns)
def test_a_text_fulfils_what_a_pattern_asks_for_exactly_if_it_matches(pattern):
    required = requirements(pattern)
    assert required is not None
    assert [text for text in TEXTS if fulfils(required, text) is not matches(pattern, text)] == []


@pytest.mark.parametrize(
    ("pattern", "text"),
    [(r"^\u{1F600}$", "😀"), (r"^[^a]$", "😀"), (r"^\d+$", "٣"), ("^.$", "\u2028"), (r"^[\d-z]$", "-"), ("a{", "a{"),
     (r"^\p{Lu}$", "É"), (r"^\cA$", "\x01"), ("(?<name>a)b", "cab"), ("^(a$|b)c?", "bc"), ("x*", ""), ("$^", ""),
     ("a^", "a"), ("^$|^a", "ab")],
)  # fmt: skip
def test_patterns_with_more_than_letters(pattern, text):
    required = requirements(pattern)
    assert required is not None
    assert fulfils(required, text) is matches(pattern, text)


@pytest.mark.parametrize(
    "pattern", [r"\ba", r"(a)\1", r"(?<n>a)\k<n>", "(?<=a)b", "a(?=b)", "(?!a)b|c", "(", "a{9999}"]
)
def test_what_automata_cannot_say_is_not_said(pattern):
    assert requirements(pattern) is None


def test_a_look_ahead_at_the_start_is_a_requirement_of_its_own():
    required = requirements("^(?!admin)(?=.*[0-9])[a-z0-9]+$")
    assert [each.holds for each in required] == [False, True, True]
    assert all(isinstance(each, Requirement) and isinstance(each.automaton, Automaton) for each in required)


def test_a_match_that_is_found_is_found_whatever_follows():
    (required,) = requirements("ab")
    sure = [required.automaton.is_sure(after(required.automaton, text)) for text in ("", "a", "ab", "aba")]
    assert sure == [False, False, True, True]
    assert after(required.automaton, "ab") == after(required.automaton, "abbb")
