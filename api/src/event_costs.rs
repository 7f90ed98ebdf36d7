//! Event costs: rate cards, and what an event would cost by them.

pub mod bodies;
pub mod estimates;
pub mod imports;

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, get, post, web};
use chrono::Utc;
use serde::Serialize;
use utoipa::ToSchema;

use crate::answers::{Listing, Published, Tag, answer};
use crate::identity::{Allowed, ImportCosts, Read};
use crate::imports::{ImportReport, receive};
use crate::json;
use crate::lists::list;
use crate::params::{Lang, Params, path_id};
use crate::problem::{ApiError, Code};
use crate::rendering::Rendering;
use crate::state::State;
use bodies::RateCardBody;
use domain::event_costs::{RateCard, estimate, parse_date};
use domain::{DutyStation, Stream};
use estimates::{EstimateBody, PlanBody};
use imports::CostsImport;

const STREAMS: &[Stream] = &[Stream::Costs];

/// A page of rate cards.
#[derive(Serialize, ToSchema)]
pub struct RateCardPage {
    /// The cards, by duty station and title in the language asked for.
    pub items: Vec<RateCardBody>,
    /// The cursor of the next page; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

/// List rate cards
///
/// What each source says about rates at a duty station in a period, with the office that bills and the
/// source. Call it to let the user read rates; to price an event, `/v1/event-costs/estimates` does the sums.
/// Cards of all duty stations, such as the programme support cost, are among those of each. A card is a
/// tariff only on the days it holds: ask with `on` for those, and call the others historical.
#[utoipa::path(
    tag = "event costs",
    operation_id = "list_rate_cards",
    params(
        ("duty_station" = Option<String>, Query, description = "Only cards of this duty station and of all, such as NY", example = "NY"),
        ("on" = Option<String>, Query, description = "Only cards that hold on this day", example = "2016-09-22"),
        ("limit" = Option<u16>, Query, description = "Cards a page, 1 to 200; 50 when left out", minimum = 1, maximum = 200),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before, or follow the `Link` header"),
        ("lang" = Option<String>, Query, description = "`ar`, `en`, `es`, `fr`, `ru` or `zh`; else by Accept-Language", example = "fr"),
        ("min_rev" = Option<String>, Query, description = "Wait up to 2 seconds for a revision, as `Sync-Rev` tells it", example = "costs=0"),
    ),
    responses((status = 200, description = "A page", body = RateCardPage,
        headers(("Link" = String, description = "`rel=\"next\"` when there is more"), ("ETag" = String, description = "For If-None-Match")))),
    security(("oauth2" = ["read"]))
)]
#[get("/v1/event-costs/rate-cards")]
pub async fn list_rate_cards(
    req: HttpRequest,
    allowed: Allowed<Read>,
    published: Published,
    lang: Lang,
) -> Result<HttpResponse, ApiError> {
    let reader = allowed.reader();
    let listing = Listing::of(&req, &published.0, STREAMS, lang.0, reader);
    if let Some(kept) = listing.kept() {
        return Ok(kept);
    }
    let mut params = Params::of(&req)?;
    let paging = params.paging()?;
    let station = params.get("duty_station", DutyStation::parse);
    let on = params.get("on", parse_date);
    params.finish()?;
    let wanted = |card: &RateCard| {
        card.duty_station.as_ref().is_none_or(|place| station.as_ref().is_none_or(|station| place == station))
            && on.is_none_or(|day| card.validity.covers(day, day))
    };
    let cards = &published.0.event_costs.rate_cards;
    let page = cards.page(reader, lang.0, paging.after.as_ref(), paging.limit, wanted);
    let body = |page: edition::Page<'_, RateCard>, next_cursor| RateCardPage {
        items: page.entries.iter().map(|e| RateCardBody::of(&e.value, Rendering::new(reader, lang.0))).collect(),
        next_cursor,
    };
    Ok(list(&req, listing, page, body))
}

/// Get a rate card
///
/// One card with its rates, its rules and its source. Call it when the user follows the `rate_card` of a
/// charge to see where a price comes from. Money is a decimal string: never make it a floating number.
#[utoipa::path(
    tag = "event costs",
    operation_id = "get_rate_card",
    params(
        ("id" = uuid::Uuid, Path, description = "The card's id"),
        ("lang" = Option<String>, Query, description = "`ar`, `en`, `es`, `fr`, `ru` or `zh`; else by Accept-Language", example = "fr"),
        ("min_rev" = Option<String>, Query, description = "Wait up to 2 seconds for a revision, as `Sync-Rev` tells it", example = "costs=0"),
    ),
    responses((status = 200, description = "The card", body = RateCardBody,
        headers(("ETag" = String, description = "For If-None-Match")))),
    security(("oauth2" = ["read"]))
)]
#[get("/v1/event-costs/rate-cards/{id}")]
pub async fn get_rate_card(
    req: HttpRequest,
    allowed: Allowed<Read>,
    published: Published,
    lang: Lang,
    params: Params,
    path: web::Path<String>,
) -> Result<HttpResponse, ApiError> {
    params.finish()?;
    let (id, reader) = (path_id(&path)?, allowed.reader());
    let entry = published.0.event_costs.rate_cards.get(id, reader).ok_or_else(|| ApiError::new(Code::NotFound))?;
    let body = || RateCardBody::of(&entry.value, Rendering::new(reader, lang.0));
    Ok(answer(&req, Tag(entry.tag), lang.0, reader, body))
}

