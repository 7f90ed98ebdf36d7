-- Security bulletins, and the places whose openings rest on them. A moment is an instant and, where its
-- source was not exact, a reading: the source's words and the rule that read them.

create function is_reading(reading jsonb) returns boolean immutable strict language sql
return jsonb_typeof(reading) = 'object' and coalesce(reading ->> 'given', '') <> ''
    and coalesce(reading ->> 'rule', '') in ('day', 'close_of_business', 'morning', 'noon', 'afternoon', 'evening',
        'approximate_time', 'local_time', 'sunday_before_the_week');

create function is_bulletin_texts(texts jsonb) returns boolean immutable language sql
return jsonb_typeof(texts) = 'object' and texts <> '{}'
    and not exists (
        select from jsonb_each(texts) t
        where t.key not in ('ar', 'en', 'es', 'fr', 'ru', 'zh')
            or coalesce(t.value ->> 'headline', '') = '' or coalesce(t.value ->> 'description', '') = ''
    );

-- A zone of the IANA database. A bulletin whose zone nobody could read would vanish with the places that
-- rest on it, and no step of the log would say so.
create function is_time_zone(name text) returns boolean stable strict language plpgsql as $$
begin
    perform now() at time zone name;
    return name = 'UTC' or name ~ '^[A-Za-z_]+(/[A-Za-z0-9_+-]+)+$';
exception when invalid_parameter_value then
    return false;
end $$;

create table bulletin (
    id uuid primary key,
    source text not null,
    source_key text not null,
    audience audience not null,
    closed_at timestamptz,
    embargo_until timestamptz,
    published_at timestamptz,
    visible_to text generated always as
        (case when published_at is not null and closed_at is null then audience end) stored,
    identifier text not null check (identifier ~ '^[!-~]{1,100}$' and identifier !~ '[,<&]'),
    issuer_code text not null check (issuer_code ~ '^[!-~]{1,100}$' and issuer_code !~ '[,<&]'),
    issuer_name jsonb not null check (is_localized(issuer_name)),
    duty_station duty_station not null,
    time_zone text not null check (is_time_zone(time_zone)),
    message_type text not null check (message_type in ('alert', 'update', 'cancel')),
    category text not null check (category in ('geo', 'met', 'safety', 'security', 'rescue', 'fire', 'health', 'env',
        'transport', 'infra', 'cbrne', 'other')),
    severity text not null check (severity in ('extreme', 'severe', 'moderate', 'minor', 'unknown')),
    urgency text not null check (urgency in ('immediate', 'expected', 'future', 'past', 'unknown')),
    certainty text not null check (certainty in ('observed', 'likely', 'possible', 'unlikely', 'unknown')),
    sent_at timestamptz not null,
    sent_reading jsonb check (is_reading(sent_reading)),
    onset_at timestamptz,
    onset_reading jsonb check (is_reading(onset_reading)),
    expires_at timestamptz,
    expires_reading jsonb check (is_reading(expires_reading)),
    -- When the scheduler found it expired: no read compares `expires_at` with a clock.
    expired_at timestamptz,
    texts jsonb not null check (is_bulletin_texts(texts)),
    provenance jsonb not null check (is_provenance(provenance)),
    unique (source, source_key),
    -- Deferred, so that an import can name the row.
    constraint bulletin_identifier_once unique (issuer_code, identifier) deferrable initially deferred,
    constraint bulletin_published_after_embargo check (published_at >= embargo_until),
    constraint bulletin_expires_after_onset check (expires_at > sent_at and expires_at > coalesce(onset_at, sent_at)),
    constraint bulletin_expired_after_expiry check (expired_at is null or expired_at >= expires_at),
    constraint bulletin_expired_once_published check (expired_at is null or published_at is not null)
);
-- The scheduler's: what is due.
create index bulletin_to_publish on bulletin (embargo_until) where published_at is null and closed_at is null;
create index bulletin_to_expire on bulletin (expires_at)
    where expired_at is null and published_at is not null and closed_at is null;

-- The earlier bulletins that an update or cancellation is about.
create table bulletin_reference (
    bulletin_id uuid not null references bulletin on delete cascade deferrable initially deferred,
    earlier_id uuid not null references bulletin deferrable initially deferred,
    primary key (bulletin_id, earlier_id),
    constraint bulletin_is_not_about_itself check (bulletin_id <> earlier_id)
);
create index bulletin_reference_earlier on bulletin_reference (earlier_id);

create function are_passes(passes text[]) returns boolean immutable strict language sql
return array_position(passes, null) is null and passes <@ array['vip', 'permanent_representative', 'gold',
    'protocol_access', 'delegate', 'staff', 'media', 'ngo', 'affiliate', 'retiree', 'conference_participant',
    'long_term', 'visitor'];

create table place (
    id uuid primary key,
    source text not null,
    source_key text not null,
    audience audience not null,
    closed_at timestamptz,
    visible_to text generated always as (case when closed_at is null then audience end) stored,
    place_kind text not null check (place_kind in
        ('entrance', 'checkpoint', 'garage', 'street', 'crossing', 'building')),
    duty_station duty_station not null,
    time_zone text not null check (is_time_zone(time_zone)),
    name jsonb not null check (is_localized(name)),
    other_names jsonb not null default '[]' check (jsonb_typeof(other_names) = 'array'),
    address jsonb check (is_localized(address)),
    provenance jsonb not null check (is_provenance(provenance)),
    unique (source, source_key)
);

