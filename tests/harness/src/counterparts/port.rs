//! Ports that were free a moment ago. Between that moment and the counterpart's own `bind`
//! another process may take one; a start then fails aloud and is tried with the next.

use super::CounterpartError;
use std::net::{TcpListener, UdpSocket};

/// Starts are tried on this many ports.
pub(super) const TRIES: usize = 3;

/// # Errors
/// Where the system has no port left.
pub fn free_tcp() -> Result<u16, CounterpartError> {
    let listener = TcpListener::bind("127.0.0.1:0").map_err(CounterpartError::Port)?;
    Ok(listener.local_addr().map_err(CounterpartError::Port)?.port())
}

/// # Errors
/// Where the system has no port left.
pub fn free_udp() -> Result<u16, CounterpartError> {
    let socket = UdpSocket::bind("127.0.0.1:0").map_err(CounterpartError::Port)?;
    Ok(socket.local_addr().map_err(CounterpartError::Port)?.port())
}

/// A port that is free for both: agents connect by either.
///
/// # Errors
/// Where the system has none left.
pub fn free_tcp_and_udp() -> Result<u16, CounterpartError> {
    let mut tries = 1;
    loop {
        // Connections that go out take ports of TCP by the thousand: one that is free there is
        // free for UDP too, but not the other way round.
        let listener = TcpListener::bind("127.0.0.1:0").map_err(CounterpartError::Port)?;
        let address = listener.local_addr().map_err(CounterpartError::Port)?;
        match UdpSocket::bind(address) {
            Ok(_) => return Ok(address.port()),
            Err(_) if tries < TRIES => tries += 1,
            Err(error) => return Err(CounterpartError::Port(error)),
        }
    }
}

/// Calls `start` with free ports until it succeeds, [`TRIES`] times at most.
pub(super) fn on_a_free_port<T>(
    mut free: impl FnMut() -> Result<u16, CounterpartError>,
    mut start: impl FnMut(u16) -> Result<T, CounterpartError>,
) -> Result<T, CounterpartError> {
    let mut tries = 1;
    loop {
        match start(free()?) {
            Err(CounterpartError::NotReady { .. }) if tries < TRIES => tries += 1,
            settled => return settled,
        }
    }
}
