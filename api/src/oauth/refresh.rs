//! Refresh tokens: made of their session's key, so that the successor of one is the same whenever it is made.

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use uuid::Uuid;

use domain::SessionId;

/// What every refresh token begins with, so that programs that look for leaked secrets know one.
const PREFIX: &str = "fpr_";

/// Under what else the same key could be used.
const LABEL: &[u8] = b"focalpoint refresh token 1";

/// The session (16 bytes), the generation (4) and the proof (32).
const LENGTH: usize = 16 + 4 + 32;

/// A refresh token, read but not yet found genuine.
#[derive(Debug, Clone, Copy)]
pub struct Presented {
    /// The session it names.
    pub session: SessionId,
    /// The generation it names.
    pub generation: i32,
    proof: [u8; 32],
}

impl Presented {
    /// Reads one. None for what cannot be one.
    pub fn read(text: &str) -> Option<Self> {
        let encoded = text.strip_prefix(PREFIX)?;
        let bytes: [u8; LENGTH] = URL_SAFE_NO_PAD.decode(encoded).ok()?.try_into().ok()?;
        let (session, rest) = bytes.split_first_chunk::<16>()?;
        let (generation, proof) = rest.split_first_chunk::<4>()?;
        let generation = i32::try_from(u32::from_be_bytes(*generation)).ok()?;
        Some(Self { session: SessionId(Uuid::from_bytes(*session)), generation, proof: proof.try_into().ok()? })
    }

    /// Whether it was made of this session's key.
    pub fn is_genuine(&self, rotation_key: &[u8]) -> bool {
        let expected = proof(rotation_key, self.session, self.generation);
        verify_slices_are_equal(&self.proof, expected.as_ref()).is_ok()
    }
}

/// The refresh token of a session's generation.
pub fn make(rotation_key: &[u8], session: SessionId, generation: i32) -> String {
    let mut bytes = Vec::with_capacity(LENGTH);
    bytes.extend_from_slice(session.0.as_bytes());
    bytes.extend_from_slice(&generation.to_be_bytes());
    bytes.extend_from_slice(proof(rotation_key, session, generation).as_ref());
    format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(bytes))
}

fn proof(rotation_key: &[u8], session: SessionId, generation: i32) -> hmac::Tag {
    let mut context = hmac::Context::with_key(&hmac::Key::new(hmac::HMAC_SHA256, rotation_key));
    context.update(LABEL);
    context.update(session.0.as_bytes());
    context.update(&generation.to_be_bytes());
    context.sign()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SESSION: SessionId = SessionId(Uuid::from_u128(9));

    #[test]
    fn a_token_reads_back_and_is_genuine_for_its_key_alone() {
        let token = make(&[1; 32], SESSION, 7);
        let read = Presented::read(&token).unwrap();
        assert_eq!((read.session, read.generation), (SESSION, 7));
        assert!(read.is_genuine(&[1; 32]) && !read.is_genuine(&[2; 32]));
        assert_eq!(token, make(&[1; 32], SESSION, 7), "made again, it is the same");
    }

    #[test]
    fn another_generation_or_session_needs_another_proof() {
        let read = Presented::read(&make(&[1; 32], SESSION, 7)).unwrap();
        assert!(!Presented { generation: 8, ..read }.is_genuine(&[1; 32]));
        assert!(!Presented { session: SessionId(Uuid::from_u128(8)), ..read }.is_genuine(&[1; 32]));
    }

    #[test]
    fn what_cannot_be_a_token_is_none() {
        let good = make(&[1; 32], SESSION, 0);
        for bad in ["", "fpr_", &good[4..], &good[..good.len() - 2], &format!("{good}AA"), "fpr_====", "a.b.c"] {
            assert!(Presented::read(bad).is_none(), "{bad}");
        }
    }
}
