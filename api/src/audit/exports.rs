//! The audit's export: entries in the order of their numbers, a page of the database at a time.

use std::io;
use std::time::{Duration, Instant};

use actix_web::http::header::{self, HeaderValue};
use actix_web::{HttpRequest, HttpResponse, get, web};
use futures_util::stream;
use serde_json::{Map, Value};
use uuid::Uuid;

use super::{AuditEntry, FILTERS, filter};
use crate::exports::{Format, attachment, head, set_vary, write_record};
use crate::identity::{Allowed, ReadAudit};
use crate::imports::csv::{flatten, guard};
use crate::params::{Params, integer};
use crate::problem::{ApiError, Code};
use crate::state::State;
use persistence::audit::{self, Filter};

/// Entries that are read at a time.
const PAGE: i64 = 200;

/// How long a page is tried for: a busy moment between two pages is no reason to break off what has begun.
const PATIENCE: Duration = Duration::from_secs(5);

/// Before a page is tried again.
const PAUSE: Duration = Duration::from_millis(100);

/// How long an export may take: no longer is it trusted that its reader may still read.
const LONGEST: Duration = Duration::from_secs(600);

/// The columns of its CSV. The last two are JSON.
const COLUMNS: [&str; 17] = [
    "id",
    "at",
    "actor.kind",
    "actor.id",
    "actor.name",
    "client",
    "session",
    "request_id",
    "database_role",
    "op",
    "kind",
    "object",
    "part",
    "subject",
    "mission",
    "before",
    "after",
];

/// An export that is under way. Between two pages it holds no connection.
struct Writing {
    state: web::Data<State>,
    filter: Filter,
    is_csv: bool,
    start: Option<Vec<u8>>,
    after: i64,
    settled: i64,
    ended: bool,
    deadline: Instant,
}

impl Writing {
    async fn piece(&mut self) -> io::Result<Option<web::Bytes>> {
        let mut piece = self.start.take().unwrap_or_default();
        if !self.ended {
            if Instant::now() > self.deadline {
                return Err(io::Error::new(io::ErrorKind::TimedOut, "the export took too long"));
            }
            let (filter, after, settled) = (self.filter, self.after, self.settled);
            let patience = Instant::now() + PATIENCE;
            let (entries, names) = loop {
                let read = async move |conn: &mut persistence::Conn| {
                    let entries = audit::follow(conn, filter, after, settled, PAGE).await?;
                    let names = audit::names(conn, &entries).await?;
                    Ok::<_, persistence::Error>((entries, names))
                };
                match self.state.db.read(read).await {
                    Err(persistence::Error::Unavailable(_)) if Instant::now() < patience => {
                        tokio::time::sleep(PAUSE).await;
                    }
                    read => break read.map_err(io::Error::other)?,
                }
            };
            self.after = entries.last().map_or(self.after, |last| last.n);
            self.ended = i64::try_from(entries.len()).is_ok_and(|read| read < PAGE);
            for entry in entries {
                self.write(&mut piece, &AuditEntry::of(entry, &names))?;
            }
        }
        Ok((!piece.is_empty()).then(|| piece.into()))
    }

    fn write(&self, piece: &mut Vec<u8>, entry: &AuditEntry) -> io::Result<()> {
        if self.is_csv {
            let cells = cells(entry)?;
            return write_record(piece, cells.iter().map(String::as_str));
        }
        serde_json::to_writer(&mut *piece, entry)?;
        piece.push(b'\n');
        Ok(())
    }
}

fn cells(entry: &AuditEntry) -> io::Result<Vec<String>> {
    let mut row = serde_json::to_value(entry)?;
    if let Value::Object(fields) = &mut row {
        for images in ["before", "after"] {
            if let Some(image) = fields.get_mut(images) {
                *image = image.to_string().into();
            }
        }
    }
    let cells = flatten(&row);
    Ok(COLUMNS.iter().map(|column| cells.get(*column).map_or_else(String::new, |cell| guard(cell))).collect())
}

/// Export the audit
///
/// Entries as a file: NDJSON, or CSV with `format=csv` or `Accept: text/csv`, the oldest first, narrowed by the
/// same parameters as the list. For who keeps the audit elsewhere, too: ask again with `after`, the `id` of the
/// last entry you have, and nothing is missed. For this, entries that one with a lower number could still come
/// before, because a change is under way, are left for the next time. An export that takes longer than ten minutes
/// breaks off: go on in the same way.
///
/// In CSV `before` and `after` are JSON, and a cell that a spreadsheet would take for a formula begins with an
/// apostrophe. Each export is itself noted in the audit, as `export`, with what was asked for.
#[utoipa::path(
    tag = "audit",
    operation_id = "export_audit",
    params(
        ("format" = Option<String>, Query, description = "`ndjson` or `csv`; else by `Accept`, else NDJSON", example = "csv"),
        ("bom" = Option<bool>, Query, description = "Begin CSV with a byte order mark"),
        ("after" = Option<i64>, Query, description = "Only entries of a greater `id`", minimum = 0),
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
    ),
    responses(
        (status = 200, description = "The entries", content((AuditEntry = "application/x-ndjson"), (String = "text/csv")),
            headers(("Content-Disposition" = String, description = "`attachment` with a file's name"))),
    ),
    security(("oauth2" = ["audit:read"]))
)]
#[get("/v1/exports/audit")]
pub async fn export_audit(
    req: HttpRequest,
    allowed: Allowed<ReadAudit>,
    mut params: Params,
    state: web::Data<State>,
) -> Result<HttpResponse, ApiError> {
    let format = Format::of(&req, &mut params)?;
    let after = params.get("after", |text| integer(text, 0, i64::MAX)).unwrap_or(0);
    let filter = filter(&mut params);
    let asked = FILTERS.into_iter().chain(["after", "format"]);
    let asked = asked.filter_map(|name| Some((name.to_owned(), params.text(name)?.into())));
    let asked = Value::Object(Map::from_iter(asked));
    params.finish()?;
    let act = allowed.act();
    let request = act.request.unwrap_or_else(Uuid::now_v7);
    let note = async move |conn: &mut persistence::Conn| audit::note_export(conn, request, &asked).await;
    state.db.acting(act).write::<_, persistence::Error, _>(note).await?;
    let settled = state.db.read(async |conn| audit::settled(conn).await).await?;
    let is_csv = matches!(format, Format::Csv { .. });
    let start = head(&format, COLUMNS.into_iter()).map_err(|_| ApiError::new(Code::Internal))?;
    let deadline = Instant::now() + LONGEST;
    let writing = Writing { state, filter, is_csv, start: Some(start), after, settled, ended: false, deadline };
    let pieces = stream::try_unfold(writing, |mut writing| async move {
        Ok::<_, io::Error>(writing.piece().await?.map(|piece| (piece, writing)))
    });
    let mut response = attachment(&format, "audit", pieces);
    set_vary(&mut response);
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}
