//! A visit of a browser: its language, its cookie, what it asks for, and where it is to go on to.

use std::collections::HashMap;
use std::future::{Ready, ready};
use std::pin::Pin;

use actix_web::dev::Payload;
use actix_web::http::header::{self, HeaderName, HeaderValue};
use actix_web::{FromRequest, HttpMessage, HttpRequest, HttpResponse, web};
use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use secrecy::ExposeSecret;
use uuid::Uuid;

use super::device;
use crate::frame::RequestId;
use crate::identity::secrets;
use crate::params::{self, Params};
use crate::payload;
use crate::problem::{ApiError, Code};
use crate::state::State;
use domain::{AccountId, Act, Actor, Language, Message};

pub const SIGN_IN: &str = "/account/sign-in";
pub const SECOND_FACTOR: &str = "/account/second-factor";
pub const SET_UP: &str = "/account/second-factor/new";
pub const REPLACE: &str = "/account/second-factor/replace";
pub const RECOVERY_CODES: &str = "/account/recovery-codes";
pub const FORGOTTEN: &str = "/account/forgotten";
pub const CHANGE_PASSWORD: &str = "/account/password";
pub const DEVICES: &str = "/account/devices";
pub const SIGNED_OUT: &str = "/account/signed-out";
pub const AUTHORIZE: &str = "/oauth/authorize";
pub const MAILBOX: &str = "/mailbox";

/// The longest form, in bytes.
const MAX_FORM: usize = 16 * 1024;

/// The longest place to go on to, in bytes.
const MAX_NEXT: usize = 8 * 1024;

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// For how long a browser is known.
const KNOWN_SECONDS: u32 = 365 * 24 * 3600;

/// Where somebody goes on to when they have signed in: one of our own paths, never another's address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Next(String);

impl Next {
    /// The request of an app, as it was asked at [`AUTHORIZE`], or a page of the account.
    fn parse(text: &str) -> Option<Self> {
        let is_plain = text.len() <= MAX_NEXT && text.bytes().all(|b| b.is_ascii_graphic() && !b"\\\"<>".contains(&b));
        let is_ours = matches!(text, DEVICES | CHANGE_PASSWORD | RECOVERY_CODES | REPLACE | SET_UP);
        match text.strip_prefix(AUTHORIZE).and_then(|rest| rest.strip_prefix('?')) {
            _ if !is_plain => None,
            // The language is the visit's own, and who comes back has signed in as the app asked.
            Some(query) => {
                let rest = without_language(query).into_iter().filter(|pair| *pair != "prompt=login");
                Some(Self(format!("{AUTHORIZE}?{}", rest.collect::<Vec<_>>().join("&"))))
            }
            None => is_ours.then(|| Self(text.to_owned())),
        }
    }

