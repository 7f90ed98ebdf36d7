//! Revocation (RFC 7009): an app signs its person out.

use actix_web::{HttpRequest, HttpResponse, post, web};
use serde::Deserialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::clients::{Authenticated, authenticate};
use super::forms::{Form, TokenError};
use super::refresh::Presented;
use crate::frame::RequestId;
use crate::identity::Who;
use crate::problem::ApiError;
use crate::state::State;
use domain::identity::SessionEnd;
use domain::{Act, Actor, AppId, SessionId};
use persistence::sessions;

/// What is to be revoked.
#[derive(Deserialize, ToSchema)]
#[allow(dead_code, reason = "the contract's; what arrives is read parameter by parameter")]
pub struct RevocationRequest {
    /// A refresh token or an access token.
    token: String,
    /// Not needed: which it is can be seen.
    token_type_hint: Option<String>,
    /// The app's id.
    client_id: Option<String>,
}

/// Sign out
///
/// Revokes a token (RFC 7009), and with it the whole session: the refresh token and every access token of this
/// device are dead on every server within a second. For an app whose person signs out; send the refresh token.
///
/// 200 also when there is nothing to revoke (any more), so that a reply that was lost can be asked for again.
/// Access tokens of services are not revoked one by one (`unsupported_token_type`): a new secret ends them all.
#[utoipa::path(
    tag = "identity",
    operation_id = "revoke_token",
    request_body(content = RevocationRequest, content_type = "application/x-www-form-urlencoded",
        description = "The token"),
    responses(
        (status = 200, description = "It is good for nothing, now or already"),
        (status = 400, description = "Not a request of this endpoint, or another client's token", body = TokenError, content_type = "application/json",
            example = json!({"error": "invalid_request", "error_description": "token must be given, and each parameter once"})),
        (status = 401, description = "No such client, or another secret", body = TokenError, content_type = "application/json",
            headers(("WWW-Authenticate" = String, description = "`Basic`")),
            example = json!({"error": "invalid_client", "error_description": "Services send client_id and client_secret by HTTP Basic; apps send client_id alone"})),
    ),
    security(("client_basic" = []), ())
)]
#[post("/oauth/revoke")]
pub async fn revoke_token(
    req: HttpRequest,
    body: web::Payload,
    state: web::Data<State>,
) -> Result<HttpResponse, ApiError> {
    const MISSING: TokenError = TokenError::new("invalid_request", "token must be given, and each parameter once");
    let Some(form) = Form::read(&req, body).await? else { return Ok(MISSING.response()) };
    let Some(token) = form.get("token") else { return Ok(MISSING.response()) };
    let client = match authenticate(&state, &req, &form).await? {
        Ok(client) => client,
        Err(refused) => return Ok(refused.response()),
    };
    let request = RequestId::of(&req);
    let refused = match (client, Presented::read(token)) {
        (Authenticated::App(app), Some(presented)) => end_family(&state, app, presented, request).await?,
        (client, _) => match state.tokens.verify(token, &state.store.identities().keys) {
            Ok(said) => end(&state, &client, said.who, request).await?,
            // RFC 7009 §2.2: what is no token is as good as revoked.
            Err(_) => None,
        },
    };
    Ok(refused.map_or_else(|| HttpResponse::Ok().finish(), TokenError::response))
}

/// RFC 7009 §2.1: a client revokes its own tokens.
const ANOTHERS: TokenError = TokenError::new("invalid_request", "The token was issued to another client");

async fn end_family(
    state: &State,
    app: AppId,
    presented: Presented,
    request: Option<Uuid>,
) -> Result<Option<TokenError>, ApiError> {
    let found = state.db.write::<_, ApiError, _>(async move |conn| {
        let family = match sessions::lock(conn, presented.session).await {
            Err(persistence::Error::NotFound) => return Ok(None),
            other => other?,
        };
        if !presented.is_genuine(&family.rotation_key) {
            return Ok(None);
        }
        if family.app != app {
            return Ok(Some(ANOTHERS));
        }
        let actor = Actor::Person { account: family.account, app: Some(app), session: Some(family.id) };
        persistence::db::act_as(conn, Act { actor, request }).await?;
        sessions::end(conn, family.id, SessionEnd::SignedOut).await?;
        Ok(None)
    });
    Ok(found.await?.value)
}

async fn end(
    state: &State,
    client: &Authenticated,
    who: Who,
    request: Option<Uuid>,
) -> Result<Option<TokenError>, ApiError> {
    match (client, who) {
        (Authenticated::App(app), Who::Person { account, app: of, session }) if *app == of => {
            let actor = Actor::Person { account, app: Some(of), session: Some(session) };
            end_session(state, session, Act { actor, request }).await.map(|()| None)
        }
        (Authenticated::Service(client), Who::Client(id)) if client.id == id => Ok(Some(TokenError::new(
            "unsupported_token_type",
            "A service's tokens are revoked together, by a new secret",
        ))),
        _ => Ok(Some(ANOTHERS)),
    }
}

async fn end_session(state: &State, session: SessionId, act: Act) -> Result<(), ApiError> {
    let end = async move |conn: &mut persistence::Conn| sessions::end(conn, session, SessionEnd::SignedOut).await;
    state.db.acting(act).write::<_, persistence::Error, _>(end).await?;
    Ok(())
}
