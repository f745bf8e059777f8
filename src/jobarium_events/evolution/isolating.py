"""Schemas in which one difference stands alone: one schema with a single place taken over from another."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import quote

from jobarium_events.validation.dialects import DRAFT_7, Schema, dialect_of, escape, rebuilt
from jobarium_events.validation.references import walk

if TYPE_CHECKING:
    from jobarium_events.validation.places import Place

__all__ = ["Path", "both", "standing_alone", "swapped"]

Path = tuple[str, ...]
"""A keyword, as in ``("type",)``, or one name in it: ``("properties", "note")`` or ``("required", "note")``."""

_ONE, _OTHER = "one contract", "other contract"


def both(one: Schema, other: Schema) -> dict[str, Any]:
    """Return a schema of what two schemas of one dialect both accept."""
    shelves = {_ONE: _moved(one, _ONE), _OTHER: _moved(other, _OTHER)}
    combined: dict[str, Any] = {
        "allOf": [{"$ref": f"#/definitions/{quote(name)}"} for name in shelves],
        "definitions": shelves,
    }
    return _in_dialect_of(one, combined)


def standing_alone(root: Schema, schemas: list[dict[str, Any]]) -> dict[str, Any]:
    """Return subschemas of `root` that speak of one value, as one schema that needs `root` no more."""
    combined = schemas[0] if len(schemas) == 1 else {"allOf": schemas}
    if _refers(combined):
        combined = {"allOf": [_moved(combined, _ONE)], "definitions": {_ONE: _moved(root, _ONE)}}
    return _in_dialect_of(root, combined)


def _in_dialect_of(root: Schema, schema: dict[str, Any]) -> dict[str, Any]:
    return {"$schema": root["$schema"], **schema} if isinstance(root, Mapping) and "$schema" in root else schema


def swapped(here: Place, there: Place, paths: tuple[Path, ...]) -> dict[str, Any] | None:
    """Return the schema that `here` is a place of, saying for some keywords there what another schema says.

    Args:
        here: The place to change.
        there: The same value's place in the other schema.
        paths: What to take over from it.

    Returns:
        The schema, or None if it cannot be said.
    """
    sources = [part.says for part in there.parts if isinstance(part.says, Mapping)]
    root: dict[str, Any] = _copy(here.root)
    targets = [target for part in here.parts if isinstance(target := _found(root, part.pointer), dict)]
    if (
        dialect_of(here.root) != dialect_of(there.root)
        or len(sources) < len(there.parts)
        or len(targets) < len(here.parts)
    ):
        return None
    for path in paths:
        for target in targets:
            _remove(target, path)
            if target.get(path[0]) == {} and not any(path[0] in source for source in sources):
                del target[path[0]]
    # In draft-07, what stands beside a reference counts for nothing.
    target = next(each for each in targets if "$ref" not in each or dialect_of(root) != DRAFT_7)
    taken = [_taken(source, path) for source in sources for path in paths]
    for says in filter(None, taken):
        _put(target, _moved(says, _OTHER))
    if any(map(_refers, taken)):
        root.setdefault("definitions", {})[_OTHER] = _moved(there.root, _OTHER)
    return root


def _taken(says: Mapping[str, Any], path: Path) -> dict[str, Any]:
    """Return what a subschema says at a path, and nothing else."""
    keyword, *names = path
    if keyword not in says or not names:
        return {keyword: says[keyword]} if keyword in says else {}
    value, (name,) = says[keyword], names
    if name not in value:
        return {}
    return {keyword: {name: value[name]} if isinstance(value, Mapping) else [name]}


def _remove(schema: dict[str, Any], path: Path) -> None:
    keyword, *names = path
    value = schema.get(keyword)
    if not names:
        schema.pop(keyword, None)
    elif isinstance(value, dict):
        value.pop(names[0], None)
    elif isinstance(value, list):
        schema[keyword] = [name for name in value if name != names[0]]


def _put(schema: dict[str, Any], says: Mapping[str, Any]) -> None:
    """Add to a subschema what another one says for one keyword."""
    ((keyword, value),) = says.items()
    if keyword not in schema:
        schema[keyword] = value
    elif keyword == "required":
        schema[keyword] = list(dict.fromkeys([*schema[keyword], *value]))
    elif keyword == "properties" and value.keys().isdisjoint(schema[keyword]):
        schema[keyword] |= value
    else:
        schema.setdefault("allOf", []).append(says)


def _found(root: Any, pointer: str) -> Any:
    for token in pointer.split("/")[1:]:
        key = token.replace("~1", "/").replace("~0", "~")
        root = root[int(key)] if isinstance(root, list) else root[key]
    return root


def _copy(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _copy(inner) for key, inner in value.items()}
    return [_copy(inner) for inner in value] if isinstance(value, list) else value


def _moved(schema: Any, shelf: str) -> Any:
    """Return a schema whose references lead to where its root stands now: under ``definitions``, as `shelf`."""
    if not isinstance(schema, dict):
        return schema
    copy: dict[str, Any] = {**cast("dict[str, Any]", rebuilt(schema, lambda inner, _: _moved(inner, shelf)))}
    copy.pop("$schema", None)
    copy.pop("$id", None)
    reference = copy.get("$ref")
    if isinstance(reference, str) and reference.startswith("#"):
        copy["$ref"] = f"#/definitions/{quote(escape(shelf))}{reference[1:]}"
    return copy


def _refers(schema: Schema) -> bool:
    return any(isinstance(inner, Mapping) and "$ref" in inner for _, inner in walk(schema))
