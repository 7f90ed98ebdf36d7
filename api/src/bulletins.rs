//! Security bulletins: the list, one of them, their import.

pub mod bodies;
pub mod imports;

use std::sync::Arc;

use actix_web::{HttpRequest, HttpResponse, get, post, web};
use serde::Serialize;
use utoipa::ToSchema;

use crate::answers::{Listing, Published, Tag, answer};
use crate::identity::{Allowed, ImportBulletins, Public};
use crate::imports::{ImportReport, receive};
use crate::lists::list;
use crate::params::{Lang, Params, boolean, instant, path_id};
use crate::problem::{ApiError, Code};
use crate::rendering::Rendering;
use crate::state::State;
use bodies::{BulletinBody, neighbours};
use domain::bulletins::{Bulletin, MessageType, Severity, Standing};
use domain::{DutyStation, Stream};
use imports::BulletinsImport;

pub(crate) const STREAMS: &[Stream] = &[Stream::Bulletins];

/// A page of bulletins.
#[derive(Serialize, ToSchema)]
pub struct BulletinPage {
    /// The bulletins, the newest first.
    pub items: Vec<BulletinBody>,
    /// The cursor of the next page; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

/// List bulletins
///
/// Security bulletins, the newest first. Call it when the app starts or comes back to the foreground, and
/// with `If-None-Match` as often as you like: an unchanged list costs a few bytes. What is public needs no
/// token; with one you also get what is for delegates or for your mission.
///
/// For what matters now ask for `active=true`: alerts and updates that have not expired and that no later
/// bulletin updated or cancelled. For what was going on at another moment give `at`. Nothing is taken away
/// when it ends: what expired, was updated or was cancelled stays, and `standing` says so. On an error go
/// on showing the bulletins you have, with the time at which you got them.
#[utoipa::path(
    tag = "bulletins",
    operation_id = "list_bulletins",
    params(
        ("active" = Option<bool>, Query, description = "`true`: only alerts and updates in force. `false`: only the others, cancellations among them"),
        ("at" = Option<String>, Query, description = "Only bulletins that tell of something going on at this moment: begun, not expired, not yet updated or cancelled. RFC 3339 with its offset; in a query, `+` is written `%2B`", example = "2016-04-21T09:00:00-04:00"),
        ("severity" = Option<String>, Query, description = "Only this severity: `extreme`, `severe`, `moderate`, `minor` or `unknown`", example = "severe"),
        ("duty_station" = Option<String>, Query, description = "Only bulletins that concern this duty station", example = "NY"),
        ("limit" = Option<u16>, Query, description = "Bulletins a page, 1 to 200; 50 when left out", minimum = 1, maximum = 200),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before, or follow the `Link` header"),
        ("lang" = Option<String>, Query, description = "`ar`, `en`, `es`, `fr`, `ru` or `zh`; else by Accept-Language", example = "fr"),
        ("min_rev" = Option<String>, Query, description = "Wait up to 2 seconds for a revision, as `Sync-Rev` tells it", example = "bulletins=0"),
    ),
    responses((status = 200, description = "A page", body = BulletinPage,
        headers(("Link" = String, description = "`rel=\"next\"` when there is more"), ("ETag" = String, description = "For If-None-Match")))),
    security((), ("oauth2" = ["read"]))
)]
#[get("/v1/bulletins")]
pub async fn list_bulletins(
    req: HttpRequest,
    allowed: Allowed<Public>,
    published: Published,
    lang: Lang,
) -> Result<HttpResponse, ApiError> {
    let (reader, bulletins) = (allowed.reader(), &published.0.bulletins);
    let listing = Listing::of(&req, &published.0, STREAMS, lang.0, reader);
    if let Some(kept) = listing.kept() {
        return Ok(kept);
    }
    let mut params = Params::of(&req)?;
    let paging = params.paging()?;
    let active = params.get("active", boolean);
    let at = params.get("at", instant);
    let severity = params.get("severity", Severity::parse);
    let station = params.get("duty_station", DutyStation::parse);
    params.finish()?;
    let register = &bulletins.register;
    let is_active = |bulletin: &Bulletin| {
        bulletin.message_type != MessageType::Cancel && register.standing(bulletin, reader) == Standing::InForce
    };
    let wanted = |bulletin: &Arc<Bulletin>| {
        severity.is_none_or(|severity| bulletin.severity == severity)
            && station.as_ref().is_none_or(|station| bulletin.duty_station == *station)
            && at.is_none_or(|at| register.holds_at(bulletin, at, reader))
            && active.is_none_or(|active| is_active(bulletin) == active)
    };
    let page = bulletins.issued.page(reader, lang.0, paging.after.as_ref(), paging.limit, wanted);
    let body = |page: edition::Page<'_, Arc<Bulletin>>, next_cursor| BulletinPage {
        items: page
            .entries
            .iter()
            .map(|entry| BulletinBody::of(&entry.value, register, Rendering::new(reader, lang.0)))
            .collect(),
        next_cursor,
    };
    Ok(list(&req, listing, page, body))
}

