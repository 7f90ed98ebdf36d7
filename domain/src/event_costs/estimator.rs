//! Working out an estimate from a plan and rate cards.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use chrono::{NaiveDate, TimeDelta};
use rust_decimal::Decimal;

use super::estimate::{Basis, Calculation, Due, Estimate, Line, NotPriced, Notice, Reason, Why};
use super::money::{Price, Totals};
use super::plan::{Plan, Session, hours};
use super::rate_card::{AppliesWhen, Base, Category, Charge, Rate, RateCard, RegularHours, Unit};
use super::rules::{ChargeRule, Effect};
use super::savings;

/// What `plan` would cost by these cards, asked on the day `on`. Cards of other duty stations are
/// passed over; the caller leaves out those that the asker may not see.
///
/// For each category the best card that has rates for the plan is taken: one that holds for the
/// plan before one that does not, one of the duty station before one of all, the newest, the one
/// last known to be true. Thus two years of one rate are never added up.
pub fn estimate<'a>(plan: &Plan, cards: &[&'a RateCard], on: NaiveDate) -> Estimate<'a> {
    let mut estimate = price(plan, cards, on);
    estimate.savings = savings::find(plan, cards, on, &estimate);
    estimate
}

/// An estimate without its savings.
pub(super) fn price<'a>(plan: &Plan, cards: &[&'a RateCard], on: NaiveDate) -> Estimate<'a> {
    let cards = ranked(plan, cards, on);
    let notices = notices(plan, &cards, on);
    let mut asking = Asking { plan, on, cards, notices, lines: Vec::new(), not_priced: Vec::new() };
    for stage in Stage::ALL {
        for category in Category::ALL {
            asking.price(*category, stage);
        }
    }
    let Asking { mut lines, mut not_priced, notices, .. } = asking;
    not_priced.sort_by_key(|gap| gap.category);
    let mut take = |wanted: fn(Category) -> bool| lines.extract_if(.., |line| wanted(line.rate.category)).collect();
    let deposits = take(|category| category == Category::Deposit);
    let cancellation = take(|category| category == Category::Cancellation);
    lines.sort_by_key(|line| line.rate.category);
    Estimate { lines, deposits, cancellation, not_priced, notices, savings: Vec::new() }
}

/// The cards that can matter, the best first.
fn ranked<'a>(plan: &Plan, cards: &[&'a RateCard], on: NaiveDate) -> Vec<&'a RateCard> {
    let here = |card: &&&RateCard| card.duty_station.as_ref().is_none_or(|place| *place == plan.duty_station);
    let mut ranked: Vec<&RateCard> = cards.iter().filter(here).copied().collect();
    ranked.sort_by_key(|card| {
        let holds = Basis::of(card.validity, plan, on) == Basis::Current;
        let known = (card.validity.from(), card.provenance.as_of);
        (Reverse((holds, card.duty_station.is_some(), known)), card.id)
    });
    ranked
}

/// The rules in scope, a rule that several cards have from the best of them.
fn notices<'a>(plan: &Plan, ranked: &[&'a RateCard], on: NaiveDate) -> Vec<Notice<'a>> {
    let mut seen = BTreeSet::new();
    let rules = ranked.iter().flat_map(|card| card.rules.iter().map(move |rule| (*card, rule)));
    rules
        .filter(|(card, rule)| seen.insert((&card.duty_station, &rule.code)))
        .filter(|(_, rule)| matters(rule, plan))
        .map(|(card, rule)| {
            let due = rule.lead_hours.map(|lead| {
                let by = plan.sessions.first().starts() - TimeDelta::hours(lead.get().into());
                Due { by, passed: by.date() < on }
            });
            Notice { card, rule, due, basis: Basis::of(card.validity, plan, on) }
        })
        .collect()
}

/// A rule that informs of a service matters when that is wanted; one that says that it is not to be
/// had matters before anybody wants it.
fn matters(rule: &ChargeRule, plan: &Plan) -> bool {
    let spoken_of = rule.effect != Effect::Informs
        || rule.categories.is_empty()
        || rule.categories.iter().any(|category| plan.wishes.of(*category) > 0);
    let timely = match rule.applies_when {
        AppliesWhen::RegularHours(regular) => plan.sessions.iter().any(|s| !s.within(regular).is_zero()),
        AppliesWhen::OutsideRegularHours(regular) => plan.sessions.iter().any(|s| !s.outside(regular).is_zero()),
        AppliesWhen::Always | AppliesWhen::OnRequest => true,
        AppliesWhen::CancelledWithin(days) => plan.cancelled_days_before.is_some_and(|notice| notice.get() < days),
    };
    spoken_of && timely && rule.scope.admits(plan.kind, plan.organizer)
}

/// The order in which charges are worked out. A share never reaches its own stage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    Prices,
    Shares,
    ProgrammeSupport,
    Settlement,
}

impl Stage {
    const ALL: [Self; 4] = [Self::Prices, Self::Shares, Self::ProgrammeSupport, Self::Settlement];

