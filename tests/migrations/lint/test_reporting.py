"""Each format says what it has to, whatever the findings hold: paths, marks and line ends of every kind."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobarium_events.migrations.lint.findings import Finding, LintedStatement, Report, Severity
from jobarium_events.migrations.lint.locking.locks import Lock, LockMode
from jobarium_events.migrations.lint.reporting import as_github, as_json, as_sarif, summary
from jobarium_events.migrations.lint.rules import RULES
from tests.strategies import examples

SARIF = json.loads((Path(__file__).parents[2] / "evolution/reporting/sarif-schema-2.1.0.json").read_text("utf-8"))
FILES = st.sampled_from(["-", "migrations/0001_job.sql", "a b/ü,%:.sql", "/elsewhere/x.sql"])
FINDINGS = st.builds(
    Finding,
    rule=st.sampled_from(sorted(RULES)),
    severity=st.sampled_from(Severity),
    file=FILES,
    line=st.integers(0, 9),
    text=st.text(min_size=1),
    safe=st.text(),
    versions=st.sampled_from([(), (13,), (13, 14, 15)]),
)
STATEMENTS = st.builds(
    LintedStatement,
    file=FILES,
    line=st.integers(1, 9),
    kind=st.just("add-column"),
    locks=st.just(()) | st.builds(lambda table, mode: (Lock(table, mode),), st.text(), st.sampled_from(LockMode)),
    rewrite=st.booleans(),
    scan=st.booleans(),
    findings=st.lists(FINDINGS, max_size=2).map(tuple),
)
REPORTS = st.builds(
    Report,
    files=st.integers(0, 3),
    versions=st.sampled_from([(15,), (13, 14)]),
    statements=st.lists(STATEMENTS, max_size=2).map(tuple),
    others=st.lists(FINDINGS, max_size=1).map(tuple),
)


@given(REPORTS)
@examples(100)
def test_sarif_is_valid_against_its_schema(report: Report) -> None:
    log = json.loads(as_sarif(report))
    jsonschema.Draft7Validator(SARIF).validate(log)
    (run,) = log["runs"]
    assert len(run["results"]) == len(report.findings)
    prints = [result["partialFingerprints"]["finding/v1"] for result in run["results"]]
    assert len(set(prints)) == len(prints)
    for result in run["results"]:
        assert run["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == result["ruleId"]


@given(REPORTS)
@examples(100)
def test_a_workflow_command_is_one_line(report: Report) -> None:
    *commands, last, end = as_github(report).split("\n")
    assert (last, end, len(commands)) == (summary(report), "", len(report.findings))
    for line in commands:
        assert re.fullmatch(r"::(error|warning) file=([^,:]*),line=(\d+),title=([^,:]*)::(.*)", line, re.DOTALL)
        assert "\r" not in line


@given(REPORTS)
@examples(100)
def test_json_has_every_statement_with_its_locks_and_rules(report: Report) -> None:
    told = json.loads(as_json(report))
    assert told["ok"] is report.ok
    assert len(told["statements"]) == len(report.statements)
    for each, statement in zip(told["statements"], report.statements, strict=True):
        assert (each["line"], each["kind"]) == (statement.line, statement.kind)
        assert each["locks"] == [{"table": lock.table, "mode": lock.mode.value} for lock in statement.locks]
        assert (each["rewrite"], each["scan"]) == (statement.rewrite, statement.scan)
        assert [(rule["rule"], rule["severity"], rule["text"], rule["safe"]) for rule in each["rules"]] == [
            (finding.rule, finding.severity, finding.text, finding.safe) for finding in statement.findings
        ]


STEERING = "\x1b[31m\x7f\x9b2J\u202e"


@pytest.mark.parametrize("form", [as_github, as_json, as_sarif])
def test_no_format_steers_a_terminal(form: Callable[[Report], str]) -> None:
    hostile = Finding(
        rule="truncate", severity=Severity.ERROR, file=f"{STEERING}.sql", line=1, text=STEERING, safe=STEERING
    )
    shown = form(Report(files=1, versions=(13,), others=(hostile,)))
    assert [char for char in shown if not char.isprintable() and char != "\n"] == []
