"""Hypothesis strategies: schemas of both kinds of dialect, and documents that fit them, nearly fit them, or do not."""

import copy
from typing import Any

from hypothesis import strategies as st

DRAFT_7 = "http://json-schema.org/draft-07/schema#"
DRAFT_2020_12 = "https://json-schema.org/draft/2020-12/schema"

NAMES = [
    "a", "b", "date", "time", "datetime", "uuid", "UUID", "Struct", "Meta", "Any", "field", "field_", "str", "int",
    "list", "dict", "type", "class", "None", "self", "__init__", "__struct_fields__", "_", "a-b", "a_b", "a.b", "a[0]",
    "a/b~c", "", "é", "ﬁ", "fi", "2nd", "{x}", "{", '"', "'''", '"""', "\\", "\n", "$ref", "$id", "id", "replay", "A",
    "x\x00y", "ClassVar", "UNSET", "Literal", "Payload", "PayloadA", "import os", "😀",
]  # fmt: skip
PATTERNS = [
    "^a",
    "b$",
    "^[a-c]+$",
    r"\d",
    r"^\w{2}$",
    "[^b]",
    "a|b",
    "^$",
    r"\S",
    ".",
    "^.a",
    r"[\d-]",
    '"',
    r"\\",
    "é",
]
FORMATTED = {
    "uuid": ["1b9d6bcd-bbfd-4b2d-9b5d-ab8dfbbd4bed", "1B9D6BCDBBFD4B2D9B5DAB8DFBBD4BED", "{1}", "1b9d6bcd"],
    "date-time": ["2024-02-29T10:00:00Z", "2024-02-29 10:00:00+02:00", "2024-02-30T10:00:00Z", "2024-02-29T10:00:00"],
    "date": ["2024-02-29", "2023-02-29", "2024-1-1"],
    "time": ["10:00:00Z", "10:00:00", "23:59:60Z", "10:00:00.5+01:00"],
    "email": ["a@b.c", "no"],
}

names = st.sampled_from(NAMES)
texts = st.one_of(
    st.sampled_from(["", "a", "b", "ab", "abc", "a\n", "b\n", "é", "😀", "3", "٣", "\u2028", "a\\", '"', *NAMES]),
    st.sampled_from([text for examples in FORMATTED.values() for text in examples]),
    st.text(max_size=4),
)
numbers = st.one_of(
    st.integers(-6, 6),
    st.sampled_from([1.0, 0.5, -1.5, 0.3, 19.99, 2**53, 2**53 + 1, 2**63, 2**64, -(2**63), 10**30, 1e300, 1e16, -0.0]),
    st.floats(-10, 10, allow_nan=False, allow_subnormal=False),
)
scalars = st.one_of(st.none(), st.booleans(), numbers, texts)
documents = st.recursive(
    scalars,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(names, inner, max_size=4)),
    max_leaves=8,
)


