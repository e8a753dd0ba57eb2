//! The contract of `Blobs` and `MultipartUpload`.

use std::ops::Range;

use async_trait::async_trait;
use bytes::Bytes;
use data_encoding::HEXLOWER;

use super::{check, check_equal, done};
use crate::ports::{BlobError, Blobs, ByteSource, Chunks, Random, StreamError, read_at_most};

const MIB: usize = 1024 * 1024;
const PART: usize = 5 * MIB;

/// Checks an object store, with objects of random keys below `contract/` that it deletes again.
pub async fn blobs(blobs: &dyn Blobs, random: &dyn Random) -> Result<(), String> {
    let suite = Suite::new(blobs, random);
    let result = suite.all().await;
    let keys: Vec<String> = NAMES.iter().chain(&LISTED).map(|name| suite.key(name)).collect();
    done(blobs.delete(&keys).await, "deleting the objects of the test")?;
    result
}

const NAMES: [&str; 7] = ["object", "failed", "parts", "one-part", "aborted", "first", "second"];

/// In the order of their bytes, in which `-` comes before `/`, and both before `0`; and in that of the names between slashes.
const LISTED: [&str; 9] = ["1/0a-", "1/0a-1", "1/0b", "1/a", "10/0", "2/-", "2/Z", "2/a-/-/z", "2/a0"];

struct Suite<'a> {
    blobs: &'a dyn Blobs,
    run: String,
}

impl<'a> Suite<'a> {
    fn new(blobs: &'a dyn Blobs, random: &dyn Random) -> Self {
        let mut run = [0; 16];
        random.fill(&mut run);
        Self { blobs, run: HEXLOWER.encode(&run) }
    }

    fn key(&self, name: &str) -> String {
        format!("contract/{}/{name}", self.run)
    }

    async fn all(&self) -> Result<(), String> {
        self.what_is_put_comes_back().await?;
        self.ranges_are_exact().await?;
        self.what_is_not_there_is_missing().await?;
        self.a_put_that_breaks_off_leaves_nothing().await?;
        self.parts_make_one_object().await?;
        self.aborted_parts_make_none().await?;
        self.many_are_deleted_at_once().await?;
        self.keys_are_listed_in_order().await
    }

    async fn put(&self, name: &str, data: &Bytes) -> Result<(), BlobError> {
        self.blobs.put(&self.key(name), data.len() as u64, &mut pieces(data, 70_001)).await
    }

    async fn get(&self, name: &str, range: Range<usize>) -> Result<Bytes, BlobError> {
        let mut source = self.blobs.get(&self.key(name), range.start as u64..range.end as u64).await?;
        let bytes = read_at_most(source.as_mut(), range.len()).await?;
        // The end stays the end.
        match source.next().await? {
            None => Ok(bytes),
            Some(_) => Err(StreamError::TooLong.into()),
        }
    }

    async fn check_content(&self, name: &str, data: &Bytes, promise: &str) -> Result<(), String> {
        let got = done(self.get(name, 0..data.len()).await, promise)?;
        check(got == data, promise)
    }

    async fn check_missing(&self, name: &str, promise: &str) -> Result<(), String> {
        match self.get(name, 0..1).await {
            Err(BlobError::Missing(_)) => Ok(()),
            other => Err(format!("not kept: {promise}: got {:?}", other.map(|bytes| bytes.len()))),
        }
    }

    async fn what_is_put_comes_back(&self) -> Result<(), String> {
        for length in [1, 70_000, 70_001, 3 * MIB + 1] {
            let data = pattern(length, 1);
            done(self.put("object", &data).await, &format!("put of {length} bytes"))?;
            self.check_content("object", &data, &format!("{length} bytes come back as they were put")).await?;
        }
        let data = pattern(MIB, 2);
        let mut whole = Chunks::new([data.clone()]);
        done(self.blobs.put(&self.key("object"), MIB as u64, &mut whole).await, "put of one large piece")?;
        self.check_content("object", &data, "an object in one piece comes back").await
    }

