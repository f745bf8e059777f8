"""What an inbox is told of an event, whatever its handler asked for."""

import dataclasses
import json
import uuid
from typing import Any, TypedDict

import msgspec
import pydantic
import pytest

from jobarium_events import Catalog, Consumer, Event, Outcome
from jobarium_events.errors import ViewError
from jobarium_events.payloads import JobUpdatedV1
from jobarium_events.testing import InMemoryInbox
from tests import folders
from tests.inboxes import CATALOG, job


def raw(payload: Any, version: str = "v1", **fields: Any) -> bytes:
    event = {
        "event_name": "thing.made",
        "event_version": version,
        "event_id": str(uuid.uuid4()),
        "occurred_at": "2026-07-01T12:00:00Z",
        "producer": "maker",
        "trace_id": "t",
        "idempotency_key": str(uuid.uuid4()),
        **fields,
        "payload": payload,
    }
    return json.dumps(event, separators=(",", ":")).encode()


def one(folder: Any, per: Any, by: Any, **rest: Any) -> Catalog:
    lines = 'introduced = "1"\nordering = { per = "thing", by = "at" }'
    payload = folders.schema({"thing": per}, at=by, **rest)
    return folders.one(folder, payload, key="k:{thing}", lines=lines)


def consumer_of(catalog: Catalog, handler: Any = lambda _: None, **options: Any) -> tuple[Consumer, InMemoryInbox]:
    inbox = InMemoryInbox()
    consumer = Consumer(catalog, name="taker", inbox=inbox, **options)
    consumer.on("thing.made", "v1")(handler)
    return consumer, inbox


def place(inbox: InMemoryInbox) -> tuple[Any, Any]:
    return inbox.handled[-1].aggregate, inbox.handled[-1].position


class Model(pydantic.BaseModel):
    state: str = pydantic.Field(alias="status")


@dataclasses.dataclass
class Data:
    status: str


class Typed(TypedDict):
    status: str


class Struct(msgspec.Struct, rename={"state": "status"}):
    state: str


@pytest.mark.parametrize("view", [JobUpdatedV1, dict, Any, Model, Data, Typed, Struct])
@pytest.mark.parametrize("spacing", [(",", ":"), (", ", ": ")])
def test_a_handlers_view_need_not_have_what_the_ordering_is_by(view, spacing):
    inbox, got = InMemoryInbox(), []
    consumer = Consumer(CATALOG, name="taker", inbox=inbox)

    def take(event: Any) -> None:
        got.append(event.payload)

    take.__annotations__["event"] = Event[view]
    consumer.on("job.updated", "v1")(take)
    body = json.dumps(json.loads(job(4, "j-4").body), separators=spacing).encode()
    assert consumer.consume(body) is Outcome.HANDLED
    assert place(inbox) == ("j-4", 4)
    plain = Consumer(CATALOG, name="taker")
    plain.on("job.updated", "v1")(take)
    plain.consume(body)
    assert got[0] == got[1]
    assert type(got[0]) is type(got[1])


@pytest.mark.parametrize(
    ("by", "value", "position"),
    [
        (folders.WHOLE, 7, 7),
        (folders.WHOLE, 7.0, 7),
        (folders.WHOLE, 2**64 - 1, 2**63 - 1),
        (folders.TEXT, "b", "b"),
        (folders.TEXT, "2026-07-01T12:00:00+02:00", "2026-07-01T12:00:00+02:00"),
        (folders.MOMENT, "2026-07-01T12:00:00+02:00", "2026-07-01T10:00:00.000000Z"),
        (folders.MOMENT, "2026-07-01T10:00:00.5Z", "2026-07-01T10:00:00.500000Z"),
        (folders.MOMENT, "0999-07-01T10:00:00Z", "0999-07-01T10:00:00.000000Z"),
        (folders.MOMENT, "0001-01-01T00:00:00+02:00", None),
        ({**folders.WHOLE, "multipleOf": 7, "not": {"const": 0}}, 7, 7),
        ({"type": ["integer", "null"]}, None, None),
    ],
)
def test_a_position_compares_as_it_is_meant(tmp_path, by, value, position):
    consumer, inbox = consumer_of(one(tmp_path, folders.TEXT, by))
    assert consumer.consume(raw({"thing": "a", "at": value})) is Outcome.HANDLED
    assert place(inbox) == ("a", position)


def test_an_aggregate_may_be_a_number(tmp_path):
    consumer, inbox = consumer_of(one(tmp_path, folders.WHOLE, folders.WHOLE))
    consumer.consume(raw({"thing": 12, "at": 1}))
    assert place(inbox) == ("12", 1)


