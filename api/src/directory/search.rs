//! Search over the whole directory.

use actix_web::{HttpRequest, HttpResponse, get, web};
use chrono::NaiveDate;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{STREAMS, body_of, duty_station};
use crate::answers::{Listing, Published};
use crate::identity::{Allowed, Read};
use crate::kept::Rendered;
use crate::objects::Object;
use crate::params::{Lang, Paging, Params};
use crate::problem::{ApiError, Code};
use crate::rendering::Rendering;
use crate::state::State;
use domain::directory::FormerName;
use domain::{Broken, DutyStation, Kind, Language, Rule, text};
use edition::Cursor;
use edition::directory::{Found, Hit};
use edition::search::{Field, How};

/// The kinds that a search can be narrowed to.
pub(crate) const KINDS: [Kind; 6] =
    [Kind::Organization, Kind::Unit, Kind::Function, Kind::Person, Kind::Mission, Kind::Service];

/// Entries that a search found, the best first.
#[derive(Serialize, ToSchema)]
pub struct SearchPage {
    /// The entries.
    items: Vec<HitBody>,
    /// The cursor of the next page; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

/// An entry that a search found.
#[derive(Serialize, ToSchema)]
pub struct HitBody {
    /// Its kind.
    #[schema(value_type = String, example = "unit")]
    kind: Kind,
    /// Its id.
    id: Uuid,
    /// Why it was found.
    why: WhyBody,
    /// The entry, as its own address shows it.
    #[schema(value_type = Object)]
    entry: Rendered,
}

/// Why an entry was found.
#[derive(Serialize, ToSchema)]
pub struct WhyBody {
    /// What the text that matched is: `name`, `acronym`, `former_name`, `former_acronym`, `title`,
    /// `number`, `keyword` or `description`.
    #[schema(example = "former_acronym")]
    field: &'static str,
    /// The text that matched.
    #[schema(example = "DPI")]
    text: String,
    /// The language of that text, where it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "en")]
    language: Option<Language>,
    /// How well: `whole` (the whole text), `words`, `part` (a beginning), `typo` (one letter away),
    /// `loose` (words joined, split or left out).
    #[schema(example = "whole")]
    how: &'static str,
    /// The last day of a former name or acronym.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "2018-12-31")]
    until: Option<NaiveDate>,
}

impl WhyBody {
    fn of(hit: &Hit<'_>) -> Self {
        let field = match hit.matched.field {
            Field::Name => "name",
            Field::Acronym => "acronym",
            Field::FormerName => "former_name",
            Field::FormerAcronym => "former_acronym",
            Field::Title => "title",
            Field::Number => "number",
            Field::Keyword => "keyword",
            Field::Body => "description",
        };
        let how = match hit.matched.how {
            How::Whole => "whole",
            How::Words => "words",
            How::Part => "part",
            How::Typo => "typo",
            How::Loose => "loose",
        };
        let text = hit.matched.text;
        Self { field, text: text.to_owned(), language: hit.matched.language, how, until: until(hit, text) }
    }
}

fn until(hit: &Hit<'_>, text: &str) -> Option<NaiveDate> {
    let former = match &hit.found {
        Found::Unit(entry) => &entry.value.former_names,
        Found::Organization(entry) => &entry.value.former_names,
        _ => return None,
    };
    let named = |former: &&FormerName| match hit.matched.field {
        Field::FormerAcronym => former.acronym.as_deref() == Some(text),
        Field::FormerName => former.name.iter().any(|name| name.iter().any(|(_, name)| name == text)),
        _ => false,
    };
    former.iter().find(named)?.until
}

/// Search the directory
///
/// Organizations, units, functions, people, missions and services, by name, acronym, former name,
/// former acronym, title, telephone number, mail address or what people ask for, in any of the six
/// languages whichever you read. Call it as the user types, a moment after the last letter: an answer
/// takes no longer than the way to it. Every word must fit, each at least as a beginning; one wrong letter
/// a word is forgiven.
///
/// `entry` is what the entry's own address shows, so that no second call is needed. `why` tells what
/// matched: DPI finds the Department of Global Communications, because that was its acronym until the end
/// of 2018. Nothing found is 200 with no items. 400 with a cursor: start again without it.
#[utoipa::path(
    tag = "directory",
    operation_id = "search_directory",
    params(
        ("q" = String, Query, description = "What to look for, at most 200 characters; the first 8 words count", example = "DPI"),
        ("kind" = Option<String>, Query, description = "Only one kind: `organization`, `unit`, `function`, `person`, `mission` or `service`"),
        ("duty_station" = Option<String>, Query, description = "Only entries at this duty station, such as NY"),
        ("limit" = Option<u16>, Query, description = "Entries a page, 1 to 200; 50 when left out", minimum = 1, maximum = 200),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before, or follow the `Link` header"),
        ("lang" = Option<String>, Query, description = "`ar`, `en`, `es`, `fr`, `ru` or `zh`; else by Accept-Language", example = "fr"),
        ("min_rev" = Option<String>, Query, description = "Wait up to 2 seconds for a revision, as `Sync-Rev` tells it", example = "directory=0"),
    ),
    responses((status = 200, description = "What was found, the best first", body = SearchPage,
        headers(("Link" = String, description = "`rel=\"next\"` when there is more"), ("ETag" = String, description = "For If-None-Match")))),
    security(("oauth2" = ["read"]))
)]
#[get("/v1/directory/search")]
pub async fn search_directory(
    req: HttpRequest,
    allowed: Allowed<Read>,
    published: Published,
    lang: Lang,
    state: web::Data<State>,
) -> Result<HttpResponse, ApiError> {
    let (reader, edition) = (allowed.reader(), &published.0);
    let listing = Listing::of(&req, edition, STREAMS, lang.0, reader);
    if let Some(kept) = listing.kept() {
        return Ok(kept);
    }
    let mut params = Params::of(&req)?;
    let query = params.require("q", |term| text::line(term, 200));
    let kind = params.get("kind", parse_kind);
    let station = duty_station(&mut params);
    let paging = params.paging()?;
    params.finish()?;
    let query = query.unwrap_or_default();
    let after = paging.after.map(score_and_id).transpose()?;
    let wanted = |found: &Found<'_>| is_of_kind(found, kind) && is_at(found, station.as_ref());
    let hits = edition.directory.search(&query, lang.0, reader, wanted, after, paging.limit + 1);
    let mut hits = hits.ok_or_else(|| ApiError::new(Code::InvalidCursor))?;
    let more = hits.len() > paging.limit;
    hits.truncate(paging.limit);
    let next = hits.last().filter(|_| more);
    let next = next.map(|hit| Paging::encode(req.path(), &Cursor { key: hit.score.to_string(), id: hit.id }));

    let kept = &state.kept;
    let body = |hit: &Hit<'_>| {
        let of = body_of(&hit.found, &edition.directory, reader, lang.0);
        let object = || Object::find(edition, hit.kind, hit.id, Rendering::new(reader, lang.0));
        let entry = kept.body(&of, object).map_err(|_| ApiError::new(Code::Internal))?;
        Ok(HitBody { kind: hit.kind, id: hit.id, why: WhyBody::of(hit), entry })
    };
    let items = hits.iter().map(body).collect::<Result<_, ApiError>>()?;
    Ok(listing.answer(next.as_deref(), || SearchPage { items, next_cursor: next.clone() }))
}

