//! The INF notes' import: rows as they are written, and what they stand for.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, NaiveDate, Utc};
use serde::Deserialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::imports::{AudienceBody, Contradiction, Import, Names, from_json};
use crate::rows::{Localize, ProvenanceRow, each_once, optional_localized};
use domain::inf_notes::{
    Appearance, Content, Days, Distribution, JobNumber, Note, NoteId, Publication, Reissue, Reissues, Release, Section,
    SessionDates, Symbol, Text, Texts,
};
use domain::{Audience, Broken, Confidence, Faults, Kind, Language, Rule, Stream, moment};
use persistence::imports::Imported;
use persistence::{Conn, Error, inf_notes};

/// `inf_note`.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum NoteKind {
    /// An INF note.
    InfNote,
}

/// A reissue under the same symbol.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReissueRow {
    on: NaiveDate,
    reason: Option<Localize>,
}

/// A period of whole days, both included.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DaysRow {
    from: NaiveDate,
    to: NaiveDate,
}

impl DaysRow {
    fn parse(self, faults: &mut Faults, pointer: &str) -> Option<Days> {
        faults.check(pointer, Days::parse(self.from, self.to))
    }
}

/// The days of the session that the note prepares, as far as they are known.
#[derive(Deserialize, ToSchema, Default)]
#[serde(deny_unknown_fields)]
pub struct SessionDatesRow {
    opens: Option<NaiveDate>,
    high_level: Option<DaysRow>,
    #[serde(default)]
    general_debate: Vec<DaysRow>,
}

impl SessionDatesRow {
    fn parse(self, faults: &mut Faults) -> SessionDates {
        let high_level = self.high_level.and_then(|days| days.parse(faults, "/session_dates/high_level"));
        let parse = |(i, days): (usize, DaysRow)| days.parse(faults, &format!("/session_dates/general_debate/{i}"));
        let general_debate = self.general_debate.into_iter().enumerate().filter_map(parse).collect();
        SessionDates { opens: self.opens, high_level, general_debate }
    }
}

/// When a language version appeared.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AppearanceRow {
    /// With its offset from UTC.
    #[schema(value_type = DateTime<Utc>, example = "2021-08-02T10:30:00-04:00")]
    at: String,
    #[schema(value_type = String, example = "official")]
    confidence: Confidence,
}

/// A section of a language version.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SectionRow {
    #[schema(example = "IV")]
    number: String,
    title: String,
    page: Option<u16>,
    text: Option<String>,
    /// Whether heading or text was concluded from other documents.
    #[serde(default)]
    inferred: bool,
}

/// A language version.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NoteTextRow {
    title: String,
    subtitle: Option<String>,
    place_dates: Option<String>,
    #[serde(default)]
    sections: Vec<SectionRow>,
    /// How far to rely on the words of this version.
    #[schema(value_type = String, example = "official")]
    confidence: Confidence,
    appeared: Option<AppearanceRow>,
}

impl NoteTextRow {
    fn parse(self) -> Result<Text, Faults> {
        let mut faults = Faults::new();
        let mut sections = Vec::new();
        for (i, row) in self.sections.iter().enumerate() {
            let parsed = Section::parse(&row.number, &row.title, row.page, row.text.as_deref(), row.inferred);
            sections.extend(faults.check_part(&format!("/sections/{i}"), parsed));
        }
        let appeared = self.appeared.and_then(|a| {
            let at = faults.check("/appeared/at", moment::instant(&a.at))?;
            Some(Appearance { at, confidence: a.confidence })
        });
        let (subtitle, place_dates) = (self.subtitle.as_deref(), self.place_dates.as_deref());
        let text = Text::parse(&self.title, subtitle, place_dates, sections, self.confidence, appeared);
        let text = faults.check_part("", text);
        faults.finish(text)
    }
}

/// A row of an INF notes' import.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct InfNoteRow {
    #[expect(dead_code, reason = "read by the scan, and part of the contract")]
    kind: NoteKind,
    /// Its key in the source.
    #[expect(dead_code, reason = "read by the scan, and part of the contract")]
    key: String,
    audience: Option<AudienceBody>,
    /// Keep it from readers for now. A published note cannot be a draft again.
    #[serde(default)]
    draft: bool,
    /// Publish it at this moment and not before; at once when left out.
    #[schema(value_type = Option<DateTime<Utc>>, example = "2026-09-01T09:00:00-04:00")]
    embargo_until: Option<String>,
    /// Without the reissue asterisks.
    #[schema(example = "A/INF/76/4")]
    symbol: String,
    date: Option<NaiveDate>,
    #[serde(default)]
    reissues: Vec<ReissueRow>,
    #[schema(example = "21-10597")]
    job_number: Option<String>,
    #[schema(value_type = Option<String>, example = "general")]
    distribution: Option<Distribution>,
    #[schema(value_type = Option<String>, example = "en")]
    original_language: Option<Language>,
    #[serde(default)]
    session_dates: SessionDatesRow,
    /// By language: at least one of `ar`, `en`, `es`, `fr`, `ru`, `zh`.
    #[serde(deserialize_with = "each_once")]
    texts: BTreeMap<String, NoteTextRow>,
    provenance: ProvenanceRow,
}

/// What a row stands for: a note, and how it is to be released.
pub struct Submission {
    id: NoteId,
    audience: Audience,
    release: Release,
    content: Content,
}

fn reissues(faults: &mut Faults, rows: Vec<ReissueRow>, date: Option<NaiveDate>) -> Option<Reissues> {
    let mut reissues = Vec::new();
    for (i, row) in rows.into_iter().enumerate() {
        let reason = optional_localized(faults, &format!("/reissues/{i}/reason"), row.reason, 300)?;
        reissues.push(Reissue { on: row.on, reason });
    }
    faults.check_part("/reissues", Reissues::parse(reissues, date))
}

