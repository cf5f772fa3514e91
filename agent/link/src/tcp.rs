//! The second form's driver: one task that moves bytes between a TLS connection and its [`Mux`].

use crate::connection::{Connection, Handshake};
use crate::error::{ConnectionError, TcpLoss};
use crate::mux::{Event, Mux, Side, StreamId};
use rustls_pki_types::{CertificateDer, ServerName};
use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadHalf, WriteHalf};
use tokio::net::TcpStream;
use tokio::sync::{Notify, watch};
use tokio_rustls::{TlsAcceptor, TlsConnector};

/// What one read of the socket may bring.
const PIECE_BYTES: usize = 16 * 1024;
/// How long the last words may take.
const FAREWELL: Duration = Duration::from_secs(2);

/// The close code for a peer that breaks the rules, as the protocol numbers it.
const MALFORMED: u32 = 2;

/// How a connection is held open and known to be dead.
#[derive(Clone, Copy, Debug)]
pub struct Keeping {
    /// A sign of life is asked for where nothing was sent for so long.
    pub alive_every: Option<Duration>,
    /// Nothing heard for so long is a loss.
    pub silent_after: Duration,
}

/// What the tasks that use a connection share with the one that drives it. A lock rather than
/// messages: a write has to see the window, and a read the bytes, at the moment they change.
#[derive(Debug)]
pub(crate) struct Shared {
    mux: Mutex<Mux>,
    signals: Mutex<HashMap<StreamId, Arc<Signals>>>,
    /// Reads that brought something.
    pub(crate) heard: AtomicU64,
    /// Something is to be sent.
    pub(crate) work: Notify,
    pub(crate) opened: Notify,
    pub(crate) room: Notify,
    pub(crate) over: watch::Sender<Option<ConnectionError>>,
    pub(crate) ended: watch::Sender<bool>,
}

/// What a stream's owner waits for; each has one waiter.
#[derive(Debug, Default)]
pub(crate) struct Signals {
    pub(crate) readable: Notify,
    pub(crate) writable: Notify,
    pub(crate) settled: Notify,
}

impl Shared {
    fn new(side: Side) -> Self {
        Self {
            mux: Mutex::new(Mux::new(side)),
            signals: Mutex::default(),
            heard: AtomicU64::new(0),
            work: Notify::new(),
            opened: Notify::new(),
            room: Notify::new(),
            over: watch::Sender::new(None),
            ended: watch::Sender::new(false),
        }
    }

    /// Does something with the mux, then wakes whom it concerns.
    pub(crate) fn with<T>(&self, act: impl FnOnce(&mut Mux) -> T) -> T {
        let mut mux = self.mux();
        let result = act(&mut mux);
        while let Some(event) = mux.poll_event() {
            self.tell(event);
        }
        result
    }

    fn mux(&self) -> MutexGuard<'_, Mux> {
        self.mux.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tell(&self, event: Event) {
        let signal = |id: StreamId, which: fn(&Signals) -> &Notify| {
            let signals = self.signals.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(signals) = signals.get(&id) {
                which(signals).notify_one();
            }
        };
        match event {
            Event::Readable(id) => signal(id, |signals| &signals.readable),
            Event::Writable(id) => signal(id, |signals| &signals.writable),
            Event::Settled(id) => signal(id, |signals| &signals.settled),
            Event::Opened => self.opened.notify_one(),
            Event::Room => self.room.notify_one(),
        }
    }

    pub(crate) fn signals(&self, id: StreamId) -> Arc<Signals> {
        let mut signals = self.signals.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(signals.entry(id).or_default())
    }

    pub(crate) fn forget(&self, id: StreamId) {
        self.signals.lock().unwrap_or_else(PoisonError::into_inner).remove(&id);
    }

    /// Says why it is over, once, and wakes everybody.
    pub(crate) fn end(&self, error: ConnectionError) {
        self.over.send_if_modified(|over| {
            let first = over.is_none();
            over.get_or_insert(error);
            first
        });
        self.opened.notify_waiters();
        self.room.notify_waiters();
        let signals = self.signals.lock().unwrap_or_else(PoisonError::into_inner);
        for signals in signals.values() {
            signals.readable.notify_one();
            signals.writable.notify_one();
            signals.settled.notify_one();
        }
    }
}

/// Connects and shows our certificate.
///
/// # Errors
/// Where there is no way there, or TLS fails.
pub async fn connect(
    address: SocketAddr,
    config: Arc<rustls::ClientConfig>,
    server_name: &str,
    keeping: Keeping,
) -> io::Result<Connection> {
    let name = ServerName::try_from(server_name.to_owned()).map_err(io::Error::other)?;
    let socket = TcpStream::connect(address).await?;
    socket.set_nodelay(true)?;
    let tls = TlsConnector::from(config).connect(name, socket).await?;
    let handshake = handshake(tls.get_ref().1);
    Ok(drive(tls, Side::Client, address, handshake, keeping))
}

