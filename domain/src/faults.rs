//! What is wrong with an input: the rule that broke, where, in words.

use std::fmt;

use crate::{Language, Message};

/// A rule that an input can break. The code is public and never renamed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Rule {
    /// A field that must be there is absent or empty.
    Required,
    /// A field that this body does not know.
    UnknownField,
    /// JSON of another type or structure than expected.
    Structure,
    /// Text that is not written in the form the field asks for.
    Format,
    /// A value outside a closed list.
    OneOf,
    /// Longer or shorter than allowed.
    Length,
    /// A number or moment outside its range.
    Range,
    /// Text with characters that are never accepted: NUL, controls, direction overrides.
    Characters,
    /// The same key, code or period given twice.
    Duplicate,
    /// Fields that contradict each other.
    Conflict,
    /// A reference to something that does not exist.
    Reference,
}

impl Rule {
    /// The public code.
    pub fn code(self) -> &'static str {
        match self {
            Self::Required => "required",
            Self::UnknownField => "unknown_field",
            Self::Structure => "structure",
            Self::Format => "format",
            Self::OneOf => "one_of",
            Self::Length => "length",
            Self::Range => "range",
            Self::Characters => "characters",
            Self::Duplicate => "duplicate",
            Self::Conflict => "conflict",
            Self::Reference => "reference",
        }
    }
}

/// A value that was refused: which rule, and why in words a caller understands.
#[derive(Debug, Clone, PartialEq, Eq, Hash, thiserror::Error)]
#[error("{}", .detail.text(Language::En))]
pub struct Broken {
    /// The rule that refused.
    pub rule: Rule,
    /// One sentence or phrase; never a value that could be a secret.
    pub detail: Message,
}

impl Broken {
    /// A refusal by `rule`.
    pub fn new(rule: Rule, detail: Message) -> Self {
        Self { rule, detail }
    }
}

/// A broken rule at a place in a JSON document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// A JSON pointer (RFC 6901) to the field; empty for the whole document.
    pub pointer: String,
    /// The rule that refused.
    pub rule: Rule,
    /// Why.
    pub detail: Message,
}

impl Fault {
    /// That `rule` is broken at `pointer`.
    pub fn new(pointer: &str, rule: Rule, detail: Message) -> Self {
        Self { pointer: pointer.to_owned(), rule, detail }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.pointer, self.detail.text(Language::En))
    }
}

/// Every rule an input breaks, gathered while it is parsed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Faults(Vec<Fault>);

impl Faults {
    /// No fault yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Notes a broken rule at `pointer`.
    pub fn add(&mut self, pointer: impl Into<String>, broken: Broken) {
        self.0.push(Fault { pointer: pointer.into(), rule: broken.rule, detail: broken.detail });
    }

    /// Keeps the value, or notes why there is none.
    pub fn check<T, E: Into<Broken>>(&mut self, pointer: &str, outcome: Result<T, E>) -> Option<T> {
        match outcome {
            Ok(value) => Some(value),
            Err(broken) => {
                self.add(pointer, broken.into());
                None
            }
        }
    }

    /// Takes over the faults of a part, whose pointers are relative to `pointer`.
    pub fn nest(&mut self, pointer: &str, part: Faults) {
        self.0
            .extend(part.0.into_iter().map(|fault| Fault { pointer: format!("{pointer}{}", fault.pointer), ..fault }));
    }

    /// [`Faults::check`] for a part that gathers faults of its own.
    pub fn check_part<T>(&mut self, pointer: &str, outcome: Result<T, Faults>) -> Option<T> {
        outcome.map_err(|part| self.nest(pointer, part)).ok()
    }

    /// Whether nothing was refused.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The faults, in the order they were found.
    pub fn into_vec(self) -> Vec<Fault> {
        self.0
    }

    /// The value if nothing was refused. `value` must be `Some` whenever no fault was noted.
    pub fn finish<T>(self, value: Option<T>) -> Result<T, Faults> {
        match value {
            Some(value) if self.0.is_empty() => Ok(value),
            _ => Err(self),
        }
    }
}

impl From<Fault> for Faults {
    fn from(fault: Fault) -> Self {
        Self(vec![fault])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_faults_of_a_part_carry_the_whole_path() {
        let mut part = Faults::new();
        part.add("/number", Broken::new(Rule::Format, message!("is not a telephone number")));
        let mut whole = Faults::new();
        whole.nest("/telephones/0", part);
        assert_eq!(whole.into_vec()[0].pointer, "/telephones/0/number");
    }
}
