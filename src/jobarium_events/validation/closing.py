"""The closed form of a schema, by which producers validate.

`closed` adds to a schema, wherever it describes an object by ``properties``, that the object has no other fields, and
turns every ``x-extensible-enum`` into an ``enum``. It only ever adds constraints, so whatever the closed form
accepts, the schema itself accepts too. An object without ``properties`` is a free-form map and stays open, and so
does one that says anything about ``additionalProperties`` or ``unevaluatedProperties`` itself.

Names that any part of a composition (``allOf``, ``anyOf``, ``oneOf``, ``if``, ``$ref`` ...) declares for an object, by
``properties`` or by ``required``, count as declared. Where the branches of ``oneOf`` or ``anyOf`` exclude each other,
by type or by a constant tag, each is closed by itself, so a field of another branch is refused too. What stands under
``not``, ``if``, ``contains`` or a ``oneOf`` whose branches may overlap is left open: there, a narrower subschema could
make the whole wider.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import combinations
from typing import Any, cast

from jobarium_events.validation.dialects import ASSERTING, DRAFT_7, Schema, children, dialect_of, rebuilt
from jobarium_events.validation.merging import Unmergeable, merged
from jobarium_events.validation.references import lookup, walk

__all__ = ["closed", "constant_tag", "types_of"]

# Keywords whose subschemas describe a value inside, one that is closed by itself.
_INSIDE = frozenset(
    "additionalItems additionalProperties items patternProperties prefixItems properties "
    "unevaluatedItems unevaluatedProperties".split()
)
# Keywords under which narrowing a subschema may widen the whole, or means nothing.
_NEVER = frozenset("contains contentSchema if not propertyNames".split())
# Keywords that hold subschemas for references, and say nothing themselves.
_SHELVES = frozenset(("$defs", "definitions"))
_OWN_SAY = ("additionalProperties", "unevaluatedProperties")


def closed(root: Schema) -> Schema:
    """Return the closed form of `root`, whose references must all be pointers; `root` is left as it is."""
    root = _unshared(root)
    return _Closing(root).site(root)


def _unshared(schema: Schema) -> Schema:
    """Return a copy in which no two places have one object: below, a place is known by its object's identity."""
    return rebuilt(schema, lambda inner, _: _unshared(inner))


