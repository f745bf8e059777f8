import copy
import itertools
import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import jobarium_events
from jobarium_events.errors import SchemaError
from jobarium_events.evolution.containment import is_subset, subset
from jobarium_events.evolution.verdicts import Containment, Verdict
from jobarium_events.validation import compile_schema
from tests.evolution.containment.pairs import DIALECTS, DOCUMENTS, DRAFT_2019_09, DRAFT_2020_12, Pairs, pairs
from tests.strategies import EXAMPLES, examples

SUITES = Path(os.environ.get("JOBARIUM_SUITES") or Path(__file__).parents[4] / "shared" / "suites")
SUITE = SUITES / "json-schema-test-suite" / "tests"

CONTAINED, NOT_CONTAINED, UNPROVEN = Verdict.CONTAINED, Verdict.NOT_CONTAINED, Verdict.UNPROVEN


# ---- against brute force


@pytest.mark.parametrize(("name", "count"), [("draft-07", 150), ("2019-09", 70), ("2020-12", 70)])
def test_no_small_document_disagrees(name, count):
    @examples(count)
    @given(pairs(DIALECTS[name]))
    def disagrees(schemas):
        a, b = schemas
        one, other = compile_schema(a), compile_schema(b)
        answer = is_subset(a, b)
        if answer.verdict is CONTAINED:
            assert [each for each in DOCUMENTS if one.is_valid(each) and not other.is_valid(each)] == []
        elif answer.verdict is NOT_CONTAINED:
            assert one.is_valid(answer.witness)
            assert not other.is_valid(answer.witness)
        else:
            assert answer.reason
        seen[answer.verdict] += 1

    seen: Counter[Verdict] = Counter()
    disagrees()
    assert min(seen[CONTAINED], seen[NOT_CONTAINED]) > seen.total() / 8
    assert seen[UNPROVEN] <= seen.total() / 10


@pytest.mark.parametrize("dialect", DIALECTS.values(), ids=DIALECTS)
@examples(50)
@given(st.randoms(use_true_random=False))
def test_a_schema_is_contained_in_itself_however_it_is_written(dialect, chance):
    schema = Pairs(chance, dialect).root()
    assert is_subset(schema, schema).verdict is CONTAINED
    turned = {key: schema[key] for key in reversed(schema)}
    assert is_subset(schema, {**turned, "description": "The same."}).verdict is CONTAINED
    assert is_subset(schema, True).verdict is CONTAINED
    assert is_subset(False, schema).verdict is CONTAINED


@examples(50)
@given(st.randoms(use_true_random=False))
def test_containment_is_transitive_where_it_is_answered(chance):
    making = Pairs(chance, DIALECTS["draft-07"])
    a = making.root()
    b = {"anyOf": [{key: value for key, value in a.items() if key != "definitions"}, making.schema(0)]}
    b |= {key: a[key] for key in ("definitions",) if key in a}
    c = making.changed(b)
    answers = [is_subset(a, b).verdict, is_subset(b, c).verdict, is_subset(a, c).verdict]
    assert answers[0] is CONTAINED
    if answers[1] is CONTAINED:
        assert answers[2] is not NOT_CONTAINED
    if answers[2] is NOT_CONTAINED:
        assert answers[1] is not CONTAINED


def test_an_answer_is_asked_whether_it_holds():
    shown = is_subset({"type": "null"}, False)
    assert is_subset(False, True).holds
    assert not shown.holds
    assert not Containment(UNPROVEN, reason="No time.").holds
    assert shown, "an answer that does not hold is there all the same"


@examples(30)
@given(pairs(DIALECTS["2020-12"]))
def test_neither_schema_is_changed(schemas):
    before = copy.deepcopy(schemas)
    is_subset(*schemas)
    assert schemas == before


# ---- single answers

EVENT = {
    "type": "object",
    "required": ["id"],
    "properties": {"id": {"type": "string"}, "score": {"type": "number", "minimum": 0, "maximum": 100}},
}
TREE = {"type": "object", "required": ["v"], "properties": {"v": {"type": "integer"}, "next": {"$ref": "#"}}}


