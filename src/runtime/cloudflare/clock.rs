//! The time of day, from JavaScript.

use crate::ports::{Clock, Millis};

/// `Date.now()`, which Workers advance only between I/O.
pub struct DateNow;

impl Clock for DateNow {
    #[expect(clippy::cast_possible_truncation, reason = "whole milliseconds, far below 2^53")]
    fn now(&self) -> Millis {
        js_sys::Date::now() as Millis
    }
}
