//! The `focalpoint` program.

use std::io::Write;
use std::process::ExitCode;

use anyhow::Context;
use clap::{Args, Parser, Subcommand};
use secrecy::ExposeSecret;
use tracing_subscriber::EnvFilter;
use uuid::Uuid;

use api::config::{Config, Database};
use api::identity::secrets;
use domain::{ClientId, Kind, MissionId, Role};
use persistence::identity::{Client, insert_client};
use persistence::{Db, migrations};

/// Focalpoint: the backend of the app for delegates to the United Nations.
#[derive(Parser)]
#[command(version)]
struct Cli {
    /// What to log: error, warn, info, debug or trace, or directives such as info,actix_http=debug.
    #[arg(long, env = "FOCALPOINT_LOG", default_value = "info,actix_http=off", global = true)]
    log: String,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Serve the API.
    Serve(Box<Config>),
    /// Bring the database's schema up to this release.
    Migrate(Database),
    /// Manage the clients that may ask for tokens.
    #[command(subcommand)]
    Client(ClientCommand),
    /// Print the contract, openapi.yaml.
    Openapi,
}

#[derive(Subcommand)]
enum ClientCommand {
    /// Add a client and print its id and secret, which cannot be shown again.
    Create(CreateClient),
}

#[derive(Args)]
struct CreateClient {
    #[command(flatten)]
    database: Database,
    /// delegate, integrator, editor, security_officer, approver or admin.
    #[arg(long, value_parser = |name: &str| Role::parse(name))]
    role: Role,
    /// The id of the mission it belongs to; needed for delegate and integrator.
    #[arg(long)]
    mission: Option<Uuid>,
    /// What to call it.
    #[arg(long, default_value = "created on the command line")]
    name: String,
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(Cli::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // The chain of causes, and no backtrace: it is the operator who reads this.
            let _ = writeln!(std::io::stderr(), "focalpoint: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(cli: Cli) -> anyhow::Result<()> {
    tracing_subscriber::fmt()
        .json()
        .with_env_filter(EnvFilter::try_new(&cli.log).context("--log")?)
        .with_writer(std::io::stdout)
        .init();
    match cli.command {
        Command::Serve(config) => api::start(*config).await?.run_until(terminated()).await,
        Command::Migrate(database) => migrate(&database).await,
        Command::Client(ClientCommand::Create(wanted)) => create_client(wanted).await,
        Command::Openapi => print(&api::contract::document().to_yaml()?),
    }
}

/// Ends with SIGTERM or SIGINT.
async fn terminated() {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate()).expect("SIGTERM can be waited for");
    tokio::select! {
        _ = terminate.recv() => {}
        _ = tokio::signal::ctrl_c() => {}
    }
}

async fn migrate(database: &Database) -> anyhow::Result<()> {
    let db = Db::new(database.database_url.expose_secret(), 2)?;
    let ran = migrations::run(db.dedicated().await.context("the database cannot be reached")?).await?;
    match ran.is_empty() {
        true => tracing::info!("the schema is up to date"),
        false => tracing::info!(?ran, "migrated"),
    }
    Ok(())
}

async fn create_client(wanted: CreateClient) -> anyhow::Result<()> {
    anyhow::ensure!(
        wanted.role.is_of_a_mission() == wanted.mission.is_some(),
        "--mission is needed for delegate and integrator, and for no other role"
    );
    let db = Db::new(wanted.database.database_url.expose_secret(), 2)?;
    if let Some(mission) = wanted.mission {
        let known = db.read(async move |conn| persistence::imports::exists(conn, Kind::Mission, mission).await).await?;
        anyhow::ensure!(known, "there is no mission with this id");
    }
    let secret = secrets::generate()?;
    let hash = secrets::hash(&secret)?;
    let client = Client {
        id: ClientId(Uuid::now_v7()),
        name: wanted.name,
        role: wanted.role,
        mission: wanted.mission.map(MissionId),
        enabled: true,
    };
    let credentials = serde_json::json!({ "client_id": client.id, "client_secret": secret.expose_secret() });
    db.write(async move |conn| insert_client(conn, &client, &hash).await).await?;
    print(&format!("{credentials:#}\n"))
}

/// To standard output; whoever closes the pipe early has read enough.
fn print(text: &str) -> anyhow::Result<()> {
    match std::io::stdout().lock().write_all(text.as_bytes()) {
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        other => Ok(other?),
    }
}
