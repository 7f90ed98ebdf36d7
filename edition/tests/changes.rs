//! A changed edition is the one that would be made from scratch.

#![allow(clippy::unwrap_used)]

use std::collections::{BTreeMap, BTreeSet};

use chrono::DateTime;
use domain::directory::{
    ContactPoint, Entries, Function, FunctionId, Holding, Mission, Organization, OrganizationId, Origins, Person,
    PersonId, PersonName, Service, ServiceId, Unit, UnitId, UnitKind,
};
use domain::inf_notes::{Content, Note, NoteId, Publication, Reissues, SessionDates, Symbol, Text, Texts};
use domain::{
    Audience, Confidence, Contact, DutyStation, Key, Kind, Language, Localized, MissionId, Provenance, Reader, Source,
};
use edition::{Collection, Cursor, Directory, InfNotes, Item};
use proptest::prelude::*;
use uuid::Uuid;

const KINDS: [Kind; 6] = [Kind::Organization, Kind::Unit, Kind::Function, Kind::Mission, Kind::Person, Kind::Service];
const READERS: [Reader; 3] =
    [Reader::Stranger, Reader::Mission(MissionId(Uuid::from_u128(3 << 64))), Reader::Secretariat];
const GIVEN: [&str; 5] = ["Ana", "Anna", "Éva", "Li", "Omar"];
const FAMILY: [&str; 6] = ["Torres", "Torrez", "Okafor", "Ibáñez", "Wei", "van der Berg"];
const TITLES: [(&str, &str); 4] = [
    ("Chief", "Cheffe"),
    ("Protocol Officer", "Chargé du protocole"),
    ("Passes", "Laissez-passer"),
    ("Torres", "Tours"),
];
const QUERIES: [&str; 9] =
    ["tor", "torres", "ana torres", "okafro", "tor res", "chief of", "proto off", "anaokafor", "nobody at all"];

/// What there is, as one could write it down: by kind and number, of which variant.
type Written = BTreeMap<(Kind, u8), u16>;

fn id(kind: Kind, number: u8) -> Uuid {
    Uuid::from_u128((kind as u128) << 64 | u128::from(number))
}

fn provenance() -> Provenance {
    Provenance::parse(Confidence::Sample, None, None).unwrap()
}

fn audience(variant: u16) -> Audience {
    match variant % 5 {
        0 | 1 => Audience::Public,
        2 => Audience::Delegates,
        3 => Audience::Secretariat,
        _ => Audience::Missions([MissionId(Uuid::from_u128(3 << 64))].into()),
    }
}

fn localized(variant: u16) -> Localized {
    let (en, fr) = TITLES[usize::from(variant / 5) % TITLES.len()];
    match variant % 3 {
        0 => Localized::only(Language::En, en),
        _ => serde_json::from_value(serde_json::json!({"en": en, "fr": fr})).unwrap(),
    }
}

fn entries<'a>(written: impl Iterator<Item = (&'a (Kind, u8), &'a u16)>) -> Entries {
    let mut entries = Entries::default();
    let (contact, station) = (Contact::default, || DutyStation::parse("NY").unwrap());
    let mut origins = Vec::new();
    for (&(kind, number), &variant) in written {
        let (id, audience, any) = (id(kind, number), audience(variant), |kind| self::id(kind, (variant % 4) as u8));
        origins.push((id, Source::parse("hr").unwrap(), Key::parse(&format!("{}-{number}", kind.name())).unwrap()));
        match kind {
            Kind::Organization => entries.organizations.push(Organization {
                id: OrganizationId(id),
                audience,
                name: localized(variant),
                acronym: None,
                former_names: Vec::new(),
                contact: contact(),
                provenance: provenance(),
            }),
            Kind::Unit => entries.units.push(Unit {
                id: UnitId(id),
                audience,
                organization: OrganizationId(any(Kind::Organization)),
                parent: (variant % 2 == 0).then(|| UnitId(any(Kind::Unit))),
                name: localized(variant),
                acronym: None,
                kind: UnitKind::Office,
                former_names: Vec::new(),
                duty_station: None,
                contact: contact(),
                provenance: provenance(),
            }),
            Kind::Function => entries.functions.push(Function {
                id: FunctionId(id),
                audience,
                unit: UnitId(any(Kind::Unit)),
                title: localized(variant),
                duty_station: station(),
                contact: contact(),
                holders: vec![PersonId(any(Kind::Person))],
                provenance: provenance(),
            }),
            Kind::Mission => entries.missions.push(Mission {
                id: MissionId(id),
                audience,
                organization: OrganizationId(any(Kind::Organization)),
                duty_station: station(),
                short_name: localized(variant),
                formal_name: localized(variant / 2),
                state: None,
                contact: contact(),
                provenance: provenance(),
            }),
            Kind::Person => entries.people.push(Person {
                id: PersonId(id),
                audience,
                name: PersonName {
                    given: (variant % 7 != 0).then(|| GIVEN[usize::from(variant) % GIVEN.len()].into()),
                    family: FAMILY[usize::from(variant / 3) % FAMILY.len()].into(),
                    native: None,
                },
                honorific: None,
                job_title: (variant % 4 == 0).then(|| localized(variant)),
                unit: Some(UnitId(any(Kind::Unit))),
                mission: None,
                functions: vec![Holding { function: FunctionId(any(Kind::Function)), since: None }],
                duty_station: None,
                contact: contact(),
                provenance: provenance(),
            }),
            Kind::Service => entries.services.push(Service {
                id: ServiceId(id),
                audience,
                name: localized(variant),
                description: Some(localized(variant / 2)),
                keywords: Vec::new(),
                contact_points: vec![ContactPoint {
                    duty_station: station(),
                    function: FunctionId(any(Kind::Function)),
                }],
                provenance: provenance(),
            }),
            _ => unreachable!("{kind:?} is not of the directory"),
        }
    }
    entries.origins = Origins::new(origins);
    entries
}

