//! What a request may cost, and whom it may ask.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

/// What one request may cost.
#[derive(Clone, Debug)]
pub struct Limits {
    /// From the beginning of an attempt to the last byte of its body, redirects included; 30 s if not given.
    pub timeout: Duration,
    /// Bytes of a body; 64 MiB if not given.
    pub body_bytes: u64,
    /// How many redirects are followed, of `GET` and `HEAD` alone; 5 if not given. With 0 a redirect is a response.
    pub redirects: u32,
    /// How often a request is repeated that had no response, or one of the status 429, 502, 503 or 504; 0 if not given. What is not
    /// idempotent (`POST` and `PATCH` without a header `idempotency-key`) is repeated only if it was not sent, or refused with 429.
    pub retries: u32,
    /// How long the first repetition waits at most; each later one twice as long, up to a minute. A header `retry-after` goes before it.
    pub backoff: Duration,
    /// Whom it may ask.
    pub addresses: Addresses,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            timeout: Duration::from_secs(30),
            body_bytes: 64 << 20,
            redirects: 5,
            retries: 0,
            backoff: Duration::from_millis(200),
            addresses: Addresses::Any,
        }
    }
}

/// Which addresses may be asked, after names are resolved; so a stranger's name or redirect can't lead inside.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Addresses {
    /// All.
    Any,
    /// Those of the public network: neither this machine nor a private, local or reserved network.
    Public,
}

impl Addresses {
    pub(crate) fn allow(self, address: IpAddr) -> bool {
        match (self, address) {
            (Self::Any, _) => true,
            (Self::Public, IpAddr::V4(address)) => is_public(address),
            (Self::Public, IpAddr::V6(address)) => match embedded(address) {
                Some(inner) => is_public(inner),
                None => is_public_v6(address),
            },
        }
    }
}

/// The IPv4 address that is meant by an IPv6 address: mapped, or behind NAT64 or 6to4.
fn embedded(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let [a, b, c, .., high, low] = address.segments();
    let of = |high: u16, low: u16| Ipv4Addr::from((u32::from(high) << 16) | u32::from(low));
    match (a, b) {
        (0x64, 0xff9b) => Some(of(high, low)),
        (0x2002, _) => Some(of(b, c)),
        _ => address.to_ipv4(),
    }
}

fn is_public(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let shared = a == 100 && (64..128).contains(&b);
    let protocols = a == 192 && b == 0 && c == 0;
    let benchmarks = a == 198 && (b == 18 || b == 19);
    !(a == 0
        || a >= 240
        || shared
        || protocols
        || benchmarks
        || address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_documentation()
        || address.is_multicast())
}

/// Of the addresses of IPv6 only `2000::/3` is given out; in it are the documentation's and the protocols' own.
fn is_public_v6(address: Ipv6Addr) -> bool {
    let [a, b, ..] = address.segments();
    let documentation = (a == 0x2001 && b == 0xdb8) || (a == 0x3fff && b < 0x1000);
    let protocols = a == 0x2001 && b < 0x200;
    a & 0xe000 == 0x2000 && !documentation && !protocols
}

#[cfg(test)]
mod tests {
    use super::Addresses;

    fn check(addresses: &[&str], public: bool) {
        for address in addresses {
            assert_eq!(public, Addresses::Public.allow(address.parse().unwrap()), "{address}");
            assert!(Addresses::Any.allow(address.parse().unwrap()));
        }
    }

    #[test]
    fn what_is_inside_is_not_public() {
        check(
            &["127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0"],
            false,
        );
        check(&["255.255.255.255", "224.0.0.1", "192.0.2.1", "198.18.0.1", "240.0.0.1", "192.0.0.8"], false);
        check(&["::1", "::", "fe80::1", "fc00::1", "ff02::1", "2001:db8::1", "2001::1", "3fff::1"], false);
    }

    #[test]
    fn an_address_of_ipv6_that_means_one_of_ipv4_is_judged_as_that() {
        check(&["::ffff:127.0.0.1", "64:ff9b::10.0.0.1", "2002:7f00:1::", "::127.0.0.1"], false);
        check(&["::ffff:8.8.8.8", "64:ff9b::8.8.8.8"], true);
    }

    #[test]
    fn what_is_outside_is_public() {
        check(&["8.8.8.8", "1.1.1.1", "172.32.0.1", "2606:4700::1111"], true);
    }
}
