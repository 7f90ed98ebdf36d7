//! An estimate: what an event would cost, charge by charge, with the reason for each.

use std::collections::BTreeSet;

use chrono::{Datelike, NaiveDate, NaiveDateTime};
use rust_decimal::Decimal;

use super::money::{Price, Totals};
use super::plan::Plan;
use super::rate_card::{Base, Category, Office, Rate, RateCard, RegularHours, Validity};
use super::rules::ChargeRule;
use super::savings::Saving;

/// What an event would cost by the rate cards given.
#[derive(Debug, Clone, PartialEq)]
pub struct Estimate<'a> {
    /// What makes up the total, in the order of categories.
    pub lines: Vec<Line<'a>>,
    /// What is to be paid in advance and is set off against the total.
    pub deposits: Vec<Line<'a>>,
    /// What would be due in place of the total if the event were cancelled as the plan supposes.
    pub cancellation: Vec<Line<'a>>,
    /// What was asked for and has no price here.
    pub not_priced: Vec<NotPriced<'a>>,
    /// The rules that matter for this plan.
    pub notices: Vec<Notice<'a>>,
    /// What would make it cheaper.
    pub savings: Vec<Saving>,
}

impl<'a> Estimate<'a> {
    /// The sums of the lines, by currency.
    pub fn totals(&self) -> Totals {
        Totals::of(self.lines.iter().map(|line| &line.amount))
    }

    /// The sums of the lines that each office bills, in the order in which they first appear. `None`
    /// stands for the charges whose office the sources do not name.
    pub fn by_office(&self) -> Vec<(Option<&'a Office>, Totals)> {
        let mut offices: Vec<Option<&Office>> = Vec::new();
        for line in &self.lines {
            let office = line.rate.office.as_ref();
            if !offices.contains(&office) {
                offices.push(office);
            }
        }
        let sum = |office| {
            Totals::of(self.lines.iter().filter(|l| l.rate.office.as_ref() == office).map(|line| &line.amount))
        };
        offices.into_iter().map(|office| (office, sum(office))).collect()
    }

    /// How far the whole can be relied on: as far as its least reliable charge. `None` when nothing
    /// has a price.
    pub fn basis(&self) -> Option<Basis> {
        self.charges().map(|line| line.basis.clone()).reduce(Basis::worse)
    }

    /// Every charge, in or beside the total.
    fn charges(&self) -> impl Iterator<Item = &Line<'a>> {
        self.lines.iter().chain(&self.deposits).chain(&self.cancellation)
    }
}

/// A charge.
#[derive(Debug, Clone, PartialEq)]
pub struct Line<'a> {
    /// The card that the rate is on.
    pub card: &'a RateCard,
    /// The rate.
    pub rate: &'a Rate,
    /// How it is worked out.
    pub calculation: Calculation,
    /// What is charged, in the currency's minor unit.
    pub amount: Price,
    /// Why it is charged.
    pub reason: Reason<'a>,
    /// Whether the rate holds for the plan.
    pub basis: Basis,
}

/// How an amount is worked out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Calculation {
    /// So many units at this price.
    Units {
        /// In the rate's unit.
        quantity: Decimal,
        /// Of one.
        price: Price,
    },
    /// A share of a base.
    Share {
        /// Of the base.
        percent: Decimal,
        /// What the base comes to here.
        base: Price,
    },
}

/// Why something is charged.
#[derive(Debug, Clone, PartialEq)]
pub enum Reason<'a> {
    /// It is charged at every such event.
    Always,
    /// It was asked for.
    Requested,
    /// It was asked for, and a team of interpreters is needed.
    Interpreters {
        /// The size of the team.
        team: u32,
        /// The card that states it.
        staffing: &'a RateCard,
    },
    /// It was asked for within regular hours.
    WithinRegularHours {
        /// The hours.
        hours: RegularHours,
        /// Sessions that touch them.
        sessions: usize,
        /// Of so many.
        of: usize,
    },
    /// It was asked for outside regular hours.
    OutsideRegularHours {
        /// The hours.
        hours: RegularHours,
        /// Sessions that reach outside.
        sessions: usize,
        /// Of so many.
        of: usize,
    },
    /// It is a share of other charges.
    Share {
        /// In percent.
        percent: Decimal,
        /// Of which.
        of: Base,
        /// What they come to.
        base: Price,
        /// The base from which on it is due.
        above: Option<Price>,
    },
    /// The event would be cancelled late.
    Cancelled {
        /// With this notice, in days.
        notice: u32,
        /// Where so much is asked for.
        needed: u32,
    },
}

