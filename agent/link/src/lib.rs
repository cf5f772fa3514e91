//! One connection between an agent and an aggregator, whatever carries it: QUIC, or TLS over TCP
//! where UDP is blocked.
//!
//! Owns streams, their windows and their ends in both forms; what is said on a stream is none of
//! its business. [`mux`] is the second form's state machine, without socket, clock or runtime.

mod connection;
mod error;
mod stream;
mod tcp;

pub mod mux;

pub use connection::{Connection, Transport};
pub use error::{ConnectionError, ReadError, TcpLoss, WriteError};
pub use stream::{RecvStream, SendStream};
pub use tcp::{Keeping, accept, connect};
