-- The events that consumers rejected, each kept whole until it is dropped. Moments are texts in UTC that sort as they do.

-- name: tables
create table if not exists {dead_letter} (
    id integer primary key autoincrement,
    raw blob not null,
    attributes text not null,
    consumer text not null,
    event text,
    version text,
    reason text not null,
    problem text,
    violations text not null,
    rejected_at text not null,
    replayed_at text
);

-- name: keep
insert into {dead_letter} (raw, attributes, consumer, event, version, reason, problem, violations, rejected_at)
values (:raw, :attributes, :consumer, :event, :version, :reason, :problem, :violations, :rejected_at)

-- name: list
select id, raw, attributes, consumer, event, version, reason, problem, violations, rejected_at, replayed_at
from {dead_letter}
where id > :after
    and (:event is null or event = :event)
    and (:version is null or version = :version)
    and (:reason is null or reason = :reason)
    and (:consumer is null or consumer = :consumer)
    and (:before is null or rejected_at < :before)
    and (:since is null or rejected_at >= :since)
    and (:replayed is null or (replayed_at is not null) = :replayed)
order by id
limit :limit

-- name: kinds
select event, version, reason, consumer, count(*)
from {dead_letter}
group by event, version, reason, consumer
order by event, version, reason, consumer

-- name: one
select id, raw, attributes, consumer, event, version, reason, problem, violations, rejected_at, replayed_at
from {dead_letter}
where id = :id

-- name: drop
delete from {dead_letter} where id = :id

-- name: replayed
update {dead_letter} set replayed_at = :at where id = :id
