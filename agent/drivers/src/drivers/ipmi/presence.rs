//! Whether a BMC is there at all: RMCP's presence ping, which needs no session (DSP0136, 3.2.4).

use std::net::UdpSocket;
use std::time::Duration;

/// RMCP, class ASF: ping.
const PING: [u8; 12] = [6, 0, 255, 6, 0, 0, 0x11, 0xbe, 0x80, 1, 0, 0];
/// The place of the message's type, and that of an answer.
const PONG: (usize, u8) = (8, 0x40);
const PATIENCE: Duration = Duration::from_secs(1);

pub(super) fn answers(host: &str, port: &str) -> bool {
    let Ok(port) = port.parse::<u16>() else {
        return false;
    };
    let any = if host.contains(':') { "[::]:0" } else { "0.0.0.0:0" };
    let ask = || {
        let socket = UdpSocket::bind(any)?;
        // Connected, so that only the BMC's own answers are heard.
        socket.connect((host, port))?;
        socket.set_read_timeout(Some(PATIENCE))?;
        socket.send(&PING)?;
        let mut answer = [0; 64];
        let length = socket.recv(&mut answer)?;
        let (place, pong) = PONG;
        std::io::Result::Ok(length > place && answer[place] == pong)
    };
    ask().unwrap_or(false)
}
