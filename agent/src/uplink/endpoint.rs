//! QUIC sockets as this program uses them: one per connection, so that a reconnect after a
//! change of networks begins on a fresh path, with every window and stream count bounded.

use crate::config::ServerAddress;
use quinn::crypto::rustls::QuicClientConfig;
use quinn::{ClientConfig, Connection, Endpoint, IdleTimeout, TransportConfig, VarInt};
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

/// Streams that the aggregator may open at once; it opens job streams only.
pub(crate) const MAX_JOB_STREAMS: u32 = 8;
const MAX_UNI_STREAMS: u32 = 4;
const STREAM_WINDOW_BYTES: u32 = 256 * 1024;
const RECEIVE_WINDOW_BYTES: u32 = 1024 * 1024;
const SEND_WINDOW_BYTES: u64 = 1024 * 1024;
/// Blocks come every 10 s, so this is sent only when sampling has stopped.
const KEEP_ALIVE: Duration = Duration::from_secs(15);
/// Two keep-alives may be lost; then the connection is.
const IDLE: Duration = Duration::from_secs(40);
/// Three probe time-outs, which is how long a close is repeated, on any sane path.
const DRAIN: Duration = Duration::from_millis(500);

#[derive(Debug, thiserror::Error)]
pub(crate) enum EndpointError {
    #[error("the name {server} does not resolve")]
    Resolve { server: String, source: io::Error },
    #[error("the name {server} has no address")]
    NoAddress { server: String },
    #[error("no UDP socket can be opened")]
    Socket(#[source] io::Error),
    #[error("no connection to {address} can be begun")]
    Begin { address: SocketAddr, source: quinn::ConnectError },
    #[error("the handshake with {address} failed")]
    Handshake { address: SocketAddr, source: quinn::ConnectionError },
}

/// A connection and the socket that it lives on.
#[derive(Debug)]
pub(crate) struct Connected {
    connection: Connection,
    endpoint: Endpoint,
}

impl Connected {
    /// Says why the connection ends and waits until that has left, a short while at most.
    pub(crate) async fn close_and_drain(&self, code: u32, reason: &[u8]) {
        self.connection.close(code.into(), reason);
        // Silence here means that nobody hears the close either.
        let _drained = tokio::time::timeout(DRAIN, self.endpoint.wait_idle()).await;
    }
}

impl Deref for Connected {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        &self.connection
    }
}

/// Connects to the first address of `server` that answers.
pub(crate) async fn connect(
    server: &ServerAddress,
    config: ClientConfig,
    server_name: &str,
) -> Result<Connected, EndpointError> {
    let named = server.to_string();
    let addresses = server
        .resolve()
        .await
        .map_err(|source| EndpointError::Resolve { server: named.clone(), source })?;
    let mut last = EndpointError::NoAddress { server: named };
    for address in addresses {
        match connect_to(address, config.clone(), server_name).await {
            Ok(connected) => return Ok(connected),
            Err(error) => last = error,
        }
    }
    Err(last)
}

async fn connect_to(
    address: SocketAddr,
    config: ClientConfig,
    server_name: &str,
) -> Result<Connected, EndpointError> {
    let local = match address {
        SocketAddr::V4(_) => SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0)),
        SocketAddr::V6(_) => SocketAddr::from((Ipv6Addr::UNSPECIFIED, 0)),
    };
    let endpoint = Endpoint::client(local).map_err(EndpointError::Socket)?;
    let connecting = endpoint
        .connect_with(config, address, server_name)
        .map_err(|source| EndpointError::Begin { address, source })?;
    match connecting.await {
        Ok(connection) => Ok(Connected { connection, endpoint }),
        Err(source) => Err(EndpointError::Handshake { address, source }),
    }
}

/// The bounds of this module around `tls`. Clones share its session tickets.
pub(crate) fn client_config(tls: QuicClientConfig) -> ClientConfig {
    let mut transport = TransportConfig::default();
    transport
        .max_concurrent_bidi_streams(MAX_JOB_STREAMS.into())
        .max_concurrent_uni_streams(MAX_UNI_STREAMS.into())
        .stream_receive_window(STREAM_WINDOW_BYTES.into())
        .receive_window(RECEIVE_WINDOW_BYTES.into())
        .send_window(SEND_WINDOW_BYTES)
        .datagram_receive_buffer_size(None)
        .keep_alive_interval(Some(KEEP_ALIVE))
        .max_idle_timeout(Some(idle_timeout()));
    let mut config = ClientConfig::new(Arc::new(tls));
    config.transport_config(Arc::new(transport));
    config
}

fn idle_timeout() -> IdleTimeout {
    let milliseconds = u32::try_from(IDLE.as_millis()).unwrap_or(u32::MAX);
    IdleTimeout::from(VarInt::from_u32(milliseconds))
}
