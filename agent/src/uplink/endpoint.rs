//! Sockets as this program uses them: one per connection, so that a reconnect after a change of
//! networks begins on a fresh path, with every window and stream count bounded. QUIC is tried
//! first; where it doesn't come through, TLS over TCP on the same port number carries the same.

use crate::config::ServerAddress;
use flyball_link::{Connection, Keeping, Transport};
use quinn::crypto::rustls::{NoInitialCipherSuite, QuicClientConfig};
use quinn::{Endpoint, IdleTimeout, TransportConfig, VarInt};
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
/// Four times what a handshake needs around the earth: UDP may be blocked.
const QUIC_ALONE: Duration = Duration::from_secs(3);
/// What QUIC is given once more where TCP is no way either.
const QUIC_LAST: Duration = Duration::from_secs(2);
const TCP_KEEPING: Keeping = Keeping { alive_every: Some(KEEP_ALIVE), silent_after: IDLE };

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
    #[error("the handshake with {address} over TCP failed")]
    Tcp { address: SocketAddr, source: io::Error },
    #[error("{address} did not answer over UDP within {} s", QUIC_ALONE.as_secs())]
    Silent { address: SocketAddr },
}

impl EndpointError {
    /// Did the handshake fail because the server is not whom we trust?
    pub(crate) fn is_distrust(&self) -> bool {
        match self {
            Self::Handshake { source: quinn::ConnectionError::TransportError(error), .. } => {
                // TLS alerts 42 to 48 are about the peer's certificate.
                (0x12a..=0x130).contains(&u64::from(error.code))
            }
            Self::Tcp { source, .. } => {
                let tls = source.get_ref().and_then(|error| error.downcast_ref::<rustls::Error>());
                matches!(tls, Some(rustls::Error::InvalidCertificate(_)))
            }
            Self::Resolve { .. }
            | Self::NoAddress { .. }
            | Self::Socket(_)
            | Self::Begin { .. }
            | Self::Handshake { .. }
            | Self::Silent { .. } => false,
        }
    }

    /// Has QUIC simply not come through? An answer that is a refusal is the same over TCP.
    fn is_no_way(&self) -> bool {
        match self {
            Self::Socket(_) | Self::Begin { .. } | Self::Silent { .. } => true,
            Self::Handshake { source, .. } => matches!(source, quinn::ConnectionError::TimedOut),
            Self::Resolve { .. } | Self::NoAddress { .. } | Self::Tcp { .. } => false,
        }
    }
}

/// Which way is tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// QUIC, and TCP where it does not come through.
    Either,
    Only(Transport),
}

/// Both forms of one TLS configuration. Clones share its session tickets.
#[derive(Clone, Debug)]
pub(crate) struct Client {
    quic: quinn::ClientConfig,
    tls: Arc<rustls::ClientConfig>,
}

impl Client {
    /// The bounds of this module around `tls`.
    pub(crate) fn new(tls: rustls::ClientConfig) -> Result<Self, NoInitialCipherSuite> {
        let tls = Arc::new(tls);
        let mut quic =
            quinn::ClientConfig::new(Arc::new(QuicClientConfig::try_from(Arc::clone(&tls))?));
        quic.transport_config(Arc::new(transport()));
        Ok(Self { quic, tls })
    }
}

/// A connection and the socket that it lives on.
#[derive(Debug)]
pub(crate) struct Connected {
    connection: Connection,
    /// QUIC's own; TCP's lives in the connection.
    endpoint: Option<Endpoint>,
}

impl Connected {
    /// Says why the connection ends and waits until that has left, a short while at most.
    pub(crate) async fn close_and_drain(&self, code: u32, reason: &[u8]) {
        self.connection.close(code, reason);
        match &self.endpoint {
            // Silence here means that nobody hears the close either.
            Some(endpoint) => drop(tokio::time::timeout(DRAIN, endpoint.wait_idle()).await),
            None => self.connection.drained(DRAIN).await,
        }
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
    client: &Client,
    server_name: &str,
    way: Way,
) -> Result<Connected, EndpointError> {
    let named = server.to_string();
    let addresses = server
        .resolve()
        .await
        .map_err(|source| EndpointError::Resolve { server: named.clone(), source })?;
    let mut last = EndpointError::NoAddress { server: named };
    for address in addresses {
        let tried = match way {
            Way::Only(Transport::Quic) => over_quic(address, client, server_name).await,
            Way::Only(Transport::Tcp) => over_tcp(address, client, server_name).await,
            Way::Either => over_either(address, client, server_name).await,
        };
        match tried {
            Ok(connected) => return Ok(connected),
            Err(error) => last = error,
        }
    }
    Err(last)
}

/// QUIC alone at first; then TCP beside it, and the first that stands is taken.
async fn over_either(
    address: SocketAddr,
    client: &Client,
    server_name: &str,
) -> Result<Connected, EndpointError> {
    let quic = over_quic(address, client, server_name);
    tokio::pin!(quic);
    match tokio::time::timeout(QUIC_ALONE, &mut quic).await {
        Ok(Err(error)) if error.is_no_way() => {
            return over_tcp(address, client, server_name).await;
        }
        Ok(decided) => return decided,
        Err(_) => {}
    }
    let tcp = over_tcp(address, client, server_name);
    tokio::pin!(tcp);
    tokio::select! {
        quic = &mut quic => match quic {
            Err(error) if error.is_no_way() => tcp.await,
            decided => decided,
        },
        tcp = &mut tcp => match tcp {
            Ok(connected) => Ok(connected),
            Err(error) if error.is_distrust() => Err(error),
            Err(_) => tokio::time::timeout(QUIC_LAST, quic)
                .await
                .unwrap_or(Err(EndpointError::Silent { address })),
        },
    }
}

async fn over_quic(
    address: SocketAddr,
    client: &Client,
    server_name: &str,
) -> Result<Connected, EndpointError> {
    let local = match address {
        SocketAddr::V4(_) => SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0)),
        SocketAddr::V6(_) => SocketAddr::from((Ipv6Addr::UNSPECIFIED, 0)),
    };
    let endpoint = Endpoint::client(local).map_err(EndpointError::Socket)?;
    let connecting = endpoint
        .connect_with(client.quic.clone(), address, server_name)
        .map_err(|source| EndpointError::Begin { address, source })?;
    match connecting.await {
        Ok(connection) => Ok(Connected { connection: connection.into(), endpoint: Some(endpoint) }),
        Err(source) => Err(EndpointError::Handshake { address, source }),
    }
}

async fn over_tcp(
    address: SocketAddr,
    client: &Client,
    server_name: &str,
) -> Result<Connected, EndpointError> {
    let tls = Arc::clone(&client.tls);
    match flyball_link::connect(address, tls, server_name, TCP_KEEPING).await {
        Ok(connection) => Ok(Connected { connection, endpoint: None }),
        Err(source) => Err(EndpointError::Tcp { address, source }),
    }
}

fn transport() -> TransportConfig {
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
    transport
}

fn idle_timeout() -> IdleTimeout {
    let milliseconds = u32::try_from(IDLE.as_millis()).unwrap_or(u32::MAX);
    IdleTimeout::from(VarInt::from_u32(milliseconds))
}
