//! The service manager's watchdog (sd_notify's protocol) and the kernel's, fed by the loop after a
//! complete cycle and by nobody else.
//!
//! Socket and device are opened once and held: the loop opens nothing to feed them.

mod device;

use crate::log;
use crate::policy::Policy;
use device::Device;

use std::env;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::path::Path;
use std::time::Duration;

#[derive(Debug)]
pub(crate) struct Watchdog {
    socket: Option<UnixDatagram>,
    every: Option<Duration>,
    fed: Option<Duration>,
    device: Option<Device>,
}

impl Watchdog {
    /// What `NOTIFY_SOCKET` and `WATCHDOG_USEC` ask for, and the device that the policy names.
    pub(crate) fn from_environment(policy: &Policy, sysfs: &Path) -> Self {
        let every = env::var("WATCHDOG_USEC").ok().and_then(|us| us.parse().ok());
        // Half the time that the service manager waits.
        let every = every.map(|us: u64| Duration::from_micros(us / 2));
        Self {
            socket: env::var("NOTIFY_SOCKET").ok().and_then(|name| connect(&name)),
            every,
            fed: None,
            device: policy.watchdog.as_ref().and_then(|rule| {
                let opened = Device::open(&rule.device, rule.timeout, sysfs);
                opened.inspect_err(|error| {
                    let path = rule.device.display();
                    log::error(format_args!(
                        "the policy's watchdog is not armed path={path} cause={error}; load its \
                         driver, or take [watchdog] out of the policy"
                    ));
                })
                .ok()
            }),
        }
    }

    /// The machine was reset by its watchdog before this run.
    pub(crate) fn has_reset(&self) -> bool {
        self.device.as_ref().is_some_and(|device| device.has_reset)
    }

    pub(crate) fn ready(&self) {
        self.tell(b"READY=1");
    }

    pub(crate) fn stopping(&self) {
        self.tell(b"STOPPING=1");
    }

    /// Disarms the device: everything is handed back.
    pub(crate) fn disarm(&mut self) {
        if let Some(device) = &mut self.device
            && let Err(error) = device.disarm()
        {
            log::error(format_args!("the watchdog stays armed, the machine will reset: {error}"));
        }
    }

    /// Feeds them where it is time. To be called after a complete cycle only. Gives back a line
    /// for the log.
    pub(crate) fn feed(&mut self, now: Duration) -> Option<String> {
        if let Some(every) = self.every
            && self.fed.is_none_or(|fed| now.saturating_sub(fed) >= every)
        {
            self.tell(b"WATCHDOG=1");
            self.fed = Some(now);
        }
        self.device.as_mut()?.feed(now)
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
        let mut watchdog = Watchdog { socket: Some(ours), every, fed: None, device: None };
        for ms in (0..=2000).step_by(250) {
            assert_eq!(watchdog.feed(Duration::from_millis(ms)), None);
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
