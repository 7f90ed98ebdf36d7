//! The token endpoint (RFC 6749 §3.2).

use actix_web::{HttpRequest, HttpResponse, post, web};
use chrono::Utc;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::clients::{Authenticated, authenticate};
use super::forms::{Form, TokenError, unstored};
use super::grants::{self, CodeExchange, Given, Refused};
use super::refresh::Presented;
use crate::frame::RequestId;
use crate::identity::{ACCESS_TOKEN_SECONDS, Token, Who};
use crate::problem::ApiError;
use crate::state::State;
use domain::{AppId, Scopes};
use persistence::clients::Client;

/// What is asked of the token endpoint. Which fields are needed depends on the grant.
#[derive(Deserialize, ToSchema)]
#[allow(dead_code, reason = "the contract's; what arrives is read parameter by parameter")]
pub struct TokenRequest {
    /// `authorization_code` or `refresh_token` for apps, `client_credentials` for services.
    #[schema(example = "client_credentials")]
    grant_type: String,
    /// The app's id. Services use HTTP Basic.
    client_id: Option<String>,
    /// The code that the app was sent; good once and for 60 seconds.
    code: Option<String>,
    /// Where the code was sent, exactly as it was asked for.
    redirect_uri: Option<String>,
    /// What the request's `code_challenge` was made of (RFC 7636).
    code_verifier: Option<String>,
    /// The newest refresh token.
    refresh_token: Option<String>,
    /// Scopes, separated by blanks: fewer than were granted. All of them when left out.
    #[schema(example = "read")]
    scope: Option<String>,
}

/// An access token, and for apps what it is renewed with.
#[derive(Serialize, ToSchema)]
pub struct TokenResponse {
    /// The token, to be sent as `Authorization: Bearer …`. A JWT (RFC 9068), but treat it as opaque.
    #[schema(example = "eyJ0eXAiOiJhdCtqd3QiLCJhbGciOiJFZERTQSJ9…")]
    access_token: String,
    /// Always `Bearer`.
    #[schema(example = "Bearer")]
    token_type: &'static str,
    /// Seconds until it expires.
    #[schema(example = 3600)]
    expires_in: i64,
    /// For apps: to get the next access token with, once. Keep it where the device keeps secrets.
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_token: Option<String>,
    /// What it permits.
    #[schema(example = "read")]
    scope: String,
}

/// Get an access token
///
/// OAuth 2 (RFC 6749). An app exchanges the code that it was sent after its person signed in
/// (`authorization_code`, with PKCE), and later goes on with `refresh_token`; it names itself by `client_id` and has
/// no secret. A service gets a token by itself (`client_credentials`), with `client_id` and `client_secret` by HTTP
/// Basic. An access token is good for 60 minutes.
///
/// **Each refresh token is good once**: the answer has the next one. Save it before you use it. If the answer is
/// lost, send the same request again within 30 seconds: you get the same next token. A refresh token that is used
/// any later, or after its successor, ends the session, since a thief may have it.
///
/// 400 and 401 have the form that OAuth 2 libraries expect. `invalid_grant` means that the person has to sign in
/// again. Overload and faults are problem documents as everywhere else: try again with the same token.
#[utoipa::path(
    tag = "identity",
    operation_id = "issue_token",
    request_body(content = TokenRequest, content_type = "application/x-www-form-urlencoded",
        description = "The grant"),
    responses(
        (status = 200, description = "The token", body = TokenResponse),
        (status = 400, description = "The request is not one this endpoint takes, or the code or refresh token is not good", body = TokenError, content_type = "application/json",
            example = json!({"error": "invalid_grant", "error_description": "It is not good here, or not any more: the person has to sign in again"})),
        (status = 401, description = "No such client, or another secret", body = TokenError, content_type = "application/json",
            headers(("WWW-Authenticate" = String, description = "`Basic`")),
            example = json!({"error": "invalid_client", "error_description": "Services send client_id and client_secret by HTTP Basic; apps send client_id alone"})),
        (status = 429, description = "Too many sign-ins at once", body = crate::problem::Problem<'static>, content_type = "application/problem+json",
            headers(("Retry-After" = u64, description = "Seconds"))),
    ),
    security(("client_basic" = []), ())
)]
#[post("/oauth/token")]
pub async fn issue_token(
    req: HttpRequest,
    body: web::Payload,
    state: web::Data<State>,
) -> Result<HttpResponse, ApiError> {
    const MISSING: TokenError =
        TokenError::new("invalid_request", "grant_type and what belongs to it must be given, and each parameter once");
    let Some(form) = Form::read(&req, body).await? else { return Ok(MISSING.response()) };
    let Some(grant) = form.get("grant_type") else { return Ok(MISSING.response()) };
    if !["authorization_code", "refresh_token", "client_credentials"].contains(&grant) {
        let known = "The grants are authorization_code, refresh_token and client_credentials";
        return Ok(TokenError::new("unsupported_grant_type", known).response());
    }
    let client = match authenticate(&state, &req, &form).await? {
        Ok(client) => client,
        Err(refused) => return Ok(refused.response()),
    };
    let answered = match (grant, client) {
        ("client_credentials", Authenticated::Service(client)) => for_service(&state, &client, &form),
        ("authorization_code", Authenticated::App(app)) => for_code(&state, app, &form, RequestId::of(&req)).await,
        ("refresh_token", Authenticated::App(app)) => for_refresh(&state, app, &form, RequestId::of(&req)).await,
        _ => Ok(Err(TokenError::new("unauthorized_client", "Apps use codes and refresh tokens, services a secret"))),
    };
    Ok(answered?.map_or_else(TokenError::response, unstored))
}

