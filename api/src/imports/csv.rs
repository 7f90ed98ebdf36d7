//! CSV (RFC 4180): a row of columns as the JSON row that it stands for, and back.
//!
//! A column's name is the path of a field (`name.en`, `contact.telephones.0.number`), a cell its text. An
//! empty cell is an absent field.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::io::Read;
use std::rc::Rc;

use csv::{ByteRecord, Reader, ReaderBuilder, Trim};
use serde_json::{Map, Value};

use domain::{Broken, Fault, Language, Rule};

/// A column's name may be matched by: `@` is a language, `#` a number from 0 to 999.
pub type Columns = &'static [&'static str];

/// What spreadsheets take for the beginning of a formula, or strip.
const ACTIVE: [char; 10] = ['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－'];

/// Text as a cell that no spreadsheet takes for a formula.
pub fn guard(text: &str) -> String {
    let quoted = text.strip_prefix('\'').is_some_and(|rest| rest.starts_with(is_guarded));
    match quoted || text.starts_with(is_active) {
        true => format!("'{text}"),
        false => text.to_owned(),
    }
}

/// The text of a cell: [`guard`] reversed.
pub fn unguard(cell: &str) -> &str {
    cell.strip_prefix('\'').filter(|rest| rest.starts_with(is_guarded)).unwrap_or(cell)
}

fn is_active(c: char) -> bool {
    ACTIVE.contains(&c) || c == '＠'
}

/// An apostrophe is one that [`guard`] put there only before one of these; `'t Hooft` keeps his.
fn is_guarded(c: char) -> bool {
    is_active(c) || c == '\''
}

fn fits(pattern: &str, part: &str) -> bool {
    match pattern {
        "@" => Language::ALL.iter().any(|language| language.tag() == part),
        "#" => part.len() <= 3 && part.parse::<u16>().is_ok_and(|n| n.to_string() == part),
        name => name == part,
    }
}

fn is_known(columns: Columns, name: &str) -> bool {
    let fits_whole = |column: &&str| {
        column.split('.').count() == name.split('.').count()
            && column.split('.').zip(name.split('.')).all(|(pattern, part)| fits(pattern, part))
    };
    columns.iter().any(fits_whole)
}

/// Where a column stands among others: in the order of `columns`, all of an item before the next item.
pub fn rank(columns: Columns, name: &str) -> Vec<usize> {
    let parts: Vec<&str> = name.split('.').collect();
    let place = |depth: usize| {
        let fits_so_far = |column: &&str| {
            let mut patterns = column.split('.');
            parts[..=depth].iter().all(|part| patterns.next().is_some_and(|pattern| fits(pattern, part)))
        };
        let place = columns.iter().position(fits_so_far).unwrap_or(columns.len());
        let within = parts[depth].parse().ok();
        let within = within.or_else(|| Language::ALL.iter().position(|language| language.tag() == parts[depth]));
        [place, within.unwrap_or_default()]
    };
    (0..parts.len()).flat_map(place).collect()
}

/// The texts of a JSON row by column; nothing of what is absent or empty.
pub fn flatten(row: &Value) -> BTreeMap<String, String> {
    fn visit(cells: &mut BTreeMap<String, String>, name: String, value: &Value) {
        let below = |part: &str| if name.is_empty() { part.to_owned() } else { format!("{name}.{part}") };
        match value {
            Value::Object(fields) => fields.iter().for_each(|(field, value)| visit(cells, below(field), value)),
            Value::Array(items) => {
                items.iter().enumerate().for_each(|(i, value)| visit(cells, below(&i.to_string()), value));
            }
            Value::String(text) => drop(cells.insert(name, text.clone())),
            Value::Number(number) => drop(cells.insert(name, number.to_string())),
            Value::Bool(truth) => drop(cells.insert(name, truth.to_string())),
            Value::Null => {}
        }
    }
    let mut cells = BTreeMap::new();
    visit(&mut cells, String::new(), row);
    cells
}

/// The JSON pointer of a column.
fn pointer(column: &str) -> String {
    format!("/{}", column.replace('~', "~0").replace('/', "~1").replace('.', "/"))
}

