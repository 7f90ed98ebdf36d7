//! Query parameters: language, pages, and what is wrong with them.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::http::header;
use actix_web::{FromRequest, HttpRequest, web};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::answers::parse_revisions;
use crate::problem::{ApiError, Code};
use domain::{Broken, Language, Rule, moment};
use edition::Cursor;

/// The longest list of languages that is looked at, in ranges.
const MAX_RANGES: usize = 16;

/// The query parameters of a request, each at most once. Unknown ones are ignored.
pub struct Params {
    list: String,
    /// In the order they were given in; there are never many.
    values: Vec<(String, String)>,
    error: Option<ApiError>,
}

impl Params {
    /// The parameters of a query string.
    pub fn parse(query: &str) -> Result<Self, ApiError> {
        let mut params = Self { list: String::new(), values: Vec::new(), error: None };
        if query.is_empty() {
            return Ok(params);
        }
        let pairs: web::Query<Vec<(String, String)>> =
            web::Query::from_query(query).map_err(|_| ApiError::new(Code::MalformedRequest))?;
        params.values = pairs.into_inner();
        let mut names: Vec<&str> = params.values.iter().map(|(name, _)| name.as_str()).collect();
        names.sort_unstable();
        let again = names.chunk_by(|a, b| a == b).filter(|same| same.len() > 1).map(|same| same[0].to_owned());
        for name in again.collect::<Vec<_>>() {
            params.note(&name, Broken::new(Rule::Duplicate, message!("must be given once")));
        }
        Ok(params)
    }

    /// The query of a request. Faults of `lang` and `min_rev` are noted already, whoever reads them: [`Lang`] and
    /// [`Published`](crate::answers::Published) pass over what is faulty, so that it is told with all the rest.
    pub fn of(req: &HttpRequest) -> Result<Self, ApiError> {
        let mut params = Self::parse(req.query_string())?;
        if !params.values.is_empty() {
            params.get("lang", Language::parse);
            params.get("min_rev", parse_revisions);
            params.list = req.path().to_owned();
        }
        Ok(params)
    }

    /// The text of a parameter.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.values.iter().rev().find(|(given, _)| given == name).map(|(_, value)| value.as_str())
    }

    /// A parameter through its parser; a refusal is noted and told by [`Params::finish`].
    pub fn get<T>(&mut self, name: &str, parse: impl FnOnce(&str) -> Result<T, Broken>) -> Option<T> {
        match parse(self.text(name)?) {
            Ok(value) => Some(value),
            Err(broken) => {
                self.note(name, broken);
                None
            }
        }
    }

    /// A parameter that must be there.
    pub fn require<T>(&mut self, name: &str, parse: impl FnOnce(&str) -> Result<T, Broken>) -> Option<T> {
        if self.text(name).is_none() {
            self.note(name, Broken::new(Rule::Required, message!("must be given")));
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
            if self.text(by_number).is_some() {
                self.note(
                    by_number,
                    Broken::new(Rule::UnknownField, message!("pages have no numbers: follow next_cursor")),
                );
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
        ready(Self::of(req))
    }
}

/// A whole number from `min` to `max`.
pub fn integer(text: &str, min: i64, max: i64) -> Result<i64, Broken> {
    let refused = || Broken::new(Rule::Range, message!("must be a whole number from {min} to {max}", min, max));
    text.parse().ok().filter(|n| (min..=max).contains(n)).ok_or_else(refused)
}

/// `true` or `false`.
pub fn boolean(text: &str) -> Result<bool, Broken> {
    text.parse().map_err(|_| Broken::new(Rule::OneOf, message!("must be true or false")))
}

/// An id.
pub fn id(text: &str) -> Result<Uuid, Broken> {
    Uuid::try_parse(text).map_err(|_| Broken::new(Rule::Format, message!("must be a UUID")))
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
            message!(
                "has a blank where its offset's + should be: write + as %2B in a query, as in 2024-11-04T09:00:00%2B01:00"
            ),
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
/// first 16 ranges), else English. A faulty `lang` is told by [`Params::finish`]: a handler takes both.
#[derive(Debug, Clone, Copy)]
pub struct Lang(pub Language);

impl FromRequest for Lang {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(req: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Ok(Self(language(req))))
    }
}

/// The language to answer a request in, were it with an error.
pub fn language(req: &HttpRequest) -> Language {
    asked_language(req).unwrap_or_else(|| accepted_language(req))
}

/// Of several, the last: as [`Params`] has it, which tells of them.
fn asked_language(req: &HttpRequest) -> Option<Language> {
    let query = Some(req.query_string()).filter(|query| query.contains("lang="))?;
    // Only where nothing is escaped is a name what it looks like.
    if query.contains(['%', '+']) {
        return Params::parse(query).ok()?.get("lang", Language::parse);
    }
    Language::parse(query.split('&').filter_map(|pair| pair.strip_prefix("lang=")).next_back()?).ok()
}

fn accepted_language(req: &HttpRequest) -> Language {
    let headers = req.headers().get_all(header::ACCEPT_LANGUAGE).filter_map(|value| value.to_str().ok());
    best_language(headers).unwrap_or(Language::En)
}

/// The best language for what Accept-Language asks for (RFC 9110 §12.5.4). What is not well-formed
/// is passed over and takes nothing else with it.
fn best_language<'a>(headers: impl Iterator<Item = &'a str>) -> Option<Language> {
    let mut given = headers.flat_map(|header| header.split(',')).filter_map(range).take(MAX_RANGES);
    let (first, second) = (given.next()?, given.next());
    let Some(second) = second else { return Language::lookup((first.1 > 0).then_some(first.0)) };
    let mut ranges: Vec<(&str, u16)> = [first, second].into_iter().chain(given).collect();
    // A quality of 0 means "not this one" (RFC 9110 §12.4.2).
    ranges.retain(|(_, quality)| *quality > 0);
    ranges.sort_by_key(|(_, quality)| std::cmp::Reverse(*quality));
    Language::lookup(ranges.into_iter().map(|(range, _)| range))
}

