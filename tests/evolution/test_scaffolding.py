"""What commands begin and people finish: it is valid from the start, and not taken for finished."""

import ast
import datetime
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import msgspec
import pytest

from jobarium_events import Catalog
from jobarium_events.evolution.checking import check
from jobarium_events.evolution.decision import SECTIONS, Allowed
from jobarium_events.evolution.decisions import read_decisions
from jobarium_events.evolution.findings import Severity
from jobarium_events.evolution.refusals import EditError
from jobarium_events.evolution.releasing import release
from jobarium_events.evolution.scaffolding import new_decision, new_version
from tests.evolution.logs import TODAY, V1_LINES, V2, V2_LINES, catalog, decision, rules
from tests.folders import MOMENT, TEXT, schema


@pytest.fixture
def folder(tmp_path):
    lines = f'{V1_LINES}\nordering = {{ per = "id", by = "at" }}'
    payload = schema({"id": TEXT, "at": MOMENT}, note=TEXT)
    folder = catalog(tmp_path / "schemas", {"v1": lines}, schemas={"v1": payload})
    release(folder, "3", today=TODAY)
    return folder


def begin(folder, **options):
    return new_version(folder, "thing.made", today=TODAY, **options)


def outcome(begun):
    test = next(path for path in begun.written if path.name.startswith("test_"))
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-c", "/dev/null", test.name]
    return subprocess.run(command, cwd=test.parent, capture_output=True, text=True, check=False)


def test_a_new_version_is_begun_from_the_newest_one(folder):
    begun = begin(folder)
    assert (begun.event, begun.old, begun.new, begun.decision) == ("thing.made", "v1", "v2", "DEC-0001")
    assert (folder / "thing.made" / "v2.json").read_bytes() == (folder / "thing.made" / "v1.json").read_bytes()
    contract = Catalog.load(folder).contract("thing.made", "v2")
    assert (contract.lifecycle, contract.decision) == ("draft", "DEC-0001")
    assert (contract.key.text, contract.ordering.by) == ("k:{id}", "at")
    assert all(path.is_file() for path in begun.written)
    assert {path.name for path in begun.written if "upcasts" in path.parts} == {
        "thing_made_v1_to_v2.py",
        "test_thing_made_v1_to_v2.py",
    }


def test_a_draft_is_nothing_that_stands_against_a_release(folder):
    begin(folder)
    report = check(folder)
    assert report.ok
    assert "decision-not-accepted" in rules(report.findings)


def test_bound_to_a_release_it_has_to_be_decided_first(folder):
    begin(folder, release="4")
    errors = [each for each in check(folder).findings if each.severity is Severity.ERROR]
    assert rules(errors) == ["decision-not-accepted"]
    (read,) = read_decisions(folder, today=TODAY)[0].values()
    assert [(each.version, each.deprecated, each.retired) for each in read.timeline] == [("v1", "4", "6")]


@pytest.mark.parametrize(
    ("tables", "expected"),
    [
        (V2, [("v2", "5", "7")]),
        (V2.partition("[[timeline]]")[0], [("v1", "2", "5"), ("v2", "5", "7")]),
    ],
    ids=["decided", "not decided"],
)
def test_each_older_version_has_its_timeline_and_goes_in_a_release_to_come(tmp_path, tables, expected):
    lines = {"v1": f'{V1_LINES}\ndeprecated = "2"', "v2": V2_LINES.replace('"4"', '"2"')}
    releases = 'releases = ["1", "2", "3", "4"]\nplanned = ["5", "6", "7"]\n'
    folder = catalog(tmp_path / "schemas", lines, releases=releases)
    (folder / "decisions" / "DEC-0001.md").write_text(decision(tables=tables))
    begun = begin(folder, release="5")
    timeline = read_decisions(folder, today=TODAY)[0][begun.decision].timeline
    assert [(each.version, each.deprecated, each.retired) for each in timeline] == expected


def test_where_no_release_is_named_the_table_to_be_written_is_that_of_the_version_before(tmp_path):
    folder = catalog(tmp_path / "schemas", {"v1": V1_LINES, "v2": V2_LINES.replace('"4"', '"2"')})
    begun = begin(folder)
    text = (folder / "decisions" / f"{begun.decision}.md").read_text()
    assert '# [[timeline]]\n# event = "thing.made"\n# version = "v2"\n' in text


def test_its_decision_is_read_without_a_mistake_but_for_what_is_to_be_written(folder):
    begin(folder)
    decisions, findings = read_decisions(folder, today=TODAY)
    assert decisions["DEC-0001"].introduces("thing.made", "v2")
    assert decisions["DEC-0001"].owner == "maker"
    assert {each.severity for each in findings} == {Severity.WARNING}
    assert set(rules(findings)) == {"section-empty", "migration-plan-missing", "timeline-missing"}


def test_the_stub_fails_its_test_until_it_is_written(folder):
    begun = begin(folder)
    upcast = next(path for path in begun.written if path.name == "thing_made_v1_to_v2.py")
    ast.parse(upcast.read_text())
    ended = outcome(begun)
    assert ended.returncode == 1
    assert "NotImplementedError: write the upcast of thing.made from v1 to v2" in ended.stdout
    upcast.write_text(upcast.read_text().replace("raise NotImplementedError(", "return payload  # ("))
    assert outcome(begun).returncode == 0


