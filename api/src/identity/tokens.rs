//! Access tokens: JWTs as RFC 9068 profiles them, signed with EdDSA.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use jsonwebtoken::{Algorithm, Header, Validation, decode, decode_header, encode};
use quick_cache::Weighter;
use quick_cache::sync::Cache;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Keys, Who, refused};
use crate::problem::{ApiError, Code};
use domain::{AccountId, AppId, ClientId, Scopes, SessionId};

/// How long an access token is good for.
pub const ACCESS_TOKEN_SECONDS: i64 = 3600;

/// How far the clocks of two servers may differ.
const LEEWAY_SECONDS: u64 = 60;

/// Longer tokens are none of ours.
const MAX_TOKEN_BYTES: usize = 4096;

/// How many bytes of verified tokens are remembered: more than 20,000 tokens.
const REMEMBERED: u64 = 16 << 20;

/// What a remembered token takes beside its text.
const OVERHEAD: usize = 240;

/// The claims (RFC 9068 §2.2).
#[derive(Serialize, Deserialize)]
struct Claims {
    iss: String,
    aud: String,
    sub: Uuid,
    client_id: Uuid,
    /// The session of a person.
    #[serde(skip_serializing_if = "Option::is_none")]
    sid: Option<Uuid>,
    /// At which count of the changes of what the subject may do it was issued. Absent from tokens of the release
    /// before, whose count was the first.
    #[serde(default = "first")]
    rights_version: i32,
    iat: i64,
    nbf: i64,
    exp: i64,
    jti: Uuid,
    scope: String,
}

fn first() -> i32 {
    1
}

/// What a good token says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Token {
    /// Whom it names.
    pub who: Who,
    /// What it permits at most.
    pub scopes: Scopes,
    /// At which count of the changes of what they may do it was issued.
    pub rights_version: i32,
}

struct Verified {
    kid: Arc<str>,
    token: Token,
    issued_at: i64,
    expires_at: i64,
}

/// Issues and verifies access tokens. A verified one is remembered, so that its signature is checked once; when it
/// expires, and whether its key is still in use, is looked at every time. It is compared byte by byte with what was
/// verified: a digest would take longer than all else that is done with it.
pub struct Tokens {
    issuer: String,
    validation: Validation,
    verified: Cache<Box<[u8]>, Arc<Verified>, Length>,
}

#[derive(Clone)]
struct Length;

