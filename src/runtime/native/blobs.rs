//! `Blobs` in memory, as strict as R2, with hooks for tests to look at objects and to damage them.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::ops::{Bound, Range};
use std::rc::Rc;

use async_trait::async_trait;
use bytes::Bytes;

use crate::ports::{BlobError, Blobs, ByteSource, Chunks, MultipartUpload, StreamError};

/// Objects come back in chunks of a length that fits nothing, as they do from a network.
const CHUNK: usize = 100_003;

/// R2's limits.
const MIN_PART: usize = 5 * 1024 * 1024;
const MAX_PARTS: usize = 10_000;
const MAX_DELETED: usize = 1_000;
const MAX_LISTED: usize = 1_000;
const MAX_KEY: usize = 128;

type Objects = Rc<RefCell<BTreeMap<String, Bytes>>>;

/// An object store whose clones share their objects.
#[derive(Clone, Default)]
pub struct MemoryBlobs {
    objects: Objects,
}

impl MemoryBlobs {
    /// An object store that holds what this one holds at present.
    #[must_use]
    pub fn copy(&self) -> Self {
        Self { objects: Rc::new(RefCell::new(self.objects.borrow().clone())) }
    }

    /// The keys of all visible objects, sorted.
    pub fn keys(&self) -> Vec<String> {
        self.objects.borrow().keys().cloned().collect()
    }

    /// The bytes of an object as they are stored.
    pub fn get_raw(&self, key: &str) -> Option<Bytes> {
        self.objects.borrow().get(key).cloned()
    }

    /// Puts `bytes` in the place of an object, whatever was there.
    pub fn put_raw(&self, key: &str, bytes: impl Into<Bytes>) {
        self.objects.borrow_mut().insert(key.to_owned(), bytes.into());
    }
}

#[async_trait(?Send)]
impl Blobs for MemoryBlobs {
    async fn put(&self, key: &str, length: u64, source: &mut dyn ByteSource) -> Result<(), BlobError> {
        check_key(key)?;
        if length == 0 {
            return Err(refused("an object has at least 1 byte"));
        }
        let mut object = Vec::new();
        while let Some(chunk) = source.next().await? {
            object.extend_from_slice(&chunk);
            if object.len() as u64 > length {
                return Err(StreamError::TooLong.into());
            }
        }
        if (object.len() as u64) < length {
            return Err(StreamError::Truncated(format!("{} of {length} bytes came", object.len())).into());
        }
        self.put_raw(key, object);
        Ok(())
    }

    async fn create_multipart(&self, key: &str) -> Result<Box<dyn MultipartUpload>, BlobError> {
        check_key(key)?;
        Ok(Box::new(MemoryUpload { objects: self.objects.clone(), key: key.to_owned(), parts: Vec::new() }))
    }

    async fn get(&self, key: &str, range: Range<u64>) -> Result<Box<dyn ByteSource>, BlobError> {
        if range.is_empty() {
            return Err(refused("the range is empty"));
        }
        let missing = || BlobError::Missing(key.to_owned());
        let object = self.get_raw(key).ok_or_else(missing)?;
        let start = usize::try_from(range.start).map_err(|_| missing())?;
        let end = usize::try_from(range.end).ok().filter(|end| *end <= object.len()).ok_or_else(missing)?;
        let mut rest = object.slice(start..end);
        let chunks = std::iter::from_fn(|| (!rest.is_empty()).then(|| rest.split_to(CHUNK.min(rest.len()))));
        Ok(Box::new(Chunks::new(chunks)))
    }

    async fn delete(&self, keys: &[String]) -> Result<(), BlobError> {
        if keys.len() > MAX_DELETED {
            return Err(refused("more than 1,000 keys"));
        }
        let mut objects = self.objects.borrow_mut();
        for key in keys {
            objects.remove(key);
        }
        Ok(())
    }

    async fn list(&self, after: &str, limit: usize) -> Result<Vec<String>, BlobError> {
        if !(1..=MAX_LISTED).contains(&limit) {
            return Err(refused("a list has 1 to 1,000 keys"));
        }
        let range = (Bound::Excluded(after), Bound::Unbounded);
        Ok(self.objects.borrow().range::<str, _>(range).map(|(key, _)| key.clone()).take(limit).collect())
    }
}

struct MemoryUpload {
    objects: Objects,
    key: String,
    parts: Vec<Bytes>,
}

#[async_trait(?Send)]
impl MultipartUpload for MemoryUpload {
    async fn append(&mut self, part: Bytes) -> Result<(), BlobError> {
        let full = self.parts.first().map_or(part.len(), Bytes::len);
        if part.len() > full || self.parts.last().is_some_and(|last| last.len() < full || full < MIN_PART) {
            return Err(refused("all parts but the last have the same length, at least 5 MiB"));
        }
        if part.is_empty() || self.parts.len() == MAX_PARTS {
            return Err(refused("an empty part, or more than 10,000"));
        }
        self.parts.push(part);
        Ok(())
    }

    async fn complete(self: Box<Self>) -> Result<(), BlobError> {
        if self.parts.is_empty() {
            return Err(refused("no part was appended"));
        }
        self.objects.borrow_mut().insert(self.key, self.parts.concat().into());
        Ok(())
    }

    async fn abort(self: Box<Self>) -> Result<(), BlobError> {
        Ok(())
    }
}

fn check_key(key: &str) -> Result<(), BlobError> {
    let allowed = |c: u8| c.is_ascii_alphanumeric() || c == b'/' || c == b'-';
    if key.is_empty() || key.len() > MAX_KEY || !key.bytes().all(allowed) {
        return Err(refused("the key is not 1 to 128 ASCII letters, digits, '/' and '-'"));
    }
    Ok(())
}

fn refused(reason: &str) -> BlobError {
    BlobError::Unavailable(reason.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_r2_refuses_is_refused() {
        let blobs = MemoryBlobs::default();
        let one = || Chunks::new([Bytes::from_static(b"x")]);
        for key in ["", "ä", "a b", "a.b", &"k".repeat(129)] {
            assert!(blobs.put(key, 1, &mut one()).await.is_err(), "{key:?}");
        }
        assert!(blobs.put("k", 0, &mut Chunks::new([])).await.is_err());
        assert!(blobs.create_multipart("k").await.unwrap().complete().await.is_err());
        assert!(blobs.delete(&vec!["k".to_owned(); 1_001]).await.is_err());
        for limit in [0, 1_001] {
            assert!(blobs.list("", limit).await.is_err());
        }

        let mut upload = blobs.create_multipart("k").await.unwrap();
        upload.append(Bytes::from_static(b"short")).await.unwrap();
        assert!(upload.append(Bytes::from_static(b"s")).await.is_err());
        let mut upload = blobs.create_multipart("k").await.unwrap();
        upload.append(vec![0; MIN_PART].into()).await.unwrap();
        assert!(upload.append(vec![0; MIN_PART + 1].into()).await.is_err());
        assert_eq!(blobs.keys(), [""; 0]);
    }
}
