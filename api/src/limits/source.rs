//! Where a request comes from, as far as that can be believed.

use std::net::{IpAddr, SocketAddr};

use actix_web::http::header::{HeaderMap, HeaderName};
use ipnet::IpNet;

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// The address that asks: the peer's, or, where the peer is a trusted proxy, the last one in
/// `X-Forwarded-For` that is not. What stands before it, anybody may have written.
pub(super) fn address(trusted: &[IpNet], peer: IpAddr, headers: &HeaderMap) -> IpAddr {
    let is_trusted = |address: IpAddr| trusted.iter().any(|network| network.contains(&address));
    let mut nearest = peer.to_canonical();
    if !is_trusted(nearest) {
        return nearest;
    }
    let lines: Vec<&str> = headers.get_all(X_FORWARDED_FOR).map(|line| line.to_str().unwrap_or_default()).collect();
    for hop in lines.iter().rev().flat_map(|line| line.rsplit(',')) {
        let Some(address) = parse(hop.trim()) else { break };
        nearest = address;
        if !is_trusted(nearest) {
            break;
        }
    }
    nearest
}

/// Some proxies add the port.
fn parse(hop: &str) -> Option<IpAddr> {
    let with_port = || hop.parse::<SocketAddr>().ok().map(|address| address.ip());
    hop.parse::<IpAddr>().ok().or_else(with_port).map(|address| address.to_canonical())
}

/// What counts as one source: an IPv4 address, or an IPv6 network of 64 bits, in which any host can
/// have as many addresses as it likes.
pub(super) fn key(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => address.to_ipv6_mapped().to_bits(),
        IpAddr::V6(address) => address.to_bits() & (u128::MAX << 64),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::http::header::HeaderValue;

    fn address_of(peer: &str, forwarded: &[&str]) -> String {
        let trusted: Vec<IpNet> = ["10.0.0.0/8", "2001:db8:f::/48"].map(|text| text.parse().unwrap()).into();
        let mut headers = HeaderMap::new();
        for line in forwarded {
            headers.append(X_FORWARDED_FOR, HeaderValue::from_str(line).unwrap());
        }
        address(&trusted, peer.parse().unwrap(), &headers).to_string()
    }

    #[test]
    fn only_a_trusted_proxy_is_believed() {
        assert_eq!(address_of("198.51.100.7", &["203.0.113.9"]), "198.51.100.7");
        assert_eq!(address_of("10.0.0.1", &["203.0.113.9"]), "203.0.113.9");
        assert_eq!(address_of("::ffff:10.0.0.1", &["203.0.113.9"]), "203.0.113.9", "a dual-stack socket");
        assert_eq!(address_of("10.0.0.1", &[]), "10.0.0.1");
    }

    #[test]
    fn the_last_address_that_is_not_a_proxy_counts() {
        assert_eq!(address_of("10.0.0.1", &["192.0.2.1, 203.0.113.9, 10.2.2.2"]), "203.0.113.9");
        assert_eq!(address_of("10.0.0.1", &["192.0.2.1", "203.0.113.9", "2001:db8:f::1"]), "203.0.113.9");
        assert_eq!(address_of("10.0.0.1", &["10.3.3.3, 10.2.2.2"]), "10.3.3.3", "a request from within");
        assert_eq!(address_of("10.0.0.1", &["203.0.113.9:4711"]), "203.0.113.9");
        assert_eq!(address_of("10.0.0.1", &["[2001:db8::5]:4711"]), "2001:db8::5");
    }

    #[test]
    fn junk_ends_the_search() {
        assert_eq!(address_of("10.0.0.1", &["203.0.113.9, unknown"]), "10.0.0.1");
        assert_eq!(address_of("10.0.0.1", &["203.0.113.9, x, 10.2.2.2"]), "10.2.2.2");
        assert_eq!(address_of("10.0.0.1", &[""]), "10.0.0.1");
    }

    #[test]
    fn a_network_of_64_bits_is_one_source() {
        let key = |text: &str| key(text.parse().unwrap());
        assert_eq!(key("2001:db8::1"), key("2001:db8::ffff:ffff:ffff:ffff"));
        assert_ne!(key("2001:db8::1"), key("2001:db8:0:1::1"));
        assert_ne!(key("192.0.2.1"), key("192.0.2.2"));
    }
}
