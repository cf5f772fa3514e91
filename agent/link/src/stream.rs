//! The two halves of a stream in either form.

use crate::connection::Tcp;
use crate::error::{ConnectionError, ReadError, WriteError};
use crate::mux::{Read, StreamId, Written};
use crate::tcp::Signals;
use bytes::{Buf, Bytes};
use std::pin::Pin;
use std::sync::Arc;

/// Dropping it finishes the stream.
#[derive(Debug)]
pub struct SendStream(SendForm);

#[derive(Debug)]
enum SendForm {
    Quic(quinn::SendStream),
    Tcp(Half),
}

/// Dropping it before the end tells the peer that nobody reads.
#[derive(Debug)]
pub struct RecvStream {
    form: RecvForm,
    /// Read from the connection and not yet given on.
    rest: Bytes,
}

#[derive(Debug)]
enum RecvForm {
    Quic(quinn::RecvStream),
    Tcp(Half),
}

#[derive(Debug)]
struct Half {
    tcp: Arc<Tcp>,
    id: StreamId,
    signals: Arc<Signals>,
    direction: Direction,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Direction {
    Sending,
    Receiving,
}

impl Half {
    fn work(&self) {
        self.tcp.shared.work.notify_one();
    }

    fn lost(&self) -> Option<ConnectionError> {
        self.tcp.over()
    }
}

impl Drop for Half {
    fn drop(&mut self) {
        self.tcp.shared.with(|mux| match self.direction {
            Direction::Sending => mux.finish(self.id),
            Direction::Receiving => mux.stop(self.id, 0),
        });
        // The map's and this one's: the other half is gone.
        if Arc::strong_count(&self.signals) <= 2 {
            self.tcp.shared.forget(self.id);
        }
        self.work();
    }
}

pub(crate) fn over_tcp(tcp: &Arc<Tcp>, id: StreamId) -> (SendStream, RecvStream) {
    let half =
        |direction| Half { tcp: Arc::clone(tcp), id, signals: tcp.shared.signals(id), direction };
    let receiving = RecvForm::Tcp(half(Direction::Receiving));
    (
        SendStream(SendForm::Tcp(half(Direction::Sending))),
        RecvStream { form: receiving, rest: Bytes::new() },
    )
}

impl From<quinn::SendStream> for SendStream {
    fn from(stream: quinn::SendStream) -> Self {
        Self(SendForm::Quic(stream))
    }
}

impl From<quinn::RecvStream> for RecvStream {
    fn from(stream: quinn::RecvStream) -> Self {
        Self { form: RecvForm::Quic(stream), rest: Bytes::new() }
    }
}

impl SendStream {
    /// Writes all of it, waiting for room.
    ///
    /// # Errors
    /// Where the peer reads no more, or the connection is over.
    pub async fn write_all(&mut self, bytes: &[u8]) -> Result<(), WriteError> {
        let half = match &mut self.0 {
            SendForm::Quic(stream) => return Ok(stream.write_all(bytes).await?),
            SendForm::Tcp(half) => half,
        };
        let mut rest = bytes;
        while !rest.is_empty() {
            if let Some(error) = half.lost() {
                return Err(WriteError::Connection(error));
            }
            match half.tcp.shared.with(|mux| mux.write(half.id, rest)) {
                Written::Taken(0) => half.signals.writable.notified().await,
                Written::Taken(taken) => {
                    rest = &rest[taken..];
                    half.work();
                }
                Written::Stopped(code) => return Err(WriteError::Stopped(code)),
                Written::Closed => return Err(WriteError::Closed),
            }
        }
        Ok(())
    }

    /// Higher goes first; streams begin with 0.
    pub fn set_priority(&self, priority: i32) {
        match &self.0 {
            // Fails only on a stream that is over.
            SendForm::Quic(stream) => drop(stream.set_priority(priority)),
            SendForm::Tcp(half) => {
                half.tcp.shared.with(|mux| mux.set_priority(half.id, priority));
            }
        }
    }

