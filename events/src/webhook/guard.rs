//! The guard against server-side request forgery (SSRF): which URLs and addresses webhooks may be sent
//! to. The URL comes from a user, but the request comes from inside our network.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use thiserror::Error;
use url::{Host, Url};

/// The longest URL, in bytes.
pub const MAX_URL: usize = 2_000;
/// Top-level names that never resolve to public hosts (RFC 6761, RFC 6762, and ICANN's reservation for
/// private use).
const PRIVATE_NAMES: [&str; 3] = ["localhost", "local", "internal"];
const LOOPBACK_NAME: &str = "localhost";

/// The addresses that webhooks may reach: a setting of the service.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Reach {
    /// Public addresses, by https.
    #[default]
    Public,
    /// Loopback addresses as well, also by http: for the demo and for tests.
    WithLoopback,
}

/// Why a URL is not allowed, as a sentence for the user.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum UrlError {
    /// Longer than [`MAX_URL`], as given or after normalisation.
    #[error("A URL has at most {MAX_URL} characters.")]
    TooLong,
    /// Not an absolute URL with a host.
    #[error("This is no URL; one looks like https://example.com/path.")]
    Malformed,
    /// A scheme other than https.
    #[error("The URL must start with https://.")]
    NotHttps,
    /// A user name or a password, which would appear in logs and lists.
    #[error("The URL must not hold a user name or a password.")]
    UserInfo,
    /// A fragment, which is never sent.
    #[error("The URL must not hold a fragment (#).")]
    Fragment,
    /// Port 0.
    #[error("Port 0 cannot be sent to.")]
    Port,
    /// An address or a name that is not public.
    #[error("The URL must lead to a public address.")]
    NotPublic,
}

impl Reach {
    /// Whether a connection may be made to this address.
    pub(super) fn allows(self, address: IpAddr) -> bool {
        is_public(address) || self == Self::WithLoopback && address.to_canonical().is_loopback()
    }
}

/// Validates and normalises the URL of an endpoint. Does not resolve its name: the addresses may change,
/// so they are checked at every attempt.
///
/// # Errors
/// Why the URL is not allowed.
pub fn check_url(text: &str, reach: Reach) -> Result<Url, UrlError> {
    if text.len() > MAX_URL {
        return Err(UrlError::TooLong);
    }
    let url = Url::parse(text).map_err(|_| UrlError::Malformed)?;
    // Punycode and percent-encoding may have made it longer.
    if url.as_str().len() > MAX_URL {
        return Err(UrlError::TooLong);
    }
    let host = url.host().ok_or(UrlError::Malformed)?;
    match url.scheme() {
        "https" => {}
        "http" if reach == Reach::WithLoopback && is_loopback(&host) => {}
        _ => return Err(UrlError::NotHttps),
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(UrlError::UserInfo);
    }
    if url.fragment().is_some() {
        return Err(UrlError::Fragment);
    }
    if url.port() == Some(0) {
        return Err(UrlError::Port);
    }
    if may_be_public(&host) || reach == Reach::WithLoopback && is_loopback(&host) {
        Ok(url)
    } else {
        Err(UrlError::NotPublic)
    }
}

// The parser has already converted unusual spellings (127.1, 0x7f000001, 2130706433) to addresses.
fn may_be_public(host: &Host<&str>) -> bool {
    match host {
        Host::Ipv4(address) => is_public((*address).into()),
        Host::Ipv6(address) => is_public((*address).into()),
        Host::Domain(name) => !PRIVATE_NAMES.iter().any(|inner| is_below(name, inner)),
    }
}

fn is_loopback(host: &Host<&str>) -> bool {
    match host {
        Host::Ipv4(address) => address.is_loopback(),
        Host::Ipv6(address) => address.to_canonical().is_loopback(),
        Host::Domain(name) => is_below(name, LOOPBACK_NAME),
    }
}

/// Whether a name is `top` or a subdomain of it. The parser has converted it to lower case.
fn is_below(name: &str, top: &str) -> bool {
    // A trailing dot does not change the name.
    let name = name.strip_suffix('.').unwrap_or(name);
    name.strip_suffix(top).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

/// Whether an address is globally reachable: not loopback, private, link-local (such as the metadata
/// services of clouds), multicast or reserved. Follows IANA's registries of special-purpose addresses
/// (RFC 6890) and of the IPv6 address space.
pub fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    !matches!(
        address.octets(),
        // This network, private, loopback.
        [0 | 10 | 127, ..]
        // Carrier-grade NAT (RFC 6598).
        | [100, 64..=127, ..]
        // Link-local; 169.254.169.254 is the metadata service of clouds.
        | [169, 254, ..]
        // A public number, but the host of the virtual machines in one cloud.
        | [168, 63, 129, 16]
        // Private (RFC 1918).
        | [172, 16..=31, ..]
        | [192, 168, ..]
        // Protocol assignments, documentation, 6to4 relays.
        | [192, 0, 0 | 2, _]
        | [192, 88, 99, _]
        | [198, 51, 100, _]
        | [203, 0, 113, _]
        // Benchmarks (RFC 2544).
        | [198, 18..=19, ..]
        // Multicast, reserved, broadcast.
        | [224..=255, ..]
    )
}

