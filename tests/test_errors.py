"""Errors are values, with texts that hold nothing of a payload."""

import copy
import json
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobarium_events import Consumer, JobariumEventsError, Producer, Violation, errors
from jobarium_events.errors import (
    CatalogError,
    ConsumptionGap,
    DeclarationError,
    EmitRetired,
    ForeignEvent,
    HandlerFailed,
    InvalidPayload,
    InvalidUpcast,
    Malformed,
    PayloadRefused,
    Problem,
    Rejection,
    RetiredVersion,
    SchemaError,
    UndeclaredVersion,
    UnexpectedProducer,
    UnknownContract,
    UnknownEvent,
    UnknownVersion,
    ViewError,
)
from tests import strategies
from tests.strategies import BUNDLED, event_of, sample, some

BROKEN = Violation("/payload/a", "maximum", 3)
LISTED = Violation("/payload/b", "enum", ["x", "y"])

EXAMPLES = {
    "schema at /a: is odd": lambda: SchemaError("is odd", "/a"),
    "schema: is odd": lambda: SchemaError("is odd"),
    "the catalog f has 1 mistake:\n  - a.json at /b: is odd": lambda: CatalogError(
        "f", [Problem("a.json", "/b", "is odd")]
    ),
    "the catalog f has 2 mistakes:\n  - a: b\n  - c: d": lambda: CatalogError(
        "f", (each for each in [Problem("a", "", "b"), Problem("c", "", "d")])
    ),
    "the catalog has no event 'job.updatd'; did you mean job.updated?": lambda: UnknownContract(
        "job.updatd", None, ["job.updated", "qa.submitted"]
    ),
    "the catalog has no event 'x'": lambda: UnknownContract("x", None, ["job.updated"]),
    "the catalog has no a v3; it has v1, v2": lambda: UnknownContract("a", "v3", ["v1", "v2"]),
    "the catalog has no a v3; it has none": lambda: UnknownContract("a", "v3", []),
    "the catalog has no a v1; it has v2": lambda: UnknownContract("a", "v1", ["v2"]),
    "mend it": lambda: DeclarationError("mend it"),
    "consumer 'c' is not complete:\n  - a\n  - b": lambda: ConsumptionGap("c", ["a", "b"]),
    "a has no active version; declare one with Producer(declares=...)": lambda: UndeclaredVersion("a", None, None),
    "a v1 was not declared: this producer declares v2; emit a payload of v2, or change `declares`": lambda: (
        UndeclaredVersion("a", "v1", "v2")
    ),
    "a v1 is retired; emit a newer version": lambda: EmitRetired("a", "v1"),
    "a belongs to b; c may not emit it": lambda: ForeignEvent("a", "v1", "b", "c"),
    "a v1 was not emitted, it breaks its contract:\n  - /payload/a: breaks maximum 3": lambda: PayloadRefused(
        "a", "v1", iter([BROKEN])
    ),
    "a v1 was rejected, malformed: not JSON": lambda: Malformed("not JSON", "a", "v1"),
    "an unreadable event was rejected, malformed: not JSON": lambda: Malformed("not JSON"),
    "a v1 was rejected, unknown-event": lambda: UnknownEvent("a", "v1"),
    "a v1 was rejected, unknown-version": lambda: UnknownVersion("a", "v1"),
    "a v1 was rejected, retired-version": lambda: RetiredVersion("a", "v1"),
    "a v1 was rejected, unexpected-producer\n  - /payload/a: breaks maximum 3": lambda: UnexpectedProducer(
        "a", "v1", BROKEN
    ),
    "a v1 was rejected, invalid-payload\n  - /payload/a: breaks maximum 3\n  - /payload/b: must be one of x, y": lambda: (  # noqa: E501
        InvalidPayload("a", "v1", BROKEN, explain=lambda: [BROKEN, LISTED])
    ),
    "a v1 was rejected, handler-failed: its handler failed once": lambda: HandlerFailed(
        "a", "v1", problem="its handler failed once"
    ),
    "a v1 was rejected, invalid-upcast\n  - /payload/b: must be one of x, y": lambda: InvalidUpcast("a", "v1", LISTED),
    "V refuses an event, a v1, that its contract accepts; mend V:\n  - /a": lambda: ViewError("a", "v1", "V", ["/a"]),
}
every_error = pytest.mark.parametrize(
    ("text", "make"), EXAMPLES.items(), ids=lambda each: each if callable(each) else ""
)


@every_error
def test_errors_are_values(text, make):
    error = make()
    assert str(error) == text
    assert isinstance(error, JobariumEventsError)
    assert error == make()
    assert hash(error) == hash(make())
    assert {error, make()} == {error}
    assert error != text
    for other in EXAMPLES.values():
        assert (make() == other()) == (other is make)


@every_error
def test_errors_travel(text, make):
    error = make()
    for copied in (pickle.loads(pickle.dumps(error)), copy.copy(error), copy.deepcopy(error)):
        assert copied == error
        assert (type(copied), str(copied), hash(copied)) == (type(error), text, hash(error))
        assert getattr(copied, "violations", ()) == getattr(error, "violations", ())


