//! One connection: its control stream, its two lanes and its job streams, each with tasks of
//! their own that end with it. What they bring goes to the uplink as events with the session's
//! number, so that a late word of a past session is known as one.

mod lane;

use super::endpoint::{self, Client, Connected, Way};
use super::jobs::{self, JobRunner};
use super::wire::{FrameReader, FrameWriter, WireError};
use crate::logging::chain;
use flyball_link::{ConnectionError, Transport};
use flyball_protocol::entry::Entry;
use flyball_protocol::message::{ControlDown, ControlUp, Hello, StreamKind, close};
use flyball_protocol::series::SeriesDef;
use flyball_protocol::sync::{Lane, Ranges};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

/// Control messages that may wait; an aggregator that reads none of so many is lost.
const MAX_CONTROL: usize = 32;
/// Batches that may wait on a lane beside the one being written.
const MAX_BATCHES: usize = 1;
/// From the first byte of the handshake to its end.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// Entries for one lane, behind the definitions that are new to it.
#[derive(Debug)]
pub(super) struct Batch {
    pub(super) series: Vec<SeriesDef>,
    pub(super) entries: Vec<Entry>,
}

#[derive(Debug)]
pub(super) enum Event {
    Down(ControlDown),
    Ack(Ranges),
    Lost(Loss),
}

/// How a connection ended, or why there is none.
#[derive(Debug)]
pub(super) struct Loss {
    pub(super) why: String,
    /// The aggregator said no: calling again soon would change nothing.
    pub(super) refused: bool,
}

impl Loss {
    pub(super) fn new(why: impl Into<String>) -> Self {
        Self { why: why.into(), refused: false }
    }

    pub(super) fn refusal(why: impl Into<String>) -> Self {
        Self { why: why.into(), refused: true }
    }
}

/// Where a session's tasks report to.
#[derive(Clone, Debug)]
pub(super) struct Reports {
    pub(super) session: u64,
    pub(super) events: mpsc::Sender<(u64, Event)>,
}

impl Reports {
    async fn send(&self, event: Event) {
        // The uplink is gone only when the program stops.
        let _stopping = self.events.send((self.session, event)).await;
    }

    async fn lost(&self, connection: &Connected, error: &WireError) {
        if let Some(code) = error.close_code() {
            connection.close(code, error.to_string().as_bytes());
        }
        self.send(Event::Lost(loss(connection, error))).await;
    }
}

/// Dropping it ends its tasks and closes the connection.
#[derive(Debug)]
pub(super) struct Session {
    connection: Arc<Connected>,
    control: mpsc::Sender<ControlUp>,
    lanes: [mpsc::Sender<Batch>; Lane::ALL.len()],
    _tasks: JoinSet<()>,
}

impl Session {
    /// Starts the tasks over `connection`; `hello` is the first thing said.
    pub(super) fn start(
        connection: Connected,
        hello: Hello,
        reports: Reports,
        runner: JobRunner,
    ) -> Self {
        let connection = Arc::new(connection);
        let mut tasks = JoinSet::new();
        let (control, outgoing) = mpsc::channel(MAX_CONTROL);
        tasks.spawn(control_stream(Arc::clone(&connection), hello, outgoing, reports.clone()));
        let lanes = Lane::ALL.map(|lane| {
            let (batches, waiting) = mpsc::channel(MAX_BATCHES);
            let connection = Arc::clone(&connection);
            tasks.spawn(lane::carry(connection, stream_kind(lane), waiting, reports.clone()));
            batches
        });
        tasks.spawn(jobs::serve((**connection).clone(), runner));
        Self { connection, control, lanes, _tasks: tasks }
    }

    /// Puts a control message in line. False where the line is full.
    pub(super) fn say(&self, message: ControlUp) -> bool {
        self.control.try_send(message).is_ok()
    }

    /// The place for one batch on `lane`, `None` while it is taken.
    pub(super) fn room(&self, lane: Lane) -> Option<mpsc::OwnedPermit<Batch>> {
        self.lanes[lane as usize].clone().try_reserve_owned().ok()
    }

