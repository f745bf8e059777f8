-- /// migration
-- id = "0008_dead_letters"
-- owner = "jobarium-events"
-- category = "expand"
-- release = "0.1.0"
-- estimated_runtime = "1s"
-- rollback_plan = "drop the table, once no consumer uses it and no letter in it is needed"
-- risk = "low"
-- ///

-- name: up
-- lint: allow json-type: it is kept as it was written, and never searched
create table if not exists {dead_letter} (
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

-- name: down
drop table {dead_letter};

-- name: verify
-- the table has what consumers and replays read and write
-- returns: nothing
select id, raw, attributes, consumer, event, version, reason, problem, violations, rejected_at, replayed_at
from {dead_letter} where false;
