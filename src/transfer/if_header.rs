//! The `If` header of RFC 4918, 10.4: its grammar and its truth, given the truth of its conditions.
//!
//! What a resource's entity-tag and lock tokens are, the caller knows. If-Match and its kin are in
//! `conditional`.

/// The longest header that is read, in bytes: a few hundred lock tokens.
const MAX_LENGTH: usize = 16 * 1024;

/// The state token that no resource ever has (10.4.8), for use with `Not`.
const NO_LOCK: &str = "DAV:no-lock";

/// A whole header: it holds if any of its lists does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IfHeader {
    /// At least one.
    pub lists: Vec<List>,
}

/// Conditions on one resource: the list holds if all of them do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct List {
    /// The Resource-Tag as sent, an absolute URI or a path; `None` is the resource of the request.
    pub resource: Option<String>,
    /// At least one.
    pub conditions: Vec<Condition>,
}

/// One state token or entity-tag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition {
    /// Whether `Not` stands before it.
    pub negated: bool,
    /// What is compared with the resource.
    pub kind: ConditionKind,
}

/// What a condition names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ConditionKind {
    /// A state token, without its `<>`: true if the resource is locked by a lock with this token.
    StateToken(String),
    /// An entity-tag: true if the resource has it. 10.4.4 asks for the strong comparison where
    /// the method changes something, so a weak one is true of nothing here.
    EntityTag {
        /// Whether it was sent with `W/`.
        weak: bool,
        /// Without its quotes.
        tag: String,
    },
}

/// A header that does not follow the grammar, or one that is too long.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the If header is malformed")]
pub struct IfHeaderError;

impl IfHeader {
    /// Reads the value of an If header. White space may stand between all parts of it.
    pub fn parse(text: &str) -> Result<Self, IfHeaderError> {
        if text.len() > MAX_LENGTH {
            return Err(IfHeaderError);
        }
        Parser { rest: text }.header().map(|lists| Self { lists }).ok_or(IfHeaderError)
    }

    /// All lock tokens that the client submits with this header. Being mentioned suffices (10.4.1):
    /// in a list that is false, about another resource, or behind `Not`.
    pub fn tokens(&self) -> impl Iterator<Item = &str> {
        self.lists.iter().flat_map(|list| &list.conditions).filter_map(|condition| match &condition.kind {
            ConditionKind::StateToken(token) if token != NO_LOCK => Some(token.as_str()),
            _ => None,
        })
    }

    /// Whether the header holds. `is_true` tells whether a resource (as in [`List::resource`]) has
    /// the state token or entity-tag; it does not look at `negated`, which is applied here.
    pub fn evaluate(&self, mut is_true: impl FnMut(Option<&str>, &Condition) -> bool) -> bool {
        self.lists.iter().any(|list| {
            list.conditions.iter().all(|condition| is_true(list.resource.as_deref(), condition) != condition.negated)
        })
    }
}

/// What is still to be read; each method takes one production of the grammar off its start.
struct Parser<'a> {
    rest: &'a str,
}

impl<'a> Parser<'a> {
    /// `1*No-tag-list | 1*Tagged-list`
    fn header(&mut self) -> Option<Vec<List>> {
        let mut lists = Vec::new();
        let is_tagged = self.peek() == Some('<');
        while self.peek().is_some() {
            let resource = if is_tagged { Some(self.bracketed()?.to_owned()) } else { None };
            loop {
                lists.push(List { resource: resource.clone(), conditions: self.list()? });
                if self.peek() != Some('(') {
                    break;
                }
            }
        }
        (!lists.is_empty()).then_some(lists)
    }

    /// `"(" 1*Condition ")"`
    fn list(&mut self) -> Option<Vec<Condition>> {
        self.take("(")?;
        let mut conditions = vec![self.condition()?];
        while self.take(")").is_none() {
            conditions.push(self.condition()?);
        }
        Some(conditions)
    }

    /// `["Not"] (State-token | "[" entity-tag "]")`
    fn condition(&mut self) -> Option<Condition> {
        let negated = self.take("Not").is_some();
        let kind = if self.take("[").is_some() {
            let kind = self.entity_tag()?;
            self.take("]")?;
            kind
        } else {
            ConditionKind::StateToken(self.bracketed()?.to_owned())
        };
        Some(Condition { negated, kind })
    }

    /// `[ "W/" ] DQUOTE *etagc DQUOTE`, with spaces let pass, as RFC 4918 itself writes them.
    fn entity_tag(&mut self) -> Option<ConditionKind> {
        let weak = self.take("W/").is_some();
        self.take("\"")?;
        let (tag, rest) = self.rest.split_once('"')?;
        self.rest = rest;
        Some(ConditionKind::EntityTag { weak, tag: tag.to_owned() })
    }

