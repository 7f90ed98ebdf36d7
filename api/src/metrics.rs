//! What is counted and timed, for Prometheus to fetch at an address of its own (`--metrics-listen`).
//!
//! What happens at each request is added to counters that were made at the start and are found by the
//! request's route. What merely is so (ages, queues, memory) is looked at when somebody asks.

use std::collections::HashMap;
use std::net::TcpListener;
use std::time::{Duration, SystemTime};

use ::metrics::{Counter, Gauge, Histogram, Key, Label, Level, Metadata, Recorder};
use actix_web::http::{Method, StatusCode};
use actix_web::{App, HttpResponse, HttpServer, web};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle, PrometheusRecorder};
use tokio::sync::watch;

use crate::state::State;
use crate::{contract, health};
use domain::Stream;

/// How often observations are summed up, so that they take no memory when nobody asks for long.
const UPKEEP: Duration = Duration::from_secs(5);

const REQUEST_BUCKETS: [f64; 13] = [0.0001, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 0.25, 1.0, 2.5, 10.0, 30.0];
const LAG_BUCKETS: [f64; 12] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 30.0, 300.0];

const REQUESTS: &str = "focalpoint_http_requests_total";
const REQUEST_DURATION: &str = "focalpoint_http_request_duration_seconds";
const FOLLOWER_LAG: &str = "focalpoint_follower_lag_seconds";

/// The `operation` of a request that is for none: an unknown path, a method that is not there, the docs pages.
const NO_OPERATION: &str = "none";

/// What is counted and timed; nothing, at no cost, unless somebody may ask for it.
pub struct Metrics(Option<Recorded>);

struct Recorded {
    handle: PrometheusHandle,
    routes: HashMap<String, Vec<(Method, Operation)>>,
    no_operation: Operation,
    streams: HashMap<Stream, OfStream>,
    rewinds: Counter,
    follower_failures: Counter,
    sign_ins_refused: Counter,
    imports_refused: Counter,
    mails: [Counter; 3],
    now: Now,
}

/// What became of an attempt to send a mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MailOutcome {
    /// The server took it, or there was nobody to send it to, which nobody is to learn.
    Sent,
    /// It is tried again.
    Postponed,
    /// It is not.
    GivenUp,
}

/// An operation's counters: requests answered 2xx, 3xx, 4xx and 5xx, and how long they took.
struct Operation {
    requests: [Counter; 4],
    seconds: Histogram,
}

struct OfStream {
    revision: Gauge,
    changed: Gauge,
    stuck: Gauge,
    lag: Histogram,
    rows: Counter,
}

/// What is looked at when somebody asks.
struct Now {
    ready: Gauge,
    edition_age: Gauge,
    database_up: Gauge,
    connections_idle: Gauge,
    connections_used: Gauge,
    connections_max: Gauge,
    connections_awaited: Gauge,
    sign_ins_waiting: Gauge,
    sign_ins_running: Gauge,
    imports_waiting: Gauge,
    imports_running: Gauge,
    resident_memory: Gauge,
    open_files: Gauge,
}

impl Metrics {
    /// Nothing is counted.
    pub fn off() -> Self {
        Self(None)
    }

    /// Everything is counted.
    pub fn on() -> anyhow::Result<Self> {
        let recorder = PrometheusBuilder::new()
            .set_buckets_for_metric(Matcher::Full(REQUEST_DURATION.to_owned()), &REQUEST_BUCKETS)?
            .set_buckets_for_metric(Matcher::Full(FOLLOWER_LAG.to_owned()), &LAG_BUCKETS)?
            .build_recorder();
        Ok(Self(Some(Recorded::new(&Register(recorder)))))
    }

    /// A request was answered: its head is about to be sent.
    pub fn answered(&self, method: &Method, route: Option<&str>, status: StatusCode, took: Duration) {
        let Some(recorded) = &self.0 else { return };
        let method = if *method == Method::HEAD { &Method::GET } else { method };
        let operations = route.and_then(|route| recorded.routes.get(route));
        let found = operations.and_then(|all| all.iter().find(|(of, _)| of == method));
        let operation = found.map_or(&recorded.no_operation, |(_, operation)| operation);
        operation.requests[usize::from(status.as_u16() / 100).clamp(2, 5) - 2].increment(1);
        operation.seconds.record(took);
    }

