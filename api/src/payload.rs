//! Bodies of requests as they arrive: within a size, and not too slowly.

use std::time::Duration;

use actix_web::web;
use futures_util::StreamExt;

use crate::problem::{ApiError, Code};

/// How long the next piece of a body may take.
const CHUNK_WAIT: Duration = Duration::from_secs(5);

/// The next piece of a body; none at its end. Too slow: 408.
pub async fn next(body: &mut web::Payload) -> Result<Option<web::Bytes>, ApiError> {
    let chunk = tokio::time::timeout(CHUNK_WAIT, body.next()).await.map_err(|_| ApiError::new(Code::Timeout))?;
    chunk.transpose().map_err(|_| ApiError::new(Code::MalformedRequest).detail("The body broke off"))
}

/// A whole body of at most `limit` bytes.
pub async fn whole(mut body: web::Payload, limit: usize) -> Result<web::BytesMut, ApiError> {
    let mut bytes = web::BytesMut::new();
    while let Some(chunk) = next(&mut body).await? {
        bytes.extend_from_slice(&chunk);
        if bytes.len() > limit {
            return Err(ApiError::new(Code::TooLarge).detail(format!("This body has at most {limit} bytes")));
        }
    }
    Ok(bytes)
}
