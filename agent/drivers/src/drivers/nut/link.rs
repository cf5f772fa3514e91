//! The bytes under a conversation with upsd: TCP, or TLS over it once upsd has agreed to that.
//!
//! It knows whether a secret may go over it. upsd's STARTTLS is a request in the clear that
//! anybody on the way could answer for it, so with TLS configured nothing else is ever said
//! before the handshake has proved who listens.

use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, StreamOwned};
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;

pub(super) enum Link {
    Plain(TcpStream),
    Secured(Box<StreamOwned<ClientConnection, TcpStream>>),
}

impl Link {
    /// Goes on over TLS with whoever answers at `address`.
    ///
    /// # Errors
    /// Where the handshake fails; a [`rustls::Error`] is inside where it was the other side.
    pub(super) fn secure(
        stream: TcpStream,
        config: Arc<ClientConfig>,
        address: &str,
    ) -> io::Result<Self> {
        let host = address.rsplit_once(':').map_or(address, |(host, _)| host);
        let name = ServerName::try_from(host.trim_matches(['[', ']']).to_owned())
            .map_err(io::Error::other)?;
        let mut connection = ClientConnection::new(config, name).map_err(io::Error::other)?;
        let mut stream = stream;
        while connection.is_handshaking() {
            connection.complete_io(&mut stream)?;
        }
        Ok(Self::Secured(Box::new(StreamOwned::new(connection, stream))))
    }

    /// Nobody else can read along.
    pub(super) fn is_private(&self) -> bool {
        match self {
            Self::Secured(_) => true,
            Self::Plain(stream) => stream.peer_addr().is_ok_and(is_loopback),
        }
    }
}

fn is_loopback(address: SocketAddr) -> bool {
    address.ip().to_canonical().is_loopback()
}

impl Read for Link {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(stream) => stream.read(buffer),
            Self::Secured(stream) => stream.read(buffer),
        }
    }
}

impl Write for Link {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Plain(stream) => stream.write(bytes),
            Self::Secured(stream) => stream.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(stream) => stream.flush(),
            Self::Secured(stream) => stream.flush(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_machine_is_reached_in_private_and_no_other() {
        let cases = [
            ("127.0.0.1:3493", true),
            ("127.8.8.8:3493", true),
            ("[::1]:3493", true),
            ("[::ffff:127.0.0.1]:3493", true),
            ("10.0.0.7:3493", false),
            ("[fe80::1]:3493", false),
        ];
        for (address, private) in cases {
            assert_eq!(is_loopback(address.parse().unwrap()), private, "{address}");
        }
    }
}