fn texts(faults: &mut Faults, rows: BTreeMap<String, NoteTextRow>) -> Option<Texts> {
    let (mut texts, given) = (BTreeMap::new(), rows.len());
    for (tag, row) in rows {
        let pointer = format!("/texts/{}", tag.replace('~', "~0").replace('/', "~1"));
        let language = faults.check(&pointer, Language::parse(&tag));
        let text = faults.check_part(&pointer, row.parse());
        texts.extend(language.zip(text));
    }
    // A version that was refused has been told of already.
    (texts.len() == given).then(|| faults.check("/texts", Texts::parse(texts))).flatten()
}

fn release(faults: &mut Faults, draft: bool, embargo_until: Option<DateTime<Utc>>) -> Release {
    match (draft, embargo_until) {
        (true, Some(_)) => {
            let broken = Broken::new(Rule::Conflict, message!("a draft has no embargo: it is not published at all"));
            faults.add("/embargo_until", broken);
            Release::Draft
        }
        (true, None) => Release::Draft,
        (false, Some(until)) => Release::After(until),
        (false, None) => Release::Now,
    }
}

/// The INF notes' import.
pub struct NotesImport;

impl Import for NotesImport {
    const STREAM: Stream = Stream::Notes;
    const KINDS: &'static [Kind] = &[Kind::InfNote];
    const REFERENCES: &'static [Kind] = &[Kind::InfNote, Kind::Mission];
    type Value = Submission;

    fn parse(_: Kind, line: &[u8], names: &Names<'_>) -> Result<Submission, Faults> {
        let row: InfNoteRow = from_json(line)?;
        let mut faults = Faults::new();
        let audience = faults.check_part("/audience", names.audience(row.audience.as_ref()));
        let embargo_until = row.embargo_until.and_then(|at| faults.check("/embargo_until", moment::instant(&at)));
        let release = release(&mut faults, row.draft, embargo_until);
        let symbol = faults.check("/symbol", Symbol::parse(&row.symbol));
        let reissues = reissues(&mut faults, row.reissues, row.date);
        let job_number = row.job_number.and_then(|n| faults.check("/job_number", JobNumber::parse(&n)));
        let session_dates = row.session_dates.parse(&mut faults);
        let texts = texts(&mut faults, row.texts);
        let provenance = row.provenance.parse(&mut faults);
        let content = (|| {
            Some(Content {
                symbol: symbol?,
                date: row.date,
                reissues: reissues?,
                job_number,
                distribution: row.distribution,
                original_language: row.original_language,
                session_dates,
                texts: texts?,
                provenance: provenance?,
            })
        })();
        let id = NoteId(names.id());
        faults.finish(audience.zip(content).map(|(audience, content)| Submission { id, audience, release, content }))
    }

    /// Refuses symbols that other notes have, and drafts and embargoes of what is published.
    async fn refusals(conn: &mut Conn, rows: &[Imported<Submission>]) -> Result<Vec<Contradiction>, Error> {
        let (stored, now) = stored(conn, rows).await?;
        let symbols: Vec<String> = rows.iter().map(|row| row.value.content.symbol.to_string()).collect();
        let mut owners = inf_notes::find_symbols(conn, &symbols).await?;
        let mut refusals = Vec::new();
        for (row, symbol) in rows.iter().zip(symbols) {
            let mut refuse = |pointer: &str, broken| {
                refusals.push(Contradiction {
                    kind: Kind::InfNote,
                    source: row.source.as_str().to_owned(),
                    key: row.key.as_str().to_owned(),
                    pointer: pointer.to_owned(),
                    broken,
                });
            };
            if *owners.entry(symbol).or_insert(row.value.id) != row.value.id {
                refuse("/symbol", Broken::new(Rule::Duplicate, message!("is the symbol of another note")));
            }
            if let Err(error) = stored(&row.value).released(row.value.release, now) {
                let pointer = if row.value.release == Release::Draft { "/draft" } else { "/embargo_until" };
                refuse(pointer, error.into());
            }
        }
        Ok(refusals)
    }

    async fn save(conn: &mut Conn, rows: Vec<Imported<Submission>>) -> Result<BTreeSet<Uuid>, Error> {
        let (stored, now) = stored(conn, &rows).await?;
        let released = |row: Imported<Submission>| {
            let publication = stored(&row.value).released(row.value.release, now);
            let publication = publication.map_err(|refused| Error::Unexpected(Broken::from(refused).to_string()))?;
            let Submission { id, audience, content, .. } = row.value;
            Ok(Imported { source: row.source, key: row.key, value: Note { id, audience, publication, content } })
        };
        let notes: Vec<Imported<Note>> = rows.into_iter().map(released).collect::<Result<_, Error>>()?;
        inf_notes::save(conn, &notes).await
    }

    async fn contradictions(_: &mut Conn) -> Result<Vec<Contradiction>, Error> {
        Ok(Vec::new())
    }
}

/// How far the notes of these rows have come, and the database's clock.
async fn stored(
    conn: &mut Conn,
    rows: &[Imported<Submission>],
) -> Result<(impl Fn(&Submission) -> Publication + use<>, DateTime<Utc>), Error> {
    let ids: Vec<NoteId> = rows.iter().map(|row| row.value.id).collect();
    let stored = inf_notes::lock(conn, &ids).await?;
    let publication = move |row: &Submission| stored.get(&row.id).copied().unwrap_or(Publication::Draft);
    Ok((publication, inf_notes::now(conn).await?))
}
