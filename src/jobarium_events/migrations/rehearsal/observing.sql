-- Tables and their indexes, apart from those of Postgres and of the record of migrations.
-- name: relations
select c.oid, case n.nspname when 'public' then '' else n.nspname || '.' end || c.relname, c.relkind::text,
    c.relfilenode, i.indrelid
from pg_catalog.pg_class c
join pg_catalog.pg_namespace n on n.oid = c.relnamespace
left join pg_catalog.pg_index i on i.indexrelid = c.oid
where c.relkind in ('r', 'p', 'm', 'f', 'v', 'i', 'I')
    and n.nspname not in ('information_schema', 'jobarium_migrations')
    and n.nspname !~ '^pg_'

-- The locks of some backends on tables; what they and others wait for, for whom, which of the sessions that hold them
-- up have what is waited for in this very view of the locks, and for how long; and the indexes that are being built.
-- name: sample
with locks as materialized (
    select pid, locktype, relation, virtualxid, transactionid, mode, granted, waitstart
    from pg_catalog.pg_locks
)
select l.pid, case when l.locktype = 'relation' or l.pid = any(%(probes)s) then l.relation end, l.mode, l.granted,
    case when not l.granted then pg_catalog.pg_blocking_pids(l.pid) end,
    case when not l.granted then array(
        select h.pid
        from locks h
        where h.pid = any(%(holding)s) and h.granted and (
            h.virtualxid = l.virtualxid or h.transactionid = l.transactionid or h.relation = l.relation
        )
    ) end,
    coalesce(extract(epoch from pg_catalog.clock_timestamp() - l.waitstart), 0)::pg_catalog.float8
from locks l
where l.pid = any(%(own)s) and (l.locktype = 'relation' or not l.granted)
    or l.pid = any(%(probes)s) and not l.granted
union all
select p.pid, relation, 'building', true, null, null, 0
from pg_catalog.pg_stat_progress_create_index p, unnest(array[p.relid, p.index_relid]) relation
where p.pid = any(%(own)s) and relation <> 0

-- name: own_locks
select relation, mode from pg_catalog.pg_locks
where pid = pg_catalog.pg_backend_pid() and locktype = 'relation' and granted

-- Those first that nothing is stored in, as what locks them leaves no trace.
-- name: lockable
select pg_catalog.format('%%I.%%I', n.nspname, c.relname), c.relkind::text
from unnest(%s::pg_catalog.oid[]) with ordinality as given (oid, place)
join pg_catalog.pg_class c on c.oid = given.oid
join pg_catalog.pg_namespace n on n.oid = c.relnamespace
where c.relkind in ('r', 'p', 'm', 'f', 'v')
order by c.relkind <> 'p', given.place

-- name: sessions
select setting
from pg_catalog.pg_settings
where name = 'max_connections'

-- For a session that is idle within a transaction, and is not to wait for a lock itself for long.
-- name: patient
select pg_catalog.set_config(name, case name when 'lock_timeout' then '5s' else '0' end, false)
from pg_catalog.pg_settings
where name in (
    'idle_in_transaction_session_timeout', 'idle_session_timeout', 'lock_timeout', 'statement_timeout',
    'transaction_timeout'
)

-- name: traces
select c.oid, pg_catalog.pg_stat_get_vacuum_count(c.oid), pg_catalog.pg_stat_get_analyze_count(c.oid),
    coalesce(pg_catalog.pg_relation_size(c.oid), 0)
from pg_catalog.pg_class c
where c.oid = any(%s) and c.relkind in ('r', 'p', 'm')

-- name: position
select pg_catalog.pg_current_wal_insert_lsn() - '0/0'::pg_catalog.pg_lsn

-- name: size
select pg_catalog.pg_relation_size(%s::pg_catalog.oid)
