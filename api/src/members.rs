//! A mission's people, for its own administrators and for the Secretariat's.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, delete, get, patch, post, web};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::accounts::bodies::{AccountBody, AccountPage, Invitation, common, roles};
use crate::accounts::writes::{self, Managed, is_mission};
use crate::accounts::{created, edit, page, told};
use crate::editing::given;
use crate::identity::{Allowed, ManageMembers};
use crate::json;
use crate::params::{Params, path_id};
use crate::problem::{ApiError, Code};
use crate::state::State;
use domain::identity::accounts::{self, Change};
use domain::{AccountId, Broken, Faults, MissionId, Role, Roles, Rule};

/// Somebody of a mission who is to be added.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct InviteMember {
    /// Where the invitation goes; what the person signs in with. No other account may have it, whatever its case.
    #[schema(format = Email, max_length = 254, example = "a.diallo@sen.missions.example")]
    mail: String,
    /// What the person is called.
    #[schema(max_length = 200, example = "Awa Diallo (invented)")]
    name: String,
    /// The language of mails.
    #[schema(example = "fr")]
    language: String,
    /// `delegate` (also when left out), `mission_admin` or both.
    #[serde(default, deserialize_with = "given")]
    #[schema(nullable = false, min_items = 1, example = json!(["delegate"]))]
    roles: Option<Vec<String>>,
}

/// What is changed of somebody of a mission. What is left out stays as it is.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UpdateMember {
    /// What the person is called.
    #[serde(default, deserialize_with = "given")]
    #[schema(nullable = false, max_length = 200)]
    name: Option<String>,
    /// The language of mails.
    #[serde(default, deserialize_with = "given")]
    #[schema(nullable = false)]
    language: Option<String>,
    /// All roles that the person is to have: `delegate`, `mission_admin` or both.
    #[serde(default, deserialize_with = "given")]
    #[schema(nullable = false, min_items = 1)]
    roles: Option<Vec<String>>,
    /// Whether the account cannot be used. To suspend ends every session.
    #[serde(default, deserialize_with = "given")]
    #[schema(nullable = false)]
    suspended: Option<bool>,
}

/// Roles that a mission's people may have.
fn roles_of_a_mission(names: &[String]) -> Result<Roles, Broken> {
    let roles = roles(names)?;
    match roles.are_of_a_mission() {
        true => Ok(roles),
        false => {
            let values = [Role::Delegate, Role::MissionAdmin].map(Role::name).join(", ");
            Err(Broken::new(Rule::OneOf, message!("must be one of {values}", values)))
        }
    }
}

impl InviteMember {
    fn parse(&self, mission: MissionId) -> Result<Invitation, Faults> {
        let mut faults = Faults::new();
        let mail = faults.check("/mail", accounts::mail(&self.mail));
        let (name, language) = common(&mut faults, Some(&self.name), Some(&self.language));
        let roles = match &self.roles {
            Some(names) => faults.check("/roles", roles_of_a_mission(names)),
            None => Some(Roles::of(Role::Delegate)),
        };
        faults.finish((|| {
            let mission = Some(mission);
            Some(Invitation { mail: mail?, name: name?, language: language?, roles: roles?, mission })
        })())
    }
}

impl UpdateMember {
    fn parse(self) -> Result<Change, Faults> {
        let mut faults = Faults::new();
        let (name, language) = common(&mut faults, self.name.as_deref(), self.language.as_deref());
        let roles = self.roles.and_then(|names| faults.check("/roles", roles_of_a_mission(&names)));
        faults.finish(Some(Change { name, language, roles, suspended: self.suspended, ..Change::default() }))
    }
}

/// The mission in the path, if its people are the caller's to manage. For anybody else it is as if there were none:
/// nothing is read before that is decided, so that not even the time differs.
fn mission(allowed: &Allowed<ManageMembers>, state: &State, path: &str) -> Result<MissionId, ApiError> {
    let id = path_id(path)?;
    match Managed::by(&allowed.caller) {
        Some(Managed::OfMission(own)) if own.0 == id => Ok(own),
        Some(Managed::Everybodys) if is_mission(state, id) => Ok(MissionId(id)),
        _ => Err(ApiError::new(Code::NotFound)),
    }
}

