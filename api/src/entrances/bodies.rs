//! Places as readers get them: with their openings, or with their state at a moment for a pass.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::bulletins::bodies::{IssuerBody, MomentBody, ReadingBody, local};
use crate::rendering::{ProvenanceBody, Rendering, audience_word};
use domain::bulletins::{Bulletin, Register};
use domain::entrances::{
    Answer, Basis, DailyHours, Hours, Opening, OpeningState, Outside, Pass, Passes, Place, PlaceKind, Reason,
    Screening, State, Weekday,
};
use domain::moment::{Moment, ReadingRule};
use domain::{Language, Localized};

/// A part of the day.
#[derive(Debug, Serialize, ToSchema)]
pub struct DailyHoursBody {
    /// When it begins, on the place's clocks.
    #[schema(example = "07:00")]
    pub from: String,
    /// When it ends; on the next day when it is not later than `from`.
    #[schema(example = "21:00")]
    pub until: String,
    /// How an inexact source was read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reading: Option<ReadingBody>,
}

/// Hours of the day and days of the week.
#[derive(Debug, Serialize, ToSchema)]
pub struct HoursBody {
    /// The hours; none: the whole day.
    pub daily: Vec<DailyHoursBody>,
    /// The days on which they begin; none: every day.
    #[schema(value_type = Vec<String>, example = json!(["monday", "tuesday"]))]
    pub weekdays: Vec<Weekday>,
    /// What the source says of the rest of the time: `closed` or `unknown`.
    #[schema(value_type = String, example = "closed")]
    pub outside: Outside,
}

impl HoursBody {
    fn of(hours: &Hours) -> Self {
        let daily = |hours: &DailyHours| {
            let time = |time: chrono::NaiveTime| time.format("%H:%M").to_string();
            let (from, until) = (time(hours.from()), time(hours.until()));
            let reading = hours.is_approximate().then(|| ReadingBody {
                given: String::from(*hours),
                read_as: format!("{from}-{until}"),
                rule: ReadingRule::ApproximateTime,
            });
            DailyHoursBody { from, until, reading }
        };
        Self {
            daily: hours.daily.iter().map(daily).collect(),
            weekdays: hours.weekdays.iter().copied().collect(),
            outside: hours.outside,
        }
    }
}

/// What one source says of a place.
#[derive(Debug, Serialize, ToSchema)]
pub struct OpeningBody {
    /// `open`, `restricted` (let in under a condition: the place is reserved for `passes`, or `note` says what
    /// else) or `closed`.
    #[schema(value_type = String, example = "restricted")]
    pub state: OpeningState,
    /// Whom it is about; absent: everybody.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Vec<String>>, example = json!(["vip", "delegate"]))]
    pub passes: Option<Vec<Pass>>,
    /// Whom the source sends to another place.
    #[schema(value_type = Vec<String>, example = json!(["media", "staff"]))]
    pub directed_elsewhere: Vec<Pass>,
    /// From when it holds. When its source does not say, from when its bulletin does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<MomentBody>,
    /// Until when it holds: until then by its own words, or until its bulletin ends.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<MomentBody>,
    /// At which hours and on which days; absent: throughout.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hours: Option<HoursBody>,
    /// `required`, `not_required` or `unknown`.
    #[schema(value_type = String, example = "required")]
    pub screening: Screening,
    /// Conditions and exceptions.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "Except for escorted motorcades.")]
    pub note: Option<String>,
    /// The bulletin it rests on; absent: a standing arrangement.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bulletin: Option<Uuid>,
    /// Where it comes from and how far to rely on it.
    pub provenance: ProvenanceBody,
}

impl OpeningBody {
    fn of(
        field: &str,
        opening: &Opening,
        (from, until): (Option<&Moment>, Option<&Moment>),
        zone: Tz,
        rendering: &mut Rendering,
    ) -> Self {
        Self {
            state: opening.state,
            passes: match &opening.passes {
                Passes::All => None,
                Passes::Only(named) => Some(named.iter().copied().collect()),
            },
            directed_elsewhere: opening.directed_elsewhere.iter().copied().collect(),
            from: from.map(|m| MomentBody::of(m, zone)),
            until: until.map(|m| MomentBody::of(m, zone)),
            hours: opening.hours.as_ref().map(HoursBody::of),
            screening: opening.screening,
            note: rendering.text_or_none(format_args!("{field}.note"), opening.note.as_ref()),
            bulletin: opening.basis.map(|id| id.0),
            provenance: (&opening.provenance).into(),
        }
    }
}

