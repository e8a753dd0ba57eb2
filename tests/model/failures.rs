//! One operation, whose calls to the database and the object store fail in turn, and uploads that
//! break off: all of it happens or nothing, the answer says so, and what is left adds up.

use std::cell::Cell;
use std::ops::Range;
use std::rc::Rc;

use async_trait::async_trait;
use bytes::Bytes;
use edgedrive::body::Body;
use edgedrive::ports::{
    Batch, BlobError, Blobs, ByteSource, Databases, MultipartUpload, Ports, Sql, SqlError, Statement, StreamError,
};
use edgedrive::runtime::native::{MemoryBlobs, Native, NativeSql};

use crate::bearers::{make_token, revoke, write_by_token};
use crate::listing::read;
use crate::operation::{Condition, Data, Operation, Tokens, copy, delete, lock, mkcol, proppatch, put, relocate};
use crate::pair::Pair;
use crate::pieces::{Pieces, abandon, begin, chunk, create, finish, patch, pieces, terminate};
use crate::world::{Settings, World, request};
use crate::{events, invariants};

/// When a call fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Moment {
    /// Before it has done anything.
    Before,
    /// Once it has done all, so that only the answer is lost.
    After,
}

/// Counts the calls to the database and the object store, and has one of them fail.
#[derive(Default)]
struct Fault {
    calls: Cell<usize>,
    planned: Cell<Option<(usize, Moment)>>,
}

impl Fault {
    /// Begins to count; the `nth` call from here fails.
    fn plan(&self, planned: Option<(usize, Moment)>) {
        self.calls.set(0);
        self.planned.set(planned);
    }

    async fn pass<T, E>(&self, call: impl Future<Output = Result<T, E>>, unavailable: fn(String) -> E) -> Result<T, E> {
        let nth = self.calls.replace(self.calls.get() + 1);
        let Some((_, moment)) = self.planned.get().filter(|(planned, _)| *planned == nth) else { return call.await };
        if moment == Moment::After {
            call.await?;
        }
        Err(unavailable(format!("call {nth} was to fail")))
    }
}

/// A database or an object store that fails as planned.
#[derive(Clone)]
struct Failing<T> {
    inner: T,
    fault: Rc<Fault>,
}

#[async_trait(?Send)]
impl Sql for Failing<Rc<NativeSql>> {
    async fn batch(&self, statements: Vec<Statement>) -> Result<Batch, SqlError> {
        self.fault.pass(self.inner.batch(statements), SqlError::Unavailable).await
    }
}

impl Databases for Failing<Rc<NativeSql>> {
    fn shards(&self) -> Vec<Rc<dyn Sql>> {
        vec![self.directory()]
    }

    fn directory(&self) -> Rc<dyn Sql> {
        Rc::new(self.clone())
    }

    fn drive(&self, _account: i64) -> Rc<dyn Sql> {
        Rc::new(self.clone())
    }
}

#[async_trait(?Send)]
impl Blobs for Failing<MemoryBlobs> {
    async fn put(&self, key: &str, length: u64, source: &mut dyn ByteSource) -> Result<(), BlobError> {
        self.fault.pass(self.inner.put(key, length, source), BlobError::Unavailable).await
    }

    async fn create_multipart(&self, key: &str) -> Result<Box<dyn MultipartUpload>, BlobError> {
        let inner = self.fault.pass(self.inner.create_multipart(key), BlobError::Unavailable).await?;
        Ok(Box::new(Failing { inner, fault: self.fault.clone() }))
    }

    async fn get(&self, key: &str, range: Range<u64>) -> Result<Box<dyn ByteSource>, BlobError> {
        self.fault.pass(self.inner.get(key, range), BlobError::Unavailable).await
    }

    async fn delete(&self, keys: &[String]) -> Result<(), BlobError> {
        self.fault.pass(self.inner.delete(keys), BlobError::Unavailable).await
    }

    async fn list(&self, after: &str, limit: usize) -> Result<Vec<String>, BlobError> {
        self.fault.pass(self.inner.list(after, limit), BlobError::Unavailable).await
    }
}

#[async_trait(?Send)]
impl MultipartUpload for Failing<Box<dyn MultipartUpload>> {
    async fn append(&mut self, part: Bytes) -> Result<(), BlobError> {
        self.fault.pass(self.inner.append(part), BlobError::Unavailable).await
    }

    async fn complete(self: Box<Self>) -> Result<(), BlobError> {
        self.fault.pass(self.inner.complete(), BlobError::Unavailable).await
    }

