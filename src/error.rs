//! One `Error`, and the only place where an error becomes a status and a body. The body of WebDAV is in `sabre`.

mod guard;
mod sabre;

use http::{HeaderMap, HeaderValue, Response, StatusCode, header};

pub use self::guard::{Guard, Limit};
use crate::body::Body;
use crate::name::NameError;
use crate::ports::{BlobError, CryptoError, SqlError, StreamError};

/// The result of nearly everything.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a request was not done.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The request itself is wrong; the sentence says how. 400.
    #[error("{0}")]
    BadRequest(String),
    /// No token, or one that is unknown or expired. 401.
    #[error("a valid token is needed")]
    Unauthorized,
    /// The token does not allow it, or nobody may do it. 403.
    #[error("{0}")]
    Forbidden(String),
    /// A WebDAV precondition that is answered with 403, by its element name (RFC 4918, 16).
    #[error("refused: {0}")]
    ForbiddenCondition(&'static str),
    /// No such thing; holds what, with its article. 404.
    #[error("{0} does not exist")]
    NotFound(&'static str),
    /// Nothing answers at that path. 404.
    #[error("the path does not exist")]
    NoRoute,
    /// No such file or folder, in the words of a client that names it by its path. 404.
    #[error("the resource does not exist")]
    NoResource,
    /// The method is not one of those that the resource takes. 405.
    #[error("method not allowed")]
    MethodNotAllowed(&'static str),
    /// Something has the name that is to be made; holds the methods that it takes. 405.
    #[error("The resource you tried to create already exists")]
    AlreadyExists(&'static str),
    /// The state of the drive does not allow it. 409.
    #[error("{0}")]
    Conflict(String),
    /// A WebDAV precondition that is answered with 409, by its element name.
    #[error("refused: {0}")]
    ConflictCondition(&'static str),
    /// An upload whose time is over. 410.
    #[error("the time of the upload is over")]
    Expired,
    /// The checksum of an upload is another one than the client said. 460 (TUS 1.0.0, "Checksum").
    #[error("the checksum does not match what was received")]
    ChecksumMismatch,
    /// A condition of the request does not hold. 412.
    #[error("{0}")]
    PreconditionFailed(String),
    /// More bytes than the request or the program allows. 413.
    #[error("{0}")]
    TooLarge(String),
    /// The drive is full: 413 in REST, 507 in WebDAV.
    #[error("the storage quota is exceeded")]
    QuotaExceeded,
    /// A limit of the drive is reached. 507 (RFC 4918, 11.5).
    #[error("{}", .0.sentence())]
    Limit(Limit),
    /// A body of a type that the method does not take. 415.
    #[error("unsupported media type")]
    UnsupportedMediaType,
    /// A body in a coding such as gzip. 415, with the one that is taken.
    #[error("a body has no Content-Encoding here but identity")]
    UnsupportedCoding,
    /// No byte of the range exists; holds the length of the content. 416.
    #[error("the range is not satisfiable")]
    RangeNotSatisfiable(u64),
    /// The request is understood, and wrong in itself (a form without its field). 422.
    #[error("{0}")]
    Unprocessable(String),
    /// A virus was found in what was uploaded; holds what the scanner calls it. 422.
    #[error("a virus was found: {0}")]
    InfectedUpload(String),
    /// A virus was found in the file; holds what the scanner calls it. 403.
    #[error("a virus was found in the file ({0}): it can only be deleted")]
    Infected(String),
    /// The file waits for the virus scanner, and may not be read before. 425 (RFC 8470, 5.2), as ownCloud's clients know
    /// it: they try again.
    #[error("the file waits for the virus scanner; try again")]
    ScanPending,
    /// The virus scanner could not tell, and the file may not be read without its word. 403.
    #[error("the virus scanner could not tell whether the file is clean")]
    ScanError,
    /// Locked by somebody else; holds the hrefs of the locked resources. 423.
    #[error("the resource is locked")]
    Locked(Vec<String>),
    /// A lock that would conflict with one that is held; holds the hrefs of those. 423.
    #[error("the resource is locked already")]
    ConflictingLock(Vec<String>),
    /// Somebody else changed what the request was decided on, twice. 403 to 423.
    #[error("the request collided with another")]
    Raced(Guard),
    /// The destination of a COPY or MOVE is on another server. 502 (RFC 4918, 9.8.5).
    #[error("{0}")]
    OtherServer(String),
    /// The runtime's services are away for the moment. 503.
    #[error("{0}")]
    Unavailable(String),
    /// The operator's settings are wrong; the sentence says which. 500.
    #[error(transparent)]
    Config(#[from] crate::config::ConfigError),
    /// The database was migrated by a newer program. 500.
    #[error(
        "the database has version {database}, and this program knows versions up to {program}: run a newer program"
    )]
    NewerDatabase {
        /// The version of the database.
        database: i64,
        /// The last version that the program knows.
        program: i64,
    },
    /// A bug or a broken store. The text goes to the log, never to the client. 500.
    #[error("{0}")]
    Internal(String),
}

impl Error {
    /// A 400 with a sentence.
    pub fn bad(sentence: impl Into<String>) -> Self {
        Self::BadRequest(sentence.into())
    }

    /// A 403 for a token that lacks a scope.
    pub fn missing_scope(scope: &str) -> Self {
        Self::Forbidden(format!("the token lacks the scope {scope}"))
    }

    /// A bug: `what` goes to the log.
    pub fn internal(what: impl std::fmt::Display) -> Self {
        Self::Internal(what.to_string())
    }

    /// The status of an answer.
    pub fn status(&self, dialect: Dialect) -> StatusCode {
        match self {
            Self::BadRequest(_) => StatusCode::BAD_REQUEST,
            Self::Unauthorized => StatusCode::UNAUTHORIZED,
            Self::Forbidden(_) | Self::ForbiddenCondition(_) | Self::Infected(_) | Self::ScanError => {
                StatusCode::FORBIDDEN
            }
            Self::NotFound(_) | Self::NoRoute | Self::NoResource => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed(_) | Self::AlreadyExists(_) => StatusCode::METHOD_NOT_ALLOWED,
            Self::Conflict(_) | Self::ConflictCondition(_) => StatusCode::CONFLICT,
            Self::Expired => StatusCode::GONE,
            // Not registered, but TUS's own.
            Self::ChecksumMismatch => StatusCode::from_u16(460).unwrap_or(StatusCode::BAD_REQUEST),
            Self::PreconditionFailed(_) => StatusCode::PRECONDITION_FAILED,
            Self::TooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
            Self::QuotaExceeded => match dialect {
                Dialect::Json | Dialect::Graph => StatusCode::PAYLOAD_TOO_LARGE,
                Dialect::Dav => StatusCode::INSUFFICIENT_STORAGE,
            },
            Self::Limit(_) => StatusCode::INSUFFICIENT_STORAGE,
            Self::UnsupportedMediaType | Self::UnsupportedCoding => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::RangeNotSatisfiable(_) => StatusCode::RANGE_NOT_SATISFIABLE,
            Self::Unprocessable(_) | Self::InfectedUpload(_) => StatusCode::UNPROCESSABLE_ENTITY,
            Self::ScanPending => StatusCode::TOO_EARLY,
            Self::Locked(_) | Self::ConflictingLock(_) => StatusCode::LOCKED,
            Self::Raced(guard) => match guard {
                Guard::Token => StatusCode::UNAUTHORIZED,
                Guard::Gone => StatusCode::NOT_FOUND,
                Guard::Cycle | Guard::Infected => StatusCode::FORBIDDEN,
                Guard::Etag => StatusCode::PRECONDITION_FAILED,
                Guard::Lock => StatusCode::LOCKED,
                Guard::Parent | Guard::Place | Guard::Exists | Guard::Upload => StatusCode::CONFLICT,
            },
            Self::OtherServer(_) => StatusCode::BAD_GATEWAY,
            Self::Unavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
            Self::Config(_) | Self::NewerDatabase { .. } | Self::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// Whether the request was refused for good, so that nothing of it is done: else a batch may have been done that nobody
    /// has heard of.
    pub fn is_refusal(&self) -> bool {
        let status = self.status(Dialect::Dav);
        status.is_client_error() || status == StatusCode::INSUFFICIENT_STORAGE
    }

    /// The stable name in JSON answers.
    fn code(&self) -> &'static str {
        match self {
            Self::BadRequest(_) => "BAD_REQUEST",
            Self::Unauthorized => "UNAUTHORIZED",
            Self::Forbidden(_) | Self::ForbiddenCondition(_) => "FORBIDDEN",
            Self::NotFound(_) | Self::NoRoute | Self::NoResource => "NOT_FOUND",
            Self::MethodNotAllowed(_) | Self::AlreadyExists(_) => "METHOD_NOT_ALLOWED",
            Self::Conflict(_) | Self::ConflictCondition(_) => "CONFLICT",
            Self::Expired => "EXPIRED",
            Self::ChecksumMismatch => "CHECKSUM_MISMATCH",
            Self::PreconditionFailed(_) => "PRECONDITION_FAILED",
            Self::TooLarge(_) => "TOO_LARGE",
            Self::QuotaExceeded => "QUOTA_EXCEEDED",
            Self::Limit(_) => "LIMIT_EXCEEDED",
            Self::UnsupportedMediaType | Self::UnsupportedCoding => "UNSUPPORTED_MEDIA_TYPE",
            Self::RangeNotSatisfiable(_) => "RANGE_NOT_SATISFIABLE",
            Self::Unprocessable(_) => "UNPROCESSABLE",
            Self::InfectedUpload(_) | Self::Infected(_) | Self::Raced(Guard::Infected) => "INFECTED",
            Self::ScanPending => "SCAN_PENDING",
            Self::ScanError => "SCAN_ERROR",
            Self::Locked(_) | Self::ConflictingLock(_) | Self::Raced(Guard::Lock) => "LOCKED",
            Self::Raced(_) => "COLLISION",
            Self::OtherServer(_) => "OTHER_SERVER",
            Self::Unavailable(_) => "UNAVAILABLE",
            Self::Config(_) | Self::NewerDatabase { .. } => "MISCONFIGURED",
            Self::Internal(_) => "INTERNAL",
        }
    }

    /// What the client may read.
    pub fn sentence(&self) -> String {
        match self {
            Self::Internal(_) => "something went wrong on the server".to_owned(),
            Self::Unavailable(_) => "the service is away for a moment; try again".to_owned(),
            Self::Raced(Guard::Infected) => "a virus was found in what is to be copied".to_owned(),
            other => other.to_string(),
        }
    }

    /// The answer. `realm` is the name that a password dialogue shows.
    pub fn into_response(self, dialect: Dialect, realm: &str) -> Response<Body> {
        let status = self.status(dialect);
        if matches!(self, Self::Internal(_) | Self::Config(_) | Self::NewerDatabase { .. } | Self::Unavailable(_)) {
            log::error!("{self}");
        }
        let body = match dialect {
            Dialect::Json => self.json(),
            Dialect::Dav => self.xml(),
            Dialect::Graph => self.graph(),
        };
        let mut response = Response::new(Body::from(body));
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(dialect.content_type()));
        self.add_headers(dialect, realm, headers);
        response
    }

    fn add_headers(&self, dialect: Dialect, realm: &str, headers: &mut HeaderMap) {
        match self {
            Self::Unauthorized => {
                // One challenge alone: old clients trip over a second scheme behind a parameter.
                let challenge = match dialect {
                    Dialect::Dav | Dialect::Graph => format!("Basic realm=\"{realm}\", charset=\"UTF-8\""),
                    Dialect::Json => format!("Bearer realm=\"{realm}\", error=\"invalid_token\""),
                };
                if let Ok(challenge) = HeaderValue::try_from(challenge) {
                    headers.insert(header::WWW_AUTHENTICATE, challenge);
                }
            }
            Self::MethodNotAllowed(allow) | Self::AlreadyExists(allow) => {
                headers.insert(header::ALLOW, HeaderValue::from_static(allow));
            }
            // RFC 9110, 15.5.16: it tells that the coding is to blame, and not the type.
            Self::UnsupportedCoding => {
                headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static("identity"));
            }
            Self::RangeNotSatisfiable(length) => {
                if let Ok(range) = HeaderValue::try_from(format!("bytes */{length}")) {
                    headers.insert(header::CONTENT_RANGE, range);
                }
            }
            Self::Unavailable(_) | Self::ScanPending => {
                headers.insert(header::RETRY_AFTER, HeaderValue::from_static("5"));
            }
            _ => {}
        }
    }

    fn json(&self) -> String {
        serde_json::json!({ "error": self.sentence(), "code": self.code() }).to_string()
    }

    fn graph(&self) -> String {
        let code = match self {
            Self::Unauthorized => "unauthenticated",
            Self::Forbidden(_) => "accessDenied",
            Self::NotFound(_) | Self::NoRoute | Self::NoResource => "itemNotFound",
            Self::MethodNotAllowed(_) => "notAllowed",
            Self::BadRequest(_) => "invalidRequest",
            Self::Unavailable(_) => "serviceNotAvailable",
            _ => "generalException",
        };
        serde_json::json!({ "error": { "code": code, "message": self.sentence() } }).to_string()
    }
}

/// In which form a client reads errors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// `{"error": sentence, "code": name}`
    Json,
    /// `d:error`
    Dav,
    /// `{"error": {"code": name, "message": sentence}}`, as Libre Graph has it
    Graph,
}

impl Dialect {
    fn content_type(self) -> &'static str {
        match self {
            Self::Json | Self::Graph => "application/json",
            Self::Dav => "application/xml; charset=utf-8",
        }
    }
}

impl From<SqlError> for Error {
    fn from(error: SqlError) -> Self {
        match error {
            SqlError::Unavailable(_) => Self::Unavailable(error.to_string()),
            SqlError::Constraint(_) | SqlError::Failed(_) => Self::internal(error),
        }
    }
}

impl From<StreamError> for Error {
    fn from(error: StreamError) -> Self {
        match error {
            StreamError::Truncated(_) => Self::bad("the body ended before its time"),
            StreamError::TooLong => Self::TooLarge("the body is too long".to_owned()),
            StreamError::Corrupt(_) | StreamError::Io(_) => Self::internal(error),
        }
    }
}

impl From<BlobError> for Error {
    fn from(error: BlobError) -> Self {
        match error {
            BlobError::Source(source) => source.into(),
            BlobError::Missing(_) => Self::internal(error),
            BlobError::Unavailable(_) => Self::Unavailable(error.to_string()),
        }
    }
}

impl From<NameError> for Error {
    fn from(error: NameError) -> Self {
        Self::bad(error.to_string())
    }
}

impl From<CryptoError> for Error {
    fn from(error: CryptoError) -> Self {
        Self::internal(error)
    }
}
