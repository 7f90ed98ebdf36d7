//! Services and apps: OAuth 2 clients with a secret and without.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use crate::schema::{app, oauth_client};
use crate::{Conn, Error};
use domain::identity::RedirectUri;
use domain::{AppId, ClientId, MissionId, Role, Scope, Scopes};

/// A service, without its secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Client {
    /// Its id, the `client_id`.
    pub id: ClientId,
    /// What it is called.
    pub name: String,
    /// What it is.
    pub role: Role,
    /// The mission it belongs to, for the roles of missions.
    pub mission: Option<MissionId>,
    /// What of its role it may.
    pub scopes: Scopes,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// Since when it gets and uses no tokens.
    pub disabled_at: Option<DateTime<Utc>>,
    /// Counts the changes of what it may do and of its secret.
    pub rights_version: i32,
    /// Counts its changes.
    pub row_version: i32,
}

/// A service to be added.
#[derive(Debug, Clone)]
pub struct NewClient {
    /// Its id.
    pub id: ClientId,
    /// What it is called.
    pub name: String,
    /// What it is.
    pub role: Role,
    /// The mission it belongs to, for the roles of missions.
    pub mission: Option<MissionId>,
    /// What of its role it may; none for all.
    pub scopes: Option<Scopes>,
    /// The hash of its secret, as a PHC string.
    pub secret_hash: String,
}

/// An app.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct App {
    /// Its id, the `client_id`.
    pub id: AppId,
    /// What it is called; people read it when they are asked for their consent.
    pub name: String,
    /// Where codes may be sent.
    pub redirect_uris: Vec<RedirectUri>,
    /// What it may ask people for.
    pub scopes: Scopes,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// Since when nobody signs in in it.
    pub disabled_at: Option<DateTime<Utc>>,
    /// Counts its changes.
    pub row_version: i32,
}

type ClientRow =
    ((Uuid, String, String, Option<Uuid>, Option<Vec<String>>), (DateTime<Utc>, Option<DateTime<Utc>>, i32, i32));

type ClientColumns = (
    (oauth_client::id, oauth_client::name, oauth_client::role, oauth_client::mission_id, oauth_client::scopes),
    (oauth_client::created_at, oauth_client::disabled_at, oauth_client::rights_version, oauth_client::row_version),
);

const CLIENT: ClientColumns = (
    (oauth_client::id, oauth_client::name, oauth_client::role, oauth_client::mission_id, oauth_client::scopes),
    (oauth_client::created_at, oauth_client::disabled_at, oauth_client::rights_version, oauth_client::row_version),
);

fn client((what, counts): ClientRow) -> Result<Client, Error> {
    let (id, name, role, mission, narrowed) = what;
    let (created_at, disabled_at, rights_version, row_version) = counts;
    let role = Role::parse(&role).map_err(|_| Error::Corrupt(format!("role {role}")))?;
    let all: Scopes = role.scopes().collect();
    let scopes = narrowed.map_or(Ok(all), |names| scopes(&names).map(|scopes| scopes.and(all)))?;
    let (id, mission) = (ClientId(id), mission.map(MissionId));
    Ok(Client { id, name, role, mission, scopes, created_at, disabled_at, rights_version, row_version })
}

fn scopes(names: &[String]) -> Result<Scopes, Error> {
    let known = names.iter().map(|name| Scope::from_name(name)).collect::<Option<Scopes>>();
    known.ok_or_else(|| Error::Corrupt(format!("scopes {names:?}")))
}

fn names(scopes: Scopes) -> Vec<&'static str> {
    scopes.iter().map(Scope::name).collect()
}

/// Every service, the disabled ones too, oldest first.
pub async fn list(conn: &mut Conn) -> Result<Vec<Client>, Error> {
    let rows: Vec<ClientRow> = oauth_client::table.order(oauth_client::id).select(CLIENT).load(conn).await?;
    rows.into_iter().map(client).collect()
}

/// The service of this id, disabled or not, with the hash of its secret.
pub async fn find(conn: &mut Conn, wanted: ClientId) -> Result<Option<(Client, String)>, Error> {
    let row: Option<(ClientRow, String)> =
        oauth_client::table.find(wanted.0).select((CLIENT, oauth_client::secret_hash)).first(conn).await.optional()?;
    row.map(|(row, hash)| Ok((client(row)?, hash))).transpose()
}

/// The service of this id, kept from others until the transaction ends. `NotFound` when there is none.
pub async fn lock(conn: &mut Conn, wanted: ClientId) -> Result<Client, Error> {
    client(oauth_client::table.find(wanted.0).select(CLIENT).for_update().first(conn).await?)
}

