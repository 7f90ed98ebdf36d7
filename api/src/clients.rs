//! Services and apps: the OAuth 2 clients, for the Secretariat's administrators.

pub mod bodies;

use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderValue};
use actix_web::{HttpRequest, HttpResponse, get, patch, post, web};
use chrono::DateTime;
use secrecy::{ExposeSecret, SecretString};
use uuid::Uuid;

use crate::accounts::writes::is_mission;
use crate::editing::{self, IfMatch};
use crate::identity::{Allowed, ManageClients, secrets};
use crate::json;
use crate::lists::{answer_page, page_of};
use crate::params::{Paging, Params, path_id};
use crate::problem::{ApiError, Code};
use crate::state::State;
use bodies::{
    ClientBody, ClientKind, ClientPage, ClientSecret, CreateClient, CreatedClient, Known, UpdateClient, Wanted,
};
use domain::{AppId, ClientId};
use persistence::clients::{self, App, NewClient};
use persistence::{Conn, log};

/// A new secret and its hash.
async fn new_secret(state: &State) -> Result<(SecretString, String), ApiError> {
    let secret = secrets::generate().map_err(|cause| {
        tracing::error!(%cause, "no secret could be made");
        ApiError::new(Code::Internal)
    })?;
    let hash = state.secrets.hash(secret.clone()).await?;
    Ok((secret, hash))
}

async fn find(conn: &mut Conn, id: Uuid) -> Result<Known, ApiError> {
    if let Some((client, _)) = clients::find(conn, ClientId(id)).await? {
        return Ok(Known::Service(client));
    }
    let app = clients::find_app(conn, AppId(id)).await?;
    app.map(Known::App).ok_or_else(|| ApiError::new(Code::NotFound))
}

fn told(known: Known) -> HttpResponse {
    editing::answer(StatusCode::OK, known.row_version(), ClientBody::from(known))
}

/// List clients
///
/// Services and apps, the oldest first, the disabled ones too. Secrets are not among what is told: they are stored as
/// hashes. Follow `Link` for more.
#[utoipa::path(
    tag = "clients",
    operation_id = "list_clients",
    params(
        ("kind" = Option<String>, Query, description = "Only `service` or only `app`", example = "app"),
        ("limit" = Option<u16>, Query, description = "Clients a page, 1 to 200; 50 when left out", minimum = 1, maximum = 200),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before, or follow the `Link` header"),
    ),
    responses((status = 200, description = "A page", body = ClientPage,
        headers(("Link" = String, description = "`rel=\"next\"` when there is more")))),
    security(("oauth2" = ["clients:manage"]))
)]
#[get("/v1/clients")]
pub async fn list_clients(
    req: HttpRequest,
    _: Allowed<ManageClients>,
    mut params: Params,
    state: web::Data<State>,
) -> Result<HttpResponse, ApiError> {
    let Paging { limit, after } = params.paging()?;
    let kind = params.get("kind", ClientKind::parse);
    params.finish()?;
    // A few hundred at most: all of them are in every process's memory in any case.
    let list = async |conn: &mut Conn| Ok((clients::list(conn).await?, clients::list_apps(conn).await?));
    let (services, apps) = state.db.read::<_, persistence::Error, _>(list).await?;
    let mut found: Vec<Known> =
        services.into_iter().map(Known::Service).chain(apps.into_iter().map(Known::App)).collect();
    found.retain(|known| {
        kind.is_none_or(|kind| known.kind() == kind) && after.as_ref().is_none_or(|after| known.id() > after.id)
    });
    found.sort_by_key(Known::id);
    let (found, next_cursor) = page_of(&req, found, limit, Known::id);
    let items = found.into_iter().map(ClientBody::from).collect();
    let next = next_cursor.clone();
    Ok(answer_page(&req, ClientPage { items, next_cursor }, next.as_deref()))
}

/// Add a client
///
/// A service, which calls by itself: a mission's (`integrator`), which sees what that mission sees, or one of the
/// Secretariat that imports (`importer`), as far as its scopes go. Its secret is in this answer and nowhere else. Or an
/// app, in which people sign in: it has no secret, and codes are sent to its redirection addresses only.
#[utoipa::path(
    tag = "clients",
    operation_id = "create_client",
    request_body(content = CreateClient, description = "The client"),
    responses((status = 201, description = "The client, and a service's secret", body = CreatedClient,
        headers(("Location" = String, description = "Where it is"), ("ETag" = String, description = "For If-Match")))),
    security(("oauth2" = ["clients:manage"]))
)]
#[post("/v1/clients")]
pub async fn create_client(
    req: HttpRequest,
    allowed: Allowed<ManageClients>,
    body: web::Payload,
    state: web::Data<State>,
) -> Result<HttpResponse, ApiError> {
    let body = json::read::<CreateClient>(&req, body).await?;
    let wanted = body.parse(|id| is_mission(&state, id), state.config.demo)?;
    let id = Uuid::now_v7();
    let db = state.db.acting(allowed.act());
    let (known, client_secret) = match wanted {
        Wanted::Service { name, role, mission, scopes } => {
            let (secret, secret_hash) = new_secret(&state).await?;
            let new = NewClient { id: ClientId(id), name, role, mission, scopes, secret_hash };
            let insert = async move |conn: &mut Conn| {
                clients::insert(conn, &new).await?;
                find(conn, id).await
            };
            (db.write::<_, ApiError, _>(insert).await?.value, Some(secret))
        }
        Wanted::App { name, redirect_uris, scopes } => {
            // The database's own are read back.
            let (created_at, disabled_at, row_version) = (DateTime::UNIX_EPOCH, None, 1);
            let new = App { id: AppId(id), name, redirect_uris, scopes, created_at, disabled_at, row_version };
            let insert = async move |conn: &mut Conn| {
                clients::insert_app(conn, &new).await?;
                find(conn, id).await
            };
            (db.write::<_, ApiError, _>(insert).await?.value, None)
        }
    };
    let version = known.row_version();
    let client_secret = client_secret.map(|secret| secret.expose_secret().to_owned());
    let body = CreatedClient { client: known.into(), client_secret };
    let mut response = editing::answer(StatusCode::CREATED, version, body);
    if let Ok(location) = HeaderValue::try_from(format!("/v1/clients/{id}")) {
        response.headers_mut().insert(header::LOCATION, location);
    }
    Ok(response)
}

