//! Sessions: apps on devices in which people are signed in, and the codes that sessions come from.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use crate::schema::{app, authorization_code, session};
use crate::{Conn, Error, log, sign_ins};
use domain::identity::SessionEnd;
use domain::{AccountId, AppId, Scopes, SessionId};

/// A session that begins.
#[derive(Debug, Clone)]
pub struct NewSession {
    /// Its id.
    pub id: SessionId,
    /// Whose.
    pub account: AccountId,
    /// In which app.
    pub app: AppId,
    /// What the device's browser called itself; at most 200 characters.
    pub device: String,
    /// What was granted.
    pub scopes: Scopes,
    /// Whether a second factor was shown.
    pub has_second_factor: bool,
    /// What its refresh tokens are made of.
    pub rotation_key: [u8; 32],
    /// When it ends at the latest.
    pub expires_at: DateTime<Utc>,
}

/// A session, as a refresh needs it.
#[derive(Debug, Clone)]
pub struct Family {
    /// Its id.
    pub id: SessionId,
    /// Whose.
    pub account: AccountId,
    /// In which app.
    pub app: AppId,
    /// What was granted.
    pub scopes: Scopes,
    /// Whether a second factor was shown.
    pub has_second_factor: bool,
    /// What its refresh tokens are made of.
    pub rotation_key: Vec<u8>,
    /// The generation of the newest refresh token.
    pub generation: i32,
    /// When it began.
    pub created_at: DateTime<Utc>,
    /// When the newest refresh token was made.
    pub rotated_at: DateTime<Utc>,
    /// When it was last used.
    pub last_used_at: DateTime<Utc>,
    /// When it ends at the latest.
    pub expires_at: DateTime<Utc>,
    /// When it ended.
    pub ended_at: Option<DateTime<Utc>>,
    /// The database's clock.
    pub now: DateTime<Utc>,
}

/// A session, as its person sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// Its id.
    pub id: SessionId,
    /// Whose.
    pub account: AccountId,
    /// In which app.
    pub app: AppId,
    /// What that is called.
    pub app_name: String,
    /// What the device's browser called itself.
    pub device: String,
    /// What was granted.
    pub scopes: Scopes,
    /// When it began.
    pub created_at: DateTime<Utc>,
    /// When it was last used to get a token.
    pub last_used_at: DateTime<Utc>,
    /// When it ends at the latest.
    pub expires_at: DateTime<Utc>,
}

/// Adds a session.
pub async fn insert(conn: &mut Conn, new: &NewSession) -> Result<(), Error> {
    use session::{account_id, app_id, device, expires_at, has_second_factor, id, rotation_key, scope, table};
    let values = (
        id.eq(new.id.0),
        account_id.eq(new.account.0),
        app_id.eq(new.app.0),
        device.eq(&new.device),
        scope.eq(new.scopes.parameter()),
        has_second_factor.eq(new.has_second_factor),
        rotation_key.eq(&new.rotation_key[..]),
        expires_at.eq(new.expires_at),
    );
    diesel::insert_into(table).values(values).execute(conn).await?;
    Ok(())
}

/// The session of this id, over or not, kept from others until the transaction ends. `NotFound` when there is none.
pub async fn lock(conn: &mut Conn, wanted: SessionId) -> Result<Family, Error> {
    type Row = (
        (Uuid, Uuid, String, bool, Vec<u8>, i32),
        (DateTime<Utc>, DateTime<Utc>, DateTime<Utc>, DateTime<Utc>, Option<DateTime<Utc>>),
    );
    let (what, times): Row = session::table
        .find(wanted.0)
        .select((
            (
                session::account_id,
                session::app_id,
                session::scope,
                session::has_second_factor,
                session::rotation_key,
                session::generation,
            ),
            (session::created_at, session::rotated_at, session::last_used_at, session::expires_at, session::ended_at),
        ))
        .for_update()
        .first(conn)
        .await?;
    let (account, app, scope, has_second_factor, rotation_key, generation) = what;
    let (created_at, rotated_at, last_used_at, expires_at, ended_at) = times;
    Ok(Family {
        id: wanted,
        account: AccountId(account),
        app: AppId(app),
        scopes: Scopes::parse(&scope),
        has_second_factor,
        rotation_key,
        generation,
        created_at,
        rotated_at,
        last_used_at,
        expires_at,
        ended_at,
        now: log::now(conn).await?,
    })
}

/// Notes that a session was gone on with: `generation` is the newest from now on.
pub async fn rotate(conn: &mut Conn, wanted: SessionId, generation: i32) -> Result<(), Error> {
    let now = log::now(conn).await?;
    let values = (session::generation.eq(generation), session::rotated_at.eq(now), session::last_used_at.eq(now));
    diesel::update(session::table.find(wanted.0)).set(values).execute(conn).await?;
    Ok(())
}

type Row = ((Uuid, Uuid, Uuid, String), (String, String), (DateTime<Utc>, DateTime<Utc>, DateTime<Utc>));
type Columns = (
    (session::id, session::account_id, session::app_id, app::name),
    (session::device, session::scope),
    (session::created_at, session::last_used_at, session::expires_at),
);

const COLUMNS: Columns = (
    (session::id, session::account_id, session::app_id, app::name),
    (session::device, session::scope),
    (session::created_at, session::last_used_at, session::expires_at),
);

fn session_of(((id, account, app, app_name), (device, scope), times): Row) -> Session {
    let (created_at, last_used_at, expires_at) = times;
    Session {
        id: SessionId(id),
        account: AccountId(account),
        app: AppId(app),
        app_name,
        device,
        scopes: Scopes::parse(&scope),
        created_at,
        last_used_at,
        expires_at,
    }
}

