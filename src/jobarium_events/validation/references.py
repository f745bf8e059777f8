"""What a schema's ``$ref`` point at. Nothing is ever fetched: a reference that leads out of the schema is an error."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, cast

from jobarium_events.errors import SchemaError
from jobarium_events.validation.dialects import DRAFT_7, DRAFT_2019_09, Schema, children, dialect_of, rebuilt

__all__ = ["bundled", "endless", "has_only_pointers", "lookup", "lost_references", "specifications", "walk"]

_RESOURCE_KEYWORDS = frozenset(("$anchor", "$dynamicAnchor", "$dynamicRef", "$recursiveRef", "$recursiveAnchor"))
# Keywords whose subschemas speak of the very value that the schema does.
_IN_PLACE = frozenset("allOf anyOf oneOf not if then else dependencies dependentSchemas".split())


def walk(schema: Schema, pointer: str = "") -> Iterator[tuple[str, Schema]]:
    """Yield every subschema, the schema itself first, with its JSON Pointer."""
    waiting = [(pointer, schema)]
    while waiting:
        here, subschema = waiting.pop()
        yield here, subschema
        waiting.extend((here + step, inner) for step, inner in children(subschema))


def lookup(root: Schema, reference: str) -> Schema:
    """Return the subschema of `root` that a reference of the form ``#/...`` or ``#`` names.

    Raises:
        SchemaError: If there is none.
    """
    place: Any = root
    for token in _unquoted(reference[1:]).split("/")[1:]:
        key = token.replace("~1", "/").replace("~0", "~")
        if isinstance(place, Mapping) and key in place:
            place = place[key]
        elif isinstance(place, list) and key.isascii() and key.isdigit() and int(key) < len(place):
            place = place[int(key)]
        else:
            raise SchemaError(f"$ref {reference!r} points at nothing in this schema")
    if not isinstance(place, Mapping | bool):
        raise SchemaError(f"$ref {reference!r} points at something that is no schema")
    return place


def specifications() -> Any:
    """Return the registry that holds the metaschemas of every dialect, and fetches nothing."""
    from jsonschema_specifications import REGISTRY  # type: ignore[import-untyped]  # noqa: PLC0415 - rarely needed

    return REGISTRY


def _unquoted(text: str) -> str:
    if "%" not in text:
        return text
    from urllib.parse import unquote  # noqa: PLC0415 - rarely needed, and not light

    return unquote(text)


def has_only_pointers(root: Schema) -> bool:
    """Whether every reference is a pointer into this same schema, so that any engine resolves it alike.

    Raises:
        SchemaError: If a reference leads out of the schema, or nowhere, or back to itself.
    """
    simple, errors = _survey(root)
    for error in errors:
        raise error
    return simple


def lost_references(root: Schema, *, valid: bool = True) -> list[SchemaError]:
    """Return what is wrong with each reference that leads out of the schema, or nowhere, or back to itself.

    Args:
        root: The schema.
        valid: Whether it is a valid schema otherwise; in one that is not, only pointers are followed.
    """
    if not valid and not all(_plain(pointer, subschema) for pointer, subschema in walk(root)):
        return []
    return list(_survey(root)[1])


def _survey(root: Schema) -> tuple[bool, Iterator[SchemaError]]:
    """Return whether every reference is a pointer to a subschema, and what is wrong with those that lead nowhere."""
    places = list(walk(root))
    if not all(_plain(pointer, subschema) for pointer, subschema in places):
        return False, _unresolvable(root)
    lost: list[SchemaError] = []
    targets: list[Schema] = []
    for pointer, subschema in places:
        reference = subschema.get("$ref") if isinstance(subschema, Mapping) else None
        if isinstance(reference, str):
            try:
                targets.append(lookup(root, reference))
            except SchemaError as error:
                lost.append(SchemaError(error.problem, f"{pointer}/$ref"))
    if lost or not targets:
        return True, iter(lost)
    known = {id(subschema) for _, subschema in places}
    if any(id(target) not in known for target in targets):
        # What stands outside every keyword is no schema to the walk; it may hold anything.
        return False, _unresolvable(root)
    return True, (
        SchemaError(f"$ref {subschema['$ref']!r} leads back to itself", f"{pointer}/$ref")
        for pointer, subschema in places
        if isinstance(subschema, Mapping) and "$ref" in subschema and _leads_back(root, subschema)
    )


def endless(root: Schema) -> bool:
    """Whether a value can be checked to any depth: by a reference around itself, or by a comparison of whole values.

    The references of `root` must all be pointers.
    """
    references: dict[str, set[str]] = {}
    for _, subschema in walk(root):
        if isinstance(subschema, Mapping):
            compared = [*subschema.get("enum", ()), subschema.get("const")]
            if subschema.get("uniqueItems") or any(isinstance(value, list | dict) for value in compared):
                return True
            if "$ref" in subschema:
                inside = walk(lookup(root, subschema["$ref"]))
                references[subschema["$ref"]] = {
                    inner["$ref"] for _, inner in inside if isinstance(inner, Mapping) and "$ref" in inner
                }
    return any(_reaches_itself(reference, references) for reference in references)


def _reaches_itself(start: str, references: Mapping[str, set[str]]) -> bool:
    seen: set[str] = set()
    waiting = [start]
    while waiting:
        onward = references[waiting.pop()] - seen
        if start in onward:
            return True
        seen |= onward
        waiting += onward
    return False


def _plain(pointer: str, subschema: Schema) -> bool:
    """Whether a subschema neither names a place for references nor refers to one by anything but a pointer."""
    if not isinstance(subschema, Mapping):
        return True
    identifier = subschema.get("$id")
    if isinstance(identifier, str) and (pointer or "#" in identifier.rstrip("#")):
        return False
    reference = subschema.get("$ref")
    if isinstance(reference, str) and not (reference == "#" or reference.startswith("#/")):
        return False
    return _RESOURCE_KEYWORDS.isdisjoint(subschema)


def _leads_back(root: Schema, start: Mapping[str, Any]) -> bool:
    """Whether a schema contains itself without a step into the value, so that no check of it would end."""
    seen: set[int] = set()
    waiting: list[Schema] = [start]
    while waiting:
        schema = waiting.pop()
        if not isinstance(schema, Mapping):
            continue
        inner = [sub for step, sub in children(schema) if step.split("/", 2)[1] in _IN_PLACE]
        if "$ref" in schema:
            if dialect_of(root) == DRAFT_7:
                inner.clear()  # there, what stands beside a reference is ignored
            inner.append(lookup(root, schema["$ref"]))
        if any(each is start for each in inner):
            return True
        waiting += [each for each in inner if id(each) not in seen]
        seen.update(map(id, inner))
    return False


def _unresolvable(root: Schema) -> Iterator[SchemaError]:
    """Resolve every reference within the schema and the well-known metaschemas; yield an error for each that fails."""
    specification, start = _resolver(root)
    waiting: list[tuple[str, Any, Any]] = [("", root, start)]
    followed: set[int] = set()
    while waiting:
        pointer, contents, scope = waiting.pop()
        for keyword in ("$ref", "$dynamicRef"):
            reference = contents.get(keyword) if isinstance(contents, Mapping) else None
            if isinstance(reference, str):
                try:
                    target = _target(scope, reference, f"{pointer}/{keyword}")
                except SchemaError as error:
                    yield error
                    continue
                if id(target.contents) not in followed:
                    followed.add(id(target.contents))
                    waiting.append((f"{pointer}/{keyword}", target.contents, target.resolver))
        for step, inner in children(contents):
            waiting.append((pointer + step, inner, scope.in_subresource(specification.create_resource(inner))))


def bundled(root: Schema) -> Schema:
    """Return a schema that means the same and whose ``$ref`` are all pointers into it.

    ``$dynamicRef`` and ``$recursiveRef``, whose targets depend on how a check got there, are left as they are.

    Raises:
        SchemaError: If a reference leads out of the schema, or nowhere, or back to itself.
    """
    if not isinstance(root, Mapping) or has_only_pointers(root):
        return root
    specification, start = _resolver(root)
    shelf: dict[str, Schema] = {}
    names: dict[int, str] = {}

    def copied(schema: Schema, scope: Any) -> Schema:
        if not isinstance(schema, Mapping):
            return schema
        copy = dict(
            rebuilt(  # type: ignore[arg-type]
                schema,
                lambda inner, _: copied(inner, scope.in_subresource(specification.create_resource(inner))),
            )
        )
        for name in ("$id", "$anchor"):
            copy.pop(name, None)
        if isinstance(reference := schema.get("$ref"), str):
            target = _target(scope, reference, "/$ref")
            if id(target.contents) not in names:
                name = names[id(target.contents)] = str(len(names))
                shelf[name] = copied(target.contents, target.resolver)
            copy["$ref"] = f"#/definitions/{names[id(target.contents)]}"
        return copy

    whole = cast("Mapping[str, Any]", copied(root, start))
    return {**whole, "definitions": shelf}


def _resolver(root: Schema) -> tuple[Any, Any]:
    """Return the specification of a schema's dialect, and what resolves its references."""
    # Rarely needed, and slower to import than all the rest together.
    from referencing import Resource  # noqa: PLC0415
    from referencing.jsonschema import DRAFT7, DRAFT201909, DRAFT202012  # noqa: PLC0415

    specification = {DRAFT_7: DRAFT7, DRAFT_2019_09: DRAFT201909}.get(dialect_of(root), DRAFT202012)
    resource: Resource[Any] = Resource.from_contents(root, default_specification=specification)
    registry = specifications().with_resource(resource.id() or "", resource)
    return specification, registry.resolver_with_root(resource)


def _target(scope: Any, reference: str, pointer: str) -> Any:
    from referencing.exceptions import Unresolvable  # noqa: PLC0415

    try:
        return scope.lookup(reference)
    except (Unresolvable, LookupError, ValueError):
        raise SchemaError(
            f"{pointer.rsplit('/', 1)[1]} {reference!r} leads out of this schema; nothing is fetched, so copy its "
            "target into the schema and refer to it as '#/definitions/...'",
            pointer,
        ) from None