/// A language range and its quality in thousandths: `fr-CA;q=0.8`.
fn range(text: &str) -> Option<(&str, u16)> {
    let (range, quality) = match text.split_once(';') {
        Some((range, weight)) => (range, quality(weight.trim())?),
        None => (text, 1000),
    };
    let range = range.trim();
    // Some phones write fr_CA.
    let mut subtags = range.split(['-', '_']);
    let well_formed = subtags.all(|tag| (1..=8).contains(&tag.len()) && tag.bytes().all(|b| b.is_ascii_alphanumeric()));
    (range == "*" || well_formed).then_some((range, quality))
}

/// `q=0.8` in thousandths: 0 to 1, at most three decimals.
fn quality(weight: &str) -> Option<u16> {
    let value = weight.strip_prefix("q=").or_else(|| weight.strip_prefix("Q="))?;
    let (whole, decimals) = value.split_once('.').unwrap_or((value, ""));
    let is_short = decimals.len() <= 3 && decimals.bytes().all(|b| b.is_ascii_digit());
    let thousandths: u16 = format!("{decimals:0<3}").parse().ok().filter(|_| is_short)?;
    match whole {
        "0" => Some(thousandths),
        "1" if thousandths == 0 => Some(1000),
        _ => None,
    }
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
        let text = serde_json::to_string(&document.document(Uuid::nil(), Language::En)).unwrap();
        assert!(text.contains(r#""parameter":"limit""#) && text.contains("duplicate"), "{text}");
    }

    #[test]
    fn an_instant_whose_plus_was_not_escaped_is_refused_with_that_hint() {
        let refused = instant("2024-11-04T09:00:00 01:00").unwrap_err();
        assert!(refused.to_string().contains("%2B"), "{refused}");
        assert!(instant("2024-11-04T09:00:00+01:00").is_ok());
        assert!(!instant("4 November").unwrap_err().to_string().contains("%2B"));
    }

    #[test]
    fn the_best_language_is_the_most_wanted_of_the_six() {
        for (header, best) in [
            ("fr", Some(Language::Fr)),
            ("fr-CA, en;q=0.9", Some(Language::Fr)),
            ("zh_Hant_TW", Some(Language::Zh)),
            ("pt-BR, es;q=0.5, ru ; q=0.7", Some(Language::Ru)),
            ("en;q=0.1,AR;Q=1.000", Some(Language::Ar)),
            ("es, fr", Some(Language::Es)),
            ("en;q=0, fr;q=0.001", Some(Language::Fr)),
            ("*, fr;q=0.5", Some(Language::Fr)),
            ("*", None),
            ("pt, de", None),
            ("fr;q=0", None),
            ("", None),
        ] {
            assert_eq!(best_language([header].into_iter()), best, "{header}");
        }
        assert_eq!(best_language(["pt", "ru"].into_iter()), Some(Language::Ru), "of two headers");
    }

    #[test]
    fn a_broken_range_takes_no_other_with_it() {
        for broken in [
            "fr;q=NaN",
            "fr;q=2",
            "fr;q=-1",
            "fr;q=",
            "fr;q=0.1234",
            "fr;q=1.001",
            "fr;x",
            "fr;q=1;q=1",
            ";q=1",
            "fr fr",
            "fr--CA",
        ] {
            assert_eq!(
                best_language([format!("{broken}, es;q=0.1").as_str()].into_iter()),
                Some(Language::Es),
                "{broken}"
            );
        }
    }

    #[test]
    fn the_first_16_ranges_count() {
        let others = "xx,".repeat(15);
        assert_eq!(best_language([format!("{others}fr").as_str()].into_iter()), Some(Language::Fr));
        assert_eq!(best_language([format!("{others}xx,fr").as_str()].into_iter()), None);
        assert_eq!(best_language([format!("{}fr", "q=NaN,".repeat(100)).as_str()].into_iter()), Some(Language::Fr));
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
