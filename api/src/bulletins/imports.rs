//! The import of bulletins and places: rows as they are written, and what they stand for.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;
use chrono_tz::Tz;
use serde::Deserialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::imports::{AudienceBody, Contradiction, Import, Names, from_json};
use crate::rows::{Localize, ProvenanceRow, each_once, localized, optional_localized};
use domain::bulletins::{
    Bulletin, BulletinId, Category, Certainty, Contents, Issuer, MessageType, Severity, Text, Urgency,
};
use domain::entrances::{
    DailyHours, Hours, Opening, OpeningState, Outside, Pass, Passes, Period, Place, PlaceId, PlaceKind, Screening,
    Terms, Weekday,
};
use domain::moment::{self, Bound, Moment};
use domain::{Broken, DutyStation, Fault, Faults, Kind, Language, Rule, Stream};
use persistence::imports::Imported;
use persistence::{Conn, Error, bulletins, entrances};

/// A row of an import of bulletins, by its `kind`.
#[derive(Deserialize, ToSchema)]
#[serde(untagged)]
pub enum BulletinsRow {
    /// A bulletin.
    Bulletin(BulletinRow),
    /// A place with its openings.
    Place(PlaceRow),
}

/// A moment: an instant, or words that a rule reads.
#[derive(Deserialize, ToSchema)]
#[serde(untagged)]
pub enum MomentRow {
    /// RFC 3339 with its offset.
    #[schema(example = "2016-04-20T20:00:00-04:00")]
    Instant(String),
    /// Words on a date.
    Words(WordsRow),
}

/// What an inexact source says.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WordsRow {
    /// The date that the words are about.
    #[schema(example = "2016-04-19")]
    date: NaiveDate,
    /// The words: `c.o.b.`, `morning`, `noon`, `afternoon`, `evening`, `approx. 07:00`, `07:00`, `Sunday before
    /// the week` (of the date); left out: the whole day.
    #[schema(example = "c.o.b.")]
    given: Option<String>,
}

/// Who issues a bulletin.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct IssuerRow {
    /// 1 to 100 visible ASCII characters other than comma, `<` and `&`.
    #[schema(example = "un")]
    code: String,
    name: Localize,
}

/// What a bulletin says in one language.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TextRow {
    /// At most 160 characters.
    headline: String,
    /// At most 10,000 characters.
    description: String,
    /// At most 10,000 characters.
    instruction: Option<String>,
}

/// A bulletin.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BulletinRow {
    #[expect(dead_code, reason = "read by the scan, and part of the contract")]
    #[schema(example = "bulletin")]
    kind: String,
    /// Its key in the source.
    #[expect(dead_code, reason = "read by the scan, and part of the contract")]
    key: String,
    audience: Option<AudienceBody>,
    /// What the issuer calls it, once and for all.
    identifier: String,
    issuer: IssuerRow,
    duty_station: String,
    /// IANA.
    #[schema(example = "America/New_York")]
    time_zone: String,
    #[schema(value_type = String, example = "update")]
    message_type: MessageType,
    /// The keys of the bulletins that it updates or cancels.
    #[serde(default)]
    references: Vec<String>,
    #[schema(value_type = String, example = "security")]
    category: Category,
    #[schema(value_type = String, example = "moderate")]
    severity: Severity,
    #[schema(value_type = String, example = "expected")]
    urgency: Urgency,
    #[schema(value_type = String, example = "likely")]
    certainty: Certainty,
    sent: MomentRow,
    onset: Option<MomentRow>,
    expires: Option<MomentRow>,
    /// RFC 3339 with its offset. Nobody sees the bulletin before.
    #[schema(example = "2026-09-20T18:00:00-04:00")]
    embargo_until: Option<String>,
    /// By language.
    #[serde(deserialize_with = "each_once")]
    texts: BTreeMap<String, TextRow>,
    provenance: ProvenanceRow,
}

/// A period. An end that is left out is that of the bulletin the opening rests on.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PeriodRow {
    from: Option<MomentRow>,
    until: Option<MomentRow>,
}

