//! Entrances, checkpoints, garages and streets: their state at any moment for any pass.

pub mod bodies;

use actix_web::{HttpRequest, HttpResponse, get, web};
use chrono::{DateTime, DurationRound, TimeDelta, Utc};
use serde::Serialize;
use utoipa::ToSchema;

use crate::answers::{Published, Tag, answer};
use crate::bulletins::STREAMS;
use crate::identity::{Allowed, Public};
use crate::params::{Lang, Params, instant, path_id};
use crate::problem::{ApiError, Code};
use crate::rendering::Rendering;
use bodies::{EntranceBody, PlaceBody};
use domain::DutyStation;
use domain::entrances::{Pass, Place, PlaceKind};

/// Every place and its state.
#[derive(Serialize, ToSchema)]
pub struct EntrancesBody {
    /// The moment that the states are of.
    #[schema(example = "2016-04-21T13:00:00Z")]
    pub at: DateTime<Utc>,
    /// The pass that the states are for.
    #[schema(value_type = String, example = "delegate")]
    pub pass: Pass,
    /// The places, by name.
    pub items: Vec<EntranceBody>,
}

/// The state of every entrance
///
/// Which entrances, checkpoints, garages, streets, crossings and buildings let the holder of `pass` in at
/// the moment `at`, in one answer without pages. Call it when the user looks for a way in, with the pass
/// they hold; it works for the past and the future as well as for now.
///
/// - `open`: they are let in. `restricted`: they are let in under the conditions in `basis`. `closed`: they
///   are not let in. `unknown`: no source says. **Unknown is not open**: show it as unknown.
/// - Each pass stands for itself: nothing is concluded from one about another. A place reserved for
///   others is `closed` for those whom its source sends elsewhere, and `unknown` for whom it does not name.
/// - A later bulletin of the same issuer replaces what an earlier one says of the place, and any bulletin
///   what is arranged for every day. Cancelled, updated and expired bulletins say no more from then on.
/// - When two sources disagree, `conflict` is true, `basis` has both and the strictest is followed.
/// - `basis` says which source says what, which bulletin it rests on, and how words such as "c.o.b."
///   were read. `until` is the next moment at which anything changes, as far as is known now: ask again
///   then, or when a bulletin arrives. On an error show the last answer with its `at`, and say that it is
///   old; never guess a state.
#[utoipa::path(
    tag = "bulletins",
    operation_id = "list_entrances",
    params(
        ("pass" = String, Query, description = "`vip`, `permanent_representative`, `gold`, `protocol_access`, `delegate`, `staff`, `media`, `ngo`, `affiliate`, `retiree`, `conference_participant`, `long_term` or `visitor`", example = "delegate"),
        ("at" = Option<String>, Query, description = "RFC 3339 with its offset; in a query, `+` is written `%2B`. When left out, the minute that has just begun by this server's clock", example = "2016-04-21T09:00:00-04:00"),
        ("duty_station" = Option<String>, Query, description = "Only places at this duty station", example = "NY"),
        ("kind" = Option<String>, Query, description = "Only `entrance`, `checkpoint`, `garage`, `street`, `crossing` or `building`", example = "entrance"),
        ("lang" = Option<String>, Query, description = "`ar`, `en`, `es`, `fr`, `ru` or `zh`; else by Accept-Language", example = "fr"),
        ("min_rev" = Option<String>, Query, description = "Wait up to 2 seconds for a revision, as `Sync-Rev` tells it", example = "bulletins=0"),
    ),
    responses((status = 200, description = "Every place and its state", body = EntrancesBody,
        headers(("ETag" = String, description = "For If-None-Match")))),
    security((), ("oauth2" = ["read"]))
)]
#[get("/v1/entrances")]
pub async fn list_entrances(
    req: HttpRequest,
    allowed: Allowed<Public>,
    published: Published,
    lang: Lang,
    mut params: Params,
) -> Result<HttpResponse, ApiError> {
    let pass = params.require("pass", Pass::parse);
    let now = this_minute();
    let at = params.get("at", instant).unwrap_or(now);
    let station = params.get("duty_station", DutyStation::parse);
    let kind = params.get("kind", PlaceKind::parse);
    params.finish()?;
    let pass = pass.ok_or_else(|| ApiError::new(Code::Internal))?;
    let (reader, bulletins) = (allowed.reader(), &published.0.bulletins);
    let wanted = |place: &Place| {
        station.as_ref().is_none_or(|station| place.duty_station == *station)
            && kind.is_none_or(|kind| place.kind == kind)
    };
    let tag = Tag::of_list(&published.0, STREAMS, &req).and(at);
    Ok(answer(&req, tag, lang.0, reader, || {
        let places = bulletins.places.page(reader, lang.0, None, usize::MAX, wanted);
        let body = |place| EntranceBody::of(place, at, pass, &bulletins.register, Rendering::new(reader, lang.0));
        EntrancesBody { at, pass, items: places.entries.iter().map(|entry| body(&entry.value)).collect() }
    }))
}

/// Not the second, so that an answer can be held on to for a while.
fn this_minute() -> DateTime<Utc> {
    let now = Utc::now();
    now.duration_trunc(TimeDelta::minutes(1)).unwrap_or(now)
}

/// Get an entrance
///
/// One place with everything that sources say of it, as far as you may see the bulletins they rest on. Call
/// it for the details of a place: hours, passes, conditions, and where each is from. Do not work out from
/// it whether the place is open: for its state at a moment ask `/v1/entrances`.
#[utoipa::path(
    tag = "bulletins",
    operation_id = "get_entrance",
    params(
        ("id" = Uuid, Path, description = "The place's id"),
        ("lang" = Option<String>, Query, description = "`ar`, `en`, `es`, `fr`, `ru` or `zh`; else by Accept-Language", example = "fr"),
        ("min_rev" = Option<String>, Query, description = "Wait up to 2 seconds for a revision, as `Sync-Rev` tells it", example = "bulletins=0"),
    ),
    responses((status = 200, description = "The place", body = PlaceBody,
        headers(("ETag" = String, description = "For If-None-Match")))),
    security((), ("oauth2" = ["read"]))
)]
#[get("/v1/entrances/{id}")]
pub async fn get_entrance(
    req: HttpRequest,
    allowed: Allowed<Public>,
    published: Published,
    lang: Lang,
    params: Params,
    path: web::Path<String>,
) -> Result<HttpResponse, ApiError> {
    params.finish()?;
    let (id, reader, bulletins) = (path_id(&path)?, allowed.reader(), &published.0.bulletins);
    let entry = bulletins.places.get(id, reader).ok_or_else(|| ApiError::new(Code::NotFound))?;
    let register = &bulletins.register;
    let seen: Vec<_> = entry.value.openings_for(register, reader).collect();
    let tag = Tag(entry.tag).and(&seen);
    Ok(answer(&req, tag, lang.0, reader, || PlaceBody::of(&entry.value, register, Rendering::new(reader, lang.0))))
}
