//! Measures the search index alone on the invented people of `data/make/many.py`: time to build, memory, time a query,
//! and how many one-edit typos still find the person among the first twenty.
//!
//! ```sh
//! python3 data/make/many.py --out DIR
//! cargo run --profile quick -p edition --example search_speed DIR
//! ```
//!
//! `script/bench` measures the same over HTTP. No test depends on a time.
#![allow(clippy::print_stdout, reason = "printing is what it is for")]

use std::collections::{BTreeMap, HashSet};
use std::error::Error;
use std::fs::File;
use std::hint::black_box;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::time::Instant;

use domain::Language;
use edition::search::{Builder, Field, Index};
use serde::Deserialize;
use serde::de::DeserializeOwned;

const PAGE: usize = 20;
const SAMPLE: usize = 2_000;

/// A row of the directory, as far as it is searched here.
#[derive(Deserialize)]
struct Row {
    kind: String,
    name: Option<Name>,
    job_title: Option<BTreeMap<String, String>>,
    #[serde(default)]
    contact: Contact,
}

#[derive(Deserialize)]
struct Name {
    given: Option<String>,
    family: Option<String>,
    native: Option<String>,
}

#[derive(Deserialize, Default)]
struct Contact {
    #[serde(default)]
    telephones: Vec<Telephone>,
}

#[derive(Deserialize)]
struct Telephone {
    number: String,
}

/// What somebody types who looks for a person.
#[derive(Deserialize)]
struct Query {
    script: String,
    name: String,
    family: String,
    prefix: String,
    typo: String,
    family_typo: Option<String>,
}

/// A person's names, Latin and native.
struct Person {
    names: Vec<String>,
    title: Option<String>,
    number: Option<String>,
}

fn lines<T: DeserializeOwned>(path: &Path) -> Result<Vec<T>, Box<dyn Error>> {
    let reader = BufReader::new(File::open(path).map_err(|cause| format!("{}: {cause}", path.display()))?);
    reader.lines().map(|line| Ok(serde_json::from_str(&line?)?)).collect()
}

fn person(row: Row) -> Option<Person> {
    let name = row.name.filter(|_| row.kind == "person")?;
    let latin = [name.given, name.family].into_iter().flatten().collect::<Vec<_>>().join(" ");
    Some(Person {
        names: [latin].into_iter().chain(name.native).collect(),
        title: row.job_title.and_then(|mut titles| titles.remove("en")),
        number: row.contact.telephones.into_iter().next().map(|telephone| telephone.number.replace(' ', "")),
    })
}

/// Median and 99th percentile of the microseconds of `queries`, each the median of seven runs after one to warm up.
fn microseconds(index: &Index, queries: &[String]) -> (f64, f64) {
    let mut times: Vec<f64> = Vec::new();
    for query in queries {
        let mut runs: Vec<f64> = (0..8)
            .map(|_| {
                let start = Instant::now();
                black_box(index.search(black_box(query), Language::En, |doc| doc != u32::MAX, None, PAGE));
                start.elapsed().as_secs_f64() * 1e6
            })
            .skip(1)
            .collect();
        runs.sort_by(f64::total_cmp);
        times.push(runs[runs.len() / 2]);
    }
    times.sort_by(f64::total_cmp);
    let at = |percent: usize| times.get(times.len() * percent / 100).copied().unwrap_or_default();
    (at(50), at(99))
}

fn main() -> Result<(), Box<dyn Error>> {
    let folder = PathBuf::from(std::env::args().nth(1).ok_or("give the folder that data/make/many.py has written")?);
    let people: Vec<Person> = lines(&folder.join("directory.ndjson"))?.into_iter().filter_map(person).collect();
    let queries: Vec<Query> = lines(&folder.join("queries.ndjson"))?;

    let start = Instant::now();
    let mut builder = Builder::new();
    for (doc, person) in (0..).zip(&people) {
        person.names.iter().for_each(|name| builder.add(doc, Field::Name, None, name));
        person.title.iter().for_each(|title| builder.add(doc, Field::Title, Some(Language::En), title));
        person.number.iter().for_each(|number| builder.add(doc, Field::Number, None, number));
    }
    let index = builder.finish();
    let built = start.elapsed().as_secs_f64() * 1e3;
    let words: HashSet<&str> =
        people.iter().flat_map(|person| &person.names).flat_map(|name| name.split(' ')).collect();
    let megabytes = index.bytes() as f64 / 1e6;
    println!("{} people, {} words in names: built in {built:.0} ms, {megabytes:.1} MB", people.len(), words.len());

    let sample = || queries.iter().step_by((queries.len() / SAMPLE).max(1));
    let texts = |text: fn(&Query) -> Option<String>| sample().filter_map(text).collect::<Vec<_>>();
    let typed = |texts: &[&str]| texts.iter().map(|&text| text.to_owned()).collect::<Vec<_>>();
    let hostile = vec!["a ".repeat(100), "ma ".repeat(70), "x".repeat(200), "abcdefg ".repeat(25)];
    let numbers = people.iter().filter_map(|person| person.number.as_deref()).take(500);
    let rows = [
        ("family name, 1 to 4 letters", texts(|query| Some(query.prefix.clone()))),
        ("whole name", texts(|query| Some(query.name.clone()))),
        ("family name with a typo", texts(|query| query.family_typo.clone())),
        ("whole name with a typo", texts(|query| Some(query.typo.clone()))),
        ("end of a number", numbers.map(|number| number.chars().skip(4).collect()).collect()),
        ("a common title", typed(&["information officer", "officer", "chief of section"])),
        ("eight single letters", typed(&["a b c d e f g h", "a i o e n m s k"])),
        ("200 hostile characters", hostile),
    ];
    println!("\n{:32} {:>10} {:>10}", "microseconds a query, 20 rows", "median", "p99");
    for (what, queries) in &rows {
        let (median, p99) = microseconds(&index, queries);
        println!("{what:32} {median:10.1} {p99:10.1}");
    }

    let mut recall: BTreeMap<&str, [(usize, usize); 2]> = BTreeMap::new();
    for query in &queries {
        let finds = |typed: &str, right: &dyn Fn(&str) -> bool| {
            let hits = index.search(typed, Language::En, |_| true, None, PAGE);
            let mut found = hits.iter().filter_map(|hit| people.get(hit.rank.doc as usize));
            usize::from(found.any(|person| person.names.iter().any(|name| right(name))))
        };
        let [whole, family] = recall.entry(&query.script).or_default();
        *whole = (whole.0 + finds(&query.typo, &|name| name == query.name), whole.1 + 1);
        if let Some(typo) = &query.family_typo {
            *family = (family.0 + finds(typo, &|name| name.contains(&query.family)), family.1 + 1);
        }
    }
    println!("\n{:12} {:>24} {:>30}", "recall@20", "whole name, the person", "family name, anyone with it");
    for (script, shares) in recall {
        let share = |(found, of): (usize, usize)| match of {
            0 => "-".to_owned(),
            of => format!("{:.3}", found as f64 / of as f64),
        };
        println!("{script:12} {:>24} {:>30}", share(shares[0]), share(shares[1]));
    }
    Ok(())
}
