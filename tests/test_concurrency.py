"""One catalog, producer and consumer, used by many threads and tasks at once, from the very first use on."""

import asyncio
import json
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from jobarium_events import Catalog, Consumer, Producer
from jobarium_events.catalog import SCHEMAS
from jobarium_events.errors import InvalidPayload
from tests import folders
from tests.strategies import event_of, sample

THREADS = 8


@pytest.fixture(autouse=True)
def _switching_often():
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


def at_once(work, count=THREADS):
    """Run `work` in many threads that start together; return what each returned, in no order."""
    barrier = threading.Barrier(count)

    def run(number):
        barrier.wait()
        return work(number)

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(run, range(count)))


def test_the_first_use_of_a_catalog():
    for _ in range(5):
        catalog = Catalog.load(SCHEMAS)

        def work(number, catalog=catalog):
            entries = [catalog.entry(each.event, each.version) for each in catalog]
            return [(id(entry.open), id(entry.closed), entry.engine) for entry in entries]

        results = at_once(work)
        assert all(result == results[0] for result in results)
        assert {engine for *_, engine in results[0]} == {"msgspec"}


def test_the_first_use_of_an_exact_engine(tmp_path):
    odd = folders.schema({"id": folders.TEXT}) | {"not": {"required": ["no"]}}
    for round_ in range(5):
        catalog = folders.one(tmp_path / str(round_), odd)
        producer, got = Producer(catalog, name="maker"), []
        consumer = Consumer(catalog, name="taker")
        consumer.on("thing.made", "v1")(got.append)

        def work(number, catalog=catalog, producer=producer, consumer=consumer):
            message = producer.prepare("thing.made", {"id": str(number)})
            bad = json.dumps(event_of(catalog.contract("thing.made", "v1"), {"id": "a", "no": 1})).encode()
            with pytest.raises(InvalidPayload):
                consumer.consume(bad)
            return consumer.consume(message.body)

        assert at_once(work) == ["handled"] * THREADS
        assert sorted(event.payload.id for event in got) == sorted(map(str, range(THREADS)))


@pytest.mark.parametrize("rounds", [20])
def test_emit_and_consume_in_threads(rounds):
    catalog = Catalog.load(SCHEMAS)
    sent, got = [], []
    producers = {owner: Producer(catalog, name=owner, declares=lambda _: None, send=sent.append)
                 for owner in {contract.owner for contract in catalog}}  # fmt: skip
    consumer = Consumer(catalog, name="taker")
    newest = [contract for contract in catalog if contract is catalog.newest(contract.event)]
    for contract in newest:
        consumer.on(contract.event, contract.version)(got.append)

    def work(number):
        for _ in range(rounds):
            for contract in newest:
                producer = producers[contract.owner]
                with producer.context(tenant_id=f"tenant-{number}"):
                    message = producer.emit(contract.event, sample(contract), correlation_id=contract.event)
                assert message.attributes["tenant_id"] == f"tenant-{number}"
                assert consumer.consume(message.body) == "handled"
                assert consumer.consume(message.body, {"replay": "true"}) == "handled"

    at_once(work)
    assert len(sent) == len({message.attributes["event_id"] for message in sent}) == rounds * THREADS * len(newest)
    assert len(got) == 2 * len(sent)
    assert all(event.event_name == event.correlation_id for event in got)


def test_handlers_are_registered_while_events_come():
    catalog = Catalog.load(SCHEMAS)
    consumer = Consumer(catalog, name="taker")
    contracts = [contract for contract in catalog if contract.version == "v1"]
    bodies = {contract: json.dumps(event_of(contract, sample(contract)), separators=(",", ":")).encode()
              for contract in contracts}  # fmt: skip
    got = {contract: [] for contract in contracts}

    def work(number):
        if number == 0:
            for contract in contracts:
                consumer.on(contract.event, "v1")(got[contract].append)
        for contract in contracts * 20:
            assert consumer.consume(bodies[contract]) in ("handled", "skipped")

    at_once(work)
    assert [consumer.consume(body) for body in bodies.values()] == ["handled"] * len(contracts)
    assert all(
        events and {event.event_name for event in events} == {contract.event} for contract, events in got.items()
    )


async def test_tasks_keep_their_contexts_and_events_apart():
    catalog = Catalog.load(SCHEMAS)
    contract = catalog.contract("job.updated", "v1")
    sent, got = [], []

    async def send(message):
        await asyncio.sleep(0)
        sent.append(message)

    async def handler(event):
        await asyncio.sleep(0)
        got.append((event.tenant_id, event.payload.job_id))

    producer, consumer = Producer(catalog, name="job-service", send=send), Consumer(catalog, name="taker")
    consumer.on("job.updated", "v1")(handler)

    async def work(number):
        with producer.context(tenant_id=str(number)):
            await asyncio.sleep(0)
            message = await producer.aemit("job.updated", sample(contract) | {"job_id": str(number)})
            await asyncio.sleep(0)
            assert producer.prepare("job.updated", sample(contract)).attributes["tenant_id"] == str(number)
        return await consumer.aconsume(message.body)

    assert await asyncio.gather(*map(work, range(50))) == ["handled"] * 50
    assert sorted(got) == sorted((str(number), str(number)) for number in range(50))
    assert len(sent) == 50
    assert "tenant_id" not in producer.prepare("job.updated", sample(contract)).attributes
