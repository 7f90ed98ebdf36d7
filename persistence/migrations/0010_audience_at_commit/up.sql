-- What follows from a row of another table is logged with the audience that its object has when the transaction
-- commits. Until now it was the audience of the moment: another transaction could show, hide or narrow the object
-- before this one committed, so that the log told an audience of before, or the change of something that had just
-- been published stood in `internal`, of which no edition and no phone hears.
--
-- Nothing is locked for that while the transaction goes on. At commit it has the heads of its streams, so that whoever
-- changed an object's audience in one of them has either committed, and is seen, or comes after.

-- The stream of the object, where the entry follows from a row of another table; else the object's own row changed.
alter table sync_log add column follows text;

-- Logs that objects are seen otherwise, since a row of another table changed. Their table has the kind's name.
create function sync_follow(stream text, kind text, ids uuid[]) returns void language plpgsql as $$
begin
    execute format(
        'with touched as materialized (select id, visible_to from %I where id = any ($3)), published as (
            insert into sync_log (tx, kind, id, op, audience_before, audience_after, follows)
            select (select sync_tx_of($1)), $2, id, ''update'', visible_to, visible_to, $1
            from touched where visible_to is not null
         )
         insert into sync_log (tx, kind, id, op, follows)
         select (select sync_tx_of(''internal'')), $2, id, ''update'', $1 from touched where visible_to is null', kind)
    using stream, kind, ids;
end $$;

-- At commit, with the heads of the streams in hand: what entries that follow from other rows tell of audiences is
-- made what it is now. `own` are the transaction's nonces.
create function sync_settle(own uuid[]) returns void language plpgsql as $$
declare
    followed record;
begin
    for followed in select distinct kind, follows from sync_log where tx = any (own) and follows is not null loop
        execute format(
            'with wrong as materialized (
                select l.n, l.id, o.visible_to from sync_log l left join %I o on o.id = l.id
                where l.tx = any ($1) and l.kind = $2 and l.follows is not null
                    and l.audience_after is distinct from o.visible_to
             ), gone as (
                delete from sync_log l using wrong where l.tx = any ($1) and l.n = wrong.n
             )
             insert into sync_log (tx, kind, id, op, audience_before, audience_after, follows)
             select (select sync_tx_of($3)), $2, id, ''update'', visible_to, visible_to, $3
             from (select distinct id, visible_to from wrong where visible_to is not null) o
             -- Of an object whose own row it changed, the transaction has told the audience.
             where not exists (
                select from sync_log l where l.tx = any ($1) and l.kind = $2 and l.id = o.id and l.follows is null
                    and l.audience_after = o.visible_to)', followed.kind)
        using own, followed.kind, followed.follows;
    end loop;
end $$;

create or replace function sync_number() returns trigger language plpgsql as $$
declare
    unnumbered record;
    next bigint;
    own uuid[];
    streams text[];
begin
    select array_agg(nonce), array_agg(stream) into own, streams
    from sync_tx where xid = pg_current_xact_id() and rev is null;
    if own is null then
        return null;
    end if;
    streams := streams || array(select distinct follows from sync_log where tx = any (own) and follows is not null);
    perform from sync_head where stream = any (streams) order by stream for no key update;
    perform sync_settle(own);
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

create or replace function sync_part_changed() returns trigger language plpgsql as $$
declare
    changed uuid[];
begin
    execute format('select array_agg(distinct %I) from (%s) changed', tg_argv[3], sync_changed_rows(tg_op))
    into changed;
    perform sync_follow(tg_argv[0], tg_argv[1], changed);
    return null;
end $$;

create or replace function sync_holders_changed() returns trigger language plpgsql as $$
begin
    perform sync_follow('directory', 'function', array(
        select h.function_id
        from old_rows o join new_rows n on n.id = o.id join holding h on h.person_id = n.id
        where o.visible_to is distinct from n.visible_to));
    return null;
end $$;

create or replace function sync_functions_changed() returns trigger language plpgsql as $$
declare
    changed uuid[] := (
        select array_agg(n.id) from old_rows o join new_rows n on n.id = o.id
        where o.visible_to is distinct from n.visible_to);
begin
    perform sync_follow('directory', 'person', array(
        select person_id from holding where function_id = any (changed)));
    perform sync_follow('directory', 'service', array(
        select service_id from contact_point where function_id = any (changed)));
    return null;
end $$;

create or replace function sync_billing_units_changed() returns trigger language plpgsql as $$
begin
    perform sync_follow('costs', 'rate_card', array(
        select r.card_id
        from old_rows o join new_rows n on n.id = o.id join rate r on r.office_unit_id = n.id
        where o.visible_to is distinct from n.visible_to));
    return null;
end $$;

create or replace function sync_log_seen(kind text, root text, ids uuid[]) returns void language plpgsql as $$
begin
    perform sync_follow('bulletins', kind, ids);
end $$;

create or replace function sync_opening_changed() returns trigger language plpgsql as $$
declare
    changed text := sync_changed_rows(tg_op);
    seen uuid[];
    unseen uuid[];
begin
    execute format(
        'select array_agg(distinct c.place_id) filter (where c.basis_id is null or b.visible_to is not null),
                array_agg(distinct c.place_id)
         from (%s) c left join bulletin b on b.id = c.basis_id', changed)
    into seen, unseen;
    perform sync_log_seen('place', 'place', seen);
    insert into sync_log (tx, kind, id, op)
    select (select sync_tx_of('internal')), 'place', id, 'update'
    from place where id = any (unseen) and not id = any (coalesce(seen, '{}'));
    return null;
end $$;

-- Also who takes away what rests on a bulletin, or refers to one, takes turns with who shows or hides it.
select sync_add_trigger('opening', 'sync_a_hold_delete_basis_id', 'after delete',
    'referencing old table as old_rows for each statement execute function sync_hold_referenced(''bulletin'', ''basis_id'')');
select sync_add_trigger('bulletin_reference', 'sync_a_hold_delete_bulletin_id', 'after delete',
    'referencing old table as old_rows for each statement execute function sync_hold_referenced(''bulletin'', ''bulletin_id'')');
