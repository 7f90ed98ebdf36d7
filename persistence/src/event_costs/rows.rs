//! The rows of event costs, and their way to domain values and back.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, NaiveDate, NaiveTime, Utc};
use diesel::prelude::*;
use rust_decimal::Decimal;
use uuid::Uuid;

use crate::Error;
use crate::imports::Imported;
use crate::json::{Json, parse_optional};
use crate::schema::{charge_rule, rate, rate_card};
use domain::directory::UnitId;
use domain::event_costs::{
    AppliesWhen, Base, Category, Charge, ChargeRule, Count, Distinct, Effect, EventKind, Interpreters, Office,
    OfficeKind, Organizer, Price, Rate, RateCard, RateCardId, RegularHours, Scope, Unit, Validity, parse_currency,
};
use domain::{Broken, DutyStation, Faults, Key, Localized, Provenance};

fn corrupt(broken: Broken) -> Error {
    Error::Corrupt(broken.to_string())
}

fn corrupt_part(faults: Faults) -> Error {
    let fault = faults.into_vec().into_iter().next();
    Error::Corrupt(fault.map(|fault| fault.to_string()).unwrap_or_default())
}

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = rate_card)]
pub(super) struct RateCardRow {
    pub(super) id: Uuid,
    source: String,
    source_key: String,
    audience: String,
    closed_at: Option<DateTime<Utc>>,
    duty_station: Option<String>,
    title: Json<Localized>,
    valid_from: Option<NaiveDate>,
    valid_until: Option<NaiveDate>,
    validity_inferred: bool,
    currency: String,
    interpreters: Json<BTreeMap<String, i64>>,
    provenance: Json<Provenance>,
}

impl RateCardRow {
    pub(super) fn of(imported: &Imported<RateCard>) -> Self {
        let card = &imported.value;
        let interpreters = card.interpreters.iter();
        Self {
            id: card.id.0,
            source: imported.source.as_str().to_owned(),
            source_key: imported.key.as_str().to_owned(),
            audience: card.audience.to_string(),
            closed_at: None,
            duty_station: card.duty_station.as_ref().map(|place| place.as_str().to_owned()),
            title: Json::of(card.title.clone()),
            valid_from: card.validity.from(),
            valid_until: card.validity.until(),
            validity_inferred: card.validity.is_inferred(),
            currency: card.currency.code().to_owned(),
            interpreters: Json::of(interpreters.map(|(l, n)| (l.tag().to_owned(), n.into())).collect()),
            provenance: Json::of(card.provenance.clone()),
        }
    }

    pub(super) fn parse(self, rates: Vec<RateRow>, rules: Vec<RuleRow>) -> Result<RateCard, Error> {
        let rates = rates.into_iter().map(RateRow::parse).collect::<Result<_, _>>()?;
        let rules = rules.into_iter().map(RuleRow::parse).collect::<Result<_, _>>()?;
        Ok(RateCard {
            id: RateCardId(self.id),
            audience: self.audience.parse().map_err(corrupt)?,
            duty_station: self.duty_station.as_deref().map(DutyStation::parse).transpose().map_err(corrupt)?,
            title: self.title.parse()?,
            validity: Validity::parse(self.valid_from, self.valid_until, self.validity_inferred)
                .map_err(corrupt_part)?,
            currency: parse_currency(&self.currency).map_err(corrupt)?,
            interpreters: Interpreters::parse(&self.interpreters.parse()?).map_err(corrupt_part)?,
            provenance: self.provenance.parse()?,
            rates: Distinct::parse(rates).map_err(corrupt_part)?,
            rules: Distinct::parse(rules).map_err(corrupt_part)?,
        })
    }
}

