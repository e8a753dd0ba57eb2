//! `Clock`, `Random` and `Tasks` on WASI.

use std::pin::Pin;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use async_trait::async_trait;
use spin_sdk::wasip3::random::random::get_random_bytes;
use spin_sdk::wasip3::spawn;

use crate::ports::{Clock, Millis, Random, Tasks};

/// The host's clocks.
pub struct WasiClock;

#[async_trait(?Send)]
impl Clock for WasiClock {
    fn now(&self) -> Millis {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Millis::try_from(since.as_millis()).unwrap_or(Millis::MAX)
    }

    async fn sleep(&self, duration: Duration) {
        spin_sdk::time::sleep(duration).await;
    }
}

/// The host's random bytes.
pub struct WasiRandom;

impl Random for WasiRandom {
    fn fill(&self, mut buffer: &mut [u8]) {
        while !buffer.is_empty() {
            // The host may give fewer than it is asked for, but at least one.
            let bytes = get_random_bytes(buffer.len() as u64);
            let (filled, rest) = std::mem::take(&mut buffer).split_at_mut(bytes.len());
            filled.copy_from_slice(&bytes);
            buffer = rest;
        }
    }
}

/// Tasks go on behind the answer, in the instance that gave it.
pub struct Spawned;

impl Tasks for Spawned {
    fn spawn(&self, task: Pin<Box<dyn Future<Output = ()>>>) {
        spawn(task);
    }
}
