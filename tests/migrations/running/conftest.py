"""Sessions to run a step in, which waits briefly."""

from __future__ import annotations

from contextlib import ExitStack

import psycopg
import pytest

from jobarium_events.migrations.files.parsing import parse
from jobarium_events.migrations.files.settings import Environment
from jobarium_events.migrations.files.spans import Span
from jobarium_events.migrations.files.steps import steps

BRIEF = Environment(lock_timeout=Span(0.1), statement_timeout=Span(30.0), attempts=3)
INVALID = "select indexrelid::regclass::text from pg_index where not indisvalid"
INDEXES = "select indexrelid::regclass::text, indisvalid from pg_index where indrelid = 'job'::regclass order by 1"


def only(text):
    """The one step of some SQL."""
    (step,) = steps(parse(text))
    return step


@pytest.fixture
def sessions(each_database):
    """Opens sessions that are closed afterwards; the table of the tests is there."""
    with ExitStack() as stack:

        def opened(**options):
            return stack.enter_context(psycopg.connect(each_database, autocommit=True, **options))

        first = opened()
        first.execute("create table job (id int primary key, title text)")
        first.execute("insert into job select n, 'Secret ' || n from generate_series(1, 100) as n")
        yield opened
