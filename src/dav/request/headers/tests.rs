use super::*;
use http::HeaderValue;
use proptest::prelude::*;

fn one(name: &'static str, value: impl AsRef<[u8]>) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(http::HeaderName::from_static(name), HeaderValue::from_bytes(value.as_ref()).unwrap());
    headers
}

#[test]
fn absent_headers_have_their_defaults() {
    let none = HeaderMap::new();
    assert_eq!(depth(&none), Ok(None));
    assert_eq!(timeout(&none), None);
    assert_eq!(overwrite(&none), Ok(true));
    assert_eq!(lock_token(&none), Ok(None));
    assert_eq!(destination(&none), Ok(None));
    assert_eq!(if_header(&none), Ok(None));
    assert_eq!(oc_mtime(&none), Ok(None));
}

#[test]
fn a_header_sent_twice_is_malformed() {
    let mut headers = one("depth", "0");
    headers.append("depth", HeaderValue::from_static("1"));
    assert_eq!(depth(&headers), Err(HeaderError("Depth")));
    assert_eq!(HeaderError("Depth").to_string(), "the Depth header is malformed");
}

#[test]
fn depth_is_one_of_three() {
    assert_eq!(depth(&one("depth", "0")), Ok(Some(Depth::Zero)));
    assert_eq!(depth(&one("depth", " 1 ")), Ok(Some(Depth::One)));
    assert_eq!(depth(&one("depth", "infinity")), Ok(Some(Depth::Infinity)));
    assert_eq!(depth(&one("depth", "Infinity")), Ok(Some(Depth::Infinity)));
    for value in ["", "2", "00", "-1", "1,noroot", "infinite"] {
        assert_eq!(depth(&one("depth", value)), Err(HeaderError("Depth")), "{value}");
    }
}

#[test]
fn the_first_usable_timeout_counts() {
    for (value, expected) in [
        ("Second-3600", Some(Timeout::Seconds(3600))),
        ("Second-0", Some(Timeout::Seconds(0))),
        ("second-4294967295", Some(Timeout::Seconds(u32::MAX))),
        ("Infinite", Some(Timeout::Infinite)),
        ("Infinite, Second-4100000000", Some(Timeout::Infinite)),
        ("Second-4294967296, Second-5", Some(Timeout::Seconds(5))),
        ("Extend-1,Second-7", Some(Timeout::Seconds(7))),
        ("Second-", None),
        ("Second-+5", None),
        ("Second--5", None),
        ("5", None),
        ("", None),
    ] {
        assert_eq!(timeout(&one("timeout", value)), expected, "{value}");
    }
}

#[test]
fn overwrite_is_true_or_false() {
    assert_eq!(overwrite(&one("overwrite", "T")), Ok(true));
    assert_eq!(overwrite(&one("overwrite", "F")), Ok(false));
    for value in ["", "TRUE", "0"] {
        assert_eq!(overwrite(&one("overwrite", value)), Err(HeaderError("Overwrite")), "{value}");
    }
}

#[test]
fn a_lock_token_stands_in_angle_brackets() {
    let token = "urn:uuid:e71d4fae-5dec-22d6-fea5-00a0c91e6be4";
    assert_eq!(lock_token(&one("lock-token", format!("<{token}>"))), Ok(Some(token.to_owned())));
    for value in ["", token, "<>", "<a", "a>", "<a> <b>", "<a b>", "<<a>>"] {
        assert_eq!(lock_token(&one("lock-token", value)), Err(HeaderError("Lock-Token")), "{value}");
    }
}

#[test]
fn a_listing_may_be_without_its_folder() {
    let read = |value: &str| depth_of_listing(&one("depth", value));
    assert_eq!(read("1,noroot"), Ok((Some(Depth::One), true)));
    assert_eq!(read("1, NoRoot"), Ok((Some(Depth::One), true)));
    assert_eq!(read("infinity"), Ok((Some(Depth::Infinity), false)));
    assert_eq!(depth_of_listing(&HeaderMap::new()), Ok((None, false)));
    for value in ["0,noroot", "infinity,noroot", "1,", "1,root", "noroot", "1,noroot,1"] {
        assert_eq!(read(value), Err(HeaderError("Depth")), "{value}");
    }
    assert_eq!(depth(&one("depth", "1,noroot")), Err(HeaderError("Depth")));
}

