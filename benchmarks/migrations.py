"""The migrations that lint is measured with: as the tables of a service come and grow, file after file.

``SERVICE`` stands for the service's name, so that there may be any number of services.
"""

from __future__ import annotations

__all__ = ["BRIEF", "USUAL"]

_TABLE = """\
set lock_timeout = '2s';

-- What customers have asked for, one row for each request.
create table SERVICE_request (
    id bigint generated always as identity primary key,
    tenant_id uuid not null,
    reference text not null,
    title varchar(200) not null,
    description text not null default '',
    status text not null default 'open' check (status in ('open', 'waiting', 'closed', 'archived')),
    priority smallint not null default 3 check (priority between 1 and 5),
    amount numeric(12, 2) not null default 0,
    currency varchar(3) not null default 'EUR',
    due_on date,
    assigned_to bigint,
    details jsonb not null default '{}'::jsonb,
    created_at timestamptz not null default now(),
    updated_at timestamptz,
    constraint SERVICE_request_reference unique (tenant_id, reference),
    constraint SERVICE_request_amount check (amount >= 0)
);
create index SERVICE_request_open on SERVICE_request (tenant_id, status) where status <> 'archived';
create index SERVICE_request_due on SERVICE_request (due_on) where due_on is not null;
comment on table SERVICE_request is 'what customers have asked for';
comment on column SERVICE_request.amount is 'in the currency of the row, without taxes';
comment on column SERVICE_request.priority is 'from 1, the most urgent, to 5';

create function SERVICE_touch() returns trigger language plpgsql as $$
begin
    if new is distinct from old then
        new.updated_at := now();
    end if;
    return new;
end
$$;
create trigger SERVICE_request_touch before update on SERVICE_request
    for each row execute function SERVICE_touch();
"""
_CHILD = """\
set lock_timeout = '2s';

create table SERVICE_item (
    id bigint generated always as identity primary key,
    request_id bigint not null,
    position integer not null,
    product_code text not null,
    quantity numeric(12, 3) not null default 1,
    unit_price numeric(12, 4) not null,
    discount numeric(5, 2),
    delivered_at timestamptz,
    created_at timestamptz not null default now(),
    note text,
    unique (request_id, position),
    check (quantity > 0),
    check (discount is null or discount between 0 and 100)
);
create index SERVICE_item_product on SERVICE_item (product_code);
comment on column SERVICE_item.discount is 'in percent of the price of the unit';

alter table SERVICE_item add constraint SERVICE_item_request
    foreign key (request_id) references SERVICE_request (id) on delete cascade not valid;
alter table SERVICE_item validate constraint SERVICE_item_request;
"""
_COLUMNS = """\
set lock_timeout = '2s';

alter table SERVICE_request
    add column external_id text,
    add column source text not null default 'form',
    add column reviewed_at timestamptz;
alter table SERVICE_request add constraint SERVICE_request_source
    check (source in ('form', 'import', 'api', 'mail')) not valid;
comment on column SERVICE_request.external_id is 'as the system calls it that the request comes from';
comment on column SERVICE_request.source is 'by which way it came';
create unique index concurrently SERVICE_request_external on SERVICE_request (tenant_id, external_id)
    where external_id is not null;
"""
_BACKFILL = """\
set lock_timeout = '2s';

-- lint: allow data-not-batched: only the requests of pilot customers have this source, a few hundred rows
update SERVICE_request as request
set external_id = request.details ->> 'external_id',
    priority = case when request.amount > 10000 then 1 when request.amount > 1000 then 2 else request.priority end,
    updated_at = now()
where request.source = 'import'
  and request.external_id is null
  and request.details ? 'external_id'
  and exists (select from SERVICE_item as item where item.request_id = request.id and item.quantity > 0);
"""
_REQUIRED = """\
set lock_timeout = '2s';

alter table SERVICE_request validate constraint SERVICE_request_source;
alter table SERVICE_request add constraint SERVICE_request_due_on check (due_on is not null) not valid;
alter table SERVICE_request validate constraint SERVICE_request_due_on;
alter table SERVICE_request alter column due_on set not null;
alter table SERVICE_request alter column due_on set default current_date + 14;
"""
_VIEW = """\
set lock_timeout = '2s';

create view SERVICE_overview as
select request.id,
       request.tenant_id,
       request.title,
       request.status,
       count(item.id) as items,
       sum(item.quantity * item.unit_price * (1 - coalesce(item.discount, 0) / 100)) as total,
       min(item.delivered_at) as first_delivered_at,
       max(item.delivered_at) as last_delivered_at
from SERVICE_request as request
left join SERVICE_item as item on item.request_id = request.id
where request.status <> 'archived'
group by request.id, request.tenant_id, request.title, request.status;
comment on view SERVICE_overview is 'requests with the sum of their items';
grant select on SERVICE_overview to reporting;
"""
_LOOKUP = """\
set lock_timeout = '2s';

create table SERVICE_reason (
    code text primary key,
    label text not null,
    is_final boolean not null default false,
    sort integer not null
);
insert into SERVICE_reason (code, label, is_final, sort) values
    ('duplicate', 'Another request asks for the same', true, 10),
    ('withdrawn', 'The customer no longer wants it', true, 20),
    ('incomplete', 'Something is missing that was asked for', false, 30),
    ('out-of-stock', 'What was asked for cannot be had', false, 40),
    ('too-late', 'It cannot be done until it is due', true, 50),
    ('other', 'See the note', false, 60);
alter table SERVICE_request add column reason_code text;
create index concurrently SERVICE_request_reason on SERVICE_request (reason_code);
alter table SERVICE_request add constraint SERVICE_request_reason
    foreign key (reason_code) references SERVICE_reason (code) not valid;
alter table SERVICE_request validate constraint SERVICE_request_reason;
"""
_FUNCTION = """\
set lock_timeout = '2s';

create or replace function SERVICE_close(closed bigint, reason text) returns boolean
language plpgsql
as $$
declare
    found_status text;
begin
    select status into found_status from SERVICE_request where id = closed for update;
    if found_status is null then
        raise exception 'there is no request %', closed;
    end if;
    if found_status in ('closed', 'archived') then
        return false;
    end if;
    update SERVICE_request
    set status = 'closed', reason_code = reason, reviewed_at = now()
    where id = closed;
    return true;
end
$$;
comment on function SERVICE_close(bigint, text) is 'closes a request, and says whether it was open';
revoke execute on function SERVICE_close(bigint, text) from public;
grant execute on function SERVICE_close(bigint, text) to application;
"""
_HISTORY = """\
set lock_timeout = '2s';

create type SERVICE_event_kind as enum ('created', 'changed', 'assigned', 'closed', 'reopened');
create table SERVICE_event (
    id bigint generated always as identity,
    request_id bigint not null,
    kind SERVICE_event_kind not null,
    actor text not null,
    before jsonb,
    after jsonb,
    happened_at timestamptz not null default now(),
    primary key (id, happened_at)
) partition by range (happened_at);
create table SERVICE_event_2026 partition of SERVICE_event
    for values from ('2026-01-01') to ('2027-01-01');
create table SERVICE_event_2027 partition of SERVICE_event
    for values from ('2027-01-01') to ('2028-01-01');
create index SERVICE_event_request on SERVICE_event (request_id, happened_at);
"""
_INDEXES = """\
set lock_timeout = '2s';

create index concurrently SERVICE_request_assigned on SERVICE_request (assigned_to, status)
    where assigned_to is not null;
create index concurrently SERVICE_request_title on SERVICE_request (lower(title));
drop index concurrently SERVICE_request_due;
create statistics SERVICE_request_kinds on status, priority from SERVICE_request;
alter table SERVICE_request alter column title set statistics 500;
"""

