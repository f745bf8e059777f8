"""Fields are known by where they stand in an event, not by where a schema describes them."""

import pytest

from jobarium_events.evolution.fields import deprecated_fields, fields

ZIP = {"type": "object", "properties": {"zip": True}}


@pytest.mark.parametrize(
    ("schema", "paths"),
    [
        ({"properties": {"a": ZIP}}, {"/a", "/a/zip"}),
        ({"properties": {"a": {"$ref": "#/definitions/z"}}, "definitions": {"z": ZIP}}, {"/a", "/a/zip"}),
        ({"properties": {"a": {"allOf": [ZIP, {"properties": {"b": True}}]}}}, {"/a", "/a/zip", "/a/b"}),
        ({"anyOf": [ZIP, {"properties": {"b": True}}]}, {"/zip", "/b"}),
        ({"properties": {"a": {"items": ZIP}}}, {"/a", "/a/items/zip"}),
        ({"additionalProperties": ZIP}, {"/additionalProperties/zip"}),
        ({"not": ZIP, "if": ZIP, "then": {"properties": {"c": True}}}, {"/c"}),
        ({"properties": {"next": {"$ref": "#"}}}, {"/next"}),
        ({"properties": {"a/b": True}}, {"/a~1b"}),
        (True, set()),
    ],
)
def test_the_paths_of_a_schema(schema, paths):
    assert fields(schema).keys() == paths


def test_each_place_that_speaks_of_a_field_is_given():
    (places,) = fields({"oneOf": [{"properties": {"a": {"const": 1}}}, {"properties": {"a": {"const": 2}}}]}).values()
    assert [place.pointer for place in places] == ["/oneOf/0/properties/a", "/oneOf/1/properties/a"]


GOING = {"deprecated": True}


@pytest.mark.parametrize(
    ("schema", "paths"),
    [
        ({"properties": {"a": GOING, "b": {"deprecated": False}, "c": True}}, ["/a"]),
        ({"allOf": [{"properties": {"a": GOING}}]}, ["/a"]),
        ({"properties": {"a": {"$ref": "#/definitions/g"}}, "definitions": {"g": GOING}}, ["/a"]),
        ({"properties": {"a": GOING}, "anyOf": [{"properties": {"a": {"maxLength": 3}}}]}, ["/a"]),
        ({"properties": {"a": True}, "anyOf": [{"properties": {"a": GOING}}]}, []),
        ({"anyOf": [{"properties": {"a": GOING}}, {"properties": {"a": GOING}}]}, ["/a"]),
        ({"anyOf": [{"properties": {"a": GOING}}, {"properties": {"a": True}}]}, []),
    ],
)
def test_a_field_is_deprecated_where_all_that_speak_of_it_for_all_events_say_so(schema, paths):
    assert deprecated_fields(schema) == paths
