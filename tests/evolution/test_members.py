"""A field or item that one contract names, and another covers with many others, is still the same one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobarium_events.evolution.members import Rank, keys, member
from jobarium_events.validation.places import place_of
from tests.evolution.test_meanings import changed, fields
from tests.strategies import CONTRACTS, few, some

CENTS, DOLLARS, BARE = ({"type": "integer", **said} for said in ({"description": "c"}, {"description": "d"}, {}))
LATER = {"$schema": "https://json-schema.org/draft/2020-12/schema"}


def prices(named=None, **more):
    """A payload whose field `m` is an object, or a list."""
    return fields(m={**({"properties": named} if named else {}), **more})


def rest(schema):
    return {"additionalProperties": schema}


def by_pattern(**schemas):
    return {"patternProperties": {pattern.replace("_", "^"): schema for pattern, schema in schemas.items()}}


# A part, the whole that it is cut out of, and where the part is described in the one that has it.
PARTS = {
    "a field of a map": (lambda said: prices({"usd": said}, **rest(CENTS)), prices(**rest(CENTS)), "properties/usd"),
    "a field of a pattern": (
        lambda said: prices({"usd": said}, **by_pattern(_u=CENTS)),
        prices(**by_pattern(_u=CENTS)),
        "properties/usd",
    ),
    "a pattern of a map": (
        lambda said: prices(**by_pattern(_u=said), **rest(CENTS)),
        prices(**rest(CENTS)),
        "patternProperties/^u",
    ),
    "a pattern of a pattern": (
        lambda said: prices(**by_pattern(_u=CENTS, _us=said)),
        prices(**by_pattern(_u=CENTS)),
        "patternProperties/^us",
    ),
    "an item of a list": (
        lambda said: prices(items=[said], additionalItems=CENTS),
        prices(items=CENTS),
        "items/0",
    ),
    "an item of what follows": (
        lambda said: prices(items=[{}, said], additionalItems=CENTS),
        prices(items=[{}], additionalItems=CENTS),
        "items/1",
    ),
    "an item of a later dialect": (
        lambda said: {**LATER, **prices(prefixItems=[said], items=CENTS)},
        {**LATER, **prices(items=CENTS)},
        "prefixItems/0",
    ),
    "a field of what is not evaluated": (
        lambda said: {**LATER, **prices({"usd": said}, unevaluatedProperties=CENTS)},
        {**LATER, **prices(unevaluatedProperties=CENTS)},
        "properties/usd",
    ),
    "a field of a field": (
        lambda said: prices({"usd": fields(a=said)}, **rest(fields(a=CENTS))),
        prices(**rest(fields(a=CENTS))),
        "properties/usd/properties/a",
    ),
    "a field of a branch": (
        lambda said: prices(**rest(CENTS), anyOf=[fields(usd=said)]),
        prices(**rest(CENTS)),
        "anyOf/0/properties/usd",
    ),
    "a field of a definition": (
        lambda said: {**prices({"usd": {"$ref": "#/definitions/u"}}, **rest(CENTS)), "definitions": {"u": said}},
        prices(**rest(CENTS)),
        "",
    ),
}


@pytest.mark.parametrize("name", PARTS)
def test_a_part_may_not_mean_something_else_than_the_whole(name):
    part, whole, pointer = PARTS[name]
    place = f"/properties/m/{pointer}" if pointer else "/definitions/u"
    assert changed(whole, part(DOLLARS)).keys() == {f"{place}/description"}
    assert changed(part(DOLLARS), whole)
    assert changed(whole, part(CENTS)) == changed(part(CENTS), whole) == {}


def test_to_say_nothing_of_a_part_is_to_say_something_else():
    assert changed(prices(**rest(CENTS)), prices({"usd": BARE}, **rest(CENTS))) == {
        "/properties/m/additionalProperties/description": "was"
    }


@pytest.mark.parametrize("whole", [{}, rest({}), rest(True), rest(BARE), by_pattern(_u=BARE), {"items": BARE}])
def test_where_nothing_is_said_of_the_whole_a_part_is_new(whole):
    listed = {**whole, "items": [DOLLARS], "additionalItems": BARE}
    part = prices(**listed) if "items" in whole else prices({"usd": DOLLARS}, **whole)
    assert changed(prices(**whole), part) == changed(part, prices(**whole)) == {}


def test_a_branch_may_say_what_is_not_said_of_the_whole():
    old = prices(**rest(BARE))
    new = prices(**rest(BARE), anyOf=[fields(usd=DOLLARS)])
    assert changed(old, new) == changed(new, old) == {}


def test_what_was_not_covered_is_new():
    assert changed(prices(**rest(False)), prices({"usd": DOLLARS})) == {}
    assert changed(prices(items=[CENTS]), prices(items=[CENTS, DOLLARS])) == {}
    assert changed(prices(**rest(CENTS)), prices({"usd": False}, **rest(CENTS))) == {}
    evaluated = {**LATER, **prices(unevaluatedProperties=CENTS, anyOf=[fields(usd=DOLLARS), {}])}
    named = {**LATER, **prices({"usd": DOLLARS}, unevaluatedProperties=CENTS, anyOf=[fields(usd=DOLLARS), {}])}
    assert changed(evaluated, named) == {}


@pytest.mark.parametrize("pattern", ["^usd$", "", "s"])
def test_a_pattern_may_not_describe_a_published_field_otherwise(pattern):
    old = prices({"usd": CENTS})
    place = f"/properties/m/patternProperties/{pattern}/description"
    assert changed(old, prices({"usd": CENTS}, patternProperties={pattern: DOLLARS})) == {place: "is"}
    assert changed(prices({"usd": CENTS}, patternProperties={pattern: DOLLARS}), old) == {place: "was"}
    assert changed(old, prices({"usd": CENTS}, patternProperties={pattern: CENTS})) == {}
    assert changed(old, prices({"usd": CENTS}, patternProperties={pattern: BARE})) == {}
    assert changed(old, prices({"usd": CENTS}, patternProperties={"^eur": DOLLARS})) == {}


def test_a_pattern_may_be_written_otherwise():
    old, new = (lambda said, pattern=each: prices(patternProperties={pattern: said}) for each in ("^u", "^u.*"))
    assert changed(old(CENTS), new(CENTS)) == {}
    assert changed(old(CENTS), new(DOLLARS)) == {"/properties/m/patternProperties/^u.*/description": "wasis"}
    assert changed(old(BARE), new(DOLLARS)) == {}
    assert changed(old(CENTS), new(BARE)) == {"/properties/m/patternProperties/^u/description": "was"}


def test_a_pattern_or_a_rest_may_not_describe_the_field_of_a_branch_otherwise():
    old = {"anyOf": [fields(usd=CENTS)]}
    assert changed(old, {**old, **by_pattern(_u=DOLLARS)}) == {"/patternProperties/^u/description": "is"}
    assert changed(old, {**old, **rest(DOLLARS)}) == {"/additionalProperties/description": "is"}
    assert changed(old, {**old, **rest(CENTS)}) == {}


# ---- contains


@pytest.mark.parametrize("least", [{}, {"minContains": 0}])
def test_some_items_may_not_be_described_otherwise(least):
    def some_of(said, each=CENTS):
        return {**LATER, **prices(items=each, contains=said, **least)}

    old = {**LATER, **prices(items=CENTS)}
    assert changed(old, some_of(DOLLARS)) == {"/properties/m/contains/description": "is"}
    assert changed(some_of(DOLLARS), old) == {"/properties/m/contains/description": "was"}
    assert changed(old, some_of(CENTS)) == changed(old, some_of(BARE)) == {}
    fielded = {**LATER, **prices(items=fields(a=CENTS))}
    assert changed(fielded, some_of(fields(a=DOLLARS), fields(a=CENTS))) == {
        "/properties/m/contains/properties/a/description": "is"
    }
    assert changed(fielded, some_of(fields(b=DOLLARS), fields(a=CENTS))) == {}


def test_items_of_a_kind_that_there_was_not_may_be_described():
    new = prices(items=CENTS, contains={"type": "string", "description": "Not known."})
    assert changed(prices(items=CENTS), new) == {}


def test_a_branch_may_not_describe_some_items_otherwise():
    old = prices(items=fields(a=CENTS))
    new = prices(items=fields(a=CENTS), anyOf=[{"contains": fields(a=DOLLARS)}, {}])
    assert changed(old, new) == {"/properties/m/anyOf/0/contains/properties/a/description": "is"}


# ---- conditions of several parts


def conditions(*kinds):
    """A payload that means something else by `score` for each kind, each told in a part of its own."""
    parts = [
        {
            "if": {"properties": {"kind": {"const": kind}}, "required": ["kind"]},
            "then": fields(score={"description": said}),
        }
        for kind, said in kinds
    ]
    listed = {"x-extensible-enum": [kind for kind, _ in kinds]}
    return {**fields(kind=listed, score={"type": "number"}), "required": ["kind"], "allOf": parts}


def test_each_part_has_conditions_of_its_own():
    paid, free, lost = ("paid", "Cents."), ("free", "Points."), ("lost", "Days.")
    assert changed(conditions(paid, free), conditions(free, paid)) == {}
    assert changed(conditions(paid, free), conditions(lost, paid, free)) == {}
    assert changed(conditions(paid, free), conditions(paid, ("free", "Cents."))) == {
        "/allOf/1/then/properties/score/description": "wasis"
    }
    assert changed(conditions(paid, free), conditions(("paid", "Points."), ("free", "Cents."))) == {
        "/allOf/0/then/properties/score/description": "wasis",
        "/allOf/1/then/properties/score/description": "wasis",
    }
    known = {**conditions(paid, free), "properties": conditions(paid, free, lost)["properties"]}
    assert changed(known, conditions(paid, free, lost)) == {"/allOf/2/then/properties/score/description": "is"}


def test_each_part_has_branches_of_its_own():
    def parts(*lists):
        return {
            "allOf": [{"anyOf": [fields(a={"const": each, "description": each}) for each in names]} for names in lists]
        }

    assert changed(parts(["a", "b"], ["c", "d"]), parts(["c", "d"], ["b", "a"])) == {}


# ---- whatever the form


NAMES = ["a", "ab", "abc", "b"]
PATTERNS = ["^a", "b$", "^a.*c$", "", "^b?$"]


def forms(rests):
    """Ways to speak of an object's members in one or two parts: which are named, which have a pattern, and the rest."""
    names = st.lists(st.sampled_from(NAMES), unique=True)
    patterns = st.lists(st.sampled_from(PATTERNS), unique=True, max_size=2)
    first, second = st.tuples(names, patterns, st.just(True)), st.tuples(names, patterns, rests)
    return st.tuples(first) | st.tuples(first, second)


