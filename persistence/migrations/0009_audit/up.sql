-- The audit: who did what, to which object, by which client, when, with what it was before and after. The
-- database writes it itself, whoever changes a row, and it is never changed.

create table audit_entry (
    n bigint generated always as identity primary key,
    at timestamptz not null default clock_timestamp(),
    -- Who: a person, a client, or nobody (`system`: the passing of time; `operator`: the command line or psql).
    actor_kind text not null check (actor_kind in ('person', 'client', 'system', 'operator')),
    actor_id uuid,
    -- By which client or app, in which session, with which request.
    client_id uuid,
    session_id uuid,
    request_id uuid,
    -- Postgres' own word on who it was: what else is said here of the actor was said by that role.
    database_role text not null default session_user,
    op text not null check (op in ('insert', 'update', 'delete', 'export')),
    -- The object: its kind, and its id.
    kind text not null,
    object_id uuid not null,
    -- The table of the changed row, where it is a part of the object.
    part text,
    -- The account that it was done to.
    subject_id uuid,
    -- The mission whose account, session or client it was done to.
    mission_id uuid,
    -- Never a secret. Of an update the columns that differ, and a part's key; else those that are not null.
    before jsonb,
    after jsonb,
    constraint audit_entry_actor check ((actor_id is not null) = (actor_kind in ('person', 'client')))
);
-- One for each way to search.
create index audit_entry_object on audit_entry (object_id, n);
create index audit_entry_kind on audit_entry (kind, n);
create index audit_entry_op on audit_entry (op, n) where op in ('delete', 'export');
create index audit_entry_actor on audit_entry (actor_id, n) where actor_id is not null;
create index audit_entry_actor_kind on audit_entry (actor_kind, n);
create index audit_entry_client on audit_entry (client_id, n) where client_id is not null;
create index audit_entry_session on audit_entry (session_id, n) where session_id is not null;
create index audit_entry_request on audit_entry (request_id, n) where request_id is not null;
create index audit_entry_subject on audit_entry (subject_id, n) where subject_id is not null;
create index audit_entry_mission on audit_entry (mission_id, n) where mission_id is not null;
create index audit_entry_at on audit_entry (at);

create function audit_is_append_only() returns trigger language plpgsql as $$
begin
    raise exception 'the audit is append-only' using errcode = 'insufficient_privilege';
end $$;
select sync_add_trigger('audit_entry', 'append_only', 'before update or delete or truncate',
    'for each statement execute function audit_is_append_only()');

-- The last `n` that was given out, committed or not. As the owner, because no other role may read the sequence.
create function audit_position() returns bigint volatile security definer set search_path from current language sql
as 'select last_value - (not is_called)::int from audit_entry_n_seq';

-- Before a transaction's first entry: says by a lock that entries after this position may still come.
create function audit_begin() returns void language plpgsql as $$
begin
    if coalesce(current_setting('focalpoint.audit', true), '') = '' then
        perform pg_advisory_xact_lock_shared(audit_position());
        perform set_config('focalpoint.audit', 'begun', true);
    end if;
end $$;

-- The `n` up to which, for a statement that begins after this, nothing will be added any more. `n` is given out
-- before the commit: who follows the audit by `n` alone would miss what commits late. First the position, then
-- the locks: whoever is not among these has committed, or begins behind that position.
create function audit_settled() returns bigint volatile language plpgsql as $$
declare
    position bigint := audit_position();
begin
    return least(position, (
        select min(classid::bigint << 32 | objid::bigint) from pg_locks
        where locktype = 'advisory' and objsubid = 1 and mode = 'ShareLock'
            and database = (select oid from pg_database where datname = current_database())));
end $$;

-- Who acts in this transaction, as the API has said by `set_config('focalpoint.actor', …, true)`. Nobody has: an
-- operator.
create function audit_actor() returns jsonb stable language sql
as $$ select coalesce(nullif(current_setting('focalpoint.actor', true), '')::jsonb, '{"kind": "operator"}') $$;

-- Notes what is no change of a row.
create function audit_note(op text, kind text, object_id uuid, after jsonb) returns void language plpgsql as $$
begin
    perform audit_begin();
    insert into audit_entry (actor_kind, actor_id, client_id, session_id, request_id, op, kind, object_id, after)
    select a.kind, a.id, a.client, a.session, a.request,
        audit_note.op, audit_note.kind, audit_note.object_id, audit_note.after
    from jsonb_to_record(audit_actor()) as a (kind text, id uuid, client uuid, session uuid, request uuid);
end $$;

