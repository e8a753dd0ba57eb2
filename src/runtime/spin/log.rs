//! The `log` crate's records on standard error, one line each; Spin keeps and shows them.

use log::{Level, LevelFilter, Log, Metadata, Record};

struct StandardError;

impl Log for StandardError {
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
            Level::Error => eprintln!("error: {line}"),
            Level::Warn => eprintln!("warning: {line}"),
            Level::Info | Level::Debug | Level::Trace => eprintln!("{line}"),
        }
    }

    fn flush(&self) {}
}

/// Sends the records of this instance to standard error; a second call changes nothing.
pub fn init() {
    if log::set_logger(&StandardError).is_ok() {
        log::set_max_level(LevelFilter::Info);
    }
}
