//! What decides whether a token is good and what it permits, as every process holds it, and the keys that tokens
//! are signed with.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use crate::clients::{self, App, Client};
use crate::schema::{account, session, signing_key};
use crate::{Conn, Error};
use domain::{AccountId, MissionId, Roles, SessionId};

/// An Ed25519 key that access tokens are, were or will be signed with.
pub struct SigningKey {
    /// The RFC 7638 thumbprint of the public key.
    pub kid: String,
    /// PKCS #8.
    pub private_key: Vec<u8>,
    /// The 32 bytes of the public key.
    pub public_key: Vec<u8>,
    /// From when it signs; until then it is only published.
    pub signs_from: DateTime<Utc>,
    /// Until when what it signed is good; none while it signs.
    pub verifies_until: Option<DateTime<Utc>>,
}

/// A person, as far as it decides what a token permits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// The account.
    pub id: AccountId,
    /// What the person may do.
    pub roles: Roles,
    /// The mission, for roles of missions.
    pub mission: Option<MissionId>,
    /// Whether the account can be used.
    pub enabled: bool,
    /// Counts the changes of all of this.
    pub rights_version: i32,
}

/// Everybody who may call, and what is revoked.
pub struct Known {
    /// Services.
    pub clients: Vec<Client>,
    /// Apps.
    pub apps: Vec<App>,
    /// People, those whose accounts cannot be used too.
    pub people: Vec<Person>,
    /// Sessions that ended while tokens of theirs may still be about.
    pub ended: Vec<SessionId>,
    /// Keys.
    pub keys: Vec<SigningKey>,
}

/// How long an ended session is told of: longer than any access token is good for, and two clocks apart.
const ENDED_FOR: &str = "3 hours";

/// Reads all of it.
pub async fn load(conn: &mut Conn) -> Result<Known, Error> {
    let recent = diesel::dsl::sql::<diesel::sql_types::Bool>("ended_at > now() - interval '");
    let ended: Vec<Uuid> = session::table.filter(recent.sql(ENDED_FOR).sql("'")).select(session::id).load(conn).await?;
    Ok(Known {
        clients: clients::list(conn).await?,
        apps: clients::list_apps(conn).await?,
        people: people(conn).await?,
        ended: ended.into_iter().map(SessionId).collect(),
        keys: list_keys(conn).await?,
    })
}

async fn people(conn: &mut Conn) -> Result<Vec<Person>, Error> {
    type Row = (Uuid, Vec<String>, Option<Uuid>, bool, i32);
    let rows: Vec<Row> = account::table
        .select((
            account::id,
            account::roles,
            account::mission_id,
            account::suspended_at.is_null().and(account::removed_at.is_null()),
            account::rights_version,
        ))
        .load(conn)
        .await?;
    rows.into_iter()
        .map(|(id, names, mission, enabled, rights_version)| {
            let roles = roles(&names)?;
            let mission = mission.map(MissionId);
            Ok(Person { id: AccountId(id), roles, mission, enabled, rights_version })
        })
        .collect()
}

/// A person's roles as they are stored.
pub(crate) fn roles(names: &[String]) -> Result<Roles, Error> {
    let roles = Roles::parse(names.iter().map(String::as_str));
    roles.map_err(|broken| Error::Corrupt(format!("roles {names:?}: {broken}")))
}

/// The keys in use: those that sign, will sign, or whose tokens may still be about. Newest first.
pub async fn list_keys(conn: &mut Conn) -> Result<Vec<SigningKey>, Error> {
    use signing_key::{kid, private_key, public_key, retired_at, signs_from, table, verifies_until};
    type Row = (String, Vec<u8>, Vec<u8>, DateTime<Utc>, Option<DateTime<Utc>>);
    let rows: Vec<Row> = table
        .filter(retired_at.is_null().and(verifies_until.is_null().or(verifies_until.gt(diesel::dsl::now))))
        .order((signs_from.desc(), kid))
        .select((kid, private_key, public_key, signs_from, verifies_until))
        .load(conn)
        .await?;
    let key = |row: Row| SigningKey {
        kid: row.0,
        private_key: row.1,
        public_key: row.2,
        signs_from: row.3,
        verifies_until: row.4,
    };
    Ok(rows.into_iter().map(key).collect())
}

async fn lock_keys(conn: &mut Conn) -> Result<(), Error> {
    diesel::sql_query("lock table signing_key in share row exclusive mode").execute(conn).await?;
    Ok(())
}

async fn insert_key(conn: &mut Conn, key: &SigningKey) -> Result<(), Error> {
    use signing_key::{kid, private_key, public_key, signs_from, table};
    let values = (
        kid.eq(&key.kid),
        private_key.eq(&key.private_key),
        public_key.eq(&key.public_key),
        signs_from.eq(key.signs_from),
    );
    diesel::insert_into(table).values(values).execute(conn).await?;
    Ok(())
}

/// Adds `key` unless there is a key already; processes that start together agree on one.
pub async fn insert_first_key(conn: &mut Conn, key: &SigningKey) -> Result<(), Error> {
    lock_keys(conn).await?;
    if signing_key::table.count().get_result::<i64>(conn).await? == 0 {
        insert_key(conn, key).await?;
    }
    Ok(())
}

/// Adds a key that signs from its `signs_from` on, and lets those before it verify until `verify_until`.
pub async fn rotate(conn: &mut Conn, key: &SigningKey, verify_until: DateTime<Utc>) -> Result<(), Error> {
    use signing_key::{retired_at, table, verifies_until};
    lock_keys(conn).await?;
    let before = table.filter(retired_at.is_null().and(verifies_until.is_null()));
    diesel::update(before).set(verifies_until.eq(verify_until)).execute(conn).await?;
    insert_key(conn, key).await
}

/// Ends a key at once: nothing that it signed is good any more. `NotFound` when there is no such key in use.
/// Whoever calls sees to it that another signs.
pub async fn retire(conn: &mut Conn, wanted: &str) -> Result<(), Error> {
    use signing_key::{kid, retired_at, table};
    lock_keys(conn).await?;
    let key = table.filter(kid.eq(wanted).and(retired_at.is_null()));
    match diesel::update(key).set(retired_at.eq(diesel::dsl::now)).execute(conn).await? {
        0 => Err(Error::NotFound),
        _ => Ok(()),
    }
}
