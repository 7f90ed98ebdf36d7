//! Edits: what an editor reads is tagged by its row's version, and an edit says by `If-Match` which version it is of.

use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderValue};
use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;
use serde::{Deserialize, Deserializer};

use crate::answers::CODINGS;
use crate::problem::{ApiError, Code};

/// The version that an edit is of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IfMatch {
    /// Whatever there is (`*`).
    Any,
    /// One of these.
    OneOf(Vec<i32>),
}

impl IfMatch {
    /// As a request says it (RFC 9110 §13.1.1). 428 where it does not.
    pub fn of(req: &HttpRequest) -> Result<Self, ApiError> {
        let mut given = req.headers().get_all(header::IF_MATCH).peekable();
        if given.peek().is_none() {
            let detail = message!("Read it, and send its ETag as If-Match");
            return Err(ApiError::new(Code::PreconditionRequired).detail(detail));
        }
        let tags: Vec<&str> =
            given.filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(',')).map(str::trim).collect();
        match tags.contains(&"*") {
            true => Ok(Self::Any),
            // A tag of another form is a reader's, and of no version.
            false => Ok(Self::OneOf(tags.into_iter().filter_map(version).collect())),
        }
    }

    /// Refuses an edit of another version than this one: 412, with the tag of this one.
    pub fn check(&self, current: i32) -> Result<(), ApiError> {
        match self {
            Self::OneOf(versions) if !versions.contains(&current) => {
                Err(ApiError::new(Code::PreconditionFailed).header(header::ETAG, tag(current)))
            }
            _ => Ok(()),
        }
    }
}

/// `"v3"`, or `"v3+gzip"` where the answer came compressed. A weak tag never matches (RFC 9110 §8.8.3.2).
fn version(tag: &str) -> Option<i32> {
    let bare = CODINGS.iter().find_map(|coding| tag.strip_suffix(coding)).or(tag.strip_suffix('"'))?;
    let digits = bare.strip_prefix("\"v")?;
    digits.bytes().all(|b| b.is_ascii_digit()).then(|| digits.parse().ok()).flatten()
}

fn tag(version: i32) -> HeaderValue {
    HeaderValue::try_from(format!("\"v{version}\"")).unwrap_or_else(|_| HeaderValue::from_static("\"\""))
}

/// An answer that can be edited from.
pub fn answer(status: StatusCode, version: i32, body: impl Serialize) -> HttpResponse {
    HttpResponse::build(status)
        .insert_header((header::ETAG, tag(version)))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .json(body)
}

/// For fields of an edit: one that is left out stays as it is, and null is a value like others, which most fields
/// do not take.
pub fn given<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::test::TestRequest;

    fn of(headers: &[&str]) -> Result<IfMatch, Code> {
        let mut req = TestRequest::patch();
        for value in headers {
            req = req.append_header((header::IF_MATCH, *value));
        }
        IfMatch::of(&req.to_http_request()).map_err(|error| error.code())
    }

    #[test]
    fn an_edit_is_of_a_version() {
        assert_eq!(of(&["\"v3\""]), Ok(IfMatch::OneOf(vec![3])));
        assert_eq!(of(&["\"v3+gzip\" , \"v4\"", "\"v5+br\""]), Ok(IfMatch::OneOf(vec![3, 4, 5])));
        assert_eq!(of(&["*"]), Ok(IfMatch::Any));
        assert_eq!(of(&[]), Err(Code::PreconditionRequired));
    }

    #[test]
    fn a_tag_that_is_weak_or_a_readers_is_of_no_version() {
        for other in ["W/\"v3\"", "v3", "\"3\"", "\"v\"", "\"v-3\"", "\"v3+x\"", "\"2e2ce48124dda60f.fr.public\"", ""] {
            assert_eq!(of(&[other]), Ok(IfMatch::OneOf(Vec::new())), "{other}");
        }
        assert_eq!(IfMatch::OneOf(vec![3]).check(4).map_err(|error| error.code()), Err(Code::PreconditionFailed));
        assert!(IfMatch::OneOf(vec![3]).check(3).is_ok() && IfMatch::Any.check(9).is_ok());
    }
}
