//! Whom to tell of a weakness: /.well-known/security.txt (RFC 9116).

use std::fmt::Write;

use actix_web::http::header;
use actix_web::{HttpResponse, get, web};
use chrono::{DateTime, Days, NaiveTime, SecondsFormat, Utc};

use crate::edge::Edge;
use crate::problem::{ApiError, Code, Problem};
use crate::state::State;

/// How long what the file says may be relied on. RFC 9116 §2.5.5 advises less than a year.
const VALID: Days = Days::new(180);

const PATH: &str = "/.well-known/security.txt";

/// The file; none without a contact.
fn text(edge: &Edge, base_url: &str, now: DateTime<Utc>) -> Option<String> {
    if edge.security_contacts.is_empty() {
        return None;
    }
    let expires = (now.date_naive() + VALID).and_time(NaiveTime::MIN).and_utc();
    let mut text = String::new();
    let mut line = |name: &str, value: &str| {
        // Writing to a string does not fail.
        let _ = writeln!(text, "{name}: {value}");
    };
    for contact in &edge.security_contacts {
        line("Contact", contact);
    }
    line("Expires", &expires.to_rfc3339_opts(SecondsFormat::Secs, true));
    if !edge.security_languages.is_empty() {
        line("Preferred-Languages", &edge.security_languages);
    }
    // RFC 9116 §2.5.2: a web address here begins with https.
    if base_url.starts_with("https://") {
        line("Canonical", &format!("{base_url}{PATH}"));
    }
    if let Some(policy) = &edge.security_policy {
        line("Policy", policy);
    }
    Some(text)
}

/// Whom to tell of a weakness
///
/// Where to report a security weakness of this server, in the form of RFC 9116. 404 where the operator
/// has named nobody.
#[utoipa::path(
    tag = "operations",
    operation_id = "get_security_txt",
    responses(
        (status = 200, description = "The file", content_type = "text/plain", body = String,
            example = "Contact: mailto:security@example.org\nExpires: 2027-05-20T00:00:00Z\nPreferred-Languages: en\n"),
        (status = 404, description = "Nobody is named", content_type = "application/problem+json", body = Problem<'static>),
    ),
    security(())
)]
#[get("/.well-known/security.txt")]
pub async fn get_security_txt(state: web::Data<State>) -> Result<HttpResponse, ApiError> {
    let config = &state.config;
    let text = text(&config.edge, &config.base_url(), Utc::now()).ok_or_else(|| ApiError::new(Code::NotFound))?;
    Ok(HttpResponse::Ok()
        .insert_header((header::CACHE_CONTROL, "public, max-age=86400"))
        .content_type("text/plain; charset=utf-8")
        .body(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edge() -> Edge {
        Edge {
            security_contacts: vec!["mailto:security@example.org".into(), "https://example.org/report".into()],
            security_policy: Some("https://example.org/policy".into()),
            security_languages: "en, fr".into(),
            ..Edge::default()
        }
    }

    #[test]
    fn the_file_expires_within_a_year_and_changes_once_a_day() {
        let at = |text: &str| super::text(&edge(), "https://f.example", text.parse().unwrap()).unwrap();
        let morning = at("2026-11-22T00:00:01Z");
        assert_eq!(
            morning,
            "Contact: mailto:security@example.org\nContact: https://example.org/report\n\
            Expires: 2027-05-21T00:00:00Z\nPreferred-Languages: en, fr\n\
            Canonical: https://f.example/.well-known/security.txt\nPolicy: https://example.org/policy\n"
        );
        assert_eq!(morning, at("2026-11-22T23:59:59Z"));
        assert_ne!(morning, at("2026-11-23T00:00:00Z"));
    }

    #[test]
    fn nothing_is_claimed_that_is_not_so() {
        let now = Utc::now();
        assert_eq!(text(&Edge::default(), "https://f.example", now), None);
        assert!(!text(&edge(), "http://localhost:8080", now).unwrap().contains("Canonical"));
    }
}
