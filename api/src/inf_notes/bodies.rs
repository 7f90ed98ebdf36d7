//! INF notes as readers get them: in one language, with a named fallback.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::rendering::{ProvenanceBody, Rendering, audience_word};
use domain::inf_notes::{Chain, Days, Distribution, Issue, Note, Publication, Role, Section, SessionDates, Text};
use domain::{Confidence, Language};
use edition::inf_notes::{Match, Place};
use edition::search::How;

/// A period of whole days, both included.
#[derive(Debug, Serialize, ToSchema)]
pub struct DaysBody {
    /// The first day.
    #[schema(example = "2021-09-21")]
    pub from: NaiveDate,
    /// The last day.
    #[schema(example = "2021-09-25")]
    pub to: NaiveDate,
}

impl From<Days> for DaysBody {
    fn from(days: Days) -> Self {
        Self { from: days.from(), to: days.to() }
    }
}

/// The days of the session that a note prepares, as far as they are known.
#[derive(Debug, Serialize, ToSchema)]
pub struct NoteSessionBody {
    /// The session of the General Assembly.
    #[schema(example = 76)]
    pub number: u16,
    /// The day it opens.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "2021-09-14")]
    pub opens: Option<NaiveDate>,
    /// The high-level week.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub high_level: Option<DaysBody>,
    /// The general debate, in several parts where it pauses.
    pub general_debate: Vec<DaysBody>,
}

impl NoteSessionBody {
    fn of(number: u16, dates: &SessionDates) -> Self {
        Self {
            number,
            opens: dates.opens,
            high_level: dates.high_level.map(Into::into),
            general_debate: dates.general_debate.iter().copied().map(Into::into).collect(),
        }
    }
}

/// A reissue under the same symbol: an asterisk behind it.
#[derive(Debug, Serialize, ToSchema)]
pub struct ReissueBody {
    /// The day.
    #[schema(example = "2021-08-11")]
    pub on: NaiveDate,
    /// Why.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "Reissued for technical reasons")]
    pub reason: Option<String>,
}

/// A section of a note.
#[derive(Debug, Serialize, ToSchema)]
pub struct SectionBody {
    /// Its number, the same in every language.
    #[schema(example = "IV")]
    pub number: String,
    /// Its heading.
    #[schema(example = "Schedules, list of speakers, statements and other relevant information")]
    pub title: String,
    /// The page it begins on.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = 4)]
    pub page: Option<u16>,
    /// What it says, in plain text; absent where only the heading is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// Whether heading or text was concluded from other documents and not read in this one.
    pub inferred: bool,
}

impl From<&Section> for SectionBody {
    fn from(section: &Section) -> Self {
        Self {
            number: section.number.to_string(),
            title: section.title.to_string(),
            page: section.page,
            text: section.text.as_deref().map(str::to_owned),
            inferred: section.inferred,
        }
    }
}

/// A language version, and how late it was.
#[derive(Debug, Serialize, ToSchema)]
pub struct LanguageBody {
    /// The language.
    #[schema(value_type = String, example = "ar")]
    pub language: Language,
    /// How far to rely on the words of this version.
    #[schema(value_type = String, example = "reported")]
    pub confidence: Confidence,
    /// When it appeared; absent where that is not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "2021-08-09T14:30:00Z")]
    pub appeared_at: Option<DateTime<Utc>>,
    /// How many seconds after the first language that was; 0 for the first.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = 612_000)]
    pub behind_seconds: Option<i64>,
    /// How far to rely on the moment and the seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "sample")]
    pub moment_confidence: Option<Confidence>,
}

fn languages(note: &Note) -> Vec<LanguageBody> {
    let lags: BTreeMap<_, _> = note.content.texts.lags().into_iter().map(|lag| (lag.language, lag)).collect();
    let body = |(language, text): (Language, &Text)| {
        let lag = lags.get(&language);
        LanguageBody {
            language,
            confidence: text.confidence,
            appeared_at: text.appeared.map(|a| a.at),
            behind_seconds: lag.map(|lag| lag.behind.num_seconds()),
            moment_confidence: lag.map(|lag| lag.confidence),
        }
    };
    note.content.texts.iter().map(body).collect()
}

