//! The import of rate cards: rows as they are written, and what they stand for.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;
use serde::Deserialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::imports::{AudienceBody, Contradiction, Import, Names, from_json};
use crate::rows::{Localize, ProvenanceRow, each_once, localized, optional_localized};
use domain::directory::UnitId;
use domain::event_costs::{
    AppliesWhen, Base, Category, Charge, ChargeRule, Count, Currency, Distinct, Effect, EventKind, Interpreters,
    Office, OfficeKind, Organizer, Price, Rate, RateCard, RateCardId, RegularHours, Scope, Unit, Validity,
    parse_currency, parse_decimal, parse_time,
};
use domain::{Broken, DutyStation, Faults, Key, Kind, Rule, Stream};
use persistence::imports::Imported;
use persistence::{Conn, Error, event_costs};

/// The longest name.
const NAME: usize = 300;

/// The longest remark or rule.
const PROSE: usize = 2000;

/// A rate card: what one source says about the rates of one duty station in one period.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RateCardRow {
    #[expect(dead_code, reason = "read by the scan, and part of the contract")]
    #[schema(example = "rate_card")]
    kind: String,
    /// Its key in the source.
    #[expect(dead_code, reason = "read by the scan, and part of the contract")]
    #[schema(example = "ny-2016")]
    key: String,
    audience: Option<AudienceBody>,
    /// Left out: everywhere.
    #[schema(example = "NY")]
    duty_station: Option<String>,
    title: Localize,
    /// Left out: the source bears no date.
    #[schema(example = "2016-01-01")]
    valid_from: Option<NaiveDate>,
    /// Left out: until further notice.
    #[schema(example = "2016-12-31")]
    valid_until: Option<NaiveDate>,
    /// Whether the dates are a conclusion of the editor's.
    #[serde(default)]
    validity_inferred: bool,
    /// ISO 4217; of every rate that does not name its own.
    #[schema(example = "USD")]
    currency: String,
    /// Interpreters in a team, by language: 1 to 20 each.
    #[serde(default, deserialize_with = "each_once")]
    #[schema(example = json!({"ar": 3, "en": 2}))]
    interpreters: BTreeMap<String, i64>,
    provenance: ProvenanceRow,
    rates: Vec<RateRow>,
    #[serde(default)]
    rules: Vec<RuleRow>,
}

/// A rate.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RateRow {
    /// Its name within the card.
    #[schema(example = "av-technician")]
    code: String,
    /// `room`, `audiovisual`, `engineering`, `security`, `interpretation`, `captioning`,
    /// `sign_language`, `webcast`, `videoconference`, `documents`, `administration`,
    /// `programme_support`, `cancellation` or `deposit`.
    #[schema(example = "audiovisual")]
    category: String,
    item: Localize,
    /// `technician_meeting`, `hour`, `interpreter_day`, `meeting`, `day`, `event`, `participant`,
    /// `page`, `precedent` (what one event paid as a whole) or `share` (for a percentage).
    #[schema(example = "technician_meeting")]
    unit: String,
    charge: ChargeRow,
    /// ISO 4217, where it is another one than the card's.
    currency: Option<String>,
    /// `always`, `on_request` (also when left out), `regular_hours`, `outside_regular_hours` or
    /// `cancelled_within`.
    #[schema(example = "outside_regular_hours")]
    applies_when: Option<String>,
    /// With `regular_hours` and `outside_regular_hours`.
    regular_hours: Option<RegularHoursRow>,
    /// With `cancelled_within`: notice shorter than so many days costs this, from 1 to 366.
    notice_days: Option<i64>,
    /// The kinds of event it is for; none: all.
    #[serde(default)]
    #[schema(example = json!(["side_event"]))]
    kinds: Vec<String>,
    /// The organizers it is for; none: all.
    #[serde(default)]
    #[schema(example = json!(["ngo"]))]
    organizers: Vec<String>,
    office: Option<OfficeRow>,
    note: Option<Localize>,
    provenance: ProvenanceRow,
}

