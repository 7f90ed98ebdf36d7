//! Security bulletins: what an issuer says, to whom and for how long, after CAP 1.2.

mod register;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Deref;

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::codes::codes;
use crate::moment::Moment;
use crate::{Audience, Broken, DutyStation, Faults, Language, Localized, Provenance, Rule, text};

pub use register::{Register, Standing};

/// The id of a bulletin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct BulletinId(pub Uuid);

codes! {
    /// What a bulletin does (CAP 1.2 `msgType`).
    MessageType {
        /// Tells something new.
        Alert = "alert",
        /// Replaces the bulletins it refers to.
        Update = "update",
        /// Ends the bulletins it refers to.
        Cancel = "cancel",
    }
}

codes! {
    /// What a bulletin is about (CAP 1.2 `category`).
    Category {
        /// The earth: earthquakes, landslides.
        Geo = "geo",
        /// The weather and floods.
        Met = "met",
        /// General emergencies and public safety.
        Safety = "safety",
        /// Law enforcement, security and access.
        Security = "security",
        /// Rescue and recovery.
        Rescue = "rescue",
        /// Fire.
        Fire = "fire",
        /// Medicine and public health.
        Health = "health",
        /// Pollution and the environment.
        Env = "env",
        /// Public and private transport.
        Transport = "transport",
        /// Utilities, telecommunication and other infrastructure.
        Infra = "infra",
        /// Chemical, biological, radiological, nuclear or explosive threats.
        Cbrne = "cbrne",
        /// Anything else.
        Other = "other",
    }
}

codes! {
    /// How grave it is (CAP 1.2 `severity`), the gravest first.
    Severity {
        /// An extraordinary threat to life or property.
        Extreme = "extreme",
        /// A significant threat.
        Severe = "severe",
        /// A possible threat.
        Moderate = "moderate",
        /// Minimal or no known threat.
        Minor = "minor",
        /// Not known.
        Unknown = "unknown",
    }
}

codes! {
    /// How soon to act (CAP 1.2 `urgency`), the soonest first.
    Urgency {
        /// At once.
        Immediate = "immediate",
        /// Within the next hour.
        Expected = "expected",
        /// In the near future.
        Future = "future",
        /// No longer.
        Past = "past",
        /// Not known.
        Unknown = "unknown",
    }
}

codes! {
    /// How sure it is (CAP 1.2 `certainty`), the surest first.
    Certainty {
        /// Has happened or is going on.
        Observed = "observed",
        /// More than half likely.
        Likely = "likely",
        /// At most half likely.
        Possible = "possible",
        /// Hardly to be expected.
        Unlikely = "unlikely",
        /// Not known.
        Unknown = "unknown",
    }
}

/// Who issues a bulletin (CAP 1.2 `sender`).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Issuer {
    code: Box<str>,
    name: Localized,
}

impl Issuer {
    /// Accepts a code, as [`identifier`] does, and a name of at most 200 characters.
    pub fn parse(code: &str, name: &BTreeMap<String, String>) -> Result<Self, Faults> {
        let mut faults = Faults::new();
        let code = faults.check("/code", identifier(code));
        let name = faults.check_part("/name", Localized::parse(name, 200));
        let issuer = code.zip(name).map(|(code, name)| Self { code, name });
        faults.finish(issuer)
    }

    /// The code: an issuer's bulletins refer only to one another.
    pub fn code(&self) -> &str {
        &self.code
    }

    /// The name.
    pub fn name(&self) -> &Localized {
        &self.name
    }
}

/// Accepts an identifier as CAP 1.2 §3.2.1 has it: 1 to 100 visible ASCII characters other than
/// comma, `<` and `&`.
pub fn identifier(text: &str) -> Result<Box<str>, Broken> {
    let well_formed =
        (1..=100).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic() && !b",<&".contains(&b));
    match well_formed {
        true => Ok(text.into()),
        false => Err(Broken::new(
            Rule::Format,
            message!("must be 1 to 100 visible ASCII characters other than comma, < and & (CAP 1.2)"),
        )),
    }
}

/// What a bulletin says in one language (CAP 1.2 `info`).
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Text {
    headline: Box<str>,
    description: Box<str>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    instruction: Option<Box<str>>,
}

impl Text {
    /// Accepts a headline of one line and at most 160 characters, and a description and an
    /// instruction of at most 10,000.
    pub fn parse(headline: &str, description: &str, instruction: Option<&str>) -> Result<Self, Faults> {
        let mut faults = Faults::new();
        let headline = faults.check("/headline", text::line(headline, 160));
        let description = faults.check("/description", text::block(description, 10_000));
        let instruction = instruction.and_then(|i| faults.check("/instruction", text::block(i, 10_000)));
        let text = headline.zip(description).map(|(headline, description)| Self {
            headline: headline.into(),
            description: description.into(),
            instruction: instruction.map(Into::into),
        });
        faults.finish(text)
    }

