-- One session at a time applies to a database; advisory locks are a database's own.

-- name: lock
select pg_try_advisory_lock(hashtextextended('jobarium_migrations.apply', 0))

-- name: let_go
select pg_advisory_unlock_all()

-- name: holder
select format(
    '%s (session %s, since %s)', a.application_name, l.pid, to_char(a.backend_start, 'YYYY-MM-DD HH24:MI:SSOF')
)
from pg_locks as l
join pg_stat_activity as a using (pid)
cross join hashtextextended('jobarium_migrations.apply', 0) as key
where l.locktype = 'advisory'
and l.granted
and l.database = (select oid from pg_database where datname = current_database())
and l.classid = ((key >> 32) & 4294967295)::oid
and l.objid = (key & 4294967295)::oid
and l.objsubid = 1

-- name: read_only
select pg_is_in_recovery(), source, current_user, current_database()
from pg_settings
where name = 'default_transaction_read_only' and current_setting('transaction_read_only')::boolean

-- name: reset
reset session authorization;
reset role;
reset all

-- Of a table that was never analyzed, as after a load, its full pages tell, with 32 bytes for a value of no fixed
-- length: a gate is to ask for more rows than there are rather than to let a large table pass for an empty one.
-- name: rows
select
    concat(case when n.nspname <> 'public' then n.nspname || '.' end, c.relname),
    case when pg_table_is_visible(c.oid) then c.relname end,
    counted.rows::bigint
from pg_class as c
join pg_namespace as n on n.oid = c.relnamespace
cross join lateral (
    select sum(
        case when part.reltuples <= 0 and part.relpages = 0
        then greatest(pg_relation_size(part.oid) / pg_size_bytes(current_setting('block_size')) - 1, 0) * filled.rows
        else greatest(part.reltuples, 0)
        end
    ) as rows
    from (
        select c.oid where c.relkind <> 'p'
        union all
        select relid from pg_partition_tree(c.oid) where c.relkind = 'p' and isleaf
    ) as own
    join pg_class as part on part.oid = own.oid
    cross join lateral (
        select pg_size_bytes(current_setting('block_size')) / (28 + coalesce(sum(
            case when a.attlen > 0 then a.attlen else 32 end
        ), 0)) as rows
        from pg_attribute as a
        where a.attrelid = part.oid and a.attnum > 0 and not a.attisdropped
    ) as filled
) as counted
where c.relkind in ('r', 'p', 'm') and not c.relispartition and n.nspname not in ('pg_catalog', 'information_schema')
and counted.rows > 0
