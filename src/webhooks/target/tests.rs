//! The table of refused targets.

use std::net::SocketAddr;

use proptest::prelude::*;

use super::*;

/// Every block of IPv4 that is refused, first and last address.
const REFUSED_V4: [(&str, &str); 16] = [
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

/// Every block of IPv6 that is refused, by its own name where it has one.
const REFUSED_V6: [(&str, &str); 25] = [
    // Unspecified, loopback, IPv4-compatible.
    ("::", "::"),
    ("::1", "::1"),
    ("::2", "::ffff:ffff"),
    // IPv4-mapped, IPv4-translated.
    ("::ffff:0:0", "::ffff:ffff:ffff"),
    ("::ffff:0:0:0", "::ffff:0:ffff:ffff"),
    // NAT64, and for use within a network.
    ("64:ff9b::", "64:ff9b::ffff:ffff"),
    ("64:ff9b:1::", "64:ff9b:1:ffff:ffff:ffff:ffff:ffff"),
    // Discard, dummy.
    ("100::", "100::ffff:ffff:ffff:ffff"),
    ("100:0:0:1::", "100:0:0:1:ffff:ffff:ffff:ffff"),
    // With all others before the global unicast addresses.
    ("::", "1fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
    // Protocol assignments: Teredo, port control, TURN, benchmarks, AMT, AS112, ORCHID, ORCHIDv2, DRIP; with
    // all others among them.
    ("2001::", "2001:0:ffff:ffff:ffff:ffff:ffff:ffff"),
    ("2001:1::1", "2001:1::2"),
    ("2001:2::", "2001:2:0:ffff:ffff:ffff:ffff:ffff"),
    ("2001:3::", "2001:4:112:ffff:ffff:ffff:ffff:ffff"),
    ("2001:10::", "2001:3f:ffff:ffff:ffff:ffff:ffff:ffff"),
    ("2001::", "2001:1ff:ffff:ffff:ffff:ffff:ffff:ffff"),
    // Documentation, 6to4, documentation.
    ("2001:db8::", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff"),
    ("2002::", "2002:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
    ("3fff::", "3fff:fff:ffff:ffff:ffff:ffff:ffff:ffff"),
    // All behind the global unicast addresses; segment routing, unique local, link-local, site-local, multicast.
    ("4000::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
    ("5f00::", "5f00:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
    ("fc00::", "fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
    ("fe80::", "febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
    ("fec0::", "feff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
    ("ff00::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
];

/// The addresses just outside of the refused blocks.
const NEIGHBOURS: [&str; 32] = [
    "1.0.0.0",
    "9.255.255.255",
    "11.0.0.0",
    "100.63.255.255",
    "100.128.0.0",
    "126.255.255.255",
    "128.0.0.0",
    "169.253.255.255",
    "169.255.0.0",
    "172.15.255.255",
    "172.32.0.0",
    "191.255.255.255",
    "192.0.1.0",
    "192.0.1.255",
    "192.0.3.0",
    "192.88.98.255",
    "192.88.100.0",
    "192.167.255.255",
    "192.169.0.0",
    "198.17.255.255",
    "198.20.0.0",
    "198.51.99.255",
    "198.51.101.0",
    "203.0.112.255",
    "203.0.114.0",
    "223.255.255.255",
    "2000::",
    "2000:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
    "2001:200::",
    "2001:db7:ffff:ffff:ffff:ffff:ffff:ffff",
    "2001:db9::",
    "2003::",
];

/// Public ones that lie near, and one of each family that people know.
const PUBLIC: [&str; 8] = [
    "2001:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
    "3ffe:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
    "3fff:1000::",
    "3fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
    "2606:4700:4700::1111",
    "2a00:1450:4001:800::200e",
    "1.1.1.1",
    "8.8.8.8",
];

fn address(text: &str) -> IpAddr {
    text.parse().unwrap()
}

/// A URL whose host is the address.
fn url_of(address: IpAddr) -> String {
    format!("http://{}/hook", SocketAddr::new(address, 8080))
}

/// Whether the tables above refuse an address. Their bounds are compared as numbers, not as prefixes.
fn in_the_tables(address: IpAddr) -> bool {
    REFUSED_V4.iter().chain(&REFUSED_V6).any(|(first, last)| {
        let (first, last): (IpAddr, IpAddr) = (first.parse().unwrap(), last.parse().unwrap());
        first.is_ipv4() == address.is_ipv4() && (first..=last).contains(&address)
    })
}

#[test]
fn special_blocks_are_refused_from_their_first_address_to_their_last() {
    for (first, last) in REFUSED_V4.iter().chain(&REFUSED_V6) {
        for refused in [address(first), address(last)] {
            assert!(!is_public(refused), "{refused}");
            assert_eq!(check(&url_of(refused), false), Err(TargetError::PrivateAddress), "{refused}");
            assert!(check(&url_of(refused), true).is_ok(), "{refused}");
        }
    }
}

#[test]
fn the_addresses_just_outside_are_public() {
    for text in NEIGHBOURS.iter().chain(&PUBLIC) {
        let public = address(text);
        assert!(is_public(public), "{public}");
        assert!(check(&url_of(public), false).is_ok(), "{public}");
    }
}

#[test]
fn an_address_is_known_in_every_form() {
    for host in [
        "127.0.0.1",
        "127.1",
        "127.0.1",
        "127.0.0.1.",
        "2130706433",
        "017700000001",
        "0x7f000001",
        "0X7F000001",
        "0177.0.0.1",
        "0x7f.0x0.0x0.0x1",
        "0x7f.0.0.01",
        "127.0x1",
        "0x7f.1",
        "0",
        "0x",
        "0x0",
        "00000000",
        "0.0.0.0.",
        "10.1",
        "0xa9fea9fe",
        "2852039166",
        "0251.0376.0251.0376",
        "169.254.43518",
        "4294967295",
        "3232235777",
        "[::]",
        "[::1]",
        "[0:0:0:0:0:0:0:1]",
        "[0000:0000:0000:0000:0000:0000:0000:0001]",
        "[::127.0.0.1]",
        "[::7f00:1]",
        "[::ffff:127.0.0.1]",
        "[::FFFF:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[0:0:0:0:0:ffff:7f00:0001]",
        "[::ffff:8.8.8.8]",
        "[::ffff:0:127.0.0.1]",
        "[64:ff9b::127.0.0.1]",
        "[64:ff9b::7f00:1]",
        "[64:ff9b:1::10.0.0.1]",
        "[2002:7f00:1::]",
        "[2002:0a00:0001::1]",
        "[2001:0:4136:e378:8000:63bf:3fff:fdd2]",
        "[fe80::1]",
        "[FE80::1]",
        "[fec0::1]",
        "[fc00::1]",
        "[fd12:3456:789a::1]",
        "[fd00:ec2::254]",
        "[ff02::1]",
    ] {
        for url in [format!("http://{host}/x"), format!("https://{host}:8443"), format!("HTTP://{host}?x")] {
            assert_eq!(check(&url, false), Err(TargetError::PrivateAddress), "{url}");
        }
    }
}

#[test]
fn a_public_address_is_taken_and_written_out_in_its_usual_form() {
    for (given, written) in [
        ("http://8.8.8.8", "http://8.8.8.8/"),
        ("http://134744072/", "http://8.8.8.8/"),
        ("http://0x08080808/", "http://8.8.8.8/"),
        ("http://010.8.8.8/", "http://8.8.8.8/"),
        ("https://8.8.8.8.:443/", "https://8.8.8.8/"),
        ("https://[2606:4700:4700:0::1111]:8443/a", "https://[2606:4700:4700::1111]:8443/a"),
    ] {
        assert_eq!(check(given, false).unwrap().as_str(), written);
    }
}

#[test]
fn names_that_are_not_public_are_refused() {
    for name in [
        "localhost",
        "LOCALHOST",
        "LocalHost.",
        "a.localhost",
        "localhost.localdomain",
        "printer",
        "printer.",
        "com",
        "printer.local",
        "PRINTER.LOCAL.",
        "a.b.local",
        "metadata.google.internal",
        "metadata.google.internal.",
        "db.intranet",
        "nas.lan",
        "router.home",
        "router.home.arpa",
        "1.0.0.127.in-addr.arpa",
        "wiki.corp",
        "wiki.private",
        "a.test",
        "a.invalid",
        "a.example",
        "a.onion",
        "a.alt",
        "redis.default.svc",
        "redis.default.svc.cluster.local",
        "a..com",
        ".a.com",
        "a.com..",
        "127.0.0.1..",
        ".",
        "..",
        "xn--bcher-kva.local",
        "XN--BCHER-KVA.LOCALHOST",
    ] {
        let url = format!("https://{name}/x");
        assert_eq!(check(&url, false), Err(TargetError::PrivateName), "{url}");
    }
}

#[test]
fn names_of_the_public_internet_are_taken() {
    for (given, host) in [
        ("example.com", "example.com"),
        ("EXAMPLE.com.", "example.com."),
        ("hooks.example.com:8443", "hooks.example.com"),
        ("xn--bcher-kva.example.com", "xn--bcher-kva.example.com"),
        ("local.example.com", "local.example.com"),
        ("localhost.example.com", "localhost.example.com"),
        ("notlocal.com", "notlocal.com"),
        ("internal.dev", "internal.dev"),
        ("a-b.c_d.co.uk", "a-b.c_d.co.uk"),
        ("127.0.0.1.example.com", "127.0.0.1.example.com"),
        ("1.com", "1.com"),
    ] {
        let url = check(&format!("https://{given}/x"), false).unwrap_or_else(|error| panic!("{given}: {error}"));
        assert_eq!(url.host_str(), Some(host));
    }
}

#[test]
fn what_programs_read_differently_is_refused_whatever_the_host() {
    for url in [
        "",
        "/",
        "example.com",
        "//example.com/",
        "javascript:alert(1)",
        "data:text/plain,x",
        // How many slashes there are, and which.
        "http:",
        "http://",
        "http:///",
        "http://?x",
        "http:example.com",
        "http:/example.com",
        "http:///example.com",
        "http:\\\\example.com",
        "http:127.0.0.1",
        "http:/127.0.0.1",
        "http:///127.0.0.1",
        "http:\\\\127.0.0.1",
        "http:/\\127.0.0.1",
        "http://\\127.0.0.1",
        // Spaces, tabs, line ends and other characters that no URL holds.
        "http:// 127.0.0.1/",
        "http://example.com/ ",
        "http://example.com/a b",
        "http://exa\tmple.com/",
        "http://127.0.\n0.1/",
        "http://example.com/\r\nX:y",
        "http://example.com/\u{0}",
        "http://example.com/é",
        // Hosts with percent-encoding, which some programs decode.
        "http://%31%32%37%2e0%2E0.%31/",
        "http://127%2e0.0.1/",
        "http://%30x7f.1/",
        "http://loc%61lhost/",
        "http://exa%20mple.com/",
        "http://example.com%00.local/",
        "http://example.com%2f.local/",
        "http://example.com%0d%0a/",
        "http://%EF%BC%91.0.0.1/",
        // What looks like ASCII in other alphabets.
        "http://１２７.0.0.1/",
        "http://127。0。0。1/",
        "http://①②⑦.0.0.1/",
        "http://ｌocalhost/",
        "http://X。com/",
        "http://bücher.example.com/",
        "http://xn--localhost-/",
        "http://xn--/",
        // Hosts that end in a number and are no address.
        "http://256.0.0.1/",
        "http://127.0.0.256/",
        "http://1.2.3.4.5/",
        "http://127.0.0.1.1/",
        "http://4294967296/",
        "http://08.0.0.1/",
        "http://a.0x1/",
        "http://a.1/",
        // Brackets.
        "http://[::1/",
        "http://::1/",
        "http://[127.0.0.1]/",
        "http://[::1%25lo]/",
        "http://[fe80::1%eth0]/",
        "http://[::ffff:127.0.0.1.]/",
        "http://[::1].com/",
        "http://[v1.x]/",
        "http://[]/",
        // Ports.
        "http://:80/",
        "http://example.com:65536/",
        "http://example.com:-1/",
        "http://example.com:8o/",
        "http://example.com:80:80/",
        // Other characters that the URL Standard lets a host hold.
        "http://*.example.com/",
        "http://example.com,127.0.0.1/",
        "http://$(id).example.com/",
    ] {
        assert_eq!(check(url, false), Err(TargetError::Malformed), "{url:?}");
        assert_eq!(check(url, true), Err(TargetError::Malformed), "{url:?}");
    }
}

#[test]
fn other_faults_are_named_whatever_the_host() {
    let long = |length: usize| format!("http://example.com/{}", "a".repeat(length - "http://example.com/".len()));
    for (url, error) in [
        ("ftp://example.com/", TargetError::Scheme),
        ("file:///etc/passwd", TargetError::Scheme),
        ("gopher://127.0.0.1:6379/_x", TargetError::Scheme),
        (" http://example.com/", TargetError::Scheme),
        ("ht\ttp://127.0.0.1/", TargetError::Scheme),
        ("jar:http://127.0.0.1/", TargetError::Scheme),
        ("ws://example.com/", TargetError::Scheme),
        ("httpx://example.com/", TargetError::Scheme),
        ("http://user@example.com/", TargetError::UserInfo),
        ("https://user:password@example.com/", TargetError::UserInfo),
        ("https://:password@example.com/", TargetError::UserInfo),
        ("http://example.com@127.0.0.1/", TargetError::UserInfo),
        ("http://127.0.0.1:80@example.com/", TargetError::UserInfo),
        ("http://a@b@example.com/", TargetError::UserInfo),
        ("http://@example.com/", TargetError::UserInfo),
        ("http://:@example.com/", TargetError::UserInfo),
        ("http://example.com%2f@127.0.0.1/", TargetError::UserInfo),
        ("https://example.com/#", TargetError::Fragment),
        ("https://example.com/x?y#z", TargetError::Fragment),
        ("http://example.com:0/", TargetError::Port),
        ("http://example.com:000/", TargetError::Port),
        (&long(LONGEST + 1), TargetError::TooLong),
        // Short as given, long when written out.
        (&format!("http://example.com/{}", "<".repeat(800)), TargetError::TooLong),
        // The other way round.
        (&format!("http://example.com/{}", "../".repeat(800)), TargetError::TooLong),
    ] {
        assert_eq!(check(url, false), Err(error), "{url}");
        assert_eq!(check(url, true), Err(error), "{url}");
        assert!(!error.to_string().contains("example") && !error.to_string().contains("127"));
    }
    assert!(check(&long(LONGEST), false).is_ok());
}

#[test]
fn what_comes_behind_the_host_is_free() {
    for (given, written) in [
        ("http://example.com", "http://example.com/"),
        ("https://example.com:443/", "https://example.com/"),
        (
            "http://example.com:1/a;b/%2e%2e/c?d=e&f[0]=g|h#".trim_end_matches('#'),
            "http://example.com:1/c?d=e&f[0]=g|h",
        ),
        ("http://example.com/a%20b/<c>", "http://example.com/a%20b/%3Cc%3E"),
        ("http://example.com\\@127.0.0.1/", "http://example.com/@127.0.0.1/"),
        ("http://example.com:65535/100%", "http://example.com:65535/100%"),
        ("http://example.com/?to=http://user@127.0.0.1/", "http://example.com/?to=http://user@127.0.0.1/"),
    ] {
        assert_eq!(check(given, false).map(String::from).as_deref(), Ok(written));
    }
}

#[test]
fn hosts_are_free_where_private_ones_are_allowed() {
    for url in ["http://127.0.0.1:9000/hook", "https://localhost/", "http://receiver/", "http://[::1]/"] {
        assert!(check(url, true).is_ok(), "{url}");
        assert!(check(url, false).is_err(), "{url}");
    }
}

/// IPv4 addresses in the blocks of the table and around them as often as anywhere.
fn v4() -> impl Strategy<Value = Ipv4Addr> {
    let near = (0..REFUSED_V4.len(), any::<bool>(), -2_i32..=2).prop_map(|(row, is_last, offset)| {
        let (first, last) = REFUSED_V4[row];
        let edge: Ipv4Addr = if is_last { last } else { first }.parse().unwrap();
        Ipv4Addr::from_bits(edge.to_bits().wrapping_add_signed(offset))
    });
    prop_oneof![near, any::<u32>().prop_map(Ipv4Addr::from_bits)]
}

/// The same for IPv6.
fn v6() -> impl Strategy<Value = Ipv6Addr> {
    let near = (0..REFUSED_V6.len(), any::<bool>(), -2_i128..=2).prop_map(|(row, is_last, offset)| {
        let (first, last) = REFUSED_V6[row];
        let edge: Ipv6Addr = if is_last { last } else { first }.parse().unwrap();
        Ipv6Addr::from_bits(edge.to_bits().wrapping_add_signed(offset))
    });
    let global = any::<u128>().prop_map(|bits| Ipv6Addr::from_bits(bits >> 3 | 1 << 125));
    prop_oneof![near, global, any::<u128>().prop_map(Ipv6Addr::from_bits)]
}

/// A way to write one number of an IPv4 address.
fn number(value: u32, form: u8) -> String {
    match form % 4 {
        0 => value.to_string(),
        1 => format!("0{value:o}"),
        2 => format!("0x{value:x}"),
        _ => format!("0X00{value:X}"),
    }
}

/// An IPv4 address in `parts` numbers, the last of which holds all that is left, each in a form of its own.
fn written(address: Ipv4Addr, parts: usize, forms: [u8; 4], dot: bool) -> String {
    let octets = address.octets();
    let mut numbers: Vec<String> =
        octets.iter().zip(forms).take(parts - 1).map(|(octet, form)| number((*octet).into(), form)).collect();
    let rest = octets[parts - 1..].iter().fold(0, |value: u32, octet| value << 8 | u32::from(*octet));
    numbers.push(number(rest, forms[3]));
    numbers.join(".") + if dot { "." } else { "" }
}

proptest! {
    #[test]
    fn an_ipv4_address_passes_only_if_it_is_public(
        address in v4(), parts in 1_usize..=4, forms in any::<[u8; 4]>(), dot in any::<bool>(),
    ) {
        let url = format!("http://{}/", written(address, parts, forms, dot));
        prop_assert_eq!(is_public(address.into()), !in_the_tables(address.into()));
        let written = Ok(format!("http://{address}/"));
        let expected = if is_public(address.into()) { written } else { Err(TargetError::PrivateAddress) };
        prop_assert_eq!(check(&url, false).map(String::from), expected, "{}", url);
    }

    #[test]
    fn an_ipv6_address_passes_only_if_it_is_public(address in v6(), long in any::<bool>()) {
        let text = address.segments().map(|segment| format!("{segment:04X}")).join(":");
        let url = if long { format!("https://[{text}]/") } else { format!("https://[{address}]/") };
        prop_assert_eq!(is_public(address.into()), !in_the_tables(address.into()));
        prop_assert_eq!(check(&url, false).is_ok(), is_public(address.into()), "{}", url);
    }

    #[test]
    fn whatever_passes_is_public_and_passes_again(
        scheme in r"https?://|http:[/\\]{0,3}",
        host in r"([a-z]{1,2}@)?(xn--)?([0-9a-fxX.]{1,12}|\[[0-9a-f:.]{1,12}\]|[\[\]a-zA-Z0-9:.%１。_-]{1,12})",
        domain in r"(\.(local|com)\.?)?(:[0-9]{1,5})?([/?#\\].{0,10})?",
    ) {
        let url = scheme + &host + &domain;
        let Ok(target) = check(&url, false) else { return Ok(()) };
        let public = match target.host().unwrap() {
            Host::Domain(name) => {
                let labels: Vec<_> = name.trim_end_matches('.').split('.').collect();
                let last = labels[labels.len() - 1];
                labels.len() > 1 && last != "local" && last.parse::<u32>().is_err()
            }
            Host::Ipv4(address) => !in_the_tables(address.into()),
            Host::Ipv6(address) => !in_the_tables(address.into()),
        };
        prop_assert!(public, "{} became {}", url, target);
        prop_assert_eq!(check(target.as_str(), false), Ok(target));
    }

    #[test]
    fn anything_at_all_is_judged(url in ".{0,60}", allow_private in any::<bool>()) {
        let _ = check(&url, allow_private);
    }
}