@pytest.mark.parametrize(
    ("a", "b", "verdict"),
    [
        (EVENT, {**EVENT, "required": []}, CONTAINED),
        ({**EVENT, "required": []}, EVENT, NOT_CONTAINED),
        (TREE, {**TREE, "properties": {"v": {"type": "number"}, "next": {"$ref": "#"}}}, CONTAINED),
        ({**TREE, "properties": {"v": {"type": "number"}, "next": {"$ref": "#"}}}, TREE, NOT_CONTAINED),
        ({"$ref": "http://json-schema.org/draft-07/schema#"}, {"type": ["object", "boolean"]}, CONTAINED),
        ({"type": "object"}, {"$ref": "http://json-schema.org/draft-07/schema#"}, NOT_CONTAINED),
        ({"type": "array", "minItems": 99_999}, {"minItems": 100_000}, NOT_CONTAINED),
        ({"type": "array", "minItems": 100_000}, {"minItems": 99_999}, CONTAINED),
        ({"const": 1e308}, {"multipleOf": 0.123456789}, NOT_CONTAINED),
        ({"const": 10**30}, {"type": "string"}, NOT_CONTAINED),
        ({"type": "integer", "multipleOf": 0.5}, {"multipleOf": 1}, CONTAINED),
        # Numbers that no float holds: nothing is shown, and nothing proven.
        ({"type": "number", "multipleOf": 0.5, "minimum": 10**16, "maximum": 10**16 + 1}, {"multipleOf": 1}, UNPROVEN),
        ({"$schema": DRAFT_2020_12, "items": True}, {"items": True}, CONTAINED),
        ({"$schema": DRAFT_2020_12, "prefixItems": [False]}, {"items": [False]}, CONTAINED),
    ],
)  # fmt: skip
def test_verdicts(a, b, verdict):
    assert is_subset(a, b).verdict is verdict


def dynamic(kind, **more):
    return {
        "$schema": DRAFT_2020_12,
        "$defs": {"x": {"$dynamicAnchor": "n", "type": kind}},
        "$dynamicRef": "#n",
        **more,
    }


def apart(kind):
    return dynamic(kind, **{"$id": "http://x.test/a", "items": {"$id": "http://x.test/b"}})


@pytest.mark.parametrize(
    ("a", "b", "verdict"),
    [
        (dynamic("string"), dynamic("integer"), NOT_CONTAINED),
        (dynamic("integer"), dynamic("number"), CONTAINED),
        (apart("string"), apart("integer"), UNPROVEN),
        (apart("integer"), apart("number"), UNPROVEN),
        (apart("integer"), apart("integer"), CONTAINED),
        ({"$schema": DRAFT_2020_12, "const": 1}, apart("integer"), CONTAINED),
    ],
)
def test_a_dynamic_reference_is_not_taken_for_another_that_is_written_alike(a, b, verdict):
    assert is_subset(a, b).verdict is verdict


def test_a_keyword_that_depends_on_references_is_not_taken_for_another_that_is_written_alike():
    one, other = (
        {"$schema": DRAFT_2020_12, "$ref": "#/$defs/x", "unevaluatedProperties": False, "type": "object",
         "$defs": {"x": {"properties": {name: True}}}}
        for name in "ab"
    )  # fmt: skip
    assert is_subset(one, other).verdict is not CONTAINED


# ---- formats


@pytest.mark.parametrize(
    ("a", "b", "asserted", "annotated"),
    [
        ({"type": "string"}, {"format": "email"}, NOT_CONTAINED, CONTAINED),
        ({"format": "uri"}, {"format": "uri-reference"}, CONTAINED, CONTAINED),
        ({"type": "string", "format": "date"}, {"pattern": "^[0-9]{4}-"}, CONTAINED, NOT_CONTAINED),
        ({"type": "string", "format": "date"}, {"minLength": 10, "maxLength": 10}, CONTAINED, NOT_CONTAINED),
        ({"type": "string", "format": "uuid"}, {"not": {"format": "uuid"}}, NOT_CONTAINED, NOT_CONTAINED),
        ({"type": "string", "format": "ipv4"}, {"format": "ipv6"}, NOT_CONTAINED, CONTAINED),
        ({"const": "2023-02-29"}, {"format": "date"}, NOT_CONTAINED, CONTAINED),
        ({"const": "2024-02-29"}, {"format": "date"}, CONTAINED, CONTAINED),
        ({"type": "string"}, {"format": "colour"}, CONTAINED, CONTAINED),
        ({"const": "a..b"}, {"format": "idn-hostname"}, UNPROVEN, CONTAINED),
        ({"type": "string", "format": "duration"}, {"pattern": "^[Pp]"}, CONTAINED, NOT_CONTAINED),
        ({"type": "string"}, {"format": "duration"}, NOT_CONTAINED, CONTAINED),
    ],
)
def test_formats_assert_if_they_are_to(a, b, asserted, annotated):
    assert is_subset(a, b).verdict is asserted
    assert is_subset(a, b, formats=False).verdict is annotated


