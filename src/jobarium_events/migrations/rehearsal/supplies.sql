-- What probes run.
-- name: select
select {columns} from {table} where {key}

-- name: update
update {table} set {sets} where {key}

-- name: insert
insert into {table} ({columns}) overriding system value values ({values}) returning {stored}

-- name: delete
delete from {table} where {key}

-- What is read for them.
-- name: sample
select {columns} from {table} limit {limit}

-- name: take_out
delete from {table}
where ({key}) in (
    select {own_key} from {table} t
    where {free}
    limit least({limit}, (select count(*) / 4 from {table}))
)
returning {columns}

-- name: unreferenced
not exists (select from {table} x where {joined})

-- name: has
select ({condition}) from {table} limit 0

-- name: count
select count(*) from {table} where {condition}

-- What the transaction has written so far.
-- name: written
select schemaname || '.' || relname, n_tup_ins + n_tup_upd + n_tup_del
from pg_catalog.pg_stat_xact_user_tables
where n_tup_ins + n_tup_upd + n_tup_del > 0
