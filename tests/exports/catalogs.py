"""Catalogs to export: made of any schema, and with texts that mean something to those who would run them."""

from __future__ import annotations

import json
from typing import Any

from jobarium_events import Catalog, Contract, Lifecycle
from jobarium_events.catalog import Entry
from jobarium_events.contract import KeyTemplate, Ordering

HOSTILE = [
    "<script>alert(1)</script>",
    "{process.exit(1)}",
    "import x from 'y'",
    "export const x = 1",
    "a\n\nimport x from 'y'\n---\n# b",
    "---",
    "[[event|job.updated]] [x](javascript:alert(1)) ![x](y)",
    ":::tip\n::leaf[x]{y}\n:name[x]",
    "`code` ```js\nx\n``` ~~~",
    "1. one\n- two\n> three | four",
    "\\ \" ' & &lt; é 😀 \x00 \x07 \u2028 \u0085 \ufeff",
    "<!-- x --> {/* y */} </Schema> <SchemaViewer file='/etc/passwd'/>",
    "$ref: '#/x' ? [a, b] {c: d} !!js/function *anchor",
    "#/components/x~1y%20z",
]
"""Texts that are Markdown, JSX, YAML or a pointer to one who takes them for more than text."""


def contract(schema: dict[str, Any], event: str = "thing.made", version: str = "v1", **fields: Any) -> Contract:
    """A contract of a schema."""
    said: dict[str, Any] = {
        "owner": "maker",
        "consumers": ("taker",),
        "key": KeyTemplate("thing.made:{id}"),
        "ordering": None,
        "lifecycle": Lifecycle.ACTIVE,
        "introduced": "1",
        **fields,
    }
    return Contract(event=event, version=version, schema_json=json.dumps(schema).encode(), **said)


def catalog(*contracts: Contract, releases: tuple[str, ...] = ("1", "2", "3")) -> Catalog:
    """A catalog of some contracts."""
    return Catalog([Entry(each) for each in contracts], releases)


def hostile() -> Catalog:
    """A catalog in which every text that is free to be anything is hostile."""
    contracts = []
    for place, text in enumerate(HOSTILE):
        schema = {
            "title": text,
            "description": text,
            "type": "object",
            "required": ["id"],
            "properties": {
                "id": {"type": "string", "description": text, "examples": [text]},
                text: {"title": text, "description": text, "enum": [text], "x-enum-meanings": {text: text}},
            },
        }
        others = (HOSTILE[place - 1], "taker", "Taker", "taker!")
        made = contract(
            schema,
            f"thing.made{place}",
            owner=text,
            consumers=others,
            key=KeyTemplate(f"{text.translate(BRACES)}:{{id}}"),
            ordering=Ordering("id", text),
            lifecycle=Lifecycle.DEPRECATED,
            deprecated=text,
            retired=text,
            decision=text,
        )
        contracts.append(made)
    return catalog(*contracts, releases=tuple(HOSTILE))


BRACES = str.maketrans("{}", "()")  # a brace in a key template is a field's
