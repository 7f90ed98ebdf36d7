-- People: accounts, what they prove themselves by, the apps they sign in from, and their sessions.

-- A counter that moves when what somebody may do has changed; a token says at which count it was issued.
-- Arguments: the columns that decide.
create function count_rights() returns trigger language plpgsql as $$
declare
    before jsonb := to_jsonb(old);
    after jsonb := to_jsonb(new);
    decides text;
begin
    foreach decides in array tg_argv loop
        if before -> decides is distinct from after -> decides then
            new.rights_version := old.rights_version + 1;
            return new;
        end if;
    end loop;
    return new;
end $$;

create function count_row() returns trigger language plpgsql as $$
begin
    if new.* is distinct from old.* then
        new.row_version := old.row_version + 1;
    end if;
    return new;
end $$;

-- Services: clients that call by themselves, with a secret.
alter table oauth_client
    drop constraint oauth_client_role_check,
    add constraint oauth_client_role_check check (role in
        ('delegate', 'integrator', 'mission_admin', 'importer', 'editor', 'security_officer', 'approver', 'admin',
         'auditor')),
    drop constraint oauth_client_mission_by_role,
    add constraint oauth_client_mission_by_role
        check ((mission_id is not null) = (role in ('delegate', 'integrator', 'mission_admin'))),
    -- What of its role it may; null for all of it.
    add column scopes text[],
    add column rights_version integer not null default 1,
    add column row_version integer not null default 1;
select sync_add_trigger('oauth_client', 'count_rights', 'before update',
    'for each row execute function count_rights(''role'', ''mission_id'', ''scopes'', ''secret_hash'', ''disabled_at'')');
select sync_add_trigger('oauth_client', 'count_row', 'before update',
    'for each row execute function count_row()');

-- Apps: public clients (RFC 6749 §2.1), which have no secret and in which people sign in.
create table app (
    id uuid primary key,
    name text not null check (name <> '' and length(name) <= 200),
    redirect_uris text[] not null check (cardinality(redirect_uris) between 1 and 20),
    -- What it may ask people for.
    scopes text[] not null check (cardinality(scopes) >= 1),
    created_at timestamptz not null default now(),
    disabled_at timestamptz,
    rights_version integer not null default 1,
    row_version integer not null default 1
);
select sync_add_trigger('app', 'count_rights', 'before update',
    'for each row execute function count_rights(''scopes'', ''disabled_at'')');
select sync_add_trigger('app', 'count_row', 'before update',
    'for each row execute function count_row()');
select sync_follow_identity('app', 'app');

create table account (
    id uuid primary key,
    -- As it was typed; compared without case.
    mail text not null check (length(mail) between 3 and 254 and mail like '%_@_%'),
    name text not null check (name <> '' and length(name) <= 200),
    language text not null check (language in ('ar', 'en', 'es', 'fr', 'ru', 'zh')),
    roles text[] not null,
    -- The mission that a delegate or a mission's administrator belongs to; null for the Secretariat's.
    mission_id uuid,
    created_at timestamptz not null default now(),
    suspended_at timestamptz,
    -- Accounts stay, because what they did names them.
    removed_at timestamptz,
    rights_version integer not null default 1,
    row_version integer not null default 1,
    constraint account_roles check (
        cardinality(roles) >= 1
        and (roles <@ array['delegate', 'mission_admin']
            or roles <@ array['editor', 'security_officer', 'approver', 'admin', 'auditor'])),
    constraint account_mission_by_role check ((mission_id is not null) = (roles <@ array['delegate', 'mission_admin']))
);
create unique index account_mail on account (lower(mail)) where removed_at is null;
create index account_mission on account (mission_id, id) where mission_id is not null;
select sync_add_trigger('account', 'count_rights', 'before update',
    'for each row execute function count_rights(''roles'', ''mission_id'', ''suspended_at'', ''removed_at'')');
select sync_add_trigger('account', 'count_row', 'before update',
    'for each row execute function count_row()');
select sync_follow_identity('account', 'account');

-- What an account's person proves themself by. Not followed: no process holds it.
create table password (
    account_id uuid primary key references account,
    -- A PHC string (argon2id).
    hash text not null,
    set_at timestamptz not null default now()
);

create table second_factor (
    id uuid primary key,
    account_id uuid not null references account,
    -- Others, such as passkeys, may follow.
    kind text not null check (kind in ('totp')),
    secret bytea not null,
    created_at timestamptz not null default now(),
    -- Null until the person has shown that they have it.
    confirmed_at timestamptz,
    -- The last time step whose code was taken: none is taken twice (RFC 6238 §5.2).
    last_step bigint not null default 0
);
create unique index second_factor_totp on second_factor (account_id) where kind = 'totp';

