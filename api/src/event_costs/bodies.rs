//! Rate cards as readers get them: in one language, with a named fallback.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::rendering::{ProvenanceBody, Rendering, audience_word};
use domain::Language;
use domain::event_costs::{
    AppliesWhen, Charge, ChargeRule, Office, Price, Rate, RateCard, RegularHours, Scope, Totals,
};

/// An amount, or what lies between two. Decimal strings with at least the digits of the currency's
/// minor unit.
#[derive(Debug, PartialEq, Serialize, ToSchema)]
pub struct PriceBody {
    /// The amount; absent where only bounds are known.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "260.00")]
    pub amount: Option<String>,
    /// The least it may be; the amount itself where that is known.
    #[schema(example = "260.00")]
    pub low: String,
    /// The most it may be.
    #[schema(example = "260.00")]
    pub high: String,
    /// ISO 4217.
    #[schema(example = "USD")]
    pub currency: &'static str,
}

impl From<&Price> for PriceBody {
    fn from(price: &Price) -> Self {
        Self {
            amount: (!price.is_range()).then(|| price.low_text()),
            low: price.low_text(),
            high: price.high_text(),
            currency: price.currency().code(),
        }
    }
}

/// Sums, a currency each: amounts of two currencies are never added.
pub fn totals(totals: &Totals) -> Vec<PriceBody> {
    totals.iter().map(PriceBody::from).collect()
}

/// Who bills.
#[derive(Debug, Serialize, ToSchema)]
pub struct OfficeBody {
    /// The office's name.
    #[schema(example = "Broadcast and Conference Support Section")]
    pub name: String,
    /// `united_nations`, or `external`: a supplier whom the organizer pays.
    #[schema(example = "united_nations")]
    pub kind: &'static str,
    /// Its unit in the directory, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unit: Option<Uuid>,
}

impl OfficeBody {
    /// Renders an office, below `field`.
    pub fn of(office: &Office, field: &str, rendering: &mut Rendering) -> Self {
        Self {
            name: rendering.text(format_args!("{field}.name"), &office.name),
            kind: office.kind.code(),
            unit: office.unit.map(|unit| unit.0),
        }
    }
}

/// Regular hours, Mondays to Fridays, in the duty station's wall-clock time.
#[derive(Debug, Serialize, ToSchema)]
pub struct RegularHoursBody {
    /// Their beginning.
    #[schema(example = "10:00")]
    pub from: String,
    /// Their end.
    #[schema(example = "18:00")]
    pub until: String,
}

impl From<RegularHours> for RegularHoursBody {
    fn from(hours: RegularHours) -> Self {
        let text = |time: chrono::NaiveTime| time.format("%H:%M").to_string();
        Self { from: text(hours.from()), until: text(hours.until()) }
    }
}

/// When a charge or a rule applies.
#[derive(Debug, Serialize, ToSchema)]
pub struct ConditionBody {
    /// `always` (asked for or not), `on_request`, `regular_hours`, `outside_regular_hours`, or
    /// `cancelled_within` (of so many days before the event).
    #[schema(example = "outside_regular_hours")]
    pub when: &'static str,
    /// The hours spoken of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub regular_hours: Option<RegularHoursBody>,
    /// The days of notice spoken of.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = 14)]
    pub notice_days: Option<u32>,
    /// The kinds of event; none: all.
    #[schema(example = json!(["side_event"]))]
    pub kinds: Vec<&'static str>,
    /// The organizers; none: all.
    #[schema(example = json!(["ngo"]))]
    pub organizers: Vec<&'static str>,
}

impl ConditionBody {
    fn of(applies_when: AppliesWhen, scope: &Scope) -> Self {
        Self {
            when: applies_when.code(),
            regular_hours: applies_when.hours().map(RegularHoursBody::from),
            notice_days: applies_when.notice_days(),
            kinds: scope.kinds.iter().map(|kind| kind.code()).collect(),
            organizers: scope.organizers.iter().map(|organizer| organizer.code()).collect(),
        }
    }
}

