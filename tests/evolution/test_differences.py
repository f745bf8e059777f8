"""Where two schemas differ: seen through the comparison, which judges each difference."""

import pytest

from jobarium_events.evolution.changes import ChangeKind
from jobarium_events.evolution.comparing import compare
from jobarium_events.evolution.findings import Severity
from jobarium_events.evolution.verdicts import Reader
from tests.evolution.example_changes import TEXT, WHOLE, payload
from tests.evolution.test_meanings import contract
from tests.validation.schemas import DRAFT_7, DRAFT_2020_12

KIND = ChangeKind
NEW, OLD = (Reader.NEW,), (Reader.OLD,)


def compared(old, new):
    return compare(contract(old), contract(new))


def named(comparison):
    return [(change.kind, change.pointer, change.readers) for change in comparison.changes]


def test_a_change_in_a_definition_is_named_once_and_there():
    def of(kind):
        money = {"type": "object", "required": ["amount"], "properties": {"amount": {"type": kind}}}
        each = {"$ref": "#/definitions/Money"}
        return {**payload({"a": each, "b": each}), "definitions": {"Money": money}}

    assert named(compared(of("number"), of("integer"))) == [
        (KIND.TYPE_NARROWED, "/definitions/Money/properties/amount/type", (Reader.NEW,))
    ]


def test_moving_a_field_into_a_definition_is_no_change():
    old = payload({"a": {"type": "integer", "minimum": 0}})
    new = {**payload({"a": {"$ref": "#/definitions/A"}}), "definitions": {"A": old["properties"]["a"]}}
    comparison = compared(old, new)
    assert named(comparison) == []
    assert comparison.compatible


def test_moving_a_field_into_a_part_is_no_change():
    old = payload({"a": WHOLE})
    assert named(compared(old, {"type": "object", "allOf": [old, {"required": ["a"]}]})) == []


def test_a_new_field_may_refer_to_a_new_definition():
    new = {**payload(note={"$ref": "#/definitions/Note"}), "definitions": {"Note": TEXT}}
    assert named(compared(payload(), new)) == [(KIND.FIELD_ADDED_OPTIONAL, "/properties/note", ())]
    new["required"] = ["id", "note"]
    assert named(compared(payload(), new)) == [(KIND.FIELD_ADDED_REQUIRED, "/properties/note", (Reader.NEW,))]


def test_a_recursive_schema_is_walked_once():
    def of(kind):
        node = {"type": "object", "properties": {"value": {"type": kind}, "next": {"$ref": "#/definitions/node"}}}
        return {**payload(root={"$ref": "#/definitions/node"}), "definitions": {"node": node}}

    assert named(compared(of("integer"), of("number"))) == [
        (KIND.TYPE_WIDENED, "/definitions/node/properties/value/type", (Reader.OLD,))
    ]


def test_each_of_several_changes_has_the_reader_that_it_breaks():
    old = payload({"a": {"type": "number"}, "b": TEXT}, c=TEXT)
    new = payload({"a": WHOLE}, b=TEXT, c=TEXT, d=TEXT)
    assert named(compared(old, new)) == [
        (KIND.BECAME_OPTIONAL, "/required/b", (Reader.OLD,)),
        (KIND.FIELD_ADDED_OPTIONAL, "/properties/d", ()),
        (KIND.TYPE_NARROWED, "/properties/a/type", (Reader.NEW,)),
    ]


def test_a_nullable_field_is_one_change():
    comparison = compared(payload({"a": TEXT}), payload({"a": {"anyOf": [TEXT, {"type": "null"}]}}))
    assert named(comparison) == [(KIND.ALTERNATIVES_WIDENED, "/properties/a", (Reader.OLD,))]


def test_a_break_that_no_keyword_explains_is_told_as_a_whole():
    old = {**payload({"a": {"type": "array", "contains": TEXT, "minContains": 2}}), "$schema": DRAFT_7}
    comparison = compared(old, {**old, "$schema": DRAFT_2020_12})  # which knows the second keyword
    assert named(comparison) == [(KIND.OTHER, "", (Reader.NEW,))]


