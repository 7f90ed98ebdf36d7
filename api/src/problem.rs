//! Errors as problem documents (RFC 9457).

use std::fmt;

use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderName, HeaderValue};
use actix_web::{HttpResponse, ResponseError};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use domain::{Broken, Fault, Faults, Language, Message};

/// The media type of a problem document.
pub const MEDIA_TYPE: &str = "application/problem+json";

macro_rules! codes {
    ($($variant:ident = $status:ident, $code:literal, $title:literal;)*) => {
        /// What went wrong: stable, public, never renamed.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Code {
            $(#[doc = $title] $variant,)*
        }

        impl Code {
            /// Every code.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// The HTTP status it is answered with.
            pub fn status(self) -> StatusCode {
                match self { $(Self::$variant => StatusCode::$status,)* }
            }

            /// The code as it appears in `code` and at the end of `type`.
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $code,)* }
            }

            /// The title.
            pub fn title(self) -> Message {
                match self { $(Self::$variant => message!($title),)* }
            }
        }
    };
}

codes! {
    MalformedRequest = BAD_REQUEST, "malformed_request", "The request cannot be read";
    MalformedJson = BAD_REQUEST, "malformed_json", "The body is not JSON";
    InvalidCursor = BAD_REQUEST, "invalid_cursor", "The cursor is not one of this list's";
    InvalidSyncToken = BAD_REQUEST, "invalid_sync_token", "The token is not one of this server's";
    InvalidToken = UNAUTHORIZED, "invalid_token", "A valid access token is needed";
    Forbidden = FORBIDDEN, "forbidden", "This role may not do that";
    NotFound = NOT_FOUND, "not_found", "There is nothing here";
    MethodNotAllowed = METHOD_NOT_ALLOWED, "method_not_allowed", "This method is not for this resource";
    NotAcceptable = NOT_ACCEPTABLE, "not_acceptable", "No acceptable form of this resource exists";
    Timeout = REQUEST_TIMEOUT, "request_timeout", "The request took too long to arrive";
    TooManyClosed = CONFLICT, "too_many_closed", "The file would close too many entries";
    Taken = CONFLICT, "taken", "Something else has this already";
    OwnAccount = CONFLICT, "own_account", "This cannot be done to one's own account";
    LastAdmin = CONFLICT, "last_admin", "Somebody must stay an administrator";
    SyncGone = GONE, "sync_gone", "This copy cannot be continued: start again";
    PreconditionFailed = PRECONDITION_FAILED, "precondition_failed", "It has changed since you read it";
    TooLarge = PAYLOAD_TOO_LARGE, "too_large", "The body is too large";
    UnsupportedMediaType = UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", "The body's media type is not accepted here";
    ValidationFailed = UNPROCESSABLE_ENTITY, "validation_failed", "Some fields break a rule";
    PreconditionRequired = PRECONDITION_REQUIRED, "precondition_required", "An edit needs If-Match";
    TooManyRequests = TOO_MANY_REQUESTS, "too_many_requests", "Too many requests";
    Internal = INTERNAL_SERVER_ERROR, "internal", "Something broke on the server";
    Unavailable = SERVICE_UNAVAILABLE, "unavailable", "Not available at the moment";
    Rebuilding = SERVICE_UNAVAILABLE, "rebuilding", "The published copy is being made again";
    RevisionNotReached = SERVICE_UNAVAILABLE, "revision_not_reached", "The revision has not arrived here yet";
}

/// A field that breaks a rule, as a problem document shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct FieldFault {
    /// A JSON pointer (RFC 6901) into the body; the empty pointer is the whole of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "/wishes/av_technicians")]
    pub pointer: Option<String>,
    /// The query or path parameter, when it is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "limit")]
    pub parameter: Option<String>,
    /// The line of an imported file, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = 17)]
    pub line: Option<u64>,
    /// The rule: `required`, `unknown_field`, `structure`, `format`, `one_of`, `length`, `range`,
    /// `characters`, `duplicate`, `conflict` or `reference`.
    #[schema(example = "range")]
    pub rule: &'static str,
    /// What the rule asks for, in words of the language of `Content-Language`.
    #[schema(example = "must be from 1 to 200")]
    pub detail: String,
}