    /// The query of an app's request.
    pub fn authorization(&self) -> Option<&str> {
        self.0.strip_prefix(AUTHORIZE)?.strip_prefix('?')
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A visit.
pub struct Visit {
    /// The language of the page.
    pub language: Language,
    /// Where to go on to.
    pub next: Option<Next>,
    /// The request's path.
    pub path: String,
    /// The request's query.
    pub query: String,
    /// Where the request comes from, as budgets count it.
    pub source: u128,
    /// What the browser calls itself, in a few words.
    pub device: String,
    /// The cookie by which it is known which accounts were signed in to here before.
    pub known: Option<String>,
    request: Option<Uuid>,
    /// What the browser's cookie holds, or is to hold.
    secret: String,
    /// Cookies to be set.
    cookies: Vec<String>,
    is_chosen: bool,
    is_secure: bool,
}

/// The name of a cookie. Where there is TLS, one that no other host and no plain HTTP can set (RFC 6265bis).
fn cookie_name(is_secure: bool, name: &str) -> String {
    format!("{}{name}", if is_secure { "__Host-" } else { "" })
}

const BROWSER: &str = "focalpoint";
const KNOWN: &str = "focalpoint-known";

impl Visit {
    /// By a request. Fails only where there is no randomness.
    pub fn of(request: &HttpRequest) -> Result<Self, ApiError> {
        let state = request.app_data::<web::Data<State>>().expect("the app is built with its state");
        let query = request.query_string();
        let params = Params::parse(query).ok();
        let text = |name: &str| params.as_ref().and_then(|params| params.text(name));
        let next = text("next").and_then(Next::parse);
        let chosen = text("lang").and_then(|tag| Language::parse(tag).ok());
        let is_secure = state.config.base_url().starts_with("https://");
        let mut visit = Self {
            language: chosen
                .or_else(|| wanted_by_app(query))
                .or_else(|| wanted_by_app(next.as_ref()?.authorization()?))
                .unwrap_or_else(|| params::language(request)),
            path: request.path().to_owned(),
            query: query.to_owned(),
            source: state.limits.source(request.peer_addr(), request.headers()),
            device: device::name(request.headers()),
            known: cookie(request, &cookie_name(is_secure, KNOWN)),
            request: RequestId::of(request),
            secret: String::new(),
            cookies: Vec::new(),
            is_chosen: chosen.is_some(),
            is_secure,
            next,
        };
        let is_ours = |secret: &String| URL_SAFE_NO_PAD.decode(secret).is_ok_and(|bytes| bytes.len() == 32);
        match cookie(request, &cookie_name(is_secure, BROWSER)).filter(is_ours) {
            Some(secret) => visit.secret = secret,
            None => visit.adopt(Secret::new()?),
        }
        Ok(visit)
    }

    /// Gives the browser another cookie, at every step that changes what it may do: a value that somebody else
    /// put there, or saw, is then worth nothing.
    pub fn adopt(&mut self, secret: Secret) {
        self.cookies.push(self.cookie(BROWSER, &secret.0, ""));
        self.secret = secret.0;
    }

    /// Notes in the browser that it was signed in to an account here.
    pub fn remember(&mut self, known: &str) {
        let cookie = self.cookie(KNOWN, known, &format!("; Max-Age={KNOWN_SECONDS}"));
        self.cookies.push(cookie);
    }

    fn cookie(&self, name: &str, value: &str, lasts: &str) -> String {
        let secure = if self.is_secure { "; Secure" } else { "" };
        let name = cookie_name(self.is_secure, name);
        format!("{name}={value}; Path=/; HttpOnly; SameSite=Lax{lasts}{secure}")
    }

    /// The hash by which this browser is stored.
    pub fn hash(&self) -> [u8; 32] {
        sha256(&[self.secret.as_bytes()])
    }

    /// What every form of this browser's pages must carry.
    pub fn form_token(&self) -> String {
        URL_SAFE_NO_PAD.encode(sha256(&[b"focalpoint form ", self.secret.as_bytes()]))
    }

    /// What is done here, for the audit.
    pub fn act(&self, account: Option<AccountId>) -> Act {
        let actor = match account {
            Some(account) => Actor::Person { account, app: None, session: None },
            None => Actor::System,
        };
        Act { actor, request: self.request }
    }

    /// A text in the page's language.
    pub fn say(&self, message: &Message) -> String {
        message.text(self.language)
    }

    /// A page of ours, from which one goes on to the same place in the same language.
    pub fn link(&self, path: &str) -> String {
        self.link_with(path, &[])
    }

    /// [`Visit::link`], with more parameters.
    pub fn link_with(&self, path: &str, more: &[(&str, &str)]) -> String {
        self.link_to(path, self.next.as_ref(), more)
    }

    fn link_to(&self, path: &str, next: Option<&Next>, more: &[(&str, &str)]) -> String {
        let next = next.map(|next| ("next", next.as_str()));
        let lang = self.is_chosen.then(|| ("lang", self.language.tag()));
        let all: Vec<String> = more
            .iter()
            .copied()
            .chain(next)
            .chain(lang)
            .map(|(name, value)| format!("{name}={}", percent_encode(value)))
            .collect();
        match all.is_empty() {
            true => path.to_owned(),
            false => format!("{path}?{}", all.join("&")),
        }
    }

    /// This page, for its own form.
    pub fn here(&self) -> String {
        match self.query.is_empty() {
            true => self.path.clone(),
            false => format!("{}?{}", self.path, self.query),
        }
    }

    /// This page in another language, all else the same.
    pub fn here_in(&self, language: Language) -> String {
        let lang = format!("lang={language}");
        let mut query = without_language(&self.query);
        query.push(&lang);
        format!("{}?{}", self.path, query.join("&"))
    }

    /// Where one goes on to when all is shown.
    pub fn onwards(&self) -> String {
        let Some(next) = &self.next else { return self.link(DEVICES) };
        let join = if next.as_str().contains('?') { '&' } else { '?' };
        match self.is_chosen {
            true => format!("{}{join}lang={}", next.as_str(), self.language),
            false => next.as_str().to_owned(),
        }
    }

    /// Leads to an address: one of ours, or an app's that was looked at.
    pub fn go(&self, address: &str) -> HttpResponse {
        let mut response = HttpResponse::SeeOther();
        self.set_cookies(&mut response);
        response
            .insert_header((header::LOCATION, address))
            .insert_header((header::CACHE_CONTROL, "no-store"))
            .insert_header((header::REFERRER_POLICY, super::layout::REFERRER))
            .finish()
    }

    /// Leads to where one first has to sign in, and then back here.
    pub fn go_by(&self, path: &str) -> HttpResponse {
        self.go(&self.link_and_back(path))
    }

    /// A page of ours from which one comes back here.
    pub fn link_and_back(&self, path: &str) -> String {
        let next = Next::parse(&self.here()).or_else(|| Next::parse(&self.path));
        self.link_to(path, next.as_ref(), &[])
    }

    pub(super) fn set_cookies(&self, response: &mut actix_web::HttpResponseBuilder) {
        for cookie in &self.cookies {
            response.append_header((header::SET_COOKIE, cookie.as_str()));
        }
    }
}

/// What a browser's cookie is to hold.
pub struct Secret(String);

impl Secret {
    /// 32 random bytes.
    pub fn new() -> Result<Self, ApiError> {
        let secret = secrets::generate().map_err(|_| ApiError::new(Code::Internal))?;
        Ok(Self(secret.expose_secret().to_owned()))
    }

    /// The hash by which the browser is stored.
    pub fn hash(&self) -> [u8; 32] {
        sha256(&[self.0.as_bytes()])
    }
}

impl FromRequest for Visit {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Self::of(request))
    }
}