#[derive(Debug, PartialEq, Queryable, Selectable, Insertable)]
#[diesel(table_name = rate)]
pub(super) struct RateRow {
    pub(super) card_id: Uuid,
    code: String,
    position: i32,
    category: String,
    item: Json<Localized>,
    unit: String,
    low: Option<Decimal>,
    high: Option<Decimal>,
    currency: Option<String>,
    percent: Option<Decimal>,
    base: Option<String>,
    above: Option<Decimal>,
    above_currency: Option<String>,
    applies_when: String,
    regular_from: Option<NaiveTime>,
    regular_until: Option<NaiveTime>,
    notice_days: Option<i32>,
    kinds: Vec<String>,
    organizers: Vec<String>,
    office: Option<Json<Localized>>,
    office_kind: Option<String>,
    pub(super) office_unit_id: Option<Uuid>,
    note: Option<Json<Localized>>,
    provenance: Json<Provenance>,
}

impl RateRow {
    pub(super) fn of(card: &RateCard) -> Vec<Self> {
        (0..).zip(card.rates.iter()).map(|(position, rate)| Self::of_rate(card.id, position, rate)).collect()
    }

    fn of_rate(card: RateCardId, position: i32, rate: &Rate) -> Self {
        let (price, share) = match rate.charge {
            Charge::Price(price) => (Some(price), None),
            Charge::Percentage { percent, of, above } => (None, Some((percent, of, above))),
        };
        let above = share.and_then(|(.., above)| above);
        let (kinds, organizers) = scope_codes(&rate.scope);
        let hours = rate.applies_when.hours();
        let office = rate.office.as_ref();
        Self {
            card_id: card.0,
            code: rate.code.as_str().to_owned(),
            position,
            category: rate.category.code().to_owned(),
            item: Json::of(rate.item.clone()),
            unit: rate.unit.code().to_owned(),
            low: price.map(|price| price.low()),
            high: price.map(|price| price.high()),
            currency: price.map(|price| price.currency().code().to_owned()),
            percent: share.map(|(percent, ..)| percent),
            base: share.map(|(_, of, _)| of.code().to_owned()),
            above: above.map(|above| above.low()),
            above_currency: above.map(|above| above.currency().code().to_owned()),
            applies_when: rate.applies_when.code().to_owned(),
            regular_from: hours.map(|hours| hours.from()),
            regular_until: hours.map(|hours| hours.until()),
            notice_days: rate.applies_when.notice_days().and_then(|days| i32::try_from(days).ok()),
            kinds,
            organizers,
            office: office.map(|office| Json::of(office.name.clone())),
            office_kind: office.map(|office| office.kind.code().to_owned()),
            office_unit_id: office.and_then(|office| office.unit).map(|unit| unit.0),
            note: rate.note.clone().map(Json::of),
            provenance: Json::of(rate.provenance.clone()),
        }
    }

    fn parse(self) -> Result<Rate, Error> {
        let charge = self.charge()?;
        let unit = Unit::parse(&self.unit).map_err(corrupt)?;
        charge.fits(unit).map_err(corrupt)?;
        let office = match (parse_optional(self.office)?, self.office_kind) {
            (Some(name), Some(kind)) => {
                let kind = OfficeKind::parse(&kind).map_err(corrupt)?;
                Some(Office { name, kind, unit: self.office_unit_id.map(UnitId) })
            }
            _ => None,
        };
        Ok(Rate {
            code: Key::parse(&self.code).map_err(corrupt)?,
            category: Category::parse(&self.category).map_err(corrupt)?,
            item: self.item.parse()?,
            unit,
            charge,
            applies_when: condition(&self.applies_when, self.regular_from, self.regular_until, self.notice_days)?,
            scope: scope(&self.kinds, &self.organizers)?,
            office,
            note: parse_optional(self.note)?,
            provenance: self.provenance.parse()?,
        })
    }

    fn charge(&self) -> Result<Charge, Error> {
        let price = |low, high, currency: &str| {
            let currency = parse_currency(currency).map_err(corrupt)?;
            Price::parse(low, high, currency).map_err(corrupt_part)
        };
        match (self.low, self.high, &self.currency, self.percent, &self.base) {
            (Some(low), Some(high), Some(currency), None, None) => Ok(Charge::Price(price(low, high, currency)?)),
            (None, None, None, Some(percent), Some(base)) => {
                let above = match (self.above, &self.above_currency) {
                    (Some(above), Some(currency)) => Some(price(above, above, currency)?),
                    _ => None,
                };
                Charge::percentage(percent, Base::parse(base).map_err(corrupt)?, above).map_err(corrupt_part)
            }
            _ => Err(Error::Corrupt("a rate is neither a price nor a percentage".into())),
        }
    }
}

