//! The token endpoint (RFC 6749 §4.4) and the public keys.

use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderValue};
use actix_web::{HttpMessage, HttpRequest, HttpResponse, get, post, web};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::Utc;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::tokens::granted;
use super::{ACCESS_TOKEN_SECONDS, Allowed, Public, Token, Who};
use crate::frame::Verbatim;
use crate::payload;
use crate::problem::{ApiError, Code};
use crate::state::State;
use domain::ClientId;
use persistence::clients::Client;

/// The longest form, in bytes.
const MAX_FORM: usize = 16 * 1024;

/// What is asked of the token endpoint.
#[derive(Deserialize, ToSchema)]
pub struct TokenRequest {
    /// Always `client_credentials`.
    #[schema(example = "client_credentials")]
    grant_type: String,
    /// Scopes, separated by blanks; all of the client's when left out.
    #[schema(example = "read")]
    scope: Option<String>,
}

/// An access token.
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
    /// What it permits.
    #[schema(example = "read")]
    scope: String,
}

/// An error of the token endpoint, in the form OAuth 2 clients expect (RFC 6749 §5.2).
#[derive(Serialize, ToSchema)]
pub struct TokenError {
    /// `invalid_request`, `invalid_client`, `unsupported_grant_type` or `invalid_scope`.
    #[schema(example = "invalid_client")]
    error: &'static str,
    /// What to do about it.
    error_description: &'static str,
}

/// Get an access token
///
/// The first call of an app: OAuth 2 client credentials (RFC 6749 §4.4). Send `client_id` and
/// `client_secret` by HTTP Basic, and the token to all other operations as `Authorization: Bearer …`. It is
/// good for 60 minutes: ask for another shortly before the end, or when an operation answers 401.
///
/// 400 and 401 have the form that OAuth 2 libraries expect. 401 means that the client does not exist or has
/// another secret: do not repeat it. Overload and faults are problem documents as everywhere else.
#[utoipa::path(
    tag = "identity",
    operation_id = "issue_token",
    request_body(content = TokenRequest, content_type = "application/x-www-form-urlencoded",
        description = "The grant"),
    responses(
        (status = 200, description = "The token", body = TokenResponse),
        (status = 400, description = "The request is not one this endpoint takes", body = TokenError, content_type = "application/json",
            example = json!({"error": "unsupported_grant_type", "error_description": "The only grant is client_credentials"})),
        (status = 401, description = "No such client, or another secret", body = TokenError, content_type = "application/json",
            headers(("WWW-Authenticate" = String, description = "`Basic`")),
            example = json!({"error": "invalid_client", "error_description": "Send client_id and client_secret by HTTP Basic"})),
        (status = 429, description = "Too many sign-ins at once", body = crate::problem::Problem<'static>, content_type = "application/problem+json",
            headers(("Retry-After" = u64, description = "Seconds"))),
    ),
    security(("client_basic" = []))
)]
#[post("/oauth/token")]
pub async fn issue_token(
    req: HttpRequest,
    body: web::Payload,
    state: web::Data<State>,
) -> Result<HttpResponse, ApiError> {
    let Some(form) = read_form(&req, body).await? else {
        return Ok(refuse("invalid_request", "grant_type must be given, and each parameter once"));
    };
    if form.grant_type != "client_credentials" {
        return Ok(refuse("unsupported_grant_type", "The only grant is client_credentials"));
    }
    let Some((id, secret)) = basic_credentials(&req) else { return Ok(refuse_client()) };
    let found = match id {
        Some(id) => state.db.read(async move |conn| persistence::clients::find(conn, id).await).await?,
        None => None,
    };
    let usable = |client: &Client| client.disabled_at.is_none() && (client.role.is_of_a_service() || state.config.demo);
    let (client, hash) = found.filter(|(client, _)| usable(client)).unzip();
    let genuine = state.secrets.check(secret, hash).await?;
    let Some(client) = client.filter(|_| genuine) else { return Ok(refuse_client()) };
    let Some(scopes) = granted(client.scopes, form.scope.as_deref()) else {
        return Ok(refuse("invalid_scope", "The client does not have one of these scopes"));
    };
    let token = Token { who: Who::Client(client.id), scopes, rights_version: client.rights_version };
    let access_token = state.tokens.issue(&state.store.identities().keys, &token, Utc::now())?;
    let scope = scopes.parameter();
    let body = TokenResponse { access_token, token_type: "Bearer", expires_in: ACCESS_TOKEN_SECONDS, scope };
    Ok(HttpResponse::Ok().insert_header((header::CACHE_CONTROL, "no-store")).json(body))
}