    /// A transaction that changed a stream can be read in this process, so long after it was numbered.
    pub fn published(&self, stream: Stream, lag: Duration) {
        if let Some(of) = self.of(stream) {
            of.lag.record(lag);
        }
    }

    /// Whether a stream cannot be read because of what is stored in it.
    pub fn note_stuck(&self, stream: Stream, stuck: bool) {
        if let Some(of) = self.of(stream) {
            of.stuck.set(u8::from(stuck));
        }
    }

    /// The database's history was found not to be the one that was followed.
    pub fn note_rewound(&self) {
        if let Some(recorded) = &self.0 {
            recorded.rewinds.increment(1);
        }
    }

    /// The follower had to connect again.
    pub fn note_follower_failure(&self) {
        if let Some(recorded) = &self.0 {
            recorded.follower_failures.increment(1);
        }
    }

    /// Rows of an import were committed.
    pub fn imported(&self, stream: Stream, rows: u64) {
        if let Some(of) = self.of(stream) {
            of.rows.increment(rows);
        }
    }

    /// A mail was sent, or was not.
    pub fn mailed(&self, outcome: MailOutcome) {
        if let Some(recorded) = &self.0 {
            recorded.mails[outcome as usize].increment(1);
        }
    }

    fn of(&self, stream: Stream) -> Option<&OfStream> {
        self.0.as_ref().and_then(|recorded| recorded.streams.get(&stream))
    }
}

/// Makes counters with their descriptions.
struct Register(PrometheusRecorder);

const METADATA: Metadata<'static> = Metadata::new("focalpoint", Level::INFO, None);

type Labels<'a> = &'a [(&'static str, &'a str)];

fn key(name: &'static str, labels: Labels<'_>) -> Key {
    Key::from_parts(name, labels.iter().map(|(name, value)| Label::new(*name, (*value).to_owned())).collect::<Vec<_>>())
}

impl Register {
    fn counter(&self, name: &'static str, labels: Labels<'_>, help: &'static str) -> Counter {
        self.0.describe_counter(name.into(), None, help.into());
        self.0.register_counter(&key(name, labels), &METADATA)
    }

    fn gauge(&self, name: &'static str, labels: Labels<'_>, help: &'static str) -> Gauge {
        self.0.describe_gauge(name.into(), None, help.into());
        self.0.register_gauge(&key(name, labels), &METADATA)
    }

    fn histogram(&self, name: &'static str, labels: Labels<'_>, help: &'static str) -> Histogram {
        self.0.describe_histogram(name.into(), None, help.into());
        self.0.register_histogram(&key(name, labels), &METADATA)
    }

    fn operation(&self, id: &str) -> Operation {
        let requests = ["2xx", "3xx", "4xx", "5xx"].map(|status| {
            let labels = [("operation", id), ("status", status)];
            self.counter(REQUESTS, &labels, "Requests answered, by operation and class of status.")
        });
        let help = "Seconds until the head of the answer was ready, by operation.";
        Operation { requests, seconds: self.histogram(REQUEST_DURATION, &[("operation", id)], help) }
    }

    fn stream(&self, stream: Stream) -> OfStream {
        let labels = [("stream", stream.name())];
        OfStream {
            revision: self.gauge("focalpoint_edition_revision", &labels, "The revision that is served, by stream."),
            changed: self.gauge(
                "focalpoint_edition_changed_timestamp_seconds",
                &labels,
                "When the newest change that is served was made, by the database's clock, by stream.",
            ),
            stuck: self.gauge(
                "focalpoint_edition_stuck",
                &labels,
                "1 while a stream is not followed because a stored row of it cannot be read, by stream.",
            ),
            lag: self.histogram(
                FOLLOWER_LAG,
                &labels,
                "Seconds from a transaction's getting its revision until this process serves it, by stream.",
            ),
            rows: self.counter(
                "focalpoint_import_rows_total",
                &labels,
                "Rows of imports that were committed by this process, by stream.",
            ),
        }
    }

