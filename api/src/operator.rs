//! What an operator does to accounts, services, apps and signing keys on the command line.

use anyhow::{bail, ensure};
use chrono::{DateTime, TimeDelta, Utc};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::command_line::{CreateAccount, CreateApp, CreateClient, LinkAccount, RetireKey, RotateKeys};
use crate::config::Database;
use crate::identity::{ACCESS_TOKEN_SECONDS, generate_key, secrets};
use crate::sign_in::link_hash;
use domain::{Account, AccountId, Act, AppId, ClientId, Kind, MissionId, Role, Roles, Scope};
use persistence::clients::{self, App, NewClient};
use persistence::{Conn, Db, Error, accounts, identity, imports, log, sign_ins};

/// How long a link that was printed is good for.
const LINK_LASTS: TimeDelta = TimeDelta::hours(72);

/// For how long the clocks of two processes, and the leeway of who checks a token, may be apart.
const CLOCKS: TimeDelta = TimeDelta::minutes(5);

fn open(database: &Database) -> anyhow::Result<Db> {
    let db = Db::new(database.database_url.expose_secret(), 2)?;
    Ok(db.acting(Act::OPERATOR))
}

/// A link by which a password is set: its secret, and what is stored of it.
fn new_link() -> anyhow::Result<(SecretString, [u8; 32])> {
    let secret = secrets::generate()?;
    let hash = link_hash(secret.expose_secret());
    Ok((secret, hash))
}

fn told(account: AccountId, base_url: &str, secret: &SecretString, expires_at: DateTime<Utc>) -> Value {
    let link = format!("{base_url}/account/password/{}", secret.expose_secret());
    json!({ "account": account.0, "link": link, "expires_at": expires_at })
}

async fn known_mission(db: &Db, mission: Option<Uuid>) -> anyhow::Result<Option<MissionId>> {
    if let Some(id) = mission {
        let known = db.read(async move |conn| imports::exists(conn, Kind::Mission, id).await).await?;
        ensure!(known, "there is no mission of this id");
    }
    Ok(mission.map(MissionId))
}

/// Adds an account and says by which link its password is set.
pub async fn create_account(wanted: CreateAccount) -> anyhow::Result<Value> {
    let db = open(&wanted.database)?;
    let roles = Roles::parse(wanted.role.iter().map(|role| role.name()))?;
    let account = Account {
        id: AccountId(Uuid::now_v7()),
        mail: wanted.mail,
        name: wanted.name,
        language: wanted.language,
        roles,
        mission: known_mission(&db, wanted.mission).await?,
        created_at: DateTime::UNIX_EPOCH,
        suspended_at: None,
        rights_version: 1,
        row_version: 1,
    };
    let ((secret, hash), id) = (new_link()?, account.id);
    let insert = async move |conn: &mut Conn| {
        accounts::insert(conn, &account).await?;
        let expires_at = log::now(conn).await? + LINK_LASTS;
        sign_ins::insert_link(conn, account.id, &hash, expires_at).await?;
        Ok(expires_at)
    };
    match db.write::<_, Error, _>(insert).await {
        Ok(written) => Ok(told(id, &wanted.base_url, &secret, written.value)),
        Err(Error::Taken(_)) => bail!("an account has this mail address already: account link prints another link"),
        Err(other) => Err(other.into()),
    }
}

/// Says by which link the password of an account is set anew.
pub async fn link_account(wanted: LinkAccount) -> anyhow::Result<Value> {
    let db = open(&wanted.database)?;
    let ((secret, hash), mail) = (new_link()?, wanted.mail);
    let insert = async move |conn: &mut Conn| {
        let account = accounts::find_by_mail(conn, mail.as_str()).await?.ok_or(Error::NotFound)?;
        let expires_at = log::now(conn).await? + LINK_LASTS;
        sign_ins::insert_link(conn, account.id, &hash, expires_at).await?;
        Ok((account, expires_at))
    };
    match db.write::<_, Error, _>(insert).await.map(|written| written.value) {
        Ok((account, _)) if account.suspended_at.is_some() => bail!("the account is suspended"),
        Ok((account, expires_at)) => Ok(told(account.id, &wanted.base_url, &secret, expires_at)),
        Err(Error::NotFound) => bail!("no account has this mail address"),
        Err(other) => Err(other.into()),
    }
}

