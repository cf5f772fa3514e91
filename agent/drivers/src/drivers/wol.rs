//! Wake-on-LAN: a machine without a BMC that its network card starts (AMD publication 20213,
//! *Magic Packet Technology*).
//!
//! The packet goes out from a machine in the same network segment and nobody acknowledges it, so
//! the machine itself is the proof: a TCP port of it that answers, or refuses, is a machine that
//! is on, and one that is silent counts as off. It can be woken and nothing else; what stops it
//! is its own agent.

mod packet;

use crate::driver::{Connection, Deadline, Driver, Eyes, Hands, Look};
use flyball_command::{PowerState, ResetType};
use flyball_driver_messages::{
    ActuatorEntry, ActuatorState, Configuration, Deed, DeedError, DeedFault, Described, Fault,
    FaultKind, Identity, Round,
};
use flyball_guard_messages::ActuatorKind;
use flyball_units::Unit;
use packet::{Mac, Password, packet};
use std::io::{self, ErrorKind};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream, ToSocketAddrs, UdpSocket};
use std::time::Duration;

/// A datagram may be lost, and a card in deep sleep may miss the first.
const COPIES: usize = 3;

#[derive(Clone, Debug)]
pub(super) struct Wol {
    /// Where the packet goes: usually the segment's broadcast address.
    address: String,
    /// The port that answers when the machine is on.
    probe: String,
    packet: Vec<u8>,
    timeout: Duration,
}

impl Wol {
    /// # Errors
    /// Where the configuration can't work.
    pub(super) fn new(configuration: &Configuration) -> Result<Self, Fault> {
        let misconfigured = |text: &str| Fault::new(FaultKind::Misconfigured, text);
        let mac = configuration.option("mac").and_then(Mac::parse).ok_or_else(|| {
            misconfigured(
                "`mac` is the address of the card to wake: six bytes as 0a:1b:2c:3d:4e:5f",
            )
        })?;
        let probe = configuration.option("probe").ok_or_else(|| {
            misconfigured(
                "`probe` is a TCP port of the machine that answers when it is on, such as \
                 10.0.0.20:22: a magic packet has no acknowledgement, so nothing else proves it",
            )
        })?;
        let password = configuration.login.as_ref().map(|login| {
            Password::parse(login.secret.expose()).ok_or_else(|| {
                misconfigured(
                    "the credential is no SecureOn password: six bytes as 0a:1b:2c:3d:4e:5f, or \
                     four as 10.1.2.3",
                )
            })
        });
        Ok(Self {
            address: configuration.address.clone(),
            probe: probe.to_owned(),
            packet: packet(mac, password.transpose()?),
            timeout: Duration::from_millis(u64::from(configuration.timeout_ms)),
        })
    }

    /// Where the machine stands by its port.
    fn look(&self, timeout: Duration) -> io::Result<PowerState> {
        let to = resolved(&self.probe)?;
        match TcpStream::connect_timeout(&to, timeout) {
            Ok(_) => Ok(PowerState::On),
            Err(error) => match error.kind() {
                // Who refuses is there to refuse.
                ErrorKind::ConnectionRefused | ErrorKind::ConnectionReset => Ok(PowerState::On),
                ErrorKind::TimedOut | ErrorKind::HostUnreachable => Ok(PowerState::Off),
                _ => Err(error),
            },
        }
    }

    fn wake(&self) -> io::Result<()> {
        let to = resolved(&self.address)?;
        let any: SocketAddr = match to {
            SocketAddr::V4(_) => (Ipv4Addr::UNSPECIFIED, 0).into(),
            SocketAddr::V6(_) => (Ipv6Addr::UNSPECIFIED, 0).into(),
        };
        let socket = UdpSocket::bind(any)?;
        socket.set_broadcast(true)?;
        for _ in 0..COPIES {
            socket.send_to(&self.packet, to)?;
        }
        Ok(())
    }
}

impl Driver for Wol {
    fn connect(&mut self) -> Result<Connection, Fault> {
        for (key, address) in [("address", &self.address), ("probe", &self.probe)] {
            resolved(address).map_err(|error| {
                let text = format!("`{key}` is no address with a port, {address:?}: {error}");
                Fault::new(FaultKind::Misconfigured, text)
            })?;
        }
        let power = ActuatorEntry {
            name: "power".into(),
            label: "Wake-on-LAN".into(),
            kind: ActuatorKind::Switch,
            unit: Unit::One,
            min: 0.0,
            max: 0.0,
            quantum: 0.0,
            verbs: vec![ResetType::On],
            words: Vec::new(),
            effect: None,
        };
        let described = Described {
            identity: Identity::default(),
            sensors: Vec::new(),
            actuators: vec![power],
            remarks: Vec::new(),
        };
        Ok(Connection { described, eyes: Box::new(self.clone()), hands: Box::new(self.clone()) })
    }
}

impl Eyes for Wol {
    fn look(&mut self) -> Result<Look, Fault> {
        let state = Self::look(self, self.timeout).map_err(|error| {
            let text = format!("can't look at {}: {error}", self.probe);
            Fault::new(FaultKind::Unreachable, text)
        })?;
        let states = vec![(0, ActuatorState::Power(state))];
        Ok(Look::Seen(Round { states, ..Round::default() }))
    }
}

impl Hands for Wol {
    fn act(
        &mut self,
        actuator: u16,
        deed: &Deed,
        deadline: Deadline,
    ) -> Result<ActuatorState, DeedError> {
        let failed = |what: &str, error: io::Error| {
            DeedError::new(DeedFault::Failed, format!("{what}: {error}"))
        };
        match (actuator, deed) {
            (0, Deed::Observe) => {}
            (0, Deed::Reset(ResetType::On)) => self.wake().map_err(|error| {
                failed(&format!("no packet could go to {}", self.address), error)
            })?,
            _ => {
                let text = "a magic packet wakes a machine and can do nothing else";
                return Err(DeedError::new(DeedFault::Unsupported, text));
            }
        }
        Self::look(self, deadline.at_most(self.timeout))
            .map(ActuatorState::Power)
            .map_err(|error| failed(&format!("can't look at {}", self.probe), error))
    }
}

fn resolved(address: &str) -> io::Result<SocketAddr> {
    let nothing = || io::Error::new(ErrorKind::NotFound, "the name has no address");
    address.to_socket_addrs()?.next().ok_or_else(nothing)
}
