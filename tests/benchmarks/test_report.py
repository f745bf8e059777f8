from __future__ import annotations

import json
import re

import pytest

from benchmarks import __main__ as command
from benchmarks.plot import DARK, LIGHT, draw
from benchmarks.report import MissingMarkers, as_json, from_json, in_full, in_short, put_between_markers, terminal
from benchmarks.results import Environment, LoadedCatalog, PeerRow, Results, Row, failures, settled
from benchmarks.timing import Ratio


def ratio(value: float) -> Ratio:
    return Ratio(value, value * 0.9, value * 1.1, value * 1e-6, 1e-6)


def row(value: float, bound: float | None = 2.0, name: str = "consume") -> Row:
    return Row(name, "orjson.loads", ratio(value), bound)


def results(*rows: Row) -> Results:
    return Results(
        environment=Environment(
            "python -m benchmarks", "2026-03-14", "CPython 3.11.7", "Linux x86_64", "A CPU", 1, {"orjson": "3.13.0"}
        ),
        sizes={"small": 402, "large": 20_480},
        rows=list(rows),
        peers=[
            PeerRow("orjson alone", ours=False, ratios={"small": ratio(1.0), "large": ratio(1.0)}),
            PeerRow("jobarium-events", ours=True, ratios={"small": ratio(1.25), "large": ratio(1200.0)}),
        ],
        catalogs=[LoadedCatalog(10_000, 3.21, 140.4), LoadedCatalog(14, 0.02, None)],
    )


@pytest.mark.parametrize(
    ("value", "over", "fails"),
    [(1.99, False, False), (2.0, False, False), (2.01, True, False), (3.0, True, False), (3.01, True, True)],
)
def test_a_row_over_its_bound_fails_only_beyond_noise(value, over, fails):
    assert row(value).over is over
    assert row(value).fails is fails
    assert bool(failures([row(value)])) is fails


def test_a_row_without_a_bound_never_fails():
    assert not row(1000.0, None).over
    assert failures([row(1000.0, None)]) == []


def test_a_failure_names_its_row():
    (failure,) = failures([row(1.0), row(3.5, name="emit a dict")])
    assert failure.startswith("emit a dict: 3.50 times orjson.loads; the bound is 2,")


@pytest.mark.parametrize(
    ("measured", "kept", "times"),
    [
        ([(1.0, 2.9)], (1.0, 2.9), 1),
        ([(1.0, 9.0), (1.5, 2.0)], (1.0, 2.0), 2),
        ([(1.0, 9.0), (9.0, 8.0), (1.1, 2.5), (0.1, 0.1)], (1.0, 2.5), 3),
        ([(1.0, 9.0), (1.0, 8.0), (1.0, 9.0)], (1.0, 8.0), 3),
    ],
)
def test_what_fails_is_measured_again_and_its_lowest_ratio_kept(measured, kept, times):
    left = list(measured)
    rows = settled(lambda: [row(value, name=name) for name, value in zip("ab", left.pop(0), strict=True)], 3)
    assert rows == [row(value, name=name) for name, value in zip("ab", kept, strict=True)]
    assert len(measured) - len(left) == times


def test_the_terminal_marks_what_is_over_and_what_fails():
    lines = terminal(results(row(1.0, name="within"), row(2.5, name="beyond"), row(9.0, name="far"))).splitlines()
    marks = {line.split()[0]: line for line in lines if line.startswith(("within", "beyond", "far"))}
    assert "over" not in marks["within"]
    assert "2 over" in marks["beyond"]
    assert "2 FAILS" in marks["far"]


def test_the_columns_of_the_terminals_table_are_aligned():
    lines = terminal(results(row(1.0, name="a"), row(12.5, name="a longer name"))).splitlines()
    header = next(line for line in lines if "times" in line)
    first, second = (line for line in lines if line.startswith("a ") and "orjson.loads" in line)
    assert header.index("times") == first.index("1.00") == second.index("12.50")


