-- INF notes. A row is a note, in all its languages (its parts: inf_note_text). Readers see a note once
-- published_at is written, by whoever finds its embargo over; no read compares anything with a clock.

create function is_reissues(reissues jsonb) returns boolean immutable language sql
return jsonb_typeof(reissues) = 'array' and jsonb_array_length(reissues) <= 9
    and not exists (
        select from jsonb_array_elements(reissues) r
        where coalesce(r ->> 'on', '') !~ '^\d{4}-\d{2}-\d{2}$'
            or (r -> 'reason' is not null and not is_localized(r -> 'reason'))
    );

create function is_sections(sections jsonb) returns boolean immutable language sql
return jsonb_typeof(sections) = 'array' and jsonb_array_length(sections) <= 100
    and not exists (
        select from jsonb_array_elements(sections) s
        where coalesce(s ->> 'number', '') = '' or coalesce(s ->> 'title', '') = '' or s ->> 'text' = ''
            or (s ->> 'page')::integer < 1
    );

create table inf_note (
    id uuid primary key,
    source text not null,
    source_key text not null,
    audience audience not null,
    closed_at timestamptz,
    -- Neither: a draft.
    embargo_until timestamptz,
    published_at timestamptz,
    visible_to text generated always as
        (case when closed_at is null and published_at is not null then audience end) stored,
    -- Without the reissue asterisks: the domain's Symbol.
    symbol text not null constraint inf_note_symbol_form check (symbol ~
        '^A/INF/[1-9]\d{0,2}/[1-9]\d{0,3}(/Rev\.[1-9]\d{0,2})?(/Add\.[1-9]\d{0,2}(/Rev\.[1-9]\d{0,2})?)?(/Corr\.[1-9]\d{0,2})?$'),
    -- Of the front page, where it is known.
    date date,
    reissues jsonb not null default '[]' check (is_reissues(reissues)),
    job_number text check (job_number ~ '^\d{2}-\d{5}$'),
    distribution text check (distribution in ('general', 'limited', 'restricted')),
    original_language text check (original_language in ('ar', 'en', 'es', 'fr', 'ru', 'zh')),
    session_dates jsonb not null default '{}' check (jsonb_typeof(session_dates) = 'object'),
    provenance jsonb not null check (is_provenance(provenance)),
    unique (source, source_key),
    constraint inf_note_published_after_embargo check (published_at >= embargo_until)
);
-- One document, one note: a second source may only speak of a symbol once the first has let go of it.
create unique index inf_note_symbol_once on inf_note (symbol) where closed_at is null;
-- What the scheduler looks for.
create index inf_note_under_embargo on inf_note (embargo_until)
    where published_at is null and closed_at is null;

create table inf_note_text (
    inf_note_id uuid not null references inf_note on delete cascade deferrable initially deferred,
    language text not null check (language in ('ar', 'en', 'es', 'fr', 'ru', 'zh')),
    title text not null check (title <> ''),
    subtitle text check (subtitle <> ''),
    place_dates text check (place_dates <> ''),
    sections jsonb not null default '[]' check (is_sections(sections)),
    confidence text not null check (confidence in ('official', 'reported', 'inferred', 'sample')),
    -- When this language version appeared, where that is known.
    appeared_at timestamptz,
    appeared_confidence text check (appeared_confidence in ('official', 'reported', 'inferred', 'sample')),
    primary key (inf_note_id, language),
    constraint inf_note_text_moment_has_confidence check ((appeared_at is null) = (appeared_confidence is null))
);

select sync_follow_root('inf_note', 'notes', 'inf_note');
select sync_follow_part('inf_note_text', 'notes', 'inf_note', 'inf_note', 'inf_note_id');