USUAL = (_TABLE, _CHILD, _COLUMNS, _BACKFILL, _REQUIRED, _VIEW, _LOOKUP, _FUNCTION, _HISTORY, _INDEXES)
"""Ten files of a service, one of each sort: tables, columns, a backfill, constraints, a view, rows, a function, types,
partitions and indexes."""

_SHORT_TABLE = """\
set lock_timeout = '2s';
create table SERVICE (
    id bigint generated always as identity primary key,
    tenant_id uuid not null,
    name text not null,
    status text not null default 'open' check (status in ('open', 'closed', 'archived')),
    amount numeric(12, 2) not null default 0,
    created_at timestamptz not null default now(),
    updated_at timestamptz,
    note text
);
comment on column SERVICE.status is 'where it stands';
create index SERVICE_tenant on SERVICE (tenant_id, status);
"""
_SHORT_COLUMN = """\
set lock_timeout = '2s';
alter table SERVICE add column extra_NUMBER text;
alter table SERVICE add constraint extra_NUMBER_check check (length(extra_NUMBER) <= 200) not valid;
comment on column SERVICE.extra_NUMBER is 'what else there is';
create index concurrently SERVICE_NUMBER on SERVICE (extra_NUMBER) where extra_NUMBER is not null;
"""

BRIEF = (_SHORT_TABLE, *(_SHORT_COLUMN.replace("NUMBER", str(number)) for number in range(1, 10)))
"""Ten files of a service, of which nine add a column: as little SQL as a file of its own is made for."""
