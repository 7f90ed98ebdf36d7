//! The demonstration: data through the import's door, and a client of each role.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::Path;

use actix_web::web;
use anyhow::{Context, bail};
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use uuid::Uuid;

use crate::bulletins::imports::BulletinsImport;
use crate::directory::imports::DirectoryImport;
use crate::event_costs::imports::CostsImport;
use crate::identity::secrets;
use crate::imports::{Import, Options, Order, import};
use crate::inf_notes::imports::NotesImport;
use crate::state::State;
use domain::{Act, ClientId, Key, Kind, Language, MissionId, Role, Source, Stream};
use persistence::clients::{self, NewClient};
use persistence::imports::{Keys, Namer, keys};

/// The source that demonstration rows come from.
const SOURCE: &str = "demonstration";

/// The missions that demonstration clients belong to.
const MISSION: &str = "mission-fra";
const OTHER_MISSION: &str = "mission-ken";

#[derive(Serialize)]
struct Credentials {
    client_id: Uuid,
    client_secret: String,
}

/// Fills an empty database, and goes on where it was interrupted; one that has anything else in it keeps
/// what it has and gets no demonstration clients. Those that it has get new secrets when the file of
/// their credentials is gone.
pub async fn fill(state: &web::Data<State>) -> anyhow::Result<()> {
    let untouched = state.db.read(async |conn| persistence::imports::untouched(conn).await).await?;
    let ours = state.db.read(async |conn| keys(conn, &[Kind::Mission], Namer::default()).await).await?;
    if !untouched.contains(&Stream::Directory) && find_mission(&ours, MISSION).is_err() {
        tracing::info!("the database has data of its own: no demonstration");
        return Ok(());
    }
    let data = &state.config.demo_data;
    if untouched.contains(&Stream::Directory) {
        load::<DirectoryImport>(state, &data.join("directory.ndjson")).await?;
    }
    if untouched.contains(&Stream::Notes) {
        load::<NotesImport>(state, &data.join("inf-notes.ndjson")).await?;
    }
    if untouched.contains(&Stream::Bulletins) {
        load::<BulletinsImport>(state, &data.join("bulletins.ndjson")).await?;
    }
    if untouched.contains(&Stream::Costs) {
        load::<CostsImport>(state, &data.join("event-costs.ndjson")).await?;
    }
    make_clients(state, &state.config.demo_credentials).await
}

async fn load<I: Import>(state: &State, path: &Path) -> anyhow::Result<()> {
    let file = File::open(path).with_context(|| format!("no demonstration data at {}", path.display()))?;
    let source = Source::parse(SOURCE).map_err(|broken| anyhow::anyhow!("{broken}"))?;
    let options = Options { source, dry_run: false, replace: false, force: false };
    match import::<I>(state, file, Order::quiet(options)).await {
        Ok(done) => tracing::info!(path = %path.display(), rows = done.value.rows, "demonstration data loaded"),
        Err(error) => {
            let document = serde_json::to_string(&error.document(Uuid::nil(), Language::En))?;
            bail!("{} was refused: {document}", path.display());
        }
    }
    Ok(())
}

async fn make_clients(state: &State, path: &Path) -> anyhow::Result<()> {
    let present = state.db.read(async |conn| clients::list(conn).await).await?;
    let known = |name: &str| present.iter().find(|client| client.name == name).map(|client| client.id);
    let wanted: Vec<(String, Role, Option<&str>)> = Role::ALL
        .into_iter()
        .map(|role| (role.name().to_owned(), role, role.is_of_a_mission().then_some(MISSION)))
        .chain([("delegate_of_another_mission".to_owned(), Role::Delegate, Some(OTHER_MISSION))])
        .collect();
    let named = |role: &str| format!("Demonstration: {role}");
    if path.exists() && wanted.iter().all(|(role, ..)| known(&named(role)).is_some()) {
        return Ok(());
    }
    let missions = state.db.read(async |conn| keys(conn, &[Kind::Mission], Namer::default()).await).await?;
    let mut credentials = BTreeMap::new();
    for (name, role, mission) in wanted {
        let mission = mission.map(|key| find_mission(&missions, key)).transpose()?;
        let secret = secrets::generate()?;
        let id = save_client(state, known(&named(&name)), named(&name), role, mission, &secret).await?;
        let client_secret = secret.expose_secret().to_owned();
        credentials.insert(name, Credentials { client_id: id.0, client_secret });
    }
    write_credentials(path, &serde_json::to_vec_pretty(&credentials)?)
        .with_context(|| format!("the credentials cannot be written to {}", path.display()))
}

fn find_mission(missions: &Keys, key: &str) -> anyhow::Result<MissionId> {
    let source = Source::parse(SOURCE).map_err(|broken| anyhow::anyhow!("{broken}"))?;
    let key = Key::parse(key).map_err(|broken| anyhow::anyhow!("{broken}"))?;
    let id = missions.find(Kind::Mission, &source, &key).context("the demonstration's missions are not there")?;
    Ok(MissionId(id))
}

async fn save_client(
    state: &State,
    known: Option<ClientId>,
    name: String,
    role: Role,
    mission: Option<MissionId>,
    secret: &SecretString,
) -> anyhow::Result<ClientId> {
    let secret_hash = secrets::hash(secret)?;
    let id = known.unwrap_or_else(|| ClientId(Uuid::now_v7()));
    let client = NewClient { id, name, role, mission, scopes: None, secret_hash };
    state
        .db
        .acting(Act::OPERATOR)
        .write(async move |conn| match known {
            Some(id) => clients::save_secret(conn, id, &client.secret_hash).await,
            None => clients::insert(conn, &client).await,
        })
        .await?;
    Ok(id)
}

/// Readable by its owner alone, from the first byte.
fn write_credentials(path: &Path, json: &[u8]) -> std::io::Result<()> {
    use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)?;
    file.set_permissions(std::fs::Permissions::from_mode(0o600))?;
    file.write_all(json)
}
