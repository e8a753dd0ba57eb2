//! A JavaScript stream of bytes as a `ByteSource`.

use async_trait::async_trait;
use bytes::Bytes;
use js_sys::{ArrayBuffer, Uint8Array};
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{ReadableStream, ReadableStreamGetReaderOptions, ReadableStreamReadResult, ReadableStreamReaderMode};

use super::js::{self, FillingReader};
use crate::ports::{ByteSource, StreamError};

/// How a stream that broke off is reported: `StreamError::Truncated` or `StreamError::Io`.
type Broken = fn(String) -> StreamError;

/// Reads a stream in pieces of one size, through one buffer that goes back and forth. The stream is
/// locked by the first read, and free again when the source is dropped.
pub struct StreamSource {
    stream: ReadableStream,
    reader: Option<FillingReader>,
    buffer: ArrayBuffer,
    left: Option<u64>,
    finished: bool,
    broken: Broken,
}

impl StreamSource {
    /// The bytes of `stream` in pieces of `piece` bytes, but the last. Where `length` is given,
    /// the stream must hold that many bytes; `broken` makes the error when it ends before.
    pub fn new(stream: ReadableStream, length: Option<u64>, piece: u32, broken: Broken) -> Self {
        let size = length.map_or(piece, |length| u32::try_from(length).unwrap_or(piece).min(piece));
        Self { stream, reader: None, buffer: ArrayBuffer::new(size), left: length, finished: length == Some(0), broken }
    }

    fn reader(&mut self) -> Result<&FillingReader, JsValue> {
        // `getReader` of a locked stream throws, which its bindings do not catch.
        if self.reader.is_none() && self.stream.locked() {
            return Err(js_sys::Error::new("the stream is being read already").into());
        }
        Ok(self.reader.get_or_insert_with(|| {
            let options = ReadableStreamGetReaderOptions::new();
            options.set_mode(ReadableStreamReaderMode::Byob);
            self.stream.get_reader_with_options(&options).unchecked_into()
        }))
    }

    /// Reads once: the bytes, and whether the stream has ended.
    async fn read(&mut self) -> Result<(Vec<u8>, bool), JsValue> {
        let capacity = self.buffer.byte_length();
        let most = self.left.map_or(capacity, |left| u32::try_from(left).unwrap_or(capacity).min(capacity));
        let view = Uint8Array::new_with_byte_offset_and_length(&self.buffer, 0, most);
        let result: ReadableStreamReadResult = self.reader()?.read_at_least(most, &view)?.await?.unchecked_into();
        let Some(read) = result.get_value().dyn_into::<Uint8Array>().ok() else { return Ok((Vec::new(), true)) };
        // The read detached our buffer; the same memory comes back under a new object.
        self.buffer = read.buffer();
        Ok((read.to_vec(), result.get_done().unwrap_or(false)))
    }
}

#[async_trait(?Send)]
impl ByteSource for StreamSource {
    async fn next(&mut self) -> Result<Option<Bytes>, StreamError> {
        if self.finished {
            return Ok(None);
        }
        // Stays so if the read fails, or if its future is dropped.
        self.finished = true;
        let (bytes, ended) = self.read().await.map_err(|thrown| (self.broken)(js::message(&thrown)))?;
        if let Some(left) = &mut self.left {
            *left = left.saturating_sub(bytes.len() as u64);
            if *left > 0 && (ended || bytes.is_empty()) {
                return Err((self.broken)(format!("{left} bytes are missing")));
            }
        }
        self.finished = ended || bytes.is_empty() || self.left == Some(0);
        Ok((!bytes.is_empty()).then(|| bytes.into()))
    }
}

impl Drop for StreamSource {
    fn drop(&mut self) {
        if let Some(reader) = &self.reader {
            // It fails while a read is under way; then nobody reads on.
            let _ = reader.release();
        }
        js::free(&self.buffer);
    }
}
