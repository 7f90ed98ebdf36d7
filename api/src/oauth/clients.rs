//! Which client calls, and that it is the one (RFC 6749 §2.3).

use actix_web::HttpRequest;
use actix_web::http::header;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use secrecy::SecretString;
use uuid::Uuid;

use super::TokenError;
use super::forms::Form;
use crate::identity::only;
use crate::problem::ApiError;
use crate::state::State;
use domain::{AppId, ClientId};
use persistence::clients::Client;

/// A client that is who it says.
pub enum Authenticated {
    /// A service, by its secret.
    Service(Client),
    /// An app. It has no secret (RFC 8252 §8.5): what it gets is bound to it in other ways.
    App(AppId),
}

/// The client of a request: a service by HTTP Basic, an app by the parameter `client_id`.
pub(super) async fn authenticate(
    state: &State,
    req: &HttpRequest,
    form: &Form,
) -> Result<Result<Authenticated, TokenError>, ApiError> {
    let named = form.get("client_id").map(Uuid::try_parse);
    // RFC 9700 and ours: a secret in a body ends up in logs.
    if form.get("client_secret").is_some() {
        return Ok(Err(TokenError::CLIENT));
    }
    if !req.headers().contains_key(header::AUTHORIZATION) {
        let Some(app) = named.and_then(Result::ok).map(AppId) else { return Ok(Err(TokenError::CLIENT)) };
        let is_known = state.store.identities().app(app).is_some() || is_new(state, app).await?;
        return Ok(if is_known { Ok(Authenticated::App(app)) } else { Err(TokenError::CLIENT) });
    }
    let Some((id, secret)) = basic(req) else { return Ok(Err(TokenError::CLIENT)) };
    // RFC 6749 §2.3: one way of authentication a request.
    if named.is_some_and(|named| named.ok().map(ClientId) != id) {
        return Ok(Err(TokenError::new("invalid_request", "client_id and HTTP Basic name different clients")));
    }
    let turn = state.secrets.turn().await?;
    let found = match id {
        Some(id) => state.db.read(async move |conn| persistence::clients::find(conn, id).await).await?,
        None => None,
    };
    let usable = |client: &Client| client.disabled_at.is_none() && (client.role.is_of_a_service() || state.config.demo);
    let (client, hash) = found.filter(|(client, _)| usable(client)).unzip();
    let genuine = state.secrets.check(turn, secret, hash).await?;
    Ok(client.filter(|_| genuine).map(Authenticated::Service).ok_or(TokenError::CLIENT))
}

/// Whether an app is one that this process has not heard of yet.
async fn is_new(state: &State, app: AppId) -> Result<bool, ApiError> {
    let found = state.db.read(async move |conn| persistence::clients::find_app(conn, app).await).await?;
    Ok(found.is_some_and(|app| app.disabled_at.is_none()))
}

/// The id (none where it cannot be one) and the secret of HTTP Basic (RFC 7617).
fn basic(req: &HttpRequest) -> Option<(Option<ClientId>, SecretString)> {
    let (scheme, encoded) = only(req.headers())?.to_str().ok()?.split_once(' ')?;
    let decoded = STANDARD.decode(encoded.trim()).ok().filter(|_| scheme.eq_ignore_ascii_case("Basic"))?;
    let text = String::from_utf8(decoded).ok()?;
    let (id, secret) = text.split_once(':')?;
    // RFC 6749 §2.3.1: both are form-encoded before they are joined.
    let decode = |text: &str| serde_urlencoded::from_str::<Vec<(String, String)>>(&format!("v={text}")).ok()?.pop();
    let (id, secret) = (decode(id)?.1, decode(secret)?.1);
    Some((Uuid::try_parse(&id).ok().map(ClientId), secret.into()))
}