/// List a mission's people
///
/// For the page on which a mission manages its people: their accounts, the oldest first. A mission's administrator
/// sees their own mission; any other one is answered as if it did not exist. Follow `Link` for more.
#[utoipa::path(
    tag = "accounts",
    operation_id = "list_members",
    params(
        ("mission" = Uuid, Path, description = "The mission's id in the directory"),
        ("role" = Option<String>, Query, description = "Only people with this role", example = "delegate"),
        ("q" = Option<String>, Query, description = "Only people whose name or mail address begins so, whatever its case", example = "awa"),
        ("limit" = Option<u16>, Query, description = "Accounts a page, 1 to 200; 50 when left out", minimum = 1, maximum = 200),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before, or follow the `Link` header"),
    ),
    responses((status = 200, description = "A page", body = AccountPage,
        headers(("Link" = String, description = "`rel=\"next\"` when there is more")))),
    security(("oauth2" = ["members:manage"]))
)]
#[get("/v1/missions/{mission}/members")]
pub async fn list_members(
    req: HttpRequest,
    allowed: Allowed<ManageMembers>,
    path: web::Path<String>,
    params: Params,
    state: web::Data<State>,
) -> Result<HttpResponse, ApiError> {
    let mission = mission(&allowed, &state, &path)?;
    page(&req, &state, params, Some(mission)).await
}

/// Invite somebody into a mission
///
/// Adds an account of this mission and sends its person a mail with a link to set a password, good for 72 hours. A
/// mission's administrator invites delegates and other administrators of the same mission. 409 `taken` says that the
/// mail address belongs to an account, and not to which; send the same again after a broken connection, and it says
/// that it was done.
#[utoipa::path(
    tag = "accounts",
    operation_id = "invite_member",
    params(("mission" = Uuid, Path, description = "The mission's id in the directory")),
    request_body(content = InviteMember, description = "Whom to invite"),
    responses(
        (status = 201, description = "The account", body = AccountBody,
            headers(("Location" = String, description = "Where it is"), ("ETag" = String, description = "For If-Match"))),
        (status = 409, description = "The mail address belongs to an account", body = crate::problem::Problem<'static>, content_type = "application/problem+json",
            example = json!({"type": "urn:focalpoint:problem:taken", "title": "Something else has this already", "status": 409, "code": "taken",
                "errors": [{"pointer": "/mail", "rule": "duplicate", "detail": "belongs to an account already"}],
                "request_id": "01a20020-adbf-7250-9b27-79481057099f"})),
    ),
    security(("oauth2" = ["members:manage"]))
)]
#[post("/v1/missions/{mission}/members")]
pub async fn invite_member(
    req: HttpRequest,
    allowed: Allowed<ManageMembers>,
    path: web::Path<String>,
    body: web::Payload,
    state: web::Data<State>,
) -> Result<HttpResponse, ApiError> {
    let mission = mission(&allowed, &state, &path)?;
    let new = json::read::<InviteMember>(&req, body).await?.parse(mission)?;
    let list = format!("/v1/missions/{}/members", mission.0);
    Ok(created(writes::invite(&state, allowed.act(), new).await?, &list))
}

/// Get one of a mission's people
///
/// One account, with the tag that an edit of it needs. Call it when an administrator opens an account to change it.
/// Somebody of another mission is not there.
#[utoipa::path(
    tag = "accounts",
    operation_id = "get_member",
    params(
        ("mission" = Uuid, Path, description = "The mission's id in the directory"),
        ("account" = Uuid, Path, description = "The account's id"),
    ),
    responses((status = 200, description = "The account", body = AccountBody,
        headers(("ETag" = String, description = "For If-Match")))),
    security(("oauth2" = ["members:manage"]))
)]
#[get("/v1/missions/{mission}/members/{account}")]
pub async fn get_member(
    allowed: Allowed<ManageMembers>,
    path: web::Path<(String, String)>,
    state: web::Data<State>,
) -> Result<HttpResponse, ApiError> {
    let mission = mission(&allowed, &state, &path.0)?;
    let id = AccountId(path_id(&path.1)?);
    Ok(told(StatusCode::OK, writes::find(&state, Managed::OfMission(mission), id).await?))
}

