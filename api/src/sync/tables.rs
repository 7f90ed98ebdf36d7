//! Many objects of one kind by column: a third of the bytes of the same objects by row.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;

use domain::{Kind, Stream};

/// Many objects of one kind, by column.
///
/// An object is made of what each column has at its place. **Null means that the object lacks the field**, with three
/// exceptions that follow from other fields of the same object: a person's `full_name` is `given_name`, a blank and
/// `family_name`, or `family_name` alone; a telephone's `number` is the digits of its `display` behind a `+`, and its
/// `uri` is `tel:` and the number, with `;ext=` and the `extension` where there is one.
#[derive(Debug, Serialize, ToSchema)]
pub struct Table<'a> {
    /// The objects' stream.
    #[schema(value_type = String, example = "directory")]
    pub stream: Stream,
    /// Their kind.
    #[schema(value_type = String, example = "unit")]
    pub kind: Kind,
    /// How many there are.
    #[schema(example = 2)]
    pub count: usize,
    /// Each field of the objects and its column.
    #[schema(example = json!({"id": ["0193a5f0-7c1e-7a54-9a55-0d5c3f6f2b11", "0193a5f0-7c1e-7a54-9a55-0d5c3f6f2b12"],
        "acronym": ["DGC", null], "language": {"all": "en"},
        "contact": {"fields": {"emails": [["dgc@un.example"], []],
            "telephones": {"counts": [1, 0], "items": {"display": {"all": "+1 212-555-0158"}, "kind": {"all": "voice"}}}}}}))]
    pub columns: Columns<'a>,
}

/// Columns, by the field that they are of.
#[derive(Debug, Serialize, ToSchema)]
pub struct Columns<'a>(BTreeMap<&'a str, Column<'a>>);

/// A column, in one of four forms. A list has one value for each object. Of the others each is known by a field of
/// its own: `all` has the one value of every object; `fields` has the columns of a field that is itself an object;
/// `items` has the columns of a field that is a list of objects.
#[derive(Debug, Serialize, ToSchema)]
#[serde(untagged)]
#[schema(no_recursion)]
pub enum Column<'a> {
    /// One value for each object, in their order.
    #[schema(value_type = Vec<serde_json::Value>)]
    Values(Vec<Option<&'a RawValue>>),
    /// The same value for every object.
    Same {
        /// The value.
        #[schema(value_type = serde_json::Value)]
        all: Option<&'a RawValue>,
    },
    /// Of a field that is an object.
    Fields {
        /// The columns of its fields.
        fields: Columns<'a>,
        /// Which objects have it: left out when all have. Those that lack it have no place in `fields`.
        #[serde(skip_serializing_if = "Option::is_none")]
        present: Option<Vec<bool>>,
    },
    /// Of a field that is a list of objects.
    Items {
        /// How many each object has in its list; null where it lacks the list.
        counts: Vec<Option<usize>>,
        /// The columns of all lists' objects, one list behind the other.
        items: Columns<'a>,
    },
}

/// An object, taken apart.
type Row<'a> = BTreeMap<&'a str, &'a RawValue>;

impl<'a> Table<'a> {
    /// The table of objects of one kind.
    pub fn new(kind: Kind, objects: &'a [Box<RawValue>]) -> serde_json::Result<Self> {
        let rows = objects.iter().map(|object| {
            let mut row: Row<'a> = serde_json::from_str(object.get())?;
            if kind == Kind::Person && inside(&row, "full_name") == full_name(&row) {
                row.remove("full_name");
            }
            Ok(row)
        });
        let columns = columns(rows.collect::<serde_json::Result<_>>()?)?;
        Ok(Self { stream: kind.stream(), kind, count: objects.len(), columns })
    }
}

/// The text of a field, where it can be compared as it is spelled.
fn inside<'a>(row: &Row<'a>, field: &str) -> Option<Cow<'a, str>> {
    let text = row.get(field)?.get().strip_prefix('"')?.strip_suffix('"')?;
    (!text.contains('\\')).then_some(text.into())
}

fn full_name<'a>(person: &Row<'a>) -> Option<Cow<'a, str>> {
    let family = inside(person, "family_name")?;
    match person.contains_key("given_name") {
        true => Some(format!("{} {family}", inside(person, "given_name")?).into()),
        false => Some(family),
    }
}