@every_error
def test_what_an_error_shows_of_itself(text, make):
    error = make()
    assert repr(error).startswith(f"{type(error).__name__}(")
    assert "<" not in repr(error)


def test_every_error_has_an_example():
    tree = {getattr(errors, name) for name in errors.__all__} - {Problem, Violation}
    assert {type(make()) for make in EXAMPLES.values()} == tree - {JobariumEventsError, errors.EmitError, Rejection}
    assert all(issubclass(each, JobariumEventsError) for each in tree)
    assert issubclass(UnknownContract, LookupError)


def test_the_tree_is_drawn_as_it_is():
    drawn = {}
    above = []
    for line in errors.__doc__.splitlines():
        start = line.find("── ")
        name = line[start + 3 if start > 0 else 0 :].split(maxsplit=1)[:1]
        if start > 0 or line.strip() == "JobariumEventsError":
            depth = (start - 1) // 4 if start > 0 else 0
            above[depth:] = name if start > 0 else [line.strip()]
            drawn[above[depth]] = above[depth - 1] if depth else None
    real = {each.__name__: each.__base__.__name__ for each in map(errors.__dict__.get, errors.__all__)
            if issubclass(each, JobariumEventsError)}  # fmt: skip
    assert {**real, "JobariumEventsError": None} == drawn


def test_equality_is_of_fields_and_the_hash_agrees():
    plain, explained = (
        InvalidPayload("a", "v1", BROKEN),
        InvalidPayload("a", "v1", BROKEN, explain=lambda: [BROKEN, LISTED]),
    )
    assert plain == explained
    assert hash(plain) == hash(explained)
    assert InvalidPayload("a", "v1", BROKEN) != InvalidUpcast("a", "v1", BROKEN)
    assert InvalidPayload("a", "v1", BROKEN) != InvalidPayload("a", "v1", LISTED)


def test_violations_are_worked_out_once_and_when_asked():
    calls = []

    def explain():
        calls.append(1)
        return [BROKEN]

    error = InvalidPayload("a", "v1", BROKEN, explain=explain)
    assert calls == []
    assert error.violations is error.violations
    assert calls == [1]
    assert InvalidPayload("a").violations == ()


@pytest.mark.parametrize(
    ("violation", "text"),
    [
        (Violation("", "required"), "the document: is required"),
        (Violation("/a", "additionalProperties", False), "/a: is not a field of the contract"),
        (Violation("/a", "unevaluatedProperties"), "/a: is not a field of the contract"),
        (Violation("/a", "type", "string"), "/a: must be of type string"),
        (Violation("/a", "type", ["string", "null"]), "/a: must be of type string or null"),
        (Violation("/a", "enum", ["x", None]), "/a: must be one of x, None"),
        (Violation("/a", "format", "uuid"), "/a: must be a valid uuid"),
        (Violation("/a", "maximum", 3.5), "/a: breaks maximum 3.5"),
        (Violation("/a", "pattern", "^a"), "/a: breaks pattern ^a"),
        (Violation("/a", "const", {}), "/a: breaks const"),
        (Violation("/a", "enum", "?"), "/a: breaks enum ?"),
    ],
)  # fmt: skip
def test_violations_in_words(violation, text):
    assert str(violation) == text


# -- nothing of a payload ------------------------------------------------------------------------------------------

SENTINELS = st.integers(10**11, 10**12).map(lambda number: f"sentinel-{number}")


@pytest.mark.filterwarnings("ignore:billing.usage.updated v1 is deprecated:DeprecationWarning")
@some
@given(data=st.data(), sentinel=SENTINELS)
def test_no_text_of_an_error_holds_a_value_of_a_payload(data, sentinel):
    contract = data.draw(st.sampled_from(strategies.CONTRACTS))
    payload = sample(contract)
    wrong = [sentinel, [sentinel], {"a": sentinel}, [[sentinel]], float(sentinel[-12:]), int(sentinel[-12:]), -1]
    for name in data.draw(st.lists(st.sampled_from(list(payload)), min_size=1)):
        payload[name] = data.draw(st.sampled_from(wrong))
    payload["unknown"] = sentinel
    letters = []
    consumer = Consumer(BUNDLED, name="taker", dead_letters=letters.append)
    consumer.on(contract.event, contract.version)(lambda event: None)
    body = json.dumps(event_of(contract, payload)).encode()
    consumer.consume(body)
    consumer.consume(body[:-1])
    consumer.consume(body.replace(b'"payload"', b'"event_id": "' + sentinel.encode() + b'", "payload"'))
    with pytest.raises(PayloadRefused) as refused:
        Producer(BUNDLED, name=contract.owner, declares={contract.event: contract.version}.get).prepare(
            contract.event, payload
        )
    texts = [str(refused.value), repr(refused.value)]
    for letter in letters:
        rejection = letter.rejection
        texts += [str(letter), repr(letter), str(rejection), repr(rejection), *map(repr, rejection.violations)]
        texts += [repr(rejection.args), repr(rejection.__cause__), repr(vars(rejection)["violation"])]
    assert len(letters) >= 2
    for text in texts:
        assert sentinel not in text
        assert sentinel[-12:] not in text
