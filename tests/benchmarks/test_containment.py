import json

import pytest

from benchmarks import containment
from benchmarks.containment import SUITE, Outcome, main, score
from jobarium_events.evolution.verdicts import Containment, Verdict

INTEGER, NUMBER = {"type": "integer"}, {"type": "number"}
LOST = {"$ref": "other.json"}


def pair(one, other, label, name="valid/type.json#1", direction="s1SubsetEqOfs2"):
    return {"id": name, "schema1": one, "schema2": other, "tests": {direction: label}}


def outcomes(*pairs):
    return [each.outcome for each in score(pairs)]


def test_an_answer_is_compared_with_its_label_whichever_way_round_it_is_asked():
    pairs = [
        pair(INTEGER, NUMBER, True),
        pair(NUMBER, INTEGER, False),
        pair(INTEGER, NUMBER, False, direction="s2SubsetEqOfs1"),
    ]
    assert outcomes(*pairs) == [Outcome.RIGHT] * 3


def test_a_label_that_a_document_refutes_is_wrong_itself():
    assert outcomes(pair(NUMBER, INTEGER, True)) == [Outcome.MISLABELLED]
    assert outcomes(pair({"const": 1}, INTEGER, False), pair({"enum": [1, 2]}, INTEGER, False)) == [
        Outcome.MISLABELLED,
        Outcome.MISLABELLED,
    ]


def test_a_label_stands_where_no_document_refutes_it():
    (scored,) = score([pair(INTEGER, NUMBER, False)])
    assert scored.outcome is Outcome.WRONG
    assert scored.detail == "answered contained, labelled False"


def test_a_witness_that_the_oracle_does_not_confirm_refutes_no_label(monkeypatch):
    lie = Containment(Verdict.NOT_CONTAINED, witness=1)
    monkeypatch.setattr(containment, "is_subset", lambda *_: lie)
    assert outcomes(pair(INTEGER, NUMBER, True), pair(LOST, NUMBER, True)) == [Outcome.WRONG, Outcome.WRONG]


def test_a_schema_that_cannot_be_used_is_unanswered_and_says_why():
    (scored,) = score([pair(LOST, NUMBER, True)])
    assert scored.outcome is Outcome.UNANSWERED
    assert "other.json" in scored.detail


@pytest.mark.parametrize(
    ("pairs", "code", "said"),
    [
        ([pair(INTEGER, NUMBER, True)] * 9 + [pair(LOST, NUMBER, True)], 0, "label wrong"),
        ([pair(INTEGER, NUMBER, True)] * 8 + [pair(LOST, NUMBER, True)], 1, "88.9% answered; 90% are asked for"),
        ([pair(INTEGER, NUMBER, False)], 1, "FAILS: valid/type.json#1 schema1 in schema2: answered contained"),
        ([pair(NUMBER, INTEGER, True)], 0, "accepts and the other rejects"),
        ([], 1, "0.0% answered"),
    ],
)
def test_the_exit_code_says_whether_the_score_will_do(pairs, code, said, tmp_path, capsys):
    file = tmp_path / "suite.jsonl"
    file.write_text("\n".join(map(json.dumps, pairs)))
    assert main([str(file)]) == code
    printed = capsys.readouterr()
    assert said in printed.out + printed.err


def test_the_counts_are_printed_per_keyword_file(tmp_path, capsys):
    pairs = [
        pair(INTEGER, NUMBER, True),
        pair(INTEGER, NUMBER, True, "unions/type.json#2"),
        pair(LOST, True, True, "x/ref.json#1"),
    ]
    file = tmp_path / "suite.jsonl"
    file.write_text("\n".join(map(json.dumps, pairs)))
    main([str(file)])
    rows = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert ["type.json", "2", "-", "-", "-"] in rows
    assert ["ref.json", "-", "-", "-", "1"] in rows
    assert ["unions", "1", "-", "-", "-"] in rows


def test_a_slow_pair_fails(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(containment, "SECONDS", 0.0)
    file = tmp_path / "suite.jsonl"
    file.write_text(json.dumps(pair(INTEGER, NUMBER, True)))
    assert main([str(file)]) == 1
    assert "FAILS: valid/type.json#1 schema1 in schema2: 0.0" in capsys.readouterr().err


def test_a_suite_that_is_not_there_is_named(tmp_path, capsys):
    assert main([str(tmp_path / "none.jsonl")]) == 2
    assert f"there is no suite at {tmp_path / 'none.jsonl'}" in capsys.readouterr().err


def test_the_suite_is_answered_and_no_answer_is_wrong(capsys):
    if not SUITE.is_file():
        pytest.skip(f"the containment suite is not at {SUITE}")
    assert main([str(SUITE)]) == 0, capsys.readouterr().err
