//! Asking for a link by which a password is set.

use actix_web::http::StatusCode;
use actix_web::http::header;
use actix_web::{HttpResponse, web};
use maud::html;

use super::layout::{Field, Page, alert, form};
use super::throttle::Name;
use super::visit::{self, Form, Visit};
use crate::problem::ApiError;
use crate::state::State;
use domain::{Email, Message};
use persistence::mail::{self, MailKind};

/// The page.
pub async fn show(visit: Visit) -> HttpResponse {
    page(&visit, "", None).send()
}

fn page<'a>(visit: &'a Visit, mail: &str, fault: Option<&Message>) -> Page<'a> {
    let field = Field {
        id: "mail",
        kind: "email",
        label: message!("Mail address"),
        autocomplete: "username",
        value: mail,
        hint: None,
        is_faulty: fault.is_some(),
        is_first: true,
    };
    let body = html! {
        p { (visit.say(&message!("You are sent a link by which you set a password."))) }
        (form(visit, html! {
            (alert(visit, fault))
            (field.show(visit))
            button name="action" value="ask" { (visit.say(&message!("Send a link"))) }
        }))
        p { a href=(visit.link(visit::SIGN_IN)) { (visit.say(&message!("Back to signing in"))) } }
    };
    Page::new(visit, message!("Set a password"), body).failed_if(fault, StatusCode::UNPROCESSABLE_ENTITY)
}

/// Notes that a link is to be sent, whoever is or is not behind the address: that is found out when the mail is sent.
pub async fn ask(visit: Visit, state: web::Data<State>, form: Form) -> Result<HttpResponse, ApiError> {
    let typed = form.text("mail").trim();
    let Ok(mail) = Email::parse(typed) else {
        let fault = message!("This is not a mail address. One looks like name@un.org.");
        return Ok(page(&visit, typed, Some(&fault)).send());
    };
    if let Err(wait) = state.throttle.mail(Name::typed(typed), visit.source) {
        let fault = message!("A link was asked for several times. Look into your mailbox, or wait a while.");
        let mut response = page(&visit, typed, Some(&fault)).failed(StatusCode::TOO_MANY_REQUESTS).send();
        response.headers_mut().insert(header::RETRY_AFTER, wait.seconds.into());
        return Ok(response);
    }
    let (language, act) = (visit.language, visit.act(None));
    let insert = async move |conn: &mut persistence::Conn| {
        mail::insert(conn, MailKind::PasswordReset, mail.as_str(), language).await
    };
    state.db.acting(act).write(insert).await?;
    let body = html! {
        p { (visit.say(&message!("If there is an account with this mail address, a link is on its way to it. It is good for one hour."))) }
        p { (visit.say(&message!("Nothing has come after some minutes? Look among unwanted mail, and see that the address is right."))) }
        p { a href=(visit.link(visit::SIGN_IN)) { (visit.say(&message!("Back to signing in"))) } }
    };
    Ok(Page::new(&visit, message!("Look into your mailbox"), body).send())
}
