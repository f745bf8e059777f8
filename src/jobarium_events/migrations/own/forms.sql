-- What the catalog says of one table.

-- name: table
select c.oid, c.relkind::text from pg_class as c where c.oid = to_regclass(%s)

-- name: place
-- The schema in which a name is found, or else in which it would be made; whether that is there, and is open to us.
select p.schema, n.oid is not null, coalesce(has_schema_privilege(n.oid, 'create'), false), current_user::text
from (
    select coalesce(
        (select relnamespace::regnamespace::oid from pg_class where oid = to_regclass(%(name)s)),
        case when cardinality(parse_ident(%(name)s)) = 1 then to_regnamespace(quote_ident(current_schema()))::oid end
    ) as found
) as f
cross join lateral (
    select coalesce(
        (select nspname::text from pg_namespace where oid = f.found),
        case when cardinality(parse_ident(%(name)s)) = 2 then (parse_ident(%(name)s))[1] end
    ) as schema
) as p
left join pg_namespace as n on n.nspname = p.schema

-- name: columns
select attname from pg_attribute where attrelid = %s and attnum > 0 and not attisdropped order by attnum

-- name: indexes
-- A unique index with a predicate, or over expressions, makes nothing unique that can be relied on.
select c.relname, i.indisvalid, i.indisunique and i.indpred is null and i.indexprs is null, array(
    select a.attname::text from unnest(i.indkey::int2[]) with ordinality as k (number, place)
    join pg_attribute as a on a.attrelid = i.indrelid and a.attnum = k.number
    where k.place <= i.indnkeyatts
)
from pg_index as i
join pg_class as c on c.oid = i.indexrelid
where i.indrelid = %s
