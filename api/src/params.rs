//! Query parameters: language, pages, and what is wrong with them.

use std::collections::{HashMap, HashSet};
use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::http::header::{AcceptLanguage, Header, Preference, Quality};
use actix_web::{FromRequest, HttpRequest, web};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::problem::{ApiError, Code};
use domain::{Broken, Language, Rule, moment};
use edition::Cursor;

/// The longest list of languages that is looked at, in ranges.
const MAX_RANGES: usize = 16;

/// The query parameters of a request, each at most once. Unknown ones are ignored.
pub struct Params {
    list: String,
    values: HashMap<String, String>,
    error: Option<ApiError>,
}

impl Params {
    /// The parameters of a query string.
    pub fn parse(query: &str) -> Result<Self, ApiError> {
        let pairs: web::Query<Vec<(String, String)>> =
            web::Query::from_query(query).map_err(|_| ApiError::new(Code::MalformedRequest))?;
        let mut params = Self { list: String::new(), values: HashMap::new(), error: None };
        let mut noted = HashSet::new();
        for (name, value) in pairs.into_inner() {
            if params.values.contains_key(&name) && noted.insert(name.clone()) {
                params.note(&name, Broken::new(Rule::Duplicate, "must be given once"));
            }
            params.values.insert(name, value);
        }
        Ok(params)
    }

    /// The text of a parameter.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.values.get(name).map(String::as_str)
    }

    /// A parameter through its parser; a refusal is noted and told by [`Params::finish`].
    pub fn get<T>(&mut self, name: &str, parse: impl FnOnce(&str) -> Result<T, Broken>) -> Option<T> {
        match parse(self.values.get(name)?) {
            Ok(value) => Some(value),
            Err(broken) => {
                self.note(name, broken);
                None
            }
        }
    }

    /// A parameter that must be there.
    pub fn require<T>(&mut self, name: &str, parse: impl FnOnce(&str) -> Result<T, Broken>) -> Option<T> {
        if !self.values.contains_key(name) {
            self.note(name, Broken::new(Rule::Required, "must be given"));
        }
        self.get(name, parse)
    }

    /// Notes a refusal.
    pub fn note(&mut self, name: &str, broken: Broken) {
        match &mut self.error {
            Some(error) => error.add_parameter(name, broken),
            None => self.error = Some(ApiError::parameter(name, broken)),
        }
    }

    /// `limit` and `cursor`.
    pub fn paging(&mut self) -> Result<Paging, ApiError> {
        // Ignored like other unknown parameters, they would lead a client round the first page for ever.
        for by_number in ["offset", "page"] {
            if self.values.contains_key(by_number) {
                self.note(by_number, Broken::new(Rule::UnknownField, "pages have no numbers: follow next_cursor"));
            }
        }
        let limit = self.get("limit", |text| integer(text, 1, 200)).unwrap_or(50);
        let after = self.text("cursor").map(|cursor| Paging::decode(&self.list, cursor)).transpose()?;
        Ok(Paging { limit: usize::try_from(limit).unwrap_or(usize::MAX), after })
    }

    /// Everything that was refused, at once.
    pub fn finish(self) -> Result<(), ApiError> {
        self.error.map_or(Ok(()), Err)
    }
}

impl FromRequest for Params {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(req: &HttpRequest, _: &mut Payload) -> Self::Future {
        let list = req.path().to_owned();
        ready(Self::parse(req.query_string()).map(|params| Self { list, ..params }))
    }
}

/// A whole number from `min` to `max`.
pub fn integer(text: &str, min: i64, max: i64) -> Result<i64, Broken> {
    let refused = || Broken::new(Rule::Range, format!("must be a whole number from {min} to {max}"));
    text.parse().ok().filter(|n| (min..=max).contains(n)).ok_or_else(refused)
}

/// `true` or `false`.
pub fn boolean(text: &str) -> Result<bool, Broken> {
    text.parse().map_err(|_| Broken::new(Rule::OneOf, "must be true or false"))
}

/// An id.
pub fn id(text: &str) -> Result<Uuid, Broken> {
    Uuid::try_parse(text).map_err(|_| Broken::new(Rule::Format, "must be a UUID"))
}

/// An id in a path. What is not an id names nothing.
pub fn path_id(path: &str) -> Result<Uuid, ApiError> {
    Uuid::try_parse(path).map_err(|_| ApiError::new(Code::NotFound))
}

