-- The events that consumers rejected, each kept whole until it is dropped.

-- name: tables
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

-- name: keep
insert into {dead_letter} (raw, attributes, consumer, event, version, reason, problem, violations, rejected_at)
values (
    %(raw)s, %(attributes)s::json, %(consumer)s, %(event)s, %(version)s, %(reason)s, %(problem)s,
    %(violations)s::json, %(rejected_at)s
)

-- name: list
select id, raw, attributes::text, consumer, event, version, reason, problem, violations::text, rejected_at, replayed_at
from {dead_letter}
where id > %(after)s
    and (%(event)s::text is null or event = %(event)s)
    and (%(version)s::text is null or version = %(version)s)
    and (%(reason)s::text is null or reason = %(reason)s)
    and (%(consumer)s::text is null or consumer = %(consumer)s)
    and (%(before)s::timestamptz is null or rejected_at < %(before)s)
    and (%(since)s::timestamptz is null or rejected_at >= %(since)s)
    and (%(replayed)s::boolean is null or (replayed_at is not null) = %(replayed)s)
order by id
limit %(limit)s

-- name: kinds
select event, version, reason, consumer, count(*)
from {dead_letter}
group by event, version, reason, consumer
order by event, version, reason, consumer

-- name: one
select id, raw, attributes::text, consumer, event, version, reason, problem, violations::text, rejected_at, replayed_at
from {dead_letter}
where id = %(id)s

-- name: drop
delete from {dead_letter} where id = any (%(ids)s::bigint[])

-- name: replayed
update {dead_letter} set replayed_at = now() where id = %(id)s

-- name: begin_replaying
-- Each statement is to see what is committed by then; and the transaction is idle while a broker takes its time.
set transaction isolation level read committed;
set local idle_in_transaction_session_timeout = 0

-- name: claim
-- No row if another replay has the letter, or if it is not there. The lock goes with the transaction.
select id, raw, attributes::text, consumer, event, version, reason, problem, violations::text, rejected_at, replayed_at
from {dead_letter}
where id = %(id)s
for update skip locked
