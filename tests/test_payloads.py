"""`jobarium_events.payloads` is what the generator prints for the bundled schemas."""

from __future__ import annotations

from pathlib import Path

import pytest

from jobarium_events import Catalog, Contract, payloads
from jobarium_events.catalog import SCHEMAS
from jobarium_events.generation import generate

BUNDLED = Catalog.bundled()


def test_the_bundled_module_is_the_one_that_the_generator_prints() -> None:
    catalog = Catalog.load(SCHEMAS)
    printed = generate([catalog.entry(each.event, each.version) for each in catalog], source="the catalog in schemas")
    assert Path(payloads.__file__).read_text(encoding="utf-8") == printed, (
        "a schema has changed: run `jobarium-events generate schemas -o src/jobarium_events/payloads.py`"
    )


def test_there_is_one_class_for_each_contract_and_no_other() -> None:
    assert sorted(payloads.__all__) == sorted(contract.class_name for contract in BUNDLED)


@pytest.mark.parametrize("contract", BUNDLED, ids=lambda contract: contract.name)
def test_a_class_names_its_contract_and_the_digest_of_its_schema(contract: Contract) -> None:
    kind = getattr(payloads, contract.class_name)
    assert kind.__contract__ == (contract.event, contract.version, BUNDLED.entry(kind).digest)
    assert BUNDLED.contract(kind) is contract
    assert kind.__doc__.startswith(f"Payload of {contract.name}.\n")
