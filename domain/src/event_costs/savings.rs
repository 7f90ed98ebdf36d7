//! What would make an event cheaper: the plan changed in one point, and priced again.

use chrono::NaiveDate;

use super::estimate::{Estimate, Reason};
use super::estimator::{charged_outside, price};
use super::money::{Price, Totals};
use super::plan::{Count, Plan, Sessions};
use super::rate_card::{RateCard, RegularHours};

/// A cheaper variant.
#[derive(Debug, Clone, PartialEq)]
pub struct Saving {
    /// What would be different.
    pub alternative: Alternative,
    /// What that spares, a currency each. Only what is cheaper is named.
    pub spared: Vec<Price>,
    /// The plan with that difference.
    pub plan: Plan,
}

/// One difference from a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Alternative {
    /// Every session that reaches outside regular hours is moved into them, on its day.
    RegularHours(RegularHours),
    /// One technician fewer.
    OneTechnicianFewer {
        /// The number left.
        technicians: u32,
    },
    /// Cancelling with more notice.
    EarlierCancellation {
        /// In days.
        notice: u32,
    },
}

impl Alternative {
    /// The public code.
    pub fn code(self) -> &'static str {
        match self {
            Self::RegularHours(_) => "regular_hours",
            Self::OneTechnicianFewer { .. } => "one_technician_fewer",
            Self::EarlierCancellation { .. } => "earlier_cancellation",
        }
    }
}

/// The variants that are cheaper than `estimate`, which `plan` gave.
pub(super) fn find(plan: &Plan, cards: &[&RateCard], on: NaiveDate, estimate: &Estimate<'_>) -> Vec<Saving> {
    let bill: fn(&Estimate<'_>) -> Totals = |estimate| estimate.totals();
    let fee: fn(&Estimate<'_>) -> Totals = |e| Totals::of(e.cancellation.iter().map(|line| &line.amount));
    let variants = [
        (in_regular_hours(plan, estimate), bill),
        (with_one_technician_fewer(plan), bill),
        (cancelled_earlier(plan, estimate), fee),
    ];
    let priced = variants.into_iter().filter_map(|(variant, cost)| {
        let (alternative, plan) = variant?;
        let cheaper = cost(&price(&plan, cards, on));
        let spared: Vec<Price> =
            cost(estimate).iter().filter_map(|before| before.saved_by(&cheaper.get(before.currency()))).collect();
        (!spared.is_empty()).then_some(Saving { alternative, spared, plan })
    });
    priced.collect()
}

fn in_regular_hours(plan: &Plan, estimate: &Estimate<'_>) -> Option<(Alternative, Plan)> {
    let hours = charged_outside(estimate)?;
    let moved = plan.sessions.iter().map(|session| session.moved_into(hours)).collect::<Option<Vec<_>>>()?;
    // two sessions of one day that no longer fit beside each other are refused here
    let sessions = Sessions::parse(moved).ok()?;
    Some((Alternative::RegularHours(hours), Plan { sessions, ..plan.clone() }))
}

fn with_one_technician_fewer(plan: &Plan) -> Option<(Alternative, Plan)> {
    let mut plan = plan.clone();
    plan.wishes.technicians = plan.wishes.technicians.less_one();
    let technicians = plan.wishes.technicians.get();
    (technicians > 0).then_some((Alternative::OneTechnicianFewer { technicians }, plan))
}

fn cancelled_earlier(plan: &Plan, estimate: &Estimate<'_>) -> Option<(Alternative, Plan)> {
    let needed = estimate.cancellation.iter().filter_map(|line| match line.reason {
        Reason::Cancelled { needed, .. } => Some(needed),
        _ => None,
    });
    let notice = needed.max()?;
    let cancelled_days_before = Some(Count::parse(notice.into()).ok()?);
    Some((Alternative::EarlierCancellation { notice }, Plan { cancelled_days_before, ..plan.clone() }))
}
