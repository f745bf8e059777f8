"""Upcasts: their declaration, chains of them, and what they may get wrong."""

import json
from typing import Any

import pytest

from jobarium_events import Catalog, Consumer, Event, Outcome
from jobarium_events.errors import DeclarationError, InvalidPayload, InvalidUpcast, Violation
from jobarium_events.payloads import BillingUsageUpdatedV1, BillingUsageUpdatedV2, JobUpdatedV1
from tests import folders
from tests.strategies import BUNDLED, event_of, required_only, sample

V1 = BUNDLED.contract("billing.usage.updated", "v1")
SENTINEL = "sentinel-9931"


def raw(payload, version="v1", name="thing.made", owner="maker", **fields):
    event = event_of(V1, payload, event_name=name, event_version=version, producer=owner, **fields)
    return json.dumps(event, separators=(",", ":")).encode()


def usage(**changes):
    return raw({**required_only(V1), **changes}, name="billing.usage.updated", owner="billing-service")


def with_source(payload: BillingUsageUpdatedV1, event: Event) -> BillingUsageUpdatedV2:
    return BillingUsageUpdatedV2(
        organization_id=payload.organization_id,
        billing_month=payload.billing_month,
        metric_name=payload.metric_name,
        delta=int(payload.delta) if payload.delta.is_integer() else payload.delta,  # type: ignore[arg-type]
        updated_at=payload.updated_at,
        source_event_id=payload.source_event_id or str(event.event_id),
    )


@pytest.fixture
def got():
    return []


@pytest.fixture
def billing(got):
    consumer = Consumer(BUNDLED, name="billing-service")
    consumer.on(BillingUsageUpdatedV2)(got.append)
    assert consumer.upcast(with_source) is with_source
    consumer.verify()
    return consumer


def test_the_bundled_window(billing, got):
    assert billing.consume(usage(delta=3.0)) is Outcome.HANDLED
    assert billing.consume(usage(source_event_id="s"), {"replay": "true"}) is Outcome.HANDLED
    event = got[0]
    assert (event.event_version, type(event.payload), event.payload.delta) == ("v2", BillingUsageUpdatedV2, 3)
    assert event.payload.source_event_id == str(event.event_id)
    assert (got[1].payload.source_event_id, got[1].replay) == ("s", True)


async def test_what_cannot_be_upcast_is_rejected(billing, got):
    for consume in (billing.consume, billing.aconsume):
        with pytest.raises(InvalidUpcast) as rejected:
            await consume(usage(delta=0.5))
        violation = Violation("/payload/delta", "type", "integer")
        assert rejected.value == InvalidUpcast("billing.usage.updated", "v1", violation)
        assert rejected.value.violations == (violation,)
    with pytest.raises(InvalidPayload):
        billing.consume(usage(delta="x"))
    assert got == []


@pytest.fixture
def chain(tmp_path):
    return folders.chain(tmp_path)


def renaming(source, target, seen):
    def upcast(payload: dict[str, Any], event: Event[Any]) -> dict[str, Any]:
        seen.append((event.event_version, payload))
        return {"id": payload["id"], f"field_{target}": payload[f"field_{source}"] + 1}

    return upcast


@pytest.mark.parametrize("ending", ["}", "} "])
def test_a_chain(chain, got, ending):
    seen: list[Any] = []
    consumer = Consumer(chain, name="taker")
    consumer.on("thing.made", "v3")(got.append)
    consumer.upcast("thing.made", "v1", "v2")(renaming("v1", "v2", seen))
    consumer.upcast("thing.made", "v2", "v3")(renaming("v2", "v3", seen))
    for version in ("v1", "v2", "v3"):
        consumer.consume(raw({"id": "a", f"field_{version}": 1, "more": 1}, version)[:-1] + ending.encode())
    assert [(event.event_version, event.payload.field_v3) for event in got] == [("v3", 3), ("v3", 2), ("v3", 1)]
    assert [version for version, _ in seen] == ["v1", "v2", "v2"]


def test_the_nearest_handler_is_preferred(chain, got):
    consumer = Consumer(chain, name="taker")
    other: list[Any] = []
    consumer.on("thing.made", "v3")(got.append)
    consumer.on("thing.made", "v2")(other.append)
    consumer.upcast("thing.made", "v1", "v2")(renaming("v1", "v2", []))
    consumer.upcast("thing.made", "v2", "v3")(renaming("v2", "v3", []))
    for version in ("v1", "v2"):
        consumer.consume(raw({"id": "a", f"field_{version}": 1}, version))
    assert [event.event_version for event in other] == ["v2", "v2"]
    consumer.on("thing.made", "v1")(got.append)
    consumer.consume(raw({"id": "a", "field_v1": 1}, "v1"))
    assert [event.event_version for event in got] == ["v1"]


def raising(payload, event):
    raise LookupError(SENTINEL)


def circular(payload, event):
    value: dict[str, Any] = {}
    value["id"] = value
    return value


