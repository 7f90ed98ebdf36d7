//! How people prove who they are: passwords and the links that set them, second factors, and the browsers in
//! which they are signed in on our pages.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use crate::schema::{browser_session, password, password_link, recovery_code, second_factor};
use crate::{Conn, Error, log};
use domain::AccountId;

/// The hash of an account's password, as a PHC string.
pub async fn find_password(conn: &mut Conn, of: AccountId) -> Result<Option<String>, Error> {
    Ok(password::table.find(of.0).select(password::hash).first(conn).await.optional()?)
}

/// Gives an account this password, by its hash.
pub async fn save_password(conn: &mut Conn, of: AccountId, hash: &str) -> Result<(), Error> {
    let values = (password::account_id.eq(of.0), password::hash.eq(hash), password::set_at.eq(log::now(conn).await?));
    let insert = diesel::insert_into(password::table).values(values);
    insert.on_conflict(password::account_id).do_update().set(values).execute(conn).await?;
    Ok(())
}

/// Adds a link by which a password is set, by the hash of its secret; earlier ones of the account are good no more.
pub async fn insert_link(
    conn: &mut Conn,
    of: AccountId,
    hash: &[u8; 32],
    expires_at: DateTime<Utc>,
) -> Result<(), Error> {
    void_links(conn, of).await?;
    let values = (
        password_link::hash.eq(&hash[..]),
        password_link::account_id.eq(of.0),
        password_link::expires_at.eq(expires_at),
    );
    diesel::insert_into(password_link::table).values(values).execute(conn).await?;
    Ok(())
}

/// Makes an account's links good no more.
pub async fn void_links(conn: &mut Conn, of: AccountId) -> Result<(), Error> {
    let unused = password_link::table.filter(password_link::account_id.eq(of.0).and(password_link::used_at.is_null()));
    diesel::update(unused).set(password_link::used_at.eq(log::now(conn).await?)).execute(conn).await?;
    Ok(())
}

/// What somebody has proven themself by so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Proofs {
    /// Whether they have set a password.
    pub password: bool,
    /// Whether they have set up a second factor.
    pub second_factor: bool,
}

/// The proofs of these accounts; those without any are left out.
pub async fn proofs(conn: &mut Conn, of: &[AccountId]) -> Result<HashMap<AccountId, Proofs>, Error> {
    let ids: Vec<Uuid> = of.iter().map(|id| id.0).collect();
    let with_password: Vec<Uuid> =
        password::table.filter(password::account_id.eq_any(&ids)).select(password::account_id).load(conn).await?;
    let with_second_factor: Vec<Uuid> = second_factor::table
        .filter(second_factor::account_id.eq_any(&ids).and(second_factor::confirmed_at.is_not_null()))
        .select(second_factor::account_id)
        .load(conn)
        .await?;
    let mut proofs: HashMap<AccountId, Proofs> = HashMap::new();
    for id in with_password {
        proofs.entry(AccountId(id)).or_default().password = true;
    }
    for id in with_second_factor {
        proofs.entry(AccountId(id)).or_default().second_factor = true;
    }
    Ok(proofs)
}

/// Forgets all that an account's person could prove themself by.
pub async fn forget(conn: &mut Conn, of: AccountId) -> Result<(), Error> {
    remove_factors(conn, of).await?;
    void_links(conn, of).await?;
    diesel::delete(password::table.find(of.0)).execute(conn).await?;
    Ok(())
}

/// The account of a link that can still be used.
pub async fn find_link(conn: &mut Conn, hash: &[u8; 32]) -> Result<Option<AccountId>, Error> {
    let good = password_link::table
        .find(hash.to_vec())
        .filter(password_link::used_at.is_null().and(password_link::expires_at.gt(diesel::dsl::now)));
    Ok(good.select(password_link::account_id).first(conn).await.optional()?.map(AccountId))
}