    async fn ranges_are_exact(&self) -> Result<(), String> {
        let length = 200_000;
        let data = pattern(length, 3);
        done(self.put("object", &data).await, "put")?;
        for range in [0..1, 0..length, length - 1..length, 1..length - 1, 65_535..65_537, 99_999..100_000] {
            let promise = format!("the bytes of {range:?}");
            check(done(self.get("object", range.clone()).await, &promise)? == data.slice(range), &promise)?;
        }
        for range in [0..length + 1, length - 1..length + 1, length..length + 1, 2 * length..3 * length] {
            let promise = format!("{range:?} of {length} bytes fails, or breaks off with an error");
            let error = self.get("object", range.clone()).await;
            // `get` takes a clean end for what it is: too few bytes.
            check(error.map_or(true, |bytes| bytes.len() == range.len()), &promise)?;
        }
        Ok(())
    }

    async fn what_is_not_there_is_missing(&self) -> Result<(), String> {
        self.check_missing("never-put", "an object that was never put is missing").await
    }

    async fn a_put_that_breaks_off_leaves_nothing(&self) -> Result<(), String> {
        for (came, announced) in [(1, 2), (MIB, MIB + 1), (0, 1), (MIB, 3 * MIB)] {
            let promise = format!("a source of {came} bytes for {announced} is refused as truncated");
            let result = self.put_as(&mut pieces(&pattern(came, 4), 70_001), announced).await;
            check(matches!(result, Err(BlobError::Source(StreamError::Truncated(_)))), &promise)?;
            self.check_missing("failed", "a short source leaves no object").await?;
        }
        for (came, announced) in [(2, 1), (MIB + 1, MIB), (3 * MIB, MIB)] {
            let promise = format!("a source of {came} bytes for {announced} is refused as too long");
            let result = self.put_as(&mut pieces(&pattern(came, 5), 70_001), announced).await;
            check(matches!(result, Err(BlobError::Source(StreamError::TooLong))), &promise)?;
            self.check_missing("failed", "a long source leaves no object").await?;
        }
        for came in [0, 1, MIB, 2 * MIB] {
            let mut source = Failing(pieces(&pattern(came, 6), 70_001));
            let result = self.put_as(&mut source, 2 * MIB).await;
            let own_error = matches!(result, Err(BlobError::Source(StreamError::Io(text))) if text == FAILURE);
            check(own_error, &format!("the error of a source that fails after {came} bytes comes back"))?;
            self.check_missing("failed", "a failing source leaves no object").await?;
        }
        Ok(())
    }

    async fn put_as(&self, source: &mut dyn ByteSource, announced: usize) -> Result<(), BlobError> {
        self.blobs.put(&self.key("failed"), announced as u64, source).await
    }

    async fn parts_make_one_object(&self) -> Result<(), String> {
        let data = pattern(2 * PART + 1_000, 7);
        let mut upload = done(self.blobs.create_multipart(&self.key("parts")).await, "create_multipart")?;
        for part in [0..PART, PART..2 * PART, 2 * PART..data.len()] {
            done(upload.append(data.slice(part)).await, "append")?;
            self.check_missing("parts", "parts are not visible before complete").await?;
        }
        done(upload.complete().await, "complete")?;
        self.check_content("parts", &data, "three parts come back as one object").await?;
        let border = PART - 3..PART + 3;
        let got = done(self.get("parts", border.clone()).await, "a range over two parts")?;
        check(got == data.slice(border), "a range over two parts")?;

        let data = pattern(10, 8);
        let mut upload = done(self.blobs.create_multipart(&self.key("one-part")).await, "create_multipart")?;
        done(upload.append(data.clone()).await, "append of a last part that is the only one")?;
        done(upload.complete().await, "complete")?;
        self.check_content("one-part", &data, "one short part comes back").await
    }

