//! The namespaces that have a name here.

/// The namespace of RFC 4918.
pub const DAV: &str = "DAV:";
/// The namespace of the properties of ownCloud, which Nextcloud shares.
pub const OWNCLOUD: &str = "http://owncloud.org/ns";
/// The namespace of the properties of Nextcloud.
pub const NEXTCLOUD: &str = "http://nextcloud.org/ns";

/// The namespace of `xml:lang`; bound to the prefix `xml` and nothing else.
pub(super) const XML: &str = "http://www.w3.org/XML/1998/namespace";
