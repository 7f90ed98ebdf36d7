//! A phone's copy: everything at first, then what changed.

pub mod bases;
mod codings;
#[cfg(test)]
mod histories;
mod pages;
mod tables;
mod token;

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use actix_web::body::{BodySize, MessageBody};
use actix_web::http::header::{self, AcceptEncoding, ContentType, Header};
use actix_web::web::Bytes;
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder, get, web};
use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;
use uuid::Uuid;

use self::bases::Chunk;
pub use self::codings::Levels;
use self::pages::{Asked, Page, Part};
use self::tables::Table;
use self::token::{Phase, Streams, Token};
use crate::answers::wait_for_revisions;
use crate::frame::VARY;
use crate::identity::{Allowed, Read};
use crate::params::{Lang, Params, integer};
use crate::problem::{ApiError, Code};
use crate::state::State;
use domain::{Broken, Kind, Rule, Stream};
use edition::Edition;

/// Changes when the bodies in a copy take a shape that older clients cannot read.
const SCHEMA: u8 = 1;

/// How long `min_rev` and `wait` wait here.
const REVISION_WAIT: Duration = Duration::from_secs(25);

/// How long another process may be ahead of this one: longer than a standby that is late is waited for.
const LAG: Duration = Duration::from_secs(4);

/// And by how many revisions. What is further ahead is made up, or of another server.
const MOST: i64 = 10_000;

/// A body below this size is not sent compressed: it costs more than it saves.
const SMALLEST: usize = 1024;

/// What to put into the copy, what to take out of it, and the token for next time.
#[derive(Serialize, ToSchema)]
pub struct SyncBody<'a> {
    /// Objects that are new or have changed, each once, as they are now.
    pub put: Vec<PutBody>,
    /// Objects to forget: deleted, closed, withdrawn, or no longer for this audience.
    pub remove: Vec<RemoveBody>,
    /// Whether the copy is whole once this page is applied. Commit the copy and the token only then.
    pub complete: bool,
    /// Objects to put into the copy before those of `put`, by column. Only where `shape=columns` was asked for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tables: Vec<Table<'a>>,
    /// Send it next time as `?token=`. Opaque; bound to audience and language.
    #[schema(example = "AQEB…")]
    pub token: String,
}

/// An object to put into the copy.
#[derive(Serialize, ToSchema)]
pub struct PutBody {
    /// Its stream.
    #[schema(value_type = String, example = "directory")]
    pub stream: Stream,
    /// Its kind.
    #[schema(value_type = String, example = "unit")]
    pub kind: Kind,
    /// Its id.
    pub id: Uuid,
    /// The object, as its own address shows it; of an INF note without its chain, which follows from the
    /// symbols of the others.
    #[schema(value_type = crate::objects::Object)]
    pub object: Box<RawValue>,
}

/// An object to take out of the copy.
#[derive(Serialize, ToSchema)]
pub struct RemoveBody {
    /// Its kind.
    #[schema(value_type = String, example = "unit")]
    pub kind: Kind,
    /// Its id.
    pub id: Uuid,
}

