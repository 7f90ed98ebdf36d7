//! What a code, a refresh token and a secret give.

use aws_lc_rs::constant_time::verify_slices_are_equal;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::refresh::{self, Presented};
use super::{hash, random};
use crate::identity::{Token, Who};
use crate::problem::ApiError;
use crate::state::State;
use domain::identity::sessions::{IDLE, Rotation, expires_at, rotation};
use domain::identity::{SessionEnd, sessions as rules};
use domain::{Account, AccountId, Act, Actor, AppId, Scopes, SessionId};
use persistence::clients::App;
use persistence::db::act_as;
use persistence::sessions::{self, NewSession};
use persistence::{Conn, accounts, clients};

/// What is given.
pub struct Given {
    /// What the access token says.
    pub token: Token,
    /// Not to be outlived by the access token.
    pub until: DateTime<Utc>,
    /// The refresh token.
    pub refresh_token: String,
}

/// What of a code's request must be as it was when the code was given.
pub struct CodeExchange {
    /// The app.
    pub app: AppId,
    /// The code.
    pub code: String,
    /// Where the code was sent (RFC 6749 §4.1.3).
    pub redirect_uri: String,
    /// What the challenge was made of (RFC 7636 §4.5).
    pub verifier: String,
}

/// Exchanges a code for a session. None where the code is not good, for whatever reason.
pub async fn exchange(state: &State, wanted: CodeExchange, request: Option<Uuid>) -> Result<Option<Given>, ApiError> {
    let rotation_key = random()?;
    let written =
        state.db.write::<_, ApiError, _>(async move |conn| take_code(conn, &wanted, rotation_key, request).await);
    Ok(written.await?.value)
}

async fn take_code(
    conn: &mut Conn,
    wanted: &CodeExchange,
    rotation_key: [u8; 32],
    request: Option<Uuid>,
) -> Result<Option<Given>, ApiError> {
    let hash = hash(&wanted.code);
    let Some((code, now)) = sessions::lock_code(conn, &hash).await? else { return Ok(None) };
    if code.used_at.is_some() {
        // RFC 6749 §4.1.2: whoever comes second may be the app; whoever came first was then a thief.
        act_as(conn, Act { actor: Actor::System, request }).await?;
        if let Some(session) = code.session_id {
            sessions::end(conn, SessionId(session), SessionEnd::CodeReused).await?;
        }
        return Ok(None);
    }
    let is_as_it_was = code.app_id == wanted.app.0
        && code.redirect_uri == wanted.redirect_uri
        && meets(&wanted.verifier, &code.code_challenge)
        && now < code.expires_at;
    let account = accounts::find(conn, AccountId(code.account_id)).await?;
    let account = account.filter(|account| account.suspended_at.is_none());
    let account = account.filter(|account| code.has_second_factor || !account.roles.need_second_factor());
    let app = clients::find_app(conn, wanted.app).await?.filter(|app| app.disabled_at.is_none());
    let (true, Some(account), Some(app)) = (is_as_it_was, account, app) else {
        // One attempt a code: it is not tried with other verifiers or by other apps.
        sessions::use_code(conn, &hash, None).await?;
        return Ok(None);
    };
    let id = SessionId(Uuid::now_v7());
    act_as(conn, Act { actor: person(&account, &app, id), request }).await?;
    let scopes = Scopes::parse(&code.scope);
    let ends_at = expires_at(account.roles, now);
    let session = NewSession {
        id,
        account: account.id,
        app: app.id,
        device: code.device,
        scopes,
        has_second_factor: code.has_second_factor,
        rotation_key,
        expires_at: ends_at,
    };
    sessions::insert(conn, &session).await?;
    sessions::use_code(conn, &hash, Some(id)).await?;
    Ok(Some(give(&account, &app, scopes, id, ends_at, refresh::make(&rotation_key, id, 0))))
}

/// Goes on with a session. None where the refresh token is not good, for whatever reason. One that was used before
/// ends the session, unless the reply to it seems to have been lost.
pub async fn refresh(
    state: &State,
    app: AppId,
    presented: Presented,
    narrower: Option<Scopes>,
    request: Option<Uuid>,
) -> Result<Result<Given, Refused>, ApiError> {
    let written =
        state.db.write::<_, ApiError, _>(async move |conn| take_refresh(conn, app, presented, narrower, request).await);
    Ok(written.await?.value)
}

