"""Texts that stay texts in a page of MDX."""

import re

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from jobarium_events.exports.mdx import code, escaped, page
from tests.exports.catalogs import HOSTILE
from tests.strategies import many

WITH_MEANING = set("\\`*_{}[]<>#+|~&$:!=^-")
texts = st.lists(st.sampled_from([*WITH_MEANING, *HOSTILE, "import ", "1.", "[[", "a", " ", "\n"])).map("".join)


def shown(line):
    """What a reader of Markdown makes of an escaped text."""
    line = re.sub(r"^&#([0-9]+);", lambda found: chr(int(found[1])), line)
    return re.sub(r"\\([!-/:-@\[-`{-~])", r"\1", line).replace("\u2060", "")


@given(text=texts | st.text())
@many
def test_nothing_in_a_text_means_anything(text):
    line = escaped(text)
    plain = re.sub(r"\\.", "", re.sub(r"^&#[0-9]+;", "", line))
    assert not WITH_MEANING & set(plain)
    assert "\n" not in line
    assert not re.match(r"import|export|[0-9]+[.)]", line)
    assert "[[" not in line.replace("\\", "")
    assert shown(line) == re.sub(r"[\x00-\x08\x0e-\x1f\x7f-\x9f\u2060]", "", " ".join(visible(text)))


def visible(text):
    """The words of a text, without what no page shows."""
    return re.sub(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]", "", text).split()


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("Sent when a job's {status} is set.", r"Sent when a job's \{status\} is set."),
        ("import x", "&#105;mport x"),
        ("important", "important"),
        ("12. of June", "&#49;2. of June"),
        ("", ""),
        ("a\n\n# b", r"a \# b"),
    ],
)
def test_how_it_is_escaped(text, line):
    assert escaped(text) == line


def test_a_block_of_code_is_not_ended_by_what_is_in_it():
    lines = code({"a": "```\n````", "```": ["~~~"]}).splitlines()
    assert lines[0] == "```json"
    assert [line for line in lines if line.lstrip().startswith("`")] == [lines[0], lines[-1]]


@pytest.mark.parametrize("text", HOSTILE)
def test_frontmatter_is_not_ended_by_what_is_in_it(text):
    _, front, body = page({"id": text, text: [text]}, ["", "one", "two"]).decode().split("---\n", 2)
    assert yaml.safe_load(front) == {"id": text, text: [text]}
    assert body == "\none\n\ntwo\n"
