//! Object storage on R2.

use std::ops::Range;
use std::pin::pin;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::future::{Either, select};
use js_sys::futures::JsFuture;
use js_sys::{Object, Promise, Reflect, Uint8Array};
use wasm_bindgen::{JsCast, JsValue};
use worker_sys::{FixedLengthStream, R2Bucket, R2MultipartUpload, R2ObjectBody, R2Objects};

use super::js;
use super::pump::{PumpError, pump};
use super::source::StreamSource;
use crate::ports::{BlobError, Blobs, ByteSource, Exactly, MultipartUpload, SEGMENT_TAG, StreamError};

/// Objects up to this length are put as one array: cheaper than a stream.
const SMALL: u64 = 1024 * 1024;

/// Bytes of an object that are read at once: a sealed segment of 256 KiB.
#[expect(clippy::cast_possible_truncation, reason = "the tag has 16 bytes")]
const PIECE: u32 = 256 * 1024 + SEGMENT_TAG as u32;

/// An R2 bucket.
pub struct R2(R2Bucket);

impl R2 {
    /// The objects of `bucket`.
    pub fn new(bucket: R2Bucket) -> Self {
        Self(bucket)
    }

    async fn put_value(&self, key: &str, value: JsValue) -> Result<(), BlobError> {
        settled("put", self.0.put(key.to_owned(), value, JsValue::UNDEFINED)).await?;
        Ok(())
    }

    async fn put_stream(&self, key: &str, length: u64, source: &mut dyn ByteSource) -> Result<(), BlobError> {
        let pipe = FixedLengthStream::new_big_int(length.into()).map_err(|thrown| unavailable("put", &thrown))?;
        let writable = pipe.writable();
        let put = pin!(self.put_value(key, pipe.readable().into()));
        let mut exact = Exactly::new(source, length);
        let feed = pin!(pump(&mut exact, &writable));
        match select(feed, put).await {
            Either::Left((Ok(()), put)) => put.await,
            Either::Left((Err(error), put)) => {
                // The stream is aborted, so R2 fails too: only then is it sure that nothing was stored.
                let stored = put.await;
                match error {
                    PumpError::Source(error) => Err(error.into()),
                    PumpError::Reader(_) => stored,
                }
            }
            Either::Right((stored, feed)) => {
                stored?;
                feed.await.map_err(|error| BlobError::Unavailable(format!("put: {error}")))
            }
        }
    }
}

#[async_trait(?Send)]
impl Blobs for R2 {
    async fn put(&self, key: &str, length: u64, source: &mut dyn ByteSource) -> Result<(), BlobError> {
        if length > SMALL {
            return self.put_stream(key, length, source).await;
        }
        let bytes = collect(source, length).await?;
        self.put_value(key, bytes.clone().into()).await?;
        js::free(&bytes.buffer());
        Ok(())
    }

    async fn create_multipart(&self, key: &str) -> Result<Box<dyn MultipartUpload>, BlobError> {
        let created = self.0.create_multipart_upload(key.to_owned(), JsValue::UNDEFINED);
        let upload = settled("createMultipartUpload", created).await?.unchecked_into();
        Ok(Box::new(R2Upload { upload, parts: Vec::new() }))
    }

    async fn get(&self, key: &str, range: Range<u64>) -> Result<Box<dyn ByteSource>, BlobError> {
        let length = range.end - range.start;
        let missing = || BlobError::Missing(key.to_owned());
        let found = match self.0.get(key.to_owned(), get_options(range.start, length)) {
            Ok(promise) => JsFuture::from(promise).await,
            Err(thrown) => Err(thrown),
        };
        let object: R2ObjectBody = match found {
            Ok(object) if object.is_null() => return Err(missing()),
            Ok(object) => object.unchecked_into(),
            // R2's error 10039, for a range that begins beyond the end.
            Err(thrown) if js::message(&thrown).contains("(10039)") => return Err(missing()),
            Err(thrown) => return Err(unavailable("get", &thrown)),
        };
        let stream = object.body().map_err(|thrown| unavailable("get", &thrown))?;
        Ok(Box::new(StreamSource::new(stream, Some(length), PIECE, StreamError::Io)))
    }