/// Takes a connection that has come.
///
/// # Errors
/// Where TLS fails.
pub async fn accept(
    socket: TcpStream,
    address: SocketAddr,
    config: Arc<rustls::ServerConfig>,
    keeping: Keeping,
) -> io::Result<Connection> {
    socket.set_nodelay(true)?;
    let tls = TlsAcceptor::from(config).accept(socket).await?;
    let handshake = handshake(tls.get_ref().1);
    Ok(drive(tls, Side::Server, address, handshake, keeping))
}

fn handshake(connection: &rustls::CommonState) -> Handshake {
    Handshake {
        protocol: connection.alpn_protocol().map(<[u8]>::to_vec),
        certificate: connection
            .peer_certificates()
            .and_then(|chain| chain.first())
            .map(|leaf: &CertificateDer<'_>| leaf.clone().into_owned()),
    }
}

/// Starts the task that owns the socket.
pub(crate) fn drive<S>(
    socket: S,
    side: Side,
    address: SocketAddr,
    handshake: Handshake,
    keeping: Keeping,
) -> Connection
where
    S: AsyncRead + AsyncWrite + Send + 'static,
{
    let shared = Arc::new(Shared::new(side));
    tokio::spawn(run(socket, Arc::clone(&shared), keeping));
    Connection::over_tcp(shared, address, handshake)
}

async fn run<S: AsyncRead + AsyncWrite>(socket: S, shared: Arc<Shared>, keeping: Keeping) {
    let (reader, mut writer) = tokio::io::split(socket);
    let error = tokio::select! {
        error = read(reader, &shared, keeping.silent_after) => Some(error),
        error = write(&mut writer, &shared, keeping.alive_every) => error,
    };
    match error {
        Some(error) => {
            if let ConnectionError::Tcp(TcpLoss::Violation(violation)) = &error {
                shared.with(|mux| mux.close(MALFORMED, violation.to_string().as_bytes()));
                let _late = tokio::time::timeout(FAREWELL, last_words(&mut writer, &shared)).await;
            }
            shared.end(error);
        }
        None => shared.end(ConnectionError::ClosedHere),
    }
    // A peer that takes nothing more has lost interest in how it ends, too.
    let _late = tokio::time::timeout(FAREWELL, writer.shutdown()).await;
    shared.ended.send_replace(true);
}

async fn read<S: AsyncRead>(
    mut reader: ReadHalf<S>,
    shared: &Shared,
    silent_after: Duration,
) -> ConnectionError {
    let mut piece = vec![0; PIECE_BYTES];
    loop {
        let bytes = match tokio::time::timeout(silent_after, reader.read(&mut piece)).await {
            Ok(Ok(0)) => return ConnectionError::Tcp(TcpLoss::Ended),
            Ok(Ok(bytes)) => bytes,
            Ok(Err(error)) => return ConnectionError::Tcp(TcpLoss::Io(Arc::new(error))),
            Err(_) => return ConnectionError::Tcp(TcpLoss::Silent),
        };
        shared.heard.fetch_add(1, Ordering::Relaxed);
        let taken = shared
            .with(|mux| mux.handle_bytes(&piece[..bytes]).map(|()| mux.peer_close().cloned()));
        // Room may have come, or a sign of life is asked for.
        shared.work.notify_one();
        match taken {
            Err(violation) => return ConnectionError::Tcp(TcpLoss::Violation(violation)),
            Ok(Some(close)) => {
                return ConnectionError::ClosedByPeer { code: close.code, reason: close.reason };
            }
            Ok(None) => {}
        }
    }
}

/// `None` once the close has gone out.
async fn write<S: AsyncWrite>(
    writer: &mut WriteHalf<S>,
    shared: &Shared,
    alive_every: Option<Duration>,
) -> Option<ConnectionError> {
    let mut out = Vec::new();
    loop {
        out.clear();
        if shared.with(|mux| mux.poll_transmit(&mut out)) {
            if let Err(error) = send(writer, &out).await {
                return Some(ConnectionError::Tcp(TcpLoss::Io(Arc::new(error))));
            }
            continue;
        }
        if shared.mux().is_close_sent() {
            return None;
        }
        // An idle connection holds no memory for what it may send one day.
        out = Vec::new();
        match alive_every {
            Some(every) => {
                if tokio::time::timeout(every, shared.work.notified()).await.is_err() {
                    shared.with(Mux::ping);
                }
            }
            None => shared.work.notified().await,
        }
    }
}

async fn last_words<S: AsyncWrite>(writer: &mut WriteHalf<S>, shared: &Shared) -> io::Result<()> {
    let mut out = Vec::new();
    shared.with(|mux| mux.poll_transmit(&mut out));
    send(writer, &out).await
}

async fn send<S: AsyncWrite>(writer: &mut WriteHalf<S>, bytes: &[u8]) -> io::Result<()> {
    writer.write_all(bytes).await?;
    writer.flush().await
}
