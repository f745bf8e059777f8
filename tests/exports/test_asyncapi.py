"""The AsyncAPI document of a catalog, which the official parser has nothing to say against."""

import json

import pytest
import yaml
from hypothesis import assume, given

from jobarium_events import Catalog, Lifecycle, Producer
from jobarium_events.contract import Ordering
from jobarium_events.envelope import Event
from jobarium_events.errors import SchemaError
from jobarium_events.exports import ExportRefused, as_json, as_yaml, asyncapi_document
from jobarium_events.validation import Validator, check_schema, compile_schema
from tests.exports.catalogs import catalog, contract, hostile
from tests.exports.parsing import WARNING
from tests.folders import chain
from tests.strategies import BUNDLED, CONTRACTS, NAMES, few
from tests.validation.schemas import schemas

ROOT = "#/components/schemas/ThingMadeV1/schema"
# Said of every document of 3.0, since there is 3.1.
EXPECTED = {"asyncapi-latest-version"}


def parsed(parser, document, written=as_json):
    """What the parser found in a document, after nothing was wrong with it."""
    found = parser.parse(written(document).decode())
    assert not [each for each in found["diagnostics"] if each["severity"] <= WARNING]
    assert {each["code"] for each in found["diagnostics"]} <= EXPECTED
    return found


def message(document, name="ThingMadeV1"):
    return document["components"]["messages"][name]


def resolved(document, reference):
    place = document
    for token in reference.removeprefix("#/").split("/"):
        place = place[token.replace("~1", "/").replace("~0", "~").replace("%20", " ")]
    return place


def references(value):
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        for inner in value.values():
            yield from references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from references(inner)


def test_the_bundled_catalog(parser):
    document = asyncapi_document(BUNDLED)
    found = parsed(parser, document)
    assert found == parsed(parser, document, as_yaml)
    assert found["channels"] == list(BUNDLED.events)
    assert found["messages"] == [each.class_name for each in BUNDLED]
    sent = {f"{each.owner}.sends.{each.event}" for each in BUNDLED}
    received = {f"{service}.receives.{each.event}" for each in BUNDLED for service in each.consumers}
    assert {name for name, action in found["operations"] if action == "send"} == sent
    assert {name for name, action in found["operations"] if action == "receive"} == received
    assert document["info"]["version"] == BUNDLED.releases[-1]


def test_hostile_texts(parser):
    document = asyncapi_document(hostile(), retired=True)
    found = parsed(parser, document)
    assert found == parsed(parser, document, as_yaml)
    assert len(found["messages"]) == len(hostile())
    assert len(found["operations"]) == 5 * len(hostile())
    assert yaml.safe_load(as_yaml(document)) == json.loads(as_json(document)) == document


def test_many_versions(parser, tmp_path):
    made = chain(tmp_path)
    assert parsed(parser, asyncapi_document(made))["messages"] == [f"ThingMadeV{n}" for n in (1, 2, 3, 6)]
    every = asyncapi_document(made, drafts=True, retired=True)
    assert parsed(parser, every)["messages"] == [f"ThingMadeV{n}" for n in range(1, 7)]
    assert "Draft" in message(every, "ThingMadeV4")["summary"]
    assert "Retired since 4" in message(every, "ThingMadeV5")["summary"]


def test_no_events_at_all(parser):
    assert parsed(parser, asyncapi_document(Catalog([])))["messages"] == []
    assert asyncapi_document(Catalog([]))["info"]["version"] == "unreleased"


@given(schema=schemas())
@few
def test_any_schema(parser, schema):
    made = contract({**schema, "type": "object", "discriminator": 1, "externalDocs": "x", "deprecated": "no"})
    assume(not check_schema(made.schema))
    try:
        Validator(made.schema, closed=True)
        document = asyncapi_document(catalog(made))
    except (SchemaError, ExportRefused):
        assume(False)  # no catalog would take it, or it names a field $ref, of which there is a test below
    parsed(parser, document)
    assert all(resolved(document, each) is not None for each in references(document))


