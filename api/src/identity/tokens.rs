//! Access tokens: JWTs as RFC 9068 profiles them, signed with EdDSA.

use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use chrono::{DateTime, Utc};
use jsonwebtoken::{Algorithm, Header, Validation, decode, decode_header, encode};
use moka::sync::Cache;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Keys, refused};
use crate::problem::{ApiError, Code};
use domain::{ClientId, Role, Scopes};

/// How long an access token is good for.
pub const ACCESS_TOKEN_SECONDS: i64 = 3600;

/// How far the clocks of two servers may differ.
const LEEWAY_SECONDS: u64 = 60;

/// Longer tokens are none of ours.
const MAX_TOKEN_BYTES: usize = 4096;

/// How many verified tokens are remembered.
const REMEMBERED: u64 = 50_000;

/// The claims (RFC 9068 §2.2).
#[derive(Serialize, Deserialize)]
struct Claims {
    iss: String,
    aud: String,
    sub: Uuid,
    client_id: Uuid,
    iat: i64,
    nbf: i64,
    exp: i64,
    jti: Uuid,
    scope: String,
}

#[derive(Clone)]
struct Verified {
    kid: Arc<str>,
    client: ClientId,
    scopes: Scopes,
    expires_at: i64,
}

/// Issues and verifies access tokens. A verified one is remembered by its SHA-256, so that its
/// signature is checked once; when it expires, and whether its key is still in use, is looked at every time.
pub struct Tokens {
    issuer: String,
    validation: Validation,
    verified: Cache<[u8; 32], Verified>,
}

impl Tokens {
    /// For the server of this base URL, which is the issuer and the audience.
    pub fn new(issuer: &str) -> Self {
        let mut validation = Validation::new(Algorithm::EdDSA);
        validation.set_issuer(&[issuer]);
        validation.set_audience(&[issuer]);
        validation.set_required_spec_claims(&["iss", "aud", "sub", "exp", "nbf"]);
        validation.validate_nbf = true;
        validation.leeway = LEEWAY_SECONDS;
        let idle = Duration::from_secs(ACCESS_TOKEN_SECONDS.unsigned_abs());
        let verified = Cache::builder().max_capacity(REMEMBERED).time_to_idle(idle).build();
        Self { issuer: issuer.to_owned(), validation, verified }
    }

    /// A token for a client, with its scopes.
    pub fn issue(&self, keys: &Keys, client: ClientId, scope: &str, now: DateTime<Utc>) -> Result<String, ApiError> {
        let (kid, key) = keys.signing().ok_or_else(|| ApiError::new(Code::Unavailable))?;
        let mut header = Header::new(Algorithm::EdDSA);
        header.typ = Some("at+jwt".to_owned());
        header.kid = Some(kid.clone());
        let now = now.timestamp();
        let claims = Claims {
            iss: self.issuer.clone(),
            aud: self.issuer.clone(),
            sub: client.0,
            client_id: client.0,
            iat: now,
            nbf: now,
            exp: now + ACCESS_TOKEN_SECONDS,
            jti: Uuid::new_v4(),
            scope: scope.to_owned(),
        };
        encode(&header, &claims, key).map_err(|cause| {
            tracing::error!(%cause, "a token could not be signed");
            ApiError::new(Code::Internal)
        })
    }

    /// The client whose token this is and what the token permits, if it is good now. Whether the client
    /// still is, is not said.
    pub fn verify(&self, token: &str, keys: &Keys) -> Result<(ClientId, Scopes), ApiError> {
        if token.len() > MAX_TOKEN_BYTES {
            return Err(refused());
        }
        let mut key = [0; 32];
        key.copy_from_slice(digest(&SHA256, token.as_bytes()).as_ref());
        let verified = match self.verified.get(&key) {
            Some(verified) => verified,
            None => {
                let verified = self.check(token, keys).ok_or_else(refused)?;
                self.verified.insert(key, verified.clone());
                verified
            }
        };
        let leeway = i64::try_from(LEEWAY_SECONDS).unwrap_or(0);
        let current = keys.verifying(&verified.kid).is_some() && Utc::now().timestamp() < verified.expires_at + leeway;
        match current {
            true => Ok((verified.client, verified.scopes)),
            false => Err(refused()),
        }
    }

    fn check(&self, token: &str, keys: &Keys) -> Option<Verified> {
        let header = decode_header(token).ok()?;
        // RFC 9068 §4: another type of token by the same issuer is not an access token. Everything
        // else in the header (jku, jwk, x5u …) is ignored: the key is ours or there is none.
        let typed = header.typ.as_deref().is_some_and(|typ| typ.eq_ignore_ascii_case("at+jwt"));
        let kid = header.kid?;
        let key = keys.verifying(&kid).filter(|_| typed)?;
        let claims = decode::<Claims>(token, key, &self.validation).ok()?.claims;
        let scopes = Scopes::parse(&claims.scope);
        Some(Verified { kid: kid.into(), client: ClientId(claims.client_id), scopes, expires_at: claims.exp })
    }
}

