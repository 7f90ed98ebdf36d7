//! People are found whose names are typed with one error, in every script.

use std::collections::BTreeMap;

use domain::Language;
use edition::search::{Builder, Index, family_in_native};

mod misspelling;
use misspelling::{Alphabets, Dice, EDITS};

const NAMES: &str = include_str!("../../data/make/many/names.txt");
const PEOPLE_OF_A_CULTURE: usize = 80;
const ASKED_OF_A_CULTURE: usize = 12;

struct Person {
    script: &'static str,
    name: String,
    family: String,
    is_asked: bool,
}

/// The native spelling, masculine; Latin where there is no other.
fn spelling(text: &str) -> &str {
    let (latin, native) = text.trim().split_once('/').unwrap_or((text.trim(), ""));
    let name = if native.is_empty() { latin } else { native };
    name.split('~').next().unwrap_or(name)
}

/// People of every culture of the generator's table, put together by chance.
fn people() -> Vec<Person> {
    let mut people = Vec::new();
    let mut dice = Dice(2016);
    for culture in NAMES.split("\n[").skip(1) {
        let head: Vec<&str> = culture.split(']').next().unwrap_or_default().split_whitespace().collect();
        let list = |name: &str| {
            let line = culture.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
            line.map(|names| names.split(',').map(spelling).collect::<Vec<_>>()).unwrap_or_default()
        };
        let (families, mut given) = (list("families"), list("women"));
        given.extend(list("men"));
        for at in 0..PEOPLE_OF_A_CULTURE {
            let family = families[dice.roll(families.len())];
            let name = match (head[1], given.is_empty()) {
                ("mononym", _) | (_, true) => family.to_owned(),
                ("sinitic", _) => {
                    let [first, second] = [(); 2].map(|()| given[dice.roll(given.len())]);
                    format!("{family}{first}{second}")
                }
                ("family-first", _) => format!("{family} {}", given[dice.roll(given.len())]),
                _ => format!("{} {family}", given[dice.roll(given.len())]),
            };
            let is_asked = at < ASKED_OF_A_CULTURE;
            people.push(Person { script: head[2], name, family: family.to_owned(), is_asked });
        }
    }
    people
}

fn index(people: &[Person]) -> Index {
    let mut builder = Builder::new();
    for (doc, person) in (0..).zip(people) {
        let family = match person.script {
            "latin" => person.name.rfind(&person.family).unwrap_or(0),
            _ => family_in_native(&person.name),
        };
        builder.add_name(doc, &person.name, family);
    }
    builder.finish()
}

/// By script: how many are found among the first 20, of how many.
fn recall(typed: fn(&Person) -> &str, shortest: usize) -> BTreeMap<&'static str, (usize, usize)> {
    let people = people();
    let index = index(&people);
    let mut alphabets = Alphabets::default();
    people.iter().for_each(|person| alphabets.learn(person.script, &person.name));
    let mut dice = Dice(1945);
    let mut shares: BTreeMap<_, (usize, usize)> = BTreeMap::new();
    for person in people.iter().filter(|person| person.is_asked && typed(person).chars().count() >= shortest) {
        for edit in EDITS {
            let Some(wrong) = alphabets.misspell(&mut dice, person.script, typed(person), edit) else { continue };
            let hits = index.search(&wrong, Language::En, |_| true, None, 20);
            let is_right = |doc: u32| typed(&people[doc as usize]) == typed(person);
            let share = shares.entry(person.script).or_default();
            share.0 += usize::from(hits.iter().any(|hit| is_right(hit.rank.doc)));
            share.1 += 1;
        }
    }
    shares
}

#[track_caller]
fn at_least(percent: usize, shares: &BTreeMap<&str, (usize, usize)>, script: &str) {
    let (found, of) = shares[script];
    assert!(of >= 20, "{script}: only {of} errors made");
    assert!(found * 100 >= of * percent, "{script}: {found} of {of}");
}

#[test]
fn whole_names_with_one_error_are_found_in_every_script() {
    let shares = recall(|person| &person.name, 3);
    assert_eq!(shares.len(), 15, "{shares:?}");
    for script in shares.keys() {
        at_least(95, &shares, script);
    }
}

#[test]
fn family_names_with_one_error_are_found() {
    let shares = recall(|person| &person.family, 4);
    for script in ["latin", "arabic", "cyrillic", "devanagari", "bengali", "thai", "greek"] {
        at_least(95, &shares, script);
    }
}
