//! The wire between a machine and the aggregator: a relay of datagrams that loses, delays,
//! reorders and repeats them as it is told.
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
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};
use tokio::net::UdpSocket;

/// Datagrams that are under way at once; more are lost, as in any router.
const UNDER_WAY: usize = 4096;
const DATAGRAM: usize = 65_536;

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
pub(crate) struct Wire(Arc<AtomicU64>);

impl Wire {
    /// Relays between whoever sends to `here` and `there`.
    ///
    /// # Errors
    /// Where no socket can be had.
    pub(crate) fn new(here: SocketAddr, there: SocketAddr, seed: u64) -> Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (near, far) = runtime.block_on(async {
            let near = UdpSocket::bind(here).await.with_context(|| format!("no wire at {here}"))?;
            let far = UdpSocket::bind("127.0.0.1:0").await?;
            far.connect(there).await?;
            anyhow::Ok((near, far))
        })?;
        let weather = Arc::new(AtomicU64::new(0));
        let handle = Self(Arc::clone(&weather));
        let relay = Relay {
            near,
            far,
            machine: None,
            weather,
            dice: Dice::new(seed),
            queue: BinaryHeap::new(),
        };
        thread::Builder::new().name("wire".into()).spawn(move || runtime.block_on(relay.run()))?;
        Ok(handle)
    }

    pub(crate) fn set(&self, weather: Weather) {
        self.0.store(weather.pack(), Ordering::Relaxed);
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
        if self.dice.roll(100) < u64::from(weather.lost_percent) {
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
}
