//! INF notes: the list, a note with its chain, the import.

pub mod bodies;
pub mod imports;

use actix_web::{HttpRequest, HttpResponse, get, post, web};
use serde::Serialize;
use utoipa::ToSchema;

use crate::answers::{Listing, Published, Tag, answer_kept};
use crate::identity::{Allowed, ImportNotes, Public};
use crate::imports::{ImportReport, receive};
use crate::kept::{BodyOf, Shape};
use crate::lists::list;
use crate::params::{Lang, Params, integer, path_id};
use crate::problem::{ApiError, Code};
use crate::rendering::Rendering;
use crate::state::State;
use bodies::{ChainBody, NoteBody, NoteInChainBody, NoteSummaryBody};
use domain::inf_notes::{Citation, Note};
use domain::{Broken, Stream, text};
use edition::{Entry, Page};
use imports::NotesImport;

const STREAMS: &[Stream] = &[Stream::Notes];

/// A page of INF notes.
#[derive(Serialize, ToSchema)]
pub struct NotePage {
    /// The notes: the newest symbol first, or with `q` the best match first.
    pub items: Vec<NoteSummaryBody>,
    /// The cursor of the next page; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

/// List or search INF notes
///
/// The information notes that the General Assembly's sessions open with, the newest first. Call it with
/// `session` to show what a session's delegates must know, or with `q` to search. Notes for everybody need
/// no token; send one to see those for delegates, too.
///
/// `symbol` asks for exactly one document, however it is written: `a/inf/76/4`, `A / INF / 76 / 4` and
/// `A/INF/76/4*` all mean A/INF/76/4, and none of its revisions. Escape it as any query value. `q` finds
/// words in titles, headings and texts of all languages, forgives a misspelt letter, and says in `why`
/// why each note was found. `superseded_by` tells when there is a newer text; `/v1/inf-notes/{id}` has
/// the sections and the whole chain.
#[utoipa::path(
    tag = "INF notes",
    operation_id = "list_inf_notes",
    params(
        ("symbol" = Option<String>, Query, description = "Only the note of this symbol", example = "A/INF/76/4"),
        ("session" = Option<u16>, Query, description = "Only notes of this session of the General Assembly", minimum = 1, maximum = 999, example = 76),
        ("q" = Option<String>, Query, description = "Words to be found, at most 200 characters; the best match stands first", example = "media access"),
        ("limit" = Option<u16>, Query, description = "Notes a page, 1 to 200; 50 when left out", minimum = 1, maximum = 200),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before, or follow the `Link` header"),
        ("lang" = Option<String>, Query, description = "`ar`, `en`, `es`, `fr`, `ru` or `zh`; else by Accept-Language", example = "fr"),
        ("min_rev" = Option<String>, Query, description = "Wait up to 2 seconds for a revision, as `Sync-Rev` tells it", example = "notes=0"),
    ),
    responses((status = 200, description = "A page", body = NotePage,
        headers(("Link" = String, description = "`rel=\"next\"` when there is more"), ("ETag" = String, description = "For If-None-Match")))),
    security((), ("oauth2" = ["read"]))
)]
#[get("/v1/inf-notes")]
pub async fn list_inf_notes(
    req: HttpRequest,
    allowed: Allowed<Public>,
    published: Published,
    lang: Lang,
) -> Result<HttpResponse, ApiError> {
    let (reader, notes) = (allowed.reader(), &published.0.inf_notes);
    let listing = Listing::of(&req, &published.0, STREAMS, lang.0, reader);
    if let Some(kept) = listing.kept() {
        return Ok(kept);
    }
    let mut params = Params::of(&req)?;
    let paging = params.paging()?;
    let symbol = params.get("symbol", |text| Citation::parse(text).map_err(Broken::from)).map(|cited| cited.symbol);
    let session = params.get("session", |text| integer(text, 1, 999));
    let q = params.get("q", |term| text::line(term, 200));
    params.finish()?;
    let wanted = |note: &Note| {
        symbol.is_none_or(|symbol| note.content.symbol == symbol)
            && session.is_none_or(|session| i64::from(note.content.symbol.session()) == session)
    };
    let (page, matches) = match q {
        Some(q) => {
            let found = notes.search(&q, reader, lang.0, paging.after.as_ref(), paging.limit, wanted);
            let found = found.ok_or_else(|| ApiError::new(Code::InvalidCursor))?;
            let (entries, matches): (Vec<_>, Vec<_>) = found.hits.into_iter().unzip();
            (Page { entries, next: found.next }, matches)
        }
        None => (notes.notes().page(reader, lang.0, paging.after.as_ref(), paging.limit, wanted), Vec::new()),
    };
    let body = |page: Page<'_, Note>, next_cursor| {
        let matches = matches.into_iter().map(Some).chain(std::iter::repeat(None));
        let item = |(entry, found): (&&Entry<Note>, _)| {
            let chain = notes.chain(entry.value.content.symbol, reader);
            NoteSummaryBody::of(&entry.value, &chain, found, Rendering::new(reader, lang.0))
        };
        NotePage { items: page.entries.iter().zip(matches).map(item).collect(), next_cursor }
    };
    Ok(list(&req, listing, page, body))
}