def test_without_formats_a_witness_is_one_without_them():
    answer = is_subset({"type": "string", "format": "date"}, {"maxLength": 0, "format": "time"}, formats=False)
    assert answer == Containment(NOT_CONTAINED, witness="a")


# ---- what is asked wrongly


@pytest.mark.parametrize(
    ("schema", "pointer"),
    [
        ({"type": "text"}, "/type"),
        ({"items": {"minimum": "1"}}, "/items"),
        ({"pattern": "("}, "/pattern"),
        ({"$ref": "#/definitions/none"}, "/$ref"),
        ({"$ref": "other.json"}, "/$ref"),
        ({"allOf": [{"$ref": "#"}]}, "/allOf/0/$ref"),
        ({"$schema": "http://x.test/schema"}, "/$schema"),
        ({"minimum": float("nan")}, "/minimum"),
    ],
)
def test_a_schema_that_is_none_is_an_error_on_either_side(schema, pointer):
    for pair in ((schema, True), (True, schema)):
        with pytest.raises(SchemaError) as raised:
            is_subset(*pair)
        assert raised.value.pointer == pointer


# ---- unions


def union(keyword, count, tag, *, more=(), is_closed=False):
    """Return a union of records of so many kinds; those of `more` have an optional field more."""

    def kind(number):
        extra = {"extra": {"type": "string"}} if number in more else {}
        properties = {"t": tag(number), "v": {"type": "integer", "minimum": 0}, "s": {"maxLength": 40}, **extra}
        closed = {"additionalProperties": False} if is_closed else {}
        return {"type": "object", "required": ["t", "v"], "properties": properties, **closed}

    return {"properties": {"p": {keyword: [kind(number) for number in range(count)]}}}


TAGS = {
    "const": lambda number: {"const": f"k{number}"},
    "enum": lambda number: {"enum": [f"k{number}", number]},
    "type and const": lambda number: {"type": "integer", "const": number},
    "inner": lambda number: {"type": "object", "required": ["k"], "properties": {"k": {"const": number}}},
}


@pytest.mark.parametrize("keyword", ["anyOf", "oneOf"])
@pytest.mark.parametrize(("tag", "count"), [*((tag, 2) for tag in TAGS), *((tag, 16) for tag in TAGS), ("const", 60)])
def test_an_optional_field_more_in_kinds_of_a_union_is_proven(keyword, tag, count, monkeypatch):
    # Every kind is held against every other, and that is all.
    monkeypatch.setattr(subset, "_STEPS", {True: 1_500 + 8 * count**2, False: 0})
    monkeypatch.setattr(subset, "_SECONDS", 600.0)
    for more in ((count - 1,), range(count)):
        (before, closed), (after, closed_after) = (
            [union(keyword, count, TAGS[tag], more=each, is_closed=closed) for closed in (False, True)]
            for each in ((), more)
        )
        assert is_subset(closed, after).verdict is CONTAINED
        assert is_subset(closed_after, before).verdict is CONTAINED


def test_a_narrower_field_in_one_kind_of_a_union_is_shown():
    before, after = union("anyOf", 30, TAGS["const"]), union("anyOf", 30, TAGS["const"], more=(7,))
    answer = is_subset(before, after)
    assert answer.verdict is NOT_CONTAINED
    assert answer.witness["p"]["t"] == "k7"


