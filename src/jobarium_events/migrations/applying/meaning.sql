-- Comments that are there and say something else; names are as lint has them, without the schema where it is public.

-- name: column
select 1
from pg_class as c
join pg_namespace as n on n.oid = c.relnamespace
join pg_attribute as a on a.attrelid = c.oid and a.attname = %(column)s and not a.attisdropped
where (
    concat(case when n.nspname <> 'public' then n.nspname || '.' end, c.relname) = %(table)s
    or (c.relname = %(table)s and pg_table_is_visible(c.oid))
)
and col_description(c.oid, a.attnum) <> %(text)s
limit 1

-- name: type
select concat(case when m.nspname <> 'public' then m.nspname || '.' end, c.relname), a.attname
from pg_type as t
join pg_namespace as n on n.oid = t.typnamespace
join pg_attribute as a on a.atttypid in (t.oid, nullif(t.typarray, 0)) and not a.attisdropped
join pg_class as c on c.oid = a.attrelid and c.relkind in ('r', 'p', 'f')
join pg_namespace as m on m.oid = c.relnamespace
where (
    concat(case when n.nspname <> 'public' then n.nspname || '.' end, t.typname) = %(type)s
    or (t.typname = %(type)s and pg_type_is_visible(t.oid))
)
and obj_description(t.oid, 'pg_type') <> %(text)s
order by 1, 2
