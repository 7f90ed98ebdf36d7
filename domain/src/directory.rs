//! The directory: Yellow Pages by unit and service, White Pages by function and person, the Blue
//! Book of missions. Nothing assumes one organization.

use std::sync::Arc;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::codes::codes;
use crate::{Audience, Broken, Contact, DutyStation, Key, Localized, MissionId, Provenance, Rule, Source};

macro_rules! id {
    ($($(#[$doc:meta])* $name:ident)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);
    )*};
}

id! {
    /// The id of an organization.
    OrganizationId
    /// The id of a unit.
    UnitId
    /// The id of a function.
    FunctionId
    /// The id of a person.
    PersonId
    /// The id of a service.
    ServiceId
}

/// An organization: the UN Secretariat, UNOG, UNICEF, the OSCE.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Organization {
    /// Its id.
    pub id: OrganizationId,
    /// Who may see it.
    pub audience: Audience,
    /// Its name.
    pub name: Localized,
    /// Its acronym, which differs by language (UN, ONU, ООН).
    pub acronym: Option<Localized>,
    /// What it was called before.
    pub former_names: Vec<FormerName>,
    /// How to reach it.
    pub contact: Contact,
    /// Where the entry comes from.
    pub provenance: Provenance,
}

/// A node of an organization's tree: department, office, division, section.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Unit {
    /// Its id.
    pub id: UnitId,
    /// Who may see it.
    pub audience: Audience,
    /// The organization it belongs to.
    pub organization: OrganizationId,
    /// The unit above it; none for the top of a tree.
    pub parent: Option<UnitId>,
    /// Its name.
    pub name: Localized,
    /// Its acronym.
    pub acronym: Option<Localized>,
    /// What sort of unit.
    pub kind: UnitKind,
    /// What it was called before: DGC was DPI until the end of 2018.
    pub former_names: Vec<FormerName>,
    /// Where it sits, when in one place.
    pub duty_station: Option<DutyStation>,
    /// How to reach it.
    pub contact: Contact,
    /// Where the entry comes from.
    pub provenance: Provenance,
}

codes! {
    /// What sort of unit.
    UnitKind {
        /// A department.
        Department = "department",
        /// An office.
        Office = "office",
        /// A division.
        Division = "division",
        /// A branch.
        Branch = "branch",
        /// A section.
        Section = "section",
        /// A service, in the sense of an organizational unit.
        Service = "service",
        /// A unit.
        Unit = "unit",
        /// A centre.
        Centre = "centre",
        /// A field or political mission.
        Mission = "mission",
        /// A programme or subprogramme.
        Programme = "programme",
        /// A fund.
        Fund = "fund",
        /// A committee, commission or other body.
        Body = "body",
    }
}

/// A name or acronym that is no longer used but still asked for.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FormerName {
    /// The former name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<Localized>,
    /// The former acronym.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acronym: Option<Box<str>>,
    /// The last day on which it was in use.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<NaiveDate>,
}

impl FormerName {
    /// A former name, a former acronym or both.
    pub fn parse(name: Option<Localized>, acronym: Option<&str>, until: Option<NaiveDate>) -> Result<Self, Broken> {
        let acronym = acronym.map(|a| crate::text::line(a, 30)).transpose()?.map(Into::into);
        match name.is_none() && acronym.is_none() {
            true => Err(Broken::new(Rule::Required, message!("must have a name or an acronym"))),
            false => Ok(Self { name, acronym, until }),
        }
    }
}

/// A post that answers for something, whoever holds it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Function {
    /// Its id.
    pub id: FunctionId,
    /// Who may see it.
    pub audience: Audience,
    /// The unit it belongs to.
    pub unit: UnitId,
    /// What it answers for.
    pub title: Localized,
    /// Where.
    pub duty_station: DutyStation,
    /// How to reach whoever holds it.
    pub contact: Contact,
    /// Who holds it, in the order of their ids.
    pub holders: Vec<PersonId>,
    /// Where the entry comes from.
    pub provenance: Provenance,
}

/// A person.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Person {
    /// Their id.
    pub id: PersonId,
    /// Who may see the entry.
    pub audience: Audience,
    /// Their name.
    pub name: PersonName,
    /// How to address them: Ms., H.E. Mr., Dr.
    pub honorific: Option<Box<str>>,
    /// What they are.
    pub job_title: Option<Localized>,
    /// The unit they work in.
    pub unit: Option<UnitId>,
    /// The mission they belong to.
    pub mission: Option<MissionId>,
    /// The functions they hold, in the order of their ids.
    pub functions: Vec<Holding>,
    /// Where they work.
    pub duty_station: Option<DutyStation>,
    /// How to reach them.
    pub contact: Contact,
    /// Where the entry comes from.
    pub provenance: Provenance,
}