    fn now(&self) -> Now {
        let gauge = |name, help| self.gauge(name, &[], help);
        let connections = |state| {
            let help = "Connections in the pool that requests share, by state.";
            self.gauge("focalpoint_database_connections", &[("state", state)], help)
        };
        Now {
            ready: gauge("focalpoint_ready", "1 while this process may be sent reads, as /readyz says."),
            edition_age: gauge(
                "focalpoint_edition_age_seconds",
                "Seconds since what is served was last known to be up to date.",
            ),
            database_up: gauge("focalpoint_database_up", "1 while the database is reached, as /readyz says."),
            connections_idle: connections("idle"),
            connections_used: connections("used"),
            connections_max: gauge("focalpoint_database_connections_max", "The most connections in the pool."),
            connections_awaited: gauge(
                "focalpoint_database_connections_awaited",
                "Requests that wait for a connection of the pool.",
            ),
            sign_ins_waiting: gauge("focalpoint_sign_ins_waiting", "Sign-ins that wait for their secret's check."),
            sign_ins_running: gauge("focalpoint_sign_ins_running", "Sign-ins whose secret is being checked."),
            imports_waiting: gauge("focalpoint_imports_waiting", "Imports that wait for their turn."),
            imports_running: gauge("focalpoint_imports_running", "Imports that have their turn."),
            resident_memory: gauge("process_resident_memory_bytes", "Resident memory."),
            open_files: gauge("process_open_fds", "Open files and sockets."),
        }
    }
}

impl Recorded {
    fn new(register: &Register) -> Self {
        let mut routes: HashMap<String, Vec<(Method, Operation)>> = HashMap::new();
        for (method, path, id) in contract::operations() {
            routes.entry(path).or_default().push((method, register.operation(&id)));
        }
        let started = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        register.gauge("process_start_time_seconds", &[], "When this process started.").set(started);
        let version = [("version", env!("CARGO_PKG_VERSION"))];
        register.gauge("focalpoint_build_info", &version, "Always 1; the label tells the release.").set(1);
        Self {
            handle: register.0.handle(),
            routes,
            no_operation: register.operation(NO_OPERATION),
            streams: Stream::PUBLISHED.into_iter().map(|stream| (stream, register.stream(stream))).collect(),
            rewinds: register.counter(
                "focalpoint_rewinds_total",
                &[],
                "How often the database's history was not the one that was followed: a backup restored, a failover.",
            ),
            follower_failures: register.counter(
                "focalpoint_follower_failures_total",
                &[],
                "How often the follower lost the database and connected again.",
            ),
            sign_ins_refused: register.counter(
                "focalpoint_sign_ins_refused_total",
                &[],
                "Sign-ins that were sent away (429) because too many waited.",
            ),
            imports_refused: register.counter(
                "focalpoint_imports_refused_total",
                &[],
                "Imports that were sent away (503) because others had the turns.",
            ),
            mails: ["sent", "postponed", "given_up"].map(|outcome| {
                let help = "Attempts of this process to send a mail, by what became of them.";
                register.counter("focalpoint_mails_total", &[("outcome", outcome)], help)
            }),
            now: register.now(),
        }
    }

