"""A folder of schemas with mistakes: one error, which lists all of them with file and place."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobarium_events import Catalog, Consumer, Outcome, Producer
from jobarium_events.errors import CatalogError, Problem
from jobarium_events.validation import compiling
from tests import folders
from tests.folders import MOMENT, RELEASES, TEXT, WHOLE, schema, table, write
from tests.strategies import few

GOOD = schema({"id": TEXT, "at": MOMENT}, count=WHOLE)
LINES = 'key = "k:{id}"\nintroduced = "1"'
NAME = 'event."thing.made"'
V1 = f"{NAME}.v1"
FILE = "thing.made/v1.json"


def problems(folder: Path) -> list[tuple[str, str, str]]:
    with pytest.raises(CatalogError) as error:
        Catalog.load(folder)
    assert error.value == CatalogError(str(folder), error.value.problems)
    assert all(str(problem) in str(error.value) for problem in error.value.problems)
    assert list(error.value.problems) == sorted(error.value.problems)
    return [(problem.file, problem.place, problem.text) for problem in error.value.problems]


def found(folder: Path) -> list[tuple[str, str]]:
    return [(file, place) for file, place, _ in problems(folder)]


def manifest(lines: str = LINES) -> str:
    return table("thing.made", {"v1": lines})


def test_a_good_folder(tmp_path):
    catalog = Catalog.load(write(tmp_path, manifest(), {FILE: GOOD}))
    contract = catalog.contract("thing.made", "v1")
    assert (contract.owner, contract.consumers, contract.schema) == ("maker", ("taker",), GOOD)
    assert catalog.releases == ("1", "2", "3", "4")
    assert Catalog.load(str(tmp_path)).events == ("thing.made",)


def test_what_else_a_folder_may_hold(tmp_path):
    write(tmp_path, manifest(), {FILE: GOOD, "envelope.json": "", "catalog.lock": "", "README.md": "",
                                 "decisions/DEC-1.md": "", "decisions/x.json": "", ".git/x.json": "",
                                 "thing.made/README.md": ""})  # fmt: skip
    assert len(Catalog.load(tmp_path)) == 1


@pytest.mark.parametrize(
    ("content", "place", "text"),
    [
        ("{", "", "is no valid JSON"),
        ("", "", "is no valid JSON"),
        (b'{"type": "object", "title": "\xff"}', "", "is no valid JSON"),
        (b"\xef\xbb\xbf" + json.dumps(GOOD).encode(), "", "is no valid JSON"),
        ("[]", "/type", 'the schema needs "type": "object"'),
        (True, "/type", 'the schema needs "type": "object"'),
        ({**GOOD, "type": "string"}, "/type", 'the schema needs "type": "object"'),
        ({**GOOD, "required": "id"}, "/required", ""),
        ({**GOOD, "properties": {"id": {"type": "text"}}}, "/properties/id/type", ""),
        ({**GOOD, "properties": {"id": {"pattern": "("}}}, "/properties/id/pattern", ""),
        (
            {**GOOD, "properties": {"id": {"$ref": "https://example.org/x.json"}}},
            "/properties/id/$ref",
            "leads out of this schema",
        ),
        ({**GOOD, "properties": {"id": {"$ref": "other.json"}}}, "/properties/id/$ref", "leads out of this schema"),
        ({**GOOD, "properties": {"id": {"$ref": "#/definitions/none"}}}, "/properties/id/$ref", ""),
        ({**GOOD, "$schema": "http://json-schema.org/draft-04/schema#"}, "/$schema", ""),
        (schema({"at": MOMENT}), "/properties", "has no field 'id', which the key template in catalog.toml names"),
        ({"type": "object"}, "/properties", "has no field 'id', which the key template in catalog.toml names"),
        (schema({"id": TEXT}, a={"x-extensible-enum": True}), "/properties/a/x-extensible-enum", "lists no values"),
        (schema({"id": TEXT}, a={"items": {"x-extensible-enum": {"a": 1}}}), "/properties/a/items/x-ext", "no values"),
        (schema({"id": TEXT}, a={"enum": ["q"], "x-enum-meanings": ["q"]}), "/properties/a/x-enum-meanings", "gives"),
        (schema({"id": TEXT}, a={"x-enum-meanings": {"a/b": 1}}), "/properties/a/x-enum-meanings/a~1b", "is no text"),
        (schema({"id": TEXT}, a={"x-unit": None}), "/properties/a/x-unit", "is no text; write the name of a unit"),
    ],
)
def test_a_schema_that_is_wrong(tmp_path, content, place, text):
    [(file, where, said)] = problems(write(tmp_path, manifest(), {FILE: content}))
    assert file == FILE
    assert text in said
    assert where.startswith(place)


def test_a_field_may_be_named_as_a_keyword(tmp_path):
    fields = {"x-extensible-enum": TEXT, "x-enum-meanings": TEXT, "x-unit": {**TEXT, "x-unit": "kg", "x-else": 1}}
    assert Catalog.load(write(tmp_path, manifest(), {FILE: schema({"id": TEXT}, **fields)}))


@pytest.mark.parametrize(
    ("old", "new", "places"),
    [
        ('"properties"', '"title": "a", "title": "b", "properties"', ["/title"]),
        ('"properties"', '"title": "a:b", "\\u0074itle" : "\\u003a\\u003A", "properties"', ["/title"]),
        ('"count": ', '"id": {"type": "integer"}, "count": ', ["/properties/id"]),
        ('"count": ', '"a/b": {"enum": [{"a": 1, "a": 1}], "type": []}, "a/b": true, "count": ', ["/properties/a~1b"]),
        ('"count": ', '"x": {"enum": [0, {"a": 1, "a": 1, "b": 2, "b": 2}]}, "count": ',
         ["/properties/x/enum/1/a", "/properties/x/enum/1/b"]),
    ],
)  # fmt: skip
@pytest.mark.parametrize("has_manifest", [True, False])
def test_a_member_that_is_given_twice(tmp_path, old, new, places, has_manifest):
    text = json.dumps(GOOD)
    assert text.count(old) == 1
    write(tmp_path, manifest(), {FILE: text.replace(old, new)})
    if not has_manifest:
        (tmp_path / "catalog.toml").unlink()
    got = [each for each in problems(tmp_path) if each[0] == FILE]
    assert [(place, text.partition(",")[0]) for _, place, text in got] == [
        (place, "is given more than once") for place in places
    ]


def test_it_is_told_beside_other_mistakes(tmp_path):
    text = json.dumps({**GOOD, "required": "id"}).replace('"count": ', '"id": true, "count": ')
    assert {place for _, place in found(write(tmp_path, manifest(), {FILE: text}))} == {"/required", "/properties/id"}


def test_colons_and_escapes_are_no_second_members(tmp_path):
    text = json.dumps({**GOOD, "description": ': "a": \\ "b": ::'}, indent=1).replace("::", "\\u003a:")
    assert len(Catalog.load(write(tmp_path, manifest(), {FILE: text}))) == 1


@pytest.mark.parametrize(
    ("lines", "places"),
    [
        ('introduced = "1"', [(V1, "'key' is missing; write a text")]),
        ("key = 1", [(V1, "'key' is a whole number; write a text")]),
        (f"{LINES}\nkee = 1", [(V1, "'kee' means nothing; write one of key, ordering")]),
        (f'{LINES}\nordering = "id"', [(V1, "'ordering' is a text; write a table")]),
        (f'{LINES}\nordering = {{ per = "id" }}', [(V1, "'ordering.by' is missing; write a text")]),
        ('key = "k"', [(f"{V1}.key", "all events would have the same key")]),
        ('key = "k:{id}:{"', [(f"{V1}.key", "a brace that belongs to no {field}")]),
        ('key = "{}:{id}"', [(f"{V1}.key", "a brace that belongs to no {field}")]),
        ('key = "{id}-{count}"', [(f"{V1}.key", "no ':' between two fields")]),
        ('key = "{id}{count}"', [(f"{V1}.key", "no ':' between two fields")]),
        ('key = "{id}"\nintroduced = "9"', [(f"{V1}.introduced", "names '9', which is neither")]),
        ('key = "{id}"\nintroduced = 1', [(V1, "'introduced' is a whole number; write a text")]),
        ('key = "{id}"\ndeprecated = "1"', [(f"{V1}.deprecated", "a draft cannot be deprecated")]),
        (f'{LINES}\nretired = "2"', [(f"{V1}.retired", "stands without deprecated")]),
        (f'{LINES}\ndeprecated = "1"', [(f"{V1}.deprecated", "comes no later than introduced")]),
        (f'{LINES}\ndeprecated = "3"\nretired = "2"', [(f"{V1}.retired", "comes no later than deprecated")]),
        ('key = "{id}"\nintroduced = "3"\ndeprecated = "2"', [(f"{V1}.deprecated", "no later than introduced")]),
        (f'{LINES}\ndeprecated = "5"\nretired = "5"', [(f"{V1}.retired", "comes no later than deprecated")]),
    ],
)
def test_a_version_in_the_manifest_that_is_wrong(tmp_path, lines, places):
    got = problems(write(tmp_path, manifest(lines), {FILE: GOOD}))
    assert [(file, place) for file, place, _ in got] == [("catalog.toml", place) for place, _ in places]
    for (_, _, said), (_, text) in zip(got, places, strict=True):
        assert text in said


@pytest.mark.parametrize(
    ("text", "places"),
    [
        ("x = ", [""]),
        ('releases = ["1"]\nreleases = ["2"]', [""]),
        ("", ["releases"]),
        ('releases = "1"', ["releases"]),
        ("releases = [1]", ["releases"]),
        ('releases = [""]', ["releases"]),
        ('releases = ["1", "2", "1"]', ["releases"]),
        ('releases = ["1"]\nplanned = ["1"]', ["releases"]),
        ('releases = ["1"]\nplanned = {}', ["planned"]),
        ('releases = ["1"]\nevnt = 1', ["evnt"]),
        ('releases = ["1"]\nevent = 1', ["event"]),
        ('releases = ["1"]\nevent.a = 1', ["event.a"]),
        ('releases = ["1"]\n[event.a]\nowner = "o"', ["event.a"]),
        ('releases = ["1"]\n[event.a]\nv1 = 1', ["event.a.owner", "event.a.v1"]),
        ('releases = ["1"]\n[event.a]\nowner = ""\nconsumers = "x"\nv01 = {}',
         ["event.a", "event.a.consumers", "event.a.owner", "event.a.v01"]),
        ('releases = ["1"]\n[event.a]\nowner = "o"\nconsumers = [1]\n"1" = {}',
         ["event.a", 'event.a.1', "event.a.consumers"]),
    ],
)  # fmt: skip
def test_a_manifest_that_is_wrong(tmp_path, text, places):
    assert sorted(found(write(tmp_path, text, {}))) == sorted(("catalog.toml", place) for place in places)


@pytest.mark.parametrize(
    "name",
    ["", ".", "..", "a/b", "a\\b", "a b", "é", "a..b", ".a", "a.", "1a", "a\nb", 'a"b', "{a}", "a:b", "\U0001f600"],
)
def test_names_of_events_that_are_none(tmp_path, name):
    quoted = json.dumps(name, ensure_ascii=False)
    text = f"{RELEASES}\n[event.{quoted}]\nowner = 'o'\n[event.{quoted}.v1]\nkey = '{{id}}'"
    [(file, _, said)] = problems(write(tmp_path, text, {}))
    assert file == "catalog.toml"
    assert "is no name of an event" in said


@few
@given(name=st.from_regex(r"[A-Za-z][0-9A-Za-z]{0,3}([._-][0-9A-Za-z]{1,3}){0,2}", fullmatch=True))
def test_every_other_name_works_from_end_to_end(tmp_path_factory, name):
    path = f"{name}/v1.json"
    folder = write(tmp_path_factory.mktemp("catalog"), table(name, {"v1": LINES}), {path: GOOD})
    catalog = Catalog.load(folder)
    got = []
    consumer = Consumer(catalog, name="taker")
    consumer.on(name, "v1")(got.append)
    message = Producer(catalog, name="maker").prepare(name, {"id": "a", "at": "2026-03-01T00:00:00Z"})
    assert [consumer.consume(message.body), consumer.consume(message.body)] == [Outcome.HANDLED] * 2
    assert catalog.contract(name, "v1").class_name.isidentifier()
    assert got[0].event_name == name


def test_no_folder(tmp_path):
    for path in (tmp_path / "none", write(tmp_path, "", {}) / "catalog.toml"):
        with pytest.raises(CatalogError) as error:
            Catalog.load(path)
        assert error.value.problems == (Problem(str(path), "", "is no folder"),)


def test_an_empty_folder(tmp_path):
    [(file, place, text)] = problems(tmp_path)
    assert (file, place, "is missing" in text) == ("catalog.toml", "", True)


@pytest.mark.parametrize("content", [b"\xff", b"\xef\xbb\xbfreleases = ['1']"])
def test_a_manifest_that_is_no_utf_8(tmp_path, content):
    (tmp_path / "catalog.toml").write_bytes(content)
    assert found(tmp_path) == [("catalog.toml", "")]


def test_a_manifest_and_a_schema_that_are_folders(tmp_path):
    (tmp_path / "catalog.toml").mkdir()
    assert found(tmp_path) == [("catalog.toml", "")]
    other = write(tmp_path / "other", manifest(), {})
    (other / FILE).mkdir(parents=True)
    assert problems(other) == [(FILE, "", "cannot be read: Is a directory")]


def test_what_is_in_one_place_and_not_in_the_other(tmp_path):
    folder = write(tmp_path, manifest(), {"thing.made/v2.json": GOOD, "other.made/v1.json": GOOD})
    assert problems(folder) == [
        ("catalog.toml", V1, f"has no file; add {FILE}"),
        ("other.made/v1.json", "", 'is not in the manifest; add [event."other.made".v1]'),
        ("thing.made/v2.json", "", 'is not in the manifest; add [event."thing.made".v2]'),
    ]


def test_stray_files(tmp_path):
    folder = write(tmp_path, manifest(), {FILE: GOOD, "x.json": {}, "thing.made/1.json": {}, "thing.made/v01.json": {}})
    assert problems(folder) == [
        ("thing.made/1.json", "", "is not named after a version, such as v1.json"),
        ("thing.made/v01.json", "", "is not named after a version, such as v1.json"),
        ("x.json", "", "belongs to no event; schemas stand at <event name>/<version>.json"),
    ]


def test_two_events_with_one_class_name(tmp_path):
    text = table("thing.made", {"v1": LINES}) + table("thing-made", {"v1": LINES}, releases="")
    folder = write(tmp_path, text, {FILE: GOOD, "thing-made/v1.json": GOOD})
    assert problems(folder) == [
        ("thing-made/v1.json", "", "and thing.made v1 would both have the payload class ThingMadeV1; rename one")
    ]


def test_an_ordering_over_fields_that_are_not_there(tmp_path):
    folder = write(tmp_path, manifest(f'{LINES}\nordering = {{ per = "no", by = "nor" }}'), {FILE: GOOD})
    assert [text for *_, text in problems(folder)] == [
        "has no field 'no', which the ordering in catalog.toml names",
        "has no field 'nor', which the ordering in catalog.toml names",
    ]


def test_all_mistakes_at_once(tmp_path):
    text = table("thing.made", {"v1": 'key = "k"', "v2": LINES, "v3": LINES}) + "\n[more]\n"
    folder = write(tmp_path, text, {FILE: "{", "thing.made/v2.json": [], "a.json": {}, "b/v1.json": GOOD})
    assert found(folder) == [
        ("a.json", ""), ("b/v1.json", ""), ("catalog.toml", f"{V1}.key"), ("catalog.toml", f"{NAME}.v3"),
        ("catalog.toml", "more"), (FILE, ""), ("thing.made/v2.json", "/type"),
    ]  # fmt: skip


BAD = {**GOOD, "properties": {"id": {"type": "text"}, "at": {"pattern": "("}, "count": {"$ref": "#/nowhere"}}}
BAD_PLACES = ["/properties/at/pattern", "/properties/count/$ref", "/properties/id/type"]


def test_a_schema_that_the_manifest_does_not_name_is_checked_all_the_same(tmp_path):
    files = {FILE: GOOD, "other.made/v1.json": BAD, "third.made/v1.json": "{", "thing.made/v2.json": {"type": "string"}}
    assert found(write(tmp_path, manifest(), files)) == [
        ("other.made/v1.json", ""), *(("other.made/v1.json", place) for place in BAD_PLACES),
        ("thing.made/v2.json", ""), ("thing.made/v2.json", "/type"),
        ("third.made/v1.json", ""), ("third.made/v1.json", ""),
    ]  # fmt: skip


def test_a_schema_whose_table_in_the_manifest_is_wrong_is_checked_too(tmp_path):
    folder = write(tmp_path, manifest("key = 1"), {FILE: {"type": "string"}})
    assert found(folder) == [("catalog.toml", V1), (FILE, "/type")]


@pytest.mark.parametrize("text", ["releases = ", None])
def test_without_a_manifest_the_schemas_are_checked_and_none_is_said_to_be_missing_there(tmp_path, text):
    lost = {**GOOD, "properties": {**GOOD["properties"], "x": {"$ref": "#/nowhere"}}}
    folder = write(tmp_path, text or "", {FILE: GOOD, "thing.made/v2.json": BAD, "a.made/v1.json": lost, "x.json": {}})
    if text is None:
        (folder / "catalog.toml").unlink()
    assert found(folder) == [
        ("a.made/v1.json", "/properties/x/$ref"), ("catalog.toml", ""),
        *(("thing.made/v2.json", place) for place in BAD_PLACES), ("x.json", ""),
    ]  # fmt: skip


def test_loading_compiles_nothing(tmp_path, monkeypatch):
    def compiled(*_):
        raise AssertionError("it is to be compiled on first use")

    monkeypatch.setattr(compiling, "checker", compiled)
    monkeypatch.setattr(compiling, "read", compiled)
    unique = {"type": "array", "uniqueItems": True}
    assert len(folders.one(tmp_path, {**GOOD, "properties": {**GOOD["properties"], "tags": unique}})) == 1


def test_a_schema_of_another_dialect_and_one_that_is_composed(tmp_path):
    composed = {"$schema": "https://json-schema.org/draft/2020-12/schema", **GOOD, "$defs": {"a": TEXT},
                "allOf": [{"properties": {"more": {"$ref": "#/$defs/a"}}}]}  # fmt: skip
    catalog = folders.one(tmp_path, composed)
    message = Producer(catalog, name="maker").prepare(
        "thing.made", {"id": "a", "at": "2026-03-01T00:00:00Z", "more": "x"}
    )
    consumer = Consumer(catalog, name="taker")
    consumer.on("thing.made", "v1")(print)
    assert consumer.consume(message.body) is Outcome.HANDLED