/// An INF note.
#[derive(Debug, Serialize, ToSchema)]
pub struct NoteBody {
    /// Its id, for good.
    #[schema(example = "0193a5f0-7c1e-7a54-9a55-0d5c3f6f2b11")]
    pub id: Uuid,
    /// Its symbol.
    #[schema(example = "A/INF/76/4")]
    pub symbol: String,
    /// The symbol as printed, with an asterisk for each reissue.
    #[schema(example = "A/INF/76/4*")]
    pub printed_symbol: String,
    /// The title.
    #[schema(
        example = "Arrangements for the high-level meetings and the general debate of the seventy-sixth session of the General Assembly"
    )]
    pub title: String,
    /// The line under the title.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "Information note for delegations")]
    pub subtitle: Option<String>,
    /// Place and dates of the meetings, as printed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "United Nations Headquarters, 20 to 28 September 2021")]
    pub place_dates: Option<String>,
    /// Its sections, in their order.
    pub sections: Vec<SectionBody>,
    /// The date on the front page.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "2021-08-02")]
    pub date: Option<NaiveDate>,
    /// Reissues under the same symbol, the earliest first.
    pub reissues: Vec<ReissueBody>,
    /// The job number on the front page.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "21-10597")]
    pub job_number: Option<String>,
    /// How far the UN distributes it: `general`, `limited` or `restricted`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "general")]
    pub distribution: Option<Distribution>,
    /// The language it was written in.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "en")]
    pub original_language: Option<Language>,
    /// The session it prepares.
    pub session: NoteSessionBody,
    /// Its language versions with the moment each appeared.
    pub languages: Vec<LanguageBody>,
    /// Since when readers have it here.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "2021-08-02T14:30:00Z")]
    pub published_at: Option<DateTime<Utc>>,
    /// Who may see it: `public`, `delegates`, `secretariat` or `missions` (named ones).
    #[schema(example = "public")]
    pub audience: &'static str,
    /// Where the entry comes from and how far to rely on it.
    pub provenance: ProvenanceBody,
    /// The language asked for.
    #[schema(value_type = String, example = "fr")]
    pub language: Language,
    /// The fields that are not in it, and the language they are in instead.
    #[schema(value_type = BTreeMap<String, String>, example = json!({"title": "en", "sections": "en"}))]
    pub fallbacks: BTreeMap<String, Language>,
}

impl NoteBody {
    /// Renders a note.
    pub fn of(note: &Note, mut rendering: Rendering) -> Self {
        let content = &note.content;
        let (language, text) = content.texts.get(rendering.language);
        let there = [
            ("title", true),
            ("subtitle", text.subtitle.is_some()),
            ("place_dates", text.place_dates.is_some()),
            ("sections", !text.sections.is_empty()),
        ];
        for (field, _) in there.into_iter().filter(|(_, there)| *there) {
            rendering.note_language(field, language);
        }
        let mut reissues = Vec::new();
        for (i, reissue) in content.reissues.iter().enumerate() {
            let reason = rendering.text_or_none(format_args!("reissues.{i}.reason"), reissue.reason.as_ref());
            reissues.push(ReissueBody { on: reissue.on, reason });
        }
        let published_at = match note.publication {
            Publication::Published { at, .. } => Some(at),
            Publication::Draft | Publication::Embargoed { .. } | Publication::Withdrawn { .. } => None,
        };
        Self {
            id: note.id.0,
            symbol: content.symbol.to_string(),
            printed_symbol: note.citation().to_string(),
            title: text.title.to_string(),
            subtitle: text.subtitle.as_deref().map(str::to_owned),
            place_dates: text.place_dates.as_deref().map(str::to_owned),
            sections: text.sections.iter().map(Into::into).collect(),
            date: content.date,
            reissues,
            job_number: content.job_number.as_ref().map(|n| n.as_str().to_owned()),
            distribution: content.distribution,
            original_language: content.original_language,
            session: NoteSessionBody::of(content.symbol.session(), &content.session_dates),
            languages: languages(note),
            published_at,
            audience: audience_word(&note.audience),
            provenance: (&content.provenance).into(),
            language: rendering.language,
            fallbacks: rendering.fallbacks(),
        }
    }
}

/// One issue in the chain of a document.
#[derive(Debug, Serialize, ToSchema)]
pub struct IssueBody {
    /// The note.
    pub id: Uuid,
    /// Its symbol.
    #[schema(example = "A/INF/76/4/Rev.1")]
    pub symbol: String,
    /// The symbol as printed, with an asterisk for each reissue.
    #[schema(example = "A/INF/76/4/Rev.1")]
    pub printed_symbol: String,
    /// `base`, `revision`, `addendum` or `corrigendum`.
    #[schema(value_type = String, example = "revision")]
    pub role: Role,
    /// The symbol of what it was issued on and is read together with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub accompanies: Option<String>,
    /// The symbols of the texts it replaces.
    #[schema(example = json!(["A/INF/76/4"]))]
    pub supersedes: Vec<String>,
    /// The symbol of the latest revision of it, or of what it accompanies.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub superseded_by: Option<String>,
    /// Whether nothing has replaced it or what it accompanies.
    #[schema(example = true)]
    pub in_force: bool,
}

impl From<&Issue> for IssueBody {
    fn from(issue: &Issue) -> Self {
        Self {
            id: issue.id.0,
            symbol: issue.citation.symbol.to_string(),
            printed_symbol: issue.citation.to_string(),
            role: issue.role,
            accompanies: issue.accompanies.map(String::from),
            supersedes: issue.supersedes.iter().copied().map(String::from).collect(),
            superseded_by: issue.superseded_by.map(String::from),
            in_force: issue.in_force(),
        }
    }
}

