-- What became of each import, for who waits for it. Not content: the log does not follow it, and a run
-- tells of imports that were rolled back, too.
create table import_run (
    id uuid primary key,
    -- The client that began it.
    client_id uuid not null,
    feature text not null check (feature in ('bulletins', 'costs', 'directory', 'notes')),
    source text not null,
    format text not null check (format in ('ndjson', 'csv')),
    dry_run boolean not null,
    replace boolean not null,
    force boolean not null,
    state text not null default 'receiving' check (state in (
        'receiving', 'checking', 'waiting', 'saving', 'committing',
        'committed', 'rehearsed', 'refused', 'failed')),
    rows_done bigint not null default 0 check (rows_done >= 0),
    rows_total bigint check (rows_total >= 0),
    -- Milliseconds by state.
    timings jsonb not null default '{}' check (jsonb_typeof(timings) = 'object'),
    report jsonb,
    problem jsonb,
    started_at timestamptz not null default clock_timestamp(),
    -- When the process that runs it last said so.
    heard_at timestamptz not null default clock_timestamp(),
    ended_at timestamptz,
    constraint import_run_end_by_state
        check ((ended_at is not null) = (state in ('committed', 'rehearsed', 'refused', 'failed')))
);
create index import_run_client on import_run (client_id, id);
create index import_run_started on import_run (started_at);
create index import_run_unended on import_run (heard_at) where ended_at is null;