/// Uses a link up, and says whose it was. None where it cannot be used (any more).
pub async fn use_link(conn: &mut Conn, hash: &[u8; 32]) -> Result<Option<AccountId>, Error> {
    let good = password_link::table
        .find(hash.to_vec())
        .filter(password_link::used_at.is_null().and(password_link::expires_at.gt(diesel::dsl::now)));
    let used = diesel::update(good).set(password_link::used_at.eq(log::now(conn).await?));
    Ok(used.returning(password_link::account_id).get_result(conn).await.optional()?.map(AccountId))
}

/// A time-based one-time password generator (RFC 6238) of an account.
#[derive(Debug, Clone)]
pub struct Totp {
    /// Its id.
    pub id: Uuid,
    /// The shared secret.
    pub secret: Vec<u8>,
    /// Whether the person has shown that they have it.
    pub is_confirmed: bool,
    /// The last time step whose code was taken.
    pub last_step: i64,
}

/// The account's generator, confirmed or not.
pub async fn find_totp(conn: &mut Conn, of: AccountId) -> Result<Option<Totp>, Error> {
    type Row = (Uuid, Vec<u8>, Option<DateTime<Utc>>, i64);
    let row: Option<Row> = second_factor::table
        .filter(second_factor::account_id.eq(of.0).and(second_factor::kind.eq("totp")))
        .select((second_factor::id, second_factor::secret, second_factor::confirmed_at, second_factor::last_step))
        .first(conn)
        .await
        .optional()?;
    Ok(row.map(|(id, secret, confirmed_at, last_step)| Totp {
        id,
        secret,
        is_confirmed: confirmed_at.is_some(),
        last_step,
    }))
}

/// Gives an account a generator to be confirmed, in place of another that never was. Nothing where one is confirmed.
pub async fn offer_totp(conn: &mut Conn, of: AccountId, secret: &[u8]) -> Result<(), Error> {
    let unconfirmed = second_factor::table
        .filter(second_factor::account_id.eq(of.0).and(second_factor::kind.eq("totp")))
        .filter(second_factor::confirmed_at.is_null());
    diesel::delete(unconfirmed).execute(conn).await?;
    let values = (
        second_factor::id.eq(Uuid::now_v7()),
        second_factor::account_id.eq(of.0),
        second_factor::kind.eq("totp"),
        second_factor::secret.eq(secret),
    );
    diesel::insert_into(second_factor::table).values(values).on_conflict_do_nothing().execute(conn).await?;
    Ok(())
}

/// Takes the code of a time step, and confirms the generator by it. False where that step or a later one was taken
/// before (RFC 6238 §5.2).
pub async fn take_step(conn: &mut Conn, totp: Uuid, step: i64) -> Result<bool, Error> {
    let now = log::now(conn).await?;
    let newer = second_factor::table.find(totp).filter(second_factor::last_step.lt(step));
    let taken = diesel::update(newer).set(second_factor::last_step.eq(step)).execute(conn).await? > 0;
    let unconfirmed = second_factor::table.find(totp).filter(second_factor::confirmed_at.is_null());
    if taken {
        diesel::update(unconfirmed).set(second_factor::confirmed_at.eq(now)).execute(conn).await?;
    }
    Ok(taken)
}

/// Takes all second factors from an account, and its recovery codes.
pub async fn remove_factors(conn: &mut Conn, of: AccountId) -> Result<(), Error> {
    diesel::delete(second_factor::table.filter(second_factor::account_id.eq(of.0))).execute(conn).await?;
    diesel::delete(recovery_code::table.filter(recovery_code::account_id.eq(of.0))).execute(conn).await?;
    Ok(())
}

/// Gives an account these recovery codes, by their hashes, in place of any it had.
pub async fn save_recovery_codes(conn: &mut Conn, of: AccountId, hashes: &[[u8; 32]]) -> Result<(), Error> {
    diesel::delete(recovery_code::table.filter(recovery_code::account_id.eq(of.0))).execute(conn).await?;
    let rows: Vec<_> =
        hashes.iter().map(|hash| (recovery_code::account_id.eq(of.0), recovery_code::hash.eq(&hash[..]))).collect();
    diesel::insert_into(recovery_code::table).values(rows).execute(conn).await?;
    Ok(())
}