/// A file of rows.
pub struct Rows<R> {
    reader: Reader<Watched<R>>,
    seen: Rc<RefCell<Seen>>,
    header: Vec<String>,
    record: ByteRecord,
}

/// A row: the line it begins on, and the JSON it stands for or why it stands for none.
pub struct Row {
    /// The line.
    pub line: u64,
    /// The JSON.
    pub json: Result<Vec<u8>, Fault>,
}

/// What ends the reading of a file.
pub enum Ended {
    /// These, on this line.
    Faulty(u64, Vec<Fault>),
    /// The file cannot be read.
    Io(std::io::Error),
}

impl<R: Read> Rows<R> {
    /// Reads the header. A record has at most `max_record` bytes.
    pub fn new(file: R, columns: Columns, max_record: u64) -> Result<Self, Ended> {
        let seen = Rc::new(RefCell::new(Seen::new(max_record)));
        let watched = Watched { inner: file, seen: seen.clone() };
        let reader = ReaderBuilder::new().has_headers(false).flexible(true).trim(Trim::None).from_reader(watched);
        let mut rows = Self { reader, seen, header: Vec::new(), record: ByteRecord::new() };
        let line = rows.next_record()?.unwrap_or(1);
        let mut faults = Vec::new();
        let mut known = BTreeSet::new();
        for cell in &rows.record {
            let name = String::from_utf8_lossy(cell).trim().to_owned();
            let fault = |rule, detail| Fault::new(&pointer(&name), rule, detail);
            if !is_known(columns, &name) {
                faults.push(fault(Rule::UnknownField, "there is no such column"));
            } else if !known.insert(name.clone()) {
                faults.push(fault(Rule::Duplicate, "there is another column of this name"));
            }
            rows.header.push(name);
        }
        for needed in ["kind", "key"].into_iter().filter(|needed| !known.contains(*needed)) {
            faults.push(Fault::new(&pointer(needed), Rule::Required, "there must be a column of this name"));
        }
        match faults.is_empty() {
            true => Ok(rows),
            false => Err(Ended::Faulty(line, faults)),
        }
    }

    /// The next row that has anything in it.
    pub fn next_row(&mut self) -> Result<Option<Row>, Ended> {
        while let Some(line) = self.next_record()? {
            if self.record.iter().any(|cell| !cell.is_empty()) {
                return Ok(Some(Row { line, json: self.json() }));
            }
        }
        Ok(None)
    }

    /// Reads a record; returns the line it begins on.
    fn next_record(&mut self) -> Result<Option<u64>, Ended> {
        let read = self.reader.read_byte_record(&mut self.record);
        let mut seen = self.seen.borrow_mut();
        if let Some((line, broken)) = seen.fault.take() {
            let fault = Fault::new("", broken.rule, broken.detail);
            return Err(Ended::Faulty(line, vec![fault]));
        }
        match read {
            Ok(true) => Ok(Some(seen.records.pop_front().unwrap_or(seen.line))),
            Ok(false) => Ok(None),
            Err(error) => Err(Ended::Io(error.into())),
        }
    }

    fn cells(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.header.iter().map(String::as_str).zip(&self.record).filter(|(_, cell)| !cell.is_empty())
    }

    fn json(&self) -> Result<Vec<u8>, Fault> {
        let (cells, columns) = (self.record.len(), self.header.len());
        if cells != columns {
            let detail = format!("has {cells} cells, and there are {columns} columns");
            return Err(Fault::new("", Rule::Structure, detail));
        }
        let mut row = Map::new();
        for (column, cell) in self.cells() {
            let fault = |rule, detail| Fault::new(&pointer(column), rule, detail);
            let text = std::str::from_utf8(cell).map_err(|_| fault(Rule::Format, "must be UTF-8"))?;
            put(&mut row, column, unguard(text))
                .ok_or_else(|| fault(Rule::Conflict, "is in another column already, in another form"))?;
        }
        let row = Value::Object(row.into_iter().map(|(name, value)| (name, gather(value))).collect());
        serde_json::to_vec(&row).map_err(|_| Fault::new("", Rule::Structure, "cannot be read"))
    }

