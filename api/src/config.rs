//! How the server is started: by flags or by the environment.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Args;
use secrecy::SecretString;

use crate::edge::Edge;

/// Which database.
#[derive(Debug, Clone, Args)]
pub struct Database {
    /// Postgres 15 or later, as postgres://user:password@host/database. A transaction-mode pooler in
    /// between breaks LISTEN. Add sslmode=require for TLS.
    #[arg(long, env = "DATABASE_URL", hide_env_values = true)]
    pub database_url: SecretString,
}

/// How to serve.
#[derive(Debug, Clone, Args)]
pub struct Config {
    /// Which database.
    #[command(flatten)]
    pub database: Database,
    /// The address to listen on.
    #[arg(long, env = "FOCALPOINT_LISTEN", default_value = "127.0.0.1:8080")]
    pub listen: SocketAddr,
    /// How clients reach this server, without a slash at the end: the issuer of its tokens and the
    /// start of every absolute URL. The same for all processes. Default: http:// and the address.
    #[arg(long, env = "FOCALPOINT_BASE_URL", value_parser = base_url)]
    pub base_url: Option<String>,
    /// The most connections to Postgres that requests share.
    #[arg(long, env = "FOCALPOINT_DATABASE_CONNECTIONS", default_value_t = 10, value_parser = clap::value_parser!(u16).range(2..=500))]
    pub database_connections: u16,
    /// Threads that answer requests. Default: one for each core.
    #[arg(long, env = "FOCALPOINT_WORKERS")]
    pub workers: Option<usize>,
    /// Fill an empty database with demonstration data and clients.
    #[arg(long, env = "FOCALPOINT_DEMO")]
    pub demo: bool,
    /// Where the demonstration data is.
    #[arg(long, env = "FOCALPOINT_DEMO_DATA", default_value = "data/demonstration")]
    pub demo_data: PathBuf,
    /// Where to write the demonstration clients' credentials.
    #[arg(long, env = "FOCALPOINT_DEMO_CREDENTIALS", default_value = "var/demo.json")]
    pub demo_credentials: PathBuf,
    /// Start although Postgres is set to lose what it acknowledged (fsync, full_page_writes or
    /// synchronous_commit off). For tests only.
    #[arg(long, env = "FOCALPOINT_ALLOW_UNSAFE_POSTGRES")]
    pub allow_unsafe_postgres: bool,
    /// The largest import, in bytes.
    #[arg(long, env = "FOCALPOINT_IMPORT_LIMIT", default_value_t = 32 * 1024 * 1024)]
    pub import_limit: u64,
    /// Seconds after SIGTERM in which requests are still taken while /readyz is 503 already: as long as a
    /// load balancer needs to notice.
    #[arg(long, env = "FOCALPOINT_DRAIN_SECONDS", default_value_t = 2)]
    pub drain_seconds: u64,
    /// Seconds in which requests under way may then end.
    #[arg(long, env = "FOCALPOINT_SHUTDOWN_SECONDS", default_value_t = 25)]
    pub shutdown_seconds: u64,
    /// Limits, proxies, other origins, security.txt.
    #[command(flatten)]
    pub edge: Edge,
}

impl Config {
    /// How clients reach this server.
    pub fn base_url(&self) -> String {
        self.base_url.clone().unwrap_or_else(|| format!("http://{}", self.listen))
    }
}

fn base_url(url: &str) -> Result<String, String> {
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
    match rest {
        Some(host) if !host.is_empty() && !url.ends_with('/') && !url.contains(['?', '#', ' ']) => Ok(url.to_owned()),
        _ => Err("must be http:// or https:// and a host, without a slash at the end".to_owned()),
    }
}
