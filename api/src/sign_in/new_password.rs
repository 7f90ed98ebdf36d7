//! Setting a password: by a link that works once, or by who is signed in.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use maud::{Markup, html};

use super::entrance::password_field;
use super::layout::{Field, Page, alert, form};
use super::person::Visitor;
use super::set_up::{Again, password_again};
use super::visit::{self, Form, Secret, Visit, sha256};
use super::{known, person};
use crate::problem::ApiError;
use crate::state::State;
use domain::identity::SessionEnd;
use domain::identity::passwords::MIN_CHARACTERS;
use domain::{Account, Broken, Message};
use persistence::mail::{self, MailKind};
use persistence::{Conn, Error, accounts, sessions, sign_ins};

/// By which the link of a secret is stored.
pub fn link_hash(secret: &str) -> [u8; 32] {
    sha256(&[b"focalpoint link ", secret.as_bytes()])
}

/// Whose a link is, while it can be used and their account, too.
async fn owner(conn: &mut Conn, hash: [u8; 32]) -> Result<Option<Account>, Error> {
    let Some(account) = sign_ins::find_link(conn, &hash).await? else { return Ok(None) };
    Ok(accounts::find(conn, account).await?.filter(|account| account.suspended_at.is_none()))
}

/// The page behind a link. Looking at it does not use the link up: mail scanners look, too.
pub async fn show_link(
    visit: Visit,
    state: web::Data<State>,
    secret: web::Path<String>,
) -> Result<HttpResponse, ApiError> {
    let hash = link_hash(&secret);
    let owner = state.db.read(async move |conn| owner(conn, hash).await).await?;
    Ok(match owner {
        Some(account) => link_page(&visit, &account, None).send(),
        None => link_is_over(&visit),
    })
}

fn link_is_over(visit: &Visit) -> HttpResponse {
    let body = html! {
        p { (visit.say(&message!("A link can be used once, and only for a time. A newer one takes the place of those before."))) }
        p { a href=(visit.link(visit::FORGOTTEN)) { (visit.say(&message!("Ask for another link"))) } }
    };
    Page::new(visit, message!("This link cannot be used"), body).failed(StatusCode::NOT_FOUND).send()
}

fn link_page<'a>(visit: &'a Visit, account: &Account, fault: Option<&Message>) -> Page<'a> {
    let body = html! {
        p { (visit.say(&message!("All your devices are then signed out."))) }
        (form(visit, html! {
            (alert(visit, fault))
            (owner_field(visit, account))
            (new_field(fault.is_some()).show(visit))
            button name="action" value="set" { (visit.say(&message!("Set this password"))) }
        }))
    };
    Page::new(visit, message!("Set a password"), body).failed_if(fault, StatusCode::UNPROCESSABLE_ENTITY)
}

/// For the person, and for whatever keeps their passwords.
pub fn owner_field(visit: &Visit, account: &Account) -> Markup {
    html! {
        div .field {
            label for="mail" { (visit.say(&message!("Mail address"))) }
            input id="mail" type="email" autocomplete="username" value=(account.mail.as_str()) dir="ltr" readonly;
        }
    }
}

fn new_field(is_faulty: bool) -> Field<'static> {
    Field {
        id: "new-password",
        kind: "password",
        label: message!("New password"),
        autocomplete: "new-password",
        value: "",
        hint: Some(message!(
            "Several unrelated words are easy to remember and hard to guess. Any script will do. Least number of characters: {min}.",
            min = MIN_CHARACTERS
        )),
        is_faulty,
        is_first: true,
    }
}

fn refusal(broken: &Broken) -> Message {
    message!("The new password {why}.", why = broken.detail.clone())
}

/// What somebody could guess with.
fn known_of(account: &Account) -> Vec<String> {
    vec![account.name.clone(), account.mail.as_str().to_owned()]
}

