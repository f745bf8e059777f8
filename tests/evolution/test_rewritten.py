"""A lock is held against that of an older state: what was frozen is not frozen again otherwise."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from jobarium_events.evolution.checking import Mode, check
from jobarium_events.evolution.lock import Lock, Retirement, Rewording, lock_bytes, read_lock
from jobarium_events.evolution.releasing import release
from jobarium_events.evolution.removed import Removal, Removals
from tests.evolution.conftest import Git, committed
from tests.evolution.logs import TODAY, catalog, decision
from tests.folders import TEXT, WHOLE, schema

if TYPE_CHECKING:
    from jobarium_events.evolution.findings import Finding

KEY = ("thing.made", "v1")
V1 = 'key = "k:{id}"\nintroduced = "1"'
WEIGHT = {"type": "number", "description": "In kg."}
GOING = {**TEXT, "deprecated": True}
RULE = "lock-rewritten"


def payload(**optional: Any) -> dict[str, Any]:
    return schema({"id": TEXT}, **optional)


def start(folder: Path, form: dict[str, Any]) -> Path:
    releases = 'releases = ["1"]\nplanned = ["2", "3", "4", "5", "6"]\n'
    catalog(folder, {"v1": V1}, releases=releases, schemas={"v1": form})
    (folder / "decisions").mkdir()
    tables = '[[allows]]\nevent = "thing.made"\nversion = "v1"\nmeanings = ["/properties/other"]\n'
    (folder / "decisions" / "DEC-0001.md").write_text(decision(tables=tables))
    release(folder, "1", today=TODAY)
    return folder


def turn(folder: Path, form: dict[str, Any]) -> None:
    (folder / "thing.made" / "v1.json").write_text(json.dumps(form))


def again(folder: Path, name: str) -> None:
    """Delete the lock, and release once more."""
    (folder / "catalog.lock").unlink()
    release(folder, name, today=TODAY)


def found(folder: Path, before: Path | str) -> list[Finding]:
    return [each for each in check(folder, against=str(before)).findings if each.rule == RULE]


@pytest.fixture
def before(tmp_path: Path) -> Path:
    """What was released twice: first with a field that went later, too early for any rule but a lock's."""
    folder = start(tmp_path / "before", payload(weight=WEIGHT, gone=GOING))
    for name in ("2", "3"):
        release(folder, name, today=TODAY)
    turn(folder, payload(weight=WEIGHT))
    release(folder, "4", today=TODAY)
    return folder


@pytest.fixture
def after(tmp_path: Path, before: Path) -> Path:
    """A copy of it, for what comes next."""
    folder = tmp_path / "after"
    for path in before.rglob("*"):
        if path.is_file():
            to = folder / path.relative_to(before)
            to.parent.mkdir(parents=True, exist_ok=True)
            to.write_bytes(path.read_bytes())
    return folder


def test_a_lock_that_has_only_grown_is_right(before: Path, after: Path) -> None:
    assert found(after, before) == []
    turn(after, payload(weight=WEIGHT, more=GOING))
    release(after, "5", today=TODAY)
    assert found(after, before) == []
    turn(after, payload(weight=WEIGHT, more=GOING, gone=GOING))
    release(after, "6", today=TODAY)
    assert found(after, before) == []
    assert found(before, after) == [], "one that is merely behind is told so by its releases"


def test_a_meaning_does_not_change_by_a_lock_that_is_made_anew(tmp_path: Path, git: Git) -> None:
    schemas = start(tmp_path / "repo" / "schemas", payload(weight=WEIGHT))
    committed(git, tmp_path / "repo", {}, tag="main-then")
    turn(schemas, payload(weight={**WEIGHT, "description": "In g."}))
    again(schemas, "1")
    assert check(schemas, against="lock").ok
    report = check(schemas, against="git:main-then")
    assert [each.rule for each in report.findings] == [RULE, "meaning-changed"]
    first = report.findings[0]
    assert (first.file, first.contract, first.pointer) == ("catalog.lock", "thing.made v1", "/events/thing.made/v1")
    assert first.text == "of thing.made v1 it does not say what that of git:main-then says: meanings"


def test_nor_in_a_new_release_of_one(before: Path, after: Path) -> None:
    turn(after, payload(weight={**WEIGHT, "description": "In g."}))
    manifest = after / "catalog.toml"
    manifest.write_text(manifest.read_text().replace('"4"]', '"4", "5"]').replace('planned = ["5", ', "planned = ["))
    again(after, "5")
    (finding,) = found(after, before)
    assert finding.text.endswith("its form since 1, its form since 4, removed_fields")


def test_what_was_removed_and_decided_is_not_forgotten(before: Path, after: Path) -> None:
    turn(after, payload(weight=WEIGHT, gone=WHOLE))
    (after / "decisions" / "DEC-0001.md").unlink()
    again(after, "4")
    contract, decided = sorted(found(after, before), key=lambda each: each.pointer, reverse=True)
    assert contract.text.endswith("says: structure, its form since 1, its form since 4")
    assert (decided.pointer, decided.contract) == ("/decisions/DEC-0001", "")
    assert decided.text == f"it does not have DEC-0001 as that of {before} has it"