/// A fault in a line of an imported file.
#[derive(Debug, Clone)]
pub struct FaultInLine {
    /// The line, from 1; none for the file as a whole.
    pub line: Option<u64>,
    /// The fault.
    pub fault: Fault,
}

#[derive(Debug, Clone)]
enum Found {
    InBody(FaultInLine),
    InParameter(String, Broken),
}

impl Found {
    fn told(&self, language: Language) -> FieldFault {
        match self {
            Self::InBody(FaultInLine { line, fault: Fault { pointer, rule, detail } }) => FieldFault {
                pointer: Some(pointer.clone()),
                parameter: None,
                line: *line,
                rule: rule.code(),
                detail: detail.text(language),
            },
            Self::InParameter(name, Broken { rule, detail }) => FieldFault {
                pointer: None,
                parameter: Some(name.clone()),
                line: None,
                rule: rule.code(),
                detail: detail.text(language),
            },
        }
    }
}

/// An error, as the API answers it.
#[derive(Debug, Clone)]
pub struct ApiError {
    code: Code,
    detail: Option<Box<Message>>,
    reason: Option<&'static str>,
    faults: Vec<Found>,
    fault_count: Option<u64>,
    headers: Vec<(HeaderName, HeaderValue)>,
}

impl ApiError {
    /// An error with nothing more to say than its code.
    pub fn new(code: Code) -> Self {
        let mut error =
            Self { code, detail: None, reason: None, faults: Vec::new(), fault_count: None, headers: Vec::new() };
        match code.status() {
            StatusCode::SERVICE_UNAVAILABLE => error = error.retry_after(2),
            StatusCode::UNAUTHORIZED => {
                let challenge = HeaderValue::from_static("Bearer realm=\"focalpoint\"");
                error = error.header(header::WWW_AUTHENTICATE, challenge);
            }
            _ => {}
        }
        error
    }

    /// Adds a sentence about this occurrence. Never an internal cause.
    pub fn detail(mut self, detail: Message) -> Self {
        self.detail = Some(Box::new(detail));
        self
    }

    /// Adds a machine-readable reason, for codes that have several.
    pub fn reason(mut self, reason: &'static str) -> Self {
        self.reason = Some(reason);
        self
    }

    /// Adds a header.
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.retain(|(present, _)| *present != name);
        self.headers.push((name, value));
        self
    }

    /// Says after how many seconds to try again.
    pub fn retry_after(self, seconds: u64) -> Self {
        self.header(header::RETRY_AFTER, HeaderValue::from(seconds))
    }

    /// A body's faults.
    pub fn faults(faults: Faults) -> Self {
        let mut error = Self::new(Code::ValidationFailed);
        error.faults =
            faults.into_vec().into_iter().map(|fault| Found::InBody(FaultInLine { line: None, fault })).collect();
        error
    }

    /// Names the field of a body that an error is about, whatever its code.
    pub fn about(mut self, pointer: &str, broken: Broken) -> Self {
        let fault = Fault { pointer: pointer.to_owned(), rule: broken.rule, detail: broken.detail };
        self.faults.push(Found::InBody(FaultInLine { line: None, fault }));
        self
    }

    /// A parameter that breaks a rule.
    pub fn parameter(name: &str, broken: Broken) -> Self {
        let mut error = Self::new(Code::ValidationFailed);
        error.add_parameter(name, broken);
        error
    }

    /// One more parameter that breaks a rule.
    pub fn add_parameter(&mut self, name: &str, broken: Broken) {
        self.faults.push(Found::InParameter(name.to_owned(), broken));
    }

    /// The faults of an imported file, and how many there are in all.
    pub fn rows(faults: Vec<FaultInLine>, count: u64) -> Self {
        let mut error = Self::new(Code::ValidationFailed);
        error.faults = faults.into_iter().map(Found::InBody).collect();
        error.fault_count = Some(count);
        error
    }

    /// The code.
    pub fn code(&self) -> Code {
        self.code
    }

    /// The sentence about this occurrence.
    pub fn told(&self) -> Option<&Message> {
        self.detail.as_deref()
    }

    /// The headers that belong to it.
    pub fn headers(&self) -> &[(HeaderName, HeaderValue)] {
        &self.headers
    }

    /// The document for a request, in its language.
    pub fn document(&self, request_id: Uuid, language: Language) -> Problem<'_> {
        Problem {
            kind: format!("urn:focalpoint:problem:{}", self.code.name()),
            title: self.code.title().text(language),
            status: self.code.status().as_u16(),
            code: self.code.name(),
            detail: self.detail.as_ref().map(|detail| detail.text(language)),
            reason: self.reason,
            errors: self.faults.iter().map(|found| found.told(language)).collect(),
            error_count: self.fault_count,
            request_id,
        }
    }
}