    /// One line.
    pub fn headline(&self) -> &str {
        &self.headline
    }

    /// What is going on.
    pub fn description(&self) -> &str {
        &self.description
    }

    /// What to do.
    pub fn instruction(&self) -> Option<&str> {
        self.instruction.as_deref()
    }
}

/// What a bulletin holds. As a [`Bulletin`] it keeps the rules of [`Bulletin::parse`].
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Contents {
    /// Its id.
    pub id: BulletinId,
    /// What the issuer calls it; unique among the issuer's bulletins.
    pub identifier: Box<str>,
    /// Who issues it.
    pub issuer: Issuer,
    /// The duty station it concerns.
    pub duty_station: DutyStation,
    /// The time zone in which it is read.
    pub time_zone: Tz,
    /// What it does.
    pub message_type: MessageType,
    /// The earlier bulletins that it updates or cancels.
    pub references: BTreeSet<BulletinId>,
    /// What it is about.
    pub category: Category,
    /// How grave it is.
    pub severity: Severity,
    /// How soon to act.
    pub urgency: Urgency,
    /// How sure it is.
    pub certainty: Certainty,
    /// Who may see it.
    pub audience: Audience,
    /// When the issuer sent it.
    pub sent: Moment,
    /// When what it tells of begins; `None`: when it was sent.
    pub onset: Option<Moment>,
    /// When it no longer holds.
    pub expires: Option<Moment>,
    /// Before when nobody may see it.
    pub embargo_until: Option<DateTime<Utc>>,
    /// When it became visible, by the database's clock.
    pub published_at: Option<DateTime<Utc>>,
    /// When its expiry was noted, by the database's clock.
    pub expired_at: Option<DateTime<Utc>>,
    /// What it says.
    pub texts: BTreeMap<Language, Text>,
    /// Where it comes from.
    pub provenance: Provenance,
}

/// A bulletin: [`Contents`] that do not contradict themselves. What it refers to is checked by
/// [`Register::check`].
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Bulletin(Contents);

impl Bulletin {
    /// Accepts contents: an update or cancellation refers to other bulletins and an alert to none,
    /// it expires after its onset and after it was sent, has a text, and was not published before
    /// its embargo ended.
    pub fn parse(contents: Contents) -> Result<Self, Faults> {
        let mut faults = Faults::new();
        faults.check("/identifier", identifier(&contents.identifier));
        let conflict = |detail: crate::Message| Broken::new(Rule::Conflict, detail);
        match (contents.message_type, contents.references.is_empty()) {
            (MessageType::Alert, false) => {
                faults.add(
                    "/references",
                    conflict(message!("an alert refers to no other bulletin: an update or a cancel does")),
                );
            }
            (MessageType::Update | MessageType::Cancel, true) => {
                let code = contents.message_type.code();
                faults.add(
                    "/references",
                    Broken::new(
                        Rule::Required,
                        message!("must name what this {message_type} is about", message_type = code),
                    ),
                );
            }
            _ => {}
        }
        if contents.references.contains(&contents.id) {
            faults.add("/references", conflict(message!("must not name the bulletin itself")));
        }
        if let Some(expires) = &contents.expires {
            if expires.at <= contents.sent.at {
                faults.add("/expires", conflict(message!("must be later than {field}", field = "sent")));
            }
            if contents.onset.as_ref().is_some_and(|onset| expires.at <= onset.at) {
                faults.add("/expires", conflict(message!("must be later than {field}", field = "onset")));
            }
        }
        if contents.published_at.zip(contents.embargo_until).is_some_and(|(published, embargo)| published < embargo) {
            faults
                .add("/published_at", conflict(message!("must not be earlier than {field}", field = "embargo_until")));
        }
        if contents.texts.is_empty() {
            faults.add("/texts", Broken::new(Rule::Required, message!("must have a text in at least one language")));
        }
        faults.finish(Some(Self(contents)))
    }

    /// What it says to a reader of `language`: that language, else English, else the first there
    /// is. The language returned says which it was.
    pub fn text(&self, language: Language) -> (Language, &Text) {
        let texts = &self.texts;
        [language, Language::En]
            .into_iter()
            .find_map(|l| Some((l, texts.get(&l)?)))
            .or_else(|| texts.iter().next().map(|(l, text)| (*l, text)))
            .expect("a bulletin has a text")
    }

    /// When what it tells of begins.
    pub fn begins(&self) -> &Moment {
        self.onset.as_ref().unwrap_or(&self.sent)
    }

    /// The contents, to change and parse again.
    pub fn into_contents(self) -> Contents {
        self.0
    }
}

