//! clamd, ClamAV's daemon: its commands INSTREAM, for a file, and VERSION. Each has a connection of its own.
//!
//! A command is `zNAME` and a zero byte, and so is its answer. INSTREAM is followed by the file in chunks: the length in
//! four bytes, big-endian, and so many bytes; length 0 ends it. clamd answers `stream: OK`, `stream: NAME FOUND`, or a
//! sentence that ends in `ERROR`. When it wants no more, because of `StreamMaxLength`, it says so and closes.

use std::rc::Rc;
use std::time::Duration;

use bytes::{BufMut, Bytes, BytesMut};

use super::setting::Address;
use super::{PATIENCE, ScanError, VERDICT_PATIENCE, Verdict, in_time, infected, said};
use crate::ports::{Clock, Tcp, TcpError, TcpStream};

/// Bytes of a file that are sent at once.
const CHUNK: usize = 256 * 1024;

/// An answer is a name or a sentence; more is not read.
const MOST_ANSWER: usize = 4 * 1024;

/// What clamd finds in a file that is longer than its `MaxFileSize`, with `AlertExceedsMax`.
const BEYOND_LIMITS: &str = "Heuristics.Limits.Exceeded";

/// A file on its way to clamd.
pub struct Scan(Session);

impl Scan {
    /// Connects, and announces a file.
    pub async fn begin(tcp: &dyn Tcp, clock: &Rc<dyn Clock>, address: &Address) -> Result<Self, ScanError> {
        Ok(Self(Session::open(tcp, clock, address, b"zINSTREAM\0").await?))
    }

    /// Sends the next bytes of the file.
    pub async fn feed(&mut self, piece: &Bytes) -> Result<(), ScanError> {
        for chunk in piece.chunks(CHUNK) {
            self.0.send(framed(chunk)).await?;
        }
        Ok(())
    }

    /// Ends the file, and waits for what clamd says of it.
    pub async fn finish(mut self) -> Result<Verdict, ScanError> {
        self.0.send(framed(&[])).await?;
        verdict(&self.0.answer(VERDICT_PATIENCE).await?)
    }
}

/// What clamd says of itself.
pub async fn version(tcp: &dyn Tcp, clock: &Rc<dyn Clock>, address: &Address) -> Result<String, ScanError> {
    let answer = Session::open(tcp, clock, address, b"zVERSION\0").await?.answer(PATIENCE).await?;
    if answer.starts_with("ClamAV ") { Ok(said(&answer)) } else { Err(ScanError::Unclear(said(&answer))) }
}

/// A chunk with its length. The end is a chunk of no bytes.
#[expect(clippy::cast_possible_truncation, reason = "at most CHUNK")]
fn framed(chunk: &[u8]) -> Bytes {
    let mut framed = BytesMut::with_capacity(4 + chunk.len());
    framed.put_u32(chunk.len() as u32);
    framed.put_slice(chunk);
    framed.freeze()
}

/// The answer to a file.
fn verdict(answer: &str) -> Result<Verdict, ScanError> {
    if answer.starts_with("INSTREAM size limit exceeded") {
        return Err(ScanError::TooLarge);
    }
    if let Some(sentence) = answer.strip_suffix("ERROR") {
        return Err(ScanError::Failed(said(sentence)));
    }
    match answer.strip_prefix("stream: ") {
        Some("OK") => Ok(Verdict::Clean),
        Some(found) if found.starts_with(BEYOND_LIMITS) => Err(ScanError::TooLarge),
        Some(found) if found.ends_with(" FOUND") => Ok(infected(found.trim_end_matches(" FOUND"))),
        _ => Err(ScanError::Unclear(said(answer))),
    }
}

/// A connection with one command.
struct Session {
    stream: Box<dyn TcpStream>,
    clock: Rc<dyn Clock>,
}

impl Session {
    async fn open(
        tcp: &dyn Tcp,
        clock: &Rc<dyn Clock>,
        address: &Address,
        command: &'static [u8],
    ) -> Result<Self, ScanError> {
        let connected = in_time(&**clock, PATIENCE, tcp.connect(&address.host, address.port)).await?;
        let stream = connected.map_err(|TcpError(message)| ScanError::Unreachable(message))?;
        let mut session = Self { stream, clock: Rc::clone(clock) };
        session.send(Bytes::from_static(command)).await?;
        Ok(session)
    }

    /// Sends bytes. Where they are not wanted, clamd may have said why.
    async fn send(&mut self, bytes: Bytes) -> Result<(), ScanError> {
        let Err(error) = in_time(&*self.clock, PATIENCE, self.stream.write(bytes)).await? else { return Ok(()) };
        let Ok(answer) = self.answer(PATIENCE).await else { return Err(closed_early(error)) };
        match verdict(&answer) {
            // Not of the whole file.
            Ok(_) => Err(ScanError::Unclear(said(&answer))),
            Err(reason) => Err(reason),
        }
    }

    /// The answer, without the zero byte at its end.
    async fn answer(&mut self, patience: Duration) -> Result<String, ScanError> {
        in_time(&*self.clock, patience, read_answer(&mut *self.stream)).await?
    }
}

async fn read_answer(stream: &mut dyn TcpStream) -> Result<String, ScanError> {
    let mut answer = BytesMut::new();
    while answer.len() <= MOST_ANSWER {
        let piece = stream.read().await.map_err(closed_early)?;
        let Some(piece) = piece else {
            return Err(ScanError::ClosedEarly(said(&String::from_utf8_lossy(&answer))));
        };
        answer.extend_from_slice(&piece);
        match answer.iter().position(|byte| *byte == 0) {
            Some(end) if end + 1 == answer.len() => {
                answer.truncate(end);
                return Ok(String::from_utf8_lossy(&answer).into_owned());
            }
            Some(_) => return Err(ScanError::Unclear("there is something behind its answer".to_owned())),
            None => {}
        }
    }
    Err(ScanError::Unclear("its answer is too long".to_owned()))
}

fn closed_early(TcpError(message): TcpError) -> ScanError {
    ScanError::ClosedEarly(message)
}
