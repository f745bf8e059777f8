-- /// migration
-- id = "0004_inbox"
-- owner = "jobarium-events"
-- category = "expand"
-- release = "0.1.0"
-- estimated_runtime = "1s"
-- rollback_plan = "drop the tables, once no consumer uses them; what is delivered again is then handled again"
-- risk = "low"
-- ///

-- name: up
begin;
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
commit;

-- name: down
drop table {inbox_position};

drop table {inbox_event};

-- name: verify
-- the inbox has what a consumer reads and writes
-- returns: nothing
select consumer_name, event_id, event_name, event_version, idempotency_key, replay, processed_at
from {inbox_event} where false;

-- the positions have what a consumer reads and writes
-- returns: nothing
select consumer_name, event_name, aggregate, number, words from {inbox_position} where false;
