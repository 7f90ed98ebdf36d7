//! Measures the search index alone on the invented directory of `data/make/many.py`: time to build, memory, time a
//! query, and how many one-edit typos still find the person among the first twenty.
//!
//! ```sh
//! python3 data/make/many.py --out DIR
//! cargo run --release -p edition --example search_speed DIR [speed|recall|misses|A QUERY]
//! ```
//!
//! `script/bench` measures the same over HTTP. No test depends on a time.
#![allow(clippy::print_stdout, reason = "printing is what it is for")]

use std::collections::BTreeMap;
use std::error::Error;
use std::fs::File;
use std::hint::black_box;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::time::Instant;

use domain::Language;
use edition::search::{Builder, Field, Index, family_in_native};
use serde::Deserialize;
use serde_json::Value;

#[path = "../tests/misspelling/mod.rs"]
mod misspelling;
use misspelling::{Alphabets, Dice, EDITS};

const PAGE: usize = 20;
const SAMPLE: usize = 2_000;
const ROUNDS: usize = 9;

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

/// The directory's rows and its index, with the texts that `Directory` gives it.
struct Directory {
    rows: Vec<Value>,
    index: Index,
    built: f64,
}

fn is(row: &Value, kind: &str) -> bool {
    row["kind"] == kind
}

fn full_name(person: &Value) -> String {
    let name = &person["name"];
    [&name["given"], &name["family"]].into_iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" ")
}

fn sort_key(row: &Value) -> String {
    let name = &row["name"];
    match row["kind"].as_str() {
        Some("person") => [&name["family"], &name["given"]].map(|part| part.as_str().unwrap_or_default()).join(" "),
        Some("function") => row["title"]["en"].to_string(),
        Some("mission") => row["short_name"]["en"].to_string(),
        _ => name["en"].to_string(),
    }
    .to_lowercase()
}

impl Directory {
    fn read(folder: &Path) -> Result<Self, Box<dyn Error>> {
        const KINDS: [&str; 6] = ["service", "function", "unit", "organization", "mission", "person"];
        let mut rows: Vec<Value> = lines(&folder.join("directory.ndjson"))?;
        rows.sort_by_cached_key(|row| (KINDS.iter().position(|kind| is(row, kind)), sort_key(row)));
        let start = Instant::now();
        let mut builder = Builder::new();
        for (doc, row) in (0..).zip(&rows) {
            add(&mut builder, doc, row);
        }
        let index = builder.finish();
        let built = start.elapsed().as_secs_f64() * 1e3;
        Ok(Self { rows, index, built })
    }

    fn found(&self, query: &str) -> impl Iterator<Item = &Value> {
        let person = |doc: u32| is(&self.rows[doc as usize], "person");
        let hits = self.index.search(query, Language::En, person, None, PAGE);
        hits.into_iter().map(|hit| &self.rows[hit.rank.doc as usize])
    }
}

fn add(builder: &mut Builder, doc: u32, row: &Value) {
    let localized = |builder: &mut Builder, field, texts: &Value| {
        for language in Language::ALL {
            texts[language.tag()].as_str().iter().for_each(|text| builder.add(doc, field, Some(language), text));
        }
    };
    if is(row, "person") {
        let full = full_name(row);
        let family = full.len() - row["name"]["family"].as_str().map_or(0, str::len);
        builder.add_name(doc, &full, family);
        let native = row["name"]["native"].as_str();
        native.iter().for_each(|native| builder.add_name(doc, native, family_in_native(native)));
        localized(builder, Field::Title, &row["job_title"]);
    } else {
        for name in ["name", "title", "short_name", "formal_name"] {
            localized(builder, Field::Name, &row[name]);
        }
        localized(builder, Field::Acronym, &row["acronym"]);
        for former in row["former_names"].as_array().into_iter().flatten() {
            localized(builder, Field::FormerName, &former["name"]);
        }
        row["state"]["iso3"].as_str().iter().for_each(|state| builder.add(doc, Field::Acronym, None, state));
    }
    for telephone in row["contact"]["telephones"].as_array().into_iter().flatten() {
        let number = telephone["number"].as_str().unwrap_or_default().replace(' ', "");
        builder.add(doc, Field::Number, None, &number);
    }
    for email in row["contact"]["emails"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        builder.add(doc, Field::Keyword, None, email);
    }
}

fn lines<T: for<'d> Deserialize<'d>>(path: &Path) -> Result<Vec<T>, Box<dyn Error>> {
    let reader = BufReader::new(File::open(path).map_err(|cause| format!("{}: {cause}", path.display()))?);
    reader.lines().map(|line| Ok(serde_json::from_str(&line?)?)).collect()
}

/// Mean, median, 99th percentile and greatest of the microseconds of `queries`, each the median of several rounds. A round asks
/// for all of them, so that none finds the index as it left it.
fn microseconds<'q>(index: &Index, queries: &'q [String]) -> ([f64; 4], &'q str) {
    let mut times = vec![Vec::new(); queries.len()];
    for _ in 0..ROUNDS {
        for (query, times) in queries.iter().zip(&mut times) {
            let start = Instant::now();
            black_box(index.search(black_box(query), Language::En, |doc| doc != u32::MAX, None, PAGE));
            times.push(start.elapsed().as_secs_f64() * 1e6);
        }
    }
    let middle = |times: &mut Vec<f64>| {
        times.sort_by(f64::total_cmp);
        times[times.len() / 2]
    };
    let mut times: Vec<(f64, &str)> = times.iter_mut().map(middle).zip(queries.iter().map(String::as_str)).collect();
    times.sort_by(|(time, _), (other, _)| time.total_cmp(other));
    let at = |percent: usize| times.get(times.len() * percent / 100).map_or(0.0, |(time, _)| *time);
    let mean = times.iter().map(|(time, _)| time).sum::<f64>() / times.len() as f64;
    let (most, slowest) = times.last().copied().unwrap_or_default();
    ([mean, at(50), at(99), most], slowest)
}

