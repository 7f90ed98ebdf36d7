//! The demonstration: data through the import's door, a service of each role, an app, and a person of each role that
//! people have.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::Path;

use actix_web::web;
use anyhow::{Context, bail};
use chrono::DateTime;
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
use domain::identity::{RedirectUri, accounts};
use domain::{
    Account, AccountId, Act, AppId, ClientId, Key, Kind, Language, MissionId, Role, Roles, Scopes, Source, Stream,
};
use persistence::clients::{self, App, NewClient};
use persistence::imports::{Keys, Namer, keys};
use persistence::sign_ins;

/// The source that demonstration rows come from.
const SOURCE: &str = "demonstration";

/// The missions that demonstration clients belong to.
const MISSION: &str = "mission-fra";
const OTHER_MISSION: &str = "mission-ken";

/// The app is the same in every demonstration, so that a phone that is built for one works with all.
const APP: AppId = AppId(Uuid::from_u128(0x01a2_0000_0000_7000_8000_0000_0000_00a1));
const APP_ADDRESSES: [&str; 3] =
    ["http://127.0.0.1/signed-in", "http://[::1]/signed-in", "org.example.focalpoint:/signed-in"];

/// Who is invented for each role that people have, and for two roles of another mission.
const PEOPLE: [(&str, Role, Option<&str>, &str); 9] = [
    ("delegate", Role::Delegate, Some(MISSION), "Dalia"),
    ("mission_admin", Role::MissionAdmin, Some(MISSION), "Marius"),
    ("editor", Role::Editor, None, "Edna"),
    ("security_officer", Role::SecurityOfficer, None, "Sekou"),
    ("approver", Role::Approver, None, "Ana"),
    ("admin", Role::Admin, None, "Adrian"),
    ("auditor", Role::Auditor, None, "Aurelia"),
    ("delegate_of_another_mission", Role::Delegate, Some(OTHER_MISSION), "Wanjiru"),
    ("mission_admin_of_another_mission", Role::MissionAdmin, Some(OTHER_MISSION), "Otieno"),
];

#[derive(Serialize)]
struct Credentials {
    client_id: Uuid,
    client_secret: String,
}

#[derive(Serialize)]
struct AppCredentials {
    client_id: Uuid,
    redirect_uris: [&'static str; 3],
}

#[derive(Serialize)]
struct PersonCredentials {
    account: Uuid,
    mail: String,
    password: String,
    /// Of the generator of one-time codes (RFC 6238), in base 32.
    #[serde(skip_serializing_if = "Option::is_none")]
    totp_secret: Option<String>,
}

/// What the file says: services by their names, and beside them the app and the people.
#[derive(Serialize)]
struct AllCredentials {
    #[serde(flatten)]
    services: BTreeMap<String, Credentials>,
    app: AppCredentials,
    people: BTreeMap<&'static str, PersonCredentials>,
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
    let has_people = async |conn: &mut persistence::Conn| {
        for (name, ..) in PEOPLE {
            if persistence::accounts::find_by_mail(conn, &mail_of(name)).await?.is_none() {
                return Ok(false);
            }
        }
        Ok(clients::find_app(conn, APP).await?.is_some())
    };
    let has_people = state.db.read::<_, persistence::Error, _>(has_people).await?;
    if path.exists() && has_people && wanted.iter().all(|(role, ..)| known(&named(role)).is_some()) {
        return Ok(());
    }
    let missions = state.db.read(async |conn| keys(conn, &[Kind::Mission], Namer::default()).await).await?;
    let mut services = BTreeMap::new();
    for (name, role, mission) in wanted {
        let mission = mission.map(|key| find_mission(&missions, key)).transpose()?;
        let secret = secrets::generate()?;
        let id = save_client(state, known(&named(&name)), named(&name), role, mission, &secret).await?;
        let client_secret = secret.expose_secret().to_owned();
        services.insert(name, Credentials { client_id: id.0, client_secret });
    }
    save_app(state).await?;
    let mut people = BTreeMap::new();
    for (name, role, mission, given) in PEOPLE {
        let mission = mission.map(|key| find_mission(&missions, key)).transpose()?;
        let called = format!("{given} Invented, {}", role.name().replace('_', " "));
        people.insert(name, save_person(state, mail_of(name), called, role, mission).await?);
    }
    let app = AppCredentials { client_id: APP.0, redirect_uris: APP_ADDRESSES };
    let credentials = AllCredentials { services, app, people };
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

fn mail_of(name: &str) -> String {
    format!("{}@demonstration.example", name.replace('_', "-"))
}

async fn save_app(state: &State) -> anyhow::Result<()> {
    let addresses = APP_ADDRESSES.map(RedirectUri::parse).into_iter().collect::<Result<Vec<_>, _>>()?;
    let app = App {
        id: APP,
        name: "Demonstration app".into(),
        redirect_uris: addresses,
        scopes: Scopes::all(),
        created_at: DateTime::UNIX_EPOCH,
        disabled_at: None,
        row_version: 1,
    };
    let save = async move |conn: &mut persistence::Conn| match clients::find_app(conn, APP).await? {
        Some(_) => Ok(()),
        None => clients::insert_app(conn, &app).await,
    };
    state.db.acting(Act::OPERATOR).write::<_, persistence::Error, _>(save).await?;
    Ok(())
}

/// A person with a new password, and a generator of one-time codes where the role needs one.
async fn save_person(
    state: &State,
    mail: String,
    name: String,
    role: Role,
    mission: Option<MissionId>,
) -> anyhow::Result<PersonCredentials> {
    let password = secrets::generate()?;
    let hash = secrets::hash(&password)?;
    let mut shared = [0u8; 20];
    aws_lc_rs::rand::fill(&mut shared).map_err(|_| anyhow::anyhow!("no randomness"))?;
    let shared = role.needs_second_factor().then_some(shared);
    let new = Account {
        id: AccountId(Uuid::now_v7()),
        mail: accounts::mail(&mail)?,
        name,
        language: Language::En,
        roles: Roles::of(role),
        mission,
        created_at: DateTime::UNIX_EPOCH,
        suspended_at: None,
        rights_version: 1,
        row_version: 1,
    };
    let save = async move |conn: &mut persistence::Conn| {
        let id = match persistence::accounts::find_by_mail(conn, new.mail.as_str()).await? {
            Some(known) => known.id,
            None => {
                persistence::accounts::insert(conn, &new).await?;
                new.id
            }
        };
        sign_ins::save_password(conn, id, &hash).await?;
        sign_ins::remove_factors(conn, id).await?;
        if let Some(shared) = shared {
            sign_ins::offer_totp(conn, id, &shared).await?;
            if let Some(totp) = sign_ins::find_totp(conn, id).await? {
                // The code of a step long ago confirms it.
                sign_ins::take_step(conn, totp.id, 1).await?;
            }
        }
        Ok(id)
    };
    let id = state.db.acting(Act::OPERATOR).write::<_, persistence::Error, _>(save).await?.value;
    let totp_secret = shared.map(|bytes| totp_rs::Secret::from(bytes).to_base32());
    Ok(PersonCredentials { account: id.0, mail, password: password.expose_secret().to_owned(), totp_secret })
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
