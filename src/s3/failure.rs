//! What a store answers instead, and what that means.

use http::{Response, StatusCode};
use quick_xml::Reader;
use quick_xml::events::Event;

use crate::ports::{BlobError, ByteSource, HttpError, StreamError, read_at_most};

/// An error document is a few hundred bytes; more is not read.
const MOST: usize = 64 * 1024;

/// Characters of the store's own sentence that go into the log.
const MOST_SAID: usize = 200;

/// Why one attempt did not succeed.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The payload broke off.
    #[error(transparent)]
    Source(StreamError),
    /// There was no answer, or none that can be understood. The store may have done it, or not.
    #[error("{0}")]
    NoAnswer(String),
    /// The store has kept silent for so long that nobody waits for another attempt.
    #[error("no answer in time")]
    TimedOut,
    /// The store refused.
    #[error("{status}{}{code}{}{message}", space(code), space(message))]
    Refused {
        /// The status.
        status: StatusCode,
        /// S3's name for the error, or nothing.
        code: String,
        /// S3's sentence, or nothing.
        message: String,
    },
}

impl Failure {
    /// Reads the error document of an answer that is no success.
    pub async fn read(answer: Response<Box<dyn ByteSource>>) -> Self {
        let status = answer.status();
        let document = read_at_most(&mut *answer.into_body(), MOST).await.unwrap_or_default();
        let document = String::from_utf8_lossy(&document);
        let text = |name| texts(&document, name).into_iter().next().unwrap_or_default();
        let message = text("Message").chars().take(MOST_SAID).collect();
        Self::Refused { status, code: text("Code"), message }
    }

    /// Whether the same request may succeed a moment later.
    pub fn passes(&self) -> bool {
        match self {
            Self::Source(_) | Self::TimedOut => false,
            Self::NoAnswer(_) => true,
            Self::Refused { status, code, .. } => {
                status.is_server_error() || *status == StatusCode::TOO_MANY_REQUESTS || code == "RequestTimeout"
            }
        }
    }

    /// Whether the store says so.
    pub fn is(&self, expected: &str) -> bool {
        matches!(self, Self::Refused { code, .. } if code == expected)
    }

    /// As the port tells it, of an operation on `key`.
    pub fn of(self, operation: &str, key: &str) -> BlobError {
        match self {
            Self::Source(error) => error.into(),
            missing if missing.is("NoSuchKey") || missing.is("InvalidRange") => BlobError::Missing(key.to_owned()),
            other => BlobError::Unavailable(format!("{operation}: {other}")),
        }
    }
}

impl From<HttpError> for Failure {
    fn from(error: HttpError) -> Self {
        match error {
            HttpError::Source(error) => Self::Source(error),
            HttpError::Failed(message) => Self::NoAnswer(message),
        }
    }
}

/// An answer that is no success in spite of its status.
pub fn unreadable() -> Failure {
    Failure::NoAnswer("the answer is not what S3 answers".to_owned())
}

/// The texts of all elements of that name, in any namespace.
pub fn texts(document: &str, name: &str) -> Vec<String> {
    let mut reader = Reader::from_str(document);
    let mut found = Vec::new();
    loop {
        match reader.read_event() {
            Ok(Event::Start(start)) if start.local_name().as_ref() == name => {
                found.extend(reader.read_text(start.name()).ok().map(|text| one_line(&text)));
            }
            Ok(Event::Eof) | Err(_) => return found,
            Ok(_) => {}
        }
    }
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn space(before: &str) -> &'static str {
    if before.is_empty() { "" } else { " " }
}
