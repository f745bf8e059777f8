"""What does not fit in a document: said in the words of those who write it, for whatever `msgspec` refuses."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobarium_events.misfits import misfits
from tests.strategies import examples


class Colour(StrEnum):
    RED = "red"
    BLUE = "blue"


class Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    name: Annotated[str, msgspec.Meta(min_length=1, pattern=r"\S")]
    count: Annotated[int, msgspec.Meta(ge=1, le=3)] = 1
    share: Annotated[float, msgspec.Meta(gt=0)] | None = None


class Open(msgspec.Struct, frozen=True):
    on: bool = False


class Whole(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    code: Annotated[str, msgspec.Meta(pattern="^A[0-9]$")]
    colours: Mapping[Colour, tuple[str, ...]] = {}
    parts: tuple[Part, ...] = ()
    open: Open | None = None


def told(document: object) -> list[str]:
    return [str(each) for each in misfits(document, Whole)]


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"code": "B1"}, "'code' is not written like that; write a text that matches ^A[0-9]$"),
        ({"code": " "}, "'code' is empty; write a text that matches ^A[0-9]$"),
        ({"code": 1.5}, "'code' is a number; write a text that matches ^A[0-9]$"),
        ({"codes": 1}, "'codes' means nothing; write one of code, colours, parts, open"),
        ({"colours": {"red": "x"}}, "'colours.red' is a text; write a list with a text for each entry"),
        ({"colours": {"pink": []}}, "'colours.pink' means nothing; write one of red, blue"),
        ({"colours": {"red": ["x", {}]}}, "entry 2 of 'colours.red' is a table; write a text"),
        ({"parts": {}}, "'parts' is a table; write a list with a table for each entry"),
        ({"parts": [{"name": "a"}, {}]}, "'name' in entry 2 of 'parts' is missing; write a text"),
        ({"parts": [{"name": "a", "count": 4}]},
         "'count' in entry 1 of 'parts' is 4; write a whole number from 1 to 3"),
        ({"parts": [{"name": "a", "share": 0}]}, "'share' in entry 1 of 'parts' is 0; write a number above 0"),
        ({"parts": [{"name": "a", "share": True}]},
         "'share' in entry 1 of 'parts' is true or false; write a number above 0"),
        ({"open": {"on": "yes", "more": 1}}, "'open.on' is a text; write true or false"),
    ],
)  # fmt: skip
def test_a_mistake_in_words(changed, said):
    assert told({"code": "A1", **changed}) == [said]


def test_every_mistake_is_told():
    found = told({"colours": {"red": 1}, "parts": [{"name": ""}, 5], "x": 1})
    assert [each.partition(" is ")[0].partition(" means ")[0] for each in found] == [
        "'x'",
        "'code'",
        "'colours.red'",
        "'name' in entry 1 of 'parts'",
        "entry 2 of 'parts'",
    ]


def test_a_line_is_that_of_the_key_or_of_what_it_stands_in():
    (misfit,) = misfits({"code": "A1", "open": {"on": 1}}, Whole)
    assert misfit.line({"open": 2, "open.on": 3}) == 3
    assert misfit.line({"open": 2, "on": 3}) == 2
    assert misfit.line({}) == 0


values = st.recursive(
    st.none() | st.booleans() | st.integers(-1, 5) | st.floats() | st.dates() | st.sampled_from(["", " ", "A1", "red"]),
    lambda within: st.lists(within, max_size=3)
    | st.dictionaries(st.sampled_from(["name", "count", "share", "red", "on", "", "x"]), within, max_size=3),
    max_leaves=8,
)  # fmt: skip


@given(st.fixed_dictionaries({}, optional=dict.fromkeys(("code", "colours", "parts", "open", "x"), values)))
@examples(300)
def test_there_is_a_mistake_where_and_only_where_msgspec_refuses(document):
    try:
        msgspec.convert(document, Whole)
    except msgspec.ValidationError:
        assert told(document)
        assert not any("`" in each for each in told(document)), "the words of msgspec's types"
    else:
        assert told(document) == []
