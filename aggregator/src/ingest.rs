//! The agents' side over QUIC, and over TLS and TCP on the same port number: enrolment, sessions, and the commit of what they send.
//!
//! One task a session, which owns all that it knows; readers hand it whole messages through a
//! bounded channel, and one committer stores what all of them bring. A peer that misbehaves
//! loses its own connection and nothing else.

mod arrival;
mod committer;
mod enrol;
mod fault;
mod job;
mod measured;
mod numbers;
mod peer;
mod session;
mod stream;
mod transport;

use crate::app::App;
use peer::Caller;
use quinn::Endpoint;
use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinSet;
pub use transport::TransportError;

/// Agents and enrolments at once; the next ones are refused until some have gone.
const MAX_CONNECTIONS: usize = 16_384;
/// How long the last words may take at the end.
const FAREWELL: Duration = Duration::from_secs(3);
/// Where no file is free for one more socket, the next try waits for one.
const ACCEPT_REST: Duration = Duration::from_millis(100);
const BIND_TRIES: u32 = 16;

#[derive(Debug, thiserror::Error)]
pub enum IngestError {
    #[error("listening for agents on udp and tcp {address}")]
    Bind {
        address: SocketAddr,
        #[source]
        source: std::io::Error,
    },
    #[error("setting up the agents' endpoint")]
    Transport(#[from] TransportError),
}

impl IngestError {
    /// The socket's own error, where it is one.
    #[must_use]
    pub const fn bind_error(&self) -> Option<&std::io::Error> {
        match self {
            Self::Bind { source, .. } => Some(source),
            Self::Transport(_) => None,
        }
    }
}

/// The listening side, bound and not yet serving.
#[derive(Debug)]
pub struct Ingest {
    endpoint: Endpoint,
    listener: tokio::net::TcpListener,
    tls: Arc<rustls::ServerConfig>,
    address: SocketAddr,
}

impl Ingest {
    /// # Errors
    /// Where the address is taken or TLS can't be set up.
    pub fn bind(app: &App) -> Result<Self, IngestError> {
        let address = app.config.ingest;
        let tls = transport::tls_config(&app.authority, address.ip(), app.clock.now_ms())?;
        let config = transport::quic_config(Arc::clone(&tls))?;
        let bind = || {
            let (socket, listener) = bind_both(address)?;
            let bound = socket.local_addr()?;
            listener.set_nonblocking(true)?;
            let listener = tokio::net::TcpListener::from_std(listener)?;
            let runtime = Arc::new(quinn::TokioRuntime);
            let endpoint_config = transport::endpoint_config(&app.authority);
            let endpoint = Endpoint::new(endpoint_config, Some(config), socket, runtime)?;
            Ok((endpoint, listener, bound))
        };
        let (endpoint, listener, address) =
            bind().map_err(|source| IngestError::Bind { address, source })?;
        Ok(Self { endpoint, listener, tls, address })
    }

    /// The address that was bound, with its real port.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves until the process shuts down; everything that was taken is committed then.
    pub async fn serve(self, app: App) {
        let (commits, committer) = committer::start(app.clone());
        let room = Arc::new(Semaphore::new(MAX_CONNECTIONS));
        let mut peers = JoinSet::new();
        let mut stop = app.shutdown.subscribe();
        loop {
            let caller = tokio::select! {
                () = stop.wait() => break,
                Some(_) = peers.join_next() => continue,
                incoming = self.endpoint.accept() => match incoming {
                    Some(incoming) => Caller::Quic(incoming),
                    None => break,
                },
                accepted = self.listener.accept() => match accepted {
                    Ok((socket, address)) => Caller::Tcp(socket, address, Arc::clone(&self.tls)),
                    Err(error) => {
                        tracing::warn!(%error, "a connection over TCP could not be taken");
                        tokio::time::sleep(ACCEPT_REST).await;
                        continue;
                    }
                },
            };
            admit(&app, caller, &room, &commits, &mut peers);
        }
        drop(commits);
        while peers.join_next().await.is_some() {}
        if committer.await.is_err() {
            tracing::error!("the committer did not end by itself");
        }
        // Some peers never answer a close; the process ends all the same.
        let _ = tokio::time::timeout(FAREWELL, self.endpoint.wait_idle()).await;
    }
}

/// Both sockets, on one port number; a free one may be taken in the other protocol.
fn bind_both(address: SocketAddr) -> std::io::Result<(UdpSocket, TcpListener)> {
    let mut tries = if address.port() == 0 { BIND_TRIES } else { 1 };
    loop {
        tries -= 1;
        let socket = UdpSocket::bind(address)?;
        match TcpListener::bind(socket.local_addr()?) {
            Ok(listener) => return Ok((socket, listener)),
            Err(error) if tries == 0 => return Err(error),
            Err(_) => {}
        }
    }
}

fn admit(
    app: &App,
    caller: Caller,
    room: &Arc<Semaphore>,
    commits: &mpsc::Sender<committer::Submission>,
    peers: &mut JoinSet<()>,
) {
    let Ok(permit) = Arc::clone(room).try_acquire_owned() else {
        app.metrics.refused("no_room");
        tracing::warn!(address = %caller.address(), "refused: {MAX_CONNECTIONS} are connected");
        caller.refuse();
        return;
    };
    let (app, commits) = (app.clone(), commits.clone());
    peers.spawn(async move {
        peer::serve(&app, caller, commits).await;
        drop(permit);
    });
}