    async fn delete(&self, keys: &[String]) -> Result<(), BlobError> {
        if keys.is_empty() {
            return Ok(());
        }
        settled("delete", self.0.delete_multiple(keys.iter().map(JsValue::from).collect())).await?;
        Ok(())
    }

    /// R2 may give fewer than were asked for although there are more: only `truncated` tells the end.
    async fn list(&self, after: &str, limit: usize) -> Result<Vec<String>, BlobError> {
        let failed = |thrown: JsValue| unavailable("list", &thrown);
        let mut keys = Vec::new();
        // R2 does not take an empty key for the beginning.
        let mut from = (!after.is_empty()).then(|| ("startAfter", JsValue::from(after)));
        while keys.len() < limit {
            let options = object([("limit", JsValue::from(limit - keys.len()))].into_iter().chain(from));
            let listed: R2Objects = settled("list", self.0.list(options)).await?.unchecked_into();
            for found in listed.objects().map_err(failed)? {
                keys.push(found.key().map_err(failed)?);
            }
            if !listed.truncated().map_err(failed)? {
                break;
            }
            from = listed.cursor().map_err(failed)?.map(|cursor| ("cursor", cursor.into()));
        }
        Ok(keys)
    }
}

/// An R2 multipart upload and the parts that it has.
struct R2Upload {
    upload: R2MultipartUpload,
    parts: Vec<JsValue>,
}

#[async_trait(?Send)]
impl MultipartUpload for R2Upload {
    async fn append(&mut self, part: Bytes) -> Result<(), BlobError> {
        let number = u16::try_from(self.parts.len() + 1)
            .map_err(|_| BlobError::Unavailable("uploadPart: too many parts".to_owned()))?;
        let bytes = Uint8Array::new_from_slice(&part);
        let sent = self.upload.upload_part(number, bytes.clone().into());
        self.parts.push(settled("uploadPart", sent).await?);
        js::free(&bytes.buffer());
        Ok(())
    }

    async fn complete(self: Box<Self>) -> Result<(), BlobError> {
        settled("complete", self.upload.complete(self.parts)).await?;
        Ok(())
    }

    async fn abort(self: Box<Self>) -> Result<(), BlobError> {
        settled("abort", self.upload.abort()).await?;
        Ok(())
    }
}

/// `{range: {offset, length}}`
#[expect(clippy::cast_precision_loss, reason = "no object has 2^53 bytes")]
fn get_options(offset: u64, length: u64) -> JsValue {
    let range = object([("offset", (offset as f64).into()), ("length", (length as f64).into())]);
    object([("range", range), ("onlyIf", JsValue::UNDEFINED)])
}

/// A plain object with these properties.
fn object<'a>(entries: impl IntoIterator<Item = (&'a str, JsValue)>) -> JsValue {
    let object = Object::new();
    for (name, value) in entries {
        // Setting a property of a plain object does not fail.
        let _ = Reflect::set(&object, &name.into(), &value);
    }
    object.into()
}

/// Exactly `length` bytes of `source`, as one array of JavaScript's.
async fn collect(source: &mut dyn ByteSource, length: u64) -> Result<Uint8Array, StreamError> {
    let size = u32::try_from(length).map_err(|_| StreamError::TooLong)?;
    let all = Uint8Array::new_with_length(size);
    let mut exact = Exactly::new(source, length);
    let mut filled = 0;
    while let Some(piece) = exact.next().await? {
        // No piece is longer than what was announced.
        let end = filled + u32::try_from(piece.len()).map_err(|_| StreamError::TooLong)?;
        all.subarray(filled, end).copy_from(&piece);
        filled = end;
    }
    Ok(all)
}

/// What a call of R2's promised.
async fn settled(operation: &str, call: Result<Promise, JsValue>) -> Result<JsValue, BlobError> {
    let outcome = match call {
        Ok(promise) => JsFuture::from(promise).await,
        Err(thrown) => Err(thrown),
    };
    outcome.map_err(|thrown| unavailable(operation, &thrown))
}

fn unavailable(operation: &str, thrown: &JsValue) -> BlobError {
    BlobError::Unavailable(format!("{operation}: {}", js::message(thrown)))
}