    async fn aborted_parts_make_none(&self) -> Result<(), String> {
        for parts in 0..2 {
            let mut upload = done(self.blobs.create_multipart(&self.key("aborted")).await, "create_multipart")?;
            for _ in 0..parts {
                done(upload.append(pattern(PART, 9)).await, "append")?;
            }
            done(upload.abort().await, &format!("abort after {parts} parts"))?;
            self.check_missing("aborted", "an aborted upload leaves no object").await?;
        }
        Ok(())
    }

    async fn many_are_deleted_at_once(&self) -> Result<(), String> {
        for name in ["first", "second", "object"] {
            done(self.put(name, &pattern(10, 10)).await, "put")?;
        }
        let mut keys: Vec<String> = (0..998).map(|i| self.key(&format!("never-put-{i}"))).collect();
        keys.extend([self.key("first"), self.key("second")]);
        for _ in 0..2 {
            done(self.blobs.delete(&keys).await, "delete of 1,000 keys, most of which do not exist")?;
            self.check_missing("first", "a deleted object is missing").await?;
            self.check_missing("second", "a deleted object is missing").await?;
        }
        done(self.blobs.delete(&[]).await, "delete of no keys")?;
        let kept = done(self.get("object", 0..10).await, "get of an object that was not named")?;
        check_equal(&kept, &pattern(10, 10), "delete removes only what was named")
    }

    async fn keys_are_listed_in_order(&self) -> Result<(), String> {
        for name in LISTED.iter().rev() {
            done(self.put(name, &pattern(1, 11)).await, "put")?;
        }
        let before = self.key("0");
        let all: Vec<String> = LISTED.iter().map(|name| self.key(name)).collect();
        for at in 0..=all.len() {
            let after = at.checked_sub(1).map_or(&before, |last| &all[last]);
            for limit in 1..=all.len() - at {
                let listed = done(self.blobs.list(after, limit).await, "list")?;
                let promise = format!("the {limit} keys after {after}, though there are more");
                check_equal(&listed, &all[at..at + limit].to_vec(), &promise)?;
            }
        }
        let between = done(self.blobs.list(&self.key("1/0a-0"), 1).await, "list")?;
        check_equal(&between, &vec![self.key("1/0a-1")], "a list begins after a key that is not there")?;
        // Others may have objects after ours.
        let listed = done(self.blobs.list(&self.key("1/a"), 1_000).await, "list of 1,000 keys")?;
        check(listed.starts_with(&all[4..]), "a list of 1,000 keys begins with ours")?;
        check(listed.len() == 1_000 || listed.is_sorted(), "and is in order")?;
        let end = done(self.blobs.list("~", 1_000).await, "list after the last key")?;
        check_equal(&end, &Vec::<String>::new(), "after the last key comes nothing")?;

        done(self.blobs.delete(&all[..1]).await, "delete")?;
        let listed = done(self.blobs.list(&before, 1).await, "list")?;
        check_equal(&listed, &all[1..2].to_vec(), "what is deleted is listed no longer")?;
        done(self.put(LISTED[0], &pattern(1, 11)).await, "put")?;
        let listed = done(self.blobs.list(&before, 1).await, "list")?;
        check_equal(&listed, &all[..1].to_vec(), "what is put is listed at once")
    }
}

const FAILURE: &str = "the contract's own failure";

/// Yields its chunks, then fails.
struct Failing(Chunks);

#[async_trait(?Send)]
impl ByteSource for Failing {
    async fn next(&mut self) -> Result<Option<Bytes>, StreamError> {
        match self.0.next().await? {
            Some(chunk) => Ok(Some(chunk)),
            None => Err(StreamError::Io(FAILURE.to_owned())),
        }
    }
}

/// Bytes that tell their place, and one object from another.
fn pattern(length: usize, seed: u8) -> Bytes {
    (0_u8..251).map(|i| i ^ seed).chain(1..=255).cycle().take(length).collect()
}

fn pieces(data: &Bytes, length: usize) -> Chunks {
    Chunks::new((0..data.len()).step_by(length).map(|at| data.slice(at..data.len().min(at + length))))
}
