"""Generated modules: they are imported, type-checked, linted, and their classes take payloads and give them back."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import ModuleType, UnionType
from typing import Any, get_args

import msgspec
import orjson
import pydantic
import pytest

from jobarium_events import Contract, Lifecycle
from jobarium_events.catalog import Entry
from jobarium_events.contract import KeyTemplate
from jobarium_events.generation import Style, generate

PROJECT = Path(__file__).parents[1]
NOW = "2026-10-05T09:30:00Z"

STRANGE = [
    *("", " ", "a b", "é", "ﬁ", "fi", "1a", "_date", "__y", "class", "None", "str", "date", "date_", "field", "replay"),
    *(
        "self",
        'a"b',
        "a'b",
        "a\\b",
        "a\nb",
        "日本",
        "ClassVar",
        "Struct",
        "Annotated",
        "Literal",
        "UNSET",
        "dict",
        "int",
    ),
    *("MaybeAbsent", "BaseModel", "Field", "NotRequired", "TypedDict", "model_config", "schema", "json", "StrangeV1"),
    *("model_dump_x", "Meta", "UnsetType", "ConfigDict", "TypeAlias", "Any", "list", "float", "bool", "datetime"),
]

SCHEMAS: dict[str, dict[str, Any]] = {
    "order.placed": {
        "description": 'An order. It has a "quote", a \\d, and """three""" of them.',
        "required": ["order_id", "lines", "date", "class"],
        "properties": {
            "order_id": {"type": "string", "format": "uuid", "description": "A regular expression: \\w+."},
            "date": {"type": "string", "format": "date"},
            "due": {"type": "string", "format": "date"},
            "placed_at": {"type": "string", "format": "date-time"},
            "class": {"type": "string", "minLength": 1, "maxLength": 8},
            "line-count": {"type": "integer", "minimum": 0},
            "field": {"type": "number", "exclusiveMinimum": 0},
            "copy": {"type": "boolean"},
            "model_dump_all": {"type": "string"},
            "list": {"type": "array", "items": {"type": "string"}, "maxItems": 3},
            "sku": {"type": "string", "pattern": "^[a-z\"']+$"},
            "note": {"type": ["string", "null"]},
            "priority": {"enum": ["high", "low", None]},
            "labels": {"type": "object", "additionalProperties": {"type": "integer"}},
            "anything": True,
            "lines": {
                "type": "array",
                "minItems": 1,
                "items": {
                    "type": "object",
                    "description": "A line.",
                    "additionalProperties": False,
                    "required": ["sku"],
                    "properties": {"sku": {"type": "string"}, "count": {"type": "integer"}},
                },
            },
            "a_long_choice": {"enum": [f"a value of some length, number {number}" for number in range(9)]},
            "a_choice_that_fits_once_opened": {"enum": [f"value number {number}" for number in range(6)]},
        },
    },
    "tree.grown": {
        "required": ["root"],
        "properties": {"root": {"$ref": "#/definitions/node"}},
        "definitions": {
            "node": {
                "type": "object",
                "required": ["name"],
                "properties": {
                    "name": {"type": "string"},
                    "child-nodes": {"type": "array", "items": {"$ref": "#/definitions/node"}},
                    "next": {"$ref": "#/definitions/node"},
                },
            }
        },
    },
    "paid": {
        "oneOf": [
            {
                "type": "object",
                "required": ["kind", "iban"],
                "properties": {"kind": {"const": "transfer"}, "iban": {"type": "string"}},
            },
            {
                "type": "object",
                "required": ["kind", "card"],
                "properties": {"kind": {"const": "card"}, "card": {"type": "integer"}},
            },
        ]
    },
    "counted": {"additionalProperties": {"type": "integer"}},
    "one.of.many.things.that.can.happen.to.a.parcel": {
        "oneOf": [
            {"type": "object", "required": ["kind"], "properties": {"kind": {"const": kind}}}
            for kind in ("collected_from_sender", "sorted_at_depot", "delivered_to_neighbour")
        ]
    },
    "shaped": {
        "properties": {
            "value_in_either_of_two_forms": {
                "type": ["string", "array"],
                "minLength": 1,
                "maxLength": 1_000_000,
                "minItems": 1,
                "maxItems": 1_000_000_000,
                "items": {"type": "string"},
            },
            "quotes": {"enum": ["it's", 'a "word"', "both ' and \"", '"both" and \'', "back\\slash"]},
        },
    },
    "2.empty": {"properties": {}},
    "strange": {
        "description": "A name that a module is made of, or that Python keeps.",
        "properties": {
            **{name: {"type": "string", "format": "date"} for name in STRANGE},
            "inner": {"type": "object", "properties": {name: {"type": ["integer", "null"]} for name in STRANGE}},
            "StrangeV1Inner": {"type": "array", "items": {"$ref": "#/properties/inner"}},
        },
    },
}

PAYLOADS: dict[str, list[dict[str, Any]]] = {
    "OrderPlacedV1": [
        {
            "order_id": "01999d1e-7f31-7c8a-9f6e-3f6f0d3c2b1a",
            "date": "2026-10-05",
            "class": "A",
            "lines": [{"sku": "x", "count": 2}],
        },
        {
            "order_id": "01999d1e-7f31-7c8a-9f6e-3f6f0d3c2b1a",
            "date": "2026-10-05",
            "due": "2026-10-06",
            "placed_at": NOW,
            "class": "A",
            "line-count": 1,
            "field": 0.5,
            "copy": True,
            "model_dump_all": "x",
            "list": ["a", "b"],
            "sku": "a'\"",
            "note": None,
            "priority": None,
            "labels": {"x": 1},
            "anything": [1, {"x": None}],
            "lines": [{"sku": "x"}],
            "a_long_choice": "a value of some length, number 3",
        },
    ],
    "TreeGrownV1": [{"root": {"name": "a", "child-nodes": [{"name": "b", "next": {"name": "c"}}]}}],
    "PaidV1": [{"kind": "transfer", "iban": "x"}, {"kind": "card", "card": 1}],
    "CountedV1": [{"a": 1, "b": 2}],
    "OneOfManyThingsThatCanHappenToAParcelV1": [{"kind": "sorted_at_depot"}],
    "ShapedV1": [{"value_in_either_of_two_forms": ["a"], "quotes": "both ' and \""}, {"quotes": "back\\slash"}],
    "Value2EmptyV1": [{}],
    "StrangeV1": [
        dict.fromkeys(STRANGE, "2026-10-05"),
        {"inner": dict.fromkeys(STRANGE, 1), "StrangeV1Inner": [dict.fromkeys(STRANGE, None)]},
    ],
}

REFUSED: dict[str, list[dict[str, Any]]] = {
    "OrderPlacedV1": [
        {},
        {**PAYLOADS["OrderPlacedV1"][0], "class": "too long for it"},
        {**PAYLOADS["OrderPlacedV1"][0], "lines": []},
        {**PAYLOADS["OrderPlacedV1"][0], "lines": [{"sku": "x", "more": 1}]},
        {**PAYLOADS["OrderPlacedV1"][0], "sku": "A"},
        {**PAYLOADS["OrderPlacedV1"][0], "field": 0},
        {**PAYLOADS["OrderPlacedV1"][0], "line-count": -1},
        {**PAYLOADS["OrderPlacedV1"][0], "placed_at": "2026-10-05T09:30:00"},
    ],
    "TreeGrownV1": [{"root": {"name": "a", "child-nodes": [{}]}}],
    "PaidV1": [{"kind": "cash"}, {"iban": "x"}, {"kind": "card", "iban": "x"}],
    "CountedV1": [{"a": "x"}],
}


USES = {
    Style.STRUCT: """
