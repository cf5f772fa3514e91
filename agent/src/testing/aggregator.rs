//! The aggregator's end of the wire, as far as the agent can see it.

use super::{Authority, soon};
use crate::config::ServerAddress;
use crate::identity::Identity;
use crate::uplink::wire::{FrameReader, FrameWriter};
use flyball_link::Keeping;
use flyball_link::{Connection, ConnectionError, SendStream};
use flyball_protocol::command::DeviceId;
use flyball_protocol::entry::Entry;
use flyball_protocol::message::{
    ALPN, ALPN_ENROL, ControlDown, ControlUp, EnrolReply, EnrolRequest, Hello, JobEvent,
    JobRequest, LaneDown, LaneUp, StreamKind,
};
use flyball_protocol::series::SeriesDef;
use flyball_protocol::sync::{Ranges, Seq};
use quinn::Endpoint;
use quinn::crypto::rustls::QuicServerConfig;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::net::{TcpListener, UdpSocket};
use tokio::sync::mpsc;

/// Listens on a free port of the loopback.
pub(crate) struct Aggregator {
    door: Door,
}

enum Door {
    Quic(Endpoint),
    /// The socket of the same number takes what comes and never answers: so does a firewall.
    Tcp {
        listener: TcpListener,
        tls: Arc<rustls::ServerConfig>,
        _mute: UdpSocket,
    },
}

impl Aggregator {
    pub(crate) fn listen(authority: &Authority) -> Self {
        Self::with(authority.server(ALPN, true))
    }

    pub(crate) fn enrolling(authority: &Authority) -> Self {
        Self::with(authority.server(ALPN_ENROL, false))
    }

    /// Reached by TCP alone.
    pub(crate) async fn without_udp(authority: &Authority, alpn: &[u8]) -> Self {
        let tls = Arc::new(authority.server(alpn, alpn == ALPN));
        let (mute, listener) = loop {
            let mute = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
            if let Ok(listener) = TcpListener::bind(mute.local_addr().unwrap()).await {
                break (mute, listener);
            }
        };
        Self { door: Door::Tcp { listener, tls, _mute: mute } }
    }

    fn with(config: rustls::ServerConfig) -> Self {
        Self::at(config, (Ipv4Addr::LOCALHOST, 0).into())
    }

    fn at(config: rustls::ServerConfig, address: SocketAddr) -> Self {
        let quic = QuicServerConfig::try_from(config).unwrap();
        let config = quinn::ServerConfig::with_crypto(Arc::new(quic));
        Self { door: Door::Quic(Endpoint::server(config, address).unwrap()) }
    }

    /// Answers nothing from now on and says nothing of it.
    pub(crate) fn fall_silent(&self) {
        let Door::Quic(endpoint) = &self.door else { panic!("UDP is mute already") };
        let socket = std::net::UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        endpoint.rebind(socket).unwrap();
    }

    /// Opens UDP where it was blocked; what is connected over TCP stays so.
    pub(crate) fn unblocked(self, authority: &Authority) -> Self {
        let Door::Tcp { listener, _mute: mute, .. } = self.door else { panic!("it was open") };
        let address = listener.local_addr().unwrap();
        drop(mute);
        Self::at(authority.server(ALPN, true), address)
    }

    pub(crate) fn address(&self) -> ServerAddress {
        let address = match &self.door {
            Door::Quic(endpoint) => endpoint.local_addr(),
            Door::Tcp { listener, .. } => listener.local_addr(),
        };
        address.unwrap().to_string().parse().unwrap()
    }

    /// The next agent that gets through the handshake, and its `Hello`.
    pub(crate) async fn accept(&self) -> Peer {
        Peer::greet(self.handshake().await.unwrap()).await
    }

    /// Why the next handshake fails.
    pub(crate) async fn refused(&self) -> ConnectionError {
        self.handshake().await.unwrap_err()
    }

    async fn handshake(&self) -> Result<Connection, ConnectionError> {
        let endpoint = match &self.door {
            Door::Quic(endpoint) => endpoint,
            Door::Tcp { listener, tls, .. } => {
                let (socket, address) = soon(listener.accept()).await.unwrap();
                let keeping = Keeping { alive_every: None, silent_after: Duration::from_secs(45) };
                let accepted = flyball_link::accept(socket, address, Arc::clone(tls), keeping);
                return Ok(soon(accepted).await.unwrap());
            }
        };
        let incoming = soon(endpoint.accept()).await.unwrap();
        Ok(soon(incoming.into_future()).await?.into())
    }

    /// Answers one enrolment.
    pub(crate) async fn enrol(&self, answer: impl FnOnce(EnrolRequest) -> EnrolReply) {
        let connection = self.handshake().await.unwrap();
        let (send, receive) = soon(connection.accept_bi()).await.unwrap();
        let request = soon(FrameReader::new(receive).next()).await.unwrap().unwrap();
        let mut writer = FrameWriter::new(send);
        soon(writer.send(&answer(request))).await.unwrap();
        writer.finish();
        soon(connection.closed()).await;
    }
}

