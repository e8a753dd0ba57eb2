//! Where a webhook may point: at hosts of the public internet, and nowhere else.
//!
//! `check` judges a URL by its text, when a webhook is registered and again before each delivery. A public name may
//! still resolve to a private address: a runtime that resolves names itself asks `is_public` of what it finds.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use url::{Host, Url};

/// The longest URL, as given and as written out.
pub const LONGEST: usize = 2048;

/// Why a URL is refused as a target. The sentences hold nothing of the URL, which may hold a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TargetError {
    /// More than [`LONGEST`] bytes.
    #[error("the URL is longer than 2,048 characters")]
    TooLong,
    /// No absolute URL of a host, or one that programs may read differently.
    #[error("this is no well-formed URL: write https://HOST/PATH, in ASCII, without spaces, the host without %")]
    Malformed,
    /// Another scheme than http and https.
    #[error("the URL must begin with https:// or http://")]
    Scheme,
    /// `user@` or `user:password@`.
    #[error("the URL may not hold a user name or a password")]
    UserInfo,
    /// `#…`, which is never sent.
    #[error("the URL may not hold a fragment, '#' and what follows")]
    Fragment,
    /// Port 0.
    #[error("the URL may not name port 0")]
    Port,
    /// An address that is not globally reachable.
    #[error("the URL must lead to the public internet: its host is a private or reserved address")]
    PrivateAddress,
    /// A name that only a local network knows, or nobody.
    #[error("the URL must lead to the public internet: its host is a name that is not public")]
    PrivateName,
}

/// The URL of a webhook, written out in the one way that all programs read alike. `allow_private` lets any host pass,
/// and nothing else that is refused: for tests, whose receivers run on the same machine.
pub fn check(url: &str, allow_private: bool) -> Result<Url, TargetError> {
    let parsed = parse(url)?;
    if url.len().max(parsed.as_str().len()) > LONGEST {
        return Err(TargetError::TooLong);
    }
    if parsed.fragment().is_some() {
        return Err(TargetError::Fragment);
    }
    if parsed.port() == Some(0) {
        return Err(TargetError::Port);
    }
    match parsed.host() {
        None => Err(TargetError::Malformed),
        Some(_) if allow_private => Ok(parsed),
        Some(Host::Domain(name)) if !is_public_name(name) => Err(TargetError::PrivateName),
        Some(Host::Ipv4(address)) if !is_public_v4(address) => Err(TargetError::PrivateAddress),
        Some(Host::Ipv6(address)) if !is_public_v6(address) => Err(TargetError::PrivateAddress),
        Some(_) => Ok(parsed),
    }
}

/// Whether an address is globally reachable by the registries of special-purpose addresses of IANA. IPv6 addresses that
/// embed an IPv4 address (mapped, compatible, translated, 6to4, Teredo) are not, whichever it is.
pub fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

/// Parses by the URL Standard, which knows decimal, octal, hexadecimal and short forms of IPv4 addresses. Its parser also
/// mends much, which other programs mend in another way or not at all: where that could lead to another host, the URL is
/// refused.
fn parse(url: &str) -> Result<Url, TargetError> {
    let (scheme, rest) = url.split_once("://").ok_or(TargetError::Malformed)?;
    if !["http", "https"].iter().any(|known| scheme.eq_ignore_ascii_case(known)) {
        return Err(TargetError::Scheme);
    }
    let authority = rest.split(['/', '\\', '?', '#']).next().unwrap_or_default();
    if authority.contains('@') {
        return Err(TargetError::UserInfo);
    }
    let plain = |c: u8| c.is_ascii_alphanumeric() || b"-._:[]".contains(&c);
    if authority.is_empty() || !authority.bytes().all(plain) || !url.bytes().all(|c| c.is_ascii_graphic()) {
        return Err(TargetError::Malformed);
    }
    Url::parse(url).map_err(|_| TargetError::Malformed)
}

/// Top-level domains that no public name has: the special-use names of RFC 6761, RFC 6762 (with those of its
/// appendix G), RFC 7686, RFC 8375 and RFC 9476, and those that local resolvers know: `svc` is Kubernetes'.
const PRIVATE_DOMAINS: [&str; 16] = [
    "alt",
    "arpa",
    "corp",
    "example",
    "home",
    "internal",
    "intranet",
    "invalid",
    "lan",
    "local",
    "localdomain",
    "localhost",
    "onion",
    "private",
    "svc",
    "test",
];

/// Whether a name, in lower case, may be known outside of local networks. One without a dot is not.
fn is_public_name(name: &str) -> bool {
    let name = name.strip_suffix('.').unwrap_or(name);
    let Some((_, domain)) = name.rsplit_once('.') else { return false };
    !PRIVATE_DOMAINS.contains(&domain) && name.split('.').all(|label| !label.is_empty())
}

/// Special blocks of IPv4 that the standard library has no stable test for.
const SPECIAL_V4: [(Ipv4Addr, u32); 6] = [
    // This network.
    (Ipv4Addr::UNSPECIFIED, 8),
    // Shared by customers behind a carrier's NAT.
    (Ipv4Addr::new(100, 64, 0, 0), 10),
    // Protocol assignments of the IETF.
    (Ipv4Addr::new(192, 0, 0, 0), 24),
    // Relays of 6to4.
    (Ipv4Addr::new(192, 88, 99, 0), 24),
    // Benchmarks.
    (Ipv4Addr::new(198, 18, 0, 0), 15),
    // Reserved; the last address is the broadcast.
    (Ipv4Addr::new(240, 0, 0, 0), 4),
];

fn is_public_v4(address: Ipv4Addr) -> bool {
    let special = address.is_loopback()
        || address.is_private()
        || address.is_link_local()
        || address.is_documentation()
        || address.is_multicast()
        || SPECIAL_V4.iter().any(|(block, prefix)| (address.to_bits() ^ block.to_bits()).leading_zeros() >= *prefix);
    !special
}

/// The part of IPv6 that is given to networks of the internet. Loopback, mapped and translated addresses, private and
/// link-local ones, multicast and others all lie outside.
const GLOBAL_UNICAST: (Ipv6Addr, u32) = (Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0), 3);

/// Special blocks within it.
const SPECIAL_V6: [(Ipv6Addr, u32); 4] = [
    // Protocol assignments of the IETF: Teredo, benchmarks, identifiers that look like addresses.
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23),
    // Documentation, here and in the last one.
    (Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0), 32),
    // 6to4, which holds an IPv4 address.
    (Ipv6Addr::new(0x2002, 0, 0, 0, 0, 0, 0, 0), 16),
    (Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20),
];

fn is_public_v6(address: Ipv6Addr) -> bool {
    let within = |(block, prefix): &(Ipv6Addr, u32)| (address.to_bits() ^ block.to_bits()).leading_zeros() >= *prefix;
    within(&GLOBAL_UNICAST) && !SPECIAL_V6.iter().any(within)
}

#[cfg(test)]
mod tests;
