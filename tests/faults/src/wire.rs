//! The wire between a machine and the aggregator: a relay of datagrams that loses, delays,
//! reorders and repeats them as it is told, and of connections over TCP, which no weather reaches:
//! that is what a firewall leaves that lets no UDP through.
//!
//! Many kernels come without `netem`; this does the same to each datagram and runs everywhere.
//! A link that is down altogether is the kernel's own matter.

use crate::clock;
use crate::dice::Dice;
use anyhow::{Context, Result};
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio::sync::Semaphore;

/// Datagrams that are under way at once; more are lost, as in any router.
const UNDER_WAY: usize = 4096;
const DATAGRAM: usize = 65_536;
/// Connections over TCP at once.
const CONNECTIONS: usize = 16;
/// No connection lasts longer: its machine is gone, or may call again.
const CONNECTION: Duration = Duration::from_secs(600);

/// What the wire does to datagrams, each number between 0 and 255.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Weather {
    pub(crate) lost_percent: u8,
    pub(crate) repeated_percent: u8,
    /// Every datagram's delay in steps of 4 ms.
    pub(crate) delay_4ms: u8,
    /// A further delay, different for each, in steps of 4 ms: this is what reorders.
    pub(crate) jitter_4ms: u8,
}

impl Weather {
    fn pack(self) -> u64 {
        let Self { lost_percent, repeated_percent, delay_4ms, jitter_4ms } = self;
        u64::from(u32::from_le_bytes([lost_percent, repeated_percent, delay_4ms, jitter_4ms]))
    }

    fn unpack(word: u64) -> Self {
        let [lost_percent, repeated_percent, delay_4ms, jitter_4ms, ..] = word.to_le_bytes();
        Self { lost_percent, repeated_percent, delay_4ms, jitter_4ms }
    }
}

/// The handle of one machine's wire; the relay has a thread of its own and ends with the program.
#[derive(Clone, Debug)]
pub(crate) struct Wire {
    weather: Arc<AtomicU64>,
    blocked: Arc<AtomicBool>,
    connections: Arc<AtomicU64>,
}

impl Wire {
    /// Relays between whoever sends to `here` and `there`.
    ///
    /// # Errors
    /// Where no socket can be had.
    pub(crate) fn new(here: SocketAddr, there: SocketAddr, seed: u64) -> Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (near, far, listener) = runtime.block_on(async {
            let near = UdpSocket::bind(here).await.with_context(|| format!("no wire at {here}"))?;
            let far = UdpSocket::bind("127.0.0.1:0").await?;
            far.connect(there).await?;
            let listener = TcpListener::bind(here).await;
            anyhow::Ok((near, far, listener.with_context(|| format!("no wire at {here}"))?))
        })?;
        let weather = Arc::new(AtomicU64::new(0));
        let connections = Arc::new(AtomicU64::new(0));
        let blocked = Arc::new(AtomicBool::new(false));
        let handle = Self {
            weather: Arc::clone(&weather),
            blocked: Arc::clone(&blocked),
            connections: Arc::clone(&connections),
        };
        let relay = Relay {
            near,
            far,
            machine: None,
            weather,
            blocked,
            dice: Dice::new(seed),
            queue: BinaryHeap::new(),
        };
        thread::Builder::new().name("wire".into()).spawn(move || {
            runtime.block_on(async {
                tokio::join!(relay.run(), carry(listener, there, connections));
            });
        })?;
        Ok(handle)
    }

    pub(crate) fn set(&self, weather: Weather) {
        self.weather.store(weather.pack(), Ordering::Relaxed);
    }

    /// Whether no datagram comes through, whatever the weather.
    pub(crate) fn block_udp(&self, blocked: bool) {
        self.blocked.store(blocked, Ordering::Relaxed);
    }

    /// Connections over TCP that the aggregator took so far.
    pub(crate) fn connections(&self) -> u64 {
        self.connections.load(Ordering::Relaxed)
    }
}

