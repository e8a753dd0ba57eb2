//! The body of an error in WebDAV: `d:error` (RFC 4918, 14.5) in the form of sabre/dav, whose exceptions the sync clients of
//! Nextcloud and ownCloud know by name.

use std::fmt::Write;

use http::StatusCode;
use quick_xml::escape::escape;

use super::{Dialect, Error};

impl Error {
    /// The document: exception and message as sabre/dav gives them, then the precondition, where one was violated.
    pub(super) fn xml(&self) -> String {
        let mut condition = String::new();
        if let Some((name, hrefs)) = self.condition() {
            // Writing to a string does not fail.
            let _ = write!(condition, "<d:{name}>");
            for href in hrefs {
                let _ = write!(condition, "<d:href>{}</d:href>", escape(href.as_str()));
            }
            let _ = write!(condition, "</d:{name}>");
        }
        format!(
            "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<d:error xmlns:d=\"DAV:\" xmlns:s=\"http://sabredav.org/ns\">\
             <s:exception>{}</s:exception><s:message>{}</s:message>{condition}</d:error>",
            self.exception(),
            escape(self.message())
        )
    }

    /// The element that WebDAV clients look for (RFC 4918, 16; RFC 4331, 6).
    fn condition(&self) -> Option<(&'static str, &[String])> {
        match self {
            Self::ForbiddenCondition(name) | Self::ConflictCondition(name) => Some((name, &[])),
            Self::Locked(hrefs) => Some(("lock-token-submitted", hrefs)),
            Self::ConflictingLock(hrefs) => Some(("no-conflicting-lock", hrefs)),
            Self::QuotaExceeded => Some(("quota-not-exceeded", &[])),
            _ => None,
        }
    }

    /// The name of the exception. Those of Nextcloud itself are where sabre/dav has none.
    fn exception(&self) -> &'static str {
        match (self, self.status(Dialect::Dav)) {
            (Self::ConflictingLock(_), _) => r"Sabre\DAV\Exception\ConflictingLock",
            // As Nextcloud's virus scanner has it.
            (Self::InfectedUpload(_), _) => r"OCA\DAV\Connector\Sabre\Exception\UnsupportedMediaType",
            (Self::ChecksumMismatch, _) | (_, StatusCode::BAD_REQUEST) => r"Sabre\DAV\Exception\BadRequest",
            (_, StatusCode::UNAUTHORIZED) => r"Sabre\DAV\Exception\NotAuthenticated",
            (_, StatusCode::FORBIDDEN) => r"Sabre\DAV\Exception\Forbidden",
            (_, StatusCode::NOT_FOUND) => r"Sabre\DAV\Exception\NotFound",
            (_, StatusCode::METHOD_NOT_ALLOWED) => r"Sabre\DAV\Exception\MethodNotAllowed",
            (_, StatusCode::CONFLICT) => r"Sabre\DAV\Exception\Conflict",
            (_, StatusCode::PRECONDITION_FAILED) => r"Sabre\DAV\Exception\PreconditionFailed",
            (_, StatusCode::PAYLOAD_TOO_LARGE) => r"OCA\DAV\Connector\Sabre\Exception\EntityTooLarge",
            (_, StatusCode::UNSUPPORTED_MEDIA_TYPE) => r"Sabre\DAV\Exception\UnsupportedMediaType",
            (_, StatusCode::RANGE_NOT_SATISFIABLE) => r"Sabre\DAV\Exception\RequestedRangeNotSatisfiable",
            (_, StatusCode::LOCKED) => r"Sabre\DAV\Exception\Locked",
            (_, StatusCode::NOT_IMPLEMENTED) => r"Sabre\DAV\Exception\NotImplemented",
            (_, StatusCode::BAD_GATEWAY) => r"OCA\DAV\Connector\Sabre\Exception\BadGateway",
            (_, StatusCode::SERVICE_UNAVAILABLE) => r"Sabre\DAV\Exception\ServiceUnavailable",
            (_, StatusCode::INSUFFICIENT_STORAGE) => r"Sabre\DAV\Exception\InsufficientStorage",
            _ => r"Sabre\DAV\Exception",
        }
    }

    /// The sentence, or the one that clients compare.
    fn message(&self) -> String {
        match self {
            Self::NoResource => "Resource not found".to_owned(),
            // With any other, desktop and iOS clients take ServiceUnavailable for maintenance, and end the whole sync.
            Self::Unavailable(_) => "Storage is temporarily not available".to_owned(),
            other => other.sentence(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_an_exception_a_message_and_a_precondition() {
        assert_eq!(
            Error::Locked(vec!["/dav/a&b".to_owned()]).xml(),
            "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<d:error xmlns:d=\"DAV:\" xmlns:s=\"http://sabredav.org/ns\">\
             <s:exception>Sabre\\DAV\\Exception\\Locked</s:exception><s:message>the resource is locked</s:message>\
             <d:lock-token-submitted><d:href>/dav/a&amp;b</d:href></d:lock-token-submitted></d:error>"
        );
        assert!(
            Error::bad("a < b").xml().contains("Exception\\BadRequest</s:exception><s:message>a &lt; b</s:message>")
        );
        assert!(Error::QuotaExceeded.xml().contains("Exception\\InsufficientStorage</s:exception>"));
    }

    #[test]
    fn a_store_that_is_away_is_no_maintenance() {
        let body = Error::Unavailable("D1".to_owned()).xml();
        assert!(body.contains(">Sabre\\DAV\\Exception\\ServiceUnavailable<"), "{body}");
        assert!(body.contains("Storage is temporarily not available"), "{body}");
    }
}
