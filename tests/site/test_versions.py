"""Two versions side by side: both can be read again from it, and all that the comparison found is said."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobarium_events import Catalog
from jobarium_events.annotations import json_text
from jobarium_events.contract import Lifecycle, Ordering
from jobarium_events.evolution import Verdict, compare
from jobarium_events.evolution.allowing import between_versions
from jobarium_events.evolution.decision import Allowed, Decision, Status
from jobarium_events.site.lines import rows_of, runs_of
from jobarium_events.site.shown import read_shown
from jobarium_events.site.versions import Beside, beside
from jobarium_events.validation import compile_schema
from tests.evolution.example_changes import TEXT, payload
from tests.evolution.test_meanings import contract
from tests.site.drawn import HOSTILE, part

LINES = st.lists(
    st.sampled_from(["{", "}", "},", '  "type": "string"', '  "type": "integer",', '  "title": "A job"', ""])
    | st.text(st.characters(codec="utf-8", exclude_characters="\n"), max_size=30),
    max_size=30,
)
OLD, NEW = Catalog.bundled().versions("billing.usage.updated")
DECISIONS = read_shown().decisions.values()


def changed(schema: dict[str, Any], version: str = "v2", **facts: Any) -> Any:
    """Return the first version of an event with another schema, as its next one."""
    return msgspec.structs.replace(contract(schema), version=version, **facts)


def allowing(id_: str, *pointers: str) -> Decision:
    """Return an accepted decision that allows some breaks of the next version."""
    event = contract(payload()).event
    return Decision(
        id=id_,
        title="It changes",
        date=date(2026, 9, 1),
        status=Status.ACCEPTED,
        owner="maker",
        review=date(2027, 3, 1),
        allowed=(Allowed(event=event, version="v2", breaking=pointers),),
    )


def side(found: Beside, name: str) -> str:
    """Return the text of one side, as it is read from the rows."""
    cells = (getattr(row, name) for run in found.runs for row in run.rows)
    return "\n".join(cell.text for cell in cells if cell is not None)


# ---------------------------------------------------------------- the lines


@given(LINES, LINES)
def test_both_texts_can_be_read_again_from_their_rows(old, new):
    rows = rows_of(old, new)
    for text, cells in ((old, [row.old for row in rows]), (new, [row.new for row in rows])):
        found = [cell for cell in cells if cell is not None]
        assert [cell.text for cell in found] == text
        assert [cell.number for cell in found] == list(range(1, len(text) + 1))


@given(LINES, LINES)
def test_what_is_not_marked_is_the_same_on_both_sides(old, new):
    for row in rows_of(old, new):
        if row.kind == "same":
            assert row.old.text == row.new.text
            assert not any(part.changed for part in (*row.old.parts, *row.new.parts))
        elif row.kind == "changed":
            assert row.old.text != row.new.text
            kept = ["".join(part.text for part in cell.parts if not part.changed) for cell in (row.old, row.new)]
            assert kept[0] == kept[1]
        else:
            assert (row.old is None) is (row.kind == "added")
            assert (row.new is None) is (row.kind == "removed")
            assert all(part.changed for part in (row.old or row.new).parts)


@given(LINES, LINES)
def test_runs_are_all_rows_and_only_what_is_far_from_a_change_is_folded(old, new):
    rows = rows_of(old, new)
    runs = list(runs_of(rows))
    assert [row for run in runs for row in run.rows] == list(rows)
    folded = [run.is_folded for run in runs for _ in run.rows]
    for place, row in enumerate(rows):
        if row.kind != "same":
            assert not any(folded[max(place - 3, 0) : place + 4])
    assert all(len(run.rows) > 1 for run in runs if run.is_folded)


@given(LINES)
def test_a_text_beside_itself_is_folded_whole(text):
    rows = rows_of(text, text)
    assert {row.kind for row in rows} <= {"same"}
    assert len(list(runs_of(rows))) == bool(text)


def test_a_changed_line_stands_beside_what_it_was_and_its_words_are_marked():
    old = ["{", '  "type": "number",', '  "x-unit": "count"', "}"]
    new = ["{", '  "title": "Delta",', '  "type": "integer",', '  "x-unit": "count"', "}"]
    rows = rows_of(old, new)
    assert [row.kind for row in rows] == ["same", "added", "changed", "same", "same"]
    marked = [[part.text for part in cell.parts if part.changed] for cell in (rows[2].old, rows[2].new)]
    assert marked == [["number"], ["integer"]]


def test_a_space_is_marked_between_two_words_that_were_changed_and_nowhere_else():
    (row,) = rows_of(['  "one two": "three four" five'], ['  "one six": "seven eight" five'])
    marked = [[part.text for part in cell.parts if part.changed] for cell in (row.old, row.new)]
    assert marked == [["two", "three four"], ["six", "seven eight"]]
    (row,) = rows_of(["  a b c"], ["  d b c"])
    assert [part.text for part in row.old.parts if part.changed] == ["a"]


def test_large_blocks_are_beside_each_other_as_well():
    old, new = ([f"{side} {number}" for number in range(60)] for side in ("a", "b"))
    rows = rows_of(old, new[:50])
    assert [row.kind for row in rows] == ["changed"] * 50 + ["removed"] * 10


# ---------------------------------------------------------------- what it means


def test_the_second_version_of_billing_breaks_and_says_who_allowed_it():
    found = beside(OLD, NEW, DECISIONS)
    assert not found.compatible
    assert found.summary == (
        "v2 breaks readers of v1, as a new version may: the two are told apart on the wire, and consumers read both "
        "until v1 is retired. DEC-0001 allows it."
    )
    assert [(each.verdict, each.text) for each in found.directions] == [
        ("not-contained", "A consumer of v2 would not read every v1 event."),
        ("contained", "A consumer of v1 would read every v2 event: proven."),
    ]
    assert [(each.pointer, each.words) for each in found.changes] == [
        ("/required/source_event_id", "breaks new consumers"),
        ("/properties/delta/type", "breaks new consumers"),
    ]
    assert [each.decision for each in found.changes] == ["DEC-0001", "DEC-0001"]
    for change in found.changes:
        (answer,) = change.answers
        witness = json.loads(answer.witness)
        assert compile_schema(OLD.schema, closed=True).is_valid(witness)
        assert not compile_schema(NEW.schema).is_valid(witness)
        assert answer.says[0] == ("v1, producers", "accepts")
        assert answer.says[1][0] == "v2, consumers"
        assert change.advice
    assert side(found, "old") == json_text(OLD.schema, indent=2)
    assert side(found, "new") == json_text(NEW.schema, indent=2)
    assert (found.removed, found.added) == (5, 6)


def test_meanings_are_said_as_they_were_and_as_they_are():
    found = beside(OLD, NEW)
    (delta,) = (each for each in found.meanings if each.pointer == "/properties/delta")
    assert delta.keyword == "description"
    assert delta.old == OLD.schema["properties"]["delta"]["description"]
    assert delta.new == NEW.schema["properties"]["delta"]["description"]
    assert not any(change.kind == "meaning-changed" for change in found.changes)


def test_a_meaning_that_comes_or_goes_is_nothing_on_the_other_side():
    old = payload(a={**TEXT, "x-unit": "days"}, b=TEXT)
    new = payload(a=TEXT, b={**TEXT, "default": {"x": 1}})
    found = {each.pointer: each for each in beside(contract(old), changed(new)).meanings}
    assert (found["/properties/a"].old, found["/properties/a"].new) == ("days", None)
    assert (found["/properties/b"].old, found["/properties/b"].new) == (None, '{"x":1}')
    _, page = part("versions.html.jinja", "beside", "value, 'x'", value=beside(contract(old), changed(new)))
    assert [each.text for each in page.all("dd")] == ["days", "says nothing", "says nothing", '{"x":1}']


def test_the_meaning_of_a_value_is_named_with_its_value():
    old = payload(a={"enum": ["x/y"], "x-enum-meanings": {"x/y": "one"}})
    new = payload(a={"enum": ["x/y"], "x-enum-meanings": {"x/y": "two"}})
    (only,) = beside(contract(old), changed(new)).meanings
    assert (only.keyword, only.old, only.new) == ("x-enum-meanings/x/y", "one", "two")


def test_a_meaning_is_found_where_it_stands_in_a_branch_or_a_definition():
    branch = {"anyOf": [{"type": "string", "description": "one"}, {"type": "null"}]}
    old = payload(a=branch, b={**TEXT, "description": "here"})
    new = payload(
        a={"anyOf": [{"type": "string", "description": "two"}, {"type": "null"}]}, b={"$ref": "#/definitions/text"}
    )
    new["definitions"] = {"text": {**TEXT, "description": "there"}}
    said = {(each.old, each.new) for each in beside(contract(old), changed(new)).meanings}
    assert ("one", "two") in said
    assert ("here", "there") in said or {("here", "said elsewhere"), ("said elsewhere", "there")} & said


@pytest.mark.parametrize(
    ("allowed", "words", "by"),
    [
        ([], "No accepted decision allows it.", ["", ""]),
        ([["/required/a"]], "DEC-0007 allows some of it, and no accepted decision the rest.", ["DEC-0007", ""]),
        ([["/required/a", "/required/b"]], "DEC-0007 allows it.", ["DEC-0007", "DEC-0007"]),
        ([["/required/a"], ["/required/b"]], "DEC-0007 and DEC-0008 allow it.", ["DEC-0007", "DEC-0008"]),
    ],
)
@pytest.mark.parametrize("draft", [False, True])
def test_a_decision_allows_what_it_names_and_nothing_else(allowed, words, by, draft):
    """A manifest that names a decision is not enough: it is told as the check tells it."""
    both = payload(a=TEXT, b=TEXT)
    log = [allowing(f"DEC-{number:04}", *pointers) for number, pointers in enumerate(allowed, 7)]
    lifecycle = Lifecycle.DRAFT if draft else Lifecycle.ACTIVE
    new = changed({**both, "required": ["id", "a", "b"]}, decision="DEC-0007", lifecycle=lifecycle)
    found = beside(contract(both), new, log)
    assert [each.decision for each in found.changes] == by
    undecided = [each.pointer for each in between_versions(compare(contract(both), new), new, log)]
    assert undecided == [each.pointer for each in found.changes if each.decision == ""]
    if draft and undecided:
        words = f"{words[:-1]} yet."
    assert "as a new version may" in found.summary
    assert found.summary.endswith(f" {words}")
    _, page = part("versions.html.jinja", "beside", "value, 'x'", value=found)
    said = [
        "No accepted decision allows it" + (" yet." if draft else ".") if not each else f"{each} allows it."
        for each in by
    ]
    assert [each.text for each in page.all("p") if each.text in said] == said


def test_a_decision_that_is_not_accepted_allows_nothing():
    old, new = contract(payload(a=TEXT)), changed({**payload(a=TEXT), "required": ["id", "a"]}, decision="DEC-0007")
    proposed = msgspec.structs.replace(allowing("DEC-0007", "/required/a"), status=Status.PROPOSED)
    found = beside(old, new, [proposed])
    assert found.summary.endswith(" No accepted decision allows it.")
    assert [each.decision for each in found.changes] == [""]
    assert found.decisions == ("DEC-0007",)  # it can be read, though


def test_what_breaks_nobody_needs_no_decision():
    (change,) = beside(contract(payload()), changed(payload(note=TEXT))).changes
    assert change.decision is None
    _, page = part(
        "versions.html.jinja", "beside", "value, 'x'", value=beside(contract(payload()), changed(payload(note=TEXT)))
    )
    assert "decision allows" not in page.text


def test_where_a_registry_would_say_otherwise_that_is_said():
    found = beside(contract(payload()), changed(payload(note=TEXT)))
    assert found.compatible
    assert found.summary == "Nothing here breaks a reader: v2 could be read by consumers of v1 as well."
    assert (found.policy, found.registry) == ("compatible both ways", "backward: breaks, forward: compatible")
    assert [(each.words, each.answers, each.advice) for each in found.changes] == [("breaks nobody", (), "")]
    _, page = part("versions.html.jinja", "beside", "value, 'x'", value=found)
    assert "would say otherwise: backward: breaks, forward: compatible" in page.text


def test_what_could_not_be_proven_is_not_said_to_be_safe():
    old = {**payload(a={"$ref": "#text"}), "definitions": {"text": {"$id": "#text", "type": "string"}}}
    found = beside(contract(old), changed({**old, "required": ["id", "a"]}, decision="DEC-0007"))
    assert not found.compatible
    assert found.summary == (
        "It could not be proven that v2 breaks nobody, so it is taken for breaking. No accepted decision allows it."
    )
    assert {each.verdict for each in found.directions} == {Verdict.UNPROVEN}
    assert all("unproven, as" in each.text for each in found.directions)


def test_a_key_that_changes_breaks_without_a_payload_that_shows_it():
    found = beside(OLD, msgspec.structs.replace(OLD, version="v2", key=msgspec.structs.replace(OLD.key, text="a:{b}")))
    (change,) = found.changes
    assert [answer.witness for answer in change.answers] == ["", ""]
    assert change.words == "breaks new consumers and old consumers"
    assert [(each.verdict, each.word, each.text) for each in found.directions] == [
        (
            Verdict.NOT_CONTAINED,
            "reads otherwise",
            f"A consumer of {one} would read every {other} event: proven. But it would go by another idempotency key.",
        )
        for one, other in (("v2", "v1"), ("v1", "v2"))
    ]
    _, page = part("versions.html.jinja", "beside", "value, 'x'", value=found)
    assert "They are the same." in page.text
    assert not page.all("pre")


def test_where_the_schemas_are_contained_a_key_or_an_ordering_breaks_in_words_that_fit_the_policy():
    key, ordering = msgspec.structs.replace(OLD.key, text="a:{b}"), Ordering(by="revision", per="id")
    new = changed(payload(note=TEXT), key=key, ordering=ordering)
    found = beside(contract(payload()), new)
    assert not found.compatible
    assert (found.policy, bool(found.registry)) == ("compatible both ways", True)
    for each in found.directions:
        assert each.word == "reads otherwise"
        assert each.text.endswith(
            " event: proven. But it would go by another idempotency key and another rule of what is stale."
        )
    _, page = part("versions.html.jinja", "beside", "value, 'x'", value=found)
    assert "would not read every" not in page.text
    assert "compatible both ways. Both are about the schemas alone, and not about key and ordering." in page.text
    assert [each.text for each in page.all("span", class_="not-contained")][:2] == ["reads otherwise"] * 2
    # Where the schemas break somebody as well, that is what is said of the reader.
    broken = changed({**payload(note=TEXT), "required": ["id", "note"]}, key=key)
    back, forth = beside(contract(payload()), broken).directions
    assert (back.word, back.text) == ("breaks", "A consumer of v2 would not read every v1 event.")
    assert forth.word == "reads otherwise"


def test_what_is_unproven_stays_so_beside_another_key():
    old = {**payload(a={"$ref": "#text"}), "definitions": {"text": {"$id": "#text", "type": "string"}}}
    key = msgspec.structs.replace(OLD.key, text="a:{b}")
    found = beside(contract(old), changed({**old, "required": ["id", "a"]}, key=key))
    for each in found.directions:
        assert (each.verdict, each.word) == (Verdict.UNPROVEN, "unproven")
        assert each.text.endswith(". In any case it would go by another idempotency key.")


def test_a_version_that_is_the_same_says_so():
    found = beside(OLD, msgspec.structs.replace(OLD, version="v2"))
    assert (found.changes, found.meanings, found.added, found.removed, found.registry) == ((), (), 0, 0, "")
    assert [run.is_folded for run in found.runs] == [True]


# ---------------------------------------------------------------- as a part of a page


def test_the_page_shows_both_and_marks_what_differs_by_more_than_colour():
    _, page = part("versions.html.jinja", "beside", "value, 'v1-v2', '../'", value=beside(OLD, NEW))
    assert page.ids == ["v1-v2"]
    (decision,) = (each for each in page.all("a"))
    assert decision.attributes["href"] == "../decisions/DEC-0001.html"
    assert "number" in [each.text for each in page.all("del")]
    assert "integer" in [each.text for each in page.all("ins")]
    assert len(page.all("pre")) == 2
    summaries = [each.text for each in page.all("summary")]
    assert summaries.count("A payload that breaks new consumers") == 2
    assert any(text.endswith("unchanged lines") for text in summaries)
    assert "jobarium-events new-version" in [each.text for each in page.all("code")]


def test_what_schemas_say_is_text():
    old = payload(**{HOSTILE: {**TEXT, "description": HOSTILE}, "n": {"type": "number", "x-unit": HOSTILE}})
    old["required"] = ["id", HOSTILE]
    new = payload(**{HOSTILE + "2": {**TEXT, "title": HOSTILE}, "n": {"type": "integer", "x-unit": HOSTILE + "3"}})
    new["required"] = ["id", "n", HOSTILE + "2"]
    value = beside(contract(old), changed(new, decision=HOSTILE))
    text, page = part("versions.html.jinja", "beside", "value, 'x'", value=value)
    assert "<script" not in text
    assert not page.all("script", "svg", "style")
    assert page.text.count("alert(1)") >= 8
    assert any("alert(1)" in each.text for each in page.all("pre"))


def test_a_character_that_turns_the_text_around_is_shown_as_what_it_is():
    new = payload(a={**TEXT, "description": "safe\u202egnp.exe"})
    text, _ = part("versions.html.jinja", "beside", "value, 'x'", value=beside(contract(payload()), changed(new)))
    assert "\u202e" not in text
    assert "\\u202e" in text
