"""Texts of TOML, read or refused with the line of their mistake."""

import pytest

from jobarium_events.catalog.toml import TomlError, read_toml


def test_a_document_is_read():
    assert read_toml('a = 1\n[b]\nc = "d"\n') == {"a": 1, "b": {"c": "d"}}


@pytest.mark.parametrize(
    ("text", "line", "told"),
    [
        ("a = 1\n\nb = c\n", 3, "is no valid TOML: this is no value; a text stands in quotation marks"),
        ('a = 1\nb = "c\n', 2, "is no valid TOML: a text does not end on its line; close its quotation mark"),
        ("a = 1\nb = [1,\n\n", 2, "is no valid TOML: "),
        ("a = 1\na = 2\n", 2, "has 'a' twice; keep one of them"),
        ("[a]\n\n[a]\n", 3, "has [a] twice; keep one of them"),
        ("a = " + "[" * 10_000, 1, "is no valid TOML: it nests too deeply"),
    ],
)
def test_what_is_none_is_told_with_its_line(text, line, told):
    with pytest.raises(TomlError) as raised:
        read_toml(text)
    assert raised.value.line == line
    assert raised.value.problem.startswith(told)
    assert str(raised.value) == f"{raised.value.problem} (at line {line})"