@pytest.mark.parametrize(
    ("dialect", "version"),
    [
        ("http://json-schema.org/draft-07/schema#", "draft-07"),
        ("https://json-schema.org/draft/2019-09/schema", "draft-2019-09"),
        ("https://json-schema.org/draft/2020-12/schema", "draft-2020-12"),
    ],
)
def test_a_schema_that_refers_to_itself(parser, dialect, version):
    schema = {
        "$schema": dialect,
        "$id": "http://example.org/x",
        "type": "object",
        "properties": {"id": {"type": "string"}, "inner": {"$ref": "#"}, "b": {"$ref": "#/definitions/b c"}},
        "definitions": {"b c": {"type": "array", "items": {"$ref": "#/definitions/b c"}}},
    }
    document = asyncapi_document(catalog(contract(schema)))
    parsed(parser, document)
    payload = document["components"]["schemas"]["ThingMadeV1"]
    assert payload["schemaFormat"] == f"application/schema+json;version={version}"
    assert not {"$id", "$schema"} & payload["schema"].keys()
    fields = payload["schema"]["properties"]["payload"]["properties"]
    assert fields["inner"] == {"$ref": f"{ROOT}/properties/payload"}
    assert fields["b"] == {"$ref": f"{ROOT}/definitions/b c"}


@pytest.mark.parametrize(
    ("field", "keyword"),
    [
        ({"properties": {"$ref": {"type": "string"}}}, "properties"),
        ({"definitions": {"$ref": {}}}, "definitions"),
        ({"dependencies": {"$ref": ["a"]}}, "dependencies"),
        ({"const": {"a": [{"$ref": "#/a"}]}}, "const"),
        ({"enum": [1, {"$ref": None}]}, "enum"),
    ],
)
def test_a_field_that_is_named_as_references_are(field, keyword):
    made = contract({"type": "object", "properties": {"id": {"type": "string"}, "x": field}})
    with pytest.raises(ExportRefused, match=rf"^thing\.made v1 names a field \$ref, under {keyword}; every parser"):
        asyncapi_document(catalog(made))


def test_what_only_annotates_is_left_out_where_it_looks_like_a_reference(parser):
    unlike = {"default": {"$ref": "#/a"}, "examples": [{"$ref": "http://nowhere.invalid/x"}], "x-y": {"$ref": "b"}}
    made = contract({"type": "object", "properties": {"id": {"type": "object", **unlike, "title": "kept"}}})
    document = asyncapi_document(catalog(made))
    parsed(parser, document)
    payload = document["components"]["schemas"]["ThingMadeV1"]["schema"]["properties"]["payload"]
    assert payload["properties"]["id"] == {"type": "object", "title": "kept"}
    assert "examples" not in message(document)  # it would hold the first of these


@pytest.mark.filterwarnings("ignore:billing.usage.updated v1 is deprecated:DeprecationWarning")
@pytest.mark.parametrize("each", CONTRACTS, ids=NAMES)
def test_headers_and_payload_are_what_a_producer_sends(each):
    document = asyncapi_document(BUNDLED)
    described = message(document, each.class_name)
    [shown] = described["examples"]
    producer = Producer(BUNDLED, name=each.owner, declares={each.event: each.version})
    sent = producer.prepare(
        each.event,
        shown["payload"]["payload"],
        tenant_id="a",
        correlation_id="b",
        schema_ref="c",
    )
    shared = document["components"]["schemas"]["EventHeaders"]
    assert shared["properties"].keys() - {"replay"} == sent.attributes.keys()
    assert shared["properties"].keys() - {"replay"} == set(Event.__struct_fields__) - {"payload"}
    headers = {**described["headers"], "allOf": [shared]}
    payload = BUNDLED.entry(each.event, each.version).open
    assert payload.is_valid(shown["payload"]["payload"])
    for attributes in (shown["headers"], sent.attributes, producer.prepare_replay(sent.body).attributes):
        assert compile_schema(headers).is_valid(dict(attributes))
    for wrong in ({"event_name": "other"}, {"event_version": "v9"}, {"producer": "other"}, {"replay": "no"}):
        assert not compile_schema(headers).is_valid({**shown["headers"], **wrong})


