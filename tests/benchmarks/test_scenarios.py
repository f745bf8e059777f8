from __future__ import annotations

import subprocess
import sys

import orjson
import pytest

from benchmarks import __main__ as command
from benchmarks.catalogs import FEW, large_catalog, write_folder
from benchmarks.processes import environment, fresh_process
from benchmarks.results import Environment, Results, Row
from benchmarks.scenarios import scenarios
from benchmarks.timing import Effort, Ratio, Runner
from jobarium_events import Catalog

BRIEF = Effort(rounds=2, slice_seconds=0.00001, processes=2)


@pytest.fixture(scope="module")
def found():
    return scenarios()


def test_every_scenario_runs(found):
    for scenario in found:
        Runner(scenario.ours, 0).run()
        Runner(scenario.base, 0).run()


def test_scenarios_have_names_of_their_own(found):
    assert len({scenario.name for scenario in found}) == len(found)


def test_each_engine_has_its_row(found):
    engines = {scenario.name.removeprefix("is_valid by ") for scenario in found if scenario.name.startswith("is_valid")}
    assert engines == {"msgspec", "fastjsonschema", "jsonschema-rs", "jsonschema"}


def test_both_sides_of_reading_get_the_same_bytes(found):
    for scenario in found:
        if scenario.name.startswith("consume"):
            assert scenario.ours.inputs == scenario.base.inputs
            assert scenario.base.call is orjson.loads


def test_a_written_folder_is_a_catalog(tmp_path):
    write_folder(tmp_path, 20)
    catalog = Catalog.load(tmp_path)
    assert len(catalog) == 20
    assert ("qa.authenticity.assessed", "v1") in catalog


def test_a_large_catalog_is_compared_in_processes_of_their_own(monkeypatch):
    monkeypatch.setattr("benchmarks.catalogs.MANY", 30)
    row, loaded = large_catalog(BRIEF)
    assert row.name == "consume with 30 contracts loaded"
    assert [each.contracts for each in loaded] == [30, FEW]
    assert row.ratio.value > 0


def test_a_fresh_process_is_compared(monkeypatch):
    (row,) = fresh_process(BRIEF)
    assert row.bound == 2
    assert row.ratio.seconds > 0


def test_processes_keep_their_bytecode_outside_the_tree(monkeypatch, tmp_path):
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    variables = environment(tmp_path)
    assert "PYTHONDONTWRITEBYTECODE" not in variables
    code = "import sys; print(sys.dont_write_bytecode, sys.pycache_prefix)"
    told = subprocess.run([sys.executable, "-c", code], env=variables, capture_output=True, text=True, check=True)
    assert told.stdout.split() == ["False", str(tmp_path)]


def test_quick_and_save_exclude_each_other(capsys):
    with pytest.raises(SystemExit):
        command.main(["--quick", "--save"])
    assert "not allowed with" in capsys.readouterr().err


def test_saving_renews_every_page_that_has_a_place_for_it(monkeypatch, tmp_path):
    monkeypatch.setattr(command, "ROOT", tmp_path)
    monkeypatch.setattr(command, "_DOCS", tmp_path / "docs")
    monkeypatch.setattr(command, "measured", lambda effort, *, command, attempts: results(command))
    monkeypatch.setattr(command, "draw", lambda results, path, colours: None)
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "benchmarks.md").write_text(
        "<!-- benchmark -->last year's table<!-- /benchmark -->", encoding="utf-8"
    )
    readme = tmp_path / "README.md"
    readme.write_text("# Title\n<!-- benchmark -->\n<!-- /benchmark -->\n", encoding="utf-8")

    assert command.main(["--save"]) == 0

    page = (tmp_path / "docs" / "benchmarks.md").read_text(encoding="utf-8")
    assert "By `python -m benchmarks --save`" in page
    assert "last year" not in page
    assert "| consume |" in readme.read_text(encoding="utf-8")
    assert (tmp_path / "docs" / "benchmarks.json").exists()

    readme.write_text("# Title\n", encoding="utf-8")
    assert command.main(["--save"]) == 0
    assert readme.read_text(encoding="utf-8") == "# Title\n"


def test_a_check_fails_only_where_it_is_asked_for(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(command, "ROOT", tmp_path)
    monkeypatch.setattr(command, "measured", lambda effort, *, command, attempts: results(command, value=4.0))
    monkeypatch.setattr(command, "draw", lambda results, path, colours: None)
    assert command.main(["--quick"]) == 0
    assert command.main(["--quick", "--check"]) == 1
    assert "FAILS: consume: 4.00 times" in capsys.readouterr().err


def results(told: str, value: float = 1.0) -> Results:
    ratio = Ratio(value, value, value, 1e-6, 1e-6)
    environment = Environment(told, "2026-03-14", "CPython", "Linux", "A CPU", 2, {})
    return Results(environment, {"small": 400}, [Row("consume", "orjson.loads", ratio, 2.0)], [])