COVERING = forms(st.just(True))


def written(parts, said):
    """A schema of that form; `said` gives what is said by part and by name, pattern or, as "*", the rest."""
    schemas = [
        {
            "properties": {name: said(i, name) for name in named},
            "patternProperties": {pattern: said(i, f"/{pattern}") for pattern in patterns},
            **({"additionalProperties": said(i, "*")} if has_rest else {}),
        }
        for i, (named, patterns, has_rest) in enumerate(parts)
    ]
    return fields(m={**schemas[0], "allOf": schemas[1:]})


@given(forms(st.booleans()), forms(st.booleans()))
@some
def test_the_same_words_may_move_between_names_patterns_and_the_rest(one, other):
    assert changed(written(one, lambda *_: CENTS), written(other, lambda *_: CENTS)) == {}


@given(COVERING, COVERING, st.data())
@some
def test_other_words_are_seen_wherever_they_are_said(one, other, data):
    places = [
        (i, at) for i, (named, patterns, _) in enumerate(other) for at in (*named, *map("/{}".format, patterns), "*")
    ]
    chosen = data.draw(st.sampled_from(places))
    new = written(other, lambda *place: DOLLARS if place == chosen else CENTS)
    assert changed(written(one, lambda *_: CENTS), new)


@given(COVERING, COVERING)
@some
def test_where_nothing_was_said_nothing_has_changed(one, other):
    named = {name for part in one for name in part[0]}
    new = written(other, lambda _, at: DOLLARS if at in NAMES and at not in named else BARE)
    assert changed(written(one, lambda *_: BARE), new) == {}


