//! Imports: a file of rows in, all of them or none, every bad row named.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fs::File;
use std::future::Future;
use std::io::{BufRead, BufReader, Seek, Write};
use std::time::Duration;

use actix_web::http::header::{self, HeaderValue};
use actix_web::{HttpRequest, HttpResponse, web};
use serde::Serialize;
use serde::de::DeserializeOwned;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::lookalikes::{self, ImportWarning};
use crate::params::{Params, boolean};
use crate::payload;
use crate::problem::{ApiError, Code, FieldFault};
use crate::state::State;
use domain::{Audience, Broken, Fault, Faults, Key, Kind, MissionId, Reference, Rule, Source, Stream};
use persistence::imports::{Imported, Keys};
use persistence::{Conn, Written, imports};

/// How many faults an answer lists.
const LISTED_FAULTS: usize = 100;

/// After so many faults a file is not looked at any further.
const MOST_FAULTS: u64 = 10_000;

/// The longest line, in bytes.
const MAX_LINE: u64 = 1024 * 1024;

/// How many rows are saved by one statement.
const BATCH: usize = 500;

/// How long a file may take to arrive.
const SPOOL_WAIT: Duration = Duration::from_secs(300);

/// How many imports have a connection at a time; requests need the others.
pub const TURNS: usize = 2;

/// How long an import waits for its turn.
const TURN_WAIT: Duration = Duration::from_secs(2);

/// How much of a source `mode=replace` closes without being forced, in percent.
const MOST_CLOSED_PERCENT: i64 = 10;

/// A feature's import.
pub trait Import: 'static {
    /// The stream its rows are published in.
    const STREAM: Stream;
    /// The kinds its rows may have.
    const KINDS: &'static [Kind];
    /// The kinds its rows may refer to.
    const REFERENCES: &'static [Kind];
    /// What a line stands for.
    type Value: Send + 'static;

    /// What a line of this kind stands for, or every rule it breaks. Lines are read by [`from_json`].
    fn parse(kind: Kind, line: &[u8], names: &Names<'_>) -> Result<Self::Value, Faults>;

    /// What rows, each of them sound, contradict in what is stored and must not be saved for.
    fn refusals(
        conn: &mut Conn,
        rows: &[Imported<Self::Value>],
    ) -> impl Future<Output = Result<Vec<Contradiction>, persistence::Error>> + Send {
        let _ = (conn, rows);
        async { Ok(Vec::new()) }
    }

    /// Saves rows; returns the ids of those that this changed.
    fn save(
        conn: &mut Conn,
        rows: Vec<Imported<Self::Value>>,
    ) -> impl Future<Output = Result<BTreeSet<Uuid>, persistence::Error>> + Send;

    /// What the saved rows contradict, among themselves or with others; looked at once, at the end.
    fn contradictions(conn: &mut Conn) -> impl Future<Output = Result<Vec<Contradiction>, persistence::Error>> + Send;
}

/// A rule that a saved row breaks together with others.
#[derive(PartialEq, Eq, Hash)]
pub struct Contradiction {
    /// The row's kind.
    pub kind: Kind,
    /// Its source.
    pub source: String,
    /// Its key there.
    pub key: String,
    /// A JSON pointer to the field.
    pub pointer: String,
    /// The rule.
    pub broken: Broken,
}

/// The names a row may use for itself and for others.
pub struct Names<'a> {
    source: &'a Source,
    keys: &'a Keys,
    own: Uuid,
}

