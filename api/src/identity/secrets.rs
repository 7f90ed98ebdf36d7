//! Client secrets: made here, stored as argon2id hashes, checked by few at a time.

use std::time::Duration;

use argon2::password_hash::phc::PasswordHash;
use argon2::{Argon2, PasswordHasher, PasswordVerifier};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use secrecy::{ExposeSecret, SecretString};

use crate::problem::{ApiError, Code};
use crate::turns::{Turn, Turns};
use domain::Broken;
use domain::identity::passwords;

/// Longer secrets are none of ours.
const MAX_SECRET_BYTES: usize = 128;

/// How long a request waits for its turn to hash.
const TURN_WAIT: Duration = Duration::from_secs(2);

/// Hashing takes tens of milliseconds of a core and 19 MiB: so many at a time and no more.
const TURNS: usize = 2;

/// Checks secrets.
pub struct Secrets {
    turns: Turns,
    /// Checked in place of an unknown client's, so that both take as long.
    dummy: String,
}

impl Secrets {
    /// Ready to check.
    pub fn new() -> anyhow::Result<Self> {
        Ok(Self { turns: Turns::new(TURNS), dummy: hash(&generate()?)? })
    }

    /// Who waits for a check, is being checked, or was sent away.
    pub fn turns(&self) -> &Turns {
        &self.turns
    }

    /// A turn at a check. Too many at once: 429. It is taken before what is stored is looked up: a thousand who
    /// sign in at once would else use up the database's connections before they wait here.
    pub async fn turn(&self) -> Result<Turn, ApiError> {
        let turn = self.turns.take(TURN_WAIT).await;
        turn.ok_or_else(|| ApiError::new(Code::TooManyRequests).retry_after(2))
    }

    /// Whether `secret` is the one behind `stored`. Without a stored hash the answer is no, and takes as long.
    pub async fn check(&self, turn: Turn, secret: SecretString, stored: Option<String>) -> Result<bool, ApiError> {
        let known = stored.is_some();
        let stored = stored.unwrap_or_else(|| self.dummy.clone());
        let checked = in_turn(turn, move || {
            let secret = secret.expose_secret().as_bytes();
            let hash = PasswordHash::new(&stored).ok()?;
            (secret.len() <= MAX_SECRET_BYTES).then_some(())?;
            Argon2::default().verify_password(secret, &hash).ok()
        });
        Ok(checked.await?.is_some() && known)
    }

    /// The hash of a secret. Too many at once: 429.
    pub async fn hash(&self, secret: SecretString) -> Result<String, ApiError> {
        in_turn(self.turn().await?, move || hash(&secret)).await?.map_err(|cause| broke(&cause))
    }

    /// The hash of a new password, or why it cannot be one for who is known by these words. To judge it takes as
    /// long as to hash it. Too many at once: 429.
    pub async fn hash_password(
        &self,
        typed: SecretString,
        known_of_the_person: Vec<String>,
    ) -> Result<Result<String, Broken>, ApiError> {
        let judged = in_turn(self.turn().await?, move || {
            let known: Vec<&str> = known_of_the_person.iter().map(String::as_str).collect();
            match passwords::parse(typed.expose_secret(), &known) {
                Ok(password) => hash(&password.into()).map(Ok),
                Err(broken) => Ok(Err(broken)),
            }
        });
        judged.await?.map_err(|cause| broke(&cause))
    }
}

/// Does it on a thread that may be held up. The turn ends with it, also where nobody waits for it any more.
async fn in_turn<T: Send + 'static>(turn: Turn, work: impl FnOnce() -> T + Send + 'static) -> Result<T, ApiError> {
    let done = tokio::task::spawn_blocking(move || {
        let _turn = turn;
        work()
    });
    done.await.map_err(|cause| broke(&cause))
}

fn broke(cause: &dyn std::fmt::Display) -> ApiError {
    tracing::error!(%cause, "a secret could not be hashed");
    ApiError::new(Code::Internal)
}

/// A new secret: 32 random bytes as base64url.
pub fn generate() -> anyhow::Result<SecretString> {
    let mut bytes = [0u8; 32];
    aws_lc_rs::rand::fill(&mut bytes).map_err(|_| anyhow::anyhow!("no randomness"))?;
    Ok(URL_SAFE_NO_PAD.encode(bytes).into())
}

/// The argon2id hash of a secret, as a PHC string.
pub fn hash(secret: &SecretString) -> anyhow::Result<String> {
    let hash = Argon2::default().hash_password(secret.expose_secret().as_bytes());
    Ok(hash.map_err(|e| anyhow::anyhow!("{e}"))?.to_string())
}
