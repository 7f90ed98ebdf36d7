//! The row of a bulletin, and its way to the domain value and back.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use uuid::Uuid;

use crate::Error;
use crate::imports::Imported;
use crate::json::{Json, parse_optional};
use crate::schema::bulletin;
use domain::bulletins::{
    Bulletin, BulletinId, Category, Certainty, Contents, Issuer, MessageType, Severity, Text, Urgency,
};
use domain::moment::{Moment, Reading, zone};
use domain::{Broken, DutyStation, Faults, Language, Localized, Provenance};

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = bulletin)]
pub(super) struct BulletinRow {
    pub(super) id: Uuid,
    source: String,
    source_key: String,
    audience: String,
    closed_at: Option<DateTime<Utc>>,
    embargo_until: Option<DateTime<Utc>>,
    published_at: Option<DateTime<Utc>>,
    identifier: String,
    issuer_code: String,
    issuer_name: Json<Localized>,
    duty_station: String,
    time_zone: String,
    message_type: String,
    category: String,
    severity: String,
    urgency: String,
    certainty: String,
    sent_at: DateTime<Utc>,
    sent_reading: Option<Json<Reading>>,
    onset_at: Option<DateTime<Utc>>,
    onset_reading: Option<Json<Reading>>,
    expires_at: Option<DateTime<Utc>>,
    expires_reading: Option<Json<Reading>>,
    expired_at: Option<DateTime<Utc>>,
    texts: Json<BTreeMap<Language, Text>>,
    provenance: Json<Provenance>,
}

/// The columns of a moment that may be missing.
pub(crate) fn columns(moment: Option<Moment>) -> (Option<DateTime<Utc>>, Option<Json<Reading>>) {
    match moment {
        Some(Moment { at, reading }) => (Some(at), reading.map(Json::of)),
        None => (None, None),
    }
}

/// The moment of its columns.
pub(crate) fn moment(at: Option<DateTime<Utc>>, reading: Option<Json<Reading>>) -> Result<Option<Moment>, Error> {
    let reading = parse_optional(reading)?;
    Ok(at.map(|at| Moment { at, reading }))
}

/// A stored text that does not parse.
pub(crate) fn corrupt(broken: Broken) -> Error {
    Error::Corrupt(broken.to_string())
}

/// A stored part that does not parse.
pub(crate) fn corrupt_part(faults: Faults) -> Error {
    let faults: Vec<_> = faults.into_vec().into_iter().map(|fault| fault.to_string()).collect();
    Error::Corrupt(faults.join("; "))
}

impl BulletinRow {
    pub(super) fn of(imported: &Imported<Bulletin>) -> Self {
        let bulletin = imported.value.clone().into_contents();
        let (onset_at, onset_reading) = columns(bulletin.onset);
        let (expires_at, expires_reading) = columns(bulletin.expires);
        Self {
            id: bulletin.id.0,
            source: imported.source.as_str().to_owned(),
            source_key: imported.key.as_str().to_owned(),
            audience: bulletin.audience.to_string(),
            closed_at: None,
            embargo_until: bulletin.embargo_until,
            published_at: None,
            identifier: bulletin.identifier.into(),
            issuer_code: bulletin.issuer.code().to_owned(),
            issuer_name: Json::of(bulletin.issuer.name().clone()),
            duty_station: bulletin.duty_station.into(),
            time_zone: bulletin.time_zone.name().to_owned(),
            message_type: bulletin.message_type.code().to_owned(),
            category: bulletin.category.code().to_owned(),
            severity: bulletin.severity.code().to_owned(),
            urgency: bulletin.urgency.code().to_owned(),
            certainty: bulletin.certainty.code().to_owned(),
            sent_at: bulletin.sent.at,
            sent_reading: bulletin.sent.reading.map(Json::of),
            onset_at,
            onset_reading,
            expires_at,
            expires_reading,
            expired_at: None,
            texts: Json::of(bulletin.texts),
            provenance: Json::of(bulletin.provenance),
        }
    }

    /// Its source and key.
    pub(super) fn name(&self) -> (String, String) {
        (self.source.clone(), self.source_key.clone())
    }

    pub(super) fn parse(self, references: BTreeSet<BulletinId>) -> Result<Bulletin, Error> {
        let name: BTreeMap<Language, String> = self.issuer_name.parse()?.into();
        let name = name.into_iter().map(|(language, text)| (language.tag().to_owned(), text)).collect();
        let contents = Contents {
            id: BulletinId(self.id),
            identifier: self.identifier.into(),
            issuer: Issuer::parse(&self.issuer_code, &name).map_err(corrupt_part)?,
            duty_station: DutyStation::parse(&self.duty_station).map_err(corrupt)?,
            time_zone: zone(&self.time_zone).map_err(corrupt)?,
            message_type: MessageType::parse(&self.message_type).map_err(corrupt)?,
            references,
            category: Category::parse(&self.category).map_err(corrupt)?,
            severity: Severity::parse(&self.severity).map_err(corrupt)?,
            urgency: Urgency::parse(&self.urgency).map_err(corrupt)?,
            certainty: Certainty::parse(&self.certainty).map_err(corrupt)?,
            audience: self.audience.parse().map_err(corrupt)?,
            sent: Moment { at: self.sent_at, reading: parse_optional(self.sent_reading)? },
            onset: moment(self.onset_at, self.onset_reading)?,
            expires: moment(self.expires_at, self.expires_reading)?,
            embargo_until: self.embargo_until,
            published_at: self.published_at,
            expired_at: self.expired_at,
            texts: self.texts.parse()?,
            provenance: self.provenance.parse()?,
        };
        Bulletin::parse(contents).map_err(corrupt_part)
    }
}
