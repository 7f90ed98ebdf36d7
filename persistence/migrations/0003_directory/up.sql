-- The directory. A row is an aggregate (its parts: holding, contact_point); localized texts and
-- contacts are values without identity and live in their aggregate's row.

create function is_former_names(names jsonb) returns boolean immutable language sql
return jsonb_typeof(names) = 'array' and not exists (
    select from jsonb_array_elements(names) n
    where jsonb_typeof(n) <> 'object' or (n -> 'name' is null and n -> 'acronym' is null)
        or (n -> 'name' is not null and not is_localized(n -> 'name'))
);

create table organization (
    id uuid primary key,
    source text not null,
    source_key text not null,
    audience audience not null,
    closed_at timestamptz,
    visible_to text generated always as (case when closed_at is null then audience end) stored,
    name jsonb not null check (is_localized(name)),
    acronym jsonb check (is_localized(acronym)),
    former_names jsonb not null default '[]' check (is_former_names(former_names)),
    contact jsonb not null default '{}' check (is_contact(contact)),
    provenance jsonb not null check (is_provenance(provenance)),
    unique (source, source_key)
);

create table unit (
    id uuid primary key,
    source text not null,
    source_key text not null,
    audience audience not null,
    closed_at timestamptz,
    visible_to text generated always as (case when closed_at is null then audience end) stored,
    organization_id uuid not null references organization deferrable initially deferred,
    parent_id uuid references unit deferrable initially deferred,
    name jsonb not null check (is_localized(name)),
    acronym jsonb check (is_localized(acronym)),
    unit_kind text not null check (unit_kind in (
        'department', 'office', 'division', 'branch', 'section', 'service', 'unit', 'centre',
        'mission', 'programme', 'fund', 'body')),
    former_names jsonb not null default '[]' check (is_former_names(former_names)),
    duty_station duty_station,
    contact jsonb not null default '{}' check (is_contact(contact)),
    provenance jsonb not null check (is_provenance(provenance)),
    unique (source, source_key),
    constraint unit_is_not_its_own_parent check (parent_id <> id)
);
create index unit_organization on unit (organization_id);
create index unit_parent on unit (parent_id);

create table function (
    id uuid primary key,
    source text not null,
    source_key text not null,
    audience audience not null,
    closed_at timestamptz,
    visible_to text generated always as (case when closed_at is null then audience end) stored,
    unit_id uuid not null references unit deferrable initially deferred,
    title jsonb not null check (is_localized(title)),
    duty_station duty_station not null,
    contact jsonb not null default '{}' check (is_contact(contact)),
    provenance jsonb not null check (is_provenance(provenance)),
    unique (source, source_key)
);
create index function_unit on function (unit_id);

create table mission (
    id uuid primary key,
    source text not null,
    source_key text not null,
    audience audience not null,
    closed_at timestamptz,
    visible_to text generated always as (case when closed_at is null then audience end) stored,
    organization_id uuid not null references organization deferrable initially deferred,
    duty_station duty_station not null,
    short_name jsonb not null check (is_localized(short_name)),
    formal_name jsonb not null check (is_localized(formal_name)),
    -- The represented State; null for an organization's observer mission.
    state jsonb check (state ->> 'iso3' ~ '^[A-Z]{3}$' and state ->> 'status' in ('member', 'observer')),
    contact jsonb not null default '{}' check (is_contact(contact)),
    provenance jsonb not null check (is_provenance(provenance)),
    unique (source, source_key)
);
create index mission_organization on mission (organization_id);

create table person (
    id uuid primary key,
    source text not null,
    source_key text not null,
    audience audience not null,
    closed_at timestamptz,
    visible_to text generated always as (case when closed_at is null then audience end) stored,
    given_name text check (given_name <> ''),
    family_name text not null check (family_name <> ''),
    -- The name in the person's own script.
    native_name text check (native_name <> ''),
    honorific text check (honorific <> ''),
    job_title jsonb check (is_localized(job_title)),
    unit_id uuid references unit deferrable initially deferred,
    mission_id uuid references mission deferrable initially deferred,
    duty_station duty_station,
    contact jsonb not null default '{}' check (is_contact(contact)),
    provenance jsonb not null check (is_provenance(provenance)),
    unique (source, source_key)
);
create index person_unit on person (unit_id);
create index person_mission on person (mission_id);

