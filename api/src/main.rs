//! The `focalpoint` program.

use std::io::Write;
use std::process::ExitCode;

use anyhow::{Context, ensure};
use secrecy::ExposeSecret;
use tracing_subscriber::EnvFilter;
use uuid::Uuid;

use api::command_line::{self, Cli, ClientCommand, Command, CreateClient, Migrate};
use api::identity::secrets;
use api::probe;
use domain::{ClientId, Kind, MissionId};
use persistence::clients::{self, NewClient};
use persistence::{Db, db, migrations, roles};

#[tokio::main]
async fn main() -> ExitCode {
    let cli = command_line::read(std::env::args_os().collect()).unwrap_or_else(|refusal| refusal.exit());
    match run(cli).await {
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
        Command::Serve(config) => {
            let variables = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok());
            for variable in command_line::unknown_variables(variables) {
                tracing::warn!(variable, "an environment variable that no setting has");
            }
            api::start(*config).await?.run_until(terminated()).await
        }
        Command::Migrate(wanted) => migrate(wanted).await,
        Command::Client(ClientCommand::Create(wanted)) => create_client(wanted).await,
        Command::Health(wanted) => probe::check(&wanted.url()),
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

async fn migrate(wanted: Migrate) -> anyhow::Result<()> {
    let url = wanted.database.database_url.expose_secret();
    let db = Db::new(url, 2)?;
    let connect = async || db.dedicated().await.with_context(|| db::place(url));
    let ran = migrations::run(connect().await?).await?;
    match ran.is_empty() {
        true => tracing::info!("the schema is up to date"),
        false => tracing::info!(?ran, "migrated"),
    }
    if let Some(role) = wanted.grant_to {
        roles::grant(&mut connect().await?, &role).await.with_context(|| format!("--grant-to {role}"))?;
        tracing::info!(role, "has what serving needs");
    }
    Ok(())
}

async fn create_client(wanted: CreateClient) -> anyhow::Result<()> {
    ensure!(wanted.role.is_of_a_service(), "--role must be integrator or importer: other roles are people's");
    ensure!(
        wanted.role.is_of_a_mission() == wanted.mission.is_some(),
        "--mission is needed for integrator, and for no other role"
    );
    let db = Db::new(wanted.database.database_url.expose_secret(), 2)?;
    if let Some(mission) = wanted.mission {
        let known = db.read(async move |conn| persistence::imports::exists(conn, Kind::Mission, mission).await).await?;
        ensure!(known, "there is no mission with this id");
    }
    let secret = secrets::generate()?;
    let secret_hash = secrets::hash(&secret)?;
    let client = NewClient {
        id: ClientId(Uuid::now_v7()),
        name: wanted.name,
        role: wanted.role,
        mission: wanted.mission.map(MissionId),
        scopes: None,
        secret_hash,
    };
    let credentials = serde_json::json!({ "client_id": client.id, "client_secret": secret.expose_secret() });
    db.write(async move |conn| clients::insert(conn, &client).await).await?;
    print(&format!("{credentials:#}\n"))
}

/// To standard output; whoever closes the pipe early has read enough.
fn print(text: &str) -> anyhow::Result<()> {
    match std::io::stdout().lock().write_all(text.as_bytes()) {
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        other => Ok(other?),
    }
}