/// Why a session is not gone on with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refused {
    /// The token is not good.
    Grant,
    /// Nothing is asked for that was granted (RFC 6749 §6).
    Scope,
}

async fn take_refresh(
    conn: &mut Conn,
    app: AppId,
    presented: Presented,
    narrower: Option<Scopes>,
    request: Option<Uuid>,
) -> Result<Result<Given, Refused>, ApiError> {
    let family = match sessions::lock(conn, presented.session).await {
        Err(persistence::Error::NotFound) => return Ok(Err(Refused::Grant)),
        other => other?,
    };
    // RFC 6749 §10.4: bound to the client it was issued to.
    if !presented.is_genuine(&family.rotation_key) || family.app != app || family.ended_at.is_some() {
        return Ok(Err(Refused::Grant));
    }
    let turn = rotation(presented.generation, family.generation, family.rotated_at, family.now);
    if turn == Rotation::Reused {
        act_as(conn, Act { actor: Actor::System, request }).await?;
        sessions::end(conn, family.id, SessionEnd::TokenReused).await?;
        return Ok(Err(Refused::Grant));
    }
    let is_over = family.expires_at <= family.now || family.last_used_at + IDLE <= family.now;
    let account = accounts::find(conn, family.account).await?.filter(|account| account.suspended_at.is_none());
    // Who has since been given a role that needs a second factor signs in again.
    let account = account.filter(|account| family.has_second_factor || !account.roles.need_second_factor());
    let app = clients::find_app(conn, app).await?.filter(|app| app.disabled_at.is_none());
    let (false, Some(account), Some(app)) = (is_over, account, app) else { return Ok(Err(Refused::Grant)) };
    // RFC 6749 §3.3: many clients name with every refresh all that they once asked for, of which less was granted.
    let scopes = narrower.unwrap_or(family.scopes).and(family.scopes);
    if scopes.is_empty() {
        return Ok(Err(Refused::Scope));
    }
    let newest = match turn {
        Rotation::Next => family.generation.saturating_add(1),
        Rotation::Again | Rotation::Reused => family.generation,
    };
    if turn == Rotation::Next {
        sessions::rotate(conn, family.id, newest).await?;
    }
    let next = refresh::make(&family.rotation_key, family.id, newest);
    let until = family.expires_at.min(rules::expires_at(account.roles, family.created_at));
    if until <= family.now {
        return Ok(Err(Refused::Grant));
    }
    Ok(Ok(give(&account, &app, scopes, family.id, until, next)))
}

fn person(account: &Account, app: &App, session: SessionId) -> Actor {
    Actor::Person { account: account.id, app: Some(app.id), session: Some(session) }
}

fn give(
    account: &Account,
    app: &App,
    granted: Scopes,
    session: SessionId,
    until: DateTime<Utc>,
    refresh_token: String,
) -> Given {
    let token = Token {
        who: Who::Person { account: account.id, app: app.id, session },
        scopes: granted.and(account.roles.scopes()).and(app.scopes),
        rights_version: account.rights_version,
    };
    Given { token, until, refresh_token }
}

/// Whether a challenge was made of this verifier (RFC 7636 §4.6), which is long enough to be none that is guessed.
fn meets(verifier: &str, challenge: &str) -> bool {
    let is_unreserved = |b: u8| b.is_ascii_alphanumeric() || b"-._~".contains(&b);
    let is_verifier = (43..=128).contains(&verifier.len()) && verifier.bytes().all(is_unreserved);
    let made = URL_SAFE_NO_PAD.encode(hash(verifier));
    is_verifier && verify_slices_are_equal(made.as_bytes(), challenge.as_bytes()).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_verifier_meets_its_challenge() {
        // RFC 7636, appendix B.
        let (verifier, challenge) =
            ("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
        assert!(meets(verifier, challenge));
        assert!(!meets(challenge, challenge), "plain");
        assert!(!meets(&verifier[..42], challenge) && !meets("", ""));
        assert!(!meets(&"a".repeat(129), &URL_SAFE_NO_PAD.encode(hash(&"a".repeat(129)))), "too long");
        assert!(!meets("short", &URL_SAFE_NO_PAD.encode(hash("short"))), "too short");
    }
}