/// Get a bulletin
///
/// One bulletin. Call it when the user opens one from a notification or from the `basis` of an entrance's
/// state. `references` are the ids of those that it updates or cancels, `followed_by` of those that updated
/// or cancelled it, as far as you may see them: show the last of these instead. A cancelled or expired
/// bulletin stays here; `standing` marks it. Times are on the clocks of `time_zone`.
#[utoipa::path(
    tag = "bulletins",
    operation_id = "get_bulletin",
    params(
        ("id" = Uuid, Path, description = "The bulletin's id"),
        ("lang" = Option<String>, Query, description = "`ar`, `en`, `es`, `fr`, `ru` or `zh`; else by Accept-Language", example = "fr"),
        ("min_rev" = Option<String>, Query, description = "Wait up to 2 seconds for a revision, as `Sync-Rev` tells it", example = "bulletins=0"),
    ),
    responses((status = 200, description = "The bulletin", body = BulletinBody,
        headers(("ETag" = String, description = "For If-None-Match")))),
    security((), ("oauth2" = ["read"]))
)]
#[get("/v1/bulletins/{id}")]
pub async fn get_bulletin(
    req: HttpRequest,
    allowed: Allowed<Public>,
    published: Published,
    lang: Lang,
    params: Params,
    path: web::Path<String>,
) -> Result<HttpResponse, ApiError> {
    params.finish()?;
    let (id, reader, bulletins) = (path_id(&path)?, allowed.reader(), &published.0.bulletins);
    let entry = bulletins.issued.get(id, reader).ok_or_else(|| ApiError::new(Code::NotFound))?;
    let (register, rendering) = (&bulletins.register, Rendering::new(reader, lang.0));
    let tag =
        Tag(entry.tag).and(neighbours(&entry.value, register, &rendering)).and(register.standing(&entry.value, reader));
    Ok(answer(&req, tag, lang.0, reader, || BulletinBody::of(&entry.value, register, rendering)))
}

/// Import bulletins and places
///
/// For the security service's script; apps do not call it. The body is NDJSON: one bulletin, or one place
/// with its openings, a line, in any order. Bulletins refer to earlier ones of the same issuer by key,
/// openings to the bulletin they rest on.
///
/// All rows or none: 422 reports each bad one with line, field and rule. Rows are found again by source
/// and key, so that ids survive; the same file again changes nothing, so after a broken connection or a
/// 503 simply send it again. `mode=replace` also closes the source's rows that are not in the file; more
/// than 10 % of them only with `force=true`, else 409. `Sync-Rev` names the revision written.
///
/// A moment is an instant with its offset, or the words of an inexact source on a date, such as
/// `{"date": "2016-04-19", "given": "c.o.b."}`: a named rule reads them on the place's own clocks, and
/// readers are told. A bulletin is published at once, or by the database's clock when `embargo_until` is
/// over; until then no reader sees a trace of it. An embargo given to a published bulletin withdraws it
/// until then. An update or cancellation must be for everybody whom what it refers to is for.
#[utoipa::path(
    tag = "imports",
    operation_id = "import_bulletins",
    params(
        ("source" = String, Query, description = "The name of the system the rows come from: a-z, 0-9 and -", example = "dss"),
        ("dry_run" = Option<bool>, Query, description = "Do it all and keep nothing"),
        ("mode" = Option<String>, Query, description = "`merge` (when left out) or `replace`", example = "merge"),
        ("force" = Option<bool>, Query, description = "Close more than 10 % of the source's rows if need be"),
        ("Prefer" = Option<String>, Header, description = "`respond-async`: answer 202 as soon as the file has arrived, and go on without the request (RFC 7240)"),
    ),
    request_body(content = imports::BulletinsRow, content_type = "application/x-ndjson",
        description = "One JSON object a line; at most 1 MiB a line and 32 MiB in all",
        example = json!({"kind": "bulletin", "key": "2026-17", "audience": "delegates", "identifier": "UN-2026-17",
            "issuer": {"code": "un", "name": {"en": "United Nations"}}, "duty_station": "NY",
            "time_zone": "America/New_York", "message_type": "alert", "category": "security", "severity": "minor",
            "urgency": "expected", "certainty": "likely", "sent": "2026-09-21T08:00:00-04:00",
            "expires": {"date": "2026-09-21", "given": "c.o.b."},
            "texts": {"en": {"headline": "46th Street entrance closed", "description": "Use the 42nd Street entrance."}},
            "provenance": {"confidence": "sample"}})),
    responses(
        (status = 200, description = "What was done", body = ImportReport,
            headers(("Sync-Rev" = String, description = "The revision written, `bulletins=12`; absent when no reader sees a change"), ("Import-Run" = String, description = "The run's id, for `/v1/imports/{id}`; also on refusals"))),
        (status = 202, description = "The file has arrived, and the import goes on", body = crate::imports::runs::ImportRun,
            headers(("Location" = String, description = "Where to see how far it is"))),
        (status = 409, description = "`mode=replace` would close too many rows", body = crate::problem::Problem<'static>, content_type = "application/problem+json"),
    ),
    security(("oauth2" = ["bulletins:import"]))
)]
#[post("/v1/imports/bulletins")]
pub async fn import_bulletins(
    req: HttpRequest,
    allowed: Allowed<ImportBulletins>,
    params: Params,
    body: web::Payload,
    state: web::Data<State>,
) -> Result<HttpResponse, ApiError> {
    receive::<BulletinsImport, _>(&req, &allowed, params, body, &state).await
}
