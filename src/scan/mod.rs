//! Virus scanners: what one says of a file.
//!
//! - `setting`: which scanner it is, the setting `SCANNER`
//! - `clamd`: ClamAV's daemon, over TCP
//! - `http`: a scanner behind HTTP
//! - `inspected`: an upload that is scanned while it passes
//!
//! What a file is for others until, and after, it was scanned is not decided here.

mod clamd;
mod http;
mod inspected;
mod setting;
#[cfg(test)]
mod tests;

use std::pin::pin;
use std::rc::Rc;
use std::time::Duration;

use futures_util::future::{Either, select};

pub use self::inspected::Inspected;
pub use self::setting::Scanner;
use crate::ports::{ByteSource, Clock, Exactly, Http, Ports, StreamError, Tcp};

/// How long a scanner may neither take a byte nor say one while a file goes to it.
const PATIENCE: Duration = Duration::from_secs(30);

/// How long it may think about a file that it has. clamd gives up by itself after two minutes (`MaxScanTime`).
const VERDICT_PATIENCE: Duration = Duration::from_secs(150);

/// Characters of what a scanner says that are passed on.
const MOST_SAID: usize = 200;

/// What a scanner says of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It has found nothing.
    Clean,
    /// It has found what it calls by this name.
    Infected(String),
}

/// Why there is no verdict. No message holds the address of the scanner.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ScanError {
    /// It is not there, or we may not go there.
    #[error("the scanner cannot be reached: {0}")]
    Unreachable(String),
    /// It went away before it had answered.
    #[error("the scanner closed the connection early: {0}")]
    ClosedEarly(String),
    /// Nothing came, or nothing was taken, for too long.
    #[error("the scanner did not answer in time")]
    TimedOut,
    /// The file is beyond a limit of the scanner. Another time will not help.
    #[error("the file is larger than the scanner allows")]
    TooLarge,
    /// It says that it has failed.
    #[error("the scanner failed: {0}")]
    Failed(String),
    /// What it said is no verdict.
    #[error("the scanner gave no verdict: {0}")]
    Unclear(String),
    /// The file itself broke off.
    #[error(transparent)]
    Source(#[from] StreamError),
}

/// A scanner, as this deployment reaches it.
#[derive(Clone)]
pub struct Client {
    scanner: Scanner,
    tcp: Rc<dyn Tcp>,
    http: Rc<dyn Http>,
    clock: Rc<dyn Clock>,
}

impl Client {
    /// The scanner of the setting, over the runtime's ports.
    pub fn new(scanner: Scanner, ports: &Ports) -> Self {
        let Ports { tcp, http, clock, .. } = ports.clone();
        Self { scanner, tcp, http, clock }
    }

    /// Has a file scanned, exactly `length` bytes, which may take minutes.
    pub async fn scan(&self, source: &mut dyn ByteSource, length: u64) -> Result<Verdict, ScanError> {
        if length == 0 {
            return Ok(Verdict::Clean);
        }
        match &self.scanner {
            Scanner::Clamd(address) => {
                let mut scan = clamd::Scan::begin(&*self.tcp, &self.clock, address).await?;
                let mut exact = Exactly::new(source, length);
                while let Some(piece) = exact.next().await? {
                    scan.feed(&piece).await?;
                }
                scan.finish().await
            }
            Scanner::Http(url) => http::scan(&*self.http, &*self.clock, url, source, length).await,
        }
    }

    /// An upload that is scanned while it passes, if it has at most `limit` bytes and the scanner keeps it waiting for
    /// at most `patience` in all.
    pub fn inspect<'a>(&'a self, source: &'a mut dyn ByteSource, limit: u64, patience: Duration) -> Inspected<'a> {
        Inspected::new(self, source, limit, patience)
    }

    /// Whether the scanner works; it says what it is.
    pub async fn ping(&self) -> Result<String, ScanError> {
        match &self.scanner {
            Scanner::Clamd(address) => clamd::version(&*self.tcp, &self.clock, address).await,
            Scanner::Http(url) => http::ping(&*self.http, &*self.clock, url).await,
        }
    }
}

/// What `work` gives, if it does so in time.
async fn in_time<T>(clock: &dyn Clock, time: Duration, work: impl Future<Output = T>) -> Result<T, ScanError> {
    match select(pin!(work), clock.sleep(time)).await {
        Either::Left((done, _)) => Ok(done),
        Either::Right(_) => Err(ScanError::TimedOut),
    }
}

/// What a scanner says, for people: on one line, and not endless.
fn said(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(MOST_SAID).collect::<String>().trim().to_owned()
}

/// The verdict on a file in which something was found, whatever it is called.
fn infected(name: &str) -> Verdict {
    let name = said(name);
    Verdict::Infected(if name.is_empty() { "unnamed".to_owned() } else { name })
}
