//! Introspection (RFC 7662): a mission's system asks about a token that it was given.

use actix_web::{HttpRequest, HttpResponse, post, web};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::clients::{Authenticated, authenticate};
use super::forms::{Form, TokenError, unstored};
use crate::identity::{Somebody, Who, resolve};
use crate::problem::ApiError;
use crate::state::State;
use persistence::clients::Client;

/// What is asked about.
#[derive(Deserialize, ToSchema)]
#[allow(dead_code, reason = "the contract's; what arrives is read parameter by parameter")]
pub struct IntrospectionRequest {
    /// An access token.
    token: String,
    /// Not needed.
    token_type_hint: Option<String>,
}

/// What is to be said of a token (RFC 7662 §2.2). Of one that is not good, or not for you to ask about, nothing but
/// that it is not active.
#[derive(Serialize, ToSchema, Default)]
pub struct Introspection {
    /// Whether it is good now, here.
    #[schema(example = true)]
    active: bool,
    /// What it permits now: as issued, as far as the roles still carry it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "read account")]
    scope: Option<String>,
    /// The app or service that it was issued to.
    #[serde(skip_serializing_if = "Option::is_none")]
    client_id: Option<Uuid>,
    /// Whom it names: a person's account, or the service.
    #[serde(skip_serializing_if = "Option::is_none")]
    sub: Option<Uuid>,
    /// The person's roles, or the service's.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = json!(["delegate"]))]
    roles: Option<Vec<&'static str>>,
    /// Their mission, for roles of missions.
    #[serde(skip_serializing_if = "Option::is_none")]
    mission: Option<Uuid>,
    /// Always `Bearer`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "Bearer")]
    token_type: Option<&'static str>,
    /// When it expires, in seconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = 1795180000)]
    exp: Option<i64>,
    /// When it was issued, in seconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = 1795176400)]
    iat: Option<i64>,
    /// Who issued it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "https://focalpoint.example.org")]
    iss: Option<String>,
    /// Whom it is for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "https://focalpoint.example.org")]
    aud: Option<String>,
}

/// Ask about a token
///
/// Introspection (RFC 7662), for a service that was given an access token by somebody and wants to know whose it is
/// and whether it is still good: also whether its session was revoked, which the token itself cannot tell. An
/// integrator may ask about its own tokens and about those of its mission; an importer about its own. Any other is
/// `{"active": false}`, like one that is not good.
///
/// The answer holds for this moment: do not keep it for longer than you could bear a lost phone to work.
#[utoipa::path(
    tag = "identity",
    operation_id = "introspect_token",
    request_body(content = IntrospectionRequest, content_type = "application/x-www-form-urlencoded",
        description = "The token"),
    responses(
        (status = 200, description = "What is to be said of it", body = Introspection),
        (status = 400, description = "Not a request of this endpoint", body = TokenError, content_type = "application/json",
            example = json!({"error": "invalid_request", "error_description": "token must be given, and each parameter once"})),
        (status = 401, description = "No such service, or another secret", body = TokenError, content_type = "application/json",
            headers(("WWW-Authenticate" = String, description = "`Basic`")),
            example = json!({"error": "invalid_client", "error_description": "Services send client_id and client_secret by HTTP Basic; apps send client_id alone"})),
    ),
    security(("client_basic" = []))
)]
#[post("/oauth/introspect")]
pub async fn introspect_token(
    req: HttpRequest,
    body: web::Payload,
    state: web::Data<State>,
) -> Result<HttpResponse, ApiError> {
    const MISSING: TokenError = TokenError::new("invalid_request", "token must be given, and each parameter once");
    let Some(form) = Form::read(&req, body).await? else { return Ok(MISSING.response()) };
    let Some(token) = form.get("token") else { return Ok(MISSING.response()) };
    let service = match authenticate(&state, &req, &form).await? {
        Ok(Authenticated::Service(service)) => service,
        // RFC 7662 §4: who has no secret could try tokens out.
        Ok(Authenticated::App(_)) => return Ok(TokenError::CLIENT.response()),
        Err(refused) => return Ok(refused.response()),
    };
    let said = tell(&state, &service, token).await;
    Ok(unstored(said.unwrap_or_default()))
}

async fn tell(state: &State, service: &Client, token: &str) -> Option<Introspection> {
    let (said, issued_at, expires_at) = state.tokens.inspect(token, &state.store.identities().keys)?;
    let Somebody { who, roles, scopes, mission } = resolve(state, &said).await.ok()?;
    let is_own = who == Who::Client(service.id);
    let is_of_its_mission = service.mission.is_some() && service.mission == mission;
    (is_own || is_of_its_mission).then_some(())?;
    let issuer = state.config.base_url();
    Some(Introspection {
        active: true,
        scope: Some(scopes.parameter()),
        client_id: Some(match who {
            Who::Client(id) => id.0,
            Who::Person { app, .. } => app.0,
        }),
        sub: Some(who.subject()),
        roles: Some(roles.iter().map(domain::Role::name).collect()),
        mission: mission.map(|mission| mission.0),
        token_type: Some("Bearer"),
        exp: Some(expires_at),
        iat: Some(issued_at),
        aud: Some(issuer.clone()),
        iss: Some(issuer),
    })
}
