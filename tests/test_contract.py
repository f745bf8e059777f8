"""Contracts, their keys and their names."""

import pytest

from jobarium_events import Lifecycle
from jobarium_events.contract import VERSION, KeyTemplate, contract_of, version_number
from jobarium_events.errors import DeclarationError
from jobarium_events.payloads import JobUpdatedV1
from tests.strategies import BUNDLED


def test_a_template_in_parts():
    template = KeyTemplate("a:{b}:{c}d")
    assert (template.fields, template.texts, template.colons, template.stray) == (
        ("b", "c"),
        ("a:", ":", "d"),
        2,
        False,
    )
    assert template.rendered(["x:", None], "id") == "a:x%3A:idd"


@pytest.mark.parametrize("text", ["{", "}", "{}", "a{b", "{a}}", "{{a}}"])
def test_stray_braces(text):
    assert KeyTemplate(text).stray


@pytest.mark.parametrize(("text", "good"), [("v1", True), ("v10", True), ("v0", False), ("v01", False), ("V1", False),
                                            ("1", False), ("v1\n", False), ("v-1", False),
                                            ("v\u0661", False)])  # fmt: skip
def test_how_versions_are_written(text, good):
    assert bool(VERSION.fullmatch(text)) == good


def test_versions_sort_by_number():
    assert sorted(["v10", "v9", "v1"], key=version_number) == ["v1", "v9", "v10"]


def test_a_contract_is_a_frozen_value():
    contract = BUNDLED.contract("job.updated", "v1")
    assert (contract.name, contract.class_name) == ("job.updated v1", "JobUpdatedV1")
    assert repr(contract) == "<Contract job.updated v1, active>"
    with pytest.raises(AttributeError):
        contract.owner = "me"
    assert contract != BUNDLED.contract("qa.submitted", "v1")
    assert Lifecycle.RETIRED == "retired"


def test_which_contract_a_class_is():
    assert contract_of(JobUpdatedV1) == ("job.updated", "v1")


@pytest.mark.parametrize("other", [int, int | str, dict[str, int], type("Odd", (), {"__contract__": ("a", "v1")})])
def test_a_class_that_is_none(other):
    with pytest.raises(DeclarationError, match="names no contract; use a generated payload class"):
        contract_of(other)
