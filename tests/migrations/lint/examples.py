"""What the examples have in common: what is there before them, and how they are made."""

from tests.migrations.lint.observing import Example

REFERENCED = "alter table job add constraint job_employer foreign key (employer_id) references employer;"
NOT_VALID = REFERENCED.replace(";", " not valid;")
PARTED = """
create table entry (id bigint not null, at date not null, text text default repeat('x', 100)) partition by range (at);
create table entry_26 partition of entry for values from ('2026-01-01') to ('2027-01-01') with (fillfactor = 10);
create table entry_27 (id bigint not null, at date not null, text text) with (fillfactor = 10);
insert into entry select n, '2026-06-01' from generate_series(1, 200) n;
insert into entry_27 select n, '2027-06-01', repeat('x', 100) from generate_series(1, 200) n;
"""
REST = "create table entry_rest partition of entry default with (fillfactor = 10);"
FULL_REST = REST + "insert into entry_rest select n, '2030-01-01', repeat('x', 100) from generate_series(1, 200) n;"
FOR_27 = "for values from ('2027-01-01') to ('2028-01-01')"
PROVEN_27 = "alter table entry_27 add check (at >= '2027-01-01' and at < '2028-01-01');"
WIDE = "insert into job (id, note) select n, repeat('x', 100) from generate_series(201, 6000) n;"
VIEW = "create view titles as select title from job;"
MATERIALIZED = "create materialized view counts with (fillfactor = 10) as select id, note from job;"
FUNCTION = "create function nothing() returns trigger language plpgsql as $$ begin return new; end $$;"
TRIGGER = FUNCTION + "create trigger t before insert on job for each row execute function nothing();"


def of(kind: str, *examples: tuple[str, ...], since: int = 13) -> tuple[Example, ...]:
    """Make examples of one kind, each from its statement and what is there before it."""
    return tuple(
        Example(id=each[0], kind=kind, sql=each[0], before=each[1] if len(each) > 1 else "", since=since)
        for each in examples
    )
