//! Estimates: the plan that is sent, and the bill that comes back.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::bodies::{OfficeBody, PriceBody, totals};
use crate::rendering::{ProvenanceBody, Rendering};
use domain::event_costs::{
    Basis, Calculation, Count, Estimate, EventKind, Line, NotPriced, Notice, Organizer, Plan, Saving, Session,
    Sessions, Wishes, parse_date, parse_time,
};
use domain::{Broken, DutyStation, Faults, Language, Rule};

/// A stretch of time in the duty station's wall-clock time.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SessionBody {
    /// The day it begins on.
    #[schema(example = "2026-09-22")]
    date: String,
    /// From `00:00` to `23:59`.
    #[schema(example = "18:30")]
    start: String,
    /// After `start`, unless it ends on the next day.
    #[schema(example = "20:00")]
    end: String,
    /// Whether it passes midnight. At most 24 hours.
    #[serde(default)]
    #[schema(example = false)]
    ends_next_day: bool,
}

/// What is wanted. What is left out is not wanted.
#[derive(Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct WishesBody {
    /// Audiovisual technicians at each session, up to 100.
    #[schema(example = 3, minimum = 0, maximum = 100)]
    av_technicians: i64,
    /// Engineering supervisors at each session, up to 20.
    #[schema(example = 0, minimum = 0, maximum = 20)]
    engineering_supervisors: i64,
    /// The languages to interpret between.
    #[schema(example = json!(["en", "fr"]))]
    interpretation: Vec<String>,
    /// Captions of what is said (CART).
    captioning: bool,
    /// Interpretation into sign language.
    sign_language: bool,
    /// Security officers beyond what comes with the room.
    security: bool,
    /// A room with projector, screen, sound and microphones.
    room_equipment: bool,
    /// A live webcast.
    webcast: bool,
    /// Participants who join by video.
    videoconference: bool,
    /// Pages to be printed or reproduced, up to 1,000,000.
    #[schema(example = 0, minimum = 0, maximum = 1000000)]
    pages: i64,
}

/// An event that somebody wants to hold.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PlanBody {
    /// Where.
    #[schema(example = "NY")]
    duty_station: String,
    /// What: `meeting`, `side_event`, `exhibition`, `reception`, `press_conference`,
    /// `cultural_event` or `other`.
    #[schema(example = "side_event")]
    kind: String,
    /// By whom: `permanent_mission` (also when left out), `secretariat`, `un_entity`,
    /// `intergovernmental_organization` or `ngo`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "permanent_mission")]
    organizer: Option<String>,
    /// When: 1 to 31 sessions within 31 days that do not overlap.
    #[schema(min_items = 1, max_items = 31)]
    sessions: Vec<SessionBody>,
    /// How many people come, up to 100,000.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = 80, minimum = 0, maximum = 100000)]
    participants: Option<i64>,
    /// What is wanted.
    #[serde(default)]
    wishes: WishesBody,
    /// To learn what a cancellation would cost: with so many days of notice, up to 366.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 0, maximum = 366)]
    cancelled_days_before: Option<i64>,
}

impl SessionBody {
    fn parse(&self) -> Result<Session, Faults> {
        let mut faults = Faults::new();
        let date = faults.check("/date", parse_date(&self.date));
        let start = faults.check("/start", parse_time(&self.start));
        let end = faults.check("/end", parse_time(&self.end));
        let session = match (date, start, end) {
            (Some(date), Some(start), Some(end)) => {
                faults.check_part("", Session::parse(date, start, end, self.ends_next_day))
            }
            _ => None,
        };
        faults.finish(session)
    }

    fn of(session: &Session) -> Self {
        let (starts, ends) = (session.starts(), session.ends());
        Self {
            date: starts.date().to_string(),
            start: starts.format("%H:%M").to_string(),
            end: ends.format("%H:%M").to_string(),
            ends_next_day: ends.date() > starts.date(),
        }
    }
}