def test_what_is_absent_cannot_be_stale(tmp_path):
    consumer, inbox = consumer_of(one(tmp_path, folders.TEXT, folders.WHOLE))
    consumer.consume(raw({"thing": "a", "at": 5}))
    assert consumer.consume(raw({"thing": "a"})) is Outcome.HANDLED
    assert place(inbox) == ("a", None)
    assert consumer.consume(raw({"thing": "a", "at": 4})) is Outcome.STALE


def test_without_an_ordering_there_is_no_place(tmp_path):
    consumer, inbox = consumer_of(folders.one(tmp_path, folders.schema({"id": folders.TEXT})))
    consumer.consume(raw({"id": "a"}))
    assert place(inbox) == (None, None)


def test_an_ordering_by_itself_orders_nothing(tmp_path):
    lines = 'introduced = "1"\nordering = { per = "id", by = "id" }'
    consumer, inbox = consumer_of(folders.one(tmp_path, folders.schema({"id": folders.TEXT}), lines=lines))
    assert [consumer.consume(raw({"id": each})) for each in "ba"] == [Outcome.HANDLED] * 2
    assert place(inbox) == (None, None)


def test_a_type_that_refuses_an_event_does_so_before_the_inbox_has_it(tmp_path):
    consumer, inbox = consumer_of(one(tmp_path, folders.TEXT, folders.WHOLE))

    class Narrow(msgspec.Struct):
        at: str

    def take(event: Any) -> None:
        raise AssertionError

    take.__annotations__["event"] = Event[Narrow]
    consumer = Consumer(consumer.catalog, name="taker", inbox=inbox)
    consumer.on("thing.made", "v1")(take)
    with pytest.raises(ViewError):
        consumer.consume(raw({"thing": "a", "at": 5}))
    assert inbox.handled == []


class TestVersions:
    """Two versions of one event, whose ordering is by fields of other names."""

    @pytest.fixture
    def catalog(self, tmp_path):
        tables = {
            "v1": 'key = "k:{thing}:{count}"\nintroduced = "1"\nordering = { per = "thing", by = "count" }',
            "v2": 'key = "k:{id}:{revision}"\nintroduced = "2"\nordering = { per = "id", by = "revision" }',
        }
        schemas = {
            "thing.made/v1.json": folders.schema({"thing": folders.TEXT, "count": folders.WHOLE}),
            "thing.made/v2.json": folders.schema({"id": folders.TEXT, "revision": folders.WHOLE}),
        }
        return Catalog.load(folders.write(tmp_path, folders.table("thing.made", tables), schemas))

    def test_after_an_upcast_all_stand_on_the_handlers_scale(self, catalog):
        inbox, got = InMemoryInbox(), []
        consumer = Consumer(catalog, name="taker", inbox=inbox)
        consumer.on("thing.made", "v2")(got.append)

        @consumer.upcast("thing.made", "v1", "v2")
        def renamed(payload: Any) -> dict[str, Any]:
            return {"id": payload["thing"], "revision": payload["count"] * 100}

        old = [raw({"thing": "a", "count": count}) for count in (1, 2)]
        new = raw({"id": "a", "revision": 150}, version="v2")
        outcomes = [consumer.consume(each) for each in (old[0], new, old[0], old[1], new)]
        assert outcomes == [
            Outcome.HANDLED,
            Outcome.HANDLED,
            Outcome.DUPLICATE,
            Outcome.HANDLED,
            Outcome.DUPLICATE,
        ]
        assert [(each.version, each.position) for each in inbox.handled] == [("v1", 100), ("v2", 150), ("v1", 200)]
        assert consumer.consume(raw({"thing": "a", "count": 1})) is Outcome.STALE
        assert {type(event.payload) for event in got} == {catalog.entry("thing.made", "v2").payload_type}

    def test_the_otherwise_handler_is_given_what_it_may_take(self, catalog):
        inbox, got = InMemoryInbox(), []
        consumer = Consumer(catalog, name="taker", inbox=inbox, strict=False)
        consumer.on("thing.made", "v1")(got.append)
        consumer.otherwise(got.append)
        consumer.consume(raw({"id": "a", "revision": 5}, version="v2"))
        consumer.consume(raw({"any": "thing"}, version="v7"))
        assert [event.payload for event in got] == [{"id": "a", "revision": 5}, {"any": "thing"}]
        assert [(each.version, each.aggregate, each.position) for each in inbox.handled] == [
            ("v2", "a", 5),
            ("v7", None, None),
        ]
