import msgspec
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from jobarium_events import Catalog
from jobarium_events.contract import Ordering
from jobarium_events.evolution.changes import ChangeKind
from jobarium_events.evolution.comparing import DEPRECATED_FOR, UNPROVEN, compare, plain
from jobarium_events.evolution.findings import Severity
from jobarium_events.evolution.meanings import publish
from jobarium_events.evolution.verdicts import Reader, Verdict
from jobarium_events.validation import compile_schema
from tests.evolution.example_changes import EXAMPLES, TEXT, WHOLE, payload
from tests.evolution.test_meanings import contract
from tests.strategies import CONTRACTS, NAMES, examples
from tests.validation.schemas import schemas

KIND = ChangeKind
BILLING = [Catalog.bundled().contract("billing.usage.updated", version) for version in ("v1", "v2")]


def compared(old, new, **published):
    return compare(publish(contract(old), **published), contract(new))


def named(comparison):
    return [(change.kind, change.pointer, change.readers) for change in comparison.changes]


def assert_each_witness_does_what_it_says(comparison, old, new):
    sides = {Reader.NEW: (old, new), Reader.OLD: (new, old)}
    for change in comparison.changes:
        for each in change.breaks:
            writer, reader = sides[each.reader]
            assert compile_schema(writer, closed=True).is_valid(each.proof.witness)
            assert not compile_schema(reader).is_valid(each.proof.witness)
    for reader, policy, registry in (
        (Reader.NEW, comparison.backward, comparison.plain_backward),
        (Reader.OLD, comparison.forward, comparison.plain_forward),
    ):
        writer, accepts = sides[reader]
        for answer, closed in ((policy, True), (registry, False)):
            if answer.verdict is Verdict.NOT_CONTAINED:
                assert compile_schema(writer, closed=closed).is_valid(answer.witness)
                assert not compile_schema(accepts).is_valid(answer.witness)


@pytest.mark.parametrize("each", CONTRACTS, ids=NAMES)
def test_a_contract_is_what_it_was(each):
    comparison = compare(each, each)
    assert comparison.findings() == ()
    assert comparison.changes == ()
    assert comparison.compatible
    assert not comparison.differs


@pytest.mark.parametrize("kind", EXAMPLES)
def test_each_kind_of_change_is_named_by_its_place_and_by_whom_it_breaks(kind):
    example = EXAMPLES[kind]
    comparison = compared(example.old, example.new)
    assert named(comparison) == [(kind, example.pointer, example.breaks)]
    assert comparison.compatible == (not example.breaks)
    assert comparison.backward.verdict is (Verdict.NOT_CONTAINED if Reader.NEW in example.breaks else Verdict.CONTAINED)
    assert comparison.forward.verdict is (Verdict.NOT_CONTAINED if Reader.OLD in example.breaks else Verdict.CONTAINED)
    assert_each_witness_does_what_it_says(comparison, example.old, example.new)


def test_every_kind_has_an_example():
    assert set(KIND) - set(EXAMPLES) == {KIND.KEY_TEMPLATE_CHANGED, KIND.ORDERING_CHANGED}


@pytest.mark.parametrize("kind", EXAMPLES)
def test_a_finding_names_contract_file_place_reader_and_what_to_do(kind):
    example = EXAMPLES[kind]
    findings = compared(example.old, example.new).findings()
    assert [finding.reader for finding in findings] == list(example.breaks or [None])
    for finding in findings:
        assert (finding.rule, finding.pointer, finding.contract) == (kind, example.pointer, "thing.made v1")
        assert finding.file == "thing.made/v1.json"
        assert finding.text.endswith(".")
        if example.breaks:
            assert finding.severity is Severity.ERROR
            assert finding.advice.endswith(".")
            (_, writer), (_, reader) = finding.explanation
            assert writer == "accepts"
            assert reader.startswith("/")


def test_the_second_version_of_billing_differs_by_what_its_decision_allows():
    comparison = compare(*BILLING)
    assert [(kind, pointer) for kind, pointer, readers in named(comparison) if readers] == [
        (KIND.BECAME_REQUIRED, "/required/source_event_id"),
        (KIND.TYPE_NARROWED, "/properties/delta/type"),
    ]
    assert comparison.backward.verdict is Verdict.NOT_CONTAINED
    assert comparison.forward.holds
    meanings = [finding for finding in comparison.findings() if finding.rule == KIND.MEANING_CHANGED]
    assert {finding.severity for finding in meanings} == {Severity.NOTE}, "a new version may mean what it likes"


