-- Every object of a schema as a name and its definition, in words that do not depend on when or how it was made: no
-- ids, and no order of columns, which a drop and a new start change. The search path is empty meanwhile.

-- name: schema
with own_schema as (
    select n.oid, n.nspname, n.nspowner, n.nspacl
    from pg_namespace n
    where n.nspname !~ '^pg_' and n.nspname not in ('information_schema', 'jobarium_migrations')
), of_extension as (
    select d.classid, d.objid from pg_depend d where d.deptype = 'e'
), relation as (
    select c.*, quote_ident(n.nspname) || '.' || quote_ident(c.relname) as title
    from pg_class c
    join own_schema n on n.oid = c.relnamespace
    where c.relpersistence <> 't'
        and not exists (select from of_extension e where e.classid = 'pg_class'::regclass and e.objid = c.oid)
), granted as (
    select 'schema ' || quote_ident(n.nspname) as object, coalesce(n.nspacl, acldefault('n', n.nspowner)) as acl,
        n.nspowner as owner
    from own_schema n
    union all
    select (case when r.relkind = 'S' then 'sequence ' else 'table ' end) || r.title,
        coalesce(r.relacl, acldefault(case when r.relkind = 'S' then 's' else 'r' end::"char", r.relowner)), r.relowner
    from relation r
    where r.relkind in ('r', 'p', 'v', 'm', 'S', 'f')
    union all
    select 'column ' || r.title || '.' || quote_ident(a.attname), a.attacl, null
    from relation r
    join pg_attribute a on a.attrelid = r.oid and a.attacl is not null and not a.attisdropped
    union all
    select 'function ' || p.oid::regprocedure, coalesce(p.proacl, acldefault('f', p.proowner)), p.proowner
    from pg_proc p
    join own_schema n on n.oid = p.pronamespace
    where not exists (select from of_extension e where e.classid = 'pg_proc'::regclass and e.objid = p.oid)
)
select 'schema ' || quote_ident(n.nspname) as object, 'there' as definition from own_schema n
union all
select 'extension ' || quote_ident(e.extname), e.extversion from pg_extension e
union all
select case r.relkind when 'v' then 'view ' when 'm' then 'materialized view ' when 'f' then 'foreign table ' else 'table '
    end || r.title,
    concat_ws(
        '; ',
        case when r.relpersistence = 'u' then 'unlogged' end,
        case when r.relkind = 'p' then 'partition by ' || pg_get_partkeydef(r.oid) end,
        case when r.relispartition then pg_get_expr(r.relpartbound, r.oid) end,
        (select 'inherits ' || string_agg(i.inhparent::regclass::text, ', ' order by i.inhseqno)
            from pg_inherits i where i.inhrelid = r.oid),
        (select 'with ' || string_agg(o, ', ' order by o) from unnest(r.reloptions) as o),
        case when r.relrowsecurity then 'row level security' end,
        case when r.relforcerowsecurity then 'forced row level security' end,
        case when r.relkind in ('r', 'p') and r.relreplident <> 'd' then 'replica identity ' || r.relreplident::text end,
        'access method ' || (select am.amname from pg_am am where am.oid = r.relam),
        'tablespace ' || (select s.spcname from pg_tablespace s where s.oid = r.reltablespace),
        case when r.relkind in ('v', 'm') then pg_get_viewdef(r.oid) end
    )
from relation r
where r.relkind in ('r', 'p', 'v', 'm', 'f')
union all
select 'column ' || r.title || '.' || quote_ident(a.attname),
    concat_ws(
        ' ',
        format_type(a.atttypid, a.atttypmod),
        case when a.attcollation <> t.typcollation then 'collate ' || a.attcollation::regcollation::text end,
        case when a.attnotnull then 'not null' end,
        case when a.attgenerated = '' then 'default ' || pg_get_expr(d.adbin, d.adrelid) end,
        case when a.attgenerated <> '' then
            'generated ' || a.attgenerated::text || ' as ' || pg_get_expr(d.adbin, d.adrelid) end,
        case a.attidentity when 'a' then 'identity always' when 'd' then 'identity by default' end,
        case when a.attstorage <> t.typstorage then 'storage ' || a.attstorage::text end,
        'compression ' || nullif(to_jsonb(a) ->> 'attcompression', ''),
        'statistics ' || nullif(coalesce(a.attstattarget, -1), -1),
        (select 'with ' || string_agg(o, ', ' order by o) from unnest(a.attoptions) as o where o like 'n\_distinct%')
    )
from relation r
join pg_attribute a on a.attrelid = r.oid and a.attnum > 0 and not a.attisdropped
join pg_type t on t.oid = a.atttypid
left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
where r.relkind in ('r', 'p', 'v', 'm', 'f', 'c')
union all
select 'constraint ' || quote_ident(k.conname) || ' of ' || r.title, pg_get_constraintdef(k.oid)
from pg_constraint k
join relation r on r.oid = k.conrelid
where k.contype not in ('n', 't') or not k.convalidated
union all
select 'index ' || r.title,
    concat_ws(
        '; ',
        pg_get_indexdef(i.indexrelid),
        case when not i.indisvalid then 'not valid' end,
        case when i.indisclustered then 'clustered' end,
        case when i.indisreplident then 'replica identity' end
    )
