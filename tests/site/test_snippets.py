"""What can be copied runs: what the producer's part sends, the consumer's part handles."""

from __future__ import annotations

import json
import sys
import warnings

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jobarium_events import Catalog, Lifecycle, Outcome
from jobarium_events.examples import example
from jobarium_events.site.snippets import consumer_code, producer_code
from tests import folders
from tests.site.catalogs import shop

BUNDLED = list(Catalog.bundled())


def run(producer, consumer):
    """Run both snippets, and return what the consumer got as events, with the outcomes."""
    sent, got = {}, {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # an old version is still sent
        exec(compile(producer, "producer", "exec"), sent)
    exec(compile(consumer, "consumer", "exec"), got)
    (message,) = sent["transport"].sent
    transport = sent["transport"]
    transport.subscribe(got["consumer"])
    outcomes = [each.outcome for each in transport.deliver()]
    got["receive"](message.body, dict(message.attributes))
    return json.loads(message.body), outcomes


@pytest.mark.parametrize("contract", BUNDLED, ids=lambda each: each.name)
def test_those_of_the_bundled_catalog_run(contract, capsys):
    catalog = Catalog.bundled()
    entry = catalog.entry(contract.event, contract.version)
    payload = example(entry)
    producer = producer_code(catalog, entry, payload, folder=None)
    assert f"{contract.class_name}(" in producer
    event, outcomes = run(producer, consumer_code(catalog, entry, folder=None))
    assert outcomes == [Outcome.HANDLED]
    assert (event["event_name"], event["event_version"]) == (contract.event, contract.version)
    assert entry.open.convert(event["payload"]) == entry.open.convert(payload)
    assert event["idempotency_key"] in capsys.readouterr().out


def test_those_of_a_folder_run(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    folder = 'our "own"/schemas'
    catalog = Catalog.load(shop(tmp_path / folder))
    states = set()
    for contract in catalog:
        states.add(contract.lifecycle)
        entry = catalog.entry(contract.event, contract.version)
        payload = example(entry)
        producer = producer_code(catalog, entry, payload, folder=folder)
        event, outcomes = run(producer, consumer_code(catalog, entry, folder=folder))
        assert outcomes == [Outcome.HANDLED]
        assert event["event_version"] == contract.version
        assert event["payload"] == payload
        assert event["idempotency_key"] in capsys.readouterr().out
    assert states == {Lifecycle.DRAFT, Lifecycle.ACTIVE, Lifecycle.DEPRECATED}


def arrives(consumer, producers):
    """Send what each producer's part sends to the consumer's part."""
    got = {}
    exec(compile(consumer, "consumer", "exec"), got)  # it verifies itself
    for producer in producers:
        sent = {}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            exec(compile(producer, "producer", "exec"), sent)
        (message,) = sent["transport"].sent
        assert got["consumer"].consume(message.body, dict(message.attributes)) is Outcome.HANDLED


@pytest.mark.parametrize("catalog", ["bundled", "six"])
def test_a_consumer_takes_every_version_that_is_on_the_wire(catalog, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    folder = None if catalog == "bundled" else "schemas"
    catalog = Catalog.bundled() if folder is None else folders.chain(tmp_path / folder)
    event = "billing.usage.updated" if folder is None else "thing.made"
    wire = [each for each in catalog.versions(event) if each.lifecycle in (Lifecycle.ACTIVE, Lifecycle.DEPRECATED)]
    assert len(wire) > 1
    entries = [catalog.entry(event, each.version) for each in wire]
    producers = [producer_code(catalog, each, example(each), folder=folder) for each in entries]
    drafts = [catalog.entry(event, each.version) for each in catalog.versions(event) if each.lifecycle == "draft"]
    for entry in (*entries, *drafts):
        arrives(consumer_code(catalog, entry, folder=folder), producers)
    newest = consumer_code(catalog, entries[-1], folder=folder)
    assert "v1 is on the wire as well, until " in newest
    assert "v5" not in newest  # it is retired
    assert f"{wire[-1].version} is on the wire as well.\n" in consumer_code(catalog, entries[0], folder=folder)


values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@pytest.fixture(scope="module")
def open_ended(tmp_path_factory):
    """A contract with one field that takes anything."""
    folder = tmp_path_factory.mktemp("any")
    return folders.one(folder, folders.schema({"id": folders.TEXT}, any={}))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(payload=st.fixed_dictionaries({"id": st.text(min_size=1), "any": values}))
def test_any_payload_is_printed_as_it_is(payload, open_ended):
    entry = open_ended.entry("thing.made", "v1")
    code = producer_code(open_ended, entry, payload, folder="schemas")
    start = code.index("producer.emit(")
    got = []
    exec(
        compile(code[start:], "producer", "exec"),
        {"producer": type("P", (), {"emit": staticmethod(lambda *all: got.extend(all))})},
    )
    assert got == ["thing.made", payload]
    assert json.dumps(got[1]) == json.dumps(payload)  # 1, 1.0 and True differ
    assert all(line.isprintable() for line in code.split("\n"))


def test_lines_are_short():
    for contract in BUNDLED:
        entry = Catalog.bundled().entry(contract.event, contract.version)
        code = producer_code(Catalog.bundled(), entry, example(entry), folder=None)
        assert max(map(len, code.splitlines())) <= 88, code
        code = consumer_code(Catalog.bundled(), entry, folder=None)
        assert max(map(len, code.splitlines())) <= 100, code  # the name of a class is not broken


def test_values_of_a_class_are_printed_as_python(tmp_path):
    moment = {"type": "string", "format": "date-time"}
    fields = {
        "day": {"type": "string", "format": "date"},
        "order": {"type": "string", "format": "uuid"},
        "there": moment,
        "precise": moment,
        "utc": moment,
        "inner": folders.schema({"name": folders.TEXT}, absent=folders.TEXT),
        "several": {"type": "array", "items": folders.schema({"number": folders.WHOLE})},
    }
    catalog = folders.one(tmp_path, folders.schema({"id": folders.TEXT, **fields}, absent=folders.TEXT))
    entry = catalog.entry("thing.made", "v1")
    payload = {
        "id": "t-1",
        "day": "2026-03-01",
        "order": "0d6f0c5e-6c1b-4a51-8d54-0f3a4c0b6b0e",
        "there": "2026-03-01T09:30:00+02:00",
        "precise": "2026-03-01T09:30:00.000001Z",
        "utc": "2026-03-01T09:30:07Z",
        "inner": {"name": "n" * 90},
        "several": [{"number": 1}, {"number": 2}],
    }
    code = producer_code(catalog, entry, payload, folder=None)
    assert "datetime(2026, 3, 1, 9, 30, 7, tzinfo=UTC)" in code
    assert "absent" not in code
    # The classes of a folder are nowhere to be imported from; everything else is imported as it is shown.
    known = {
        each: kind for each, kind in vars(sys.modules[entry.payload_type.__module__]).items() if isinstance(kind, type)
    }
    head, emit = code.split("producer.emit(")
    exec("\n".join(line for line in head.splitlines() if line.startswith("from") and "payloads" not in line), known)
    assert eval(f"({emit.rstrip().removesuffix(')').rstrip().removesuffix(',')})", known) == entry.open.convert(payload)