from shop_struct import OrderPlacedV1, OrderPlacedV1LinesItem, PaidV1, PaidV1Card, TreeGrownV1, TreeGrownV1Node

tree = TreeGrownV1(root=TreeGrownV1Node(name="a", child_nodes=[TreeGrownV1Node(name="b")]))
deeper: TreeGrownV1Node | None = tree.root.next
paid: PaidV1 = PaidV1Card(card=1)
line = OrderPlacedV1LinesItem(sku="x")
line.sku = "y"  # type: ignore[misc]
TreeGrownV1Node(nam="a")  # type: ignore[call-arg]


def due(order: OrderPlacedV1) -> int:
    return 0 if order.due is None else order.due.year
""",
    Style.PYDANTIC: """
from shop_pydantic import OrderPlacedV1, OrderPlacedV1LinesItem, PaidV1, PaidV1Card, TreeGrownV1, TreeGrownV1Node

tree = TreeGrownV1(root=TreeGrownV1Node(name="a", child_nodes=[TreeGrownV1Node(name="b")]))
deeper: TreeGrownV1Node | None = tree.root.next
paid: PaidV1 = PaidV1Card(kind="card", card=1)
line = OrderPlacedV1LinesItem(sku="x")
TreeGrownV1Node(nam="a")  # type: ignore[call-arg]


