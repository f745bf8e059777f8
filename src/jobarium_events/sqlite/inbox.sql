-- The same two tables as in Postgres. Numbers and texts are in one column: SQLite holds either, and `typeof` tells.

-- name: tables
create table if not exists {inbox_event} (
    consumer_name text not null,
    event_id text not null,
    event_name text not null,
    event_version text not null,
    idempotency_key text not null,
    replay integer not null,
    processed_at text not null default (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
    primary key (consumer_name, event_id),
    unique (consumer_name, event_name, idempotency_key)
) without rowid;
create index if not exists {inbox_event_processed_at} on {inbox_event} (processed_at);
create table if not exists {inbox_position} (
    consumer_name text not null,
    event_name text not null,
    aggregate text not null,
    position not null,
    primary key (consumer_name, event_name, aggregate)
) without rowid;

-- name: claim
insert into {inbox_event} (consumer_name, event_id, event_name, event_version, idempotency_key, replay)
values (:consumer, :event_id, :event, :version, :key, :replay)
on conflict do nothing

-- name: unclaim
delete from {inbox_event} where consumer_name = :consumer and event_id = :event_id

-- name: move
insert into {inbox_position} as held (consumer_name, event_name, aggregate, position)
values (:consumer, :event, :aggregate, :position)
on conflict (consumer_name, event_name, aggregate) do update
set position = excluded.position
where typeof(held.position) <> typeof(excluded.position) or held.position <= excluded.position

-- name: prune
delete from {inbox_event}
where (consumer_name, event_id) in (
    select consumer_name, event_id from {inbox_event} where processed_at < :before limit :batch
)
