"""Reads a schema into a shape. See `shapes` for what *exact* means."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, cast

import msgspec

from jobarium_events.validation import formats
from jobarium_events.validation.closing import constant_tag
from jobarium_events.validation.dialects import ASSERTING, ASSERTIONS, COMPOSING, DRAFT_7, Schema, dialect_of
from jobarium_events.validation.merging import Unmergeable, merged
from jobarium_events.validation.naming import ClassNames, class_name
from jobarium_events.validation.references import lookup
from jobarium_events.validation.shapes import (
    AnyValue,
    Array,
    Boolean,
    Field,
    Formatted,
    Literals,
    Map,
    Null,
    Number,
    Record,
    Reference,
    Shape,
    Text,
    Union,
)

__all__ = ["Reading", "read"]

_SAFE = 2**53  # beyond it, not every integer is a double
_INT64 = 2**63


class Reading(msgspec.Struct, frozen=True):
    """What was read from a schema.

    Attributes:
        shape: Of a value that the schema accepts.
        exact: Whether the shape says all that the schema does.
    """

    shape: Shape
    exact: bool


def read(root: Schema, name: str) -> Reading:
    """Read a schema whose references are all pointers; `name` is for the outermost record's class."""
    reader = _Reader(root, class_name(name))
    shape = reader.shape(root, reader.name)
    return Reading(shape, reader.exact)