/// All that a reader can list, page by page.
fn listed<T: Item + Clone + std::fmt::Debug>(all: &Collection<T>, reader: Reader, language: Language) -> Vec<String> {
    let mut listed = Vec::new();
    let mut after: Option<Cursor> = None;
    loop {
        let page = all.page(reader, language, after.as_ref(), 7, |_| true);
        listed.extend(page.entries.iter().map(|entry| format!("{} {:?}", entry.tag, entry.value)));
        listed.push(format!("{:?}", page.next));
        match page.next {
            Some(next) => after = Some(next),
            None => return listed,
        }
    }
}

/// All that a reader can find, page by page.
fn found(directory: &Directory, query: &str, reader: Reader, language: Language) -> Vec<String> {
    let mut all = Vec::new();
    let mut after = None;
    loop {
        let page = directory.search(query, language, reader, |_| true, after, 5).unwrap();
        all.extend(page.iter().map(|hit| format!("{:?} {} {} {:?}", hit.kind, hit.id, hit.score, hit.matched)));
        match page.last() {
            Some(last) => after = Some((last.score, last.id)),
            None => return all,
        }
    }
}

fn assert_alike(changed: &Directory, made: &Directory) {
    assert_eq!(changed.len(), made.len());
    for (reader, language) in READERS.into_iter().flat_map(|reader| Language::ALL.map(|language| (reader, language))) {
        macro_rules! lists {
            ($($list:ident)*) => {$(
                let lists = [changed, made].map(|directory| listed(&directory.$list, reader, language));
                assert_eq!(lists[0], lists[1]);
                let ordered = [changed, made].map(|directory| {
                    let from = |start| directory.$list.in_order_from(language, start).map(|entry| entry.tag).collect();
                    [0, 5, 64, 70].map(from) as [Vec<u64>; 4]
                });
                assert_eq!(ordered[0], ordered[1]);
            )*};
        }
        lists!(organizations units functions missions people services);
        for query in QUERIES {
            assert_eq!(found(changed, query, reader, language), found(made, query, reader, language), "{query}");
        }
        for number in 0..8 {
            let below = [changed, made].map(|directory| {
                let above = [id(Kind::Unit, number), id(Kind::Organization, number)];
                let below = above.map(|above| directory.units_below(above, reader, language));
                below.into_iter().flatten().map(|unit| unit.value.id).collect::<Vec<_>>()
            });
            assert_eq!(below[0], below[1]);
        }
    }
    for entry in made.people.visible(Reader::Secretariat) {
        assert_eq!(changed.people.get(entry.value.id.0, Reader::Secretariat).unwrap().value, entry.value);
        assert_eq!(changed.origins.find(entry.value.id.0), made.origins.find(entry.value.id.0));
    }
}

/// Of each kind and number the next variant, or none.
type Change = BTreeMap<(Kind, u8), Option<u16>>;

