//! JSON bodies of requests.

use actix_web::http::header;
use actix_web::{HttpRequest, web};
use serde::de::{DeserializeOwned, IgnoredAny};

use crate::imports::from_json;
use crate::payload;
use crate::problem::{ApiError, Code};

/// The longest body, in bytes.
pub const MAX_BODY: usize = 64 * 1024;

/// Reads a body. To be called once the caller is known to be allowed: what is wrong with a stranger's
/// body is not looked at.
pub async fn read<T: DeserializeOwned>(req: &HttpRequest, body: web::Payload) -> Result<T, ApiError> {
    let header = |name| req.headers().get(name).and_then(|value| value.to_str().ok());
    let media_type = header(header::CONTENT_TYPE).unwrap_or_default().split(';').next().unwrap_or_default().trim();
    if !media_type.eq_ignore_ascii_case("application/json") {
        return Err(ApiError::new(Code::UnsupportedMediaType).detail("Send application/json in UTF-8"));
    }
    let bytes = payload::whole(req, body, MAX_BODY).await?;
    if let Err(error) = serde_json::from_slice::<IgnoredAny>(&bytes) {
        let (line, column) = (error.line(), error.column());
        return Err(ApiError::new(Code::MalformedJson).detail(format!("Not JSON at line {line}, column {column}")));
    }
    Ok(from_json(&bytes)?)
}
