//! Measures what a change of a directory costs, on the invented people of `data/make/many.py`: time and memory to make
//! it, to change one person, to change many, and to merge aside what changes leave of the search index.
//!
//! ```sh
//! python3 data/make/many.py --out DIR
//! cargo run --release -p edition --example changes DIR
//! ```
//!
//! `script/bench` measures imports and starts of the whole program. No test depends on a time.
#![allow(clippy::print_stdout, reason = "printing is what it is for")]

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::error::Error;
use std::fs::File;
use std::hint::black_box;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::time::Instant;

use domain::directory::{Entries, Origins, Person, PersonId, PersonName};
use domain::{Audience, Confidence, Contact, Key, Kind, Language, Localized, Provenance, Reader, Source};
use edition::Directory;
use serde::Deserialize;
use uuid::Uuid;

#[derive(Deserialize)]
struct Row {
    kind: String,
    name: Option<Name>,
    job_title: Option<Localized>,
    #[serde(default)]
    contact: Contact,
}

#[derive(Deserialize)]
struct Name {
    given: Option<Box<str>>,
    family: Option<Box<str>>,
    native: Option<Box<str>>,
}

fn people(folder: PathBuf) -> Result<Vec<Person>, Box<dyn Error>> {
    let path = folder.join("directory.ndjson");
    let file = File::open(&path).map_err(|cause| format!("{}: {cause}", path.display()))?;
    let provenance = Provenance::parse(Confidence::Sample, Some("Invented to measure with"), None);
    let provenance = provenance.map_err(|_| "a provenance")?;
    let mut titles: HashMap<String, Localized> = HashMap::new();
    let mut people = Vec::new();
    for line in BufReader::new(file).lines() {
        let row: Row = serde_json::from_str(&line?)?;
        let Some(Name { given, family: Some(family), native }) = row.name.filter(|_| row.kind == "person") else {
            continue;
        };
        let title = row.job_title.map(|title| {
            let known = titles.entry(title.get(Language::En).1.to_owned());
            known.or_insert(title).clone()
        });
        people.push(Person {
            // As random in its last bits as one of version 7.
            id: PersonId(Uuid::from_u128(0x7000 << 64 | spread(people.len() as u64))),
            audience: Audience::Delegates,
            name: PersonName { given, family, native },
            honorific: Some("Ms.".into()),
            job_title: title,
            unit: None,
            mission: None,
            functions: Vec::new(),
            duty_station: None,
            contact: row.contact,
            provenance: provenance.clone(),
        });
    }
    Ok(people)
}

fn spread(n: u64) -> u128 {
    u128::from(n.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15))
}

fn entries(people: Vec<Person>) -> Result<Entries, Box<dyn Error>> {
    let mut origins = Vec::new();
    for person in &people {
        origins.push((person.id.0, Source::parse("hr")?, Key::parse(&person.id.0.to_string())?));
    }
    Ok(Entries { people, origins: Origins::new(origins), ..Entries::default() })
}

/// The person with another name.
fn renamed(person: &Person, n: usize) -> Person {
    let family = format!("{} {}", person.name.family, ["Okafor", "Torres", "Wei", "Ibáñez"][n % 4]);
    Person { name: PersonName { family: family.into(), ..person.name.clone() }, ..person.clone() }
}

/// The directory with the next `number` people renamed.
fn change(directory: &Directory, people: &[Person], number: usize, n: usize) -> Result<Directory, Box<dyn Error>> {
    let renamed: Vec<Person> = (0..number).map(|i| renamed(&people[(n * 7919 + i * 13) % people.len()], n)).collect();
    let touched: BTreeSet<(Kind, Uuid)> = renamed.iter().map(|person| (Kind::Person, person.id.0)).collect();
    let renamed: BTreeMap<Uuid, Person> = renamed.into_iter().map(|person| (person.id.0, person)).collect();
    Ok(directory.with(&touched, entries(renamed.into_values().collect())?))
}

/// Resident memory, in MiB.
fn resident() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or_default();
    line.split_whitespace().next().and_then(|kib| kib.parse::<f64>().ok()).unwrap_or_default() / 1024.0
}

fn milliseconds(work: impl FnOnce()) -> f64 {
    let start = Instant::now();
    work();
    start.elapsed().as_secs_f64() * 1e3
}

fn told(what: &str, mut times: Vec<f64>) {
    times.sort_by(f64::total_cmp);
    let at = |percent: usize| times.get(times.len() * percent / 100).copied().unwrap_or_default();
    println!("{what:46} {:10.3} {:10.3} {:10.1}", at(50), at(99), resident());
}

fn main() -> Result<(), Box<dyn Error>> {
    let people = people(std::env::args().nth(1).ok_or("give the folder that data/make/many.py has written")?.into())?;
    let ids: Vec<Uuid> = people.iter().map(|person| person.id.0).collect();
    println!("{} people\n{:46} {:>10} {:>10} {:>10}", people.len(), "milliseconds", "median", "p99", "MiB then");
    told("the people alone", vec![]);
    let all = entries(people.clone())?;
    let mut directory = Directory::default();
    told("a directory is made", vec![milliseconds(|| directory = Directory::new(all))]);

    let look_up = |directory: &Directory| {
        for id in ids.iter().cycle().step_by(7919).take(100_000) {
            black_box(directory.people.get(*id, Reader::Secretariat));
        }
    };
    told("100,000 look-ups by id", (0..9).map(|_| milliseconds(|| look_up(&directory))).collect());
    let search = |directory: &Directory| {
        for query in ["okafor", "torr", "ana", "ibanez"] {
            black_box(directory.search(query, Language::En, Reader::Secretariat, |_| true, None, 20));
        }
    };
    told("4 searches", (0..50).map(|_| milliseconds(|| search(&directory))).collect());

    let mut times = Vec::new();
    for n in 0..1000 {
        let start = Instant::now();
        directory = change(&directory, &people, 1, n)?;
        times.push(start.elapsed().as_secs_f64() * 1e3);
        while let Some(tidying) = directory.tidying() {
            directory = directory.tidied(tidying.run()).ok_or("nothing else is made")?;
        }
    }
    told("one person is changed, 1,000 times", times);
    told("100,000 look-ups by id", (0..9).map(|_| milliseconds(|| look_up(&directory))).collect());
    told("4 searches", (0..50).map(|_| milliseconds(|| search(&directory))).collect());

    let tenth = people.len() / 10;
    let start = Instant::now();
    directory = change(&directory, &people, tenth, 1)?;
    told("a tenth is changed at once", vec![start.elapsed().as_secs_f64() * 1e3]);
    let tidying = directory.tidying().ok_or("much has changed")?;
    let mut tidied = None;
    told("the search index is made anew, aside", vec![milliseconds(|| tidied = Some(tidying.run()))]);
    directory = change(&directory, &people, 1, 5)?;
    let tidied = tidied.ok_or("it was made")?;
    let start = Instant::now();
    let next = directory.tidied(tidied).ok_or("nothing else is made")?;
    told("and put in place", vec![start.elapsed().as_secs_f64() * 1e3]);
    drop(directory);
    told("with the one before given up", vec![]);
    black_box(next);
    Ok(())
}
