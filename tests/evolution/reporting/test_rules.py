"""Every rule that a finding can have is described, and documented: their ids are public."""

from __future__ import annotations

import ast
import importlib.util
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from jobarium_events.evolution.changes import ChangeKind
from jobarium_events.evolution.reporting.rules import RULES

ROOT = Path(__file__).parents[3]
KINDS = {kind.value for kind in ChangeKind}
RULE = re.compile(r"[a-z]+(-[a-z]+)+")
# The modules in which a text of that form is a rule.
MODULES = ["allowing", "checking", "comparing", "decision", "decisions", "earlier", "history", "lifecycle", "removed"]
MODULES += ["illustrations", "rewritten"]


def literals(module: str) -> Iterator[str]:
    """The texts in a module's code that look like a rule."""
    spec = importlib.util.find_spec(f"jobarium_events.evolution.{module}")
    assert spec is not None
    assert spec.origin is not None
    for node in ast.walk(ast.parse(Path(spec.origin).read_text(encoding="utf-8"))):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and RULE.fullmatch(node.value):
            yield node.value


@pytest.mark.parametrize("module", MODULES)
def test_every_rule_of_a_module_is_described(module: str) -> None:
    assert set(literals(module)) - RULES.keys() == set()


def test_every_rule_that_is_described_is_one() -> None:
    used = {literal for module in MODULES for literal in literals(module)}
    assert RULES.keys() - used - KINDS == {"unproven"}


def test_every_kind_of_change_is_a_rule() -> None:
    assert RULES.keys() >= KINDS
    assert all(text.endswith(".") for text in RULES.values())


def test_every_rule_is_documented() -> None:
    rows = dict(re.findall(r"^\| `([a-z-]+)` \| (.+) \|$", (ROOT / "docs" / "rules.md").read_text(), re.MULTILINE))
    assert {rule: rows.get(rule) for rule in RULES.keys() - KINDS} == {
        rule: text for rule, text in RULES.items() if rule not in KINDS
    }
