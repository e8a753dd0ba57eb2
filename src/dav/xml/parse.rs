//! A document read into a tree, or refused. quick-xml does the scanning; what it lets pass and XML
//! 1.0 or Namespaces in XML 1.0 forbid, is checked here.

use std::borrow::Cow;
use std::collections::HashSet;

use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::{BytesDecl, BytesRef, BytesStart, Event, attributes};
use quick_xml::name::{NamespaceResolver, PrefixDeclaration, QName, ResolveResult};
use quick_xml::{NsReader, XmlVersion};

use super::element::{Attribute, Element, Node};
use super::escape::is_char;
use super::namespaces::XML;

/// The longest document, in bytes.
const MAX_LENGTH: usize = 1024 * 1024;
/// How deep elements may be nested, the root counted.
const MAX_DEPTH: usize = 64;
/// The memory that the names in a tree may take, in bytes: a short document can name a long
/// namespace many thousand times.
const MAX_WEIGHT: usize = 8 * 1024 * 1024;
/// What an element or attribute weighs beside its namespace, in bytes.
const NODE_WEIGHT: usize = 128;

/// The namespace of declarations of namespaces, which nothing else may be in.
const XMLNS: &str = "http://www.w3.org/2000/xmlns/";

/// Why a document is refused: 400.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum XmlError {
    /// More bytes than a request of WebDAV has use for.
    #[error("the XML is longer than 1 MiB")]
    TooLong,
    /// Deeper than any request of WebDAV.
    #[error("the XML is nested more than 64 deep")]
    TooDeep,
    /// More elements and attributes than memory is spent on.
    #[error("the XML holds too many elements")]
    TooMany,
    /// Neither UTF-8 nor UTF-16 with a byte order mark.
    #[error("the XML is neither UTF-8 nor UTF-16")]
    Encoding,
    /// A document type declaration, well-formed or not: nobody needs one, and entities are a trap.
    #[error("the XML has a document type declaration")]
    Doctype,
    /// Against the grammar, or against that of namespaces.
    #[error("the XML is not well-formed: {0}")]
    IllFormed(Cow<'static, str>),
}

impl From<quick_xml::Error> for XmlError {
    fn from(error: quick_xml::Error) -> Self {
        Self::IllFormed(error.to_string().into())
    }
}

/// Reads a document and gives its root.
pub fn parse(input: &[u8]) -> Result<Element, XmlError> {
    if input.len() > MAX_LENGTH {
        return Err(XmlError::TooLong);
    }
    let text = decode(input)?;
    if !text.chars().all(is_char) {
        return ill_formed("a character that XML forbids");
    }
    let mut reader = NsReader::from_str(&text);
    reader.config_mut().enable_all_checks(true);
    reader.config_mut().expand_empty_elements = true;

    let mut tree = Tree::default();
    let mut at_start = true;
    loop {
        match reader.read_event()? {
            Event::Decl(declaration) if at_start => check_declaration(&declaration)?,
            Event::Decl(_) => return ill_formed("an XML declaration that is not at the start"),
            Event::Start(start) | Event::Empty(start) => tree.open(&start, reader.resolver())?,
            Event::End(_) => tree.close(),
            Event::Text(text) if text.contains("]]>") => return ill_formed("']]>' in text"),
            Event::Text(text) => tree.text(&text.xml10_content())?,
            Event::CData(text) => tree.character_data(&text.xml10_content())?,
            Event::GeneralRef(reference) => tree.character_data(&resolve(&reference)?)?,
            Event::PI(pi) if pi.target().eq_ignore_ascii_case("xml") => return ill_formed("a reserved target"),
            Event::Comment(_) | Event::PI(_) => {}
            Event::DocType(_) => return Err(XmlError::Doctype),
            Event::Eof => return tree.finish(),
        }
        at_start = false;
    }
}

fn ill_formed<T>(what: &'static str) -> Result<T, XmlError> {
    Err(XmlError::IllFormed(what.into()))
}

/// The text of a document, without its byte order mark.
fn decode(input: &[u8]) -> Result<Cow<'_, str>, XmlError> {
    let units: Option<Vec<u16>> = match input {
        [0xFE, 0xFF, rest @ ..] => utf16_units(rest, u16::from_be_bytes),
        [0xFF, 0xFE, rest @ ..] => utf16_units(rest, u16::from_le_bytes),
        _ => {
            let text = std::str::from_utf8(input).map_err(|_| XmlError::Encoding)?;
            return Ok(text.strip_prefix('\u{FEFF}').unwrap_or(text).into());
        }
    };
    let text = units.and_then(|units| String::from_utf16(&units).ok());
    text.map(Cow::Owned).ok_or(XmlError::Encoding)
}

