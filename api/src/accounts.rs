//! Accounts: one's own, and everybody's for the Secretariat's administrators.

pub mod bodies;
pub mod writes;

use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderValue};
use actix_web::{HttpRequest, HttpResponse, delete, get, patch, post, web};

use crate::editing::{self, IfMatch};
use crate::identity::{Allowed, Caller, ManageAccounts, OwnAccount, Permission, Somebody, Who};
use crate::json;
use crate::lists::{answer_page, page_of};
use crate::params::{Paging, Params, id, path_id};
use crate::problem::{ApiError, Code};
use crate::state::State;
use bodies::{AccountBody, AccountPage, InviteAccount, MyAccount, Seen, UpdateAccount, UpdateMyAccount};
use domain::identity::SessionEnd;
use domain::identity::accounts::name;
use domain::{AccountId, MissionId, Role, SessionId};
use persistence::accounts::{self, Filter};
use persistence::mail::{self, MailKind};
use persistence::{sessions, sign_ins};
use writes::{Edit, Managed, is_mission, seen};

/// The caller's account and session; none for services.
pub fn person(caller: &Caller) -> Option<(AccountId, SessionId)> {
    match caller {
        Caller::Somebody(Somebody { who: Who::Person { account, session, .. }, .. }) => Some((*account, *session)),
        _ => None,
    }
}

fn own(caller: &Caller) -> Result<(AccountId, SessionId), ApiError> {
    let refused = || ApiError::new(Code::Forbidden).detail(message!("Only people who have signed in have an account"));
    person(caller).ok_or_else(refused)
}

/// An edit of an account by a caller. 428 where it does not say of which version.
pub fn edit<P: Permission>(
    req: &HttpRequest,
    allowed: &Allowed<P>,
    managed: Managed,
    account: &str,
) -> Result<Edit, ApiError> {
    let id = AccountId(path_id(account)?);
    let by = person(&allowed.caller).map(|(account, _)| account);
    Ok(Edit { managed, by, id, if_match: IfMatch::of(req)? })
}

/// An account, ready to be edited.
pub fn told(status: StatusCode, seen: Seen) -> HttpResponse {
    editing::answer(status, seen.account.row_version, AccountBody::from(seen))
}

/// An account that was added, and where it is.
pub fn created(seen: Seen, list: &str) -> HttpResponse {
    let location = HeaderValue::try_from(format!("{list}/{}", seen.account.id.0));
    let mut response = told(StatusCode::CREATED, seen);
    if let Ok(location) = location {
        response.headers_mut().insert(header::LOCATION, location);
    }
    response
}

/// A page of accounts, of this mission where one is named.
pub async fn page(
    req: &HttpRequest,
    state: &State,
    mut params: Params,
    within: Option<MissionId>,
) -> Result<HttpResponse, ApiError> {
    let Paging { limit, after } = params.paging()?;
    let mission = within.or(params.get("mission", id).map(MissionId));
    let role = params.get("role", Role::parse);
    let begins = params.get("q", name);
    params.finish()?;
    let wanted = i64::try_from(limit).unwrap_or(i64::MAX).saturating_add(1);
    let after = after.map(|cursor| AccountId(cursor.id));
    let list = async move |conn: &mut persistence::Conn| {
        let filter = Filter { mission, role, begins: begins.as_deref() };
        let found = accounts::list(conn, filter, after, wanted).await?;
        writes::all_seen(conn, found).await
    };
    let found = state.db.read::<_, persistence::Error, _>(list).await?;
    let (found, next_cursor) = page_of(req, found, limit, |seen| seen.account.id.0);
    let items = found.into_iter().map(AccountBody::from).collect();
    let next = next_cursor.clone();
    Ok(answer_page(req, AccountPage { items, next_cursor }, next.as_deref()))
}

/// Get your account
///
/// Who you are signed in as, what you may do, and the id of this session. Call it after signing in, to greet the
/// user and to show what their roles allow. Services have no account: 403.
#[utoipa::path(
    tag = "accounts",
    operation_id = "get_own_account",
    responses((status = 200, description = "The account", body = MyAccount)),
    security(("oauth2" = ["account"]))
)]
#[get("/v1/account")]
pub async fn get_own_account(allowed: Allowed<OwnAccount>, state: web::Data<State>) -> Result<HttpResponse, ApiError> {
    let (account, session) = own(&allowed.caller)?;
    let seen = writes::find(&state, Managed::Everybodys, account).await?;
    Ok(HttpResponse::Ok().insert_header((header::CACHE_CONTROL, "no-store")).json(MyAccount::new(seen, session)))
}