def test_a_deprecated_version_says_so_wherever_it_can():
    document = asyncapi_document(BUNDLED)
    old, new = (message(document, f"BillingUsageUpdated{version}") for version in ("V1", "V2"))
    assert old["summary"] == "billing.usage.updated v1. Deprecated since 2026.3, to be retired in 2026.5. Move to v2."
    assert new["summary"] == "billing.usage.updated v2."
    assert [each["tags"] for each in (old, new)] == [[{"name": "deprecated"}], [{"name": "active"}]]
    assert old["x-lifecycle"] == {
        "state": "deprecated",
        "introduced": "2026.1",
        "deprecated": "2026.3",
        "retired": "2026.5",
    }
    schemas_ = document["components"]["schemas"]
    assert schemas_["BillingUsageUpdatedV1"]["schema"]["deprecated"] is True
    assert "deprecated" not in schemas_["BillingUsageUpdatedV2"]["schema"]


def test_what_a_contract_says_beside_its_schema():
    made = contract({"type": "object", "title": "Made", "description": "When."}, ordering=Ordering("id", "version"))
    document = asyncapi_document(catalog(made), title="Things")
    said = message(document)
    assert (said["title"], said["description"], document["info"]["title"]) == ("Made", "When.", "Things")
    assert said["x-ordering"] == {"per": "id", "by": "version"}
    assert said["x-idempotency-key"] == "thing.made:{id}"
    channel = document["channels"]["thing.made"]
    assert (channel["address"], channel["x-owner"], channel["x-consumers"]) == ("thing.made", "maker", ["taker"])
    assert "x-ordering" not in message(asyncapi_document(catalog(contract({"type": "object"}))))


def test_an_event_that_cannot_be_has_no_example():
    assert "examples" not in message(asyncapi_document(catalog(contract({"type": "object", "not": {}}))))


def test_one_service(parser):
    document = asyncapi_document(BUNDLED, service="matching-service")
    found = parsed(parser, document)
    assert {name for name, _ in found["operations"]} == {
        "matching-service.sends.matching.shortlist.changed",
        "matching-service.receives.profile.updated",
        "matching-service.receives.job.updated",
        "matching-service.receives.candidate.enrichment.completed",
    }
    assert len(found["channels"]) == len(found["messages"]) == 4
    assert document["info"]["tags"] == [
        {"name": "matching-service", "description": "A service that sends 1 event and receives 3 events."}
    ]


def test_a_service_that_there_is_not():
    with pytest.raises(ExportRefused, match=r"'matching' neither sends nor reads an event; there are: maker, taker$"):
        asyncapi_document(catalog(contract({"type": "object"})), service="matching")


def test_operations_whose_names_read_alike(parser):
    made = catalog(
        contract({"type": "object"}, "c", owner="a.sends.b", consumers=()),
        contract({"type": "object"}, "b.sends.c", owner="a", consumers=()),
    )
    operations = asyncapi_document(made)["operations"]
    assert [each["x-service"] for each in operations.values()] == ["a.sends.b", "a"]
    assert len(parsed(parser, asyncapi_document(made))["operations"]) == 2


def test_a_consumer_that_is_named_twice_or_owns_the_event():
    made = catalog(contract({"type": "object"}, consumers=("maker", "taker", "taker")))
    assert list(asyncapi_document(made)["operations"]) == [
        "maker.sends.thing.made",
        "maker.receives.thing.made",
        "taker.receives.thing.made",
    ]


def test_a_retired_version_is_left_out_unless_asked_for():
    made = catalog(contract({"type": "object"}, lifecycle=Lifecycle.RETIRED, retired="3", deprecated="1"))
    assert asyncapi_document(made)["channels"] == {}
    assert "ThingMadeV1" in asyncapi_document(made, retired=True)["components"]["messages"]
