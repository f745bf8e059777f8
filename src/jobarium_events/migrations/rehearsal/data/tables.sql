-- What a database holds, read from its catalog; of every schema but Postgres' own and that of the record of migrations.

-- name: tables
select c.oid, n.nspname as schema, c.relname as name, c.relkind = 'p' as partitioned,
    greatest(c.reltuples, 0)::bigint as rows, pg_table_size(c.oid) as bytes, pg_indexes_size(c.oid) as index_bytes,
    exists (
        select from pg_inherits i join pg_class h on h.oid = i.inhrelid and not h.relispartition where i.inhparent = c.oid
    ) as inherited,
    case when c.relispartition then pg_get_partition_constraintdef(c.oid) end as bounds,
    case when c.relispartition then (select inhparent from pg_inherits where inhrelid = c.oid) end as parent
from pg_class c
join pg_namespace n on n.oid = c.relnamespace
where c.relkind in ('r', 'p') and c.relpersistence <> 't'
    and n.nspname !~ '^pg_' and n.nspname not in ('information_schema', 'jobarium_migrations')
    and not exists (
        select from pg_depend d where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype = 'e'
    )
order by n.nspname, c.relname

-- name: columns
select a.attrelid as table, a.attname as name, a.atttypid as type, a.atttypmod as modifier, a.attnum as number,
    format_type(a.atttypid, a.atttypmod) as declared, a.attnotnull as not_null,
    case when a.attgenerated = '' then pg_get_expr(d.adbin, d.adrelid) end as default,
    case when a.attgenerated <> '' then pg_get_expr(d.adbin, d.adrelid) end as generated,
    a.attidentity::text as identity, case when a.attcollation <> t.typcollation then l.collname end as collation
from pg_attribute a
join pg_type t on t.oid = a.atttypid
left join pg_collation l on l.oid = a.attcollation
left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
where a.attrelid = any (%s) and a.attnum > 0 and not a.attisdropped
order by a.attnum

-- name: constraints
select k.conrelid as table, k.conname as name, k.contype::text as kind, k.conkey as columns, k.confrelid as target,
    k.confkey as referred, pg_get_expr(k.conbin, k.conrelid) as condition, k.condeferrable as deferrable
from pg_constraint k
join pg_class c on c.oid = k.conrelid
where k.conrelid = any (%s) and k.contype in ('p', 'f', 'c') and (k.conparentid = 0 or c.relispartition)
order by k.conname

-- name: indexes
select i.indrelid as table, c.relname as name, pg_get_indexdef(i.indexrelid) as definition, i.indisunique as unique,
    i.indpred is not null or i.indexprs is not null or i.indisexclusion as partial, i.indisexclusion as exclusion, i.indisvalid as valid, not i.indimmediate as deferrable,
    pg_relation_size(i.indexrelid) as bytes,
    not coalesce((to_jsonb(i) ->> 'indnullsnotdistinct')::boolean, false) as nulls_differ,
    array(
        select d.refobjsubid from pg_depend d
        where d.classid = 'pg_class'::regclass and d.objid = i.indexrelid
            and d.refclassid = 'pg_class'::regclass and d.refobjid = i.indrelid and d.refobjsubid > 0
        union
        select k::int from unnest(i.indkey::int2[]) with ordinality as u (k, place)
        where k > 0 and place <= i.indnkeyatts
        order by 1
    ) as columns
from pg_index i
join pg_class c on c.oid = i.indexrelid
where i.indrelid = any (%s)
order by c.relname

-- name: types
select t.oid, t.typname, t.typtype::text, t.typbasetype, t.typtypmod, t.typnotnull,
    case when t.typcategory = 'A' then t.typelem else 0 end, format_type(t.oid, null),
    array(select e.enumlabel::text from pg_enum e where e.enumtypid = t.oid order by e.enumsortorder),
    array(
        select pg_get_constraintdef(k.oid) from pg_constraint k
        where k.contypid = t.oid and k.contype = 'c' order by k.conname
    ),
    coalesce((select r.rngsubtype from pg_range r where r.rngtypid = t.oid), 0)
from pg_type t
where t.typtype in ('b', 'c', 'd', 'e', 'm', 'r')

-- name: multiranges
select rngmultitypid, rngtypid from pg_range

-- name: fields
select t.oid, a.attname, a.atttypid, a.atttypmod
from pg_type t
join pg_class c on c.oid = t.typrelid and c.relkind = 'c'
join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
order by t.oid, a.attnum
