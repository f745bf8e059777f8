-- What Postgres knows of its tables without looking at a row.

-- name: rows
with recursive part (root, oid) as (
    select c.oid, c.oid
    from pg_class c
    join pg_namespace n on n.oid = c.relnamespace
    where c.relkind in ('r', 'p') and not c.relispartition and c.relpersistence <> 't'
        and n.nspname !~ '^pg_' and n.nspname not in ('information_schema', 'jobarium_migrations')
    union all
    select part.root, i.inhrelid
    from part
    join pg_inherits i on i.inhparent = part.oid
    join pg_class c on c.oid = i.inhrelid and c.relispartition
)
select n.nspname || '.' || c.relname,
    case
        when not bool_or(p.relkind = 'r' and p.reltuples <= 0 and p.relpages = 0 and pg_relation_size(p.oid) > 0)
        then coalesce(sum(greatest(p.reltuples, 0)) filter (where p.relkind = 'r'), 0)::bigint
    end
from part
join pg_class c on c.oid = part.root
join pg_namespace n on n.oid = c.relnamespace
join pg_class p on p.oid = part.oid
group by 1
order by 1

-- name: columns
-- Of text, only how often its most common values are; the values themselves stay where they are.
select s.schemaname || '.' || s.tablename, s.attname, s.null_frac, s.n_distinct, s.avg_width, s.most_common_freqs,
    case when t.typtype = 'e' or t.oid = 'boolean'::regtype then s.most_common_vals::text::text[] end
from pg_stats s
join pg_namespace n on n.nspname = s.schemaname
join pg_class c on c.relnamespace = n.oid and c.relname = s.tablename
join pg_attribute a on a.attrelid = c.oid and a.attname = s.attname
join pg_type t on t.oid = a.atttypid
where s.inherited = (c.relkind = 'p') and not c.relispartition and c.relkind in ('r', 'p')
    and n.nspname !~ '^pg_' and n.nspname not in ('information_schema', 'jobarium_migrations')
order by 1, a.attnum
