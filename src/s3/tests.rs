//! The store's side is a script: what it answers, one request after the other.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, Response};

use super::{S3, Settings};
use crate::ports::{BlobError, Blobs, ByteSource, Chunks, Clock, Http, HttpError, Payload, StreamError, read_at_most};
use crate::runtime::native::{OsRandom, TestClock};

/// 2013-05-24T00:00:00Z, the time of the examples in the documentation of Signature Version 4.
const NOW: i64 = 1_369_353_600_000;

/// What the store does with a request.
enum Step {
    Answer(u16, &'static str),
    /// A part of an object: the bytes from the first number to the second, of so many, and whether the connection
    /// breaks after them.
    Part(u64, u64, u64, &'static str, bool),
    NoAnswer,
    Hang,
}

/// The script, and the requests that came: method, path with query, range, payload.
#[derive(Default)]
struct Store {
    script: RefCell<VecDeque<Step>>,
    seen: RefCell<Vec<(String, String, String, Bytes)>>,
}

impl Store {
    fn requests(&self) -> Vec<String> {
        let line = |(method, path, range, payload): &(String, String, String, Bytes)| {
            let path = path.split(['&', '?']).filter(|part| !part.starts_with("X-Amz-")).collect::<Vec<_>>().join("&");
            format!("{method} {path} {range} {}", payload.len()).split_whitespace().collect::<Vec<_>>().join(" ")
        };
        self.seen.borrow().iter().map(line).collect()
    }
}

struct Broken(Option<Bytes>);

#[async_trait(?Send)]
impl ByteSource for Broken {
    async fn next(&mut self) -> Result<Option<Bytes>, StreamError> {
        self.0.take().map(Some).ok_or_else(|| StreamError::Io("cut".to_owned()))
    }
}

#[async_trait(?Send)]
impl Http for Store {
    async fn send(&self, request: Request<Payload<'_>>) -> Result<Response<Box<dyn ByteSource>>, HttpError> {
        let (parts, payload) = request.into_parts();
        let payload = match payload {
            Payload::Bytes(bytes) => bytes,
            Payload::Stream(_, source) => read_at_most(source, usize::MAX).await?,
        };
        let range = parts.headers.get("range").map_or("", |range| range.to_str().unwrap());
        let path = parts.uri.path_and_query().unwrap().to_string();
        self.seen.borrow_mut().push((parts.method.to_string(), path, range.to_owned(), payload));
        let body = |text: &'static str| Box::new(Chunks::new([Bytes::from(text)])) as Box<dyn ByteSource>;
        let step = self.script.borrow_mut().pop_front().expect("the script has an answer");
        match step {
            Step::Answer(status, text) => {
                let answer = Response::builder().status(status).header("etag", "\"e\"").body(body(text));
                Ok(answer.unwrap())
            }
            Step::Part(from, to, of, text, breaks) => {
                let body = if breaks { Box::new(Broken(Some(Bytes::from(text)))) } else { body(text) };
                let range = format!("bytes {from}-{to}/{of}");
                Ok(Response::builder().status(206).header("content-range", range).body(body).unwrap())
            }
            Step::NoAnswer => Err(HttpError::Failed("connection refused".to_owned())),
            Step::Hang => std::future::pending().await,
        }
    }
}

fn store(script: impl IntoIterator<Item = Step>) -> (Rc<Store>, S3, Rc<TestClock>) {
    let store = Rc::new(Store { script: RefCell::new(script.into_iter().collect()), ..Store::default() });
    let clock = Rc::new(TestClock::at(NOW));
    let settings = Settings::new("https://s3.example", "drive", "us-east-1", "id", "hush").unwrap();
    (store.clone(), S3::new(settings, store, clock.clone(), Rc::new(OsRandom)), clock)
}

async fn put(s3: &S3, data: &'static [u8]) -> Result<(), BlobError> {
    s3.put("1/k", data.len() as u64, &mut Chunks::new([Bytes::from_static(data)])).await
}

async fn get(s3: &S3) -> Result<Result<Bytes, StreamError>, BlobError> {
    Ok(read_at_most(&mut *s3.get("1/k", 2..8).await?, 100).await)
}

const NO_SUCH_KEY: &str = "<?xml version='1.0'?><Error><Code>NoSuchKey</Code><Message>gone</Message></Error>";
const SLOW_DOWN: &str = "<Error><Code>SlowDown</Code></Error>";

#[tokio::test]
async fn what_passes_is_tried_again_with_pauses_that_grow() {
    let (store, s3, clock) = store([Step::NoAnswer, Step::Answer(503, SLOW_DOWN), Step::Answer(200, "")]);
    put(&s3, b"data").await.unwrap();
    assert_eq!(store.requests(), ["PUT /drive/1/k 4"; 3]);
    let waited = clock.now() - NOW;
    assert!((600..1_800).contains(&waited), "{waited} ms");
}

#[tokio::test]
async fn in_the_end_the_caller_is_told_the_operation_and_no_secret() {
    let refusal = "<Error><Code>SignatureDoesNotMatch</Code>\n<Message>check\nyour key</Message>\
                   <StringToSign>hush</StringToSign></Error>";
    for (script, attempts, expected) in [
        (vec![Step::NoAnswer, Step::NoAnswer, Step::NoAnswer, Step::NoAnswer], 4, "connection refused"),
        (vec![Step::Answer(403, refusal)], 1, "403 Forbidden SignatureDoesNotMatch check your key"),
        (vec![Step::Answer(404, "<Error><Code>NoSuchBucket</Code></Error>")], 1, "404 Not Found NoSuchBucket"),
        (vec![Step::Answer(418, "not XML <")], 1, "418 I'm a teapot"),
        (vec![Step::Hang], 1, "no answer in time"),
    ] {
        let (store, s3, _) = store(script);
        let Err(BlobError::Unavailable(text)) = put(&s3, b"data").await else { panic!("{expected}") };
        assert_eq!(text, format!("PutObject: {expected}"));
        assert_eq!(store.requests().len(), attempts, "{expected}");
    }
}

#[tokio::test]
async fn a_signed_url_tells_who_and_until_when() {
    let (store, s3, _) = store([Step::Answer(200, "")]);
    put(&s3, b"data").await.unwrap();
    let path = store.seen.borrow()[0].1.clone();
    for part in ["X-Amz-Credential=id%2F20130524%2Fus-east-1%2Fs3%2Faws4_request", "X-Amz-Expires=900"] {
        assert!(path.contains(part), "{path}");
    }
    assert!(!path.contains("hush"));
}

#[tokio::test]
async fn a_streamed_payload_is_sent_once() {
    let (store, s3, _) = store([Step::Answer(503, SLOW_DOWN)]);
    let piece = Bytes::from(vec![0; 1024 * 1024]);
    let failed = s3.put("1/k", 2 * 1024 * 1024, &mut Chunks::new([piece.clone(), piece])).await;
    assert!(matches!(failed, Err(BlobError::Unavailable(_))), "{failed:?}");
    assert_eq!(store.requests(), ["PUT /drive/1/k 2097152"]);
}

#[tokio::test]
async fn a_download_is_taken_up_again_where_it_broke_off() {
    let (store, s3, _) = store([
        Step::Part(2, 7, 9, "cd", true),
        Step::NoAnswer,
        Step::Part(4, 7, 9, "ef", false),
        Step::Part(6, 7, 9, "gh", true),
    ]);
    assert_eq!(get(&s3).await.unwrap().unwrap(), "cdefgh");
    let expected = ["bytes=2-7", "bytes=4-7", "bytes=4-7", "bytes=6-7"];
    assert_eq!(store.requests(), expected.map(|range| format!("GET /drive/1/k {range} 0")));
}

#[tokio::test]
async fn a_download_that_never_comes_breaks_off() {
    let (_, s3, _) = store((0..4).map(|_| Step::Part(2, 7, 9, "", false)));
    assert!(matches!(get(&s3).await.unwrap(), Err(StreamError::Io(_))));
    let (_, s3, _) = store([Step::Part(2, 7, 9, "cd", true), Step::Answer(404, NO_SUCH_KEY)]);
    assert!(matches!(get(&s3).await.unwrap(), Err(StreamError::Io(_))));
}

#[tokio::test]
async fn an_object_that_is_gone_or_too_short_is_missing() {
    for step in [
        Step::Answer(404, NO_SUCH_KEY),
        Step::Answer(416, "<Error><Code>InvalidRange</Code></Error>"),
        Step::Part(2, 4, 5, "cde", false),
    ] {
        let (_, s3, _) = store([step]);
        assert!(matches!(get(&s3).await, Err(BlobError::Missing(_))));
    }
    // Not the range that was asked for: a server that does not know ranges.
    let (_, s3, _) = store([Step::Answer(200, "abcdefgh")]);
    assert!(matches!(get(&s3).await, Err(BlobError::Unavailable(_))));
}

const CREATED: &str = "<InitiateMultipartUploadResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Bucket>drive\
                       </Bucket><Key>1/k</Key><UploadId>u1</UploadId></InitiateMultipartUploadResult>";

#[tokio::test]
async fn a_multipart_upload_that_cannot_be_completed_is_aborted() {
    let error = "<Error><Code>InternalError</Code></Error>";
    for (status, attempts) in [(200, 4), (400, 1)] {
        let failures = (0..attempts).map(|_| Step::Answer(status, error));
        let script = [Step::Answer(200, CREATED), Step::Answer(200, "")].into_iter().chain(failures);
        let (store, s3, _) = store(script.chain([Step::Answer(404, NO_SUCH_UPLOAD)]));
        let mut upload = s3.create_multipart("1/k").await.unwrap();
        upload.append(Bytes::from_static(b"part")).await.unwrap();
        assert!(matches!(upload.complete().await, Err(BlobError::Unavailable(_))));
        let requests = store.requests();
        assert_eq!(requests[0], "POST /drive/1/k&uploads=1 0");
        assert_eq!(requests[1], "PUT /drive/1/k&partNumber=1&uploadId=u1 4");
        assert_eq!(requests[2 + attempts], "DELETE /drive/1/k&uploadId=u1 0");
    }
}

#[tokio::test]
async fn an_upload_whose_id_was_lost_is_aborted() {
    let listed = "<ListMultipartUploadsResult><Upload><Key>1/k</Key><UploadId>lost</UploadId></Upload>\
                  <Upload><Key>1/k</Key><UploadId>u1</UploadId></Upload></ListMultipartUploadsResult>";
    let (store, s3, _) = store([
        Step::NoAnswer,
        Step::Answer(200, "cut <"),
        Step::Answer(200, CREATED),
        Step::Answer(200, listed),
        Step::Answer(204, ""),
    ]);
    s3.create_multipart("1/k").await.unwrap();
    let requests = store.requests();
    assert_eq!(requests[3], "GET /drive/&prefix=1%2Fk&uploads= 0");
    assert_eq!(requests[4], "DELETE /drive/1/k&uploadId=lost 0");
    assert_eq!(requests.len(), 5, "its own upload is left alone");
}

#[tokio::test]
async fn bytes_in_memory_are_sent_again_however_many_they_are() {
    let (store, s3, _) = store([Step::Answer(500, ""), Step::Answer(200, "")]);
    s3.put_bytes("1/k", vec![0; 3 << 20].into()).await.unwrap();
    assert_eq!(store.requests(), ["PUT /drive/1/k 3145728"; 2]);
}

const NO_SUCH_UPLOAD: &str = "<Error><Code>NoSuchUpload</Code></Error>";

#[tokio::test]
async fn a_key_that_was_not_deleted_is_told() {
    let deleted = "<DeleteResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"></DeleteResult>";
    let refused = "<DeleteResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Error><Key>1/a</Key>\
                   <Code>AccessDenied</Code><Message>no</Message></Error></DeleteResult>";
    let (store, s3, _) = store([Step::Answer(200, deleted), Step::Answer(200, refused)]);
    let keys = ["1/a".to_owned(), "1/b".to_owned()];
    s3.delete(&keys).await.unwrap();
    assert!(matches!(s3.delete(&keys).await, Err(BlobError::Unavailable(text)) if text.contains("AccessDenied")));
    s3.delete(&[]).await.unwrap();
    assert_eq!(store.requests().len(), 2);
}

fn listed(keys: &[&str], rest: &str) -> &'static str {
    let contents = keys.iter().map(|key| ["<Contents><Key>", key, "</Key></Contents>"].concat()).collect::<String>();
    format!(
        "<ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><EncodingType>url</EncodingType>{contents}\
         {rest}</ListBucketResult>"
    )
    .leak()
}

const MORE: &str = "<IsTruncated>true</IsTruncated><NextContinuationToken>t</NextContinuationToken>";

#[tokio::test]
async fn a_list_goes_on_until_it_has_enough_or_the_store_says_that_there_are_no_more() {
    let (store, s3, _) = store([
        Step::Answer(200, listed(&["1%2Fa"], MORE)),
        Step::Answer(200, listed(&[], MORE)),
        Step::Answer(200, listed(&["1%2Fb", "a+b%2B"], "<IsTruncated>false</IsTruncated>")),
        Step::Answer(200, listed(&["2/c", "2/d"], MORE)),
    ]);
    assert_eq!(s3.list("", 4).await.unwrap(), ["1/a", "1/b", "a b+"]);
    assert_eq!(s3.list("2/b", 2).await.unwrap(), ["2/c", "2/d"]);
    assert_eq!(
        store.requests(),
        [
            "GET /drive/&encoding-type=url&list-type=2&max-keys=4 0",
            "GET /drive/&continuation-token=t&encoding-type=url&list-type=2&max-keys=3 0",
            "GET /drive/&continuation-token=t&encoding-type=url&list-type=2&max-keys=3 0",
            "GET /drive/&encoding-type=url&list-type=2&max-keys=2&start-after=2%2Fb 0",
        ]
    );
}

#[tokio::test]
async fn a_list_in_another_order_is_refused() {
    for keys in [&["1/b", "1/a"][..], &["1/b", "1/b"], &["1/0"]] {
        let (_, s3, _) = store([Step::Answer(200, listed(keys, ""))]);
        assert!(matches!(s3.list("1/0", 9).await, Err(BlobError::Unavailable(_))), "{keys:?}");
    }
}
