import pytest
from hypothesis import given

from jobarium_events.evolution.containment.atoms import AllOf, Literal
from jobarium_events.evolution.containment.expanding import Expansion
from jobarium_events.evolution.containment.formulas import TYPES, type_of
from tests.evolution.containment.meaning import holds, solver
from tests.evolution.containment.pairs import DIALECTS, DOCUMENTS, pairs
from tests.strategies import examples


def leaves(goal, kind, search=None):
    return list(Expansion(search or solver(), kind).leaves(goal))


@examples(50)
@given(pairs(DIALECTS["draft-07"]))
def test_a_value_satisfies_a_goal_exactly_if_it_satisfies_one_of_its_leaves(schemas):
    search = solver()
    goal = [Literal(search.nodes.root(schema), holds=sign) for schema, sign in zip(schemas, (True, False), strict=True)]
    sets = {kind: leaves(goal, kind, search) for kind in TYPES}
    for value in DOCUMENTS:
        wanted = all(holds(literal, value) for literal in goal)
        assert any(holds(AllOf(atoms), value) for atoms in sets[type_of(value)]) is wanted


def event(number):
    return {
        "type": "object",
        "required": ["kind"],
        "properties": {"kind": {"const": f"k{number}"}, "value": {"minimum": number}},
    }


@pytest.mark.parametrize("keyword", ["anyOf", "oneOf"])
def test_a_union_of_tagged_records_is_told_apart_without_trying_all_that_they_could_be(keyword):
    search = solver(steps=5_000)
    records = [event(number) for number in range(20)]
    union = Literal(search.nodes.root({keyword: records}), holds=True)
    other = Literal(search.nodes.root({keyword: records[::-1]}), holds=False)
    assert leaves([union, other], "object", search) == []


def test_what_contradicts_itself_has_no_leaves():
    search = solver(steps=20)
    node = search.nodes.root({"anyOf": [{"minimum": number} for number in range(50)]})
    assert leaves([Literal(node, holds=True), Literal(node, holds=False)], "number", search) == []


def test_what_is_settled_leaves_no_choice():
    search = solver(steps=2_000)
    choice = {
        "allOf": [{"not": {"required": [f"f{i}"]}} for i in range(30)],
        "anyOf": [{"required": [f"f{i}"]} for i in range(30)],
    }
    assert leaves([Literal(search.nodes.root(choice), holds=True)], "object", search) == []
    chain = [{"if": {"required": [f"f{i}"]}, "then": {"required": [f"f{i + 1}"]}} for i in range(30)]
    goal = [Literal(search.nodes.root({"allOf": chain, "required": ["f0"]}), holds=True)]
    (atoms,) = leaves(goal, "object", search)
    assert len(atoms) == 31
