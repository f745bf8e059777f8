-- What a consumer has handled, and how far each aggregate has come. A row of the first table is there exactly if the
-- transaction that handled the event was committed, so there is no status to keep. Several consumers share a database,
-- and each handles an event for itself: hence the consumer in every key.

-- name: tables
create table if not exists {inbox_event} (
    consumer_name text not null,
    event_id uuid not null,
    event_name text not null,
    event_version text not null,
    idempotency_key text not null,
    replay boolean not null,
    processed_at timestamptz not null default now(),
    primary key (consumer_name, event_id),
    unique (consumer_name, event_name, idempotency_key)
);
create index if not exists {inbox_event_processed_at} on {inbox_event} (processed_at);

create table if not exists {inbox_position} (
    consumer_name text not null,
    event_name text not null,
    aggregate text not null,
    number bigint,
    words text collate "C",
    primary key (consumer_name, event_name, aggregate),
    check (num_nonnulls(number, words) = 1)
) with (fillfactor = 80);

-- name: expand
-- From the table's first form to the one above. What was begun there and not finished is forgotten, so that it is
-- handled when it is delivered again; an id of an event no longer keeps a second consumer from handling it.
delete from {inbox_event} where processed_at is null;
alter table {inbox_event}
    add column event_version text,
    add column idempotency_key text,
    add column replay boolean not null default false,
    alter column id set default gen_random_uuid(),
    alter column received_at set default now(),
    alter column status set default 'processed',
    alter column processed_at set default now(),
    drop constraint {inbox_event_event_id_key},
    add unique (consumer_name, event_id),
    add unique (consumer_name, event_name, idempotency_key);

-- name: claim
-- One row, or none if the consumer has the event already. If another transaction is about to have it, this waits. The
-- mark goes with the transaction, and Postgres tells the client of it unasked.
insert into {inbox_event} (consumer_name, event_id, event_name, event_version, idempotency_key, replay)
values (%(consumer)s, %(event_id)s, %(event)s, %(version)s, %(key)s, %(replay)s)
on conflict do nothing
returning set_config('application_name', %(mark)s, true)

-- name: claim_in_order
-- No row for a duplicate, one for a stale event, two for one that is to be handled. The position's row stays locked
-- until the end of the transaction, so that the events of one aggregate are handled one after another.
with claimed as (
    insert into {inbox_event} (consumer_name, event_id, event_name, event_version, idempotency_key, replay)
    values (%(consumer)s, %(event_id)s, %(event)s, %(version)s, %(key)s, %(replay)s)
    on conflict do nothing
    returning set_config('application_name', %(mark)s, true)
), moved as (
    insert into {inbox_position} as held (consumer_name, event_name, aggregate, number, words)
    select %(consumer)s, %(event)s, %(aggregate)s, %(number)s::bigint, %(words)s::text from claimed
    on conflict (consumer_name, event_name, aggregate) do update
    set number = excluded.number, words = excluded.words
    where (held.number > excluded.number or held.words > excluded.words) is not true
    returning 1
)
select from claimed union all select from moved

-- name: kept
-- Of an event that was claimed: whether this transaction has done it, or an earlier one; no row if neither.
select coalesce(xmin::text::bigint = txid_current_if_assigned() & 4294967295, false)
from {inbox_event}
where consumer_name = %(consumer)s and event_id = %(event_id)s

-- name: prune
delete from {inbox_event}
where ctid = any (array(
    select ctid from {inbox_event} where processed_at < %(before)s limit %(batch)s for update skip locked
))
