//! Accounts: people.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::Text;
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use crate::identity::roles;
use crate::schema::account;
use crate::{Conn, Error};
use domain::{Account, AccountId, Email, Language, MissionId, Role};

diesel::define_sql_function! {
    /// As Postgres compares mail addresses.
    fn lower(text: Text) -> Text;
}

type Row =
    ((Uuid, String, String, String, Vec<String>, Option<Uuid>), (DateTime<Utc>, Option<DateTime<Utc>>, i32, i32));
type Columns = (
    (account::id, account::mail, account::name, account::language, account::roles, account::mission_id),
    (account::created_at, account::suspended_at, account::rights_version, account::row_version),
);

const COLUMNS: Columns = (
    (account::id, account::mail, account::name, account::language, account::roles, account::mission_id),
    (account::created_at, account::suspended_at, account::rights_version, account::row_version),
);

fn account_of(((id, mail, name, language, names, mission), counts): Row) -> Result<Account, Error> {
    let (created_at, suspended_at, rights_version, row_version) = counts;
    let mail = Email::parse(&mail).map_err(|broken| Error::Corrupt(format!("mail of account {id}: {broken}")))?;
    let language =
        Language::parse(&language).map_err(|_| Error::Corrupt(format!("language of account {id}: {language}")))?;
    Ok(Account {
        id: AccountId(id),
        mail,
        name,
        language,
        roles: roles(&names)?,
        mission: mission.map(MissionId),
        created_at,
        suspended_at,
        rights_version,
        row_version,
    })
}

/// Which accounts are wanted.
#[derive(Debug, Clone, Copy, Default)]
pub struct Filter<'a> {
    /// Of this mission.
    pub mission: Option<MissionId>,
    /// With this role.
    pub role: Option<Role>,
    /// Whose mail or name begins with this, whatever its case.
    pub begins: Option<&'a str>,
}

/// Accounts in the order of their ids, oldest first, after `after`; at most `limit`. Removed ones are no more.
pub async fn list(
    conn: &mut Conn,
    filter: Filter<'_>,
    after: Option<AccountId>,
    limit: i64,
) -> Result<Vec<Account>, Error> {
    let mut query = account::table.filter(account::removed_at.is_null()).order(account::id).limit(limit).into_boxed();
    if let Some(mission) = filter.mission {
        query = query.filter(account::mission_id.eq(mission.0));
    }
    if let Some(role) = filter.role {
        query = query.filter(account::roles.contains(vec![role.name()]));
    }
    if let Some(begins) = filter.begins {
        let escaped = begins.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
        let pattern = format!("{escaped}%");
        query = query
            .filter(lower(account::mail).like(lower(pattern.clone())).or(lower(account::name).like(lower(pattern))));
    }
    if let Some(after) = after {
        query = query.filter(account::id.gt(after.0));
    }
    let rows: Vec<Row> = query.select(COLUMNS).load(conn).await?;
    rows.into_iter().map(account_of).collect()
}

/// The account of this id, suspended or not, unless it was removed.
pub async fn find(conn: &mut Conn, wanted: AccountId) -> Result<Option<Account>, Error> {
    let query = account::table.find(wanted.0).filter(account::removed_at.is_null()).select(COLUMNS);
    query.first::<Row>(conn).await.optional()?.map(account_of).transpose()
}

/// The account of this id, kept from others until the transaction ends. `NotFound` when there is none.
pub async fn lock(conn: &mut Conn, wanted: AccountId) -> Result<Account, Error> {
    let query = account::table.find(wanted.0).filter(account::removed_at.is_null()).select(COLUMNS).for_update();
    account_of(query.first(conn).await?)
}

/// The administrators of the Secretariat whose accounts can be used, kept from others until the transaction ends. To
/// be called before any of them is locked alone: two who remove each other would wait for each other in a circle.
pub async fn lock_admins(conn: &mut Conn) -> Result<Vec<AccountId>, Error> {
    let ids: Vec<Uuid> = account::table
        .filter(account::roles.contains(vec![Role::Admin.name()]))
        .filter(account::suspended_at.is_null().and(account::removed_at.is_null()))
        .order(account::id)
        .select(account::id)
        .for_update()
        .load(conn)
        .await?;
    Ok(ids.into_iter().map(AccountId).collect())
}

/// The account that signs in with this mail, suspended or not, unless it was removed.
pub async fn find_by_mail(conn: &mut Conn, mail: &str) -> Result<Option<Account>, Error> {
    let query = account::table
        .filter(lower(account::mail).eq(lower(mail.to_owned())).and(account::removed_at.is_null()))
        .select(COLUMNS);
    query.first::<Row>(conn).await.optional()?.map(account_of).transpose()
}

/// Adds an account. `Taken("account_mail")` when another has its mail.
pub async fn insert(conn: &mut Conn, new: &Account) -> Result<(), Error> {
    use account::{id, language, mail, mission_id, name, roles, table};
    let names: Vec<&str> = new.roles.iter().map(Role::name).collect();
    let values = (
        id.eq(new.id.0),
        mail.eq(new.mail.as_str()),
        name.eq(&new.name),
        language.eq(new.language.tag()),
        roles.eq(names),
        mission_id.eq(new.mission.map(|mission| mission.0)),
    );
    diesel::insert_into(table).values(values).execute(conn).await?;
    Ok(())
}

/// Writes all of an account that can be changed. `Taken("account_mail")` when another has its mail.
pub async fn save(conn: &mut Conn, changed: &Account) -> Result<(), Error> {
    use account::{language, mail, mission_id, name, roles, suspended_at, table};
    let names: Vec<&str> = changed.roles.iter().map(Role::name).collect();
    let values = (
        mail.eq(changed.mail.as_str()),
        name.eq(&changed.name),
        language.eq(changed.language.tag()),
        roles.eq(names),
        mission_id.eq(changed.mission.map(|mission| mission.0)),
        suspended_at.eq(changed.suspended_at),
    );
    diesel::update(table.find(changed.id.0)).set(values).execute(conn).await?;
    Ok(())
}

/// Removes an account: nobody signs in with it any more, and its mail can be invited again. What it did goes on
/// naming it.
pub async fn remove(conn: &mut Conn, wanted: AccountId) -> Result<(), Error> {
    let row = account::table.find(wanted.0).filter(account::removed_at.is_null());
    match diesel::update(row).set(account::removed_at.eq(diesel::dsl::now)).execute(conn).await? {
        0 => Err(Error::NotFound),
        _ => Ok(()),
    }
}
