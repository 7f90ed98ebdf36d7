//! The Ed25519 keys that access tokens are signed with.

use std::collections::HashMap;

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::jwk::{Jwk, JwkSet, ThumbprintHash};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey};
use persistence::Error;
use persistence::identity::SigningKey;

/// The keys of this server, ready for use.
#[derive(Default)]
pub struct Keys {
    signing: Option<(String, EncodingKey)>,
    verifying: HashMap<String, DecodingKey>,
    /// The public keys as a JSON Web Key Set (RFC 7517).
    pub jwks: String,
}

impl Keys {
    /// Of stored keys, the one that signs first.
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
            keys.verifying.insert(key.kid.clone(), decoding);
            keys.signing.get_or_insert((key.kid.clone(), encoding));
        }
        keys.jwks = serde_json::to_string(&set).map_err(|e| Error::Unexpected(e.to_string()))?;
        Ok(keys)
    }

    /// The key that signs, with its id.
    pub fn signing(&self) -> Option<&(String, EncodingKey)> {
        self.signing.as_ref()
    }

    /// The public key of this id.
    pub fn verifying(&self, kid: &str) -> Option<&DecodingKey> {
        self.verifying.get(kid)
    }
}

/// Makes a key. Its id is the RFC 7638 thumbprint of the public key.
pub fn generate_key() -> anyhow::Result<SigningKey> {
    let unspecified = |_| anyhow::anyhow!("no Ed25519 key could be made");
    let pair = Ed25519KeyPair::generate().map_err(unspecified)?;
    // jsonwebtoken reads version 1 of PKCS #8.
    let private_key = pair.to_pkcs8v1().map_err(unspecified)?.as_ref().to_vec();
    let jwk = Jwk::from_encoding_key(&EncodingKey::from_ed_der(&private_key), Algorithm::EdDSA)?;
    let kid = jwk.thumbprint(ThumbprintHash::SHA256)?;
    Ok(SigningKey { kid, private_key, public_key: pair.public_key().as_ref().to_vec() })
}