/// None where it is not a request of the token endpoint (RFC 6749 §5.2).
async fn read_form(req: &HttpRequest, body: web::Payload) -> Result<Option<TokenRequest>, ApiError> {
    if !req.content_type().eq_ignore_ascii_case("application/x-www-form-urlencoded") {
        return Err(
            ApiError::new(Code::UnsupportedMediaType).detail(payload::expected("application/x-www-form-urlencoded"))
        );
    }
    let body = payload::whole(req, body, MAX_FORM).await?;
    let text = std::str::from_utf8(&body).unwrap_or_default();
    Ok(web::Query::from_query(text).ok().map(web::Query::into_inner))
}

/// The id (none where it cannot be one) and the secret of HTTP Basic (RFC 7617).
fn basic_credentials(req: &HttpRequest) -> Option<(Option<ClientId>, SecretString)> {
    let (scheme, encoded) = req.headers().get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    let decoded = STANDARD.decode(encoded.trim()).ok().filter(|_| scheme.eq_ignore_ascii_case("Basic"))?;
    let text = String::from_utf8(decoded).ok()?;
    let (id, secret) = text.split_once(':')?;
    // RFC 6749 §2.3.1: both are form-encoded before they are joined.
    let decode = |text: &str| web::Query::<Vec<(String, String)>>::from_query(&format!("v={text}")).ok()?.pop();
    let (id, secret) = (decode(id)?.1, decode(secret)?.1);
    Some((Uuid::try_parse(&id).ok().map(ClientId), secret.into()))
}

fn refuse(error: &'static str, description: &'static str) -> HttpResponse {
    refusal(StatusCode::BAD_REQUEST, error, description)
}

fn refuse_client() -> HttpResponse {
    let mut response =
        refusal(StatusCode::UNAUTHORIZED, "invalid_client", "Send client_id and client_secret by HTTP Basic");
    let challenge = HeaderValue::from_static("Basic realm=\"focalpoint\", charset=\"UTF-8\"");
    response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
    response
}

fn refusal(status: StatusCode, error: &'static str, error_description: &'static str) -> HttpResponse {
    let mut response = HttpResponse::build(status)
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .json(TokenError { error, error_description });
    response.extensions_mut().insert(Verbatim);
    response
}

/// The public keys
///
/// The keys that access tokens are signed with, as a JSON Web Key Set (RFC 7517). For whoever wants
/// to check a token offline; an app has no need of it. Take the key by `kid`, keep the set as long as
/// `Cache-Control` says, and look again when a key is missing.
#[utoipa::path(
    tag = "identity",
    operation_id = "list_keys",
    responses((status = 200, description = "The keys", content_type = "application/jwk-set+json", body = serde_json::Value,
        example = json!({"keys": [{"kty": "OKP", "crv": "Ed25519", "use": "sig", "alg": "EdDSA", "kid": "…", "x": "…"}]}))),
    security(())
)]
#[get("/.well-known/jwks.json")]
pub async fn list_keys(_: Allowed<Public>, state: web::Data<State>) -> Result<HttpResponse, ApiError> {
    let keys = state.store.identities().keys.clone();
    if keys.signing(Utc::now()).is_none() {
        return Err(ApiError::new(Code::Unavailable));
    }
    Ok(HttpResponse::Ok()
        .insert_header((header::CACHE_CONTROL, "public, max-age=300"))
        .content_type("application/jwk-set+json")
        .body(keys.jwks.clone()))
}
