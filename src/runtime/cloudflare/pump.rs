//! A `ByteSource` into a JavaScript stream.

use js_sys::Uint8Array;
use js_sys::futures::JsFuture;
use wasm_bindgen::JsValue;
use web_sys::{WritableStream, WritableStreamDefaultWriter};

use super::js;
use crate::ports::{ByteSource, StreamError};

/// Why not everything went through.
#[derive(Debug, thiserror::Error)]
pub enum PumpError {
    /// The source failed.
    #[error(transparent)]
    Source(#[from] StreamError),
    /// The reader of the stream went away.
    #[error("the reader is gone: {0}")]
    Reader(String),
}

/// Sends all bytes of `source` to `stream` and closes it. On an error the stream is aborted, so
/// that its reader cannot take it for complete; a reader that knows the length could, so a source
/// of known length is to be `Exactly` so long.
pub async fn pump(source: &mut dyn ByteSource, stream: &WritableStream) -> Result<(), PumpError> {
    let writer = stream.get_writer().map_err(gone)?;
    let sent = send(source, &writer).await;
    if let Err(error) = &sent {
        // Its outcome tells nothing new.
        let _ = JsFuture::from(writer.abort_with_reason(&js_sys::Error::new(&error.to_string()))).await;
    }
    sent
}

/// Sends and closes. While one piece goes out, the next is fetched.
async fn send(source: &mut dyn ByteSource, writer: &WritableStreamDefaultWriter) -> Result<(), PumpError> {
    let mut under_way: Option<Write> = None;
    while let Some(piece) = source.next().await? {
        if let Some(write) = under_way.take() {
            write.done().await?;
        }
        under_way = Some(Write::begin(writer, &piece));
    }
    if let Some(write) = under_way {
        write.done().await?;
    }
    JsFuture::from(writer.close()).await.map_err(gone)?;
    Ok(())
}

/// A piece that is going out.
struct Write {
    array: Uint8Array,
    written: JsFuture,
}

impl Write {
    fn begin(writer: &WritableStreamDefaultWriter, piece: &[u8]) -> Self {
        let array = Uint8Array::new_from_slice(piece);
        let written = writer.write_with_chunk(&array).into();
        Self { array, written }
    }

    /// Waits until the reader has the bytes.
    async fn done(self) -> Result<(), PumpError> {
        self.written.await.map_err(gone)?;
        js::free(&self.array.buffer());
        Ok(())
    }
}

#[expect(clippy::needless_pass_by_value, reason = "for map_err")]
fn gone(thrown: JsValue) -> PumpError {
    PumpError::Reader(js::message(&thrown))
}
