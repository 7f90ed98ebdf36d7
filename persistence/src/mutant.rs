//! Errors made on purpose, for the test that must find them (tests/model). Only builds with debug assertions know
//! them, by the environment variable `FOCALPOINT_MUTANT`; in a release there is none.

use domain::Step;

/// An error made on purpose. Others are made in the test's database alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mutant {
    /// The log is read on by the time of the last step.
    ClockCursor,
    /// A position is one of this history by its revision alone.
    MissingNonceCheck,
    /// Whether a copy must forget an object is asked of the last step alone.
    LatestStepOnly,
}

impl Mutant {
    /// The name in the environment.
    pub fn name(self) -> &'static str {
        match self {
            Self::ClockCursor => "clock_cursor",
            Self::MissingNonceCheck => "missing_nonce_check",
            Self::LatestStepOnly => "latest_step_only",
        }
    }
}

/// Whether this process makes that error.
#[cfg(debug_assertions)]
pub fn is(mutant: Mutant) -> bool {
    use std::sync::OnceLock;
    static NAMED: OnceLock<Option<String>> = OnceLock::new();
    NAMED.get_or_init(|| std::env::var("FOCALPOINT_MUTANT").ok()).as_deref() == Some(mutant.name())
}

/// Whether this process makes that error: never.
#[cfg(not(debug_assertions))]
pub fn is(_: Mutant) -> bool {
    false
}

/// The steps that were read, or those of them that a cursor by the time of the first finds.
pub(crate) fn read(mut steps: Vec<Step>) -> Vec<Step> {
    if is(Mutant::ClockCursor)
        && let Some(first) = steps.first().map(|step| (step.position, step.at))
    {
        steps.retain(|step| step.position == first.0 || step.at > first.1);
    }
    steps
}
