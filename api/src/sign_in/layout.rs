//! What every page has: its headers, its frame, its language, and how fields and faults are shown.

use std::sync::LazyLock;

use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderName};
use actix_web::{HttpRequest, HttpResponse};
use maud::{DOCTYPE, Markup, html};
use xxhash_rust::xxh3::xxh3_64;

use super::visit::Visit;
use crate::frame::Verbatim;
use crate::problem::{ApiError, Code};
use domain::{Language, Message};

const CSS: &str = include_str!("style.css");

/// The style sheet's path names its content, so that it is never out of date.
static STYLE: LazyLock<String> = LazyLock::new(|| format!("/account/style-{:016x}.css", xxh3_64(CSS.as_bytes())));

pub const STYLE_ROUTE: &str = "/account/style-{hash}.css";

/// With `no-referrer`, browsers would send `Origin: null` with our own forms (Fetch §3.2), and a form could not be
/// told from another site's. No other site is told anything in this way, too.
pub const REFERRER: &str = "same-origin";

const OPENER: HeaderName = HeaderName::from_static("cross-origin-opener-policy");

/// The style sheet.
pub async fn style(request: HttpRequest) -> Result<HttpResponse, ApiError> {
    if request.path() != *STYLE {
        return Err(ApiError::new(Code::NotFound));
    }
    Ok(HttpResponse::Ok()
        .insert_header((header::CACHE_CONTROL, "public, max-age=31536000, immutable"))
        .content_type("text/css; charset=utf-8")
        .body(CSS))
}

/// What a language calls itself.
fn own_name(language: Language) -> &'static str {
    match language {
        Language::Ar => "العربية",
        Language::En => "English",
        Language::Es => "Español",
        Language::Fr => "Français",
        Language::Ru => "Русский",
        Language::Zh => "中文",
    }
}

fn direction(language: Language) -> &'static str {
    match language {
        Language::Ar => "rtl",
        _ => "ltr",
    }
}

/// A page.
pub struct Page<'a> {
    visit: &'a Visit,
    title: Message,
    body: Markup,
    status: StatusCode,
    leads_to: Option<String>,
    has_chooser: bool,
}

impl<'a> Page<'a> {
    /// With this title, which is also its heading.
    pub fn new(visit: &'a Visit, title: Message, body: Markup) -> Self {
        Self { visit, title, body, status: StatusCode::OK, leads_to: None, has_chooser: true }
    }

    /// It tells of something that did not work.
    pub fn failed(mut self, status: StatusCode) -> Self {
        self.status = status;
        self
    }

    /// [`Page::failed`] where there is a fault.
    pub fn failed_if(self, fault: Option<&Message>, status: StatusCode) -> Self {
        match fault {
            Some(_) => self.failed(status),
            None => self,
        }
    }

    /// Its form may end in a redirect to there, as a source of CSP.
    pub fn leads_to(mut self, source: Option<String>) -> Self {
        self.leads_to = source;
        self
    }

    /// It cannot be had again in another language.
    pub fn once(mut self) -> Self {
        self.has_chooser = false;
        self
    }

    /// As it is answered.
    pub fn send(self) -> HttpResponse {
        let mut response = HttpResponse::build(self.status);
        self.visit.set_cookies(&mut response);
        // Chromium holds redirects after a form to `form-action`, too.
        let leads_to = self.leads_to.as_ref().map(|source| format!(" {source}")).unwrap_or_default();
        let policy = format!(
            "default-src 'none'; style-src 'self'; form-action 'self'{leads_to}; frame-ancestors 'none'; base-uri 'none'"
        );
        let mut response = response
            .insert_header((header::CONTENT_SECURITY_POLICY, policy))
            .insert_header((header::X_FRAME_OPTIONS, "DENY"))
            .insert_header((header::REFERRER_POLICY, REFERRER))
            .insert_header((header::CACHE_CONTROL, "no-store"))
            .insert_header((header::CONTENT_LANGUAGE, self.visit.language.tag()))
            // A form's token beside what was typed: their sizes together must not tell (BREACH).
            .insert_header((header::CONTENT_ENCODING, "identity"))
            .insert_header((OPENER, "same-origin"))
            .content_type("text/html; charset=utf-8")
            .body(self.html().into_string());
        response.extensions_mut().insert(Verbatim);
        response
    }