impl Names<'_> {
    /// The row's own id.
    pub fn id(&self) -> Uuid {
        self.own
    }

    /// The id of the row of `kind` that `text` names: `key` in this source, or `source:key`.
    pub fn resolve(&self, kind: Kind, text: &str) -> Result<Uuid, Broken> {
        let reference = Reference::parse(text)?;
        let source = reference.source.as_ref().unwrap_or(self.source);
        self.keys.find(kind, source, &reference.key).ok_or_else(|| {
            Broken::new(Rule::Reference, format!("there is no {} of this key, in the file or before it", kind.name()))
        })
    }

    /// The audience that a row's `audience` means; delegates where it is left out.
    pub fn audience(&self, body: Option<&AudienceBody>) -> Result<Audience, Faults> {
        let mut faults = Faults::new();
        let audience = match body {
            None => Some(Audience::Delegates),
            Some(AudienceBody::Word(word)) if word.starts_with("missions:") => {
                faults.add("", Broken::new(Rule::Structure, "name missions as {\"missions\": [<key>, …]}"));
                None
            }
            Some(AudienceBody::Word(word)) => faults.check("", word.parse()),
            Some(AudienceBody::Named { missions }) => {
                if missions.is_empty() {
                    faults.add("/missions", Broken::new(Rule::Required, "must name at least one mission"));
                }
                let resolve = |(i, key): (usize, &String)| {
                    faults.check(&format!("/missions/{i}"), self.resolve(Kind::Mission, key)).map(MissionId)
                };
                Some(Audience::Missions(missions.iter().enumerate().filter_map(resolve).collect()))
            }
        };
        faults.finish(audience)
    }
}

/// Who may see a row: `public`, `delegates` (also when left out), `secretariat`, or named missions.
#[derive(Debug, serde::Deserialize, ToSchema)]
#[serde(untagged, deny_unknown_fields)]
pub enum AudienceBody {
    /// `public`, `delegates` or `secretariat`.
    Word(String),
    /// Missions, by their keys.
    Named {
        /// Keys of missions, `key` or `source:key`.
        missions: Vec<String>,
    },
}

/// What an import did, or with `dry_run` would have done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ImportReport {
    /// The source of the rows.
    #[schema(example = "hr")]
    pub source: String,
    /// Whether nothing was kept.
    pub dry_run: bool,
    /// Rows in the file.
    #[schema(example = 816)]
    pub rows: u64,
    /// Rows that were not there before.
    #[schema(example = 3)]
    pub inserted: u64,
    /// Rows that were there and differ now.
    #[schema(example = 5)]
    pub changed: u64,
    /// Rows that were there already, the same.
    #[schema(example = 808)]
    pub unchanged: u64,
    /// Rows of this source that were not in the file and were closed (`mode=replace`).
    #[schema(example = 0)]
    pub closed: u64,
    /// What to look at again in rows that were taken; at most 100, left out when there is nothing.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<ImportWarning>,
}

/// How an import was asked for.
#[derive(Debug, Clone)]
pub struct Options {
    /// The source of the rows.
    pub source: Source,
    /// Do it all and keep nothing.
    pub dry_run: bool,
    /// Close the source's rows that are not in the file.
    pub replace: bool,
    /// Also when that closes more than 10 % of them.
    pub force: bool,
}

impl Options {
    fn parse(params: &mut Params) -> Option<Self> {
        let source = params.require("source", Source::parse);
        let dry_run = params.get("dry_run", boolean).unwrap_or(false);
        let force = params.get("force", boolean).unwrap_or(false);
        let replace = params.get("mode", |mode| match mode {
            "merge" => Ok(false),
            "replace" => Ok(true),
            _ => Err(Broken::new(Rule::OneOf, "must be merge or replace")),
        });
        Some(Self { source: source?, dry_run, replace: replace.unwrap_or(false), force })
    }
}

/// Answers an import request of the feature `I`.
pub async fn receive<I: Import>(
    req: &HttpRequest,
    mut params: Params,
    body: web::Payload,
    state: &State,
) -> Result<HttpResponse, ApiError> {
    let options = Options::parse(&mut params);
    params.finish()?;
    let options = options.ok_or_else(|| ApiError::new(Code::Internal))?;
    check_media_type(req)?;
    let spooled = tokio::time::timeout(SPOOL_WAIT, spool(body, state.config.import_limit)).await;
    let file = spooled.map_err(|_| ApiError::new(Code::Timeout))??;
    let done = import::<I>(state, file, options).await?;
    let mut response = HttpResponse::Ok().json(done.value);
    let revisions: Vec<String> = done
        .revisions
        .iter()
        .filter(|(stream, _)| Stream::PUBLISHED.contains(stream))
        .map(|(stream, rev)| format!("{stream}={rev}"))
        .collect();
    if let Some(value) = HeaderValue::from_str(&revisions.join(", ")).ok().filter(|_| !revisions.is_empty()) {
        response.headers_mut().insert(header::HeaderName::from_static("sync-rev"), value);
    }
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}

