//! Import runs: how far an import is and what became of it, for whoever waits for it.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use actix_web::http::header::{self, HeaderName, HeaderValue};
use actix_web::{HttpRequest, HttpResponse, get, web};
use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use super::files::Format;
use super::{ImportReport, Options};
use crate::frame::no_route;
use crate::identity::{Allowed, Caller, Read};
use crate::lists::next_link;
use crate::params::{Paging, Params, path_id};
use crate::problem::{ApiError, Code, Problem};
use crate::state::State;
use domain::{Language, Role, Stream};
use edition::Cursor;
use persistence::imports::runs::{self, News};
use persistence::{Db, Written};

/// How often it is written down how far a run is.
const TICK: Duration = Duration::from_millis(500);

/// How often the end of a run is tried to be written down, a second apart.
const END_TRIES: u32 = 60;

/// Names the run of an import.
pub const IMPORT_RUN: HeaderName = HeaderName::from_static("import-run");

macro_rules! states {
    ($($(#[doc = $doc:literal])* $variant:ident = $name:literal;)*) => {
        /// How far an import is.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
        #[serde(rename_all = "snake_case")]
        pub enum ImportState {
            $($(#[doc = $doc])* $variant,)*
        }

        impl ImportState {
            /// The name in the database and in bodies.
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            fn from_name(name: &str) -> Option<Self> {
                [$(Self::$variant,)*].into_iter().find(|state| state.name() == name)
            }
        }
    };
}

states! {
    /// The file is arriving.
    Receiving = "receiving";
    /// The file is looked through for the first time.
    Checking = "checking";
    /// Another import of the feature has its turn.
    Waiting = "waiting";
    /// Rows are parsed and saved; nobody sees them yet.
    Saving = "saving";
    /// Rows are compared with each other, and committed.
    Committing = "committing";
    /// It is done: `report` says what.
    Committed = "committed";
    /// It was a dry run and is done: `report` says what it would have done.
    Rehearsed = "rehearsed";
    /// The file was refused or did not arrive, and nothing was changed: `problem` says why.
    Refused = "refused";
    /// It could not be done, and nothing was changed: `problem` says why, where that is known.
    Failed = "failed";
}

/// How far an import is.
pub struct Progress {
    stage: Mutex<Stage>,
    done: AtomicU64,
    total: AtomicU64,
}

struct Stage {
    state: ImportState,
    since: Instant,
    timings: BTreeMap<&'static str, u64>,
}

fn milliseconds(since: Instant) -> u64 {
    u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX)
}

impl Default for Progress {
    fn default() -> Self {
        let stage = Stage { state: ImportState::Receiving, since: Instant::now(), timings: BTreeMap::new() };
        Self { stage: Mutex::new(stage), done: AtomicU64::new(0), total: AtomicU64::new(0) }
    }
}

impl Progress {
    /// Goes on to another state.
    pub fn enter(&self, state: ImportState) {
        let mut stage = self.stage.lock().unwrap_or_else(PoisonError::into_inner);
        let (left, since) = (stage.state.name(), stage.since);
        *stage.timings.entry(left).or_default() += milliseconds(since);
        (stage.state, stage.since) = (state, Instant::now());
        if matches!(state, ImportState::Checking | ImportState::Saving) {
            self.done.store(0, Ordering::Relaxed);
        }
    }

    /// Notes rows that are done in this state.
    pub fn add(&self, rows: usize) {
        self.done.fetch_add(rows as u64, Ordering::Relaxed);
    }

    /// Notes how many rows there are.
    pub fn set_total(&self, rows: u64) {
        self.total.store(rows, Ordering::Relaxed);
    }

    /// As it is written down.
    pub fn news(&self) -> News {
        let stage = self.stage.lock().unwrap_or_else(PoisonError::into_inner);
        let number = |n: &AtomicU64| i64::try_from(n.load(Ordering::Relaxed)).unwrap_or(i64::MAX);
        let timings = serde_json::to_value(&stage.timings).unwrap_or_default();
        News {
            state: stage.state.name(),
            rows_done: number(&self.done),
            rows_total: Some(number(&self.total)).filter(|total| *total > 0),
            timings,
            report: None,
            problem: None,
        }
    }
}

/// A run that is under way. One that is dropped before its end has failed.
pub struct Run {
    /// Its id.
    pub id: Uuid,
    /// How far it is.
    pub progress: Arc<Progress>,
    db: Db,
    /// Of whoever waits for it.
    language: Language,
    ended: bool,
}

impl Run {
    /// Begins a run, and writes down how it goes on until it ends.
    pub async fn begin(
        db: &Db,
        by: Uuid,
        language: Language,
        feature: Stream,
        format: Format,
        options: &Options,
    ) -> Result<Self, ApiError> {
        let id = Uuid::now_v7();
        let begun = runs::Run {
            id,
            client_id: by,
            feature: feature.name().to_owned(),
            source: options.source.as_str().to_owned(),
            format: format.name().to_owned(),
            dry_run: options.dry_run,
            replace: options.replace,
            force: options.force,
            state: ImportState::Receiving.name().to_owned(),
            rows_done: 0,
            rows_total: None,
            timings: Value::Null,
            report: None,
            problem: None,
            started_at: DateTime::UNIX_EPOCH,
            ended_at: None,
        };
        db.write::<_, ApiError, _>(async move |conn| Ok(runs::begin(conn, &begun).await?)).await?;
        let progress = Arc::new(Progress::default());
        let (watched, teller) = (Arc::downgrade(&progress), db.clone());
        db.spawn(async move {
            loop {
                tokio::time::sleep(TICK).await;
                let Some(news) = watched.upgrade().map(|progress| progress.news()) else { return };
                // A word that is lost harms nobody: the next one says more.
                let _ =
                    teller.write::<_, persistence::Error, _>(async move |conn| runs::note(conn, id, &news).await).await;
            }
        });
        Ok(Self { id, progress, db: db.clone(), language, ended: false })
    }

    /// Writes down how it ended.
    pub async fn end(mut self, outcome: Result<&Written<ImportReport>, &ApiError>) {
        let state = match outcome {
            Ok(done) if done.value.dry_run => ImportState::Rehearsed,
            Ok(_) => ImportState::Committed,
            Err(error) if error.code().status().is_client_error() => ImportState::Refused,
            Err(_) => ImportState::Failed,
        };
        self.progress.enter(state);
        let mut news = self.progress.news();
        match outcome {
            Ok(done) => news.report = serde_json::to_value(&done.value).ok(),
            Err(error) => news.problem = serde_json::to_value(error.document(self.id, self.language)).ok(),
        }
        self.ended = true;
        if try_to_end(&self.db, self.id, &news).await.is_err() {
            self.db.spawn(keep_trying_to_end(self.db.clone(), self.id, news));
        }
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        if !self.ended {
            let arriving = self.progress.news().state == ImportState::Receiving.name();
            let (state, error) = match arriving {
                true => {
                    (ImportState::Refused, ApiError::new(Code::MalformedRequest).detail(message!("The body broke off")))
                }
                false => (ImportState::Failed, ApiError::new(Code::Internal)),
            };
            self.progress.enter(state);
            let problem = serde_json::to_value(error.document(self.id, self.language)).ok();
            let news = News { problem, ..self.progress.news() };
            self.db.spawn(keep_trying_to_end(self.db.clone(), self.id, news));
        }
    }
}

async fn try_to_end(db: &Db, id: Uuid, news: &News) -> Result<(), persistence::Error> {
    let news = news.clone();
    db.write::<_, persistence::Error, _>(async move |conn| runs::end(conn, id, &news).await).await.map(drop)
}

async fn keep_trying_to_end(db: Db, id: Uuid, news: News) {
    for _ in 0..END_TRIES {
        match try_to_end(&db, id, &news).await {
            Err(persistence::Error::Unavailable(_)) => tokio::time::sleep(Duration::from_secs(1)).await,
            other => return other.unwrap_or_else(|cause| tracing::error!(%id, %cause, "a run's end is not noted")),
        }
    }
}

/// An import as it goes on or has ended.
#[derive(Debug, Serialize, ToSchema)]
pub struct ImportRun {
    /// Its id.
    #[schema(example = "0193a5f0-7c1e-7a54-9a55-0d5c3f6f2b11")]
    pub id: Uuid,
    /// What was imported: `directory`, `event-costs`, `inf-notes` or `bulletins`.
    #[schema(example = "directory")]
    pub feature: String,
    /// The source of the rows.
    #[schema(example = "hr")]
    pub source: String,
    /// How the file is written: `ndjson` or `csv`.
    #[schema(example = "csv")]
    pub format: String,
    /// `merge` or `replace`.
    #[schema(example = "merge")]
    pub mode: &'static str,
    /// Whether nothing is to be kept.
    pub dry_run: bool,
    /// Whether `replace` may close more than 10 % of the source's entries.
    pub force: bool,
    /// How far it is. `committed`, `rehearsed`, `refused` and `failed` are final.
    pub state: ImportState,
    /// Rows done in this state, while checking or saving.
    #[schema(example = 31500)]
    pub rows_done: i64,
    /// Rows in the file, once it has been looked through.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = 45000)]
    pub rows_total: Option<i64>,
    /// Milliseconds spent in each state that is over.
    #[schema(value_type = BTreeMap<String, u64>, example = json!({"receiving": 310, "checking": 240, "waiting": 1}))]
    pub timings: Value,
    /// What it did, or as a dry run would have done.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<ImportReport>)]
    pub report: Option<Value>,
    /// Why it was refused or failed: the problem document of the answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Problem<'static>>)]
    pub problem: Option<Value>,
    /// When it began.
    pub started_at: DateTime<Utc>,
    /// When it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<DateTime<Utc>>,
}

impl From<runs::Run> for ImportRun {
    fn from(run: runs::Run) -> Self {
        let feature = match run.feature.as_str() {
            "costs" => "event-costs".to_owned(),
            "notes" => "inf-notes".to_owned(),
            _ => run.feature,
        };
        Self {
            id: run.id,
            feature,
            source: run.source,
            format: run.format,
            mode: if run.replace { "replace" } else { "merge" },
            dry_run: run.dry_run,
            force: run.force,
            state: ImportState::from_name(&run.state).unwrap_or(ImportState::Failed),
            rows_done: run.rows_done,
            rows_total: run.rows_total,
            timings: run.timings,
            report: run.report,
            problem: run.problem,
            started_at: run.started_at,
            ended_at: run.ended_at,
        }
    }
}

/// A page of import runs.
#[derive(Serialize, ToSchema)]
pub struct ImportRunPage {
    /// The runs, the latest first.
    pub items: Vec<ImportRun>,
    /// The cursor of the next page; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

/// Whose runs somebody may see: their own, or everybody's (`None`).
fn visible_to(caller: Caller) -> Option<Uuid> {
    match caller {
        Caller::Somebody(caller) if caller.roles.contains(Role::Admin) => None,
        Caller::Somebody(caller) => Some(caller.who.subject()),
        Caller::Stranger => Some(Uuid::nil()),
    }
}

fn fresh(mut response: HttpResponse) -> HttpResponse {
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// The answer to an import that goes on without its request.
pub async fn accepted(state: &State, id: Uuid) -> Result<HttpResponse, ApiError> {
    let run = state.db.read::<_, ApiError, _>(async move |conn| Ok(runs::find(conn, id, None).await?)).await?;
    let run: ImportRun = run.ok_or_else(|| ApiError::new(Code::Internal))?.into();
    let response = HttpResponse::Accepted()
        .insert_header((header::LOCATION, format!("/v1/imports/{id}")))
        .insert_header(("Preference-Applied", "respond-async"))
        .insert_header((IMPORT_RUN, id.to_string()))
        .json(run);
    Ok(fresh(response))
}

/// Get an import run
///
/// How far an import is, and at its end what it did or why it was refused. For the client that began it, and
/// for admins. Ask about once a second. A run whose process has died is `failed` within a minute; nothing of
/// it was kept. Runs are kept for 30 days.
#[utoipa::path(
    tag = "imports",
    operation_id = "get_import_run",
    params(("id" = Uuid, Path, description = "The run's id: `Import-Run` of an import's answer, or the end of its `Location`")),
    responses((status = 200, description = "The run", body = ImportRun)),
    security(("oauth2" = ["read"]))
)]
#[get("/v1/imports/{id}")]
pub async fn get_import_run(
    req: HttpRequest,
    allowed: Allowed<Read>,
    path: web::Path<String>,
    state: web::Data<State>,
) -> Result<HttpResponse, ApiError> {
    let is_other_resource = state.contract.methods(req.path()).is_some_and(|methods| !methods.contains("GET"));
    if is_other_resource {
        return no_route(req, state).await;
    }
    let (id, client) = (path_id(&path)?, visible_to(allowed.caller));
    let run = state.db.read::<_, ApiError, _>(async move |conn| Ok(runs::find(conn, id, client).await?)).await?;
    let run: ImportRun = run.ok_or_else(|| ApiError::new(Code::NotFound))?.into();
    Ok(fresh(HttpResponse::Ok().json(run)))
}

/// List import runs
///
/// Your imports of the last 30 days, the latest first; for admins, everybody's. For an operator's page or a script
/// that lost the answer to an import: it shows whether the file was taken. Follow `Link` for more.
#[utoipa::path(
    tag = "imports",
    operation_id = "list_import_runs",
    params(
        ("limit" = Option<u16>, Query, description = "Runs a page, 1 to 200; 50 when left out", minimum = 1, maximum = 200),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before, or follow the `Link` header"),
    ),
    responses((status = 200, description = "A page", body = ImportRunPage,
        headers(("Link" = String, description = "`rel=\"next\"` when there is more")))),
    security(("oauth2" = ["read"]))
)]
#[get("/v1/imports")]
pub async fn list_import_runs(
    req: HttpRequest,
    allowed: Allowed<Read>,
    mut params: Params,
    state: web::Data<State>,
) -> Result<HttpResponse, ApiError> {
    let Paging { limit, after } = params.paging()?;
    params.finish()?;
    let (client, before) = (visible_to(allowed.caller), after.map(|cursor| cursor.id));
    let wanted = i64::try_from(limit).unwrap_or(i64::MAX).saturating_add(1);
    let found =
        state.db.read::<_, ApiError, _>(async move |conn| Ok(runs::list(conn, client, before, wanted).await?)).await?;
    let more = found.len() > limit;
    let items: Vec<ImportRun> = found.into_iter().take(limit).map(ImportRun::from).collect();
    let last = items.last().filter(|_| more).map(|run| Cursor { key: String::new(), id: run.id });
    let next_cursor = last.map(|cursor| Paging::encode(req.path(), &cursor));
    let link = next_cursor.as_ref().and_then(|cursor| HeaderValue::from_str(&next_link(&req, cursor)).ok());
    let mut response = HttpResponse::Ok().json(ImportRunPage { items, next_cursor });
    if let Some(link) = link {
        response.headers_mut().insert(header::LINK, link);
    }
    Ok(fresh(response))
}
