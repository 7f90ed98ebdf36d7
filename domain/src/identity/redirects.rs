//! Where an app is given its code: the addresses that may be registered, and when one is the registered one.

use std::net::IpAddr;

use crate::{Broken, Rule};

/// The longest address, in bytes.
const MAX_BYTES: usize = 500;

/// A redirection address (RFC 6749 §3.1.2) as an app may register it: a claimed `https` address, a private-use
/// scheme in reverse domain form, or a loopback address (RFC 8252 §7).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RedirectUri(String);

impl RedirectUri {
    /// Accepts an absolute address without a fragment (RFC 6749 §3.1.2), user information or characters that
    /// must be escaped:
    /// - `https://host/…`;
    /// - `org.example.app:/…`: the scheme has a dot, so that it is somebody's (RFC 8252 §7.1), and no authority;
    /// - `http://127.0.0.1/…` or `http://[::1]/…`, whose port is whatever the app then gets (§7.3). Not
    ///   `localhost`, which may be resolved to something else (§8.3).
    pub fn parse(text: &str) -> Result<Self, Broken> {
        let refused = |why| Err(Broken::new(Rule::Format, why));
        if text.len() > MAX_BYTES {
            return Err(Broken::new(Rule::Length, message!("must have at most {max} bytes", max = MAX_BYTES)));
        }
        let is_plain = |byte: u8| byte.is_ascii_graphic() && !b"#\\\"<>^`{|}".contains(&byte);
        if !text.bytes().all(is_plain) {
            return refused(message!("must not contain a fragment, blanks or characters that are to be escaped"));
        }
        let Some((scheme, rest)) = text.split_once(':') else {
            return refused(message!("must be an absolute address"));
        };
        if scheme != scheme.to_ascii_lowercase() {
            return refused(message!("must have its scheme in small letters"));
        }
        let has_dots = path_of(rest).split('/').any(is_dots);
        if has_dots {
            return refused(message!("must not contain . or .. as a part of its path"));
        }
        match (scheme, rest.strip_prefix("//")) {
            ("https", Some(rest)) if is_host(authority(rest)) => Ok(Self(text.to_owned())),
            ("http", Some(rest)) if is_loopback(authority(rest)) => Ok(Self(text.to_owned())),
            (scheme, None) if is_private_use(scheme) && rest.starts_with('/') => Ok(Self(text.to_owned())),
            _ => refused(message!(
                "must be https://…, a private-use scheme with a dot such as org.example.app:/…, or http://127.0.0.1/…"
            )),
        }
    }

    /// As it was registered.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether `asked` is this address: byte for byte (RFC 9700 §2.1), but for the port of a loopback address
    /// (RFC 8252 §7.3).
    pub fn matches(&self, asked: &str) -> bool {
        if self.0 == asked {
            return true;
        }
        let without_port = |text: &str| {
            let rest = text.strip_prefix("http://")?;
            let host = authority(rest);
            let path = &rest[host.len()..];
            let (host, port) = split_port(host)?;
            let is_port = port.is_none_or(|port| !port.starts_with('0') && port.parse::<u16>().is_ok_and(|p| p > 0));
            (is_loopback(host) && is_port).then(|| (host.to_owned(), path.to_owned()))
        };
        let ours = without_port(&self.0);
        ours.is_some() && ours == without_port(asked)
    }
}

fn authority(rest: &str) -> &str {
    rest.split(['/', '?']).next().unwrap_or_default()
}

fn path_of(rest: &str) -> &str {
    let rest = rest.strip_prefix("//").map_or(rest, |rest| &rest[authority(rest).len()..]);
    rest.split('?').next().unwrap_or_default()
}

fn is_dots(segment: &str) -> bool {
    matches!(segment.to_ascii_lowercase().replace("%2e", ".").as_str(), "." | "..")
}

/// The host, and the port where there is one.
fn split_port(authority: &str) -> Option<(&str, Option<&str>)> {
    let end = match authority.starts_with('[') {
        true => authority.find(']')? + 1,
        false => authority.find(':').unwrap_or(authority.len()),
    };
    let (host, port) = authority.split_at(end);
    match port.is_empty() {
        true => Some((host, None)),
        false => Some((host, Some(port.strip_prefix(':')?))),
    }
}

