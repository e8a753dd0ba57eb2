//! `Clock`, `Random` and `Tasks` natively.

use std::cell::Cell;
use std::pin::Pin;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use async_trait::async_trait;
use futures_util::FutureExt;
use http::{Request, Response};

use crate::ports::{ByteSource, Clock, Http, HttpError, Millis, Payload, Random, Tasks};

/// The clock of the machine.
pub struct SystemClock;

#[async_trait(?Send)]
impl Clock for SystemClock {
    fn now(&self) -> Millis {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Millis::try_from(since.as_millis()).unwrap_or(Millis::MAX)
    }

    async fn sleep(&self, duration: Duration) {
        std::thread::sleep(duration);
    }
}

/// A clock that stands still until it is set.
pub struct TestClock(Cell<Millis>);

impl TestClock {
    /// A clock that shows `now`.
    pub fn at(now: Millis) -> Self {
        Self(Cell::new(now))
    }

    /// Sets it to `now`.
    pub fn set(&self, now: Millis) {
        self.0.set(now);
    }

    /// Moves it on (or back) by `milliseconds`.
    pub fn advance(&self, milliseconds: Millis) {
        self.0.set(self.0.get() + milliseconds);
    }
}

#[async_trait(?Send)]
impl Clock for TestClock {
    fn now(&self) -> Millis {
        self.0.get()
    }

    /// Moves the clock on, and returns at once.
    async fn sleep(&self, duration: Duration) {
        self.advance(Millis::try_from(duration.as_millis()).unwrap_or(Millis::MAX));
    }
}

/// The random numbers of the operating system.
pub struct OsRandom;

impl Random for OsRandom {
    /// # Panics
    /// When the operating system gives none, as the port demands.
    fn fill(&self, buffer: &mut [u8]) {
        getrandom::fill(buffer).expect("the operating system has random bytes");
    }
}

/// There is no other server.
pub struct NoHttp;

#[async_trait(?Send)]
impl Http for NoHttp {
    async fn send(&self, _: Request<Payload<'_>>) -> Result<Response<Box<dyn ByteSource>>, HttpError> {
        Err(HttpError::Failed("there is no network".to_owned()))
    }
}

/// Runs a task to its end before `spawn` returns: no native adapter ever waits.
pub struct ImmediateTasks;

impl Tasks for ImmediateTasks {
    /// # Panics
    /// When the task waits for something, which it would then never get.
    fn spawn(&self, task: Pin<Box<dyn Future<Output = ()>>>) {
        task.now_or_never().expect("a task that waits for nothing");
    }
}
