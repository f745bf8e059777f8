"""Markdown with TOML front matter."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobarium_events.evolution.frontmatter import FrontMatterError, parse


def test_tables_and_sections_are_taken_apart():
    page = parse('+++\nid = "a"\n+++\nBefore.\n\n## One\n\ntext\n\n### Below\n\n## Two ##\n')
    assert page.tables == {"id": "a"}
    assert page.sections == {"": "Before.", "One": "text\n\n### Below", "Two": ""}


def test_line_ends_and_a_byte_order_mark_of_windows_make_no_difference():
    assert parse("\ufeff+++\r\na = 1\r\n+++\r\n## One\r\ntext\r\n") == parse("+++\na = 1\n+++\n## One\ntext\n")


def test_a_comment_is_no_text():
    assert parse("+++\n+++\n## One\n<!-- what\nto write -->\n").sections == {"One": ""}


@pytest.mark.parametrize("fence", ["```", "~~~~"])
def test_a_heading_in_code_is_no_heading(fence):
    page = parse(f"+++\n+++\n## One\n{fence}text\n## no heading\n{fence}\n## Two\nx\n")
    assert list(page.sections) == ["One", "Two"]


def test_a_section_that_stands_there_twice_is_named_and_keeps_both_texts():
    page = parse("+++\n+++\n## One\na\n## Two\nb\n## One\nc\n")
    assert page.repeated == ("One",)
    assert page.sections["One"] == "a\nc"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "does not begin with front matter"),
        ("## One\n", "does not begin with front matter"),
        ('+++\nid = "a"\n## One\n', "front matter that does not end"),
        ('+++\nid = "a\n+++\n', "at line 2"),
    ],
)
def test_what_cannot_be_read_is_told(text, told):
    with pytest.raises(FrontMatterError, match=told):
        parse(text)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("+++\na = 1\n\nb =\n+++\n", 4),
        ("+++\r\na = 1\r\nb =\r\n+++\r\n", 3),
        ("+++\na = 1\na = 2\n+++\n", 3),
        ("+++\na = [\n+++\n", 2),
        ("", 1),
        ("+++\na = 1\n", 1),
    ],
)
def test_what_cannot_be_read_has_its_line_in_the_file(text, line):
    with pytest.raises(FrontMatterError) as raised:
        parse(text)
    assert raised.value.line == line


@given(st.text())
def test_any_text_is_read_or_refused(text):
    try:
        page = parse(text)
    except FrontMatterError:
        return
    assert text.removeprefix("\ufeff").startswith("+++")
    assert all(line.strip() or not line for line in page.sections.values())