def test_a_place_that_cannot_be_isolated_has_the_witness_of_the_whole():
    old = {**payload({"a": WHOLE}), "$schema": DRAFT_7}
    comparison = compared(old, {**payload({"a": TEXT}), "$schema": DRAFT_2020_12})
    assert named(comparison) == [(KIND.TYPE_CHANGED, "/properties/a/type", (Reader.NEW, Reader.OLD))]
    assert comparison.changes[0].witness == comparison.backward.witness


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        pytest.param(
            {"type": "integer", "minimum": 0, "maximum": 100},
            {"type": "integer", "minimum": 50, "maximum": 150},
            [(KIND.RANGE_NARROWED, "/minimum", NEW), (KIND.RANGE_WIDENED, "/maximum", OLD)],
            id="a range that is moved is two changes",
        ),
        pytest.param(
            {"type": "integer", "minimum": 1},
            {"type": "integer", "exclusiveMinimum": 0},
            [],
            id="the same range said otherwise is none",
        ),
        pytest.param(
            {"type": ["string", "null"], "enum": ["a", "b"]},
            {"type": ["null", "string"], "enum": ["b", "a"]},
            [],
            id="order is nothing",
        ),
        pytest.param(
            {"type": "string"}, {"enum": ["a"]}, [(KIND.ENUM_NARROWED, "/enum", NEW)], id="values in place of a type"
        ),
        pytest.param({"const": "a"}, {"enum": ["a"]}, [], id="a constant is a list of one"),
        pytest.param(
            {"type": "string"},
            {"type": "string", "x-extensible-enum": ["a"]},
            [(KIND.EXTENSIBLE_ENUM_NARROWED, "/x-extensible-enum", ())],
            id="a list that only producers keep to",
        ),
        pytest.param(
            {"type": "string", "enum": ["a"]},
            {"type": "string", "x-extensible-enum": ["a", "b"]},
            [(KIND.ENUM_OPENED, "/x-extensible-enum", OLD)],
            id="a list that is opened and extended at once",
        ),
        pytest.param(
            {"type": "array", "items": {"type": "object", "properties": {"a": TEXT}, "required": ["a"]}},
            {"type": "array", "items": {"type": "object", "properties": {"a": TEXT}}},
            [(KIND.BECAME_OPTIONAL, "/items/required/a", OLD)],
            id="a field of each item",
        ),
        pytest.param(
            {"type": "object", "additionalProperties": {"type": "number"}},
            {"type": "object", "additionalProperties": {"type": "integer"}},
            [(KIND.TYPE_NARROWED, "/additionalProperties/type", NEW)],
            id="the values of a map",
        ),
        pytest.param({"type": "string"}, False, [(KIND.OTHER, "", NEW)], id="a field that may not be there any more"),
        pytest.param(
            {"type": "object", "not": {"required": ["x"]}},
            {"type": "object", "not": {"required": ["x", "y"]}},
            [(KIND.OTHER, "/not/required/y", OLD)],
            id="within not, what is narrowed widens the whole",
        ),
        pytest.param(
            {"type": "string", "not": {"enum": ["a"]}},
            {"type": "string", "not": {"enum": ["a", "b"]}},
            [(KIND.OTHER, "/not/enum", NEW)],
            id="within not, what is widened narrows the whole",
        ),
        pytest.param(
            {"type": "object", "properties": {"a/b~c": TEXT}},
            {"type": "object", "properties": {"a/b~c": WHOLE}},
            [(KIND.TYPE_CHANGED, "/properties/a~1b~0c/type", (Reader.NEW, Reader.OLD))],
            id="names are escaped",
        ),
    ],
)
def test_a_difference_is_named_once_at_the_finest_place(old, new, expected):
    found = named(compared(payload(a=old), payload(a=new)))
    assert found == [(kind, f"/properties/a{step}", readers) for kind, step, readers in expected]


ONE, TWO = (
    {"type": "object", "required": ["t"], "properties": {"t": {"const": t}, name: {"enum": ["a", "b"]}}}
    for t, name in ((1, "p"), (2, "q"))
)


