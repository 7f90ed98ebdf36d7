//! The audit: who did what, for auditors and nobody else.

pub mod exports;

use std::collections::HashMap;

use actix_web::http::header::{self, HeaderValue};
use actix_web::{HttpRequest, HttpResponse, get, web};
use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::identity::{Allowed, ReadAudit};
use crate::lists::next_link;
use crate::params::{Paging, Params, id, instant};
use crate::problem::{ApiError, Code};
use crate::state::State;
use domain::audit::{ActorKind, ObjectKind, Op};
use edition::Cursor;
use persistence::audit::{self, Entry, Filter};

/// The parameters that say which entries are wanted.
const FILTERS: [&str; 12] =
    ["object", "kind", "op", "actor", "person", "client", "session", "request", "subject", "mission", "since", "until"];

fn filter(params: &mut Params) -> Filter {
    Filter {
        object: params.get("object", id),
        kind: params.get("kind", ObjectKind::parse),
        op: params.get("op", Op::parse),
        actor: params.get("actor", ActorKind::parse),
        person: params.get("person", id),
        client: params.get("client", id),
        session: params.get("session", id),
        request: params.get("request", id),
        subject: params.get("subject", id),
        mission: params.get("mission", id),
        since: params.get("since", instant),
        until: params.get("until", instant),
    }
}

/// Who acted.
#[derive(Debug, Serialize, ToSchema)]
pub struct AuditActor {
    /// `person`, `client` (a service), `system` (the passing of time) or `operator` (the command line, or psql).
    #[schema(example = "person")]
    pub kind: String,
    /// The account or service; absent of `system` and `operator`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<Uuid>,
    /// What it is called now, where it is still known.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "Amina Diallo")]
    pub name: Option<String>,
}

/// What was done to one object at one moment.
#[derive(Debug, Serialize, ToSchema)]
pub struct AuditEntry {
    /// Its number.
    #[schema(example = 41372)]
    pub id: i64,
    /// When, by the database's clock.
    pub at: DateTime<Utc>,
    /// Who.
    pub actor: AuditActor,
    /// The service, or the app in which a person acted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client: Option<Uuid>,
    /// The person's session in that app.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session: Option<Uuid>,
    /// The request, by the `X-Request-Id` of its answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_id: Option<Uuid>,
    /// The database's role, as Postgres itself says it.
    #[schema(example = "focalpoint_serve")]
    pub database_role: String,
    /// `insert`, `update`, `delete`, or `export` of the audit.
    #[schema(example = "update")]
    pub op: String,
    /// What kind of object it was done to.
    #[schema(example = "person")]
    pub kind: String,
    /// The object.
    pub object: Uuid,
    /// The part of the object that was changed, by its table: `holding` of a person, `password` of an account.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "holding")]
    pub part: Option<String>,
    /// The account that it was done to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<Uuid>,
    /// The mission whose account, session or service it was done to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mission: Option<Uuid>,
    /// What was, by column: of an update what differs, and a part's key.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub before: Option<Value>,
    /// What is, by column.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub after: Option<Value>,
}

impl AuditEntry {
    fn of(entry: Entry, names: &HashMap<Uuid, String>) -> Self {
        let name = entry.actor_id.and_then(|id| names.get(&id)).cloned();
        Self {
            id: entry.n,
            at: entry.at,
            actor: AuditActor { kind: entry.actor_kind, id: entry.actor_id, name },
            client: entry.client_id,
            session: entry.session_id,
            request_id: entry.request_id,
            database_role: entry.database_role,
            op: entry.op,
            kind: entry.kind,
            object: entry.object_id,
            part: entry.part,
            subject: entry.subject_id,
            mission: entry.mission_id,
            before: entry.before,
            after: entry.after,
        }
    }
}

