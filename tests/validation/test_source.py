"""The printed classes: nothing in a schema is run, no name hides another, and they are what a person would write."""

import builtins
import os
import subprocess
import sys
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobarium_events.validation import Validator, compile_schema
from jobarium_events.validation.shapes import Field, Record, Text
from jobarium_events.validation.source import STRUCT_IMPORTS, annotation, field_names, literal, struct_source
from tests.strategies import examples
from tests.validation.schemas import NAMES

STRING = {"type": "string"}
HOSTILE = [
    "'", '"', "\\", "\\'", '\\"', "'''", '"""', '\\"""', '"""\nraise SystemExit\n"""', "\n", "\r", "\r\n", "\x00",
    "\x0c", "\x1c", "\u2028", "{x}", "{0}", "%s", "$(x)", "`x`", "#", ")", "]", ": pass\nraise SystemExit\n#",
    "\\N{BULLET}", "trailing\\", 'trailing"', "é", "😀", "\ufeff", "__import__('os')", "None", "{{", "}}", "f'{x}'",
]  # fmt: skip
text = st.one_of(st.sampled_from(HOSTILE), st.sampled_from(NAMES), st.text())
text = text.filter(lambda each: not any("\ud800" <= char <= "\udfff" for char in each))


def run(source: str) -> dict[str, Any]:
    """What the source defines, run as a module of its own."""
    scope: dict[str, Any] = {"__name__": "printed"}
    exec(compile(f"{STRUCT_IMPORTS}\n{source}", "<printed>", "exec", dont_inherit=True), scope)
    return scope


@examples(150)
@given(names=st.lists(text, min_size=1, max_size=4, unique=True), words=st.lists(text, min_size=6, max_size=6))
def test_any_text_is_only_text(names: list[str], words: list[str]) -> None:
    enum, const, description, definition, tag, title = words
    properties: dict[str, Any] = {name: {"type": "string", "description": description} for name in names}
    properties |= {"enum": {"enum": sorted({enum, const})}, "const": {"const": const}}
    schema = {
        "type": "object",
        "description": description,
        "properties": {**properties, "of": {"$ref": "#/definitions/" + pointer(definition)}},
        "required": names,
        "definitions": {definition: {"title": title, "oneOf": [branch("tag", tag), branch("tag", tag + "'")]}},
    }
    validator = compile_schema(schema, name=title)
    document = {**dict.fromkeys(names, description), "enum": enum, "const": const, "of": {"tag": tag}}
    if validator.is_valid(document):  # not if a name is one of the properties of the test's own
        value = validator.convert(document)
        assert msgspec.to_builtins(value) == document
    run(struct_source(validator.reading.shape))
    for name in names:
        assert not validator.is_valid({each: value for each, value in document.items() if each != name})


