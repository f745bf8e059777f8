"""Examples: what the contract accepts, always the same, and nice to read."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from ipaddress import IPv6Address
from typing import Any
from urllib.parse import urlsplit

import orjson
import pytest
from hypothesis import given

from jobarium_events import Catalog, Consumer, Contract
from jobarium_events.catalog import Entry, envelope_validator
from jobarium_events.contract import KeyTemplate, Lifecycle
from jobarium_events.envelope import Event, Outcome
from jobarium_events.evolution.containment import is_subset, some_document
from jobarium_events.evolution.verdicts import Verdict
from jobarium_events.examples import NoExample, event_example, example
from jobarium_events.examples.plausible import singular
from tests.folders import MOMENT, TEXT, WHOLE, schema
from tests.strategies import CONTRACTS, some
from tests.validation.schemas import DRAFT_2020_12, schemas

BUNDLED = Catalog.bundled()
NUMBER = {"type": "number"}


def entry_of(payload: Any, *, event: str = "thing.made", key: str = "k") -> Entry:
    return Entry(
        Contract(
            event=event,
            version="v1",
            schema_json=orjson.dumps(orjson.loads(json.dumps(payload))),  # as a catalog reads it
            owner="maker",
            consumers=(),
            key=KeyTemplate(key),
            ordering=None,
            lifecycle=Lifecycle.ACTIVE,
        )
    )


def made(payload: Any) -> Any:
    """The example of a schema, which both of its validators accept."""
    entry = entry_of(payload)
    found = example(entry)
    assert list(entry.closed.violations(found)) == []
    assert list(entry.open.violations(found)) == []
    assert orjson.dumps(example(entry_of(payload))) == orjson.dumps(found), "it is always the same"
    return found


def field(name: str, said: Any) -> Any:
    """The example of one field, which is required."""
    return made(schema({name: said}))[name]


@some
@given(schemas())
def test_an_example_is_valid_or_there_is_none_to_be_found(payload: Any) -> None:
    entry = entry_of({**payload, "type": "object"})
    try:
        found = example(entry)
    except NoExample as error:
        problem, found = str(error), None
    if found is None:
        verdict = some_document({**entry.closed.schema, "type": "object"}).verdict
        assert verdict is not Verdict.NOT_CONTAINED
        assert ("contradicts itself" in problem) == (verdict is Verdict.CONTAINED)
    else:
        assert list(entry.closed.violations(found)) == []
        assert list(entry.open.violations(found)) == []


@some
@given(schemas())
def test_an_event_with_one_is_valid_too(inner: Any) -> None:
    shelves = {key: inner[key] for key in ("$schema", "definitions", "$defs") if key in inner}
    entry = entry_of({**shelves, **schema({"id": TEXT}, inner=inner)}, key="k:{id}")
    event = event_example(entry)
    assert envelope_validator().violations(event) == []
    assert entry.open.violations(event["payload"]) == []
    assert event["idempotency_key"] == f"k:{event['payload']['id']}"


@pytest.mark.parametrize("contract", CONTRACTS, ids=lambda contract: contract.name)
def test_each_bundled_contract_has_an_event_with_every_field_that_its_consumers_handle(contract: Contract) -> None:
    entry = BUNDLED.entry(contract.event, contract.version)
    event = event_example(entry)
    assert event["payload"] == example(entry)
    assert list(event["payload"]) == list(contract.schema["properties"])
    assert entry.closed.is_valid(event["payload"])
    assert envelope_validator().violations(event) == []
    stamped = [name for name in Event.__struct_fields__ if name not in ("tenant_id", "correlation_id", "schema_ref")]
    assert list(event) == stamped
    assert event["producer"] == contract.owner
    assert event["idempotency_key"] == contract.key.rendered(
        [event["payload"].get(name) for name in contract.key.fields], event["event_id"]
    )
    consumer = Consumer(BUNDLED, name="taker")
    consumer.on(contract.event, contract.version)(lambda event: None)
    assert consumer.consume(json.dumps(event).encode()) is Outcome.HANDLED
    assert orjson.dumps(event_example(entry)) == orjson.dumps(event)


def test_the_examples_of_the_bundled_catalog_read_well() -> None:
    assert example(BUNDLED.entry("qa.authenticity.assessed", "v1")) == {
        "session_id": "session-1042",
        "candidate_id": "candidate-1042",
        "job_id": "job-1042",
        "policy_result": "likely_self_authored",
        "authenticity_score": 87.5,
        "confidence": 0.87,
        "model_version": "2.1.0",
        "assessed_at": "2026-03-01T09:30:00Z",
        "reason_codes": ["REASON-1"],
    }
    shortlist = example(BUNDLED.entry("matching.shortlist.changed", "v1"))
    assert shortlist["entered_candidates"] == ["candidate-1042"]
    assert shortlist["exited_candidates"] == ["candidate-1043"], "nobody enters and leaves at once"
    invite = example(BUNDLED.entry("invite.created", "v1"))
    assert invite["created_at"] < invite["expires_at"]
    assert example(BUNDLED.entry("billing.usage.updated", "v2"))["billing_month"] == "2026-03"


@pytest.mark.parametrize(
    ("name", "said", "expected"),
    [
        ("order_id", TEXT, "order-1042"),
        ("id", TEXT, "thing-1042"),
        ("jobId", TEXT, "job-1042"),
        ("IDs", {"type": "array", "items": TEXT}, ["thing-1042"]),
        ("owner", {**TEXT, "description": "Identifier of the owner."}, "owner-1042"),
        ("schema_version", TEXT, "2.1.0"),
        ("schema_version", WHOLE, 7),
        ("answer_count", WHOLE, 3),
        ("timeout", {**WHOLE, "x-unit": "seconds"}, 30),
        ("storage_uri", TEXT, "https://example.org/storage/1042"),
        ("first_name", TEXT, "Ada"),
        ("created_at", TEXT, "2026-03-01T09:30:00Z"),
        ("valid_until", MOMENT, "2026-03-15T09:30:00Z"),
        ("reason", TEXT, "Example reason."),
        ("trust_label", TEXT, "example trust label"),
        ("categories", {"type": "array", "items": TEXT}, ["example category"]),
        ("", TEXT, "example thing"),
        ("month", {**TEXT, "pattern": "^[0-9]{4}-(0[1-9]|1[0-2])$"}, "2026-03"),
        ("sku", {**TEXT, "pattern": "^[A-Z]{3}-[0-9]{4}$"}, "SKU-1042"),
        ("country", {**TEXT, "minLength": 2, "maxLength": 2}, "DE"),
        ("label", {**TEXT, "maxLength": 3}, "exa"),
        ("score", {**NUMBER, "minimum": 0, "maximum": 1}, 0.87),
        ("score", {**NUMBER, "minimum": 0, "maximum": 100}, 87),
        ("level", {**WHOLE, "minimum": 10, "maximum": 12}, 10),
        ("level", {**WHOLE, "exclusiveMinimum": 10}, 11),
        ("level", {**NUMBER, "exclusiveMinimum": 2, "exclusiveMaximum": 3}, 2.5),
        ("level", {**WHOLE, "multipleOf": 7}, 7),
        ("level", {**WHOLE, "maximum": 0}, 0),
        ("note", {"type": ["null", "string"]}, "Example note."),
        ("note", {"oneOf": [{"type": "null"}, {"$ref": "#/definitions/t"}]}, "Example note."),
        ("gone", {"type": "null"}, None),
        ("on", {"type": "boolean"}, True),
        ("free", True, "example free"),
        ("inner", {"properties": {"id": TEXT}}, {"id": "inner-1042"}),
        ("kind", {"enum": ["web", "app"]}, "web"),
        ("kind", {**TEXT, "x-extensible-enum": ["app", "web"]}, "app"),
        ("kind", {"const": "x"}, "x"),
        ("kind", {"enum": ["a", "b"], "not": {"const": "a"}}, "b"),
        ("kind", {"allOf": [{"enum": ["a", "b"]}, {"enum": ["b", "c"]}]}, "b"),
        ("kind", {**TEXT, "examples": [1, "mine"], "default": "yours"}, "mine"),
        ("kind", {**TEXT, "example": "mine"}, "mine"),
        ("kind", {**WHOLE, "default": 5}, 5),
        ("scores", {"type": "object", "additionalProperties": WHOLE}, {"score": 87}),
        ("pair", {"type": "array", "items": [TEXT, WHOLE]}, ["example pair", 2]),
        ("picks", {"type": "array", "contains": {"const": 5}}, [5]),
        ("tags", {"items": TEXT, "minItems": 2, "uniqueItems": True}, ["example tag", "example tag 2"]),
        ("tags", {"type": "array", "items": {"enum": ["a", "b"]}, "minItems": 2, "uniqueItems": True}, ["a", "b"]),
        ("tags", {"type": "array", "items": TEXT, "maxItems": 0}, []),
        ("lines", {"type": "array", "minItems": 2, "items": schema({"id": TEXT, "zip": TEXT})},
         [{"id": "line-1042", "zip": "10115"}, {"id": "line-1043", "zip": "10115"}]),
    ],
)  # fmt: skip
def test_a_value_looks_like_what_it_is(name: str, said: Any, expected: Any) -> None:
    payload = {**schema({name: said}), "definitions": {"t": TEXT}}
    assert made(payload)[name] == expected


FORMATS = (
    "date-time", "date", "time", "duration", "email", "idn-email", "hostname", "idn-hostname", "ipv4", "ipv6", "uri",
    "uri-reference", "iri", "iri-reference", "uri-template", "uuid", "json-pointer", "relative-json-pointer", "regex",
)  # fmt: skip


def absolute(text: str) -> None:
    assert (urlsplit(text).scheme, urlsplit(text).netloc) == ("https", "example.org")


UNDECIDED: dict[str, Callable[[str], object]] = {
    "ipv6": IPv6Address,
    "iri": absolute,
    "iri-reference": absolute,
    "regex": re.compile,
    "uri": absolute,
    "uri-reference": absolute,
    "uri-template": absolute,
}


@pytest.mark.parametrize("form", FORMATS)
def test_a_text_is_of_its_format(form: str) -> None:
    said = {**TEXT, "format": form}
    text = field("value", said)
    verdict = is_subset({"const": text}, said).verdict
    assert verdict in (Verdict.CONTAINED, Verdict.UNPROVEN), text
    if verdict is Verdict.UNPROVEN:  # what nobody decides by a pattern
        UNDECIDED[form](text)


def test_optional_fields_are_left_out_where_they_would_make_it_invalid() -> None:
    both = schema({"id": TEXT}, a=WHOLE, b=WHOLE, c=WHOLE)
    assert made({**both, "not": {"required": ["a", "b"]}}) == {"id": "thing-1042", "a": 1, "c": 1}
    assert made({**both, "maxProperties": 2}) == {"id": "thing-1042", "a": 1}
    assert made(schema({"id": TEXT}, never=False)) == {"id": "thing-1042"}


def test_that_holds_within_a_field_too() -> None:
    body = {**schema({"x": WHOLE}, y=WHOLE, z=WHOLE), "not": {"required": ["y", "z"]}}
    assert made(schema({"id": TEXT, "body": body})) == {"id": "thing-1042", "body": {"x": 1, "y": 1}}
    lines = {"type": "array", "minItems": 2, "items": body}
    assert made(schema({"lines": lines})) == {"lines": [{"x": 1, "y": 1}, {"x": 1, "y": 1}]}


def test_what_has_to_be_searched_for_is_nice_all_the_same() -> None:
    odd = {**schema({"id": TEXT, "size": {**WHOLE, "not": {"enum": [2048, 1, 0]}}, "at": MOMENT}), "minProperties": 3}
    found = made(odd)
    assert (found["id"], found["at"]) == ("thing-1042", "2026-03-01T09:30:00Z")


def test_a_branch_is_taken_with_all_that_it_asks_for() -> None:
    card = schema({"kind": {"const": "card"}, "number": {**TEXT, "maxLength": 4}})
    bank = schema({"kind": {"const": "bank"}, "iban": TEXT})
    assert made({"type": "object", "oneOf": [card, bank]}) == {"kind": "card", "number": "1042"}
    assert made({"type": "object", "oneOf": [{**card, "not": {}}, bank]}) == {"kind": "bank", "iban": "example iban"}


def test_a_condition_is_met() -> None:
    payload = schema({"kind": {"enum": ["a", "b"]}}, x=WHOLE, y=WHOLE)
    payload |= {
        "if": {"properties": {"kind": {"const": "b"}}},
        "then": {"required": ["x"]},
        "else": {"required": ["y"]},
    }
    assert made({**payload, "not": {"required": ["y"]}}) == {"kind": "b", "x": 1}


def test_recursion_ends() -> None:
    tree = {**schema({"id": TEXT}, parent={"$ref": "#"}), "title": "Tree"}
    tree["properties"]["children"] = {"type": "array", "items": {"$ref": "#"}}
    found = made(tree)
    assert found["id"] == "thing-1042"
    assert found["parent"]["id"] == "parent-1042"
    assert found["children"][0]["id"] == "child-1042"
    assert len(json.dumps(found)) < 400
    chain = schema({"next": {"anyOf": [{"$ref": "#/definitions/c"}, {"type": "null"}]}})
    assert made({**chain, "definitions": {"c": chain}})["next"] in (None, {"next": None})


def test_another_dialect_is_followed() -> None:
    inner = {"$ref": "#/$defs/text", "description": "Identifier of a job."}
    payload = {**schema({"job": inner}, pair={"type": "array", "prefixItems": [TEXT], "items": False})}
    payload |= {"$schema": DRAFT_2020_12, "$defs": {"text": TEXT}, "unevaluatedProperties": False}
    assert made(payload) == {"job": "job-1042", "pair": ["example pair"]}


def test_the_schemas_own_example_is_taken_as_it_is() -> None:
    payload = schema({"id": TEXT}, note=TEXT)
    assert made({**payload, "examples": [{"id": 1}, {"id": "mine"}]}) == {"id": "mine"}
    assert made({**payload, "example": {"id": "mine"}}) == {"id": "mine"}


def test_one_that_is_not_valid_is_not() -> None:
    payload = schema({"id": TEXT}, note=TEXT)
    found = {"id": "thing-1042", "note": "Example note."}
    assert made({**payload, "examples": [{"id": "mine", "more": 1}, 3], "example": {}}) == found
    assert made({**payload, "examples": {"id": "mine"}}) == found


@pytest.mark.parametrize(
    "payload",
    [
        schema({"a": False}),
        {"type": "object", "required": ["next"], "properties": {"next": {"$ref": "#"}}},
        schema({"a": {**WHOLE, "minimum": 2, "maximum": 1}}),
    ],
    ids=["nothing is valid", "without end", "limits"],
)
def test_a_contract_without_payloads_is_named(payload: Any) -> None:
    told = "thing.made v1 has no example: its schema accepts no payload at all, so it contradicts itself"
    for make in (example, event_example):
        with pytest.raises(NoExample) as caught:
            make(entry_of(payload))
        assert str(caught.value) == told
        assert caught.value.contract == "thing.made v1"


@pytest.mark.parametrize("listed", [True, "ab", {"a": 1}, None])
def test_a_list_that_is_none_is_passed_over(listed: Any) -> None:
    assert made(schema({"a": {**WHOLE, "x-extensible-enum": listed}})) == made(schema({"a": WHOLE}))


def test_where_none_is_found_there_is_a_way_out() -> None:
    # A pattern with a reference back is beyond the search.
    hidden = {**TEXT, "pattern": r"^(a+)\1b$"}
    told = r'none was found that its schema accepts; give the schema one, as an item of "examples"'
    with pytest.raises(NoExample, match=told):
        example(entry_of(schema({"a": hidden})))
    assert made({**schema({"a": hidden}), "examples": [{"a": "aab"}]}) == {"a": "aab"}


def test_the_key_is_that_of_the_payload() -> None:
    entry = entry_of(schema({"id": TEXT}, at=MOMENT), event="order.placed", key="order:{id}:{at}")
    event = event_example(entry)
    assert event["payload"]["id"] == "order-1042"
    assert event["idempotency_key"] == "order:order-1042:2026-03-01T09%3A30%3A00+00%3A00"


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("jobs", "job"), ("categories", "category"), ("boxes", "box"), ("classes", "class"), ("status", "status"),
        ("address", "address"), ("analysis", "analysis"), ("ids", "id"), ("ties", "tie"), ("children", "child"),
        ("data", "data"),
    ],
)  # fmt: skip
def test_one_of_several(word: str, expected: str) -> None:
    assert singular(word) == expected
