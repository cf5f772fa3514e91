//! One connection to the guard's socket, from `Attach` to its end.

use super::{Ask, Cursor, Delivery, GuardLink, News};
use crate::recorder::Order;
use flyball_protocol::guard::{
    AttachRefusal, Decoder, EventKind, FrameError, FromAgent, FromGuard, Record, RecordBody,
    VERSION, encode,
};
use std::io;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};

/// A guard that is alive answers `Attach` within a few of its cycles.
const PATIENCE: Duration = Duration::from_secs(5);
const READ_BYTES: usize = 16 * 1024;

/// Why a conversation is over.
#[derive(Debug)]
pub(super) enum Ended {
    /// This program stops.
    Closed,
    Lost {
        attached: bool,
        why: String,
    },
}

#[derive(Debug, thiserror::Error)]
enum Fault {
    #[error("its socket cannot be used: {0}")]
    Io(#[from] io::Error),
    #[error("it closed the connection")]
    End,
    #[error("it did not answer within {} s", PATIENCE.as_secs())]
    Silent,
    #[error("its message cannot be read: {0}")]
    Frame(#[from] FrameError),
    #[error("it speaks version {known}, this agent {VERSION}; install both from one package")]
    Version { known: u8 },
    #[error("it refused to attach")]
    Refused,
    #[error("it sent a message that has no place here")]
    Unexpected,
    #[error("this program stops")]
    Closed,
}

enum Input {
    Bytes(io::Result<usize>),
    Ask(Option<Ask>),
    Durable(bool),
}

pub(super) struct Conversation<'a> {
    link: &'a mut GuardLink,
    incoming: OwnedReadHalf,
    outgoing: OwnedWriteHalf,
    decoder: Decoder,
    buffer: Vec<u8>,
}

impl<'a> Conversation<'a> {
    /// Connects, attaches and goes on until something ends it.
    pub(super) async fn hold(link: &'a mut GuardLink) -> Ended {
        let mut attached = false;
        let fault = match UnixStream::connect(&link.socket).await {
            Ok(stream) => {
                let (incoming, outgoing) = stream.into_split();
                let (decoder, buffer) = (Decoder::new(), vec![0; READ_BYTES]);
                let mut conversation = Self { link, incoming, outgoing, decoder, buffer };
                match conversation.attach().await {
                    Ok(()) => {
                        attached = true;
                        conversation.relay().await
                    }
                    Err(fault) => fault,
                }
            }
            Err(error) => Fault::Io(error),
        };
        match fault {
            Fault::Closed => Ended::Closed,
            fault => Ended::Lost { attached, why: fault.to_string() },
        }
    }

    async fn attach(&mut self) -> Result<(), Fault> {
        let cursor = self.link.cursor;
        let attach = FromAgent::Attach {
            version: VERSION,
            run: cursor.map(|cursor| cursor.run),
            after: cursor.map_or(0, |cursor| cursor.through),
        };
        self.say(&attach).await?;
        let answer = tokio::time::timeout(PATIENCE, self.hear()).await;
        match answer.map_err(|_| Fault::Silent)?? {
            FromGuard::Attached { run, board, series, inventory, .. } => {
                let goes_on = cursor.filter(|cursor| cursor.run == run);
                self.link.cursor = Some(goes_on.unwrap_or(Cursor { run, through: 0 }));
                tracing::info!(%run, series = series.len(), "attached to the guard");
                self.deliver(Delivery::Attached { run, series }).await?;
                self.tell(News::Attached { board, inventory }).await
            }
            FromGuard::Refused(AttachRefusal::Version { known }) => Err(Fault::Version { known }),
            FromGuard::Refused(AttachRefusal::NotAttached) => Err(Fault::Refused),
            FromGuard::Records { .. }
            | FromGuard::Verdict { .. }
            | FromGuard::Inventory(_)
            | FromGuard::Series { .. }
            | FromGuard::Validated { .. }
            | FromGuard::Ordered { .. }
            | FromGuard::Ended(_)
            | FromGuard::Status(_) => Err(Fault::Unexpected),
        }
    }

    /// Goes on until a fault ends it.
    async fn relay(&mut self) -> Fault {
        // The guard may have said more in one breath with its answer.
        if let Err(fault) = self.handle_messages().await {
            return fault;
        }
        loop {
            let done = match self.next_input().await {
                Input::Bytes(Ok(0)) => Err(Fault::End),
                Input::Bytes(Ok(count)) => self.handle_bytes(count).await,
                Input::Bytes(Err(error)) => Err(error.into()),
                Input::Ask(Some(ask)) => self.handle_ask(ask).await,
                Input::Durable(true) => self.handle_durable().await,
                Input::Ask(None) | Input::Durable(false) => Err(Fault::Closed),
            };
            if let Err(fault) = done {
                return fault;
            }
        }
    }

