import copy
import json

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from jobarium_events.evolution.shrinking import CALLS, shrunk
from jobarium_events.validation import compile_schema
from tests.strategies import documents, examples, some
from tests.validation.schemas import cases


def size(document):
    """How many values and characters a document has."""
    match document:
        case str():
            return 1 + len(document)
        case list():
            return 1 + sum(map(size, document))
        case dict():
            return 1 + sum(map(size, document)) + sum(map(size, document.values()))
    return 1


@pytest.mark.parametrize(
    ("document", "holds", "smallest"),
    [
        ({"a": [1, 2], "b": "text"}, lambda _: True, None),
        ({"a": [1, 2], "b": "text"}, lambda each: isinstance(each, dict), {}),
        ({"a": 1, "b": 2, "c": 3}, lambda each: isinstance(each, dict) and "b" in each, {"b": None}),
        ([1, 2, 3, 4, 5, 6, 7], lambda each: isinstance(each, list) and len(each) > 2, [None, None, None]),
        (list(range(50)), lambda each: isinstance(each, list) and 33 in each, [33]),
        ("abcdef", lambda each: isinstance(each, str) and "d" in each, "d"),
        ("ééé", lambda each: isinstance(each, str) and len(each) == 3, "aaa"),
        (4711, lambda each: type(each) is int and each > 100, 101),
        (4711, lambda each: type(each) is int and each > 1000, 1001),
        (-4711, lambda each: type(each) is int and each < -5, -6),
        (3.14159, lambda each: isinstance(each, float) and each % 1 != 0, 0.5),
        (True, lambda each: isinstance(each, bool), False),
        (
            {"id": "some id", "at": "2026-03-01T12:00:00Z", "delta": 0.7071},
            compile_schema({"required": ["id"], "properties": {"id": {"type": "string"}}}).is_valid,
            None,
        ),
    ],
)
def test_what_is_left_is_the_smallest(document, holds, smallest):
    assert json.dumps(shrunk(document, holds)) == json.dumps(smallest)


@given(cases(), st.data())
@examples(40)
def test_the_result_still_holds_is_no_larger_and_shrinks_no_further(case, data):
    schema, found = case
    holds = compile_schema(schema).is_valid
    document = data.draw(st.sampled_from(found))
    assume(holds(document))
    before = copy.deepcopy(document)

    result = shrunk(document, holds)

    assert holds(result)
    assert size(result) <= size(document)
    assert json.dumps(shrunk(result, holds)) == json.dumps(result)
    assert json.dumps(document) == json.dumps(before), "the document itself was changed"


@given(documents)
@some
def test_the_result_is_the_same_every_time(document):
    def holds(candidate):
        return size(candidate) % 3 == size(document) % 3

    assert json.dumps(shrunk(document, holds)) == json.dumps(shrunk(copy.deepcopy(document), holds))


@pytest.mark.parametrize("calls", [0, 1, 10, CALLS])
def test_the_calls_are_bounded(calls):
    asked = []

    def holds(candidate):
        asked.append(candidate)
        return isinstance(candidate, list) and sum(map(bool, candidate)) % 97 == 0

    assert holds(shrunk([1] * 97 * 5, holds, calls=calls))
    assert len(asked) <= calls + 1


@pytest.mark.parametrize("length", [100, 4_000, 40_000])
def test_a_long_text_becomes_as_short_as_it_may_be(length):
    document = {"a": "b" * 10 * length, "b": "more"}

    def holds(each):
        return isinstance(each, dict) and isinstance(each.get("a"), str) and len(each["a"]) > length

    assert shrunk(document, holds) == {"a": "a" * (length + 1)}


@pytest.mark.parametrize(
    "document", [{"a": "xyz" * 100_000}, {"a": "xyz", "b": list(range(1_000))}], ids=["a long text", "a long list"]
)
def test_the_work_is_bounded_whatever_the_size(document):
    seen = []

    def holds(candidate):
        seen.append(size(candidate))
        return candidate == document or seen[-1] % 97 == 0

    shrunk(document, holds)
    assert sum(seen) < CALLS * 10_000 + size(document)