/// A rate: a price for each unit, or a percentage of a base.
#[derive(Debug, Serialize, ToSchema)]
pub struct RateBody {
    /// Its name within the card.
    #[schema(example = "av-technician")]
    pub code: String,
    /// What it pays for: `room`, `audiovisual`, `engineering`, `security`, `interpretation`,
    /// `captioning`, `sign_language`, `webcast`, `videoconference`, `documents`, `administration`,
    /// `programme_support`, `cancellation` or `deposit`.
    #[schema(example = "audiovisual")]
    pub category: &'static str,
    /// The category in words.
    #[schema(example = "audiovisual services")]
    pub category_name: &'static str,
    /// What it pays for, as the card words it.
    #[schema(example = "Audiovisual technician, regular hours 10:00 to 18:00")]
    pub item: String,
    /// What is counted: `technician_meeting`, `hour`, `interpreter_day`, `meeting`, `day`, `event`,
    /// `participant`, `page`, `precedent` (what one event paid as a whole) or `share`.
    #[schema(example = "technician_meeting")]
    pub unit: &'static str,
    /// The unit in words.
    #[schema(example = "technician per meeting")]
    pub unit_name: &'static str,
    /// The price of a unit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub price: Option<PriceBody>,
    /// The percentage, where it is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "13")]
    pub percent: Option<String>,
    /// What the percentage is of: `charges`, `staff_time`, `expenditure` or `estimated_cost`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "expenditure")]
    pub of: Option<&'static str>,
    /// The base in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "expenditure of the United Nations")]
    pub of_name: Option<&'static str>,
    /// The percentage is due only on a base above this.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub above: Option<PriceBody>,
    /// When it is charged.
    pub applies: ConditionBody,
    /// Who bills it, where the source says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub office: Option<OfficeBody>,
    /// What to know about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// Where it comes from and how far to rely on it.
    pub provenance: ProvenanceBody,
}

impl RateBody {
    fn of(rate: &Rate, field: &str, rendering: &mut Rendering) -> Self {
        let language = rendering.language;
        let (price, share) = match rate.charge {
            Charge::Price(price) => (Some(price), None),
            Charge::Percentage { percent, of, above } => (None, Some((percent, of, above))),
        };
        Self {
            code: rate.code.as_str().to_owned(),
            category: rate.category.code(),
            category_name: rate.category.name(language),
            item: rendering.text(format_args!("{field}.item"), &rate.item),
            unit: rate.unit.code(),
            unit_name: rate.unit.name(language),
            price: price.as_ref().map(PriceBody::from),
            percent: share.map(|(percent, ..)| percent.to_string()),
            of: share.map(|(_, of, _)| of.code()),
            of_name: share.map(|(_, of, _)| of.name(language)),
            above: share.and_then(|(.., above)| above).as_ref().map(PriceBody::from),
            applies: ConditionBody::of(rate.applies_when, &rate.scope),
            office: rate.office.as_ref().map(|office| OfficeBody::of(office, &format!("{field}.office"), rendering)),
            note: rendering.text_or_none(format_args!("{field}.note"), rate.note.as_ref()),
            provenance: (&rate.provenance).into(),
        }
    }
}

/// What an organizer must know apart from the rates.
#[derive(Debug, Serialize, ToSchema)]
pub struct RuleBody {
    /// Its name within the card.
    #[schema(example = "no-interpretation-for-side-events")]
    pub code: String,
    /// What it says.
    #[schema(example = "Interpretation by the United Nations is not available for side events.")]
    pub text: String,
    /// `informs`, `not_offered` (the services in `categories` are not to be had) or `not_held` (such
    /// an event is not held).
    #[schema(example = "not_offered")]
    pub effect: &'static str,
    /// The services it speaks of; none: the event as a whole.
    #[schema(example = json!(["interpretation"]))]
    pub categories: Vec<&'static str>,
    /// When it matters.
    pub applies: ConditionBody,
    /// The hours before the first session by which something must be done.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = 48)]
    pub lead_hours: Option<u32>,
    /// Where it comes from and how far to rely on it.
    pub provenance: ProvenanceBody,
}