fn check_media_type(req: &HttpRequest) -> Result<(), ApiError> {
    let header = |name| req.headers().get(name).and_then(|value| value.to_str().ok());
    let media_type = header(header::CONTENT_TYPE).unwrap_or_default().split(';').next().unwrap_or_default().trim();
    let accepted = ["application/x-ndjson", "application/ndjson", "application/jsonl"];
    match accepted.iter().any(|a| media_type.eq_ignore_ascii_case(a)) && payload::is_plain(req) {
        true => Ok(()),
        false => Err(ApiError::new(Code::UnsupportedMediaType)
            .detail("Send application/x-ndjson, one JSON object a line, in UTF-8 and without a content coding")),
    }
}

/// Writes the body to a file of its own before anything is looked at or any transaction opens.
async fn spool(mut body: web::Payload, limit: u64) -> Result<File, ApiError> {
    let full = |cause: std::io::Error| {
        tracing::error!(%cause, "an import could not be spooled");
        ApiError::new(Code::Unavailable)
    };
    let mut file = tempfile::tempfile().map_err(full)?;
    let mut size = 0u64;
    while let Some(chunk) = payload::next(&mut body).await? {
        size += chunk.len() as u64;
        if size > limit {
            return Err(ApiError::new(Code::TooLarge).detail(format!("An import has at most {limit} bytes")));
        }
        file = web::block(move || file.write_all(&chunk).map(|()| file))
            .await
            .map_err(|_| ApiError::new(Code::Internal))?
            .map_err(full)?;
    }
    Ok(file)
}

/// Why a transaction was rolled back.
enum Ended {
    Refused(ApiError),
    Rehearsed(ImportReport),
}

impl From<persistence::Error> for Ended {
    fn from(error: persistence::Error) -> Self {
        Self::Refused(error.into())
    }
}

/// Imports a file: all of it or nothing. Where the database falls silent, the same file again will tell.
pub async fn import<I: Import>(
    state: &State,
    mut file: File,
    options: Options,
) -> Result<Written<ImportReport>, ApiError> {
    let (file, scan) = web::block(move || scan::<I>(&mut file).map(|scan| (file, scan)))
        .await
        .map_err(|_| ApiError::new(Code::Internal))??;
    let turn = tokio::time::timeout(TURN_WAIT, state.import_turns.acquire()).await;
    let Ok(Ok(_turn)) = turn else { return Err(ApiError::new(Code::Unavailable).retry_after(5)) };
    let outcome = tokio::select! {
        outcome = state.db.write(async move |conn| run::<I>(conn, file, scan, options).await) => outcome,
        () = state.store.silence() => return Err(ApiError::new(Code::Unavailable)),
    };
    match outcome {
        Ok(done) => Ok(done),
        Err(Ended::Rehearsed(report)) => Ok(Written { value: report, revisions: Vec::new() }),
        Err(Ended::Refused(error)) => Err(error),
    }
}

/// What a first look at the file finds: whose rows it has.
struct Scan {
    rows: u64,
    heads: Vec<(Kind, Key)>,
    faults: RowFaults,
    warnings: Vec<ImportWarning>,
}

#[derive(Default)]
struct RowFaults {
    listed: Vec<FieldFault>,
    count: u64,
    lines: BTreeSet<u64>,
}

impl RowFaults {
    fn add(&mut self, line: Option<u64>, fault: Fault) {
        self.count += 1;
        self.lines.extend(line);
        if self.listed.len() < LISTED_FAULTS {
            let Fault { pointer, rule, detail } = fault;
            self.listed.push(FieldFault { pointer: Some(pointer), parameter: None, line, rule: rule.code(), detail });
        }
    }