/// Hours of the day and days of the week.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct HoursRow {
    /// `07:00-21:00` or `approx. 07:00-21:00`; none: the whole day.
    #[serde(default)]
    #[schema(example = json!(["08:00-17:00"]))]
    daily: Vec<String>,
    /// The days on which they begin; none: every day.
    #[serde(default)]
    #[schema(value_type = Vec<String>, example = json!(["monday", "friday"]))]
    weekdays: Vec<Weekday>,
    /// What they say of the rest of the time: `closed` (opening hours; when left out, unless the state is
    /// closed) or `unknown`.
    #[schema(value_type = Option<String>, example = "closed")]
    outside: Option<Outside>,
}

/// What a source says of a place.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OpeningRow {
    /// `open`, `restricted` (open under a condition) or `closed`.
    #[schema(value_type = String, example = "restricted")]
    state: OpeningState,
    /// Whom it is about; left out: everybody.
    #[schema(value_type = Option<Vec<String>>, example = json!(["vip", "delegate"]))]
    passes: Option<Vec<Pass>>,
    /// Whom the source sends to another place.
    #[serde(default)]
    #[schema(value_type = Vec<String>, example = json!(["media"]))]
    directed_elsewhere: Vec<Pass>,
    period: Option<PeriodRow>,
    hours: Option<HoursRow>,
    /// `required`, `not_required` or `unknown` (when left out).
    #[schema(value_type = Option<String>, example = "required")]
    screening: Option<Screening>,
    note: Option<Localize>,
    /// The key of the bulletin it rests on; left out: a standing arrangement.
    basis: Option<String>,
    provenance: ProvenanceRow,
}

/// A place.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PlaceRow {
    #[expect(dead_code, reason = "read by the scan, and part of the contract")]
    #[schema(example = "place")]
    kind: String,
    /// Its key in the source.
    #[expect(dead_code, reason = "read by the scan, and part of the contract")]
    key: String,
    audience: Option<AudienceBody>,
    /// `entrance`, `checkpoint`, `garage`, `street`, `crossing` or `building`.
    #[schema(value_type = String, example = "entrance")]
    place_kind: PlaceKind,
    duty_station: String,
    /// IANA.
    #[schema(example = "Europe/Zurich")]
    time_zone: String,
    name: Localize,
    #[serde(default)]
    other_names: Vec<Localize>,
    address: Option<Localize>,
    #[serde(default)]
    openings: Vec<OpeningRow>,
    provenance: ProvenanceRow,
}

/// What a row stands for.
pub enum BulletinsEntry {
    /// A bulletin.
    Bulletin(Box<Bulletin>),
    /// A place.
    Place(Box<Place>),
}

const NAME: usize = 200;
const NOTE: usize = 1000;

fn moment(row: &MomentRow, zone: Option<Tz>, bound: Bound) -> Result<Option<Moment>, Broken> {
    match (row, zone) {
        (MomentRow::Instant(text), _) => Ok(Some(Moment::exact(moment::instant(text)?))),
        (MomentRow::Words(words), Some(zone)) => {
            Moment::read(words.given.as_deref(), words.date, zone, bound).map(Some)
        }
        // The time zone is at fault, and named already.
        (MomentRow::Words(_), None) => Ok(None),
    }
}

fn optional_moment(
    faults: &mut Faults,
    pointer: &str,
    row: Option<&MomentRow>,
    zone: Option<Tz>,
    bound: Bound,
) -> Option<Moment> {
    row.and_then(|row| faults.check(pointer, moment(row, zone, bound)).flatten())
}

/// A list that names nothing twice.
fn set<T: Ord + Copy>(faults: &mut Faults, pointer: &str, values: Vec<T>) -> BTreeSet<T> {
    let count = values.len();
    let set: BTreeSet<T> = values.into_iter().collect();
    if set.len() < count {
        faults.add(pointer, Broken::new(Rule::Duplicate, message!("must name each once")));
    }
    set
}

