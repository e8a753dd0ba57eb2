//! The runtime of the tests: metadata in SQLite, bytes in memory, a clock that can be set.

mod blobs;
mod sql;
mod system;
mod tcp;

use std::rc::Rc;

pub use self::blobs::MemoryBlobs;
pub use self::sql::NativeSql;
pub use self::system::{ImmediateTasks, NoHttp, OsRandom, SystemClock, TestClock};
pub use self::tcp::BlockingTcp;
pub use super::one_database::OneDatabase;
pub use super::rust_crypto::RustCrypto;
use crate::ports::{Clock, Millis, Ports};

/// 2026-01-02T03:04:05.678Z
const START: Millis = 1_767_323_045_678;

/// The adapters that tests look into, beside the ports that share them.
pub struct Native {
    /// The one database, migrated.
    pub sql: Rc<NativeSql>,
    /// The objects.
    pub blobs: MemoryBlobs,
    /// Stands at 2026-01-02T03:04:05.678Z until it is set.
    pub clock: Rc<TestClock>,
}

impl Native {
    /// An empty deployment in memory.
    pub fn in_memory() -> Self {
        Self {
            sql: Rc::new(NativeSql::open_in_memory()),
            blobs: MemoryBlobs::default(),
            clock: Rc::new(TestClock::at(START)),
        }
    }

    /// The same deployment once more, as it is at present: what becomes of one does not touch the other.
    #[must_use]
    pub fn copy(&self) -> Self {
        Self {
            sql: Rc::new(self.sql.copy()),
            blobs: self.blobs.copy(),
            clock: Rc::new(TestClock::at(self.clock.now())),
        }
    }

    /// What the core asks for.
    pub fn ports(&self) -> Ports {
        Ports {
            databases: Rc::new(OneDatabase(self.sql.clone())),
            blobs: Rc::new(self.blobs.clone()),
            http: Rc::new(NoHttp),
            clock: self.clock.clone(),
            random: Rc::new(OsRandom),
            crypto: Rc::new(RustCrypto),
            tasks: Rc::new(ImmediateTasks),
            tcp: Rc::new(BlockingTcp),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ports::contract;

    #[tokio::test]
    async fn sql_keeps_its_contract() {
        assert_eq!(contract::sql(&*Native::in_memory().ports().databases).await, Ok(()));
    }

    #[tokio::test]
    async fn blobs_keep_their_contract() {
        let native = Native::in_memory();
        assert_eq!(contract::blobs(&native.blobs, &OsRandom).await, Ok(()));
        assert_eq!(native.blobs.keys(), [""; 0], "the contract left objects behind");
    }

    #[tokio::test]
    async fn crypto_keeps_its_contract() {
        assert_eq!(contract::crypto(&RustCrypto).await, Ok(()));
    }

    #[tokio::test]
    async fn clock_and_random_keep_their_contracts() {
        assert_eq!(contract::clock_and_random(&SystemClock, &OsRandom).await, Ok(()));
    }

    #[test]
    fn the_test_clock_shows_what_it_is_set_to() {
        let clock = Native::in_memory().clock;
        assert_eq!(clock.now(), START);
        clock.advance(5);
        assert_eq!(clock.now(), START + 5);
        clock.set(1);
        assert_eq!(clock.now(), 1);
    }
}