class Schemas:
    """Draws one schema: `typed` keeps to what the typed engine expresses, else anything goes."""

    def __init__(self, draw: Any, dialect: str, *, typed: bool) -> None:
        self.draw = draw
        self.dialect = dialect
        self.typed = typed
        self.definitions = "definitions" if dialect == DRAFT_7 else "$defs"
        self.defined = draw(
            st.lists(st.sampled_from(["A", "a", "b c", "x/y~z", "UUID", "None", "2"]), unique=True, max_size=3)
        )

    def one_of(self, *values: Any) -> Any:
        return self.draw(st.sampled_from(values))

    def chance(self, of: int) -> bool:
        return self.draw(st.integers(1, of)) == 1

    def root(self) -> Any:
        schema = self.schema(3)
        if not isinstance(schema, dict):
            schema = {}
        if self.defined:
            schema[self.definitions] = {name: self.record(2) for name in self.defined}
        if self.dialect != DRAFT_7 or self.chance(2):
            schema["$schema"] = self.dialect
        return schema

    def schema(self, depth: int) -> Any:
        leaves = [self.text, self.number, self.listed, self.simple]
        inner = [self.record, self.array, self.map, self.nullable, self.tagged, self.reference]
        if not self.typed:
            leaves += [self.boolean, self.loose]
            inner += [self.alternatives, self.all_of, self.conditional, self.loose_object, self.loose_array]
        elif depth > 0 and self.chance(6):
            return self.all_of(depth)
        make = self.draw(st.sampled_from(leaves + inner * 2 if depth > 0 else leaves))
        schema = make(depth)
        if isinstance(schema, dict) and self.chance(6):
            schema["description"] = self.one_of(
                'a "quoted" """ text', "back\\slash\\", "new\nline\x00", "{brace}", "'" * 3, "é"
            )
        return schema

    def text(self, _: int) -> Any:
        schema: dict[str, Any] = {"type": "string"}
        if self.chance(3):
            return {**schema, "format": self.one_of(*FORMATTED)}
        if self.chance(3):
            schema["minLength"] = self.one_of(0, 1, 2, 1.0)
        if self.chance(3):
            schema["maxLength"] = self.one_of(1, 3, 10**20)
        if self.chance(3):
            schema["pattern"] = self.one_of(*PATTERNS)
        return schema

    def number(self, _: int) -> Any:
        schema: dict[str, Any] = {"type": self.one_of("integer", "number")}
        for keyword in ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"):
            if self.chance(4):
                schema[keyword] = self.one_of(-2, 0, 3, 1.5, 2.0, 2**53, 2**53 - 1, -(2**63), 2**63 - 1, 10**30)
        if self.chance(4):
            schema["multipleOf"] = self.one_of(1, 2, 3, 2.0) if self.typed else self.one_of(2, 0.5, 0.1, 0.01, 3)
        return schema

    def listed(self, _: int) -> Any:
        if self.typed:
            values = self.draw(
                st.lists(st.one_of(texts, st.integers(-3, 3), st.none()), min_size=1, max_size=4, unique_by=repr)
            )
        else:
            values = self.draw(st.lists(documents, min_size=1, max_size=4, unique_by=repr))
        keyword = self.one_of("enum", "const", "x-extensible-enum")
        schema = {keyword: values[0] if keyword == "const" else values}
        if self.chance(2):
            schema["type"] = self.one_of("string", ["string", "null"], ["string", "integer", "null"])
        return schema

    def simple(self, _: int) -> Any:
        return {
            "type": self.one_of(
                "null", "boolean", "string", "object", "array", ["string", "null"], ["integer", "boolean"]
            )
        }

    def boolean(self, _: int) -> Any:
        return self.one_of(True, False)

    def loose(self, _: int) -> Any:
        return self.one_of(
            {},
            {"minimum": 2},
            {"minLength": 1},
            {"not": {"type": "string"}},
            {"format": "date"},
            {"type": ["number", "string"], "minimum": 1, "maxLength": 2},
            {"contentEncoding": "base64"},
            {"contentMediaType": "application/json", "type": "string"},
            {"default": {"$ref": "http://nowhere.invalid/x"}},
        )

    def record(self, depth: int) -> dict[str, Any]:
        properties = {name: self.schema(depth - 1) for name in self.draw(st.lists(names, max_size=5, unique=True))}
        schema: dict[str, Any] = {"type": "object", "properties": properties}
        required = [name for name in properties if self.chance(2)]
        if required or self.chance(4):
            schema["required"] = required
        if self.chance(8):
            schema["required"] = [*required, "missing"]
        if self.chance(5):
            schema["additionalProperties"] = self.one_of(True, False)
        return schema

    def array(self, depth: int) -> Any:
        schema = {"type": "array", "items": self.schema(depth - 1)}
        if self.chance(3):
            schema["minItems"] = self.one_of(0, 1, 2)
        if self.chance(3):
            schema["maxItems"] = self.one_of(1, 2, 3)
        return schema

    def map(self, depth: int) -> Any:
        schema = {"type": "object", "additionalProperties": self.schema(depth - 1)}
        if self.chance(3):
            schema["minProperties"] = 1
        if self.chance(3):
            schema["maxProperties"] = 2
        return schema

    def nullable(self, depth: int) -> Any:
        return {self.one_of("anyOf", "oneOf"): [self.schema(depth - 1), {"type": "null"}]}

    def tagged(self, depth: int) -> Any:
        branches = []
        for value in self.draw(st.lists(names, min_size=2, max_size=3, unique=True)):
            branch = self.record(depth - 1)
            branch["properties"]["kind"] = {"const": value} if self.chance(2) else {"type": "string", "enum": [value]}
            branch["required"] = list({*branch.get("required", ()), "kind"})
            branches.append(branch)
        return {self.one_of("oneOf", "anyOf"): branches}

    def reference(self, depth: int) -> Any:
        if not self.defined:
            return self.record(depth)
        name = self.one_of(*self.defined).replace("~", "~0").replace("/", "~1").replace(" ", self.one_of(" ", "%20"))
        schema = {"$ref": f"#/{self.definitions}/{name}"}
        return {**schema, "description": "beside"} if self.chance(4) else schema

    def all_of(self, depth: int) -> Any:
        parts = [self.record(depth - 1) if self.typed or self.chance(2) else self.schema(depth - 1) for _ in range(2)]
        if self.defined and self.chance(2):
            parts.append(self.reference(depth))
        return {"allOf": parts, **(self.record(depth - 1) if self.chance(2) else {})}

    def alternatives(self, depth: int) -> Any:
        branches = [self.schema(depth - 1) for _ in range(self.draw(st.integers(1, 3)))]
        return {self.one_of("anyOf", "oneOf"): branches, **(self.record(depth - 1) if self.chance(3) else {})}

    def conditional(self, depth: int) -> Any:
        schema = {"if": self.schema(depth - 1), "then": self.schema(depth - 1), "else": self.schema(depth - 1)}
        schema = {key: value for key, value in schema.items() if key == "if" or self.chance(2)}
        return {**schema, **(self.record(depth - 1) if self.chance(2) else {})}

    def loose_object(self, depth: int) -> Any:
        schema = self.record(depth - 1)
        extras: dict[str, Any] = {
            "patternProperties": {self.one_of(*PATTERNS): self.schema(depth - 1)},
            "propertyNames": self.one_of({"maxLength": 2}, {"pattern": "^a"}, True),
            "additionalProperties": self.schema(depth - 1),
            "minProperties": 1,
            "maxProperties": 3,
            "not": {"required": ["b"]},
        }
        # The later dialects dropped it; some engines did not.
        extras["dependencies"] = {"a": ["b"], "date": self.schema(depth - 1)}
        if self.dialect != DRAFT_7:
            extras["dependentRequired"] = {"a": ["b"]}
            extras["dependentSchemas"] = {"date": self.schema(depth - 1)}
            extras["unevaluatedProperties"] = False
        return {**schema, **{key: value for key, value in extras.items() if self.chance(4)}}

    def loose_array(self, depth: int) -> Any:
        extras: dict[str, Any] = {"uniqueItems": True, "contains": self.schema(depth - 1), "minItems": 1}
        if self.dialect == DRAFT_7:
            extras["items"] = [self.schema(depth - 1), self.schema(depth - 1)]
            extras["additionalItems"] = self.schema(depth - 1)
        else:
            extras["prefixItems"] = [self.schema(depth - 1)]
            extras["items"] = self.schema(depth - 1)
            extras["minContains"] = 2
            extras["unevaluatedItems"] = False
        return {"type": "array", **{key: value for key, value in extras.items() if self.chance(2)}}