/// Adds a service.
pub async fn insert(conn: &mut Conn, new: &NewClient) -> Result<(), Error> {
    use oauth_client::{id, mission_id, name, role, scopes, secret_hash, table};
    let values = (
        id.eq(new.id.0),
        name.eq(&new.name),
        role.eq(new.role.name()),
        mission_id.eq(new.mission.map(|m| m.0)),
        scopes.eq(new.scopes.map(names)),
        secret_hash.eq(&new.secret_hash),
    );
    diesel::insert_into(table).values(values).execute(conn).await?;
    Ok(())
}

/// Writes a service's name, scopes and whether it is disabled.
pub async fn save(conn: &mut Conn, client: &Client) -> Result<(), Error> {
    use oauth_client::{disabled_at, name, scopes, table};
    let all: Scopes = client.role.scopes().collect();
    let narrowed = (client.scopes != all).then(|| names(client.scopes));
    let values = (name.eq(&client.name), scopes.eq(narrowed), disabled_at.eq(client.disabled_at));
    diesel::update(table.find(client.id.0)).set(values).execute(conn).await?;
    Ok(())
}

/// Gives a service another secret. `NotFound` when there is no such service.
pub async fn save_secret(conn: &mut Conn, wanted: ClientId, hash: &str) -> Result<(), Error> {
    use oauth_client::{secret_hash, table};
    match diesel::update(table.find(wanted.0)).set(secret_hash.eq(hash)).execute(conn).await? {
        0 => Err(Error::NotFound),
        _ => Ok(()),
    }
}

type AppRow = ((Uuid, String, Vec<String>, Vec<String>), (DateTime<Utc>, Option<DateTime<Utc>>, i32));
type AppColumns =
    ((app::id, app::name, app::redirect_uris, app::scopes), (app::created_at, app::disabled_at, app::row_version));

const APP: AppColumns =
    ((app::id, app::name, app::redirect_uris, app::scopes), (app::created_at, app::disabled_at, app::row_version));

fn app_of((what, counts): AppRow) -> Result<App, Error> {
    let (id, name, uris, allowed) = what;
    let (created_at, disabled_at, row_version) = counts;
    let uri = |text: &String| {
        RedirectUri::parse(text).map_err(|broken| Error::Corrupt(format!("redirect address {text}: {broken}")))
    };
    let redirect_uris = uris.iter().map(uri).collect::<Result<_, _>>()?;
    Ok(App { id: AppId(id), name, redirect_uris, scopes: scopes(&allowed)?, created_at, disabled_at, row_version })
}

/// Every app, the disabled ones too, oldest first.
pub async fn list_apps(conn: &mut Conn) -> Result<Vec<App>, Error> {
    let rows: Vec<AppRow> = app::table.order(app::id).select(APP).load(conn).await?;
    rows.into_iter().map(app_of).collect()
}

/// The app of this id, disabled or not.
pub async fn find_app(conn: &mut Conn, wanted: AppId) -> Result<Option<App>, Error> {
    let row: Option<AppRow> = app::table.find(wanted.0).select(APP).first(conn).await.optional()?;
    row.map(app_of).transpose()
}

/// The app of this id, kept from others until the transaction ends. `NotFound` when there is none.
pub async fn lock_app(conn: &mut Conn, wanted: AppId) -> Result<App, Error> {
    app_of(app::table.find(wanted.0).select(APP).for_update().first(conn).await?)
}

fn uris(app: &App) -> Vec<&str> {
    app.redirect_uris.iter().map(RedirectUri::as_str).collect()
}

/// Adds an app.
pub async fn insert_app(conn: &mut Conn, new: &App) -> Result<(), Error> {
    use app::{id, name, redirect_uris, scopes, table};
    let values = (id.eq(new.id.0), name.eq(&new.name), redirect_uris.eq(uris(new)), scopes.eq(names(new.scopes)));
    diesel::insert_into(table).values(values).execute(conn).await?;
    Ok(())
}

/// Writes an app's name, addresses, scopes and whether it is disabled.
pub async fn save_app(conn: &mut Conn, changed: &App) -> Result<(), Error> {
    use app::{disabled_at, name, redirect_uris, scopes, table};
    let values = (
        name.eq(&changed.name),
        redirect_uris.eq(uris(changed)),
        scopes.eq(names(changed.scopes)),
        disabled_at.eq(changed.disabled_at),
    );
    diesel::update(table.find(changed.id.0)).set(values).execute(conn).await?;
    Ok(())
}