impl WishesBody {
    fn parse(&self) -> Result<Wishes, Faults> {
        let mut faults = Faults::new();
        let technicians = faults.check("/av_technicians", Count::parse(self.av_technicians));
        let supervisors = faults.check("/engineering_supervisors", Count::parse(self.engineering_supervisors));
        let pages = faults.check("/pages", Count::parse(self.pages));
        let mut interpretation = BTreeSet::new();
        for (i, tag) in self.interpretation.iter().enumerate() {
            let pointer = format!("/interpretation/{i}");
            if faults.check(&pointer, Language::parse(tag)).is_some_and(|language| !interpretation.insert(language)) {
                faults.add(pointer, Broken::new(Rule::Duplicate, message!("is named already")));
            }
        }
        faults.finish((|| {
            Some(Wishes {
                technicians: technicians?,
                supervisors: supervisors?,
                interpretation,
                captioning: self.captioning,
                sign_language: self.sign_language,
                security: self.security,
                room_equipment: self.room_equipment,
                webcast: self.webcast,
                videoconference: self.videoconference,
                pages: pages?,
            })
        })())
    }

    fn of(wishes: &Wishes) -> Self {
        Self {
            av_technicians: wishes.technicians.get().into(),
            engineering_supervisors: wishes.supervisors.get().into(),
            interpretation: wishes.interpretation.iter().map(|language| language.tag().to_owned()).collect(),
            captioning: wishes.captioning,
            sign_language: wishes.sign_language,
            security: wishes.security,
            room_equipment: wishes.room_equipment,
            webcast: wishes.webcast,
            videoconference: wishes.videoconference,
            pages: wishes.pages.get().into(),
        }
    }
}

impl PlanBody {
    /// The plan, or every rule it breaks.
    pub fn parse(&self) -> Result<Plan, Faults> {
        let mut faults = Faults::new();
        let duty_station = faults.check("/duty_station", DutyStation::parse(&self.duty_station));
        let kind = faults.check("/kind", EventKind::parse(&self.kind));
        let organizer = match &self.organizer {
            Some(organizer) => faults.check("/organizer", Organizer::parse(organizer)),
            None => Some(Organizer::PermanentMission),
        };
        let mut sessions = Vec::new();
        // a list far too long is refused as such and not read
        for (i, session) in self.sessions.iter().take(Sessions::MAX + 1).enumerate() {
            sessions.extend(faults.check_part(&format!("/sessions/{i}"), session.parse()));
        }
        let whole = sessions.len() == self.sessions.len().min(Sessions::MAX + 1);
        let sessions = if whole { faults.check_part("/sessions", Sessions::parse(sessions)) } else { None };
        let participants = self.participants.and_then(|n| faults.check("/participants", Count::parse(n)));
        let wishes = faults.check_part("/wishes", self.wishes.parse());
        let notice = self.cancelled_days_before.and_then(|n| faults.check("/cancelled_days_before", Count::parse(n)));
        faults.finish((|| {
            Some(Plan {
                duty_station: duty_station?,
                kind: kind?,
                organizer: organizer?,
                sessions: sessions?,
                participants,
                wishes: wishes?,
                cancelled_days_before: notice,
            })
        })())
    }

    fn of(plan: &Plan) -> Self {
        Self {
            duty_station: plan.duty_station.as_str().to_owned(),
            kind: plan.kind.code().to_owned(),
            organizer: Some(plan.organizer.code().to_owned()),
            sessions: plan.sessions.iter().map(SessionBody::of).collect(),
            participants: plan.participants.map(|n| n.get().into()),
            wishes: WishesBody::of(&plan.wishes),
            cancelled_days_before: plan.cancelled_days_before.map(|n| n.get().into()),
        }
    }
}