class _Reader:
    def __init__(self, root: Schema, name: str) -> None:
        self.root = root
        self.name = name
        self.exact = True
        self.ref_stands_alone = dialect_of(root) == DRAFT_7
        self.names = ClassNames()
        # The records being read or read already, by the identity of what they are read from.
        self.records: dict[str, Record] = {}
        self.following: list[str] = []

    def wider(self, shape: Shape | None = None) -> Shape:
        """Note that the shape does not say all."""
        self.exact = False
        return AnyValue() if shape is None else shape

    def shape(self, schema: Schema, name: str) -> Shape:
        if not isinstance(schema, Mapping):
            return AnyValue() if schema else self.wider()
        schema = self._relevant(schema)
        if "$ref" in schema or "allOf" in schema:
            return self._composed(schema, name)
        for keyword in ("oneOf", "anyOf"):
            if keyword in schema:
                return self._alternatives(schema, keyword, name)
        if "const" in schema or "enum" in schema:
            return self._listed(schema, name)
        if "not" in schema or "if" in schema:
            self.exact = False
        types = schema.get("type")
        if types is None:
            asserting = ASSERTING.intersection(schema) - {"then", "else"}
            asserting -= {"format"} if schema.get("format") not in formats.TYPES else set()
            return self.wider() if asserting else AnyValue()
        return self._typed(schema, [types] if isinstance(types, str) else list(types), name)

    def _merged(self, schema: Mapping[str, Any]) -> dict[str, Any]:
        return merged(self.root, schema, ref_stands_alone=self.ref_stands_alone)

    def _relevant(self, schema: Mapping[str, Any]) -> dict[str, Any]:
        if self.ref_stands_alone and "$ref" in schema:
            return {"$ref": schema["$ref"]}
        return {key: value for key, value in schema.items() if key in ASSERTING or key in ("description", "title")}

    def _composed(self, schema: Mapping[str, Any], name: str) -> Shape:
        """Read ``$ref`` and ``allOf`` with what stands beside them, as one schema."""
        reference = schema.get("$ref")
        if reference is not None and not (ASSERTING.intersection(schema) - {"$ref"}):
            return self._referred(reference, name)
        try:
            whole = self._relevant(self._merged(schema))
        except Unmergeable:
            return self.wider()
        return self._once(whole, name)

    def _referred(self, reference: str, name: str) -> Shape:
        target = lookup(self.root, reference)
        if not isinstance(target, Mapping):
            return self.shape(target, name)
        # The root's name in front keeps the classes of two contracts apart in one module.
        last = class_name(self.name, reference.rsplit("/", 1)[-1]) if "/" in reference else self.name
        return self._once(self._relevant(target), last)

    def _once(self, schema: dict[str, Any], name: str) -> Shape:
        """Read a schema that may contain itself: a record refers to itself, anything else is cut off."""
        identity = _identity(schema)
        if identity in self.following and identity not in self.records:
            return self.wider()
        self.following.append(identity)
        try:
            return self.shape(schema, name)
        finally:
            self.following.pop()

    def _alternatives(self, schema: Mapping[str, Any], keyword: str, name: str) -> Shape:
        branches = list(schema[keyword])
        around = {key: value for key, value in schema.items() if key != keyword}
        try:
            if ASSERTING.intersection(around):
                branches = [self._merged({"allOf": [around, branch]}) for branch in branches]
        except Unmergeable:
            return self.wider()
        if len(branches) == 1:
            return self.shape(branches[0], name)
        tag = constant_tag(self.root, branches)
        if tag is not None:
            return self._tagged(branches, *tag, name)
        members = [self.shape(branch, f"{name}{chr(65 + i)}" if i < 26 else name) for i, branch in enumerate(branches)]  # noqa: PLR2004
        return self._union(members)

    def _tagged(self, branches: list[Schema], tag: str, values: tuple[str, ...], name: str) -> Shape:
        members: list[Shape] = []
        for branch, value in zip(branches, values, strict=True):
            whole = self._relevant(self._merged(cast(Mapping[str, Any], branch)))
            if not _is_record(whole):
                return self.wider()
            members.append(self._record(whole, class_name(name, value), (tag, value)))
        return Union(tuple(members), "tagged")

    def _union(self, members: Sequence[Shape]) -> Shape:
        flat: list[Shape] = []
        for member in members:
            flat.extend(member.members if isinstance(member, Union) and member.kind == "disjoint" else [member])
        kinds = [kind for member in flat for kind in _kinds(member)]
        if any(isinstance(member, AnyValue) for member in flat) or len(set(kinds)) < len(kinds):
            return self.wider()
        if "object" in kinds or "array" in kinds:
            # In a union with a container, a pattern makes msgspec (0.20 to 0.22 at least) corrupt its memory.
            flat = [
                self.wider(Text()) if isinstance(each, Text) and each.pattern is not None else each for each in flat
            ]
        return flat[0] if len(flat) == 1 else Union(tuple(flat))

    def _listed(self, schema: Mapping[str, Any], name: str) -> Shape:
        values = [_integral(value) for value in ([schema["const"]] if "const" in schema else schema["enum"])]
        types = schema.get("type")
        if types is not None:
            allowed = [types] if isinstance(types, str) else types
            values = [value for value in values if any(_has_type(value, kind) for kind in allowed)]
        others = ASSERTING.intersection(schema) - {"type", "const" if "const" in schema else "enum"}
        if "format" in others and schema["format"] not in formats.TYPES:
            others -= {"format"}
        listable = all(
            value is None or isinstance(value, str) or (type(value) is int and abs(value) < _INT64) for value in values
        )
        if values and listable:
            shape: Shape = Literals(tuple(dict.fromkeys(values)))
            return self.wider(shape) if others else shape
        if not others and sorted(map(repr, values)) == ["False", "True"]:
            return Boolean()
        rest = {key: value for key, value in schema.items() if key not in ("const", "enum")}
        return self.wider(self.shape(rest, name))

    def _typed(self, schema: Mapping[str, Any], types: list[str], name: str) -> Shape:
        if "number" in types:
            types = [kind for kind in types if kind != "integer"]
        return self._union([self._of_type(schema, kind, name) for kind in dict.fromkeys(types)])

    def _of_type(self, schema: Mapping[str, Any], kind: str, name: str) -> Shape:
        match kind:
            case "null":
                return Null()
            case "boolean":
                return Boolean()
            case "integer" | "number":
                return self._number(schema, integer=kind == "integer")
            case "string":
                return self._text(schema)
            case "array":
                return self._array(schema, name)
            case _:
                return self._object(schema, name)

    def _number(self, schema: Mapping[str, Any], *, integer: bool) -> Shape:
        lower, upper = schema.get("minimum"), schema.get("maximum")
        above, below = schema.get("exclusiveMinimum"), schema.get("exclusiveMaximum")
        multiple = schema.get("multipleOf")
        bounds = [bound for bound in (lower, upper, above, below) if bound is not None]
        if any(abs(bound) >= (_INT64 - 1 if integer else _SAFE) for bound in bounds):
            return self.wider(Number(integer))
        if integer:
            lower, upper = _least(lower, above), _greatest(upper, below)
            above = below = None
        else:
            if lower is not None and above is not None:
                lower, above = (None, above) if above >= lower else (lower, None)
            if upper is not None and below is not None:
                upper, below = (None, below) if below <= upper else (upper, None)
        if multiple is not None:
            if multiple != int(multiple) or abs(multiple) >= _SAFE:
                return self.wider(Number(integer, lower, above, upper, below))
            if not integer:  # a double beyond the safe range is no exact multiple of anything
                lower = 1 - _SAFE if lower is None and above is None else lower
                upper = _SAFE - 1 if upper is None and below is None else upper
            multiple = int(multiple)
        return Number(integer, lower, above, upper, below, multiple)

    def length(self, schema: Mapping[str, Any], keyword: str) -> int | None:
        value = schema.get(keyword)
        if value is not None and value > _SAFE:
            self.exact = False
            return None
        return None if value is None else int(value)

    def _text(self, schema: Mapping[str, Any]) -> Shape:
        text = Text(self.length(schema, "minLength"), self.length(schema, "maxLength"), schema.get("pattern"))
        kind = schema.get("format")
        if kind not in formats.TYPES:
            return text
        return Formatted(kind) if text == Text() else self.wider(Formatted(kind))

    def _array(self, schema: Mapping[str, Any], name: str) -> Shape:
        items = schema.get("items", True)
        if isinstance(items, list):
            return self.wider(Array(AnyValue()))
        expressed = {"items", "minItems", "maxItems"} | ({"additionalItems"} if "items" in schema else set())
        extra = (ASSERTIONS["array"] - expressed).intersection(schema)
        if extra and not (extra == {"uniqueItems"} and schema["uniqueItems"] is False):
            self.exact = False
        if "prefixItems" in schema:
            return self.wider(Array(AnyValue()))
        return Array(self.shape(items, f"{name}Item"), self.length(schema, "minItems"), self.length(schema, "maxItems"))

    def _object(self, schema: Mapping[str, Any], name: str) -> Shape:
        if "properties" in schema or "required" in schema:
            return self._record(schema, name)
        extra = ASSERTIONS["object"] - {"additionalProperties", "minProperties", "maxProperties"}
        if extra.intersection(schema):
            return self.wider(Map(AnyValue()))
        value = schema.get("additionalProperties", True)
        if value is False:
            return self.wider(Map(AnyValue()))
        return Map(
            self.shape(value, f"{name}Value"),
            self.length(schema, "minProperties"),
            self.length(schema, "maxProperties"),
        )

    def _record(self, schema: Mapping[str, Any], name: str, tag: tuple[str, str] | None = None) -> Shape:
        if not _nameable(schema):
            return self.wider(Map(AnyValue()))
        identity = _identity(schema, tag)
        if identity in self.records:
            return Reference(self.records[identity])
        record = Record(self.names.new(name), description=schema.get("description", schema.get("title", "")), tag=tag)
        self.records[identity] = record
        expressed = {"properties", "required", "additionalProperties"}
        others = schema.get("additionalProperties", True)
        if (ASSERTIONS["object"] - expressed).intersection(schema) or others not in (True, False):
            self.exact = False
        record.closed = others is False and "patternProperties" not in schema
        properties = schema.get("properties", {})
        required = schema.get("required", ())
        for field, inner in {**properties, **{each: True for each in required if each not in properties}}.items():
            if tag is not None and field == tag[0]:
                continue
            if inner is False or (field not in properties and others is False):
                self.exact = False
            shape = self.shape(inner, class_name(name, field))
            description = inner.get("description", inner.get("title", "")) if isinstance(inner, Mapping) else ""
            record.fields.append(Field(field, shape, field in required, description))
        return record