/// The years of rates that do not hold for the plan.
pub type Years = BTreeSet<i32>;

/// Whether a rate holds for a plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Basis {
    /// It holds on every day of the event and has not run out on the day of the estimate.
    Current,
    /// Its source bears no date: no tariff.
    Undated,
    /// It is of other years: no tariff, an order of magnitude.
    Historical(Years),
}

impl Basis {
    /// What a card is for an event from `first` to `last`, estimated on the day `on`.
    pub(super) fn of(validity: Validity, plan: &Plan, on: NaiveDate) -> Self {
        let (first, last) = (plan.sessions.first().starts().date(), plan.sessions.last().ends().date());
        match validity {
            Validity::Undated => Self::Undated,
            Validity::Dated { until, .. } if validity.covers(first, last) && until.is_none_or(|u| on <= u) => {
                Self::Current
            }
            Validity::Dated { from, until, .. } => {
                Self::Historical([Some(from), until].into_iter().flatten().map(|day| day.year()).collect())
            }
        }
    }

    /// The public code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Current => "current",
            Self::Undated => "undated",
            Self::Historical(_) => "historical",
        }
    }

    fn worse(self, other: Self) -> Self {
        match (self, other) {
            (Self::Historical(a), Self::Historical(b)) => Self::Historical(a.into_iter().chain(b).collect()),
            (Self::Historical(years), _) | (_, Self::Historical(years)) => Self::Historical(years),
            (Self::Undated, _) | (_, Self::Undated) => Self::Undated,
            (Self::Current, Self::Current) => Self::Current,
        }
    }
}

/// Something asked for that has no price here.
#[derive(Debug, Clone, PartialEq)]
pub struct NotPriced<'a> {
    /// What.
    pub category: Category,
    /// Why not.
    pub why: Why<'a>,
}

/// Why something has no price.
#[derive(Debug, Clone, PartialEq)]
pub enum Why<'a> {
    /// No rate is known at this duty station for this kind of event and organizer.
    NoRate,
    /// The rates known do not apply to these hours, this number of days of notice or this bill.
    NotUnderThesePlans,
    /// A rule says that it is not to be had.
    NotOffered {
        /// The card that the rule is on.
        card: &'a RateCard,
        /// The rule.
        rule: &'a ChargeRule,
    },
    /// What one event paid as a whole is known, and no more.
    OnlyPrecedent {
        /// The card that tells of it.
        card: &'a RateCard,
        /// What was paid.
        rate: &'a Rate,
    },
    /// The size of a team of interpreters for these languages is not known.
    UnknownTeam,
    /// The rate is for each participant, and their number was not given.
    UnknownParticipants,
}

impl Why<'_> {
    /// The public code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NoRate => "no_rate",
            Self::NotUnderThesePlans => "rate_does_not_apply",
            Self::NotOffered { .. } => "not_offered",
            Self::OnlyPrecedent { .. } => "only_precedent",
            Self::UnknownTeam => "unknown_team",
            Self::UnknownParticipants => "unknown_participants",
        }
    }
}

/// A rule that matters for a plan.
#[derive(Debug, Clone, PartialEq)]
pub struct Notice<'a> {
    /// The card that the rule is on.
    pub card: &'a RateCard,
    /// The rule.
    pub rule: &'a ChargeRule,
    /// When something must be done, if the rule sets a time.
    pub due: Option<Due>,
    /// Whether the card holds for the plan.
    pub basis: Basis,
}

/// A deadline.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Due {
    /// In the duty station's wall-clock time.
    pub by: NaiveDateTime,
    /// Whether that day was over on the day of the estimate.
    pub passed: bool,
}