/// Get a client
///
/// One service or app, with the tag that an edit of it needs. Call it when an administrator opens it to change it. Its
/// secret cannot be read.
#[utoipa::path(
    tag = "clients",
    operation_id = "get_client",
    params(("id" = Uuid, Path, description = "The client's id")),
    responses((status = 200, description = "The client", body = ClientBody,
        headers(("ETag" = String, description = "For If-Match")))),
    security(("oauth2" = ["clients:manage"]))
)]
#[get("/v1/clients/{id}")]
pub async fn get_client(
    _: Allowed<ManageClients>,
    path: web::Path<String>,
    state: web::Data<State>,
) -> Result<HttpResponse, ApiError> {
    let id = path_id(&path)?;
    let found = state.db.read::<_, ApiError, _>(async move |conn| find(conn, id).await).await?;
    Ok(told(found))
}

/// Change a client
///
/// Its name, whether it can be used, an importer's or app's scopes, an app's redirection addresses. What is left out
/// stays as it is. Tokens that were issued before are refused within a second when a service's rights change or when it
/// is disabled; an app's tokens lose the scopes it loses. A client cannot be deleted, because what it did names it.
#[utoipa::path(
    tag = "clients",
    operation_id = "update_client",
    params(
        ("id" = Uuid, Path, description = "The client's id"),
        ("If-Match" = String, Header, description = "The `ETag` of the client as you know it", example = "\"v3\""),
    ),
    request_body(content = UpdateClient, description = "The fields to change"),
    responses((status = 200, description = "The client as it is now", body = ClientBody,
        headers(("ETag" = String, description = "For If-Match")))),
    security(("oauth2" = ["clients:manage"]))
)]
#[patch("/v1/clients/{id}")]
pub async fn update_client(
    req: HttpRequest,
    allowed: Allowed<ManageClients>,
    path: web::Path<String>,
    body: web::Payload,
    state: web::Data<State>,
) -> Result<HttpResponse, ApiError> {
    let id = path_id(&path)?;
    let if_match = IfMatch::of(&req)?;
    let body = json::read::<UpdateClient>(&req, body).await?;
    let update = async move |conn: &mut Conn| {
        let known = match clients::lock(conn, ClientId(id)).await {
            Ok(client) => Known::Service(client),
            Err(persistence::Error::NotFound) => Known::App(clients::lock_app(conn, AppId(id)).await?),
            Err(other) => return Err(other.into()),
        };
        if_match.check(known.row_version())?;
        let now = log::now(conn).await?;
        match body.apply(known, now)? {
            Known::Service(client) => clients::save(conn, &client).await?,
            Known::App(app) => clients::save_app(conn, &app).await?,
        }
        find(conn, id).await
    };
    Ok(told(state.db.acting(allowed.act()).write::<_, ApiError, _>(update).await?.value))
}

/// Give a service another secret
///
/// For a secret that was seen by others, or is old. The answer has the new one, and nothing else ever will. The old one
/// and the tokens got with it are refused at once, within a second on every process: put the new one in place right
/// away. Called again, it gives yet another. An app has no secret: 404.
#[utoipa::path(
    tag = "clients",
    operation_id = "rotate_client_secret",
    params(("id" = Uuid, Path, description = "The service's id")),
    responses((status = 200, description = "The secret", body = ClientSecret)),
    security(("oauth2" = ["clients:manage"]))
)]
#[post("/v1/clients/{id}/secret")]
pub async fn rotate_client_secret(
    allowed: Allowed<ManageClients>,
    path: web::Path<String>,
    state: web::Data<State>,
) -> Result<HttpResponse, ApiError> {
    let id = path_id(&path)?;
    let (secret, hash) = new_secret(&state).await?;
    let save = async move |conn: &mut Conn| clients::save_secret(conn, ClientId(id), &hash).await;
    state.db.acting(allowed.act()).write::<_, persistence::Error, _>(save).await?;
    let body = ClientSecret { client_id: id, client_secret: secret.expose_secret().to_owned() };
    Ok(HttpResponse::Ok().insert_header((header::CACHE_CONTROL, "no-store")).json(body))
}
