//! Sending mails: a worker takes them from where they were written with what made them needed.

mod texts;

use std::time::Duration;

use actix_web::web;
use anyhow::{Context, bail};
use chrono::{TimeDelta, Utc};
use clap::Args;
use lettre::message::Mailbox;
use lettre::message::header::{ContentType, HeaderName, HeaderValue};
use lettre::transport::smtp::extension::ClientId;
use lettre::{AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;
use tokio::sync::watch;
use uuid::Uuid;

use crate::config::{Config, is_loopback};
use crate::identity::secrets;
use crate::metrics::MailOutcome;
use crate::sign_in;
use crate::state::State;
use domain::{Account, Act};
use persistence::mail::{Due, MailKind};
use persistence::{Conn, Error, accounts, sign_ins};
use texts::Text;

/// How often it is looked for mails that are due.
const TICK: Duration = Duration::from_secs(1);

/// How long a server may take with a mail.
const SEND_WAIT: Duration = Duration::from_secs(20);

/// How long it is waited before the next attempt, in minutes. After all of them, about a day, a mail is given up.
const PAUSES: [i64; 10] = [1, 5, 15, 60, 120, 180, 240, 360, 360, 360];

/// How long a link is good for.
const RESET_LASTS: TimeDelta = TimeDelta::hours(1);
const INVITATION_LASTS: TimeDelta = TimeDelta::hours(72);

/// How mails are sent.
#[derive(Debug, Clone, Default, Args)]
pub struct MailSettings {
    /// The server that takes mails, as smtp://user:password@host or smtps://…; smtp:// goes on with STARTTLS or not
    /// at all, unless it leads to this machine. Without it mails wait (in a demonstration, /mailbox shows them).
    #[arg(long, env = "FOCALPOINT_SMTP_URL", hide_env_values = true, value_parser = smtp_url)]
    pub smtp_url: Option<SecretString>,
    /// Who mails come from, as Focalpoint <focalpoint@example.org>.
    #[arg(long, env = "FOCALPOINT_MAIL_FROM", value_parser = mail_from)]
    pub mail_from: Option<String>,
}

fn smtp_url(url: &str) -> Result<SecretString, String> {
    let is_known = url.starts_with("smtp://") || url.starts_with("smtps://");
    let refused = || "must be smtp://user:password@host:port or smtps://user:password@host:port".to_owned();
    if !is_known || url.contains(['?', '#', ' ']) {
        return Err(refused());
    }
    transport(url).map(|_| url.to_owned().into()).map_err(|_| refused())
}

fn mail_from(text: &str) -> Result<String, String> {
    let refused = |_| "must be a mail address, such as Focalpoint <focalpoint@example.org>".to_owned();
    text.parse::<Mailbox>().map(|_| text.to_owned()).map_err(refused)
}

type Transport = AsyncSmtpTransport<Tokio1Executor>;

fn transport(url: &str) -> Result<lettre::transport::smtp::AsyncSmtpTransportBuilder, lettre::transport::smtp::Error> {
    let host = url.rsplit_once('@').map_or(url, |(_, host)| host);
    let host = host.split_once("://").map_or(host, |(_, host)| host);
    match url.starts_with("smtps://") || is_loopback(&format!("smtp://{host}")) {
        true => Transport::from_url(url),
        false => Transport::from_url(&format!("{url}?tls=required")),
    }
}

/// How this process sends mails.
pub struct Post(Way);

enum Way {
    /// By a server.
    Smtp { transport: Box<Transport>, from: Mailbox },
    /// They are kept, and shown by the mailbox page of a demonstration.
    Shown,
    /// Not at all: they wait for a process that can.
    Waiting,
}

impl Post {
    /// As the operator wants it.
    pub fn new(config: &Config) -> anyhow::Result<Self> {
        let way = match (&config.mail.smtp_url, &config.mail.mail_from) {
            _ if config.demo => Way::Shown,
            (None, _) => Way::Waiting,
            (Some(_), None) => bail!("--mail-from must be given with --smtp-url"),
            (Some(url), Some(from)) => {
                let builder = transport(url.expose_secret()).context("--smtp-url")?;
                let builder = builder.timeout(Some(SEND_WAIT)).hello_name(ClientId::Domain(host(&config.base_url())));
                Way::Smtp { transport: Box::new(builder.build()), from: from.parse().context("--mail-from")? }
            }
        };
        if matches!(way, Way::Waiting) {
            tracing::warn!("no --smtp-url: mails wait, and nobody can be invited or set a forgotten password");
        }
        Ok(Self(way))
    }
}

/// The host of a URL.
fn host(url: &str) -> String {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.split(['/', ':']).next().unwrap_or_default().to_owned()
}

/// Sends what is due until `stop` says so. Every process does; a mail that another has in hand is skipped.
pub async fn run(state: web::Data<State>, mut stop: watch::Receiver<bool>) {
    if matches!(state.post.0, Way::Waiting) {
        return;
    }
    loop {
        tokio::select! {
            () = tokio::time::sleep(TICK) => {}
            _ = stop.wait_for(|stop| *stop) => return,
        }
        loop {
            match send_next(&state).await {
                Ok(true) if !*stop.borrow() => {}
                Ok(_) => break,
                Err(Error::Unavailable(cause)) => {
                    tracing::debug!(cause, "mails have to wait");
                    break;
                }
                Err(cause) => {
                    tracing::error!(%cause, "mails cannot be read");
                    break;
                }
            }
        }
    }
}

/// A mail that is to be sent now.
struct Taken {
    due: Due,
    /// None where there is nobody to send it to.
    text: Option<(Text, Account)>,
}

/// Takes the next mail, counts the attempt, makes its link and sends it: the database holds nothing meanwhile, and
/// whatever happens it is not sent at every tick. Whether there was one.
async fn send_next(state: &State) -> Result<bool, Error> {
    let secret = secrets::generate().map_err(|cause| Error::Unexpected(cause.to_string()))?;
    let base_url = state.config.base_url();
    let db = state.db.reserved().acting(Act::SYSTEM);
    let taken = db.write(async move |conn| take(conn, &secret, &base_url).await).await?.value;
    let Some(Taken { due, text }) = taken else { return Ok(false) };
    let id = due.id;
    let outcome = match text {
        None => Ok(None),
        Some((text, account)) => state.post.send(id, &text, &account, &host(&state.config.base_url())).await,
    };
    match outcome {
        Ok(shown) => {
            db.write(async move |conn| persistence::mail::note_sent(conn, id, shown).await).await?;
            state.metrics.mailed(MailOutcome::Sent);
            tracing::info!(mail = %id, kind = due.kind.name(), "mail done with");
        }
        Err(Unsent { cause, is_final }) => {
            let is_last = is_final || pause(due.attempts + 1).is_none();
            if is_last {
                db.write(async move |conn| persistence::mail::note_failed(conn, id, None).await).await?;
            }
            state.metrics.mailed(if is_last { MailOutcome::GivenUp } else { MailOutcome::Postponed });
            tracing::warn!(mail = %id, kind = due.kind.name(), attempt = due.attempts + 1, is_last, cause, "mail not sent");
        }
    }
    Ok(true)
}

/// What comes after so many attempts.
fn pause(attempts: i32) -> Option<TimeDelta> {
    let nth = usize::try_from(attempts).ok()?.checked_sub(1)?;
    PAUSES.get(nth).map(|minutes| TimeDelta::minutes(*minutes))
}

async fn take(conn: &mut Conn, secret: &SecretString, base_url: &str) -> Result<Option<Taken>, Error> {
    let Some(due) = persistence::mail::lock_due(conn).await? else { return Ok(None) };
    let again = Utc::now() + pause(due.attempts + 1).unwrap_or(TimeDelta::hours(6));
    persistence::mail::note_failed(conn, due.id, Some(again)).await?;
    // To the address of the account, and not to what was typed: two addresses may only look alike to the database.
    let account = accounts::find_by_mail(conn, &due.address).await?.filter(|account| account.suspended_at.is_none());
    let Some(account) = account else { return Ok(Some(Taken { due, text: None })) };
    let lasts = match due.kind {
        MailKind::Invitation => Some(INVITATION_LASTS),
        MailKind::PasswordReset => Some(RESET_LASTS),
        MailKind::PasswordSet | MailKind::SecondFactorSet => None,
    };
    let expires_at = lasts.map(|lasts| Utc::now() + lasts);
    if let Some(expires_at) = expires_at {
        let hash = sign_in::link_hash(secret.expose_secret());
        sign_ins::insert_link(conn, account.id, &hash, expires_at).await?;
    }
    let text = texts::text(due.kind, &account, base_url, secret, expires_at);
    Ok(Some(Taken { due, text: Some((text, account)) }))
}

/// Why a mail was not sent. Never with an address.
struct Unsent {
    cause: String,
    /// Whether another attempt would be in vain.
    is_final: bool,
}

impl Post {
    /// Sends a mail; what it said, where it is only shown.
    async fn send(
        &self,
        id: Uuid,
        text: &Text,
        account: &Account,
        host: &str,
    ) -> Result<Option<serde_json::Value>, Unsent> {
        let (transport, from) = match &self.0 {
            Way::Smtp { transport, from } => (transport, from),
            Way::Shown | Way::Waiting => {
                let language = account.language.tag();
                return Ok(Some(json!({ "subject": text.subject, "text": text.body, "language": language })));
            }
        };
        let message = compose(id, text, account, from, host).map_err(|cause| Unsent { cause, is_final: true })?;
        match tokio::time::timeout(SEND_WAIT, transport.send(message)).await {
            Ok(Ok(_)) => Ok(None),
            // The server's words may hold the address.
            Ok(Err(error)) => {
                let status = error.status().map(|code| format!("the server answered {code}"));
                let cause = status.unwrap_or_else(|| kind_of(&error).to_owned());
                Err(Unsent { cause, is_final: error.is_permanent() })
            }
            Err(_) => Err(Unsent { cause: "the server took too long".into(), is_final: false }),
        }
    }
}

fn kind_of(error: &lettre::transport::smtp::Error) -> &'static str {
    match () {
        () if error.is_timeout() => "the server took too long",
        () if error.is_tls() => "no TLS with the server",
        () if error.is_response() => "the server's answer cannot be read",
        () if error.is_client() => "the server cannot do what is needed",
        () => "the server cannot be reached",
    }
}

