//! The command line and the environment, read once at the start: every fault is named, not just the first.

mod identity;

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fmt::Write;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::str::FromStr;

use clap::builder::Resettable;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, Args, CommandFactory, FromArgMatches, Id, Parser, Subcommand};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::{Directive, LevelFilter};

use crate::config::{self, Config, Database};

pub use identity::{
    AccountCommand, AppCommand, ClientCommand, CreateAccount, CreateApp, CreateClient, KeysCommand, LinkAccount,
    OfDatabase, RetireKey, RotateKeys,
};

/// Focalpoint: the backend of the app for delegates to the United Nations.
#[derive(Parser)]
#[command(name = "focalpoint", version)]
pub struct Cli {
    /// What to log: error, warn, info, debug or trace, or directives such as info,actix_http=debug.
    #[arg(
        long,
        env = "FOCALPOINT_LOG",
        default_value = "info,actix_http=off",
        global = true,
        value_parser = log_directives
    )]
    pub log: String,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Subcommand)]
pub enum Command {
    /// Serve the API.
    Serve(Box<Config>),
    /// Bring the database's schema up to this release.
    Migrate(Migrate),
    /// Make accounts of people, and links that set their passwords.
    #[command(subcommand)]
    Account(AccountCommand),
    /// Make services, which ask for tokens by a secret.
    #[command(subcommand)]
    Client(ClientCommand),
    /// Register apps, in which people sign in.
    #[command(subcommand)]
    App(AppCommand),
    /// Manage the keys that sign access tokens.
    #[command(subcommand)]
    Keys(KeysCommand),
    /// Check a running server: succeeds when it is ready.
    Health(Health),
    /// Print the contract, openapi.yaml.
    Openapi,
}

/// How to migrate.
#[derive(Args)]
pub struct Migrate {
    /// Which database; as the role that owns the schema.
    #[command(flatten)]
    pub database: Database,
    /// Also give this role what `serve` needs and nothing more. The role must be there, and must not be the
    /// owner.
    #[arg(long, value_name = "ROLE", env = "FOCALPOINT_GRANT_TO")]
    pub grant_to: Option<String>,
}

/// Which server to check.
#[derive(Args)]
pub struct Health {
    /// What to ask; it must begin with http://. Default: /readyz at the address below.
    #[arg(long)]
    pub url: Option<String>,
    /// Where the server on this machine listens.
    #[arg(long, env = "FOCALPOINT_LISTEN", default_value = "127.0.0.1:8080")]
    pub listen: SocketAddr,
}

impl Health {
    /// What to ask.
    pub fn url(&self) -> String {
        let mut address = self.listen;
        if address.ip().is_unspecified() {
            address.set_ip(IpAddr::V4(Ipv4Addr::LOCALHOST));
        }
        self.url.clone().unwrap_or_else(|| format!("http://{address}/readyz"))
    }
}

/// A setting that cannot be used, and why.
#[derive(Debug, PartialEq, Eq)]
pub struct Fault {
    /// The flag and the environment variable.
    pub setting: String,
    /// Why.
    pub why: String,
}

/// Why nothing is started.
#[derive(Debug)]
pub enum Refusal {
    /// Help or the version was asked for, or what was typed has no meaning.
    Clap(clap::Error),
    /// Every setting that is wrong.
    Faults(Vec<Fault>),
}

impl Refusal {
    /// Tells it and ends the process: with 0 for help, with 2 for faults.
    #[allow(clippy::print_stderr)]
    pub fn exit(self) -> ! {
        match self {
            Self::Clap(error) => error.exit(),
            Self::Faults(faults) => {
                eprint!("{}", describe(&faults));
                std::process::exit(2)
            }
        }
    }
}

fn describe(faults: &[Fault]) -> String {
    let mut text = String::from("focalpoint: what it was started with cannot be used\n");
    for fault in faults {
        // A String takes every write.
        let _ = writeln!(text, "  {}: {}", fault.setting, fault.why);
    }
    text + "See focalpoint --help and docs/production.md.\n"
}

