//! TCP through the host: it lets connections go to the addresses that `spin.toml` allows, as `tcp://ADDRESS:PORT`, and
//! to no other.

use std::net::IpAddr;

use async_trait::async_trait;
use bytes::Bytes;
use spin_sdk::wasip3::sockets::ip_name_lookup::resolve_addresses;
use spin_sdk::wasip3::sockets::types::{
    ErrorCode, IpAddress, IpAddressFamily, IpSocketAddress, Ipv4SocketAddress, Ipv6SocketAddress, TcpSocket,
};
use spin_sdk::wasip3::wit_bindgen::{FutureReader, StreamReader, StreamResult, StreamWriter};
use spin_sdk::wasip3::wit_stream;

use crate::ports::{Tcp, TcpError, TcpStream};

/// Bytes that are read at once, at most.
const PIECE: usize = 64 * 1024;

/// `wasi:sockets`
pub struct WasiTcp;

#[async_trait(?Send)]
impl Tcp for WasiTcp {
    async fn connect(&self, host: &str, port: u16) -> Result<Box<dyn TcpStream>, TcpError> {
        let mut failure = TcpError(format!("{host} has no address"));
        for address in addresses(host.trim_matches(['[', ']'])).await? {
            match Connection::open(address, port).await {
                Ok(connection) => return Ok(Box::new(connection)),
                Err(ErrorCode::AccessDenied) => {
                    failure = TcpError(format!("tcp://{host}:{port} is not in allowed_outbound_hosts"));
                }
                Err(code) => failure = TcpError(format!("connect to {host}:{port}: {code}")),
            }
        }
        Err(failure)
    }
}

/// The addresses of a host. Spin itself looks no names up; other hosts of WASI may.
async fn addresses(host: &str) -> Result<Vec<IpAddress>, TcpError> {
    if let Ok(address) = host.parse::<IpAddr>() {
        return Ok(vec![wasi_address(address)]);
    }
    let failed = |code| TcpError(format!("{host} is not an address, and the look-up failed: {code}"));
    resolve_addresses(host.to_owned()).await.map_err(failed)
}

fn wasi_address(address: IpAddr) -> IpAddress {
    match address {
        IpAddr::V4(address) => IpAddress::Ipv4(address.octets().into()),
        IpAddr::V6(address) => IpAddress::Ipv6(address.segments().into()),
    }
}

struct Connection {
    /// Closes the socket together with its streams.
    _socket: TcpSocket,
    outgoing: StreamWriter<u8>,
    sent: Option<FutureReader<Result<(), ErrorCode>>>,
    incoming: StreamReader<u8>,
    received: Option<FutureReader<Result<(), ErrorCode>>>,
}

impl Connection {
    async fn open(address: IpAddress, port: u16) -> Result<Self, ErrorCode> {
        let (family, address) = match address {
            IpAddress::Ipv4(address) => {
                (IpAddressFamily::Ipv4, IpSocketAddress::Ipv4(Ipv4SocketAddress { port, address }))
            }
            IpAddress::Ipv6(address) => {
                let address = Ipv6SocketAddress { port, address, flow_info: 0, scope_id: 0 };
                (IpAddressFamily::Ipv6, IpSocketAddress::Ipv6(address))
            }
        };
        let socket = TcpSocket::create(family)?;
        socket.connect(address).await?;
        let (outgoing, reader) = wit_stream::new();
        let sent = Some(socket.send(reader));
        let (incoming, received) = socket.receive();
        Ok(Self { _socket: socket, outgoing, sent, incoming, received: Some(received) })
    }
}

#[async_trait(?Send)]
impl TcpStream for Connection {
    async fn write(&mut self, bytes: Bytes) -> Result<(), TcpError> {
        if self.outgoing.write_all(bytes.into()).await.is_empty() {
            return Ok(());
        }
        let reason = match self.sent.take() {
            Some(sent) => sent.await.err(),
            None => None,
        };
        Err(TcpError(format!("write: {}", reason.unwrap_or(ErrorCode::ConnectionBroken))))
    }

    async fn read(&mut self) -> Result<Option<Bytes>, TcpError> {
        while self.received.is_some() {
            let (result, bytes) = self.incoming.read(Vec::with_capacity(PIECE)).await;
            if !bytes.is_empty() {
                return Ok(Some(bytes.into()));
            }
            if result != StreamResult::Complete(0)
                && let Some(received) = self.received.take()
            {
                received.await.map_err(|code| TcpError(format!("read: {code}")))?;
            }
        }
        Ok(None)
    }
}
