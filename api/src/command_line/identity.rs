//! What the command line says of accounts, services, apps and signing keys.

use clap::{ArgMatches, Args, Subcommand};
use uuid::Uuid;

use crate::config::{self, Database, Given};
use domain::identity::accounts;
use domain::identity::{RedirectUri, accounts::mail};
use domain::{Email, Language, Role, Roles, Scope};

/// Accounts of people.
#[derive(Subcommand)]
pub enum AccountCommand {
    /// Add an account and print a link by which its person sets a password: for the first administrator, who invites
    /// all others.
    Create(CreateAccount),
    /// Print another such link, for an administrator who cannot sign in any more. Earlier links are good no more.
    Link(LinkAccount),
}

/// A new account.
#[derive(Args)]
pub struct CreateAccount {
    /// Which database.
    #[command(flatten)]
    pub database: Database,
    /// How people reach the server, as serve is told: the start of the link.
    #[arg(long, env = "FOCALPOINT_BASE_URL", value_parser = base_url)]
    pub base_url: String,
    /// What the person signs in with.
    #[arg(long, value_parser = mail)]
    pub mail: Email,
    /// What the person is called.
    #[arg(long, value_parser = accounts::name)]
    pub name: String,
    /// What the person may do: delegate and mission_admin of a mission; editor, security_officer, approver, admin and
    /// auditor of the Secretariat. May be repeated.
    #[arg(long = "role", required = true, value_parser = |name: &str| Role::parse(name))]
    pub role: Vec<Role>,
    /// The id of the mission; needed for delegate and mission_admin.
    #[arg(long)]
    pub mission: Option<Uuid>,
    /// The language of mails: ar, en, es, fr, ru or zh.
    #[arg(long, default_value = "en", value_parser = Language::parse)]
    pub language: Language,
}

/// Whose link.
#[derive(Args)]
pub struct LinkAccount {
    /// Which database.
    #[command(flatten)]
    pub database: Database,
    /// How people reach the server, as serve is told: the start of the link.
    #[arg(long, env = "FOCALPOINT_BASE_URL", value_parser = base_url)]
    pub base_url: String,
    /// What the person signs in with.
    #[arg(long, value_parser = mail)]
    pub mail: Email,
}

/// Services: clients with a secret.
#[derive(Subcommand)]
pub enum ClientCommand {
    /// Add a service and print its id and secret, which cannot be shown again.
    Create(CreateClient),
}

/// A new service.
#[derive(Args)]
pub struct CreateClient {
    /// Which database.
    #[command(flatten)]
    pub database: Database,
    /// integrator or importer: other roles are people's.
    #[arg(long = "role", value_parser = |name: &str| Role::parse(name))]
    pub client_role: Role,
    /// The id of the mission it belongs to; needed for integrator.
    #[arg(long)]
    pub mission: Option<Uuid>,
    /// What it may do; needed for importer. May be repeated.
    #[arg(long = "scope", value_parser = scope)]
    pub client_scope: Vec<Scope>,
    /// What to call it.
    #[arg(long = "name", default_value = "created on the command line", value_parser = accounts::name)]
    pub client_name: String,
}

/// Apps: clients without a secret, in which people sign in.
#[derive(Subcommand)]
pub enum AppCommand {
    /// Register an app and print its id, the client_id.
    Create(CreateApp),
}

/// A new app.
#[derive(Args)]
pub struct CreateApp {
    /// Which database.
    #[command(flatten)]
    pub database: Database,
    /// What to call it: people read it when they are asked for their consent.
    #[arg(long = "name", value_parser = accounts::name)]
    pub name: String,
    /// Where codes may be sent: https://…, org.example.app:/… or http://127.0.0.1/…. May be repeated.
    #[arg(long = "redirect-uri", required = true, value_parser = RedirectUri::parse)]
    pub redirect_uri: Vec<RedirectUri>,
    /// What it may ask people for. May be repeated.
    #[arg(long = "scope", required = true, value_parser = scope)]
    pub scope: Vec<Scope>,
}

