//! A connection in either form.

use crate::error::ConnectionError;
use crate::stream::{RecvStream, SendStream};
use crate::tcp::Shared;
use quinn::crypto::rustls::HandshakeData;
use rustls_pki_types::CertificateDer;
use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// What carries a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Transport {
    Quic,
    /// Where UDP is blocked.
    Tcp,
}

impl fmt::Display for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Quic => "quic",
            Self::Tcp => "tls-tcp",
        })
    }
}

/// What the handshake left.
#[derive(Debug)]
pub(crate) struct Handshake {
    pub(crate) protocol: Option<Vec<u8>>,
    pub(crate) certificate: Option<CertificateDer<'static>>,
}

/// Clones are the same connection; it is closed when the last of them and of its streams goes.
#[derive(Clone, Debug)]
pub struct Connection(Form);

#[derive(Clone, Debug)]
enum Form {
    Quic(quinn::Connection),
    Tcp(Arc<Tcp>),
}

#[derive(Debug)]
pub(crate) struct Tcp {
    pub(crate) shared: Arc<Shared>,
    address: SocketAddr,
    handshake: Handshake,
}

impl Drop for Tcp {
    fn drop(&mut self) {
        self.close(0, b"");
    }
}

impl Tcp {
    fn close(&self, code: u32, reason: &[u8]) {
        self.shared.with(|mux| mux.close(code, reason));
        self.shared.work.notify_one();
        self.shared.end(ConnectionError::ClosedHere);
    }

    pub(crate) fn over(&self) -> Option<ConnectionError> {
        self.shared.over.borrow().clone()
    }

    async fn closed(&self) -> ConnectionError {
        let mut over = self.shared.over.subscribe();
        let ended = over.wait_for(Option::is_some).await;
        ended.ok().and_then(|over| over.clone()).unwrap_or(ConnectionError::ClosedHere)
    }
}

impl From<quinn::Connection> for Connection {
    fn from(connection: quinn::Connection) -> Self {
        Self(Form::Quic(connection))
    }
}

impl Connection {
    pub(crate) fn over_tcp(shared: Arc<Shared>, address: SocketAddr, handshake: Handshake) -> Self {
        Self(Form::Tcp(Arc::new(Tcp { shared, address, handshake })))
    }

    #[must_use]
    pub const fn transport(&self) -> Transport {
        match &self.0 {
            Form::Quic(_) => Transport::Quic,
            Form::Tcp(_) => Transport::Tcp,
        }
    }

    #[must_use]
    pub fn remote_address(&self) -> SocketAddr {
        match &self.0 {
            Form::Quic(connection) => connection.remote_address(),
            Form::Tcp(tcp) => tcp.address,
        }
    }

    /// The protocol that the handshake agreed upon.
    #[must_use]
    pub fn protocol(&self) -> Option<Vec<u8>> {
        match &self.0 {
            Form::Quic(connection) => {
                let data = connection.handshake_data()?.downcast::<HandshakeData>().ok()?;
                data.protocol
            }
            Form::Tcp(tcp) => tcp.handshake.protocol.clone(),
        }
    }

    /// The certificate that the peer has shown, verified.
    #[must_use]
    pub fn peer_certificate(&self) -> Option<CertificateDer<'static>> {
        match &self.0 {
            Form::Quic(connection) => {
                let chain = connection.peer_identity()?;
                let chain = chain.downcast::<Vec<CertificateDer<'static>>>().ok()?;
                chain.first().cloned()
            }
            Form::Tcp(tcp) => tcp.handshake.certificate.clone(),
        }
    }

    /// Opens a stream, once the peer allows one more. Nothing of it shows there before data.
    ///
    /// # Errors
    /// Where the connection is over.
    pub async fn open_bi(&self) -> Result<(SendStream, RecvStream), ConnectionError> {
        match &self.0 {
            Form::Quic(connection) => {
                let (send, receive) = connection.open_bi().await?;
                Ok((send.into(), receive.into()))
            }
            Form::Tcp(tcp) => loop {
                let room = tcp.shared.room.notified();
                if let Some(error) = tcp.over() {
                    return Err(error);
                }
                if let Some(id) = tcp.shared.with(crate::mux::Mux::open) {
                    return Ok(crate::stream::over_tcp(tcp, id));
                }
                room.await;
            },
        }
    }

    /// The next stream that the peer has opened.
    ///
    /// # Errors
    /// Where the connection is over.
    pub async fn accept_bi(&self) -> Result<(SendStream, RecvStream), ConnectionError> {
        match &self.0 {
            Form::Quic(connection) => {
                let (send, receive) = connection.accept_bi().await?;
                Ok((send.into(), receive.into()))
            }
            Form::Tcp(tcp) => loop {
                let opened = tcp.shared.opened.notified();
                if let Some(id) = tcp.shared.with(crate::mux::Mux::accept) {
                    return Ok(crate::stream::over_tcp(tcp, id));
                }
                if let Some(error) = tcp.over() {
                    return Err(error);
                }
                opened.await;
            },
        }
    }

    /// Ends the connection and says why; what has not gone out does not go out any more.
    pub fn close(&self, code: u32, reason: &[u8]) {
        match &self.0 {
            Form::Quic(connection) => connection.close(code.into(), reason),
            Form::Tcp(tcp) => tcp.close(code, reason),
        }
    }

    /// A number that grows with everything that comes, acknowledgements of the transport's own
    /// included.
    #[must_use]
    pub fn heard(&self) -> u64 {
        match &self.0 {
            Form::Quic(connection) => connection.stats().udp_rx.datagrams,
            Form::Tcp(tcp) => tcp.shared.heard.load(Ordering::Relaxed),
        }
    }

    /// Asks for a sign of life behind what is being sent. QUIC's packets are answered anyway.
    pub fn ask_for_life(&self) {
        if let Form::Tcp(tcp) = &self.0 {
            tcp.shared.with(crate::mux::Mux::ping);
            tcp.shared.work.notify_one();
        }
    }

    /// Why it is over, if it is.
    #[must_use]
    pub fn close_reason(&self) -> Option<ConnectionError> {
        match &self.0 {
            Form::Quic(connection) => connection.close_reason().map(Into::into),
            Form::Tcp(tcp) => tcp.over(),
        }
    }

    /// Waits until it is over.
    pub async fn closed(&self) -> ConnectionError {
        match &self.0 {
            Form::Quic(connection) => connection.closed().await.into(),
            Form::Tcp(tcp) => tcp.closed().await,
        }
    }

    /// Waits until a close over TCP has left, `patience` at most. QUIC's endpoint waits for its own.
    pub async fn drained(&self, patience: Duration) {
        if let Form::Tcp(tcp) = &self.0 {
            let mut ended = tcp.shared.ended.subscribe();
            // Silence here means that nobody hears the close either.
            let _late = tokio::time::timeout(patience, ended.wait_for(|ended| *ended)).await;
        }
    }
}
