//! Patterns of names and types, as an expression of SQL and, for texts that are not in the database, in Rust.

use std::collections::BTreeSet;

/// The longest pattern that D1 takes for LIKE, in bytes.
use super::params::Params;

const LONGEST_LIKE: usize = 50;

/// Letters beyond ASCII of a pattern that are found in upper case, too: expressions of SQL may nest 100 deep.
const MOST_FOLDED: usize = 16;

/// What a text is compared with, whatever the case of its letters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern(Vec<Token>);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Token {
    /// `%`: any text
    Any,
    /// `_`: any character
    One,
    /// This character, in lower case.
    Char(char),
}

/// A text with or without anything before and behind it.
struct Literal {
    any_before: bool,
    text: String,
    any_behind: bool,
}

impl Pattern {
    /// A pattern of `LIKE`, in which a backslash takes the meaning from what follows. None for one that ends with a
    /// backslash, or that has more than 50 bytes and wildcards within.
    pub fn like(text: &str) -> Option<Self> {
        let mut tokens = Vec::new();
        let mut chars = text.chars();
        while let Some(c) = chars.next() {
            tokens.push(match c {
                '%' => Token::Any,
                '_' => Token::One,
                '\\' => Token::Char(lower(chars.next()?)),
                other => Token::Char(lower(other)),
            });
        }
        let pattern = Self(tokens);
        (pattern.literal().is_some() || pattern.text().len() <= LONGEST_LIKE).then_some(pattern)
    }

    /// The pattern that is like that very text.
    pub fn exactly(text: &str) -> Self {
        Self(text.chars().map(|c| Token::Char(lower(c))).collect())
    }

    /// What LIKE takes.
    fn text(&self) -> String {
        let mut text = String::new();
        for token in &self.0 {
            match token {
                Token::Any => text.push('%'),
                Token::One => text.push('_'),
                Token::Char(c) => {
                    if matches!(c, '%' | '_' | '\\') {
                        text.push('\\');
                    }
                    text.push(*c);
                }
            }
        }
        text
    }

    /// The pattern as a literal, if it is one.
    fn literal(&self) -> Option<Literal> {
        let is_any = |token: Option<&Token>| token == Some(&Token::Any);
        let (any_before, any_behind) = (is_any(self.0.first()), is_any(self.0.last()));
        let within = self.0.iter().skip_while(|token| **token == Token::Any);
        let mut within: Vec<_> = within.collect();
        while within.last().is_some_and(|token| **token == Token::Any) {
            within.pop();
        }
        let text = within.into_iter().map(|token| if let Token::Char(c) = token { Some(*c) } else { None });
        Some(Literal { any_before, text: text.collect::<Option<_>>()?, any_behind })
    }

    /// Whether `subject` is like it: for those few texts that are not in the database.
    pub(super) fn matches(&self, subject: &str) -> bool {
        let subject: Vec<char> = subject.chars().map(lower).collect();
        let (mut at, mut place) = (0, 0);
        // Where to go on when what follows the last `%` does not fit.
        let mut retry = None;
        while let Some(c) = subject.get(place) {
            match self.0.get(at) {
                Some(Token::Any) => {
                    at += 1;
                    retry = Some((at, place));
                    continue;
                }
                Some(Token::One) => {}
                Some(Token::Char(expected)) if expected == c => {}
                _ => {
                    let Some((after, from)) = retry else { return false };
                    (at, place) = (after, from + 1);
                    retry = Some((at, place));
                    continue;
                }
            }
            (at, place) = (at + 1, place + 1);
        }
        self.0.iter().skip(at).all(|token| *token == Token::Any)
    }

    /// Whether the text that the expression `subject` gives is like it.
    pub(super) fn sql(&self, subject: &str, params: &mut Params) -> String {
        let subject = self.fold(subject);
        let Some(literal) = self.literal() else {
            return format!("{subject} LIKE {} ESCAPE '\\'", params.add(self.text()));
        };
        let length = literal.text.chars().count();
        let text = params.add(literal.text);
        match (literal.any_before, literal.any_behind) {
            (true, true) => format!("instr({subject}, {text}) > 0"),
            (false, true) => format!("substr({subject}, 1, {length}) = {text}"),
            (true, false) => format!("substr({subject}, -{length}) = {text}"),
            (false, false) => format!("{subject} = {text}"),
        }
    }