/// What these arguments and the environment ask for. A variable that is set to nothing is not set.
pub fn read(args: Vec<OsString>) -> Result<Cli, Refusal> {
    let mut reading = Reading { command: without_empty_variables(Cli::command()), args, faulty: BTreeSet::new() };
    let mut faults = Vec::new();
    let matches = loop {
        let error = match reading.command.clone().try_get_matches_from(&reading.args) {
            Ok(matches) => break matches,
            Err(error) => error,
        };
        let found = reading.set_aside(&error);
        if found.is_empty() && faults.is_empty() {
            return Err(Refusal::Clap(error));
        }
        if found.is_empty() {
            let told = error.to_string();
            let line = told.lines().next().unwrap_or_default().trim_start_matches("error: ");
            faults.push(Fault { setting: "the command line".into(), why: line.into() });
            return Err(Refusal::Faults(faults));
        }
        faults.extend(found);
    };
    if let Some(("serve", given)) = matches.subcommand() {
        let checked = config::Given { matches: given, faulty: &reading.faulty };
        faults.extend(checked.faults().into_iter().map(|(id, why)| Fault { setting: name(id), why }));
    }
    if let Some((command, below, given)) = identity::below(&matches) {
        let checked = config::Given { matches: given, faulty: &reading.faulty };
        let found = identity::faults(&checked, (command, below)).into_iter();
        faults.extend(found.map(|(id, why)| Fault { setting: name(id), why }));
    }
    match faults.is_empty() {
        true => Cli::from_arg_matches(&matches).map_err(Refusal::Clap),
        false => Err(Refusal::Faults(faults)),
    }
}

/// The names of environment variables that look like settings and are none.
pub fn unknown_variables(present: impl Iterator<Item = String>) -> Vec<String> {
    // What the project's scripts and tests read.
    const OURS: [&str; 2] = ["FOCALPOINT_PROFILE", "FOCALPOINT_RUN"];
    let known = variables(&Cli::command());
    let is_unknown = |name: &String| {
        name.starts_with("FOCALPOINT_")
            && !name.starts_with("FOCALPOINT_TEST_")
            && !OURS.contains(&name.as_str())
            && !known.contains(name)
    };
    present.filter(is_unknown).collect()
}

fn variables(command: &clap::Command) -> BTreeSet<String> {
    let own = command.get_arguments().filter_map(|arg| Some(arg.get_env()?.to_string_lossy().into_owned()));
    own.chain(command.get_subcommands().flat_map(variables)).collect()
}

/// The command and the arguments, from which what is wrong is taken out until the rest can be read.
struct Reading {
    command: clap::Command,
    args: Vec<OsString>,
    faulty: BTreeSet<Id>,
}

impl Reading {
    /// Takes out what an error is about; nothing when it is about no single setting.
    fn set_aside(&mut self, error: &clap::Error) -> Vec<Fault> {
        let shown = match error.get(ContextKind::InvalidArg) {
            Some(ContextValue::String(shown)) => vec![shown.clone()],
            Some(ContextValue::Strings(shown)) => shown.clone(),
            _ => Vec::new(),
        };
        match error.kind() {
            ErrorKind::ValueValidation | ErrorKind::InvalidValue | ErrorKind::MissingRequiredArgument => {
                shown.iter().filter_map(|shown| self.relax(shown, error)).collect()
            }
            ErrorKind::UnknownArgument => shown.iter().filter_map(|shown| self.drop_unknown(shown)).collect(),
            _ => Vec::new(),
        }
    }

    fn relax(&mut self, shown: &str, error: &clap::Error) -> Option<Fault> {
        // Only a command that is built can show its arguments.
        let mut built = self.command.clone();
        built.build();
        let arg = find(&built, &|arg| arg.to_string() == shown)?.clone();
        if !self.faulty.insert(arg.get_id().clone()) {
            return None;
        }
        self.command = relaxed(std::mem::take(&mut self.command), arg.get_id());
        Some(Fault { setting: name(arg.get_id().as_str()), why: why(&arg, error) })
    }

    fn drop_unknown(&mut self, shown: &str) -> Option<Fault> {
        let is_it = |arg: &OsString| arg.to_str().is_some_and(|a| a == shown || a.starts_with(&format!("{shown}=")));
        let at = self.args.iter().position(is_it)?;
        self.args.remove(at);
        let is_value = |arg: &OsString| arg.to_str().is_some_and(|arg| !arg.starts_with('-'));
        if shown.starts_with("--") && self.args.get(at).is_some_and(is_value) {
            self.args.remove(at);
        }
        Some(Fault { setting: shown.to_owned(), why: "there is no such setting".into() })
    }
}

fn without_empty_variables(command: clap::Command) -> clap::Command {
    let is_empty = |arg: &Arg| arg.get_env().and_then(std::env::var_os).is_some_and(|value| value.is_empty());
    command
        .mut_args(|arg| if is_empty(&arg) { arg.env(Resettable::Reset) } else { arg })
        .mut_subcommands(without_empty_variables)
}

/// The command, taking anything and nothing for this argument.
fn relaxed(command: clap::Command, id: &Id) -> clap::Command {
    let relax = |arg: Arg| match (arg.get_id() == id, arg.get_action().takes_values()) {
        (false, _) => arg,
        (true, true) => arg.required(false).value_parser(clap::value_parser!(OsString)),
        // A flag's value can only have come from the environment.
        (true, false) => arg.env(Resettable::Reset),
    };
    command.mut_args(relax).mut_subcommands(|command| relaxed(command, id))
}