-- Who holds a function since when: a part of the person and of the function.
create table holding (
    person_id uuid not null references person on delete cascade deferrable initially deferred,
    function_id uuid not null references function on delete cascade deferrable initially deferred,
    since date,
    primary key (person_id, function_id)
);
create index holding_function on holding (function_id);

create table service (
    id uuid primary key,
    source text not null,
    source_key text not null,
    audience audience not null,
    closed_at timestamptz,
    visible_to text generated always as (case when closed_at is null then audience end) stored,
    name jsonb not null check (is_localized(name)),
    description jsonb check (is_localized(description)),
    keywords jsonb not null default '[]' check (jsonb_typeof(keywords) = 'array'),
    provenance jsonb not null check (is_provenance(provenance)),
    unique (source, source_key)
);

-- The function answerable for a service at a duty station.
create table contact_point (
    service_id uuid not null references service on delete cascade deferrable initially deferred,
    duty_station duty_station not null,
    function_id uuid not null references function deferrable initially deferred,
    primary key (service_id, duty_station)
);
create index contact_point_function on contact_point (function_id);

select sync_follow_root(t::regclass, 'directory', t)
from unnest(array['organization', 'unit', 'function', 'mission', 'person', 'service']) t;
select sync_follow_part('holding', 'directory', 'person', 'person', 'person_id');
select sync_follow_part('holding', 'directory', 'function', 'function', 'function_id');
select sync_follow_part('contact_point', 'directory', 'service', 'service', 'service_id');

-- A function names those of its holders that a reader may see, a person and a service those functions:
-- they change with the other's visibility.
create function sync_holders_changed() returns trigger language plpgsql as $$
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
select sync_add_trigger('person', 'sync_holders', 'after update',
    'referencing old table as old_rows new table as new_rows for each statement execute function sync_holders_changed()');

create function sync_functions_changed() returns trigger language plpgsql as $$
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
select sync_add_trigger('function', 'sync_functions', 'after update',
    'referencing old table as old_rows new table as new_rows for each statement execute function sync_functions_changed()');

select sync_hold('holding', 'person', 'person_id');
select sync_hold('holding', 'function', 'function_id');
select sync_hold('contact_point', 'function', 'function_id');

-- References from what readers see to what not all of them may see, and units above themselves. An import that leaves any is refused.
create view directory_contradiction as
with recursive reference (kind, source, source_key, visible_to, field, target) as (
    select 'unit', u.source, u.source_key, u.visible_to, 'organization', t.visible_to
    from unit u join organization t on t.id = u.organization_id
    union all
    select 'unit', u.source, u.source_key, u.visible_to, 'parent', t.visible_to
    from unit u join unit t on t.id = u.parent_id
    union all
    select 'function', f.source, f.source_key, f.visible_to, 'unit', t.visible_to
    from function f join unit t on t.id = f.unit_id
    union all
    select 'mission', m.source, m.source_key, m.visible_to, 'organization', t.visible_to
    from mission m join organization t on t.id = m.organization_id
    union all
    select 'person', p.source, p.source_key, p.visible_to, 'unit', t.visible_to
    from person p join unit t on t.id = p.unit_id
    union all
    select 'person', p.source, p.source_key, p.visible_to, 'mission', t.visible_to
    from person p join mission t on t.id = p.mission_id
    union all
    select 'person', p.source, p.source_key, p.visible_to, 'functions', t.visible_to
    from person p join holding h on h.person_id = p.id join function t on t.id = h.function_id
    union all
    select 'service', s.source, s.source_key, s.visible_to, 'contact_points', t.visible_to
    from service s join contact_point c on c.service_id = s.id join function t on t.id = c.function_id
), above (unit_id, id) as (
    select id, parent_id from unit where parent_id is not null and closed_at is null
    union
    select a.unit_id, u.parent_id from above a join unit u on u.id = a.id where u.parent_id is not null
)
select 'unit' kind, u.source, u.source_key, 'parent' field, true circular
from above a join unit u on u.id = a.unit_id where a.id = a.unit_id
union all
select kind, source, source_key, field, false from reference
where visible_to is not null and not coalesce(audience_covers(target, visible_to), false);
