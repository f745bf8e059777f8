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

-- The locks of some backends on tables; what others wait for, and for whom; and the indexes that are being built.
-- name: sample
select l.pid, l.relation, l.mode, l.granted,
    case when not l.granted and l.pid = any(%(probes)s) then pg_catalog.pg_blocking_pids(l.pid) end
from pg_catalog.pg_locks l
where l.pid = any(%(own)s) and l.locktype = 'relation' or l.pid = any(%(probes)s) and not l.granted
union all
select p.pid, relation, 'building', true, null
from pg_catalog.pg_stat_progress_create_index p, unnest(array[p.relid, p.index_relid]) relation
where p.pid = any(%(own)s) and relation <> 0

-- name: own_locks
select relation, mode from pg_catalog.pg_locks
where pid = pg_catalog.pg_backend_pid() and locktype = 'relation' and granted

-- name: quoted
select pg_catalog.format('%%I.%%I', n.nspname, c.relname)
from pg_catalog.pg_class c
join pg_catalog.pg_namespace n on n.oid = c.relnamespace
where c.oid = any(%s)

-- name: position
select pg_catalog.pg_current_wal_insert_lsn() - '0/0'::pg_catalog.pg_lsn

-- name: size
select pg_catalog.pg_relation_size(%s::pg_catalog.oid)
