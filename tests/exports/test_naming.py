"""Names of services as parts of paths."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobarium_events.exports.naming import plain_names
from tests.exports.catalogs import HOSTILE
from tests.strategies import some

services = (
    st.sampled_from(["a", "A", "a.b", "A-b", "a b", "", " ", "..", ".", "x" * 300, "é", "a/b", *HOSTILE]) | st.text()
)


@pytest.mark.parametrize(
    ("service", "name"),
    [("job-service", "job-service"), ("a.b_c", "a.b_c"), ("Billing Service", "Billing-Service"), ("../x/", "x")],
)
def test_a_name_stays_as_it_is_as_far_as_it_can(service, name):
    assert plain_names([service]) == {service: name}


def test_names_that_would_be_alike_end_with_a_digest():
    made = plain_names(["a b", "A-b", "c", "taken"], ["Taken"])
    assert made["c"] == "c"
    assert all(
        re.fullmatch(rf"{start}-[0-9a-f]{{12}}", made[name])
        for name, start in {"a b": "a-b", "A-b": "A-b", "taken": "taken"}.items()
    )
    assert plain_names(["A-b", "a b"]) == {name: made[name] for name in ("A-b", "a b")}


def test_a_digest_that_is_taken():
    [first] = plain_names(["a"], ["a"]).values()
    [second] = plain_names(["a"], ["a", first]).values()
    assert first != second


@given(names=st.lists(services, unique=True, max_size=12), taken=st.lists(services, max_size=4))
@some
def test_names_are_plain_and_never_alike(names, taken):
    made = plain_names(names, taken)
    assert made.keys() == set(names)
    assert all(re.fullmatch(r"[0-9A-Za-z]+([._-][0-9A-Za-z]+)*", name) and len(name) <= 80 for name in made.values())
    folded = [name.casefold() for name in made.values()]
    assert len(set(folded)) == len(folded)
    assert not set(folded) & {name.casefold() for name in taken}
