"""Two compatible steps that make one breaking change: each earlier form of a version counts as well."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from jobarium_events.evolution import earlier
from jobarium_events.evolution.checking import check
from jobarium_events.evolution.findings import Finding, Severity
from jobarium_events.evolution.judging import Delivery
from jobarium_events.evolution.lock import read_lock
from jobarium_events.evolution.published import Form
from jobarium_events.evolution.refusals import Refused
from jobarium_events.evolution.releasing import release
from jobarium_events.evolution.verdicts import Containment, Reader, Verdict
from jobarium_events.validation import compile_schema
from tests.evolution.logs import V1_LINES, catalog
from tests.folders import TEXT, WHOLE, schema

KEY = ("thing.made", "v1")
RULE = "earlier-release-broken"
CLOSED = {"additionalProperties": False}
GOING = {**TEXT, "deprecated": True}
TEXT_WITH_WORDS = {**TEXT, "description": "It."}


def payload(optional: Mapping[str, Any] = {}, **rules: Any) -> dict[str, Any]:
    return {**schema({"id": TEXT}, **optional), **rules}


def released(folder: Path, *forms: Mapping[str, Any]) -> Path:
    """A folder with a release for each form of thing.made v1, the first of which is 1."""
    releases = 'releases = ["1"]\nplanned = ["2", "3", "4", "5", "6", "7"]\n'
    catalog(folder, {"v1": V1_LINES}, releases=releases)
    for number, form in enumerate(forms, 1):
        write(folder, form)
        release(folder, str(number))
    return folder


def write(folder: Path, form: Mapping[str, Any]) -> None:
    (folder / "thing.made" / "v1.json").write_text(json.dumps(form), encoding="utf-8")


def errors(folder: Path, form: Mapping[str, Any]) -> list[Finding]:
    write(folder, form)
    return [each for each in check(folder).findings if each.severity is Severity.ERROR]


# -- what is found -------------------------------------------------------------------------------------------------

AB, A, ABC = (["a", "b"], ["a"], ["a", "b", "c"])
NO_LONGER = [payload({"q": TEXT}), payload({"q": GOING}), payload({"q": GOING}), payload()]
BREAKS = {
    "a value goes, then the list is closed": (
        [payload({"k": {"x-extensible-enum": AB}}), payload({"k": {"x-extensible-enum": A}})],
        payload({"k": {"enum": A}}),
        Reader.NEW,
    ),
    "a list is opened, then a value comes": (
        [payload({"k": {"enum": AB}}), payload({"k": {"x-extensible-enum": AB}})],
        payload({"k": {"x-extensible-enum": ABC}}),
        Reader.OLD,
    ),
    "an object is opened, then a field comes": ([payload(**CLOSED), payload()], payload({"z": TEXT}), Reader.OLD),
    "a bound goes, then a field comes": ([payload(maxProperties=1), payload()], payload({"z": TEXT}), Reader.OLD),
    "a pattern of fields is back as another": (
        [payload(patternProperties={"^x": WHOLE}), payload()],
        payload(patternProperties={"^x": TEXT}),
        Reader.NEW,
    ),
    "a removed field is kept out by closing": (NO_LONGER, payload(**CLOSED), Reader.NEW),
    "a removed field is kept out by its name": (NO_LONGER, payload(propertyNames={"enum": ["id"]}), Reader.NEW),
    "a removed field is kept out by a rule": (NO_LONGER, payload(**{"not": {"required": ["q"]}}), Reader.NEW),
}


@pytest.mark.parametrize(("forms", "last", "reader"), BREAKS.values(), ids=BREAKS)
def test_a_change_that_breaks_with_an_earlier_release_is_refused(
    tmp_path: Path, forms: list[dict[str, Any]], last: dict[str, Any], reader: Reader
) -> None:
    folder = released(tmp_path, *forms)
    found = next(each for each in errors(folder, last) if each.reader is reader)
    assert (found.rule, found.contract, found.file) == (RULE, "thing.made v1", "thing.made/v1.json")
    assert found.text.startswith("compared with 1")
    assert found.proof is not None
    writer, refuses = (forms[0], last) if reader is Reader.NEW else (last, forms[0])
    assert compile_schema(writer, closed=True).is_valid(found.proof.witness)
    assert not compile_schema(refuses).is_valid(found.proof.witness)
    assert any("v1 as released in 1" in side for side, _ in found.explanation)
    with pytest.raises(Refused, match=RULE):
        release(folder, str(len(forms) + 1))


def test_the_releases_in_which_it_was_so_are_named(tmp_path: Path) -> None:
    (found,) = errors(released(tmp_path, *NO_LONGER), payload(**CLOSED))
    assert found.text.startswith("compared with 1 to 3, ")
    assert [side for side, _ in found.explanation] == [
        "v1 as released in 1 to 3, producers",
        "v1 as it is now, consumers",
    ]


# -- what is not ---------------------------------------------------------------------------------------------------


def test_a_field_that_was_removed_does_not_stand_against_later_changes(tmp_path: Path) -> None:
    assert errors(released(tmp_path, *NO_LONGER), payload({"z": TEXT})) == []


def test_old_consumers_count_for_two_releases(tmp_path: Path) -> None:
    opened, more = payload({"k": {"x-extensible-enum": AB}}), payload({"k": {"x-extensible-enum": ABC}})
    folder = released(tmp_path, payload({"k": {"enum": AB}}), opened)
    (found,) = errors(folder, more)
    assert found.advice.endswith("Or leave it for a later release: consumers of 1 count for 2 releases.")
    write(folder, opened)
    release(folder, "3")
    assert errors(folder, more) == []


def test_what_breaks_with_the_last_release_is_said_once(tmp_path: Path) -> None:
    folder = released(tmp_path, payload({"k": {"enum": AB}}), payload({"k": {"enum": AB}, "z": TEXT}))
    assert [each.rule for each in errors(folder, payload({"k": {"enum": A}, "z": TEXT}))] == ["enum-narrowed"]


def test_a_field_that_is_back_as_another_is_said_once(tmp_path: Path) -> None:
    found = errors(released(tmp_path, *NO_LONGER, payload(), payload()), payload({"q": WHOLE}))
    assert [each.rule for each in found] == ["field-returned"]


def test_a_form_that_is_broken_alike_before_another_is_said_once(tmp_path: Path) -> None:
    first, second = payload({"k": {"x-extensible-enum": ABC}}), payload({"k": {"x-extensible-enum": AB}})
    folder = released(tmp_path, first, second, payload({"k": {"x-extensible-enum": A}}))
    (found,) = errors(folder, payload({"k": {"enum": A}}))
    assert found.text.startswith("compared with 2, ")


def test_what_is_unproven_is_not_passed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = released(tmp_path, payload(), payload({"k": TEXT}))
    proven = Delivery.containment.func

    def doubted(self: Delivery) -> Containment:
        earlier_form = "released in 1" in self.writer.label
        return Containment(Verdict.UNPROVEN, reason="it is too large") if earlier_form else proven(self)

    monkeypatch.setattr(Delivery, "containment", property(doubted))
    (found,) = errors(folder, payload({"k": TEXT, "z": TEXT}))
    assert (found.rule, found.reader) == ("unproven", Reader.NEW)
    assert found.text.startswith("compared with 1, ")
    assert "could not be proven: it is too large" in found.text


def test_nothing_is_proven_of_what_is_structured_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = released(tmp_path, payload(**CLOSED), payload())
    monkeypatch.setattr(earlier, "_broken", None)
    assert errors(folder, payload({"id": {**TEXT, "deprecated": True}})) == []


# -- what the lock keeps -------------------------------------------------------------------------------------------


def test_a_release_keeps_each_form_with_its_first_and_last_release(tmp_path: Path) -> None:
    folder = released(tmp_path, payload(), payload(), payload({"z": TEXT}), payload({"y": TEXT, "z": TEXT}))
    lock = read_lock(folder)
    assert lock is not None
    assert [(each.first, each.last) for each in lock.forms[KEY]] == [("1", "2"), ("3", "3")]
    assert [list(each.schema["properties"]) for each in lock.forms[KEY]] == [["id"], ["id", "z"]]
    assert lock.structured_since(*KEY) == "4"


def test_a_form_that_is_back_is_no_earlier_one(tmp_path: Path) -> None:
    one, other = payload({"k": {"x-extensible-enum": A}}), payload({"k": {"x-extensible-enum": AB}})
    folder = released(tmp_path, one, other, one)
    lock = read_lock(folder)
    assert lock is not None
    assert [(each.first, each.last) for each in lock.forms[KEY]] == [("2", "2")]
    assert (lock.structured_since(*KEY), lock.frozen[KEY]) == ("1", "3")
    write(folder, other)
    release(folder, "4")
    again = read_lock(folder)
    assert again is not None
    assert [(each.first, each.last) for each in again.forms[KEY]] == [("1", "3")]
    assert again.structured_since(*KEY) == "2"


def test_a_lock_that_has_no_forms_reads_as_before(tmp_path: Path) -> None:
    folder = released(tmp_path, payload(), payload())
    text = (folder / "catalog.lock").read_text()
    assert "earlier_forms" not in text
    assert '"since"' not in text
    lock = read_lock(folder)
    assert lock is not None
    assert (lock.forms, lock.since, lock.structured_since(*KEY)) == ({}, {}, "1")


def test_a_form_keeps_no_texts(tmp_path: Path) -> None:
    folder = released(tmp_path, payload({"k": TEXT_WITH_WORDS}), payload({"k": TEXT_WITH_WORDS, "z": TEXT}))
    lock = read_lock(folder)
    assert lock is not None
    (form,) = lock.forms[KEY]
    assert isinstance(form, Form)
    assert form.schema["properties"]["k"] == TEXT
