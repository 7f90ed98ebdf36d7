//! How the server is started: by flags or by the environment.

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use clap::{ArgMatches, Args, Id};
use secrecy::SecretString;

use crate::edge::Edge;
use crate::mail::MailSettings;

/// Which database.
#[derive(Debug, Clone, Args)]
pub struct Database {
    /// Postgres 15 or later, as postgres://user:password@host/database. A transaction-mode pooler in
    /// between breaks LISTEN. Add sslmode=require for TLS.
    #[arg(long, env = "DATABASE_URL", hide_env_values = true, value_parser = database_url)]
    pub database_url: SecretString,
}

/// How to serve.
#[derive(Debug, Clone, Args)]
pub struct Config {
    /// Which database.
    #[command(flatten)]
    pub database: Database,
    /// A streaming standby of that database, written alike: what is published is then read there, which spares the
    /// primary. Who may call, and everything that is written, stays with the primary.
    #[arg(long, env = "FOCALPOINT_STANDBY_URL", hide_env_values = true, value_parser = database_url)]
    pub standby_url: Option<SecretString>,
    /// The address to listen on.
    #[arg(long, env = "FOCALPOINT_LISTEN", default_value = "127.0.0.1:8080")]
    pub listen: SocketAddr,
    /// How clients reach this server, without a slash at the end: the issuer of its tokens and the
    /// start of every absolute URL. The same for all processes. https:// unless it is this machine's own
    /// address. Default: http:// and the address.
    #[arg(long, env = "FOCALPOINT_BASE_URL", value_parser = base_url)]
    pub base_url: Option<String>,
    /// The address at which Prometheus finds /metrics; nothing is counted without it. Not for strangers.
    #[arg(long, env = "FOCALPOINT_METRICS_LISTEN")]
    pub metrics_listen: Option<SocketAddr>,
    /// The most connections to Postgres that requests share.
    #[arg(long, env = "FOCALPOINT_DATABASE_CONNECTIONS", default_value_t = 10, value_parser = clap::value_parser!(u16).range(2..=500))]
    pub database_connections: u16,
    /// Threads that answer requests. Default: one for each core.
    #[arg(long, env = "FOCALPOINT_WORKERS", value_parser = clap::value_parser!(u16).range(1..=512))]
    pub workers: Option<u16>,
    /// Fill an empty database with demonstration data, people, an app and services. Never for real people: mails are
    /// shown to everybody, and services may have people's roles.
    #[arg(long, env = "FOCALPOINT_DEMO")]
    pub demo: bool,
    /// Where the demonstration data is.
    #[arg(long, env = "FOCALPOINT_DEMO_DATA", default_value = "data/demonstration")]
    pub demo_data: PathBuf,
    /// Where to write the passwords and secrets of the demonstration's people and services.
    #[arg(long, env = "FOCALPOINT_DEMO_CREDENTIALS", default_value = "var/demo.json")]
    pub demo_credentials: PathBuf,
    /// Start although Postgres is set to lose what it acknowledged (fsync, full_page_writes or
    /// synchronous_commit off). For tests only.
    #[arg(long, env = "FOCALPOINT_ALLOW_UNSAFE_POSTGRES")]
    pub allow_unsafe_postgres: bool,
    /// The largest import, in bytes.
    #[arg(long, env = "FOCALPOINT_IMPORT_LIMIT", default_value_t = 32 * 1024 * 1024, value_parser = clap::value_parser!(u64).range(1024..=4 * 1024 * 1024 * 1024))]
    pub import_limit: u64,
    /// Seconds after SIGTERM in which requests are still taken while /readyz is 503 already: as long as a
    /// load balancer needs to notice.
    #[arg(long, env = "FOCALPOINT_DRAIN_SECONDS", default_value_t = 2, value_parser = clap::value_parser!(u64).range(0..=600))]
    pub drain_seconds: u64,
    /// Seconds in which requests under way may then end.
    #[arg(long, env = "FOCALPOINT_SHUTDOWN_SECONDS", default_value_t = 25, value_parser = clap::value_parser!(u64).range(1..=600))]
    pub shutdown_seconds: u64,
    /// Limits, proxies, other origins, security.txt.
    #[command(flatten)]
    pub edge: Edge,
    /// How mails are sent.
    #[command(flatten)]
    pub mail: MailSettings,
}

