-- The log tells who can see an object after a change; whoever could see it before is not told apart.
create or replace function sync_root_updated() returns trigger language plpgsql as $$
begin
    insert into sync_log (tx, kind, id, op, audience_before, audience_after)
    select (select sync_tx_of(tg_argv[0])), tg_argv[1], coalesce(n.id, o.id), 'update',
        coalesce(n.visible_to, o.visible_to), n.visible_to
    from old_rows o full join new_rows n on n.id = o.id
    where o.* is distinct from n.* and coalesce(o.visible_to, n.visible_to) is not null;
    insert into sync_log (tx, kind, id, op)
    select (select sync_tx_of('internal')), tg_argv[1], coalesce(n.id, o.id), 'update'
    from old_rows o full join new_rows n on n.id = o.id
    where o.* is distinct from n.* and coalesce(o.visible_to, n.visible_to) is null;
    return null;
end $$;
