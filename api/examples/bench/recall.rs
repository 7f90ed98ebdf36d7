//! How many people are still found whose name is typed with one error.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Context;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::product::Client;

/// The scripts whose recall counts.
const COUNTED: [&str; 4] = ["latin", "arabic", "cyrillic", "chinese"];

/// What somebody types who looks for a person; each of these is another person.
#[derive(Deserialize)]
pub struct Query {
    script: String,
    name: String,
    family: String,
    /// The beginning of the family name.
    pub prefix: String,
    edit: String,
    /// The whole name with one error.
    pub typo: String,
    family_typo: Option<String>,
}

impl Query {
    /// Whether its script's recall counts.
    pub fn is_counted(&self) -> bool {
        COUNTED.contains(&self.script.as_str())
    }
}

/// Reads what the generator drew.
pub fn read(file: &Path) -> anyhow::Result<Vec<Query>> {
    let lines = std::fs::read_to_string(file)?;
    lines.lines().map(|line| Ok(serde_json::from_str(line)?)).collect()
}

/// Who was looked for, and who of them was found.
#[derive(Clone, Copy, Default, Serialize)]
pub struct Share {
    found: usize,
    of: usize,
}

impl Share {
    fn add(&mut self, found: bool) {
        self.of += 1;
        self.found += usize::from(found);
    }

    /// From 0 to 1.
    pub fn value(self) -> f64 {
        self.found as f64 / self.of.max(1) as f64
    }
}

/// Recall among the first 20.
#[derive(Default, Serialize)]
pub struct Recall {
    /// Latin, Arabic, Cyrillic and Chinese: somebody of exactly that name, when the whole name is typed with one error.
    pub whole_name: Share,
    /// The same four: anybody of the family, when the family name alone (of 4 letters or more) is.
    pub family_name: Share,
    /// The whole name, by kind of error, in the four scripts.
    pub by_edit: BTreeMap<String, Share>,
    /// The whole name, by script, all scripts.
    pub by_script: BTreeMap<String, Share>,
    /// The family name, by script.
    pub family_by_script: BTreeMap<String, Share>,
}

/// Asks for every one of them over HTTP.
pub async fn measure(client: &Client, queries: &[Query]) -> anyhow::Result<Recall> {
    let mut recall = Recall::default();
    for query in queries {
        let named = |person: &Value| person["full_name"] == *query.name || person["native_name"] == *query.name;
        let found = search(client, &query.typo).await?.iter().any(named);
        recall.by_script.entry(query.script.clone()).or_default().add(found);
        if query.is_counted() {
            recall.whole_name.add(found);
            recall.by_edit.entry(query.edit.clone()).or_default().add(found);
        }
        let Some(typo) = &query.family_typo else { continue };
        let of_family = |person: &Value| {
            let native = person["native_name"].as_str().unwrap_or_default();
            person["family_name"] == *query.family
                || native.split(' ').any(|part| part == query.family)
                || native.contains(&query.family)
        };
        let found = search(client, typo).await?.iter().any(of_family);
        recall.family_by_script.entry(query.script.clone()).or_default().add(found);
        if query.is_counted() {
            recall.family_name.add(found);
        }
    }
    Ok(recall)
}

async fn search(client: &Client, typed: &str) -> anyhow::Result<Vec<Value>> {
    let path = Client::path("/v1/directory/search", &[("kind", "person"), ("limit", "20"), ("q", typed)])?;
    let mut page = client.get(&path).await?;
    let Value::Array(items) = page["items"].take() else { return Err(anyhow::anyhow!("{path}: no items")) };
    items.into_iter().map(|mut item| item.get_mut("entry").map(Value::take).context("an entry")).collect()
}
