-- What happened to a database, entry by entry; nothing is ever changed or removed. Times are the server's.

-- name: is_installed
-- Not by to_regclass: it may remember that there was none, while another session has made it.
select exists (
    select from pg_class as c
    join pg_namespace as n on n.oid = c.relnamespace
    where n.nspname = 'jobarium_migrations' and c.relname = 'record'
)

-- name: lock_installing
select pg_advisory_xact_lock(hashtextextended('jobarium_migrations.record', 0))

-- name: schema
create schema if not exists jobarium_migrations

-- name: table
create table if not exists jobarium_migrations.record (
    entry bigint generated always as identity primary key,
    at timestamptz not null default clock_timestamp(),
    event text not null,
    operator text not null,
    environment text not null,
    run bigint references jobarium_migrations.record (entry),
    migration text,
    hash text,
    direction text check (direction in ('up', 'down')),
    round int,
    step int,
    detail jsonb not null default '{}',
    session_name text not null default session_user
)

-- name: one_environment
create unique index if not exists record_environment on jobarium_migrations.record (event)
where event = 'environment-noted'

-- name: one_end_of_each_step
create unique index if not exists record_step on jobarium_migrations.record (migration, round, direction, step)
where event = 'step-done'

-- name: refusal
create or replace function jobarium_migrations.refuse_change() returns trigger language plpgsql as $$
begin
    raise exception 'the record of migrations is only ever added to' using errcode = 'insufficient_privilege';
end
$$

-- name: trigger
create trigger only_added before update or delete or truncate on jobarium_migrations.record
for each statement execute function jobarium_migrations.refuse_change()

-- name: trigger_always
alter table jobarium_migrations.record enable always trigger only_added

-- name: environment
select environment from jobarium_migrations.record where event in ('environment-noted', 'environment-adopted')
order by entry desc limit 1

-- name: note_environment
insert into jobarium_migrations.record (event, operator, environment) values ('environment-noted', %s, %s)
on conflict do nothing

-- name: write
insert into jobarium_migrations.record
(event, operator, environment, run, migration, hash, direction, round, step, detail)
values (
    %(event)s, %(operator)s, %(environment)s, %(run)s, %(migration)s, %(hash)s, %(direction)s, %(round)s, %(step)s,
    %(detail)s::jsonb
)
returning entry, case when %(waits)s then null else set_config('synchronous_commit', 'off', true) end

-- name: entries
select entry, at, event, operator, environment, run, migration, hash, direction, round, step, detail::text
from jobarium_migrations.record
where entry > %s
order by entry

-- name: count
select count(*) from jobarium_migrations.record

-- name: now
select clock_timestamp()