@st.composite
def schemas(draw: Any, *, typed: bool | None = None, dialect: str | None = None) -> dict[str, Any]:
    """A schema; of a random dialect and kind where it is not told."""
    dialect = dialect or draw(st.sampled_from([DRAFT_7, DRAFT_2020_12]))
    typed = draw(st.booleans()) if typed is None else typed
    return Schemas(draw, dialect, typed=typed).root()


@st.composite
def fitting(draw: Any, root: Any) -> Any:
    """A document that is meant to fit the schema; with luck it does."""
    return Documents(draw, root).fitting(root)


class Documents:
    """Draws one document for a schema."""

    def __init__(self, draw: Any, root: Any) -> None:
        self.draw = draw
        self.root = root

    def fitting(self, schema: Any, depth: int = 5) -> Any:
        if depth < 0 or not isinstance(schema, dict):
            return self.draw(documents)
        if "$ref" in schema:
            return self.fitting(self.target(schema["$ref"]), depth - 1)
        if "const" in schema:
            return copy.deepcopy(schema["const"])
        if listed := schema.get("enum") or schema.get("x-extensible-enum"):
            return copy.deepcopy(self.draw(st.sampled_from(listed)))
        if branches := schema.get("anyOf") or schema.get("oneOf"):
            rest = {key: value for key, value in schema.items() if key not in ("anyOf", "oneOf")}
            return self.together([rest, self.draw(st.sampled_from(branches))], depth)
        if "allOf" in schema:
            rest = {key: value for key, value in schema.items() if key != "allOf"}
            return self.together([rest, *schema["allOf"]], depth)
        types = schema.get("type")
        return self.typed(schema, self.draw(st.sampled_from(types)) if isinstance(types, list) else types, depth)

    def target(self, reference: str) -> Any:
        place = self.root
        for token in reference.split("/")[1:]:
            place = place[token.replace("%20", " ").replace("~1", "/").replace("~0", "~")]
        return place

    def together(self, parts: list[Any], depth: int) -> Any:
        values = [self.fitting(part, depth - 1) for part in parts if part]
        if all(isinstance(value, dict) for value in values):
            return {name: inner for value in values for name, inner in value.items()}
        return values[-1] if values else None

    def typed(self, schema: dict[str, Any], kind: str | None, depth: int) -> Any:
        match kind:
            case "object":
                return self.record(schema, depth)
            case "array":
                items = schema.get("items", True)
                items = items[0] if isinstance(items, list) else items
                count = self.draw(st.integers(schema.get("minItems", 0), 2))
                return [self.fitting(items, depth - 1) for _ in range(count)]
            case "string" if schema.get("format") in FORMATTED:
                return self.draw(st.sampled_from(FORMATTED[schema["format"]]))
            case _:
                return self.draw(SIMPLE.get(kind or "", documents))

    def record(self, schema: dict[str, Any], depth: int) -> Any:
        properties, required = schema.get("properties", {}), schema.get("required", ())
        present = [name for name in properties if name in required or self.draw(st.booleans())]
        value = {name: self.fitting(properties[name], depth - 1) for name in present}
        value |= {name: self.draw(documents) for name in required if name not in value}
        if "properties" not in schema:
            for name in self.draw(st.lists(names, max_size=2)):
                value[name] = self.fitting(schema.get("additionalProperties", True), depth - 1)
        return value


