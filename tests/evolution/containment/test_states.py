import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobarium_events.evolution.containment.atoms import (
    AllOf,
    Among,
    AnyOf,
    Literal,
    Longest,
    Member,
    Members,
    Named,
    Others,
    denied,
)
from jobarium_events.evolution.containment.states import Context, State
from tests.evolution.containment.meaning import holds, solver

SEARCH = solver()
SCHEMAS = [{"const": 1}, {"const": 2}, {"enum": [1, 2]}, {"type": "string"}, {"minimum": 2}, True, False]
NAMES = ["a", "b"]
VALUES = [1, 2, 3, "x"]
OBJECTS = [{}] + [{"a": one} for one in VALUES] + [{"b": one} for one in VALUES]
OBJECTS += [{"a": one, "b": other} for one in VALUES for other in VALUES]

literals = st.builds(Literal, st.sampled_from(SCHEMAS).map(SEARCH.nodes.plain), st.booleans())
selectors = st.one_of(
    st.builds(Named, st.sampled_from(NAMES)),
    st.builds(Others, st.frozensets(st.sampled_from(NAMES)), st.sampled_from([frozenset(), frozenset(["a"])])),
)
members = st.builds(Members, selectors, literals) | st.builds(Member, selectors, literals)
sets = st.frozensets(st.sampled_from("abc"), max_size=3)
formulas = st.recursive(
    members, lambda inner: st.builds(AllOf, st.tuples(inner, inner)) | st.builds(AnyOf, st.tuples(inner, inner))
)


def state(kind="object", *atoms):
    made = State(Context(SEARCH.formulas[kind], SEARCH.outlines))
    for atom in atoms:
        made.add(atom)
    return made


@given(st.lists(members, max_size=5), formulas)
def test_what_is_settled_of_members_is_so(atoms, formula):
    settled = state("object", *atoms).settled(formula)
    possible = [value for value in OBJECTS if holds(AllOf(tuple(atoms)), value)]
    if settled is not None:
        assert all(holds(formula, value) is settled for value in possible)


@given(st.lists(st.builds(Among, sets, st.booleans()), max_size=4), sets, st.booleans())
def test_what_is_settled_of_listed_values_is_so(atoms, values, sign):
    settled = state("string", *atoms).settled(Among(values, sign))
    possible = [value for value in "abcd" if holds(AllOf(tuple(atoms)), value)]
    if settled is not None:
        assert all(holds(Among(values, sign), value) is settled for value in possible)
    elif possible:
        assert len({holds(Among(values, sign), value) for value in possible}) == 2


def said(schema, *, sign=True):
    return Literal(SEARCH.nodes.plain(schema), sign)


ONE, THERE = Members(Named("t"), said({"const": 1})), Member(Named("t"), said(schema=True))


@pytest.mark.parametrize(
    ("atoms", "formula", "settled"),
    [
        ([ONE, THERE], Member(Named("t"), said({"const": 2}, sign=False)), True),
        ([ONE], Member(Named("t"), said({"const": 2}, sign=False)), None),
        ([ONE], Member(Named("t"), said({"const": 2})), False),
        ([ONE], Member(Named("t"), said({"enum": [1, 2]}, sign=False)), False),
        ([ONE, THERE], Members(Named("t"), said({"const": 2})), False),
        ([ONE], Members(Named("t"), said({"const": 2})), None),
        ([ONE], Members(Named("t"), said({"enum": [1, 2]})), True),
        ([Members(Others(frozenset("a"), frozenset()), said(schema=False))], THERE, False),
        ([Members(Others(frozenset("t"), frozenset()), said(schema=False))], THERE, None),
        ([ONE, THERE], said({"required": ["t"], "properties": {"t": {"const": 2}}}), False),
        ([ONE, THERE], said({"required": ["t"], "properties": {"t": {"enum": [1, 2]}}}), True),
        ([ONE, THERE], said({"required": ["t"], "properties": {"t": {"const": 2}}}, sign=False), True),
    ],
)  # fmt: skip
def test_what_is_known_of_a_member_settles_what_else_is_said_of_it(atoms, formula, settled):
    assert state("object", *atoms).settled(formula) is settled
    assert state("object", *atoms).settled(denied(formula)) is (None if settled is None else not settled)


def test_a_copy_goes_on_by_itself():
    one = state("object", ONE)
    other = one.copy()
    other.add(THERE)
    formula = Members(Named("t"), said({"const": 2}))
    assert (one.settled(formula), other.settled(formula)) == (None, False)
    assert list(one.atoms) == [ONE]


def either(*names):
    return AnyOf(tuple(said({"required": [each]} if isinstance(each, str) else {"required": each}) for each in names))


@pytest.mark.parametrize(
    ("choices", "least"),
    [
        ([either("a", "b"), either("c", "d")], 2),
        ([either("a", "b"), either("b", "c")], 1),
        ([either(["a", "b", "c"], ["d", "e"]), either("f", "g")], 3),
        ([either("t", "a"), either("b", "c")], 2),
        ([AnyOf((THERE, AllOf((said({"required": ["a"]}), said({"required": ["b"]})))))], 1),
        ([AnyOf((said({}), said({"required": ["a"]})))], 0),
        ([AnyOf((said({"required": ["b"]}, sign=False), said({"required": ["a"]})))], 0),
    ],
)  # fmt: skip
def test_members_that_no_other_alternatives_name_add_up(choices, least):
    def is_too_large(most, *atoms):
        made = state("object", Longest(most), *atoms)
        made.open = choices
        return made.is_too_large()

    assert [most for most in range(5) if is_too_large(most)] == list(range(least))
    assert is_too_large(0, THERE)
    unlimited = state("object")
    unlimited.open = choices
    assert not unlimited.is_too_large()
