//! Known browsers: those in which somebody has signed in to an account before (OWASP: device cookies).
//!
//! The cookie is signed with a key made of the account's password hash, which nobody else has: it needs no table and
//! no key of its own, is the same for every process, and is worth nothing once another password is set.

use aws_lc_rs::hmac::{self, HMAC_SHA256};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::visit::sha256;
use crate::problem::{ApiError, Code};
use domain::AccountId;

const NONCE: usize = 16;

fn key(password_hash: &str) -> hmac::Key {
    hmac::Key::new(HMAC_SHA256, &sha256(&[b"focalpoint known browser ", password_hash.as_bytes()]))
}

fn signed(nonce: &[u8], account: AccountId) -> Vec<u8> {
    [nonce, account.0.as_bytes()].concat()
}

/// What a browser's cookie is to hold when its person has signed in.
pub fn issue(account: AccountId, password_hash: &str) -> Result<String, ApiError> {
    let mut nonce = [0; NONCE];
    aws_lc_rs::rand::fill(&mut nonce).map_err(|_| ApiError::new(Code::Internal))?;
    let tag = hmac::sign(&key(password_hash), &signed(&nonce, account));
    Ok(URL_SAFE_NO_PAD.encode([&nonce[..], tag.as_ref()].concat()))
}

/// Which browser it is, where its cookie is of this account.
pub fn verify(cookie: &str, account: AccountId, password_hash: &str) -> Option<u128> {
    let bytes = URL_SAFE_NO_PAD.decode(cookie).ok()?;
    let (nonce, tag) = bytes.split_at_checked(NONCE)?;
    hmac::verify(&key(password_hash), &signed(nonce, account), tag).ok()?;
    Some(u128::from_be_bytes(nonce.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    #[test]
    fn a_cookie_is_of_one_account_and_one_password() {
        let (amina, boris) = (AccountId(Uuid::from_u128(1)), AccountId(Uuid::from_u128(2)));
        let cookie = issue(amina, "$argon2id$a").unwrap();
        assert!(verify(&cookie, amina, "$argon2id$a").is_some());
        assert_eq!(verify(&cookie, boris, "$argon2id$a"), None);
        assert_eq!(verify(&cookie, amina, "$argon2id$b"), None);
        for junk in ["", "x", "AAAA", &cookie[1..], &"A".repeat(5000)] {
            assert_eq!(verify(junk, amina, "$argon2id$a"), None);
        }
    }
}