/// Adds a service and says its secret.
pub async fn create_client(wanted: CreateClient) -> anyhow::Result<Value> {
    let db = open(&wanted.database)?;
    let mission = known_mission(&db, wanted.mission).await?;
    let secret = secrets::generate()?;
    let scopes = (wanted.client_role == Role::Importer).then(|| wanted.client_scope.into_iter().collect());
    let client = NewClient {
        id: ClientId(Uuid::now_v7()),
        name: wanted.client_name,
        role: wanted.client_role,
        mission,
        scopes,
        secret_hash: secrets::hash(&secret)?,
    };
    let told = json!({ "client_id": client.id, "client_secret": secret.expose_secret() });
    db.write(async move |conn| clients::insert(conn, &client).await).await?;
    Ok(told)
}

/// Registers an app and says its id.
pub async fn create_app(wanted: CreateApp) -> anyhow::Result<Value> {
    let db = open(&wanted.database)?;
    let app = App {
        id: AppId(Uuid::now_v7()),
        name: wanted.name,
        redirect_uris: wanted.redirect_uri,
        scopes: wanted.scope.into_iter().collect(),
        created_at: DateTime::UNIX_EPOCH,
        disabled_at: None,
        row_version: 1,
    };
    let scopes: Vec<&str> = app.scopes.iter().map(Scope::name).collect();
    let told = json!({ "client_id": app.id, "scopes": scopes });
    db.write(async move |conn| clients::insert_app(conn, &app).await).await?;
    Ok(told)
}

fn state(key: &identity::SigningKey, signs: &str, now: DateTime<Utc>) -> &'static str {
    match () {
        () if key.kid == signs => "signs",
        () if key.signs_from > now => "will sign",
        () => "verifies",
    }
}

fn told_keys(keys: &[identity::SigningKey], now: DateTime<Utc>) -> Value {
    // As a process decides: the newest whose time has come, else the oldest.
    let signs = keys.iter().find(|key| key.signs_from <= now).or(keys.last());
    let signs = signs.map(|key| key.kid.as_str()).unwrap_or_default();
    let told = |key: &identity::SigningKey| {
        json!({
            "kid": key.kid, "state": state(key, signs, now),
            "signs_from": key.signs_from, "verifies_until": key.verifies_until,
        })
    };
    keys.iter().map(told).collect()
}

/// The keys in use, the newest first.
pub async fn list_keys(database: &Database) -> anyhow::Result<Value> {
    let list = async |conn: &mut Conn| Ok((identity::list_keys(conn).await?, log::now(conn).await?));
    let (keys, now) = open(database)?.read::<_, Error, _>(list).await?;
    Ok(told_keys(&keys, now))
}

/// Makes another key sign once it has been published for a while, and says which keys there are now.
pub async fn rotate_keys(wanted: RotateKeys) -> anyhow::Result<Value> {
    let db = open(&wanted.database)?;
    // The clock that every process's keys are stored by.
    let now = db.read::<_, Error, _>(async |conn| log::now(conn).await).await?;
    let signs_from = now + TimeDelta::minutes(wanted.overlap_minutes.into());
    let verify_until = signs_from + TimeDelta::seconds(ACCESS_TOKEN_SECONDS) + CLOCKS;
    let key = generate_key(signs_from)?;
    let rotate = async move |conn: &mut Conn| {
        identity::rotate(conn, &key, verify_until).await?;
        identity::list_keys(conn).await
    };
    let keys = db.write::<_, Error, _>(rotate).await?.value;
    Ok(told_keys(&keys, now))
}

/// Ends a key at once, and says which keys are left. Not without another that signs from then on.
pub async fn retire_key(wanted: RetireKey) -> anyhow::Result<Value> {
    let db = open(&wanted.database)?;
    let kid = wanted.kid;
    let retire = async move |conn: &mut Conn| {
        identity::retire(conn, &kid).await.map_err(|cause| match cause {
            Error::NotFound => anyhow::anyhow!("no key in use has this id"),
            other => other.into(),
        })?;
        let left = identity::list_keys(conn).await?;
        // One that was replaced only verifies for a while.
        ensure!(
            left.iter().any(|key| key.verifies_until.is_none()),
            "no other key would sign: rotate the keys first, which can be done at any moment"
        );
        Ok((left, log::now(conn).await?))
    };
    let (keys, now) = db.write::<_, anyhow::Error, _>(retire).await?.value;
    Ok(told_keys(&keys, now))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_told_without_what_is_secret() {
        let now = Utc::now();
        let keys = [generate_key(now + TimeDelta::minutes(10)).unwrap(), generate_key(now).unwrap()];
        let told = told_keys(&keys, now);
        assert_eq!((&told[0]["state"], &told[1]["state"]), (&json!("will sign"), &json!("signs")));
        assert_eq!(told[0].as_object().unwrap().len(), 4);
        assert!(!told.to_string().contains("private"));
    }
}
