-- The ordered log: each transaction gets one gap-free revision per stream at commit, and the log says
-- which aggregates it changed, whoever wrote. docs/design.md tells the reasons.

create table sync_head (
    stream text primary key
        check (stream in ('bulletins', 'notes', 'costs', 'directory', 'internal', 'identity')),
    rev bigint not null default 0 check (rev >= 0),
    -- The nonce of the transaction that wrote `rev`: a restored backup that counts on from an older
    -- revision is told apart from the history it replaces.
    nonce uuid not null default gen_random_uuid()
);
insert into sync_head (stream)
values ('bulletins'), ('notes'), ('costs'), ('directory'), ('internal'), ('identity');

-- One row per transaction and stream; `rev` is null until the transaction commits.
create table sync_tx (
    nonce uuid primary key default gen_random_uuid(),
    stream text not null references sync_head,
    rev bigint,
    xid xid8 not null default pg_current_xact_id(),
    at timestamptz not null default clock_timestamp(),
    constraint sync_tx_rev_once unique (stream, rev)
);
create index sync_tx_unnumbered on sync_tx (xid) where rev is null;
create index sync_tx_at on sync_tx (at);
-- Revision 0 has a nonce too: a phone may synchronise before anything has happened.
insert into sync_tx (nonce, stream, rev) select nonce, stream, rev from sync_head;

-- What a transaction changed. An audience is null where no reader may see the object.
create table sync_log (
    -- In the order of the changes, which matters within a transaction.
    n bigint generated always as identity,
    tx uuid not null,
    kind text not null,
    id uuid not null,
    op text not null check (op in ('insert', 'update', 'delete')),
    audience_before text,
    audience_after text
);
create index sync_log_tx on sync_log (tx);

-- The row of sync_tx for this transaction and stream, made at its first change. The setting is
-- transaction-local, so that a rolled-back savepoint forgets it together with the row.
create function sync_tx_of(stream text) returns uuid language plpgsql as $$
declare
    nonce text := current_setting('focalpoint.tx_' || stream, true);
begin
    if coalesce(nonce, '') = '' then
        insert into sync_tx (stream) values (sync_tx_of.stream) returning sync_tx.nonce::text into nonce;
        perform set_config('focalpoint.tx_' || stream, nonce, true);
    end if;
    return nonce::uuid;
end $$;

-- At commit: number the transaction's streams in alphabetical order, so that two transactions that
-- touch the same streams never wait for each other in a circle, and hint at it.
create function sync_number() returns trigger language plpgsql as $$
declare
    unnumbered record;
    next bigint;
begin
    for unnumbered in
        select nonce, stream from sync_tx
        where xid = pg_current_xact_id() and rev is null order by stream
    loop
        update sync_head set rev = rev + 1, nonce = unnumbered.nonce
        where stream = unnumbered.stream returning rev into next;
        update sync_tx set rev = next, at = clock_timestamp() where nonce = unnumbered.nonce;
        perform pg_notify('focalpoint', unnumbered.stream);
    end loop;
    return null;
end $$;
create constraint trigger sync_number after insert on sync_tx
    deferrable initially deferred for each row execute function sync_number();
alter table sync_tx enable always trigger sync_number;

-- The statement triggers of an aggregate's root table. Arguments: stream, kind. The root table has
-- `id uuid` and `visible_to text`. What no reader may see, before or after, goes to `internal`.
create function sync_root_inserted() returns trigger language plpgsql as $$
begin
    insert into sync_log (tx, kind, id, op, audience_after)
    select (select sync_tx_of(tg_argv[0])), tg_argv[1], id, 'insert', visible_to
    from new_rows where visible_to is not null;
    insert into sync_log (tx, kind, id, op)
    select (select sync_tx_of('internal')), tg_argv[1], id, 'insert'
    from new_rows where visible_to is null;
    return null;
end $$;

create function sync_root_updated() returns trigger language plpgsql as $$
begin
    insert into sync_log (tx, kind, id, op, audience_before, audience_after)
    select (select sync_tx_of(tg_argv[0])), tg_argv[1], coalesce(n.id, o.id),
        case when o.id is null then 'insert' when n.id is null then 'delete' else 'update' end,
        o.visible_to, n.visible_to
    from old_rows o full join new_rows n on n.id = o.id
    where o.* is distinct from n.* and coalesce(o.visible_to, n.visible_to) is not null;
    insert into sync_log (tx, kind, id, op)
    select (select sync_tx_of('internal')), tg_argv[1], coalesce(n.id, o.id),
        case when o.id is null then 'insert' when n.id is null then 'delete' else 'update' end
    from old_rows o full join new_rows n on n.id = o.id
    where o.* is distinct from n.* and coalesce(o.visible_to, n.visible_to) is null;
    return null;