    /// The expression in lower case. SQLite knows the letters of ASCII only; those of the pattern beyond are replaced.
    fn fold(&self, subject: &str) -> String {
        let letters: BTreeSet<char> = self.0.iter().filter_map(|token| token.letter_beyond_ascii()).collect();
        let pairs = letters.into_iter().filter_map(|letter| {
            let mut upper = letter.to_uppercase();
            let upper = upper.next().filter(|_| upper.next().is_none())?;
            (upper != letter && lower(upper) == letter).then_some((u32::from(upper), u32::from(letter)))
        });
        let replaced = |sql, (upper, lower)| format!("replace({sql}, char({upper}), char({lower}))");
        pairs.take(MOST_FOLDED).fold(format!("lower({subject})"), replaced)
    }
}

impl Token {
    fn letter_beyond_ascii(self) -> Option<char> {
        match self {
            Self::Char(c) if !c.is_ascii() => Some(c),
            _ => None,
        }
    }
}

/// A character in lower case, where that is one character.
fn lower(c: char) -> char {
    let mut lower = c.to_lowercase();
    match (lower.next(), lower.next()) {
        (Some(lower), None) => lower,
        _ => c,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ports::{Sql, Statement};
    use crate::runtime::native::NativeSql;
    use futures_util::FutureExt;
    use proptest::prelude::*;

    /// Whether SQLite finds that a name is like a pattern.
    fn finds(pattern: &Pattern, name: &str) -> bool {
        let mut params = Params(vec![name.into()]);
        let expression = pattern.sql("?1", &mut params);
        let statement = Statement::read(format!("SELECT ({expression}) AS yes"), params.0);
        let batch = NativeSql::open_empty_in_memory().batch(vec![statement]).now_or_never().unwrap().unwrap();
        let row: serde_json::Value = batch.results[0].first().unwrap().unwrap();
        row["yes"] == 1
    }

    #[test]
    fn names_are_found_whatever_their_case() {
        for (pattern, name, found) in [
            ("%report%", "My Report.txt", true),
            ("report%", "REPORT 2026", true),
            ("report%", "a report", false),
            ("%.TXT", "a.txt", true),
            ("%.txt", "txt", false),
            ("%ключ%", "Мой КЛЮЧ", true),
            ("ÉTÉ", "été", true),
            ("straße", "STRASSE", false),
            ("a_c%e", "abcde", true),
            ("a_c%e", "abde", false),
            ("100\\%", "100%", true),
            ("100\\%", "1000", false),
            ("%", "anything", true),
            ("", "anything", false),
            ("%%a%%", "xax", true),
            ("a%%", "ba", false),
        ] {
            let pattern_of = Pattern::like(pattern).unwrap();
            assert_eq!(pattern_of.matches(name), found, "{pattern} {name}");
            assert_eq!(finds(&pattern_of, name), found, "{pattern} {name}");
        }
    }

    #[test]
    fn a_long_pattern_has_its_wildcards_at_the_ends() {
        let long = "x".repeat(60);
        for pattern in [long.clone(), format!("%{long}"), format!("{long}%"), format!("%{long}%")] {
            assert!(finds(&Pattern::like(&pattern).unwrap(), &long), "{pattern}");
        }
        assert_eq!(Pattern::like(&format!("{long}%x")), None);
        assert_eq!(Pattern::like(&format!("{long}_")), None);
        assert_eq!(Pattern::like("x\\"), None);
    }

    #[test]
    fn a_hostile_pattern_takes_no_time() {
        let pattern = Pattern::like(&"%a".repeat(25)).unwrap();
        assert!(!pattern.matches(&"a".repeat(24)));
        assert!(pattern.matches(&"ab".repeat(100).replace('b', "")));
    }

    proptest! {
        #[test]
        fn sqlite_finds_what_the_pattern_matches(pattern in "[ab%_\\\\Éé.]{0,8}", name in "[abABÉé.%_\\\\]{1,8}") {
            let Some(pattern) = Pattern::like(&pattern) else { return Ok(()) };
            prop_assert_eq!(finds(&pattern, &name), pattern.matches(&name));
        }

        #[test]
        fn any_pattern_is_survived(pattern in any::<String>(), name in any::<String>()) {
            if let Some(pattern) = Pattern::like(&pattern) {
                let _ = pattern.matches(&name);
            }
            prop_assert!(Pattern::exactly(&name).matches(&name));
        }
    }
}
