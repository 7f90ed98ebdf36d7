//! Devices on which people are signed in, and what signs them out.

use actix_web::http::header;
use actix_web::{HttpResponse, delete, get, web};
use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::accounts::person;
use crate::accounts::writes::Managed;
use crate::identity::{Allowed, Caller, OwnAccount};
use crate::params::{Params, boolean, id, path_id};
use crate::problem::{ApiError, Code};
use crate::state::State;
use domain::identity::SessionEnd;
use domain::{AccountId, Scope, SessionId};
use persistence::sessions::{self, Session};
use persistence::{Conn, accounts};

/// An app.
#[derive(Debug, Serialize, ToSchema)]
pub struct AppName {
    /// Its id.
    pub id: Uuid,
    /// What it is called.
    #[schema(example = "Delegates' app")]
    pub name: String,
}

/// An app on a device in which somebody is signed in.
#[derive(Debug, Serialize, ToSchema)]
pub struct SignedInSession {
    /// Its id.
    #[schema(example = "0193a5f0-7c1e-7a54-9a55-0d5c3f6f2b12")]
    pub id: Uuid,
    /// The app.
    pub app: AppName,
    /// What the device's browser called itself when the person signed in: its own words, to be shown as text.
    #[schema(example = "Mozilla/5.0 (Linux; Android 16) Chrome/150")]
    pub device: String,
    /// What the app was granted.
    #[schema(value_type = Vec<String>, example = json!(["read", "account"]))]
    pub scopes: Vec<&'static str>,
    /// When it began.
    pub created_at: DateTime<Utc>,
    /// When the app last got a token.
    pub last_used_at: DateTime<Utc>,
    /// When it ends at the latest.
    pub expires_at: DateTime<Utc>,
    /// Whether it is the one that asks.
    pub current: bool,
}

impl SignedInSession {
    fn new(session: Session, current: Option<SessionId>) -> Self {
        Self {
            id: session.id.0,
            app: AppName { id: session.app.0, name: session.app_name },
            device: session.device,
            scopes: session.scopes.iter().map(Scope::name).collect(),
            created_at: session.created_at,
            last_used_at: session.last_used_at,
            expires_at: session.expires_at,
            current: current == Some(session.id),
        }
    }
}

/// Where somebody is signed in.
#[derive(Serialize, ToSchema)]
pub struct SignedInSessions {
    /// The sessions, the newest first.
    pub items: Vec<SignedInSession>,
}

/// Refuses an account that is neither the caller's own nor theirs to manage, as if there were none.
async fn check(conn: &mut Conn, caller: &Caller, account: AccountId) -> Result<(), ApiError> {
    if person(caller).is_some_and(|(own, _)| own == account) {
        return Ok(());
    }
    let none = || ApiError::new(Code::NotFound);
    let managed = Managed::by(caller).ok_or_else(none)?;
    let found = accounts::find(conn, account).await?;
    found.filter(|found| managed.has(found)).map(drop).ok_or_else(none)
}

/// List sessions
///
/// Where you are signed in: an app on a device each, the newest first. For a page that shows the user their devices,
/// each with a button that calls `end_session`. With `account`, somebody else's, for whoever manages that account: an
/// administrator of its mission, or one of the Secretariat. For anybody else it does not exist.
#[utoipa::path(
    tag = "accounts",
    operation_id = "list_sessions",
    params(("account" = Option<Uuid>, Query, description = "Whose; your own when left out")),
    responses(
        (status = 200, description = "All of them", body = SignedInSessions),
        (status = 404, description = "There is no such account, or it is not yours to manage: the two look the same",
            body = crate::problem::Problem<'static>, content_type = "application/problem+json"),
    ),
    security(("oauth2" = ["account"]))
)]
#[get("/v1/sessions")]
pub async fn list_sessions(
    allowed: Allowed<OwnAccount>,
    mut params: Params,
    state: web::Data<State>,
) -> Result<HttpResponse, ApiError> {
    let wanted = params.get("account", id).map(AccountId);
    params.finish()?;
    let caller = allowed.caller;
    let (own, current) = person(&caller).unzip();
    let list = async move |conn: &mut Conn| match wanted.or(own) {
        Some(account) => {
            check(conn, &caller, account).await?;
            Ok(sessions::list(conn, account).await?)
        }
        // A service is signed in nowhere.
        None => Ok(Vec::new()),
    };
    let found: Vec<Session> = state.db.read::<_, ApiError, _>(list).await?;
    let items = found.into_iter().map(|session| SignedInSession::new(session, current)).collect();
    Ok(HttpResponse::Ok().insert_header((header::CACHE_CONTROL, "no-store")).json(SignedInSessions { items }))
}

