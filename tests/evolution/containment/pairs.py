"""Random pairs of small schemas, and the small documents by which brute force compares them."""

import itertools
import json
from random import Random

from hypothesis import strategies as st

DRAFT_7 = "http://json-schema.org/draft-07/schema#"
DRAFT_2019_09 = "https://json-schema.org/draft/2019-09/schema"
DRAFT_2020_12 = "https://json-schema.org/draft/2020-12/schema"
DIALECTS = {"draft-07": DRAFT_7, "2019-09": DRAFT_2019_09, "2020-12": DRAFT_2020_12}

SCALARS = [None, True, False, 0, 1, 2, 3, -1, 0.5, 1.5, 1.0, "", "a", "b", "ab", "aa", "ba", "abc", "é"]
DATES = ["2024-02-29", "2023-02-29", "2024-02-29T10:00:00Z", "10:00:00Z", "1b9d6bcd-bbfd-4b2d-9b5d-ab8dfbbd4bed"]
TYPES = ["null", "boolean", "integer", "number", "string", "array", "object"]
PATTERNS = ["a", "^a", "b$", "^a*$", "^(ab)*$", "[ab]", "^.$", "^(?!a)", "^$", "^[^a]+$", "a|^b"]
NAMES = ["a", "b", "ab"]


def documents():
    """The documents that stand for all."""
    found = [*SCALARS, *DATES, [], [[0]], [[1], [1]], [[1], [1.0, 2]], [{}, {}], [{"a": 1}], [0, "a", []], [1, 2, 3, 0]]
    found += [[item] for item in SCALARS[:12]]
    found += [list(items) for items in itertools.product((0, 1, True, "a", None, 0.5), repeat=2)]
    found += [list(items) for items in itertools.product((0, 1, "a"), repeat=3)]
    found += [[1, 2, 1, 2], [0, 0, 1, 1], [1, 1, 1, 1], ["a", "b", "a", None], [0, 1, 2, 3, 0]]
    for names in ((), ("a",), ("b",), ("ab",), ("c",), ("a", "b"), ("a", "c"), ("b", "ab"), ("ba", "bb")):
        values = itertools.product((0, 1, "a", None, [1], {"a": 1}, {"b": "a"}), repeat=len(names))
        found += [dict(zip(names, each, strict=True)) for each in values]
    found += [
        dict(zip(names, range(4), strict=False)) for names in (("a", "b", "ab"), ("a", "b", "c"), ("b", "c", "d"))
    ]
    found += [{"a": {"a": {"a": {}}}}, {"a": [{"a": 1}]}, [[[]]], [[], [[]]], {"a": {"b": {}}}, {"b": {"a": [0]}}]
    return found


DOCUMENTS = documents()