    async fn abort(self: Box<Self>) -> Result<(), BlobError> {
        self.fault.pass(self.inner.abort(), BlobError::Unavailable).await
    }
}

/// A drive where the fixture and `before` were done.
fn prepared(before: &[Operation]) -> Pair {
    let mut pair = Pair::new(Settings::default(), Native::ports);
    pair.prepare(before);
    pair
}

/// A copy of it, and what makes its calls fail.
fn failing(start: &Pair) -> (Pair, Rc<Fault>) {
    let fault = Rc::new(Fault::default());
    let ports = |native: &Native| Ports {
        databases: Rc::new(Failing { inner: native.sql.clone(), fault: fault.clone() }),
        blobs: Rc::new(Failing { inner: native.blobs.clone(), fault: fault.clone() }),
        ..native.ports()
    };
    (start.copy(ports), fault)
}

/// Does the operation once for each call that it makes and each moment at which that may fail.
fn fail_everywhere(before: &[Operation], operation: &Operation) {
    let start = prepared(before);
    let (mut pair, fault) = failing(&start);
    fault.plan(None);
    pair.perform(operation);
    let (calls, done) = (fault.calls.get(), pair.sight());
    assert!(calls > 1, "{operation:?} makes {calls} calls");
    for planned in (0..calls).flat_map(|nth| [(nth, Moment::Before), (nth, Moment::After)]) {
        let (mut pair, fault) = failing(&start);
        let undone = pair.sight();
        let request = operation.request(&pair.tree, &pair.world).unwrap();
        fault.plan(Some(planned));
        let answer = pair.world.send(request);
        fault.plan(None);

        let what = format!("{operation:?}, {planned:?}: {} {}", answer.status, answer.text());
        assert_eq!(answer.status, 503, "{what}");
        assert!(!answer.header("retry-after").is_empty() && !answer.text().is_empty(), "{what}");
        invariants::check(&pair.world, Settings::default());
        read(&pair.world);
        let sight = pair.sight();
        assert!(sight == undone || planned.1 == Moment::After && sight == done, "{what}: {sight:#?}");
        if sight == undone {
            pair.perform(operation);
            assert_eq!(pair.sight(), done, "{what}, and done again");
        }
    }
}

#[test]
fn what_fails_has_not_happened() {
    let restore = Operation::Restore { path: "c", nth: 0 };
    let upload = Operation::Upload { path: "c", data: Data { length: 5, byte: b'5' } };
    let stream = |length| Operation::Put {
        path: "c",
        data: Data { length, byte: b's' },
        sized: false,
        condition: Condition::Current,
        tokens: Tokens::None,
    };
    let operations = [
        put("d", 5),
        put("c", 5),
        put("c", 0),
        stream(5),
        // In two parts.
        stream(9 << 20),
        mkcol("d"),
        delete("a"),
        copy("a", "d"),
        copy("a", "b"),
        copy("c", "b/c"),
        relocate("a", "b"),
        relocate("c", "b/c"),
        proppatch("a"),
        lock("c", true),
        lock("d", true),
        upload,
        restore,
        Operation::Rename { path: "c", to: "a/c" },
        Operation::Remove { path: "c" },
    ];
    for operation in &operations {
        fail_everywhere(&[], operation);
    }
    for operation in [Operation::Unlock { path: None, nth: 0 }, Operation::Refresh { path: None, nth: 0 }] {
        fail_everywhere(&[lock("c", true)], &operation);
    }
}

#[test]
fn what_fails_of_an_upload_in_pieces_has_not_happened() {
    let begun = [begin(), chunk(1, 5), create("d")].map(pieces);
    fail_everywhere(&[], &pieces(begin()));
    // A PATCH that brings the last byte does two things, and may do only the first.
    for step in [chunk(1, 3), chunk(2, 3), finish("c"), finish("d"), abandon(), patch(3), terminate()] {
        fail_everywhere(&begun, &pieces(step));
    }
}

