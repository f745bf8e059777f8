"""The bundled catalog: the same as its folder is read, and what the registry's facts say."""

import tomllib
from pathlib import Path
from typing import Any

import orjson
import pytest

from jobarium_events import Catalog, payloads
from jobarium_events.catalog import SCHEMAS, digest_of, envelope_validator
from tests.strategies import BUNDLED, CONTRACTS, NAMES

REGISTRY = Path(__file__).parents[3] / "shared" / "registry.toml"
FACTS: dict[str, Any] = tomllib.loads(REGISTRY.read_text()) if REGISTRY.exists() else {"event": []}
MONTH = "^[0-9]{4}-(0[1-9]|1[0-2])$"
BASIC = {
    "string": {"type": "string"},
    "integer": {"type": "integer"},
    "number": {"type": "number"},
    "object": {"type": "object"},
    "timestamp": {"type": "string", "format": "date-time"},
    "month": {"type": "string", "pattern": MONTH},
}
NOTES = {"title", "description", "x-unit", "x-enum-meanings"}


def facts() -> dict[str, Any]:
    if not REGISTRY.exists():
        pytest.skip(f"the registry's facts are not here: {REGISTRY}")
    return FACTS


def expected(text: str) -> dict[str, Any]:
    """A field's schema from how the registry writes its type."""
    text, _, most = text.partition(", at most ")
    if text.startswith("array<"):
        return {"type": "array", "items": expected(text[6:-1])} | ({"maxItems": int(most)} if most else {})
    if "|" in text:
        return {"type": "string", "enum": text.split("|")}
    name, _, bounds = text.partition(" [")
    if bounds:
        lowest, highest = bounds.rstrip("]").split(", ")
        return {**BASIC[name], "minimum": int(lowest), "maximum": int(highest)}
    return BASIC[name]


def plain(schema: Any) -> Any:
    if not isinstance(schema, dict):
        return schema
    return {key: plain(value) for key, value in schema.items() if key not in NOTES}


def test_it_is_the_folder_as_it_is_loaded():
    loaded = Catalog.load(SCHEMAS)
    assert [contract.name for contract in loaded] == NAMES
    assert loaded.releases == BUNDLED.releases
    for one, other in zip(loaded, BUNDLED, strict=True):
        assert {name: getattr(one, name) for name in one.__struct_fields__} == {
            name: getattr(other, name) for name in other.__struct_fields__
        }


def test_it_is_what_the_registry_says():
    events = facts()["event"]
    assert [event["name"] for event in events] == list(BUNDLED.events)
    for event in events:
        contract = BUNDLED.contract(event["name"], "v1")
        assert (contract.owner, list(contract.consumers)) == (event["producer"], event["consumers"])
        assert contract.key.text == event["key"]
        assert contract.schema["required"] == list(event["required"])
        fields = {**event["required"], **event.get("optional", {})}
        assert list(contract.schema["properties"]) == list(fields)
        for name, text in fields.items():
            assert plain(contract.schema["properties"][name]) == expected(text), f"{contract.name} {name}"
        ordering = contract.ordering
        text = f"per {ordering.per} the highest {ordering.by} wins; an older one is stale" if ordering else None
        assert text == event.get("ordering")


def test_the_second_version_of_the_usage():
    event = next(event for event in facts()["event"] if event["name"] == "billing.usage.updated")
    v1, v2 = BUNDLED.versions("billing.usage.updated")
    assert v2.schema["required"] == [*event["required"], *event["optional"]]
    assert plain(v2.schema["properties"]) == plain(v1.schema["properties"]) | {"delta": {"type": "integer"}}
    assert (v1.lifecycle, v2.lifecycle, v2.decision) == ("deprecated", "active", "DEC-0001")
    assert v1.key == v2.key


def test_the_envelope_is_what_the_registry_says():
    envelope, schema = facts()["envelope"], envelope_validator().schema
    assert schema["required"] == [*envelope["required"], "payload"]
    assert list(schema["properties"]) == [*envelope["required"], *envelope["optional"], "payload"]
    assert list(schema["properties"])[:2] == ["event_name", "event_version"]


@pytest.mark.parametrize("contract", CONTRACTS, ids=NAMES)
def test_the_class_was_generated_from_the_schema_that_is_there(contract):
    kind = getattr(payloads, contract.class_name)
    file = orjson.loads((Path(SCHEMAS) / contract.event / f"{contract.version}.json").read_bytes())
    assert contract.schema == file
    assert kind.__contract__ == (contract.event, contract.version, digest_of(file))
    assert BUNDLED.entry(kind).engine == "msgspec"


def test_every_field_says_what_it_means():
    for contract in CONTRACTS:
        for name, field in contract.schema["properties"].items():
            assert field["description"].endswith("."), f"{contract.name} {name}"
            assert set(field.get("x-enum-meanings", {})) == set(field.get("enum", ())), f"{contract.name} {name}"
