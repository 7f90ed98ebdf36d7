drop trigger sync_a_hold_delete_bulletin_id on bulletin_reference;
drop trigger sync_a_hold_delete_basis_id on opening;

create or replace function sync_number() returns trigger language plpgsql as $$
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

create or replace function sync_part_changed() returns trigger language plpgsql as $$
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

create or replace function sync_holders_changed() returns trigger language plpgsql as $$
begin
    insert into sync_log (tx, kind, id, op, audience_before, audience_after)
    select (select sync_tx_of('directory')), 'function', f.id, 'update', f.visible_to, f.visible_to
    from function f
    where f.visible_to is not null and f.id in (
        select h.function_id
        from old_rows o join new_rows n on n.id = o.id join holding h on h.person_id = n.id
        where o.visible_to is distinct from n.visible_to);
    return null;
end $$;

create or replace function sync_functions_changed() returns trigger language plpgsql as $$
declare
    changed uuid[] := (
        select array_agg(n.id) from old_rows o join new_rows n on n.id = o.id
        where o.visible_to is distinct from n.visible_to);
begin
    insert into sync_log (tx, kind, id, op, audience_before, audience_after)
    select (select sync_tx_of('directory')), 'person', p.id, 'update', p.visible_to, p.visible_to
    from person p
    where p.visible_to is not null and p.id in (select person_id from holding where function_id = any (changed));
    insert into sync_log (tx, kind, id, op, audience_before, audience_after)
    select (select sync_tx_of('directory')), 'service', s.id, 'update', s.visible_to, s.visible_to
    from service s
    where s.visible_to is not null and s.id in (select service_id from contact_point where function_id = any (changed));
    return null;
end $$;

create or replace function sync_billing_units_changed() returns trigger language plpgsql as $$
begin
    insert into sync_log (tx, kind, id, op, audience_before, audience_after)
    select (select sync_tx_of('costs')), 'rate_card', c.id, 'update', c.visible_to, c.visible_to
    from rate_card c
    where c.visible_to is not null and c.id in (
        select r.card_id
        from old_rows o join new_rows n on n.id = o.id join rate r on r.office_unit_id = n.id
        where o.visible_to is distinct from n.visible_to);
    return null;
end $$;

create or replace function sync_log_seen(kind text, root text, ids uuid[]) returns void language plpgsql as $$
begin
    execute format(
        'insert into sync_log (tx, kind, id, op, audience_before, audience_after)
         select (select sync_tx_of(''bulletins'')), $1, id, ''update'', visible_to, visible_to
         from %I where id = any ($2) and visible_to is not null', root)
    using kind, ids;
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
    from place where id = any (unseen) and (visible_to is null or not id = any (coalesce(seen, '{}')));
    return null;
end $$;

drop function sync_settle(uuid[]);
drop function sync_follow(text, text, uuid[]);
alter table sync_log drop column follows;
