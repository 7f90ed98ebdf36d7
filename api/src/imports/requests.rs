//! Requests to import: whose turn it is, and who waits for what.

use std::fs::File;
use std::sync::Arc;
use std::time::Duration;

use actix_web::http::header::{self, HeaderValue};
use actix_web::{HttpRequest, HttpResponse, web};
use uuid::Uuid;

use super::files::{self, Format};
use super::runs::{self, IMPORT_RUN, Progress, Run};
use super::{Import, ImportReport, Options, import};
use crate::identity::{Allowed, Caller, Permission};
use crate::params::{Params, language};
use crate::problem::{ApiError, Code};
use crate::state::State;
use crate::turns::{Turn, Turns};
use domain::{Act, Language, Stream};
use persistence::Written;

/// How long an import waits for its turn while its request waits for it.
const TURN_WAIT: Duration = Duration::from_secs(2);

/// How long it does when it goes on without its request.
const PATIENT_TURN_WAIT: Duration = Duration::from_secs(600);

/// Whose turn it is to import. Imports of a stream take turns in any case; those of another never wait.
pub struct ImportTurns([Turns; Stream::PUBLISHED.len()]);

impl Default for ImportTurns {
    fn default() -> Self {
        Self(std::array::from_fn(|_| Turns::new(1)))
    }
}

impl ImportTurns {
    /// Waits for the turn of an import of `stream`.
    pub async fn take(&self, stream: Stream, at_most: Duration) -> Result<Turn, ApiError> {
        let busy = || ApiError::new(Code::Unavailable).retry_after(5);
        let turns = Stream::PUBLISHED.iter().position(|s| *s == stream).and_then(|n| self.0.get(n));
        turns.ok_or_else(busy)?.take(at_most).await.ok_or_else(busy)
    }

    /// Waits until no import has its turn, and gives none any more.
    pub async fn end(&self) {
        for turns in &self.0 {
            turns.end().await;
        }
    }

    /// How many wait for a turn.
    pub fn waiting(&self) -> usize {
        self.0.iter().map(Turns::waiting).sum()
    }

    /// How many have a turn.
    pub fn running(&self) -> usize {
        self.0.iter().map(Turns::running).sum()
    }

    /// How many have waited in vain.
    pub fn refused(&self) -> u64 {
        self.0.iter().map(Turns::refused).sum()
    }
}

/// An import as it is to be done.
pub struct Order {
    /// How the file is written.
    pub format: Format,
    /// How it was asked for.
    pub options: Options,
    /// Where it is noted how far it is.
    pub progress: Arc<Progress>,
    /// The run to end together with the import.
    pub run: Option<Uuid>,
    /// How long to wait for its turn.
    pub turn_wait: Duration,
    /// The language of whoever waits for it.
    pub language: Language,
    /// Who imports.
    pub act: Act,
}

impl Order {
    /// An operator's import of NDJSON that nobody follows.
    pub fn quiet(options: Options) -> Self {
        Self {
            format: Format::Ndjson,
            options,
            progress: Arc::default(),
            run: None,
            turn_wait: TURN_WAIT,
            language: Language::En,
            act: Act::OPERATOR,
        }
    }
}

/// Answers an import request of the feature `I`. Once the file is here the import goes on to its end,
/// whether or not anybody waits for it.
pub async fn receive<I: Import, P: Permission>(
    req: &HttpRequest,
    allowed: &Allowed<P>,
    mut params: Params,
    body: web::Payload,
    state: &web::Data<State>,
) -> Result<HttpResponse, ApiError> {
    let options = Options::parse(&mut params);
    params.finish()?;
    let options = options.ok_or_else(|| ApiError::new(Code::Internal))?;
    let format = Format::of(req, I::COLUMNS)?;
    let Caller::Somebody(caller) = allowed.caller else { return Err(ApiError::new(Code::InvalidToken)) };
    let run = tokio::select! {
        run = Run::begin(&state.db, caller.who.subject(), language(req), I::STREAM, format, &options) => run?,
        () = state.store.silence() => return Err(ApiError::new(Code::Unavailable)),
    };
    let id = run.id;
    let name = HeaderValue::from_str(&id.to_string()).map_err(|_| ApiError::new(Code::Internal))?;
    let file = match files::spool(body, state.config.import_limit).await {
        Ok(file) => file,
        Err(error) => {
            run.end(Err(&error)).await;
            return Err(error.header(IMPORT_RUN, name));
        }
    };
    let goes_on_alone = prefers_async(req);
    let turn_wait = if goes_on_alone { PATIENT_TURN_WAIT } else { TURN_WAIT };
    let order = Order {
        format,
        options,
        progress: run.progress.clone(),
        run: Some(id),
        turn_wait,
        language: language(req),
        act: allowed.act(),
    };
    let conducted = state.db.spawn(conduct::<I>(state.clone(), run, file, order));
    if goes_on_alone {
        return runs::accepted(state, id).await;
    }
    let outcome = tokio::select! {
        outcome = conducted => outcome.unwrap_or_else(|_| Err(ApiError::new(Code::Internal))),
        // Whether it is committed nobody can say yet; its run will tell.
        () = state.store.silence() => Err(ApiError::new(Code::Unavailable)),
    };
    let done = outcome.map_err(|error| error.header(IMPORT_RUN, name.clone()))?;
    let mut response = HttpResponse::Ok().json(done.value);
    let revisions: Vec<String> = done
        .revisions
        .iter()
        .filter(|(stream, _)| Stream::PUBLISHED.contains(stream))
        .map(|(stream, rev)| format!("{stream}={rev}"))
        .collect();
    let headers = response.headers_mut();
    if let Some(value) = HeaderValue::from_str(&revisions.join(", ")).ok().filter(|_| !revisions.is_empty()) {
        headers.insert(header::HeaderName::from_static("sync-rev"), value);
    }
    headers.insert(IMPORT_RUN, name);
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}

/// Whether the caller would rather not wait (RFC 7240).
fn prefers_async(req: &HttpRequest) -> bool {
    let preferences = req.headers().get_all("Prefer").filter_map(|value| value.to_str().ok());
    let mut tokens = preferences.flat_map(|value| value.split([',', ';'])).map(str::trim);
    tokens.any(|token| token.eq_ignore_ascii_case("respond-async"))
}

async fn conduct<I: Import>(
    state: web::Data<State>,
    run: Run,
    file: File,
    order: Order,
) -> Result<Written<ImportReport>, ApiError> {
    let outcome = import::<I>(&state, file, order).await;
    run.end(outcome.as_ref()).await;
    outcome
}