#[test]
fn an_upload_whose_last_bytes_failed_goes_on_where_it_is() {
    let start = prepared(&[pieces(create("c"))]);
    let (mut pair, fault) = failing(&start);
    fault.plan(None);
    pair.perform(&pieces(patch(5)));
    let (calls, done) = (fault.calls.get(), (read(&pair.world), events::take(&pair.world)));
    for planned in (0..calls).flat_map(|nth| [(nth, Moment::Before), (nth, Moment::After)]) {
        let (pair, fault) = failing(&start);
        fault.plan(Some(planned));
        let ask = |pieces: &Pieces| pair.world.send(pieces.request(None, &pair.tree, &pair.world));
        assert_eq!(ask(&patch(5)).status, 503, "{planned:?}");
        fault.plan(None);
        let come = pair.world.rows("SELECT received FROM uploads", [])[0]["received"].as_u64().unwrap();
        let come = usize::try_from(come).unwrap();
        let rest = Data { length: 5 - come, byte: b't' };
        let answer = ask(&Pieces::Patch { nth: 0, offset: Some(come), data: rest });
        assert_eq!(answer.status, 204, "{planned:?}, {come} bytes: {}", answer.text());
        assert_eq!((read(&pair.world), events::take(&pair.world)), done, "{planned:?}, {come} bytes");
        invariants::check(&pair.world, Settings::default());
    }
}

#[test]
fn what_fails_of_tokens_has_not_happened() {
    fail_everywhere(&[], &make_token("a"));
    // Its first use is recorded before.
    for operation in [revoke(), write_by_token("b/c"), write_by_token("e")] {
        fail_everywhere(&[make_token("a"), write_by_token("d")], &operation);
    }
}

#[test]
fn a_download_from_a_store_that_is_away_is_to_be_tried_again() {
    let (pair, fault) = failing(&prepared(&[]));
    for nth in 0..2 {
        fault.plan(Some((nth, Moment::Before)));
        let answer = pair.world.send(request("GET", "/dav/c").body(Body::empty()).unwrap());
        assert_eq!(answer.status, 503, "call {nth}: {}", answer.text());
    }
}

#[test]
fn a_use_of_the_token_that_is_not_recorded_spoils_nothing() {
    // It is recorded once an hour, after the read.
    let (mut pair, fault) = failing(&prepared(&[Operation::Wait, Operation::Wait]));
    fault.plan(Some((1, Moment::Before)));
    pair.perform(&put("d", 5));
    assert_eq!(fault.calls.get(), 4, "the read, the record, the blob and the link");
}

/// A body that ends otherwise than it should.
struct Broken {
    bytes: Vec<u8>,
    end: Option<StreamError>,
}

#[async_trait(?Send)]
impl ByteSource for Broken {
    async fn next(&mut self) -> Result<Option<Bytes>, StreamError> {
        if self.bytes.is_empty() {
            return self.end.take().map_or(Ok(None), Err);
        }
        Ok(Some(Bytes::from(std::mem::take(&mut self.bytes))))
    }
}

/// Sends an upload that does not come as announced, and sees that it left nothing behind.
fn check_refused(status: u16, world: &World, request: http::request::Builder, length: Option<u64>, body: Broken) {
    let answer = world.send(request.body(Body::stream(length, Box::new(body))).unwrap());
    assert_eq!(answer.status, status, "{}", answer.text());
    assert!(!answer.text().is_empty());
    invariants::check(world, Settings::default());
}

#[test]
fn an_upload_that_breaks_off_leaves_nothing() {
    let (pair, _) = failing(&prepared(&[]));
    let before = pair.sight();
    let vanished = || Some(StreamError::Truncated("the client vanished".to_owned()));
    // In the first segment, behind it, and in the second part of a multipart upload.
    for came in [0, 10, 300_000, 9 << 20] {
        for path in ["/dav/c", "/dav/d"] {
            let put = || request("PUT", path);
            let bytes = || vec![b'x'; came];
            let announced = |more: u64| Some(came as u64 + more);
            check_refused(400, &pair.world, put(), announced(1), Broken { bytes: bytes(), end: vanished() });
            check_refused(400, &pair.world, put(), announced(1), Broken { bytes: bytes(), end: None });
            check_refused(400, &pair.world, put(), None, Broken { bytes: bytes(), end: vanished() });
            if came > 0 {
                let less = Some(came as u64 - 1);
                check_refused(413, &pair.world, put(), less, Broken { bytes: bytes(), end: None });
            }
        }
        for end in [None, vanished()] {
            let mut bytes = b"--limit\r\nContent-Disposition: form-data; name=file; filename=c\r\n\r\n".to_vec();
            bytes.resize(bytes.len() + came, b'x');
            let form = request("POST", "/api/v1/files").header("Content-Type", "multipart/form-data; boundary=limit");
            check_refused(400, &pair.world, form, None, Broken { bytes, end });
        }
    }
    assert_eq!(pair.sight(), before);
    assert_eq!(pair.world.native.blobs.keys().len(), pair.world.rows("SELECT 1 FROM parts", []).len());
}