    async fn next_input(&mut self) -> Input {
        tokio::select! {
            read = self.incoming.read(&mut self.buffer) => Input::Bytes(read),
            ask = self.link.asks.recv() => Input::Ask(ask),
            changed = self.link.durable.changed() => Input::Durable(changed.is_ok()),
        }
    }

    async fn handle_bytes(&mut self, count: usize) -> Result<(), Fault> {
        self.decoder.push(&self.buffer[..count]);
        self.handle_messages().await
    }

    async fn handle_messages(&mut self) -> Result<(), Fault> {
        while let Some(message) = self.decoder.next()? {
            self.handle_message(message).await?;
        }
        Ok(())
    }

    async fn handle_message(&mut self, message: FromGuard) -> Result<(), Fault> {
        match message {
            FromGuard::Records { first, records } => self.handle_records(first, records).await,
            FromGuard::Verdict { operation, verdict } => {
                self.tell(News::Verdict { operation, verdict }).await
            }
            FromGuard::Inventory(inventory) => self.tell(News::Inventory(inventory)).await,
            FromGuard::Validated { request, verdict } => {
                self.tell(News::Validated { request, verdict }).await
            }
            FromGuard::Series { first, series } => {
                self.deliver(Delivery::Series { first, series }).await
            }
            FromGuard::Attached { .. }
            | FromGuard::Refused(_)
            | FromGuard::Ordered { .. }
            | FromGuard::Ended(_)
            | FromGuard::Status(_) => Err(Fault::Unexpected),
        }
    }

    async fn handle_records(&mut self, first: u64, records: Vec<Record>) -> Result<(), Fault> {
        let board_moved = records.iter().any(moves_board);
        let Some(last) = first.checked_add(records.len() as u64).and_then(|end| end.checked_sub(1))
        else {
            return Err(Fault::Unexpected);
        };
        self.deliver(Delivery::Records { first, records }).await?;
        if let Some(cursor) = &mut self.link.cursor {
            cursor.through = cursor.through.max(last);
        }
        if board_moved { self.say(&FromAgent::Inventory).await } else { Ok(()) }
    }

    async fn handle_ask(&mut self, ask: Ask) -> Result<(), Fault> {
        let message = match ask {
            Ask::Validate { request, action } => FromAgent::Validate { request, action },
            Ask::Propose { operation, command } => FromAgent::Propose { operation, command },
            Ask::Inventory => FromAgent::Inventory,
        };
        self.say(&message).await
    }

    /// Only what belongs to the guard's present run means anything to it.
    async fn handle_durable(&mut self) -> Result<(), Fault> {
        let durable = *self.link.durable.borrow_and_update();
        let run = self.link.cursor.map(|cursor| cursor.run);
        match durable.filter(|durable| Some(durable.run) == run) {
            Some(Cursor { through, .. }) => self.say(&FromAgent::Confirm { through }).await,
            None => Ok(()),
        }
    }

    async fn say(&mut self, message: &FromAgent) -> Result<(), Fault> {
        let frame = encode(message)?;
        self.outgoing.write_all(&frame).await?;
        Ok(())
    }

    async fn hear(&mut self) -> Result<FromGuard, Fault> {
        loop {
            if let Some(message) = self.decoder.next()? {
                return Ok(message);
            }
            let count = self.incoming.read(&mut self.buffer).await?;
            if count == 0 {
                return Err(Fault::End);
            }
            self.decoder.push(&self.buffer[..count]);
        }
    }

    async fn deliver(&self, delivery: Delivery) -> Result<(), Fault> {
        self.link.recorder.send(Order::Guard(delivery)).await.map_err(|_| Fault::Closed)
    }

    async fn tell(&self, news: News) -> Result<(), Fault> {
        self.link.news.send(news).await.map_err(|_| Fault::Closed)
    }
}

/// Something after which the board reads otherwise: the aggregator's picture is renewed at once.
fn moves_board(record: &Record) -> bool {
    match &record.body {
        RecordBody::Event(event) => matches!(
            event.kind,
            EventKind::LimitState { .. }
                | EventKind::TripCleared
                | EventKind::Interlock { .. }
                | EventKind::LockSet
                | EventKind::LockReleased
                | EventKind::Switched
                | EventKind::SwitchFailed
                | EventKind::EquipmentLost
                | EventKind::EquipmentBack
                | EventKind::HardwareChanged
                | EventKind::PolicyTaken
        ),
        RecordBody::Outcome(_) => true,
        RecordBody::Samples(_) | RecordBody::Lost { .. } => false,
    }
}