/// Synchronise a copy
///
/// Keeps a phone's copy of everything, so that the app also works without a network. Call it when the app
/// starts, when it comes back to the foreground, and every few minutes while it is looked at.
///
/// Without `token`: everything that is published for you, in one language, and a token. With it: what
/// changed since, which is mostly nothing. Put every object of `put` in place of the one you have, forget
/// every id in `remove`, then keep `token`, in one transaction of your own and only when `complete` is
/// true; a reply that got lost can be asked for again. `Sync-Rev` tells which revisions the copy now has.
///
/// `complete` is false while there is more: apply the page beside the copy that is shown, and ask at once with
/// its token. A first copy of a large directory comes in several pages, and so does a large change. `shape=columns`
/// makes a first copy half as large: objects then also come in `tables`, which go into the copy before `put`.
///
/// 410 means that the copy cannot be continued: throw it away and start without a token; `Link` tells where.
/// `reason` says why: `expired` (away for more than 30 days), `rewound` (the server was restored from a backup),
/// `audience-changed` (other rights, or another language than the token's), `schema` (new shapes).
/// On any other error keep the copy and the token, and try again later.
/// `min_rev=notes=41` waits up to 25 seconds until that revision is there; `wait=25` until there is anything newer
/// than the token, and answers with nothing new when nothing came.
#[utoipa::path(
    tag = "sync",
    operation_id = "synchronise",
    params(
        ("token" = Option<String>, Query, description = "The token of the last reply"),
        ("lang" = Option<String>, Query, description = "`ar`, `en`, `es`, `fr`, `ru` or `zh`; else by Accept-Language", example = "fr"),
        ("shape" = Option<String>, Query, description = "`columns`: a first copy may come in `tables`; `rows`: everything comes in `put`", example = "columns"),
        ("streams" = Option<String>, Query, description = "Which of `bulletins`, `notes`, `costs` and `directory` the copy has, separated by commas; without it those of the token, or all. Of a stream that is added everything comes; what the copy has of one that is left out is yours to forget", example = "bulletins,notes"),
        ("min_rev" = Option<String>, Query, description = "Wait for revisions, as `Sync-Rev` tells them", example = "notes=0"),
        ("wait" = Option<i64>, Query, description = "Wait up to so many seconds, from 1 to 25, until there is anything newer than `token`", minimum = 1, maximum = 25, example = 25),
    ),
    responses(
        (status = 200, description = "What to change in the copy", body = SyncBody<'static>,
            headers(("Sync-Rev" = String, description = "The revision of each stream that the copy now has: `bulletins=3, costs=1, directory=12, notes=7`"))),
        (status = 410, description = "The copy cannot be continued: start again without a token", body = crate::problem::Problem<'static>, content_type = "application/problem+json",
            headers(("Link" = String, description = "Where to start again: `rel=\"start\"`"))),
    ),
    security(("oauth2" = ["read"]))
)]
#[get("/v1/sync")]
pub async fn synchronise(
    req: HttpRequest,
    allowed: Allowed<Read>,
    lang: Lang,
    mut params: Params,
    state: web::Data<State>,
) -> Result<HttpResponse, ApiError> {
    let token = params.get("token", |text| Ok(text.to_owned()));
    let by_column = params.get("shape", shape).unwrap_or(false);
    let streams = params.get("streams", streams);
    let wait = params.get("wait", |text| integer(text, 1, 25));
    params.finish()?;
    let decode = |text: &String| Token::decode(text).ok_or_else(|| ApiError::new(Code::InvalidSyncToken));
    let token = token.as_ref().map(decode).transpose()?;
    wait_for_revisions(&state, req.query_string(), REVISION_WAIT).await?;
    if let Some(token) = &token {
        wait_for_lag(&state, token).await;
        if let Some(seconds) = wait {
            wait_for_news(&state, token, Duration::from_secs(seconds.unsigned_abs())).await;
        }
    }
    if state.store.is_rebuilding() {
        return Err(ApiError::new(Code::Rebuilding).retry_after(1));
    }
    if !state.store.is_ready() {
        return Err(ApiError::new(Code::Unavailable));
    }
    let edition = state.store.edition();
    let base = by_column.then(|| state.bases.get(lang.0)).flatten();
    let asked = Asked { reader: allowed.reader(), language: lang.0, streams, token, by_column };
    let next = pages::next(&edition, base.as_deref(), asked, state.bases.tuning().page_bytes);
    let (part, token) = next.map_err(|error| start_again(&req, error))?;
    drop(edition);
    let revisions = token.streams.iter().map(|stream| format!("{stream}={}", token.position(stream).rev));
    let mut answer = HttpResponse::Ok();
    answer
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .insert_header((header::CONTENT_LANGUAGE, lang.0.tag()))
        .insert_header((header::VARY, VARY))
        .insert_header(("Sync-Rev", revisions.collect::<Vec<_>>().join(", ")));
    match part {
        Part::Page(page) => answer_page(answer, page, &token),
        Part::Chunk(chunk) => answer_chunk(&req, answer, &chunk, &token),
    }
}

fn shape(text: &str) -> Result<bool, Broken> {
    match text {
        "rows" => Ok(false),
        "columns" => Ok(true),
        _ => Err(Broken::new(Rule::OneOf, message!("must be one of {values}", values = "rows, columns"))),
    }
}

fn streams(text: &str) -> Result<Streams, Broken> {
    let published = |name: &str| Stream::from_name(name).filter(|stream| Stream::PUBLISHED.contains(stream));
    let named: Option<Vec<Stream>> = text.split(',').map(published).collect();
    let refused = || {
        Broken::new(
            Rule::OneOf,
            message!("must be one of {values}", values = Stream::PUBLISHED.map(Stream::name).join(", ")),
        )
    };
    named.map(Streams::of).ok_or_else(refused)
}