/// `None` for an odd number of bytes.
fn utf16_units(input: &[u8], unit: fn([u8; 2]) -> u16) -> Option<Vec<u16>> {
    let (pairs, rest) = input.as_chunks::<2>();
    rest.is_empty().then(|| pairs.iter().map(|pair| unit(*pair)).collect())
}

/// An encoding that is declared, but is none that we read, would make other text of the same bytes.
fn check_declaration(declaration: &BytesDecl) -> Result<(), XmlError> {
    declaration.xml_version()?;
    let Some(encoding) = declaration.encoding() else { return Ok(()) };
    let encoding = encoding.map_err(quick_xml::Error::from)?.to_ascii_lowercase();
    match encoding.as_str() {
        "utf-8" | "utf-16" | "us-ascii" => Ok(()),
        _ => Err(XmlError::Encoding),
    }
}

/// The elements that are open, outermost first, and the root once it is closed.
#[derive(Default)]
struct Tree {
    open: Vec<Element>,
    root: Option<Element>,
    weight: usize,
}

impl Tree {
    fn open(&mut self, start: &BytesStart, resolver: &NamespaceResolver) -> Result<(), XmlError> {
        if self.root.is_some() {
            return ill_formed("an element after the root");
        }
        if self.open.len() >= MAX_DEPTH {
            return Err(XmlError::TooDeep);
        }
        let (namespace, name) = self.resolve(start.name(), resolver, true)?;
        let attributes = self.attributes(start, resolver)?;
        let own = attributes.iter().find(|attribute| attribute.namespace == XML && attribute.name == "lang");
        let lang = match own {
            Some(attribute) => Some(attribute.value.clone()),
            None => self.open.last().and_then(|parent| parent.lang.clone()),
        };
        if let Some(lang) = &lang {
            self.weigh(lang)?;
        }
        self.open.push(Element { namespace, name, attributes, children: Vec::new(), lang });
        Ok(())
    }

    fn close(&mut self) {
        let closed = self.open.pop();
        match self.open.last_mut() {
            Some(parent) => parent.children.extend(closed.map(Node::Element)),
            None => self.root = closed,
        }
    }

    /// Text, which may be white space outside the root.
    fn text(&mut self, text: &str) -> Result<(), XmlError> {
        let is_space = text.trim_matches(['\t', '\n', '\r', ' ']).is_empty();
        if self.open.is_empty() && is_space { Ok(()) } else { self.character_data(text) }
    }

    fn character_data(&mut self, text: &str) -> Result<(), XmlError> {
        let Some(parent) = self.open.last_mut() else { return ill_formed("text outside the root") };
        match parent.children.last_mut() {
            Some(Node::Text(before)) => before.push_str(text),
            _ if text.is_empty() => {}
            _ => parent.children.push(Node::Text(text.to_owned())),
        }
        Ok(())
    }

    fn finish(self) -> Result<Element, XmlError> {
        self.root.map_or_else(|| ill_formed("no root, or one that is not closed"), Ok)
    }

    /// The attributes that are not declarations of namespaces; those are only checked, for the
    /// resolver knows them already.
    fn attributes(&mut self, start: &BytesStart, resolver: &NamespaceResolver) -> Result<Vec<Attribute>, XmlError> {
        if !is_spaced(start.attributes_raw()) {
            return ill_formed("no space between attributes");
        }
        let mut names = HashSet::new();
        let mut attributes = Vec::new();
        for attribute in start.attributes() {
            let attribute = attribute.map_err(quick_xml::Error::from)?;
            let value = normalize(&attribute.value)?;
            if let Some(prefix) = attribute.key.as_namespace_binding() {
                check_binding(&prefix, &value)?;
                continue;
            }
            let (namespace, name) = self.resolve(attribute.key, resolver, false)?;
            if !names.insert((namespace.clone(), name.clone())) {
                return ill_formed("two attributes of one name");
            }
            attributes.push(Attribute { namespace, name, value: value.into_owned() });
        }
        Ok(attributes)
    }