/// End a session
///
/// Signs an app on a device out: its tokens are refused within a second. For a lost phone, and for signing out of
/// another device. If it is not the session that asks, the browsers in which the person is signed in on our pages are
/// signed out as well: one of them is on that device, and would let its holder into the app again.
#[utoipa::path(
    tag = "accounts",
    operation_id = "end_session",
    params(("id" = Uuid, Path, description = "The session's id", example = "0193a5f0-7c1e-7a54-9a55-0d5c3f6f2b12")),
    responses((status = 204, description = "It has ended")),
    security(("oauth2" = ["account"]))
)]
#[delete("/v1/sessions/{id}")]
pub async fn end_session(
    allowed: Allowed<OwnAccount>,
    path: web::Path<String>,
    state: web::Data<State>,
) -> Result<HttpResponse, ApiError> {
    let (id, caller) = (SessionId(path_id(&path)?), allowed.caller);
    let is_current = person(&caller).is_some_and(|(_, current)| current == id);
    let end = async move |conn: &mut Conn| {
        let session = sessions::find(conn, id).await?.ok_or_else(|| ApiError::new(Code::NotFound))?;
        check(conn, &caller, session.account).await?;
        if is_current {
            return Ok(sessions::end(conn, id, SessionEnd::SignedOut).await?);
        }
        sessions::end_ways_in(conn, session.account).await?;
        Ok(sessions::end(conn, id, SessionEnd::Revoked).await?)
    };
    state.db.acting(allowed.act()).write::<_, ApiError, _>(end).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// End all sessions
///
/// Signs you out everywhere, the browsers in which you signed in on our pages included; with `keep_current=true`
/// everywhere but here. With `account`, somebody else, for whoever manages that account. Tokens are refused within a
/// second.
#[utoipa::path(
    tag = "accounts",
    operation_id = "end_sessions",
    params(
        ("account" = Option<Uuid>, Query, description = "Whose; your own when left out"),
        ("keep_current" = Option<bool>, Query, description = "Not the one that asks. Means nothing with somebody else's `account`"),
    ),
    responses(
        (status = 204, description = "They have ended"),
        (status = 404, description = "There is no such account, or it is not yours to manage: the two look the same",
            body = crate::problem::Problem<'static>, content_type = "application/problem+json"),
    ),
    security(("oauth2" = ["account"]))
)]
#[delete("/v1/sessions")]
pub async fn end_sessions(
    allowed: Allowed<OwnAccount>,
    mut params: Params,
    state: web::Data<State>,
) -> Result<HttpResponse, ApiError> {
    let wanted = params.get("account", id).map(AccountId);
    let keeps_current = params.get("keep_current", boolean).unwrap_or(false);
    params.finish()?;
    let caller = allowed.caller;
    let (own, current) = person(&caller).unzip();
    let end = async move |conn: &mut Conn| {
        let Some(account) = wanted.or(own) else { return Ok(0) };
        check(conn, &caller, account).await?;
        sessions::end_ways_in(conn, account).await?;
        let kept = current.filter(|_| keeps_current);
        Ok(sessions::end_all(conn, account, kept, SessionEnd::Revoked).await?)
    };
    state.db.acting(allowed.act()).write::<_, ApiError, _>(end).await?;
    Ok(HttpResponse::NoContent().finish())
}
