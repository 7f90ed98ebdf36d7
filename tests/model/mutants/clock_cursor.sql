-- The time of a step is that of the transaction's first change, not of its commit.
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
        update sync_tx set rev = next where nonce = unnumbered.nonce;
        perform pg_notify('focalpoint', unnumbered.stream);
    end loop;
    return null;
end $$;