fn compose(id: Uuid, text: &Text, account: &Account, from: &Mailbox, host: &str) -> Result<Message, String> {
    let refused = |_| "the account's address is none for SMTP".to_owned();
    let address = account.mail.as_str().parse().map_err(refused)?;
    let header = |name, value: &str| HeaderValue::new(HeaderName::new_from_ascii_str(name), value.to_owned());
    Message::builder()
        .from(from.clone())
        .to(Mailbox::new(None, address))
        .subject(text.subject.clone())
        .date_now()
        .message_id(Some(format!("<{id}@{host}>")))
        .header(ContentType::TEXT_PLAIN)
        .raw_header(header("Content-Language", account.language.tag()))
        // RFC 3834 §5: nobody on holiday answers it.
        .raw_header(header("Auto-Submitted", "auto-generated"))
        .body(text.body.clone())
        .map_err(|cause| cause.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mail_is_given_up_after_about_a_day() {
        let day: i64 = PAUSES.iter().sum();
        assert!((24 * 60..30 * 60).contains(&day), "{day} minutes");
        assert_eq!(pause(1), Some(TimeDelta::minutes(1)));
        assert_eq!((pause(0), pause(11)), (None, None));
        assert!(PAUSES.is_sorted());
    }

    #[test]
    fn a_servers_url_is_checked_without_telling_it() {
        for good in ["smtp://127.0.0.1:2525", "smtps://me:hush@mail.example.org", "smtp://me:hush@mail.example.org:587"]
        {
            assert!(smtp_url(good).is_ok(), "{good}");
        }
        for bad in ["", "mail.example.org", "http://mail.example.org", "smtp://", "smtp://mail.example.org?tls=none"] {
            assert!(smtp_url(bad).is_err_and(|why| !why.contains("hush")), "{bad}");
        }
        assert!(mail_from("Focalpoint <focalpoint@example.org>").is_ok() && mail_from("Focalpoint").is_err());
    }
}