    /// A pointer into the row's JSON as one to its columns. Of a list's items the empty ones are left out,
    /// so that they are counted differently.
    pub fn place(&self, in_json: &str) -> String {
        let mut column = String::new();
        for part in in_json.split('/').skip(1) {
            let prefix = if column.is_empty() { String::new() } else { format!("{column}.") };
            let below = |(name, _): (&str, _)| name.strip_prefix(&prefix)?.split('.').next()?.parse::<u16>().ok();
            let items: BTreeSet<u16> = self.cells().filter_map(below).collect();
            let item = part.parse::<usize>().ok().and_then(|n| items.iter().nth(n));
            column = match item {
                Some(item) => format!("{prefix}{item}"),
                None => format!("{prefix}{part}"),
            };
        }
        match in_json.is_empty() {
            true => String::new(),
            false => format!("/{}", column.replace('.', "/")),
        }
    }
}

/// Puts a text into its place; `None` where something else is.
fn put(row: &mut Map<String, Value>, column: &str, text: &str) -> Option<()> {
    let mut fields = row;
    let mut parts = column.split('.').peekable();
    while let Some(part) = parts.next() {
        // A list is an object of numbered items until it is gathered.
        let name = part.parse::<u16>().map_or_else(|_| part.to_owned(), |item| format!("{item:03}"));
        if parts.peek().is_none() {
            return fields.insert(name, Value::String(text.to_owned())).is_none().then_some(());
        }
        fields = fields.entry(name).or_insert_with(|| Value::Object(Map::new())).as_object_mut()?;
    }
    None
}

/// Makes lists of objects whose fields are numbers.
fn gather(value: Value) -> Value {
    match value {
        Value::Object(fields) if fields.keys().all(|name| name.parse::<u16>().is_ok()) => {
            let items: BTreeMap<String, Value> = fields.into_iter().collect();
            Value::Array(items.into_values().map(gather).collect())
        }
        Value::Object(fields) => Value::Object(fields.into_iter().map(|(name, v)| (name, gather(v))).collect()),
        other => other,
    }
}

/// Looks at the bytes on their way to the CSV reader, which is lenient: for quotes that RFC 4180 does not
/// allow, records that do not end, and the line on which each record begins.
struct Watched<R> {
    inner: R,
    seen: Rc<RefCell<Seen>>,
}

struct Seen {
    at: At,
    line: u64,
    begun: u64,
    length: u64,
    max_record: u64,
    records: VecDeque<u64>,
    fault: Option<(u64, Broken)>,
}

#[derive(PartialEq)]
enum At {
    RecordStart,
    CellStart,
    Plain,
    Quoted,
    /// Behind a quote inside a quoted cell: its end, or the first half of a quote.
    Quote,
}

impl Seen {
    fn new(max_record: u64) -> Self {
        let (records, fault) = (VecDeque::new(), None);
        Self { at: At::RecordStart, line: 1, begun: 1, length: 0, max_record, records, fault }
    }

    fn look(&mut self, byte: u8) -> Result<(), Broken> {
        if self.at == At::RecordStart && !matches!(byte, b'\r' | b'\n') {
            (self.begun, self.length) = (self.line, 0);
            self.records.push_back(self.line);
        }
        self.length += 1;
        if self.length > self.max_record {
            return Err(Broken::new(Rule::Length, format!("a line has at most {} bytes", self.max_record)));
        }
        self.at = match (&self.at, byte) {
            (At::Quoted, b'"') => At::Quote,
            (At::Quoted, _) => At::Quoted,
            (At::Quote, b'"') => At::Quoted,
            (_, b'\r' | b'\n') => At::RecordStart,
            (_, b',') => At::CellStart,
            (At::RecordStart | At::CellStart, b'"') => At::Quoted,
            (At::Quote, _) => {
                return Err(Broken::new(Rule::Structure, "a quoted cell goes on behind its closing quote"));
            }
            (At::Plain, b'"') => {
                return Err(Broken::new(
                    Rule::Structure,
                    "a cell with a quote in it must be quoted, its quotes doubled",
                ));
            }
            _ => At::Plain,
        };
        self.line += u64::from(byte == b'\n');
        Ok(())
    }