end $$;

create function sync_root_deleted() returns trigger language plpgsql as $$
begin
    insert into sync_log (tx, kind, id, op, audience_before)
    select (select sync_tx_of(tg_argv[0])), tg_argv[1], id, 'delete', visible_to
    from old_rows where visible_to is not null;
    insert into sync_log (tx, kind, id, op)
    select (select sync_tx_of('internal')), tg_argv[1], id, 'delete'
    from old_rows where visible_to is null;
    return null;
end $$;

-- The query for the rows that a statement changed, for its trigger's dynamic SQL.
create function sync_changed_rows(op text) returns text immutable language sql
return case op
    when 'INSERT' then 'select * from new_rows'
    when 'DELETE' then 'select * from old_rows'
    else '(select * from old_rows except select * from new_rows)
          union all (select * from new_rows except select * from old_rows)' end;

-- The statement trigger of a part of an aggregate: logs the roots whose parts changed.
-- Arguments: stream, kind, root table, the part's column that names its root.
create function sync_part_changed() returns trigger language plpgsql as $$
declare
    changed text := sync_changed_rows(tg_op);
begin
    execute format(
        'with touched as (
            select id, visible_to from %I where id in (select %I from (%s) changed)
         ), published as (
            insert into sync_log (tx, kind, id, op, audience_before, audience_after)
            select (select sync_tx_of($1)), $2, id, ''update'', visible_to, visible_to
            from touched where visible_to is not null
         )
         insert into sync_log (tx, kind, id, op)
         select (select sync_tx_of(''internal'')), $2, id, ''update'' from touched where visible_to is null',
        tg_argv[2], tg_argv[3], changed)
    using tg_argv[0], tg_argv[1];
    return null;
end $$;

-- The statement trigger of the tables behind identity: no audience, never in anybody's sync.
create function sync_identity_changed() returns trigger language plpgsql as $$
declare
    changed text := sync_changed_rows(tg_op);
begin
    execute format(
        'insert into sync_log (tx, kind, id, op)
         select (select sync_tx_of(''identity'')), $1, id, $2 from (select distinct id from (%s) c) changed',
        changed)
    using tg_argv[0], lower(tg_op);
    return null;
end $$;

-- Holds the rows that changed rows refer to, until commit. Where a body depends on whether another row is
-- visible, a transaction that hides or shows that row and one that refers to it take turns: each then sees
-- what the other did and logs what follows. Arguments: the table referred to, the column that refers.
create function sync_hold_referenced() returns trigger language plpgsql as $$
begin
    execute format(
        'select from %I where id in (select %I from (%s) changed) order by id for share',
        tg_argv[0], tg_argv[1], sync_changed_rows(tg_op));
    return null;
end $$;

create function sync_truncate_refused() returns trigger language plpgsql as $$
begin
    raise exception 'TRUNCATE of % is refused: it would escape the ordered log; use DELETE', tg_table_name
        using errcode = 'feature_not_supported';
end $$;

-- Puts the triggers on a table. They fire ALWAYS, under session_replication_role = replica too.
create function sync_add_trigger(target regclass, name text, timing text, body text) returns void
language plpgsql as $$
begin
    execute format('create trigger %I %s on %s %s', name, timing, target, body);
    execute format('alter table %s enable always trigger %I', target, name);
end $$;

create function sync_follow_root(target regclass, stream text, kind text) returns void
language plpgsql as $$
declare
    args text := format('%L, %L', stream, kind);
begin
    perform sync_add_trigger(target, 'sync_insert', 'after insert',
        'referencing new table as new_rows for each statement execute function sync_root_inserted(' || args || ')');
    perform sync_add_trigger(target, 'sync_update', 'after update',
        'referencing old table as old_rows new table as new_rows for each statement execute function sync_root_updated(' || args || ')');
    perform sync_add_trigger(target, 'sync_delete', 'after delete',
        'referencing old table as old_rows for each statement execute function sync_root_deleted(' || args || ')');
    perform sync_add_trigger(target, 'sync_truncate', 'before truncate',
        'for each statement execute function sync_truncate_refused()');