/// Waits until this process has what the one had that gave the token. One that never will is of another history.
async fn wait_for_lag(state: &State, token: &Token) {
    let ahead = |edition: &Edition, stream| {
        let here = edition.position(stream).map_or(0, |position| position.rev);
        token.position(stream).rev.saturating_sub(here)
    };
    let reached = |edition: &Edition| token.streams.iter().all(|stream| !(1..=MOST).contains(&ahead(edition, stream)));
    let _ = tokio::time::timeout(LAG, state.store.wait_until(|store| reached(&store.edition()))).await;
}

/// Waits until there is anything newer than a copy that is whole.
async fn wait_for_news(state: &State, token: &Token, at_most: Duration) {
    let is_news = |edition: &Edition| {
        let has_moved = |stream| edition.position(stream) != Some(token.position(stream));
        token.phase != Phase::Changes || token.streams.iter().any(has_moved)
    };
    let _ = tokio::time::timeout(at_most, state.store.wait_until(|store| is_news(&store.edition()))).await;
}

/// Adds to a 410 where to start again: here, without what belongs to the old copy.
fn start_again(req: &HttpRequest, error: ApiError) -> ApiError {
    if error.code() != Code::SyncGone {
        return error;
    }
    let of_the_copy = ["token", "min_rev", "wait"];
    let is_kept = |pair: &&str| !of_the_copy.contains(&pair.split('=').next().unwrap_or_default()) && !pair.is_empty();
    let query: Vec<&str> = req.query_string().split('&').filter(is_kept).collect();
    let mark = if query.is_empty() { "" } else { "?" };
    let link = format!("<{}{mark}{}>; rel=\"start\"", req.path(), query.join("&"));
    match header::HeaderValue::from_str(&link) {
        Ok(link) => error.header(header::LINK, link),
        Err(_) => error,
    }
}

fn answer_page(mut answer: HttpResponseBuilder, page: Page, token: &Token) -> Result<HttpResponse, ApiError> {
    let Page { tables, put, remove, complete } = page;
    let tables = tables.iter().map(|(kind, objects)| Table::new(*kind, objects)).collect::<Result<_, _>>();
    let broken = |cause| {
        tracing::error!(%cause, "an object that is no JSON");
        ApiError::new(Code::Internal)
    };
    let body = SyncBody { put, remove, complete, tables: tables.map_err(broken)?, token: token.encode() };
    Ok(answer.json(body))
}

fn answer_chunk(
    req: &HttpRequest,
    mut answer: HttpResponseBuilder,
    chunk: &Chunk,
    token: &Token,
) -> Result<HttpResponse, ApiError> {
    answer.insert_header(ContentType::json());
    let accepted = AcceptEncoding::parse(req).unwrap_or_else(|_| AcceptEncoding(Vec::new()));
    let end = format!("{}\"}}", token.encode());
    let chosen = codings::choose(&accepted, chunk.codings().map(|beginning| beginning.coding()));
    let chosen = chunk.codings().find(|beginning| Some(beginning.coding()) == chosen);
    match chosen.filter(|beginning| beginning.bytes().len() > SMALLEST) {
        Some(beginning) => {
            answer.insert_header((header::CONTENT_ENCODING, beginning.coding().as_str()));
            Ok(answer.body(Spliced([beginning.bytes(), beginning.end(end.as_bytes()).into()])))
        }
        None => {
            let mut text = chunk.text().map_err(|cause| {
                tracing::error!(%cause, "a chunk that cannot be read");
                ApiError::new(Code::Internal)
            })?;
            text.extend(end.as_bytes());
            Ok(answer.body(text))
        }
    }
}

/// A body in two pieces, of which the first is shared with other answers.
struct Spliced([Bytes; 2]);

impl MessageBody for Spliced {
    type Error = std::convert::Infallible;

    fn size(&self) -> BodySize {
        BodySize::Sized(self.0.iter().map(|piece| piece.len() as u64).sum())
    }

    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Bytes, Self::Error>>> {
        let next = self.0.iter_mut().find(|piece| !piece.is_empty());
        Poll::Ready(next.map(|piece| Ok(std::mem::take(piece))))
    }
}