/// Public addresses are those of 2000::/3, the only range allocated so far, except for its special
/// blocks. All other ranges are refused, including those defined in future.
fn is_public_v6(address: Ipv6Addr) -> bool {
    let [.., a, b, c, d] = address.octets();
    match address.segments() {
        // IPv4 addresses in IPv6 form: mapped, or translated by NAT64 (RFC 6052), which networks without
        // IPv4 use for every IPv4 address.
        [0, 0, 0, 0, 0, 0xffff, ..] | [0x64, 0xff9b, 0, 0, 0, 0, ..] => is_public_v4([a, b, c, d].into()),
        // Protocol assignments with Teredo and benchmarks, documentation, 6to4, documentation again.
        [0x2001, 0..=0x01ff, ..] | [0x2001, 0x0db8, ..] | [0x2002, ..] | [0x3fff, 0..=0x0fff, ..] => false,
        [0x2000..=0x3fff, ..] => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The special blocks of IPv4: first and last address.
    const SPECIAL: [(&str, &str); 16] = [
        ("0.0.0.0", "0.255.255.255"),
        ("10.0.0.0", "10.255.255.255"),
        ("100.64.0.0", "100.127.255.255"),
        ("127.0.0.0", "127.255.255.255"),
        ("169.254.0.0", "169.254.255.255"),
        ("172.16.0.0", "172.31.255.255"),
        ("192.0.0.0", "192.0.0.255"),
        ("192.0.2.0", "192.0.2.255"),
        ("192.88.99.0", "192.88.99.255"),
        ("192.168.0.0", "192.168.255.255"),
        ("198.18.0.0", "198.19.255.255"),
        ("198.51.100.0", "198.51.100.255"),
        ("203.0.113.0", "203.0.113.255"),
        ("224.0.0.0", "239.255.255.255"),
        ("240.0.0.0", "255.255.255.254"),
        ("255.255.255.255", "255.255.255.255"),
    ];

    fn v4(text: &str) -> u32 {
        text.parse::<Ipv4Addr>().unwrap().into()
    }

    /// Addresses with the expected result: both ends and the middle of each block, its neighbours, and
    /// one address of each /16.
    fn addresses() -> Vec<(Ipv4Addr, bool)> {
        let blocks = SPECIAL.map(|(first, last)| (v4(first), v4(last)));
        let special = |address| blocks.iter().any(|(first, last)| (*first..=*last).contains(&address));
        let within = blocks.iter().flat_map(|(first, last)| [*first, first.midpoint(*last), *last]);
        let around = blocks.iter().flat_map(|(first, last)| [first.checked_sub(1), last.checked_add(1)]);
        let spread = (0..=u32::from(u16::MAX)).map(|top| (top << 16) | 0x0101);
        within
            .chain(around.flatten())
            .chain(spread)
            .chain([v4("169.254.169.254")])
            .map(|address| (address.into(), !special(address)))
            .collect()
    }

    #[test]
    fn a_v4_address_is_public_unless_a_special_block_has_it() {
        for (address, public) in addresses() {
            assert_eq!(is_public(address.into()), public, "{address}");
        }
        assert!(addresses().iter().filter(|(_, public)| *public).count() > 50_000);
    }

    #[test]
    fn wrapping_a_v4_address_does_not_make_it_public() {
        for (address, public) in addresses() {
            let [a, b, c, d] = address.octets();
            let (high, low) = (u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d]));
            let mapped = Ipv6Addr::new(0, 0, 0, 0, 0, 0xffff, high, low);
            let translated = Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, high, low);
            assert_eq!(is_public(mapped.into()), public, "{mapped}");
            assert_eq!(is_public(translated.into()), public, "{translated}");
            for other in [
                Ipv6Addr::new(0, 0, 0, 0, 0, 0, high, low),
                Ipv6Addr::new(0x64, 0xff9b, 1, 0, 0, 0, high, low),
                Ipv6Addr::new(0x2002, high, low, 0, 0, 0, 0, 1),
                Ipv6Addr::new(0x2001, 0, 0x4136, 0xe378, 0x8000, 0x63bf, !high, !low),
            ] {
                assert!(!is_public(other.into()), "{other}");
            }
        }
    }

    #[test]
    fn special_v6_addresses_are_not_public() {
        for (text, public) in [
            ("::", false),
            ("::1", false),
            ("::2", false),
            ("100::1", false),
            ("100:0:0:1::1", false),
            ("64:ff9b:1::808:808", false),
            ("2000::1", true),
            ("2001::1", false),
            ("2001:2::1", false),
            ("2001:20::1", false),
            ("2001:1ff:ffff::1", false),
            ("2001:200::1", true),
            ("2001:4860:4860::8888", true),
            ("2001:db7:ffff::1", true),
            ("2001:db8::1", false),
            ("2001:db9::1", true),
            ("2002:808:808::1", false),
            ("2606:4700:4700::1111", true),
            ("3ffe:ffff::1", true),
            ("3fff::1", false),
            ("3fff:fff:ffff::1", false),
            ("3fff:1000::1", true),
            ("4000::1", false),
            ("5f00::1", false),
            ("fc00::1", false),
            ("fd00:ec2::254", false),
            ("fe80::1", false),
            ("fec0::1", false),
            ("ff02::1", false),
        ] {
            assert_eq!(is_public(text.parse().unwrap()), public, "{text}");
        }
    }

    fn checked(text: &str, reach: Reach) -> Result<String, UrlError> {
        check_url(text, reach).map(String::from)
    }

    #[test]
    fn a_public_https_url_is_taken_as_it_will_be_sent() {
        for (text, sent) in [
            ("https://example.com", "https://example.com/"),
            ("HTTPS://Example.COM:443/a?b=c", "https://example.com/a?b=c"),
            ("https://example.com:8443/x", "https://example.com:8443/x"),
            ("https://bücher.example/", "https://xn--bcher-kva.example/"),
            ("https://8.8.8.8/", "https://8.8.8.8/"),
            ("https://[2001:4860:4860::8888]/", "https://[2001:4860:4860::8888]/"),
            ("https://localhost.example.com/", "https://localhost.example.com/"),
            ("https://mylocal/", "https://mylocal/"),
        ] {
            for reach in [Reach::Public, Reach::WithLoopback] {
                assert_eq!(checked(text, reach).as_deref(), Ok(sent), "{text}");
            }
        }
    }

    #[test]
    fn what_is_wrong_with_a_url_is_said() {
        use UrlError::*;
        for (text, error) in [
            ("", Malformed),
            ("example.com", Malformed),
            ("https://", Malformed),
            ("https://exa mple.com/", Malformed),
            ("https://1.2.3.4.5/", Malformed),
            ("https://example.com:65536/", Malformed),
            ("mailto:ada@example.com", Malformed),
            ("http://example.com/", NotHttps),
            ("ftp://example.com/", NotHttps),
            ("gopher://example.com/", NotHttps),
            ("https://ada@example.com/", UserInfo),
            ("https://:secret@example.com/", UserInfo),
            ("https://example.com/#part", Fragment),
            ("https://example.com/#", Fragment),
            ("https://example.com:0/", Port),
        ] {
            for reach in [Reach::Public, Reach::WithLoopback] {
                assert_eq!(checked(text, reach), Err(error), "{text}");
            }
        }
    }

    #[test]
    fn a_url_has_a_greatest_length_as_given_and_as_sent() {
        let of = |length: usize, with: &str| format!("https://example.com/{}", with.repeat(length - 20));
        assert!(check_url(&of(MAX_URL, "a"), Reach::Public).is_ok());
        assert_eq!(check_url(&of(MAX_URL + 1, "a"), Reach::Public), Err(UrlError::TooLong));
        // Short after normalisation, but not as given.
        assert_eq!(check_url(&of(MAX_URL + 1, "./"), Reach::Public), Err(UrlError::TooLong));
        // Each of these is sent as six characters.
        assert_eq!(check_url(&of(500, "é"), Reach::Public), Err(UrlError::TooLong));
    }

    #[test]
    fn no_spelling_of_an_inner_address_is_taken() {
        for host in [
            "2130706433",
            "0x7f.1",
            "0x7f000001",
            "017700000001",
            "127.1",
            "127.0.0.1.",
            "１２７.0.0.1",
            "[::1]",
            "[::ffff:127.0.0.1]",
            "localhost",
            "LOCALHOST",
            "localhost.",
            "a.localhost",
        ] {
            let url = format!("https://{host}/");
            assert_eq!(checked(&url, Reach::Public), Err(UrlError::NotPublic), "{url}");
            assert!(checked(&url, Reach::WithLoopback).is_ok(), "{url}");
            let url = format!("http://{host}/");
            assert_eq!(checked(&url, Reach::Public), Err(UrlError::NotHttps), "{url}");
            assert!(checked(&url, Reach::WithLoopback).is_ok(), "{url}");
        }
        for host in [
            "0",
            "10.0.0.1",
            "168.63.129.16",
            "169.254.169.254",
            "0xa9fea9fe",
            "[::]",
            "[fd00:ec2::254]",
            "[64:ff9b::a9fe:a9fe]",
            "printer.local",
            "local",
            "metadata.google.internal",
            "METADATA.google.Internal.",
        ] {
            for reach in [Reach::Public, Reach::WithLoopback] {
                let url = format!("https://{host}/");
                assert_eq!(checked(&url, reach), Err(UrlError::NotPublic), "{url}");
            }
        }
    }
}