def pointer(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1").replace("%", "%25")


def branch(tag: str, value: str) -> dict[str, Any]:
    return {"type": "object", "properties": {tag: {"const": value}}, "required": [tag]}


KINDS: dict[str, dict[str, Any]] = {
    "str": STRING,
    "int": {"type": "integer"},
    "float": {"type": "number"},
    "bool": {"type": "boolean"},
    "list": {"type": "array", "items": STRING},
    "dict": {"type": "object", "additionalProperties": STRING},
    "Any": {},
    "Literal": {"enum": ["a"]},
    "Annotated": {"type": "string", "minLength": 1},
    "Meta": {"type": "string", "minLength": 1},
    "UUID": {"type": "string", "format": "uuid"},
    "date": {"type": "string", "format": "date"},
    "datetime": {"type": "string", "format": "date-time"},
    "time": {"type": "string", "format": "time"},
    "MaybeAbsent": STRING,
    "ClassVar": STRING,
    "UNSET": {"type": ["string", "null"]},
    "UnsetType": {"type": ["string", "null"]},
    "field": STRING,
    "Struct": {"type": "object", "properties": {"a": STRING}},
    "NoneType": {"type": "null"},
}
VALID = {
    "str": "a", "int": 1, "float": 1.5, "bool": True, "list": ["a"], "dict": {"a": "b"}, "Any": [1], "Literal": "a",
    "Annotated": "a", "Meta": "a", "UUID": "1b9d6bcd-bbfd-4b2d-9b5d-ab8dfbbd4bed", "date": "2024-02-29",
    "datetime": "2024-02-29T10:00:00Z", "time": "10:00:00Z", "MaybeAbsent": "a", "ClassVar": "a", "UNSET": "a",
    "UnsetType": "a", "field": "a", "Struct": {"a": "b"}, "NoneType": None,
}  # fmt: skip


@pytest.mark.parametrize("required", [True, False], ids=["required", "optional"])
@pytest.mark.parametrize("hiding", KINDS)
def test_a_field_does_not_hide_a_type_from_the_fields_below(hiding: str, required: bool) -> None:
    properties = {hiding: KINDS[hiding], **{f"a_{name}": kind for name, kind in KINDS.items()}}
    schema = {"type": "object", "properties": properties, "required": sorted(properties) if required else []}
    validator = compile_schema(schema)
    assert validator.engine == "msgspec"
    document = {hiding: VALID[hiding], **{f"a_{name}": value for name, value in VALID.items()}}
    assert msgspec.to_builtins(msgspec.convert(document, validator.type)) == document
    for name in KINDS.keys() - {"Any"}:
        assert not validator.is_valid({**document, f"a_{name}": {"a": 1}})
    run(struct_source(validator.reading.shape))


@pytest.mark.parametrize("name", [*KINDS, "Payload", "True", "None", "2nd", "a-b", "é", "class"])
@pytest.mark.parametrize("recursive", [True, False])
def test_a_definition_does_not_hide_a_type(name: str, recursive: bool) -> None:
    inner: dict[str, Any] = {"type": "object", "properties": {"id": KINDS["UUID"], name: STRING}, "required": ["id"]}
    if recursive:
        inner["properties"][name] = {"$ref": f"#/definitions/{name}"}
    properties = {name: {"$ref": f"#/definitions/{name}"}, **{f"a_{each}": kind for each, kind in KINDS.items()}}
    validator = compile_schema({"type": "object", "properties": properties, "definitions": {name: inner}})
    assert validator.engine == "msgspec"
    value: Any = {"id": VALID["UUID"]}
    document = {name: {**value, name: value if recursive else "x"}, **{f"a_{each}": one for each, one in VALID.items()}}
    assert msgspec.to_builtins(msgspec.convert(document, validator.type)) == document
    assert not validator.is_valid({**document, name: {}})
    run(struct_source(validator.reading.shape))


def test_every_imported_name_is_tried() -> None:
    imported = run("").keys() - {"__name__", "__builtins__"}
    assert imported <= KINDS.keys()


@pytest.mark.parametrize("name", ["Any", "Struct", "UUID", "None", "2nd", "a b", "", "date", "\n", "X: pass #"])
def test_the_outermost_name_may_be_anything(name: str) -> None:
    kind = compile_schema({"type": "object", "properties": {"a": STRING}}, name=name).type
    assert kind.__name__.isidentifier()
    assert kind.__name__ not in ("Any", "Struct", "UUID", "None")


def test_no_keyword_or_builtin_of_the_source_is_a_class() -> None:
    names = [name for name in dir(builtins) if name[0].isupper()]
    schema = {"oneOf": [branch("k", name) for name in names]}
    assert compile_schema(schema, name="").engine == "msgspec"


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["a", "a-b", "a_b", "a.b"], ["a", "a_b_", "a_b", "a_b__"]),
        (["class", "class_"], ["class__", "class_"]),
        (["ﬁ", "fi"], ["fi_", "fi"]),
        (["_", "__", ""], ["field_", "field__", "field___"]),
        (["__init__", "_private"], ["init__", "private"]),
        (["2nd", "é", "😀"], ["field_2nd", "é", "field_"]),
        (["field", "replay", "None"], ["field_", "replay_", "None_"]),
    ],
)
def test_field_names(names: list[str], expected: list[str]) -> None:
    record = Record("Payload", [Field(name, Text(), required=True) for name in names])
    assert field_names(record) == dict(zip(names, expected, strict=True))