from pg_index i
join relation r on r.oid = i.indexrelid
union all
select 'trigger ' || quote_ident(g.tgname) || ' of ' || r.title, pg_get_triggerdef(g.oid) || '; ' || g.tgenabled::text
from pg_trigger g
join relation r on r.oid = g.tgrelid
where not g.tgisinternal
union all
select 'rule ' || quote_ident(w.rulename) || ' of ' || r.title, pg_get_ruledef(w.oid) || '; ' || w.ev_enabled::text
from pg_rewrite w
join relation r on r.oid = w.ev_class
where w.rulename <> '_RETURN'
union all
select 'policy ' || quote_ident(l.polname) || ' of ' || r.title,
    concat_ws(
        '; ',
        l.polcmd::text,
        l.polpermissive::text,
        array(select coalesce(o.rolname, 'public') from unnest(l.polroles) u left join pg_roles o on o.oid = u order by 1)::text,
        pg_get_expr(l.polqual, l.polrelid),
        'check ' || pg_get_expr(l.polwithcheck, l.polrelid)
    )
from pg_policy l
join relation r on r.oid = l.polrelid
union all
select 'statistics ' || quote_ident(n.nspname) || '.' || quote_ident(x.stxname), pg_get_statisticsobjdef(x.oid)
from pg_statistic_ext x
join own_schema n on n.oid = x.stxnamespace
union all
select 'sequence ' || r.title,
    concat_ws(
        ' ',
        format_type(s.seqtypid, null),
        'start', s.seqstart, 'by', s.seqincrement, 'from', s.seqmin, 'to', s.seqmax, 'cache', s.seqcache,
        case when s.seqcycle then 'cycle' end,
        (
            select 'owned by ' || o.title || '.' || quote_ident(a.attname)
            from pg_depend d
            join relation o on o.oid = d.refobjid
            join pg_attribute a on a.attrelid = d.refobjid and a.attnum = d.refobjsubid
            where d.classid = 'pg_class'::regclass and d.objid = r.oid and d.deptype in ('a', 'i')
        )
    )
from pg_sequence s
join relation r on r.oid = s.seqrelid
union all
select 'function ' || p.oid::regprocedure,
    case when p.prokind in ('f', 'p', 'w') then pg_get_functiondef(p.oid)
        else 'aggregate of ' || (select to_jsonb(g) - 'aggfnoid' from pg_aggregate g where g.aggfnoid = p.oid)::text end
from pg_proc p
join own_schema n on n.oid = p.pronamespace
where not exists (select from of_extension e where e.classid = 'pg_proc'::regclass and e.objid = p.oid)
union all
select case t.typtype when 'e' then 'enum ' when 'd' then 'domain ' when 'r' then 'range ' else 'type ' end
    || format_type(t.oid, null),
    case t.typtype
        when 'e' then
            array(select e.enumlabel::text from pg_enum e where e.enumtypid = t.oid order by e.enumsortorder)::text
        when 'd' then
            concat_ws(
                ' ',
                format_type(t.typbasetype, t.typtypmod),
                case when t.typnotnull then 'not null' end,
                'default ' || t.typdefault,
                (select string_agg(quote_ident(k.conname) || ' ' || pg_get_constraintdef(k.oid), ' ' order by k.conname)
                    from pg_constraint k where k.contypid = t.oid and k.contype <> 'n')
            )
        when 'r' then
            (select format_type(g.rngsubtype, null) from pg_range g where g.rngtypid = t.oid)
        else 'composite'
    end
from pg_type t
join own_schema n on n.oid = t.typnamespace
where (t.typtype in ('e', 'd', 'r') or (t.typtype = 'c' and exists (
        select from pg_class c where c.oid = t.typrelid and c.relkind = 'c')))
    and not exists (select from of_extension e where e.classid = 'pg_type'::regclass and e.objid = t.oid)
union all
select 'comment on ' || o.type || ' ' || o.identity, d.description
from pg_description d
cross join lateral pg_identify_object(d.classoid, d.objoid, d.objsubid) as o
where d.objoid >= 16384 and o.identity is not null and o.identity !~ '\mjobarium_migrations\M'
    and d.classoid in (
        'pg_class'::regclass, 'pg_constraint'::regclass, 'pg_namespace'::regclass, 'pg_policy'::regclass,
        'pg_proc'::regclass, 'pg_trigger'::regclass, 'pg_type'::regclass
    )
    and not exists (select from of_extension e where e.classid = d.classoid and e.objid = d.objoid)
union all
select 'privileges on ' || granted.object,
    concat_ws(
        '; ',
        'owner ' || granted.owner::regrole::text,
        (
            select string_agg(
                concat_ws(
                    ' ',
                    case when x.grantee = 0 then 'public' else x.grantee::regrole::text end,
                    lower(x.privilege_type),
                    case when x.is_grantable then 'with grant option' end
                ),
                ', ' order by x.grantee::regrole::text collate "C", x.privilege_type
            )
            from aclexplode(granted.acl) as x
        )
    )
from granted

-- name: data
select count(*), coalesce(sum(hashtextextended(row({columns})::text, 0)::numeric), 0)::text
from {table}
where {condition}
