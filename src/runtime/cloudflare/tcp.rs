//! TCP: `connect` of `cloudflare:sockets`.

use async_trait::async_trait;
use bytes::Bytes;
use js_sys::futures::JsFuture;
use js_sys::{ArrayBuffer, Uint8Array};
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{
    ReadableStreamGetReaderOptions, ReadableStreamReadResult, ReadableStreamReaderMode, WritableStreamDefaultWriter,
};
use worker_sys::Socket;

use super::js::{self, FillingReader};
use crate::ports::{Tcp, TcpError, TcpStream};

/// Bytes that are read at once, at most.
const PIECE: u32 = 64 * 1024;

/// `connect`
pub struct Sockets;

#[async_trait(?Send)]
impl Tcp for Sockets {
    async fn connect(&self, host: &str, port: u16) -> Result<Box<dyn TcpStream>, TcpError> {
        let address = format!("{host}:{port}");
        match connect(&address).await {
            Ok(connection) => Ok(Box::new(connection)),
            Err(thrown) => Err(failed(&format!("connect to {address}"), &thrown)),
        }
    }
}

async fn connect(address: &str) -> Result<Connection, JsValue> {
    let socket = worker_sys::connect(address.into(), JsValue::UNDEFINED)?;
    let connection = Connection::new(socket)?;
    JsFuture::from(connection.socket.opened()?).await?;
    Ok(connection)
}

struct Connection {
    socket: Socket,
    reader: FillingReader,
    writer: WritableStreamDefaultWriter,
    /// Goes back and forth; its memory comes back from each read under a new object.
    buffer: ArrayBuffer,
    ended: bool,
}

impl Connection {
    fn new(socket: Socket) -> Result<Self, JsValue> {
        let options = ReadableStreamGetReaderOptions::new();
        options.set_mode(ReadableStreamReaderMode::Byob);
        let reader = socket.readable()?.get_reader_with_options(&options).unchecked_into();
        let writer = socket.writable()?.get_writer()?;
        Ok(Self { socket, reader, writer, buffer: ArrayBuffer::new(PIECE), ended: false })
    }

    /// Waits for at least one byte; nothing is the end.
    async fn read_some(&mut self) -> Result<Bytes, JsValue> {
        let result: ReadableStreamReadResult =
            self.reader.read_at_least(1, &Uint8Array::new(&self.buffer))?.await?.unchecked_into();
        let Some(read) = result.get_value().dyn_into::<Uint8Array>().ok() else { return Ok(Bytes::new()) };
        self.buffer = read.buffer();
        Ok(read.to_vec().into())
    }
}

#[async_trait(?Send)]
impl TcpStream for Connection {
    async fn write(&mut self, bytes: Bytes) -> Result<(), TcpError> {
        let array = Uint8Array::new_from_slice(&bytes);
        JsFuture::from(self.writer.write_with_chunk(&array)).await.map_err(|thrown| failed("write", &thrown))?;
        js::free(&array.buffer());
        Ok(())
    }

    async fn read(&mut self) -> Result<Option<Bytes>, TcpError> {
        if self.ended {
            return Ok(None);
        }
        let bytes = self.read_some().await.map_err(|thrown| failed("read", &thrown))?;
        self.ended = bytes.is_empty();
        Ok((!self.ended).then_some(bytes))
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        // Whether it closes well is nobody's concern any more.
        let _ = self.socket.close();
    }
}

fn failed(what: &str, thrown: &JsValue) -> TcpError {
    TcpError(format!("{what}: {}", js::message(thrown)))
}
