//! The time of day, and waiting, from JavaScript.

use std::time::Duration;

use async_trait::async_trait;
use worker::Delay;

use crate::ports::{Clock, Millis};

/// `Date.now()`, which Workers advance only between I/O.
pub struct DateNow;

#[async_trait(?Send)]
impl Clock for DateNow {
    #[expect(clippy::cast_possible_truncation, reason = "whole milliseconds, far below 2^53")]
    fn now(&self) -> Millis {
        js_sys::Date::now() as Millis
    }

    async fn sleep(&self, duration: Duration) {
        Delay::from(duration).await;
    }
}