/// Whether rates hold for the plan.
#[derive(Debug, Serialize, ToSchema)]
pub struct EstimateBasisBody {
    /// `current`: in force on every day of the event, as far as the sources say. `historical`: of
    /// other years, an order of magnitude and never a tariff. `undated`: the source bears no date, so
    /// no tariff either.
    #[schema(example = "historical")]
    kind: &'static str,
    /// The years of historical rates.
    #[schema(example = json!([2012, 2016]))]
    years: Vec<i32>,
    /// The same in words, to be shown beside the amount.
    #[schema(example = "Historical rates (2012, 2016): an order of magnitude, not a tariff.")]
    text: String,
}

impl EstimateBasisBody {
    fn of(basis: &Basis, language: Language) -> Self {
        let years = match basis {
            Basis::Historical(years) => years.iter().copied().collect(),
            Basis::Current | Basis::Undated => Vec::new(),
        };
        Self { kind: basis.code(), years, text: basis.text(language) }
    }
}

/// A charge.
#[derive(Debug, Serialize, ToSchema)]
pub struct LineBody {
    /// What it pays for, as in a rate card.
    #[schema(example = "audiovisual")]
    category: &'static str,
    /// The category in words.
    #[schema(example = "audiovisual services")]
    category_name: &'static str,
    /// What it pays for, as the card words it.
    #[schema(example = "Audiovisual technician, additional outside 10:00 to 18:00")]
    item: String,
    /// How many units are charged, a decimal string; absent for a percentage.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "3")]
    quantity: Option<String>,
    /// What is counted, as in a rate card.
    #[schema(example = "technician_meeting")]
    unit: &'static str,
    /// The unit in words.
    #[schema(example = "technician per meeting")]
    unit_name: &'static str,
    /// The price of one unit.
    #[serde(skip_serializing_if = "Option::is_none")]
    price: Option<PriceBody>,
    /// The percentage, where it is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "13")]
    percent: Option<String>,
    /// What the percentage is taken of, in money.
    #[serde(skip_serializing_if = "Option::is_none")]
    base: Option<PriceBody>,
    /// What is charged: rounded half-even to the currency's minor unit.
    amount: PriceBody,
    /// Why it is charged.
    #[schema(
        example = "Charged for time outside the regular hours of 10:00 to 18:00, Monday to Friday; sessions concerned: 1 of 1."
    )]
    reason: String,
    /// Who bills it; absent where the source does not say.
    #[serde(skip_serializing_if = "Option::is_none")]
    office: Option<OfficeBody>,
    /// Whether the rate holds for the plan.
    basis: EstimateBasisBody,
    /// Whether the years of the rate are a conclusion of the editor's.
    validity_inferred: bool,
    /// What to know about the rate.
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<String>,
    /// The rate card it is from.
    rate_card: Uuid,
    /// The rate's code there.
    #[schema(example = "av-technician-additional")]
    rate: String,
    /// Where the rate comes from and how far to rely on it.
    provenance: ProvenanceBody,
}

impl LineBody {
    fn of(line: &Line<'_>, field: &str, rendering: &mut Rendering) -> Self {
        let (language, rate) = (rendering.language, line.rate);
        let (units, share) = match line.calculation {
            Calculation::Units { quantity, price } => (Some((quantity, price)), None),
            Calculation::Share { percent, base } => (None, Some((percent, base))),
        };
        Self {
            category: rate.category.code(),
            category_name: rate.category.name(language),
            item: rendering.text(format_args!("{field}.item"), &rate.item),
            quantity: units.map(|(quantity, _)| quantity.to_string()),
            unit: rate.unit.code(),
            unit_name: rate.unit.name(language),
            price: units.map(|(_, price)| PriceBody::from(&price)),
            percent: share.map(|(percent, _)| percent.to_string()),
            base: share.map(|(_, base)| PriceBody::from(&base)),
            amount: (&line.amount).into(),
            reason: line.reason.text(language),
            office: rate.office.as_ref().map(|office| OfficeBody::of(office, &format!("{field}.office"), rendering)),
            basis: EstimateBasisBody::of(&line.basis, language),
            validity_inferred: line.card.validity.is_inferred(),
            note: rendering.text_or_none(format_args!("{field}.note"), rate.note.as_ref()),
            rate_card: line.card.id.0,
            rate: rate.code.as_str().to_owned(),
            provenance: (&rate.provenance).into(),
        }
    }
}

