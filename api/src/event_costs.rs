//! Event costs: rate cards, and what an event would cost by them.

pub mod bodies;
pub mod estimates;
pub mod imports;

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, get, post, web};
use chrono::Utc;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::answers::{Published, Tag, answer};
use crate::identity::{Allowed, ImportCosts, Read};
use crate::imports::{ImportReport, receive};
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
/// source. Cards of all duty stations, such as the programme support cost, are among those of each.
/// A card is a tariff only on the days it holds: ask with `on` for those, and call the others
/// historical.
#[utoipa::path(
    tag = "event costs",
    operation_id = "list_rate_cards",
    params(
        ("duty_station" = Option<String>, Query, description = "Only cards of this duty station and of all, such as NY", example = "NY"),
        ("on" = Option<String>, Query, description = "Only cards that hold on this day", example = "2016-09-22"),
        ("limit" = Option<u16>, Query, description = "Cards a page, 1 to 200; 50 when left out", minimum = 1, maximum = 200),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before, or follow the `Link` header"),
        ("lang" = Option<String>, Query, description = "`ar`, `en`, `es`, `fr`, `ru` or `zh`; else by Accept-Language", example = "fr"),
        ("min_rev" = Option<String>, Query, description = "Wait up to 2 seconds for a revision, as `Sync-Rev` tells it", example = "costs=3"),
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
    mut params: Params,
) -> Result<HttpResponse, ApiError> {
    let paging = params.paging()?;
    let station = params.get("duty_station", DutyStation::parse);
    let on = params.get("on", parse_date);
    params.finish()?;
    let reader = allowed.reader();
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
    Ok(list(&req, &published.0, STREAMS, reader, lang.0, page, body))
}

/// Get a rate card
///
/// One card with its rates and rules.
#[utoipa::path(
    tag = "event costs",
    operation_id = "get_rate_card",
    params(
        ("id" = Uuid, Path, description = "The card's id"),
        ("lang" = Option<String>, Query, description = "`ar`, `en`, `es`, `fr`, `ru` or `zh`; else by Accept-Language", example = "fr"),
        ("min_rev" = Option<String>, Query, description = "Wait up to 2 seconds for a revision, as `Sync-Rev` tells it", example = "costs=3"),
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
    path: web::Path<String>,
) -> Result<HttpResponse, ApiError> {
    let (id, reader) = (path_id(&path)?, allowed.reader());
    let entry = published.0.event_costs.rate_cards.get(id, reader).ok_or_else(|| ApiError::new(Code::NotFound))?;
    let body = || RateCardBody::of(&entry.value, Rendering::new(reader, lang.0));
    Ok(answer(&req, Tag(entry.tag), lang.0, reader, body))
}