/// The scopes of a role as a scope parameter (RFC 6749 §3.3), or those of `asked` that it has.
pub fn granted_scope(role: Role, asked: Option<&str>) -> Option<String> {
    let granted: Vec<&str> = match asked {
        None => role.scopes().map(domain::Scope::name).collect(),
        Some(asked) => {
            let wanted: Vec<&str> = asked.split(' ').filter(|s| !s.is_empty()).collect();
            let has = |name: &&str| domain::Scope::from_name(name).is_some_and(|scope| role.may(scope));
            if wanted.is_empty() || !wanted.iter().all(has) {
                return None;
            }
            wanted
        }
    };
    Some(granted.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::generate_key;

    fn keys() -> Keys {
        Keys::new(&[generate_key().unwrap()]).unwrap()
    }

    const CLIENT: ClientId = ClientId(Uuid::from_u128(5));

    fn issue(tokens: &Tokens, keys: &Keys, now: DateTime<Utc>) -> String {
        tokens.issue(keys, CLIENT, "read", now).unwrap()
    }

    #[test]
    fn a_token_of_ours_names_its_client() {
        let (tokens, keys) = (Tokens::new("https://f.example"), keys());
        let token = issue(&tokens, &keys, Utc::now());
        assert_eq!(tokens.verify(&token, &keys).unwrap().0, CLIENT);
        assert_eq!(tokens.verify(&token, &keys).unwrap().0, CLIENT, "also from memory");
    }

    #[test]
    fn a_remembered_token_still_expires() {
        let (tokens, keys) = (Tokens::new("https://f.example"), keys());
        let token = issue(&tokens, &keys, Utc::now());
        tokens.verify(&token, &keys).unwrap();
        let mut key = [0; 32];
        key.copy_from_slice(digest(&SHA256, token.as_bytes()).as_ref());
        tokens.verified.insert(
            key,
            Verified {
                kid: keys.signing().unwrap().0.as_str().into(),
                client: CLIENT,
                scopes: Scopes::default(),
                expires_at: Utc::now().timestamp() - 61,
            },
        );
        assert!(tokens.verify(&token, &keys).is_err());
    }

    #[test]
    fn a_remembered_token_ends_with_its_key() {
        let (tokens, ours) = (Tokens::new("https://f.example"), keys());
        let token = issue(&tokens, &ours, Utc::now());
        tokens.verify(&token, &ours).unwrap();
        assert!(tokens.verify(&token, &keys()).is_err());
    }

    #[test]
    fn tokens_of_others_are_refused() {
        let (tokens, ours) = (Tokens::new("https://f.example"), keys());
        let now = Utc::now();
        let refused = |token: &str| assert!(tokens.verify(token, &ours).is_err(), "{token}");
        refused(&issue(&tokens, &keys(), now));
        refused(&issue(&Tokens::new("https://other.example"), &ours, now));
        refused(&issue(&tokens, &ours, now - chrono::TimeDelta::seconds(ACCESS_TOKEN_SECONDS + 61)));
        refused(&issue(&tokens, &ours, now + chrono::TimeDelta::seconds(120)));
        refused("");
        refused("a.b.c");
        refused(&"x".repeat(MAX_TOKEN_BYTES + 1));
    }

    #[test]
    fn another_type_or_algorithm_is_refused() {
        let (tokens, keys) = (Tokens::new("https://f.example"), keys());
        let good = issue(&tokens, &keys, Utc::now());
        let claims: Vec<&str> = good.split('.').collect();
        let (kid, key) = keys.signing().unwrap();
        let claims_value: serde_json::Value = {
            use base64::Engine;
            let raw = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(claims[1]).unwrap();
            serde_json::from_slice(&raw).unwrap()
        };
        let mut header = Header::new(Algorithm::EdDSA);
        header.kid = Some(kid.clone());
        header.typ = Some("JWT".into());
        assert!(tokens.verify(&encode(&header, &claims_value, key).unwrap(), &keys).is_err(), "typ JWT");
        header.typ = Some("at+jwt".into());
        assert!(tokens.verify(&encode(&header, &claims_value, key).unwrap(), &keys).is_ok());
        let mut hs = Header::new(Algorithm::HS256);
        hs.kid = Some(kid.clone());
        hs.typ = Some("at+jwt".into());
        let secret = jsonwebtoken::EncodingKey::from_secret(keys.jwks.as_bytes());
        assert!(tokens.verify(&encode(&hs, &claims_value, &secret).unwrap(), &keys).is_err(), "HS256");
        for (claim, value) in [
            ("exp", serde_json::json!("9999999999")),
            ("exp", serde_json::json!(-1)),
            ("exp", serde_json::Value::Null),
            ("nbf", serde_json::json!("x")),
            ("aud", serde_json::json!(["https://f.example", "https://other.example"])),
            ("aud", serde_json::Value::Null),
            ("iss", serde_json::json!("https://other.example")),
        ] {
            let mut changed = claims_value.clone();
            match value {
                serde_json::Value::Null => drop(changed.as_object_mut().unwrap().remove(claim)),
                value => changed[claim] = value,
            }
            let token = encode(&header, &changed, key).unwrap();
            assert!(tokens.verify(&token, &keys).is_err(), "{claim} {changed}");
        }
        let none = format!("eyJhbGciOiJub25lIiwidHlwIjoiYXQrand0In0.{}.", claims[1]);
        assert!(tokens.verify(&none, &keys).is_err(), "alg none");
    }

    #[test]
    fn only_scopes_of_the_role_are_granted() {
        assert_eq!(granted_scope(Role::Delegate, None).as_deref(), Some("read"));
        assert_eq!(
            granted_scope(Role::Editor, Some("read inf_notes:import")).as_deref(),
            Some("read inf_notes:import")
        );
        assert_eq!(granted_scope(Role::Delegate, Some("directory:import")), None);
        assert_eq!(granted_scope(Role::Delegate, Some("root")), None);
    }
}
