//! Imports: a file of rows in, all of them or none, every bad row named.

pub mod csv;
pub mod files;
mod requests;
pub mod runs;

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fs::File;
use std::future::Future;

use actix_web::web;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

pub use crate::json::from_json;
use crate::lookalikes::{self, ImportWarning};
use crate::params::{Params, boolean};
use crate::problem::{ApiError, Code, FaultInLine};
use crate::state::State;
use csv::Columns;
use domain::{Audience, Broken, Fault, Faults, Key, Kind, Language, MissionId, Reference, Rule, Source, Stream};
use files::{Ended as FileEnded, Format, Row, for_each_row};
use persistence::imports::runs::News;
use persistence::imports::{Imported, Keys, Name, Namer};
use persistence::{Conn, Written, imports};
pub use requests::{ImportTurns, Order, receive};
use runs::{ImportState, Progress};

/// How many faults an answer lists.
const LISTED_FAULTS: usize = 100;

/// After so many faults a file is not looked at any further.
const MOST_FAULTS: u64 = 10_000;

/// How many rows are saved by one statement.
const BATCH: usize = 500;

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
    /// The columns of its rows, where they may be CSV.
    const COLUMNS: Option<Columns> = None;
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
            let kind = kind.name();
            Broken::new(Rule::Reference, message!("there is no {kind} of this key, in the file or before it", kind))
        })
    }

    /// The audience that a row's `audience` means; delegates where it is left out.
    pub fn audience(&self, body: Option<&AudienceBody>) -> Result<Audience, Faults> {
        let mut faults = Faults::new();
        let audience = match body {
            None => Some(Audience::Delegates),
            Some(AudienceBody::Word(word)) if word.starts_with("missions:") => {
                let form = r#"{"missions": [<key>, …]}"#;
                faults.add("", Broken::new(Rule::Structure, message!("missions are named as {form}", form)));
                None
            }
            Some(AudienceBody::Word(word)) => faults.check("", word.parse()),
            Some(AudienceBody::Named { missions }) => {
                if missions.is_empty() {
                    faults.add("/missions", Broken::new(Rule::Required, message!("must name at least one mission")));
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
#[derive(Debug, serde::Deserialize, Serialize, ToSchema)]
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
            _ => Err(Broken::new(Rule::OneOf, message!("must be one of {values}", values = "merge, replace"))),
        });
        Some(Self { source: source?, dry_run, replace: replace.unwrap_or(false), force })
    }
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

/// Imports a file: all of it or nothing.
pub async fn import<I: Import>(state: &State, mut file: File, order: Order) -> Result<Written<ImportReport>, ApiError> {
    let (format, progress, source) = (order.format, order.progress.clone(), order.options.source.clone());
    let language = order.language;
    progress.enter(ImportState::Checking);
    let scanning =
        web::block(move || scan::<I>(&mut file, format, &source, language, &progress).map(|scan| (file, scan)));
    let (file, scan) = scanning.await.map_err(|_| ApiError::new(Code::Internal))??;
    order.progress.set_total(scan.rows);
    order.progress.enter(ImportState::Waiting);
    let _turn = state.import_turns.take(I::STREAM, order.turn_wait).await?;
    let outcome = state.db.acting(order.act).write(async move |conn| run::<I>(conn, file, scan, order).await).await;
    match outcome {
        Ok(done) => {
            state.metrics.imported(I::STREAM, done.value.rows);
            Ok(done)
        }
        Err(Ended::Rehearsed(report)) => Ok(Written { value: report, revisions: Vec::new() }),
        Err(Ended::Refused(error)) => Err(error),
    }
}

/// What a first look at the file finds: whose rows it has.
struct Scan {
    rows: u64,
    heads: Vec<(Name, Kind)>,
    namer: Namer,
    faults: RowFaults,
    warnings: Vec<ImportWarning>,
}

#[derive(Default)]
struct RowFaults {
    listed: Vec<FaultInLine>,
    count: u64,
    lines: BTreeSet<u64>,
}

impl RowFaults {
    fn add(&mut self, line: Option<u64>, fault: Fault) {
        self.count += 1;
        self.lines.extend(line);
        if self.listed.len() < LISTED_FAULTS {
            self.listed.push(FaultInLine { line, fault });
        }
    }

    /// Ends the look at a file that is not worth a longer one.
    fn stop_at_most(&mut self) -> Result<(), ApiError> {
        match self.count > MOST_FAULTS {
            true => Err(std::mem::take(self).into_error()),
            false => Ok(()),
        }
    }

    /// What is to be answered to a file whose reading ended early.
    fn into_error_with(mut self, ended: FileEnded) -> ApiError {
        match ended {
            FileEnded::Refused(error) => error,
            FileEnded::Faulty(line, faults) => {
                faults.into_iter().for_each(|fault| self.add(Some(line), fault));
                self.into_error()
            }
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

fn scan<I: Import>(
    file: &mut File,
    format: Format,
    source: &Source,
    language: Language,
    progress: &Progress,
) -> Result<Scan, ApiError> {
    let (namer, faults) = (Namer::default(), RowFaults::default());
    let mut scan = Scan { rows: 0, heads: Vec::new(), namer, faults, warnings: Vec::new() };
    let mut seen = HashSet::new();
    let read = for_each_row(file, format, |Row { line, json, place }| {
        scan.rows += 1;
        progress.add(1);
        if let Ok(json) = &json {
            lookalikes::look(line, json, place, language, &mut scan.warnings);
        }
        let head =
            json.and_then(|json| from_json::<Head>(json).map_err(first_fault)).and_then(|head| head_of::<I>(&head));
        match head {
            Ok((kind, key)) => {
                let name = scan.namer.name(kind, source, &key);
                match seen.insert(name) {
                    true => scan.heads.push((name, kind)),
                    false => {
                        let fault = Fault::new("/key", Rule::Duplicate, message!("is the key of an earlier line, too"));
                        scan.faults.add(Some(line), fault);
                    }
                }
            }
            Err(fault) => scan.faults.add(Some(line), fault),
        }
        scan.faults.stop_at_most()
    });
    if let Err(ended) = read {
        return Err(scan.faults.into_error_with(ended));
    }
    if scan.rows == 0 {
        scan.faults.add(None, Fault::new("", Rule::Required, message!("the file must have at least one row")));
    }
    Ok(scan)
}

fn head_of<I: Import>(head: &Head) -> Result<(Kind, Key), Fault> {
    let kinds = || I::KINDS.iter().map(|k| k.name()).collect::<Vec<_>>().join(", ");
    let kind = head.kind.as_deref().and_then(Kind::from_name).filter(|kind| I::KINDS.contains(kind));
    let kind =
        kind.ok_or_else(|| Fault::new("/kind", Rule::OneOf, message!("must be one of {values}", values = kinds())))?;
    let key = head.key.as_deref().ok_or_else(|| Fault::new("/key", Rule::Required, message!("must be given")))?;
    let key = Key::parse(key).map_err(|broken| Fault::new("/key", broken.rule, broken.detail))?;
    Ok((kind, key))
}

async fn run<I: Import>(conn: &mut Conn, file: File, scan: Scan, order: Order) -> Result<ImportReport, Ended> {
    let Scan { rows, heads, namer, mut faults, warnings } = scan;
    let Order { format, options, progress, run, turn_wait, language: _, act: _ } = order;
    imports::lock(conn, I::STREAM, turn_wait).await?;
    progress.enter(ImportState::Saving);
    let mut keys = imports::keys(conn, I::REFERENCES, namer).await?;
    let mut inserted = 0;
    let mut kept: BTreeMap<Kind, Vec<Uuid>> = I::KINDS.iter().map(|kind| (*kind, Vec::new())).collect();
    for (name, kind) in heads {
        let (id, is_new) = keys.claim(name, Uuid::now_v7);
        inserted += u64::from(is_new);
        if options.replace {
            kept.entry(kind).or_default().push(id);
        }
    }

    // What other sources' rows contradict already is not this file's fault.
    let before: HashSet<Contradiction> = I::contradictions(conn).await?.into_iter().collect();
    let open = count_open::<I>(conn, &options.source).await?;
    let (source, parsing) = (options.source.clone(), progress.clone());
    let (batches, mut parsed) = tokio::sync::mpsc::channel(2);
    let known_faults = std::mem::take(&mut faults);
    let parser = tokio::task::spawn_blocking(move || {
        parse_all::<I>(file, format, source, &keys, known_faults, &parsing, batches)
    });
    // Each row is in one batch.
    let mut touched = 0;
    let mut refusals = Vec::new();
    while let Some(batch) = parsed.recv().await {
        let size = batch.len();
        refusals.extend(I::refusals(conn, &batch).await?);
        if refusals.is_empty() {
            touched += I::save(conn, batch).await?.len() as u64;
        }
        progress.add(size);
    }
    let mut faults =
        parser.await.map_err(|e| persistence::Error::Unexpected(e.to_string()))?.map_err(Ended::Refused)?;
    progress.enter(ImportState::Committing);

    let mut closed = 0;
    if faults.count == 0 && refusals.is_empty() {
        if options.replace {
            closed = close(conn, &options, &kept, open).await?;
        }
        let ours = |found: &Contradiction| found.source == options.source.as_str() || !before.contains(found);
        refusals = I::contradictions(conn).await?.into_iter().filter(ours).collect();
    }
    for found in refusals {
        let row = format!("{} {}:{}", found.kind.name(), found.source, found.key);
        let Broken { rule, detail: what } = found.broken;
        faults.add(None, Fault::new(&found.pointer, rule, message!("{row}: {what}", row, what)));
    }
    if faults.count > 0 {
        return Err(Ended::Refused(faults.into_error()));
    }
    let report = ImportReport {
        source: options.source.as_str().to_owned(),
        dry_run: options.dry_run,
        rows,
        inserted,
        changed: touched.saturating_sub(inserted),
        unchanged: rows.saturating_sub(touched.max(inserted)),
        closed,
        warnings,
    };
    if options.dry_run {
        return Err(Ended::Rehearsed(report));
    }
    if let Some(id) = run {
        // Committed is what the run says if and only if it is; whoever dies now cannot make it a lie.
        imports::settle(conn).await?;
        let report = serde_json::to_value(&report).ok();
        let news = News { state: ImportState::Committed.name(), report, ..progress.news() };
        imports::runs::end(conn, id, &news).await?;
    }
    Ok(report)
}

/// Parses every line, sending batches on until the first fault and then only looking for more.
fn parse_all<I: Import>(
    mut file: File,
    format: Format,
    source: Source,
    keys: &Keys,
    mut faults: RowFaults,
    progress: &Progress,
    batches: tokio::sync::mpsc::Sender<Vec<Imported<I::Value>>>,
) -> Result<RowFaults, ApiError> {
    let mut batch = Vec::with_capacity(BATCH);
    let known_bad = std::mem::take(&mut faults.lines);
    let gone = || ApiError::new(Code::Unavailable);
    let read = for_each_row(&mut file, format, |Row { line, json, place }| {
        if let (Ok(json), false) = (json, known_bad.contains(&line)) {
            match parse_line::<I>(json, &source, keys) {
                Ok(row) => batch.push(row),
                Err(found) => found.into_vec().into_iter().for_each(|mut fault| {
                    fault.pointer = place(&fault.pointer);
                    faults.add(Some(line), fault);
                }),
            }
        }
        if faults.count > 0 {
            batch.clear();
            progress.add(1);
        }
        faults.stop_at_most()?;
        if batch.len() == BATCH {
            let full = std::mem::replace(&mut batch, Vec::with_capacity(BATCH));
            batches.blocking_send(full).map_err(|_| gone())?;
        }
        Ok(())
    });
    if let Err(ended) = read {
        return Err(faults.into_error_with(ended));
    }
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

fn first_fault(faults: Faults) -> Fault {
    let none = || Fault::new("", Rule::Structure, message!("cannot be read"));
    faults.into_vec().into_iter().next().unwrap_or_else(none)
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
        true => Err(Ended::Refused(ApiError::new(Code::TooManyClosed).detail(message!(
            "The file would close {closed} of {open} entries of this source, more than {percent} %; force=true allows it",
            closed,
            open,
            percent = MOST_CLOSED_PERCENT
        )))),
        false => Ok(closed as u64),
    }
}