/// A person's name, as they write it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct PersonName {
    /// Given names; not everybody has one.
    pub given: Option<Box<str>>,
    /// Family name, or the only name.
    pub family: Box<str>,
    /// The whole name in the person's own script.
    pub native: Option<Box<str>>,
}

impl PersonName {
    /// The whole name in Latin script, given names first.
    pub fn full(&self) -> String {
        match &self.given {
            Some(given) => format!("{given} {}", self.family),
            None => self.family.to_string(),
        }
    }
}

/// That a person holds a function.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Holding {
    /// The function.
    pub function: FunctionId,
    /// Since when.
    pub since: Option<NaiveDate>,
}

/// A Permanent Mission or Observer Mission.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Mission {
    /// Its id.
    pub id: MissionId,
    /// Who may see it.
    pub audience: Audience,
    /// The organization it is accredited to.
    pub organization: OrganizationId,
    /// Where it is.
    pub duty_station: DutyStation,
    /// The short name of who it represents: France.
    pub short_name: Localized,
    /// The formal name of who it represents: the French Republic.
    pub formal_name: Localized,
    /// The State it represents; none for an organization's mission.
    pub state: Option<State>,
    /// How to reach it.
    pub contact: Contact,
    /// Where the entry comes from.
    pub provenance: Provenance,
}

/// A member or observer State, by its codes.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct State {
    /// ISO 3166-1 alpha-2.
    pub iso2: Box<str>,
    /// ISO 3166-1 alpha-3.
    pub iso3: Box<str>,
    /// UN M49, three digits.
    pub m49: Box<str>,
    /// Member or observer.
    pub status: StateStatus,
    /// The day of admission.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub admitted_on: Option<NaiveDate>,
    /// The M49 region.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<Box<str>>,
}

codes! {
    /// What a State is to the United Nations.
    StateStatus {
        /// A member State.
        Member = "member",
        /// A non-member observer State.
        Observer = "observer",
    }
}

impl State {
    /// Accepts codes of the right form; whether a code is assigned is the data's matter.
    pub fn parse(
        iso2: &str,
        iso3: &str,
        m49: &str,
        status: StateStatus,
        admitted_on: Option<NaiveDate>,
        region: Option<&str>,
    ) -> Result<Self, Broken> {
        let capitals = |code: &str, n| code.len() == n && code.bytes().all(|b| b.is_ascii_uppercase());
        let digits = m49.len() == 3 && m49.bytes().all(|b| b.is_ascii_digit());
        if !capitals(iso2, 2) || !capitals(iso3, 3) || !digits {
            let rule = message!("must carry iso2 (2 capital letters), iso3 (3 capital letters) and m49 (3 digits)");
            return Err(Broken::new(Rule::Format, rule));
        }
        let region = region.map(|r| crate::text::line(r, 60)).transpose()?.map(Into::into);
        Ok(Self { iso2: iso2.into(), iso3: iso3.into(), m49: m49.into(), status, admitted_on, region })
    }
}

/// What a delegate asks for: a grounds pass, a room for a side event.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Service {
    /// Its id.
    pub id: ServiceId,
    /// Who may see it.
    pub audience: Audience,
    /// Its name.
    pub name: Localized,
    /// What one gets.
    pub description: Option<Localized>,
    /// Other words people ask for it by.
    pub keywords: Vec<Localized>,
    /// Whom to ask, by duty station, in the order of their codes.
    pub contact_points: Vec<ContactPoint>,
    /// Where the entry comes from.
    pub provenance: Provenance,
}

/// The function answerable for a service at a duty station.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ContactPoint {
    /// Where.
    pub duty_station: DutyStation,
    /// Whom to ask there.
    pub function: FunctionId,
}

/// The whole directory that some reader may see.
#[derive(Debug, Clone, Default)]
pub struct Entries {
    /// Organizations.
    pub organizations: Vec<Organization>,
    /// Units.
    pub units: Vec<Unit>,
    /// Functions.
    pub functions: Vec<Function>,
    /// Missions.
    pub missions: Vec<Mission>,
    /// People.
    pub people: Vec<Person>,
    /// Services.
    pub services: Vec<Service>,
    /// Where each of them comes from.
    pub origins: Origins,
}

/// Each entry's source and its key there. Kept beside the entries and close together: few ask for it, and
/// readers are never told.
#[derive(Debug, Clone, Default)]
pub struct Origins {
    most: Arc<Packed>,
    /// What came since, and counts.
    newer: Arc<Packed>,
}

#[derive(Debug, Clone, Default)]
struct Packed {
    sources: Vec<Source>,
    /// All keys, one behind the other.
    keys: String,
    /// In the order of ids.
    places: Vec<Place>,
}

#[derive(Debug, Clone, Copy)]
struct Place {
    id: Uuid,
    start: u32,
    source: u16,
    length: u8,
}

