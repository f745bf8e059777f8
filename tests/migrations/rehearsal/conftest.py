"""What runs SQL under observers, on each Postgres that there is."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.migrations.rehearsal.locking import Seen


@pytest.fixture
def seen(each_database: str) -> Iterator[Seen]:
    seen = Seen(each_database)
    with seen.migration:
        seen.afresh()
        yield seen
