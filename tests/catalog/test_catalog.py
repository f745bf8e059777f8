"""Catalogs: immutable, looked up by name or by class, and put together."""

import re

import pytest

from jobarium_events import Catalog, Contract
from jobarium_events.errors import CatalogError, DeclarationError, UnknownContract
from jobarium_events.payloads import BillingUsageUpdatedV2, JobUpdatedV1
from tests import folders
from tests.strategies import BUNDLED

CONTRACT = BUNDLED.contract("job.updated", "v1")


@pytest.fixture
def chain(tmp_path):
    return folders.chain(tmp_path / "chain")


def test_look_ups():
    assert BUNDLED.contract(JobUpdatedV1) is CONTRACT
    assert BUNDLED.entry(JobUpdatedV1) is BUNDLED.entry("job.updated", "v1")
    assert [contract.version for contract in BUNDLED.versions("billing.usage.updated")] == ["v1", "v2"]
    assert BUNDLED.newest("billing.usage.updated") is BUNDLED.contract(BillingUsageUpdatedV2)
    assert BUNDLED.releases == ("2026.1", "2026.2", "2026.3")
    assert repr(BUNDLED) == "<Catalog of 14 contracts of 13 events>"


@pytest.mark.parametrize(
    ("look_up", "error"),
    [
        (lambda: BUNDLED.contract("job.updatd", "v1"), UnknownContract("job.updatd", None, BUNDLED.events)),
        (lambda: BUNDLED.contract("job.updated", "v2"), UnknownContract("job.updated", "v2", ["v1"])),
        (lambda: BUNDLED.contract("job.updated", "1"), UnknownContract("job.updated", "1", ["v1"])),
        (lambda: BUNDLED.versions("x"), UnknownContract("x", None, BUNDLED.events)),
        (lambda: BUNDLED.newest("x"), UnknownContract("x", None, BUNDLED.events)),
    ],
)
def test_look_ups_that_fail(look_up, error):
    with pytest.raises(LookupError) as raised:
        look_up()
    assert raised.value == error


def test_a_class_that_is_no_payload_and_a_name_without_version():
    with pytest.raises(DeclarationError, match="names no contract"):
        BUNDLED.contract(int)
    with pytest.raises(TypeError, match="needs a version"):
        BUNDLED.contract("job.updated")


def test_as_a_collection(chain):
    assert len(list(BUNDLED)) == len(BUNDLED) == 14
    assert all(isinstance(contract, Contract) and contract in BUNDLED for contract in BUNDLED)
    for key in (JobUpdatedV1, CONTRACT, "job.updated", ("job.updated", "v1")):
        assert key in BUNDLED
        assert key not in chain
    for key in ("x", ("job.updated", "v2"), int, 7, None, ("job.updated",)):
        assert key not in BUNDLED
    assert [event for event in BUNDLED.events if event not in BUNDLED] == []


def test_versions_are_in_order_of_their_numbers(tmp_path):
    lines = dict.fromkeys(("v10", "v9", "v1"), 'key = "{id}"\nintroduced = "1"')
    files = {f"thing.made/{version}.json": folders.schema({"id": folders.TEXT}) for version in lines}
    catalog = Catalog.load(folders.write(tmp_path, folders.table("thing.made", lines), files))
    assert [contract.version for contract in catalog.versions("thing.made")] == ["v1", "v9", "v10"]
    assert catalog.newest("thing.made") is catalog.contract("thing.made", "v10")
    assert [contract.version for contract in catalog] == ["v10", "v9", "v1"]


def test_nothing_of_a_catalog_can_be_set():
    for name in ("events", "releases", "anything"):
        with pytest.raises(AttributeError):
            setattr(BUNDLED, name, ())
    with pytest.raises(AttributeError):
        CONTRACT.lifecycle = "retired"
    with pytest.raises(TypeError):
        BUNDLED["job.updated"] = CONTRACT  # type: ignore[index]


def test_with_gives_a_new_catalog(chain, tmp_path):
    other = folders.one(tmp_path / "other", folders.schema({"id": folders.TEXT}))
    both = BUNDLED.with_(chain)
    assert (len(both), len(BUNDLED), len(chain)) == (20, 14, 6)
    assert list(both) == [*BUNDLED, *chain]
    assert both.releases == BUNDLED.releases
    assert both.contract("thing.made", "v1") is chain.contract("thing.made", "v1")
    assert list(BUNDLED.with_()) == list(BUNDLED)
    with pytest.raises(CatalogError) as clash:
        BUNDLED.with_(chain, other, BUNDLED)
    assert [problem.place for problem in clash.value.problems] == ["thing.made", *BUNDLED.events]
    assert re.match(
        "the catalog of several has 14 mistakes:\n  - catalog at thing.made: is an event of two", str(clash.value)
    )
    assert len(BUNDLED) == 14


def test_two_catalogs_with_one_class_name(tmp_path):
    one, other = (
        Catalog.load(folders.write(tmp_path / name, folders.table(name, {"v1": 'key = "{id}"'}),
                                   {f"{name}/v1.json": folders.schema({"id": folders.TEXT})}))
        for name in ("thing.made", "thing-made")
    )  # fmt: skip
    with pytest.raises(CatalogError) as clash:
        BUNDLED.with_(one, other)
    assert [str(problem) for problem in clash.value.problems] == [
        "thing-made/v1.json: and thing.made v1 would both have the payload class ThingMadeV1; rename one"
    ]