impl RuleBody {
    fn of(rule: &ChargeRule, field: &str, rendering: &mut Rendering) -> Self {
        Self {
            code: rule.code.as_str().to_owned(),
            text: rendering.text(format_args!("{field}.text"), &rule.text),
            effect: rule.effect.code(),
            categories: rule.categories.iter().map(|category| category.code()).collect(),
            applies: ConditionBody::of(rule.applies_when, &rule.scope),
            lead_hours: rule.lead_hours.map(|hours| hours.get()),
            provenance: (&rule.provenance).into(),
        }
    }
}

/// What one source says about the rates of one duty station, or of all, in one period.
#[derive(Debug, Serialize, ToSchema)]
pub struct RateCardBody {
    /// Its id, for good.
    #[schema(example = "0193a5f0-7c1e-7a54-9a55-0d5c3f6f2b11")]
    pub id: Uuid,
    /// What it is called.
    #[schema(example = "Costs of events at Headquarters, 2016")]
    pub title: String,
    /// Where it holds; absent: everywhere.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "NY")]
    pub duty_station: Option<String>,
    /// The first day on which it holds; absent when the source bears no date.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "2016-01-01")]
    pub valid_from: Option<NaiveDate>,
    /// The last day; absent with a `valid_from`: until further notice.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "2016-12-31")]
    pub valid_until: Option<NaiveDate>,
    /// Whether these days are a conclusion of the editor's rather than a statement of the source.
    pub validity_inferred: bool,
    /// ISO 4217; its rates are in this currency unless they name another.
    #[schema(example = "USD")]
    pub currency: &'static str,
    /// How many interpreters a team needs for each language, where the source says so.
    #[schema(example = json!({"ar": 3, "en": 2}))]
    pub interpreters: BTreeMap<&'static str, u32>,
    /// What is charged.
    pub rates: Vec<RateBody>,
    /// What else an organizer must know.
    pub rules: Vec<RuleBody>,
    /// Who may see it: `public`, `delegates`, `secretariat` or `missions` (named ones).
    #[schema(example = "delegates")]
    pub audience: &'static str,
    /// Where the card comes from and how far to rely on it.
    pub provenance: ProvenanceBody,
    /// The language asked for.
    #[schema(value_type = String, example = "fr")]
    pub language: Language,
    /// The fields that are not in it, and the language they are in instead.
    #[schema(value_type = BTreeMap<String, String>, example = json!({"rates.0.item": "en"}))]
    pub fallbacks: BTreeMap<String, Language>,
}

impl RateCardBody {
    /// Renders a card.
    pub fn of(card: &RateCard, mut rendering: Rendering) -> Self {
        let mut rates = Vec::new();
        for (i, rate) in card.rates.iter().enumerate() {
            rates.push(RateBody::of(rate, &format!("rates.{i}"), &mut rendering));
        }
        let mut rules = Vec::new();
        for (i, rule) in card.rules.iter().enumerate() {
            rules.push(RuleBody::of(rule, &format!("rules.{i}"), &mut rendering));
        }
        Self {
            id: card.id.0,
            title: rendering.text("title", &card.title),
            duty_station: card.duty_station.as_ref().map(|place| place.as_str().to_owned()),
            valid_from: card.validity.from(),
            valid_until: card.validity.until(),
            validity_inferred: card.validity.is_inferred(),
            currency: card.currency.code(),
            interpreters: card.interpreters.iter().map(|(language, number)| (language.tag(), number)).collect(),
            rates,
            rules,
            audience: audience_word(&card.audience),
            provenance: (&card.provenance).into(),
            language: rendering.language,
            fallbacks: rendering.fallbacks(),
        }
    }
}