/// An instant (RFC 3339 with its offset). A `+` that was not escaped has become a blank: says so.
pub fn instant(text: &str) -> Result<DateTime<Utc>, Broken> {
    match moment::instant(&text.replacen(' ', "+", 1)) {
        Ok(_) if text.contains(' ') => Err(Broken::new(
            Rule::Format,
            "has a blank where its offset's + should be: write + as %2B in a query, as in 2024-11-04T09:00:00%2B01:00",
        )),
        _ => moment::instant(text),
    }
}

/// Where a page starts and how long it is.
pub struct Paging {
    /// At most so many.
    pub limit: usize,
    /// Behind this.
    pub after: Option<Cursor>,
}

/// The list, and a place in its order.
#[derive(Serialize, Deserialize)]
struct EncodedCursor(String, String, Uuid);

impl Paging {
    fn decode(list: &str, text: &str) -> Result<Cursor, ApiError> {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok();
        let decoded = bytes.and_then(|bytes| serde_json::from_slice::<EncodedCursor>(&bytes).ok());
        let ours = decoded.filter(|EncodedCursor(of, ..)| of == list);
        ours.map(|EncodedCursor(_, key, id)| Cursor { key, id }).ok_or_else(|| ApiError::new(Code::InvalidCursor))
    }

    /// A cursor as it travels. It carries a place in the order and nothing of the caller: what may be
    /// seen is decided anew at each page.
    pub fn encode(list: &str, cursor: &Cursor) -> String {
        let encoded = EncodedCursor(list.to_owned(), cursor.key.clone(), cursor.id);
        let json = serde_json::to_vec(&encoded).unwrap_or_default();
        URL_SAFE_NO_PAD.encode(json)
    }
}

/// The language of an answer: `?lang=`, else the best of Accept-Language (RFC 4647 lookup over its
/// first 16 ranges), else English.
#[derive(Debug, Clone, Copy)]
pub struct Lang(pub Language);

impl FromRequest for Lang {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(req: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(asked_language(req).map(|asked| Self(asked.unwrap_or_else(|| accepted_language(req)))))
    }
}

fn asked_language(req: &HttpRequest) -> Result<Option<Language>, ApiError> {
    if !req.query_string().contains("lang=") {
        return Ok(None);
    }
    let mut params = Params::parse(req.query_string())?;
    let language = params.get("lang", Language::parse);
    params.finish()?;
    Ok(language)
}

fn accepted_language(req: &HttpRequest) -> Language {
    let Ok(accepted) = AcceptLanguage::parse(req) else { return Language::En };
    // A quality of 0 means "not this one" (RFC 9110 §12.4.2).
    let wanted = accepted.0.into_iter().filter(|range| range.quality > Quality::ZERO).collect();
    let ranked: Vec<String> = AcceptLanguage(wanted)
        .ranked()
        .into_iter()
        .take(MAX_RANGES)
        .filter_map(|range| match range {
            Preference::Specific(tag) => Some(tag.to_string()),
            Preference::Any => None,
        })
        .collect();
    Language::lookup(ranked.iter().map(String::as_str)).unwrap_or(Language::En)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_refused_parameter_is_named() {
        let mut params = Params::parse("limit=0&lang=xx&lang=fr").unwrap();
        params.paging().unwrap();
        params.get("lang", Language::parse);
        let document = params.finish().unwrap_err();
        let text = serde_json::to_string(&document.document(Uuid::nil())).unwrap();
        assert!(text.contains(r#""parameter":"limit""#) && text.contains("duplicate"), "{text}");
    }

    #[test]
    fn an_instant_whose_plus_was_not_escaped_is_refused_with_that_hint() {
        let refused = instant("2024-11-04T09:00:00 01:00").unwrap_err();
        assert!(refused.detail.contains("%2B"), "{refused}");
        assert!(instant("2024-11-04T09:00:00+01:00").is_ok());
        assert!(!instant("4 November").unwrap_err().detail.contains("%2B"));
    }

    #[test]
    fn a_cursor_reads_back_and_junk_is_refused() {
        let cursor = Cursor { key: "cote d'ivoire".into(), id: Uuid::from_u128(7) };
        let encoded = Paging::encode("/v1/a", &cursor);
        assert_eq!(Paging::decode("/v1/a", &encoded).unwrap(), cursor);
        assert!(Paging::decode("/v1/b", &encoded).is_err(), "another list's");
        for junk in ["", "x", "eyJhIjoxfQ", "%%%"] {
            assert!(Paging::decode("/v1/a", junk).is_err(), "{junk}");
        }
    }
}
