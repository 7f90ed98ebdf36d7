//! Pages of other origins (CORS): the operator names each, exactly; credentials are never shared.

use actix_cors::Cors;
use actix_web::http::Method;
use actix_web::http::header::{self, HeaderMap, HeaderValue};
use actix_web::middleware::Condition;

/// The methods that operations have, as a preflight asks for them.
const METHODS: [Method; 5] = [Method::GET, Method::HEAD, Method::POST, Method::PATCH, Method::DELETE];

/// What a page may send.
const ALLOWED: [&str; 9] = [
    "accept",
    "accept-language",
    "authorization",
    "content-type",
    "if-match",
    "if-none-match",
    "prefer",
    "traceparent",
    "tracestate",
];

/// What a page may read, beside what it always may.
const EXPOSED: [&str; 19] = [
    "age",
    "allow",
    "content-disposition",
    "content-language",
    "deprecation",
    "etag",
    "import-run",
    "link",
    "location",
    "preference-applied",
    "ratelimit",
    "ratelimit-policy",
    "retry-after",
    "sunset",
    "sync-rev",
    "traceresponse",
    "vary",
    "www-authenticate",
    "x-request-id",
];

/// For how long a browser may remember a preflight. Chromium remembers no longer.
const REMEMBERED_SECONDS: usize = 7_200;

const ORIGIN: &str = "Origin";

/// The middleware; does nothing without origins.
pub fn cors(origins: &[String]) -> Condition<Cors> {
    // `Vary` is the frame's, which says it once.
    let cors = Cors::default()
        .allowed_methods(METHODS)
        .allowed_headers(ALLOWED)
        .expose_headers(EXPOSED)
        .max_age(REMEMBERED_SECONDS)
        .disable_vary_header();
    let cors = origins.iter().fold(cors, |cors, origin| cors.allowed_origin(origin));
    Condition::new(!origins.is_empty(), cors)
}

/// Ends an answer of a server that has origins: it varies by origin, and tells nothing to strangers.
pub fn finish(headers: &mut HeaderMap) {
    if !headers.contains_key(header::ACCESS_CONTROL_ALLOW_ORIGIN) {
        headers.remove(header::ACCESS_CONTROL_EXPOSE_HEADERS);
    }
    let vary = match headers.get(header::VARY).and_then(|vary| vary.to_str().ok()) {
        Some(vary) => HeaderValue::try_from(format!("{vary}, {ORIGIN}")),
        None => Ok(HeaderValue::from_static(ORIGIN)),
    };
    if let Ok(vary) = vary {
        headers.insert(header::VARY, vary);
    }
}