SIMPLE: dict[str, st.SearchStrategy[Any]] = {
    "string": texts,
    "integer": st.one_of(st.integers(-6, 6), st.just(2.0), numbers),
    "number": numbers,
    "null": st.none(),
    "boolean": st.booleans(),
}


@st.composite
def mutated(draw: Any, document: Any) -> Any:
    """A document that differs from the given one in one place or two."""
    document = copy.deepcopy(document)
    for _ in range(draw(st.integers(1, 2))):
        if isinstance(document, dict) and document and draw(st.booleans()):
            name = draw(st.sampled_from(sorted(document)))
            match draw(st.integers(0, 2)):
                case 0:
                    del document[name]
                case 1:
                    document[name] = draw(documents)
                case _:
                    document[name] = draw(mutated(document[name]))
        elif isinstance(document, dict):
            document[draw(names)] = draw(documents)
        elif isinstance(document, list) and document:
            index = draw(st.integers(0, len(document) - 1))
            document[index] = draw(mutated(document[index]))
        else:
            document = draw(documents)
    return document


@st.composite
def cases(draw: Any, *, typed: bool | None = None, count: int = 6) -> tuple[dict[str, Any], list[Any]]:
    """A schema with documents: some that are meant to fit, some nearly so, some at random."""
    schema = draw(schemas(typed=typed))
    found = []
    for _ in range(count // 3):
        document = draw(fitting(schema))
        found += [document, draw(mutated(document)), draw(documents)]
    return schema, found