class Pairs:
    """Makes schemas of one dialect, by a source of chance."""

    def __init__(self, chance: Random, dialect: str) -> None:
        self.chance = chance
        self.dialect = dialect
        self.shelf = "definitions" if dialect == DRAFT_7 else "$defs"
        about = {
            "any": [self.any_type, self.listed, self.composed, self.composed, self.conditional, self.reference],
            "numbers": [self.bounds, self.multiple, self.bounds],
            "strings": [self.lengths, self.pattern, self.format],
            "arrays": [self.items, self.tuple, self.sizes("Items"), self.unique, self.contains, self.any_items],
            "objects": [
                self.properties,
                self.required,
                self.others,
                self.names,
                self.sizes("Properties"),
                self.dependencies,
                self.any_members,
            ],
        }
        themes = [about["any"] + about[kind] * 2 for kind in ("numbers", "strings", "arrays", "objects")]
        # Most pairs keep to one type, so that their keywords meet.
        self.keywords = self.one_of(
            *themes,
            [each for some in about.values() for each in some],
            about["any"] + about["arrays"] + about["objects"],
        )

    def one_of(self, *values):
        return values[self.chance.randrange(len(values))]

    def some(self, values, *sizes):
        return self.chance.sample(values, min(self.one_of(*sizes), len(values)))

    def pair(self):
        """Return two schemas; often the one is the other with something changed."""
        one = self.root()
        other = self.changed(one) if self.chance.random() < 0.6 else self.root()
        return (one, other) if self.chance.random() < 0.5 else (other, one)

    def root(self):
        return self.finished(self.schema(self.one_of(1, 2, 2, 3)))

    def finished(self, schema):
        schema = dict(schema) if isinstance(schema, dict) else {"allOf": [schema]}
        if '"$ref"' in json.dumps(schema):
            r, s = {"$ref": f"#/{self.shelf}/r"}, {"$ref": f"#/{self.shelf}/s"}
            leaf = self.schema(0)
            schema[self.shelf] = {
                "r": {
                    self.one_of("anyOf", "oneOf"): [
                        leaf,
                        self.one_of({"items": r, "type": "array"}, {"items": s, "type": "array", "uniqueItems": True}),
                        {"properties": {"a": self.one_of(r, s)}, "required": self.some(["a"], 0, 1), "type": "object"},
                    ]
                },
                "s": self.one_of(
                    {"type": "object", "additionalProperties": r},
                    {"type": ["array", "null"], "contains": s},
                    {"not": {"type": "array", "items": r}},
                ),
            }
        return schema if self.dialect == DRAFT_7 else {"$schema": self.dialect, **schema}

    def changed(self, schema):
        schema = json.loads(json.dumps(schema))
        more = self.schema(1)
        if not isinstance(more, dict) or '"$ref"' in json.dumps(more):
            return schema
        kept = {key: schema.pop(key) for key in (self.shelf, "$schema") if key in schema}
        if self.chance.random() < 0.5:
            return {**kept, self.one_of("allOf", "anyOf", "oneOf"): [schema, more]}
        return {**kept, **schema, **more}

    def schema(self, depth):
        if depth <= 0 or self.chance.random() < 0.1:
            return self.one_of(
                True, False, {}, {"type": "integer"}, {"type": "string"}, {"const": self.one_of(*SCALARS)},
                {"enum": self.some(SCALARS, 3)}, {"type": ["number", "null"]}, {"minimum": 1}, {"maxLength": 1},
                {"type": "object"}, {"type": "array"},
            )  # fmt: skip
        schema = {}
        for _ in range(self.one_of(1, 1, 2, 2, 3, 4)):
            schema.update(self.one_of(*self.keywords)(depth - 1))
        return schema

    def several(self, depth, *sizes):
        return [self.schema(depth) for _ in range(self.one_of(*sizes))]

    # ---- keywords

    def any_type(self, _):
        return {"type": self.one_of(self.one_of(*TYPES), self.some(TYPES, 2))}

    def listed(self, _):
        return self.one_of({"const": self.one_of(*DOCUMENTS)}, {"enum": self.some(DOCUMENTS, 3, 4)})

    def composed(self, depth):
        return self.one_of(
            {"allOf": self.several(depth, 2)},
            {"anyOf": self.several(depth, 1, 2, 3)},
            {"oneOf": self.several(depth, 1, 2, 3)},
            {"not": self.schema(depth)},
        )

    def conditional(self, depth):
        schema = {"if": self.schema(depth), "then": self.schema(depth), "else": self.schema(depth)}
        return {key: schema[key] for key in self.some(list(schema), 2, 3)}

    def reference(self, _):
        return {"$ref": self.one_of(f"#/{self.shelf}/r", f"#/{self.shelf}/s")}

    def bounds(self, _):
        keyword = self.one_of("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum")
        return {keyword: self.one_of(0, 0.5, 1, 2)}

    def multiple(self, _):
        return {"multipleOf": self.one_of(1, 2, 0.5, 3, 1.5)}

    def lengths(self, _):
        return {self.one_of("minLength", "maxLength"): self.one_of(0, 1, 2)}

    def pattern(self, _):
        return {"pattern": self.one_of(*PATTERNS)}

    def format(self, _):
        return {"format": self.one_of("date", "date-time", "time", "uuid")}

    def items(self, depth):
        return {"items": self.schema(depth)}

    def tuple(self, depth):
        first = self.several(depth, 1, 2, 3)
        if self.dialect == DRAFT_2020_12:
            return {"prefixItems": first, **self.one_of({}, {"items": self.schema(depth)})}
        return {"items": first, **self.one_of({}, {"additionalItems": self.schema(depth)})}

    def sizes(self, what):
        return lambda _: {self.one_of(f"min{what}", f"max{what}"): self.one_of(0, 1, 2, 3)}

    def unique(self, _):
        return {"uniqueItems": True}

    def contains(self, depth):
        if self.chance.random() < 0.3:
            return {"allOf": [{"contains": self.schema(depth)}, {"contains": self.schema(depth)}]}
        limits = (
            {}
            if self.dialect == DRAFT_7
            else {"minContains": self.one_of(0, 1, 2), "maxContains": self.one_of(0, 1, 2)}
        )
        return {"contains": self.schema(depth), **{key: limits[key] for key in self.some(list(limits), 0, 1, 2)}}

    def any_items(self, depth):
        if self.dialect == DRAFT_7:
            return {"not": {"uniqueItems": True}}
        return {"unevaluatedItems": self.schema(depth)}

    def any_members(self, depth):
        if self.dialect == DRAFT_7:
            return {"not": {"propertyNames": self.schema(0)}}
        return {"unevaluatedProperties": self.schema(depth)}

    def properties(self, depth):
        return {"properties": {name: self.schema(depth) for name in self.some(NAMES, 1, 2)}}

    def required(self, _):
        return {"required": self.some(["a", "b", "c"], 1, 2)}

    def others(self, depth):
        keyword = self.one_of("additionalProperties", "patternProperties", "patternProperties")
        schema = self.schema(depth)
        if keyword == "patternProperties":
            return {keyword: {pattern: self.schema(depth) for pattern in self.some(["a", "^a", "b$", "^.$", ""], 1, 2)}}
        return {keyword: schema}

    def names(self, _):
        schema = self.one_of(
            {"pattern": "^a"}, {"maxLength": 1}, {"enum": ["a", "b"]}, {"const": "a"}, False, self.schema(0)
        )
        return {"propertyNames": schema}

    def dependencies(self, depth):
        name, names, schema = self.one_of("a", "b"), self.one_of(["c"], ["a"]), self.schema(depth)
        older = {"dependencies": {name: self.one_of(names, schema)}}
        if self.dialect == DRAFT_7:
            return older
        return self.one_of(older, {"dependentRequired": {name: names}}, {"dependentSchemas": {name: schema}})


@st.composite
def pairs(draw, dialect):
    """Two schemas of a dialect."""
    return Pairs(draw(st.randoms(use_true_random=False)), dialect).pair()
