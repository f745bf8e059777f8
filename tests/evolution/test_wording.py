"""What each side says of a witness, in words."""

from jobarium_events.errors import Violation
from jobarium_events.evolution.allowing import to_registry
from jobarium_events.evolution.reports import Mode
from jobarium_events.evolution.wording import explanation
from tests.evolution.test_meanings import contract

FOUND = [Violation(f"/{name}", "required") for name in "abcde"]


def test_of_what_is_found_against_a_witness_three_are_said_and_the_others_counted() -> None:
    for count, end in ((1, f"{FOUND[0]}"), (3, f"; {FOUND[2]}"), (4, f"; {FOUND[2]}; and 1 more"), (5, "; and 2 more")):
        (writer, accepts), (reader, said) = explanation("producers", "consumers", FOUND[:count])
        assert (writer, accepts, reader) == ("producers", "accepts", "consumers")
        assert said.startswith(str(FOUND[0]))
        assert said.endswith(end)


def test_what_a_registry_would_refuse_is_told_so() -> None:
    (finding,) = to_registry(contract({}), contract({"required": [*"abcde"]}), "file", Mode.BACKWARD)
    assert finding.explanation == explanation("the old schema", "the new schema", FOUND)