fn measure_speed(directory: &Directory, queries: &[Query]) {
    let sample = || queries.iter().step_by((queries.len() / SAMPLE).max(1));
    let texts = |text: fn(&Query) -> Option<String>| sample().filter_map(text).collect::<Vec<_>>();
    let typed = |texts: &[&str]| texts.iter().map(|&text| text.to_owned()).collect::<Vec<_>>();
    let hostile = vec!["a ".repeat(100), "ma ".repeat(70), "x".repeat(200), "abcdefg ".repeat(25)];
    let people = directory.rows.iter().filter(|row| is(row, "person"));
    let numbers = people.filter_map(|person| person["contact"]["telephones"][0]["number"].as_str()).take(500);
    let counted = |query: &&Query| ["latin", "arabic", "cyrillic", "chinese"].contains(&query.script.as_str());
    let rows = [
        ("family name, 1 to 4 letters", texts(|query| Some(query.prefix.clone()))),
        ("whole name", texts(|query| Some(query.name.clone()))),
        ("family name with a typo", texts(|query| query.family_typo.clone())),
        ("whole name with a typo", texts(|query| Some(query.typo.clone()))),
        ("the same, four scripts", queries.iter().filter(counted).map(|query| query.typo.clone()).collect()),
        ("end of a number", numbers.map(|number| number.chars().skip(6).collect()).collect()),
        ("a common title", typed(&["information officer", "officer", "chief of section", "interpreter", "secretary"])),
        ("eight single letters", typed(&["a b c d e f g h", "a i o e n m s k"])),
        ("200 hostile characters", hostile),
    ];
    println!("\n{:32} {:>8} {:>8} {:>8} {:>8}", "microseconds a query, 20 rows", "mean", "median", "p99", "most");
    for (what, queries) in &rows {
        let ([mean, median, p99, most], slowest) = microseconds(&directory.index, queries);
        let slowest: String = slowest.chars().take(30).collect();
        println!("{what:32} {mean:8.1} {median:8.1} {p99:8.1} {most:8.1} {slowest}");
    }
}

#[derive(Clone, Copy, Default)]
struct Share {
    found: usize,
    of: usize,
}

impl Share {
    fn add(&mut self, found: bool) {
        self.found += usize::from(found);
        self.of += 1;
    }

    fn shown(self) -> String {
        if self.of == 0 { "-".to_owned() } else { format!("{:.3}", self.found as f64 / self.of as f64) }
    }
}

/// Every name with each kind of error. Somebody of exactly that name counts; for a family name, anybody of the family.
fn measure_recall(directory: &Directory, queries: &[Query], misses: bool) {
    let mut alphabets = Alphabets::default();
    queries.iter().for_each(|query| alphabets.learn(&query.script, &query.name));
    let of_name = |row: &Value, name: &str| full_name(row) == name || row["name"]["native"] == name;
    let of_family = |row: &Value, family: &str| {
        let native = row["name"]["native"].as_str().unwrap_or_default();
        row["name"]["family"] == family || native.contains(family)
    };
    let mut dice = Dice(2016);
    for (what, longest_short) in [("whole name", 0), ("family name, 4 letters or more", 3), ("family name, 2 or 3", 0)]
    {
        let mut table: BTreeMap<&str, [Share; 5]> = BTreeMap::new();
        for query in queries {
            let name = if what == "whole name" { &query.name } else { &query.family };
            let letters = name.chars().count();
            if letters <= longest_short || what.ends_with("2 or 3") && !(2..=3).contains(&letters) {
                continue;
            }
            for (at, edit) in EDITS.iter().enumerate() {
                let Some(wrong) = alphabets.misspell(&mut dice, &query.script, name, edit) else { continue };
                let right = |row: &Value| if what == "whole name" { of_name(row, name) } else { of_family(row, name) };
                let found = directory.found(&wrong).any(right);
                if misses && !found {
                    let full = directory.found(&wrong).count();
                    println!("{} {what} {edit}: {name} as {wrong}, {full} rows", query.script);
                }
                let row = table.entry(&query.script).or_default();
                row[at].add(found);
                row[EDITS.len()].add(found);
            }
        }
        println!(
            "\nrecall@20 of a {what}\n{:12} {:>13} {:>13} {:>13} {:>13} {:>13}",
            "", EDITS[0], EDITS[1], EDITS[2], EDITS[3], "all"
        );
        for (script, shares) in table {
            let [a, b, c, d, all] = shares.map(Share::shown);
            println!("{script:12} {a:>13} {b:>13} {c:>13} {d:>13} {all:>13}");
        }
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let folder = PathBuf::from(arguments.next().ok_or("give the folder that data/make/many.py has written")?);
    let what = arguments.collect::<Vec<_>>().join(" ");
    let directory = Directory::read(&folder)?;
    let queries: Vec<Query> = lines(&folder.join("queries.ndjson"))?;
    let megabytes = directory.index.bytes() as f64 / 1e6;
    println!("{} entries: built in {:.0} ms, {megabytes:.1} MB", directory.rows.len(), directory.built);
    match what.as_str() {
        "" => {
            measure_speed(&directory, &queries);
            measure_recall(&directory, &queries, false);
        }
        "speed" => measure_speed(&directory, &queries),
        "recall" | "misses" => measure_recall(&directory, &queries, what == "misses"),
        query => directory.found(query).for_each(|row| println!("{row}")),
    }
    Ok(())
}
