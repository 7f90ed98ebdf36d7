//! Event costs: rate cards by duty station, and what an event on United Nations premises would cost.
//!
//! A [`RateCard`] says what one source told about the rates of one duty station (or of all) in one
//! period; a [`Plan`] is what somebody wants to hold; [`estimate`] puts both together and says of
//! every charge why it is there, of every wish that no rate covers why it is not.

mod codes;
mod estimate;
mod estimator;
mod money;
mod plan;
mod rate_card;
mod rules;
mod savings;
mod words;

pub use iso_currency::Currency;

pub use estimate::{Basis, Calculation, Due, Estimate, Line, NotPriced, Notice, Reason, Why, Years};
pub use estimator::estimate;
pub use money::{Price, Totals, parse_currency, parse_decimal};
pub use plan::{Count, EventKind, Organizer, Plan, Session, Sessions, Wishes, parse_date, parse_time};
pub use rate_card::{
    AppliesWhen, Base, Category, Charge, Coded, Distinct, Interpreters, Office, OfficeKind, Rate, RateCard, RateCardId,
    RegularHours, Unit, Validity,
};
pub use rules::{ChargeRule, Effect, Scope};
pub use savings::{Alternative, Saving};

#[cfg(test)]
mod tests;