/// Change your account
///
/// Your name, and the language of mails to you. What you leave out stays as it is; `If-Match` is not needed. Mail
/// address, roles and mission are changed by an administrator, the password on the sign-in pages.
#[utoipa::path(
    tag = "accounts",
    operation_id = "update_own_account",
    request_body(content = UpdateMyAccount, description = "The fields to change"),
    responses((status = 200, description = "The account as it is now", body = MyAccount)),
    security(("oauth2" = ["account"]))
)]
#[patch("/v1/account")]
pub async fn update_own_account(
    req: HttpRequest,
    allowed: Allowed<OwnAccount>,
    body: web::Payload,
    state: web::Data<State>,
) -> Result<HttpResponse, ApiError> {
    let (id, session) = own(&allowed.caller)?;
    let change = json::read::<UpdateMyAccount>(&req, body).await?.parse()?;
    let edit = Edit { managed: Managed::Everybodys, by: Some(id), id, if_match: IfMatch::Any };
    let seen = writes::update(&state, allowed.act(), edit, change).await?;
    Ok(HttpResponse::Ok().insert_header((header::CACHE_CONTROL, "no-store")).json(MyAccount::new(seen, session)))
}

/// List accounts
///
/// Everybody's accounts, the oldest first, for the Secretariat's administrators. Removed ones are not among them.
/// Follow `Link` for more.
#[utoipa::path(
    tag = "accounts",
    operation_id = "list_accounts",
    params(
        ("mission" = Option<Uuid>, Query, description = "Only people of this mission"),
        ("role" = Option<String>, Query, description = "Only people with this role", example = "approver"),
        ("q" = Option<String>, Query, description = "Only people whose name or mail address begins so, whatever its case", example = "awa"),
        ("limit" = Option<u16>, Query, description = "Accounts a page, 1 to 200; 50 when left out", minimum = 1, maximum = 200),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before, or follow the `Link` header"),
    ),
    responses((status = 200, description = "A page", body = AccountPage,
        headers(("Link" = String, description = "`rel=\"next\"` when there is more")))),
    security(("oauth2" = ["accounts:manage"]))
)]
#[get("/v1/accounts")]
pub async fn list_accounts(
    req: HttpRequest,
    _: Allowed<ManageAccounts>,
    params: Params,
    state: web::Data<State>,
) -> Result<HttpResponse, ApiError> {
    page(&req, &state, params, None).await
}

/// Invite somebody
///
/// Adds an account and sends its person a mail with a link to set a password, good for 72 hours. This is how a mission
/// gets its first administrator, and the Secretariat its editors, officers, approvers and auditors. After a broken
/// connection send it again: 409 `taken` then says that it was done.
#[utoipa::path(
    tag = "accounts",
    operation_id = "invite_account",
    request_body(content = InviteAccount, description = "Whom to invite"),
    responses(
        (status = 201, description = "The account", body = AccountBody,
            headers(("Location" = String, description = "Where it is"), ("ETag" = String, description = "For If-Match"))),
        (status = 409, description = "Another account has this mail address", body = crate::problem::Problem<'static>, content_type = "application/problem+json",
            example = json!({"type": "urn:focalpoint:problem:taken", "title": "Something else has this already", "status": 409, "code": "taken",
                "errors": [{"pointer": "/mail", "rule": "duplicate", "detail": "belongs to an account already"}],
                "request_id": "01a20020-adbf-7250-9b27-79481057099f"})),
    ),
    security(("oauth2" = ["accounts:manage"]))
)]
#[post("/v1/accounts")]
pub async fn invite_account(
    req: HttpRequest,
    allowed: Allowed<ManageAccounts>,
    body: web::Payload,
    state: web::Data<State>,
) -> Result<HttpResponse, ApiError> {
    let new = json::read::<InviteAccount>(&req, body).await?.parse(|id| is_mission(&state, id))?;
    Ok(created(writes::invite(&state, allowed.act(), new).await?, "/v1/accounts"))
}

/// Get an account
///
/// One account, with the tag that an edit of it needs. Call it when an administrator opens an account to change it.
#[utoipa::path(
    tag = "accounts",
    operation_id = "get_account",
    params(("id" = Uuid, Path, description = "The account's id")),
    responses((status = 200, description = "The account", body = AccountBody,
        headers(("ETag" = String, description = "For If-Match")))),
    security(("oauth2" = ["accounts:manage"]))
)]
#[get("/v1/accounts/{id}")]
pub async fn get_account(
    _: Allowed<ManageAccounts>,
    path: web::Path<String>,
    state: web::Data<State>,
) -> Result<HttpResponse, ApiError> {
    let id = AccountId(path_id(&path)?);
    Ok(told(StatusCode::OK, writes::find(&state, Managed::Everybodys, id).await?))
}