/// The parameters of a query but `lang`.
fn without_language(query: &str) -> Vec<&str> {
    query.split('&').filter(|pair| !pair.is_empty() && !pair.starts_with("lang=")).collect()
}

/// The languages that an app asks for (OpenID Connect Core §3.1.2.1), the best first.
fn wanted_by_app(query: &str) -> Option<Language> {
    let params = Params::parse(query).ok()?;
    Language::lookup(params.text("ui_locales")?.split(' ').take(16))
}

/// A form that one of our pages sent from the same browser. A handler that takes it is safe from other sites.
pub struct Form(HashMap<String, String>);

impl Form {
    /// A field; empty where it is not there.
    pub fn text(&self, name: &str) -> &str {
        self.0.get(name).map(String::as_str).unwrap_or_default()
    }
}

impl FromRequest for Form {
    type Error = ApiError;
    type Future = Pin<Box<dyn Future<Output = Result<Self, ApiError>>>>;

    fn from_request(request: &HttpRequest, body: &mut Payload) -> Self::Future {
        let (request, body) = (request.clone(), web::Payload::from_request(request, body));
        Box::pin(async move {
            let state = request.app_data::<web::Data<State>>().expect("the app is built with its state");
            if !is_from_here(&request, &state.config.base_url()) {
                return Err(foreign());
            }
            if !request.content_type().eq_ignore_ascii_case("application/x-www-form-urlencoded") {
                let expected = payload::expected("application/x-www-form-urlencoded");
                return Err(ApiError::new(Code::UnsupportedMediaType).detail(expected));
            }
            let body = body.await.map_err(|_| ApiError::new(Code::MalformedRequest))?;
            let body = payload::whole(&request, body, MAX_FORM).await?;
            let form = Self(read(&body).ok_or_else(|| ApiError::new(Code::MalformedRequest))?);
            let token = Visit::of(&request)?.form_token();
            verify_slices_are_equal(form.text("form").as_bytes(), token.as_bytes()).map_err(|_| foreign())?;
            Ok(form)
        })
    }
}

