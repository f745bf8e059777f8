"""YAML that says what JSON does."""

import json

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from jobarium_events.exports import as_json, as_yaml
from tests.exports.catalogs import HOSTILE
from tests.strategies import many

words = st.sampled_from(
    ["on", "No", "null", "~", "<<", "1", "1e3", "0x1", "- a", "a: b", "a #b", "", "$ref", "x-y", "=", *HOSTILE]
)
texts = words | st.text(st.characters(exclude_categories=["Cs"]), max_size=6)
numbers = st.integers(-(10**30), 10**30) | st.floats(allow_nan=False, allow_infinity=False)
documents = st.recursive(
    st.none() | st.booleans() | numbers | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=12,
)


@given(document=documents)
@many
def test_every_document_reads_as_it_was(document):
    assert json.loads(as_json(document)) == document
    assert repr(yaml.safe_load(as_yaml(document))) == repr(document)


def test_how_it_looks():
    document = {"name": "a: b", "on": True, "items": [1, {"x-y": "é", "b": []}, [[], {}]], "empty": {}, "$ref": None}
    assert as_yaml(document).decode() == (
        'name: "a: b"\n'
        '"on": true\n'
        "items:\n"
        "  - 1\n"
        '  - x-y: "é"\n'
        "    b: []\n"
        "  - - []\n"
        "    - {}\n"
        "empty: {}\n"
        '"$ref": null\n'
    )


@pytest.mark.parametrize("written", [as_json, as_yaml])
def test_members_keep_their_order(written):
    assert written({"b": 1, "a": 2}).index(b"b") < written({"b": 1, "a": 2}).index(b"a")