fn changes(most: usize) -> impl Strategy<Value = Change> {
    let one = (0..KINDS.len(), 0..220u8, proptest::option::weighted(0.7, 0..200u16));
    proptest::collection::vec(one, 1..most).prop_map(|all| {
        let few = |kind, number| if kind == Kind::Person { number } else { number % 8 };
        all.into_iter().map(|(kind, number, variant)| ((KINDS[kind], few(KINDS[kind], number)), variant)).collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn a_changed_directory_is_the_one_that_would_be_made_from_scratch(
        people in 0..220u8,
        steps in proptest::collection::vec((prop_oneof![4 => changes(4), 1 => changes(90)], any::<bool>()), 1..12),
    ) {
        let mut written: Written = (0..people).map(|number| ((Kind::Person, number), u16::from(number))).collect();
        let mut directory = Directory::new(entries(written.iter()));
        for (change, tidies) in steps {
            // Work that is begun before a change is put in place after it.
            let tidied = directory.tidying().filter(|_| tidies).map(|work| work.run());
            for (name, variant) in &change {
                match variant {
                    Some(variant) => written.insert(*name, *variant),
                    None => written.remove(name),
                };
            }
            let touched: BTreeSet<(Kind, Uuid)> = change.keys().map(|(kind, number)| (*kind, id(*kind, *number))).collect();
            let read = entries(written.iter().filter(|(name, _)| change.contains_key(name)));
            directory = directory.with(&touched, read);
            if let Some(tidied) = tidied {
                directory = directory.tidied(tidied).unwrap();
            }
        }
        assert_alike(&directory, &Directory::new(entries(written.iter())));
    }

    #[test]
    fn changed_notes_are_those_that_would_be_made_from_scratch(
        notes in 0..90u16,
        steps in proptest::collection::vec((proptest::collection::btree_map(0..100u16, note_change(), 1..5), any::<bool>()), 1..9),
    ) {
        let mut written: BTreeMap<u16, (u16, u16)> = (0..notes).map(|number| (number, (number, 0))).collect();
        let mut all = InfNotes::new(written.iter().map(note).collect());
        for (change, tidies) in steps {
            let tidied = all.tidying().filter(|_| tidies).map(|work| work.run());
            let mut change: BTreeMap<u16, Option<(u16, u16)>> = change;
            // A symbol belongs to one note at a time.
            let taken = |written: &BTreeMap<u16, (u16, u16)>, symbol| written.values().any(|(own, _)| *own == symbol);
            for (number, next) in &mut change {
                written.remove(number);
                *next = next.filter(|(symbol, _)| !taken(&written, *symbol));
                next.iter().for_each(|next| { written.insert(*number, *next); });
            }
            let touched = change.keys().map(|number| (Kind::InfNote, id(Kind::InfNote, *number as u8))).collect();
            let read = written.iter().filter(|(number, _)| change.contains_key(number)).map(note).collect();
            all = all.with(&touched, read);
            if let Some(tidied) = tidied {
                all = all.tidied(tidied).unwrap();
            }
        }
        let made = InfNotes::new(written.iter().map(note).collect());
        for reader in READERS {
            let lists = [&all, &made].map(|notes| listed(notes.notes(), reader, Language::Fr));
            prop_assert_eq!(&lists[0], &lists[1]);
            for symbol in (0..120).map(symbol) {
                let chains = [&all, &made].map(|notes| format!("{:?}", notes.chain(symbol, reader)));
                prop_assert_eq!(&chains[0], &chains[1]);
                let tags = [&all, &made].map(|notes| notes.find(symbol, reader).map(|entry| entry.tag));
                prop_assert_eq!(tags[0], tags[1]);
            }
            for query in ["election", "electoin", "general", "A/INF/77", "titel genral", "elec tion"] {
                let hits = [&all, &made].map(|notes| {
                    let (mut hits, mut after) = (Vec::new(), None);
                    loop {
                        let found = notes.search(query, reader, Language::En, after.as_ref(), 3, |_| true).unwrap();
                        hits.extend(found.hits.iter().map(|(entry, matched)| format!("{} {matched:?}", entry.value.id.0)));
                        match found.next {
                            Some(next) => after = Some(next),
                            None => return hits,
                        }
                    }
                });
                prop_assert_eq!(&hits[0], &hits[1], "{}", query);
            }
        }
    }
}

fn note_change() -> impl Strategy<Value = Option<(u16, u16)>> {
    proptest::option::weighted(0.7, (0..120u16, 0..10u16))
}

fn symbol(number: u16) -> Symbol {
    let (note, issue) = (number / 3 + 1, number % 3);
    let issue = if issue == 0 { String::new() } else { format!("/Rev.{issue}") };
    Symbol::parse(&format!("A/INF/77/{note}{issue}")).unwrap()
}

fn note((number, (symbol, variant)): (&u16, &(u16, u16))) -> Note {
    let title = ["General debate", "Election of judges", "Credentials"][usize::from(variant % 3)];
    let text = Text::parse(title, None, Some("Title page"), vec![], Confidence::Sample, None).unwrap();
    Note {
        id: NoteId(id(Kind::InfNote, *number as u8)),
        audience: audience(*variant),
        publication: Publication::Published { at: DateTime::UNIX_EPOCH, embargo_until: None },
        content: Content {
            symbol: self::symbol(*symbol),
            date: None,
            reissues: Reissues::default(),
            job_number: None,
            distribution: None,
            original_language: None,
            session_dates: SessionDates::default(),
            texts: Texts::parse(BTreeMap::from([(Language::En, text)])).unwrap(),
            provenance: provenance(),
        },
    }
}