    /// What is between `<` and `>`: a state token or a resource, never empty.
    fn bracketed(&mut self) -> Option<&'a str> {
        self.take("<")?;
        let (uri, rest) = self.rest.split_once('>')?;
        self.rest = rest;
        (!uri.is_empty() && is_solid(uri) && !uri.contains('<')).then_some(uri)
    }

    /// Takes `word`, in either case, and the white space before it.
    fn take(&mut self, word: &str) -> Option<()> {
        self.peek();
        let (start, rest) = self.rest.split_at_checked(word.len())?;
        if !start.eq_ignore_ascii_case(word) {
            return None;
        }
        self.rest = rest;
        Some(())
    }

    /// The next character that is not white space.
    fn peek(&mut self) -> Option<char> {
        self.rest = self.rest.trim_start_matches([' ', '\t']);
        self.rest.chars().next()
    }
}

/// Neither white space nor control characters.
fn is_solid(text: &str) -> bool {
    !text.contains(|c: char| c == ' ' || c.is_ascii_control())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn token(token: &str) -> Condition {
        Condition { negated: false, kind: ConditionKind::StateToken(token.to_owned()) }
    }

    fn etag(weak: bool, tag: &str) -> Condition {
        Condition { negated: false, kind: ConditionKind::EntityTag { weak, tag: tag.to_owned() } }
    }

    fn not(condition: Condition) -> Condition {
        Condition { negated: true, ..condition }
    }

    fn list(resource: Option<&str>, conditions: &[Condition]) -> List {
        List { resource: resource.map(str::to_owned), conditions: conditions.to_vec() }
    }

    fn lists(text: &str) -> Vec<List> {
        IfHeader::parse(text).unwrap_or_else(|_| panic!("refused: {text}")).lists
    }

    #[test]
    fn the_examples_of_rfc_4918() {
        let (t1, t2) =
            ("urn:uuid:181d4fae-7d8c-11d0-a765-00a0c91e6bf2", "urn:uuid:58f202ac-22cf-11d1-b12d-002035b29092");
        // 10.4.6, whose entity-tags hold spaces
        assert_eq!(
            lists(&format!("(<{t1}> [\"I am an ETag\"]) ([\"I am another ETag\"])")),
            [list(None, &[token(t1), etag(false, "I am an ETag")]), list(None, &[etag(false, "I am another ETag")])]
        );
        // 10.4.7
        assert_eq!(lists(&format!("(Not <{t1}> <{t2}>)")), [list(None, &[not(token(t1)), token(t2)])]);
        // 10.4.8
        assert_eq!(
            lists(&format!("(<{t1}>) (Not <DAV:no-lock>)")),
            [list(None, &[token(t1)]), list(None, &[not(token("DAV:no-lock"))])]
        );
        // 10.4.9
        assert_eq!(
            lists(&format!("</resource1> (<{t1}> [W/\"A-weak-ETag\"]) ([\"strong-ETag\"])")),
            [
                list(Some("/resource1"), &[token(t1), etag(true, "A-weak-ETag")]),
                list(Some("/resource1"), &[etag(false, "strong-ETag")])
            ]
        );
        // 10.4.10, 10.4.11
        assert_eq!(
            lists(&format!("<http://www.example.com/specs/> (<{t1}>)")),
            [list(Some("http://www.example.com/specs/"), &[token(t1)])]
        );
        assert_eq!(
            lists("</specs/rfc2518.doc> ([\"4217\"]) <http://h/b> (Not [\"4217\"])"),
            [
                list(Some("/specs/rfc2518.doc"), &[etag(false, "4217")]),
                list(Some("http://h/b"), &[not(etag(false, "4217"))])
            ]
        );
    }

    #[test]
    fn white_space_and_case_are_tolerated() {
        let expected = [list(None, &[not(token("a:b")), etag(true, "e")])];
        for text in ["(Not<a:b>[W/\"e\"])", " ( not  <a:b>\t[ w/\"e\" ] ) ", "(NOT <a:b> [W/\"e\"])"] {
            assert_eq!(lists(text), expected, "{text}");
        }
        assert_eq!(lists("([\"a]b)c<d>\"])"), [list(None, &[etag(false, "a]b)c<d>")])]);
        assert_eq!(lists("([\"\"])"), [list(None, &[etag(false, "")])]);
    }

    #[test]
    fn what_does_not_follow_the_grammar_is_refused() {
        for text in [
            "",
            "  ",
            "()",
            "(<a:b>",
            "<a:b>)",
            "(<a:b>))",
            "<a:b>",
            "(Not)",
            "(Not Not <a:b>)",
            "(a:b)",
            "(<>)",
            "(<a b>)",
            "(<a:<b>)",
            "([e])",
            "([\"e\")",
            "([\"e])",
            "(<a:b>) x",
            "(<a:b>), (<c:d>)",
            // No-tag-list and Tagged-list do not mix.
            "(<a:b>) </r> (<c:d>)",
            "</r> </s> (<a:b>)",
            "</r> (<a:b>) </s>",
            "(<é",
            "é",
        ] {
            assert_eq!(IfHeader::parse(text), Err(IfHeaderError), "{text:?}");
        }
    }

    #[test]
    fn a_header_has_a_longest_length() {
        let text = |n: usize| format!("(<{}>)", "a".repeat(n));
        assert!(IfHeader::parse(&text(MAX_LENGTH - 4)).is_ok());
        assert!(IfHeader::parse(&text(MAX_LENGTH - 3)).is_err());
    }

    #[test]
    fn every_mentioned_token_is_submitted() {
        let header =
            IfHeader::parse("</a> (<t:1> [\"e\"]) (Not <t:2>) </b> (<t:3> <DAV:no-lock>) (Not <DAV:no-lock>)").unwrap();
        assert_eq!(header.tokens().collect::<Vec<_>>(), ["t:1", "t:2", "t:3"]);
    }

    #[test]
    fn any_list_with_all_its_conditions_suffices() {
        let holds = |text: &str| {
            IfHeader::parse(text).unwrap().evaluate(|resource, condition| match &condition.kind {
                ConditionKind::StateToken(token) => token == "t:held" && resource != Some("/other"),
                ConditionKind::EntityTag { weak, tag } => !weak && tag == "e",
            })
        };
        assert!(holds("(<t:held>)"));
        assert!(holds("(<t:held> [\"e\"])"));
        assert!(holds("(<t:x>) ([\"e\"])"));
        assert!(holds("(Not <t:x>)"));
        assert!(holds("(<t:x>) (Not <DAV:no-lock>)"));
        assert!(holds("</other> (<t:held>) </this> (<t:held>)"));
        assert!(!holds("(<t:x>)"));
        assert!(!holds("(<DAV:no-lock>)"));
        assert!(!holds("(<t:held> [\"f\"])"));
        assert!(!holds("(<t:held> Not [\"e\"])"));
        assert!(!holds("(Not <t:held>)"));
        assert!(!holds("([W/\"e\"])"));
        assert!(!holds("</other> (<t:held>)"));
    }

    fn any_condition() -> impl Strategy<Value = Condition> {
        let kind = prop_oneof![
            "[a-z]{1,4}:[!-;=?-~]{0,8}".prop_map(ConditionKind::StateToken),
            (any::<bool>(), "[!#-~]{0,8}").prop_map(|(weak, tag)| ConditionKind::EntityTag { weak, tag }),
        ];
        (any::<bool>(), kind).prop_map(|(negated, kind)| Condition { negated, kind })
    }

    fn write_condition(condition: &Condition) -> String {
        let not = if condition.negated { "Not " } else { "" };
        match &condition.kind {
            ConditionKind::StateToken(token) => format!("{not}<{token}>"),
            ConditionKind::EntityTag { weak, tag } => format!("{not}[{}\"{tag}\"]", if *weak { "W/" } else { "" }),
        }
    }

    fn write_list(list: &List) -> String {
        let resource = list.resource.as_ref().map(|resource| format!("<{resource}>"));
        let conditions: Vec<_> = list.conditions.iter().map(write_condition).collect();
        format!("{}({})", resource.unwrap_or_default(), conditions.join(" "))
    }

    proptest! {
        #[test]
        fn a_written_header_is_read_back(
            tagged: bool,
            lists in prop::collection::vec(("/[a-z/]{0,8}", prop::collection::vec(any_condition(), 1..4)), 1..4),
        ) {
            let lists = lists.into_iter().map(|(resource, conditions)| {
                List { resource: tagged.then_some(resource), conditions }
            });
            let header = IfHeader { lists: lists.collect() };
            let text: Vec<_> = header.lists.iter().map(write_list).collect();
            prop_assert_eq!(IfHeader::parse(&text.join("")), Ok(header));
        }

        #[test]
        fn whatever_is_read_is_not_empty(text in "[(<>)\\[\\]\"NotW/ a:é]{0,24}") {
            if let Ok(header) = IfHeader::parse(&text) {
                prop_assert!(!header.lists.is_empty());
                prop_assert!(header.lists.iter().all(|list| !list.conditions.is_empty()));
            }
        }
    }
}