    /// Ends the look at a file that is not worth a longer one.
    fn stop_at_most(&mut self) -> Result<(), ApiError> {
        match self.count > MOST_FAULTS {
            true => Err(std::mem::take(self).into_error()),
            false => Ok(()),
        }
    }

    fn into_error(self) -> ApiError {
        let mut listed = self.listed;
        listed.sort_by_key(|fault| fault.line);
        ApiError::rows(listed, self.count)
    }
}

#[derive(serde::Deserialize)]
struct Head {
    kind: Option<String>,
    key: Option<String>,
}

fn scan<I: Import>(file: &mut File) -> Result<Scan, ApiError> {
    let mut scan = Scan { rows: 0, heads: Vec::new(), faults: RowFaults::default(), warnings: Vec::new() };
    let mut seen: HashSet<(Kind, Key)> = HashSet::new();
    for_each_line(file, |number, line| {
        scan.rows += 1;
        lookalikes::look(number, line, &mut scan.warnings);
        let head = std::str::from_utf8(line)
            .map_err(|_| Fault::new("", Rule::Format, "must be UTF-8"))
            .and_then(|text| from_json::<Head>(text.as_bytes()).map_err(first_fault))
            .and_then(|head| head_of::<I>(&head));
        match head {
            Ok(head) if !seen.insert(head.clone()) => {
                scan.faults
                    .add(Some(number), Fault::new("/key", Rule::Duplicate, "is the key of an earlier line, too"));
            }
            Ok(head) => scan.heads.push(head),
            Err(fault) => scan.faults.add(Some(number), fault),
        }
        scan.faults.stop_at_most()
    })?;
    if scan.rows == 0 {
        scan.faults.add(None, Fault::new("", Rule::Required, "the file must have at least one row"));
    }
    Ok(scan)
}

fn head_of<I: Import>(head: &Head) -> Result<(Kind, Key), Fault> {
    let kinds = || I::KINDS.iter().map(|k| k.name()).collect::<Vec<_>>().join(", ");
    let kind = head.kind.as_deref().and_then(Kind::from_name).filter(|kind| I::KINDS.contains(kind));
    let kind = kind.ok_or_else(|| Fault::new("/kind", Rule::OneOf, format!("must be one of {}", kinds())))?;
    let key = head.key.as_deref().ok_or_else(|| Fault::new("/key", Rule::Required, "must be given"))?;
    let key = Key::parse(key).map_err(|broken| Fault::new("/key", broken.rule, broken.detail))?;
    Ok((kind, key))
}

/// Calls `each` for every line that is not blank, with its number from 1. A byte order mark is skipped.
fn for_each_line(file: &mut File, mut each: impl FnMut(u64, &[u8]) -> Result<(), ApiError>) -> Result<(), ApiError> {
    let broken = |cause: std::io::Error| {
        tracing::error!(%cause, "a spooled import cannot be read");
        ApiError::new(Code::Unavailable)
    };
    file.rewind().map_err(broken)?;
    let mut reader = BufReader::with_capacity(64 * 1024, file);
    let mut line = Vec::new();
    for number in 1.. {
        line.clear();
        let read = std::io::Read::take(&mut reader, MAX_LINE + 1).read_until(b'\n', &mut line).map_err(broken)?;
        if read == 0 {
            break;
        }
        if read as u64 > MAX_LINE {
            let mut faults = RowFaults::default();
            faults.add(Some(number), Fault::new("", Rule::Length, format!("a line has at most {MAX_LINE} bytes")));
            return Err(faults.into_error());
        }
        let text = if number == 1 { line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&line) } else { &line };
        if !text.trim_ascii().is_empty() {
            each(number, text.trim_ascii())?;
        }
    }
    Ok(())
}