#[test]
fn a_destination_is_an_absolute_uri_or_path() {
    for (value, authority, path) in [
        ("/dav/a%20b/", None, "/dav/a%20b/"),
        ("/", None, "/"),
        ("/dav/a b/é", None, "/dav/a b/é"),
        ("http://example.com/dav/a", Some("example.com"), "/dav/a"),
        ("HTTPS://example.com:8443/dav//a", Some("example.com:8443"), "/dav//a"),
        ("http://user:pass@example.com/a@b", Some("example.com"), "/a@b"),
        ("http://[::1]:80/", Some("[::1]:80"), "/"),
        ("http://example.com", Some("example.com"), "/"),
    ] {
        let expected = Destination { authority: authority.map(str::to_owned), path: path.to_owned() };
        assert_eq!(destination(&one("destination", value)), Ok(Some(expected)), "{value}");
    }
}

#[test]
fn other_destinations_are_refused() {
    for value in [
        "",
        "a/b",
        "//example.com/a",
        "http:///a",
        "http://user@/a",
        "ftp://example.com/a",
        "http:/a",
        "/a?b",
        "/a#b",
        "http://h?/a",
    ] {
        assert_eq!(destination(&one("destination", value)), Err(HeaderError("Destination")), "{value}");
    }
    for bytes in [&b"/\xFF"[..], b"/caf\xE9", "/caf\u{FFFD}".as_bytes()] {
        assert_eq!(destination(&one("destination", bytes)), Err(HeaderError("Destination")));
        let tagged = [b"<", bytes, b"> ([\"e\"])"].concat();
        assert_eq!(if_header(&one("if", tagged)), Err(HeaderError("If")));
    }
}

#[test]
fn a_total_length_is_a_number_of_bytes() {
    assert_eq!(total_length(&HeaderMap::new()), Ok(None));
    assert_eq!(total_length(&one("oc-total-length", "9007199254740992")), Ok(Some(Count::MOST)));
    for value in ["", "-1", "1e3", "9007199254740993", "18446744073709551615", "99999999999999999999"] {
        assert_eq!(total_length(&one("oc-total-length", value)), Err(HeaderError("OC-Total-Length")), "{value}");
    }
}

#[test]
fn mtime_is_in_seconds() {
    for (value, millis) in [
        ("0", 0),
        ("1700000000", 1_700_000_000_000),
        ("1700000000.5", 1_700_000_000_500),
        ("1700000000.123456789", 1_700_000_000_123),
        ("1700000000.007", 1_700_000_000_007),
        ("253402300799.999", 253_402_300_799_999),
    ] {
        assert_eq!(oc_mtime(&one("x-oc-mtime", value)), Ok(Some(millis)), "{value}");
    }
}

#[test]
fn a_time_before_1970_counts_for_nothing() {
    assert_eq!(oc_mtime(&one("x-oc-mtime", "-86400")), Ok(None));
    assert_eq!(oc_mtime(&one("x-oc-mtime", "-1.5")), Ok(None));
}

#[test]
fn nonsense_is_no_mtime() {
    for value in ["", "+1", "0x65", "1e9", "1.", ".5", "1.2.3", "soon", "253402300800", "99999999999999999999", "١"] {
        assert_eq!(oc_mtime(&one("x-oc-mtime", value)), Err(HeaderError("X-OC-Mtime")), "{value}");
    }
}

proptest! {
    #[test]
    fn any_value_is_survived(value in prop::collection::vec(0x20u8..0x7F, 0..40)) {
        let _ = depth(&one("depth", &value));
        let _ = timeout(&one("timeout", &value));
        let _ = lock_token(&one("lock-token", &value));
        if let Ok(Some(destination)) = destination(&one("destination", &value)) {
            prop_assert!(destination.path.starts_with('/'));
        }
    }

    #[test]
    fn whole_milliseconds_survive(millis in 0..=crate::date::LAST_SECOND * 1000) {
        let value = format!("{}.{:03}", millis / 1000, millis % 1000);
        prop_assert_eq!(oc_mtime(&one("x-oc-mtime", value)), Ok(Some(millis)));
    }
}