/// Change an account
///
/// Name, mail address, language, roles, mission, and whether the account is suspended. What is left out stays as it
/// is. Other rights count within a second on every process: tokens that were issued before are refused, and
/// the app gets others. To suspend ends every session; so does to move to another mission, or to give a role that
/// needs a second factor to somebody who had none. Nobody suspends themself or gives up `admin`, and somebody must stay
/// an administrator: 409.
#[utoipa::path(
    tag = "accounts",
    operation_id = "update_account",
    params(
        ("id" = Uuid, Path, description = "The account's id"),
        ("If-Match" = String, Header, description = "The `ETag` of the account as you know it", example = "\"v3\""),
    ),
    request_body(content = UpdateAccount, description = "The fields to change"),
    responses(
        (status = 200, description = "The account as it is now", body = AccountBody,
            headers(("ETag" = String, description = "For If-Match"))),
        (status = 409, description = "Another account has this mail address (`taken`), it is your own (`own_account`), or nobody else is an administrator (`last_admin`)",
            body = crate::problem::Problem<'static>, content_type = "application/problem+json",
            example = json!({"type": "urn:focalpoint:problem:own_account", "title": "This cannot be done to one's own account", "status": 409,
                "code": "own_account", "request_id": "01a20020-adbf-7250-9b27-79481057099f"})),
    ),
    security(("oauth2" = ["accounts:manage"]))
)]
#[patch("/v1/accounts/{id}")]
pub async fn update_account(
    req: HttpRequest,
    allowed: Allowed<ManageAccounts>,
    path: web::Path<String>,
    body: web::Payload,
    state: web::Data<State>,
) -> Result<HttpResponse, ApiError> {
    let edit = edit(&req, &allowed, Managed::Everybodys, &path)?;
    let change = json::read::<UpdateAccount>(&req, body).await?.parse(|id| is_mission(&state, id))?;
    Ok(told(StatusCode::OK, writes::update(&state, allowed.act(), edit, change).await?))
}

/// Remove an account
///
/// Nobody signs in with it any more, within a second, and password and second factor are forgotten. Its mail address
/// can be invited again, as another account. What it did goes on naming it. Nobody removes themself: 409.
#[utoipa::path(
    tag = "accounts",
    operation_id = "remove_account",
    params(
        ("id" = Uuid, Path, description = "The account's id", example = "0193a5f0-7c1e-7a54-9a55-0d5c3f6f2b11"),
        ("If-Match" = String, Header, description = "The `ETag` of the account as you know it", example = "\"v3\""),
    ),
    responses(
        (status = 204, description = "It is removed"),
        (status = 409, description = "It is your own (`own_account`), or nobody else is an administrator (`last_admin`)",
            body = crate::problem::Problem<'static>, content_type = "application/problem+json",
            example = json!({"type": "urn:focalpoint:problem:own_account", "title": "This cannot be done to one's own account", "status": 409,
                "code": "own_account", "request_id": "01a20020-adbf-7250-9b27-79481057099f"})),
    ),
    security(("oauth2" = ["accounts:manage"]))
)]
#[delete("/v1/accounts/{id}")]
pub async fn remove_account(
    req: HttpRequest,
    allowed: Allowed<ManageAccounts>,
    path: web::Path<String>,
    state: web::Data<State>,
) -> Result<HttpResponse, ApiError> {
    let edit = edit(&req, &allowed, Managed::Everybodys, &path)?;
    writes::remove(&state, allowed.act(), edit).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Send an invitation again
///
/// Another mail with a link to set a password; earlier links are good no more once it is sent. For somebody whose
/// invitation was lost or has expired.
#[utoipa::path(
    tag = "accounts",
    operation_id = "send_invitation",
    params(("id" = Uuid, Path, description = "The account's id", example = "0193a5f0-7c1e-7a54-9a55-0d5c3f6f2b11")),
    responses((status = 204, description = "The mail will be sent")),
    security(("oauth2" = ["accounts:manage"]))
)]
#[post("/v1/accounts/{id}/invitation")]
pub async fn send_invitation(
    allowed: Allowed<ManageAccounts>,
    path: web::Path<String>,
    state: web::Data<State>,
) -> Result<HttpResponse, ApiError> {
    let id = AccountId(path_id(&path)?);
    let send = async move |conn: &mut persistence::Conn| {
        let account = accounts::lock(conn, id).await?;
        let Seen { account, proofs } = seen(conn, account).await?;
        let kind = if proofs.password { MailKind::PasswordReset } else { MailKind::Invitation };
        mail::insert(conn, kind, account.mail.as_str(), account.language).await
    };
    state.db.acting(allowed.act()).write::<_, persistence::Error, _>(send).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Take somebody's second factor
///
/// For a lost telephone: the second factor and all recovery codes are gone, and every session is ended. Who has a role
/// that needs a second factor sets up another when signing in. Make sure by other means that it is really them who
/// ask: afterwards the password alone lets somebody in.
#[utoipa::path(
    tag = "accounts",
    operation_id = "remove_second_factor",
    params(("id" = Uuid, Path, description = "The account's id", example = "0193a5f0-7c1e-7a54-9a55-0d5c3f6f2b11")),
    responses((status = 204, description = "There is none any more")),
    security(("oauth2" = ["accounts:manage"]))
)]
#[delete("/v1/accounts/{id}/second-factor")]
pub async fn remove_second_factor(
    allowed: Allowed<ManageAccounts>,
    path: web::Path<String>,
    state: web::Data<State>,
) -> Result<HttpResponse, ApiError> {
    let id = AccountId(path_id(&path)?);
    let remove = async move |conn: &mut persistence::Conn| {
        accounts::lock(conn, id).await?;
        sign_ins::remove_factors(conn, id).await?;
        sessions::end_everything(conn, id, SessionEnd::Revoked).await
    };
    state.db.acting(allowed.act()).write::<_, persistence::Error, _>(remove).await?;
    Ok(HttpResponse::NoContent().finish())
}
