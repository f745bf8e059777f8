"""A meaning changes by a decision, or in words that somebody answered for; nothing else lets it ship."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import msgspec
import pytest

from jobarium_events import Catalog
from jobarium_events.evolution.checking import check
from jobarium_events.evolution.findings import Severity
from jobarium_events.evolution.lock import Lock, Rewording, lock_bytes, read_lock
from jobarium_events.evolution.meanings import meaning_changes, publish
from jobarium_events.evolution.releasing import release
from tests.evolution.checking.conftest import KEY, TURNED, changed, decided, folder, rules, the
from tests.folders import TEXT, schema


@pytest.mark.parametrize("status", [None, "proposed", "accepted"])
def test_a_meaning_changes_only_by_an_accepted_decision(old: Path, new: Path, status: str | None) -> None:
    folder(new, TURNED)
    if status:
        decided(new, 'meanings = ["/properties/score"]', status=status)
    report = check(new, against=str(old))
    finding = the(report, "meaning-changed")
    if status == "accepted":
        assert (report.ok, finding.severity) == (True, Severity.NOTE)
        assert finding.text.endswith("as DEC-0001 allows")
    else:
        assert (report.ok, finding.severity) == (False, Severity.ERROR)


def test_a_decision_that_names_another_field_allows_nothing(old: Path, new: Path) -> None:
    folder(new, TURNED)
    decided(new, 'meanings = ["/properties/kind"]')
    assert rules(check(new, against=str(old))) == ["meaning-changed"]


def locked(path: Path, before: Path, *rewordings: Rewording, releases: tuple[str, ...] = ()) -> None:
    """Write a lock of what was released before."""
    catalog = Catalog.load(before)
    releases = releases or catalog.releases
    lock = Lock(
        releases=releases,
        planned=("5", "6", "7"),
        contracts={KEY: publish(catalog.contract(*KEY))},
        frozen={KEY: releases[-1]},
        rewordings=rewordings,
    )
    (path / "catalog.lock").write_bytes(lock_bytes(lock))


def reworded(before: Path, after: Path) -> Rewording:
    """What was put in other words between two folders."""
    (change,) = meaning_changes(*(publish(Catalog.load(each).contract(*KEY)) for each in (before, after)))
    return Rewording(
        event=KEY[0],
        version=KEY[1],
        pointer=change.pointer,
        keyword=change.keyword,
        old=change.old,
        new=change.new,
        after=Catalog.load(before).releases[-1],
        who="ana",
        when="2026-01-05",
        why="said better",
    )


def test_a_rewording_that_somebody_answered_for_is_no_change(old: Path, new: Path) -> None:
    folder(new, TURNED)
    locked(new, old)
    assert rules(check(new)) == ["meaning-changed"]
    locked(new, old, reworded(old, new))
    report = check(new)
    assert (report.against, report.findings, report.unchanged) == ("lock", (), 1)
    finding = the(check(new, against=str(old)), "meaning-changed")
    assert finding.severity is Severity.NOTE
    assert finding.text == "score means the same in other words: description reworded by ana"


def test_everybody_who_answered_for_the_words_on_the_way_is_named(old: Path, new: Path, tmp_path: Path) -> None:
    between = folder(tmp_path / "between", changed(score={"type": "integer", "description": "Zero to one."}))
    folder(new, TURNED)
    second = msgspec.structs.replace(reworded(between, new), who="ben")
    locked(new, old, reworded(old, between), second)
    finding = the(check(new, against=str(old)), "meaning-changed")
    assert finding.text.endswith("description reworded by ana and ben")


def test_what_was_released_with_another_meaning_is_not_said_to_be_reworded(old: Path, new: Path) -> None:
    folder(new, TURNED)
    locked(new, new, releases=("1", "2", "3", "4", "5"))
    finding = the(check(new, against=str(old)), "meaning-changed")
    assert finding.text == "score may mean something else: description has changed, as the lock allows"


def test_what_the_lock_says_is_accepted_only_of_a_release_after_the_baseline(old: Path, new: Path) -> None:
    folder(new, TURNED)
    locked(new, new)
    assert rules(check(new, against=str(old))) == ["meaning-changed"]


PERCENT = {"type": "number", "description": "From 0 to 100.", "x-unit": "percent"}
FRACTION = {"type": "number", "description": "From 0 to 1.", "x-unit": "fraction"}


def referring(score: str, rate: str) -> dict[str, Any]:
    """A payload whose fields are described in definitions."""
    definitions = {"percent": PERCENT, "fraction": FRACTION}
    properties = {name: {"$ref": f"#/definitions/{to}"} for name, to in {"score": score, "rate": rate}.items()}
    return {**schema({"id": TEXT}, **properties), "definitions": definitions}


@pytest.mark.parametrize(
    ("score", "rate", "told"),
    [
        ("fraction", "fraction", ["in score, fraction may mean something else"]),
        (
            "fraction",
            "percent",
            ["in rate, score, fraction may mean something else", "in rate, score, percent may mean something else"],
        ),
    ],
    ids=["one moves", "two are swapped"],
)
def test_a_field_that_refers_to_another_released_definition_means_something_else(
    old: Path, new: Path, score: str, rate: str, told: list[str]
) -> None:
    folder(old, referring("percent", "fraction"))
    folder(new, referring(score, rate))
    locked(new, old)
    for against in (None, str(old)):
        report = check(new, against=against)
        assert set(rules(report)) == {"meaning-changed"}
        texts = [each.text.partition(":")[0] for each in report.findings]
        assert texts == told
    locked(new, new, releases=("1", "2", "3", "4", "5"))
    assert not rules(check(new, against=str(old)), Severity.WARNING)
    found = [each for each in check(new, against=str(old)).findings if each.rule == "meaning-changed"]
    assert {each.severity for each in found} == {Severity.NOTE}


def test_a_meaning_that_is_gone_is_held_against_what_was_frozen_later(old: Path, new: Path, tmp_path: Path) -> None:
    bare = changed(score={"type": "integer"})
    folder(new, bare)
    locked(new, old, releases=("1", "2", "3", "4", "5"))
    assert "meaning-changed" in rules(check(new, against=str(old)))
    locked(new, folder(tmp_path / "bare", bare), releases=("1", "2", "3", "4", "5"))
    assert "meaning-changed" not in rules(check(new, against=str(old)))


def test_a_decision_that_was_spent_is_named(old: Path, new: Path) -> None:
    folder(new)
    decided(new, 'meanings = ["/properties/score"]')
    release(new, "4")
    folder(new, TURNED)
    finding = the(check(new), "meaning-changed")
    assert finding.severity is Severity.ERROR
    assert finding.text.endswith("description has changed; DEC-0001 named it, and was spent in 4.")
    assert finding.advice.startswith("A decision is good for one release. ")
    lock = read_lock(new)
    assert lock is not None
    unknown = {"DEC-0001": msgspec.structs.replace(lock.decisions["DEC-0001"], since=None)}
    (new / "catalog.lock").write_bytes(lock_bytes(msgspec.structs.replace(lock, decisions=unknown)))
    assert the(check(new), "meaning-changed").text.endswith("was spent in an earlier release.")


def test_an_accepted_rewording_covers_no_other_words(old: Path, new: Path) -> None:
    folder(new, TURNED)
    locked(new, old, reworded(old, new))
    folder(new, changed(score={"type": "integer", "description": "From 0 to 10."}))
    for against in (None, str(old)):
        assert rules(check(new, against=against)) == ["meaning-changed"]


def test_a_score_that_turns_by_its_description_alone_is_caught(tmp_path: Path) -> None:
    bundled = Path(__file__).parents[3] / "schemas"
    folder = shutil.copytree(bundled, tmp_path / "schemas")
    path = folder / "qa.authenticity.assessed" / "v1.json"
    text = path.read_text(encoding="utf-8")
    document = json.loads(text)
    document["properties"]["authenticity_score"]["description"] = "From 0 to 1."
    path.write_text(json.dumps(document), encoding="utf-8")
    report = check(folder, against=str(bundled))
    finding = the(report, "meaning-changed")
    assert not report.ok
    assert (finding.contract, finding.pointer) == ("qa.authenticity.assessed v1", "/properties/authenticity_score")