    fn html(&self) -> Markup {
        let visit = self.visit;
        let heading = visit.say(&self.title);
        let title = match self.status.is_success() {
            true => heading.clone(),
            false => visit.say(&message!("Error: {title}", title = heading.as_str())),
        };
        html! {
            (DOCTYPE)
            html lang=(visit.language.tag()) dir=(direction(visit.language)) {
                head {
                    meta charset="utf-8";
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    meta name="color-scheme" content="light dark";
                    meta name="robots" content="noindex";
                    title { (title) " – Focalpoint" }
                    link rel="stylesheet" href=(*STYLE);
                }
                body {
                    header { p translate="no" { "Focalpoint" } }
                    main id="main" {
                        h1 { (heading) }
                        (self.body)
                    }
                    @if self.has_chooser { footer { (self.chooser()) } }
                }
            }
        }
    }

    fn chooser(&self) -> Markup {
        html! {
            nav aria-label=(self.visit.say(&message!("Language"))) {
                ul {
                    @for language in Language::ALL {
                        @let current = (language == self.visit.language).then_some("true");
                        li {
                            a href=(self.visit.here_in(language)) lang=(language.tag()) hreflang=(language.tag())
                                dir=(direction(language)) aria-current=[current] { (own_name(language)) }
                        }
                    }
                }
            }
        }
    }
}

/// What did not work, before the fields it is about; they refer to it.
pub fn alert(visit: &Visit, fault: Option<&Message>) -> Markup {
    html! {
        @if let Some(fault) = fault { p #error .alert role="alert" { (visit.say(fault)) } }
    }
}

/// What was done.
pub fn notice(visit: &Visit, done: Option<&Message>) -> Markup {
    html! {
        @if let Some(done) = done { p .notice role="status" { (visit.say(done)) } }
    }
}

/// The form of a page: to its own address, with its token.
pub fn form(visit: &Visit, fields: Markup) -> Markup {
    html! {
        form method="post" action=(visit.here()) novalidate {
            input type="hidden" name="form" value=(visit.form_token());
            (fields)
        }
    }
}

/// A field of one line.
pub struct Field<'a> {
    /// Its id and name.
    pub id: &'static str,
    /// Of the input.
    pub kind: &'static str,
    /// What it is.
    pub label: Message,
    /// What a browser may fill in.
    pub autocomplete: &'static str,
    /// What it holds already.
    pub value: &'a str,
    /// What to know before typing.
    pub hint: Option<Message>,
    /// Whether the page's fault is about it.
    pub is_faulty: bool,
    /// Whether one begins there.
    pub is_first: bool,
}

impl Field<'_> {
    /// In a page.
    pub fn show(&self, visit: &Visit) -> Markup {
        let hint_id = format!("{}-hint", self.id);
        let described = match (&self.hint, self.is_faulty) {
            (Some(_), true) => Some(format!("error {hint_id}")),
            (Some(_), false) => Some(hint_id.clone()),
            (None, true) => Some("error".to_owned()),
            (None, false) => None,
        };
        let invalid = self.is_faulty.then_some("true");
        let numeric = (self.kind == "digits").then_some("numeric");
        let kind = if self.kind == "digits" { "text" } else { self.kind };
        let value = Some(self.value).filter(|value| !value.is_empty());
        html! {
            div .field {
                label for=(self.id) { (visit.say(&self.label)) }
                @if let Some(hint) = &self.hint { p .hint id=(hint_id) { (visit.say(hint)) } }
                // What is typed is Latin more often than not: its direction is its own.
                input id=(self.id) name=(self.id) type=(kind) autocomplete=(self.autocomplete) value=[value]
                    inputmode=[numeric] aria-describedby=[described] aria-invalid=[invalid] autofocus[self.is_first]
                    dir=(if kind == "text" || kind == "email" { "ltr" } else { "auto" }) required
                    autocapitalize="none" spellcheck="false";
            }
        }
    }
}

/// A name of any script, held together amid other text.
pub fn isolated(name: &str) -> String {
    format!("\u{2068}{name}\u{2069}")
}