RECORDS = range(40)
BOUNDED = {
    "consts": tuple(
        {"anyOf": [{"properties": {"t": {"const": i}, "v": {"minimum": i * sign}}, "required": ["t"]} for i in RECORDS]}
        for sign in (1, -1)
    ),
    "members that add up": (
        {"allOf": [{"anyOf": [{"required": [f"a{i}"]}, {"required": [f"b{i}"]}]} for i in range(16)]},
        {"minProperties": 16},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", BOUNDED)
def test_choices_that_have_little_to_do_with_each_other_are_not_all_tried(name, monkeypatch):
    monkeypatch.setattr(subset, "_SECONDS", 600.0)
    monkeypatch.setattr(subset, "_STEPS", {True: 15_000, False: 0})
    a, b = BOUNDED[name]
    assert is_subset({"type": "object", **a}, b).verdict is CONTAINED
    assert is_subset({"type": "object", **b}, a).verdict is NOT_CONTAINED


# ---- bounds

HARD = {
    "automata": ({"pattern": "^(a|b)*a(a|b){25}$", "type": "string"}, {"pattern": "^(b|a)*a(b|a){25}$"}),
    "names": (
        {"patternProperties": {f"{each}": {"minimum": ord(each)} for each in "abcdefghijklmnop"}, "type": "object"},
        {"patternProperties": {f"{each}{each}?": {"minimum": ord(each)} for each in "abcdefghijklmnop"},
         "minProperties": 1, "propertyNames": {"pattern": "^[a-p]*$"}},
    ),
    "choices": (
        {"allOf": [{"anyOf": [{"multipleOf": i + 2}, {"multipleOf": i + 3}, {"not": {"multipleOf": i + 5}}]}
                   for i in range(40)], "type": "integer", "minimum": 1},
        {"maximum": 0},
    ),
    "items": (
        {"type": "array", "allOf": [{"contains": {"minimum": i, "maximum": i + 9}} for i in range(12)], "maxItems": 3,
         "uniqueItems": True, "items": {"type": "integer"}},
        False,
    ),
    "different items": (
        {"type": "array", "uniqueItems": True, "minItems": 9, "items": {"type": "array", "uniqueItems": True,
         "minItems": 8, "maxItems": 8, "items": {"enum": list(range(8))}}}, {"contains": {"const": 1}},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", HARD)
def test_a_search_ends_when_its_steps_do_and_says_what_it_lacks(name):
    answer = is_subset(*HARD[name])
    assert answer.verdict is not UNPROVEN or "not decided: " in answer.reason
    if name == "automata":
        assert answer == Containment(
            UNPROVEN, reason="neither a proof nor a witness was found; not decided: a search that grew too large"
        )


def test_time_is_a_bound_too(monkeypatch):
    monkeypatch.setattr(subset, "_SECONDS", -1.0)
    assert is_subset(*HARD["automata"]).verdict is UNPROVEN


def test_the_answer_does_not_depend_on_the_order_of_hashes():
    code = """
import json, random
from jobarium_events.evolution.containment import is_subset
from tests.evolution.containment.pairs import DIALECTS, Pairs
for seed in range(90):
    answer = is_subset(*Pairs(random.Random(seed), list(DIALECTS.values())[seed % 3]).pair())
    print(answer.verdict, json.dumps(answer.witness) if answer.verdict == "not-contained" else answer.reason)
"""
    source = str(Path(jobarium_events.__file__).parents[1])
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([source, *filter(None, sys.path)])}
    printed = {
        subprocess.run(
            [sys.executable, "-c", code], env={**environment, "PYTHONHASHSEED": seed}, cwd=Path(__file__).parents[3],
            check=True, capture_output=True, text=True,
        ).stdout
        for seed in ("0", "2718")
    }  # fmt: skip
    assert len(printed) == 1
    assert printed.pop().count("\n") == 90


# ---- the official suite

DECLARED = {
    "draft7": {},
    "draft2019-09": {"$schema": DRAFT_2019_09},
    "draft2020-12": {"$schema": DRAFT_2020_12},
}
SHARE = 1 if EXAMPLES else 8
"""Of so many documents, one is tried; all of them where examples are asked for."""


@pytest.mark.parametrize("dialect", DECLARED)
def test_a_document_of_the_official_suite_is_contained_exactly_if_it_is_valid(dialect):
    if not SUITE.is_dir():
        pytest.skip(f"the official suite is not at {SUITE}")
    counts: Counter[str] = Counter()
    wrong = []
    for file, schema, test in itertools.islice(usable(dialect), 0, None, SHARE):
        formats = file != "format.json"  # where it has every format as an annotation
        valid = compile_schema(schema if formats else without_formats(schema)).is_valid(test["data"])
        const, other = (
            {**DECLARED[dialect], **each} for each in ({"const": test["data"]}, {"not": {"const": test["data"]}})
        )
        answers = is_subset(const, schema, formats=formats), is_subset(schema, other, formats=formats)
        for answer, expected in zip(answers, (valid, not valid), strict=True):
            right = answer.verdict is UNPROVEN or answer.holds is expected
            wrong += [] if right else [(file, schema, test["description"])]
            counts[answer.verdict] += 1
    assert wrong == []
    assert counts[CONTAINED] + counts[NOT_CONTAINED] > 1_600 / SHARE
    assert counts[UNPROVEN] <= counts[CONTAINED] / 100


def usable(dialect):
    """Yield the file, the schema and the test for each of the suite's documents, but for schemas that are refused."""
    for file in sorted((SUITE / dialect).glob("*.json")):
        for case in json.loads(file.read_text()):
            try:
                compile_schema(case["schema"])
            except SchemaError:
                continue
            for test in case["tests"]:
                yield file.name, case["schema"], test


def without_formats(schema):
    return {key: value for key, value in schema.items() if key != "format"} if isinstance(schema, dict) else schema
