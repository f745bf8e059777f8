from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from jobarium_events.migrations.lint.knowledge.layers import layered

keys = st.integers(0, 60).map(str)
steps = st.lists(
    st.one_of(
        st.tuples(st.just("having"), keys, st.integers()),
        st.tuples(st.just("without"), st.lists(keys, max_size=3), st.none()),
    ),
    max_size=120,
)


@given(steps=steps, first=st.dictionaries(keys, st.integers(), max_size=40))
def test_layers_are_what_a_copied_mapping_would_be(steps, first):
    """Also those of before, which nothing changes any more."""
    now, plain = layered(first), dict(first)
    before = [(now, dict(plain))]
    for step, key, value in steps:
        if step == "having":
            now = now.having(key, value)
            plain[key] = value
        else:
            now = now.without(key)
            plain = {name: each for name, each in plain.items() if name not in key}
        before.append((now, dict(plain)))
    for layers, wanted in before:
        assert list(layers.items()) == list(wanted.items())
        assert len(layers) == len(wanted)
        assert all(layers.get(name) == wanted.get(name) for name in map(str, range(61)))
        assert all((name in layers) is (name in wanted) for name in map(str, range(61)))


def test_without_what_is_not_there_is_the_same():
    layers = layered({"a": 1})
    assert layers.without(["b"]) is layers