/// Takes a password, uses the link up, and ends all that the account had.
pub async fn set(
    mut visit: Visit,
    state: web::Data<State>,
    secret: web::Path<String>,
    form: Form,
) -> Result<HttpResponse, ApiError> {
    let link = link_hash(&secret);
    let Some(account) = state.db.read(async move |conn| owner(conn, link).await).await? else {
        return Ok(link_is_over(&visit));
    };
    let password = state.secrets.hash_password(form.text("new-password").to_owned().into(), known_of(&account)).await?;
    let hash = match password {
        Ok(hash) => hash,
        Err(broken) => return Ok(link_page(&visit, &account, Some(&refusal(&broken))).send()),
    };
    let (id, stored) = (account.id, hash.clone());
    let db = state.db.acting(visit.act(Some(id)));
    let set = db.write(async move |conn| {
        let account = accounts::lock(conn, id).await?;
        let is_good = account.suspended_at.is_none() && sign_ins::use_link(conn, &link).await? == Some(id);
        if is_good {
            save(conn, &account, &stored).await?;
        }
        Ok::<_, Error>(is_good)
    });
    match set.await {
        Ok(done) if done.value => {}
        Ok(_) | Err(Error::NotFound) => return Ok(link_is_over(&visit)),
        Err(error) => return Err(error.into()),
    }
    // Whoever reads the account's mail is no stranger.
    visit.remember(&known::issue(id, &hash)?);
    visit.adopt(Secret::new()?);
    Ok(visit.go(&visit.link_with(visit::SIGN_IN, &[("done", "password")])))
}

async fn save(conn: &mut Conn, account: &Account, hash: &str) -> Result<(), Error> {
    sign_ins::save_password(conn, account.id, hash).await?;
    sessions::end_everything(conn, account.id, SessionEnd::PasswordSet).await?;
    mail::insert(conn, MailKind::PasswordSet, account.mail.as_str(), account.language).await
}

/// The page on which who is signed in changes their password.
pub async fn show_change(visit: Visit, state: web::Data<State>) -> Result<HttpResponse, ApiError> {
    Ok(match Visitor::of(&state, &visit).await?.signed_in() {
        Ok(person) => change_page(&visit, &person.account, None).send(),
        Err(first) => visit.go_by(first),
    })
}

/// A fault of the change of a password.
enum Refused {
    Present(Message),
    New(Message),
}

fn change_page<'a>(visit: &'a Visit, account: &Account, refused: Option<&Refused>) -> Page<'a> {
    let (fault, status) = match refused {
        Some(Refused::Present(fault)) => (Some(fault), StatusCode::FORBIDDEN),
        Some(Refused::New(fault)) => (Some(fault), StatusCode::UNPROCESSABLE_ENTITY),
        None => (None, StatusCode::OK),
    };
    let is_new_faulty = matches!(refused, Some(Refused::New(_)));
    let new = Field { is_first: is_new_faulty, ..new_field(is_new_faulty) };
    let is_present_faulty = matches!(refused, Some(Refused::Present(_)));
    let body = html! {
        p { (visit.say(&message!("All your devices are then signed out."))) }
        (form(visit, html! {
            (alert(visit, fault))
            (owner_field(visit, account))
            (password_field(message!("Present password"), is_present_faulty, !is_new_faulty).show(visit))
            (new.show(visit))
            button name="action" value="set" { (visit.say(&message!("Set this password"))) }
        }))
        p { a href=(visit.link(visit::DEVICES)) { (visit.say(&message!("Back to your account"))) } }
    };
    Page::new(visit, message!("Change your password"), body).failed_if(fault, status)
}

/// Changes the password of who is signed in. They sign in again, here too.
pub async fn change(mut visit: Visit, state: web::Data<State>, form: Form) -> Result<HttpResponse, ApiError> {
    let person = match Visitor::of(&state, &visit).await?.signed_in() {
        Ok(person) => person,
        Err(first) => return Ok(visit.go_by(first)),
    };
    let again = password_again(&visit, &state, &person, form.text("password")).await?;
    let refuse = |refused: Refused| Ok(change_page(&visit, &person.account, Some(&refused)).send());
    let present = match again {
        Again::Right(present) => present,
        Again::Wrong(fault) => return refuse(Refused::Present(fault)),
        Again::TooOften(response) => return Ok(response),
    };
    let known = known_of(&person.account);
    let hash = match state.secrets.hash_password(form.text("new-password").to_owned().into(), known).await? {
        Ok(hash) => hash,
        Err(broken) => return refuse(Refused::New(refusal(&broken))),
    };
    let (account, cookie, stored) = (person.account, visit.hash(), hash.clone());
    let id = account.id;
    let db = state.db.acting(visit.act(Some(id)));
    let changed = db.write(async move |conn| {
        let is_signed_in = person::lock(conn, id, &cookie).await?;
        let is_same = is_signed_in && sign_ins::find_password(conn, id).await?.as_ref() == Some(&present);
        if is_same {
            save(conn, &account, &stored).await?;
        }
        Ok::<_, Error>(is_same)
    });
    if !changed.await?.value {
        return Ok(visit.go_by(visit::SIGN_IN));
    }
    visit.remember(&known::issue(id, &hash)?);
    visit.adopt(Secret::new()?);
    Ok(visit.go(&visit.link_with(visit::SIGN_IN, &[("done", "password")])))
}