def test_a_lock_that_is_gone_is_found(before: Path, after: Path) -> None:
    (after / "catalog.lock").unlink()
    (finding,) = found(after, before)
    assert finding.text == f"catalog.lock is gone, and {before} has one"
    assert check(after, against=str(before), mode=Mode.FULL).findings == ()


def test_where_the_baseline_had_no_lock_there_is_nothing_to_find(before: Path, after: Path) -> None:
    (before / "catalog.lock").unlink()
    assert found(after, before) == []


REWORDING = Rewording(
    event=KEY[0], version=KEY[1], pointer="", keyword="title", old="a", new="b", after="4", who="", when="", why=""
)
SHOWN = Retirement(event=KEY[0], version=KEY[1], release="4", when="")


def replaced(lock: Lock, **changes: Any) -> Lock:
    return msgspec.structs.replace(lock, **changes)


CHANGES: dict[str, tuple[Callable[[Lock], Lock], Callable[[Lock], Lock], str]] = {
    "a rewording": (
        lambda lock: replaced(lock, rewordings=(REWORDING,)),
        lambda lock: lock,
        "it lacks one of the rewordings",
    ),
    "a retirement": (
        lambda lock: replaced(lock, retirements=(SHOWN,)),
        lambda lock: lock,
        "it lacks one of the retirements",
    ),
    "a contract": (
        lambda lock: lock,
        lambda lock: replaced(lock, contracts={}),
        "is not in it any more",
    ),
    "when it was frozen": (
        lambda lock: lock,
        lambda lock: replaced(lock, frozen={KEY: "2"}, since={KEY: "4"}),
        "says: frozen",
    ),
    "since when a field is deprecated": (
        lambda lock: replaced(lock, deprecated={KEY: {"/weight": "3"}}),
        lambda lock: replaced(lock, deprecated={KEY: {"/weight": "1"}}),
        "says: deprecated_fields",
    ),
    "since when a field is there": (
        lambda lock: replaced(lock, added={KEY: {"/weight": "3"}}),
        lambda lock: replaced(lock, added={KEY: {"/weight": "2"}}),
        "says: added_fields",
    ),
    "that a field came later": (
        lambda lock: replaced(lock, added={KEY: {"/weight": "3"}}),
        lambda lock: lock,
        "says: added_fields",
    ),
    "that a field was there at first": (
        lambda lock: lock,
        lambda lock: replaced(lock, added={KEY: {"/weight": "3"}}),
        "says: added_fields",
    ),
    "what a field was": (
        lambda lock: lock,
        lambda lock: replaced(lock, removed={KEY: Removals({"/gone": Removal("0", "4")})}),
        "says: removed_fields",
    ),
    "what a value meant": (
        lambda lock: replaced(
            lock, removed={KEY: Removals(lock.removed[KEY].fields, {"/k": {"1": Removal("0", "2")}})}
        ),
        lambda lock: lock,
        "says: removed_values",
    ),
    "what a decision says": (
        lambda lock: lock,
        lambda lock: replaced(
            lock, decisions={"DEC-0001": msgspec.structs.replace(lock.decisions["DEC-0001"], digest="0")}
        ),
        "does not have DEC-0001",
    ),
    "where a decision stood": (
        lambda lock: lock,
        lambda lock: replaced(
            lock, decisions={"DEC-0001": msgspec.structs.replace(lock.decisions["DEC-0001"], status="rejected")}
        ),
        "does not have DEC-0001",
    ),
}


@pytest.mark.parametrize(("had", "has", "told"), CHANGES.values(), ids=CHANGES)
def test_nothing_that_a_lock_says_is_taken_back(
    before: Path, after: Path, had: Callable[[Lock], Lock], has: Callable[[Lock], Lock], told: str
) -> None:
    lock = read_lock(before)
    assert lock is not None
    (before / "catalog.lock").write_bytes(lock_bytes(had(lock)))
    (after / "catalog.lock").write_bytes(lock_bytes(has(lock)))
    (finding,) = found(after, before)
    assert told in finding.text
    assert finding.file == "catalog.lock"


def test_a_field_that_is_gone_or_back_is_there_since_another_release(before: Path, after: Path) -> None:
    lock = read_lock(before)
    assert lock is not None
    (before / "catalog.lock").write_bytes(lock_bytes(replaced(lock, added={KEY: {"/gone": "3", "/weight": "3"}})))
    (after / "catalog.lock").write_bytes(lock_bytes(replaced(lock, added={KEY: {"/weight": "3"}})))
    assert found(after, before) == []
    release(after, "5", today=TODAY)
    lock = read_lock(after)
    assert lock is not None
    (after / "catalog.lock").write_bytes(lock_bytes(replaced(lock, added={KEY: {"/weight": "5"}})))
    assert found(after, before) == []


def test_a_decision_may_be_superseded(before: Path, after: Path) -> None:
    lock = read_lock(after)
    assert lock is not None
    superseded = {"DEC-0001": msgspec.structs.replace(lock.decisions["DEC-0001"], status="superseded")}
    (after / "catalog.lock").write_bytes(lock_bytes(replaced(lock, decisions=superseded)))
    assert found(after, before) == []
