-- What follows from a row of another table is logged with the audience that its object has when the transaction
-- commits. Until now it was the audience of the moment: another transaction could show, hide or narrow the object
-- before this one committed, so that the log told an audience of before, or the change of something that had just
-- been published stood in `internal`, of which no edition and no phone hears.
--
-- So the object's row is locked, in the order of ids, until commit. It is one lock wherever rows are held, because two
-- transactions that share a row cannot both go on to a stronger lock. Hidden objects' rows are locked, too: of a
-- materialized query Postgres reads all rows, where it would take `visible_to is not null` into a subquery.

create or replace function sync_part_changed() returns trigger language plpgsql as $$
declare
    changed text := sync_changed_rows(tg_op);
begin
    execute format(
        'with touched as materialized (
            select id, visible_to from %I where id in (select %I from (%s) changed)
            order by id for no key update
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

create or replace function sync_hold_referenced() returns trigger language plpgsql as $$
begin
    execute format(
        'select from %I where id in (select %I from (%s) changed) order by id for no key update',
        tg_argv[0], tg_argv[1], sync_changed_rows(tg_op));
    return null;
end $$;

create or replace function sync_holders_changed() returns trigger language plpgsql as $$
begin
    with touched as materialized (
        select id, visible_to from function
        where id in (
            select h.function_id
            from old_rows o join new_rows n on n.id = o.id join holding h on h.person_id = n.id
            where o.visible_to is distinct from n.visible_to)
        order by id for no key update)
    insert into sync_log (tx, kind, id, op, audience_before, audience_after)
    select (select sync_tx_of('directory')), 'function', id, 'update', visible_to, visible_to
    from touched where visible_to is not null;
    return null;
end $$;

create or replace function sync_functions_changed() returns trigger language plpgsql as $$
declare
    changed uuid[] := (
        select array_agg(n.id) from old_rows o join new_rows n on n.id = o.id
        where o.visible_to is distinct from n.visible_to);
begin
    with touched as materialized (
        select id, visible_to from person
        where id in (select person_id from holding where function_id = any (changed))
        order by id for no key update)
    insert into sync_log (tx, kind, id, op, audience_before, audience_after)
    select (select sync_tx_of('directory')), 'person', id, 'update', visible_to, visible_to
    from touched where visible_to is not null;
    with touched as materialized (
        select id, visible_to from service
        where id in (select service_id from contact_point where function_id = any (changed))
        order by id for no key update)
    insert into sync_log (tx, kind, id, op, audience_before, audience_after)
    select (select sync_tx_of('directory')), 'service', id, 'update', visible_to, visible_to
    from touched where visible_to is not null;
    return null;
end $$;

create or replace function sync_billing_units_changed() returns trigger language plpgsql as $$
begin
    with touched as materialized (
        select id, visible_to from rate_card
        where id in (
            select r.card_id
            from old_rows o join new_rows n on n.id = o.id join rate r on r.office_unit_id = n.id
            where o.visible_to is distinct from n.visible_to)
        order by id for no key update)
    insert into sync_log (tx, kind, id, op, audience_before, audience_after)
    select (select sync_tx_of('costs')), 'rate_card', id, 'update', visible_to, visible_to
    from touched where visible_to is not null;
    return null;
end $$;

create or replace function sync_log_seen(kind text, root text, ids uuid[]) returns void language plpgsql as $$
begin
    execute format(
        'with touched as materialized (select id, visible_to from %I where id = any ($2) order by id for no key update)
         insert into sync_log (tx, kind, id, op, audience_before, audience_after)
         select (select sync_tx_of(''bulletins'')), $1, id, ''update'', visible_to, visible_to
         from touched where visible_to is not null', root)
    using kind, ids;
end $$;