fn parse_kind(name: &str) -> Result<Kind, Broken> {
    let names = || KINDS.map(Kind::name).join(", ");
    let refused = || Broken::new(Rule::OneOf, message!("must be one of {values}", values = names()));
    Kind::from_name(name).filter(|kind| KINDS.contains(kind)).ok_or_else(refused)
}

fn score_and_id(cursor: Cursor) -> Result<(u32, Uuid), ApiError> {
    let score = cursor.key.parse().map_err(|_| ApiError::new(Code::InvalidCursor))?;
    Ok((score, cursor.id))
}

fn is_of_kind(found: &Found<'_>, kind: Option<Kind>) -> bool {
    let of = match found {
        Found::Organization(_) => Kind::Organization,
        Found::Unit(_) => Kind::Unit,
        Found::Function(_) => Kind::Function,
        Found::Mission(_) => Kind::Mission,
        Found::Person(_) => Kind::Person,
        Found::Service(_) => Kind::Service,
    };
    kind.is_none_or(|kind| kind == of)
}

fn is_at(found: &Found<'_>, station: Option<&DutyStation>) -> bool {
    let Some(station) = station else { return true };
    match found {
        Found::Organization(_) => false,
        Found::Unit(entry) => entry.value.duty_station.as_ref() == Some(station),
        Found::Function(entry) => entry.value.duty_station == *station,
        Found::Mission(entry) => entry.value.duty_station == *station,
        Found::Person(entry) => entry.value.duty_station.as_ref() == Some(station),
        Found::Service(entry) => entry.value.contact_points.iter().any(|point| point.duty_station == *station),
    }
}