fn find<'a>(command: &'a clap::Command, is_it: &impl Fn(&Arg) -> bool) -> Option<&'a Arg> {
    let own = command.get_arguments().find(|arg| is_it(arg));
    own.or_else(|| command.get_subcommands().find_map(|command| find(command, is_it)))
}

/// An argument's flag, and its variable even where that is set to nothing.
fn name(id: &str) -> String {
    let command = Cli::command();
    let arg = find(&command, &|arg| arg.get_id() == id);
    let flag = match arg {
        Some(arg) if arg.is_positional() => arg.to_string(),
        _ => format!("--{}", arg.and_then(Arg::get_long).unwrap_or(id)),
    };
    match arg.and_then(Arg::get_env) {
        Some(variable) => format!("{flag} ({})", variable.to_string_lossy()),
        None => flag,
    }
}

/// Why an argument cannot be used; never with the value of one that may be secret.
fn why(arg: &Arg, error: &clap::Error) -> String {
    if error.kind() == ErrorKind::MissingRequiredArgument {
        return "must be given".into();
    }
    let value = match error.get(ContextKind::InvalidValue) {
        Some(ContextValue::String(value)) => value.as_str(),
        _ => "",
    };
    if value.is_empty() {
        return "needs a value".into();
    }
    let text = match (std::error::Error::source(error), error.get(ContextKind::ValidValue)) {
        (Some(source), _) => source.to_string(),
        (None, Some(ContextValue::Strings(words))) => format!("must be one of {}", words.join(", ")),
        (None, _) => "cannot be read".into(),
    };
    match arg.is_hide_env_values_set() || text.contains(value) {
        true => text,
        false => format!("{text}: {value}"),
    }
}