def test_a_witness_is_refused_for_its_own_change_alone():
    required, narrowed = (finding for finding in compare(*BILLING).findings() if finding.reader)
    assert required.explanation == (
        ("v1, producers", "accepts"),
        ("v2, consumers", "/source_event_id: is required"),
    )
    assert narrowed.explanation == (
        ("v1, producers", "accepts"),
        ("v2, consumers", "/delta: must be of type integer"),
    )
    assert "source_event_id" not in required.proof.witness
    assert narrowed.proof.witness["delta"] == 0.5


def test_a_score_repurposed_by_its_description_alone_is_caught():
    assessed = Catalog.bundled().contract("qa.authenticity.assessed", "v1")
    schema = assessed.schema
    score = schema["properties"]["authenticity_score"]
    score["description"] = score["description"].replace("from 0 to 100 points", "from 0 to 1")
    (finding,) = compare(
        assessed, msgspec.structs.replace(assessed, schema_json=msgspec.json.encode(schema))
    ).findings()
    assert finding.rule == "meaning-changed"
    assert finding.severity is Severity.ERROR
    assert finding.pointer == "/properties/authenticity_score"
    assert "description has changed" in finding.text


@pytest.mark.parametrize(("keyword", "can_be_reworded"), [("description", True), ("x-unit", False), ("default", False)])
def test_a_rewording_is_advised_only_where_one_can_be_accepted(keyword, can_be_reworded):
    (finding,) = compared(payload(a={keyword: "kg"}), payload(a={keyword: "kilogram"})).findings()
    assert ("reword" in finding.advice) == can_be_reworded


def test_a_format_that_is_not_checked_is_a_meaning():
    old, new = payload(a={**TEXT, "format": "email"}), payload(a={**TEXT, "format": "hostname"})
    assert named(compared(old, new)) == [(KIND.MEANING_CHANGED, "/properties/a", ())]


@given(schemas(), st.sampled_from([TEXT, WHOLE, {"$ref": "#/definitions/new"}, payload(), True]))
@examples(25)
def test_adding_an_optional_field_is_compatible(schema, field):
    old = {"type": "object", "properties": {"id": TEXT}, **schema}
    assume("properties" in old and not {"$ref", "additionalProperties", "unevaluatedProperties"} & old.keys())
    assume("newcomer" not in old["properties"])
    new = {**old, "properties": {**old["properties"], "newcomer": field}}
    new["definitions"] = {**old.get("definitions", {}), "new": TEXT}
    assume(
        field is True or not {"allOf", "anyOf", "oneOf", "if", "not", "patternProperties", "propertyNames"} & old.keys()
    )
    comparison = compared(old, new)
    assert UNPROVEN in {each.rule for each in comparison.findings()} or comparison.compatible


@given(schemas(), schemas())
@examples(25)
def test_every_witness_does_what_it_says(one, other):
    old, new = ({"type": "object", **each} for each in (one, other))
    assert_each_witness_does_what_it_says(compared(old, new), old, new)


@given(schemas(), schemas())
@examples(25)
def test_a_broken_reader_is_told_of_and_no_other(one, other):
    comparison = compared({"type": "object", **one}, {"type": "object", **other})
    broken = {reader for change in comparison.changes for reader in change.readers}
    for reader, answer in ((Reader.NEW, comparison.backward), (Reader.OLD, comparison.forward)):
        assert (answer.verdict is Verdict.NOT_CONTAINED) == (reader in broken)
    errors = [finding for finding in comparison.findings() if finding.severity is Severity.ERROR]
    assert comparison.compatible or errors


class TestDeprecation:
    OLD, NEW = payload(note={**TEXT, "deprecated": True}), payload()

    @pytest.mark.parametrize(("releases", "severity"), [(0, Severity.ERROR), (1, Severity.ERROR), (2, Severity.NOTE)])
    def test_an_optional_field_goes_after_two_releases(self, releases, severity):
        comparison = compared(self.OLD, self.NEW, deprecated={"/note": releases})
        (finding,) = comparison.findings()
        assert (finding.rule, finding.severity) == (KIND.FIELD_REMOVED, severity)
        assert comparison.compatible

    def test_a_field_that_goes_with_a_version_needs_no_deprecation(self):
        new = msgspec.structs.replace(contract(self.NEW), version="v2")
        (finding,) = compare(contract(self.OLD), new).findings()
        assert finding.severity is Severity.NOTE

    def test_the_finding_tells_how_long_it_has_been_deprecated(self):
        (finding,) = compared(self.OLD, self.NEW, deprecated={"/note": 1}).findings()
        assert f"for {DEPRECATED_FOR} releases first; it has been so for 1" in finding.text