/// Change one of a mission's people
///
/// Name, language, roles, and whether the account is suspended. What is left out stays as it is. A mail address
/// cannot be changed, since a link to it sets the password: remove the account and invite the person anew. Other
/// rights count within a second, and to suspend ends every session. Nobody suspends themself or gives up
/// `mission_admin`: 409.
#[utoipa::path(
    tag = "accounts",
    operation_id = "update_member",
    params(
        ("mission" = Uuid, Path, description = "The mission's id in the directory"),
        ("account" = Uuid, Path, description = "The account's id"),
        ("If-Match" = String, Header, description = "The `ETag` of the account as you know it", example = "\"v3\""),
    ),
    request_body(content = UpdateMember, description = "The fields to change"),
    responses(
        (status = 200, description = "The account as it is now", body = AccountBody,
            headers(("ETag" = String, description = "For If-Match"))),
        (status = 409, description = "It is your own (`own_account`)", body = crate::problem::Problem<'static>, content_type = "application/problem+json",
            example = json!({"type": "urn:focalpoint:problem:own_account", "title": "This cannot be done to one's own account", "status": 409,
                "code": "own_account", "request_id": "01a20020-adbf-7250-9b27-79481057099f"})),
    ),
    security(("oauth2" = ["members:manage"]))
)]
#[patch("/v1/missions/{mission}/members/{account}")]
pub async fn update_member(
    req: HttpRequest,
    allowed: Allowed<ManageMembers>,
    path: web::Path<(String, String)>,
    body: web::Payload,
    state: web::Data<State>,
) -> Result<HttpResponse, ApiError> {
    let mission = mission(&allowed, &state, &path.0)?;
    let edit = edit(&req, &allowed, Managed::OfMission(mission), &path.1)?;
    let change = json::read::<UpdateMember>(&req, body).await?.parse()?;
    Ok(told(StatusCode::OK, writes::update(&state, allowed.act(), edit, change).await?))
}

/// Remove one of a mission's people
///
/// They are signed out everywhere within a second, and the account is gone. The mail address can be invited again,
/// by this mission or another. What the person did goes on naming them. Nobody removes themself: 409.
#[utoipa::path(
    tag = "accounts",
    operation_id = "remove_member",
    params(
        ("mission" = Uuid, Path, description = "The mission's id in the directory", example = "0193a5f0-7c1e-7a54-9a55-0d5c3f6f2b13"),
        ("account" = Uuid, Path, description = "The account's id", example = "0193a5f0-7c1e-7a54-9a55-0d5c3f6f2b11"),
        ("If-Match" = String, Header, description = "The `ETag` of the account as you know it", example = "\"v3\""),
    ),
    responses(
        (status = 204, description = "The account is removed"),
        (status = 409, description = "It is your own (`own_account`)", body = crate::problem::Problem<'static>, content_type = "application/problem+json",
            example = json!({"type": "urn:focalpoint:problem:own_account", "title": "This cannot be done to one's own account", "status": 409,
                "code": "own_account", "request_id": "01a20020-adbf-7250-9b27-79481057099f"})),
    ),
    security(("oauth2" = ["members:manage"]))
)]
#[delete("/v1/missions/{mission}/members/{account}")]
pub async fn remove_member(
    req: HttpRequest,
    allowed: Allowed<ManageMembers>,
    path: web::Path<(String, String)>,
    state: web::Data<State>,
) -> Result<HttpResponse, ApiError> {
    let mission = mission(&allowed, &state, &path.0)?;
    let edit = edit(&req, &allowed, Managed::OfMission(mission), &path.1)?;
    writes::remove(&state, allowed.act(), edit).await?;
    Ok(HttpResponse::NoContent().finish())
}
