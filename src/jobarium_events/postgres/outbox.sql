-- The events that a service has written in its own transactions, and what has become of each.
--
-- waiting     published_at is null and not held
-- published   published_at is not null
-- set aside   refused_at is not null: the broker will never take it; held
-- held        stands behind one of its aggregate that is set aside

-- name: tables
create table if not exists {outbox_event} (
    position bigint generated always as identity primary key,
    id uuid not null,
    event_name text not null,
    event_version text not null,
    idempotency_key text not null,
    aggregate text not null,
    ordering_key json,
    bucket smallint not null,
    body bytea not null,
    attributes json not null,
    created_at timestamptz not null default now(),
    held boolean not null default false,
    published_at timestamptz,
    refused_at timestamptz,
    refusal text,
    unique (event_name, idempotency_key)
);
create index if not exists {outbox_event_waiting} on {outbox_event} (bucket, position)
    where published_at is null and not held;
create index if not exists {outbox_event_held} on {outbox_event} (aggregate, position) where held;
create index if not exists {outbox_event_published} on {outbox_event} (published_at) where published_at is not null;

-- name: expand
-- From the table's first form (aggregate_type, aggregate_id, payload_json) to the one above. What wrote and published
-- rows of the first form goes on doing so; a relay leaves those rows alone, as they have no bucket. It can be repeated,
-- also once the old columns are dropped.
alter table {outbox_event}
    add column if not exists position bigint generated always as identity,
    add column if not exists aggregate text,
    add column if not exists ordering_key json,
    add column if not exists bucket smallint,
    add column if not exists body bytea,
    add column if not exists attributes json,
    add column if not exists held boolean not null default false,
    add column if not exists refused_at timestamptz,
    add column if not exists refusal text,
    alter column created_at set default now();
do $expand$ begin
    alter table {outbox_event}
        alter column aggregate_type drop not null,
        alter column aggregate_id drop not null,
        alter column payload_json drop not null;
exception when undefined_column then null;
end $expand$;
create unique index if not exists {outbox_event_position} on {outbox_event} (position);
create index if not exists {outbox_event_waiting} on {outbox_event} (bucket, position)
    where published_at is null and not held;
create index if not exists {outbox_event_held} on {outbox_event} (aggregate, position) where held;
create index if not exists {outbox_event_published} on {outbox_event} (published_at) where published_at is not null;

-- name: add
-- Positions are given once every lock is held: so a transaction that adds to an aggregate later has higher positions
-- there, and is committed later. There are 1,024 locks and not one for each aggregate, because Postgres has room for
-- a few thousand in all.
with locked as materialized (
    select pg_advisory_xact_lock(%(table)s::text::regclass::oid::int, slot) from unnest(%(slots)s::int[]) as slot
), added as (
    insert into {outbox_event}
        (id, event_name, event_version, idempotency_key, aggregate, ordering_key, bucket, body, attributes)
    select m.id::uuid, m.event_name, m.event_version, m.idempotency_key, m.aggregate, nullif(m.ordering_key, '')::json,
        m.bucket, m.body, m.attributes::json
    from (select count(*) from locked) as every_lock
    cross join unnest(
        %(ids)b::text[], %(names)b::text[], %(versions)b::text[], %(keys)b::text[], %(aggregates)b::text[],
        %(orderings)b::text[], %(buckets)s::smallint[], %(bodies)b::bytea[], %(attributes)b::text[]
    ) with ordinality as m (
        id, event_name, event_version, idempotency_key, aggregate, ordering_key, bucket, body, attributes, place
    )
    order by m.place
    on conflict (event_name, idempotency_key) do nothing
    returning event_name, idempotency_key
)
select
    count(*) as number,
    case when count(*) < %(number)s then array_agg(array[event_name, idempotency_key]) end as those,
    case when %(notify)s and count(*) > 0 then
        pg_notify('jobarium_outbox_' || %(table)s::text::regclass::oid, '') end
from added

-- name: channel
select 'jobarium_outbox_' || %(table)s::text::regclass::oid

-- name: columns
-- Whether the table is an outbox, before anything is done with it. What its first form has as well comes first, so that a
-- table for something else is not taken for one of that form.
select id, event_name, event_version, idempotency_key, created_at, published_at,
    position, aggregate, ordering_key, bucket, body, attributes, held, refused_at, refusal
from {outbox_event} limit 0

-- name: settings
-- For the transaction of a batch. A plan that reads the table is wrong there, whatever the statistics of a table that is
-- now empty and now full make of it. A relay that is gone without a word must not keep its locks, and one that waits
-- for the broker is not idle; so the limit is the relay's own.
select
    current_setting('transaction_read_only')::boolean as is_read_only,
    set_config('enable_seqscan', 'off', true),
    set_config('enable_bitmapscan', 'off', true),
    set_config('idle_in_transaction_session_timeout', %(milliseconds)s::text, true),
    case when current_setting('transaction_timeout', true) is not null then
        set_config('transaction_timeout', '0', true) end

