//! The pages on which people sign in, consent, and look after their account: HTML made here, without any script.

mod consent;
mod device;
mod devices;
mod entrance;
mod factors;
mod forgotten;
mod known;
mod layout;
mod mailbox;
mod new_password;
mod person;
mod second_factor;
mod set_up;
pub mod throttle;
mod visit;

use actix_web::http::Method;
use actix_web::http::header::{self, HeaderValue};
use actix_web::{HttpRequest, HttpResponse, Resource, web};
use maud::html;

use crate::problem::{ApiError, Code};
pub use new_password::link_hash;

use layout::Page;
use visit::Visit;

/// Every page. They are for people and their browsers, and so no operations of the contract.
pub fn routes(config: &mut web::ServiceConfig) {
    config
        .service(shown(layout::STYLE_ROUTE).route(web::get().to(layout::style)))
        .service(shown("/account").route(web::get().to(devices::lead_there)))
        .service(form(visit::SIGN_IN).route(web::get().to(entrance::show)).route(web::post().to(entrance::enter)))
        .service(
            form(visit::SECOND_FACTOR)
                .route(web::get().to(second_factor::show))
                .route(web::post().to(second_factor::check)),
        )
        .service(form(visit::SET_UP).route(web::get().to(set_up::show)).route(web::post().to(set_up::confirm)))
        .service(
            form(visit::RECOVERY_CODES)
                .route(web::get().to(set_up::ask_for_codes))
                .route(web::post().to(set_up::make_codes)),
        )
        .service(
            form(visit::REPLACE).route(web::get().to(set_up::ask_to_replace)).route(web::post().to(set_up::replace)),
        )
        .service(form(visit::FORGOTTEN).route(web::get().to(forgotten::show)).route(web::post().to(forgotten::ask)))
        .service(
            form(visit::CHANGE_PASSWORD)
                .route(web::get().to(new_password::show_change))
                .route(web::post().to(new_password::change)),
        )
        .service(
            form("/account/password/{secret}")
                .route(web::get().to(new_password::show_link))
                .route(web::post().to(new_password::set)),
        )
        .service(form(visit::DEVICES).route(web::get().to(devices::list)).route(web::post().to(devices::end)))
        .service(shown(visit::SIGNED_OUT).route(web::get().to(devices::signed_out)))
        .service(form(visit::AUTHORIZE).route(web::get().to(consent::ask)).route(web::post().to(consent::answer)))
        .service(shown(visit::MAILBOX).route(web::get().to(mailbox::list)));
}

/// A page with a form.
fn form(path: &str) -> Resource {
    resource(path, "GET, HEAD, POST, OPTIONS")
}

/// A page that is only looked at.
fn shown(path: &str) -> Resource {
    resource(path, "GET, HEAD, OPTIONS")
}

fn resource(path: &str, allow: &'static str) -> Resource {
    let other_method = move |request: HttpRequest| async move {
        let allow = HeaderValue::from_static(allow);
        match *request.method() {
            Method::OPTIONS => Ok(HttpResponse::NoContent().insert_header((header::ALLOW, allow)).finish()),
            _ => Err(ApiError::new(Code::MethodNotAllowed).header(header::ALLOW, allow)),
        }
    };
    web::resource(path).default_service(web::to(other_method))
}

/// Whether a request is for a page, whether there is such a one or not.
fn is_page(request: &HttpRequest) -> bool {
    let path = request.match_info().get_ref().path();
    matches!(path, visit::AUTHORIZE | visit::MAILBOX | "/account") || path.starts_with("/account/")
}

/// The page in place of a problem document, with its headers. For [`crate::frame`].
pub fn explain(request: &HttpRequest, error: &ApiError) -> Option<HttpResponse> {
    let visit = Visit::of(request).ok().filter(|_| is_page(request))?;
    let (title, advice) = match error.code() {
        Code::Forbidden => (message!("This form cannot be accepted"), None),
        Code::TooManyRequests => (message!("Too many attempts"), Some(message!("Wait a moment, then try again."))),
        Code::Unavailable | Code::Internal => (
            message!("This page is not available at the moment"),
            Some(message!("Nothing was changed. Try again in a few minutes.")),
        ),
        code => (code.title(), None),
    };
    let body = html! {
        @if let Some(detail) = error.told() { p { (visit.say(detail)) } }
        @if let Some(advice) = &advice { p { (visit.say(advice)) } }
        p { a href=(visit.link(visit::DEVICES)) { (visit.say(&message!("Your account"))) } }
    };
    let mut response = Page::new(&visit, title, body).failed(error.code().status()).send();
    for (name, value) in error.headers() {
        response.headers_mut().insert(name.clone(), value.clone());
    }
    Some(response)
}
