"""What is removed is known by what statements name; what they do not name is told."""

from __future__ import annotations

import pytest

from jobarium_events.migrations.files.parsing import parse
from jobarium_events.migrations.lint.removals import Removed, removals, said_of


@pytest.mark.parametrize(
    ("text", "gone"),
    [
        ("drop table job", ["job"]),
        ("drop table public.job, audit.entry", ["job", "audit.entry"]),
        ("drop view reader", ["reader"]),
        ("drop materialized view reader", ["reader"]),
        ("drop foreign table far", ["far"]),
        ("alter table public.job drop column status", ["job.status"]),
        ("alter table job drop status, drop column title", ["job.status", "job.title"]),
        ("alter table job detach partition audit.old", ["audit.old"]),
        ("alter table job detach partition old concurrently", ["old"]),
        ("alter table old no inherit job", ["old"]),
        ("drop view reader; create view reader as select 1", []),
        ("drop table job; create table job (id int)", ["job"]),
        ("create table new (id int); drop table new", []),
        ("create table if not exists job (id int); drop table job", ["job"]),
        ("drop index job_status; drop function f(); drop type t; drop schema s", []),
        ("truncate job; delete from job", []),
        ("alter table job add column status text", []),
    ],
)
def test_what_is_named_and_goes(text, gone):
    found = removals(parse(text))
    assert ([str(each) for each in found.gone], found.unclear) == (gone, ())


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("drop schema old cascade", "takes along whatever depends on it"),
        ("drop type state cascade", "takes along whatever depends on it"),
        ("drop domain state cascade", "takes along whatever depends on it"),
        ("drop extension citext cascade", "takes along whatever depends on it"),
        ("drop function f() cascade", "takes along whatever depends on it"),
        ("drop table job cascade", "takes along whatever depends on it"),
        ("alter table job drop column status cascade", "takes along whatever depends on it"),
        ("drop owned by olga", "drops whatever a role owns"),
        ("drop database other", "drops a database"),
        ("do $$ begin execute 'alter table job drop column status'; end $$", "within a block of code"),
    ],
)
def test_what_is_not_named_is_told(text, problem):
    (found,) = removals(parse(f"select 1;\n{text}")).unclear
    assert (found.line, problem in found.text) == (2, True)


@pytest.mark.parametrize(
    "text", ["drop trigger t on job cascade", "drop policy p on job cascade", "do $$ begin end $$"]
)
def test_what_nothing_depends_on_takes_nothing_along(text):
    assert removals(parse(text)).unclear == ()


@pytest.mark.parametrize(
    ("said", "gone", "since"),
    [
        ({"job.status": "2026.10"}, Removed("job", "status"), "2026.10"),
        ({"public.job.status": "2026.10"}, Removed("job", "status"), "2026.10"),
        ({"job": "2026.10"}, Removed("job", "status"), "2026.10"),
        ({"job.status": "2026.10"}, Removed("job"), None),
        ({"audit.job": "2026.10"}, Removed("job"), None),
    ],
)
def test_a_header_says_it_of_a_column_or_of_its_whole_table(said, gone, since):
    assert said_of(said, gone) == since
