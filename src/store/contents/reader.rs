//! Bytes on their way out of a content.

use std::collections::VecDeque;
use std::ops::Range;
use std::rc::Rc;

use async_trait::async_trait;
use bytes::Bytes;

use super::content::set_digests;
use crate::crypto::{MasterKeys, OpeningSource, blob_aad, sealed_range};
use crate::error::{Error, Result};
use crate::ports::{BlobError, ByteSource, Digests, Ports, Statement, StreamError};
use crate::store::door::drive::{Drive, Record};
use crate::store::ground::content_info::Part;

/// The plaintext of a stretch of a content, part after part. A part that is missing or was
/// changed breaks it off; the error names the blob.
struct ContentSource {
    ports: Ports,
    keys: Rc<MasterKeys>,
    account: i64,
    /// What is still to be opened: parts, and the bytes of each that are wanted.
    rest: VecDeque<(Part, Range<u64>)>,
    open: Option<OpeningSource>,
    /// A piece that was read already.
    first: Option<Bytes>,
}

impl Drive {
    /// The bytes `range` of a content, which is not empty. The first piece is read here, so that
    /// a store that is away and a blob that is gone or was changed are errors of this call.
    pub async fn read(&self, keys: &Rc<MasterKeys>, parts: &[Part], range: Range<u64>) -> Result<Box<dyn ByteSource>> {
        let mut source = ContentSource {
            ports: self.ports.clone(),
            keys: keys.clone(),
            account: self.account,
            rest: wanted(parts, &range),
            open: None,
            first: None,
        };
        let failed = |error| match error {
            StreamError::Io(_) => Error::Unavailable(error.to_string()),
            other => Error::internal(other),
        };
        source.open_next().await.map_err(failed)?;
        source.first = source.next().await.map_err(failed)?;
        Ok(Box::new(source))
    }
}

impl Drive {
    /// The digests of a content of `size` bytes, which is read for that.
    pub async fn digests(&self, keys: &Rc<MasterKeys>, parts: &[Part], size: u64) -> Result<Digests> {
        let mut hasher = self.ports.crypto.hasher();
        if size > 0 {
            let mut source = self.read(keys, parts, 0..size).await?;
            while let Some(piece) = source.next().await.map_err(Error::internal)? {
                hasher.update(&piece).await?;
            }
        }
        Ok(hasher.finish().await?)
    }

    /// Records the digests of a content; no job need compute them any more. One round trip.
    pub async fn record_digests(&self, content: &str, digests: &Digests) -> Result<()> {
        let done = Statement::write(
            "DELETE FROM jobs WHERE state IN ('ready', 'dead') AND kind = 'digest' AND payload = ?1",
            [content.into()],
        );
        self.note(vec![Record(set_digests(content, digests)), Record(done)]).await
    }
}

/// The parts that hold `range`, with the bytes of each.
fn wanted(parts: &[Part], range: &Range<u64>) -> VecDeque<(Part, Range<u64>)> {
    let mut start = 0;
    let mut wanted = VecDeque::new();
    for part in parts {
        let end = start + part.size.unsigned_abs();
        let overlap = range.start.max(start)..range.end.min(end);
        if overlap.start < overlap.end {
            wanted.push_back((part.clone(), overlap.start - start..overlap.end - start));
        }
        start = end;
    }
    wanted
}

impl ContentSource {
    async fn open_next(&mut self) -> Result<bool, StreamError> {
        let Some((part, range)) = self.rest.pop_front() else { return Ok(false) };
        let corrupt = |what: String| StreamError::Corrupt(format!("blob {}: {what}", part.blob_key));
        let key = self.keys.unwrap(&part.wrapped_key, &blob_aad(self.account, &part.blob_key));
        let key = key.map_err(|error| corrupt(error.to_string()))?;
        let cipher = self.ports.crypto.cipher(&key).await.map_err(|error| corrupt(error.to_string()))?;
        let total = part.size.unsigned_abs();
        let sealed = self.ports.blobs.get(&part.blob_key, sealed_range(range.clone(), total)).await;
        let sealed = sealed.map_err(|error| match error {
            BlobError::Missing(_) => corrupt("it is missing or too short".to_owned()),
            other => StreamError::Io(other.to_string()),
        })?;
        self.open = Some(OpeningSource::new(part.blob_key, range, total, sealed, cipher));
        Ok(true)
    }
}

#[async_trait(?Send)]
impl ByteSource for ContentSource {
    async fn next(&mut self) -> Result<Option<Bytes>, StreamError> {
        if let Some(first) = self.first.take() {
            return Ok(Some(first));
        }
        loop {
            let Some(open) = &mut self.open else { return Ok(None) };
            let result = match open.next().await {
                Ok(Some(bytes)) => return Ok(Some(bytes)),
                Ok(None) => self.open_next().await,
                Err(error) => Err(error),
            };
            match result {
                Ok(true) => {}
                Ok(false) => self.open = None,
                Err(error) => {
                    self.open = None;
                    self.rest.clear();
                    return Err(error);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_is_cut_along_the_parts() {
        let part = |key: &str, size| Part { blob_key: key.to_owned(), size, wrapped_key: String::new() };
        let parts = [part("a", 10), part("b", 5), part("c", 20)];
        let cut =
            |range| wanted(&parts, &range).into_iter().map(|(part, range)| (part.blob_key, range)).collect::<Vec<_>>();
        assert_eq!(cut(0..35), [("a".into(), 0..10), ("b".into(), 0..5), ("c".into(), 0..20)]);
        assert_eq!(cut(9..16), [("a".into(), 9..10), ("b".into(), 0..5), ("c".into(), 0..1)]);
        assert_eq!(cut(10..15), [("b".into(), 0..5)]);
        assert_eq!(cut(30..31), [("c".into(), 15..16)]);
    }
}