-- The statement trigger of everything audited. Arguments: kind, part or '', the column that names the object, the
-- one that names the account or '', the one that names the mission or '' (then it is the account's), the primary
-- key, the columns of it that are shown, the columns that are left out. A change in these alone is none.
create function audit_changed() returns trigger language plpgsql as $$
declare
    key text[] := tg_argv[5];
    shown text[] := tg_argv[6];
    same_key text := (select string_agg(format('o.%1$I = n.%1$I', k), ' and ') from unnest(key) k);
    changes text := case tg_op
        when 'INSERT' then 'select null::jsonb o, to_jsonb(r) n from new_rows r'
        when 'DELETE' then 'select to_jsonb(r) o, null::jsonb n from old_rows r'
        else 'select to_jsonb(o) o, to_jsonb(n) n from old_rows o full join new_rows n on ' || same_key
            || ' where o.* is distinct from n.* and to_jsonb(o) - $3 is distinct from to_jsonb(n) - $3' end;
    subject text := case tg_argv[3] when '' then 'null' else format('(coalesce(n, o) ->> %L)::uuid', tg_argv[3]) end;
    mission text := case
        when tg_argv[4] <> '' then format('(coalesce(n, o) ->> %L)::uuid', tg_argv[4])
        when tg_argv[3] <> '' then format('(select mission_id from account where id = %s)', subject)
        else 'null' end;
begin
    perform audit_begin();
    -- `offset 0` keeps the planner from turning each row into JSON once for every column.
    execute format(
        'insert into audit_entry (actor_kind, actor_id, client_id, session_id, request_id, op, kind, object_id, part,
            subject_id, mission_id, before, after)
         select %1$s a.kind, a.id, a.client, a.session, a.request,
            case when o is null then ''insert'' when n is null then ''delete'' else ''update'' end,
            $1, (coalesce(n, o) ->> %2$L)::uuid, nullif($2, ''''), %3$s::uuid, %4$s::uuid,
            case when n is null then jsonb_strip_nulls(o - $3) when o is not null then
                (select jsonb_object_agg(e.key, e.value) from jsonb_each(o - $3) e
                 where e.key = any ($4) or e.value <> n -> e.key) end,
            case when o is null then jsonb_strip_nulls(n - $3) when n is not null then
                (select jsonb_object_agg(e.key, e.value) from jsonb_each(n - $3) e
                 where e.key = any ($4) or e.value <> o -> e.key) end
         from jsonb_to_record(audit_actor()) as a (kind text, id uuid, client uuid, session uuid, request uuid),
            (%5$s offset 0) c',
        -- Parts that only what is left out tells apart are noted together.
        case when tg_argv[1] <> '' and shown = '{}' then 'distinct' end, tg_argv[2], subject, mission, changes)
    using tg_argv[0], tg_argv[1], tg_argv[7]::text[], shown;
    return null;
end $$;

create function audit_truncate_refused() returns trigger language plpgsql as $$
begin
    raise exception 'TRUNCATE of % is refused: it would escape the audit; use DELETE', tg_table_name
        using errcode = 'feature_not_supported';
end $$;

-- Lets the audit follow a table. `object` is the column that names the object; of a table that is a part of two,
-- the first.
create function audit_follow(
    target regclass, kind text, part text default '', object text default 'id', subject text default '',
    mission text default '', left_out text[] default '{}', forgotten boolean default false
) returns void language plpgsql as $$
declare
    key text[] := (
        select array_agg(a.attname::text order by a.attnum)
        from pg_index i join pg_attribute a on a.attrelid = i.indrelid and a.attnum = any (i.indkey)
        where i.indrelid = target and i.indisprimary);
    generated text[] := (
        select coalesce(array_agg(attname::text), '{}') from pg_attribute where attrelid = target and attgenerated <> '');
    hidden text[] := left_out || generated || object;
    shown text[] := (select coalesce(array_agg(k), '{}') from unnest(key) k where k <> all (hidden));
    call text := format('for each statement execute function audit_changed(%L, %L, %L, %L, %L, %L, %L, %L)',
        kind, part, object, subject, mission, key, shown, hidden);
begin
    perform sync_add_trigger(target, 'audit_insert', 'after insert', 'referencing new table as new_rows ' || call);
    perform sync_add_trigger(target, 'audit_update', 'after update',
        'referencing old table as old_rows new table as new_rows ' || call);
    if not forgotten then
        perform sync_add_trigger(target, 'audit_delete', 'after delete', 'referencing old table as old_rows ' || call);
    end if;
    perform sync_add_trigger(target, 'audit_truncate', 'before truncate',
        'for each statement execute function audit_truncate_refused()');
end $$;

-- What is published.
select audit_follow(kind::regclass, kind)
from unnest(array['organization', 'unit', 'function', 'mission', 'person', 'service', 'rate_card', 'inf_note',
    'bulletin', 'place']) kind;
select audit_follow(part::regclass, kind, part, object)
from (values
    ('holding', 'person', 'person_id'),
    ('contact_point', 'service', 'service_id'),
    ('rate', 'rate_card', 'card_id'),
    ('charge_rule', 'rate_card', 'card_id'),
    ('inf_note_text', 'inf_note', 'inf_note_id'),
    ('bulletin_reference', 'bulletin', 'bulletin_id'),
    ('opening', 'place', 'place_id')) parts (part, kind, object);

-- Identity. `rights_version` stays: it alone tells that a client's secret was replaced. Not followed are what
-- shows by something else that is (`password_link`: by the password, `authorization_code`: by the session) and
-- what strangers can cause (`mail`).
select audit_follow('oauth_client', 'client', mission => 'mission_id', left_out => '{secret_hash,row_version}');
select audit_follow('app', 'app', left_out => '{row_version}');
select audit_follow('signing_key', 'signing_key', left_out => '{private_key,public_key}');
select audit_follow('account', 'account', subject => 'id', mission => 'mission_id', left_out => '{row_version}');
select audit_follow('password', 'account', 'password', 'account_id', 'account_id', left_out => '{hash}');
select audit_follow('second_factor', 'account', 'second_factor', 'account_id', 'account_id',
    left_out => '{secret,last_step}');
select audit_follow('recovery_code', 'account', 'recovery_code', 'account_id', 'account_id', left_out => '{hash}');
-- That they begin and end; not that they go on, nor that those which have been over for long are forgotten.
select audit_follow('session', 'session', subject => 'account_id', forgotten => true,
    left_out => '{rotation_key,generation,rotated_at,last_used_at}');
select audit_follow('browser_session', 'browser_session', subject => 'account_id', forgotten => true,
    left_out => '{hash,last_used_at,expires_at}');
