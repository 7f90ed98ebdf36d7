//! Bulletins as readers get them: in one language, with a named fallback.

use std::collections::BTreeMap;

use chrono::{DateTime, SecondsFormat, Utc};
use chrono_tz::Tz;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::rendering::{ProvenanceBody, Rendering, audience_word};
use domain::Language;
use domain::bulletins::{Bulletin, Category, Certainty, MessageType, Register, Severity, Standing, Urgency};
use domain::moment::{Moment, ReadingRule};

/// An instant as clocks in a zone show it: RFC 3339 with the offset of that moment.
pub fn local(at: DateTime<Utc>, zone: Tz) -> String {
    at.with_timezone(&zone).to_rfc3339_opts(SecondsFormat::AutoSi, false)
}

/// A point in time, and how it was read when its source was not exact.
#[derive(Debug, Serialize, ToSchema)]
pub struct MomentBody {
    /// The instant, with the offset of the place's own clocks.
    #[schema(example = "2016-04-19T18:00:00-04:00")]
    pub at: String,
    /// How the source's words were read; absent when the source gave the instant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reading: Option<ReadingBody>,
}

/// How the words of a source became a time.
#[derive(Debug, Serialize, ToSchema)]
pub struct ReadingBody {
    /// The source's words, or the date when it said no more.
    #[schema(example = "c.o.b.")]
    pub given: String,
    /// What they were read as.
    #[schema(example = "2016-04-19T18:00:00-04:00")]
    pub read_as: String,
    /// The rule that read them: `day` (a date alone: the whole day), `close_of_business` (18:00), `morning`
    /// (06:00 to 12:00), `noon`, `afternoon` (12:00 to 18:00), `evening` (from 18:00 to the end of the
    /// day), `approximate_time` (the time named), `local_time` (the time named, on the place's clocks) or
    /// `sunday_before_the_week`.
    #[schema(value_type = String, example = "close_of_business")]
    pub rule: ReadingRule,
}

impl MomentBody {
    /// Renders a moment on the clocks of `zone`.
    pub fn of(moment: &Moment, zone: Tz) -> Self {
        let at = local(moment.at, zone);
        let reading = moment.reading.as_ref().map(|reading| ReadingBody {
            given: reading.given.to_string(),
            read_as: at.clone(),
            rule: reading.rule,
        });
        Self { at, reading }
    }
}

/// Who issues a bulletin.
#[derive(Debug, Serialize, ToSchema)]
pub struct IssuerBody {
    /// The issuer's code. Bulletins of one issuer refer only to one another.
    #[schema(example = "un")]
    pub code: String,
    /// The issuer's name.
    #[schema(example = "United Nations")]
    pub name: String,
}