    fn look(&self, state: &State) {
        let edition = state.store.edition();
        for (stream, of) in &self.streams {
            let Some(history) = edition.history(*stream) else { continue };
            of.revision.set(whole(history.head().rev));
            if let Some(newest) = history.steps().last() {
                of.changed.set(whole(newest.at.timestamp()));
            }
        }
        let now = &self.now;
        now.ready.set(u8::from(state.store.is_ready() && !state.store.is_draining()));
        now.edition_age.set(state.store.age());
        now.database_up.set(u8::from(health::is_database_up(state)));
        let pool = state.db.pool();
        now.connections_idle.set(count(pool.idle));
        now.connections_used.set(count(pool.used));
        now.connections_max.set(count(pool.max));
        now.connections_awaited.set(count(pool.awaited));
        let sign_ins = state.secrets.turns();
        now.sign_ins_waiting.set(count(sign_ins.waiting()));
        now.sign_ins_running.set(count(sign_ins.running()));
        self.sign_ins_refused.absolute(sign_ins.refused());
        let imports = &state.import_turns;
        now.imports_waiting.set(count(imports.waiting()));
        now.imports_running.set(count(imports.running()));
        self.imports_refused.absolute(imports.refused());
        if let Some(kilobytes) = resident_kilobytes() {
            now.resident_memory.set(f64::from(kilobytes) * 1024.0);
        }
        if let Ok(files) = std::fs::read_dir("/proc/self/fd") {
            now.open_files.set(count(files.count()));
        }
    }
}

/// No count of ours comes near 2^32.
fn count(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

/// Exact up to 2^53.
#[allow(clippy::cast_precision_loss)]
fn whole(n: i64) -> f64 {
    n as f64
}

/// Linux only; elsewhere the figure is 0.
fn resident_kilobytes() -> Option<u32> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.trim().strip_suffix(" kB")?.parse().ok()
}

/// Sums up what was observed, until `stop` says so.
pub async fn keep_up(state: web::Data<State>, mut stop: watch::Receiver<bool>) {
    let Some(recorded) = &state.metrics.0 else { return };
    loop {
        tokio::select! {
            () = tokio::time::sleep(UPKEEP) => recorded.handle.run_upkeep(),
            _ = stop.wait_for(|stop| *stop) => return,
        }
    }
}

/// The server of `/metrics`, and of nothing else.
pub fn server(state: web::Data<State>, listener: TcpListener) -> std::io::Result<actix_web::dev::Server> {
    let app = move || App::new().app_data(state.clone()).route("/metrics", web::get().to(answer));
    Ok(HttpServer::new(app)
        .workers(1)
        .client_request_timeout(Duration::from_secs(5))
        .disable_signals()
        .listen(listener)?
        .run())
}

async fn answer(state: web::Data<State>) -> HttpResponse {
    let Some(recorded) = &state.metrics.0 else { return HttpResponse::NotFound().finish() };
    recorded.look(&state);
    HttpResponse::Ok().content_type("text/plain; version=0.0.4; charset=utf-8").body(recorded.handle.render())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn samples(metrics: &Metrics) -> prometheus_parse::Scrape {
        let text = metrics.0.as_ref().unwrap().handle.render();
        prometheus_parse::Scrape::parse(text.lines().map(|line| Ok(line.to_owned()))).unwrap()
    }

    fn requests(metrics: &Metrics, operation: &str, status: &str) -> f64 {
        let scrape = samples(metrics);
        let of = |sample: &&prometheus_parse::Sample| {
            sample.metric == REQUESTS
                && sample.labels.get("operation") == Some(operation)
                && sample.labels.get("status") == Some(status)
        };
        match scrape.samples.iter().find(of).unwrap().value {
            prometheus_parse::Value::Counter(n) => n,
            ref other => panic!("{other:?}"),
        }
    }

    #[test]
    fn requests_are_counted_by_operation_and_class_of_status() {
        let metrics = Metrics::on().unwrap();
        let tell = |method: &Method, route, status: u16| {
            metrics.answered(method, route, StatusCode::from_u16(status).unwrap(), Duration::from_millis(3));
        };
        tell(&Method::GET, Some("/v1/directory/people/{id}"), 200);
        tell(&Method::HEAD, Some("/v1/directory/people/{id}"), 304);
        tell(&Method::POST, Some("/v1/directory/people/{id}"), 405);
        tell(&Method::GET, None, 404);
        assert_eq!(requests(&metrics, "get_person", "2xx"), 1.0);
        assert_eq!(requests(&metrics, "get_person", "3xx"), 1.0);
        assert_eq!(requests(&metrics, "get_person", "4xx"), 0.0);
        assert_eq!(requests(&metrics, NO_OPERATION, "4xx"), 2.0);
    }
}
