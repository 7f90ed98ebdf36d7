//! Showing a second factor when signing in.

use actix_web::http::StatusCode;
use actix_web::http::header;
use actix_web::{HttpResponse, web};
use chrono::Utc;
use maud::html;

use super::consent;
use super::factors::{Factor, recovery_hash, step};
use super::layout::{Field, Page, alert, form};
use super::person::{Person, Shown, Visitor, lock, succeed};
use super::visit::{self, Form, Secret, Visit};
use crate::params::Params;
use crate::problem::ApiError;
use crate::state::State;
use domain::{AccountId, Message};
use persistence::{Conn, Error, sign_ins};

/// The page for the factor of `?with=`.
pub async fn show(visit: Visit, state: web::Data<State>) -> Result<HttpResponse, ApiError> {
    Ok(match person(&state, &visit).await? {
        Ok(_) => page(&visit, &state, None).send(),
        Err(elsewhere) => elsewhere,
    })
}

/// Who is to show a factor; anybody else is led on.
async fn person(state: &State, visit: &Visit) -> Result<Result<Person, HttpResponse>, ApiError> {
    Ok(match Visitor::of(state, visit).await? {
        Visitor::ToShow(person) => Ok(person),
        Visitor::Stranger => Err(visit.go(&visit.link(visit::SIGN_IN))),
        Visitor::ToSetUp(_) => Err(visit.go(&visit.link(visit::SET_UP))),
        Visitor::SignedIn(_) => Err(visit.go(&visit.onwards())),
    })
}

fn factor(visit: &Visit) -> Factor {
    let params = Params::parse(&visit.query).ok();
    params.and_then(|params| Factor::from_name(params.text("with")?)).unwrap_or(Factor::Totp)
}

fn page<'a>(visit: &'a Visit, state: &State, fault: Option<&Message>) -> Page<'a> {
    let factor = factor(visit);
    let (label, hint, kind, autocomplete) = match factor {
        Factor::Totp => (
            message!("Code from your authenticator app"),
            message!("It has six digits and changes every half minute."),
            "digits",
            "one-time-code",
        ),
        Factor::RecoveryCode => (
            message!("Recovery code"),
            message!("One of the codes that you kept when you set up the second factor. Each can be used once."),
            "text",
            "off",
        ),
    };
    let is_faulty = fault.is_some();
    let field = Field { id: "code", kind, label, autocomplete, value: "", hint: Some(hint), is_faulty, is_first: true };
    let body = html! {
        (form(visit, html! {
            (alert(visit, fault))
            (field.show(visit))
            button name="action" value="check" { (visit.say(&message!("Continue"))) }
        }))
        @for other in Factor::ALL.into_iter().filter(|other| *other != factor) {
            p { a href=(visit.link_with(visit::SECOND_FACTOR, &[("with", other.name())])) {
                (visit.say(&match other {
                    Factor::Totp => message!("Use the authenticator app"),
                    Factor::RecoveryCode => message!("Use a recovery code"),
                }))
            } }
        }
        p { a href=(visit.link(visit::SIGN_IN)) { (visit.say(&message!("Sign in with another account"))) } }
    };
    Page::new(visit, message!("Second factor"), body)
        .leads_to(consent::leads_to(visit, state))
        .failed_if(fault, StatusCode::FORBIDDEN)
}

/// Takes a code. After five wrong ones the sign-in ends.
pub async fn check(mut visit: Visit, state: web::Data<State>, form: Form) -> Result<HttpResponse, ApiError> {
    let person = match person(&state, &visit).await? {
        Ok(person) => person,
        Err(elsewhere) => return Ok(elsewhere),
    };
    let (browser, account) = (person.browser.id, person.account.id);
    let left = match state.throttle.code(browser, account) {
        Ok(left) => left,
        Err(wait) => {
            let fault = message!("There were too many attempts. Wait a few minutes.");
            let mut response = page(&visit, &state, Some(&fault)).failed(StatusCode::TOO_MANY_REQUESTS).send();
            response.headers_mut().insert(header::RETRY_AFTER, wait.seconds.into());
            return Ok(response);
        }
    };
    let (factor, typed) = (factor(&visit), form.text("code").to_owned());
    let (secret, before) = (Secret::new()?, visit.hash());
    let hash = secret.hash();
    let db = state.db.acting(visit.act(Some(account)));
    let taken = db.write(async move |conn| {
        if !lock(conn, account, &before).await? {
            return Ok(false);
        }
        let is_right = take(conn, account, factor, &typed).await?;
        match (is_right, left) {
            (true, _) => succeed(conn, Some(browser), account, Shown::Factor, &hash).await?,
            (false, 0) => sign_ins::end_browser(conn, browser).await?,
            (false, _) => {}
        }
        Ok::<_, ApiError>(is_right)
    });
    Ok(match (taken.await?.value, left) {
        (true, _) => {
            visit.adopt(secret);
            visit.go(&visit.onwards())
        }
        (false, 0) => visit.go(&visit.link_with(visit::SIGN_IN, &[("done", "codes")])),
        (false, _) => page(&visit, &state, Some(&wrong(factor))).send(),
    })
}

fn wrong(factor: Factor) -> Message {
    match factor {
        Factor::Totp => {
            message!(
                "This code is not right, or was used already. Wait for the next one, and see that your device's clock is right."
            )
        }
        Factor::RecoveryCode => message!("This is not one of your recovery codes, or it was used already."),
    }
}

/// Uses a factor up, if it is right.
async fn take(conn: &mut Conn, account: AccountId, factor: Factor, typed: &str) -> Result<bool, Error> {
    match factor {
        Factor::Totp => {
            let totp = sign_ins::find_totp(conn, account).await?.filter(|totp| totp.is_confirmed);
            let found = totp.and_then(|totp| Some((totp.id, step(&totp.secret, typed, Utc::now().timestamp())?)));
            match found {
                Some((id, step)) => sign_ins::take_step(conn, id, step).await,
                None => Ok(false),
            }
        }
        Factor::RecoveryCode => sign_ins::use_recovery_code(conn, account, &recovery_hash(account, typed)).await,
    }
}