impl Deref for Bulletin {
    type Target = Contents;

    fn deref(&self) -> &Contents {
        &self.0
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::Confidence;
    use crate::moment::instant;

    pub(crate) fn at(text: &str) -> DateTime<Utc> {
        instant(text).unwrap()
    }

    pub(crate) fn id(n: u128) -> BulletinId {
        BulletinId(Uuid::from_u128(n))
    }

    /// An alert of the UN, sent at noon on day `n` of April 2016.
    pub(crate) fn alert(n: u8) -> Contents {
        let name = BTreeMap::from([("en".to_owned(), "United Nations".to_owned())]);
        Contents {
            id: id(n.into()),
            identifier: format!("UN-2016-{n}").into(),
            issuer: Issuer::parse("un", &name).unwrap(),
            duty_station: DutyStation::parse("NY").unwrap(),
            time_zone: chrono_tz::America::New_York,
            message_type: MessageType::Alert,
            references: BTreeSet::new(),
            category: Category::Security,
            severity: Severity::Minor,
            urgency: Urgency::Future,
            certainty: Certainty::Likely,
            audience: Audience::Public,
            sent: Moment::exact(at(&format!("2016-04-{n:02}T12:00:00-04:00"))),
            onset: None,
            expires: None,
            embargo_until: None,
            published_at: None,
            expired_at: None,
            texts: [(Language::En, Text::parse("Gate closed", "The gate is closed.", None).unwrap())].into(),
            provenance: Provenance { confidence: Confidence::Sample, citation: None, as_of: None },
        }
    }

    /// The same as an update or cancellation of day `earlier`'s.
    pub(crate) fn follow_up(n: u8, message_type: MessageType, earlier: u8) -> Contents {
        Contents { message_type, references: [id(earlier.into())].into(), ..alert(n) }
    }

    fn broken(contents: Contents) -> Vec<(String, Rule)> {
        let faults = Bulletin::parse(contents).unwrap_err().into_vec();
        faults.into_iter().map(|f| (f.pointer, f.rule)).collect()
    }

    #[test]
    fn an_update_and_a_cancellation_name_what_they_are_about() {
        for message_type in [MessageType::Update, MessageType::Cancel] {
            assert_eq!(broken(Contents { message_type, ..alert(1) }), [("/references".into(), Rule::Required)]);
            assert!(Bulletin::parse(follow_up(2, message_type, 1)).is_ok());
            assert_eq!(broken(follow_up(2, message_type, 2)), [("/references".into(), Rule::Conflict)]);
        }
        assert_eq!(broken(follow_up(2, MessageType::Alert, 1)), [("/references".into(), Rule::Conflict)]);
    }

    #[test]
    fn a_bulletin_expires_after_its_onset() {
        let moment = |text| Some(Moment::exact(at(text)));
        let noon = moment("2016-04-21T12:00:00-04:00");
        let contents = Contents { onset: noon.clone(), expires: noon.clone(), ..alert(20) };
        assert_eq!(broken(contents), [("/expires".into(), Rule::Conflict)]);
        assert_eq!(broken(Contents { expires: noon, ..alert(22) }), [("/expires".into(), Rule::Conflict)]);
    }

    #[test]
    fn nothing_is_published_before_its_embargo_ends() {
        let (early, late) = (Some(at("2016-04-21T09:00:00Z")), Some(at("2016-04-21T10:00:00Z")));
        let contents = |embargo_until, published_at| Contents { embargo_until, published_at, ..alert(20) };
        assert_eq!(broken(contents(late, early)), [("/published_at".into(), Rule::Conflict)]);
        assert!(Bulletin::parse(contents(early, early)).is_ok());
    }

    #[test]
    fn an_identifier_can_stand_in_a_cap_reference() {
        for good in ["UN-2016-1", "nypd@nyc.gov", "urn:oid:2.49.0.1"] {
            assert!(identifier(good).is_ok(), "{good}");
        }
        for bad in ["", "a b", "a,b", "a<b", "a&b", "é", "a\0"] {
            assert!(identifier(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_missing_language_is_answered_in_english_and_named() {
        let fr = Text::parse("Porte fermée", "La porte est fermée.", None).unwrap();
        let mut contents = alert(1);
        contents.texts.insert(Language::Fr, fr.clone());
        let bulletin = Bulletin::parse(contents.clone()).unwrap();
        assert_eq!(bulletin.text(Language::Fr), (Language::Fr, &fr));
        assert_eq!(bulletin.text(Language::Ru).0, Language::En);
        contents.texts.remove(&Language::En);
        assert_eq!(Bulletin::parse(contents.clone()).unwrap().text(Language::Ru).0, Language::Fr);
        contents.texts.clear();
        assert_eq!(broken(contents), [("/texts".into(), Rule::Required)]);
    }
}
