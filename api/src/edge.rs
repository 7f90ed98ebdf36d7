//! What the operator says about the edge: limits, proxies, other origins, and whom to tell of a weakness.

use std::net::IpAddr;

use actix_web::http::Uri;
use clap::Args;
use ipnet::IpNet;

/// How the edge is set. `Default`, for tests, limits nobody, trusts nobody and names nobody; flags have defaults of their own.
#[derive(Debug, Clone, Default, Args)]
pub struct Edge {
    /// Requests a minute for each client. 0: no limit.
    #[arg(long, env = "FOCALPOINT_RATE_LIMIT_DEFAULT", default_value_t = 6_000)]
    pub rate_limit_default: u32,
    /// Requests a minute for bulletins, entrances and sync, for each client, or source address without
    /// a token. A budget of its own, which no other request touches. 0: no limit.
    #[arg(long, env = "FOCALPOINT_RATE_LIMIT_BULLETINS", default_value_t = 30_000)]
    pub rate_limit_bulletins: u32,
    /// Requests a minute without a good token, for each source address (IPv6: each /64). 0: no limit.
    #[arg(long, env = "FOCALPOINT_RATE_LIMIT_PUBLIC", default_value_t = 3_000)]
    pub rate_limit_public: u32,
    /// Requests a minute at the token endpoint, for each source address. 0: no limit.
    #[arg(long, env = "FOCALPOINT_RATE_LIMIT_TOKEN", default_value_t = 300)]
    pub rate_limit_token: u32,
    /// Imports and exports a minute for each client. 0: no limit.
    #[arg(long, env = "FOCALPOINT_RATE_LIMIT_BULK", default_value_t = 120)]
    pub rate_limit_bulk: u32,
    /// Proxies whose X-Forwarded-For is believed, as 10.0.0.0/8 or one address. May be repeated.
    #[arg(long = "trusted-proxy", env = "FOCALPOINT_TRUSTED_PROXIES", value_name = "CIDR", value_delimiter = ',', value_parser = network)]
    pub trusted_proxies: Vec<IpNet>,
    /// Origins whose pages may read answers in a browser (CORS), as `https://app.example.org`. May be repeated.
    #[arg(long = "cors-origin", env = "FOCALPOINT_CORS_ORIGINS", value_name = "ORIGIN", value_delimiter = ',', value_parser = origin)]
    pub cors_origins: Vec<String>,
    /// Whom to tell of a weakness, as mailto:security@example.org or https://… For
    /// /.well-known/security.txt, which is there when this is. May be repeated, the best first.
    #[arg(long = "security-contact", env = "FOCALPOINT_SECURITY_CONTACTS", value_name = "URI", value_delimiter = ',', value_parser = contact)]
    pub security_contacts: Vec<String>,
    /// Where it says how weaknesses are dealt with, as https://…
    #[arg(long, env = "FOCALPOINT_SECURITY_POLICY", value_name = "URI", value_parser = web_address)]
    pub security_policy: Option<String>,
    /// The languages in which the security contact can be written to.
    #[arg(long, env = "FOCALPOINT_SECURITY_LANGUAGES", value_name = "TAGS", default_value = "en", value_parser = languages)]
    pub security_languages: String,
}

fn network(text: &str) -> Result<IpNet, String> {
    let address = || text.parse::<IpAddr>().ok().map(IpNet::from);
    text.parse().ok().or_else(address).ok_or_else(|| "must be a network such as 10.0.0.0/8, or an address".to_owned())
}

/// Exactly what a browser sends in `Origin` (RFC 6454 §6.2), so that comparing bytes is enough.
fn origin(text: &str) -> Result<String, String> {
    let refused =
        || Err("must be a scheme and a host as browsers send them, such as https://app.example.org".to_owned());
    let Ok(uri) = text.parse::<Uri>() else { return refused() };
    let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else { return refused() };
    let default_port = matches!((scheme, authority.port_u16()), ("http", Some(80)) | ("https", Some(443)));
    let written_out = format!("{scheme}://{authority}");
    let exact = written_out == text && text == text.to_ascii_lowercase();
    match exact && !default_port && !text.contains(['*', '@']) && !authority.host().is_empty() {
        true => Ok(written_out),
        false => refused(),
    }
}

/// A `Contact` of RFC 9116 §2.5.3.
fn contact(text: &str) -> Result<String, String> {
    let schemes = ["mailto:", "https://", "tel:"];
    let given = schemes.into_iter().any(|scheme| text.strip_prefix(scheme).is_some_and(|rest| !rest.is_empty()));
    match given && is_uri(text) {
        true => Ok(text.to_owned()),
        false => Err("must be mailto:, https:// or tel: and what belongs to it".to_owned()),
    }
}

fn web_address(text: &str) -> Result<String, String> {
    match text.strip_prefix("https://").is_some_and(|rest| !rest.is_empty()) && is_uri(text) {
        true => Ok(text.to_owned()),
        false => Err("must begin with https://".to_owned()),
    }
}

/// Language tags (RFC 5646) with commas between.
fn languages(text: &str) -> Result<String, String> {
    let tags: Vec<&str> = text.split(',').map(str::trim).collect();
    let is_tag = |tag: &&str| !tag.is_empty() && tag.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    match tags.iter().all(is_tag) {
        true => Ok(tags.join(", ")),
        false => Err("must be language tags, such as en, fr".to_owned()),
    }
}

/// Nothing that could end a line of the file or a URI.
fn is_uri(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_graphic())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_exactly_what_a_browser_sends() {
        for good in
            ["https://app.example.org", "http://localhost:5173", "https://[2001:db8::1]:8443", "capacitor://localhost"]
        {
            assert_eq!(origin(good).as_deref(), Ok(good));
        }
        for bad in [
            "*",
            "null",
            "",
            "app.example.org",
            "https://",
            "https://*.example.org",
            "https://app.example.org/",
            "https://app.example.org/path",
            "https://app.example.org:443",
            "http://app.example.org:80",
            "https://App.example.org",
            "https://user@app.example.org",
            "https://app.example.org?x",
            "https://a.example https://b.example",
        ] {
            assert!(origin(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_proxy_is_a_network_or_an_address() {
        assert_eq!(network("10.0.0.0/8").map(|n| n.to_string()).as_deref(), Ok("10.0.0.0/8"));
        assert_eq!(network("::1").map(|n| n.to_string()).as_deref(), Ok("::1/128"));
        for bad in ["", "10.0.0.0/33", "proxy.example.org", "*"] {
            assert!(network(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_contact_stays_on_its_line() {
        assert!(contact("mailto:security@example.org").is_ok());
        for bad in
            ["security@example.org", "http://example.org", "mailto:", "mailto:a@b\nExpires: never", "https://a b"]
        {
            assert!(contact(bad).is_err(), "{bad}");
        }
        assert_eq!(languages("en,fr").as_deref(), Ok("en, fr"));
        assert!(languages("en,").is_err());
        assert!(web_address("http://example.org").is_err());
    }
}