impl Origins {
    /// Of these entries, whose ids differ.
    pub fn new(origins: impl IntoIterator<Item = (Uuid, Source, Key)>) -> Self {
        let mut made = Packed::default();
        origins.into_iter().for_each(|(id, source, key)| made.push(id, &source, key.as_str()));
        Self { most: Arc::new(made.finish()), newer: Arc::default() }
    }

    /// These with others that count before them.
    pub fn with(&self, others: Self) -> Self {
        let is_new = |(id, source, key): &(Uuid, &Source, &str)| self.find(*id) != Some((*source, *key));
        if !others.iter().any(|other| is_new(&other)) {
            return self.clone();
        }
        let few = self.newer.places.len() + others.most.places.len() <= 100 + self.most.places.len() / 8;
        let mut made = Packed::default();
        let kept = if few { self.newer.iter().collect::<Vec<_>>() } else { self.iter().collect() };
        for (id, source, key) in kept.into_iter().filter(|(id, ..)| others.find(*id).is_none()).chain(others.iter()) {
            made.push(id, source, key);
        }
        let made = Arc::new(made.finish());
        match few {
            true => Self { most: self.most.clone(), newer: made },
            false => Self { most: made, newer: Arc::default() },
        }
    }

    /// An entry's source and key.
    pub fn find(&self, id: Uuid) -> Option<(&Source, &str)> {
        self.newer.find(id).or_else(|| self.most.find(id))
    }

    fn iter(&self) -> impl Iterator<Item = (Uuid, &Source, &str)> {
        self.most.iter().filter(|(id, ..)| self.newer.find(*id).is_none()).chain(self.newer.iter())
    }
}

impl Packed {
    fn push(&mut self, id: Uuid, source: &Source, key: &str) {
        let number = self.sources.iter().position(|known| known == source).unwrap_or_else(|| {
            self.sources.push(source.clone());
            self.sources.len() - 1
        });
        let (start, length) = (u32::try_from(self.keys.len()), u8::try_from(key.len()));
        // A directory with 4 GiB of keys or 65,536 sources would be another program's.
        let (Ok(start), Ok(length), Ok(source)) = (start, length, u16::try_from(number)) else { return };
        self.keys.push_str(key);
        self.places.push(Place { id, start, source, length });
    }

    fn finish(mut self) -> Self {
        self.keys.shrink_to_fit();
        self.places.shrink_to_fit();
        self.places.sort_unstable_by_key(|place| place.id);
        self
    }

    fn find(&self, id: Uuid) -> Option<(&Source, &str)> {
        let found = self.places.binary_search_by_key(&id, |place| place.id).ok()?;
        self.at(&self.places[found])
    }

    fn iter(&self) -> impl Iterator<Item = (Uuid, &Source, &str)> {
        self.places.iter().filter_map(|place| self.at(place).map(|(source, key)| (place.id, source, key)))
    }

    fn at(&self, Place { start, source, length, .. }: &Place) -> Option<(&Source, &str)> {
        let start = *start as usize;
        Some((self.sources.get(usize::from(*source))?, self.keys.get(start..start + usize::from(*length))?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_former_name_has_a_name_or_an_acronym() {
        assert!(FormerName::parse(None, Some("DPI"), None).is_ok());
        assert_eq!(FormerName::parse(None, None, None).map_err(|b| b.rule), Err(Rule::Required));
    }

    #[test]
    fn every_entry_finds_its_origin() {
        let origin = |n: u128| {
            let source = Source::parse(if n.is_multiple_of(2) { "hr" } else { "blue-book" }).unwrap();
            (Uuid::from_u128(n * 7 % 11), source, Key::parse(&format!("key-{n}")).unwrap())
        };
        let origins = Origins::new((0..11).map(origin));
        for (id, source, key) in (0..11).map(origin) {
            assert_eq!(origins.find(id), Some((&source, key.as_str())));
        }
        assert_eq!(origins.find(Uuid::from_u128(11)), None);
        let moved = |n| (Uuid::from_u128(n), Source::parse("hr").unwrap(), Key::parse("moved").unwrap());
        for from in [5, 12, 100] {
            let more = origins.with(Origins::new((from..from + 9).map(moved)));
            let more = more.with(Origins::new((from..from + 200).map(moved)));
            assert_eq!(more.find(Uuid::from_u128(from + 8)).unwrap().1, "moved");
            assert_eq!(more.find(Uuid::from_u128(4)), origins.find(Uuid::from_u128(4)));
        }
    }

    #[test]
    fn codes_of_another_form_are_refused() {
        let parse = |iso2, iso3, m49| State::parse(iso2, iso3, m49, StateStatus::Member, None, None);
        assert!(parse("FR", "FRA", "250").is_ok());
        for (iso2, iso3, m49) in [("fr", "FRA", "250"), ("FR", "FR", "250"), ("FR", "FRA", "25")] {
            assert!(parse(iso2, iso3, m49).is_err(), "{iso2} {iso3} {m49}");
        }
    }
}
