//! Objects that come by column, as docs/phone.md describes it.

use serde_json::{Map, Value};

/// The objects of a table.
pub(crate) fn objects(table: &Value) -> Vec<Value> {
    let mut objects = rows(&table["columns"], count(&table["count"]));
    for object in &mut objects {
        if table["kind"] == "person" {
            complete_person(object);
        }
        complete_telephones(object);
    }
    objects.into_iter().map(Value::Object).collect()
}

fn count(number: &Value) -> usize {
    number.as_u64().and_then(|number| usize::try_from(number).ok()).unwrap_or_default()
}

/// So many objects, of what each column has at their places. What is null they lack.
fn rows(columns: &Value, count: usize) -> Vec<Map<String, Value>> {
    let mut rows = vec![Map::new(); count];
    for (field, column) in columns.as_object().into_iter().flatten() {
        let values = values(column, count).into_iter();
        for (row, value) in rows.iter_mut().zip(values).filter(|(_, value)| !value.is_null()) {
            row.insert(field.clone(), value);
        }
    }
    rows
}

/// The values of a column, of which there are four forms.
fn values(column: &Value, count_of_rows: usize) -> Vec<Value> {
    if let Some(values) = column.as_array() {
        return values.clone();
    }
    if let Some(value) = column.get("all") {
        return vec![value.clone(); count_of_rows];
    }
    if let Some(fields) = column.get("fields") {
        let present = column.get("present").and_then(Value::as_array);
        let is_there = |n| present.is_none_or(|present| present[n] == true);
        let mut those = rows(fields, (0..count_of_rows).filter(|n| is_there(*n)).count()).into_iter();
        let value = |n| if is_there(n) { those.next().map_or(Value::Null, Value::Object) } else { Value::Null };
        return (0..count_of_rows).map(value).collect();
    }
    let counts = column["counts"].as_array().cloned().unwrap_or_default();
    let mut items = rows(&column["items"], counts.iter().map(count).sum()).into_iter();
    let list = |n: &Value| match n {
        Value::Null => Value::Null,
        n => items.by_ref().take(count(n)).map(Value::Object).collect(),
    };
    counts.iter().map(list).collect()
}

fn complete_person(person: &mut Map<String, Value>) {
    let name = |field| person.get(field).and_then(Value::as_str);
    let names: Vec<&str> = [name("given_name"), name("family_name")].into_iter().flatten().collect();
    let full = names.join(" ");
    person.entry("full_name").or_insert_with(|| full.into());
}

fn complete_telephones(object: &mut Map<String, Value>) {
    let telephones = object.get_mut("contact").and_then(|contact| contact.get_mut("telephones"));
    for telephone in telephones.and_then(Value::as_array_mut).into_iter().flatten().filter_map(Value::as_object_mut) {
        let text =
            |telephone: &Map<String, Value>, field| telephone.get(field).and_then(Value::as_str).map(str::to_owned);
        let digits: String =
            text(telephone, "display").iter().flat_map(|d| d.chars()).filter(char::is_ascii_digit).collect();
        telephone.entry("number").or_insert_with(|| format!("+{digits}").into());
        let number = text(telephone, "number").unwrap_or_default();
        let extension = text(telephone, "extension").map(|extension| format!(";ext={extension}")).unwrap_or_default();
        telephone.entry("uri").or_insert_with(|| format!("tel:{number}{extension}").into());
    }
}