fn bulletin(row: BulletinRow, names: &Names<'_>) -> Result<Bulletin, Faults> {
    let mut faults = Faults::new();
    let audience = faults.check_part("/audience", names.audience(row.audience.as_ref()));
    let issuer = faults.check_part("/issuer", Issuer::parse(&row.issuer.code, row.issuer.name.texts()));
    let duty_station = faults.check("/duty_station", DutyStation::parse(&row.duty_station));
    let zone = faults.check("/time_zone", moment::zone(&row.time_zone));
    let mut references = BTreeSet::new();
    for (i, key) in row.references.iter().enumerate() {
        let pointer = format!("/references/{i}");
        let earlier = faults.check(&pointer, names.resolve(Kind::Bulletin, key)).map(BulletinId);
        if earlier.is_some_and(|id| !references.insert(id)) {
            faults.add(pointer, Broken::new(Rule::Duplicate, message!("is named already")));
        }
    }
    let sent = optional_moment(&mut faults, "/sent", Some(&row.sent), zone, Bound::From);
    let onset = optional_moment(&mut faults, "/onset", row.onset.as_ref(), zone, Bound::From);
    let expires = optional_moment(&mut faults, "/expires", row.expires.as_ref(), zone, Bound::Until);
    let embargo_until = row.embargo_until.and_then(|at| faults.check("/embargo_until", moment::instant(&at)));
    let mut texts = BTreeMap::new();
    for (tag, text) in &row.texts {
        let pointer = format!("/texts/{}", tag.replace('~', "~0").replace('/', "~1"));
        let language = faults.check(&pointer, Language::parse(tag));
        let parsed = Text::parse(&text.headline, &text.description, text.instruction.as_deref());
        let text = faults.check_part(&pointer, parsed);
        texts.extend(language.zip(text));
    }
    let provenance = row.provenance.parse(&mut faults);
    let contents = faults.finish((|| {
        Some(Contents {
            id: BulletinId(names.id()),
            identifier: row.identifier.into(),
            issuer: issuer?,
            duty_station: duty_station?,
            time_zone: zone?,
            message_type: row.message_type,
            references,
            category: row.category,
            severity: row.severity,
            urgency: row.urgency,
            certainty: row.certainty,
            audience: audience?,
            sent: sent?,
            onset,
            expires,
            embargo_until,
            published_at: None,
            expired_at: None,
            texts,
            provenance: provenance?,
        })
    })())?;
    Bulletin::parse(contents)
}

fn hours(row: HoursRow, state: OpeningState, faults: &mut Faults) -> Hours {
    let mut daily = Vec::new();
    for (i, text) in row.daily.iter().enumerate() {
        daily.extend(faults.check(&format!("/hours/daily/{i}"), DailyHours::parse(text)));
    }
    let weekdays = set(faults, "/hours/weekdays", row.weekdays);
    let outside = row.outside.unwrap_or(match state {
        OpeningState::Closed => Outside::Unknown,
        OpeningState::Open | OpeningState::Restricted => Outside::Closed,
    });
    if row.daily.is_empty() && weekdays.is_empty() {
        faults.add("/hours", Broken::new(Rule::Required, message!("must give daily, weekdays or both")));
    }
    Hours { daily, weekdays, outside }
}

fn opening(row: OpeningRow, zone: Option<Tz>, names: &Names<'_>) -> Result<Opening, Faults> {
    let mut faults = Faults::new();
    let passes = match row.passes {
        None => Passes::All,
        Some(named) => Passes::Only(set(&mut faults, "/passes", named)),
    };
    let directed_elsewhere = set(&mut faults, "/directed_elsewhere", row.directed_elsewhere);
    let period = row.period.unwrap_or(PeriodRow { from: None, until: None });
    let period = Period {
        from: optional_moment(&mut faults, "/period/from", period.from.as_ref(), zone, Bound::From),
        until: optional_moment(&mut faults, "/period/until", period.until.as_ref(), zone, Bound::Until),
    };
    let hours = row.hours.map(|row_hours| hours(row_hours, row.state, &mut faults));
    let note = optional_localized(&mut faults, "/note", row.note, NOTE).flatten();
    let basis = row.basis.and_then(|key| faults.check("/basis", names.resolve(Kind::Bulletin, &key)));
    let provenance = row.provenance.parse(&mut faults);
    let terms = faults.finish((|| {
        Some(Terms {
            state: row.state,
            passes,
            directed_elsewhere,
            period,
            hours,
            screening: row.screening.unwrap_or(Screening::Unknown),
            note,
            basis: basis.map(BulletinId),
            provenance: provenance?,
        })
    })())?;
    Opening::parse(terms)
}