-- name: lock_buckets
-- Of the buckets in which something waits, the first few that no other relay has. From each bucket to the next it is one
-- look into the index, however long the backlog is and in however few buckets.
with recursive waiting (bucket) as (
    select -1::smallint
    union all
    select next.bucket
    from waiting
    cross join lateral (
        select o.bucket from {outbox_event} as o
        where o.bucket > waiting.bucket and o.published_at is null and not o.held
            and o.aggregate <> all (%(resting)s::text[])
        order by o.bucket, o.position
        limit 1
    ) as next
), in_turn as materialized (
    select bucket from waiting where bucket >= 0 order by mod(bucket + %(buckets)s - %(turn)s, %(buckets)s)
)
select bucket from in_turn
where pg_try_advisory_xact_lock(%(table)s::text::regclass::oid::int, bucket)
limit %(most)s

-- name: take
-- A statement of its own, after the locks: its snapshot has all that another relay marked before it gave them back.
-- `between` and not `=`, by which every index on the position would seem to give the order: that of the primary key has
-- every row of every bucket. `+ 0` keeps that index from what is held as well. What is read ends where it has so many
-- bytes, and has one event at least.
select position, aggregate, ordering_key::text, body, attributes::text, blocked
from (
    select o.*, sum(octet_length(o.body)) over (order by o.position) - octet_length(o.body) as bytes_before
    from unnest(%(buckets)s::smallint[]) as b (bucket)
    cross join lateral (
        select w.position, w.aggregate, w.ordering_key, w.body, w.attributes,
            coalesce((
                select true from {outbox_event} as h
                where h.aggregate = w.aggregate and h.position + 0 < w.position and h.held limit 1
            ), false) as blocked
        from {outbox_event} as w
        where w.bucket between b.bucket and b.bucket and w.published_at is null and not w.held
            and w.aggregate <> all (%(resting)s::text[])
        order by w.bucket, w.position
        limit %(each)s
    ) as o
) as found
where bytes_before < %(bytes)s
order by position

-- name: publish
update {outbox_event} set published_at = clock_timestamp() where position = any (%(positions)s::bigint[])

-- name: refuse
update {outbox_event} set held = true, refused_at = clock_timestamp(), refusal = %(refusal)s
where position = %(position)s

-- name: hold
update {outbox_event} set held = true where position = any (%(positions)s::bigint[])

-- name: prune
delete from {outbox_event} where position = any (array(
    select position from {outbox_event} where published_at < now() - %(older_than)s::interval
    order by published_at limit %(batch)s for update skip locked
))

-- name: backlog
-- For those who ask again and again: counts no further than to a limit. Each `order by` is that of an index, lest the
-- whole table be read where there are no statistics yet.
select
    (select count(*) from (
        select from generate_series(0, %(buckets)s - 1) as b
        cross join lateral (
            select from {outbox_event}
            where bucket = b and published_at is null and not held order by position limit %(most)s + 1
        ) as some_rows
        limit %(most)s + 1
    ) as all_rows) as waiting,
    (select count(*) > 0 from (
        select from {outbox_event} where held order by aggregate, position limit 1
    ) as any_row) as is_blocked

-- name: status
select
    (select count(*) from {outbox_event} where published_at is null and not held and bucket is not null) as waiting,
    (select count(*) from {outbox_event} where held and refused_at is null) as held,
    (select count(*) from {outbox_event} where held and refused_at is not null) as set_aside,
    extract(epoch from now() - (
        select min(first.created_at) from generate_series(0, %(buckets)s - 1) as b
        cross join lateral (
            select created_at from {outbox_event}
            where bucket = b and published_at is null and not held order by position limit 1
        ) as first
    ))::float8 as oldest_seconds,
    (select count(*) from {outbox_event} where published_at > now() - interval '1 minute') as published_last_minute

-- name: set_aside
select o.id::text, o.event_name, o.event_version, o.idempotency_key, o.aggregate, o.refused_at, o.refusal,
    (select count(*) - 1 from {outbox_event} as h where h.aggregate = o.aggregate and h.held)
from {outbox_event} as o
where o.held and o.refused_at is not null
order by o.refused_at, o.position

-- name: lock_aggregates
-- Waits for the relays that have these aggregates' buckets: one of them may be about to hold another of their events. What
-- follows changes rows of these buckets alone, as an event of another may be set aside in between. Without ids, what is
-- held and stands behind nothing is meant as well.
select bucket, pg_advisory_xact_lock(%(table)s::text::regclass::oid::int, bucket)
from (
    select distinct bucket from {outbox_event}
    where held and (%(ids)s::uuid[] is null or (refused_at is not null and id = any (%(ids)s::uuid[])))
    order by bucket
) as those

-- name: requeue
with back as (
    update {outbox_event} set refused_at = null, refusal = null, held = false
    where held and refused_at is not null and bucket = any (%(buckets)s::smallint[])
        and (%(ids)s::uuid[] is null or id = any (%(ids)s::uuid[]))
    returning position, id::text
)
select id from back order by position

-- name: drop
with gone as (
    delete from {outbox_event}
    where held and refused_at is not null and bucket = any (%(buckets)s::smallint[])
        and (%(ids)s::uuid[] is null or id = any (%(ids)s::uuid[]))
    returning position, id::text
)
select id from gone order by position

-- name: release
-- What is held, and has nothing that is set aside in front of it.
update {outbox_event} as o set held = false
where o.held and o.refused_at is null and o.bucket = any (%(buckets)s::smallint[]) and not exists (
    select from {outbox_event} as h
    where h.aggregate = o.aggregate and h.position < o.position and h.held and h.refused_at is not null
)
