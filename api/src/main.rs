//! The `focalpoint` program.

use std::io::Write;
use std::process::ExitCode;

use anyhow::Context;
use secrecy::ExposeSecret;
use tracing_subscriber::EnvFilter;

use api::command_line::{self, AccountCommand, AppCommand, Cli, ClientCommand, Command, KeysCommand, Migrate};
use api::lines::Lines;
use api::{operator, probe};
use persistence::{Db, db, migrations, roles};

/// A request allocates some fifty times, and this does it in less than half the system allocator's time.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

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
    let filter = EnvFilter::try_new(&cli.log).context("--log")?;
    // What is logged is written when this ends.
    let (lines, _writing) = Lines::to(std::io::stdout()).context("no thread could be started")?;
    tracing_subscriber::fmt().json().with_env_filter(filter).with_writer(lines.clone()).init();
    lines.make_log();
    match cli.command {
        Command::Serve(config) => {
            let variables = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok());
            for variable in command_line::unknown_variables(variables) {
                tracing::warn!(variable, "an environment variable that no setting has");
            }
            api::start(*config).await?.run_until(terminated()).await
        }
        Command::Migrate(wanted) => migrate(wanted).await,
        Command::Account(AccountCommand::Create(wanted)) => tell(operator::create_account(wanted).await?),
        Command::Account(AccountCommand::Link(wanted)) => tell(operator::link_account(wanted).await?),
        Command::Client(ClientCommand::Create(wanted)) => tell(operator::create_client(wanted).await?),
        Command::App(AppCommand::Create(wanted)) => tell(operator::create_app(wanted).await?),
        Command::Keys(KeysCommand::Rotate(wanted)) => tell(operator::rotate_keys(wanted).await?),
        Command::Keys(KeysCommand::List(wanted)) => tell(operator::list_keys(&wanted.database).await?),
        Command::Keys(KeysCommand::Retire(wanted)) => tell(operator::retire_key(wanted).await?),
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

/// As JSON.
fn tell(value: serde_json::Value) -> anyhow::Result<()> {
    print(&format!("{value:#}\n"))
}

/// To standard output; whoever closes the pipe early has read enough.
fn print(text: &str) -> anyhow::Result<()> {
    match std::io::stdout().lock().write_all(text.as_bytes()) {
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        other => Ok(other?),
    }
}
