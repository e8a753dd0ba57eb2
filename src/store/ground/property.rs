//! Dead properties (RFC 4918, 4) as they are kept.

use serde::Deserialize;

/// A property that clients set and the server merely keeps.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Property {
    /// The namespace of its name; may be empty.
    pub namespace: String,
    /// Its local name.
    pub name: String,
    /// The XML inside its element, with all namespaces declared.
    pub value: String,
    /// Its `xml:lang`.
    pub lang: Option<String>,
}
