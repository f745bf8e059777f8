"""Payloads that no schema foresees, and the keys of those that are fine."""

import decimal
import enum
import types
from collections import OrderedDict
from datetime import UTC, datetime
from uuid import UUID

import msgspec
import pydantic
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobarium_events import Consumer, Producer
from jobarium_events.contract import KeyTemplate
from jobarium_events.errors import PayloadRefused
from jobarium_events.payloads import CandidateDocumentParsedV1, JobUpdatedV1
from tests import folders
from tests.strategies import BUNDLED, many, sample, texts

JOB = {"job_id": "j-1", "job_version": 3, "status": "active", "updated_at": "2026-03-01T12:00:00Z"}
PARSED = sample(BUNDLED.contract("candidate.document.parsed", "v1"))
USAGE = sample(BUNDLED.contract("billing.usage.updated", "v1"))
SENTINEL = "sentinel-7431"


class Status(enum.StrEnum):
    ACTIVE = "active"


class Text(str):
    __slots__ = ()


def nested(depth, make=lambda inner: {"a": inner}):
    value = 1
    for _ in range(depth):
        value = make(value)
    return value


def circular():
    value = {"sentinel": SENTINEL}
    value["itself"] = value
    return value


def prepare(event, payload):
    contract = BUNDLED.contract(event, "v1")
    producer = Producer(BUNDLED, name=contract.owner, declares={"billing.usage.updated": "v1"})
    if event == "billing.usage.updated":
        with pytest.warns(DeprecationWarning, match="deprecated"):
            return producer.prepare(event, payload)
    return producer.prepare(event, payload)


NAN, INFINITE = float("nan"), float("inf")


@pytest.mark.parametrize(
    ("event", "payload", "pointer", "rule"),
    [
        ("candidate.document.parsed", {**PARSED, "quality_score": NAN}, "/payload/quality_score", "finite"),
        ("candidate.document.parsed", {**PARSED, "quality_score": INFINITE}, "/payload/quality_score", "finite"),
        ("candidate.document.parsed", {**PARSED, "confidence_summary": {"a/b": [NAN]}},
         "/payload/confidence_summary/a~1b/0", "finite"),
        ("billing.usage.updated", {**USAGE, "delta": NAN}, "/payload/delta", "finite"),
        ("billing.usage.updated", {**USAGE, "delta": -INFINITE}, "/payload/delta", "finite"),
        ("billing.usage.updated", {**USAGE, "delta": decimal.Decimal("1.5")}, "/payload/delta", "json"),
        ("billing.usage.updated", {**USAGE, "delta": 10**400}, "/payload", "range"),
        ("billing.usage.updated", {**USAGE, "delta": True}, "/payload/delta", "type"),
        ("billing.usage.updated", {**USAGE, "billing_month": "2026-03\n"}, "/payload/billing_month", "pattern"),
        ("job.updated", {**JOB, "job_version": decimal.Decimal(1)}, "/payload/job_version", "json"),
        ("job.updated", {**JOB, "job_version": 1.5}, "/payload/job_version", "type"),
        ("job.updated", {**JOB, "job_version": 1j}, "/payload/job_version", "json"),
        ("job.updated", {**JOB, "job_id": object()}, "/payload/job_id", "json"),
        ("job.updated", {**JOB, "job_id": "\ud800"}, "/payload/job_id", "json"),
        ("job.updated", {**JOB, "updated_at": datetime(2026, 3, 1)}, "/payload/updated_at", "format"),  # noqa: DTZ001
        ("job.updated", {**JOB, "changed_fields": None}, "/payload/changed_fields", "type"),
        ("job.updated", {**JOB, "changed_fields": [None]}, "/payload/changed_fields/0", "type"),
        ("job.updated", {**JOB, 7: "x"}, "/payload/7", "additionalProperties"),
        ("job.updated", circular(), "/payload", "depth"),
        ("candidate.document.parsed", {**PARSED, "confidence_summary": circular()}, "/payload", "depth"),
        ("candidate.document.parsed", {**PARSED, "confidence_summary": nested(20_000)}, "/payload", "depth"),
        ("candidate.document.parsed", {**PARSED, "confidence_summary": nested(20_000, lambda each: [each])},
         "/payload", "depth"),
        ("candidate.document.parsed", {**PARSED, "confidence_summary": {"a": "\ud800"}},
         "/payload/confidence_summary/a", "json"),
        ("candidate.document.parsed", {**PARSED, "confidence_summary": {"\ud800": 1}},
         "/payload/confidence_summary", "json"),
        ("candidate.document.parsed", {**PARSED, "confidence_summary": {"a": object()}},
         "/payload/confidence_summary/a", "json"),
        ("candidate.document.parsed", {**PARSED, "confidence_summary": {(1, 2): 1}},
         "/payload/confidence_summary", "json"),
    ],
)  # fmt: skip
def test_odd_payloads_are_refused_in_order(event, payload, pointer, rule):
    with pytest.raises(PayloadRefused) as refused:
        prepare(event, payload)
    assert (pointer, rule) in [(each.pointer, each.rule) for each in refused.value.violations]
    assert SENTINEL not in f"{refused.value}{refused.value!r}"


def test_a_struct_that_was_never_validated():
    with pytest.raises(PayloadRefused) as refused:
        prepare("job.updated", JobUpdatedV1(**{**JOB, "status": "on", "job_version": "3", "updated_at": "now"}))
    assert {each.pointer for each in refused.value.violations} == {
        "/payload/status", "/payload/job_version", "/payload/updated_at",
    }  # fmt: skip
    with pytest.raises(PayloadRefused) as odd:
        prepare("candidate.document.parsed", CandidateDocumentParsedV1(**{**PARSED, "confidence_summary": circular()}))
    assert [each.rule for each in odd.value.violations] == ["depth"]


