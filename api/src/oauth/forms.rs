//! Forms and refusals of the endpoints that only programs call (RFC 6749 §5.2).

use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderValue};
use actix_web::{HttpMessage, HttpRequest, HttpResponse, web};
use serde::Serialize;
use utoipa::ToSchema;

use crate::frame::Verbatim;
use crate::payload;
use crate::problem::{ApiError, Code};

/// The longest form, in bytes.
const MAX_FORM: usize = 16 * 1024;

const FORM: &str = "application/x-www-form-urlencoded";

/// An error of an OAuth endpoint, in the form OAuth 2 clients expect (RFC 6749 §5.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub struct TokenError {
    /// `invalid_request`, `invalid_client`, `invalid_grant`, `unauthorized_client`, `unsupported_grant_type`,
    /// `invalid_scope` or `unsupported_token_type`.
    #[schema(example = "invalid_client")]
    pub error: &'static str,
    /// What to do about it.
    pub error_description: &'static str,
}

impl TokenError {
    pub(super) const fn new(error: &'static str, error_description: &'static str) -> Self {
        Self { error, error_description }
    }

    /// The client is not one of ours, or not by this secret.
    pub(super) const CLIENT: Self = Self::new(
        "invalid_client",
        "Services send client_id and client_secret by HTTP Basic; apps send client_id alone",
    );

    /// Whatever is wrong with a code or a refresh token: one answer.
    pub(super) const GRANT: Self =
        Self::new("invalid_grant", "It is not good here, or not any more: the person has to sign in again");

    /// As it is answered; never stored.
    pub(super) fn response(self) -> HttpResponse {
        let is_client = self.error == Self::CLIENT.error;
        let status = if is_client { StatusCode::UNAUTHORIZED } else { StatusCode::BAD_REQUEST };
        let mut response = HttpResponse::build(status).insert_header((header::CACHE_CONTROL, "no-store")).json(self);
        if is_client {
            let challenge = HeaderValue::from_static("Basic realm=\"focalpoint\", charset=\"UTF-8\"");
            response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
        }
        response.extensions_mut().insert(Verbatim);
        response
    }
}

/// The parameters of a form.
pub(super) struct Form(Vec<(String, String)>);

impl Form {
    /// Reads the form of a request. None where it cannot be read or gives a parameter twice (RFC 6749 §3.2).
    pub(super) async fn read(req: &HttpRequest, body: web::Payload) -> Result<Option<Self>, ApiError> {
        if !req.content_type().eq_ignore_ascii_case(FORM) {
            return Err(ApiError::new(Code::UnsupportedMediaType).detail(payload::expected(FORM)));
        }
        let body = payload::whole(req, body, MAX_FORM).await?;
        Ok(std::str::from_utf8(&body).ok().and_then(Self::parse))
    }

    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut form: Vec<(String, String)> = serde_urlencoded::from_str(text).ok()?;
        let mut names: Vec<&str> = form.iter().map(|(name, _)| name.as_str()).collect();
        names.sort_unstable();
        if names.windows(2).any(|pair| pair[0] == pair[1]) {
            return None;
        }
        // RFC 6749 §3.1: a parameter without a value is one that is left out.
        form.retain(|(_, value)| !value.is_empty());
        Some(Self(form))
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(given, _)| given == name).map(|(_, value)| value.as_str())
    }
}

/// Where nothing may be stored (RFC 6749 §5.1).
pub(super) fn unstored(body: impl Serialize) -> HttpResponse {
    HttpResponse::Ok().insert_header((header::CACHE_CONTROL, "no-store")).json(body)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parameter_is_given_once() {
        assert!(Form::parse("a=1&a=2").is_none());
        assert!(Form::parse("a=1&a=").is_none());
        let form = Form::parse("a=1%20b&c=&d=%2B+").unwrap();
        assert_eq!((form.get("a"), form.get("c"), form.get("d")), (Some("1 b"), None, Some("+ ")));
    }
}