/// What one office bills.
#[derive(Debug, Serialize, ToSchema)]
pub struct SubtotalBody {
    /// The office; absent for the charges whose office the sources do not name.
    #[serde(skip_serializing_if = "Option::is_none")]
    office: Option<OfficeBody>,
    /// The sums, a currency each.
    totals: Vec<PriceBody>,
}

/// Something asked for that has no price here.
#[derive(Debug, Serialize, ToSchema)]
pub struct NotPricedBody {
    /// What, as a category of a rate card.
    #[schema(example = "interpretation")]
    category: &'static str,
    /// The category in words.
    #[schema(example = "interpretation")]
    category_name: &'static str,
    /// `no_rate`, `rate_does_not_apply`, `not_offered`, `only_precedent`, `unknown_team` or
    /// `unknown_participants`.
    #[schema(example = "not_offered")]
    why: &'static str,
    /// The same in words.
    #[schema(example = "Interpretation by the United Nations is not available for side events.")]
    text: String,
}

impl NotPricedBody {
    fn of(gap: &NotPriced<'_>, language: Language) -> Self {
        Self {
            category: gap.category.code(),
            category_name: gap.category.name(language),
            why: gap.why.code(),
            text: gap.why.text(language),
        }
    }
}

/// A rule that matters for this plan.
#[derive(Debug, Serialize, ToSchema)]
pub struct NoticeBody {
    /// Its code on the card.
    #[schema(example = "special-event-tickets")]
    code: String,
    /// `informs`, `not_offered` or `not_held` (such an event is not held).
    #[schema(example = "informs")]
    effect: &'static str,
    /// What it says.
    #[schema(example = "Intergovernmental meetings have priority; a side event may be cancelled at the last minute.")]
    text: String,
    /// When something must be done, in the duty station's wall-clock time.
    #[serde(skip_serializing_if = "Option::is_none")]
    due: Option<DueBody>,
    /// Whether the card holds for the plan: `current`, `historical` or `undated`.
    #[schema(example = "historical")]
    basis: &'static str,
    /// The same in words, where it may no longer hold.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "A rule of other years (2016): ask whether it still holds.")]
    caution: Option<String>,
    /// The rate card it is from.
    rate_card: Uuid,
    /// Where it comes from and how far to rely on it.
    provenance: ProvenanceBody,
}

/// A deadline in the duty station's wall-clock time.
#[derive(Debug, Serialize, ToSchema)]
pub struct DueBody {
    /// The day.
    #[schema(example = "2026-09-20")]
    date: String,
    /// The time.
    #[schema(example = "18:30")]
    time: String,
    /// Whether that day is over.
    passed: bool,
}

impl NoticeBody {
    fn of(notice: &Notice<'_>, field: &str, rendering: &mut Rendering) -> Self {
        Self {
            code: notice.rule.code.as_str().to_owned(),
            effect: notice.rule.effect.code(),
            text: rendering.text(format_args!("{field}.text"), &notice.rule.text),
            due: notice.due.map(|due| DueBody {
                date: due.by.date().to_string(),
                time: due.by.format("%H:%M").to_string(),
                passed: due.passed,
            }),
            basis: notice.basis.code(),
            caution: notice.basis.rule_text(rendering.language),
            rate_card: notice.card.id.0,
            provenance: (&notice.rule.provenance).into(),
        }
    }
}