impl Config {
    /// How clients reach this server.
    pub fn base_url(&self) -> String {
        self.base_url.clone().unwrap_or_else(|| format!("http://{}", self.listen))
    }
}

pub(crate) fn base_url(url: &str) -> Result<String, String> {
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
    match rest {
        Some(host) if !host.is_empty() && !url.ends_with('/') && !url.contains(['?', '#', ' ']) => Ok(url.to_owned()),
        _ => Err("must be http:// or https:// and a host, without a slash at the end".to_owned()),
    }
}

fn database_url(url: &str) -> Result<SecretString, String> {
    persistence::db::check_url(url).map(|()| url.to_owned().into())
}

/// What was given for `serve`, some of it perhaps unreadable: that was told already and is not judged again.
pub struct Given<'a> {
    /// What was given.
    pub matches: &'a ArgMatches,
    /// What of it cannot be read.
    pub faulty: &'a BTreeSet<Id>,
}

impl Given<'_> {
    /// Whether this argument could be read.
    pub fn is_sound(&self, id: &str) -> bool {
        !self.faulty.iter().any(|faulty| faulty == id)
    }

    /// An argument, where it is given and could be read.
    pub fn get<T: Clone + Send + Sync + 'static>(&self, id: &str) -> Option<T> {
        self.is_sound(id).then(|| self.matches.try_get_one::<T>(id).ok().flatten().cloned()).flatten()
    }

    /// An argument that may be repeated; empty where it could not be read.
    pub fn all<T: Clone + Send + Sync + 'static>(&self, id: &str) -> Vec<T> {
        let given = self.is_sound(id).then(|| self.matches.try_get_many::<T>(id).ok().flatten()).flatten();
        given.into_iter().flatten().cloned().collect()
    }

    /// What is wrong with settings taken together, or with the machine they speak of: each by its argument.
    pub fn faults(&self) -> Vec<(&'static str, String)> {
        let mut faults = Vec::new();
        let demo = self.get::<bool>("demo");
        let listen = self.get::<SocketAddr>("listen");
        match (self.get::<String>("base_url"), listen, demo) {
            (Some(url), _, Some(false)) if url.starts_with("http://") && !is_loopback(&url) => {
                faults.push(("base_url", format!("must be https://, since tokens travel there: {url}")));
            }
            (None, Some(listen), Some(false)) if !self.given("base_url") && !listen.ip().is_loopback() => {
                faults.push(("base_url", format!("must be given, since clients do not reach the server by {listen}")));
            }
            _ => {}
        }
        if let (Some(listen), Some(metrics)) = (listen, self.get::<SocketAddr>("metrics_listen")) {
            let everywhere = |address: IpAddr| address.is_unspecified();
            let overlap = listen.ip() == metrics.ip() || everywhere(listen.ip()) || everywhere(metrics.ip());
            if overlap && listen.port() == metrics.port() && listen.port() != 0 {
                faults.push(("metrics_listen", format!("must be another address than the API's: {metrics}")));
            }
        }
        if let (Some(true), Some(data)) = (demo, self.get::<PathBuf>("demo_data"))
            && !data.is_dir()
        {
            faults.push(("demo_data", format!("is not a folder: {}", data.display())));
        }
        if self.get::<SecretString>("smtp_url").is_some() && self.get::<String>("mail_from").is_none() {
            faults.push(("mail_from", "must be given with --smtp-url: who mails come from".to_owned()));
        }
        if let Err(cause) = tempfile::tempfile() {
            let folder = std::env::temp_dir();
            let why = format!("imports are kept in {} (TMPDIR) while they arrive: {cause}", folder.display());
            faults.push(("import_limit", why));
        }
        faults
    }

    fn given(&self, id: &str) -> bool {
        self.matches.try_contains_id(id).unwrap_or(true)
    }
}

/// Whether a URL leads to this machine alone.
pub(crate) fn is_loopback(url: &str) -> bool {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = rest.split('/').next().unwrap_or_default();
    let host = match authority.strip_prefix('[') {
        Some(v6) => v6.split(']').next().unwrap_or_default(),
        None => authority.split(':').next().unwrap_or_default(),
    };
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}