async fn run<I: Import>(conn: &mut Conn, file: File, scan: Scan, options: Options) -> Result<ImportReport, Ended> {
    let Scan { rows, heads, mut faults, warnings } = scan;
    imports::lock(conn, I::STREAM).await?;
    let mut keys = imports::keys(conn, I::REFERENCES).await?;
    let mut new = HashSet::new();
    let mut kept: BTreeMap<Kind, Vec<Uuid>> = I::KINDS.iter().map(|kind| (*kind, Vec::new())).collect();
    for (kind, key) in heads {
        let (id, is_new) = keys.claim(kind, &options.source, &key, Uuid::now_v7);
        kept.entry(kind).or_default().push(id);
        if is_new {
            new.insert(id);
        }
    }

    // What other sources' rows contradict already is not this file's fault.
    let before: HashSet<Contradiction> = I::contradictions(conn).await?.into_iter().collect();
    let open = count_open::<I>(conn, &options.source).await?;
    let source = options.source.clone();
    let (batches, mut parsed) = tokio::sync::mpsc::channel(2);
    let parser =
        tokio::task::spawn_blocking(move || parse_all::<I>(file, source, &keys, faults_of(&mut faults), batches));
    let mut changed = BTreeSet::new();
    let mut refusals = Vec::new();
    while let Some(batch) = parsed.recv().await {
        refusals.extend(I::refusals(conn, &batch).await?);
        if refusals.is_empty() {
            changed.extend(I::save(conn, batch).await?);
        }
    }
    let mut faults =
        parser.await.map_err(|e| persistence::Error::Unexpected(e.to_string()))?.map_err(Ended::Refused)?;

    let mut closed = 0;
    if faults.count == 0 && refusals.is_empty() {
        if options.replace {
            closed = close(conn, &options, &kept, open).await?;
        }
        let ours = |found: &Contradiction| found.source == options.source.as_str() || !before.contains(found);
        refusals = I::contradictions(conn).await?.into_iter().filter(ours).collect();
    }
    for found in refusals {
        let place = format!("{} {}:{}", found.kind.name(), found.source, found.key);
        faults.add(None, Fault::new(&found.pointer, found.broken.rule, format!("{place}: {}", found.broken.detail)));
    }
    if faults.count > 0 {
        return Err(Ended::Refused(faults.into_error()));
    }
    let inserted = new.len() as u64;
    let changed = changed.iter().filter(|id| !new.contains(id)).count() as u64;
    let report = ImportReport {
        source: options.source.as_str().to_owned(),
        dry_run: options.dry_run,
        rows,
        inserted,
        changed,
        unchanged: rows - inserted - changed,
        closed,
        warnings,
    };
    match options.dry_run {
        true => Err(Ended::Rehearsed(report)),
        false => Ok(report),
    }
}

fn faults_of(faults: &mut RowFaults) -> RowFaults {
    std::mem::take(faults)
}

/// Parses every line, sending batches on until the first fault and then only looking for more.
fn parse_all<I: Import>(
    mut file: File,
    source: Source,
    keys: &Keys,
    mut faults: RowFaults,
    batches: tokio::sync::mpsc::Sender<Vec<Imported<I::Value>>>,
) -> Result<RowFaults, ApiError> {
    let mut batch = Vec::with_capacity(BATCH);
    let known_bad = std::mem::take(&mut faults.lines);
    let gone = || ApiError::new(Code::Unavailable);
    for_each_line(&mut file, |number, line| {
        if known_bad.contains(&number) {
            return Ok(());
        }
        match parse_line::<I>(line, &source, keys) {
            Ok(row) => batch.push(row),
            Err(found) => found.into_vec().into_iter().for_each(|fault| faults.add(Some(number), fault)),
        }
        if faults.count > 0 {
            batch.clear();
        }
        faults.stop_at_most()?;
        if batch.len() == BATCH {
            batches.blocking_send(std::mem::take(&mut batch)).map_err(|_| gone())?;
        }
        Ok(())
    })?;
    if !batch.is_empty() && faults.count == 0 {
        batches.blocking_send(batch).map_err(|_| gone())?;
    }
    Ok(faults)
}