def _identity(schema: Mapping[str, Any], tag: tuple[str, str] | None = None) -> str:
    return repr((schema, tag))


def _is_record(schema: Schema) -> bool:
    return (
        isinstance(schema, Mapping)
        and schema.get("type") == "object"
        and ("properties" in schema or "required" in schema)
        and not COMPOSING.intersection(schema)
        and _nameable(schema)
    )


def _integral(value: Any) -> Any:
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _nameable(schema: Mapping[str, Any]) -> bool:
    """Whether the typed engine can have a field for every property: it escapes no name in its JSON."""
    names = (*schema.get("properties", ()), *schema.get("required", ()))
    return not any(char in '"\\' or char < " " for name in names for char in name)


def _kinds(shape: Shape) -> list[str]:
    """The families of types of which a union may have one member each, so that its members exclude each other."""
    match shape:
        case Literals(values):
            return [{str: "text", int: "number", type(None): "null"}[kind] for kind in {type(v) for v in values}]
        case Text() | Formatted():
            return ["text"]
        case Map() | Record() | Reference() | Union():
            return ["object"]
        case _:
            return [type(shape).__name__.lower()]


def _has_type(value: Any, kind: str) -> bool:
    if kind in ("integer", "number"):
        whole = isinstance(value, int) or (isinstance(value, float) and value.is_integer())
        return not isinstance(value, bool) and (whole or (kind == "number" and isinstance(value, float)))
    return isinstance(value, {"null": type(None), "boolean": bool, "string": str, "array": list, "object": dict}[kind])


def _least(inclusive: float | None, exclusive: float | None) -> int | None:
    bounds = [math.ceil(inclusive)] if inclusive is not None else []
    if exclusive is not None:
        bounds.append(math.floor(exclusive) + 1)
    return max(bounds, default=None)


def _greatest(inclusive: float | None, exclusive: float | None) -> int | None:
    bounds = [math.floor(inclusive)] if inclusive is not None else []
    if exclusive is not None:
        bounds.append(math.ceil(exclusive) - 1)
    return min(bounds, default=None)