    /// The namespace and local name of an element or attribute.
    fn resolve(
        &mut self,
        name: QName,
        resolver: &NamespaceResolver,
        is_element: bool,
    ) -> Result<(String, String), XmlError> {
        let (local, prefix) = name.decompose();
        let local = local.as_ref();
        if !is_ncname(local) || prefix.is_some_and(|prefix| !is_ncname(prefix.as_ref())) {
            return ill_formed("a name that is none");
        }
        let namespace = match resolver.resolve_prefix(prefix, is_element) {
            ResolveResult::Bound(namespace) => normalize(namespace.0)?,
            ResolveResult::Unbound => Cow::Borrowed(""),
            ResolveResult::Unknown(_) => return ill_formed("a prefix that is not declared"),
        };
        if namespace == XMLNS {
            return ill_formed("the prefix xmlns");
        }
        self.weigh(&namespace)?;
        Ok((namespace.into_owned(), local.to_owned()))
    }

    fn weigh(&mut self, name: &str) -> Result<(), XmlError> {
        self.weight += name.len() + NODE_WEIGHT;
        if self.weight > MAX_WEIGHT { Err(XmlError::TooMany) } else { Ok(()) }
    }
}

/// Namespaces in XML 1.0, section 3, and what no binding may do.
fn check_binding(prefix: &PrefixDeclaration, namespace: &str) -> Result<(), XmlError> {
    match prefix {
        PrefixDeclaration::Named(prefix) if !is_ncname(prefix) => ill_formed("a prefix that is none"),
        PrefixDeclaration::Named(_) if namespace.is_empty() => ill_formed("a prefix declared with no namespace"),
        PrefixDeclaration::Named("xml") if namespace == XML => Ok(()),
        _ if namespace == XML || namespace == XMLNS => ill_formed("a reserved namespace"),
        _ => Ok(()),
    }
}

/// Whether white space stands between attributes; quick-xml does not mind.
fn is_spaced(attributes: &str) -> bool {
    let mut quote = None;
    let mut after_value = false;
    for c in attributes.chars() {
        if after_value && !matches!(c, '\t' | '\n' | '\r' | ' ') {
            return false;
        }
        after_value = quote == Some(c);
        match quote {
            None if matches!(c, '"' | '\'') => quote = Some(c),
            Some(open) if open == c => quote = None,
            _ => {}
        }
    }
    true
}

/// The value of an attribute with its references resolved (XML 1.0, 3.3.3).
fn normalize(raw: &str) -> Result<Cow<'_, str>, XmlError> {
    if raw.contains('<') {
        return ill_formed("'<' in an attribute");
    }
    let attribute = attributes::Attribute { key: QName(""), value: Cow::Borrowed(raw) };
    let value = attribute.normalized_value(XmlVersion::Explicit1_0)?;
    if !value.chars().all(is_char) {
        return ill_formed("a reference to a character that XML forbids");
    }
    Ok(value)
}

/// The text of a reference in content.
fn resolve(reference: &BytesRef) -> Result<String, XmlError> {
    match reference.resolve_char_ref()? {
        Some(c) if is_char(c) => Ok(c.to_string()),
        Some(_) => ill_formed("a reference to a character that XML forbids"),
        None => match resolve_predefined_entity(reference) {
            Some(text) => Ok(text.to_owned()),
            None => ill_formed("an entity that is not defined"),
        },
    }
}

/// A name without colon: XML 1.0, 2.3.
fn is_ncname(name: &str) -> bool {
    let mut chars = name.chars();
    chars.next().is_some_and(is_name_start) && chars.all(is_name_char)
}

fn is_name_start(c: char) -> bool {
    matches!(c, 'A'..='Z' | '_' | 'a'..='z' | '\u{C0}'..='\u{D6}' | '\u{D8}'..='\u{F6}' | '\u{F8}'..='\u{2FF}'
        | '\u{370}'..='\u{37D}' | '\u{37F}'..='\u{1FFF}' | '\u{200C}'..='\u{200D}' | '\u{2070}'..='\u{218F}'
        | '\u{2C00}'..='\u{2FEF}' | '\u{3001}'..='\u{D7FF}' | '\u{F900}'..='\u{FDCF}' | '\u{FDF0}'..='\u{FFFD}'
        | '\u{10000}'..='\u{EFFFF}')
}

fn is_name_char(c: char) -> bool {
    is_name_start(c) || matches!(c, '-' | '.' | '0'..='9' | '\u{B7}' | '\u{300}'..='\u{36F}' | '\u{203F}'..='\u{2040}')
}

#[cfg(test)]
mod tests;