/// The issues of one document that the reader may see, in the order in which they are read.
#[derive(Debug, Serialize, ToSchema)]
pub struct ChainBody {
    /// The symbol of the text that stands now; absent when only addenda and corrigenda are there.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "A/INF/76/4/Rev.1")]
    pub in_force: Option<String>,
    /// The issues.
    pub issues: Vec<IssueBody>,
}

impl From<&Chain> for ChainBody {
    fn from(chain: &Chain) -> Self {
        Self {
            in_force: chain.in_force().map(|issue| issue.citation.symbol.to_string()),
            issues: chain.issues().iter().map(Into::into).collect(),
        }
    }
}

/// An INF note with the chain it stands in.
#[derive(Debug, Serialize, ToSchema)]
pub struct NoteInChainBody {
    /// The note.
    #[serde(flatten)]
    pub note: NoteBody,
    /// How it and the other issues of the document follow each other.
    pub chain: ChainBody,
}

/// Why a search found a note.
#[derive(Debug, Serialize, ToSchema)]
pub struct NoteWhyBody {
    /// Where: `symbol`, `title`, `heading` or `text`.
    #[schema(example = "text")]
    pub field: &'static str,
    /// The words there, or a stretch of the text around them.
    #[schema(example = "Media enter and are screened at 47th Street and First Avenue.")]
    pub text: String,
    /// Their language.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "en")]
    pub language: Option<Language>,
    /// How the words match: `whole` (all of the text), `words`, `part` (beginnings of words), `typo`
    /// (one letter off), `loose` (joined, split or left out).
    #[schema(example = "words")]
    pub how: &'static str,
}

impl From<Match> for NoteWhyBody {
    fn from(found: Match) -> Self {
        Self {
            field: match found.place {
                Place::Symbol => "symbol",
                Place::Title => "title",
                Place::Heading => "heading",
                Place::Text => "text",
            },
            text: found.text,
            language: found.language,
            how: match found.how {
                How::Whole => "whole",
                How::Words => "words",
                How::Part => "part",
                How::Typo => "typo",
                How::Loose => "loose",
            },
        }
    }
}

/// An INF note in a list: without its sections.
#[derive(Debug, Serialize, ToSchema)]
pub struct NoteSummaryBody {
    /// Its id, for good.
    pub id: Uuid,
    /// Its symbol.
    #[schema(example = "A/INF/76/4")]
    pub symbol: String,
    /// The symbol as printed, with an asterisk for each reissue.
    #[schema(example = "A/INF/76/4*")]
    pub printed_symbol: String,
    /// The session of the General Assembly.
    #[schema(example = 76)]
    pub session: u16,
    /// The title.
    #[schema(
        example = "Arrangements for the high-level meetings and the general debate of the seventy-sixth session of the General Assembly"
    )]
    pub title: String,
    /// The line under the title.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "Information note for delegations")]
    pub subtitle: Option<String>,
    /// The date on the front page.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "2021-08-02")]
    pub date: Option<NaiveDate>,
    /// The symbol of the latest revision of it, or of what it accompanies; absent while it stands.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "A/INF/76/4/Rev.1")]
    pub superseded_by: Option<String>,
    /// The languages it is there in.
    #[schema(value_type = Vec<String>, example = json!(["ar", "en", "es", "fr", "ru", "zh"]))]
    pub languages: Vec<Language>,
    /// Who may see it: `public`, `delegates`, `secretariat` or `missions` (named ones).
    #[schema(example = "public")]
    pub audience: &'static str,
    /// How far to rely on the entry: `official`, `reported`, `inferred` or `sample`.
    #[schema(value_type = String, example = "reported")]
    pub confidence: Confidence,
    /// The language asked for.
    #[schema(value_type = String, example = "fr")]
    pub language: Language,
    /// The fields that are not in it, and the language they are in instead.
    #[schema(value_type = BTreeMap<String, String>, example = json!({"title": "en"}))]
    pub fallbacks: BTreeMap<String, Language>,
    /// Why it was found; only with `q`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<NoteWhyBody>,
}

impl NoteSummaryBody {
    /// Renders a note of a list.
    pub fn of(note: &Note, chain: &Chain, why: Option<Match>, mut rendering: Rendering) -> Self {
        let content = &note.content;
        let (language, text) = content.texts.get(rendering.language);
        rendering.note_language("title", language);
        if text.subtitle.is_some() {
            rendering.note_language("subtitle", language);
        }
        let issue = chain.issues().iter().find(|issue| issue.id == note.id);
        Self {
            id: note.id.0,
            symbol: content.symbol.to_string(),
            printed_symbol: note.citation().to_string(),
            session: content.symbol.session(),
            title: text.title.to_string(),
            subtitle: text.subtitle.as_deref().map(str::to_owned),
            date: content.date,
            superseded_by: issue.and_then(|issue| issue.superseded_by).map(String::from),
            languages: content.texts.iter().map(|(language, _)| language).collect(),
            audience: audience_word(&note.audience),
            confidence: content.provenance.confidence,
            language: rendering.language,
            fallbacks: rendering.fallbacks(),
            why: why.map(Into::into),
        }
    }
}
