-- Statements of backfills, with parameters as Postgres itself counts them: $1, $2, ...

-- name: is_installed
select to_regclass('jobarium_migrations.backfill') is not null;

-- name: lock_installing
-- The same lock as that of the record, which is in the same schema.
select pg_advisory_xact_lock(hashtextextended('jobarium_migrations.record', 0));

-- name: make_schema
create schema if not exists jobarium_migrations;

-- name: make_table
create table if not exists jobarium_migrations.backfill (
    migration text not null,
    hash text not null,
    last_key text[],
    rows bigint not null default 0,
    passed bigint not null default 0,
    batches bigint not null default 0,
    seconds double precision not null default 0,
    started_at timestamptz not null default clock_timestamp(),
    last_batch_at timestamptz,
    finished_at timestamptz,
    is_paused boolean not null default false,
    waits_for text not null default '',
    primary key (migration, hash)
);

-- name: begin
-- What is paused is the migration, whatever text its file had then.
insert into jobarium_migrations.backfill (migration, hash, is_paused)
select $1, $2, coalesce(bool_or(is_paused), false) from jobarium_migrations.backfill where migration = $1
on conflict do nothing;

-- name: other_hash
-- A backfill that began with another text of the file; one that has done nothing yet does not count.
select exists (
    select from jobarium_migrations.backfill
    where migration = $1 and hash <> $2 and (batches > 0 or finished_at is not null)
);

-- name: checkpoint
select * from jobarium_migrations.backfill where migration = $1 and hash = $2;

-- name: lock_checkpoint
select * from jobarium_migrations.backfill where migration = $1 and hash = $2 for update;

-- name: move_checkpoint
-- The commit of a batch need not wait for the disk: batch and checkpoint are one transaction, so a crash of the server
-- loses both or neither. That of the last one waits, and with it all before it are safe.
update jobarium_migrations.backfill set
    last_key = coalesce($3::text[], last_key),
    rows = rows + $4,
    passed = passed + $5,
    batches = batches + case when $5 > 0 then 1 else 0 end,
    seconds = seconds + $6,
    last_batch_at = case when $5 > 0 then clock_timestamp() else last_batch_at end,
    finished_at = case when $7 then clock_timestamp() end,
    waits_for = ''
where migration = $1 and hash = $2
returning *, case when not $7 then set_config('synchronous_commit', 'off', true) end as synchronous_commit;

-- name: pause
-- The process that runs it may have read another text of the file.
with others as (
    update jobarium_migrations.backfill set is_paused = true
    where migration = $1 and hash <> $2 and finished_at is null
)
insert into jobarium_migrations.backfill (migration, hash, is_paused) values ($1, $2, true)
on conflict (migration, hash) do update set is_paused = true where backfill.finished_at is null;

-- name: resume
update jobarium_migrations.backfill set is_paused = false where migration = $1;

-- name: forget
delete from jobarium_migrations.backfill where migration = $1;

-- name: wait
update jobarium_migrations.backfill set waits_for = $3 where migration = $1 and hash = $2;

-- name: take_lock
select pg_try_advisory_lock($1, hashtext($2));

-- name: is_running
select exists (
    select from pg_locks
    where locktype = 'advisory' and granted
        and database = (select oid from pg_database where datname = current_database())
        and classid = $1 and objid::bigint = hashtext($2)::bigint & 4294967295 and objsubid = 2
);

-- name: session
-- Keys are kept as texts, and these settings make a text mean the same in every session; a policy that hides rows is an
-- error here; and a batch is too small for a compiler.
select set_config('datestyle', 'ISO', false), set_config('intervalstyle', 'postgres', false),
    set_config('extra_float_digits', '1', false), set_config('bytea_output', 'hex', false),
    set_config('row_security', 'off', false), set_config('jit', 'off', false),
    set_config('idle_in_transaction_session_timeout', '60s', false), pg_is_in_recovery();

-- name: limits
select set_config('lock_timeout', $1, true), set_config('statement_timeout', $2, true);

-- name: relation
select c.oid, c.relkind::text, c.relhassubclass, format('%I.%I', n.nspname, c.relname)
from pg_class as c join pg_namespace as n on n.oid = c.relnamespace
where c.oid = to_regclass($1);

-- name: key_columns
select attname::text, attnotnull from pg_attribute
where attrelid = $1 and attname = any ($2::text[]) and attnum > 0 and not attisdropped;

-- name: unique_indexes
-- Those whose columns come in the key's order, and whether each can be gone along as the statement compares keys.
select
    i.indexrelid::regclass::text as name,
    bool_and(i.indcollation[k.place - 1] = a.attcollation) as collates,
    bool_and(o.opcdefault) and min(i.indoption[k.place - 1]) = max(i.indoption[k.place - 1])
        and min(i.indoption[k.place - 1]) in (0, 3) as sorts
from pg_index as i
join pg_class as c on c.oid = i.indexrelid
join pg_am as m on m.oid = c.relam and m.amname = 'btree'
cross join lateral unnest(i.indkey::int2[]) with ordinality as k (attnum, place)
join pg_attribute as a on a.attrelid = i.indrelid and a.attnum = k.attnum
join pg_opclass as o on o.oid = i.indclass[k.place - 1]
where i.indrelid = $1 and i.indisunique and i.indisvalid and i.indisready and i.indimmediate
    and i.indpred is null and i.indexprs is null and k.place <= i.indnkeyatts
group by i.indexrelid
having array_agg(a.attname::text order by k.place) = $2::text[];

-- name: probe
-- The first key after one, and the last of so many, both along the index.
select
    (select {texts} from {table}{after} order by {ascending} limit 1),
    (select {texts} from {table}{after} order by {ascending} offset {skipped} limit 1);

-- name: rest
-- The last rows, fewer than a batch has.
with rest as materialized (select {columns} from {table}{after} order by {ascending} limit {limit})
select count(*), (select {texts} from rest order by {descending} limit 1) from rest;

-- name: blocks
-- How many a table has, all its partitions together.
select coalesce(sum(pg_relation_size(oid)), 0)::bigint / current_setting('block_size')::bigint from pg_class
where oid = to_regclass($1) or oid in (select relid from pg_partition_tree(to_regclass($1)));

-- name: sampled
-- The rows of some blocks, each time of the same ones, so that an estimate does not jump.
select count(*) from {table} tablesample system ({percent}) repeatable (0){after};

-- name: wal
select (pg_current_wal_lsn() - '0/0')::bigint, extract(epoch from clock_timestamp())::float8;

-- name: known_replicas
-- Without the role pg_monitor, all but the name is hidden; a base backup is no replica.
select
    coalesce(nullif(application_name, ''), 'a replica'), state is null,
    (replay_lsn - '0/0')::bigint, extract(epoch from replay_lag)::float8
from pg_stat_replication
where state is distinct from 'backup' and (state is null or replay_lsn is not null);

-- name: replayed
select pg_is_in_recovery(), (pg_last_wal_replay_lsn() - '0/0')::bigint,
    extract(epoch from pg_last_xact_replay_timestamp())::float8;
