r"""Patterns mean in every engine what they mean in ECMA 262. The expectations were taken from Node's `RegExp`."""

import re

import pytest

from jobarium_events.errors import SchemaError
from jobarium_events.validation import Validator, compile_schema
from jobarium_events.validation.engines.jsonschema_rs import JsonSchemaRs
from jobarium_events.validation.patterns import portable, translate
from jobarium_events.validation.preparing import Prepared

# Pattern, what it matches, what it does not.
TABLE = [
    ("a", ["a", "ba"], ["", "b"]),
    ("^a$", ["a"], ["a\n", "ba"]),
    ("a$", ["ba"], ["a\n", "a\r", "a\u2028"]),
    ("(a$)|b$", ["a", "b"], ["a\n", "b\n"]),
    (".", ["a", "😀", " ", "\x85", "\v"], ["", "\n", "\r", "\u2028", "\u2029"]),
    ("^.$", ["😀", "é"], ["ab", "\n"]),
    (r"\d", ["3"], ["٣", "²"]),
    (r"[\d]", ["3"], ["٣"]),
    (r"^\D$", ["٣", "a"], ["3"]),
    (r"^\w$", ["a", "_", "0"], ["é", "\u017f", "-"]),
    (r"^[\W]$", ["é", "-"], ["a", "_"]),
    (r"^\s$", [" ", "\u00a0", "\ufeff", "\u2028", "\t", "\v"], ["\x85", "\x1c", "\u180e", "\u200b", "a"]),
    (r"^\S$", ["a", "\x85", "\x1c"], [" ", "\ufeff"]),
    (r"^[^\s]$", ["a", "\x1c"], ["\u00a0"]),
    (r"^[\S\n]$", ["a", "\n"], [" "]),
    (r"^[^\S\n]$", [" ", "\t"], ["\n", "a"]),
    (r"^[\w-]+$", ["a-b", "-"], ["a.b"]),
    (r"^[+-\d]$", ["+", "-", "3"], [",", "."]),
    (r"^[.-\w]$", [".", "-", "a"], ["/"]),
    (r"^[!--b]$", ["!", "-", "b", "#"], [".", "a"]),
    (r"^[a-]$", ["a", "-"], ["b"]),
    (r"^[-a]$", ["a", "-"], ["b"]),
    ("[]", [], ["", "a", "]"]),
    ("[^]", ["a", "\n"], [""]),
    ("^[]a]$", [], ["a", "]", "a]"]),
    ("^[[]$", ["["], ["]"]),
    ("^[a&&b||c~~d]$", ["&", "|", "~", "a"], ["e"]),
    ("^[$^.]$", ["$", "^", "."], ["a"]),
    (r"^[\]\\]$", ["]", "\\"], ["a"]),
    (r"^[\b]$", ["\b"], ["b"]),
    (r"\bé", ["aé"], ["é", " é"]),
    (r"\ba\b", ["a", "é a", "éa", "aé"], ["ab", "_a"]),
    (r"a\B", ["ab"], ["a", "aé"]),
    (r"^\cA$", ["\x01"], ["A", "cA"]),
    (r"^[\cA]$", ["\x01"], ["A", "c"]),
    (r"^\0$", ["\x00"], ["0"]),
    (r"^\x61\u0062\u{63}$", ["abc"], ["x61"]),
    (r"^\u{1F600}$", ["😀"], ["1F600"]),
    (r"^\ud83d\ude00$", ["😀"], [""]),
    (r"^[\ud83d\ude00]$", ["😀"], [""]),
    (r"^\t\n\v\f\r$", ["\t\n\v\f\r"], ["tnvfr"]),
    (r"^\/\-\.\$\{\}$", ["/-.${}"], [""]),
    (r"^\a\e\Z$", ["aeZ"], ["\a", "ae"]),
    (r"^\_\@\ $", ["_@ "], [""]),
    ("^a{2}$", ["aa"], ["a", "a{2}"]),
    ("^a{2,}$", ["aaa"], ["a"]),
    ("^a{,2}$", ["a{,2}"], ["aa"]),
    ("^a{1$", ["a{1"], ["a"]),
    ("^{}]x{y}$", ["{}]x{y}"], ["x"]),
    ("^a{2}?$", ["aa"], ["a"]),
    ("a*?b??c+?", ["c"], ["a"]),
    ("^(?:a|b)(?=c)", ["ac"], ["ab"]),
    ("a(?!b)", ["ac"], ["ab"]),
    ("(?<=a)b", ["ab"], ["b"]),
    ("(?<!a)b", ["b"], ["ab"]),
    (r"^(a|b)\1$", ["aa", "bb"], ["ab"]),
    (r"^(?<n>a|b)\k<n>$", ["aa", "bb"], ["ab"]),
    (r"^\p{L}+$", ["École", "\u0436"], ["3", "", "a-b"]),
    (r"^\p{Letter}cole$", ["École"], ["1cole"]),
    (r"^\P{L}$", ["3"], ["é"]),
    (r"^[\p{Lu}\d]$", ["É", "3"], ["é", "٣"]),
    (r"^\p{digit}+$", ["3٣"], ["²"]),
    ("", ["", "a"], []),
    ("|", ["", "a"], []),
    ("^$", [""], ["\n", "a"]),
    ("#[a] b", ["#a b"], ["a b"]),
    ("[a-c&]", ["&"], ["d"]),
]  # fmt: skip
NOT_ECMA = [
    "(", ")", "[", "[a", "*", "a**", "a++", "a*+", "a{1}{2}", "(?i)a", "(?i:a)", "(?P<n>a)", "(?>a)", "(?#c)a",
    "(?x) a", "\\", "[\\", r"\c", r"[\c]", r"\x1", r"\u00", r"\u{110000}", r"[z-a]", r"\k<n>", r"\18",
    r"\01", r"\p{Foo}", r"\p{L", "(?(1)a)",
]  # fmt: skip


