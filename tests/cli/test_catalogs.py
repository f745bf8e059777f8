"""`jobarium-events catalog` and `jobarium-events show`."""

import json
from pathlib import Path

import pytest

from jobarium_events import Catalog
from tests.cli.conftest import Run

BUNDLED = Catalog.bundled()


def test_a_pipe_gets_one_line_for_each_contract(run: Run) -> None:
    ended = run("catalog")
    lines = ended.out.splitlines()
    assert ended.code == 0
    assert lines[0].split() == ["Contract", "Lifecycle", "Engine", "Owner", "Consumers"]
    assert len(lines[2:-2]) == len(BUNDLED)
    for line, contract in zip(lines[2:-2], BUNDLED, strict=True):
        words = [contract.event, contract.version, contract.lifecycle, "msgspec", contract.owner]
        assert line.split(maxsplit=5) == [*words, ", ".join(contract.consumers)]
    assert lines[-1] == "14 contracts of 13 events; the current release is 2026.3"


@pytest.mark.parametrize("columns", [60, 80, 100, 120, 160])
def test_no_name_is_cut_and_no_line_is_too_long(run: Run, columns: int) -> None:
    ended = run("catalog", columns=columns)
    words = {word.strip(",") for word in ended.out.split()}
    names = {name for each in BUNDLED for name in (each.event, each.owner, *each.consumers)}
    assert names - words == set()
    assert max(map(len, ended.out.splitlines())) <= columns


def test_the_json_of_the_catalog(run: Run) -> None:
    document = json.loads(run("catalog", "--json").out)
    assert set(document) == {"releases", "contracts"}
    assert document["releases"] == ["2026.1", "2026.2", "2026.3"]
    assert document["contracts"][1] == {
        "event": "job.updated",
        "version": "v1",
        "lifecycle": "active",
        "owner": "job-service",
        "consumers": ["matching-service", "analytics-service"],
        "engine": "msgspec",
    }


def test_a_catalog_of_ones_own(run: Run, folder: Path) -> None:
    lines = run("catalog", folder).out.splitlines()
    assert lines[2].split() == ["order.placed", "v1", "draft", lines[2].split()[3], "shop"]
    assert lines[-1] == "1 contract of 1 event"


def test_show_tells_everything_about_a_contract(run: Run) -> None:
    out = run("show", "billing.usage.updated", "v1").out
    assert out.startswith("billing.usage.updated v1  deprecated\n\nSent when the metered usage")
    for line in (
        "owner      billing-service",
        "consumers  billing-service, analytics-service",
        "key        billing.usage.updated:{organization_id}:{billing_month}:{metric_name}:{source_event_id}",
        "ordering   none",
        "lifecycle  active since 2026.1, deprecated since 2026.3, to be retired in 2026.5",
        "decision   none",
        "versions   v1 deprecated, v2 active",
        "engine     msgspec",
    ):
        assert f"\n{line}\n" in out
    assert "\nbilling_month    string  yes                  Calendar month to which" in out
    assert "Pattern: ^[0-9]{4}-(0[1-9]|1[0-2])$\n" in out
    assert "One of: packets_generated, invites_sent, active_jobs.\n" in out
    assert "Unit: count.\n" in out
    assert "\nupdated_at       string  yes       date-time  Time at which" in out
    assert "\nsource_event_id  string  no                   Identifier" in out


def test_show_takes_the_newest_active_version(run: Run) -> None:
    out = run("show", "billing.usage.updated").out
    assert out.startswith("billing.usage.updated v2  active\n")
    assert "\ndecision   DEC-0001\n" in out


def test_show_tells_the_ordering_and_the_limits(run: Run) -> None:
    assert "\nordering   per job_id the highest job_version wins\n" in run("show", "job.updated").out
    out = run("show", "qa.authenticity.assessed").out
    assert "number           yes       >= 0, <= 100" in out
    assert "array of string  no        at most 3 items" in out


@pytest.mark.parametrize("columns", [80, 100, 120])
@pytest.mark.parametrize("event", ["job.updated", "qa.authenticity.assessed"])
def test_show_fits_the_terminal(run: Run, event: str, columns: int) -> None:
    lines = run("show", event, columns=columns).out.splitlines()
    assert [line for line in lines if len(line) > columns and not line.startswith(("key", "consumers"))] == []


def test_show_of_a_draft_with_objects_within(run: Run, folder: Path) -> None:
    out = run("show", "order.placed", "--folder", folder).out
    assert out.startswith("order.placed v1  draft\n\nowner      shop\nconsumers  none\n")
    assert "\nlifecycle  draft, bound to no release yet\n" in out
    names = [line.split()[0] for line in out.partition("Field")[2].splitlines()[2:]]
    within = ["lines[].sku", "lines[].part_of", "lines[].part_of.sku"]
    assert names == ["order_id", "lines", *within, "kind", "rest", "note", "free"]
    assert "array of object" in out
    assert out.count("string or null") == 2
    assert "any" in out.splitlines()[-1]
    assert "at most 8 characters" in out
    assert "Always: web." in out


def test_the_json_of_a_contract(run: Run) -> None:
    document = json.loads(run("show", "job.updated", "--json").out)
    fields = document.pop("fields")
    assert document.pop("description").startswith("Sent when a job")
    assert document == {
        "event": "job.updated",
        "version": "v1",
        "lifecycle": "active",
        "owner": "job-service",
        "consumers": ["matching-service", "analytics-service"],
        "engine": "msgspec",
        "key": "job.updated:{job_id}:{job_version}",
        "ordering": {"per": "job_id", "by": "job_version"},
        "introduced": "2026.1",
        "deprecated": None,
        "retired": None,
        "decision": None,
        "versions": {"v1": "active"},
    }
    assert [field["name"] for field in fields] == ["job_id", "job_version", "status", "updated_at", "changed_fields"]
    assert {key: fields[2][key] for key in ("type", "required", "format", "values")} == {
        "type": "string",
        "required": True,
        "format": "",
        "values": ["draft", "active", "paused", "closed", "archived"],
    }


def test_an_unknown_event_is_met_with_a_near_one(run: Run) -> None:
    ended = run("show", "job.updatd")
    assert (ended.code, ended.out) == (2, "")
    assert ended.err.startswith("Error: the catalog has no event 'job.updatd'; did you mean job.updated")


def test_an_unknown_version_is_met_with_those_that_there_are(run: Run) -> None:
    assert run("show", "job.updated", "v7") == (2, "", "Error: the catalog has no job.updated v7; it has v1\n")


def test_an_unknown_event_of_the_bundled_catalog_leads_to_ones_own(
    run: Run, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = "this is the bundled catalog; that of a folder is shown with --folder"
    monkeypatch.chdir(tmp_path)
    ended = run("show", "order.placed")
    assert (ended.code, ended.err) == (2, f"Error: the catalog has no event 'order.placed'; {told} FOLDER\n")
    folder.rename("schemas")
    assert run("show", "order.placed").err.endswith(f"{told} schemas\n")
    assert run("show", "job.updated", "v9").err.endswith("it has v1\n")
    assert run("show", "order.placd", "--folder", "schemas").err.endswith("did you mean order.placed?\n")
