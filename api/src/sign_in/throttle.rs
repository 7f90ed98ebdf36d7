//! How often somebody may try: slow enough against guessing, without a stranger being able to lock anybody out.
//!
//! | what is counted | for whom | at once | then one each |
//! | --- | --- | --- | --- |
//! | passwords | a name, tried from one source | 10 | 5 minutes |
//! | passwords | a source, whatever the names | 300 | second |
//! | passwords | a name, from all sources | 30 | 10 minutes |
//! | passwords | a name, in a browser that was signed in to it before | 10 | minute |
//! | codes of a second factor | a half-finished sign-in | 5 | none: it ends |
//! | codes of a second factor | an account | 20 | 5 minutes |
//! | links asked for | a name | 3 | 20 minutes |
//! | links asked for | a source | 20 | minute |
//!
//! Every attempt counts, good or bad: counting after the check would let a thousand parallel ones through. A name
//! counts as it is typed, whether there is such an account or not, so that being slowed down tells nothing. A known
//! browser (OWASP: device cookies) takes from its own budget and no other, which strangers cannot use up; whoever
//! they hold up in a new browser asks for a link by mail, and using that makes the browser known. Codes can only be
//! tried by who has the password.
//!
//! Each process counts for itself.

use std::num::NonZeroU32;
use std::time::Duration;

use governor::clock::{Clock, DefaultClock};
use governor::middleware::StateInformationMiddleware;
use governor::state::keyed::DefaultKeyedStateStore;
use governor::{Quota, RateLimiter};
use uuid::Uuid;

use super::visit::sha256;
use domain::AccountId;

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);

/// How long a half-finished sign-in whose codes are used up is remembered: longer than it could last.
const LONGER_THAN_A_SIGN_IN: Duration = Duration::from_secs(3600);

type Key = (u128, u128);

struct Budget(RateLimiter<Key, DefaultKeyedStateStore<Key>, DefaultClock, StateInformationMiddleware>);

/// Too many attempts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooMany {
    /// After so many seconds there is another.
    pub seconds: u64,
}

impl Budget {
    fn new(at_once: u32, then_one_each: Duration) -> Self {
        let at_once = NonZeroU32::new(at_once).expect("a budget is for something");
        let quota = Quota::with_period(then_one_each).expect("a period is not nought").allow_burst(at_once);
        Self(RateLimiter::keyed(quota).with_middleware())
    }

    /// Takes one attempt, and says how many are left.
    fn take(&self, key: Key) -> Result<u32, TooMany> {
        match self.0.check_key(&key) {
            Ok(left) => Ok(left.remaining_burst_capacity()),
            Err(until) => {
                let wait = until.wait_time_from(self.0.clock().now());
                Err(TooMany { seconds: wait.as_secs() + 1 })
            }
        }
    }
}

/// A name as it was typed, whatever its case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Name(u128);

impl Name {
    /// Of what was typed.
    pub fn typed(mail: &str) -> Self {
        let hash = sha256(&[b"focalpoint name ", mail.trim().to_lowercase().as_bytes()]);
        Self(hash.iter().take(16).fold(0, |name, byte| name << 8 | u128::from(*byte)))
    }
}

/// The budgets of this process.
pub struct Throttle {
    name_and_source: Budget,
    source: Budget,
    name: Budget,
    known: Budget,
    sign_in: Budget,
    account: Budget,
    mails_for_name: Budget,
    mails_from_source: Budget,
}

impl Default for Throttle {
    fn default() -> Self {
        Self {
            name_and_source: Budget::new(10, 5 * MINUTE),
            source: Budget::new(300, SECOND),
            name: Budget::new(30, 10 * MINUTE),
            known: Budget::new(10, MINUTE),
            sign_in: Budget::new(5, LONGER_THAN_A_SIGN_IN),
            account: Budget::new(20, 5 * MINUTE),
            mails_for_name: Budget::new(3, 20 * MINUTE),
            mails_from_source: Budget::new(20, MINUTE),
        }
    }
}

impl Throttle {
    /// Before a password is checked. `known` names the browser where it was signed in to this account before.
    pub fn password(&self, name: Name, source: u128, known: Option<u128>) -> Result<(), TooMany> {
        match known {
            Some(browser) => self.known.take((name.0, browser)).map(drop),
            None => {
                self.name_and_source.take((name.0, source))?;
                self.source.take((0, source))?;
                self.name.take((name.0, 0)).map(drop)
            }
        }
    }

    /// Before a code is checked. Says how many this sign-in has left.
    pub fn code(&self, sign_in: Uuid, account: AccountId) -> Result<u32, TooMany> {
        self.account.take((account.0.as_u128(), 0))?;
        self.sign_in.take((sign_in.as_u128(), 0))
    }

    /// Before a link is sent.
    pub fn mail(&self, name: Name, source: u128) -> Result<(), TooMany> {
        self.mails_from_source.take((0, source))?;
        self.mails_for_name.take((name.0, 0)).map(drop)
    }

    /// Forgets whose budget is whole again.
    pub fn sweep(&self) {
        let Self { name_and_source, source, name, known, sign_in, account, mails_for_name, mails_from_source } = self;
        for budget in [name_and_source, source, name, known, sign_in, account, mails_for_name, mails_from_source] {
            budget.0.retain_recent();
            budget.0.shrink_to_fit();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stranger_does_not_use_up_a_known_browsers_budget() {
        let (throttle, name) = (Throttle::default(), Name::typed("amina@example.org"));
        for source in 0..100 {
            let _ = throttle.password(name, source, None);
        }
        assert!(throttle.password(name, 1_000, None).is_err(), "a stranger from anywhere");
        for _ in 0..10 {
            assert!(throttle.password(name, 1_000, Some(7)).is_ok());
        }
        assert!(throttle.password(name, 1_000, Some(7)).is_err(), "even they do not guess for ever");
        assert!(throttle.password(name, 1_000, Some(8)).is_ok(), "another of their browsers");
        assert!(throttle.password(Name::typed("boris@example.org"), 1_000, None).is_ok(), "another account");
    }

    #[test]
    fn a_name_is_slowed_down_for_one_source_before_all() {
        let (throttle, name) = (Throttle::default(), Name::typed("amina@example.org"));
        let tries = (0..20).filter(|_| throttle.password(name, 1, None).is_ok()).count();
        assert_eq!(tries, 10);
        let wait = throttle.password(name, 1, None).unwrap_err();
        assert!((290..=301).contains(&wait.seconds), "{wait:?}");
        assert!(throttle.password(Name::typed(" Amina@Example.ORG "), 1, None).is_err(), "the same name");
        assert!(throttle.password(name, 2, None).is_ok());
    }

    #[test]
    fn five_wrong_codes_end_a_sign_in() {
        let (throttle, account) = (Throttle::default(), AccountId(Uuid::from_u128(1)));
        let left: Vec<_> = (0..5).map(|_| throttle.code(Uuid::from_u128(2), account).unwrap()).collect();
        assert_eq!(left, [4, 3, 2, 1, 0]);
        assert!(throttle.code(Uuid::from_u128(2), account).is_err());
        assert!(throttle.code(Uuid::from_u128(3), account).is_ok(), "the next sign-in");
    }

    #[test]
    fn what_is_whole_again_is_forgotten() {
        let throttle = Throttle { source: Budget::new(1, Duration::from_nanos(1)), ..Throttle::default() };
        throttle.source.take((0, 1)).unwrap();
        std::thread::sleep(Duration::from_millis(1));
        throttle.sweep();
        assert_eq!(throttle.source.0.len(), 0);
    }
}
