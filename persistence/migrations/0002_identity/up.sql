-- Who may call: OAuth 2 clients, and the keys their access tokens are signed with.

create table oauth_client (
    id uuid primary key,
    name text not null check (name <> '' and length(name) <= 200),
    role text not null
        check (role in ('delegate', 'integrator', 'editor', 'security_officer', 'approver', 'admin')),
    -- The mission a delegate or integrator belongs to; null for the Secretariat's.
    mission_id uuid,
    -- A PHC string (argon2id).
    secret_hash text not null,
    created_at timestamptz not null default now(),
    disabled_at timestamptz,
    constraint oauth_client_mission_by_role
        check ((mission_id is not null) = (role in ('delegate', 'integrator')))
);
select sync_follow_identity('oauth_client', 'client');

create table signing_key (
    id uuid primary key default gen_random_uuid(),
    -- The RFC 7638 thumbprint of the public key.
    kid text not null unique,
    -- An Ed25519 key pair as PKCS #8.
    private_key bytea not null,
    public_key bytea not null check (length(public_key) = 32),
    created_at timestamptz not null default now(),
    retired_at timestamptz
);
select sync_follow_identity('signing_key', 'signing_key');
