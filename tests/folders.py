"""Folders of schemas, for the tests that need a catalog of their own."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jobarium_events import Catalog

TEXT = {"type": "string"}
WHOLE = {"type": "integer"}
MOMENT = {"type": "string", "format": "date-time"}
RELEASES = 'releases = ["1", "2", "3", "4"]\nplanned = ["5"]\n'


def schema(required: Mapping[str, Any], **optional: Any) -> dict[str, Any]:
    """An object schema of some required and some optional fields."""
    return {"type": "object", "required": list(required), "properties": {**required, **optional}}


def write(folder: Path, manifest: str, schemas: Mapping[str, Any]) -> Path:
    """Write a catalog: its manifest, and schemas by path; text and bytes are written as they are."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "catalog.toml").write_text(manifest, encoding="utf-8")
    for path, content in schemas.items():
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        data = content if isinstance(content, str | bytes) else json.dumps(content)
        file.write_bytes(data.encode() if isinstance(data, str) else data)
    return folder


def table(event: str, versions: Mapping[str, str], *, owner: str = "maker", releases: str = RELEASES) -> str:
    """The part of a manifest for one event: the lines of each version's table."""
    text = f'{releases}\n[event."{event}"]\nowner = "{owner}"\nconsumers = ["taker"]\n'
    for version, lines in versions.items():
        text += f'[event."{event}".{version}]\n{lines}\n'
    return text


def one(folder: Path, payload: Mapping[str, Any], *, key: str = "k:{id}", lines: str = 'introduced = "1"') -> Catalog:
    """A catalog of one contract, thing.made v1, owned by maker."""
    manifest = table("thing.made", {"v1": f'key = "{key}"\n{lines}'})
    return Catalog.load(write(folder, manifest, {"thing.made/v1.json": payload}))


def chain(folder: Path) -> Catalog:
    """A catalog of one event in six versions: v1 to v3 consumed, v4 a draft, v5 retired, v6 the newest active."""
    lines = {
        "v1": 'introduced = "1"\ndeprecated = "2"',
        "v2": 'introduced = "2"',
        "v3": 'introduced = "3"',
        "v4": "",
        "v5": 'introduced = "1"\ndeprecated = "2"\nretired = "4"',
        "v6": 'introduced = "4"',
    }
    schemas = {
        f"thing.made/{version}.json": schema({"id": TEXT, f"field_{version}": WHOLE}, extra=TEXT) for version in lines
    }
    tables = {version: f'key = "k:{{id}}"\n{rest}' for version, rest in lines.items()}
    return Catalog.load(write(folder, table("thing.made", tables), schemas))