/// Leaves out of a telephone what follows from its other fields.
fn shorten(telephone: &mut Row<'_>) {
    let (Some(number), Some(display)) = (inside(telephone, "number"), inside(telephone, "display")) else { return };
    let uri = match telephone.contains_key("extension") {
        true => inside(telephone, "extension").map(|extension| format!("tel:{number};ext={extension}")),
        false => Some(format!("tel:{number}")),
    };
    if uri.is_some() && inside(telephone, "uri").as_deref() == uri.as_deref() {
        telephone.remove("uri");
    }
    if number.strip_prefix('+').is_some_and(|digits| digits.chars().eq(display.chars().filter(char::is_ascii_digit))) {
        telephone.remove("number");
    }
}

fn columns(rows: Vec<Row<'_>>) -> serde_json::Result<Columns<'_>> {
    let count = rows.len();
    let mut values: BTreeMap<&str, Vec<Option<&RawValue>>> = BTreeMap::new();
    for (n, row) in rows.into_iter().enumerate() {
        for (field, value) in row {
            values.entry(field).or_insert_with(|| vec![None; count])[n] = Some(value).filter(|v| v.get() != "null");
        }
    }
    let columns = values.into_iter().map(|(field, values)| Ok((field, column(field, values)?)));
    columns.collect::<serde_json::Result<_>>().map(Columns)
}

fn column<'a>(field: &str, values: Vec<Option<&'a RawValue>>) -> serde_json::Result<Column<'a>> {
    let begins = |with: &str| values.iter().flatten().all(|value| value.get().starts_with(with));
    if let [first, others @ ..] = values.as_slice()
        && others.iter().all(|other| other.map(RawValue::get) == first.map(RawValue::get))
    {
        return Ok(Column::Same { all: *first });
    }
    if begins("{") {
        let present: Vec<bool> = values.iter().map(Option::is_some).collect();
        let rows = values.into_iter().flatten().map(|value| serde_json::from_str(value.get()));
        let fields = columns(rows.collect::<serde_json::Result<_>>()?)?;
        return Ok(Column::Fields { fields, present: present.contains(&false).then_some(present) });
    }
    if begins("[") {
        let lists = values.iter().map(|value| value.map(|value| serde_json::from_str(value.get())).transpose());
        let lists: Vec<Option<Vec<&RawValue>>> = lists.collect::<serde_json::Result<_>>()?;
        if lists.iter().flatten().flatten().all(|item| item.get().starts_with('{')) {
            let counts = lists.iter().map(|list| list.as_ref().map(Vec::len)).collect();
            let mut rows = Vec::new();
            for item in lists.into_iter().flatten().flatten() {
                let mut row = serde_json::from_str(item.get())?;
                if field == "telephones" {
                    shorten(&mut row);
                }
                rows.push(row);
            }
            return Ok(Column::Items { counts, items: columns(rows)? });
        }
    }
    Ok(Column::Values(values))
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::{Map, Value, json};

    fn table(kind: Kind, rows: &[Map<String, Value>]) -> Value {
        let rows: Vec<_> = rows.iter().map(|row| serde_json::value::to_raw_value(row).unwrap()).collect();
        serde_json::to_value(Table::new(kind, &rows).unwrap()).unwrap()
    }

    /// Reads a table as its documentation says.
    pub(in crate::sync) fn objects(kind: Kind, table: &Value) -> Vec<Map<String, Value>> {
        let count = usize::try_from(table["count"].as_u64().unwrap()).unwrap();
        let mut objects = rows(&table["columns"], count);
        for object in &mut objects {
            if kind == Kind::Person && !object.contains_key("full_name") {
                let name = |field| object.get(field).and_then(Value::as_str);
                let full =
                    [name("given_name"), name("family_name")].into_iter().flatten().collect::<Vec<_>>().join(" ");
                object.insert("full_name".into(), full.into());
            }
            let telephones = object.get_mut("contact").and_then(|contact| contact.get_mut("telephones"));
            for telephone in telephones.and_then(Value::as_array_mut).into_iter().flatten() {
                let telephone = telephone.as_object_mut().unwrap();
                let digits = telephone["display"].as_str().unwrap().chars().filter(char::is_ascii_digit);
                let number: String = std::iter::once('+').chain(digits).collect();
                let number = telephone.entry("number").or_insert_with(|| number.into()).as_str().unwrap().to_owned();
                let extension = telephone.get("extension").and_then(Value::as_str);
                let uri =
                    extension.map_or(format!("tel:{number}"), |extension| format!("tel:{number};ext={extension}"));
                telephone.entry("uri").or_insert_with(|| uri.into());
            }
        }
        objects
    }

    fn rows(columns: &Value, count: usize) -> Vec<Map<String, Value>> {
        let mut rows = vec![Map::new(); count];
        for (field, column) in columns.as_object().unwrap() {
            for (row, value) in rows.iter_mut().zip(values(column, count)) {
                if !value.is_null() {
                    row.insert(field.clone(), value);
                }
            }
        }
        rows
    }

    fn values(column: &Value, count: usize) -> Vec<Value> {
        match column {
            Value::Array(values) => values.clone(),
            form if form.get("all").is_some() => vec![form["all"].clone(); count],
            form if form.get("fields").is_some() => {
                let present: Vec<bool> = match form.get("present") {
                    Some(present) => present.as_array().unwrap().iter().map(|is| is.as_bool().unwrap()).collect(),
                    None => vec![true; count],
                };
                let mut there = rows(&form["fields"], present.iter().filter(|is| **is).count()).into_iter();
                let value = |is: &bool| if *is { Value::Object(there.next().unwrap()) } else { Value::Null };
                present.iter().map(value).collect()
            }
            form => {
                let counts: Vec<Option<u64>> = form["counts"].as_array().unwrap().iter().map(Value::as_u64).collect();
                let all = counts.iter().flatten().sum::<u64>();
                let mut items = rows(&form["items"], usize::try_from(all).unwrap()).into_iter();
                let list = |n: &Option<u64>| match n {
                    Some(n) => Value::Array((0..*n).map(|_| Value::Object(items.next().unwrap())).collect()),
                    None => Value::Null,
                };
                counts.iter().map(list).collect()
            }
        }
    }

    fn value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            any::<bool>().prop_map(Value::from),
            (0..3i64).prop_map(Value::from),
            "[a-c]{0,2}".prop_map(Value::from),
        ];
        leaf.prop_recursive(3, 24, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
                prop::collection::btree_map("[a-d]", inner, 0..3)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    fn object() -> impl Strategy<Value = Map<String, Value>> {
        prop::collection::btree_map("[a-e]", value(), 0..5).prop_map(|map| map.into_iter().collect())
    }

    proptest! {
        #[test]
        fn a_table_reads_back_as_its_objects(rows in prop::collection::vec(object(), 0..6)) {
            let table = table(Kind::Unit, &rows);
            prop_assert_eq!(objects(Kind::Unit, &table), rows);
        }
    }

    #[test]
    fn what_follows_from_other_fields_is_left_out_and_only_then() {
        let person = |given: Option<&str>, full: &str, telephone: Value| {
            let mut person = json!({"family_name": "Li", "full_name": full, "contact": {"telephones": [telephone]}});
            if let Some(given) = given {
                person["given_name"] = given.into();
            }
            person.as_object().unwrap().clone()
        };
        let plain = json!({"number": "+12125550158", "display": "+1 212-555-0158", "uri": "tel:+12125550158"});
        let inside = json!({"number": "+12125550158", "display": "+1 212-555-0158", "extension": "7",
            "uri": "tel:+12125550158;ext=7"});
        let other = json!({"number": "+12125550158", "display": "212-FLOWERS", "uri": "tel:+1"});
        let rows = vec![
            person(Some("Ada"), "Ada Li", plain),
            person(None, "Li", inside),
            person(Some("Ada"), "Li Ada", other),
        ];
        let table = table(Kind::Person, &rows);
        assert_eq!(objects(Kind::Person, &table), rows);
        assert_eq!(table["columns"]["full_name"], json!([null, null, "Li Ada"]));
        let telephones = &table["columns"]["contact"]["fields"]["telephones"];
        assert_eq!(telephones["items"]["uri"], json!([null, null, "tel:+1"]));
        assert_eq!(telephones["items"]["number"], json!([null, null, "+12125550158"]));
    }
}
