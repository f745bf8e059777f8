-- /// migration
-- id = "0006_inbox_unfinished"
-- owner = "jobarium-events"
-- category = "migrate"
-- release = "0.1.0"
-- estimated_runtime = "15m"
-- rollback_plan = "pause the backfill; what was begun and not finished is handled when it is delivered again"
-- risk = "low"
-- depends_on = ["0005_inbox_columns"]
--
-- [backfill]
-- table = {inbox_event_toml}
-- key = ["id"]
-- ///

-- name: backfill
-- What was begun and not finished is forgotten, as a row means now that an event was handled.
delete from {inbox_event} where id between $1 and $2 and processed_at is null;

-- name: verify
-- every row is of an event that was handled
-- returns: false
select exists (select from {inbox_event} where processed_at is null);