def test_its_test_has_an_example_which_the_old_version_accepts(folder):
    begun = begin(folder)
    test = next(path for path in begun.written if path.name.startswith("test_"))
    tree = ast.parse(test.read_text())
    assign = next(node for node in tree.body if isinstance(node, ast.AnnAssign) and node.target.id == "EXAMPLES")
    (example,) = ast.literal_eval(assign.value)
    entry = Catalog.load(folder).entry("thing.made", "v1")
    assert list(entry.open.violations(example)) == []


def test_an_upcast_that_gives_something_else_fails_it(folder):
    begun = begin(folder)
    upcast = next(path for path in begun.written if path.name == "thing_made_v1_to_v2.py")
    upcast.write_text(upcast.read_text().replace("raise NotImplementedError(", 'return {"id": 1}  # ('))
    ended = outcome(begun)
    assert ended.returncode == 1
    assert "becomes no payload of v2" in ended.stdout


def test_the_upcast_goes_to_another_folder_if_one_is_named(folder, tmp_path):
    begun = begin(folder, upcasts=tmp_path / "src" / "service")
    assert (tmp_path / "src" / "service" / "thing_made_v1_to_v2.py").is_file()
    assert "NotImplementedError" in outcome(begun).stdout
    assert not (tmp_path / "upcasts").exists()


def refused(folder, told, **options):
    root = folder.parent
    before = {path: path.read_bytes() for path in root.rglob("*") if path.is_file()}
    with pytest.raises(EditError, match=told):
        new_version(folder, **{"event": "thing.made", "today": TODAY, **options})
    assert {path: path.read_bytes() for path in root.rglob("*") if path.is_file()} == before


@pytest.mark.parametrize(("at", "given", "upcasts"), [(".", "schemas", "upcasts"), ("schemas", ".", "../upcasts")])
@pytest.mark.usefixtures("folder")
def test_all_that_is_written_is_named_as_the_folder_is(tmp_path, monkeypatch, at, given, upcasts):
    monkeypatch.chdir(tmp_path / at)
    begun = begin(Path(given))
    assert not any(path.is_absolute() for path in begun.written)
    assert Path(upcasts, "thing_made_v1_to_v2.py") in begun.written
    assert (tmp_path / "upcasts" / "thing_made_v1_to_v2.py").is_file()
    assert outcome(begun).returncode == 1


def test_below_an_absolute_folder_all_paths_are(folder):
    assert all(path.is_absolute() for path in begin(folder).written)


def test_an_event_that_there_is_not_has_no_next_version(folder):
    refused(folder, r"has no event thing\.lost; it has thing\.made", event="thing.lost")


def test_a_draft_has_none(folder):
    begin(folder)
    refused(folder, "thing.made v2 is a draft")


def test_a_release_has_to_be_planned(folder):
    refused(folder, "9 is not planned", release="9")
    refused(folder, "2 has been released", release="2")


def test_nothing_is_written_over(folder):
    path = folder.parent / "upcasts" / "thing_made_v1_to_v2.py"
    path.parent.mkdir()
    path.write_text("mine")
    refused(folder, "thing_made_v1_to_v2.py is there already")


def test_a_decision_is_begun_with_the_next_id(folder):
    path = new_decision(folder, "Counts are in cents", owner="me", today=TODAY)
    assert path == folder / "decisions" / "DEC-0001.md"
    assert new_decision(folder, 'With "quotes" \\ and ü', owner="me", today=TODAY).stem == "DEC-0002"
    decisions, findings = read_decisions(folder, today=TODAY)
    assert [each.title for each in decisions.values()] == ["Counts are in cents", 'With "quotes" \\ and ü']
    assert decisions["DEC-0001"].date == TODAY
    assert decisions["DEC-0001"].review > TODAY + datetime.timedelta(days=150)
    assert set(rules(findings)) == {"section-empty"}
    assert {each.severity for each in findings} == {Severity.WARNING}


def test_the_id_of_a_decision_that_is_gone_is_not_taken_again(tmp_path):
    folder = catalog(tmp_path, {"v1": V1_LINES})
    (folder / "decisions").mkdir()
    (folder / "decisions" / "DEC-0001.md").write_text(decision({"status": '"rejected"'}))
    release(folder, "3", today=TODAY)
    (folder / "decisions" / "DEC-0001.md").unlink()
    assert new_decision(folder, "Another", owner="me", today=TODAY).stem == "DEC-0002"


@pytest.mark.parametrize("title", ["", "two\nlines", "\x1b[31m"])
def test_a_title_is_a_line_of_text(folder, title):
    with pytest.raises(EditError, match="title of one line"):
        new_decision(folder, title, owner="me", today=TODAY)
    assert not (folder / "decisions").exists()


def test_the_hints_in_the_template_are_right(folder):
    text = new_decision(folder, "x", owner="me", today=TODAY).read_text()
    hints = re.findall(r"^## (.*)\n\n<!-- (.*) -->$", text, re.MULTILINE)
    assert [name for name, _ in hints] == ["Context", "Decision", "Migration plan", *SECTIONS[2:]]
    assert all("?" in hint for _, hint in hints)
    table = "\n".join(line[2:] for line in text.split("+++")[1].splitlines() if re.match(r"# (\[\[|\w+ = )", line))
    assert msgspec.convert(tomllib.loads(table)["allows"], list[Allowed])[0].retirement
