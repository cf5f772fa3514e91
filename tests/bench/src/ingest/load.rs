//! One simulated agent's session: it speaks the protocol and keeps a bounded window of
//! unacknowledged entries.

use super::frames::Frames;
use super::identity::{self, Identity, SERVER_NAME};
use super::workload;
use anyhow::{Result, bail};
use flyball_protocol::entry::Entry;
use flyball_protocol::frame;
use flyball_protocol::message::{
    CURRENT_VERSION, ControlDown, ControlUp, Hello, LaneDown, LaneUp, MIN_VERSION, StreamKind,
};
use flyball_protocol::sync::{Epoch, Ranges, Seq};
use quinn::{Connection, Endpoint, SendStream};
use std::net::SocketAddr;
use std::time::Duration;

/// IPv4 and UDP headers of a datagram.
const HEADERS: u64 = 28;

/// What went over the wire, headers of IP and UDP included.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Wire {
    pub(crate) up_bytes: u64,
    pub(crate) down_bytes: u64,
}

/// A welcomed session with its lane for blocks open.
pub(crate) struct Session {
    connection: Connection,
    /// It closes the session when it goes.
    _control: (SendStream, Frames),
    up: SendStream,
    down: Frames,
    committed: Ranges,
}

impl Session {
    /// Greets and announces the first `series` of the mix. `next_seq` is behind the last entry
    /// that this agent has.
    pub(crate) async fn open(
        endpoint: &Endpoint,
        server: SocketAddr,
        identity: &Identity,
        next_seq: u64,
        series: usize,
    ) -> Result<Self> {
        let connecting = endpoint.connect_with(identity.0.clone(), server, SERVER_NAME)?;
        let connection = connecting.await?;
        let (mut control, down) = connection.open_bi().await?;
        control.write_all(&[StreamKind::Control as u8]).await?;
        control.write_all(&frame::encode(&ControlUp::Hello(hello(next_seq)))?).await?;
        let mut control_down = Frames::new(down);
        let committed = match control_down.next::<ControlDown>().await? {
            ControlDown::Welcome { acked, .. } => acked,
            other => bail!("no welcome: {other:?}"),
        };
        let (mut up, down) = connection.open_bi().await?;
        up.write_all(&[StreamKind::Fresh as u8]).await?;
        up.write_all(&frame::encode(&LaneUp::Series(workload::definitions(series)))?).await?;
        let control = (control, control_down);
        Ok(Self { connection, _control: control, up, down: Frames::new(down), committed })
    }

    pub(crate) async fn send(&mut self, entry: &Entry) -> Result<()> {
        Ok(self.up.write_all(&frame::encode(&LaneUp::Entry(entry.clone()))?).await?)
    }

    /// Waits for the next acknowledgement; says how many entries are committed by now.
    pub(crate) async fn acknowledged(&mut self) -> Result<u64> {
        let LaneDown::Ack(ranges) = self.down.next().await?;
        // One may repeat what an earlier one said.
        self.committed.merge(&ranges);
        Ok(self.committed.count())
    }

    /// Sends every entry and returns when the last one is acknowledged. No more than `window` are
    /// under way, and `pause` lies between an acknowledgement and what follows it.
    pub(crate) async fn send_all(
        &mut self,
        entries: &[Entry],
        window: u64,
        pause: Duration,
    ) -> Result<Wire> {
        let before = self.wire();
        let had = self.committed.count();
        let (mut sent, mut acknowledged) = (0, 0);
        let mut left = entries.iter();
        while acknowledged < entries.len() as u64 {
            while sent - acknowledged < window
                && let Some(entry) = left.next()
            {
                self.send(entry).await?;
                sent += 1;
            }
            acknowledged = self.acknowledged().await? - had;
            tokio::time::sleep(pause).await;
        }
        let after = self.wire();
        Ok(Wire {
            up_bytes: after.up_bytes - before.up_bytes,
            down_bytes: after.down_bytes - before.down_bytes,
        })
    }

    fn wire(&self) -> Wire {
        let stats = self.connection.stats();
        Wire {
            up_bytes: stats.udp_tx.bytes + stats.udp_tx.datagrams * HEADERS,
            down_bytes: stats.udp_rx.bytes + stats.udp_rx.datagrams * HEADERS,
        }
    }

    pub(crate) fn close(self) {
        self.connection.close(0_u32.into(), b"done");
    }
}

fn hello(next_seq: u64) -> Hello {
    Hello {
        min_version: MIN_VERSION,
        max_version: CURRENT_VERSION,
        epoch: Epoch(1),
        next_seq: Seq(next_seq),
        machine: identity::machine("load"),
        guard_attached: false,
    }
}
