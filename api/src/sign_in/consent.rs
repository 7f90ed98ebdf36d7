//! Consent: whether an app may act for who is signed in. Asked every time, since anybody can pretend to be a public
//! client (RFC 8252 §8.6).

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use maud::html;

use super::layout::{Page, form, isolated};
use super::person::{Person, Visitor};
use super::visit::{self, Form, Visit};
use crate::oauth::authorization::{AuthorizationRequest, Consent, Refusal, grant};
use crate::problem::{ApiError, Code};
use crate::state::State;
use domain::{Message, Scope};

fn read(state: &State, query: &str) -> Result<AuthorizationRequest, Refusal> {
    AuthorizationRequest::read(query, &state.store.identities(), &state.config.base_url())
}

/// The name of the app to which one goes on.
pub fn app_of(visit: &Visit, state: &State) -> Option<String> {
    let request = read(state, visit.next.as_ref()?.authorization()?).ok()?;
    Some(request.app.name)
}

/// Where one is sent by a form of a page from which one goes on to an app, as a source of CSP.
pub fn leads_to(visit: &Visit, state: &State) -> Option<String> {
    match read(state, visit.next.as_ref()?.authorization()?) {
        Ok(request) => Some(source(&request.redirect_uri)),
        Err(Refusal::Redirected(address)) => Some(source(&address)),
        Err(Refusal::Shown(_)) => None,
    }
}

/// The origin or the scheme of a redirect address that was looked at.
fn source(address: &str) -> String {
    let (scheme, rest) = address.split_once(':').unwrap_or((address, ""));
    let authority = rest.strip_prefix("//").and_then(|rest| rest.split(['/', '?']).next());
    match authority {
        // CSP has no word for the address [::1].
        Some(authority) if !authority.starts_with('[') => format!("{scheme}://{authority}"),
        _ => format!("{scheme}:"),
    }
}

/// Where the answer goes, in words.
fn place(address: &str) -> Message {
    let source = source(address);
    match source.strip_suffix(':') {
        None if source.starts_with("https://") => message!("the website {address}", address = source),
        Some(scheme) if scheme != "http" => message!("an app on this device ({address})", address = scheme),
        _ => message!("a program on this device"),
    }
}

/// What a scope permits, in words.
fn words(scope: Scope) -> Message {
    match scope {
        Scope::Read => message!("read what is published for you"),
        Scope::ImportDirectory => message!("change the directory"),
        Scope::ImportCosts => message!("change the rates of event costs"),
        Scope::ImportNotes => message!("publish INF notes"),
        Scope::ImportBulletins => message!("publish security bulletins"),
        Scope::Account => message!("see your account and your devices, and sign devices out"),
        Scope::ManageMembers => message!("invite, suspend and remove people of your mission"),
        Scope::ManageAccounts => message!("manage everybody's accounts and roles"),
        Scope::ManageClients => message!("manage apps and services"),
        Scope::ReadAudit => message!("read who did what"),
    }
}

/// An app's request: the page, or whoever has to sign in first is led there.
pub async fn ask(visit: Visit, state: web::Data<State>) -> Result<HttpResponse, ApiError> {
    Ok(match looked_at(&visit, &state).await? {
        Ok((request, person)) => page(&visit, &request, &person).send(),
        Err(elsewhere) => elsewhere,
    })
}

/// The request, and who may answer it; or what is answered in place of that.
async fn looked_at(
    visit: &Visit,
    state: &State,
) -> Result<Result<(AuthorizationRequest, Person), HttpResponse>, ApiError> {
    let request = match read(state, &visit.query) {
        Ok(request) => request,
        Err(Refusal::Redirected(address)) => return Ok(Err(visit.go(&address))),
        Err(Refusal::Shown(why)) => return Ok(Err(refused(visit, &why))),
    };
    if request.wants_no_page {
        return Ok(Err(visit.go(&request.needs_page())));
    }
    if request.wants_sign_in {
        return Ok(Err(visit.go_by(visit::SIGN_IN)));
    }
    let person = Visitor::of(state, visit).await?.signed_in();
    Ok(person.map(|person| (request, person)).map_err(|first| visit.go_by(first)))
}

fn refused(visit: &Visit, why: &Message) -> HttpResponse {
    let body = html! {
        p { (visit.say(why)) }
        p { (visit.say(&message!("You were not sent on. Tell the makers of the app."))) }
    };
    Page::new(visit, message!("The app cannot be let in"), body).failed(StatusCode::BAD_REQUEST).send()
}

fn page<'a>(visit: &'a Visit, request: &AuthorizationRequest, person: &Person) -> Page<'a> {
    let granted = request.scopes.and(person.account.roles.scopes());
    let other = visit.link_and_back(visit::SIGN_IN);
    let body = html! {
        p { (visit.say(&message!("{app} asks to do this in your name:", app = isolated(&request.app.name)))) }
        ul { @for scope in granted.iter() { li { (visit.say(&words(scope))) } } }
        dl {
            dt { (visit.say(&message!("Your account"))) }
            dd { bdi { (person.account.name) } br; bdi dir="ltr" { (person.account.mail.as_str()) } }
            dt { (visit.say(&message!("You go on to"))) }
            dd #place { (visit.say(&place(&request.redirect_uri))) }
        }
        p .quiet {
            (visit.say(&message!("Allow it only if you have just asked to sign in there. You can sign the app out at any time under your account.")))
        }
        (form(visit, html! {
            button name="action" value="allow" { (visit.say(&message!("Allow"))) }
            button .second name="action" value="deny" { (visit.say(&message!("Do not allow"))) }
        }))
        p { a href=(other) { (visit.say(&message!("Sign in with another account"))) } }
    };
    Page::new(visit, message!("Sign in to {app}?", app = isolated(&request.app.name)), body)
        .leads_to(Some(source(&request.redirect_uri)))
}

/// Takes the answer to the app.
pub async fn answer(visit: Visit, state: web::Data<State>, form: Form) -> Result<HttpResponse, ApiError> {
    let (request, person) = match looked_at(&visit, &state).await? {
        Ok(both) => both,
        Err(elsewhere) => return Ok(elsewhere),
    };
    match form.text("action") {
        "allow" => {
            let consent = Consent {
                account: person.account.id,
                roles: person.account.roles,
                has_second_factor: person.browser.second_factor_at.is_some(),
                device: &visit.device,
            };
            let address = grant(&state, &request, consent, visit.act(Some(person.account.id))).await?;
            Ok(visit.go(&address))
        }
        "deny" => Ok(visit.go(&request.denied())),
        _ => Err(ApiError::new(Code::MalformedRequest)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::Language;

    #[test]
    fn the_policy_names_where_a_form_may_end() {
        for (address, named) in [
            ("https://app.example.org/signed-in?x=1", "https://app.example.org"),
            ("https://app.example.org:8443?x", "https://app.example.org:8443"),
            ("http://127.0.0.1:50123/cb", "http://127.0.0.1:50123"),
            ("http://[::1]:50123/cb", "http:"),
            ("org.example.app:/cb", "org.example.app:"),
        ] {
            assert_eq!(source(address), named);
        }
    }

    #[test]
    fn where_one_goes_is_told_in_words() {
        let told = |address| place(address).text(Language::En);
        assert_eq!(told("https://app.example.org/cb"), "the website https://app.example.org");
        assert_eq!(told("org.example.app:/cb"), "an app on this device (org.example.app)");
        assert_eq!(told("http://127.0.0.1:5/cb"), "a program on this device");
        assert_eq!(told("http://[::1]/cb"), "a program on this device");
    }
}