    fn of(rate: &Rate) -> Self {
        match (rate.category, rate.charge) {
            (Category::Deposit | Category::Cancellation, _) => Self::Settlement,
            (Category::ProgrammeSupport, _) => Self::ProgrammeSupport,
            (_, Charge::Percentage { .. }) => Self::Shares,
            (_, Charge::Price(_)) => Self::Prices,
        }
    }
}

struct Asking<'p, 'a> {
    plan: &'p Plan,
    on: NaiveDate,
    cards: Vec<&'a RateCard>,
    notices: Vec<Notice<'a>>,
    lines: Vec<Line<'a>>,
    not_priced: Vec<NotPriced<'a>>,
}

impl<'a> Asking<'_, 'a> {
    /// Adds the lines of a category that belong to a stage. What is wanted and has no rate at all is
    /// noted in the first stage.
    fn price(&mut self, category: Category, stage: Stage) {
        let wanted = match category {
            Category::Cancellation => self.plan.cancelled_days_before.is_some(),
            _ => self.plan.wishes.of(category) > 0,
        };
        if let Some((card, rule)) = self.refusal(category) {
            if wanted && stage == Stage::Prices {
                self.not_priced.push(NotPriced { category, why: Why::NotOffered { card, rule } });
            }
            return;
        }
        let Some((card, rates)) = self.best(category) else {
            if wanted && stage == Stage::Prices {
                let why = self.precedent(category).unwrap_or(Why::NoRate);
                self.not_priced.push(NotPriced { category, why });
            }
            return;
        };
        let last_stage = rates.iter().map(|rate| Stage::of(rate)).max();
        let mut unknown = None;
        for rate in rates.iter().filter(|rate| Stage::of(rate) == stage) {
            match self.apply(card, rate, wanted) {
                Ok(lines) => self.lines.extend(lines),
                Err(why) => unknown = Some(why),
            }
        }
        let priced = self.lines.iter().any(|line| line.rate.category == category);
        match unknown {
            Some(why) => self.not_priced.push(NotPriced { category, why }),
            None if wanted && !priced && last_stage == Some(stage) => {
                self.not_priced.push(NotPriced { category, why: Why::NotUnderThesePlans });
            }
            None => {}
        }
    }

    fn refusal(&self, category: Category) -> Option<(&'a RateCard, &'a ChargeRule)> {
        self.notices
            .iter()
            .find(|n| n.rule.effect == Effect::NotOffered && n.rule.categories.contains(&category))
            .map(|n| (n.card, n.rule))
    }

    fn best(&self, category: Category) -> Option<(&'a RateCard, Vec<&'a Rate>)> {
        self.cards.iter().find_map(|card| {
            let rates: Vec<_> = self.rates(card, category).filter(|rate| rate.unit != Unit::Precedent).collect();
            (!rates.is_empty()).then_some((*card, rates))
        })
    }

    fn precedent(&self, category: Category) -> Option<Why<'a>> {
        self.cards.iter().find_map(|card| {
            let rate = self.rates(card, category).find(|rate| rate.unit == Unit::Precedent)?;
            Some(Why::OnlyPrecedent { card, rate })
        })
    }

    fn rates(&self, card: &'a RateCard, category: Category) -> impl Iterator<Item = &'a Rate> {
        let (kind, organizer) = (self.plan.kind, self.plan.organizer);
        card.rates.iter().filter(move |rate| rate.category == category && rate.scope.admits(kind, organizer))
    }

    /// The lines that a rate gives: none when its condition is not met, one for each currency of a
    /// percentage's base.
    fn apply(&self, card: &'a RateCard, rate: &'a Rate, wanted: bool) -> Result<Vec<Line<'a>>, Why<'a>> {
        let Some(sessions) = self.sessions(rate.applies_when, wanted) else { return Ok(Vec::new()) };
        let basis = Basis::of(card.validity, self.plan, self.on);
        match rate.charge {
            Charge::Price(price) => {
                let (quantity, team) = self.quantity(rate, &sessions)?;
                if quantity.is_zero() {
                    return Ok(Vec::new());
                }
                let calculation = Calculation::Units { quantity, price };
                let reason = team.unwrap_or_else(|| self.reason(rate.applies_when, sessions.len()));
                Ok(vec![Line { card, rate, calculation, amount: price.times(quantity), reason, basis }])
            }
            Charge::Percentage { percent, of, above } => {
                let bases = self.base(of, Stage::of(rate));
                let line = |base: &Price| {
                    let amount = share(base, percent, above)?;
                    let calculation = Calculation::Share { percent, base: *base };
                    let reason = match rate.applies_when {
                        AppliesWhen::CancelledWithin(_) => self.reason(rate.applies_when, sessions.len()),
                        _ => Reason::Share { percent, of, base: *base, above },
                    };
                    Some(Line { card, rate, calculation, amount, reason, basis: basis.clone() })
                };
                Ok(bases.iter().filter_map(line).collect())
            }
        }
    }

    /// The sessions that a condition picks, each with the time for which it does; `None` when it is
    /// not met.
    fn sessions(&self, condition: AppliesWhen, wanted: bool) -> Option<Vec<(Session, TimeDelta)>> {
        let timed = |time: &dyn Fn(&Session) -> TimeDelta| {
            let picked = self.plan.sessions.iter().map(|s| (*s, time(s))).filter(|(_, time)| !time.is_zero());
            picked.collect::<Vec<_>>()
        };
        let picked = match condition {
            AppliesWhen::Always => timed(&Session::length),
            AppliesWhen::OnRequest if wanted => timed(&Session::length),
            AppliesWhen::RegularHours(regular) if wanted => timed(&|s| s.within(regular)),
            AppliesWhen::OutsideRegularHours(regular) if wanted => timed(&|s| s.outside(regular)),
            AppliesWhen::CancelledWithin(days) if self.notice().is_some_and(|notice| notice < days) => {
                timed(&Session::length)
            }
            _ => Vec::new(),
        };
        (!picked.is_empty()).then_some(picked)
    }

    fn notice(&self) -> Option<u32> {
        self.plan.cancelled_days_before.map(|days| days.get())
    }

    fn reason(&self, condition: AppliesWhen, sessions: usize) -> Reason<'a> {
        let of = self.plan.sessions.iter().count();
        match condition {
            AppliesWhen::Always => Reason::Always,
            AppliesWhen::OnRequest => Reason::Requested,
            AppliesWhen::RegularHours(hours) => Reason::WithinRegularHours { hours, sessions, of },
            AppliesWhen::OutsideRegularHours(hours) => Reason::OutsideRegularHours { hours, sessions, of },
            AppliesWhen::CancelledWithin(needed) => {
                Reason::Cancelled { notice: self.notice().unwrap_or_default(), needed }
            }
        }
    }

    /// How many units are charged, and the reason when it is a team of interpreters.
    fn quantity(
        &self,
        rate: &Rate,
        sessions: &[(Session, TimeDelta)],
    ) -> Result<(Decimal, Option<Reason<'a>>), Why<'a>> {
        let (heads, team) = match (rate.category, rate.unit) {
            (Category::Interpretation, Unit::InterpreterDay | Unit::Hour) => self.team()?,
            (Category::Interpretation, _) => (1, None),
            // what is charged at every event is charged once, also when nobody asked for it
            (category, _) => (self.plan.wishes.of(category).max(1), None),
        };
        let heads = Decimal::from(heads);
        let days = sessions.iter().map(|(session, _)| session.starts().date()).collect::<BTreeSet<_>>();
        let quantity = match rate.unit {
            Unit::TechnicianMeeting => heads * Decimal::from(sessions.len()),
            Unit::Hour => heads * hours(sessions.iter().map(|(_, time)| *time).sum()),
            Unit::InterpreterDay => heads * Decimal::from(days.len()),
            Unit::Meeting => Decimal::from(sessions.len()),
            Unit::Day => Decimal::from(days.len()),
            Unit::Event => Decimal::ONE,
            Unit::Participant => Decimal::from(self.plan.participants.ok_or(Why::UnknownParticipants)?.get()),
            Unit::Page => heads,
            // precedents are never applied, and no price is counted in shares
            Unit::Precedent | Unit::Share => Decimal::ZERO,
        };
        Ok((quantity.normalize(), team))
    }

    fn team(&self) -> Result<(u32, Option<Reason<'a>>), Why<'a>> {
        let languages = &self.plan.wishes.interpretation;
        let stated = self.cards.iter().find_map(|card| Some((card.interpreters.team(languages)?, *card)));
        let (team, staffing) = stated.filter(|(team, _)| *team > 0).ok_or(Why::UnknownTeam)?;
        Ok((team, Some(Reason::Interpreters { team, staffing })))
    }

    /// What a percentage is taken of: lines of earlier stages only.
    fn base(&self, of: Base, stage: Stage) -> Totals {
        let counts = |line: &&Line| match of {
            _ if Stage::of(line.rate) >= stage => false,
            Base::Charges => Stage::of(line.rate) == Stage::Prices,
            Base::StaffTime => matches!(line.rate.unit, Unit::TechnicianMeeting | Unit::Hour | Unit::InterpreterDay),
            Base::Expenditure => !line.rate.is_external(),
            Base::EstimatedCost => true,
        };
        Totals::of(self.lines.iter().filter(counts).map(|line| &line.amount))
    }
}

/// A share of a base that may have to be above a threshold; `None` when it surely is not. A base
/// that may lie on either side, or is in another currency, may cost nothing.
fn share(base: &Price, percent: Decimal, above: Option<Price>) -> Option<Price> {
    let share = base.share(percent);
    match above {
        None => Some(share),
        Some(above) if above.currency() != base.currency() => Some(share.or_nothing()),
        Some(above) if base.high() <= above.high() => None,
        Some(above) if base.low() <= above.high() => Some(share.or_nothing()),
        Some(_) => Some(share),
    }
}

/// The hours outside which something is charged here, if anything is.
pub(super) fn charged_outside(estimate: &Estimate<'_>) -> Option<RegularHours> {
    estimate.lines.iter().find_map(|line| match line.reason {
        Reason::OutsideRegularHours { hours, .. } => Some(hours),
        _ => None,
    })
}
