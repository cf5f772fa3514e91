//! The Wake-on-LAN driver against a machine that sleeps behind a socket: it opens its port when
//! the packet for its card comes in.

use super::driven::{Driven, configuration, login};
use flyball_command::{PowerState, ResetType};
use flyball_driver_messages::{
    ActuatorState, Configuration, Deed, DeedFault, DriverKind, FaultKind,
};
use rustix::net::{self, AddressFamily, SocketType};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::thread::{self, JoinHandle};
use std::time::Duration;

const CARD: [u8; 6] = [0x0a, 0x1b, 0x2c, 0x3d, 0x4e, 0x5f];

fn behind(address: &str, probe: &str) -> Configuration {
    Configuration {
        options: vec![("mac".into(), "0a:1b:2c:3d:4e:5f".into()), ("probe".into(), probe.into())],
        timeout_ms: 300,
        ..configuration(DriverKind::Wol, address)
    }
}

/// The card of a machine: gives back the packet that it heard.
fn card() -> (String, JoinHandle<Vec<u8>>) {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    let address = socket.local_addr().unwrap().to_string();
    let heard = thread::spawn(move || {
        let mut buffer = [0; 256];
        let length = socket.recv(&mut buffer).unwrap();
        buffer[..length].to_vec()
    });
    (address, heard)
}

#[test]
fn a_machine_that_is_woken_is_on_when_its_port_answers() {
    let (card, heard) = card();
    let port = TcpListener::bind("127.0.0.1:0").unwrap();
    let probe = port.local_addr().unwrap().to_string();
    let mut driven = Driven::connected(Configuration {
        login: login("", "01:02:03:04:05:06"),
        ..behind(&card, &probe)
    });
    let woken = driven.act("power", Deed::Reset(ResetType::On));
    assert_eq!(woken, Ok(ActuatorState::Power(PowerState::On)));
    let packet = heard.join().unwrap();
    assert_eq!((packet.len(), &packet[..6]), (108, &[0xff; 6][..]));
    assert!(packet[6..102].chunks(6).all(|address| address == CARD));
    assert_eq!(packet[102..], [1, 2, 3, 4, 5, 6]);
    assert_eq!(driven.state("power"), ActuatorState::Power(PowerState::On));
    // Nobody listens any more, and the machine says so itself: it is on.
    drop(port);
    assert_eq!(driven.state("power"), ActuatorState::Power(PowerState::On));
}

/// A port whose queue is full: the kernel answers nobody on it, as if no machine were there.
struct Asleep {
    port: TcpListener,
    _queued: TcpStream,
}

impl Asleep {
    fn new() -> Self {
        let loopback: SocketAddr = (Ipv4Addr::LOCALHOST, 0).into();
        let socket = net::socket(AddressFamily::INET, SocketType::STREAM, None).unwrap();
        net::bind(&socket, &loopback).unwrap();
        net::listen(&socket, 0).unwrap();
        let port = TcpListener::from(socket);
        let queued = TcpStream::connect(port.local_addr().unwrap()).unwrap();
        Self { port, _queued: queued }
    }
}

#[test]
fn a_packet_is_a_request_and_the_machine_is_off_until_it_answers() {
    let (card, heard) = card();
    let asleep = Asleep::new();
    let probe = asleep.port.local_addr().unwrap().to_string();
    let mut driven = Driven::connected(behind(&card, &probe));
    let off = ActuatorState::Power(PowerState::Off);
    assert_eq!(driven.state("power"), off);
    assert_eq!(driven.act("power", Deed::Reset(ResetType::On)), Ok(off));
    assert_eq!(heard.join().unwrap().len(), 102, "it was sent");
    let Asleep { port, .. } = asleep;
    thread::spawn(move || while port.accept().is_ok() {});
    let woken = (0..50).any(|_| driven.state("power") == ActuatorState::Power(PowerState::On));
    assert!(woken);
}

#[test]
fn it_wakes_and_does_nothing_else() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap();
    let probe = port.local_addr().unwrap().to_string();
    let mut driven = Driven::connected(behind("127.0.0.1:9", &probe));
    for deed in [Deed::Reset(ResetType::ForceOff), Deed::SetLevel(1.0), Deed::SetLit(true)] {
        let error = driven.act("power", deed).unwrap_err();
        assert_eq!(error.kind, DeedFault::Unsupported);
    }
    assert_eq!(driven.act("power", Deed::Observe), Ok(ActuatorState::Power(PowerState::On)));
}

#[test]
fn what_is_missing_in_the_file_is_named() {
    let without = |key: &str| {
        let mut configuration = behind("127.0.0.1:9", "127.0.0.1:22");
        configuration.options.retain(|(name, _)| name != key);
        configuration
    };
    let bad =
        Configuration { login: login("", "letmein"), ..behind("127.0.0.1:9", "127.0.0.1:22") };
    let portless = behind("127.0.0.1", "127.0.0.1:22");
    for (configuration, word) in [
        (without("mac"), "`mac`"),
        (without("probe"), "`probe`"),
        (bad, "SecureOn"),
        (portless, "`address`"),
    ] {
        let fault = Driven::start(configuration).fault();
        assert_eq!(fault.kind, FaultKind::Misconfigured);
        assert!(fault.message.contains(word), "{fault:?}");
    }
}
