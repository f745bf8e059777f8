-- /// migration
-- id = "0007_inbox_event_id"
-- owner = "jobarium-events"
-- category = "contract"
-- release = "0.1.0"
-- estimated_runtime = "1s"
-- rollback_plan = "nothing needs to be taken back: an event's id stays unique for each consumer"
-- containment = "the unique index on consumer and event replaces it; two consumers may now have the same event"
-- risk = "low"
-- depends_on = ["0005_inbox_columns"]
-- completes = ["0006_inbox_unfinished"]
-- ///

-- name: up
-- An event's id was unique alone, so that of two consumers the second took every event for a duplicate.
alter table {inbox_event} drop constraint if exists {inbox_event_event_id_key};

-- name: verify
-- an event's id is unique for each consumer
-- returns: nothing
select consumer_name, event_id from {inbox_event} where false;
