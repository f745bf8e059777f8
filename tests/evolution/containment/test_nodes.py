import pytest

from jobarium_events.errors import SchemaError
from jobarium_events.evolution.containment.nodes import Nodes
from tests.evolution.containment.pairs import DRAFT_2019_09, DRAFT_2020_12


@pytest.fixture
def nodes():
    return Nodes(formats=True)


def test_what_says_the_same_is_one_node(nodes):
    one = nodes.root({"type": "string", "minLength": 1, "title": "A", "x-unit": "m", "definitions": {"a": True}})
    assert one is nodes.root({"minLength": 1, "type": "string", "description": "B"})
    assert one is nodes.plain({"type": "string", "minLength": 1})
    assert one is not nodes.root({"type": "string", "minLength": 2})


def test_annotations_are_left_out_at_every_level_but_not_out_of_values(nodes):
    assert nodes.root({"items": {"title": "A"}}) is nodes.root({"items": {}})
    assert nodes.root({"properties": {"title": True}}) is not nodes.root({"properties": {}})
    assert nodes.root({"const": {"title": "A"}}) is not nodes.root({"const": {}})


def test_a_format_counts_if_it_is_one_and_is_asked_for(nodes):
    assert nodes.root({"format": "date"}) is not nodes.root({})
    assert nodes.root({"format": "colour"}) is nodes.root({})
    without = Nodes(formats=False)
    assert without.root({"format": "date"}) is without.root({})


def test_the_dialects_are_told_apart(nodes):
    assert nodes.root({"items": True}) is not nodes.root({"$schema": DRAFT_2020_12, "items": True})


def test_the_same_reference_in_two_schemas_is_two_nodes(nodes):
    one, same, other = (
        nodes.root({"items": {"$ref": "#/definitions/a"}, "definitions": {"a": {"type": kind, "title": title}}})
        for kind, title in (("string", "A"), ("string", "B"), ("integer", "A"))
    )
    assert one is same
    assert one is not other
    assert one.inner(one.schema["items"]).target("#/definitions/a") is nodes.plain({"type": "string"})
    assert other.inner(other.schema["items"]).target("#/definitions/a") is nodes.plain({"type": "integer"})


def test_nodes_are_numbered_as_they_are_made(nodes):
    made = [nodes.root(schema) for schema in ({"minimum": 2}, {"minimum": 1}, {"minimum": 2}, True)]
    assert [node.number for node in made] == [0, 1, 0, 2]
    assert repr(made[1]) == '<Node {"minimum": 1}>'


@pytest.mark.parametrize("schema", [{"$ref": "#/definitions/none"}, {"$ref": "other.json"}])
def test_a_reference_that_leads_nowhere_is_an_error(nodes, schema):
    with pytest.raises(SchemaError, match=r"points at nothing|leads out"):
        nodes.root(schema)


def test_a_dynamic_reference_in_one_resource_is_a_plain_one(nodes):
    node = nodes.root({"$schema": DRAFT_2020_12, "$defs": {"a": {"$dynamicAnchor": "n"}}, "$dynamicRef": "#n"})
    assert not node.depends_on_the_way
    assert [list(each) for each in node.schema["allOf"]] == [["$ref"]]
    tree = {"$schema": DRAFT_2019_09, "$recursiveAnchor": True, "items": {"$recursiveRef": "#"}}
    assert not nodes.root(tree).depends_on_the_way


@pytest.mark.parametrize(
    "schema",
    [
        {"$dynamicRef": "#n", "$defs": {"a": {"$dynamicAnchor": "n"}, "b": {"$id": "http://x.test/b"}}},
        {
            "$dynamicRef": "#n",
            "$defs": {"a": {"$dynamicAnchor": "n"}, "b": {"$id": "http://x.test/b", "$dynamicAnchor": "n"}},
        },
        {"$dynamicRef": "#n", "$dynamicAnchor": "n", "items": {"$ref": "https://json-schema.org/draft/2020-12/schema"}},
    ],
)
def test_a_dynamic_reference_among_several_resources_depends_on_the_way(nodes, schema):
    whole = {"$schema": DRAFT_2020_12, "$id": "http://x.test/a", **schema}
    assert nodes.root(whole).depends_on_the_way


def test_a_dynamic_reference_of_another_dialect_says_nothing(nodes):
    schema = {"$recursiveRef": "#", "$id": "http://x.test/a", "items": {"$id": "http://x.test/b"}}
    assert nodes.root({"$schema": DRAFT_2019_09, **schema}).depends_on_the_way
    assert not nodes.root({"$schema": DRAFT_2020_12, **schema}).depends_on_the_way
