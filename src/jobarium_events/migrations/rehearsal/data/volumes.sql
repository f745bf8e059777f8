-- How rows are made within Postgres. In curly brackets stand names and expressions that are put together for a table:
-- `_n` is a row's number, `_a` how often it was tried.

-- name: insert
insert into {table} ({names}) overriding system value
select {names} from ({rows}) as _rows limit {most} {conflict}

-- name: numbers
generate_series({first}::bigint, {last}::bigint) as _n

-- name: once
select _n, 0::bigint as _a from {numbers}

-- name: tries
select generate_series(0, {count} - 1)::bigint as _a

-- name: made
-- What is drawn is worked out once for each row: `offset 0` keeps Postgres from putting it in each place of its use.
select {values} from (select {places} from ({base}) as _base offset 0) as _drawn

-- name: computed
select {alias}.*, {more} from ({rows} offset 0) as {alias}

-- name: filtered
select * from ({rows} offset 0) as {alias} where {condition}

-- name: first
select _row.* from {numbers} cross join lateral ({rows} limit 1) as _row

-- name: given
(select ({expression}) from (select _n as n) as _number)

-- name: exists
({nothing} or exists (select from {target} as _target where {same}))

-- name: keys
create temporary table {keys} as
select row_number() over () - 1 as _k, {columns} from {table} where {given};
create unique index on {keys} (_k);
analyze {keys}

-- name: keys_within
create temporary table {keys} as
select row_number() over (partition by {within}) - 1 as _k, count(*) over (partition by {within}) as _count, {columns}
from {table} where {given};
create unique index on {keys} ({within}, _k);
analyze {keys}

-- name: key_at
(select {column} from {keys} where _k = {place})

-- name: key_count
(select _count from {keys} as _keys where {same} and _k = 0)

-- name: key_within
(select {column} from {keys} as _keys where {same} and _k = {place})

-- name: count
select count(*) from {table}

-- name: largest
select {largest} from {table}

-- name: refer
update {table} as _row set ({names}) = row({values})
from ({drawn}) as _drawn
join {keys} as _keys on _keys._k = _drawn._place
where _row.ctid = _drawn._at and _row.tableoid = _drawn._part and not ({itself})

-- name: drawn
-- Only rows of this transaction: what was there before stays as it is.
select *, {place} as _place
from (
    select ctid as _at, tableoid as _part, 0::bigint as _a{others} from {table}
    where xmin::text::bigint = txid_current() & 4294967295 offset 0
) as _added
where {condition} offset 0

-- name: apart
-- Two rows with a null are not the same.
select * from (
    select *, num_nulls({same}) > 0 or row_number() over (partition by {same} order by _part, _at) = 1 as {first}
    from ({drawn}) as _drawn
) as _numbered where {first}

-- name: advance
select setval(_of, _largest)
from pg_get_serial_sequence({owner}, {name}) as _of, (select max({column}) as _largest from {table}) as _made
where _of is not null and _largest > 0
