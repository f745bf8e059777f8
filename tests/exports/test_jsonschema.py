"""One schema file for each contract."""

import json

import pytest

from jobarium_events import Lifecycle
from jobarium_events.exports import event_schema, jsonschema_files
from tests.exports.catalogs import catalog, contract
from tests.folders import chain
from tests.strategies import BUNDLED


def test_the_files_of_the_bundled_catalog():
    files = jsonschema_files(BUNDLED)
    assert list(files) == [f"{each.event}/{each.version}.json" for each in BUNDLED]
    for each in BUNDLED:
        assert json.loads(files[f"{each.event}/{each.version}.json"]) == event_schema(each)


def test_the_closed_form():
    [content] = jsonschema_files(catalog(contract({"type": "object", "properties": {}})), closed=True).values()
    schema = json.loads(content)
    assert schema["$id"] == "urn:jobarium-events:thing.made:v1:closed"
    assert schema["additionalProperties"] is False
    assert schema["properties"]["payload"]["additionalProperties"] is False


def test_drafts_and_retired_versions_are_left_out_unless_asked_for(tmp_path):
    made = chain(tmp_path)

    def exported(**options):
        return [path.removeprefix("thing.made/v")[0] for path in jsonschema_files(made, **options)]

    assert exported() == ["1", "2", "3", "6"]
    assert exported(drafts=True) == ["1", "2", "3", "4", "6"]
    assert exported(retired=True) == ["1", "2", "3", "5", "6"]


@pytest.mark.parametrize("lifecycle", [Lifecycle.DRAFT, Lifecycle.RETIRED])
def test_a_catalog_of_nothing_else_gives_nothing(lifecycle):
    assert jsonschema_files(catalog(contract({"type": "object"}, lifecycle=lifecycle))) == {}