@pytest.mark.parametrize(("pattern", "matching", "other"), TABLE)
def test_in_python(pattern: str, matching: list[str], other: list[str]) -> None:
    compiled = re.compile(translate(pattern))
    assert [text for text in matching if not compiled.search(text)] == []
    assert [text for text in other if compiled.search(text)] == []


@pytest.mark.parametrize(("pattern", "matching", "other"), TABLE)
def test_in_rust(pattern: str, matching: list[str], other: list[str]) -> None:
    try:
        checker = JsonSchemaRs(Prepared({"pattern": pattern}, "draft-07", simple=True), lambda _: [])
    except SchemaError:
        assert r"\k" in pattern  # Rust's engine has no named references; such a schema goes to jsonschema
        return
    assert [text for text in matching if not checker.accepts(text)] == []
    assert [text for text in other if checker.accepts(text)] == []


@pytest.mark.parametrize(("pattern", "matching", "other"), TABLE)
@pytest.mark.parametrize("extra", [{}, {"not": {"const": "\0\0"}}], ids=["typed", "fastjsonschema"])
def test_in_a_schema(pattern: str, matching: list[str], other: list[str], extra: dict[str, object]) -> None:
    validator = Validator({"type": "string", "pattern": pattern, **extra})
    assert validator.engine == ("fastjsonschema" if extra else "msgspec")
    assert all(validator.is_valid(text) for text in matching)
    for text in other:
        violation = validator.first_violation(text)
        assert violation is not None
        assert (violation.rule, violation.limit) == ("pattern", pattern)
        assert violation in validator.violations(text)


@pytest.mark.parametrize("pattern", NOT_ECMA)
def test_what_is_not_ecma_is_refused(pattern: str) -> None:
    with pytest.raises(SchemaError):
        translate(pattern)
    with pytest.raises(SchemaError) as caught:
        compile_schema({"properties": {"a": {"pattern": pattern}}})
    assert caught.value.pointer == "/properties/a/pattern"


@pytest.mark.parametrize("pattern", ["^[0-9]{4}-(0[1-9]|1[0-2])", "^[A-Z]{2,3}[a-z_]*", "a|b", "(?:x)+"])
def test_what_means_the_same_stays_as_it_is(pattern: str) -> None:
    assert translate(pattern) == portable(pattern) == pattern


def test_names_follow_patterns_too() -> None:
    validator = Validator({"patternProperties": {r"^\d$": {"type": "null"}}, "additionalProperties": False})
    assert validator.is_valid({"3": None})
    assert [str(each) for each in validator.violations({"٣": None})] == ["/٣: is not a field of the contract"]


def test_two_patterns_with_one_translation_both_hold() -> None:
    validator = Validator({"patternProperties": {r"[\d]": {"minimum": 1}, r"[0-9]": {"maximum": 2}}})
    assert validator.is_valid({"3": 1})
    assert not validator.is_valid({"3": 0})
    assert not validator.is_valid({"3": 3})
