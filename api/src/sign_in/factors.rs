//! Second factors: what an account can show beside its password. One-time codes and recovery codes now; another kind,
//! such as passkeys, is another variant of [`Factor`].

use aws_lc_rs::rand;
use totp_rs::{Algorithm, Builder, Totp};

use super::visit::sha256;
use crate::problem::{ApiError, Code};
use domain::AccountId;

/// What is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Factor {
    /// A code of the moment (RFC 6238).
    Totp,
    /// One of the codes that were given for the day on which the device is lost.
    RecoveryCode,
}

impl Factor {
    /// Every kind.
    pub const ALL: [Self; 2] = [Self::Totp, Self::RecoveryCode];

    /// The name in a query.
    pub fn name(self) -> &'static str {
        match self {
            Self::Totp => "totp",
            Self::RecoveryCode => "recovery-code",
        }
    }

    /// The factor of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|factor| factor.name() == name)
    }
}

/// How many recovery codes an account is given.
const RECOVERY_CODES: usize = 10;

/// Crockford's base 32: no letter that is taken for a digit.
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// Of 5 bits each: 60.
const RECOVERY_CODE_LETTERS: usize = 12;

/// A new shared secret: 160 bits (RFC 4226 §4).
pub fn new_secret() -> Result<[u8; 20], ApiError> {
    let mut secret = [0; 20];
    rand::fill(&mut secret).map_err(|_| ApiError::new(Code::Internal))?;
    Ok(secret)
}

/// The generator as every authenticator app knows it: SHA-1, six digits, 30 seconds, one step of clocks apart.
pub fn generator(secret: &[u8], mail: &str) -> Result<Totp, ApiError> {
    let built = Builder::new()
        .with_algorithm(Algorithm::SHA1)
        .with_digits(6)
        .with_skew(1)
        .with_step_duration(30)
        .with_secret(secret.to_vec())
        .with_issuer(Some("Focalpoint"))
        // The label's parts are divided by a colon.
        .with_account_name(mail.replace(':', "_"))
        .build();
    built.map_err(|cause| {
        tracing::error!(%cause, "a generator of one-time codes cannot be made");
        ApiError::new(Code::Internal)
    })
}

/// The time step of a code that is good now.
pub fn step(secret: &[u8], typed: &str, now: i64) -> Option<i64> {
    let now = u64::try_from(now).ok()?;
    let step = generator(secret, "-").ok()?.check(&digits(typed)?, now)?;
    i64::try_from(step).ok()
}

/// Six digits of whatever script, with blanks or not.
fn digits(typed: &str) -> Option<String> {
    let digit = |c: char| match c {
        '0'..='9' => Some(c),
        '\u{0660}'..='\u{0669}' => char::from_digit(u32::from(c) - 0x660, 10),
        '\u{06F0}'..='\u{06F9}' => char::from_digit(u32::from(c) - 0x6F0, 10),
        '\u{FF10}'..='\u{FF19}' => char::from_digit(u32::from(c) - 0xFF10, 10),
        _ => None,
    };
    let typed = typed.chars().filter(|c| !c.is_whitespace() && *c != '-').take(7);
    typed.map(digit).collect::<Option<String>>().filter(|digits| digits.len() == 6)
}

/// New recovery codes, as they are shown once.
pub fn new_recovery_codes() -> Result<Vec<String>, ApiError> {
    let mut bytes = [0; RECOVERY_CODES * RECOVERY_CODE_LETTERS];
    rand::fill(&mut bytes).map_err(|_| ApiError::new(Code::Internal))?;
    let letter = |byte: &u8| char::from(ALPHABET[usize::from(byte & 31)]);
    let group = |bytes: &[u8]| bytes.iter().map(letter).collect::<String>();
    let code = |bytes: &[u8]| bytes.chunks(4).map(group).collect::<Vec<_>>().join("-");
    Ok(bytes.chunks(RECOVERY_CODE_LETTERS).map(code).collect())
}

/// The hash by which a recovery code is stored, however it was typed. 60 random bits need no slow hash.
pub fn recovery_hash(account: AccountId, typed: &str) -> [u8; 32] {
    let letter = |c: char| match c.to_ascii_lowercase() {
        'o' => Some('0'),
        'i' | 'l' => Some('1'),
        c => c.is_ascii_alphanumeric().then_some(c),
    };
    let code: String = typed.chars().filter_map(letter).take(2 * RECOVERY_CODE_LETTERS).collect();
    sha256(&[b"focalpoint recovery code ", account.0.as_bytes(), code.as_bytes()])
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    const SECRET: &[u8] = b"12345678901234567890";

    #[test]
    fn codes_are_those_of_rfc_6238() {
        // Appendix B, the last six of its eight digits.
        for (now, code) in [(59, "287082"), (1_111_111_109, "081804"), (1_234_567_890, "005924")] {
            assert_eq!(step(SECRET, code, now), Some(now / 30), "{now}");
        }
        assert_eq!(step(SECRET, "287082", 59 + 30), Some(1), "the step before");
        assert_eq!(step(SECRET, "287082", 59 - 30), Some(1), "the step after");
        assert_eq!(step(SECRET, "287082", 59 + 60), None);
        assert_eq!(step(SECRET, "287082", -1), None);
    }

    #[test]
    fn a_code_may_be_typed_in_other_digits_and_with_blanks() {
        for typed in ["287 082", " 287082 ", "٢٨٧٠٨٢", "۲۸۷۰۸۲", "２８７０８２", "287-082"] {
            assert_eq!(step(SECRET, typed, 59), Some(1), "{typed}");
        }
        for typed in ["", "28708", "2870820", "287o82", "287082x", &"2".repeat(10_000)] {
            assert_eq!(step(SECRET, typed, 59), None, "{typed}");
        }
    }

    #[test]
    fn recovery_codes_differ_and_are_read_as_they_are_written() {
        let codes = new_recovery_codes().unwrap();
        let account = AccountId(Uuid::from_u128(1));
        let hashes: std::collections::BTreeSet<_> = codes.iter().map(|code| recovery_hash(account, code)).collect();
        assert_eq!((codes.len(), hashes.len()), (10, 10));
        assert!(codes.iter().all(|code| code.len() == 14), "{codes:?}");
        let hash = |typed: &str| recovery_hash(account, typed);
        assert_eq!(hash("0o1l-abcd-efgh"), hash(" OOI1 ABCD EFGH "));
        assert_ne!(hash("0000-abcd-efgh"), recovery_hash(AccountId(Uuid::from_u128(2)), "0000-abcd-efgh"));
    }
}