/// Hands connections over TCP on as they are.
async fn carry(listener: TcpListener, there: SocketAddr, connections: Arc<AtomicU64>) {
    let room = Arc::new(Semaphore::new(CONNECTIONS));
    loop {
        let Ok(place) = Arc::clone(&room).acquire_owned().await else { return };
        let Ok((mut near, _)) = listener.accept().await else { continue };
        let connections = Arc::clone(&connections);
        tokio::spawn(async move {
            let _place = place;
            // Where nobody takes it, the machine sees its own closed.
            let Ok(mut far) = TcpStream::connect(there).await else { return };
            connections.fetch_add(1, Ordering::Relaxed);
            let both = tokio::io::copy_bidirectional(&mut near, &mut far);
            let _ended = tokio::time::timeout(CONNECTION, both).await;
        });
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Way {
    Up,
    Down,
}

type Datagram = Reverse<(Instant, Way, Vec<u8>)>;

struct Relay {
    near: UdpSocket,
    far: UdpSocket,
    /// Where the machine's datagrams came from last.
    machine: Option<SocketAddr>,
    weather: Arc<AtomicU64>,
    blocked: Arc<AtomicBool>,
    dice: Dice,
    queue: BinaryHeap<Datagram>,
}

impl Relay {
    async fn run(mut self) {
        let (mut up, mut down) = (vec![0; DATAGRAM], vec![0; DATAGRAM]);
        loop {
            let due = self.queue.peek().map(|Reverse((due, ..))| *due);
            let wait = due
                .map_or(Duration::from_secs(1), |due| due.saturating_duration_since(clock::now()));
            tokio::select! {
                // An error is an ICMP message of an aggregator that is away: the datagram is lost.
                Ok((length, from)) = self.near.recv_from(&mut up) => {
                    self.machine = Some(from);
                    self.take(Way::Up, &up[..length]);
                }
                Ok(length) = self.far.recv(&mut down) => self.take(Way::Down, &down[..length]),
                () = tokio::time::sleep(wait) => {}
            }
            self.deliver().await;
        }
    }

    fn take(&mut self, way: Way, bytes: &[u8]) {
        let weather = Weather::unpack(self.weather.load(Ordering::Relaxed));
        let lost = self.dice.roll(100) < u64::from(weather.lost_percent);
        if lost || self.blocked.load(Ordering::Relaxed) {
            return;
        }
        let copies = if self.dice.roll(100) < u64::from(weather.repeated_percent) { 2 } else { 1 };
        for _ in 0..copies {
            if self.queue.len() >= UNDER_WAY {
                return;
            }
            let jitter = self.dice.roll(u64::from(weather.jitter_4ms) * 4 + 1);
            let delay = Duration::from_millis(u64::from(weather.delay_4ms) * 4 + jitter);
            self.queue.push(Reverse((clock::now() + delay, way, bytes.to_vec())));
        }
    }

    async fn deliver(&mut self) {
        let now = clock::now();
        while self.queue.peek().is_some_and(|Reverse((due, ..))| *due <= now) {
            let Some(Reverse((_, way, bytes))) = self.queue.pop() else { return };
            // What can't be sent now is lost: that is what a wire does.
            let _lost = match (way, self.machine) {
                (Way::Up, _) => self.far.send(&bytes).await.is_err(),
                (Way::Down, Some(machine)) => self.near.send_to(&bytes, machine).await.is_err(),
                (Way::Down, None) => true,
            };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weather_survives_its_packing() {
        let weather =
            Weather { lost_percent: 30, repeated_percent: 5, delay_4ms: 255, jitter_4ms: 17 };
        assert_eq!(Weather::unpack(weather.pack()), weather);
    }

    #[test]
    fn where_no_datagram_passes_a_connection_does() {
        use std::io::{Read, Write};
        use std::net::{TcpListener, TcpStream, UdpSocket};

        let there = TcpListener::bind("127.0.0.1:0").unwrap();
        let far = UdpSocket::bind(there.local_addr().unwrap()).unwrap();
        far.set_read_timeout(Some(Duration::from_millis(300))).unwrap();
        let here = UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let wire = Wire::new(here, there.local_addr().unwrap(), 1).unwrap();
        let machine = UdpSocket::bind("127.0.0.1:0").unwrap();
        let mut bytes = [0; 4];
        machine.send_to(b"one", here).unwrap();
        assert_eq!(far.recv(&mut bytes).unwrap(), 3);
        wire.block_udp(true);
        machine.send_to(b"two", here).unwrap();
        assert!(far.recv(&mut bytes).is_err());

        let mut called = TcpStream::connect(here).unwrap();
        called.write_all(b"four").unwrap();
        there.accept().unwrap().0.read_exact(&mut bytes).unwrap();
        assert_eq!((&bytes, wire.connections()), (b"four", 1));
    }
}