-- What a source says of a place: a part of the place.
create table opening (
    place_id uuid not null references place on delete cascade deferrable initially deferred,
    position integer not null check (position >= 0),
    state text not null check (state in ('open', 'restricted', 'closed')),
    -- Null: everybody.
    passes text[] check (passes <> '{}' and are_passes(passes)),
    directed_elsewhere text[] not null default '{}' check (are_passes(directed_elsewhere)),
    from_at timestamptz,
    from_reading jsonb check (is_reading(from_reading)),
    until_at timestamptz,
    until_reading jsonb check (is_reading(until_reading)),
    hours jsonb check (jsonb_typeof(hours) = 'object' and hours ->> 'outside' in ('closed', 'unknown')),
    screening text not null default 'unknown' check (screening in ('required', 'not_required', 'unknown')),
    note jsonb check (is_localized(note)),
    basis_id uuid references bulletin deferrable initially deferred,
    provenance jsonb not null check (is_provenance(provenance)),
    primary key (place_id, position),
    constraint opening_period check (until_at > from_at),
    constraint opening_names_each_pass_once check (not passes && directed_elsewhere),
    constraint opening_directs_some check (passes is not null or directed_elsewhere = '{}'),
    constraint opening_restriction_says_what check (state <> 'restricted' or passes is not null or note is not null)
);
create index opening_basis on opening (basis_id);

select sync_follow_root('bulletin', 'bulletins', 'bulletin');
select sync_follow_root('place', 'bulletins', 'place');
select sync_follow_part('bulletin_reference', 'bulletins', 'bulletin', 'bulletin', 'bulletin_id');

-- Puts the places or bulletins `ids` names into the log: published ones that readers see otherwise now.
create function sync_log_seen(kind text, root text, ids uuid[]) returns void language plpgsql as $$
begin
    execute format(
        'insert into sync_log (tx, kind, id, op, audience_before, audience_after)
         select (select sync_tx_of(''bulletins'')), $1, id, ''update'', visible_to, visible_to
         from %I where id = any ($2) and visible_to is not null', root)
    using kind, ids;
end $$;

-- A place shows the openings whose bulletin is published: what rests on another is noted in `internal`,
-- so that no phone wakes before it may know why.
create function sync_opening_changed() returns trigger language plpgsql as $$
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

-- A bulletin shows those that it refers to and what followed it, a place what rests on a bulletin: they
-- change with the visibility of the other, a bulletin's standing also with what its followers do.
create function sync_bulletin_seen() returns trigger language plpgsql as $$
declare
    shown uuid[];
    changed uuid[];
begin
    if tg_op = 'INSERT' then
        select array_agg(id), array_agg(id) into shown, changed from new_rows where visible_to is not null;
    else
        select array_agg(n.id) filter (where o.visible_to is distinct from n.visible_to), array_agg(n.id)
        into shown, changed
        from old_rows o join new_rows n using (id)
        where (o.visible_to, o.message_type, o.sent_at) is distinct from (n.visible_to, n.message_type, n.sent_at)
            and coalesce(o.visible_to, n.visible_to) is not null;
    end if;
    if changed is not null then
        perform sync_log_seen('bulletin', 'bulletin',
            (select array_agg(earlier_id) from bulletin_reference where bulletin_id = any (changed)));
    end if;
    if shown is not null then
        perform sync_log_seen('bulletin', 'bulletin',
            (select array_agg(bulletin_id) from bulletin_reference where earlier_id = any (shown)));
        perform sync_log_seen('place', 'place',
            (select array_agg(place_id) from opening where basis_id = any (shown)));
    end if;
    return null;
end $$;

create function sync_reference_changed() returns trigger language plpgsql as $$
declare
    changed text := sync_changed_rows(tg_op);
    earlier uuid[];
begin
    -- A reference that goes with its bulletin finds it gone already.
    execute format(
        'select array_agg(c.earlier_id) from (%s) c left join bulletin b on b.id = c.bulletin_id
         where b.id is null or b.visible_to is not null', changed)
    into earlier;
    perform sync_log_seen('bulletin', 'bulletin', earlier);
    return null;
end $$;

select sync_hold('opening', 'bulletin', 'basis_id');
select sync_hold('bulletin_reference', 'bulletin', 'bulletin_id');
select sync_hold('bulletin_reference', 'bulletin', 'earlier_id');
select sync_add_trigger('opening', 'sync_insert', 'after insert',
    'referencing new table as new_rows for each statement execute function sync_opening_changed()');
select sync_add_trigger('opening', 'sync_update', 'after update',
    'referencing old table as old_rows new table as new_rows for each statement execute function sync_opening_changed()');
select sync_add_trigger('opening', 'sync_delete', 'after delete',
    'referencing old table as old_rows for each statement execute function sync_opening_changed()');
select sync_add_trigger('opening', 'sync_truncate', 'before truncate',
    'for each statement execute function sync_truncate_refused()');
select sync_add_trigger('bulletin', 'sync_seen_insert', 'after insert',
    'referencing new table as new_rows for each statement execute function sync_bulletin_seen()');
select sync_add_trigger('bulletin', 'sync_seen_update', 'after update',
    'referencing old table as old_rows new table as new_rows for each statement execute function sync_bulletin_seen()');
select sync_add_trigger('bulletin_reference', 'sync_earlier_insert', 'after insert',
    'referencing new table as new_rows for each statement execute function sync_reference_changed()');
select sync_add_trigger('bulletin_reference', 'sync_earlier_update', 'after update',
    'referencing old table as old_rows new table as new_rows for each statement execute function sync_reference_changed()');
select sync_add_trigger('bulletin_reference', 'sync_earlier_delete', 'after delete',
    'referencing old table as old_rows for each statement execute function sync_reference_changed()');