    fn end(&mut self) -> Result<(), Broken> {
        match self.at {
            At::Quoted => Err(Broken::new(Rule::Structure, "a quoted cell is not closed")),
            _ => Ok(()),
        }
    }
}

impl<R: Read> Read for Watched<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let read = self.inner.read(buffer)?;
        let mut seen = self.seen.borrow_mut();
        let mut looked = buffer[..read].iter().try_for_each(|byte| seen.look(*byte));
        if read == 0 && looked.is_ok() {
            looked = seen.end();
        }
        looked.map(|()| read).map_err(|broken| {
            let detail = broken.detail.clone();
            seen.fault = Some((seen.begun, broken));
            std::io::Error::other(detail)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const COLUMNS: Columns = &["kind", "key", "audience", "audience.missions.#", "name.@", "list.#.a", "list.#.b.@"];

    /// Each row's line with its JSON or the pointer of its fault; at last what ended the file.
    fn read(file: &str) -> Vec<(u64, String)> {
        let ended = |ended| match ended {
            Ended::Faulty(line, faults) => {
                faults.into_iter().map(|f| (line, format!("{} {}", f.pointer, f.rule.code()))).collect()
            }
            Ended::Io(cause) => panic!("{cause}"),
        };
        let mut rows = match Rows::new(file.as_bytes(), COLUMNS, 200) {
            Ok(rows) => rows,
            Err(fault) => return ended(fault),
        };
        let mut found: Vec<(u64, String)> = Vec::new();
        loop {
            match rows.next_row() {
                Ok(Some(Row { line, json: Ok(json) })) => found.push((line, String::from_utf8(json).unwrap())),
                Ok(Some(Row { line, json: Err(fault) })) => {
                    found.push((line, format!("{} {}", fault.pointer, fault.rule.code())));
                }
                Ok(None) => return found,
                Err(fault) => {
                    let fault: Vec<(u64, String)> = ended(fault);
                    found.extend(fault);
                    return found;
                }
            }
        }
    }

    #[test]
    fn a_row_stands_for_the_json_of_its_columns() {
        let file = "kind,key,audience,audience.missions.0,audience.missions.1,name.fr,list.1.b.en,list.0.a\r\n\
                    unit,u,public,,,Salle,,\r\n,,,,,,,\r\n\r\nunit,\"v\n\",,m,n,\"a \"\"b\"\"\",B,A\nunit,w,,,,,B,\n";
        let rows: Vec<(u64, Value)> =
            read(file).into_iter().map(|(line, json)| (line, serde_json::from_str(&json).unwrap())).collect();
        let expected = [
            (2, serde_json::json!({"kind": "unit", "key": "u", "audience": "public", "name": {"fr": "Salle"}})),
            (
                5,
                serde_json::json!({"kind": "unit", "key": "v\n", "audience": {"missions": ["m", "n"]},
                "name": {"fr": "a \"b\""}, "list": [{"a": "A"}, {"b": {"en": "B"}}]}),
            ),
            (7, serde_json::json!({"kind": "unit", "key": "w", "list": [{"b": {"en": "B"}}]})),
        ];
        assert_eq!(rows, expected);
    }

    #[test]
    fn a_fault_in_a_list_names_the_column() {
        let file = "kind,key,list.0.a,list.2.b.en,list.3.a\nunit,u,,B,A\n";
        let Ok(mut rows) = Rows::new(file.as_bytes(), COLUMNS, 200) else { panic!("a good header") };
        assert!(rows.next_row().is_ok());
        assert_eq!(rows.place("/list/0/b/en"), "/list/2/b/en");
        assert_eq!(rows.place("/list/1"), "/list/3");
        assert_eq!(rows.place("/kind"), "/kind");
        assert_eq!(rows.place(""), "");
    }

    #[test]
    fn a_header_is_refused_with_every_column_that_is_wrong() {
        assert_eq!(
            read("kind,name.xx,list.1000.a,list.00.a,name.en,name.en,\nx\n"),
            [
                (1, "/name/xx unknown_field".into()),
                (1, "/list/1000/a unknown_field".into()),
                (1, "/list/00/a unknown_field".into()),
                (1, "/name/en duplicate".into()),
                (1, "/ unknown_field".into()),
                (1, "/key required".into()),
            ]
        );
        assert_eq!(read("").len(), 2);
    }

    #[test]
    fn ragged_rows_and_contradictions_are_named() {
        let file = "kind,key,audience,audience.missions.0\nunit,u\nunit,u,public,m\nunit,u,,,\nunit,u,,m\n";
        let found = read(file);
        assert_eq!(found[0], (2, " structure".into()));
        assert_eq!(found[1], (3, "/audience/missions/0 conflict".into()));
        assert_eq!(found[2], (4, " structure".into()));
        assert!(found[3].1.starts_with('{'), "{found:?}");
    }

    #[test]
    fn faults_of_quoting_and_endless_lines_end_a_file_with_their_line() {
        let head = "kind,key\nunit,a\n";
        for (row, rule) in [
            ("unit,a\"b\n", "structure"),
            ("unit,\"a\"b\n", "structure"),
            ("unit,\"a\nunit,b\nunit,c\n", "structure"),
            (&format!("unit,{}\n", "x".repeat(300)), "length"),
            (&format!("unit,\"{}", "x\n".repeat(300)), "length"),
        ] {
            assert_eq!(read(&format!("{head}{row}")).last(), Some(&(3, format!(" {rule}"))), "{row}");
        }
        assert_eq!(read("kind,key\nunit,\"a\"").len(), 1, "the last line needs no end");
    }

    #[test]
    fn the_items_of_a_long_list_keep_their_order() {
        let numbers = [0, 9, 10, 99, 100, 999];
        let header: String = numbers.iter().rev().map(|n| format!(",audience.missions.{n}")).collect();
        let cells: String = numbers.iter().rev().map(|n| format!(",m{n}")).collect();
        let file = format!("kind,key{header}\nunit,u{cells}\n");
        let row: Value = serde_json::from_str(&read(&file)[0].1).unwrap();
        assert_eq!(row["audience"]["missions"], serde_json::json!(["m0", "m9", "m10", "m99", "m100", "m999"]));
    }

    #[test]
    fn columns_are_ranked_item_by_item() {
        let mut names = ["list.1.a", "name.fr", "list.0.b.en", "key", "list.10.a", "list.0.a", "kind", "name.en"];
        names.sort_by_key(|name| rank(COLUMNS, name));
        assert_eq!(names, ["kind", "key", "name.en", "name.fr", "list.0.a", "list.0.b.en", "list.1.a", "list.10.a"]);
    }

    #[test]
    fn an_apostrophe_of_a_name_is_not_taken_for_a_guard() {
        for name in ["'t Hooft", "'", "O'Neill"] {
            assert_eq!((guard(name).as_str(), unguard(name)), (name, name));
        }
        for (text, cell) in [("=1+1", "'=1+1"), ("+1 212", "'+1 212"), ("'=x", "''=x"), ("''", "'''"), ("\tx", "'\tx")]
        {
            assert_eq!((guard(text).as_str(), unguard(cell)), (cell, text));
        }
    }

    proptest! {
        #[test]
        fn a_guarded_text_reads_back_and_begins_with_nothing_active(text in "['=+@＝\t\r\n-]{0,4}\\PC{0,4}") {
            let cell = guard(&text);
            prop_assert!(!cell.starts_with(is_active));
            prop_assert_eq!(unguard(&cell), text);
        }

        #[test]
        fn any_text_goes_through_a_file_and_back(texts in proptest::collection::vec(any::<String>(), 1..6)) {
            let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new());
            writer.write_record(["kind", "key", "name.en"]).unwrap();
            for text in &texts {
                writer.write_record(["unit", "k", &guard(text)]).unwrap();
            }
            let file = writer.into_inner().unwrap();
            let Ok(mut rows) = Rows::new(file.as_slice(), COLUMNS, 1_000_000) else { panic!("a good header") };
            for text in &texts {
                let Ok(Some(Row { json: Ok(json), .. })) = rows.next_row() else { panic!("a row") };
                let row: Value = serde_json::from_slice(&json).unwrap();
                prop_assert_eq!(row["name"]["en"].as_str().unwrap_or_default(), text);
            }
        }
    }
}