class TestManifest:
    ORDERED = contract(payload(a=WHOLE), ordering=Ordering("id", "a"))

    @pytest.mark.parametrize(
        ("new", "kind", "pointer", "said"),
        [
            (
                contract(payload(a=WHOLE), key="k:{id}:{a}", ordering=Ordering("id", "a")),
                KIND.KEY_TEMPLATE_CHANGED,
                'event."thing.made".v1.key',
                "was k:{id} and is k:{id}:{a}",
            ),
            (
                contract(payload(a=WHOLE)),
                KIND.ORDERING_CHANGED,
                'event."thing.made".v1.ordering',
                "was a per id and is none",
            ),
        ],
    )
    def test_key_and_ordering_break_both_readers(self, new, kind, pointer, said):
        comparison = compare(self.ORDERED, new)
        assert named(comparison) == [(kind, pointer, (Reader.NEW, Reader.OLD))]
        assert not comparison.compatible
        assert {finding.file for finding in comparison.findings()} == {"catalog.toml"}
        assert all(said in finding.text and finding.proof is None for finding in comparison.findings())


class TestViews:
    def test_an_added_optional_field_is_where_a_registry_says_otherwise(self):
        comparison = compared(payload(), payload(note=TEXT))
        assert comparison.differs
        assert comparison.compatible
        assert comparison.plain_backward.verdict is Verdict.NOT_CONTAINED
        assert comparison.plain_forward.holds

    @pytest.mark.parametrize(
        ("mode", "readers"),
        [("backward", [Reader.NEW]), ("forward", [Reader.OLD]), ("full", [Reader.NEW, Reader.OLD])],
    )
    def test_the_plain_view_answers_what_it_is_asked(self, mode, readers):
        answers = plain({"type": "number"}, {"type": "integer"}, mode)
        assert list(answers) == readers
        assert Reader.OLD not in answers or answers[Reader.OLD].holds
        assert Reader.NEW not in answers or answers[Reader.NEW].witness == 0.5


def test_a_schema_without_a_closed_form_is_unproven():
    old = {**payload(a={"$ref": "#text"}), "definitions": {"text": {"$id": "#text", "type": "string"}}}
    comparison = compared(old, {**old, "required": ["id", "a"]})
    assert [finding.rule for finding in comparison.findings()] == [UNPROVEN, UNPROVEN]
    assert {finding.severity for finding in comparison.findings()} == {Severity.ERROR}
    assert "has no closed form" in comparison.findings()[0].text
    assert not comparison.compatible


def test_a_field_does_not_vanish_under_cover_of_alternatives():
    old = {"type": "object", "properties": {"a": {"type": "object", "anyOf": [{"properties": {"p": TEXT}}]}}}
    branches = [{"properties": {"x": TEXT}}, {"properties": {"x": TEXT}, "required": ["x"]}]
    new = {"type": "object", "properties": {"a": {"type": "object", "anyOf": branches}}}
    errors = [change for change in compared(old, new).changes if change.severity is Severity.ERROR]
    assert [(change.kind, change.pointer) for change in errors] == [
        (ChangeKind.FIELD_REMOVED, "/properties/a/anyOf/0/properties/p")
    ]
    assert "p is gone" in errors[0].text


def test_a_field_that_moves_into_an_alternative_is_not_gone():
    old = {"type": "object", "properties": {"a": {"type": "object", "properties": {"x": TEXT}}}}
    new = {"type": "object", "properties": {"a": {"type": "object", "anyOf": [{"properties": {"x": TEXT}}]}}}
    assert not [change for change in compared(old, new).changes if change.severity is Severity.ERROR]


def test_a_meaning_that_a_branch_brings_in_is_an_error_although_every_payload_is_as_valid_as_before():
    score = {"type": "number", "description": "From 0 to 100."}
    comparison = compared(payload(score=score), payload(score={**score, "anyOf": [{"description": "From 0 to 1."}]}))
    assert comparison.compatible
    (finding,) = comparison.findings()
    assert (finding.rule, finding.severity) == (ChangeKind.MEANING_CHANGED, Severity.ERROR)
    assert finding.text.startswith("score may mean something else: description is new")
