//! The INF notes' rows, and their way to domain values and back.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, SubsecRound, Utc};
use diesel::prelude::*;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;
use uuid::Uuid;

use crate::Error;
use crate::imports::Imported;
use crate::json::Json;
use crate::schema::{inf_note, inf_note_text};
use domain::inf_notes::{
    Appearance, Content, JobNumber, Note, NoteId, Publication, Reissues, Section, SessionDates, Symbol, Text, Texts,
};
use domain::{Audience, Broken, Faults, Language, Provenance};

/// The word of an enum in the database: its serde form.
fn word(value: impl Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(Value::String(word)) => word,
        other => unreachable!("{other:?} is not a word"),
    }
}

fn of_word<T: DeserializeOwned>(word: String) -> Result<T, Error> {
    serde_json::from_value(Value::String(word)).map_err(|e| Error::Corrupt(e.to_string()))
}

fn corrupt(broken: impl Into<Broken>) -> Error {
    Error::Corrupt(broken.into().to_string())
}

fn corrupt_parts(faults: Faults) -> Error {
    let faults: Vec<_> = faults.into_vec().into_iter().map(|fault| fault.to_string()).collect();
    Error::Corrupt(faults.join("; "))
}

/// How far a note has come, as its columns say.
pub(super) fn publication(
    embargo_until: Option<DateTime<Utc>>,
    published_at: Option<DateTime<Utc>>,
    closed_at: Option<DateTime<Utc>>,
) -> Publication {
    match (closed_at, published_at, embargo_until) {
        (Some(at), _, _) => Publication::Withdrawn { at },
        (None, Some(at), embargo_until) => Publication::Published { at, embargo_until },
        (None, None, Some(until)) => Publication::Embargoed { until },
        (None, None, None) => Publication::Draft,
    }
}

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = inf_note)]
pub(super) struct NoteRow {
    pub(super) id: Uuid,
    source: String,
    source_key: String,
    audience: String,
    closed_at: Option<DateTime<Utc>>,
    embargo_until: Option<DateTime<Utc>>,
    published_at: Option<DateTime<Utc>>,
    symbol: String,
    date: Option<NaiveDate>,
    reissues: Json<Reissues>,
    job_number: Option<String>,
    distribution: Option<String>,
    original_language: Option<String>,
    session_dates: Json<SessionDates>,
    provenance: Json<Provenance>,
}

impl NoteRow {
    pub(super) fn of(imported: &Imported<Note>) -> Self {
        let note = &imported.value;
        let content = note.content.clone();
        let (embargo_until, published_at, closed_at) = match note.publication {
            Publication::Draft => (None, None, None),
            Publication::Embargoed { until } => (Some(until), None, None),
            Publication::Published { at, embargo_until } => (embargo_until, Some(at), None),
            Publication::Withdrawn { at } => (None, None, Some(at)),
        };
        Self {
            id: note.id.0,
            source: imported.source.as_str().to_owned(),
            source_key: imported.key.as_str().to_owned(),
            audience: note.audience.to_string(),
            closed_at,
            embargo_until,
            published_at,
            symbol: content.symbol.to_string(),
            date: content.date,
            reissues: Json::of(content.reissues),
            job_number: content.job_number.map(String::from),
            distribution: content.distribution.map(word),
            original_language: content.original_language.map(word),
            session_dates: Json::of(content.session_dates),
            provenance: Json::of(content.provenance),
        }
    }

    pub(super) fn parse(self, texts: Vec<TextRow>) -> Result<Note, Error> {
        let texts: BTreeMap<Language, Text> = texts.into_iter().map(TextRow::parse).collect::<Result<_, _>>()?;
        let content = Content {
            symbol: Symbol::parse(&self.symbol).map_err(corrupt)?,
            date: self.date,
            reissues: self.reissues.parse()?,
            job_number: self.job_number.as_deref().map(JobNumber::parse).transpose().map_err(corrupt)?,
            distribution: self.distribution.map(of_word).transpose()?,
            original_language: self.original_language.map(of_word).transpose()?,
            session_dates: self.session_dates.parse()?,
            texts: Texts::parse(texts).map_err(corrupt)?,
            provenance: self.provenance.parse()?,
        };
        Ok(Note {
            id: NoteId(self.id),
            audience: self.audience.parse::<Audience>().map_err(corrupt)?,
            publication: publication(self.embargo_until, self.published_at, self.closed_at),
            content,
        })
    }
}

#[derive(Queryable, Selectable, Insertable, AsChangeset, PartialEq)]
#[diesel(table_name = inf_note_text, treat_none_as_null = true)]
pub(super) struct TextRow {
    pub(super) inf_note_id: Uuid,
    pub(super) language: String,
    title: String,
    subtitle: Option<String>,
    place_dates: Option<String>,
    sections: Json<Vec<Section>>,
    confidence: String,
    appeared_at: Option<DateTime<Utc>>,
    appeared_confidence: Option<String>,
}

impl TextRow {
    /// The rows of all of a note's language versions.
    pub(super) fn all_of(note: &Note) -> Vec<Self> {
        let row = |(language, text): (Language, &Text)| Self {
            inf_note_id: note.id.0,
            language: language.tag().to_owned(),
            title: text.title.to_string(),
            subtitle: text.subtitle.as_deref().map(str::to_owned),
            place_dates: text.place_dates.as_deref().map(str::to_owned),
            sections: Json::of(text.sections.clone()),
            confidence: word(text.confidence),
            appeared_at: text.appeared.map(|a| a.at.trunc_subsecs(6)),
            appeared_confidence: text.appeared.map(|a| word(a.confidence)),
        };
        note.content.texts.iter().map(row).collect()
    }

    fn parse(self) -> Result<(Language, Text), Error> {
        let appeared = match self.appeared_at.zip(self.appeared_confidence) {
            Some((at, confidence)) => Some(Appearance { at, confidence: of_word(confidence)? }),
            None => None,
        };
        let text = Text::parse(
            &self.title,
            self.subtitle.as_deref(),
            self.place_dates.as_deref(),
            self.sections.parse()?,
            of_word(self.confidence)?,
            appeared,
        );
        Ok((Language::parse(&self.language).map_err(corrupt)?, text.map_err(corrupt_parts)?))
    }
}