/// Directives of the log, each of which means something: a word that is neither a level nor `target=level`
/// would silently be a target with everything on.
fn log_directives(text: &str) -> Result<String, String> {
    let means_nothing = |piece: &&str| {
        let bare = !piece.contains(['=', '[']) && LevelFilter::from_str(piece).is_err();
        bare || Directive::from_str(piece).is_err()
    };
    // Only what stands in brackets may hold a comma that separates nothing.
    let pieces = text.split(',').map(str::trim).filter(|piece| !piece.is_empty());
    let wrong = pieces.clone().find(means_nothing).filter(|_| !text.contains('['));
    match (wrong, EnvFilter::try_new(text)) {
        (Some(wrong), _) => {
            Err(format!("{wrong:?} is neither a level (error, warn, info, debug, trace, off) nor target=level"))
        }
        (None, Err(cause)) => Err(cause.to_string()),
        (None, Ok(_)) if pieces.count() == 0 => Err("names no level".into()),
        (None, Ok(_)) => Ok(text.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(args: &[&str]) -> Vec<String> {
        match read(["focalpoint"].iter().chain(args).map(OsString::from).collect()) {
            Ok(_) => Vec::new(),
            Err(Refusal::Faults(faults)) => faults.iter().map(|f| format!("{}: {}", f.setting, f.why)).collect(),
            Err(Refusal::Clap(error)) => panic!("{error}"),
        }
    }

    const URL: &str = "--database-url=postgres://me:hush@db.example/focalpoint";

    #[test]
    fn the_command_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_fault_is_named_at_once() {
        let args = ["serve", "--listen", "here", "--workers=0", "--colour", "red", "--log", "loud"];
        let found = faults(&args);
        let about = |start: &str| found.iter().filter(|fault| fault.starts_with(start)).count();
        for start in ["--listen (FOCALPOINT_LISTEN): ", "--workers (", "--colour: ", "--log (FOCALPOINT_LOG): "] {
            assert_eq!(about(start), 1, "{start} {found:#?}");
        }
        let needed = usize::from(std::env::var_os("DATABASE_URL").is_none());
        assert_eq!(about("--database-url (DATABASE_URL): must be given"), needed, "{found:#?}");
        assert_eq!(found.len(), 4 + needed, "{found:#?}");
    }

    #[test]
    fn a_secret_is_not_told() {
        let found = faults(&["serve", "--database-url=postgres://me:hush@db.example:port/focalpoint"]);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].starts_with("--database-url (DATABASE_URL): ") && !found[0].contains("hush"), "{found:?}");
    }

    #[test]
    fn settings_are_checked_against_each_other() {
        let open = ["serve", URL, "--listen=0.0.0.0:8080"];
        assert_eq!(faults(&open).len(), 1, "no client reaches 0.0.0.0");
        assert!(faults(&["serve", URL, "--base-url=http://focalpoint.example"])[0].contains("https"));
        for sound in [
            vec!["serve", URL],
            vec!["serve", URL, "--listen=0.0.0.0:8080", "--base-url=https://focalpoint.example"],
            vec!["serve", URL, "--base-url=http://[::1]:8080"],
            vec!["serve", URL, "--base-url=http://localhost"],
            vec!["migrate", URL],
        ] {
            assert_eq!(faults(&sound), Vec::<String>::new());
        }
        let same = ["serve", URL, "--listen=127.0.0.1:9", "--metrics-listen=0.0.0.0:9"];
        assert!(faults(&same)[0].starts_with("--metrics-listen"));
        assert!(faults(&["serve", URL, "--demo", "--demo-data=/nowhere"])[0].starts_with("--demo-data"));
    }

    #[test]
    fn what_an_account_or_a_client_lacks_is_named_at_once() {
        let account = |more: &[&'static str]| {
            let rest = ["--base-url=https://focalpoint.example", "--mail=a@example.org", "--name=A", URL];
            faults(&[&["account", "create"], &rest[..], more].concat())
        };
        let mission = "--mission=0193a5f0-7c1e-7a54-9a55-0d5c3f6f2b13";
        assert_eq!(account(&["--role=admin", "--role=editor"]), Vec::<String>::new());
        assert_eq!(account(&["--role=delegate", mission]), Vec::<String>::new());
        for (more, start) in [
            (vec!["--role=delegate"], "--mission: must name"),
            (vec!["--role=admin", mission], "--mission: is only for"),
            (vec!["--role=admin", "--role=delegate"], "--role: "),
            (vec!["--role=integrator"], "--role: "),
            (vec!["--role=root"], "--role: must be one of"),
            (vec![], "--role: must be given"),
        ] {
            let found = account(&more);
            assert!(found.len() == 1 && found[0].starts_with(start), "{more:?} {found:?}");
        }
        let found =
            faults(&["account", "create", URL, "--base-url=http://focalpoint.example", "--mail=a", "--language=xx"]);
        for start in ["--base-url (FOCALPOINT_BASE_URL): ", "--mail: ", "--language: ", "--name: ", "--role: "] {
            assert_eq!(found.iter().filter(|fault| fault.starts_with(start)).count(), 1, "{start} {found:#?}");
        }
        for (more, starts) in [
            (vec!["--role=importer"], vec!["--scope: must be given"]),
            (vec!["--role=importer", "--scope=bulletins:import"], vec![]),
            (
                vec!["--role=importer", "--scope=accounts:manage", mission],
                vec!["--mission: ", "--scope: accounts:manage"],
            ),
            (vec!["--role=importer", "--scope=root"], vec!["--scope: must be one of"]),
            (vec!["--role=integrator"], vec!["--mission: "]),
            (vec!["--role=integrator", mission], vec![]),
            (vec!["--role=admin"], vec!["--role: must be integrator or importer"]),
        ] {
            let found = faults(&[&["client", "create", URL], &more[..]].concat());
            assert_eq!(found.len(), starts.len(), "{more:?} {found:?}");
            assert!(found.iter().zip(&starts).all(|(fault, start)| fault.starts_with(start)), "{more:?} {found:?}");
        }
        let found = faults(&["app", "create", URL, "--redirect-uri=http://evil.example/"]);
        for start in ["--redirect-uri: ", "--name: ", "--scope: "] {
            assert_eq!(found.iter().filter(|fault| fault.starts_with(start)).count(), 1, "{start} {found:#?}");
        }
        assert_eq!(faults(&["keys", "retire", URL]), ["<KID>: must be given"]);
        // As one thumbprint of 64 begins.
        assert_eq!(faults(&["keys", "retire", "-x", URL]), [""; 0]);
        assert!(faults(&["keys", "rotate", URL, "--overlap-minutes=1"])[0].starts_with("--overlap-minutes: "));
    }

    #[test]
    fn a_directive_of_the_log_that_means_nothing_is_named() {
        for (text, wrong) in [("inof", "inof"), ("info,actix_http=loud", "actix_http=loud"), ("debug,warm", "warm")] {
            assert!(log_directives(text).unwrap_err().contains(wrong), "{text}");
        }
        for text in ["info", "WARN", "off", "info,actix_http=off", "api::follower=debug", "api[request]=debug"] {
            assert_eq!(log_directives(text).as_deref(), Ok(text));
        }
    }

    #[test]
    fn a_variable_that_is_none_is_named() {
        let present = ["FOCALPOINT_LISTN", "FOCALPOINT_LISTEN", "FOCALPOINT_TEST_LOG", "HOME", "FOCALPOINT_GRANT_TO"];
        assert_eq!(unknown_variables(present.into_iter().map(str::to_owned)), ["FOCALPOINT_LISTN"]);
    }

    #[test]
    fn help_is_help() {
        let help = read(["focalpoint", "serve", "--help"].map(OsString::from).to_vec());
        assert!(matches!(help, Err(Refusal::Clap(error)) if error.kind() == ErrorKind::DisplayHelp));
    }
}
