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
-- rows of the first form goes on doing so; a relay leaves those rows alone, as they have no bucket.
alter table {outbox_event}
    add column position bigint generated always as identity,
    add column aggregate text,
    add column bucket smallint,
    add column body bytea,
    add column attributes json,
    add column held boolean not null default false,
    add column refused_at timestamptz,
    add column refusal text,
    alter column aggregate_type drop not null,
    alter column aggregate_id drop not null,
    alter column payload_json drop not null,
    alter column created_at set default now();
create unique index {outbox_event_position} on {outbox_event} (position);
create index {outbox_event_waiting} on {outbox_event} (bucket, position) where published_at is null and not held;
create index {outbox_event_held} on {outbox_event} (aggregate, position) where held;
create index {outbox_event_published} on {outbox_event} (published_at) where published_at is not null;

-- name: add
-- Positions are given once every lock is held: so a transaction that adds to an aggregate later has higher positions
-- there, and is committed later. There are 1,024 locks and not one for each aggregate, because Postgres has room for
-- a few thousand in all.
with locked as materialized (
    select pg_advisory_xact_lock(%(table)s::text::regclass::oid::int, slot) from unnest(%(slots)s::int[]) as slot
), added as (
    insert into {outbox_event}
        (id, event_name, event_version, idempotency_key, aggregate, bucket, body, attributes)
    select m.id::uuid, m.event_name, m.event_version, m.idempotency_key, m.aggregate, m.bucket, m.body,
        m.attributes::json
    from (select count(*) from locked) as every_lock
    cross join unnest(
        %(ids)b::text[], %(names)b::text[], %(versions)b::text[], %(keys)b::text[], %(aggregates)b::text[],
        %(buckets)s::smallint[], %(bodies)b::bytea[], %(attributes)b::text[]
    ) with ordinality
        as m (id, event_name, event_version, idempotency_key, aggregate, bucket, body, attributes, place)
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

-- name: lock_buckets
-- Of the buckets in which something waits, the first few that no other relay has. `limit 1` keeps this to one look
-- into the index for each bucket, however long the backlog is.
with waiting as materialized (
    select b.bucket
    from unnest(%(buckets)s::smallint[]) with ordinality as b (bucket, turn)
    cross join lateral (
        select from {outbox_event} as o
        where o.bucket = b.bucket and o.published_at is null and not o.held
            and o.aggregate <> all (%(resting)s::text[])
        limit 1
    ) as any_row
    order by b.turn
)
select bucket from waiting
where pg_try_advisory_xact_lock(%(table)s::text::regclass::oid::int, bucket)
limit %(most)s

-- name: take
-- A statement of its own, after the locks: its snapshot has all that another relay marked before it gave them back.
select o.position, o.aggregate, o.body, o.attributes::text, o.blocked
from unnest(%(buckets)s::smallint[]) as b (bucket)
cross join lateral (
    select w.position, w.aggregate, w.body, w.attributes,
        exists (select from {outbox_event} as h where h.aggregate = w.aggregate and h.held) as blocked
    from {outbox_event} as w
    where w.bucket = b.bucket and w.published_at is null and not w.held
        and w.aggregate <> all (%(resting)s::text[])
    order by w.position
    limit %(each)s
) as o
order by o.position

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

-- name: status
select
    (select count(*) from {outbox_event} where published_at is null and not held and bucket is not null) as waiting,
    (select count(*) from {outbox_event} where held) as held,
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
-- Waits for the relays that have these aggregates' buckets: one of them may be about to hold another of their events.
select pg_advisory_xact_lock(%(table)s::text::regclass::oid::int, bucket)
from (
    select distinct bucket from {outbox_event}
    where held and refused_at is not null and (%(ids)s::uuid[] is null or id = any (%(ids)s::uuid[]))
    order by bucket
) as those

-- name: requeue
with back as (
    update {outbox_event} set refused_at = null, refusal = null, held = false
    where held and refused_at is not null and (%(ids)s::uuid[] is null or id = any (%(ids)s::uuid[]))
    returning position, aggregate, id::text
), behind as (
    update {outbox_event} as o set held = false from back
    where o.aggregate = back.aggregate and o.held and o.position <> back.position
)
select id from back order by position

-- name: drop
with gone as (
    delete from {outbox_event}
    where held and refused_at is not null and (%(ids)s::uuid[] is null or id = any (%(ids)s::uuid[]))
    returning position, aggregate, id::text
), behind as (
    update {outbox_event} as o set held = false from gone
    where o.aggregate = gone.aggregate and o.held and o.position <> gone.position
)
select id from gone order by position
