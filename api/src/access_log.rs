//! The log's line of a request, in the form of every other line.

use std::cell::RefCell;
use std::time::{Duration, SystemTime};

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::lines;
use crate::trace_context::TraceContext;

/// What is told of a request. The path's pattern and never its query: delegates' search terms are theirs.
pub struct Told<'a> {
    /// When it was answered.
    pub at: SystemTime,
    /// `INFO` or `WARN`.
    pub level: &'static str,
    /// Its id.
    pub id: Uuid,
    /// The trace it belongs to.
    pub trace: Option<TraceContext>,
    /// Its method, a token of RFC 9110: nothing in it needs escaping in JSON.
    pub method: &'a str,
    /// The pattern of its path.
    pub route: &'a str,
    /// The answer's status.
    pub status: u16,
    /// How long it took.
    pub took: Duration,
}

/// A line in the making, and the second whose moments have been written last.
#[derive(Default)]
struct Desk {
    line: Vec<u8>,
    second: Option<(u64, Vec<u8>)>,
}

thread_local! {
    static DESK: RefCell<Desk> = RefCell::default();
}

/// Writes the line to the log, where there is one.
pub fn note(told: &Told<'_>) {
    let Some(log) = lines::log() else { return };
    DESK.with_borrow_mut(|desk| {
        desk.write(told);
        log.put_request(&desk.line);
    });
}

impl Desk {
    /// By hand: serde would take ten times as long, and this is written for every request.
    fn write(&mut self, told: &Told<'_>) {
        self.line.clear();
        self.text(b"{\"timestamp\":\"");
        self.moment(told.at);
        self.text(b"Z\",\"level\":\"");
        self.text(told.level.as_bytes());
        self.text(b"\",\"fields\":{\"message\":\"request\",\"request_id\":\"");
        self.text(told.id.hyphenated().encode_lower(&mut Uuid::encode_buffer()).as_bytes());
        if let Some(trace) = told.trace {
            self.text(b"\",\"trace_id\":\"");
            self.hex(trace.trace, 32);
            self.text(b"\",\"span_id\":\"");
            self.hex(trace.span.into(), 16);
            self.text(b"\",\"parent_id\":\"");
            self.hex(trace.parent.into(), 16);
        }
        self.text(b"\",\"method\":\"");
        self.text(told.method.as_bytes());
        self.text(b"\",\"route\":\"");
        self.text(told.route.as_bytes());
        self.text(b"\",\"status\":");
        self.number(told.status.into());
        self.text(b",\"microseconds\":");
        self.number(u64::try_from(told.took.as_micros()).unwrap_or(u64::MAX));
        self.text(b"},\"target\":\"api::frame\"}\n");
    }

    fn text(&mut self, text: &[u8]) {
        self.line.extend_from_slice(text);
    }

    /// `2026-09-21T08:00:00.123456`, of which all but the fraction is the same for many lines.
    fn moment(&mut self, at: SystemTime) {
        let since = at.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let second = match self.second.take_if(|(second, _)| *second == since.as_secs()) {
            Some(same) => same,
            None => {
                let text = DateTime::<Utc>::from(at).format("%Y-%m-%dT%H:%M:%S.").to_string();
                (since.as_secs(), text.into_bytes())
            }
        };
        self.line.extend_from_slice(&second.1);
        self.second = Some(second);
        self.padded(since.subsec_micros().into());
    }

    /// Six digits.
    fn padded(&mut self, micros: u64) {
        let mut digits = *b"000000";
        let mut rest = micros;
        for digit in digits.iter_mut().rev() {
            *digit = b'0' + (rest % 10) as u8;
            rest /= 10;
        }
        self.text(&digits);
    }

    fn number(&mut self, number: u64) {
        let mut digits = [b'0'; 20];
        let (mut rest, mut first) = (number, digits.len());
        while rest > 0 || first == digits.len() {
            first -= 1;
            digits[first] = b'0' + (rest % 10) as u8;
            rest /= 10;
        }
        self.line.extend_from_slice(&digits[first..]);
    }

    fn hex(&mut self, number: u128, digits: u32) {
        for place in (0..digits).rev() {
            let digit = (number >> (4 * place)) as usize & 15;
            self.line.push(b"0123456789abcdef"[digit]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn written(told: &Told<'_>) -> Value {
        let mut desk = Desk::default();
        desk.write(told);
        let line = desk.line.strip_suffix(b"\n").unwrap();
        assert!(!line.contains(&b'\n'));
        serde_json::from_slice(line).unwrap()
    }

    #[test]
    fn a_line_says_what_was_asked_and_how_it_was_answered() {
        let id = Uuid::from_u128(0x0193_a5f0_7c1e_7a54_9a55_0d5c_3f6f_2b11);
        let at = DateTime::parse_from_rfc3339("2026-09-21T08:00:09.000042Z").unwrap();
        let (method, route) = ("GET", "/v1/directory/people/{id}");
        let took = Duration::from_micros(1234);
        let told = Told { at: at.into(), level: "INFO", id, trace: None, method, route, status: 200, took };
        assert_eq!(
            written(&told),
            json!({
                "timestamp": "2026-09-21T08:00:09.000042Z",
                "level": "INFO",
                "fields": {
                    "message": "request",
                    "request_id": "0193a5f0-7c1e-7a54-9a55-0d5c3f6f2b11",
                    "method": "GET",
                    "route": "/v1/directory/people/{id}",
                    "status": 200,
                    "microseconds": 1234,
                },
                "target": "api::frame",
            })
        );
    }

    #[test]
    fn a_line_names_its_trace() {
        let mut headers = actix_web::http::header::HeaderMap::new();
        let name = actix_web::http::header::HeaderName::from_static("traceparent");
        let value = "00-0bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        headers.insert(name, value.parse().unwrap());
        let id = Uuid::from_u128(0x0193_a5f0_7c1e_7a54_8a55_0d5c_3f6f_2b11);
        let (trace, took) = (TraceContext::of(&headers, id), Duration::ZERO);
        let told =
            Told { at: SystemTime::now(), level: "WARN", id, trace, method: "GET", route: "-", status: 503, took };
        let fields = &written(&told)["fields"];
        assert_eq!(fields["trace_id"], "0bf92f3577b34da6a3ce929d0e0e4736");
        assert_eq!(fields["parent_id"], "00f067aa0ba902b7");
        assert_eq!(fields["span_id"], "8a550d5c3f6f2b11");
        assert_eq!(fields["microseconds"], 0);
    }

    #[test]
    fn lines_of_one_second_and_of_the_next_have_their_own_moments() {
        let mut desk = Desk::default();
        let start = DateTime::parse_from_rfc3339("2026-12-31T23:59:59.9Z").unwrap();
        let moment = |desk: &mut Desk, millis| {
            desk.line.clear();
            desk.moment((start + chrono::TimeDelta::milliseconds(millis)).into());
            String::from_utf8(desk.line.clone()).unwrap()
        };
        assert_eq!(moment(&mut desk, 0), "2026-12-31T23:59:59.900000");
        assert_eq!(moment(&mut desk, 99), "2026-12-31T23:59:59.999000");
        assert_eq!(moment(&mut desk, 101), "2027-01-01T00:00:00.001000");
        assert_eq!(moment(&mut desk, 0), "2026-12-31T23:59:59.900000", "of two threads, in any order");
    }
}