@pytest.mark.parametrize(
    ("upcast", "pointer", "rule"),
    [
        (raising, "/payload", "upcast"),
        (lambda payload, event: None, "/payload", "type"),
        (lambda payload, event: event, "/payload/payload", "additionalProperties"),
        (lambda payload: {}, "/payload/field_v2", "required"),
        (lambda payload: {"id": SENTINEL, "field_v2": SENTINEL}, "/payload/field_v2", "type"),
        (lambda payload: {"id": "a", "field_v2": 1, "typo": SENTINEL}, "/payload/typo", "additionalProperties"),
        (lambda payload: {"id": "a", "field_v2": float("nan")}, "/payload/field_v2", "finite"),
        (lambda payload: {"id": object(), "field_v2": 1}, "/payload/id", "json"),
        (circular, "/payload", "depth"),
    ],
)
@pytest.mark.parametrize("ending", ["}", "} "])
def test_what_an_upcast_may_get_wrong(chain, upcast, pointer, rule, ending):
    got: list[Any] = []
    letters: list[Any] = []
    consumer = Consumer(chain, name="taker", dead_letters=letters.append)
    consumer.on("thing.made", "v2")(got.append)
    consumer.upcast("thing.made", "v1", "v2")(upcast)
    body = raw({"id": "a", "field_v1": 1})[:-1] + ending.encode()
    assert consumer.consume(body) is Outcome.DEAD_LETTERED
    rejection = letters[0].rejection
    assert (type(rejection), rejection.event, rejection.version) == (InvalidUpcast, "thing.made", "v1")
    assert (pointer, rule) in [(each.pointer, each.rule) for each in rejection.violations]
    assert SENTINEL not in f"{rejection}{rejection!r}{letters[0]!r}"
    assert (rejection.__cause__ is not None) == (rule == "upcast")
    assert got == []


def test_an_upcast_to_a_number_that_python_cannot_hold(tmp_path, got):
    lines = dict.fromkeys(("v1", "v2"), 'key = "{id}"\nintroduced = "1"')
    number = folders.schema({"id": folders.TEXT, "size": {"type": "number"}})
    files = {f"thing.made/{version}.json": number for version in lines}
    catalog = Catalog.load(folders.write(tmp_path, folders.table("thing.made", lines), files))
    consumer = Consumer(catalog, name="taker")
    consumer.on("thing.made", "v2")(got.append)
    consumer.upcast("thing.made", "v1", "v2")(lambda payload: {"id": "a", "size": 10**400})
    with pytest.raises(InvalidUpcast) as rejected:
        consumer.consume(raw({"id": "a", "size": 1}))
    assert rejected.value.violations == (Violation("/payload", "range"),)
    assert got == []


def test_an_upcast_sees_a_payload_as_it_asks_for_it(chain, got):
    consumer = Consumer(chain, name="taker")
    consumer.on("thing.made", "v2")(got.append)
    consumer.upcast("thing.made", "v1", "v2")(lambda payload: {"id": payload.id, "field_v2": payload.field_v1})
    consumer.consume(raw({"id": "a", "field_v1": 1}))
    assert got[0].payload.field_v2 == 1


# -- declarations --------------------------------------------------------------------------------------------------


async def awaited(payload: BillingUsageUpdatedV1) -> BillingUsageUpdatedV2:
    raise NotImplementedError


def unannotated(payload):
    raise NotImplementedError


def half_annotated(payload: BillingUsageUpdatedV1):
    raise NotImplementedError


def backwards(payload: BillingUsageUpdatedV2) -> BillingUsageUpdatedV1:
    raise NotImplementedError


def elsewhere(payload: JobUpdatedV1) -> BillingUsageUpdatedV2:
    raise NotImplementedError


def of_dicts(payload: dict[str, Any]) -> dict[str, Any]:
    raise NotImplementedError


def of_a_union(payload: "BillingUsageUpdatedV1 | BillingUsageUpdatedV2") -> BillingUsageUpdatedV2:
    raise NotImplementedError


def of_three(payload: BillingUsageUpdatedV1, event: Event, more: int) -> BillingUsageUpdatedV2:
    raise NotImplementedError


def of_nothing() -> BillingUsageUpdatedV2:
    raise NotImplementedError


NAMED = ("billing.usage.updated", "v1", "v2")


@pytest.mark.parametrize(
    ("names", "function", "message"),
    [
        ((), awaited, "make it a plain one"),
        ((), unannotated, '@consumer.upcast("job.updated", "v1", "v2")'),
        ((), half_annotated, '@consumer.upcast("job.updated", "v1", "v2")'),
        ((), backwards, "it must lead to a newer version"),
        ((), elsewhere, "it must stay with one event"),
        ((), of_dicts, "use a generated payload class"),
        ((), of_a_union, "use a generated payload class"),
        ((), of_three, "must take a payload, or a payload and its event"),
        ((), of_nothing, "must take a payload, or a payload and its event"),
        ((), None, "register what is to be called"),
        (NAMED, elsewhere, "register it for that, or upcast"),
        (NAMED, "text", "register what is to be called"),
        (("billing.usage.updated", "v2", "v2"), unannotated, "it must lead to a newer version"),
        (("billing.usage.updated", "1", "2"), unannotated, "they are written v1, v2"),
        (("billing.usage.updated", "v1", ""), unannotated, "they are written v1, v2"),
        (("billing.usage.updated", "v1"), unannotated, 'upcast("job.updated", "v1", "v2")'),
        (("billing.usage.updated",), unannotated, 'upcast("job.updated", "v1", "v2")'),
        ((BillingUsageUpdatedV1, BillingUsageUpdatedV2), unannotated, 'upcast("job.updated", "v1", "v2")'),
    ],
)
def test_a_malformed_upcast_fails_where_it_is_declared(names, function, message):
    consumer = Consumer(BUNDLED, name="taker")
    with pytest.raises(DeclarationError) as refused:
        consumer.upcast(*names)(function) if names else consumer.upcast(function)
    assert message in str(refused.value)


def test_a_version_has_one_upcast(billing):
    with pytest.raises(DeclarationError, match="has an upcast already"):
        billing.upcast(*NAMED)(lambda payload: payload)


def test_named_upcasts_are_returned_unchanged():
    def function(payload):
        raise NotImplementedError

    assert Consumer(BUNDLED, name="taker").upcast(*NAMED)(function) is function
    assert sample(V1)["source_event_id"] == "some source_event_id"
