//! Times as text.

use std::time::{Duration, UNIX_EPOCH};

use jiff::SignedDuration;
use jiff::civil::{DateTime, Time};
use jiff::fmt::temporal::{DateTimePrinter, Pieces, PiecesOffset};

use crate::ports::Millis;

/// The milliseconds of a day.
pub const DAY: Millis = 86_400_000;

/// In UTC. (A timestamp of jiff's ends a day before the year 9999 does.)
const EPOCH: DateTime = DateTime::constant(1970, 1, 1, 0, 0, 0, 0);

/// ISO 8601 with milliseconds, as in `2026-06-22T12:00:00.000Z`.
pub fn iso8601(at: Millis) -> String {
    let time = EPOCH.saturating_add(SignedDuration::from_millis(at));
    format!("{}Z", DateTimePrinter::new().precision(Some(3)).datetime_to_string(&time))
}

/// The end of the year 9999, in seconds.
pub const LAST_SECOND: i64 = 253_402_300_799;

/// HTTP-date (RFC 9110, 5.6.7). Times that it cannot tell become the nearest that it can.
pub fn http_date(at: Millis) -> String {
    let seconds = at.div_euclid(1000).clamp(0, LAST_SECOND).unsigned_abs();
    httpdate::fmt_http_date(UNIX_EPOCH + Duration::from_secs(seconds))
}

/// Seconds since 1970 as clients write times, `1657500000` or `1657500000.123`; none for anything else, and for times that
/// no HTTP-date can tell.
pub fn decimal_seconds(text: &str) -> Option<Millis> {
    let is_digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    if !is_digits(whole) || !is_digits(fraction) {
        return None;
    }
    let seconds: i64 = whole.parse().ok().filter(|seconds| *seconds <= LAST_SECOND)?;
    let millis: i64 = format!("{fraction:0<3.3}").parse().ok()?;
    Some(seconds * 1000 + millis)
}

/// Reads a time in one of the ways in which clients write it: seconds since 1970, with or without a fraction, an HTTP-date,
/// or ISO 8601 with an offset. None for anything else, and for what an HTTP-date cannot tell.
pub fn parse(text: &str) -> Option<Millis> {
    let text = text.trim();
    let at = if text.starts_with(|c: char| c.is_ascii_digit()) && !text.contains('-') {
        decimal_seconds(text)?
    } else if let Ok(pieces) = Pieces::parse(text) {
        with_offset(&pieces)?
    } else {
        let since = httpdate::parse_http_date(text).ok()?.duration_since(UNIX_EPOCH).ok()?;
        i64::try_from(since.as_millis()).ok()?
    };
    Some(at).filter(|at| (0..=LAST_SECOND * 1000 + 999).contains(at))
}

/// The time that RFC 3339 writes; none without a time of day or an offset.
fn with_offset(pieces: &Pieces<'_>) -> Option<Millis> {
    let time: Time = pieces.time()?;
    let offset = match pieces.offset()? {
        PiecesOffset::Numeric(offset) => offset.offset().seconds(),
        _ => 0,
    };
    let since = DateTime::from_parts(pieces.date(), time).duration_since(EPOCH);
    i64::try_from(since.as_nanos().div_euclid(1_000_000)).ok().map(|at| at - i64::from(offset) * 1000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn iso_8601_has_milliseconds() {
        assert_eq!(iso8601(0), "1970-01-01T00:00:00.000Z");
        assert_eq!(iso8601(1_782_129_600_007), "2026-06-22T12:00:00.007Z");
        assert_eq!(iso8601(-1), "1969-12-31T23:59:59.999Z");
        assert_eq!(iso8601(LAST_SECOND * 1000 + 999), "9999-12-31T23:59:59.999Z");
        for beyond in [i64::MIN, i64::MAX] {
            assert!(iso8601(beyond).ends_with('Z'));
        }
    }

    #[test]
    fn a_time_is_read_in_each_of_its_forms() {
        for (text, at) in [
            ("0", Some(0)),
            ("1700000000", Some(1_700_000_000_000)),
            (" 1700000000.5 ", Some(1_700_000_000_500)),
            ("Sun, 06 Nov 1994 08:49:37 GMT", Some(784_111_777_000)),
            ("1994-11-06T09:49:37+01:00", Some(784_111_777_000)),
            ("2026-06-22T12:00:00.007Z", Some(1_782_129_600_007)),
            ("2026-06-22T12:00:00,007-00:00", Some(1_782_129_600_007)),
            ("9999-12-31T23:59:59.999Z", Some(LAST_SECOND * 1000 + 999)),
            ("253402300800", None),
            ("99999999999999999999", None),
            ("9999-12-31T23:59:59.999-23:59", None),
            ("1969-12-31T23:59:59Z", None),
            ("-1", None),
            ("1.", None),
            ("1e9", None),
            ("2026-06-22", None),
            ("2026-06-22T12:00:00", None),
            ("soon", None),
            ("", None),
        ] {
            assert_eq!(parse(text), at, "{text}");
        }
    }

    #[test]
    fn an_http_date_is_within_what_it_can_tell() {
        assert_eq!(http_date(784_111_777_999), "Sun, 06 Nov 1994 08:49:37 GMT");
        assert_eq!(http_date(-5), "Thu, 01 Jan 1970 00:00:00 GMT");
        assert_eq!(http_date(i64::MAX), "Fri, 31 Dec 9999 23:59:59 GMT");
    }
}