fn other_names(place: &Place, rendering: &mut Rendering) -> Vec<String> {
    let name = |(i, name): (usize, &Localized)| rendering.text(format_args!("other_names.{i}"), name);
    place.other_names.iter().enumerate().map(name).collect()
}

/// A place with what sources say of it. Its state follows from the openings by the rules that
/// `GET /v1/entrances` tells.
#[derive(Debug, Serialize, ToSchema)]
pub struct PlaceBody {
    /// Its id, for good.
    #[schema(example = "0193a5f0-7c1e-7a54-9a55-0d5c3f6f2b11")]
    pub id: Uuid,
    /// `entrance`, `checkpoint`, `garage`, `street`, `crossing` or `building`.
    #[schema(value_type = String, example = "entrance")]
    pub place_kind: PlaceKind,
    /// Its name.
    #[schema(example = "46th Street entrance, southern gates")]
    pub name: String,
    /// Former names, and others that people use.
    pub other_names: Vec<String>,
    /// Its street address.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "14 avenue de la Paix")]
    pub address: Option<String>,
    /// Where it is.
    #[schema(example = "NY")]
    pub duty_station: String,
    /// What its clocks show (IANA).
    #[schema(example = "America/New_York")]
    pub time_zone: String,
    /// What sources say of it, with the periods as the sources give them.
    pub openings: Vec<OpeningBody>,
    /// Who may see it: `public`, `delegates`, `secretariat` or `missions` (named ones).
    #[schema(example = "public")]
    pub audience: &'static str,
    /// Where the place's name and position come from.
    pub provenance: ProvenanceBody,
    /// The language asked for.
    #[schema(value_type = String, example = "fr")]
    pub language: Language,
    /// The fields that are not in it, and the language they are in instead.
    #[schema(value_type = BTreeMap<String, String>, example = json!({"address": "en"}))]
    pub fallbacks: BTreeMap<String, Language>,
}

impl PlaceBody {
    /// Renders a place. What rests on a bulletin that the reader may not see is left out.
    pub fn of(place: &Place, register: &Register, mut rendering: Rendering) -> Self {
        let zone = place.time_zone;
        let openings: Vec<_> = place.openings_for(register, rendering.reader).collect();
        let body = |(i, opening): (usize, &&Opening)| {
            let period = (opening.period.from.as_ref(), opening.period.until.as_ref());
            OpeningBody::of(&format!("openings.{i}"), opening, period, zone, &mut rendering)
        };
        let openings = openings.iter().enumerate().map(body).collect();
        Self {
            id: place.id.0,
            place_kind: place.kind,
            name: rendering.text("name", &place.name),
            other_names: other_names(place, &mut rendering),
            address: rendering.text_or_none("address", place.address.as_ref()),
            duty_station: place.duty_station.as_str().to_owned(),
            time_zone: zone.name().to_owned(),
            openings,
            audience: audience_word(&place.audience),
            provenance: (&place.provenance).into(),
            language: rendering.language,
            fallbacks: rendering.fallbacks(),
        }
    }
}

/// The bulletin that an opening rests on.
#[derive(Debug, Serialize, ToSchema)]
pub struct BasisBulletinBody {
    /// Its id: `GET /v1/bulletins/{id}`.
    pub id: Uuid,
    /// What the issuer calls it.
    #[schema(example = "UN-2016-04-21")]
    pub identifier: String,
    /// Who issued it.
    pub issuer: IssuerBody,
    /// One line.
    #[schema(example = "Headquarters: security arrangements for 21 April 2016")]
    pub headline: String,
    /// When the issuer sent it.
    pub sent: MomentBody,
}

impl BasisBulletinBody {
    fn of(field: &str, bulletin: &Bulletin, rendering: &mut Rendering) -> Self {
        let (language, text) = bulletin.text(rendering.language);
        rendering.note_language(format_args!("{field}.headline"), language);
        Self {
            id: bulletin.id.0,
            identifier: bulletin.identifier.to_string(),
            issuer: IssuerBody {
                code: bulletin.issuer.code().to_owned(),
                name: rendering.text(format_args!("{field}.issuer.name"), bulletin.issuer.name()),
            },
            headline: text.headline().to_owned(),
            sent: MomentBody::of(&bulletin.sent, bulletin.time_zone),
        }
    }
}

