//! The `log` crate's records on the console, one line each.

use log::{Level, LevelFilter, Log, Metadata, Record};
use worker::{console_error, console_log, console_warn};

struct Console;

impl Log for Console {
    fn enabled(&self, metadata: &Metadata) -> bool {
        metadata.level() <= Level::Info
    }

    fn log(&self, record: &Record) {
        if !self.enabled(record.metadata()) {
            return;
        }
        // Text from outside may hold line breaks; a record is one line all the same.
        let line = record.args().to_string().replace(['\n', '\r'], " ");
        match record.level() {
            Level::Error => console_error!("error: {line}"),
            Level::Warn => console_warn!("warning: {line}"),
            Level::Info | Level::Debug | Level::Trace => console_log!("{line}"),
        }
    }

    fn flush(&self) {}
}

/// Sends the records of this instance to the console; a second call changes nothing.
pub fn init() {
    if log::set_logger(&Console).is_ok() {
        log::set_max_level(LevelFilter::Info);
    }
}
