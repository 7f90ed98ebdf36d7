//! OAuth 2 clients and signing keys.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use crate::schema::{oauth_client, signing_key};
use crate::{Conn, Error};
use domain::{ClientId, MissionId, Role};

/// An OAuth 2 client, without its secret.
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
    /// Whether it may get and use tokens.
    pub enabled: bool,
}

/// An Ed25519 key that access tokens are or were signed with.
pub struct SigningKey {
    /// The RFC 7638 thumbprint of the public key.
    pub kid: String,
    /// PKCS #8.
    pub private_key: Vec<u8>,
    /// The 32 bytes of the public key.
    pub public_key: Vec<u8>,
}

type Row = (Uuid, String, String, Option<Uuid>, bool);

fn client((id, name, role, mission, enabled): Row) -> Result<Client, Error> {
    let role = Role::parse(&role).map_err(|_| Error::Corrupt(format!("role {role}")))?;
    Ok(Client { id: ClientId(id), name, role, mission: mission.map(MissionId), enabled })
}

/// Every client, the disabled ones too.
pub async fn list_clients(conn: &mut Conn) -> Result<Vec<Client>, Error> {
    use oauth_client::{disabled_at, id, mission_id, name, role, table};
    let rows: Vec<Row> = table.select((id, name, role, mission_id, disabled_at.is_null())).load(conn).await?;
    rows.into_iter().map(client).collect()
}

/// The enabled client of this id, with the hash of its secret.
pub async fn find_client(conn: &mut Conn, wanted: ClientId) -> Result<Option<(Client, String)>, Error> {
    use oauth_client::{disabled_at, id, mission_id, name, role, secret_hash, table};
    let row: Option<(Row, String)> = table
        .filter(id.eq(wanted.0).and(disabled_at.is_null()))
        .select(((id, name, role, mission_id, disabled_at.is_null()), secret_hash))
        .first(conn)
        .await
        .optional()?;
    row.map(|(row, hash)| Ok((client(row)?, hash))).transpose()
}

/// Adds a client.
pub async fn insert_client(conn: &mut Conn, client: &Client, hash: &str) -> Result<(), Error> {
    use oauth_client::{id, mission_id, name, role, secret_hash, table};
    let values = (
        id.eq(client.id.0),
        name.eq(&client.name),
        role.eq(client.role.name()),
        mission_id.eq(client.mission.map(|m| m.0)),
        secret_hash.eq(hash),
    );
    diesel::insert_into(table).values(values).execute(conn).await?;
    Ok(())
}

/// Gives a client another secret. `NotFound` when there is no such client.
pub async fn save_secret(conn: &mut Conn, wanted: ClientId, hash: &str) -> Result<(), Error> {
    use oauth_client::{id, secret_hash, table};
    match diesel::update(table.filter(id.eq(wanted.0))).set(secret_hash.eq(hash)).execute(conn).await? {
        0 => Err(Error::NotFound),
        _ => Ok(()),
    }
}

/// The keys in use, newest first; the newest signs.
pub async fn list_keys(conn: &mut Conn) -> Result<Vec<SigningKey>, Error> {
    use signing_key::{created_at, kid, private_key, public_key, retired_at, table};
    let rows: Vec<(String, Vec<u8>, Vec<u8>)> = table
        .filter(retired_at.is_null())
        .order((created_at.desc(), kid))
        .select((kid, private_key, public_key))
        .load(conn)
        .await?;
    Ok(rows.into_iter().map(|row| SigningKey { kid: row.0, private_key: row.1, public_key: row.2 }).collect())
}

/// Adds `key` unless there is a key already; processes that start together agree on one.
pub async fn insert_first_key(conn: &mut Conn, key: &SigningKey) -> Result<(), Error> {
    use signing_key::{kid, private_key, public_key, table};
    diesel::sql_query("lock table signing_key in share row exclusive mode").execute(conn).await?;
    if table.count().get_result::<i64>(conn).await? == 0 {
        let values = (kid.eq(&key.kid), private_key.eq(&key.private_key), public_key.eq(&key.public_key));
        diesel::insert_into(table).values(values).execute(conn).await?;
    }
    Ok(())
}
