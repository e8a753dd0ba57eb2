//! TCP natively. A call blocks until it is done, but not for long.

use std::io::{self, Read, Write};
use std::net::{TcpStream as Socket, ToSocketAddrs};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;

use crate::ports::{Tcp, TcpError, TcpStream};

/// How long a call may block: longer than any test needs.
const PATIENCE: Duration = Duration::from_secs(10);

/// Bytes that are read at once, at most.
const PIECE: usize = 64 * 1024;

/// The sockets of the operating system.
pub struct BlockingTcp;

#[async_trait(?Send)]
impl Tcp for BlockingTcp {
    async fn connect(&self, host: &str, port: u16) -> Result<Box<dyn TcpStream>, TcpError> {
        match connect(host.trim_matches(['[', ']']), port) {
            Ok(socket) => Ok(Box::new(Connection(socket))),
            Err(error) => Err(TcpError(format!("connect to {host}:{port}: {error}"))),
        }
    }
}

fn connect(host: &str, port: u16) -> io::Result<Socket> {
    let mut failure = io::Error::from(io::ErrorKind::AddrNotAvailable);
    for address in (host, port).to_socket_addrs()? {
        match Socket::connect_timeout(&address, PATIENCE) {
            Ok(socket) => {
                socket.set_read_timeout(Some(PATIENCE))?;
                socket.set_write_timeout(Some(PATIENCE))?;
                return Ok(socket);
            }
            Err(error) => failure = error,
        }
    }
    Err(failure)
}

struct Connection(Socket);

#[async_trait(?Send)]
impl TcpStream for Connection {
    async fn write(&mut self, bytes: Bytes) -> Result<(), TcpError> {
        self.0.write_all(&bytes).map_err(|error| TcpError(format!("write: {error}")))
    }

    async fn read(&mut self) -> Result<Option<Bytes>, TcpError> {
        let mut piece = vec![0; PIECE];
        let length = self.0.read(&mut piece).map_err(|error| TcpError(format!("read: {error}")))?;
        piece.truncate(length);
        Ok((length > 0).then(|| piece.into()))
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;
    use std::sync::Arc;
    use std::thread;

    use super::*;
    use crate::ports::contract;
    use crate::runtime::native::SystemClock;

    #[tokio::test]
    async fn tcp_keeps_its_contract() {
        let echo = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = echo.local_addr().unwrap().to_string();
        thread::spawn(move || serve(&echo));
        assert_eq!(contract::tcp(&BlockingTcp, &SystemClock, &address).await, Ok(()));
    }

    /// The peer that the contract describes.
    fn serve(listener: &TcpListener) {
        let open = Arc::new(());
        for socket in listener.incoming() {
            let (mut socket, open) = (socket.unwrap(), Arc::clone(&open));
            thread::spawn(move || while answer(&mut socket, u8::try_from(Arc::strong_count(&open)).unwrap() - 1) {});
        }
    }

    /// Answers one message; tells whether another may come.
    fn answer(socket: &mut Socket, open: u8) -> bool {
        let mut message = vec![0; PIECE];
        let length = socket.read(&mut message).unwrap_or(0);
        match &message[..length] {
            [] => false,
            [5] => socket.write_all(&[open]).is_ok(),
            [.., 4] => socket.write_all(&message[..length]).is_err(),
            message => socket.write_all(message).is_ok(),
        }
    }
}
