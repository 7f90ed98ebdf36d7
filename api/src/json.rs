//! JSON bodies of requests and rows of imports, and what is wrong with their structure.

use actix_web::http::header;
use actix_web::{HttpRequest, web};
use serde::de::{DeserializeOwned, IgnoredAny};

use crate::payload::{self, expected};
use crate::problem::{ApiError, Code};
use domain::{Fault, Faults, Message, Rule};

/// The longest body, in bytes.
pub const MAX_BODY: usize = 64 * 1024;

/// Reads a body. To be called once the caller is known to be allowed: what is wrong with a stranger's
/// body is not looked at.
pub async fn read<T: DeserializeOwned>(req: &HttpRequest, body: web::Payload) -> Result<T, ApiError> {
    let header = |name| req.headers().get(name).and_then(|value| value.to_str().ok());
    let media_type = header(header::CONTENT_TYPE).unwrap_or_default().split(';').next().unwrap_or_default().trim();
    if !media_type.eq_ignore_ascii_case("application/json") {
        return Err(ApiError::new(Code::UnsupportedMediaType).detail(expected("application/json")));
    }
    let bytes = payload::whole(req, body, MAX_BODY).await?;
    if let Err(error) = serde_json::from_slice::<IgnoredAny>(&bytes) {
        let (line, column) = (error.line(), error.column());
        let detail = message!("Not JSON at line {line}, column {column}", line, column);
        return Err(ApiError::new(Code::MalformedJson).detail(detail));
    }
    // Serde would take a list for an object, its entries for the fields in their order.
    if bytes.iter().find(|byte| !byte.is_ascii_whitespace()) != Some(&b'{') {
        return Err(Faults::from(Fault::new("", Rule::Structure, message!("must be an object"))).into());
    }
    Ok(from_json(&bytes)?)
}

/// A value from JSON; the fault names the field by a pointer.
pub fn from_json<T: DeserializeOwned>(json: &[u8]) -> Result<T, Faults> {
    let mut deserializer = serde_json::Deserializer::from_slice(json);
    let value = serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
        let fault = match serde_json::from_slice::<IgnoredAny>(json) {
            Err(syntax) => Fault::new(
                "",
                Rule::Structure,
                message!("is not JSON from column {column} on", column = syntax.column()),
            ),
            Ok(_) => structural(pointer(error.path()), &error.inner().to_string()),
        };
        Faults::from(fault)
    })?;
    let more = || Fault::new("", Rule::Structure, message!("there is more behind the JSON value"));
    deserializer.end().map_err(|_| Faults::from(more()))?;
    Ok(value)
}

/// What serde's words mean, which are English and name Rust's types.
fn structural(pointer: String, text: &str) -> Fault {
    let text = text.rsplit_once(" at line ").map_or(text, |(text, _)| text);
    let below = |field: &str| match pointer.ends_with(&format!("/{}", escaped(field))) {
        true => pointer.clone(),
        false => format!("{pointer}/{}", escaped(field)),
    };
    let quoted = |start: &str| text.strip_prefix(start)?.strip_prefix('`');
    if let Some((field, fields)) = quoted("unknown field ").map(of_list) {
        let message = message!("is not a field of this object; its fields: {fields}", fields);
        return Fault::new(&below(field), Rule::UnknownField, message);
    }
    if let Some(field) = quoted("missing field ") {
        return Fault::new(&below(field.trim_end_matches('`')), Rule::Required, message!("must be given"));
    }
    if let Some(field) = quoted("duplicate field ") {
        return Fault::new(&below(field.trim_end_matches('`')), Rule::Structure, message!("is given twice"));
    }
    if let Some((_, values)) = quoted("unknown variant ").map(of_list) {
        return Fault::new(&pointer, Rule::OneOf, message!("must be one of {values}", values));
    }
    let message = text.rsplit_once(", expected ").and_then(|(found, expected)| type_named(found, expected));
    Fault::new(&pointer, Rule::Structure, message.unwrap_or_else(|| other(text)))
}

/// Of "x`, expected one of `a`, `b`": x, and the list without its marks.
fn of_list(text: &str) -> (&str, String) {
    // The last one: what was found may be anything.
    let (found, list) = text.rsplit_once("`, expected ").unwrap_or((text.split('`').next().unwrap_or_default(), ""));
    (found, list.split('`').skip(1).step_by(2).collect::<Vec<_>>().join(", "))
}

fn type_named(found: &str, expected: &str) -> Option<Message> {
    let out_of_range = found.starts_with("invalid value: integer");
    let whole = |min: i128, max: i128| match out_of_range {
        true => message!("must be a whole number from {min} to {max}", min, max),
        false => message!("must be a whole number"),
    };
    Some(match expected {
        "a string" => message!("must be text"),
        "a boolean" => message!("must be true or false"),
        "a sequence" => message!("must be a list"),
        "a map" => message!("must be an object"),
        "u8" => whole(0, u8::MAX.into()),
        "u16" => whole(0, u16::MAX.into()),
        "u32" => whole(0, u32::MAX.into()),
        "u64" | "usize" => whole(0, u64::MAX.into()),
        "i32" => whole(i32::MIN.into(), i32::MAX.into()),
        "i64" => whole(i64::MIN.into(), i64::MAX.into()),
        "f64" => message!("must be a number"),
        crate::rows::TEXTS_BY_LANGUAGE => message!("must be an object of texts by language"),
        _ if expected.starts_with("struct ") => message!("must be an object"),
        _ if expected.contains("formatted date") => a_date(),
        _ => return None,
    })
}