/// How much: `amount`, or `low` and `high`, or `percent` and `of`.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChargeRow {
    /// A decimal string.
    #[schema(example = "260.00")]
    amount: Option<String>,
    /// A decimal string.
    low: Option<String>,
    /// A decimal string.
    high: Option<String>,
    /// A decimal string, above 0 and up to 100.
    percent: Option<String>,
    /// `charges` (all prices), `staff_time`, `expenditure` (what United Nations offices bill) or
    /// `estimated_cost` (everything).
    of: Option<String>,
    /// With `percent`: due only on a base above this.
    above: Option<MoneyRow>,
}

/// An amount in a currency.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MoneyRow {
    /// A decimal string.
    #[schema(example = "5000.00")]
    amount: String,
    /// ISO 4217.
    #[schema(example = "USD")]
    currency: String,
}

/// Regular hours, Mondays to Fridays, in the duty station's wall-clock time.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RegularHoursRow {
    #[schema(example = "10:00")]
    from: String,
    #[schema(example = "18:00")]
    until: String,
}

/// Who bills.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OfficeRow {
    name: Localize,
    /// `united_nations` or `external`.
    #[schema(example = "united_nations")]
    kind: String,
    /// The key of its unit in the directory, `key` or `source:key`.
    unit: Option<String>,
}

/// A rule.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RuleRow {
    /// Its name within the card; the same on another card of the duty station is the same rule at
    /// another time.
    #[schema(example = "no-interpretation-for-side-events")]
    code: String,
    text: Localize,
    /// `informs`, `not_offered` (its `categories` are not to be had) or `not_held`.
    #[schema(example = "not_offered")]
    effect: String,
    /// The services it speaks of; none: the event as a whole.
    #[serde(default)]
    #[schema(example = json!(["interpretation"]))]
    categories: Vec<String>,
    /// The kinds of event it is for; none: all.
    #[serde(default)]
    kinds: Vec<String>,
    /// The organizers it is for; none: all.
    #[serde(default)]
    organizers: Vec<String>,
    /// As of a rate; `always` when left out.
    applies_when: Option<String>,
    regular_hours: Option<RegularHoursRow>,
    notice_days: Option<i64>,
    /// The hours before the first session by which something must be done, up to 8784.
    #[schema(example = 48)]
    lead_hours: Option<i64>,
    provenance: ProvenanceRow,
}

fn codes<T: Ord>(
    faults: &mut Faults,
    pointer: &str,
    codes: &[String],
    parse: fn(&str) -> Result<T, Broken>,
) -> BTreeSet<T> {
    let mut parsed = BTreeSet::new();
    for (i, code) in codes.iter().enumerate() {
        let pointer = format!("{pointer}/{i}");
        if faults.check(&pointer, parse(code)).is_some_and(|value| !parsed.insert(value)) {
            faults.add(pointer, Broken::new(Rule::Duplicate, message!("is named already")));
        }
    }
    parsed
}

fn scope(faults: &mut Faults, kinds: &[String], organizers: &[String]) -> Scope {
    Scope {
        kinds: codes(faults, "/kinds", kinds, EventKind::parse),
        organizers: codes(faults, "/organizers", organizers, Organizer::parse),
    }
}

fn applies_when(
    faults: &mut Faults,
    code: &str,
    hours: Option<&RegularHoursRow>,
    days: Option<i64>,
) -> Option<AppliesWhen> {
    let hours = match hours {
        None => None,
        Some(hours) => {
            let from = faults.check("/regular_hours/from", parse_time(&hours.from));
            let until = faults.check("/regular_hours/until", parse_time(&hours.until));
            Some(faults.check("/regular_hours", RegularHours::parse(from?, until?))?)
        }
    };
    faults.check_part("", AppliesWhen::parse(code, hours, days))
}

