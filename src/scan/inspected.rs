//! An upload that is scanned while it passes.

use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;

use super::setting::Scanner;
use super::{Client, ScanError, Verdict, clamd, in_time};
use crate::ports::{ByteSource, Chunks, StreamError};

/// A source whose bytes a scanner gets, too. The reader notices nothing of it, but that it may wait a little: whatever
/// goes wrong with the scanner, only `verdict` tells.
///
/// clamd gets the bytes as they come. A scanner behind HTTP gets them in the end; up to the limit they are held in memory.
pub struct Inspected<'a> {
    source: &'a mut dyn ByteSource,
    client: &'a Client,
    scan: Result<Begun, ScanError>,
    room: u64,
    patience: Duration,
    ended: bool,
}

/// What the scanner has of the upload.
enum Begun {
    Nothing,
    Clamd(clamd::Scan),
    Held(Vec<Bytes>),
}

impl<'a> Inspected<'a> {
    pub(super) fn new(client: &'a Client, source: &'a mut dyn ByteSource, limit: u64, patience: Duration) -> Self {
        Self { source, client, scan: Ok(Begun::Nothing), room: limit, patience, ended: false }
    }

    /// What the scanner says of the upload, which was read to its end. One beyond the limit is `TooLarge`, whatever
    /// the scanner itself allows.
    pub async fn verdict(mut self) -> Result<Verdict, ScanError> {
        if !self.ended {
            return Err(StreamError::Truncated("the upload did not come to its end".to_owned()).into());
        }
        let scan = std::mem::replace(&mut self.scan, Err(ScanError::TimedOut))?;
        let client = self.client;
        self.in_time(async {
            match scan {
                Begun::Nothing => Ok(Verdict::Clean),
                Begun::Clamd(scan) => scan.finish().await,
                Begun::Held(pieces) => {
                    let length = pieces.iter().map(|piece| piece.len() as u64).sum();
                    client.scan(&mut Chunks::new(pieces), length).await
                }
            }
        })
        .await
    }

    /// Lets the scanner have a piece, unless it is out already.
    async fn show(&mut self, piece: &Bytes) {
        // What is left if this call is dropped half-way: no verdict.
        let scan = std::mem::replace(&mut self.scan, Err(ScanError::TimedOut));
        let room = self.room.checked_sub(piece.len() as u64);
        self.room = room.unwrap_or(0);
        self.scan = match (scan, room) {
            (Ok(_), None) => Err(ScanError::TooLarge),
            (Ok(begun), Some(_)) => {
                let fed = begun.fed(self.client, piece);
                self.in_time(fed).await
            }
            (Err(error), _) => Err(error),
        };
    }

    /// What `work` gives, if the scanner has not used its time up.
    async fn in_time<T>(&mut self, work: impl Future<Output = Result<T, ScanError>>) -> Result<T, ScanError> {
        let clock = &*self.client.clock;
        let before = clock.now();
        let outcome = in_time(clock, self.patience, work).await;
        let used = u64::try_from(clock.now() - before).unwrap_or(0);
        self.patience = self.patience.saturating_sub(Duration::from_millis(used));
        outcome?
    }
}

impl Begun {
    /// The same scan, one piece later.
    async fn fed(self, client: &Client, piece: &Bytes) -> Result<Self, ScanError> {
        match (self, &client.scanner) {
            (Self::Held(mut pieces), _) => {
                pieces.push(piece.clone());
                Ok(Self::Held(pieces))
            }
            (_, Scanner::Http(_)) => Ok(Self::Held(vec![piece.clone()])),
            (Self::Clamd(mut scan), _) => {
                scan.feed(piece).await?;
                Ok(Self::Clamd(scan))
            }
            (Self::Nothing, Scanner::Clamd(address)) => {
                let mut scan = clamd::Scan::begin(&*client.tcp, &client.clock, address).await?;
                scan.feed(piece).await?;
                Ok(Self::Clamd(scan))
            }
        }
    }
}

#[async_trait(?Send)]
impl ByteSource for Inspected<'_> {
    async fn next(&mut self) -> Result<Option<Bytes>, StreamError> {
        let piece = self.source.next().await?;
        match &piece {
            Some(piece) => self.show(piece).await,
            None => self.ended = true,
        }
        Ok(piece)
    }
}
