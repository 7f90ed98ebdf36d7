//! Signing in: mail and password.

use actix_web::http::StatusCode;
use actix_web::http::header;
use actix_web::{HttpResponse, web};
use maud::{Markup, html};
use uuid::Uuid;

use super::layout::{Field, Page, alert, form, isolated, notice};
use super::person::{Shown, Visitor, succeed};
use super::throttle::{Name, TooMany};
use super::visit::{self, Form, Secret, Visit};
use super::{consent, known};
use crate::params::Params;
use crate::problem::ApiError;
use crate::state::State;
use domain::identity::passwords;
use domain::{Account, AccountId, Email, Message};
use persistence::{Conn, Error, accounts, sign_ins};

/// The page. It is shown to who is signed in, too: to be somebody else.
pub async fn show(visit: Visit, state: web::Data<State>) -> HttpResponse {
    let params = Params::parse(&visit.query).ok();
    let done = match params.as_ref().and_then(|params| params.text("done")) {
        Some("password") => Some(message!("Your password is set. Sign in with it.")),
        Some("codes") => Some(message!("Too many wrong codes. Sign in again.")),
        _ => None,
    };
    let hint = visit.next.as_ref().and_then(|next| login_hint(next.authorization()?));
    page(&visit, &state, hint.as_deref().unwrap_or_default(), None, done.as_ref()).send()
}

/// Whom the app believes to sign in (OpenID Connect Core §3.1.2.1).
fn login_hint(query: &str) -> Option<String> {
    let params = Params::parse(query).ok()?;
    Email::parse(params.text("login_hint")?).ok().map(|mail| mail.as_str().to_owned())
}

fn page<'a>(visit: &'a Visit, state: &State, mail: &str, fault: Option<&Message>, done: Option<&Message>) -> Page<'a> {
    let app = consent::app_of(visit, state);
    let body = html! {
        (notice(visit, done))
        @if let Some(app) = &app {
            p { (visit.say(&message!("Then you go on to {app}.", app = isolated(app)))) }
        }
        (form(visit, fields(visit, mail, fault)))
        p { a href=(visit.link(visit::FORGOTTEN)) { (visit.say(&message!("Have you forgotten your password, or never had one?"))) } }
    };
    Page::new(visit, message!("Sign in"), body)
        .leads_to(consent::leads_to(visit, state))
        .failed_if(fault, StatusCode::FORBIDDEN)
}

fn fields(visit: &Visit, mail: &str, fault: Option<&Message>) -> Markup {
    let mail_field = Field {
        id: "mail",
        kind: "email",
        label: message!("Mail address"),
        autocomplete: "username",
        value: mail,
        hint: None,
        is_faulty: fault.is_some(),
        is_first: mail.is_empty(),
    };
    html! {
        (alert(visit, fault))
        (mail_field.show(visit))
        (password_field(message!("Password"), fault.is_some(), !mail.is_empty()).show(visit))
        button name="action" value="sign-in" { (visit.say(&message!("Sign in"))) }
    }
}

/// The field of a password that there is already.
pub fn password_field(label: Message, is_faulty: bool, is_first: bool) -> Field<'static> {
    Field {
        id: "password",
        kind: "password",
        label,
        autocomplete: "current-password",
        value: "",
        hint: None,
        is_faulty,
        is_first,
    }
}

/// What is stored under a name that was typed.
struct Found {
    account: Option<Account>,
    password: Option<String>,
    has_factor: bool,
}

/// The same queries whatever is typed, so that what there is cannot be told by the time it takes.
async fn find(conn: &mut Conn, mail: String) -> Result<Found, Error> {
    let account = accounts::find_by_mail(conn, &mail).await?;
    let id = account.as_ref().map_or(AccountId(Uuid::nil()), |account| account.id);
    let password = sign_ins::find_password(conn, id).await?;
    let has_factor = sign_ins::find_totp(conn, id).await?.is_some_and(|totp| totp.is_confirmed);
    Ok(Found { account, password, has_factor })
}

