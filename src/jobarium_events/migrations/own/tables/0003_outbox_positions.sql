-- /// migration
-- id = "0003_outbox_positions"
-- owner = "jobarium-events"
-- category = "migrate"
-- release = "0.1.0"
-- estimated_runtime = "15m"
-- rollback_plan = "pause the backfill; nothing reads the positions of rows of the first form but the pruning of old ones"
-- risk = "low"
-- depends_on = ["0002_outbox_columns"]
--
-- [backfill]
-- table = {outbox_event_toml}
-- key = ["id"]
-- ///

-- name: backfill
-- lint: allow backfill-volatile: a row gets its number once, as one that has a number is left alone
update {outbox_event} set position = nextval({outbox_event_seq_text}) where id between $1 and $2 and position is null;

-- name: verify
-- every row has a position, by which it can be pruned
-- returns: false
select exists (select from {outbox_event} where position is null);
