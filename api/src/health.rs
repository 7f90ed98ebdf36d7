//! Whether this process lives, may be sent requests, and may be sent writes.

use std::time::Duration;

use actix_web::http::header;
use actix_web::{HttpResponse, get, web};
use serde::Serialize;
use utoipa::ToSchema;

use crate::problem::{ApiError, Code};
use crate::state::State;

/// After so long without news of the database it is said to be down.
const DATABASE_DOWN_AFTER: Duration = Duration::from_millis(2500);

/// How this process is.
#[derive(Serialize, ToSchema)]
pub struct Health {
    /// `ok`.
    #[schema(example = "ok")]
    status: &'static str,
    /// `up` or `down`. Published reads go on without it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "up")]
    database: Option<&'static str>,
    /// Seconds since what is answered was last known to be up to date.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = 0)]
    edition_age: Option<u64>,
}

fn ok(health: Health) -> HttpResponse {
    HttpResponse::Ok().insert_header((header::CACHE_CONTROL, "no-store")).json(health)
}

/// Whether the database is reached.
pub fn is_database_up(state: &State) -> bool {
    state.store.age() <= DATABASE_DOWN_AFTER
}

fn database(state: &State) -> &'static str {
    if is_database_up(state) { "up" } else { "down" }
}

/// Is the process alive?
///
/// For the platform that runs the server, not for apps. Always 200 while the process lives, whatever the
/// database does. Restart it otherwise.
#[utoipa::path(tag = "operations", operation_id = "check_health",
    responses((status = 200, description = "It is", body = Health)), security(()))]
#[get("/healthz")]
pub async fn check_health() -> HttpResponse {
    ok(Health { status: "ok", database: None, edition_age: None })
}

/// May it be sent reads?
///
/// For a load balancer, not for apps. 200 while there is an edition to answer from and the process is not
/// about to end; also without the database, which the body then says. 503: send requests to another process.
#[utoipa::path(tag = "operations", operation_id = "check_readiness",
    responses((status = 200, description = "It may", body = Health)), security(()))]
#[get("/readyz")]
pub async fn check_readiness(state: web::Data<State>) -> Result<HttpResponse, ApiError> {
    if !state.store.is_ready() || state.store.is_draining() {
        return Err(ApiError::new(Code::Unavailable));
    }
    let age = state.store.age().as_secs();
    Ok(ok(Health { status: "ok", database: Some(database(&state)), edition_age: Some(age) }))
}

/// May it be sent writes?
///
/// For a load balancer or a script that is about to import. 200 while the primary database takes writes.
/// 503: wait, published reads go on meanwhile.
#[utoipa::path(tag = "operations", operation_id = "check_writes",
    responses((status = 200, description = "It may", body = Health)), security(()))]
#[get("/readyz/writes")]
pub async fn check_writes(state: web::Data<State>) -> Result<HttpResponse, ApiError> {
    if !state.store.is_ready() || state.store.is_draining() {
        return Err(ApiError::new(Code::Unavailable));
    }
    // Asked of no connection: whoever may ask this, as often as they like, takes none from anybody.
    if !state.store.takes_writes() {
        return Err(ApiError::new(Code::Unavailable));
    }
    Ok(ok(Health { status: "ok", database: Some("up"), edition_age: None }))
}
