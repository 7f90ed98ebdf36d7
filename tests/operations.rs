//! What operators rely on: metrics, traces, settings, and a page that tells all of it.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Output;
use std::time::Duration;

use api::command_line::Cli;
use api::config::Config;
use clap::CommandFactory;
use domain::Role;
use prometheus_parse::{Scrape, Value};

use crate::harness::rows::organization;
use crate::harness::{Database, Who, World, config, http_client, program, top};

async fn counted() -> World {
    let database = Database::empty().await;
    let config = Config { metrics_listen: Some("127.0.0.1:0".parse().unwrap()), ..config(&database.url) };
    World { server: api::start(config).await.unwrap(), http: http_client(), database }
}

async fn text(world: &World) -> String {
    let url = format!("http://{}/metrics", world.server.metrics_address.unwrap());
    let reply = world.http.get(url).send().await.unwrap();
    assert_eq!(reply.headers()["content-type"], "text/plain; version=0.0.4; charset=utf-8");
    reply.text().await.unwrap()
}

pub(crate) async fn scrape(world: &World) -> Scrape {
    let text = text(world).await;
    Scrape::parse(text.lines().map(|line| Ok(line.to_owned()))).unwrap()
}

/// A sample by its name and labels, `name{label="value"}` as far as given; of a histogram, its count.
#[track_caller]
pub(crate) fn sample(scrape: &Scrape, name: &str, labels: &[(&str, &str)]) -> f64 {
    let fits = |sample: &&prometheus_parse::Sample| {
        sample.metric == name && labels.iter().all(|(label, value)| sample.labels.get(label) == Some(value))
    };
    match &scrape.samples.iter().find(fits).unwrap_or_else(|| panic!("no {name} {labels:?}")).value {
        Value::Counter(n) | Value::Gauge(n) | Value::Untyped(n) => *n,
        Value::Histogram(buckets) => buckets.last().unwrap().count,
        Value::Summary(_) => panic!("{name} is a summary"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn metrics_tell_what_happens_at_an_address_of_their_own() {
    let world = counted().await;
    let reply = world.have("directory", &[organization("o"), organization("p")]).await;
    assert_eq!(reply.header("sync-rev"), Some("directory=1"));
    assert_eq!(world.get("/metrics", Who::Stranger).await.problem(404), "not_found");
    let scrape = scrape(&world).await;
    let of = |name, labels: &[_]| sample(&scrape, name, labels);
    assert_eq!(of("focalpoint_http_requests_total", &[("operation", "import_directory"), ("status", "2xx")]), 1.0);
    assert_eq!(of("focalpoint_http_requests_total", &[("operation", "none"), ("status", "4xx")]), 1.0);
    assert_eq!(of("focalpoint_http_request_duration_seconds", &[("operation", "import_directory")]), 1.0);
    assert_eq!(of("focalpoint_import_rows_total", &[("stream", "directory")]), 2.0);
    assert_eq!(of("focalpoint_edition_revision", &[("stream", "directory")]), 1.0);
    assert_eq!(of("focalpoint_edition_revision", &[("stream", "notes")]), 0.0);
    assert_eq!(of("focalpoint_follower_lag_seconds", &[("stream", "directory")]), 1.0);
    assert!(of("focalpoint_edition_age_seconds", &[]) < 2.0);
    assert_eq!((of("focalpoint_ready", &[]), of("focalpoint_database_up", &[])), (1.0, 1.0));
    assert_eq!(of("focalpoint_database_connections_max", &[]), 4.0);
    assert!(of("focalpoint_database_connections", &[("state", "idle")]) >= 1.0);
    assert!(of("process_resident_memory_bytes", &[]) > 1e6);
    let now = chrono::Utc::now().timestamp();
    let changed = of("focalpoint_edition_changed_timestamp_seconds", &[("stream", "directory")]);
    assert!((changed - f64::from(u32::try_from(now).unwrap())).abs() < 60.0, "{changed}");
    world.server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn sign_ins_in_a_queue_are_told() {
    let world = counted().await;
    let sign_in = || {
        let request = world.request(reqwest::Method::POST, "/oauth/token", Who::Stranger);
        let request = request.basic_auth(uuid::Uuid::now_v7(), Some("x"));
        let form = request.header("content-type", "application/x-www-form-urlencoded");
        tokio::spawn(form.body("grant_type=client_credentials").send())
    };
    let sign_ins: Vec<_> = (0..200).map(|_| sign_in()).collect();
    let mut most = (0.0_f64, 0.0_f64);
    while most.0 < 2.0 || most.1 < 1.0 {
        let scrape = scrape(&world).await;
        most.0 = most.0.max(sample(&scrape, "focalpoint_sign_ins_running", &[]));
        most.1 = most.1.max(sample(&scrape, "focalpoint_sign_ins_waiting", &[]));
        assert!(!sign_ins.iter().all(tokio::task::JoinHandle::is_finished), "{most:?}");
    }
    let mut refused = 0;
    for sign_in in sign_ins {
        refused += u32::from(sign_in.await.unwrap().unwrap().status() == 429);
    }
    let scrape = scrape(&world).await;
    assert_eq!(sample(&scrape, "focalpoint_sign_ins_refused_total", &[]), f64::from(refused));
    assert_eq!(sample(&scrape, "focalpoint_sign_ins_waiting", &[]), 0.0);
    world.server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trace_that_a_caller_began_is_told_back_and_junk_is_not() {
    let world = World::empty().await;
    let ask = async |headers: &[(&'static str, &str)]| {
        let mut request = world.request(reqwest::Method::GET, "/v1/inf-notes", Who::Stranger);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        world.send(request).await.expect(200)
    };
    let given = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let reply = ask(&[("traceparent", given), ("tracestate", "vendor=opaque")]).await;
    let told: Vec<&str> = reply.header("traceresponse").unwrap().split('-').collect();
    assert_eq!((told[0], told[1], told[3]), ("00", "4bf92f3577b34da6a3ce929d0e0e4736", "01"));
    let request_id = reply.header("x-request-id").unwrap().replace('-', "");
    assert_eq!(told[2], &request_id[16..], "the span is the request's");
    assert_eq!(reply.header("tracestate"), None);
    let two = [("traceparent", given), ("traceparent", given)];
    for headers in [&[][..], &[("traceparent", "junk")], &[("traceparent", &given[..54])], &two] {
        assert_eq!(ask(headers).await.header("traceresponse"), None, "{headers:?}");
    }
}

fn told(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn every_wrong_setting_is_named_at_once_and_no_secret_is() {
    let environment = [
        ("DATABASE_URL", "postgres://me:hush@db.example:70000/focalpoint"),
        ("FOCALPOINT_LISTEN", "everywhere"),
        ("FOCALPOINT_WORKERS", "0"),
        ("FOCALPOINT_SHUTDOWN_SECONDS", "soon"),
        ("FOCALPOINT_DATABASE_CONNECTIONS", "1"),
        ("FOCALPOINT_IMPORT_LIMIT", "12"),
        ("FOCALPOINT_BASE_URL", "http://focalpoint.example"),
        ("FOCALPOINT_LOG", "inof"),
    ];
    let output = program().arg("serve").envs(environment).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    let told = told(&output);
    for (variable, _) in environment {
        assert_eq!(told.matches(variable).count(), 1, "{variable}: {told}");
    }
    assert_eq!(told.lines().count(), environment.len() + 2, "{told}");
    assert!(!told.contains("hush") && told.contains("must be https"), "{told}");
}

#[test]
fn a_variable_set_to_nothing_is_not_set() {
    let environment = [("FOCALPOINT_LISTEN", ""), ("FOCALPOINT_WORKERS", ""), ("FOCALPOINT_DEMO", "")];
    let output = program().arg("serve").envs(environment).env("DATABASE_URL", "").output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    let told = told(&output);
    assert!(told.contains("DATABASE_URL") && told.contains("must be given") && told.lines().count() == 3, "{told}");
}

#[test]
fn a_database_that_is_not_there_is_named_without_its_password() {
    let url = "postgres://me:hush@127.0.0.1:1/focalpoint";
    for command in ["serve", "migrate"] {
        let output = program().arg(command).env("DATABASE_URL", url).output().unwrap();
        let told = told(&output);
        assert_eq!(output.status.code(), Some(1), "{told}");
        assert!(told.contains("database focalpoint at 127.0.0.1:1 as role me") && !told.contains("hush"), "{told}");
        assert!(told.contains("refused"), "{told}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_is_found_healthy_until_it_is_gone() {
    let world = World::empty().await;
    let check = |url: String| program().args(["health", "--url", &url]).output().unwrap();
    let url = format!("{}/readyz", world.server.url());
    let output = check(url.clone());
    assert!(output.status.success(), "{}", told(&output));
    assert!(told(&check(format!("{}/nothing", world.server.url()))).contains("404"));
    world.server.stop().await.unwrap();
    let output = check(url);
    assert_eq!(output.status.code(), Some(1));
    assert!(told(&output).contains("cannot be reached"), "{}", told(&output));
}

fn page() -> String {
    std::fs::read_to_string(top().join("docs/production.md")).unwrap()
}

#[test]
fn every_setting_is_on_the_page_with_its_variable_and_default() {
    fn walk(command: &clap::Command, page: &str, missing: &mut Vec<String>) {
        for arg in command.get_arguments().filter(|arg| arg.get_long().is_some_and(|long| long != "help")) {
            let flag = format!("`--{}`", arg.get_long().unwrap());
            let row = page.lines().find(|line| line.starts_with(&format!("| {flag} ")));
            let variable = arg.get_env().map(|variable| format!("`{}`", variable.to_string_lossy()));
            let default = arg.get_default_values().first().map(|value| value.to_string_lossy().into_owned());
            let default = default.filter(|_| variable.is_some());
            let parts = variable.into_iter().chain(default);
            if arg.get_long() != Some("version")
                && !row.is_some_and(|row| parts.clone().all(|part| row.contains(&part)))
            {
                missing.push(format!("{flag} {:?}", parts.collect::<Vec<_>>()));
            }
        }
        command.get_subcommands().for_each(|command| walk(command, page, missing));
    }
    let mut missing = Vec::new();
    walk(&Cli::command(), &page(), &mut missing);
    assert_eq!(missing, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn every_metric_is_on_the_page_and_every_metric_on_the_page_is_there() {
    let world = counted().await;
    let _ = world.token(Role::Delegate).await;
    let text = text(&world).await;
    let kinds: BTreeMap<&str, &str> =
        text.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split_once(' ')).collect();
    let helped: BTreeSet<&str> =
        text.lines().filter_map(|line| Some(line.strip_prefix("# HELP ")?.split_once(' ')?.0)).collect();
    assert_eq!(kinds.keys().copied().collect::<BTreeSet<_>>(), helped, "each has a type and a help text");
    let page = page();
    let rows: BTreeMap<&str, &str> = page
        .lines()
        .filter_map(|line| {
            let mut cells = line.strip_prefix("| `")?.split('|').map(str::trim);
            Some((cells.next()?.split('`').next()?, cells.next()?))
        })
        .filter(|(name, _)| name.starts_with("focalpoint_") || name.starts_with("process_"))
        .collect();
    assert_eq!(rows, kinds, "the page's table is of these metrics and kinds");
    for (name, kind) in kinds {
        assert_eq!(name.ends_with("_total"), kind == "counter", "{name}");
    }
    world.server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_lag_is_from_a_transactions_revision_to_its_being_served() {
    let world = counted().await;
    let psql = world.database.psql().await;
    world.have("directory", &[organization("o")]).await;
    // Numbered, and then held back for longer than any hint takes.
    psql.batch_execute("begin; update organization set name = '{\"en\": \"New\"}'; set constraints all immediate")
        .await
        .unwrap();
    tokio::time::sleep(Duration::from_millis(600)).await;
    psql.batch_execute("commit").await.unwrap();
    world
        .get("/v1/directory/organizations?min_rev=directory%3D2", Who::Token(&world.token(Role::Admin).await))
        .await
        .expect(200);
    let text = text(&world).await;
    let bucket = |le: &str| {
        let line = format!("focalpoint_follower_lag_seconds_bucket{{stream=\"directory\",le=\"{le}\"}} ");
        text.lines().find_map(|l| l.strip_prefix(&line)).unwrap_or_else(|| panic!("{text}")).parse::<u32>().unwrap()
    };
    assert_eq!((bucket("0.5"), bucket("5")), (1, 2));
    world.server.stop().await.unwrap();
}

/// The program serving, which ends with this value, and what it has logged until it was stopped.
struct Serving {
    child: std::process::Child,
    lines: std::sync::mpsc::Receiver<serde_json::Value>,
    seen: Vec<serde_json::Value>,
}

impl Serving {
    fn start(database: &Database, environment: &[(&str, &str)]) -> Self {
        use std::io::{BufRead, BufReader};
        let mut child = program()
            .args(["serve", "--allow-unsafe-postgres", "--listen=127.0.0.1:0"])
            .env("DATABASE_URL", &database.url)
            .envs(environment.iter().copied())
            .stdout(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        let out = BufReader::new(child.stdout.take().unwrap());
        let (tell, lines) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            for line in out.lines().map_while(Result::ok) {
                let _ = tell.send(serde_json::from_str(&line).unwrap());
            }
        });
        Self { child, lines, seen: Vec::new() }
    }

    /// Waits for a line with this message.
    fn line(&mut self, message: &str) -> serde_json::Value {
        loop {
            let line = self.lines.recv_timeout(Duration::from_secs(20)).unwrap();
            self.seen.push(line.clone());
            if line["fields"]["message"] == message {
                return line;
            }
        }
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_line_of_the_log_has_the_trace_and_never_the_query() {
    let database = Database::empty().await;
    let mut serving = Serving::start(&database, &[("FOCALPOINT_LISTN", "x"), ("FOCALPOINT_WORKERS", "1")]);
    let ready = serving.line("ready");
    let logged = |serving: &Serving, field: &str, value: &str| {
        serving.seen.iter().any(|line| line["level"] == "WARN" && line["fields"][field] == value)
    };
    assert!(logged(&serving, "variable", "FOCALPOINT_LISTN"), "a variable that no setting has");
    assert!(logged(&serving, "role", "focalpoint"), "the role owns the schema");
    let url = format!("http://{}/v1/inf-notes?q=hush", ready["fields"]["address"].as_str().unwrap());
    let trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    http_client().get(&url).header("traceparent", trace).send().await.unwrap();
    http_client().get(&url).send().await.unwrap();
    let (traced, untraced) = (serving.line("request")["fields"].clone(), serving.line("request")["fields"].clone());
    assert_eq!(traced["trace_id"], "4bf92f3577b34da6a3ce929d0e0e4736");
    assert_eq!(traced["parent_id"], "00f067aa0ba902b7");
    assert_eq!(traced["span_id"].as_str().unwrap(), &traced["request_id"].as_str().unwrap().replace('-', "")[16..]);
    assert_eq!((traced["route"].as_str(), traced["status"].as_u64()), (Some("/v1/inf-notes"), Some(200)));
    assert_eq!(untraced["trace_id"], serde_json::Value::Null);
    assert!(!format!("{:?}", serving.seen).contains("hush"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_level_of_the_log_is_as_it_was_asked_for() {
    let database = Database::empty().await;
    let mut serving = Serving::start(&database, &[("FOCALPOINT_LOG", "warn,api::server=info")]);
    let ready = serving.line("ready");
    let url = format!("http://{}/healthz", ready["fields"]["address"].as_str().unwrap());
    http_client().get(&url).send().await.unwrap();
    let pid = serving.child.id().to_string();
    assert!(std::process::Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
    serving.line("stopped");
    assert!(!serving.seen.iter().any(|line| line["fields"]["message"] == "request"), "{:?}", serving.seen);
    assert!(serving.child.wait().unwrap().success());
}