create table recovery_code (
    account_id uuid not null references account,
    hash bytea not null check (length(hash) = 32),
    used_at timestamptz,
    primary key (account_id, hash)
);

-- A link in a mail by which a password is set, once.
create table password_link (
    hash bytea primary key check (length(hash) = 32),
    account_id uuid not null references account,
    created_at timestamptz not null default now(),
    expires_at timestamptz not null,
    used_at timestamptz
);
create index password_link_account on password_link (account_id);

-- A browser in which somebody has signed in on our pages.
create table browser_session (
    id uuid primary key,
    -- SHA-256 of what its cookie holds.
    hash bytea not null unique check (length(hash) = 32),
    account_id uuid not null references account,
    -- Null until a second factor was shown, where one is needed.
    authenticated_at timestamptz,
    -- When a second factor was shown, needed or not.
    second_factor_at timestamptz,
    created_at timestamptz not null default now(),
    last_used_at timestamptz not null default now(),
    expires_at timestamptz not null,
    ended_at timestamptz
);
create index browser_session_account on browser_session (account_id);

-- An app on a device in which somebody has signed in: what a refresh token stands for.
create table session (
    id uuid primary key,
    account_id uuid not null references account,
    app_id uuid not null references app,
    -- What the device's browser called itself.
    device text not null check (length(device) <= 200),
    scope text not null,
    -- Whether a second factor was shown: who is given a role that needs one later has to sign in again.
    has_second_factor boolean not null,
    -- The refresh token of each generation is made of this key.
    rotation_key bytea not null check (length(rotation_key) = 32),
    generation integer not null default 0 check (generation >= 0),
    rotated_at timestamptz not null default now(),
    created_at timestamptz not null default now(),
    last_used_at timestamptz not null default now(),
    expires_at timestamptz not null,
    ended_at timestamptz,
    -- Why it ended.
    ended_by text check (ended_by in
        ('signed_out', 'revoked', 'token_reused', 'code_reused', 'password_set', 'suspended', 'removed')),
    constraint session_end check ((ended_at is null) = (ended_by is null))
);
create index session_account on session (account_id, id);
create index session_ended on session (ended_at) where ended_at is not null;

-- Only its end is news: a process need not know a session to accept its tokens.
create function sync_session_ended() returns trigger language plpgsql as $$
begin
    insert into sync_log (tx, kind, id, op)
    select (select sync_tx_of('identity')), 'session', n.id, 'update'
    from new_rows n join old_rows o on o.id = n.id
    where n.ended_at is not null and o.ended_at is null;
    return null;
end $$;
select sync_add_trigger('session', 'sync_ended', 'after update',
    'referencing old table as old_rows new table as new_rows for each statement execute function sync_session_ended()');
select sync_add_trigger('session', 'sync_truncate', 'before truncate',
    'for each statement execute function sync_truncate_refused()');

-- A session that is deleted could no longer be known as ended: only those go whose tokens have all expired.
create function session_is_over() returns trigger language plpgsql as $$
begin
    if coalesce(old.ended_at, old.expires_at) > now() - interval '1 day' then
        raise exception 'session % is not over for a day: end it first', old.id using errcode = 'restrict_violation';
    end if;
    return old;
end $$;
select sync_add_trigger('session', 'session_is_over', 'before delete', 'for each row execute function session_is_over()');

create table authorization_code (
    hash bytea primary key check (length(hash) = 32),
    account_id uuid not null references account,
    app_id uuid not null references app,
    redirect_uri text not null,
    -- PKCE, S256 (RFC 7636 §4.2).
    code_challenge text not null check (code_challenge ~ '^[A-Za-z0-9_-]{43}$'),
    scope text not null,
    device text not null,
    has_second_factor boolean not null,
    created_at timestamptz not null default now(),
    expires_at timestamptz not null,
    used_at timestamptz,
    -- What it gave.
    session_id uuid references session on delete cascade
);
create index authorization_code_expires on authorization_code (expires_at);
create index authorization_code_session on authorization_code (session_id);

-- Mails to be sent. What a mail says is made when it is sent, so that no link lies here.
create table mail (
    id uuid primary key,
    kind text not null check (kind in ('invitation', 'password_reset', 'password_set', 'second_factor_set')),
    address text not null,
    language text not null check (language in ('ar', 'en', 'es', 'fr', 'ru', 'zh')),
    created_at timestamptz not null default now(),
    attempts integer not null default 0,
    next_attempt_at timestamptz not null default now(),
    sent_at timestamptz,
    given_up_at timestamptz,
    -- What it said, where a mailbox page shows it in place of sending it.
    shown jsonb
);
create index mail_due on mail (next_attempt_at) where sent_at is null and given_up_at is null;

-- A key is published before it signs, and verifies for a while after.
alter table signing_key
    add column signs_from timestamptz not null default now(),
    add column verifies_until timestamptz;
