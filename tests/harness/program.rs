//! The program itself, as a process that can be asked to end, killed and started again.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use serde_json::Value;

/// `focalpoint serve`.
pub(crate) struct Program {
    child: Child,
    pub(crate) address: SocketAddr,
}

/// The program with these arguments, on this database.
fn command(database: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_focalpoint"));
    command.args(arguments).env("DATABASE_URL", database).env("FOCALPOINT_ALLOW_UNSAFE_POSTGRES", "true");
    command.env("FOCALPOINT_BASE_URL", "https://focalpoint.example").env("FOCALPOINT_DRAIN_SECONDS", "0");
    // A test is one client that asks without end.
    for budget in ["DEFAULT", "BULLETINS", "PUBLIC", "TOKEN", "BULK"] {
        command.env(format!("FOCALPOINT_RATE_LIMIT_{budget}"), "0");
    }
    command.stdin(Stdio::null()).stderr(Stdio::null()).stdout(Stdio::piped());
    command
}

impl Program {
    /// Serves at `address` until this value is dropped. `None` where it ended before it was ready.
    pub(crate) fn serve(database: &str, address: &str, settings: &[(&str, &str)]) -> Option<Self> {
        let mut command = command(database, &["--log", "info", "serve", "--listen", address]);
        let mut child = command.envs(settings.iter().copied()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let (sender, ready) = mpsc::channel();
        // Reads on to the end: a full pipe would hold up the program.
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                let said: Value = serde_json::from_str(&line).unwrap_or_default();
                if said["fields"]["message"] == "ready" {
                    let _ = sender.send(said["fields"]["address"].as_str().unwrap().parse().unwrap());
                }
            }
        });
        let mut program = Self { child, address: ([127, 0, 0, 1], 0).into() };
        program.address = ready.recv_timeout(Duration::from_secs(20)).ok()?;
        Some(program)
    }

    /// The id and secret of a new client.
    pub(crate) fn create_client(database: &str, role: &str) -> (String, String) {
        let role: domain::Role = domain::Role::parse(role).unwrap();
        let mut arguments = vec!["client", "create", "--role", role.name()];
        if role == domain::Role::Importer {
            arguments.extend(role.scopes().flat_map(|scope| ["--scope", scope.name()]));
        }
        let output = command(database, &arguments).output().unwrap();
        let made: Value = serde_json::from_slice(&output.stdout).unwrap();
        let text = |field: &str| made[field].as_str().unwrap().to_owned();
        (text("client_id"), text("client_secret"))
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// A token for a new client of a role that belongs to no mission.
    pub(crate) async fn token(&self, http: &reqwest::Client, database: &str, role: &str) -> String {
        let (id, secret) = Self::create_client(database, role);
        let request = http.post(format!("{}/oauth/token", self.url())).basic_auth(id, Some(secret));
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        let answer = request.body("grant_type=client_credentials").send().await.unwrap();
        answer.json::<Value>().await.unwrap()["access_token"].as_str().unwrap().to_owned()
    }

    /// The id of the process.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn signal(&self, signal: &str) {
        super::signal(signal, &[self.child.id().to_string()]);
    }

    pub(crate) fn wait(&mut self) -> ExitStatus {
        self.child.wait().unwrap()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
