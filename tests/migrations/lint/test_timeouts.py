"""lock_timeout is set by SET or by set_config, for the session or for the transaction; files of others have either."""

from __future__ import annotations

from pathlib import Path

import pytest

from jobarium_events.migrations.lint.linting import lint_files

ADD = "alter table job add column a text;"


def broken(folder: Path, sql: str) -> list[str]:
    path = folder / "0001.sql"
    path.write_text(sql)
    return [each.rule for each in lint_files([path]).findings]


@pytest.mark.parametrize(
    ("sql", "found"),
    [
        ("select set_config('lock_timeout', '2s', false);\n{}", []),
        ("SELECT pg_catalog.set_config('LOCK_TIMEOUT'::text, '2000', 'f'::boolean);\n{}", ["function-called"]),
        ("begin;\nselect set_config('lock_timeout', '2s', true);\n{}\ncommit;", []),
        ("begin;\nselect set_config('lock_timeout', '2s', true);\ncommit;\n{}", ["no-lock-timeout"]),
        ("begin;\nselect set_config('lock_timeout', '2s', 't');\ncommit;\n{}", ["no-lock-timeout"]),
        ("begin;\nselect set_config('lock_timeout', '2s', false);\ncommit;\n{}", []),
        ("select set_config('lock_timeout', '2s', true);\n{}", ["no-lock-timeout"]),
        ("select set_config('lock_timeout', '0', false);\n{}", ["lock-timeout-long", "no-lock-timeout"]),
        ("select set_config('lock_timeout', '5min', false);\n{}", ["lock-timeout-long"]),
        ("select set_config('work_mem', '2MB', false);\n{}", ["function-called", "no-lock-timeout"]),
        (
            "select set_config('lock_timeout', own(), false);\n{}",
            ["no-lock-timeout", "function-called", "function-called"],
        ),
        ("select set_config('lock_timeout');\n{}", ["function-called", "no-lock-timeout"]),
    ],
)
def test_a_timeout_is_known_however_it_is_set(tmp_path: Path, sql: str, found: list[str]) -> None:
    assert broken(tmp_path, sql.format(ADD)) == found