/// Takes a mail and a password. One answer, that takes one time, whatever is wrong with them.
pub async fn enter(mut visit: Visit, state: web::Data<State>, form: Form) -> Result<HttpResponse, ApiError> {
    let typed = form.text("mail").trim();
    let refused = |visit: &Visit| {
        let fault = message!("The mail address or the password is not right.");
        page(visit, &state, typed, Some(&fault), None).send()
    };
    let name = Name::typed(typed);
    // What cannot be an address is nobody's; it is looked for all the same.
    let mail = Email::parse(typed).map_or_else(|_| "-".to_owned(), |mail| mail.as_str().to_owned());
    let turn = state.secrets.turn().await?;
    let found = state.db.read(async move |conn| find(conn, mail).await).await?;
    let known = visit.known.as_deref().zip(found.account.as_ref()).zip(found.password.as_ref());
    let known = known.and_then(|((cookie, account), password)| known::verify(cookie, account.id, password));
    if let Err(wait) = state.throttle.password(name, visit.source, known) {
        return Ok(too_many(&visit, wait));
    }
    let Some(password) = passwords::prepare(form.text("password")) else { return Ok(refused(&visit)) };
    let account = found.account.filter(|account| account.suspended_at.is_none());
    let stored = found.password.filter(|_| account.is_some());
    let is_right = state.secrets.check(turn, password.into(), stored.clone()).await?;
    let (Some(account), Some(stored)) = (account.filter(|_| is_right), stored) else { return Ok(refused(&visit)) };

    let (needs_factor, has_factor) = (account.roles.need_second_factor(), found.has_factor);
    let before = Before::of(Visitor::of(&state, &visit).await?);
    let secret = Secret::new()?;
    let shown = if needs_factor || has_factor { Shown::Half } else { Shown::Password };
    let (id, hash, checked) = (account.id, secret.hash(), stored.clone());
    let db = state.db.acting(visit.act(Some(id)));
    let entered = db.write(async move |conn| {
        let is_usable = accounts::lock(conn, id).await?.suspended_at.is_none();
        if !is_usable || sign_ins::find_password(conn, id).await?.as_ref() != Some(&checked) {
            return Ok(false);
        }
        succeed(conn, before.0, id, shown, &hash).await?;
        Ok::<_, ApiError>(true)
    });
    if !entered.await?.value {
        return Ok(refused(&visit));
    }
    visit.adopt(secret);
    visit.remember(&known::issue(id, &stored)?);
    Ok(match (has_factor, needs_factor) {
        (true, _) => visit.go(&visit.link(visit::SECOND_FACTOR)),
        (false, true) => visit.go(&visit.link(visit::SET_UP)),
        (false, false) => visit.go(&visit.onwards()),
    })
}

/// The browser's sign-in that a new one takes the place of.
struct Before(Option<Uuid>);

impl Before {
    fn of(visitor: Visitor) -> Self {
        Self(match visitor {
            Visitor::Stranger => None,
            Visitor::ToShow(person) | Visitor::ToSetUp(person) | Visitor::SignedIn(person) => Some(person.browser.id),
        })
    }
}

/// Of passwords: there is another way, which nobody can be kept from.
pub fn too_many(visit: &Visit, wait: TooMany) -> HttpResponse {
    let body = html! {
        p { (visit.say(&message!("There were too many attempts to sign in with this mail address or from this network."))) }
        p {
            (visit.say(&message!("You need not wait: set a new password by a link that is sent to you, and then sign in in the same browser.")))
        }
        p { a href=(visit.link(visit::FORGOTTEN)) { (visit.say(&message!("Send a link"))) } }
    };
    let mut response =
        Page::new(visit, message!("Too many attempts"), body).failed(StatusCode::TOO_MANY_REQUESTS).send();
    response.headers_mut().insert(header::RETRY_AFTER, wait.seconds.into());
    response
}