type Answer = Result<Result<TokenResponse, TokenError>, ApiError>;

/// RFC 6749 §4.4.
fn for_service(state: &State, client: &Client, form: &Form) -> Answer {
    let Some(scopes) = granted(client.scopes, form.get("scope")) else {
        return Ok(Err(TokenError::new("invalid_scope", "The client does not have one of these scopes")));
    };
    let token = Token { who: Who::Client(client.id), scopes, rights_version: client.rights_version };
    respond(state, &token, None, ACCESS_TOKEN_SECONDS).map(Ok)
}

/// RFC 6749 §4.1.3.
async fn for_code(state: &State, app: AppId, form: &Form, request: Option<Uuid>) -> Answer {
    let [code, redirect_uri, verifier] = ["code", "redirect_uri", "code_verifier"].map(|name| form.get(name));
    let (Some(code), Some(redirect_uri), Some(verifier)) = (code, redirect_uri, verifier) else {
        return Ok(Err(TokenError::new("invalid_request", "code, redirect_uri and code_verifier must be given")));
    };
    let (code, redirect_uri, verifier) = (code.to_owned(), redirect_uri.to_owned(), verifier.to_owned());
    match grants::exchange(state, CodeExchange { app, code, redirect_uri, verifier }, request).await? {
        Some(given) => give(state, given).map(Ok),
        None => Ok(Err(TokenError::GRANT)),
    }
}

/// RFC 6749 §6.
async fn for_refresh(state: &State, app: AppId, form: &Form, request: Option<Uuid>) -> Answer {
    let Some(presented) = form.get("refresh_token") else {
        return Ok(Err(TokenError::new("invalid_request", "refresh_token must be given")));
    };
    let narrower = match form.get("scope").map(Scopes::parse_known) {
        Some(None) => return Ok(Err(TokenError::new("invalid_scope", "One of these scopes does not exist"))),
        given => given.flatten(),
    };
    let Some(presented) = Presented::read(presented) else { return Ok(Err(TokenError::GRANT)) };
    match grants::refresh(state, app, presented, narrower, request).await? {
        Ok(given) => give(state, given).map(Ok),
        Err(Refused::Grant) => Ok(Err(TokenError::GRANT)),
        Err(Refused::Scope) => Ok(Err(TokenError::new("invalid_scope", "None of these scopes was granted"))),
    }
}

fn give(state: &State, given: Given) -> Result<TokenResponse, ApiError> {
    let left = (given.until - Utc::now()).num_seconds().clamp(1, ACCESS_TOKEN_SECONDS);
    respond(state, &given.token, Some(given.refresh_token), left)
}

fn respond(
    state: &State,
    token: &Token,
    refresh_token: Option<String>,
    expires_in: i64,
) -> Result<TokenResponse, ApiError> {
    let access_token = state.tokens.issue(&state.store.identities().keys, token, Utc::now(), expires_in)?;
    let scope = token.scopes.parameter();
    Ok(TokenResponse { access_token, token_type: "Bearer", expires_in, refresh_token, scope })
}

/// All of `has`, or the scopes that are asked for where `has` has them all (RFC 6749 §3.3).
fn granted(has: Scopes, asked: Option<&str>) -> Option<Scopes> {
    match asked {
        None => Some(has),
        Some(asked) => Scopes::parse_known(asked).filter(|asked| asked.and(has) == *asked),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_scopes_that_one_has_are_granted() {
        let has = Scopes::parse("read inf_notes:import");
        let granted = |asked| granted(has, asked).map(Scopes::parameter);
        assert_eq!(granted(None).as_deref(), Some("read inf_notes:import"));
        assert_eq!(granted(Some("inf_notes:import read")).as_deref(), Some("read inf_notes:import"));
        assert_eq!(granted(Some("read")).as_deref(), Some("read"));
        for refused in ["directory:import", "read directory:import", "root", ""] {
            assert_eq!(granted(Some(refused)), None, "{refused:?}");
        }
    }
}