/// An account's sessions that are not over, newest first.
pub async fn list(conn: &mut Conn, account: AccountId) -> Result<Vec<Session>, Error> {
    let rows: Vec<Row> = session::table
        .inner_join(app::table)
        .filter(session::account_id.eq(account.0).and(session::ended_at.is_null()))
        .filter(session::expires_at.gt(diesel::dsl::now))
        .filter(diesel::dsl::sql::<diesel::sql_types::Bool>("last_used_at > now() - interval '30 days'"))
        .order(session::id.desc())
        .select(COLUMNS)
        .load(conn)
        .await?;
    Ok(rows.into_iter().map(session_of).collect())
}

/// The session of this id, unless it has ended.
pub async fn find(conn: &mut Conn, wanted: SessionId) -> Result<Option<Session>, Error> {
    let query = session::table
        .inner_join(app::table)
        .filter(session::id.eq(wanted.0).and(session::ended_at.is_null()))
        .select(COLUMNS);
    Ok(query.first::<Row>(conn).await.optional()?.map(session_of))
}

/// Ends a session. Says whether it was not over already.
pub async fn end(conn: &mut Conn, wanted: SessionId, why: SessionEnd) -> Result<bool, Error> {
    let going_on = session::table.filter(session::id.eq(wanted.0).and(session::ended_at.is_null()));
    let values = (session::ended_at.eq(log::now(conn).await?), session::ended_by.eq(why.name()));
    Ok(diesel::update(going_on).set(values).execute(conn).await? > 0)
}

/// Ends all of an account's sessions but `but`, and says how many that were.
pub async fn end_all(
    conn: &mut Conn,
    account: AccountId,
    but: Option<SessionId>,
    why: SessionEnd,
) -> Result<usize, Error> {
    let going_on = session::table
        .filter(session::account_id.eq(account.0).and(session::ended_at.is_null()))
        .filter(session::id.ne(but.map_or(Uuid::nil(), |but| but.0)));
    let values = (session::ended_at.eq(log::now(conn).await?), session::ended_by.eq(why.name()));
    Ok(diesel::update(going_on).set(values).execute(conn).await?)
}

/// Ends all that an account has anywhere: its sessions, and the browsers in which it is signed in on our pages.
pub async fn end_everything(conn: &mut Conn, account: AccountId, why: SessionEnd) -> Result<usize, Error> {
    end_ways_in(conn, account).await?;
    end_all(conn, account, None, why).await
}

/// Ends the browsers in which an account is signed in on our pages, and the codes that are on their way from them
/// to an app: without that, who holds a device whose session has ended gets another by a tap.
pub async fn end_ways_in(conn: &mut Conn, account: AccountId) -> Result<(), Error> {
    sign_ins::end_browsers(conn, account).await?;
    diesel::delete(
        authorization_code::table
            .filter(authorization_code::account_id.eq(account.0).and(authorization_code::used_at.is_null())),
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// An authorization code, by its hash.
#[derive(Debug, Clone, Queryable, Insertable, Selectable)]
#[diesel(table_name = authorization_code)]
pub struct Code {
    /// SHA-256 of the code.
    pub hash: Vec<u8>,
    /// Who consented.
    pub account_id: Uuid,
    /// To which app.
    pub app_id: Uuid,
    /// Where it was sent.
    pub redirect_uri: String,
    /// PKCE, S256.
    pub code_challenge: String,
    /// To what.
    pub scope: String,
    /// What the device's browser called itself.
    pub device: String,
    /// Whether a second factor was shown.
    pub has_second_factor: bool,
    /// Until when it can be used.
    pub expires_at: DateTime<Utc>,
    /// When it was.
    pub used_at: Option<DateTime<Utc>>,
    /// What it gave.
    pub session_id: Option<Uuid>,
}

/// Adds a code.
pub async fn insert_code(conn: &mut Conn, code: &Code) -> Result<(), Error> {
    diesel::insert_into(authorization_code::table).values(code).execute(conn).await?;
    Ok(())
}

/// The code of this hash, used or not, kept from others until the transaction ends. With the database's clock.
pub async fn lock_code(conn: &mut Conn, hash: &[u8]) -> Result<Option<(Code, DateTime<Utc>)>, Error> {
    let query = authorization_code::table.find(hash.to_vec()).select(Code::as_select()).for_update();
    let Some(code) = query.first(conn).await.optional()? else { return Ok(None) };
    Ok(Some((code, log::now(conn).await?)))
}

/// Notes that a code was used, and the session it gave where it gave one.
pub async fn use_code(conn: &mut Conn, hash: &[u8], gave: Option<SessionId>) -> Result<(), Error> {
    use authorization_code::{session_id, table, used_at};
    let values = (used_at.eq(log::now(conn).await?), session_id.eq(gave.map(|session| session.0)));
    diesel::update(table.find(hash.to_vec())).set(values).execute(conn).await?;
    Ok(())
}

/// Forgets codes and sessions that have been over for long enough that nobody can ask about them: codes after a
/// day, sessions after 30 days. Returns how many that were.
pub async fn prune(conn: &mut Conn) -> Result<usize, Error> {
    let codes = diesel::sql_query("delete from authorization_code where expires_at < now() - interval '1 day'");
    let pruned = codes.execute(conn).await?;
    let sessions = diesel::sql_query(
        "delete from session where coalesce(ended_at, least(expires_at, last_used_at + interval '30 days'))
            < now() - interval '30 days'",
    );
    Ok(pruned + sessions.execute(conn).await?)
}
