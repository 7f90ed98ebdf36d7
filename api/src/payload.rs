//! Bodies of requests as they arrive: within a size, and not too slowly.

use std::time::Duration;

use actix_web::http::header;
use actix_web::{HttpRequest, web};
use futures_util::StreamExt;

use crate::problem::{ApiError, Code};
use domain::Message;

/// How long the next piece of a body may take.
const CHUNK_WAIT: Duration = Duration::from_secs(5);

/// How long a whole small body may take.
const BODY_WAIT: Duration = Duration::from_secs(10);

/// The next piece of a body; none at its end. Too slow: 408.
pub async fn next(body: &mut web::Payload) -> Result<Option<web::Bytes>, ApiError> {
    let chunk = tokio::time::timeout(CHUNK_WAIT, body.next()).await.map_err(|_| ApiError::new(Code::Timeout))?;
    chunk.transpose().map_err(|_| ApiError::new(Code::MalformedRequest).detail(message!("The body broke off")))
}

/// A whole body of at most `limit` bytes, as it is: one with a content coding is refused before it is read.
pub async fn whole(req: &HttpRequest, body: web::Payload, limit: usize) -> Result<web::BytesMut, ApiError> {
    if !is_plain(req) {
        let detail = message!("A body with a content coding is not accepted here");
        return Err(ApiError::new(Code::UnsupportedMediaType).detail(detail));
    }
    tokio::time::timeout(BODY_WAIT, collect(body, limit)).await.map_err(|_| ApiError::new(Code::Timeout))?
}

/// Whether a body comes without a content coding.
pub fn is_plain(req: &HttpRequest) -> bool {
    let coding = req.headers().get(header::CONTENT_ENCODING);
    coding.is_none_or(|coding| coding.as_bytes().eq_ignore_ascii_case(b"identity"))
}

/// That a body is expected as `media_type`.
pub fn expected(media_type: &str) -> Message {
    message!("The body is expected as {media_type}, without a content coding", media_type)
}

async fn collect(mut body: web::Payload, limit: usize) -> Result<web::BytesMut, ApiError> {
    let mut bytes = web::BytesMut::new();
    while let Some(chunk) = next(&mut body).await? {
        bytes.extend_from_slice(&chunk);
        if bytes.len() > limit {
            let detail = message!("This body has at most {limit} bytes", limit);
            return Err(ApiError::new(Code::TooLarge).detail(detail));
        }
    }
    Ok(bytes)
}
