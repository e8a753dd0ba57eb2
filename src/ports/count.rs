//! A number that every database and every JavaScript runtime holds exactly.

use serde::de::{Error, Unexpected};
use serde::{Deserialize, Deserializer};

use super::Value;

/// A whole number from 0 to 2^53. What clients say in headers, paths and JSON becomes one, and greater numbers are refused
/// where they are read: a database that speaks JavaScript numbers could not keep them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Count(i64);

impl Count {
    /// The greatest.
    pub const MOST: Self = Self(1 << 53);

    /// From decimal digits and nothing else; none for a number that is too great.
    pub fn parse(digits: &str) -> Option<Self> {
        let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
        digits.parse().ok().filter(|_| is_number).and_then(Self::new)
    }

    /// The number, if it is one of these.
    pub fn new(number: i64) -> Option<Self> {
        (0..=Self::MOST.0).contains(&number).then_some(Self(number))
    }

    /// As databases take it.
    pub fn get(self) -> i64 {
        self.0
    }

    /// As a number of bytes.
    pub fn bytes(self) -> u64 {
        self.0.unsigned_abs()
    }
}

impl From<Count> for Value {
    fn from(count: Count) -> Self {
        Self::Integer(count.0)
    }
}

impl<'de> Deserialize<'de> for Count {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = i64::deserialize(deserializer)?;
        let too_great = || D::Error::invalid_value(Unexpected::Signed(number), &"a whole number from 0 to 2^53");
        Self::new(number).ok_or_else(too_great)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_count_is_of_digits_and_not_too_great() {
        for (text, count) in [
            ("0", Some(0)),
            ("007", Some(7)),
            ("9007199254740992", Some(1 << 53)),
            ("9007199254740993", None),
            ("9223372036854775808", None),
            ("18446744073709551616", None),
            ("-1", None),
            ("+1", None),
            (" 1", None),
            ("1.0", None),
            ("١", None),
            ("", None),
        ] {
            assert_eq!(Count::parse(text).map(Count::get), count, "{text}");
        }
    }

    #[test]
    fn json_is_held_to_the_same() {
        let read = |text: &str| serde_json::from_str::<Count>(text).map(Count::get);
        assert_eq!(read("9007199254740992").unwrap(), 1 << 53);
        assert!(read("9007199254740993").unwrap_err().to_string().contains("from 0 to 2^53"));
        assert!(read("-1").is_err());
    }
}
