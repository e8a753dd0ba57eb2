//! Requests to other servers.

use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, Response};

use super::{ByteSource, StreamError};

/// What an outgoing request carries.
pub enum Payload<'a> {
    /// Bytes in memory, or none.
    Bytes(Bytes),
    /// Exactly that many bytes of the source, at least 1. A source that gives another number
    /// must fail (`Exactly` makes it so).
    Stream(u64, &'a mut dyn ByteSource),
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    /// The payload broke off, and with it the request: the server has not got all of it.
    #[error(transparent)]
    Source(#[from] StreamError),
    /// The server was not reached, or it went away before it answered.
    #[error("{0}")]
    Failed(String),
}

/// An HTTP client.
#[async_trait(?Send)]
pub trait Http {
    /// Sends the request, whose URL is absolute, with the length of its payload, and gives the
    /// answer when its head is there, whatever its status. Redirects are not followed. The answer
    /// may come before all of the payload was taken; the rest is not sent then. The answer's
    /// source fails if the connection breaks before its end.
    ///
    /// It waits as long as the runtime lets it; whoever drops the call ends the request.
    async fn send(&self, request: Request<Payload<'_>>) -> Result<Response<Box<dyn ByteSource>>, HttpError>;
}