    pub(super) fn close(&self, code: u32, reason: &str) {
        self.connection.close(code, reason.as_bytes());
    }

    /// See [`flyball_link::Connection::heard`].
    pub(super) fn heard(&self) -> u64 {
        self.connection.heard()
    }

    pub(super) fn ask_for_life(&self) {
        self.connection.ask_for_life();
    }

    pub(super) fn transport(&self) -> Transport {
        self.connection.transport()
    }

    pub(super) async fn close_and_drain(&self, code: u32, reason: &str) {
        self.connection.close_and_drain(code, reason.as_bytes()).await;
    }
}

fn stream_kind(lane: Lane) -> StreamKind {
    match lane {
        Lane::Fresh => StreamKind::Fresh,
        Lane::Backfill => StreamKind::Backfill,
    }
}

/// Connects within a bounded time.
pub(super) async fn connect(
    server: crate::config::ServerAddress,
    client: Client,
    way: Way,
) -> Result<Connected, Loss> {
    let connecting = endpoint::connect(&server, &client, crate::identity::SERVER_NAME, way);
    match tokio::time::timeout(HANDSHAKE, connecting).await {
        Ok(Ok(connected)) => Ok(connected),
        Ok(Err(error)) => Err(Loss::new(chain(&error))),
        Err(_) => {
            Err(Loss::new(format!("{server} did not answer within {} s", HANDSHAKE.as_secs())))
        }
    }
}

/// Says `hello`, then what comes from the uplink; brings back what the aggregator says.
async fn control_stream(
    connection: Arc<Connected>,
    hello: Hello,
    mut outgoing: mpsc::Receiver<ControlUp>,
    reports: Reports,
) {
    let opened = async {
        let (send, receive) = connection.open_bi().await.map_err(WireError::Connection)?;
        let mut writer = FrameWriter::begin(send, StreamKind::Control).await?;
        writer.send(&ControlUp::Hello(hello)).await?;
        Ok((writer, FrameReader::new(receive)))
    };
    let (mut writer, mut reader) = match opened.await {
        Ok(halves) => halves,
        Err(error) => return reports.lost(&connection, &error).await,
    };
    let write = async {
        while let Some(message) = outgoing.recv().await {
            writer.send(&message).await?;
        }
        Ok(())
    };
    let read = async {
        while let Some(message) = reader.next().await? {
            reports.send(Event::Down(message)).await;
        }
        Err(WireError::Ended)
    };
    if let Err(error) = both(write, read).await {
        reports.lost(&connection, &error).await;
    }
}

/// Runs a stream's two halves until one fails; a writer that is done waits for the reader.
async fn both(
    write: impl Future<Output = Result<(), WireError>>,
    read: impl Future<Output = Result<(), WireError>>,
) -> Result<(), WireError> {
    tokio::try_join!(write, read).map(|_| ())
}

/// The connection's own reason where it has one: a stream's error is only its shadow.
fn loss(connection: &Connected, error: &WireError) -> Loss {
    match connection.close_reason() {
        Some(ConnectionError::ClosedByPeer { code, reason: why }) => {
            let refused = matches!(
                code,
                close::VERSION
                    | close::REVOKED
                    | close::REFUSED
                    | close::REPLACED
                    | close::CHECKSUM
            );
            Loss {
                why: format!("the aggregator closed it: {} ({code}) {why}", word(code)),
                refused,
            }
        }
        Some(ConnectionError::ClosedHere) | None => Loss::new(chain(error)),
        Some(reason) => Loss::new(chain(&reason)),
    }
}

fn word(code: u32) -> &'static str {
    match code {
        close::DONE => "done",
        close::FRAME_TOO_LARGE => "a frame was too large",
        close::MALFORMED => "a message was malformed",
        close::VERSION => "no common version",
        close::REVOKED => "this machine's certificate is revoked",
        close::REFUSED => "refused",
        close::SHUTDOWN => "it shuts down",
        close::REPLACED => "another connection of this device took its place",
        close::CHECKSUM => "an entry came twice with different bytes",
        _ => "an unknown code",
    }
}