impl ChargeRow {
    fn parse(&self, faults: &mut Faults, currency: Currency) -> Option<Charge> {
        let decimal = |faults: &mut Faults, pointer: &str, text: &str| faults.check(pointer, parse_decimal(text));
        match (&self.amount, &self.low, &self.high, &self.percent, &self.of, &self.above) {
            (Some(amount), None, None, None, None, None) => {
                let amount = decimal(faults, "/charge/amount", amount)?;
                let price = Price::parse(amount, amount, currency);
                let refused = || {
                    Broken::new(
                        Rule::Range,
                        message!("must be from 0 to {max} with at most four decimals", max = Price::MAX),
                    )
                };
                faults.check("/charge/amount", price.map_err(|_| refused())).map(Charge::Price)
            }
            (None, Some(low), Some(high), None, None, None) => {
                let (low, high) = (decimal(faults, "/charge/low", low), decimal(faults, "/charge/high", high));
                faults.check_part("/charge", Price::parse(low?, high?, currency)).map(Charge::Price)
            }
            (None, None, None, Some(percent), Some(of), above) => {
                let percent = decimal(faults, "/charge/percent", percent);
                let of = faults.check("/charge/of", Base::parse(of));
                let above = match above {
                    None => None,
                    Some(above) => {
                        let amount = decimal(faults, "/charge/above/amount", &above.amount);
                        let currency = faults.check("/charge/above/currency", parse_currency(&above.currency));
                        let (amount, currency) = (amount?, currency?);
                        Some(faults.check_part("/charge/above", Price::parse(amount, amount, currency))?)
                    }
                };
                faults.check_part("/charge", Charge::percentage(percent?, of?, above))
            }
            _ => {
                let why = message!("must have amount, or low and high, or percent and of");
                faults.add("/charge", Broken::new(Rule::Conflict, why));
                None
            }
        }
    }
}

fn office(faults: &mut Faults, row: Option<OfficeRow>, names: &Names<'_>) -> Option<Option<Office>> {
    let Some(row) = row else { return Some(None) };
    let name = localized(faults, "/office/name", row.name, NAME);
    let kind = faults.check("/office/kind", OfficeKind::parse(&row.kind));
    let unit = row.unit.and_then(|key| faults.check("/office/unit", names.resolve(Kind::Unit, &key)));
    Some(Some(Office { name: name?, kind: kind?, unit: unit.map(UnitId) }))
}

fn rate(row: RateRow, card: Option<Currency>, names: &Names<'_>) -> Result<Rate, Faults> {
    let mut faults = Faults::new();
    let code = faults.check("/code", Key::parse(&row.code));
    let category = faults.check("/category", Category::parse(&row.category));
    let item = localized(&mut faults, "/item", row.item, NAME);
    let unit = faults.check("/unit", Unit::parse(&row.unit));
    let currency = match &row.currency {
        Some(code) => faults.check("/currency", parse_currency(code)),
        // refused with the card, but the rest of the rate is looked at all the same
        None => Some(card.unwrap_or(Currency::USD)),
    };
    let charge = currency.and_then(|currency| row.charge.parse(&mut faults, currency));
    if let (Some(charge), Some(unit)) = (&charge, unit) {
        faults.check("/unit", charge.fits(unit));
    }
    let condition = row.applies_when.as_deref().unwrap_or("on_request");
    let applies_when = applies_when(&mut faults, condition, row.regular_hours.as_ref(), row.notice_days);
    let scope = scope(&mut faults, &row.kinds, &row.organizers);
    let office = office(&mut faults, row.office, names);
    let note = optional_localized(&mut faults, "/note", row.note, PROSE).flatten();
    let provenance = row.provenance.parse(&mut faults);
    faults.finish((|| {
        Some(Rate {
            code: code?,
            category: category?,
            item: item?,
            unit: unit?,
            charge: charge?,
            applies_when: applies_when?,
            scope,
            office: office?,
            note,
            provenance: provenance?,
        })
    })())
}

