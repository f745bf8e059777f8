-- /// migration
-- id = "0002_outbox_columns"
-- owner = "jobarium-events"
-- category = "expand"
-- release = "0.1.0"
-- estimated_runtime = "5m"
-- rollback_plan = "nothing needs to be taken back: what wrote and published rows of the first form goes on doing so"
-- containment = "what is added is empty for rows of the first form, and a relay leaves those alone"
-- risk = "low"
-- ///

-- name: up
-- From the table's first form (aggregate_type, aggregate_id, payload_json), which may be large and is written to.
-- lint: allow json-type: it is kept as it was written, and never searched
-- lint: allow required-column: its default is constant, so every row has it at once, and code that does not know it too
alter table {outbox_event}
    add column if not exists position bigint,
    add column if not exists aggregate text,
    add column if not exists ordering_key json,
    add column if not exists bucket smallint,
    add column if not exists body bytea,
    add column if not exists attributes json,
    add column if not exists held boolean not null default false,
    add column if not exists refused_at timestamptz,
    add column if not exists refusal text;

create sequence if not exists {outbox_event_seq} owned by {outbox_event}.position;

-- lint: allow drop-not-null: no code reads these of rows that it has not written itself
alter table {outbox_event}
    alter column position set default nextval({outbox_event_seq_text}),
    alter column created_at set default now(),
    alter column aggregate_type drop not null,
    alter column aggregate_id drop not null,
    alter column payload_json drop not null;

-- lint: allow index-if-not-exists: what a failed build leaves is dropped by what runs this
create unique index concurrently if not exists {outbox_event_position} on {outbox_event} (position);

-- lint: allow index-if-not-exists: what a failed build leaves is dropped by what runs this
create index concurrently if not exists {outbox_event_waiting} on {outbox_event} (bucket, position)
    where published_at is null and not held;

-- lint: allow index-if-not-exists: what a failed build leaves is dropped by what runs this
create index concurrently if not exists {outbox_event_held} on {outbox_event} (aggregate, position) where held;

-- lint: allow index-if-not-exists: what a failed build leaves is dropped by what runs this
create index concurrently if not exists {outbox_event_published} on {outbox_event} (published_at)
    where published_at is not null;

-- name: verify
-- the table is an outbox of the first form
-- when: before
-- returns: nothing
select aggregate_type, aggregate_id, payload_json from {outbox_event} where false;

-- the outbox has what a relay reads and writes
-- returns: nothing
select position, id, event_name, event_version, idempotency_key, aggregate, ordering_key, bucket, body, attributes,
    created_at, held, published_at, refused_at, refusal
from {outbox_event} where false;