/// The keys that sign access tokens.
#[derive(Subcommand)]
pub enum KeysCommand {
    /// Make another key sign, without an outage: it is published first, and what the one before has signed stays good
    /// until it expires.
    Rotate(RotateKeys),
    /// Print the keys in use, the newest first.
    List(OfDatabase),
    /// End a key at once, for one that was seen by others: what it has signed is refused within a second, and people and
    /// services get other tokens.
    Retire(RetireKey),
}

/// Which database.
#[derive(Args)]
pub struct OfDatabase {
    /// Which database.
    #[command(flatten)]
    pub database: Database,
}

/// How to rotate.
#[derive(Args)]
pub struct RotateKeys {
    /// Which database.
    #[command(flatten)]
    pub database: Database,
    /// How many minutes the new key is only published before it signs: longer than anybody keeps the published keys
    /// without looking again, which is 5 minutes.
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(5..=10_080))]
    pub overlap_minutes: u32,
}

/// Which key.
#[derive(Args)]
pub struct RetireKey {
    /// Which database.
    #[command(flatten)]
    pub database: Database,
    /// The key's id, as `keys list` prints it. It may begin with a hyphen.
    #[arg(allow_hyphen_values = true)]
    pub kid: String,
}

fn scope(name: &str) -> Result<Scope, String> {
    Scope::from_name(name).ok_or_else(|| format!("must be one of {}", Scope::ALL.map(Scope::name).join(", ")))
}

/// A base URL for links that set passwords.
fn base_url(url: &str) -> Result<String, String> {
    let url = config::base_url(url)?;
    match url.starts_with("http://") && !config::is_loopback(&url) {
        true => Err("must be https://, since passwords travel there".to_owned()),
        false => Ok(url),
    }
}

/// What is wrong with arguments of these commands taken together: each by its argument.
pub fn faults(given: &Given<'_>, command: (&str, &str)) -> Vec<(&'static str, String)> {
    let mut faults = Vec::new();
    let mission: Option<Uuid> = given.get("mission");
    match command {
        ("account", "create") => {
            let roles: Vec<Role> = given.all("role");
            match Roles::parse(roles.iter().map(|role| role.name())) {
                _ if roles.is_empty() => {}
                Err(broken) => faults.push(("role", broken.to_string())),
                Ok(roles) => {
                    faults.extend(accounts::mission(roles, mission).err().map(|broken| ("mission", broken.to_string())))
                }
            }
        }
        ("client", "create") => {
            let Some(role) = given.get::<Role>("client_role") else { return faults };
            let scopes: Vec<Scope> = given.all("client_scope");
            match (role, mission) {
                (role, _) if !role.is_of_a_service() => {
                    faults.push(("client_role", "must be integrator or importer: other roles are people's".to_owned()));
                    return faults;
                }
                (Role::Integrator, None) => faults.push(("mission", "must be given for integrator".to_owned())),
                (Role::Importer, Some(_)) => faults.push(("mission", "is only for integrator".to_owned())),
                _ => {}
            }
            let others: Vec<&str> =
                scopes.iter().filter(|scope| !role.may(**scope)).map(|scope| scope.name()).collect();
            if role == Role::Importer && scopes.is_empty() && given.is_sound("client_scope") {
                faults.push(("client_scope", "must be given for importer: what it may import".to_owned()));
            }
            if !others.is_empty() {
                faults.push(("client_scope", format!("{} is not for {}", others.join(", "), role.name())));
            }
        }
        _ => {}
    }
    faults
}

/// The command and the one below it, with what was given for them.
pub fn below(matches: &ArgMatches) -> Option<(&str, &str, &ArgMatches)> {
    let (command, given) = matches.subcommand()?;
    let (below, given) = given.subcommand()?;
    Some((command, below, given))
}
