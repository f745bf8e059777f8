import pytest
from hypothesis import given

from jobarium_events.evolution.containment.atoms import Literal
from jobarium_events.evolution.containment.nodes import Nodes
from jobarium_events.evolution.containment.outlines import Outlines
from jobarium_events.validation import compile_schema
from tests.evolution.containment.meaning import Steps
from tests.evolution.containment.pairs import DIALECTS, DOCUMENTS, DRAFT_2020_12, pairs
from tests.strategies import examples


def outlined():
    return Nodes(formats=True), Outlines(Steps())


@pytest.mark.parametrize("dialect", DIALECTS.values(), ids=DIALECTS)
def test_what_is_said_of_two_schemas_is_so(dialect):
    @examples(40)
    @given(pairs(dialect))
    def is_so(schemas):
        nodes, outlines = outlined()
        one, other = map(nodes.root, schemas)
        valid, also = (set(filter(each, range(len(DOCUMENTS)))) for each in map(accepts, schemas))
        for first, then in ((one, valid), (other, also)):
            outline = outlines.outline(first)
            assert not outline.exact or outline.types or not then
        if excludes(outlines, one, other):
            assert not valid & also
        if excludes(outlines, one, other, fails=True):
            assert valid <= also
        if outlines.excludes(Literal(one, holds=False), Literal(other, holds=False)):
            assert len(valid | also) == len(DOCUMENTS)

    is_so()


def accepts(schema):
    validator = compile_schema(schema)
    return lambda number: validator.is_valid(DOCUMENTS[number])


def excludes(outlines, one, other, *, fails=False):
    return outlines.excludes(Literal(one, holds=True), Literal(other, holds=not fails))


def kind(tag, **more):
    return {"type": "object", "required": ["t"], "properties": {"t": tag, **more}}


LOOP = {"type": "object", "required": ["next"], "properties": {"next": {"$ref": "#"}}}


@pytest.mark.parametrize(
    ("one", "other", "are_disjoint"),
    [
        ({"type": "string"}, {"type": ["integer", "null"]}, True),
        ({"type": "integer"}, {"type": "number"}, False),
        ({"const": 1}, {"enum": [2, "1", True]}, True),
        ({"const": 1}, {"enum": [1.0]}, False),
        ({"const": [0]}, {"const": [False]}, True),
        ({"const": "a"}, {"type": "integer"}, True),
        ({"enum": [1, "a"], "type": "string"}, {"const": 1}, True),
        (kind({"const": "a"}), kind({"const": "b"}), True),
        (kind({"enum": ["a", "b"]}), kind({"enum": ["c", "d"]}), True),
        (kind({"enum": ["a", "b"]}), kind({"enum": ["b", "c"]}), False),
        (kind(kind({"const": 1})), kind(kind({"const": 2})), True),
        ({**kind({"const": "a"}), "required": []}, kind({"const": "b"}), True),
        ({**kind({"const": "a"}), "required": []}, {**kind({"const": "b"}), "required": []}, False),
        ({"properties": {"t": {"const": 1}}, "required": ["t"]}, kind({"const": 2}), True),
        ({"properties": {"t": {"const": 1}}, "required": ["t"]}, {"properties": {"t": False}}, False),
        ({"allOf": [kind({"const": "a"})]}, {"allOf": [{}, {"allOf": [kind({"const": "b"})]}]}, True),
        ({"$ref": "#/definitions/a", "definitions": {"a": kind({"const": "a"})}}, kind({"const": "b"}), True),
        (LOOP, {**LOOP, "maxProperties": 9}, False),
        (LOOP, {"type": "object", "properties": {"next": {"type": "null"}}}, True),
        ({"$schema": DRAFT_2020_12, "$ref": "#/$defs/a", "const": 1, "$defs": {"a": True}}, {"const": 2}, True),
        (False, True, True),
    ],
)  # fmt: skip
def test_a_glance_tells_kinds_apart(one, other, are_disjoint):
    nodes, outlines = outlined()
    assert excludes(outlines, nodes.root(one), nodes.root(other)) is are_disjoint
    assert excludes(outlines, nodes.root(other), nodes.root(one)) is are_disjoint


@pytest.mark.parametrize(
    ("one", "other", "is_within"),
    [
        ({"const": 1}, {"enum": [1, 2]}, True),
        ({"enum": [1, 2]}, {"const": 1}, False),
        ({"const": 1}, {"type": "number"}, True),
        ({"const": 1}, {"type": "integer"}, False),  # not seen, which does no harm
        ({"type": "string", "maxLength": 1}, {"type": ["string", "null"]}, True),
        ({"type": "string"}, {"type": "string", "maxLength": 1}, False),
        ({"minLength": 1}, {"minLength": 1}, True),
        ({"minLength": 1}, {}, True),
        ({"const": 1}, {"allOf": [{"enum": [1, 2]}, {"type": "number"}]}, True),
        ({"const": 1}, {"allOf": [{"enum": [1, 2]}, {"minimum": 2}]}, False),
        ({}, {"type": ["null", "boolean", "number", "string", "array", "object"]}, True),
    ],
)
def test_a_glance_tells_what_is_within(one, other, is_within):
    nodes, outlines = outlined()
    assert excludes(outlines, nodes.root(one), nodes.root(other), fails=True) is is_within
