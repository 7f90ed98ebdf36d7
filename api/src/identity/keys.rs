//! The Ed25519 keys that access tokens are signed with.

use std::collections::HashMap;
use std::sync::Arc;

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use jsonwebtoken::jwk::{Jwk, JwkSet, ThumbprintHash};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey};
use persistence::Error;
use persistence::identity::SigningKey;

/// The keys of this server, ready for use.
#[derive(Default)]
pub struct Keys {
    /// Newest first, each with the moment from which it signs.
    signing: Vec<(DateTime<Utc>, Arc<str>, EncodingKey)>,
    /// Each with the moment until which it verifies.
    verifying: HashMap<Arc<str>, (Option<DateTime<Utc>>, DecodingKey)>,
    /// The public keys as a JSON Web Key Set (RFC 7517).
    pub jwks: String,
}

impl Keys {
    /// Of stored keys, the newest first.
    pub fn new(stored: &[SigningKey]) -> Result<Self, Error> {
        let mut keys = Self::default();
        let mut set = JwkSet { keys: Vec::new() };
        for key in stored {
            let encoding = EncodingKey::from_ed_der(&key.private_key);
            let Ok(mut jwk) = Jwk::from_encoding_key(&encoding, Algorithm::EdDSA) else {
                tracing::error!(kid = key.kid, "a signing key cannot be read and is left out");
                continue;
            };
            jwk.common.key_id = Some(key.kid.clone());
            jwk.common.public_key_use = Some(jsonwebtoken::jwk::PublicKeyUse::Signature);
            set.keys.push(jwk);
            let public = URL_SAFE_NO_PAD.encode(&key.public_key);
            let decoding = DecodingKey::from_ed_components(&public).map_err(|e| Error::Corrupt(e.to_string()))?;
            let kid: Arc<str> = key.kid.as_str().into();
            keys.verifying.insert(kid.clone(), (key.verifies_until, decoding));
            keys.signing.push((key.signs_from, kid, encoding));
        }
        keys.jwks = serde_json::to_string(&set).map_err(|e| Error::Unexpected(e.to_string()))?;
        Ok(keys)
    }

    /// The key that signs at `now`, with its id: the newest whose time has come. Where no time has come yet, the
    /// clocks differ, and the oldest signs.
    pub fn signing(&self, now: DateTime<Utc>) -> Option<(&str, &EncodingKey)> {
        let begun = self.signing.iter().find(|(from, ..)| *from <= now);
        begun.or(self.signing.last()).map(|(_, kid, key)| (&**kid, key))
    }

    /// The public key of this id, while it verifies.
    pub fn verifying(&self, kid: &str, now: DateTime<Utc>) -> Option<&DecodingKey> {
        self.verifying.get(kid).filter(|(until, _)| until.is_none_or(|until| now < until)).map(|(_, key)| key)
    }
}

/// Makes a key that signs from a moment on. Its id is the RFC 7638 thumbprint of the public key.
pub fn generate_key(signs_from: DateTime<Utc>) -> anyhow::Result<SigningKey> {
    let unspecified = |_| anyhow::anyhow!("no Ed25519 key could be made");
    let pair = Ed25519KeyPair::generate().map_err(unspecified)?;
    // jsonwebtoken reads version 1 of PKCS #8.
    let private_key = pair.to_pkcs8v1().map_err(unspecified)?.as_ref().to_vec();
    let jwk = Jwk::from_encoding_key(&EncodingKey::from_ed_der(&private_key), Algorithm::EdDSA)?;
    let kid = jwk.thumbprint(ThumbprintHash::SHA256)?;
    Ok(SigningKey {
        kid,
        private_key,
        public_key: pair.public_key().as_ref().to_vec(),
        signs_from,
        verifies_until: None,
    })
}