def test_a_model_that_holds_what_json_does_not():
    class Model(pydantic.BaseModel, arbitrary_types_allowed=True):
        job_id: object = object()

    with pytest.raises(PayloadRefused) as refused:
        prepare("job.updated", Model())
    assert [(each.pointer, each.rule) for each in refused.value.violations] == [
        ("/payload/job_id", "json"), ("/payload/job_version", "required"),
        ("/payload/status", "required"), ("/payload/updated_at", "required"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        (OrderedDict(JOB), JOB),
        (types.MappingProxyType(JOB), JOB),
        ({**JOB, "job_id": Text("j-1")}, JOB),
        ({**JOB, "status": Status.ACTIVE}, JOB),
        ({**JOB, "updated_at": datetime(2026, 3, 1, 12, tzinfo=UTC)}, JOB),
        ({**JOB, "job_version": 3.0}, JOB),
        ({**JOB, "job_id": UUID(int=7)}, {**JOB, "job_id": str(UUID(int=7))}),
        ({**JOB, "changed_fields": ("a", "b")}, {**JOB, "changed_fields": ["a", "b"]}),
        ({**JOB, "job_version": 2**64}, {**JOB, "job_version": 2**64}),
        ({**JOB, "job_id": 'é"\\\u2028😀\x00'}, {**JOB, "job_id": 'é"\\\u2028😀\x00'}),
        (JobUpdatedV1(**{**JOB, "job_version": 10**30}), {**JOB, "job_version": 10**30}),
    ],
)
def test_what_a_payload_may_be(payload, expected):
    message = prepare("job.updated", payload)
    assert msgspec.json.decode(message.body)["payload"] == expected or (
        msgspec.json.decode(message.body, type=dict)["payload"] | {"updated_at": JOB["updated_at"]} == expected
    )
    got = []
    consumer = Consumer(BUNDLED, name="taker")
    consumer.on("job.updated", "v1")(got.append)
    consumer.consume(message.body)
    consumer.consume(message.body + b" ", {"replay": "false"})
    assert [msgspec.to_builtins(event.payload) for event in got] == [expected, expected]
    assert got[0].idempotency_key == f"job.updated:{expected['job_id']}:{expected['job_version']}"


@pytest.mark.parametrize("depth", [10, 64, 65, 300, 500])
def test_whatever_depth_is_emitted_is_consumed(depth):
    message = prepare("candidate.document.parsed", {**PARSED, "confidence_summary": nested(depth)})
    got = []
    consumer = Consumer(BUNDLED, name="taker")
    consumer.on("candidate.document.parsed", "v1")(got.append)
    consumer.consume(message.body)
    assert got[0].payload.confidence_summary == nested(depth)


# -- keys ----------------------------------------------------------------------------------------------------------

key_values = st.one_of(texts, st.text(":%3A2", max_size=5), st.integers(-1000, 1000).map(str))


@many
@given(one=st.tuples(key_values, key_values), other=st.tuples(key_values, key_values))
def test_different_values_never_render_the_same_key(one, other):
    template = KeyTemplate("event:{a}:x{b}y")
    assert (template.rendered(one, "id") == template.rendered(other, "id")) == (one == other)


@many
@given(one=st.tuples(key_values, st.integers()), other=st.tuples(key_values, st.integers()))
def test_nor_do_producers(one, other):
    def key(values):
        return prepare("job.updated", {**JOB, "job_id": values[0], "job_version": values[1]})

    assert (key(one).attributes["idempotency_key"] == key(other).attributes["idempotency_key"]) == (one == other)
    template = BUNDLED.contract("job.updated", "v1").key
    assert key(one).attributes["idempotency_key"] == template.rendered(one, "")


def test_an_absent_field_stands_for_the_event_itself():
    absent = {name: value for name, value in USAGE.items() if name != "source_event_id"}
    one, other = (prepare("billing.usage.updated", absent).attributes for _ in range(2))
    assert one["idempotency_key"] != other["idempotency_key"]
    assert one["idempotency_key"].endswith(f":{one['event_id']}")
    assert prepare("billing.usage.updated", USAGE).attributes["idempotency_key"] == (
        "billing.usage.updated:some organization_id:2026-03:packets_generated:some source_event_id"
    )


@pytest.mark.parametrize(
    ("field", "value", "expected"),
    [
        (folders.MOMENT, "2026-03-01T12:00:00Z", "2026-03-01T12%3A00%3A00"),
        ({"type": ["string", "null"]}, None, "<id>"),
        ({"type": ["string", "null"]}, "a:b", "a%3Ab"),
        ({"type": "string", "minLength": 1}, "50%", "50%25"),
        ({"enum": ["a", 1]}, 1, "1"),
        ({"type": "integer", "multipleOf": 3}, 6, "6"),
    ],
)
@pytest.mark.parametrize("ordered", [False, True])
def test_keys_of_other_types(tmp_path, field, value, expected, ordered):
    ordering = '\nordering = { per = "id", by = "id" }' if ordered else ""
    catalog = folders.one(
        tmp_path, folders.schema({"id": field, "class": folders.TEXT}), key="{id}", lines=f'introduced = "1"{ordering}'
    )
    message = Producer(catalog, name="maker").prepare("thing.made", {"id": value, "class": "x"})
    key = message.attributes["idempotency_key"]
    assert key.startswith(expected.replace("<id>", message.attributes["event_id"]))
    assert (message.ordering_key is not None) == (ordered and value is not None)
