//! What somebody has: the apps and devices in which they are signed in, and what proves who they are.

use actix_web::{HttpResponse, web};
use chrono::{DateTime, Utc};
use maud::{Markup, html};
use uuid::Uuid;

use super::layout::{Page, form, notice};
use super::person::{Person, Visitor};
use super::visit::{self, Form, Secret, Visit};
use crate::params::Params;
use crate::problem::{ApiError, Code};
use crate::state::State;
use domain::SessionId;
use domain::identity::SessionEnd;
use persistence::sessions::Session;
use persistence::{Error, sessions, sign_ins};

/// From the short address that one remembers.
pub async fn lead_there(visit: Visit) -> HttpResponse {
    visit.go(&visit.link(visit::DEVICES))
}

/// The page.
pub async fn list(visit: Visit, state: web::Data<State>) -> Result<HttpResponse, ApiError> {
    let person = match Visitor::of(&state, &visit).await?.signed_in() {
        Ok(person) => person,
        Err(first) => return Ok(visit.go_by(first)),
    };
    let account = person.account.id;
    let read = async move |conn: &mut persistence::Conn| {
        Ok::<_, Error>((sessions::list(conn, account).await?, sign_ins::count_recovery_codes(conn, account).await?))
    };
    let (devices, codes) = state.db.read(read).await?;
    let params = Params::parse(&visit.query).ok();
    let done = params.as_ref().and_then(|params| params.text("done")).map(|_| message!("It is signed out."));
    let body = html! {
        (notice(&visit, done.as_ref()))
        p { bdi { (person.account.name) } br; bdi dir="ltr" { (person.account.mail.as_str()) } }
        h2 { (visit.say(&message!("Signed-in devices"))) }
        @if devices.is_empty() {
            p { (visit.say(&message!("You are signed in in no app."))) }
        } @else {
            ul .list { @for device in &devices { li { (device_of(&visit, device)) } } }
            (form(&visit, html! {
                button .second name="action" value="end-all" { (visit.say(&message!("Sign all of them out"))) }
            }))
        }
        h2 { (visit.say(&message!("How you sign in"))) }
        ul {
            li { a href=(visit.link(visit::CHANGE_PASSWORD)) { (visit.say(&message!("Change your password"))) } }
            (factors(&visit, &person, codes))
        }
        h2 { (visit.say(&message!("This browser"))) }
        (form(&visit, html! {
            button name="action" value="sign-out" { (visit.say(&message!("Sign out here"))) }
        }))
    };
    Ok(Page::new(&visit, message!("Your account"), body).send())
}

fn device_of(visit: &Visit, session: &Session) -> Markup {
    html! {
        p { strong { bdi { (session.app_name) } } }
        p .quiet {
            bdi { (session.device) } br;
            (visit.say(&message!("Last used:"))) " " (moment(session.last_used_at))
        }
        (form(visit, html! {
            input type="hidden" name="session" value=(session.id.0);
            button .second name="action" value="end" aria-label=(visit.say(&message!(
                "Sign out: {app}, {device}", app = session.app_name.as_str(), device = session.device.as_str()
            ))) { (visit.say(&message!("Sign out"))) }
        }))
    }
}

/// In the order that every language reads.
pub fn moment(at: DateTime<Utc>) -> Markup {
    html! {
        time datetime=(at.to_rfc3339()) { bdi dir="ltr" { (at.format("%Y-%m-%d %H:%M UTC")) } }
    }
}

fn factors(visit: &Visit, person: &Person, codes: i64) -> Markup {
    html! {
        @if person.totp.is_some() {
            li { a href=(visit.link(visit::REPLACE)) { (visit.say(&message!("Set up another authenticator app"))) } }
            li {
                a href=(visit.link(visit::RECOVERY_CODES)) { (visit.say(&message!("New recovery codes"))) } " "
                (visit.say(&message!("(unused: {count})", count = codes)))
            }
        } @else {
            li { a href=(visit.link(visit::SET_UP)) { (visit.say(&message!("Set up a second factor"))) } }
        }
    }
}

/// Signs one device out, or all, or this browser.
pub async fn end(mut visit: Visit, state: web::Data<State>, form: Form) -> Result<HttpResponse, ApiError> {
    if form.text("action") == "sign-out" {
        return sign_out(visit, &state).await;
    }
    let person = match Visitor::of(&state, &visit).await?.signed_in() {
        Ok(person) => person,
        Err(first) => return Ok(visit.go_by(first)),
    };
    let account = person.account.id;
    let db = state.db.acting(visit.act(Some(account)));
    match form.text("action") {
        "end-all" => {
            db.write(async move |conn| sessions::end_all(conn, account, None, SessionEnd::Revoked).await).await?;
        }
        "end" => {
            let session = Uuid::try_parse(form.text("session")).map_err(|_| ApiError::new(Code::NotFound))?;
            let end = async move |conn: &mut persistence::Conn| {
                let found = sessions::find(conn, SessionId(session)).await?;
                // Another's is as one that there is not; one that has ended meanwhile is as was asked for.
                match found.is_some_and(|session| session.account == account) {
                    true => sessions::end(conn, SessionId(session), SessionEnd::Revoked).await,
                    false => Ok(false),
                }
            };
            db.write(end).await?;
        }
        _ => return Err(ApiError::new(Code::MalformedRequest)),
    }
    visit.next = None;
    Ok(visit.go(&visit.link_with(visit::DEVICES, &[("done", "ended")])))
}

/// Whoever was signed in in this browser, half or wholly.
async fn sign_out(mut visit: Visit, state: &State) -> Result<HttpResponse, ApiError> {
    let person = match Visitor::of(state, &visit).await? {
        Visitor::Stranger => None,
        Visitor::ToShow(person) | Visitor::ToSetUp(person) | Visitor::SignedIn(person) => Some(person),
    };
    if let Some(person) = person {
        let (browser, act) = (person.browser.id, visit.act(Some(person.account.id)));
        state.db.acting(act).write(async move |conn| sign_ins::end_browser(conn, browser).await).await?;
    }
    visit.adopt(Secret::new()?);
    visit.next = None;
    Ok(visit.go(&visit.link(visit::SIGNED_OUT)))
}

/// What one sees then.
pub async fn signed_out(visit: Visit) -> HttpResponse {
    let body = html! {
        p { (visit.say(&message!("You are signed out in this browser. Apps in which you are signed in stay so."))) }
        p { a href=(visit.link(visit::SIGN_IN)) { (visit.say(&message!("Sign in"))) } }
    };
    Page::new(&visit, message!("Signed out"), body).send()
}
