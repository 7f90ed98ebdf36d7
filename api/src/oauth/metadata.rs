//! What there is to know before a client begins (RFC 8414), and the public keys (RFC 7517).

use actix_web::http::header;
use actix_web::{HttpResponse, get, web};
use chrono::Utc;
use serde::Serialize;
use utoipa::ToSchema;

use crate::identity::{Allowed, Public};
use crate::problem::{ApiError, Code};
use crate::state::State;
use domain::{Language, Scope};

/// For how long what is here may be kept. A key is published for longer than that before it signs.
const KEEP: &str = "public, max-age=300";

/// The authorization server, for OAuth 2 libraries (RFC 8414 §2).
#[derive(Serialize, ToSchema)]
pub struct Metadata {
    /// Who issues: `iss` of every token, and of every answer to an app (RFC 9207).
    #[schema(example = "https://focalpoint.example.org")]
    issuer: String,
    /// Where a browser is sent, so that a person signs in and consents.
    #[schema(example = "https://focalpoint.example.org/oauth/authorize")]
    authorization_endpoint: String,
    /// Where tokens are got.
    #[schema(example = "https://focalpoint.example.org/oauth/token")]
    token_endpoint: String,
    /// Where they are revoked (RFC 7009).
    #[schema(example = "https://focalpoint.example.org/oauth/revoke")]
    revocation_endpoint: String,
    /// Where services ask about them (RFC 7662).
    #[schema(example = "https://focalpoint.example.org/oauth/introspect")]
    introspection_endpoint: String,
    /// The public keys.
    #[schema(example = "https://focalpoint.example.org/.well-known/jwks.json")]
    jwks_uri: String,
    /// The scopes there are.
    #[schema(example = json!(["read", "account"]))]
    scopes_supported: Vec<&'static str>,
    /// `code`.
    response_types_supported: [&'static str; 1],
    /// `query`.
    response_modes_supported: [&'static str; 1],
    /// The grants there are.
    grant_types_supported: [&'static str; 3],
    /// `none` for apps, `client_secret_basic` for services.
    token_endpoint_auth_methods_supported: [&'static str; 2],
    /// As at the token endpoint.
    revocation_endpoint_auth_methods_supported: [&'static str; 2],
    /// `client_secret_basic`.
    introspection_endpoint_auth_methods_supported: [&'static str; 1],
    /// `S256`.
    code_challenge_methods_supported: [&'static str; 1],
    /// Always true (RFC 9207 §3): check it.
    authorization_response_iss_parameter_supported: bool,
    /// The languages of the pages.
    ui_locales_supported: [&'static str; 6],
    /// What a developer reads.
    #[schema(example = "https://focalpoint.example.org/docs/")]
    service_documentation: String,
}

/// The authorization server
///
/// Where its endpoints are and what they take, for an OAuth 2 library that configures itself (RFC 8414). All of it
/// stays as it is within `v1`.
#[utoipa::path(
    tag = "identity",
    operation_id = "get_authorization_server",
    responses((status = 200, description = "The metadata", body = Metadata)),
    security(())
)]
#[get("/.well-known/oauth-authorization-server")]
pub async fn get_authorization_server(_: Allowed<Public>, state: web::Data<State>) -> HttpResponse {
    let issuer = state.config.base_url();
    let at = |path: &str| format!("{issuer}{path}");
    let metadata = Metadata {
        authorization_endpoint: at("/oauth/authorize"),
        token_endpoint: at("/oauth/token"),
        revocation_endpoint: at("/oauth/revoke"),
        introspection_endpoint: at("/oauth/introspect"),
        jwks_uri: at("/.well-known/jwks.json"),
        scopes_supported: Scope::ALL.map(Scope::name).to_vec(),
        response_types_supported: ["code"],
        response_modes_supported: ["query"],
        grant_types_supported: ["authorization_code", "refresh_token", "client_credentials"],
        token_endpoint_auth_methods_supported: ["none", "client_secret_basic"],
        revocation_endpoint_auth_methods_supported: ["none", "client_secret_basic"],
        introspection_endpoint_auth_methods_supported: ["client_secret_basic"],
        code_challenge_methods_supported: ["S256"],
        authorization_response_iss_parameter_supported: true,
        ui_locales_supported: Language::ALL.map(Language::tag),
        service_documentation: at("/docs/"),
        issuer,
    };
    HttpResponse::Ok().insert_header((header::CACHE_CONTROL, KEEP)).json(metadata)
}

/// The public keys
///
/// The keys that access tokens are signed with, as a JSON Web Key Set (RFC 7517). For whoever wants
/// to check a token offline; an app has no need of it. Take the key by `kid`, keep the set as long as
/// `Cache-Control` says, and look again when a key is missing. A new key is here before it signs, and an old one as
/// long as tokens by it are good.
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
        .insert_header((header::CACHE_CONTROL, KEEP))
        .content_type("application/jwk-set+json")
        .body(keys.jwks.clone()))
}
