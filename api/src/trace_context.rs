//! W3C Trace Context: a caller's trace goes on into this process's log.

use std::fmt;

use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};
use uuid::Uuid;

const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");

/// What an answer tells of the trace it belongs to (Trace Context, level 3 draft, "traceresponse").
pub const TRACERESPONSE: HeaderName = HeaderName::from_static("traceresponse");

/// A request's place in a trace that its caller began.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TraceContext {
    /// The whole trace, never 0.
    pub trace: u128,
    /// The caller's span, never 0.
    pub parent: u64,
    /// This request's span: the second half of the request's id, which is random and never 0.
    pub span: u64,
    flags: u8,
}

impl TraceContext {
    /// Of a request. Junk counts as no header, as the standard demands; so do two of them.
    pub fn of(headers: &HeaderMap, request: Uuid) -> Option<Self> {
        let mut found = headers.get_all(TRACEPARENT);
        let only = found.next().filter(|_| found.next().is_none())?;
        let (trace, parent, flags) = parse(only.to_str().ok()?)?;
        Some(Self { trace, parent, span: request.as_u64_pair().1, flags })
    }

    /// The header of the answer.
    pub fn response(&self) -> Option<HeaderValue> {
        HeaderValue::from_str(&self.to_string()).ok()
    }
}

impl fmt::Display for TraceContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Of the flags, the lowest says that the caller keeps the trace and the next that its id is random.
        write!(f, "00-{:032x}-{:016x}-{:02x}", self.trace, self.span, self.flags & 3)
    }
}

/// Trace, parent and flags of a `traceparent`. Of a version yet to come, the part that versions have in common.
fn parse(text: &str) -> Option<(u128, u64, u8)> {
    let version = hex(text.get(..2)?)?;
    let rest = text.get(55..)?;
    let whole = match version {
        0 => rest.is_empty(),
        0xff => false,
        _ => rest.is_empty() || rest.starts_with('-'),
    };
    let mut parts = text.get(2..55)?.split('-');
    let (Some(""), Some(trace), Some(parent), Some(flags), None) =
        (parts.next(), parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return None;
    };
    let lengths = (trace.len(), parent.len(), flags.len()) == (32, 16, 2);
    let (trace, parent, flags) = (hex(trace)?, hex(parent)?, hex(flags)?);
    let sound = whole && lengths && trace != 0 && parent != 0;
    sound.then_some((trace, u64::try_from(parent).ok()?, u8::try_from(flags).ok()?))
}

/// Lower-case hexadecimal digits and nothing else.
fn hex(digits: &str) -> Option<u128> {
    let lower = digits.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    u128::from_str_radix(digits, 16).ok().filter(|_| lower)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const GOOD: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    #[test]
    fn the_standards_example_is_read() {
        assert_eq!(parse(GOOD), Some((0x4bf9_2f35_77b3_4da6_a3ce_929d_0e0e_4736, 0x00f0_67aa_0ba9_02b7, 1)));
    }

    #[test]
    fn junk_is_no_context() {
        let junk = [
            "",
            "00",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e473-600f067aa0ba902b7-01",
            "00-+bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01.more",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0g",
        ];
        for text in junk {
            assert_eq!(parse(text), None, "{text}");
        }
        assert!(
            parse("cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-what-comes").is_some(),
            "a later version"
        );
    }

    #[test]
    fn two_headers_are_none() {
        let mut headers = HeaderMap::new();
        headers.append(TRACEPARENT, HeaderValue::from_static(GOOD));
        assert!(TraceContext::of(&headers, Uuid::now_v7()).is_some());
        headers.append(TRACEPARENT, HeaderValue::from_static(GOOD));
        assert_eq!(TraceContext::of(&headers, Uuid::now_v7()), None);
    }

    /// Near misses: what a header has, in any order and number.
    fn pieces() -> impl Strategy<Value = String> {
        let piece = prop_oneof![
            Just("-".to_owned()),
            "[0-9a-f]{2}",
            "[0-9a-fA-F]{16}",
            "[0-9a-f]{32}",
            Just("é".to_owned()),
            ".{0,3}"
        ];
        prop::collection::vec(piece, 0..9).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #[test]
        fn no_text_breaks_the_parser_and_what_it_takes_is_as_the_standard_says(text in prop_oneof![".*", pieces()]) {
            if let Some((trace, parent, flags)) = parse(&text) {
                let common = format!("-{trace:032x}-{parent:016x}-{flags:02x}");
                prop_assert_eq!(&text[2..55], common);
                prop_assert!(trace != 0 && parent != 0 && !text.starts_with("ff"));
            }
        }

        #[test]
        fn what_the_standard_allows_is_taken_and_told_on(trace in 1u128.., parent in 1u64.., flags: u8, id: u128) {
            let header = format!("00-{trace:032x}-{parent:016x}-{flags:02x}");
            let mut headers = HeaderMap::new();
            headers.append(TRACEPARENT, HeaderValue::from_str(&header).unwrap());
            let request = uuid::Builder::from_random_bytes(id.to_be_bytes()).into_uuid();
            let context = TraceContext::of(&headers, request).unwrap();
            prop_assert_eq!((context.trace, context.parent), (trace, parent));
            let (told, span, _) = parse(context.response().unwrap().to_str().unwrap()).unwrap();
            prop_assert_eq!((told, span), (trace, context.span));
        }
    }
}
