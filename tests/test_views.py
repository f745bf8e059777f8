"""How handlers see payloads, and what happens where their own types are too narrow."""

import dataclasses
import inspect
import json
from collections.abc import Mapping
from typing import Any, NotRequired, TypedDict

import msgspec
import pydantic
import pytest

from jobarium_events import Consumer, Event, Outcome
from jobarium_events.errors import DeclarationError, ViewError
from jobarium_events.payloads import CandidateDocumentParsedV1
from jobarium_events.views import annotated_type, takes
from tests.strategies import BUNDLED, event_of, sample

CONTRACT = BUNDLED.contract("candidate.document.parsed", "v1")
SENTINEL = "sentinel-5566"
PAYLOAD = sample(CONTRACT) | {"candidate_id": SENTINEL, "confidence_summary": {"inner": [1, SENTINEL]}}
JOB = BUNDLED.contract("job.updated", "v1")


def raw(payload, contract=CONTRACT, end=b""):
    return json.dumps(event_of(contract, payload), separators=(",", ":")).encode() + end


def consumer_of(view, got, contract=CONTRACT):
    def handler(event):
        got.append(event)

    handler.__annotations__["event"] = Event[view]
    consumer = Consumer(BUNDLED, name="taker")
    consumer.on(contract.event, contract.version)(handler)
    return consumer


@dataclasses.dataclass
class Data:
    candidate_id: str
    quality_score: float
    low_confidence_fields: list[str] | None = None


class Model(pydantic.BaseModel):
    candidate_id: str
    quality_score: float


class Typed(TypedDict):
    candidate_id: str
    quality_score: float
    nothing: NotRequired[str]


class Own(msgspec.Struct):
    candidate_id: str
    quality_score: float


@pytest.mark.parametrize("view", [Data, Model, Typed, Own, dict, dict[str, Any], Mapping[str, Any], Mapping,
                                  CandidateDocumentParsedV1, Any])  # fmt: skip
@pytest.mark.parametrize("end", [b"", b"\n"])
def test_views(view, end):
    got = []
    consumer = consumer_of(view, got)
    assert consumer.consume(raw(PAYLOAD, end=end)) is Outcome.HANDLED
    assert consumer.consume(raw(PAYLOAD), {"replay": "true"}) is Outcome.HANDLED
    for event in got:
        payload = event.payload
        assert isinstance(payload, getattr(view, "__origin__", view)) if view not in (Typed, Any) else True
        value = payload["candidate_id"] if isinstance(payload, Mapping) else payload.candidate_id
        assert value == SENTINEL
    assert got[0].payload == got[1].payload
    assert [event.replay for event in got] == [False, True]


@dataclasses.dataclass
class NarrowData:
    candidate_id: int


class NarrowModel(pydantic.BaseModel):
    candidate_id: int
    confidence_summary: dict[str, list[int]]


class NarrowTyped(TypedDict):
    confidence_summary: dict[str, list[int]]


class NarrowOwn(msgspec.Struct):
    nothing: str


@dataclasses.dataclass
class Strict:
    candidate_id: str

    def __post_init__(self):
        raise ValueError(f"no {self.candidate_id} - at `$.{self.candidate_id}`x")


class StrictModel(pydantic.BaseModel):
    candidate_id: str

    @pydantic.field_validator("candidate_id")
    @classmethod
    def refuse(cls, value):
        raise ValueError(f"no {value}")


@pytest.mark.parametrize(
    ("view", "places"),
    [
        (NarrowData, ("/candidate_id",)),
        (NarrowModel, ("/candidate_id: int_parsing", "/confidence_summary/inner/1: int_parsing")),
        (NarrowTyped, ("/confidence_summary/.../1",)),
        (NarrowOwn, ("the payload",)),
        (Strict, ("the payload",)),
        (StrictModel, ("/candidate_id: value_error",)),
    ],
)
@pytest.mark.parametrize("end", [b"", b" "])
async def test_a_view_that_is_too_narrow_is_at_fault_itself(view, places, end):
    got = []
    letters = []
    consumer = consumer_of(view, got)
    consumer._dead_letters = letters.append
    with pytest.raises(ViewError) as error:
        consumer.consume(raw(PAYLOAD, end=end))
    assert error.value == ViewError("candidate.document.parsed", "v1", view.__name__, places)
    with pytest.raises(ViewError) as awaited:
        await consumer.aconsume(raw(PAYLOAD, end=end))
    assert awaited.value == error.value
    assert f"mend {view.__name__}" in str(error.value)
    assert SENTINEL not in f"{error.value}{error.value!r}"
    assert error.value.__cause__ is None
    assert error.value.__suppress_context__ or error.value.__context__ is None
    assert got == letters == []


@dataclasses.dataclass
class JobData:
    job_version: int


class JobTyped(TypedDict):
    job_version: int


class JobModel(pydantic.BaseModel):
    job_version: int


@pytest.mark.parametrize("view", [JobData, JobTyped, JobModel, dict, None])
@pytest.mark.parametrize("spelling", [b"3", b"3.0", b"3e0", b"18446744073709551617", b"1" * 30])
def test_integers_are_integers_in_every_view(view, spelling):
    got = []
    consumer = (
        consumer_of(view, got, JOB) if view else consumer_of(BUNDLED.entry("job.updated", "v1").payload_type, got, JOB)
    )
    body = raw(sample(JOB), JOB).replace(b'"job_version":1', b'"job_version":' + spelling)
    for each in (body, body + b" "):
        assert consumer.consume(each) is Outcome.HANDLED
        assert consumer.consume(each, {"replay": "x"}) is Outcome.HANDLED
    for event in got:
        version = event.payload["job_version"] if isinstance(event.payload, dict) else event.payload.job_version
        assert version == (int(spelling) if spelling.isdigit() else 3)


@pytest.mark.parametrize("view", [int, str, list[int], dict | None, object, "text"])
def test_what_is_no_view(view):
    with pytest.raises(DeclarationError, match=r"cannot be (seen as|resolved)"):
        consumer_of(view, [])


def test_a_type_that_msgspec_does_not_know():
    @dataclasses.dataclass
    class Odd:
        candidate_id: complex | set[str] | list[str] | dict[str, int]

    with pytest.raises(DeclarationError, match="cannot be seen as Odd"):
        consumer_of(Odd, [])


def test_a_built_in_that_says_nothing_of_itself_is_believed():
    with pytest.raises(ValueError, match="no signature"):
        inspect.signature(max)
    assert takes(max, 1)
    assert annotated_type(max, 0) is None


def test_a_document_is_the_handlers_own():
    got = []
    consumer = consumer_of(dict, got)
    body = raw(PAYLOAD)
    consumer.consume(body)
    got[0].payload["candidate_id"] = "changed"
    consumer.consume(body)
    assert got[1].payload["candidate_id"] == SENTINEL
