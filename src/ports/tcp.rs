//! Connections by TCP.

use async_trait::async_trait;
use bytes::Bytes;

/// Why there is no connection, or no more: what was tried, and what the runtime says of it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct TcpError(pub String);

/// A TCP client.
#[async_trait(?Send)]
pub trait Tcp {
    /// Connects to `port` of `host`: a name, or an address as URLs have it, IPv6 in brackets. Fails where nobody
    /// listens, and where the runtime lets nobody go.
    ///
    /// It waits as long as the runtime lets it; whoever drops the call gives the connection up.
    async fn connect(&self, host: &str, port: u16) -> Result<Box<dyn TcpStream>, TcpError>;
}

/// A connection. Dropping it closes it, in both directions. When a call was dropped before its end, the connection is
/// good for nothing but dropping.
#[async_trait(?Send)]
pub trait TcpStream {
    /// Sends `bytes`, at least one. Returns when the runtime has taken them all, which it does at the pace of the
    /// peer. Fails, at once or a few calls later, when the peer has closed.
    async fn write(&mut self, bytes: Bytes) -> Result<(), TcpError>;

    /// The next bytes from the peer, never empty, as soon as there are some; `None` when it has closed, and again on
    /// every call after it. A failed `write` does not take away what the peer has sent before.
    async fn read(&mut self) -> Result<Option<Bytes>, TcpError>;
}
