"""Options in brackets: whether one is on."""

import pytest

from jobarium_events.migrations.files.options import is_on
from jobarium_events.migrations.files.parsing import parse


@pytest.mark.parametrize(
    ("options", "on"),
    [
        ("full", True),
        ("full on", True),
        ("full 1", True),
        ("full true", True),
        ("full off", False),
        ("full 0", False),
        ("full false", False),
        ("full, full off", False),
        ("full off, full", True),
        ("verbose", False),
    ],
)
def test_the_last_one_of_a_name_counts(options, on):
    (statement,) = parse(f"vacuum ({options}) job")
    assert is_on(statement.node.options, "full") is on
