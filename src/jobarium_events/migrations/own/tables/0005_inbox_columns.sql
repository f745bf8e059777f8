-- /// migration
-- id = "0005_inbox_columns"
-- owner = "jobarium-events"
-- category = "expand"
-- release = "0.1.0"
-- estimated_runtime = "5m"
-- rollback_plan = "nothing needs to be taken back: what wrote rows of the first form goes on doing so"
-- containment = "what is added is empty for rows of the first form, which stay known by their event's id"
-- risk = "low"
-- ///

-- name: up
-- From the table's first form (received_at, status, error_message), which may be large and is written to.
-- lint: allow required-column: its default is constant, so every row has it at once, and code that does not know it too
alter table {inbox_event}
    add column if not exists event_version text,
    add column if not exists idempotency_key text,
    add column if not exists replay boolean not null default false;

alter table {inbox_event}
    alter column id set default gen_random_uuid(),
    alter column received_at set default now(),
    alter column status set default 'processed',
    alter column processed_at set default now();

-- lint: allow index-if-not-exists: what a failed build leaves is dropped by what runs this
create unique index concurrently if not exists {inbox_event_event} on {inbox_event} (consumer_name, event_id);

-- lint: allow index-if-not-exists: what a failed build leaves is dropped by what runs this
create unique index concurrently if not exists {inbox_event_key}
    on {inbox_event} (consumer_name, event_name, idempotency_key);

-- lint: allow index-if-not-exists: what a failed build leaves is dropped by what runs this
create index concurrently if not exists {inbox_event_processed_at} on {inbox_event} (processed_at);

create table if not exists {inbox_position} (
    consumer_name text not null,
    event_name text not null,
    aggregate text not null,
    number bigint,
    words text collate "C",
    primary key (consumer_name, event_name, aggregate),
    check (num_nonnulls(number, words) = 1)
) with (fillfactor = 80);

-- name: verify
-- the table is an inbox of the first form
-- when: before
-- returns: nothing
select id, received_at, status, error_message from {inbox_event} where false;

-- the inbox has what a consumer reads and writes
-- returns: nothing
select consumer_name, event_id, event_name, event_version, idempotency_key, replay, processed_at
from {inbox_event} where false;

-- the positions have what a consumer reads and writes
-- returns: nothing
select consumer_name, event_name, aggregate, number, words from {inbox_position} where false;