/// A page of the audit.
#[derive(Serialize, ToSchema)]
pub struct AuditPage {
    /// The entries, the newest first.
    pub items: Vec<AuditEntry>,
    /// The cursor of the next page; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

/// List entries of the audit
///
/// Who did what, to which object, by which client, when, with what was before and after; the newest first. For
/// auditors alone. Parameters narrow each other: `object` is what happened to an object, `subject` what was done
/// to a person's account, to their sessions and to what they sign in with, `person` what a person did, `request`
/// all that one request did.
///
/// Whatever changes a row is noted, also an import's rows one by one and what somebody did in psql; what changed
/// nothing is not. A part is noted with the object that it belongs to: a holding with its person, a contact point
/// with its service. Secrets are never in it: that a client's was replaced shows by its `rights_version`, that a
/// password was set by its `set_at`. Nor are sign-ins that failed.
#[utoipa::path(
    tag = "audit",
    operation_id = "list_audit_entries",
    params(
        ("object" = Option<String>, Query, description = "Only what was done to this object"),
        ("kind" = Option<String>, Query, description = "Only what was done to objects of this kind", example = "person"),
        ("op" = Option<String>, Query, description = "Only this: `insert`, `update`, `delete` or `export`", example = "update"),
        ("actor" = Option<String>, Query, description = "Only what such an actor did: `person`, `client`, `system` or `operator`", example = "person"),
        ("person" = Option<String>, Query, description = "Only what the person of this account did"),
        ("client" = Option<String>, Query, description = "Only what was done by this service or in this app"),
        ("session" = Option<String>, Query, description = "Only what was done in this session"),
        ("request" = Option<String>, Query, description = "Only what the request of this `X-Request-Id` did"),
        ("subject" = Option<String>, Query, description = "Only what was done to this account, to its sessions and to what its person signs in with"),
        ("mission" = Option<String>, Query, description = "Only what was done to accounts, sessions and services of this mission"),
        ("since" = Option<String>, Query, description = "Only from this moment on. RFC 3339 with its offset; in a query, `+` is written `%2B`", example = "2026-09-21T08:00:00-04:00"),
        ("until" = Option<String>, Query, description = "Only before this moment", example = "2026-09-22T08:00:00-04:00"),
        ("limit" = Option<u16>, Query, description = "Entries a page, 1 to 200; 50 when left out", minimum = 1, maximum = 200),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before, or follow the `Link` header"),
    ),
    responses((status = 200, description = "A page", body = AuditPage,
        headers(("Link" = String, description = "`rel=\"next\"` when there is more")))),
    security(("oauth2" = ["audit:read"]))
)]
#[get("/v1/audit")]
pub async fn list_audit_entries(
    req: HttpRequest,
    _: Allowed<ReadAudit>,
    mut params: Params,
    state: web::Data<State>,
) -> Result<HttpResponse, ApiError> {
    let Paging { limit, after } = params.paging()?;
    let filter = filter(&mut params);
    params.finish()?;
    let position = |cursor: Cursor| cursor.key.parse().map_err(|_| ApiError::new(Code::InvalidCursor));
    let before = after.map(position).transpose()?;
    let wanted = i64::try_from(limit).unwrap_or(i64::MAX).saturating_add(1);
    let read = async move |conn: &mut persistence::Conn| {
        let entries = audit::list(conn, filter, before, wanted).await?;
        let names = audit::names(conn, &entries).await?;
        Ok::<_, ApiError>((entries, names))
    };
    let (mut found, names) = state.db.read(read).await?;
    let more = found.len() > limit;
    found.truncate(limit);
    let last = found.last().filter(|_| more).map(|last| Cursor { key: last.n.to_string(), id: Uuid::nil() });
    let next_cursor = last.map(|cursor| Paging::encode(req.path(), &cursor));
    let link = next_cursor.as_ref().and_then(|cursor| HeaderValue::from_str(&next_link(&req, cursor)).ok());
    let items = found.into_iter().map(|entry| AuditEntry::of(entry, &names)).collect();
    let mut response = HttpResponse::Ok().json(AuditPage { items, next_cursor });
    if let Some(link) = link {
        response.headers_mut().insert(header::LINK, link);
    }
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}
