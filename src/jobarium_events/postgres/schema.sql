-- The tables of outbox, inbox and dead letters, by their default names, for a new database: psql -f schema.sql
-- Each part has the same SQL for other names, in its `tables`.

create table if not exists "outbox_event" (
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
create index if not exists "outbox_event_waiting" on "outbox_event" (bucket, position)
    where published_at is null and not held;
create index if not exists "outbox_event_held" on "outbox_event" (aggregate, position) where held;
create index if not exists "outbox_event_published" on "outbox_event" (published_at) where published_at is not null;

create table if not exists "inbox_event" (
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
create index if not exists "inbox_event_processed_at" on "inbox_event" (processed_at);

create table if not exists "inbox_position" (
    consumer_name text not null,
    event_name text not null,
    aggregate text not null,
    number bigint,
    words text collate "C",
    primary key (consumer_name, event_name, aggregate),
    check (num_nonnulls(number, words) = 1)
) with (fillfactor = 80);

create table if not exists "dead_letter" (
    id bigint generated always as identity primary key,
    raw bytea not null,
    attributes json not null,
    consumer text not null,
    event text,
    version text,
    reason text not null,
    problem text,
    violations json not null,
    rejected_at timestamptz not null,
    replayed_at timestamptz
);