def with_field(branch, name, field):
    return {**branch, "properties": {**branch["properties"], name: field}}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        pytest.param(
            [ONE, TWO],
            [with_field(TWO, "q", {"enum": ["b", "a"]}), with_field(ONE, "p", {"enum": ["b", "a"]})],
            id="the values within them as well",
        ),
        pytest.param(
            [ONE, TWO],
            [with_field(TWO, "e", {"examples": [1]}), with_field(ONE, "e", {"examples": [1]})],
            id="each has a new field",
        ),
        pytest.param(
            [{"type": "string", "maxLength": 3}, {"type": "array", "maxItems": 3}],
            [{"type": "array", "maxItems": 3}, {"type": "string", "maxLength": 3, "examples": ["a"]}],
            id="without fields",
        ),
    ],
)
@pytest.mark.parametrize("keyword", ["oneOf", "anyOf"])
def test_the_order_of_branches_is_nothing(old, new, keyword):
    comparison = compared(payload(a={keyword: old}), payload(a={keyword: new}))
    assert {change.kind for change in comparison.changes} <= {KIND.FIELD_ADDED_OPTIONAL}
    assert not [finding for finding in comparison.findings() if finding.severity is Severity.ERROR]


def test_branches_without_values_are_told_apart_by_their_fields():
    one, two = (with_field({"type": "object", "properties": {name: TEXT}}, "same", TEXT) for name in "ab")
    new = {"anyOf": [with_field(two, "c", WHOLE), with_field(one, "c", WHOLE)]}
    changes = compared(payload(a={"anyOf": [one, two]}), payload(a=new)).changes
    assert {(change.kind, change.pointer[-2:]) for change in changes} == {(KIND.FIELD_ADDED_OPTIONAL, "/c")}


def test_branches_that_accept_the_same_keep_their_meanings_when_they_are_reordered():
    kilos, grams = ({"type": "number", "description": said} for said in ("In kilos.", "In grams."))
    old, new = ({"anyOf": [*each]} for each in ((kilos, grams), (grams, kilos)))
    assert named(compared(payload(a=old), payload(a=new))) == []


def test_what_is_accepted_and_emitted_as_before_is_no_change():
    old = {"anyOf": [{"type": "object", "properties": {"a": TEXT, "b": TEXT}, "required": ["a"]}]}
    new = {**old["anyOf"][0], "properties": {"a": TEXT}, "anyOf": [{"properties": {"b": TEXT}}]}
    comparison = compared(payload(a=old), payload(a=new))
    assert comparison.findings() == ()
    assert not comparison.differs


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ({}, {"propertyNames": {"maxLength": 3}}, "a: propertyNames is new"),
        ({"patternProperties": {"^x": TEXT}}, {}, "a: patternProperties is gone"),
        ({"dependencies": {"b": ["c"]}}, {"dependencies": {"b": ["d"]}}, "a: dependencies has changed"),
        ({"not": {"enum": [{}]}}, {"not": {"enum": [{}, 1, {"b": 1}]}}, "under not, a: enum"),
    ],
)
def test_a_change_of_no_finer_kind_is_told_by_its_keyword(old, new, said):
    (finding, *_) = compared(payload(a={"type": "object", **old}), payload(a={"type": "object", **new})).findings()
    assert finding.rule == KIND.OTHER
    assert finding.text.startswith(said)


@pytest.mark.parametrize("dialect", [DRAFT_7, DRAFT_2020_12])
def test_a_change_in_a_definition_that_is_used_twice_is_one_finding(dialect):
    def of(*required):
        money = {
            "type": "object",
            "required": [*required],
            "properties": {"amount": WHOLE, "next": {"$ref": "#/definitions/M"}},
        }
        each = {"$ref": "#/definitions/M"}
        return {"$schema": dialect, **payload({"a": each}, b=each, c=each), "definitions": {"M": money}}

    assert named(compared(of(), of("amount"))) == [(KIND.BECAME_REQUIRED, "/definitions/M/required/amount", NEW)]


def test_of_many_changes_each_is_named_with_the_reader_that_it_breaks():
    def of(longest, **more):
        return payload(
            **{f"f{i}": {**TEXT, "maxLength": longest + i % 2 * (20 - 2 * longest)} for i in range(30)}, **more
        )

    comparison = compared(of(5), of(6, **{f"g{i}": TEXT for i in range(20)}))
    readers = {change.pointer: change.readers for change in comparison.changes}
    assert {change.kind for change in comparison.changes if not change.readers} == {KIND.FIELD_ADDED_OPTIONAL}
    assert [readers[f"/properties/f{i}/maxLength"] for i in range(30)] == [OLD, NEW] * 15
    assert len(readers) == 50
    assert all(each.proof.witness is not None for change in comparison.changes for each in change.breaks)
