//! The scanner's side is a script: what it takes, and what it says.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, Response};

use super::{Client, ScanError, Scanner, Verdict};
use crate::ports::{
    ByteSource, Chunks, Clock, Http, HttpError, Millis, Payload, Ports, StreamError, Tcp, TcpError, TcpStream,
    read_at_most,
};
use crate::runtime::native::Native;

const MIB: usize = 1024 * 1024;

/// A clock that goes on, while everything waits, to the first moment that somebody waits for.
#[derive(Default)]
struct Alarms {
    now: Cell<Millis>,
    set: RefCell<Vec<Millis>>,
}

#[async_trait(?Send)]
impl Clock for Alarms {
    fn now(&self) -> Millis {
        self.now.get()
    }

    async fn sleep(&self, duration: Duration) {
        let alarm = self.now() + Millis::try_from(duration.as_millis()).unwrap();
        self.set.borrow_mut().push(alarm);
        while self.now() < alarm {
            tokio::task::yield_now().await;
            let first = self.set.borrow().iter().copied().filter(|alarm| *alarm > self.now()).min();
            self.now.set(first.unwrap_or(alarm).min(alarm));
        }
    }
}

/// What clamd says, one `read` after the other.
#[derive(Clone, Copy)]
enum Say {
    Bytes(&'static [u8]),
    Endlessly(&'static [u8]),
    Close,
    Break,
    Hang,
}

/// What clamd does: it takes so many bytes, and speaks.
#[derive(Clone)]
struct Clamd {
    takes: usize,
    hangs_then: bool,
    says: Vec<Say>,
    got: Rc<RefCell<Vec<u8>>>,
}

impl Clamd {
    fn saying(says: impl IntoIterator<Item = Say>) -> Self {
        Self { takes: usize::MAX, hangs_then: false, says: says.into_iter().collect(), got: Rc::default() }
    }

    fn answering(answer: &'static [u8]) -> Self {
        Self::saying([Say::Bytes(answer), Say::Close])
    }

    fn client(&self) -> (Client, Rc<Alarms>) {
        client(
            Scanner::parse("clamd://scanner:3310").unwrap().unwrap(),
            Rc::new(self.clone()),
            Rc::new(Service::new(500)),
        )
    }
}

#[async_trait(?Send)]
impl Tcp for Clamd {
    async fn connect(&self, host: &str, port: u16) -> Result<Box<dyn TcpStream>, TcpError> {
        assert_eq!((host, port), ("scanner", 3310));
        Ok(Box::new(Session { clamd: self.clone(), says: self.says.clone().into() }))
    }
}

struct Session {
    clamd: Clamd,
    says: VecDeque<Say>,
}

#[async_trait(?Send)]
impl TcpStream for Session {
    async fn write(&mut self, bytes: Bytes) -> Result<(), TcpError> {
        self.clamd.got.borrow_mut().extend_from_slice(&bytes);
        if self.clamd.got.borrow().len() <= self.clamd.takes {
            return Ok(());
        }
        if self.clamd.hangs_then {
            std::future::pending::<()>().await;
        }
        Err(TcpError("write: broken pipe".to_owned()))
    }

    async fn read(&mut self) -> Result<Option<Bytes>, TcpError> {
        match self.says.pop_front().unwrap_or(Say::Close) {
            Say::Bytes(bytes) => Ok(Some(Bytes::from_static(bytes))),
            Say::Endlessly(bytes) => {
                self.says.push_front(Say::Endlessly(bytes));
                Ok(Some(Bytes::from_static(bytes)))
            }
            Say::Close => Ok(None),
            Say::Break => Err(TcpError("read: connection reset".to_owned())),
            Say::Hang => std::future::pending().await,
        }
    }
}

/// A scanner behind HTTP: its status, its answer, and how many bytes it takes before it gives it.
#[derive(Clone)]
struct Service {
    status: u16,
    answer: Vec<&'static str>,
    takes: usize,
    hangs: bool,
    got: Rc<RefCell<Vec<u8>>>,
}

impl Service {
    fn new(status: u16) -> Self {
        Self { status, answer: Vec::new(), takes: usize::MAX, hangs: false, got: Rc::default() }
    }

    fn answering(answer: &'static str) -> Self {
        Self { answer: vec![answer], ..Self::new(200) }
    }

    fn client(&self) -> (Client, Rc<Alarms>) {
        let scanner = Scanner::parse("https://scanner.example/v1?key=hush").unwrap().unwrap();
        client(scanner, Rc::new(Clamd::saying([])), Rc::new(self.clone()))
    }
}

#[async_trait(?Send)]
impl Http for Service {
    async fn send(&self, request: Request<Payload<'_>>) -> Result<Response<Box<dyn ByteSource>>, HttpError> {
        assert_eq!((request.method().as_str(), request.uri().path()), ("POST", "/v1"));
        assert_eq!(request.headers()["content-type"], "application/octet-stream");
        if let Payload::Stream(length, source) = request.into_body() {
            while self.got.borrow().len() < self.takes
                && let Some(piece) = source.next().await?
            {
                self.got.borrow_mut().extend_from_slice(&piece);
            }
            assert!(length >= self.got.borrow().len() as u64);
        }
        if self.hangs {
            std::future::pending::<()>().await;
        }
        if self.status == 0 {
            return Err(HttpError::Failed("connection refused".to_owned()));
        }
        let body = Box::new(Chunks::new(self.answer.iter().map(|text| Bytes::from(*text))));
        Ok(Response::builder().status(self.status).body(body as Box<dyn ByteSource>).unwrap())
    }
}

fn client(scanner: Scanner, tcp: Rc<dyn Tcp>, http: Rc<dyn Http>) -> (Client, Rc<Alarms>) {
    let clock = Rc::new(Alarms::default());
    let ports = Ports { tcp, http, clock: clock.clone(), ..Native::in_memory().ports() };
    (Client::new(scanner, &ports), clock)
}

async fn scan(client: &Client, data: &'static [u8]) -> Result<Verdict, ScanError> {
    client.scan(&mut Chunks::new([Bytes::from_static(data)]), data.len() as u64).await
}

fn infected(name: &str) -> Verdict {
    Verdict::Infected(name.to_owned())
}

#[tokio::test]
async fn clamd_gets_the_file_in_chunks_and_says_what_it_is() {
    for (answer, expected) in [
        ("stream: OK\0", Ok(Verdict::Clean)),
        ("stream: Eicar-Test FOUND\0", Ok(infected("Eicar-Test"))),
        ("stream: Win.Test.EICAR_HDB-1(44d88612:68) FOUND\0", Ok(infected("Win.Test.EICAR_HDB-1(44d88612:68)"))),
        ("stream: a\n\u{1b}[31mb FOUND\0", Ok(infected("a  [31mb"))),
        ("stream:  FOUND\0", Ok(infected("unnamed"))),
    ] {
        let clamd = Clamd::answering(answer.as_bytes());
        assert_eq!(scan(&clamd.client().0, b"data").await, expected, "{answer:?}");
        assert_eq!(*clamd.got.borrow(), b"zINSTREAM\0\0\0\0\x04data\0\0\0\0");
    }
}

#[tokio::test]
async fn long_pieces_are_cut_and_answers_may_come_in_pieces() {
    let clamd = Clamd::saying([Say::Bytes(b"stre"), Say::Bytes(b"am: OK"), Say::Bytes(b"\0")]);
    let file = Bytes::from(vec![b'x'; MIB / 4 + 1]);
    let verdict = clamd.client().0.scan(&mut Chunks::new([file.clone()]), file.len() as u64).await;
    assert_eq!(verdict, Ok(Verdict::Clean));
    let expected = [b"zINSTREAM\0\0\x04\0\0", &file[1..], b"\0\0\0\x01x", b"\0\0\0\0"].concat();
    assert!(*clamd.got.borrow() == expected);
}

#[tokio::test]
async fn a_file_beyond_its_limits_is_too_large_for_clamd() {
    let limit = b"INSTREAM size limit exceeded. ERROR\0";
    for clamd in [
        Clamd { takes: 12, ..Clamd::answering(limit) },
        Clamd::answering(limit),
        Clamd::answering(b"stream: Heuristics.Limits.Exceeded.MaxFileSize FOUND\0"),
    ] {
        assert_eq!(scan(&clamd.client().0, b"data").await, Err(ScanError::TooLarge));
    }
}

#[tokio::test]
async fn a_clamd_that_closes_early_gives_no_verdict() {
    let closing = |says: &[Say]| Clamd::saying(says.iter().copied());
    let taking = |takes, says: &[Say]| Clamd { takes, ..closing(says) };
    for (clamd, expected) in [
        (closing(&[Say::Close]), ""),
        (closing(&[Say::Bytes(b"stream: OK"), Say::Close]), "stream: OK"),
        (closing(&[Say::Bytes(b"stream: O"), Say::Break]), "read: connection reset"),
        (taking(0, &[Say::Close]), "write: broken pipe"),
        (taking(12, &[Say::Break]), "write: broken pipe"),
        (taking(12, &[Say::Hang]), "write: broken pipe"),
    ] {
        assert_eq!(scan(&clamd.client().0, b"data").await, Err(ScanError::ClosedEarly(expected.to_owned())));
    }
}

#[tokio::test]
async fn what_clamd_should_not_say_is_no_verdict() {
    let long: &'static [u8] = &[b'x'; 1000];
    for (clamd, expected) in [
        (Clamd::answering(b"\0"), ScanError::Unclear(String::new())),
        (Clamd::answering(b"OK\0"), ScanError::Unclear("OK".to_owned())),
        (Clamd::answering(b"1: stream: OK\0"), ScanError::Unclear("1: stream: OK".to_owned())),
        (Clamd::answering(b"stream: OK \0"), ScanError::Unclear("stream: OK".to_owned())),
        (Clamd::answering(b"UNKNOWN COMMAND\0"), ScanError::Unclear("UNKNOWN COMMAND".to_owned())),
        (Clamd::answering(b"HTTP/1.1 400\r\n\xff\0"), ScanError::Unclear("HTTP/1.1 400  \u{fffd}".to_owned())),
        (
            Clamd::answering(b"stream: OK\0stream: Eicar FOUND\0"),
            ScanError::Unclear("there is something behind its answer".to_owned()),
        ),
        (Clamd::saying([Say::Endlessly(long)]), ScanError::Unclear("its answer is too long".to_owned())),
        (
            Clamd::answering(b"INSTREAM: Can't write to temporary file. ERROR\0"),
            ScanError::Failed("INSTREAM: Can't write to temporary file.".to_owned()),
        ),
        // It has not seen the whole file.
        (Clamd { takes: 12, ..Clamd::answering(b"stream: OK\0") }, ScanError::Unclear("stream: OK".to_owned())),
    ] {
        assert_eq!(scan(&clamd.client().0, b"data").await, Err(expected));
    }
}

#[tokio::test]
async fn a_clamd_that_hangs_is_not_waited_for_long() {
    for (clamd, seconds) in [
        (Clamd { takes: 0, hangs_then: true, ..Clamd::saying([]) }, 30),
        (Clamd { takes: 12, hangs_then: true, ..Clamd::saying([]) }, 30),
        (Clamd::saying([Say::Hang]), 150),
        (Clamd::saying([Say::Bytes(b"stream: "), Say::Hang]), 150),
    ] {
        let (client, clock) = clamd.client();
        assert_eq!(scan(&client, b"data").await, Err(ScanError::TimedOut));
        assert_eq!(clock.now(), seconds * 1000);
    }
}

#[tokio::test]
async fn a_ping_tells_the_version() {
    let clamd = Clamd::answering(b"ClamAV 1.4.6/27800/Sat Nov 21 2026\0");
    assert_eq!(clamd.client().0.ping().await, Ok("ClamAV 1.4.6/27800/Sat Nov 21 2026".to_owned()));
    assert_eq!(*clamd.got.borrow(), b"zVERSION\0");
    let other = Clamd::answering(b"-ERR unknown command\0");
    assert_eq!(other.client().0.ping().await, Err(ScanError::Unclear("-ERR unknown command".to_owned())));
    assert_eq!(Clamd::saying([Say::Hang]).client().0.ping().await, Err(ScanError::TimedOut));

    let service = Service::answering(r#"{"infected":false}"#);
    assert_eq!(service.client().0.ping().await, Ok("scanner behind HTTP".to_owned()));
    assert!(matches!(Service::new(404).client().0.ping().await, Err(ScanError::Failed(_))));
    assert!(matches!(Service::new(0).client().0.ping().await, Err(ScanError::Unreachable(_))));
}

#[tokio::test]
async fn a_service_answers_in_json() {
    for (answer, expected) in [
        (r#"{"infected": false}"#, Ok(Verdict::Clean)),
        (r#"{"infected": false, "signature": "", "engine": 7}"#, Ok(Verdict::Clean)),
        (r#"{"infected": true, "signature": "Eicar-Test"}"#, Ok(infected("Eicar-Test"))),
        (r#"{"infected": true}"#, Ok(infected("unnamed"))),
    ] {
        let service = Service::answering(answer);
        assert_eq!(scan(&service.client().0, b"data").await, expected, "{answer}");
        assert_eq!(*service.got.borrow(), b"data");
    }
}

#[tokio::test]
async fn a_service_that_does_not_do_its_part_gives_no_verdict() {
    let long = Service { answer: vec!["{\"infected\": false,                "; 3000], ..Service::new(200) };
    for (service, expected) in [
        (Service::new(413), "the file is larger than the scanner allows"),
        (Service::new(500), "the scanner failed: it answered 500 Internal Server Error"),
        (Service::new(302), "the scanner failed: it answered 302 Found"),
        (Service::new(0), "the scanner cannot be reached: connection refused"),
        (Service::new(200), "the scanner gave no verdict: its answer is not the JSON that it should be"),
        (Service::answering("{}"), "the scanner gave no verdict: its answer is not the JSON that it should be"),
        (
            Service::answering("{\"infected\":\"no\"}"),
            "the scanner gave no verdict: its answer is not the JSON that it should be",
        ),
        (long, "the scanner gave no verdict: its answer is too long"),
        (
            Service { takes: 0, ..Service::answering(r#"{"infected":false}"#) },
            "the scanner gave no verdict: it answered before it had the whole file",
        ),
    ] {
        assert_eq!(scan(&service.client().0, b"data").await.unwrap_err().to_string(), expected);
    }
    let found_early = Service { takes: 0, ..Service::answering(r#"{"infected":true}"#) };
    assert_eq!(scan(&found_early.client().0, b"data").await, Ok(infected("unnamed")));
}

#[tokio::test]
async fn a_service_that_hangs_is_not_waited_for_long() {
    for (takes, seconds) in [(0, 30), (usize::MAX, 180)] {
        let (client, clock) = Service { takes, hangs: true, ..Service::new(200) }.client();
        assert_eq!(scan(&client, b"data").await, Err(ScanError::TimedOut));
        assert_eq!(clock.now(), seconds * 1000);
    }
}

#[tokio::test]
async fn a_file_that_breaks_off_is_not_clean() {
    let truncated = ScanError::Source(StreamError::Truncated("2 bytes are missing".to_owned()));
    for (client, _) in
        [Clamd::answering(b"stream: OK\0").client(), Service::answering(r#"{"infected":false}"#).client()]
    {
        let verdict = client.scan(&mut Chunks::new([Bytes::from_static(b"data")]), 6).await;
        assert_eq!(verdict, Err(truncated.clone()));
        assert_eq!(scan(&client, b"").await, Ok(Verdict::Clean));
    }
}

const TIME: Duration = Duration::from_secs(10);

/// Reads an upload of three pieces to its end, and asks for the verdict.
async fn upload(client: &Client, limit: u64) -> Result<Verdict, ScanError> {
    let mut source = Chunks::new(["one", "two", "three"].map(Bytes::from));
    let mut inspected = client.inspect(&mut source, limit, TIME);
    assert_eq!(read_at_most(&mut inspected, 100).await.unwrap(), "onetwothree");
    inspected.verdict().await
}

#[tokio::test]
async fn an_upload_is_scanned_while_it_passes() {
    let clamd = Clamd::answering(b"stream: Eicar-Test FOUND\0");
    assert_eq!(upload(&clamd.client().0, 11).await, Ok(infected("Eicar-Test")));
    assert_eq!(*clamd.got.borrow(), b"zINSTREAM\0\0\0\0\x03one\0\0\0\x03two\0\0\0\x05three\0\0\0\0");
    let service = Service::answering(r#"{"infected":true}"#);
    assert_eq!(upload(&service.client().0, 11).await, Ok(infected("unnamed")));
    assert_eq!(*service.got.borrow(), b"onetwothree");
}

#[tokio::test]
async fn an_upload_does_not_suffer_from_its_scanner() {
    for (clamd, expected) in [
        (Clamd { takes: 0, ..Clamd::saying([]) }, ScanError::ClosedEarly("write: broken pipe".to_owned())),
        (Clamd { takes: 18, hangs_then: true, ..Clamd::saying([]) }, ScanError::TimedOut),
        (Clamd::saying([Say::Hang]), ScanError::TimedOut),
        (Clamd::answering(b"\0"), ScanError::Unclear(String::new())),
    ] {
        let (client, clock) = clamd.client();
        assert_eq!(upload(&client, 11).await, Err(expected));
        assert!([0, 10_000].contains(&clock.now()), "{} ms", clock.now());
    }
    let (client, clock) = Service { hangs: true, ..Service::new(200) }.client();
    assert_eq!(upload(&client, 11).await, Err(ScanError::TimedOut));
    assert_eq!(clock.now(), 10_000);
}

#[tokio::test]
async fn an_upload_beyond_the_limit_is_not_scanned() {
    let clamd = Clamd::answering(b"stream: OK\0");
    assert_eq!(upload(&clamd.client().0, 10).await, Err(ScanError::TooLarge));
    assert_eq!(*clamd.got.borrow(), b"zINSTREAM\0\0\0\0\x03one\0\0\0\x03two", "the scanner is told no more");
    let service = Service::answering(r#"{"infected":false}"#);
    assert_eq!(upload(&service.client().0, 10).await, Err(ScanError::TooLarge));
    assert!(service.got.borrow().is_empty());
}

#[tokio::test]
async fn there_is_no_verdict_on_half_an_upload() {
    let (client, _) = Clamd::answering(b"stream: OK\0").client();
    let mut source = Chunks::new(["one", "two"].map(Bytes::from));
    let mut inspected = client.inspect(&mut source, 100, TIME);
    inspected.next().await.unwrap();
    inspected.next().await.unwrap();
    assert!(matches!(inspected.verdict().await, Err(ScanError::Source(StreamError::Truncated(_)))));
    assert!(client.inspect(&mut Chunks::new([]), 100, TIME).verdict().await.is_err());
}

#[tokio::test]
async fn an_upload_of_no_bytes_is_clean_without_a_scanner() {
    let clamd = Clamd::saying([Say::Hang]);
    let (client, _) = clamd.client();
    let mut source = Chunks::new([]);
    let mut inspected = client.inspect(&mut source, 0, TIME);
    assert_eq!(inspected.next().await, Ok(None));
    assert_eq!(inspected.verdict().await, Ok(Verdict::Clean));
    assert!(clamd.got.borrow().is_empty());
}
