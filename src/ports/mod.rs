//! What the core asks of a runtime: the ground floor, which imports nothing of ours.
//!
//! Each port is one trait in one file, with the contract that every adapter in `runtime/` keeps.
//! Futures are single-threaded (`?Send`), as on Workers and Spin. `contract` holds one test
//! suite a port; it runs natively under `cargo test` and inside workerd through the feature
//! `contract`.

mod blobs;
mod bytes;
mod clock;
#[cfg(any(test, feature = "contract"))]
pub mod contract;
mod count;
mod crypto;
mod http;
mod random;
mod sql;
mod tasks;
mod tcp;

use std::rc::Rc;

pub use self::blobs::{BlobError, Blobs, MOST_IN_ONE_PUT, MultipartUpload};
pub use self::bytes::{ByteSource, Chunks, Exactly, StreamError, collect, read_at_most};
pub use self::clock::{Clock, Millis};
pub use self::count::Count;
pub use self::crypto::{ContentHasher, Crypto, CryptoError, Digests, SEGMENT_TAG, SegmentCipher};
pub use self::http::{Http, HttpError, Payload};
pub use self::random::Random;
pub use self::sql::{Batch, Databases, Kind, Rows, Sql, SqlError, Statement, Value};
pub use self::tasks::Tasks;
pub use self::tcp::{Tcp, TcpError, TcpStream};

/// All ports of one runtime; cloning is cheap.
#[derive(Clone)]
pub struct Ports {
    /// Metadata.
    pub databases: Rc<dyn Databases>,
    /// Bytes.
    pub blobs: Rc<dyn Blobs>,
    /// Requests to other servers.
    pub http: Rc<dyn Http>,
    /// The time of day.
    pub clock: Rc<dyn Clock>,
    /// Unpredictable bytes.
    pub random: Rc<dyn Random>,
    /// Bulk encryption and hashing.
    pub crypto: Rc<dyn Crypto>,
    /// Work that may outlive the response.
    pub tasks: Rc<dyn Tasks>,
    /// Connections to other servers.
    pub tcp: Rc<dyn Tcp>,
}

impl Ports {
    /// `bytes` random bytes in hexadecimal.
    pub fn random_hex(&self, bytes: usize) -> String {
        let mut buffer = vec![0; bytes];
        self.random.fill(&mut buffer);
        data_encoding::HEXLOWER.encode(&buffer)
    }
}