/// A name of letters, digits, dots and hyphens with a dot in it; no user information, and a port only if it is one.
fn is_host(authority: &str) -> bool {
    let Some((host, port)) = split_port(authority) else { return false };
    let label = |label: &str| {
        !label.is_empty()
            && !label.starts_with('-')
            && label.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
    };
    host.contains('.') && host.split('.').all(label) && port.is_none_or(|port| port.parse::<u16>().is_ok_and(|p| p > 0))
}

fn is_loopback(authority: &str) -> bool {
    match split_port(authority) {
        Some(("127.0.0.1" | "[::1]", None)) => true,
        Some((host @ ("127.0.0.1" | "[::1]"), Some(port))) => {
            port.parse::<u16>().is_ok() && host.trim_matches(['[', ']']).parse::<IpAddr>().is_ok()
        }
        _ => false,
    }
}

fn is_private_use(scheme: &str) -> bool {
    let letters = |label: &str| {
        label.starts_with(|c: char| c.is_ascii_lowercase())
            && label.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
    };
    scheme.contains('.') && scheme.split('.').all(letters)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_native_apps_use_can_be_registered() {
        for good in [
            "https://app.example.org/signed-in",
            "https://app.example.org:8443/cb?x=1",
            "org.example.delegates:/signed-in",
            "http://127.0.0.1/signed-in",
            "http://[::1]/signed-in",
            "http://127.0.0.1:8123/cb",
        ] {
            assert_eq!(RedirectUri::parse(good).map(|uri| uri.0).as_deref(), Ok(good));
        }
    }

    #[test]
    fn tricks_cannot_be_registered() {
        for bad in [
            "",
            "app.example.org/cb",
            "http://app.example.org/cb",
            "http://localhost/cb",
            "http://127.0.0.1.evil.example/cb",
            "http://127.0.0.1@evil.example/cb",
            "https://user@app.example.org/cb",
            "https://app.example.org@evil.example/",
            "https://app.example.org/cb#x",
            "https://app.example.org\\@evil.example/",
            "https://app.example.org/a/../cb",
            "https://app.example.org/a/%2E%2e/cb",
            "https://App.example.org/cb",
            "HTTPS://app.example.org/cb",
            "https://*.example.org/cb",
            "https://localhost/cb",
            "https:///cb",
            "https://app.example.org:0/cb",
            "https://app.example.org:99999/cb",
            "https://app.example.org/c b",
            "https://app.example.org/\u{e9}",
            "myapp:/cb",
            "myapp://cb",
            "org.example.app://host/cb",
            "org.example.app:cb",
            "javascript:alert(1)",
            "data:text/html,x",
            "file:///etc/passwd",
            "intent://x#Intent;end",
        ] {
            assert!(RedirectUri::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn an_address_is_the_registered_one_byte_for_byte() {
        let uri = RedirectUri::parse("https://app.example.org/cb").unwrap();
        assert!(uri.matches("https://app.example.org/cb"));
        for other in [
            "https://app.example.org/cb/",
            "https://app.example.org/cb?x=1",
            "https://app.example.org/cb#",
            "https://app.example.org:443/cb",
            "https://APP.example.org/cb",
            "https://app.example.org/%63b",
            "https://app.example.org/x/../cb",
            "https://user@app.example.org/cb",
            "http://app.example.org/cb",
            "https://app.example.org/cb\u{0}",
        ] {
            assert!(!uri.matches(other), "{other}");
        }
    }

    #[test]
    fn only_a_loopback_address_may_have_another_port() {
        let uri = RedirectUri::parse("http://127.0.0.1/cb").unwrap();
        for good in ["http://127.0.0.1/cb", "http://127.0.0.1:51004/cb"] {
            assert!(uri.matches(good), "{good}");
        }
        for bad in [
            "http://[::1]:51004/cb",
            "http://localhost:51004/cb",
            "http://127.0.0.1:51004/other",
            "http://127.0.0.1:51004/cb?x",
            "http://127.0.0.1:0/cb",
            "http://127.0.0.1:/cb",
            "http://127.0.0.1:080/cb",
            "http://127.0.0.1:65536/cb",
            "http://x@127.0.0.1:51004/cb",
            "http://127.0.0.1:51004@evil.example/cb",
            "https://127.0.0.1:51004/cb",
        ] {
            assert!(!uri.matches(bad), "{bad}");
        }
        let private = RedirectUri::parse("org.example.app:/cb").unwrap();
        assert!(!private.matches("org.example.app://cb") && !private.matches("org.example.app2:/cb"));
    }
}