impl Weighter<Box<[u8]>, Arc<Verified>> for Length {
    fn weight(&self, token: &Box<[u8]>, _: &Arc<Verified>) -> u64 {
        (token.len() + OVERHEAD) as u64
    }
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
        Self { issuer: issuer.to_owned(), validation, verified: Cache::with_weighter(1 << 10, REMEMBERED, Length) }
    }

    /// A token that says this, good for so many seconds.
    pub fn issue(&self, keys: &Keys, token: &Token, now: DateTime<Utc>, seconds: i64) -> Result<String, ApiError> {
        let (kid, key) = keys.signing(now).ok_or_else(|| ApiError::new(Code::Unavailable))?;
        let mut header = Header::new(Algorithm::EdDSA);
        header.typ = Some("at+jwt".to_owned());
        header.kid = Some(kid.to_owned());
        let now = now.timestamp();
        let (client_id, sid) = match token.who {
            Who::Client(id) => (id.0, None),
            Who::Person { app, session, .. } => (app.0, Some(session.0)),
        };
        let claims = Claims {
            iss: self.issuer.clone(),
            aud: self.issuer.clone(),
            // RFC 9068 §2.2: the person, or the client itself where no person is involved.
            sub: token.who.subject(),
            client_id,
            sid,
            rights_version: token.rights_version,
            iat: now,
            nbf: now,
            exp: now + seconds,
            jti: Uuid::new_v4(),
            scope: token.scopes.parameter(),
        };
        encode(&header, &claims, key).map_err(|cause| {
            tracing::error!(%cause, "a token could not be signed");
            ApiError::new(Code::Internal)
        })
    }

    /// What a token says, if it is good now. Whether whom it names still is, is not said.
    pub fn verify(&self, token: impl AsRef<[u8]>, keys: &Keys) -> Result<Token, ApiError> {
        let token = token.as_ref();
        if token.len() > MAX_TOKEN_BYTES {
            return Err(refused());
        }
        let verified = match self.verified.get(token) {
            Some(verified) => verified,
            None => {
                let text = std::str::from_utf8(token).map_err(|_| refused())?;
                let verified = Arc::new(self.check(text, keys).ok_or_else(refused)?);
                self.verified.insert(token.into(), Arc::clone(&verified));
                verified
            }
        };
        let leeway = i64::try_from(LEEWAY_SECONDS).unwrap_or(0);
        let now = Utc::now();
        let current = keys.verifying(&verified.kid, now).is_some() && now.timestamp() < verified.expires_at + leeway;
        match current {
            true => Ok(verified.token),
            false => Err(refused()),
        }
    }

    /// What a token says, if it is good now, with when it was issued and when it expires, in seconds since 1970.
    pub fn inspect(&self, token: &str, keys: &Keys) -> Option<(Token, i64, i64)> {
        (token.len() <= MAX_TOKEN_BYTES).then_some(())?;
        self.check(token, keys).map(|verified| (verified.token, verified.issued_at, verified.expires_at))
    }

    fn check(&self, token: &str, keys: &Keys) -> Option<Verified> {
        let header = decode_header(token).ok()?;
        // RFC 9068 §4: another type of token by the same issuer is not an access token. Everything
        // else in the header (jku, jwk, x5u …) is ignored: the key is ours or there is none.
        let typed = header.typ.as_deref().is_some_and(|typ| typ.eq_ignore_ascii_case("at+jwt"));
        let kid = header.kid?;
        let key = keys.verifying(&kid, Utc::now()).filter(|_| typed)?;
        let claims = decode::<Claims>(token, key, &self.validation).ok()?.claims;
        let who = match claims.sid {
            None => Who::Client(ClientId(claims.client_id)),
            Some(session) => Who::Person {
                account: AccountId(claims.sub),
                app: AppId(claims.client_id),
                session: SessionId(session),
            },
        };
        let token = Token { who, scopes: Scopes::parse(&claims.scope), rights_version: claims.rights_version };
        Some(Verified { kid: kid.into(), token, issued_at: claims.iat, expires_at: claims.exp })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::generate_key;

    fn keys() -> Keys {
        Keys::new(&[generate_key(DateTime::UNIX_EPOCH).unwrap()]).unwrap()
    }

    const SERVICE: Who = Who::Client(ClientId(Uuid::from_u128(5)));
    const PERSON: Who = Who::Person {
        account: AccountId(Uuid::from_u128(6)),
        app: AppId(Uuid::from_u128(7)),
        session: SessionId(Uuid::from_u128(8)),
    };

    fn token(who: Who) -> Token {
        Token { who, scopes: Scopes::parse("read"), rights_version: 3 }
    }

    fn issue(tokens: &Tokens, keys: &Keys, now: DateTime<Utc>) -> String {
        tokens.issue(keys, &token(SERVICE), now, ACCESS_TOKEN_SECONDS).unwrap()
    }

    #[test]
    fn a_token_of_ours_says_what_it_was_told() {
        let (tokens, keys) = (Tokens::new("https://f.example"), keys());
        for who in [SERVICE, PERSON] {
            let issued = tokens.issue(&keys, &token(who), Utc::now(), 60).unwrap();
            assert_eq!(tokens.verify(&issued, &keys).unwrap(), token(who));
            assert_eq!(tokens.verify(&issued, &keys).unwrap(), token(who), "also from memory");
        }
    }

    #[test]
    fn a_remembered_token_still_expires() {
        let (tokens, keys) = (Tokens::new("https://f.example"), keys());
        let token = issue(&tokens, &keys, Utc::now());
        tokens.verify(&token, &keys).unwrap();
        let expired = Verified {
            kid: keys.signing(Utc::now()).unwrap().0.into(),
            token: super::tests::token(SERVICE),
            issued_at: 0,
            expires_at: Utc::now().timestamp() - 61,
        };
        tokens.verified.insert(token.as_bytes().into(), Arc::new(expired));
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
        let (kid, key) = keys.signing(Utc::now()).unwrap();
        let claims_value: serde_json::Value = {
            use base64::Engine;
            let raw = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(claims[1]).unwrap();
            serde_json::from_slice(&raw).unwrap()
        };
        let mut header = Header::new(Algorithm::EdDSA);
        header.kid = Some(kid.to_owned());
        header.typ = Some("JWT".into());
        assert!(tokens.verify(encode(&header, &claims_value, key).unwrap(), &keys).is_err(), "typ JWT");
        header.typ = Some("at+jwt".into());
        assert!(tokens.verify(encode(&header, &claims_value, key).unwrap(), &keys).is_ok());
        let mut hs = Header::new(Algorithm::HS256);
        hs.kid = Some(kid.to_owned());
        hs.typ = Some("at+jwt".into());
        let secret = jsonwebtoken::EncodingKey::from_secret(keys.jwks.as_bytes());
        assert!(tokens.verify(encode(&hs, &claims_value, &secret).unwrap(), &keys).is_err(), "HS256");
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
    fn a_key_is_published_before_it_signs_and_verifies_for_a_while_after() {
        let now = Utc::now();
        let later = now + chrono::TimeDelta::minutes(10);
        let (mut old, new) = (generate_key(DateTime::UNIX_EPOCH).unwrap(), generate_key(later).unwrap());
        let (old_kid, new_kid) = (old.kid.clone(), new.kid.clone());
        old.verifies_until = Some(later + chrono::TimeDelta::hours(2));
        let both = Keys::new(&[new, old]).unwrap();
        assert!(both.jwks.contains(&old_kid) && both.jwks.contains(&new_kid));
        assert_eq!(both.signing(now).unwrap().0, old_kid);
        assert_eq!(both.signing(later).unwrap().0, new_kid);
        assert!(both.verifying(&new_kid, now).is_some() && both.verifying(&old_kid, later).is_some());
        assert!(both.verifying(&old_kid, later + chrono::TimeDelta::hours(2)).is_none());
    }
}