fn parse_line<I: Import>(line: &[u8], source: &Source, keys: &Keys) -> Result<Imported<I::Value>, Faults> {
    let head: Head = from_json(line)?;
    let (kind, key) = head_of::<I>(&head).map_err(Faults::from)?;
    // Every head was claimed before.
    let own = keys.find(kind, source, &key).unwrap_or_default();
    let value = I::parse(kind, line, &Names { source, keys, own })?;
    Ok(Imported { source: source.clone(), key, value })
}

/// A value from JSON; the fault names the field by a pointer.
pub fn from_json<T: DeserializeOwned>(json: &[u8]) -> Result<T, Faults> {
    let mut deserializer = serde_json::Deserializer::from_slice(json);
    let value = serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
        let pointer = pointer(error.path());
        let text = error.inner().to_string();
        let detail = in_json_terms(text.split(" at line ").next().unwrap_or_default());
        let detail = detail.as_str();
        let (rule, pointer) = match detail.strip_prefix("unknown field `").and_then(|rest| rest.split('`').next()) {
            Some(field) if !pointer.ends_with(&format!("/{field}")) => {
                (Rule::UnknownField, format!("{pointer}/{field}"))
            }
            Some(_) => (Rule::UnknownField, pointer),
            None if detail.starts_with("missing field") => (Rule::Required, pointer),
            None if detail.starts_with("unknown variant") => (Rule::OneOf, pointer),
            None => (Rule::Structure, pointer),
        };
        Faults::from(Fault::new(&pointer, rule, detail))
    })?;
    deserializer
        .end()
        .map_err(|_| Faults::from(Fault::new("", Rule::Structure, "there is more behind the JSON value")))?;
    Ok(value)
}

/// The library names Rust's types; a caller knows objects.
fn in_json_terms(text: &str) -> String {
    let (before, expected) = text.rsplit_once("expected ").unwrap_or((text, ""));
    let named = ["struct ", "enum ", "variant ", "tuple "].iter().any(|word| expected.starts_with(word));
    match named || expected.starts_with("internally tagged") {
        true => format!("{before}expected an object"),
        false => text.to_owned(),
    }
}

fn first_fault(faults: Faults) -> Fault {
    let none = || Fault::new("", Rule::Structure, "cannot be read");
    faults.into_vec().into_iter().next().unwrap_or_else(none)
}

fn pointer(path: &serde_path_to_error::Path) -> String {
    use serde_path_to_error::Segment;
    let part = |segment: &Segment| match segment {
        Segment::Seq { index } => format!("/{index}"),
        Segment::Map { key } => format!("/{}", key.replace('~', "~0").replace('/', "~1")),
        Segment::Enum { .. } | Segment::Unknown => String::new(),
    };
    path.iter().map(part).collect()
}

/// How many rows the source has before the import.
async fn count_open<I: Import>(conn: &mut Conn, source: &Source) -> Result<i64, persistence::Error> {
    let mut open = 0;
    for kind in I::KINDS {
        open += imports::count_open(conn, *kind, source).await?;
    }
    Ok(open)
}

/// Closes the source's rows that are not in the file, unless they are suspiciously many of the `open` ones.
async fn close(conn: &mut Conn, options: &Options, kept: &BTreeMap<Kind, Vec<Uuid>>, open: i64) -> Result<u64, Ended> {
    let mut closed = 0;
    for (kind, kept) in kept {
        closed += imports::close_others(conn, *kind, &options.source, kept).await?;
    }
    let percent_allowed = if options.force { 100 } else { MOST_CLOSED_PERCENT };
    match i64::try_from(closed).unwrap_or(i64::MAX).saturating_mul(100) > open.saturating_mul(percent_allowed) {
        true => Err(Ended::Refused(ApiError::new(Code::TooManyClosed).detail(format!(
            "The file would close {closed} of {open} entries of this source, more than {MOST_CLOSED_PERCENT} %; \
             send force=true if that is meant"
        )))),
        false => Ok(closed as u64),
    }
}