fn foreign() -> ApiError {
    ApiError::new(Code::Forbidden).detail(message!(
        "It is out of date or was not sent from this page. Open the page again, with cookies allowed, and repeat what you did."
    ))
}

/// Whether the browser says that one of our pages sends this, or says nothing.
fn is_from_here(request: &HttpRequest, base_url: &str) -> bool {
    let is = |value: &HeaderValue, wanted: &[&str]| value.to_str().is_ok_and(|value| wanted.contains(&value));
    let origin = base_url.splitn(4, '/').take(3).collect::<Vec<_>>().join("/");
    request.headers().get_all(header::ORIGIN).all(|value| is(value, &[&origin]))
        && request.headers().get_all(SEC_FETCH_SITE).all(|value| is(value, &["same-origin", "none"]))
}

/// Each field once.
fn read(body: &[u8]) -> Option<HashMap<String, String>> {
    let text = std::str::from_utf8(body).ok()?;
    let pairs = web::Query::<Vec<(String, String)>>::from_query(text).ok()?.into_inner();
    let count = pairs.len();
    let fields: HashMap<_, _> = pairs.into_iter().collect();
    (fields.len() == count).then_some(fields)
}

fn cookie(request: &HttpRequest, name: &str) -> Option<String> {
    let lines = request.headers().get_all(header::COOKIE).filter_map(|line| line.to_str().ok());
    let mut pairs = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(of, _)| *of == name).map(|(_, value)| value.to_owned())
}

/// SHA-256 of pieces, one behind the other.
pub fn sha256(pieces: &[&[u8]]) -> [u8; 32] {
    let mut hash = [0; 32];
    hash.copy_from_slice(digest(&SHA256, &pieces.concat()).as_ref());
    hash
}

fn percent_encode(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte);
    text.bytes().map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::test::TestRequest;

    #[test]
    fn one_goes_on_to_our_own_pages_only() {
        for ours in ["/account/devices", "/oauth/authorize?client_id=1&redirect_uri=https%3A%2F%2Fa.example%2F"] {
            assert_eq!(Next::parse(ours).map(|next| next.0).as_deref(), Some(ours));
        }
        for bad in [
            "",
            "/",
            "//evil.example/oauth/authorize?x",
            "https://evil.example",
            "/oauth/authorize",
            "/oauth/authorize@evil.example",
            "/oauth/authorize/../../x?y",
            "/oauth/authorize?a\r\nSet-Cookie:%20x",
            "/oauth/authorize?a\\b",
            "/account/devices?x",
            "/account/devices/../x",
            " /account/devices",
            "javascript:alert(1)",
        ] {
            assert_eq!(Next::parse(bad), None, "{bad:?}");
        }
        assert_eq!(Next::parse(&format!("/oauth/authorize?{}", "a".repeat(MAX_NEXT))), None);
    }

    #[test]
    fn a_form_is_taken_from_our_own_origin_only() {
        let from = |name: &'static str, value: &'static str| {
            let request = TestRequest::post().insert_header((name, value)).to_http_request();
            is_from_here(&request, "https://f.example:8443/below")
        };
        assert!(from("origin", "https://f.example:8443") && from("sec-fetch-site", "same-origin"));
        assert!(is_from_here(&TestRequest::post().to_http_request(), "https://f.example"), "an old browser");
        for foreign in ["null", "https://f.example", "http://f.example:8443", "https://evil.example", ""] {
            assert!(!from("origin", foreign), "{foreign}");
        }
        assert!(!from("sec-fetch-site", "cross-site") && !from("sec-fetch-site", "same-site"));
    }

    #[test]
    fn a_field_is_given_once() {
        assert_eq!(read(b"a=1&b=%C3%A9").unwrap()["b"], "é");
        assert!(read(b"a=1&a=2").is_none());
        assert!(read(b"a=\xff").is_none());
    }
}
