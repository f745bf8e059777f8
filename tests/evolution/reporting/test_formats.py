"""Each format says what it has to, whatever the findings hold: paths, marks and line ends of every kind."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import jsonschema
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from jobarium_events.annotations import printable
from jobarium_events.cli.app import app
from jobarium_events.evolution.findings import Finding, Severity
from jobarium_events.evolution.reporting import as_github, as_json, as_markdown, as_sarif
from jobarium_events.evolution.reporting.rules import RULES
from jobarium_events.evolution.reporting.wording import sentences, summary, witness
from jobarium_events.evolution.reports import Report
from jobarium_events.evolution.verdicts import Containment, Reader, Verdict
from tests.folders import TEXT, one, schema

SARIF = json.loads((Path(__file__).parent / "sarif-schema-2.1.0.json").read_text(encoding="utf-8"))
BROKEN = Finding(
    rule="enum-narrowed",
    severity=Severity.ERROR,
    contract="job.updated v1",
    file="job.updated/v1.json",
    pointer="/properties/status/enum",
    text="has one value less.",
    advice="Make a new version.",
    reader=Reader.NEW,
    proof=Containment(Verdict.NOT_CONTAINED, witness={"status": "```|<x>"}),
    explanation=(("producers", "accepts"), ("new consumers", "/status:\nmust be one of open")),
)
FINDINGS = st.builds(
    Finding,
    rule=st.sampled_from(sorted(RULES)),
    severity=st.sampled_from(Severity),
    contract=st.sampled_from(["", "job.updated v1"]),
    file=st.sampled_from(["", "job.updated/v1.json", "a b/ü,%:.json"]),
    pointer=st.sampled_from(["", "/a", "/properties/x~1y"]),
    text=st.text(min_size=1),
    advice=st.text(),
    reader=st.none() | st.sampled_from(Reader),
    proof=st.none()
    | st.builds(Containment, verdict=st.just(Verdict.NOT_CONTAINED), witness=st.none() | st.text() | st.just({"a": 1}))
    | st.just(Containment(Verdict.UNPROVEN, reason="too large")),
    explanation=st.just(()) | st.tuples(st.tuples(st.text(), st.text())),
)
REPORTS = st.builds(
    lambda **facts: Report(**facts),  # noqa: PLW0108 - Hypothesis would read the annotations of a class
    folder=st.sampled_from(["events", "/elsewhere/schemas", "."]),
    against=st.sampled_from(["", "lock", "git:v1.4"]),
    findings=st.lists(FINDINGS, max_size=3).map(tuple),
    contracts=st.integers(0, 3),
)


def report(*findings: Finding, **facts: object) -> Report:
    return Report(**{"folder": "events", "against": "lock", "findings": findings, **facts})  # type: ignore[arg-type]


@given(REPORTS)
def test_sarif_is_valid_against_its_schema(found: Report) -> None:
    log = json.loads(as_sarif(found))
    jsonschema.Draft7Validator(SARIF).validate(log)
    (run,) = log["runs"]
    assert len(run["results"]) == len(found.findings)
    for result in run["results"]:
        assert run["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == result["ruleId"]


def test_the_schema_of_sarif_refuses_what_is_none() -> None:
    log = json.loads(as_sarif(report(BROKEN)))
    log["runs"][0]["results"][0]["level"] = "fatal"
    assert not jsonschema.Draft7Validator(SARIF).is_valid(log)


def test_a_finding_is_known_again_when_its_line_has_moved(tmp_path: Path) -> None:
    def prints(text: str) -> tuple[int, str]:
        (tmp_path / "job.updated").mkdir(exist_ok=True)
        (tmp_path / "job.updated" / "v1.json").write_text(text)
        (result,) = json.loads(as_sarif(report(BROKEN, folder=str(tmp_path))))["runs"][0]["results"]
        region = result["locations"][0]["physicalLocation"]["region"]
        return region["startLine"], result["partialFingerprints"]["finding/v1"]

    (first, before), (second, after) = prints('{"properties": {}}'), prints('{\n\n"properties": {}}')
    assert (first, second) == (1, 3)
    assert before == after


@given(REPORTS)
def test_a_workflow_command_is_one_line_that_hides_nothing(found: Report) -> None:
    *commands, last, end = as_github(found).split("\n")
    assert (last, end) == (summary(found), "")
    assert len(commands) == len(found.findings)
    for line, finding in zip(commands, found.findings, strict=True):
        match = re.fullmatch(r"::(error|warning|notice) file=([^,:]*),line=(\d+),title=([^,:]*)::(.*)", line, re.DOTALL)
        assert match is not None
        assert "\r" not in line
        said = match[5].replace("%0A", "\n").replace("%0D", "\r").replace("%25", "%")
        assert said.startswith(printable(sentences(finding), keep="\r\n"))


STEERING = "\x1b[31m\x7f\x9b2J\u202e"


@pytest.mark.parametrize("form", [as_github, as_json, as_markdown, as_sarif])
def test_no_format_steers_a_terminal(form: Callable[[Report], str]) -> None:
    hostile = msgspec.structs.replace(
        BROKEN,
        contract=f"job.{STEERING} v1",
        file=f"job.{STEERING}/v1.json",
        pointer=f"/properties/{STEERING}",
        text=f"{STEERING} is gone",
        advice=f"put {STEERING} back",
        proof=Containment(Verdict.NOT_CONTAINED, witness={STEERING: STEERING}),
        explanation=((f"producers {STEERING}", f"/{STEERING}: is missing"),),
    )
    shown = form(report(hostile, folder=f"events{STEERING}", against=f"old{STEERING}"))
    assert [char for char in shown if not char.isprintable() and char != "\n"] == []
    assert "x1b" in shown or "u001b" in shown


@given(REPORTS)
def test_json_is_the_same_when_it_is_printable(found: Report) -> None:
    told = json.loads(as_json(found))["findings"]
    assert [(each["text"], each.get("advice", "")) for each in told] == [
        (each.text, each.advice) for each in found.findings
    ]


LARGE = [2**64, -(2**70), {"n": [10**30]}]


@pytest.mark.parametrize("document", LARGE)
@pytest.mark.parametrize("form", [as_github, as_json, as_markdown, as_sarif])
def test_a_witness_may_have_any_integer(form: Callable[[Report], str], document: object) -> None:
    large = msgspec.structs.replace(BROKEN, proof=Containment(Verdict.NOT_CONTAINED, witness=document))
    assert json.loads(witness(large)) == document
    assert re.search(r"\d{19}", form(report(large)))


@pytest.mark.parametrize("form", ["text", "json", "github", "sarif", "markdown"])
@pytest.mark.parametrize("mode", [[], ["--mode", "full"]])
def test_a_limit_beyond_64_bits_is_reported(tmp_path: Path, form: str, mode: list[str]) -> None:
    for folder, limit in (("old", {}), ("new", {"maximum": 2**64 - 1})):
        one(tmp_path / folder, schema({"id": TEXT}, n={"type": "integer", **limit}))
    old, new = (str(tmp_path / folder) for folder in ("old", "new"))
    result = CliRunner().invoke(app, ["check", new, "--against", old, "--format", form, *mode])
    assert (result.exit_code, str(2**64) in result.stdout) == (1, True), result.output


def test_a_folder_cannot_add_a_workflow_command() -> None:
    assert as_github(report(folder="x\n::error::y")).count("\n") == 1


def test_a_workflow_command_escapes_what_github_would_read() -> None:
    finding = Finding(rule="catalog-mistake", severity=Severity.WARNING, file="a,b:c%.json", text="100%\r\nsure")
    (command, _, _) = as_github(report(finding)).split("\n")
    assert command == "::warning file=events/a%2Cb%3Ac%25.json,line=1,title=catalog-mistake::100%25%0D%0Asure"


def test_a_workflow_command_shows_the_witness_and_what_each_side_says() -> None:
    (command, _, _) = as_github(report(BROKEN)).split("\n")
    assert '%0Awitness: {"status":"```|<x>"}%0Aproducers: accepts%0Anew consumers: /status:' in command


def test_markdown_shows_marks_as_they_are() -> None:
    page = as_markdown(report(BROKEN, Finding(rule="no-baseline", severity=Severity.WARNING, text="<b>*x*|[y](z)")))
    assert r"\<b\>\*x\*\|\[y\](z)" in page
    assert '  ````json\n  {"status":"```|<x>"}\n  ````' in page
    assert "### job.updated v1\n" in page
    assert "### The catalog\n" in page
    assert "  - new consumers: /status: must be one of open" in page


def test_json_has_everything() -> None:
    told = json.loads(as_json(report(BROKEN, contracts=14, unchanged=13)))
    assert (told["ok"], told["contracts"], told["unchanged"]) == (False, 14, 13)
    assert told["counts"] == {"error": 1, "warning": 0, "note": 0}
    (finding,) = told["findings"]
    assert (finding["path"], finding["line"]) == ("events/job.updated/v1.json", None)
    assert finding["proof"]["witness"] == {"status": "```|<x>"}


def test_paths_below_the_current_folder_are_relative(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for folder in (tmp_path / "schemas", Path("schemas"), Path("./schemas/"), Path("x/../schemas")):
        (finding,) = json.loads(as_json(report(BROKEN, folder=str(folder))))["findings"]
        assert finding["path"] == "schemas/job.updated/v1.json"
    (finding,) = json.loads(as_json(report(BROKEN, folder="/elsewhere")))["findings"]
    assert finding["path"] == "/elsewhere/job.updated/v1.json"


@pytest.mark.parametrize(
    ("findings", "facts", "said"),
    [
        ((), {"contracts": 1, "unchanged": 1}, "events against lock: 1 contract, 1 unchanged; may ship as it is"),
        ((), {"against": ""}, "events against nothing: 0 contracts, 0 unchanged; may ship as it is"),
        ((BROKEN, BROKEN), {}, "events against lock: 0 contracts, 0 unchanged; 2 errors: may not ship as it is"),
        ((), {"mode": "full"}, "events against lock, as a registry would judge (full): 0 contracts, 0 unchanged; "),
    ],
)
def test_the_summary_says_against_what_and_whether_it_may_ship(
    findings: tuple[Finding, ...], facts: dict[str, object], said: str
) -> None:
    assert summary(report(*findings, **facts)).startswith(said)


def test_the_contract_is_named_once() -> None:
    assert sentences(BROKEN) == "job.updated v1: has one value less. Make a new version."
    named = Finding(rule="x", severity=Severity.NOTE, contract="a v1", text="a v1 is gone")
    assert sentences(named) == "a v1 is gone"
