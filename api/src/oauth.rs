//! The authorization server: OAuth 2 (RFC 6749) as RFC 9700 leaves it. People sign in on our own pages and give an
//! app a code; a code with its PKCE verifier (RFC 7636) gives a session; services authenticate by a secret.
//!
//! No grant but these, no plain challenges, no token in an address, no secret in a body. The pages are
//! `sign_in`'s; nothing here knows HTML.

pub mod authorization;
pub mod clients;
mod forms;
pub mod grants;
pub mod introspection;
pub mod metadata;
pub mod refresh;
pub mod revocation;
pub mod token;

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::problem::{ApiError, Code};

pub use forms::TokenError;

/// 32 random bytes.
pub(crate) fn random() -> Result<[u8; 32], ApiError> {
    let mut bytes = [0; 32];
    aws_lc_rs::rand::fill(&mut bytes).map_err(|_| ApiError::new(Code::Internal))?;
    Ok(bytes)
}

/// A secret that is given away once, and the SHA-256 by which it is known afterwards. 256 random bits need no
/// slow hash.
pub(crate) fn secret() -> Result<(String, [u8; 32]), ApiError> {
    let secret = URL_SAFE_NO_PAD.encode(random()?);
    let hash = hash(&secret);
    Ok((secret, hash))
}

/// By what a secret is known.
pub(crate) fn hash(secret: &str) -> [u8; 32] {
    let mut hash = [0; 32];
    hash.copy_from_slice(digest(&SHA256, secret.as_bytes()).as_ref());
    hash
}
