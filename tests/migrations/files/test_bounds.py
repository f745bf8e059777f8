"""A range of keys has both its ends, or the backfill is refused."""

from __future__ import annotations

import pytest

from jobarium_events.migrations.files.bounds import is_bounded
from jobarium_events.migrations.files.parsing import parse
from jobarium_events.migrations.refusals import MigrationError
from tests.migrations.tallies import written

ONE = [
    "update job set n = 1 where id between $1 and $2",
    "update job set n = 1 where id >= $1 and id <= $2",
    "update job as j set n = 1 where $1::bigint <= j.id and (j.n is null and $2 >= j.id)",
    "update job set n = $1 where id between $1 and $2 and n <> 3",
    "insert into new (id) select id from job where id between $1 and $2 on conflict do nothing",
    "delete from job using other where other.id = job.id and job.id between $1 and $2",
    "with few as (select id from job where id between $1 and $2) update job set n = 1 from few where few.id = job.id",
    "update job set n = 1 where id in (select o.id from other as o where o.id between $1 and $2)",
    "merge into job using other on job.id = other.id and job.id between $1 and $2 when matched then update set n = 1",
    "insert into new select job.id from job join o on o.id = job.id and job.id between $1 and $2",
]
NOT_ONE = [
    "update job set n = 1 where id > $1 and id <= $2",
    "update job set n = 1 where id >= $1 and id < $2",
    "update job set n = 1 where id between $2 and $1",
    "update job set n = 1 where id between $1 and $2 and id <> $1",
    "update job set n = 1 where id not between $1 and $2",
    "update job set n = 1 where not (id >= $1 and id <= $2)",
    "update job set n = 1 where id between $1 and $2 or n is null",
    "update job set n = 1 where id in ($1, $2)",
    "update job set n = 1 where id >= $1 + 1 and id <= $2",
    "update job set n = 1 where n between $1 and $2",
    "update job set n = 1 where id::text between $1 and $2",
    "update job set n = 1 where id between $1 and $1",
    "update job set n = $1 + $2",
    "update job set n = 1",
    "update job set n = $3 where id between $1 and $2",
    "update job set n = 1 where id between $1 and $2 and id < $3",
]
TWO = [
    "update job set n = 1 where (a, b) between ($1, $2) and ($3, $4)",
    "update job set n = 1 where (a, b) >= ($1, $2) and row(a, b) <= row($3, $4)",
    "update job set n = 1 where (a, b) between ($1, $2) and ($3, $4) and a between $1 and $3",
]
NOT_TWO = [
    "update job set n = 1 where (a, b) > ($1, $2) and (a, b) <= ($3, $4)",
    "update job set n = 1 where (b, a) between ($1, $2) and ($3, $4)",
    "update job set n = 1 where (a, b) between ($1, $3) and ($2, $4)",
    "update job set n = 1 where a between $1 and $3 and b between $2 and $4",
]


@pytest.mark.parametrize(
    ("text", "key", "expected"),
    [
        (text, key, expected)
        for texts, key, expected in (
            (ONE, ("id",), True),
            (NOT_ONE, ("id",), False),
            (TWO, ("a", "b"), True),
            (NOT_TWO, ("a", "b"), False),
        )
        for text in texts
    ],
)
def test_which_statements_leave_no_row_out(text, key, expected):
    (statement,) = parse(text)
    assert is_bounded(statement, key) is expected


def test_a_file_that_leaves_rows_out_is_refused_with_what_to_write(tmp_path):
    with pytest.raises(MigrationError, match=r"write `id between \$1 and \$2` into its condition"):
        written(tmp_path, statement=NOT_ONE[0])
    with pytest.raises(MigrationError, match=r"write `\(a, b\) between \(\$1, \$2\) and \(\$3, \$4\)`"):
        written(tmp_path, key=("a", "b"), statement=NOT_TWO[0])