fn rule(row: RuleRow) -> Result<ChargeRule, Faults> {
    let mut faults = Faults::new();
    let code = faults.check("/code", Key::parse(&row.code));
    let text = localized(&mut faults, "/text", row.text, PROSE);
    let effect = faults.check("/effect", Effect::parse(&row.effect));
    let categories = codes(&mut faults, "/categories", &row.categories, Category::parse);
    let scope = scope(&mut faults, &row.kinds, &row.organizers);
    let condition = row.applies_when.as_deref().unwrap_or("always");
    let applies_when = applies_when(&mut faults, condition, row.regular_hours.as_ref(), row.notice_days);
    let lead_hours = row.lead_hours.and_then(|hours| faults.check("/lead_hours", Count::parse(hours)));
    if effect == Some(Effect::NotOffered) && row.categories.is_empty() {
        faults.add("/categories", Broken::new(Rule::Required, message!("must say what is not offered")));
    }
    let provenance = row.provenance.parse(&mut faults);
    faults.finish((|| {
        Some(ChargeRule {
            code: code?,
            text: text?,
            effect: effect?,
            categories,
            scope,
            applies_when: applies_when?,
            lead_hours,
            provenance: provenance?,
        })
    })())
}

fn rate_card(row: RateCardRow, names: &Names<'_>) -> Result<RateCard, Faults> {
    let mut faults = Faults::new();
    let audience = faults.check_part("/audience", names.audience(row.audience.as_ref()));
    let place = row.duty_station.as_deref();
    let duty_station = place.and_then(|place| faults.check("/duty_station", DutyStation::parse(place)));
    let title = localized(&mut faults, "/title", row.title, NAME);
    let validity = Validity::parse(row.valid_from, row.valid_until, row.validity_inferred);
    let validity = faults.check_part("", validity);
    let currency = faults.check("/currency", parse_currency(&row.currency));
    let interpreters = faults.check_part("/interpreters", Interpreters::parse(&row.interpreters));
    let provenance = row.provenance.parse(&mut faults);
    let (rates, rules) = (row.rates.len(), row.rules.len());
    let parsed: Vec<Rate> = (row.rates.into_iter().enumerate())
        .filter_map(|(i, row)| faults.check_part(&format!("/rates/{i}"), rate(row, currency, names)))
        .collect();
    // places would not fit once a part is missing
    let rates = if parsed.len() == rates { faults.check_part("/rates", Distinct::parse(parsed)) } else { None };
    let parsed: Vec<ChargeRule> = (row.rules.into_iter().enumerate())
        .filter_map(|(i, row)| faults.check_part(&format!("/rules/{i}"), rule(row)))
        .collect();
    let rules = if parsed.len() == rules { faults.check_part("/rules", Distinct::parse(parsed)) } else { None };
    faults.finish((|| {
        Some(RateCard {
            id: RateCardId(names.id()),
            audience: audience?,
            duty_station,
            title: title?,
            validity: validity?,
            currency: currency?,
            interpreters: interpreters?,
            provenance: provenance?,
            rates: rates?,
            rules: rules?,
        })
    })())
}

/// The import of rate cards.
pub struct CostsImport;

impl Import for CostsImport {
    const STREAM: Stream = Stream::Costs;
    const KINDS: &'static [Kind] = &[Kind::RateCard];
    const REFERENCES: &'static [Kind] = &[Kind::RateCard, Kind::Unit, Kind::Mission];
    type Value = RateCard;

    fn parse(_: Kind, line: &[u8], names: &Names<'_>) -> Result<RateCard, Faults> {
        rate_card(from_json(line)?, names)
    }

    async fn save(conn: &mut Conn, rows: Vec<Imported<RateCard>>) -> Result<BTreeSet<Uuid>, Error> {
        event_costs::save_rate_cards(conn, &rows).await
    }

    async fn contradictions(conn: &mut Conn) -> Result<Vec<Contradiction>, Error> {
        let why = || message!("names a unit that is closed, or that not all of the card's own audience may see");
        let found = event_costs::contradictions(conn).await?.into_iter().map(|found| Contradiction {
            kind: Kind::RateCard,
            source: found.source,
            key: found.key,
            pointer: format!("/rates/{}/office/unit", found.rate),
            broken: Broken::new(Rule::Reference, why()),
        });
        Ok(found.collect())
    }
}