def due(order: OrderPlacedV1) -> int:
    return 0 if order.due is None else order.due.year
""",
    Style.TYPEDDICT: """
from shop_typeddict import OrderPlacedV1, OrderPlacedV1LinesItem, PaidV1, TreeGrownV1

tree: TreeGrownV1 = {"root": {"name": "a", "child-nodes": [{"name": "b"}]}}
paid: PaidV1 = {"kind": "card", "card": 1}
line: OrderPlacedV1LinesItem = {"sku": "x"}
wrong: OrderPlacedV1LinesItem = {"sku": 1}  # type: ignore[typeddict-item]


def due(order: OrderPlacedV1) -> str:
    return order.get("due", "") + order["class"]
""",
}


def entry_of(event: str, schema: dict[str, Any]) -> Entry:
    contract = Contract(
        event=event,
        version="v1",
        schema_json=orjson.dumps({"$schema": "http://json-schema.org/draft-07/schema#", "type": "object", **schema}),
        owner="shop",
        consumers=(),
        key=KeyTemplate(event),
        ordering=None,
        lifecycle=Lifecycle.ACTIVE,
    )
    return Entry(contract)


def entries() -> list[Entry]:
    return [entry_of(event, schema) for event, schema in SCHEMAS.items()]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a module of each style, and one that uses each of them."""
    root = tmp_path_factory.mktemp("shop")
    for style in Style:
        source = generate(entries(), style=style, source="the catalog in shop")
        (root / f"shop_{style}.py").write_text(source, encoding="utf-8")
        (root / f"uses_{style}.py").write_text(USES[style], encoding="utf-8")
    return root


@pytest.fixture(scope="module", params=list(Style))
def style(request: pytest.FixtureRequest) -> Style:
    return Style(request.param)