    /// Nothing more will come; what was written still arrives.
    pub fn finish(&mut self) {
        match &mut self.0 {
            // Fails only where the stream is over already.
            SendForm::Quic(stream) => drop(stream.finish()),
            SendForm::Tcp(half) => {
                half.tcp.shared.with(|mux| mux.finish(half.id));
                half.work();
            }
        }
    }

    /// Gives the stream up.
    pub fn reset(&mut self, code: u32) {
        match &mut self.0 {
            // As above.
            SendForm::Quic(stream) => drop(stream.reset(code.into())),
            SendForm::Tcp(half) => {
                half.tcp.shared.with(|mux| mux.reset(half.id, code));
                half.work();
            }
        }
    }

    /// Ready once the peer reads no more, or has all of a finished stream, or is gone.
    pub fn stopped(&self) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        match &self.0 {
            SendForm::Quic(stream) => {
                let stopped = stream.stopped();
                Box::pin(async move {
                    // Whatever the reason, nobody reads on.
                    let _reason = stopped.await;
                })
            }
            SendForm::Tcp(half) => {
                let (shared, id) = (Arc::clone(&half.tcp.shared), half.id);
                let signals = Arc::clone(&half.signals);
                Box::pin(async move {
                    loop {
                        let over = shared.over.borrow().is_some();
                        if over || shared.with(|mux| mux.is_sent(id)) {
                            return;
                        }
                        signals.settled.notified().await;
                    }
                })
            }
        }
    }
}

impl RecvStream {
    /// What has come, `max_bytes` at most; `None` at the end of the stream.
    ///
    /// # Errors
    /// Where the peer gave the stream up, or the connection is over.
    pub async fn read_chunk(&mut self, max_bytes: usize) -> Result<Option<Bytes>, ReadError> {
        if !self.rest.is_empty() {
            return Ok(Some(self.rest.split_to(self.rest.len().min(max_bytes))));
        }
        let half = match &mut self.form {
            RecvForm::Quic(stream) => {
                return Ok(stream.read_chunk(max_bytes, true).await?.map(|chunk| chunk.bytes));
            }
            RecvForm::Tcp(half) => half,
        };
        loop {
            let read = half.tcp.shared.with(|mux| mux.read(half.id, max_bytes));
            match read {
                Read::Data(bytes) => {
                    half.work();
                    return Ok(Some(bytes));
                }
                Read::Finished => {
                    half.work();
                    return Ok(None);
                }
                Read::Reset(code) => {
                    half.work();
                    return Err(ReadError::Reset(code));
                }
                Read::Closed => return Err(ReadError::Closed),
                Read::Empty => {
                    if let Some(error) = half.lost() {
                        return Err(ReadError::Connection(error));
                    }
                    half.signals.readable.notified().await;
                }
            }
        }
    }

    /// Fills `buffer`.
    ///
    /// # Errors
    /// Where the stream ends before.
    pub async fn read_exact(&mut self, buffer: &mut [u8]) -> Result<(), ReadError> {
        let mut filled = 0;
        while filled < buffer.len() {
            let chunk = self.read_chunk(buffer.len() - filled).await?;
            let mut chunk = chunk.ok_or(ReadError::Finished)?;
            let bytes = chunk.len().min(buffer.len() - filled);
            buffer[filled..filled + bytes].copy_from_slice(&chunk[..bytes]);
            chunk.advance(bytes);
            self.rest = chunk;
            filled += bytes;
        }
        Ok(())
    }

    /// Tells the peer that nobody reads on.
    pub fn stop(&mut self, with: u32) {
        match &mut self.form {
            // Fails only where the stream is over.
            RecvForm::Quic(stream) => drop(stream.stop(with.into())),
            RecvForm::Tcp(half) => {
                half.tcp.shared.with(|mux| mux.stop(half.id, with));
                half.work();
            }
        }
    }
}
