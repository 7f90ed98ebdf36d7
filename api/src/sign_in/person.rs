//! Who is signed in in a browser, and what is still to be shown.

use chrono::{TimeDelta, Utc};
use uuid::Uuid;

use super::visit::{self, Visit};
use crate::problem::ApiError;
use crate::state::State;
use domain::{Account, AccountId};
use persistence::sign_ins::{self, Browser, Totp};
use persistence::{Conn, Error, accounts};

/// How long one stays signed in on our pages.
pub const SIGNED_IN: TimeDelta = TimeDelta::hours(12);

/// How long a sign-in may stay half-finished.
pub const HALF: TimeDelta = TimeDelta::minutes(10);

/// A person in a browser.
pub struct Person {
    /// The browser.
    pub browser: Browser,
    /// Their account, which can be used.
    pub account: Account,
    /// Their generator of one-time codes, where they have shown that they have it.
    pub totp: Option<Totp>,
}

/// Who visits.
pub enum Visitor {
    /// Nobody who has given a password.
    Stranger,
    /// Somebody who is to show their second factor.
    ToShow(Person),
    /// Somebody who is to set up a second factor.
    ToSetUp(Person),
    /// Somebody who may do what their account may.
    SignedIn(Person),
}

impl Visitor {
    /// By the browser's cookie.
    pub async fn of(state: &State, visit: &Visit) -> Result<Self, ApiError> {
        let hash = visit.hash();
        let found = state.db.read(async move |conn| find(conn, hash).await).await?;
        let Some(person) = found else { return Ok(Self::Stranger) };
        let Browser { authenticated_at, second_factor_at, .. } = person.browser;
        Ok(match person.totp {
            Some(_) if second_factor_at.is_none() => Self::ToShow(person),
            // Roles may have changed since.
            None if person.account.roles.need_second_factor() => Self::ToSetUp(person),
            _ if authenticated_at.is_none() => Self::Stranger,
            _ => Self::SignedIn(person),
        })
    }

    /// Whoever is signed in; else the page on which one does first what is still to be done.
    pub fn signed_in(self) -> Result<Person, &'static str> {
        match self {
            Self::SignedIn(person) => Ok(person),
            Self::Stranger => Err(visit::SIGN_IN),
            Self::ToShow(_) => Err(visit::SECOND_FACTOR),
            Self::ToSetUp(_) => Err(visit::SET_UP),
        }
    }
}

async fn find(conn: &mut Conn, hash: [u8; 32]) -> Result<Option<Person>, Error> {
    let Some(browser) = sign_ins::find_browser(conn, &hash).await? else { return Ok(None) };
    let account = accounts::find(conn, browser.account).await?.filter(|account| account.suspended_at.is_none());
    let Some(account) = account else { return Ok(None) };
    let totp = sign_ins::find_totp(conn, account.id).await?.filter(|totp| totp.is_confirmed);
    Ok(Some(Person { browser, account, totp }))
}

/// What a person has shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shown {
    /// A password, and a second factor is to follow.
    Half,
    /// A password, which is enough.
    Password,
    /// A second factor, too.
    Factor,
}

/// Puts a browser in place of another: what it may do has changed. To be called with the account locked, so that no
/// suspension and no other password comes between.
pub async fn succeed(
    conn: &mut Conn,
    before: Option<Uuid>,
    account: AccountId,
    shown: Shown,
    hash: &[u8; 32],
) -> Result<(), Error> {
    if let Some(before) = before {
        sign_ins::end_browser(conn, before).await?;
    }
    let now = Utc::now();
    let lasts = if shown == Shown::Half { HALF } else { SIGNED_IN };
    let browser = Browser {
        id: Uuid::now_v7(),
        account,
        authenticated_at: (shown != Shown::Half).then_some(now),
        second_factor_at: (shown == Shown::Factor).then_some(now),
    };
    sign_ins::insert_browser(conn, &browser, hash, now + lasts).await
}

/// Whether a browser is still signed in, with its account locked: whatever ends it takes its turn.
pub async fn lock(conn: &mut Conn, account: AccountId, cookie: &[u8; 32]) -> Result<bool, Error> {
    let account = accounts::lock(conn, account).await?;
    Ok(account.suspended_at.is_none() && sign_ins::find_browser(conn, cookie).await?.is_some())
}