/// Estimate what an event costs
///
/// Call it whenever the user changes the plan. Send what they want to hold; get one bill across all
/// offices: each charge with its quantity, its
/// price, the reason why it is charged, the office that bills it and the source of the rate; subtotals
/// by office; programme support cost as a line of its own with its base; the total, a range where any
/// rate is one, a currency each.
///
/// Show `basis.text` beside any amount: `historical` rates are of other years than the event and never
/// a tariff. What you asked for and no rate covers is in `not_priced` with the reason; rules that
/// matter for this event are in `notices`; cheaper variants, each priced as a whole, in `savings`.
/// Times are the duty station's wall clock. 422 names each field of the plan that breaks a rule, with a
/// JSON pointer: show `detail` beside the field.
///
/// Nothing is kept, so no `Idempotency-Key` is needed, and the same plan may be sent as often as you
/// like. Answered from memory, also while the database is away.
#[utoipa::path(
    tag = "event costs",
    operation_id = "estimate_event",
    params(
        ("lang" = Option<String>, Query, description = "`ar`, `en`, `es`, `fr`, `ru` or `zh`; else by Accept-Language", example = "fr"),
        ("min_rev" = Option<String>, Query, description = "Wait up to 2 seconds for a revision, as `Sync-Rev` tells it", example = "costs=0"),
    ),
    request_body(content = PlanBody, content_type = "application/json", description = "The plan; at most 64 KiB",
        example = json!({"duty_station": "NY", "kind": "side_event",
            "sessions": [{"date": "2026-09-22", "start": "18:30", "end": "20:00"}],
            "participants": 80, "wishes": {"av_technicians": 3, "captioning": true, "interpretation": ["en", "fr"]}})),
    responses(
        (status = 200, description = "The estimate", body = EstimateBody),
        (status = 422, description = "Some fields break a rule: all of them are named", body = crate::problem::Problem<'static>, content_type = "application/problem+json"),
    ),
    security(("oauth2" = ["read"]))
)]
#[post("/v1/event-costs/estimates")]
pub async fn estimate_event(
    req: HttpRequest,
    allowed: Allowed<Read>,
    published: Published,
    lang: Lang,
    params: Params,
    body: web::Payload,
) -> Result<HttpResponse, ApiError> {
    params.finish()?;
    let plan = json::read::<PlanBody>(&req, body).await?.parse()?;
    let reader = allowed.reader();
    let cards = published.0.event_costs.cards(reader);
    let estimate = estimate(&plan, &cards, Utc::now().date_naive());
    Ok(HttpResponse::Ok()
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .insert_header((header::CONTENT_LANGUAGE, lang.0.tag()))
        .insert_header((header::VARY, crate::frame::VARY))
        .json(EstimateBody::of(&estimate, Rendering::new(reader, lang.0))))
}

/// Import rate cards
///
/// For an office's script; apps do not call it. The body is NDJSON: one rate card with its rates and rules
/// a line. Units of the directory and missions are referred to by key, `source:key` for another source's.
///
/// All rows or none: 422 reports each bad one with line, field and rule. Cards are found again by source
/// and key, so that ids survive; the same file again changes nothing, so after a broken connection or a
/// 503 simply send it again. `mode=replace` also closes the source's cards that are not in the file; more
/// than 10 % of them only with `force=true`, else 409. `Sync-Rev` names the revision written.
#[utoipa::path(
    tag = "imports",
    operation_id = "import_event_costs",
    params(
        ("source" = String, Query, description = "The name of the system the rows come from: a-z, 0-9 and -", example = "rates"),
        ("dry_run" = Option<bool>, Query, description = "Do it all and keep nothing"),
        ("mode" = Option<String>, Query, description = "`merge` (when left out) or `replace`", example = "merge"),
        ("force" = Option<bool>, Query, description = "Close more than 10 % of the source's cards if need be"),
        ("Prefer" = Option<String>, Header, description = "`respond-async`: answer 202 as soon as the file has arrived, and go on without the request (RFC 7240)"),
    ),
    request_body(content = imports::RateCardRow, content_type = "application/x-ndjson",
        description = "One JSON object a line; at most 1 MiB a line and 32 MiB in all",
        example = json!({"kind": "rate_card", "key": "ny-2016", "duty_station": "NY", "title": {"en": "Costs of events at Headquarters, 2016"},
            "valid_from": "2016-01-01", "valid_until": "2016-12-31", "currency": "USD",
            "provenance": {"confidence": "reported", "citation": "https://example.org/rates"},
            "rates": [{"code": "av-technician", "category": "audiovisual", "item": {"en": "Audiovisual technician"},
                "unit": "technician_meeting", "charge": {"amount": "260.00"},
                "provenance": {"confidence": "reported", "citation": "https://example.org/rates"}}]})),
    responses(
        (status = 200, description = "What was done", body = ImportReport,
            headers(("Sync-Rev" = String, description = "The revision written, `costs=3`; absent when nothing changed"), ("Import-Run" = String, description = "The run's id, for `/v1/imports/{id}`; also on refusals"))),
        (status = 202, description = "The file has arrived, and the import goes on", body = crate::imports::runs::ImportRun,
            headers(("Location" = String, description = "Where to see how far it is"))),
        (status = 409, description = "`mode=replace` would close too many cards", body = crate::problem::Problem<'static>, content_type = "application/problem+json"),
    ),
    security(("oauth2" = ["event_costs:import"]))
)]
#[post("/v1/imports/event-costs")]
pub async fn import_event_costs(
    req: HttpRequest,
    allowed: Allowed<ImportCosts>,
    params: Params,
    body: web::Payload,
    state: web::Data<State>,
) -> Result<HttpResponse, ApiError> {
    receive::<CostsImport, _>(&req, &allowed, params, body, &state).await
}
