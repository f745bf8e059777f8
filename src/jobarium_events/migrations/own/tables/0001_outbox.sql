-- /// migration
-- id = "0001_outbox"
-- owner = "jobarium-events"
-- category = "expand"
-- release = "0.1.0"
-- estimated_runtime = "1s"
-- rollback_plan = "drop the table, once no service adds to it and no event waits in it"
-- risk = "low"
-- ///

-- name: up
begin;
-- lint: allow json-type: it is kept as it was written, and never searched
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
commit;

-- name: down
drop table {outbox_event};

-- name: verify
-- the outbox has what a relay reads and writes
-- returns: nothing
select position, id, event_name, event_version, idempotency_key, aggregate, ordering_key, bucket, body, attributes,
    created_at, held, published_at, refused_at, refusal
from {outbox_event} where false;