/// A problem document (RFC 9457), the body of every error.
#[derive(Debug, Serialize, ToSchema)]
pub struct Problem<'a> {
    /// Identifies the kind of problem; stable.
    #[serde(rename = "type")]
    #[schema(example = "urn:focalpoint:problem:validation_failed")]
    kind: String,
    /// What it means, in a few words of the language of `Content-Language`.
    #[schema(example = "Some fields break a rule")]
    title: String,
    /// The HTTP status.
    #[schema(example = 422)]
    status: u16,
    /// The kind of problem as a short code; stable.
    #[schema(example = "validation_failed")]
    code: &'a str,
    /// More about this occurrence, in the same language.
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
    /// Why, where one code has several reasons: `expired`, `rewound`, `audience-changed`, `schema`.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
    /// Each field that breaks a rule.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<FieldFault>,
    /// How many faults a file has, when not all are listed.
    #[serde(skip_serializing_if = "Option::is_none")]
    error_count: Option<u64>,
    /// Names this request in the server's log; also the `X-Request-Id` header.
    request_id: Uuid,
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code.name())
    }
}

impl std::error::Error for ApiError {}

impl ResponseError for ApiError {
    fn status_code(&self) -> StatusCode {
        self.code.status()
    }

    /// The response carries the error; [`crate::frame`] writes the document once it knows the request.
    fn error_response(&self) -> HttpResponse {
        let mut response = HttpResponse::build(self.status_code());
        for (name, value) in &self.headers {
            response.insert_header((name, value));
        }
        let mut response = response.finish();
        response.extensions_mut().insert(self.clone());
        response
    }
}

impl From<Faults> for ApiError {
    fn from(faults: Faults) -> Self {
        Self::faults(faults)
    }
}

impl From<persistence::Error> for ApiError {
    fn from(error: persistence::Error) -> Self {
        use persistence::Error;
        match error {
            Error::NotFound => Self::new(Code::NotFound),
            Error::Taken(_) => Self::new(Code::Taken),
            Error::Unavailable(cause) => {
                tracing::warn!(%cause, "database unavailable");
                Self::new(Code::Unavailable)
            }
            Error::Corrupt(cause) | Error::Unexpected(cause) => {
                tracing::error!(%cause, "internal error");
                Self::new(Code::Internal)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_unique() {
        let names: std::collections::BTreeSet<_> = Code::ALL.iter().map(|c| c.name()).collect();
        assert_eq!(names.len(), Code::ALL.len());
    }

    #[test]
    fn an_internal_cause_never_reaches_the_caller() {
        let error = ApiError::from(persistence::Error::Unexpected("secret detail".into()));
        let document = serde_json::to_string(&error.document(Uuid::nil(), Language::En)).unwrap();
        assert!(!document.contains("secret"), "{document}");
    }
}