class _Closing:
    def __init__(self, root: Schema) -> None:
        self.root = root
        self.ref_stands_alone = dialect_of(root) == DRAFT_7
        self.untouchable = self._untouchable()
        self.shut_in_place = self._referred_to_alone()

    def site(self, schema: Schema) -> Schema:
        """Close a schema that describes a value by itself."""
        inner = self.inner(schema)
        if not isinstance(schema, Mapping) or id(schema) in self.untouchable:
            return inner
        if self._is_reference(schema) and id(lookup(self.root, schema["$ref"])) in self.shut_in_place:
            return inner
        return self._shut(schema, cast("Mapping[str, Any]", inner), ())

    def inner(self, schema: Schema) -> Schema:
        """Close what is inside the value, but not the value itself."""
        if not isinstance(schema, Mapping) or id(schema) in self.untouchable:
            return schema

        def change(subschema: Schema, keyword: str) -> Schema:
            if keyword in _NEVER:
                return subschema
            by_itself = keyword in _INSIDE or (keyword in _SHELVES and id(subschema) in self.shut_in_place)
            return self.site(subschema) if by_itself else self.inner(subschema)

        copy = dict(cast("Mapping[str, Any]", rebuilt(schema, change)))
        extensible = copy.pop("x-extensible-enum", None)
        if isinstance(extensible, list):
            if "enum" in copy:
                copy["allOf"] = [*copy.get("allOf", ()), {"enum": extensible}]
            else:
                copy["enum"] = extensible
        return copy

    def _shut(self, schema: Mapping[str, Any], inner: Mapping[str, Any], around: Iterable[str]) -> Mapping[str, Any]:
        """Add to `inner` that the object has only the names that `schema` declares, and those of what is `around`."""
        parts = list(self._parts(schema))
        if not any("properties" in part for part in parts) or any(say in part for part in parts for say in _OWN_SAY):
            return inner
        if self.ref_stands_alone and "$ref" in schema:
            # Nothing beside the reference counts, but other references may lead to what stands there.
            silent = {key: value for key, value in inner.items() if key not in ASSERTING}
            inner = {**silent, "allOf": [{"$ref": schema["$ref"]}]}
        for keyword in ("oneOf", "anyOf"):
            if keyword in inner and self._exclusive(inner[keyword]):
                rest = {key: value for key, value in schema.items() if key != keyword}
                names = [*around, *self._names(self._parts(rest))]
                branches = [
                    self._shut(before, after, names) if isinstance(before, Mapping) else after
                    for before, after in zip(schema[keyword], inner[keyword], strict=True)
                ]
                return {**inner, keyword: branches}
        properties = inner.get("properties", {})
        others = {name: True for name in (*self._names(parts), *around) if name not in properties}
        shut = {**inner, "properties": {**properties, **others}, "additionalProperties": False}
        if patterns := {name: True for part in parts for name in part.get("patternProperties", ())}:
            shut["patternProperties"] = {**patterns, **inner.get("patternProperties", {})}
        return shut

    @staticmethod
    def _names(parts: Iterable[Mapping[str, Any]]) -> list[str]:
        return [name for part in parts for name in (*part.get("properties", ()), *part.get("required", ()))]

    def _exclusive(self, branches: list[Schema]) -> bool:
        if constant_tag(self.root, branches) is not None:
            return True
        types = [types_of(_resolved(self.root, branch)) for branch in branches]
        return all(one and other and not one & other for one, other in combinations(types, 2))

    def _parts(self, schema: Schema, seen: tuple[int, ...] = ()) -> Iterator[Mapping[str, Any]]:
        """Yield the schema and every subschema that describes the same value."""
        if not isinstance(schema, Mapping) or id(schema) in seen:
            return
        seen = (*seen, id(schema))
        if "$ref" in schema:
            yield from self._parts(lookup(self.root, schema["$ref"]), seen)
            if self.ref_stands_alone:
                return
        yield schema
        for keyword in ("allOf", "anyOf", "oneOf"):
            for part in schema.get(keyword, ()):
                yield from self._parts(part, seen)
        for keyword in ("if", "then", "else"):
            yield from self._parts(schema.get(keyword, True), seen)
        for keyword in ("dependencies", "dependentSchemas"):
            for part in schema.get(keyword, {}).values():
                if isinstance(part, Mapping):
                    yield from self._parts(part, seen)

    def _is_reference(self, schema: Mapping[str, Any]) -> bool:
        """Whether all that the schema says is a reference."""
        return "$ref" in schema and (self.ref_stands_alone or ASSERTING.intersection(schema) == {"$ref"})

    def _referred_to_alone(self) -> frozenset[int]:
        """Return the identities of the targets that describe a value by themselves, wherever they are referred to."""
        targets: set[int] = set()
        composed: set[int] = set()
        waiting: list[tuple[Schema, bool]] = [(self.root, True)]
        while waiting:
            schema, by_itself = waiting.pop()
            if not isinstance(schema, Mapping):
                continue
            if "$ref" in schema:
                target = lookup(self.root, schema["$ref"])
                if by_itself and self._is_reference(schema):
                    targets.add(id(target))
                else:
                    composed.update(id(part) for part in self._parts(target))
            for step, inner in children(schema):
                waiting.append((inner, step.split("/", 2)[1] in _INSIDE | _SHELVES))
        return frozenset(targets - composed - self.untouchable)

    def _untouchable(self) -> frozenset[int]:
        """Return the identities of the subschemas that must stay as they are, with all that they refer to."""
        waiting: list[Schema] = []
        for _, subschema in walk(self.root):
            if isinstance(subschema, Mapping):
                waiting.extend(subschema[keyword] for keyword in _NEVER if keyword in subschema)
                if "oneOf" in subschema and not self._exclusive(subschema["oneOf"]):
                    waiting.extend(subschema["oneOf"])
        found: set[int] = set()
        while waiting:
            for _, subschema in walk(waiting.pop()):
                if isinstance(subschema, Mapping) and id(subschema) not in found:
                    found.add(id(subschema))
                    if "$ref" in subschema:
                        waiting.append(lookup(self.root, subschema["$ref"]))
        return frozenset(found)


def types_of(schema: Mapping[str, Any] | None) -> frozenset[str]:
    """Return the JSON types that ``type`` names, with ``integer`` as ``number``; none if it does not say."""
    named = schema.get("type", ()) if schema else ()
    return frozenset("number" if name == "integer" else name for name in ([named] if isinstance(named, str) else named))


def constant_tag(root: Schema, branches: object) -> tuple[str, tuple[str, ...]] | None:
    """Return the field, and each branch's value of it, by which exactly one branch can hold; None if there is none.

    Each branch must be an object schema that requires the field and fixes it to a string of its own.
    """
    if not isinstance(branches, list) or len(branches) == 1:
        return None
    resolved = [_resolved(root, branch) for branch in branches]
    for name in (resolved[0] or {}).get("properties", {}):
        values = [_constant(branch, name) for branch in resolved]
        distinct = {value for value in values if value is not None}
        if len(distinct) == len(values):
            return name, tuple(str(value) for value in values)
    return None


def _resolved(root: Schema, branch: Schema) -> Mapping[str, Any] | None:
    """Return a branch with its references and its ``allOf`` merged into it; None where that cannot be said."""
    if not isinstance(branch, Mapping):
        return None
    try:
        return merged(root, branch, ref_stands_alone=dialect_of(root) == DRAFT_7)
    except Unmergeable:
        return None


def _constant(branch: Mapping[str, Any] | None, name: str) -> str | None:
    if branch is None or branch.get("type") != "object" or name not in branch.get("required", ()):
        return None
    field = branch.get("properties", {}).get(name)
    if not isinstance(field, Mapping) or field.get("type", "string") != "string":
        return None
    if len(ASSERTING.intersection(field) - {"type"}) != 1:
        return None
    values = [field["const"]] if "const" in field else field.get("enum", ())
    return values[0] if len(values) == 1 and isinstance(values[0], str) else None
