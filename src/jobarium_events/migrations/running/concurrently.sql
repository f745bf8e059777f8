-- The indexes of a table that is named, of a schema, or all; of these, those that are not valid.

-- name: built
select pg_get_indexdef(i.oid)
from pg_index as x
join pg_class as i on i.oid = x.indexrelid
where x.indrelid = to_regclass(%s) and i.relname = %s and x.indisvalid

-- name: invalid
with recursive given as (
    select coalesce(x.indrelid, r.oid) as oid
    from (select to_regclass(%(relation)s)::oid as oid) as r
    left join pg_index as x on x.indexrelid = r.oid
),
tables as (
    select oid from given
    union
    select h.inhrelid from pg_inherits as h join tables as t on t.oid = h.inhparent
)
select n.nspname, i.relname, p.pid
from pg_index as x
join pg_class as i on i.oid = x.indexrelid
join pg_namespace as n on n.oid = i.relnamespace
join pg_class as t on t.oid = x.indrelid
left join pg_stat_progress_create_index as p on p.relid = x.indrelid and p.pid <> pg_backend_pid()
where not x.indisvalid
and i.relkind = 'i'
and case when %(name)s::text is null then i.relname ~ '_cc(new|old)[0-9]*$' else i.relname = %(name)s::text end
and case
    when %(relation)s::text is not null
    then exists (
        select 1
        from tables as g
        left join pg_class as of_toast on of_toast.oid = g.oid
        where x.indrelid in (g.oid, of_toast.reltoastrelid)
    )
    when %(schema)s::text is not null
    then coalesce((select o.relnamespace from pg_class as o where o.reltoastrelid = t.oid), t.relnamespace)
        = to_regnamespace(quote_ident(%(schema)s::text))::oid
    else true
end
order by n.nspname, i.relname

-- name: is_detaching
select 1
from pg_inherits
where inhrelid = to_regclass(%s) and inhparent = to_regclass(%s) and inhdetachpending