fn other(text: &str) -> Message {
    match text {
        crate::rows::KEY_TWICE => message!("names a key twice"),
        // Of chrono, for a text that is no date.
        "premature end of input" | "trailing input" | "input contains invalid characters" | "input is out of range" => {
            a_date()
        }
        _ if text.starts_with("data did not match any variant") || text == "expected value" => {
            message!("has none of the forms that are accepted here")
        }
        _ => message!("does not have the expected structure: {remark}", remark = text),
    }
}

fn a_date() -> Message {
    message!("must be a date such as 2016-04-21, or an instant such as 2026-09-21T08:00:00-04:00")
}

fn pointer(path: &serde_path_to_error::Path) -> String {
    use serde_path_to_error::Segment;
    let part = |segment: &Segment| match segment {
        Segment::Seq { index } => format!("/{index}"),
        Segment::Map { key } => format!("/{}", escaped(key)),
        Segment::Enum { .. } | Segment::Unknown => String::new(),
    };
    path.iter().map(part).collect()
}

fn escaped(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use chrono::NaiveDate;
    use domain::{Confidence, Language};
    use serde::Deserialize;

    use super::*;
    use crate::rows::Localize;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[allow(dead_code)]
    struct Row {
        name: Localize,
        #[serde(default)]
        count: u8,
        #[serde(default)]
        flag: bool,
        #[serde(default)]
        list: Vec<String>,
        on: Option<NaiveDate>,
        confidence: Option<Confidence>,
        inner: Option<BTreeMap<String, Word>>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(untagged)]
    #[allow(dead_code)]
    enum Word {
        Text(String),
        Number(u8),
    }

    fn told(json: &str) -> (String, &'static str, String) {
        let fault = from_json::<Row>(json.as_bytes()).unwrap_err().into_vec().remove(0);
        (fault.pointer, fault.rule.code(), fault.detail.text(Language::En))
    }

    #[test]
    fn a_structural_fault_is_told_in_words_of_json() {
        let fields = "name, count, flag, list, on, confidence, inner";
        let date = "must be a date such as 2016-04-21, or an instant such as 2026-09-21T08:00:00-04:00";
        for (json, pointer, rule, detail) in [
            (
                r#"{"name": {}, "nick/name": 1}"#,
                "/nick~1name",
                "unknown_field",
                &*format!("is not a field of this object; its fields: {fields}"),
            ),
            (
                r#"{"name": {}, "a`, expected `b": 1}"#,
                "/a`, expected `b",
                "unknown_field",
                &*format!("is not a field of this object; its fields: {fields}"),
            ),
            ("{}", "/name", "required", "must be given"),
            (r#"{"name": {}, "name": {}}"#, "/name", "structure", "is given twice"),
            (r#"{"name": "x"}"#, "/name", "structure", "must be an object of texts by language"),
            (r#"{"name": {"en": 1}}"#, "/name/en", "structure", "must be text"),
            (r#"{"name": {"en": "a", "en": "b"}}"#, "/name", "structure", "names a key twice"),
            (r#"{"name": {}, "count": 256}"#, "/count", "structure", "must be a whole number from 0 to 255"),
            (r#"{"name": {}, "count": -1}"#, "/count", "structure", "must be a whole number from 0 to 255"),
            (r#"{"name": {}, "count": "1"}"#, "/count", "structure", "must be a whole number"),
            (r#"{"name": {}, "count": 1.5}"#, "/count", "structure", "must be a whole number"),
            (r#"{"name": {}, "flag": null}"#, "/flag", "structure", "must be true or false"),
            (r#"{"name": {}, "list": {}}"#, "/list", "structure", "must be a list"),
            (r#"{"name": {}, "on": "2016-02-30"}"#, "/on", "structure", date),
            (r#"{"name": {}, "on": "soon"}"#, "/on", "structure", date),
            (r#"{"name": {}, "on": 7}"#, "/on", "structure", date),
            (
                r#"{"name": {}, "confidence": "x"}"#,
                "/confidence",
                "one_of",
                "must be one of official, reported, inferred, sample",
            ),
            (
                r#"{"name": {}, "confidence": 1}"#,
                "/confidence",
                "structure",
                "has none of the forms that are accepted here",
            ),
            (
                r#"{"name": {}, "inner": {"a": []}}"#,
                "/inner/a",
                "structure",
                "has none of the forms that are accepted here",
            ),
            ("[]", "", "structure", "must be an object"),
            ("7", "", "structure", "must be an object"),
            (r#"{"name": {}"#, "", "structure", "is not JSON from column 11 on"),
            (r#"{"name": {}} {}"#, "", "structure", "there is more behind the JSON value"),
        ] {
            assert_eq!(told(json), (pointer.to_owned(), rule, detail.to_owned()), "{json}");
        }
    }
}
