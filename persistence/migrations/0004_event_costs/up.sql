-- Event costs. A rate card is an aggregate; its rates and rules are its parts.

create function is_interpreters(numbers jsonb) returns boolean immutable language sql
return jsonb_typeof(numbers) = 'object' and not exists (
    select from jsonb_each(numbers) n
    where n.key not in ('ar', 'en', 'es', 'fr', 'ru', 'zh')
        or jsonb_typeof(n.value) <> 'number' or (n.value #>> '{}') !~ '^([1-9]|1[0-9]|20)$'
);

create domain currency as text check (value ~ '^[A-Z]{3}$');
create function cost_categories() returns text[] immutable language sql
return array['room', 'audiovisual', 'engineering', 'security', 'interpretation', 'captioning', 'sign_language', 'webcast',
    'videoconference', 'documents', 'administration', 'programme_support', 'cancellation', 'deposit'];
create domain event_kinds as text[] check (value <@ array[
    'meeting', 'side_event', 'exhibition', 'reception', 'press_conference', 'cultural_event', 'other']);
create domain event_organizers as text[] check (value <@ array[
    'permanent_mission', 'secretariat', 'un_entity', 'intergovernmental_organization', 'ngo']);

-- A condition, with exactly what it speaks of.
create function is_cost_condition(applies_when text, regular_from time, regular_until time, notice_days integer)
returns boolean immutable language sql
return case
    when applies_when in ('always', 'on_request') then num_nonnulls(regular_from, regular_until, notice_days) = 0
    when applies_when in ('regular_hours', 'outside_regular_hours') then
        coalesce(regular_from < regular_until, false) and notice_days is null
    when applies_when = 'cancelled_within' then
        num_nonnulls(regular_from, regular_until) = 0 and coalesce(notice_days between 1 and 366, false)
    else false
end;

create table rate_card (
    id uuid primary key,
    source text not null,
    source_key text not null,
    audience audience not null,
    closed_at timestamptz,
    visible_to text generated always as (case when closed_at is null then audience end) stored,
    -- null: everywhere
    duty_station duty_station,
    title jsonb not null check (is_localized(title)),
    valid_from date,
    -- null with a valid_from: until further notice
    valid_until date,
    validity_inferred boolean not null default false,
    currency currency not null,
    interpreters jsonb not null default '{}' check (is_interpreters(interpreters)),
    provenance jsonb not null check (is_provenance(provenance)),
    unique (source, source_key),
    constraint rate_card_validity_in_order check (valid_until is null or coalesce(valid_from <= valid_until, false)),
    constraint rate_card_without_dates_infers_none check (valid_from is not null or not validity_inferred)
);

create table rate (
    card_id uuid not null references rate_card on delete cascade deferrable initially deferred,
    code text not null,
    position integer not null check (position >= 0),
    category text not null check (category = any (cost_categories())),
    item jsonb not null check (is_localized(item)),
    unit text not null check (unit in (
        'technician_meeting', 'hour', 'interpreter_day', 'meeting', 'day', 'event', 'participant', 'page',
        'precedent', 'share')),
    -- A price from low to high, or a percentage of a base above a threshold.
    low numeric(18, 4) check (low >= 0),
    high numeric(18, 4) check (high <= 1000000000),
    currency currency,
    percent numeric(7, 4) check (percent > 0 and percent <= 100),
    base text check (base in ('charges', 'staff_time', 'expenditure', 'estimated_cost')),
    above numeric(18, 4) check (above between 0 and 1000000000),
    above_currency currency,
    applies_when text not null,
    regular_from time,
    regular_until time,
    notice_days integer,
    kinds event_kinds not null default '{}',
    organizers event_organizers not null default '{}',
    office jsonb check (is_localized(office)),
    office_kind text check (office_kind in ('united_nations', 'external')),
    office_unit_id uuid references unit deferrable initially deferred,
    note jsonb check (is_localized(note)),
    provenance jsonb not null check (is_provenance(provenance)),
    primary key (card_id, code),
    constraint rate_position_once unique (card_id, position) deferrable initially deferred,
    constraint rate_is_a_price_or_a_share check (
        case when unit = 'share'
            then num_nonnulls(percent, base) = 2 and num_nonnulls(low, high, currency) = 0
                and num_nonnulls(above, above_currency) in (0, 2)
            else num_nonnulls(low, high, currency) = 3 and low <= high
                and num_nonnulls(percent, base, above, above_currency) = 0
        end),
    constraint rate_condition check (is_cost_condition(applies_when, regular_from, regular_until, notice_days)),
    constraint rate_office_is_whole check (
        (office is null) = (office_kind is null) and (office is not null or office_unit_id is null))
);
create index rate_office_unit on rate (office_unit_id) where office_unit_id is not null;

create table charge_rule (
    card_id uuid not null references rate_card on delete cascade deferrable initially deferred,
    code text not null,
    position integer not null check (position >= 0),
    text jsonb not null check (is_localized(text)),
    effect text not null check (effect in ('informs', 'not_offered', 'not_held')),
    categories text[] not null default '{}' check (categories <@ cost_categories()),
    kinds event_kinds not null default '{}',
    organizers event_organizers not null default '{}',
    applies_when text not null,
    regular_from time,
    regular_until time,
    notice_days integer,
    lead_hours integer check (lead_hours between 0 and 8784),
    provenance jsonb not null check (is_provenance(provenance)),
    primary key (card_id, code),
    constraint charge_rule_position_once unique (card_id, position) deferrable initially deferred,
    constraint charge_rule_condition check (
        is_cost_condition(applies_when, regular_from, regular_until, notice_days))
);

select sync_follow_root('rate_card', 'costs', 'rate_card');
select sync_follow_part('rate', 'costs', 'rate_card', 'rate_card', 'card_id');
select sync_follow_part('charge_rule', 'costs', 'rate_card', 'rate_card', 'card_id');

-- A card names the billing units that all its readers may see: it changes with their visibility.
create function sync_billing_units_changed() returns trigger language plpgsql as $$
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
select sync_hold('rate', 'unit', 'office_unit_id');
select sync_add_trigger('unit', 'sync_billing_units', 'after update',
    'referencing old table as old_rows new table as new_rows for each statement execute function sync_billing_units_changed()');