/// One connected agent.
pub(crate) struct Peer {
    pub(crate) hello: Hello,
    pub(crate) connection: Connection,
    control: FrameReader,
    control_out: FrameWriter,
    lanes: mpsc::Receiver<(StreamKind, LaneUp)>,
    acks: Arc<Mutex<Vec<SendStream>>>,
}

impl Peer {
    async fn greet(connection: Connection) -> Self {
        let (send, mut receive) = soon(connection.accept_bi()).await.unwrap();
        let mut kind = [0];
        soon(receive.read_exact(&mut kind)).await.unwrap();
        assert_eq!(StreamKind::from_byte(kind[0]), Some(StreamKind::Control));
        let mut control = FrameReader::new(receive);
        let first = soon(control.next()).await.unwrap();
        let Some(ControlUp::Hello(hello)) = first else { panic!("{first:?}") };
        let (entries, lanes) = mpsc::channel(1024);
        let acks = Arc::new(Mutex::new(Vec::new()));
        tokio::spawn(accept_lanes(connection.clone(), entries, Arc::clone(&acks)));
        let control_out = FrameWriter::new(send);
        Self { hello, connection, control, control_out, lanes, acks }
    }

    /// The device that its certificate names.
    pub(crate) fn device(&self) -> DeviceId {
        Identity::device_in(&self.connection.peer_certificate().unwrap()).unwrap()
    }

    pub(crate) async fn say(&mut self, message: &ControlDown) {
        soon(self.control_out.send(message)).await.unwrap();
    }

    pub(crate) async fn say_bytes(&mut self, bytes: &[u8]) {
        soon(self.control_out.send_bytes(bytes)).await.unwrap();
    }

    /// Ends the control stream where it is.
    pub(crate) fn finish_control(&mut self) {
        self.control_out.finish();
    }

    pub(crate) async fn welcome(&mut self, acked: &Ranges) {
        let acked = acked.clone();
        self.say(&ControlDown::Welcome { version: 1, acked, pending: Vec::new(), now_ms: 0 }).await;
    }

    /// The next control message for which `pick` gives something.
    pub(crate) async fn control<T>(&mut self, pick: impl Fn(ControlUp) -> Option<T>) -> T {
        loop {
            let message = soon(self.control.next()).await.unwrap().unwrap();
            if let Some(found) = pick(message) {
                return found;
            }
        }
    }

    /// The next thing on any lane.
    pub(crate) async fn lane(&mut self) -> (StreamKind, LaneUp) {
        soon(self.lanes.recv()).await.unwrap()
    }

    /// Definitions and entries until there are `count` entries, with the lane of each.
    pub(crate) async fn entries(
        &mut self,
        count: usize,
    ) -> (Vec<SeriesDef>, Vec<(StreamKind, Entry)>) {
        let (mut series, mut entries) = (Vec::new(), Vec::new());
        while entries.len() < count {
            match self.lane().await {
                (_, LaneUp::Series(definitions)) => series.extend(definitions),
                (kind, LaneUp::Entry(entry)) => entries.push((kind, entry)),
            }
        }
        (series, entries)
    }

    /// Says over the lane that was opened last that these are committed.
    pub(crate) async fn ack(&mut self, from: u64, to: u64) {
        let mut ranges = Ranges::new();
        ranges.insert_range(Seq(from), Seq(to));
        let stream = self.acks.lock().unwrap().pop().unwrap();
        let mut writer = FrameWriter::new(stream);
        soon(writer.send(&LaneDown::Ack(ranges))).await.unwrap();
        self.acks.lock().unwrap().push(writer.into_inner());
    }

    /// Starts a job; its events come out of the reader.
    pub(crate) async fn job(&self, request: &JobRequest) -> (FrameWriter, FrameReader) {
        let (send, receive) = soon(self.connection.open_bi()).await.unwrap();
        let mut writer = FrameWriter::new(send);
        soon(writer.send(request)).await.unwrap();
        writer.finish();
        (writer, FrameReader::new(receive))
    }

    /// The code with which the agent ends the connection.
    pub(crate) async fn closed(&self) -> u32 {
        match soon(self.connection.closed()).await {
            ConnectionError::ClosedByPeer { code, .. } => code,
            error => panic!("{error}"),
        }
    }
}

async fn accept_lanes(
    connection: Connection,
    entries: mpsc::Sender<(StreamKind, LaneUp)>,
    acks: Arc<Mutex<Vec<SendStream>>>,
) {
    while let Ok((send, mut receive)) = connection.accept_bi().await {
        let mut kind = [0];
        receive.read_exact(&mut kind).await.unwrap();
        let kind = StreamKind::from_byte(kind[0]).unwrap();
        acks.lock().unwrap().push(send);
        let entries = entries.clone();
        tokio::spawn(async move {
            let mut reader = FrameReader::new(receive);
            while let Ok(Some(message)) = reader.next().await {
                if entries.send((kind, message)).await.is_err() {
                    return;
                }
            }
        });
    }
}

/// The next event of a job.
pub(crate) async fn event(reader: &mut FrameReader) -> JobEvent {
    soon(reader.next()).await.unwrap().unwrap()
}