#[derive(Debug, PartialEq, Queryable, Selectable, Insertable)]
#[diesel(table_name = charge_rule)]
pub(super) struct RuleRow {
    pub(super) card_id: Uuid,
    code: String,
    position: i32,
    text: Json<Localized>,
    effect: String,
    categories: Vec<String>,
    kinds: Vec<String>,
    organizers: Vec<String>,
    applies_when: String,
    regular_from: Option<NaiveTime>,
    regular_until: Option<NaiveTime>,
    notice_days: Option<i32>,
    lead_hours: Option<i32>,
    provenance: Json<Provenance>,
}

impl RuleRow {
    pub(super) fn of(card: &RateCard) -> Vec<Self> {
        (0..).zip(card.rules.iter()).map(|(position, rule)| Self::of_rule(card.id, position, rule)).collect()
    }

    fn of_rule(card: RateCardId, position: i32, rule: &ChargeRule) -> Self {
        let (kinds, organizers) = scope_codes(&rule.scope);
        let hours = rule.applies_when.hours();
        Self {
            card_id: card.0,
            code: rule.code.as_str().to_owned(),
            position,
            text: Json::of(rule.text.clone()),
            effect: rule.effect.code().to_owned(),
            categories: rule.categories.iter().map(|category| category.code().to_owned()).collect(),
            kinds,
            organizers,
            applies_when: rule.applies_when.code().to_owned(),
            regular_from: hours.map(|hours| hours.from()),
            regular_until: hours.map(|hours| hours.until()),
            notice_days: rule.applies_when.notice_days().and_then(|days| i32::try_from(days).ok()),
            lead_hours: rule.lead_hours.and_then(|hours| i32::try_from(hours.get()).ok()),
            provenance: Json::of(rule.provenance.clone()),
        }
    }

    fn parse(self) -> Result<ChargeRule, Error> {
        let lead_hours = self.lead_hours.map(|hours| Count::parse(hours.into())).transpose().map_err(corrupt)?;
        Ok(ChargeRule {
            code: Key::parse(&self.code).map_err(corrupt)?,
            text: self.text.parse()?,
            effect: Effect::parse(&self.effect).map_err(corrupt)?,
            categories: codes(&self.categories, Category::parse)?,
            scope: scope(&self.kinds, &self.organizers)?,
            applies_when: condition(&self.applies_when, self.regular_from, self.regular_until, self.notice_days)?,
            lead_hours,
            provenance: self.provenance.parse()?,
        })
    }
}

fn condition(
    code: &str,
    from: Option<NaiveTime>,
    until: Option<NaiveTime>,
    notice_days: Option<i32>,
) -> Result<AppliesWhen, Error> {
    let hours = from.zip(until).map(|(from, until)| RegularHours::parse(from, until)).transpose().map_err(corrupt)?;
    AppliesWhen::parse(code, hours, notice_days.map(i64::from)).map_err(corrupt_part)
}

fn scope(kinds: &[String], organizers: &[String]) -> Result<Scope, Error> {
    Ok(Scope { kinds: codes(kinds, EventKind::parse)?, organizers: codes(organizers, Organizer::parse)? })
}

fn scope_codes(scope: &Scope) -> (Vec<String>, Vec<String>) {
    let kinds = scope.kinds.iter().map(|kind| kind.code().to_owned());
    (kinds.collect(), scope.organizers.iter().map(|organizer| organizer.code().to_owned()).collect())
}

fn codes<T: Ord>(codes: &[String], parse: fn(&str) -> Result<T, Broken>) -> Result<BTreeSet<T>, Error> {
    codes.iter().map(|code| parse(code).map_err(corrupt)).collect()
}
