//! Byte ranges of RFC 9110, section 14. If-Range is in `conditional`.

use std::ops::Range;

/// What a Range header asks of a content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RangeOutcome {
    /// All of it with 200: no range, one that is malformed, of another unit, or several of them,
    /// which a server may ignore (14.2).
    Whole,
    /// These bytes with 206. Never empty.
    Part(Range<u64>),
    /// None of it: 416.
    Unsatisfiable,
}

/// Reads the value of a Range header for a content of `length` bytes.
pub fn parse(header: &str, length: u64) -> RangeOutcome {
    single_range(header).and_then(|spec| resolve(spec, length)).unwrap_or(RangeOutcome::Whole)
}

/// The one range of a `bytes=` set.
fn single_range(header: &str) -> Option<&str> {
    let (unit, set) = header.split_once('=')?;
    if !unit.trim().eq_ignore_ascii_case("bytes") {
        return None;
    }
    // A list may hold empty elements (RFC 9110, 5.6.1).
    let mut specs = set.split(',').map(str::trim).filter(|spec| !spec.is_empty());
    specs.next().filter(|_| specs.next().is_none())
}

/// `None` where the range is malformed.
fn resolve(spec: &str, length: u64) -> Option<RangeOutcome> {
    let (first, last) = spec.split_once('-')?;
    if first.is_empty() {
        return Some(match number(last)? {
            0 => RangeOutcome::Unsatisfiable,
            // Satisfiable by the RFC, but Content-Range cannot tell of no bytes.
            _ if length == 0 => RangeOutcome::Whole,
            suffix => RangeOutcome::Part(length.saturating_sub(suffix)..length),
        });
    }
    let first = number(first)?;
    let last = if last.is_empty() { u64::MAX } else { number(last)? };
    if last < first {
        return None;
    }
    if first >= length {
        return Some(RangeOutcome::Unsatisfiable);
    }
    Some(RangeOutcome::Part(first..last.saturating_add(1).min(length)))
}

/// 1*DIGIT; what does not fit counts as the largest number, since no content is that long.
fn number(digits: &str) -> Option<u64> {
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    Some(digits.parse().unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::RangeOutcome::{Part, Unsatisfiable, Whole};
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn closed_open_and_suffix_ranges() {
        for (header, expected) in [
            ("bytes=0-0", Part(0..1)),
            ("bytes=0-9", Part(0..10)),
            ("bytes=3-5", Part(3..6)),
            ("bytes=3-500", Part(3..10)),
            ("bytes=9-", Part(9..10)),
            ("bytes=0-", Part(0..10)),
            ("bytes=-3", Part(7..10)),
            ("bytes=-10", Part(0..10)),
            ("bytes=-11", Part(0..10)),
            ("Bytes = 1-2", Part(1..3)),
            ("bytes=,1-2,", Part(1..3)),
        ] {
            assert_eq!(parse(header, 10), expected, "{header}");
        }
    }

    #[test]
    fn ranges_outside_the_content_are_unsatisfiable() {
        for header in ["bytes=10-", "bytes=10-12", "bytes=-0", "bytes=18446744073709551615-"] {
            assert_eq!(parse(header, 10), Unsatisfiable, "{header}");
        }
    }

    #[test]
    fn malformed_foreign_and_multiple_ranges_are_ignored() {
        for header in [
            "",
            "bytes",
            "bytes=",
            "bytes=-",
            "bytes=5-3",
            "bytes=a-b",
            "bytes=1",
            "bytes=+1-2",
            "bytes=1-2-3",
            "bytes=--1",
            "bytes=0x1-2",
            "items=0-5",
            "0-5",
            "bytes=0-1,3-4",
            "bytes=1 -2",
            "bytes=١-٢",
        ] {
            assert_eq!(parse(header, 10), Whole, "{header}");
        }
    }

    #[test]
    fn nothing_overflows() {
        let huge = "99999999999999999999999999";
        assert_eq!(parse(&format!("bytes=0-{huge}"), 10), Part(0..10));
        assert_eq!(parse(&format!("bytes={huge}-"), 10), Unsatisfiable);
        assert_eq!(parse(&format!("bytes=-{huge}"), 10), Part(0..10));
        assert_eq!(parse(&format!("bytes=0-{}", u64::MAX), u64::MAX), Part(0..u64::MAX));
    }

    #[test]
    fn an_empty_content_has_no_first_byte() {
        assert_eq!(parse("bytes=0-", 0), Unsatisfiable);
        assert_eq!(parse("bytes=-5", 0), Whole);
    }

    proptest! {
        #[test]
        fn a_part_is_never_empty_nor_out_of_bounds(header in "bytes=[0-9]{0,21}-[0-9]{0,21}", length: u64) {
            if let Part(range) = parse(&header, length) {
                prop_assert!(range.start < range.end && range.end <= length);
            }
        }

        #[test]
        fn a_closed_range_gives_what_it_names(first in 0u64..1000, size in 1u64..1000, rest in 0u64..1000) {
            let header = format!("bytes={first}-{}", first + size - 1);
            prop_assert_eq!(parse(&header, first + size + rest), Part(first..first + size));
        }

        #[test]
        fn any_text_is_survived(header in ".*", length: u64) {
            parse(&header, length);
        }
    }
}
