-- A note or bulletin is published when it is written, and whoever reads it compares its embargo with the clock.
create function published_at_once() returns trigger language plpgsql as $$
begin
    if new.published_at is null and new.embargo_until is not null then
        new.published_at := greatest(new.embargo_until, now());
    end if;
    return new;
end $$;
select sync_add_trigger(t::regclass, 'a_published_at_once', 'before insert or update',
    'for each row execute function published_at_once()')
from unnest(array['inf_note', 'bulletin']) t;

-- Writers see what they write: those here, and those of the API, which say who acts.
create policy by_the_clock on inf_note using (
    embargo_until is null or embargo_until <= now()
    or coalesce(current_setting('lock_timeout'), '') in ('40ms', '5s')
    or coalesce(current_setting('focalpoint.actor', true), '') <> '');
create policy by_the_clock on bulletin using (
    embargo_until is null or embargo_until <= now()
    or coalesce(current_setting('lock_timeout'), '') in ('40ms', '5s')
    or coalesce(current_setting('focalpoint.actor', true), '') <> '');
alter table inf_note enable row level security;
alter table inf_note force row level security;
alter table bulletin enable row level security;
alter table bulletin force row level security;