def test_the_full_page_has_everything():
    page = in_full(results(row(1.234), row(2.5, name="emit"), row(7.0, None, "extra")))
    assert "| consume | orjson.loads | 1.23 | 2 | 1.23 µs | 1 µs |" in page
    assert "| emit | orjson.loads | 2.50 | 2 (over) | 2.5 µs | 1 µs |" in page
    assert "| extra | orjson.loads | 7.00 | 7 µs | 1 µs |" in page
    assert "| **jobarium-events** | **1.25 (1.25 µs)** | **1200.00 (1.2 ms)** |" in page
    assert "- 10,000 contracts: 3.21 s, 140 MB" in page
    assert "- 14 contracts: 0.02 s\n" in f"{page}\n"
    assert "CPython 3.11.7, Linux x86_64, A CPU, 1 core; orjson 3.13.0" in page


def test_the_front_page_has_the_bounds_and_the_peers():
    page = in_short(results(row(1.234), row(7.0, None, "extra")))
    assert "consume" in page
    assert "jobarium-events" in page
    assert "extra" not in page


def test_every_line_of_a_markdown_table_has_the_same_cells():
    page = in_full(results(row(1.0), row(7.0, None, "extra")))
    for table in (block for block in page.split("\n\n") if block.startswith("|")):
        assert len({line.count("|") for line in table.splitlines()}) == 1


def test_the_json_holds_the_numbers():
    told = json.loads(as_json(results(row(1.5))))
    assert told["rows"][0]["ratio"]["value"] == 1.5
    assert told["rows"][0]["bound"] == 2.0
    assert told["peers"][1]["ratios"]["small"]["value"] == 1.25
    assert told["environment"]["command"] == "python -m benchmarks"


def test_what_was_saved_is_read_again():
    found = results(row(1.5), row(7.0, None, "extra"))
    assert from_json(as_json(found)) == found


def test_what_was_saved_is_shown_anew_without_measuring(tmp_path, monkeypatch):
    pytest.importorskip("matplotlib")
    (tmp_path / "benchmarks.json").write_text(as_json(results(row(1.234))))
    (tmp_path / "benchmarks.md").write_text("# Speed\n<!-- benchmark -->\nold\n<!-- /benchmark -->\n")
    monkeypatch.setattr(command, "_DOCS", tmp_path)
    monkeypatch.setattr(command, "ROOT", tmp_path)
    assert command.main(["--redraw"]) == 0
    assert "| consume | orjson.loads | 1.23 | 2 |" in (tmp_path / "benchmarks.md").read_text()
    assert sorted(path.name for path in (tmp_path / "images").iterdir()) == ["benchmarks-dark.svg", "benchmarks.svg"]
    assert from_json((tmp_path / "benchmarks.json").read_text()) == results(row(1.234))


def test_only_what_stands_between_the_markers_is_replaced():
    page = "# Speed\n<!-- benchmark -->\nold\n<!-- /benchmark -->\nrest\n"
    renewed = put_between_markers(page, "new\n")
    assert renewed == "# Speed\n<!-- benchmark -->\n\nnew\n\n<!-- /benchmark -->\nrest\n"
    assert put_between_markers(renewed, "new") == renewed


@pytest.mark.parametrize(
    "page",
    [
        "no markers",
        "<!-- benchmark --> no end",
        "<!-- /benchmark --> the wrong way round <!-- benchmark -->",
        "<!-- benchmark --><!-- /benchmark --> twice <!-- benchmark --><!-- /benchmark -->",
    ],
)
def test_a_page_without_one_place_for_the_table_is_refused(page):
    with pytest.raises(MissingMarkers):
        put_between_markers(page, "new")


def test_the_plot_is_the_same_for_the_same_results(tmp_path):
    pytest.importorskip("matplotlib")
    for name in ("a.svg", "b.svg"):
        draw(results(row(1.0)), tmp_path / name, LIGHT)
    first = (tmp_path / "a.svg").read_bytes()
    assert first.startswith(b"<?xml")
    assert first == (tmp_path / "b.svg").read_bytes()


def test_the_dark_plot_differs_in_its_colours_only(tmp_path):
    pytest.importorskip("matplotlib")
    drawn = []
    for colours in (LIGHT, DARK):
        path = tmp_path / "plot.svg"
        draw(results(row(1.0)), path, colours)
        drawn.append(re.sub("#(?:[0-9a-f]{6}|[0-9a-f]{3})\\b", "#", path.read_text()))
        assert ("#ffffff" in path.read_text()) is (colours is LIGHT)
    assert drawn[0] == drawn[1]
