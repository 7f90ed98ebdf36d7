//! Mails to be sent: written with what makes them needed, sent afterwards by whichever process is first.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use serde_json::Value;
use uuid::Uuid;

use crate::schema::mail;
use crate::{Conn, Error, log};
use domain::Language;

/// What a mail is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MailKind {
    /// To who has a new account: a link to set the first password.
    Invitation,
    /// To who asked for it: a link to set another password. What it says depends on whether there is an account.
    PasswordReset,
    /// A password was set.
    PasswordSet,
    /// A second factor was set up.
    SecondFactorSet,
}

impl MailKind {
    const ALL: [Self; 4] = [Self::Invitation, Self::PasswordReset, Self::PasswordSet, Self::SecondFactorSet];

    /// The name in the database.
    pub fn name(self) -> &'static str {
        match self {
            Self::Invitation => "invitation",
            Self::PasswordReset => "password_reset",
            Self::PasswordSet => "password_set",
            Self::SecondFactorSet => "second_factor_set",
        }
    }
}

/// A mail that is to be sent.
#[derive(Debug, Clone)]
pub struct Due {
    /// Its id.
    pub id: Uuid,
    /// What it is about.
    pub kind: MailKind,
    /// Where to.
    pub address: String,
    /// In which language.
    pub language: Language,
    /// How often it was tried.
    pub attempts: i32,
}

/// A mail that was shown in place of being sent.
#[derive(Debug, Clone)]
pub struct Shown {
    /// Its id.
    pub id: Uuid,
    /// Where to.
    pub address: String,
    /// When it was sent.
    pub sent_at: DateTime<Utc>,
    /// What it says: `subject` and `text`.
    pub said: Value,
}

/// Adds a mail.
pub async fn insert(conn: &mut Conn, kind: MailKind, address: &str, language: Language) -> Result<(), Error> {
    let values = (
        mail::id.eq(Uuid::now_v7()),
        mail::kind.eq(kind.name()),
        mail::address.eq(address),
        mail::language.eq(language.tag()),
    );
    diesel::insert_into(mail::table).values(values).execute(conn).await?;
    Ok(())
}

/// The next mail that is due, kept from other processes until the transaction ends.
pub async fn lock_due(conn: &mut Conn) -> Result<Option<Due>, Error> {
    use mail::{address, attempts, given_up_at, id, kind, language, next_attempt_at, sent_at, table};
    let row: Option<(Uuid, String, String, String, i32)> = table
        .filter(sent_at.is_null().and(given_up_at.is_null()).and(next_attempt_at.le(diesel::dsl::now)))
        .order(next_attempt_at)
        .select((id, kind, address, language, attempts))
        .for_update()
        .skip_locked()
        .first(conn)
        .await
        .optional()?;
    let Some((row_id, row_kind, row_address, tag, row_attempts)) = row else { return Ok(None) };
    let known = MailKind::ALL.into_iter().find(|known| known.name() == row_kind);
    let (Some(known), Some(spoken)) = (known, Language::parse(&tag).ok()) else {
        return Err(Error::Corrupt(format!("mail {row_id}: {row_kind} in {tag}")));
    };
    Ok(Some(Due { id: row_id, kind: known, address: row_address, language: spoken, attempts: row_attempts }))
}

/// Notes that a mail was sent; with what it said where it was only shown.
pub async fn note_sent(conn: &mut Conn, wanted: Uuid, said: Option<Value>) -> Result<(), Error> {
    let values = (mail::sent_at.eq(diesel::dsl::now), mail::shown.eq(said));
    diesel::update(mail::table.find(wanted)).set(values).execute(conn).await?;
    Ok(())
}

/// Notes that a mail could not be sent: it is tried again at `next`, or given up without one.
pub async fn note_failed(conn: &mut Conn, wanted: Uuid, next: Option<DateTime<Utc>>) -> Result<(), Error> {
    let now = log::now(conn).await?;
    let values = (
        mail::attempts.eq(mail::attempts + 1),
        mail::next_attempt_at.eq(next.unwrap_or(now)),
        mail::given_up_at.eq(next.is_none().then_some(now)),
    );
    diesel::update(mail::table.find(wanted)).set(values).execute(conn).await?;
    Ok(())
}

/// The last mails that were shown, newest first.
pub async fn list_shown(conn: &mut Conn, limit: i64) -> Result<Vec<Shown>, Error> {
    use mail::{address, id, sent_at, shown, table};
    let rows: Vec<(Uuid, String, DateTime<Utc>, Value)> = table
        .filter(shown.is_not_null().and(sent_at.is_not_null()))
        .order(sent_at.desc())
        .limit(limit)
        .select((id, address, sent_at.assume_not_null(), shown.assume_not_null()))
        .load(conn)
        .await?;
    Ok(rows.into_iter().map(|row| Shown { id: row.0, address: row.1, sent_at: row.2, said: row.3 }).collect())
}

/// Forgets mails after 30 days. Returns how many that were.
pub async fn prune(conn: &mut Conn) -> Result<usize, Error> {
    let query = "delete from mail where created_at < now() - interval '30 days'";
    Ok(diesel::sql_query(query).execute(conn).await?)
}