/// A cheaper variant of the plan.
#[derive(Debug, Serialize, ToSchema)]
pub struct SavingBody {
    /// `regular_hours`, `one_technician_fewer` or `earlier_cancellation`.
    #[schema(example = "regular_hours")]
    kind: &'static str,
    /// What to do differently.
    #[schema(example = "Hold the event within the regular hours of 10:00 to 18:00, Monday to Friday.")]
    text: String,
    /// What that spares, a currency each.
    spared: Vec<PriceBody>,
    /// The whole plan with that difference: send it to have it priced.
    plan: PlanBody,
}

impl SavingBody {
    fn of(saving: &Saving, language: Language) -> Self {
        Self {
            kind: saving.alternative.code(),
            text: saving.alternative.text(language),
            spared: saving.spared.iter().map(PriceBody::from).collect(),
            plan: PlanBody::of(&saving.plan),
        }
    }
}

/// What an event would cost, by the rate cards the caller may see.
#[derive(Debug, Serialize, ToSchema)]
pub struct EstimateBody {
    /// How far the whole can be relied on: as far as its least reliable charge. Absent when nothing
    /// has a price.
    #[serde(skip_serializing_if = "Option::is_none")]
    basis: Option<EstimateBasisBody>,
    /// What the lines come to, a currency each; a range where any line is one.
    totals: Vec<PriceBody>,
    /// The same by the office that bills.
    offices: Vec<SubtotalBody>,
    /// The charges. Programme support cost is one of them.
    lines: Vec<LineBody>,
    /// What is to be paid in advance and is set off against the total; no part of it.
    deposits: Vec<LineBody>,
    /// What would be due in place of the total if the event were cancelled with the notice asked
    /// about; no part of the total.
    cancellation: Vec<LineBody>,
    /// What was asked for and has no price here, with the reason.
    not_priced: Vec<NotPricedBody>,
    /// The rules that matter for this plan.
    notices: Vec<NoticeBody>,
    /// What would make it cheaper, each priced on its own.
    savings: Vec<SavingBody>,
    /// The language asked for.
    #[schema(value_type = String, example = "fr")]
    language: Language,
    /// The fields that are not in it, and the language they are in instead.
    #[schema(value_type = BTreeMap<String, String>, example = json!({"lines.0.item": "en"}))]
    fallbacks: BTreeMap<String, Language>,
}

impl EstimateBody {
    /// Renders an estimate.
    pub fn of(estimate: &Estimate<'_>, mut rendering: Rendering) -> Self {
        let language = rendering.language;
        let mut lines = |field: &str, lines: &[Line<'_>]| -> Vec<LineBody> {
            let numbered = lines.iter().enumerate();
            numbered.map(|(i, line)| LineBody::of(line, &format!("{field}.{i}"), &mut rendering)).collect()
        };
        let (charges, deposits) = (lines("lines", &estimate.lines), lines("deposits", &estimate.deposits));
        let cancellation = lines("cancellation", &estimate.cancellation);
        let mut offices = Vec::new();
        for (i, (office, sums)) in estimate.by_office().into_iter().enumerate() {
            let office = office.map(|office| OfficeBody::of(office, &format!("offices.{i}.office"), &mut rendering));
            offices.push(SubtotalBody { office, totals: totals(&sums) });
        }
        let mut notices = Vec::new();
        for (i, notice) in estimate.notices.iter().enumerate() {
            notices.push(NoticeBody::of(notice, &format!("notices.{i}"), &mut rendering));
        }
        Self {
            basis: estimate.basis().map(|basis| EstimateBasisBody::of(&basis, language)),
            totals: totals(&estimate.totals()),
            offices,
            lines: charges,
            deposits,
            cancellation,
            not_priced: estimate.not_priced.iter().map(|gap| NotPricedBody::of(gap, language)).collect(),
            notices,
            savings: estimate.savings.iter().map(|saving| SavingBody::of(saving, language)).collect(),
            language,
            fallbacks: rendering.fallbacks(),
        }
    }
}
