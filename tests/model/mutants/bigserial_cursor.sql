-- A revision is drawn from a sequence at a transaction's first change; commits come in another order, or never.
do $$
begin
    perform 1 from sync_head;
    execute (select string_agg(format('create sequence rev_%s', stream), ';') from sync_head);
end $$;

create or replace function sync_tx_of(stream text) returns uuid language plpgsql as $$
declare
    nonce text := current_setting('focalpoint.tx_' || stream, true);
begin
    if coalesce(nonce, '') = '' then
        insert into sync_tx (stream, rev) values (sync_tx_of.stream, nextval('rev_' || sync_tx_of.stream))
        returning sync_tx.nonce::text into nonce;
        perform set_config('focalpoint.tx_' || stream, nonce, true);
    end if;
    return nonce::uuid;
end $$;

create or replace function sync_number() returns trigger language plpgsql as $$
begin
    update sync_head set rev = new.rev, nonce = new.nonce where stream = new.stream and rev < new.rev;
    perform pg_notify('focalpoint', new.stream);
    return null;
end $$;
