//! The service manager's watchdog (sd_notify's protocol), fed by the loop after a complete
//! cycle and by nobody else.
//!
//! The socket is opened once and held: the loop neither allocates nor opens anything to feed.

use std::env;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::time::Duration;

#[derive(Debug)]
pub(crate) struct Watchdog {
    socket: Option<UnixDatagram>,
    every: Option<Duration>,
    fed: Option<Duration>,
}

impl Watchdog {
    /// What `NOTIFY_SOCKET` and `WATCHDOG_USEC` ask for; nothing where they are not set.
    pub(crate) fn from_environment() -> Self {
        let every = env::var("WATCHDOG_USEC").ok().and_then(|us| us.parse().ok());
        // Half the time that the service manager waits.
        let every = every.map(|us: u64| Duration::from_micros(us / 2));
        Self {
            socket: env::var("NOTIFY_SOCKET").ok().and_then(|name| connect(&name)),
            every,
            fed: None,
        }
    }

    pub(crate) fn ready(&self) {
        self.tell(b"READY=1");
    }

    pub(crate) fn stopping(&self) {
        self.tell(b"STOPPING=1");
    }

    /// Feeds it where it is time. To be called after a complete cycle only.
    pub(crate) fn feed(&mut self, now: Duration) {
        let Some(every) = self.every else {
            return;
        };
        if self.fed.is_none_or(|fed| now.saturating_sub(fed) >= every) {
            self.tell(b"WATCHDOG=1");
            self.fed = Some(now);
        }
    }

    fn tell(&self, state: &[u8]) {
        if let Some(socket) = &self.socket {
            // A service manager that does not listen will act on its own time-out.
            let _ = socket.send(state);
        }
    }
}

fn connect(name: &str) -> Option<UnixDatagram> {
    let address = match name.strip_prefix('@') {
        Some(hidden) => SocketAddr::from_abstract_name(hidden),
        None => SocketAddr::from_pathname(name),
    };
    let socket = UnixDatagram::unbound().ok()?;
    socket.set_nonblocking(true).ok()?;
    socket.connect_addr(&address.ok()?).ok()?;
    Some(socket)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_fed_at_half_its_time_and_no_more_often() {
        let (ours, theirs) = UnixDatagram::pair().unwrap();
        theirs.set_nonblocking(true).unwrap();
        let every = Some(Duration::from_secs(1));
        let mut watchdog = Watchdog { socket: Some(ours), every, fed: None };
        for ms in (0..=2000).step_by(250) {
            watchdog.feed(Duration::from_millis(ms));
        }
        let mut buffer = [0; 32];
        let mut fed = 0;
        while let Ok(length) = theirs.recv(&mut buffer) {
            assert_eq!(&buffer[..length], b"WATCHDOG=1");
            fed += 1;
        }
        assert_eq!(fed, 3);
    }
}