end $$;

-- A table may be a part of two roots (a holding, of its person and its function): call it twice.
create function sync_follow_part(target regclass, stream text, kind text, root regclass, root_column text)
returns void language plpgsql as $$
declare
    call text := format('for each statement execute function sync_part_changed(%L, %L, %L, %L)',
        stream, kind, root, root_column);
begin
    perform sync_add_trigger(target, 'sync_insert_' || root_column, 'after insert',
        'referencing new table as new_rows ' || call);
    perform sync_add_trigger(target, 'sync_update_' || root_column, 'after update',
        'referencing old table as old_rows new table as new_rows ' || call);
    perform sync_add_trigger(target, 'sync_delete_' || root_column, 'after delete',
        'referencing old table as old_rows ' || call);
    perform sync_add_trigger(target, 'sync_truncate_' || root_column, 'before truncate',
        'for each statement execute function sync_truncate_refused()');
end $$;

-- To be called for each reference by which visibility passes on; fires before the triggers that log.
create function sync_hold(target regclass, referred regclass, referring text) returns void
language plpgsql as $$
declare
    call text := format('for each statement execute function sync_hold_referenced(%L, %L)', referred, referring);
begin
    perform sync_add_trigger(target, 'sync_a_hold_insert_' || referring, 'after insert',
        'referencing new table as new_rows ' || call);
    perform sync_add_trigger(target, 'sync_a_hold_update_' || referring, 'after update',
        'referencing old table as old_rows new table as new_rows ' || call);
end $$;

create function sync_follow_identity(target regclass, kind text) returns void
language plpgsql as $$
declare
    call text := format('for each statement execute function sync_identity_changed(%L)', kind);
begin
    perform sync_add_trigger(target, 'sync_insert', 'after insert', 'referencing new table as new_rows ' || call);
    perform sync_add_trigger(target, 'sync_update', 'after update',
        'referencing old table as old_rows new table as new_rows ' || call);
    perform sync_add_trigger(target, 'sync_delete', 'after delete', 'referencing old table as old_rows ' || call);
    perform sync_add_trigger(target, 'sync_truncate', 'before truncate',
        'for each statement execute function sync_truncate_refused()');
end $$;

-- Checks of jsonb value objects, for the features' constraints. The domain parses the same rules.

create function is_localized(texts jsonb) returns boolean immutable language sql
return jsonb_typeof(texts) = 'object' and texts <> '{}'
    and not exists (
        select from jsonb_each(texts) t
        where t.key not in ('ar', 'en', 'es', 'fr', 'ru', 'zh')
            or jsonb_typeof(t.value) <> 'string' or t.value = '""'
    );

create function is_contact(contact jsonb) returns boolean immutable language sql
return jsonb_typeof(contact) = 'object'
    and jsonb_typeof(coalesce(contact -> 'telephones', '[]')) = 'array'
    and jsonb_typeof(coalesce(contact -> 'emails', '[]')) = 'array'
    and not exists (
        select from jsonb_array_elements(coalesce(contact -> 'telephones', '[]')) t
        where coalesce(t ->> 'number', '') !~ '^\+[1-9][0-9]{1,14}$'
    );

create function is_provenance(provenance jsonb) returns boolean immutable language sql
return coalesce(provenance ->> 'confidence', '') in ('official', 'reported', 'inferred', 'sample')
    and (provenance ->> 'confidence' = 'sample' or provenance ->> 'citation' is not null);

create domain duty_station as text check (value ~ '^[A-Z]{2,5}$');

create domain audience as text check (
    value in ('public', 'delegates', 'secretariat')
    or value ~ '^missions:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}(,[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12})*$');

-- Whether all who may see an item of audience `inner_` may see one of audience `outer_`; the domain's
-- Audience::covers.
create function audience_covers(outer_ text, inner_ text) returns boolean immutable language sql
return case
    when outer_ = 'public' or inner_ = 'secretariat' then outer_ is not null
    when outer_ = 'delegates' then inner_ = 'delegates' or inner_ like 'missions:%'
    when outer_ like 'missions:%' and inner_ like 'missions:%' then
        string_to_array(substr(outer_, 10), ',') @> string_to_array(substr(inner_, 10), ',')
    else false
end;
