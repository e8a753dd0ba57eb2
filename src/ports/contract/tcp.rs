//! The contract of `Tcp` and `TcpStream`.
//!
//! It needs a peer that echoes (`tests/support/echo.py`), with two exceptions: a message that ends with the byte EOT is
//! echoed, and then the peer closes; the message ENQ is answered with one byte, the number of open connections.

use std::time::Duration;

use bytes::{Bytes, BytesMut};

use super::{check, check_equal, done};
use crate::ports::{Clock, Tcp, TcpError, TcpStream};

/// "End of transmission" and "enquiry".
const EOT: u8 = 4;
const ENQ: u8 = 5;

/// Nobody listens there.
const CLOSED_PORT: u16 = 1;

/// Checks TCP with the peer at `echo`, `HOST:PORT`. Nobody else is connected to it.
pub async fn tcp(tcp: &dyn Tcp, clock: &dyn Clock, echo: &str) -> Result<(), String> {
    let address = echo.rsplit_once(':').and_then(|(host, port)| Some((host, port.parse().ok()?)));
    let (host, port) = address.ok_or_else(|| format!("{echo:?} is not HOST:PORT"))?;
    let suite = Suite { tcp, clock, host, port };
    suite.what_is_sent_comes_back().await?;
    suite.large_amounts_pass_both_ways().await?;
    suite.connections_are_independent().await?;
    suite.the_end_stays_the_end().await?;
    suite.writing_to_nobody_fails().await?;
    suite.what_is_dropped_is_closed().await?;
    suite.nobody_listens().await
}

struct Suite<'a> {
    tcp: &'a dyn Tcp,
    clock: &'a dyn Clock,
    host: &'a str,
    port: u16,
}

impl Suite<'_> {
    async fn connect(&self) -> Result<Box<dyn TcpStream>, String> {
        done(self.tcp.connect(self.host, self.port).await, "connect")
    }

    async fn what_is_sent_comes_back(&self) -> Result<(), String> {
        let mut stream = self.connect().await?;
        for message in ["a", "some more", "\u{0}\u{ff}"] {
            check_equal(&echoed(&mut *stream, message.into()).await?, &message.into(), "what is sent comes back")?;
        }
        Ok(())
    }

    /// Much more than the buffers on the way hold; the peer reads nothing while it cannot write.
    async fn large_amounts_pass_both_ways(&self) -> Result<(), String> {
        let mut stream = self.connect().await?;
        let piece: Bytes = (b' '..=b'~').cycle().take(200_001).collect();
        for _ in 0..50 {
            check(echoed(&mut *stream, piece.clone()).await? == piece, "10 MB come back as they were sent")?;
        }
        Ok(())
    }

    async fn connections_are_independent(&self) -> Result<(), String> {
        let (mut one, mut other) = (self.connect().await?, self.connect().await?);
        done(one.write("one".into()).await, "write")?;
        done(other.write("other".into()).await, "write")?;
        check_equal(&read(&mut *other, 5).await?, &"other".into(), "each connection has its own bytes")?;
        check_equal(&read(&mut *one, 3).await?, &"one".into(), "each connection has its own bytes")
    }

    async fn the_end_stays_the_end(&self) -> Result<(), String> {
        let mut stream = self.closed_by_peer().await?;
        for _ in 0..2 {
            check_equal(&stream.read().await, &Ok(None), "a peer that has closed is the end, again and again")?;
        }
        Ok(())
    }

    async fn writing_to_nobody_fails(&self) -> Result<(), String> {
        let mut stream = self.closed_by_peer().await?;
        for _ in 0..100 {
            if stream.write(vec![b'x'; 10_000].into()).await.is_err() {
                return Ok(());
            }
            self.clock.sleep(Duration::from_millis(5)).await;
        }
        Err("not kept: writing to a peer that has closed fails".to_owned())
    }

    async fn closed_by_peer(&self) -> Result<Box<dyn TcpStream>, String> {
        let mut stream = self.connect().await?;
        let last = Bytes::from_static(&[b'e', b'n', b'd', EOT]);
        check_equal(&echoed(&mut *stream, last.clone()).await?, &last, "the last bytes come before the end")?;
        Ok(stream)
    }

    async fn what_is_dropped_is_closed(&self) -> Result<(), String> {
        let mut stream = self.connect().await?;
        let idle = self.connect().await?;
        let mut unread = self.connect().await?;
        done(unread.write(vec![b'x'; 10_000].into()).await, "write")?;
        self.until(&mut *stream, |open| open >= 3, "connections stay open").await?;
        drop((idle, unread));
        self.until(&mut *stream, |open| open == 1, "a connection that is dropped is closed").await
    }

    /// Waits until the peer has so many connections.
    async fn until(
        &self,
        stream: &mut dyn TcpStream,
        enough: impl Fn(u8) -> bool,
        promise: &str,
    ) -> Result<(), String> {
        let mut open = 0;
        for _ in 0..100 {
            open = echoed(stream, Bytes::from_static(&[ENQ])).await?[0];
            if enough(open) {
                return Ok(());
            }
            self.clock.sleep(Duration::from_millis(20)).await;
        }
        Err(format!("not kept: {promise}: there are {open}"))
    }

    async fn nobody_listens(&self) -> Result<(), String> {
        let Err(TcpError(message)) = self.tcp.connect(self.host, CLOSED_PORT).await else {
            return Err("not kept: where nobody listens, connecting fails".to_owned());
        };
        check(!message.is_empty(), "an error says why")
    }
}

async fn echoed(stream: &mut dyn TcpStream, message: Bytes) -> Result<Bytes, String> {
    let length = message.len();
    done(stream.write(message).await, "write")?;
    read(stream, length).await
}

/// Reads exactly `length` bytes.
async fn read(stream: &mut dyn TcpStream, length: usize) -> Result<Bytes, String> {
    let mut all = BytesMut::new();
    while all.len() < length {
        let piece = done(stream.read().await, "read")?.ok_or("not kept: the peer's bytes come before its end")?;
        check(!piece.is_empty(), "no piece is empty")?;
        all.extend_from_slice(&piece);
    }
    check_equal(&all.len(), &length, "what is read is what was sent, and no more")?;
    Ok(all.freeze())
}