/// A security bulletin, with the words of CAP 1.2.
#[derive(Debug, Serialize, ToSchema)]
pub struct BulletinBody {
    /// Its id, for good.
    #[schema(example = "0193a5f0-7c1e-7a54-9a55-0d5c3f6f2b11")]
    pub id: Uuid,
    /// What the issuer calls it.
    #[schema(example = "UN-2016-04-21")]
    pub identifier: String,
    /// Who issued it.
    pub issuer: IssuerBody,
    /// The duty station it concerns.
    #[schema(example = "NY")]
    pub duty_station: String,
    /// The time zone in which its times are given (IANA).
    #[schema(example = "America/New_York")]
    pub time_zone: String,
    /// `alert`, `update` (replaces what it refers to) or `cancel` (ends what it refers to).
    #[schema(value_type = String, example = "alert")]
    pub message_type: MessageType,
    /// What has become of it: `in_force`, `updated`, `cancelled` or `expired`. It stays readable.
    #[schema(value_type = String, example = "expired")]
    pub standing: Standing,
    /// The earlier bulletins that it updates or cancels.
    pub references: Vec<Uuid>,
    /// The later bulletins that updated or cancelled it, in the order they were sent.
    pub followed_by: Vec<Uuid>,
    /// `geo`, `met`, `safety`, `security`, `rescue`, `fire`, `health`, `env`, `transport`, `infra`, `cbrne`
    /// or `other`.
    #[schema(value_type = String, example = "security")]
    pub category: Category,
    /// `extreme`, `severe`, `moderate`, `minor` or `unknown`.
    #[schema(value_type = String, example = "moderate")]
    pub severity: Severity,
    /// `immediate`, `expected`, `future`, `past` or `unknown`.
    #[schema(value_type = String, example = "future")]
    pub urgency: Urgency,
    /// `observed`, `likely`, `possible`, `unlikely` or `unknown`.
    #[schema(value_type = String, example = "observed")]
    pub certainty: Certainty,
    /// One line.
    #[schema(example = "Headquarters: security arrangements for 21 April 2016")]
    pub headline: String,
    /// What is going on.
    pub description: String,
    /// What to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instruction: Option<String>,
    /// When the issuer sent it.
    pub sent: MomentBody,
    /// When what it tells of begins; absent: when it was sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub onset: Option<MomentBody>,
    /// When it no longer holds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires: Option<MomentBody>,
    /// When it became visible here.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "2016-04-19T09:30:00-04:00")]
    pub published_at: Option<String>,
    /// When its expiry was noted here.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "2016-04-23T00:00:00-04:00")]
    pub expired_at: Option<String>,
    /// Who may see it: `public`, `delegates`, `secretariat` or `missions` (named ones).
    #[schema(example = "public")]
    pub audience: &'static str,
    /// Where it comes from and how far to rely on it.
    pub provenance: ProvenanceBody,
    /// The language asked for.
    #[schema(value_type = String, example = "fr")]
    pub language: Language,
    /// The fields that are not in it, and the language they are in instead.
    #[schema(value_type = BTreeMap<String, String>, example = json!({"headline": "en"}))]
    pub fallbacks: BTreeMap<String, Language>,
}

/// The bulletins around a bulletin that a reader may see: what it refers to, and what followed it.
pub fn neighbours(bulletin: &Bulletin, register: &Register, rendering: &Rendering) -> (Vec<Uuid>, Vec<Uuid>) {
    let reader = rendering.reader;
    let references = bulletin.references.iter().filter_map(|id| register.get(*id, reader)).map(|b| b.id.0).collect();
    let followed_by = register.followers(bulletin.id, reader).map(|b| b.id.0).collect();
    (references, followed_by)
}

impl BulletinBody {
    /// Renders a bulletin.
    pub fn of(bulletin: &Bulletin, register: &Register, mut rendering: Rendering) -> Self {
        let zone = bulletin.time_zone;
        let (references, followed_by) = neighbours(bulletin, register, &rendering);
        let (language, text) = bulletin.text(rendering.language);
        rendering.note_language("headline", language);
        rendering.note_language("description", language);
        if text.instruction().is_some() {
            rendering.note_language("instruction", language);
        }
        Self {
            id: bulletin.id.0,
            identifier: bulletin.identifier.to_string(),
            issuer: IssuerBody {
                code: bulletin.issuer.code().to_owned(),
                name: rendering.text("issuer.name", bulletin.issuer.name()),
            },
            duty_station: bulletin.duty_station.as_str().to_owned(),
            time_zone: zone.name().to_owned(),
            message_type: bulletin.message_type,
            standing: register.standing(bulletin, rendering.reader),
            references,
            followed_by,
            category: bulletin.category,
            severity: bulletin.severity,
            urgency: bulletin.urgency,
            certainty: bulletin.certainty,
            headline: text.headline().to_owned(),
            description: text.description().to_owned(),
            instruction: text.instruction().map(str::to_owned),
            sent: MomentBody::of(&bulletin.sent, zone),
            onset: bulletin.onset.as_ref().map(|m| MomentBody::of(m, zone)),
            expires: bulletin.expires.as_ref().map(|m| MomentBody::of(m, zone)),
            published_at: bulletin.published_at.map(|at| local(at, zone)),
            expired_at: bulletin.expired_at.map(|at| local(at, zone)),
            audience: audience_word(&bulletin.audience),
            provenance: (&bulletin.provenance).into(),
            language: rendering.language,
            fallbacks: rendering.fallbacks(),
        }
    }
}