@pytest.fixture(scope="module")
def module(folder: Path, style: Style) -> ModuleType:
    name = f"shop_{style}"
    spec = importlib.util.spec_from_file_location(name, folder / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    made = importlib.util.module_from_spec(spec)
    sys.modules[name] = made  # where msgspec and pydantic look up the classes that a class names
    spec.loader.exec_module(made)
    return made


def round_trip(style: Style, kind: Any) -> Callable[[Any], Any]:
    """Return what takes a document to a value of a type and back; it raises if the document does not fit."""
    if style is Style.PYDANTIC:
        adapter = pydantic.TypeAdapter(kind)
        return lambda document: adapter.dump_python(
            adapter.validate_python(document), mode="json", by_alias=True, exclude_unset=True
        )
    if style is Style.STRUCT:
        return lambda document: msgspec.to_builtins(msgspec.convert(document, kind))
    members = get_args(kind) if isinstance(kind, UnionType) else [kind]  # msgspec takes no union of TypedDicts

    def convert(document: Any) -> Any:
        for member in members:
            with suppress(msgspec.ValidationError):
                return msgspec.convert(document, member)
        raise ValueError("no member of the union takes it")

    return convert


@pytest.mark.parametrize("name", PAYLOADS)
def test_a_payload_survives_the_way_through_its_class(style: Style, module: ModuleType, name: str) -> None:
    convert = round_trip(style, getattr(module, name))
    for payload in PAYLOADS[name]:
        assert convert(payload) == payload


@pytest.mark.parametrize("style", [Style.STRUCT, Style.PYDANTIC], indirect=True)  # a TypedDict knows no limits
@pytest.mark.parametrize("name", REFUSED)
def test_structs_and_models_refuse_what_the_schema_refuses(style: Style, module: ModuleType, name: str) -> None:
    convert = round_trip(style, getattr(module, name))
    for payload in REFUSED[name]:
        with pytest.raises((msgspec.ValidationError, pydantic.ValidationError)):
            convert(payload)


def test_every_class_can_be_imported_by_a_star(style: Style, module: ModuleType) -> None:
    assert {*PAYLOADS, "OrderPlacedV1LinesItem", "TreeGrownV1Node"} <= set(module.__all__)
    assert all(hasattr(module, name) for name in module.__all__)


def test_a_struct_knows_its_contract_and_an_alias_has_none(folder: Path) -> None:
    source = (folder / "shop_struct.py").read_text()
    digest = entries()[0].digest
    assert f'    __contract__: ClassVar = ("order.placed", "v1", "{digest}")\n\n    order_id: UUID\n' in source
    assert "CountedV1: TypeAlias = dict[str, int]\n" in source
    assert "PaidV1: TypeAlias = PaidV1Transfer | PaidV1Card\n" in source


def test_the_classes_and_their_use_type_check(folder: Path, style: Style) -> None:
    options = ["--strict", "--no-incremental", "--config-file=", "--follow-imports=silent"]
    command = [sys.executable, "-m", "mypy", *options, f"shop_{style}.py", f"uses_{style}.py"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert (done.stdout, done.returncode) == ("Success: no issues found in 2 source files\n", 0)


@pytest.mark.parametrize("command", [["format", "--check"], ["check"]])
def test_the_modules_are_as_ruff_would_have_them(folder: Path, style: Style, command: list[str]) -> None:
    config = f"--config={PROJECT / 'pyproject.toml'}"
    run = [sys.executable, "-m", "ruff", *command, config, "--no-cache", f"shop_{style}.py"]
    done = subprocess.run(run, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_same_catalog_prints_the_same_module(style: Style) -> None:
    assert generate(entries(), style=style) == generate(entries(), style=style)


def test_only_what_is_used_is_imported() -> None:
    counted = [entry for entry in entries() if entry.contract.event == "counted"]
    assert generate(counted, source="the catalog in shop") == (
        '"""Payload classes, generated by `jobarium-events generate`.\n\n'
        "There is one for each contract of the catalog in shop, and one for each object within a payload. Change a "
        "schema there\nand generate again, rather than edit this file.\n"
        '"""\n\n'
        "from typing import TypeAlias\n\n"
        '__all__ = [\n    "CountedV1",\n]\n\n\n'
        "CountedV1: TypeAlias = dict[str, int]\n"
        '"""Payload of counted v1."""\n'
    )


def test_a_name_belongs_to_the_contract_before_what_is_within_another() -> None:
    within = {"type": "object", "properties": {"x": {"type": "integer"}}}
    by_name = {"a": {"properties": {"b-v1": within}}, "a.v1.b": {"properties": {}}}
    source = generate([entry_of(event, schema) for event, schema in by_name.items()])
    assert [line.partition("(")[0] for line in source.splitlines() if line.startswith("class ")] == [
        "class AV1BV12",
        "class AV1",
        "class AV1BV1",
    ]
    assert "    b_v1: MaybeAbsent[AV1BV12] = field(default=None" in source


def test_an_empty_catalog_is_an_empty_module() -> None:
    assert generate([]).endswith('"""\n\n__all__: list[str] = []\n')
