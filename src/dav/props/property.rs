//! A property: its name and its value.

use std::borrow::Cow;

use crate::dav::xml::Writer;

/// The name of a property.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Name<'a> {
    /// Its namespace; may be empty.
    pub namespace: &'a str,
    /// Its local name.
    pub name: &'a str,
}

/// The value of a property, ready to be written.
pub enum Value<'a> {
    /// Text, to be escaped.
    Text(Cow<'a, str>),
    /// XML that stands by itself, and its language.
    Xml(Cow<'a, str>, Option<&'a str>),
    /// Nothing: only its name is asked for, or it is empty.
    Empty,
}

impl Value<'_> {
    /// The `resourcetype` of a collection.
    pub const COLLECTION: Self = Value::Xml(Cow::Borrowed("<d:collection xmlns:d=\"DAV:\"/>"), None);

    /// Writes the property.
    pub fn write(&self, name: Name<'_>, xml: &mut Writer) {
        match self {
            Value::Text(text) => xml.text(name.namespace, name.name, text),
            Value::Xml(inner, lang) => xml.raw(name.namespace, name.name, *lang, inner),
            Value::Empty => xml.empty(name.namespace, name.name),
        }
    }
}

/// A value of text, which will be escaped.
#[expect(clippy::unnecessary_wraps, reason = "it makes what a row of the table is to give")]
pub fn text<'a>(text: impl Into<Cow<'a, str>>) -> Option<Value<'a>> {
    Some(Value::Text(text.into()))
}

/// A value that is a number.
pub fn number<'a>(number: i64) -> Option<Value<'a>> {
    text(number.to_string())
}

/// A value of XML that stands by itself.
#[expect(clippy::unnecessary_wraps, reason = "it makes what a row of the table is to give")]
pub fn xml<'a>(xml: String) -> Option<Value<'a>> {
    Some(Value::Xml(Cow::Owned(xml), None))
}