fn place(row: PlaceRow, names: &Names<'_>) -> Result<Place, Faults> {
    let mut faults = Faults::new();
    let audience = faults.check_part("/audience", names.audience(row.audience.as_ref()));
    let duty_station = faults.check("/duty_station", DutyStation::parse(&row.duty_station));
    let zone = faults.check("/time_zone", moment::zone(&row.time_zone));
    let name = localized(&mut faults, "/name", row.name, NAME);
    let mut other_names = Vec::new();
    for (i, other) in row.other_names.into_iter().enumerate() {
        other_names.extend(localized(&mut faults, &format!("/other_names/{i}"), other, NAME));
    }
    let address = optional_localized(&mut faults, "/address", row.address, 500).flatten();
    let mut openings = Vec::new();
    for (i, row) in row.openings.into_iter().enumerate() {
        openings.extend(faults.check_part(&format!("/openings/{i}"), opening(row, zone, names)));
    }
    let provenance = row.provenance.parse(&mut faults);
    faults.finish((|| {
        Some(Place {
            id: PlaceId(names.id()),
            kind: row.place_kind,
            duty_station: duty_station?,
            time_zone: zone?,
            name: name?,
            other_names,
            address,
            audience: audience?,
            openings,
            provenance: provenance?,
        })
    })())
}

/// The import of bulletins and places.
pub struct BulletinsImport;

impl Import for BulletinsImport {
    const STREAM: Stream = Stream::Bulletins;
    const KINDS: &'static [Kind] = &[Kind::Bulletin, Kind::Place];
    const REFERENCES: &'static [Kind] = &[Kind::Bulletin, Kind::Place, Kind::Mission];
    type Value = BulletinsEntry;

    fn parse(kind: Kind, line: &[u8], names: &Names<'_>) -> Result<BulletinsEntry, Faults> {
        match kind {
            Kind::Bulletin => bulletin(from_json(line)?, names).map(|b| BulletinsEntry::Bulletin(Box::new(b))),
            Kind::Place => place(from_json(line)?, names).map(|p| BulletinsEntry::Place(Box::new(p))),
            _ => Err(Faults::from(Fault::new(
                "/kind",
                Rule::OneOf,
                message!("must be one of {values}", values = "bulletin, place"),
            ))),
        }
    }

    async fn save(conn: &mut Conn, rows: Vec<Imported<BulletinsEntry>>) -> Result<BTreeSet<Uuid>, Error> {
        let (mut issued, mut places) = (Vec::new(), Vec::new());
        for Imported { source, key, value } in rows {
            match value {
                BulletinsEntry::Bulletin(value) => issued.push(Imported { source, key, value: *value }),
                BulletinsEntry::Place(value) => places.push(Imported { source, key, value: *value }),
            }
        }
        let mut changed = bulletins::save(conn, &issued).await?;
        bulletins::publish_due(conn).await?;
        bulletins::expire_due(conn).await?;
        changed.extend(entrances::save(conn, &places).await?);
        Ok(changed)
    }

    async fn contradictions(conn: &mut Conn) -> Result<Vec<Contradiction>, Error> {
        let found = bulletins::contradictions(conn).await?.into_iter().map(|found| Contradiction {
            kind: found.kind,
            source: found.source,
            key: found.key,
            pointer: found.pointer.to_owned(),
            broken: found.broken,
        });
        Ok(found.collect())
    }
}