/// Uses a recovery code up, by its hash. False where the account has none such, or has used it.
pub async fn use_recovery_code(conn: &mut Conn, of: AccountId, hash: &[u8; 32]) -> Result<bool, Error> {
    let unused = recovery_code::table.find((of.0, hash.to_vec())).filter(recovery_code::used_at.is_null());
    let now = log::now(conn).await?;
    Ok(diesel::update(unused).set(recovery_code::used_at.eq(now)).execute(conn).await? > 0)
}

/// How many recovery codes an account has left.
pub async fn count_recovery_codes(conn: &mut Conn, of: AccountId) -> Result<i64, Error> {
    let unused = recovery_code::table.filter(recovery_code::account_id.eq(of.0).and(recovery_code::used_at.is_null()));
    Ok(unused.count().get_result(conn).await?)
}

/// A browser in which somebody has given their password on our pages.
#[derive(Debug, Clone)]
pub struct Browser {
    /// Its id.
    pub id: Uuid,
    /// Who.
    pub account: AccountId,
    /// Since when they are signed in; none while a second factor is to be shown.
    pub authenticated_at: Option<DateTime<Utc>>,
    /// When they showed a second factor, whether or not they had to.
    pub second_factor_at: Option<DateTime<Utc>>,
}

/// Adds a browser, by the hash of its cookie.
pub async fn insert_browser(
    conn: &mut Conn,
    new: &Browser,
    hash: &[u8; 32],
    expires_at: DateTime<Utc>,
) -> Result<(), Error> {
    let values = (
        browser_session::id.eq(new.id),
        browser_session::hash.eq(&hash[..]),
        browser_session::account_id.eq(new.account.0),
        browser_session::authenticated_at.eq(new.authenticated_at),
        browser_session::second_factor_at.eq(new.second_factor_at),
        browser_session::expires_at.eq(expires_at),
    );
    diesel::insert_into(browser_session::table).values(values).execute(conn).await?;
    Ok(())
}

/// The browser that has this cookie, unless it is over.
pub async fn find_browser(conn: &mut Conn, hash: &[u8; 32]) -> Result<Option<Browser>, Error> {
    type Row = (Uuid, Uuid, Option<DateTime<Utc>>, Option<DateTime<Utc>>);
    let row: Option<Row> = browser_session::table
        .filter(browser_session::hash.eq(&hash[..]).and(browser_session::ended_at.is_null()))
        .filter(browser_session::expires_at.gt(diesel::dsl::now))
        .select((
            browser_session::id,
            browser_session::account_id,
            browser_session::authenticated_at,
            browser_session::second_factor_at,
        ))
        .first(conn)
        .await
        .optional()?;
    Ok(row.map(|(id, account, authenticated_at, second_factor_at)| Browser {
        id,
        account: AccountId(account),
        authenticated_at,
        second_factor_at,
    }))
}

/// Ends a browser.
pub async fn end_browser(conn: &mut Conn, wanted: Uuid) -> Result<(), Error> {
    let going_on = browser_session::table.find(wanted).filter(browser_session::ended_at.is_null());
    diesel::update(going_on).set(browser_session::ended_at.eq(log::now(conn).await?)).execute(conn).await?;
    Ok(())
}

/// Ends every browser of an account.
pub async fn end_browsers(conn: &mut Conn, of: AccountId) -> Result<(), Error> {
    let going_on =
        browser_session::table.filter(browser_session::account_id.eq(of.0).and(browser_session::ended_at.is_null()));
    diesel::update(going_on).set(browser_session::ended_at.eq(log::now(conn).await?)).execute(conn).await?;
    Ok(())
}

/// Forgets links and browsers that have been over for 30 days. Returns how many that were.
pub async fn prune(conn: &mut Conn) -> Result<usize, Error> {
    let links = "delete from password_link where expires_at < now() - interval '30 days'";
    let browsers = "delete from browser_session where expires_at < now() - interval '30 days'";
    let pruned = diesel::sql_query(links).execute(conn).await?;
    Ok(pruned + diesel::sql_query(browsers).execute(conn).await?)
}