/// An opening that speaks of the pass at the moment, and what it says.
#[derive(Debug, Serialize, ToSchema)]
pub struct BasisBody {
    /// What it says of this pass: `open`, `restricted`, `closed`, or `unknown` when it reserves the place for
    /// others.
    #[schema(value_type = String, example = "restricted")]
    pub says: State,
    /// Why, as in `reasons`.
    #[schema(value_type = String, example = "said_of_this_pass")]
    pub reason: Reason,
    /// The opening.
    pub opening: OpeningBody,
    /// The bulletin it rests on; absent: a standing arrangement.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bulletin: Option<BasisBulletinBody>,
}

/// A place and its state at the moment for the pass.
#[derive(Debug, Serialize, ToSchema)]
pub struct EntranceBody {
    /// The place's id: `GET /v1/entrances/{id}`.
    #[schema(example = "0193a5f0-7c1e-7a54-9a55-0d5c3f6f2b11")]
    pub id: Uuid,
    /// `entrance`, `checkpoint`, `garage`, `street`, `crossing` or `building`. The state of a street or garage
    /// is about vehicles, that of any other place about people on foot.
    #[schema(value_type = String, example = "entrance")]
    pub place_kind: PlaceKind,
    /// Its name.
    #[schema(example = "46th Street entrance, southern gates")]
    pub name: String,
    /// Former names, and others that people use.
    pub other_names: Vec<String>,
    /// Its street address.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "14 avenue de la Paix")]
    pub address: Option<String>,
    /// Where it is.
    #[schema(example = "NY")]
    pub duty_station: String,
    /// What its clocks show (IANA).
    #[schema(example = "America/New_York")]
    pub time_zone: String,
    /// `open`, `restricted` (let in under the conditions in `basis`), `closed` or `unknown`. Never show
    /// `unknown` as open.
    #[schema(value_type = String, example = "restricted")]
    pub state: State,
    /// Whether its holder is searched: `required` (as soon as one source that lets them in says so),
    /// `not_required` or `unknown`.
    #[schema(value_type = String, example = "required")]
    pub screening: Screening,
    /// Whether sources disagree. All are in `basis`, and the strictest is followed.
    #[schema(example = false)]
    pub conflict: bool,
    /// Why: `said_of_all`, `said_of_this_pass`, `directed_elsewhere`, `reserved_for_others`, `outside_hours`,
    /// `no_source_speaks`, `sources_disagree`.
    #[schema(value_type = Vec<String>, example = json!(["said_of_this_pass"]))]
    pub reasons: Vec<Reason>,
    /// Nothing of this changes before then, as far as is known now; absent: no end is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "2016-04-22T00:00:00-04:00")]
    pub until: Option<String>,
    /// What the state rests on, what decided first.
    pub basis: Vec<BasisBody>,
    /// The language asked for.
    #[schema(value_type = String, example = "fr")]
    pub language: Language,
    /// The fields that are not in it, and the language they are in instead.
    #[schema(value_type = BTreeMap<String, String>, example = json!({"basis.0.opening.note": "en"}))]
    pub fallbacks: BTreeMap<String, Language>,
}

impl EntranceBody {
    /// Renders a place's state at `at` for `pass`.
    pub fn of(place: &Place, at: DateTime<Utc>, pass: Pass, register: &Register, mut rendering: Rendering) -> Self {
        let zone = place.time_zone;
        let answer = place.state_at(at, pass, register, rendering.reader);
        let conflict = answer.conflict();
        let Answer { state, screening, reasons, basis, until } = answer;
        let body = |(i, basis): (usize, &Basis<'_>)| {
            let period = (basis.from, basis.until);
            BasisBody {
                says: basis.says,
                reason: basis.reason,
                opening: OpeningBody::of(&format!("basis.{i}.opening"), basis.opening, period, zone, &mut rendering),
                bulletin: basis
                    .bulletin
                    .map(|b| BasisBulletinBody::of(&format!("basis.{i}.bulletin"), b, &mut rendering)),
            }
        };
        let basis = basis.iter().enumerate().map(body).collect();
        Self {
            id: place.id.0,
            place_kind: place.kind,
            name: rendering.text("name", &place.name),
            other_names: other_names(place, &mut rendering),
            address: rendering.text_or_none("address", place.address.as_ref()),
            duty_station: place.duty_station.as_str().to_owned(),
            time_zone: zone.name().to_owned(),
            state,
            screening,
            conflict,
            reasons,
            until: until.map(|at| local(at, zone)),
            basis,
            language: rendering.language,
            fallbacks: rendering.fallbacks(),
        }
    }
}