@examples(100)
@given(st.lists(text, unique=True, max_size=6))
def test_field_names_are_distinct_names(names: list[str]) -> None:
    record = Record("Payload", [Field(name, Text(), required=True) for name in names])
    python = list(field_names(record).values())
    assert len(set(python)) == len(python) == len(names)
    assert all(each.isidentifier() and not each.startswith("_") for each in python)
    scope: dict[str, Any] = {}
    exec("class Names:\n    pass\n" + "".join(f"    {each} = {each!r}\n" for each in python), scope)
    assert all(getattr(scope["Names"], each) == each for each in python)


def test_it_reads_well() -> None:
    schema = {
        "type": "object",
        "description": "A job has moved.",
        "required": ["job_id", "date"],
        "properties": {
            "job_id": {"type": "string", "format": "uuid", "description": "Which job."},
            "date": {"type": "string", "format": "date"},
            "until": {"type": ["string", "null"], "format": "date"},
            "rank": {"type": "integer", "minimum": 1},
            "from": {"type": "object", "properties": {"place": {"type": "string", "pattern": "^[a-z]+$"}}},
        },
    }
    assert struct_source(Validator(schema, name="JobMovedV1").reading.shape) == PRINTED


PRINTED = """\
_date = date


class JobMovedV1From(Struct, frozen=True, kw_only=True, omit_defaults=True):
    place: MaybeAbsent[Annotated[str, Meta(pattern="^[a-z]+\\\\Z")]] = None


class JobMovedV1(Struct, frozen=True, kw_only=True, omit_defaults=True):
    job_id: UUID
    date: _date
    until: _date | None | UnsetType = UNSET
    rank: MaybeAbsent[Annotated[int, Meta(ge=1)]] = None
    from_: MaybeAbsent[JobMovedV1From] = field(default=None, name="from")
"""


@pytest.mark.parametrize("value", ["a", "'", '"', "'\"", "\n", 1, -2.5, None, "é"])
def test_a_literal_is_read_back(value: Any) -> None:
    assert eval(literal(value)) == value


def test_an_absent_field_and_null_are_told_apart() -> None:
    properties = {"maybe": STRING, "null": {"type": ["string", "null"]}}
    kind = compile_schema({"type": "object", "properties": properties}).type
    absent, null = msgspec.convert({}, kind), msgspec.convert({"null": None}, kind)
    assert (absent.maybe, absent.null, null.null) == (None, msgspec.UNSET, None)
    assert [msgspec.json.encode(each) for each in (absent, null)] == [b"{}", b'{"null":null}']
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"maybe": None}, kind)


def test_a_tag_gives_way_to_a_field_of_its_name() -> None:
    branches = [branch("the-kind", value) for value in ("a", "b")]
    for each in branches:
        each["properties"]["the_kind"] = STRING
    validator = compile_schema({"oneOf": branches})
    value = validator.convert({"the-kind": "b", "the_kind": "x"})
    assert (value.the_kind, value.the_kind_) == ("x", "b")
    assert msgspec.json.encode(value) == b'{"the-kind":"b","the_kind":"x"}'


def test_annotations_name_classes() -> None:
    assert annotation(Validator({"type": "array", "items": STRING}).reading.shape) == "list[str]"
    assert annotation(Validator({"type": "object", "properties": {}}, name="job moved").reading.shape) == "JobMoved"


def test_a_pattern_never_meets_a_container_in_a_union() -> None:
    # msgspec corrupts its memory for such a type: run where it may crash.
    types = [["string", "object"], ["string", "array"], ["string", "array", "null"]]
    code = f"""
from jobarium_events.validation import compile_schema
for types in {types!r}:
    for extra in ({{}}, {{"properties": {{"a": True}}}}):
        validator = compile_schema({{"type": types, "pattern": "^a", **extra}})
        for document in ("a", "b", {{}}, [], 1) * 50:
            validator.is_valid(document)
            if validator.is_valid(document): validator.convert(document)
"""
    done = subprocess.run([sys.executable, "-c", code], env={**os.environ, "PYTHONMALLOC": "debug"}, check=False)
    assert done.returncode == 0