/// Get an INF note
///
/// Call it when the user opens a note. One note with its sections in one language, the moment at which each of its language versions
/// appeared and how long after the first, and the chain it stands in: base, revisions, addenda and
/// corrigenda in the order in which they are read, what replaces what, and which text stands now. The
/// chain names only what you may see. Where the language asked for is missing, `fallbacks` says which
/// one each field is in instead.
#[utoipa::path(
    tag = "INF notes",
    operation_id = "get_inf_note",
    params(
        ("id" = Uuid, Path, description = "The note's id"),
        ("lang" = Option<String>, Query, description = "`ar`, `en`, `es`, `fr`, `ru` or `zh`; else by Accept-Language", example = "fr"),
        ("min_rev" = Option<String>, Query, description = "Wait up to 2 seconds for a revision, as `Sync-Rev` tells it", example = "notes=0"),
    ),
    responses((status = 200, description = "The note", body = NoteInChainBody,
        headers(("ETag" = String, description = "For If-None-Match")))),
    security((), ("oauth2" = ["read"]))
)]
#[get("/v1/inf-notes/{id}")]
pub async fn get_inf_note(
    req: HttpRequest,
    allowed: Allowed<Public>,
    published: Published,
    lang: Lang,
    params: Params,
    path: web::Path<String>,
) -> Result<HttpResponse, ApiError> {
    params.finish()?;
    let (id, reader, notes) = (path_id(&path)?, allowed.reader(), &published.0.inf_notes);
    let entry = notes.notes().get(id, reader).ok_or_else(|| ApiError::new(Code::NotFound))?;
    let chain = notes.chain(entry.value.content.symbol, reader);
    let tag = Tag(entry.tag).and(&chain).0;
    let of = BodyOf { shape: Shape::NoteInChain, id, tag, language: lang.0 };
    Ok(answer_kept(&req, &of, reader, || NoteInChainBody {
        note: NoteBody::of(&entry.value, Rendering::new(reader, lang.0)),
        chain: ChainBody::from(&chain),
    }))
}

/// Import INF notes
///
/// For the documents office's script; apps do not call it. The body is NDJSON: one note a line, with all
/// its language versions. All rows or none: 422 reports each bad one with line, field and rule. Rows are
/// found again by source and key, so that ids survive; the same file again changes nothing, so after a
/// broken connection or a 503 simply send it again. `Sync-Rev` names the revision written.
///
/// A note is published at once, or by the database's clock when
/// `embargo_until` is over, and until then no reader sees a trace of it; with `draft` it stays unseen.
/// What is published cannot be a draft or under an embargo again: withdraw it with `mode=replace` and a
/// file without it, which closes all of the source's notes that are not in the file (more than 10 % of
/// them only with `force=true`).
#[utoipa::path(
    tag = "imports",
    operation_id = "import_inf_notes",
    params(
        ("source" = String, Query, description = "The name of the system the rows come from: a-z, 0-9 and -", example = "dgacm"),
        ("dry_run" = Option<bool>, Query, description = "Do it all and keep nothing"),
        ("mode" = Option<String>, Query, description = "`merge` (when left out) or `replace`", example = "merge"),
        ("force" = Option<bool>, Query, description = "Close more than 10 % of the source's notes if need be"),
        ("Prefer" = Option<String>, Header, description = "`respond-async`: answer 202 as soon as the file has arrived, and go on without the request (RFC 7240)"),
    ),
    request_body(content = imports::InfNoteRow, content_type = "application/x-ndjson",
        description = "One JSON object a line; at most 1 MiB a line and 32 MiB in all",
        example = json!({"kind": "inf_note", "key": "A/INF/81/4", "audience": "public", "symbol": "A/INF/81/4", "embargo_until": "2026-08-03T09:00:00-04:00", "original_language": "en", "texts": {"en": {"title": "Arrangements for the high-level meetings", "confidence": "official", "sections": [{"number": "I", "title": "Introduction", "page": 3}]}}, "provenance": {"confidence": "official", "citation": "https://undocs.org/A/INF/81/4"}})),
    responses(
        (status = 200, description = "What was done", body = ImportReport,
            headers(("Sync-Rev" = String, description = "The revision written, `notes=41`; absent when no reader sees a change"), ("Import-Run" = String, description = "The run's id, for `/v1/imports/{id}`; also on refusals"))),
        (status = 202, description = "The file has arrived, and the import goes on", body = crate::imports::runs::ImportRun,
            headers(("Location" = String, description = "Where to see how far it is"))),
        (status = 409, description = "`mode=replace` would close too many notes", body = crate::problem::Problem<'static>, content_type = "application/problem+json"),
    ),
    security(("oauth2" = ["inf_notes:import"]))
)]
#[post("/v1/imports/inf-notes")]
pub async fn import_inf_notes(
    req: HttpRequest,
    allowed: Allowed<ImportNotes>,
    params: Params,
    body: web::Payload,
    state: web::Data<State>,
) -> Result<HttpResponse, ApiError> {
    receive::<NotesImport, _>(&req, &allowed, params, body, &state).await
}