@given(st.sampled_from(CONTRACTS), st.integers(0, 3))
@few
def test_a_new_field_of_a_bundled_contract_means_what_it_likes(each, count):
    more = {f"new_{i}": {"description": f"Something else, {i}."} for i in range(count)}
    assert changed(each.schema, {**each.schema, "properties": {**each.schema["properties"], **more}}) == {}


# ---- members


def test_the_members_that_tell_places_apart():
    one = place_of({"properties": {"a": {}, "bb": {}}, "items": [{}, {}]})
    assert keys([one]) == ["a", "bb", "___", 0, 1, 2]
    assert keys([place_of({})]) == ["_", 0]


def test_where_patterns_differ_there_is_a_name_for_each_way_in_which_they_overlap():
    place = place_of(by_pattern(_a={}, _ab={}, _c={}))
    found = [member(place, name) for name in keys([place, place_of({})]) if isinstance(name, str)]
    every = {frozenset(each.place.pointers) if each else frozenset() for each in found}
    a, ab, c = (f"/patternProperties/^{each}" for each in ("a", "ab", "c"))
    assert every == {frozenset(each) for each in ([], [a], [a, ab], [c])}


def test_a_member_that_is_forbidden_or_not_spoken_of_is_none():
    place = place_of({"properties": {"a": False, "b": True}, "additionalProperties": False})
    assert member(place, "a") is member(place, "c") is member(place, 0) is None
    assert member(place, "b").rank is Rank.NAMED
