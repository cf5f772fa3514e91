//! Greetings of other versions, as bytes: what an older and a newer peer send is understood, and
//! ends in a version that both speak or in a refusal that names both sides' versions.

use flyball_protocol::frame::{self, HEADER_BYTES};
use flyball_protocol::message::{ControlDown, ControlUp, Hello, Machine};
use flyball_protocol::sync::{Epoch, Ranges, Seq};
use flyball_protocol::version::{VersionError, Versions};

/// The frame of a greeting up to its versions, and from behind them on.
const BEFORE: &str = "2b00000000";
const BEHIND: &str = "2a0d0465646765056c696e757803362e31067838365f3634000000048080\
     80010005302e312e3001";

fn bytes(hex: &str) -> Vec<u8> {
    let digits: Vec<u8> = hex.bytes().filter(u8::is_ascii_hexdigit).collect();
    let pairs = digits.chunks(2).map(|pair| std::str::from_utf8(pair).unwrap());
    pairs.map(|pair| u8::from_str_radix(pair, 16).unwrap()).collect()
}

/// A greeting that offers `versions`, two hexadecimal digits each, as it came over the wire.
fn greeting(versions: &str) -> Hello {
    let frame = bytes(&format!("{BEFORE}{versions}{BEHIND}"));
    match frame::decode(&frame[HEADER_BYTES..]).unwrap() {
        ControlUp::Hello(hello) => hello,
        other => panic!("{other:?}"),
    }
}

fn hello(min_version: u8, max_version: u8) -> Hello {
    Hello {
        min_version,
        max_version,
        epoch: Epoch(42),
        next_seq: Seq(13),
        machine: Machine {
            hostname: "edge".into(),
            os: "linux".into(),
            kernel: "6.1".into(),
            arch: "x86_64".into(),
            vendor: None,
            product: None,
            serial: None,
            cpus: 4,
            memory_bytes: 1 << 21,
            simulated: false,
            agent_version: "0.1.0".into(),
        },
        guard_attached: true,
    }
}

#[test]
fn a_greeting_has_the_same_bytes_in_every_version() {
    for (versions, min, max) in [("0101", 1, 1), ("0103", 1, 3), ("0203", 2, 3), ("0000", 0, 0)] {
        assert_eq!(greeting(versions), hello(min, max));
        let frame = frame::encode(&ControlUp::Hello(hello(min, max))).unwrap();
        assert_eq!(frame, bytes(&format!("{BEFORE}{versions}{BEHIND}")));
    }
}

#[test]
fn a_newer_agent_that_still_speaks_our_version_is_answered_in_it() {
    assert_eq!(Versions::OWN.agree(greeting("0103").versions()), Ok(1));
}

#[test]
fn a_newer_agent_that_no_longer_does_is_refused_by_both_versions() {
    let refusal = Versions::OWN.agree(greeting("0203").versions()).unwrap_err();
    assert_eq!(refusal.to_string(), "versions 2 to 3 are offered, 1 to 1 are spoken here");
}

#[test]
fn an_older_agent_is_refused_by_both_versions() {
    let refusal = Versions::OWN.agree(greeting("0000").versions()).unwrap_err();
    assert_eq!(refusal.to_string(), "versions 0 to 0 are offered, 1 to 1 are spoken here");
}

#[test]
fn two_ranges_agree_on_the_greatest_version_of_both() {
    let range = |min, max| Versions { min, max };
    assert_eq!(range(1, 3).agree(range(1, 2)), Ok(2));
    assert_eq!(range(1, 2).agree(range(2, 9)), Ok(2));
    assert_eq!(range(2, 5).agree(range(0, 9)), Ok(5));
    for theirs in [range(4, 9), range(0, 1), range(3, 2)] {
        let own = range(2, 3);
        assert_eq!(own.agree(theirs), Err(VersionError::Apart { own, theirs }));
    }
}

#[test]
fn a_refusal_of_another_version_is_understood() {
    // An aggregator that speaks 2 to 3 only, to us.
    let frame = bytes(
        "35000000013376657273696f6e73203120746f203120617265206f6666657265642c20\
         3220746f2033206172652073706f6b656e2068657265",
    );
    let told: ControlDown = frame::decode(&frame[HEADER_BYTES..]).unwrap();
    let reason = "versions 1 to 1 are offered, 2 to 3 are spoken here".to_owned();
    assert_eq!(told, ControlDown::Refused { reason });
}

#[test]
fn a_choice_that_was_not_offered_is_seen_by_the_agent() {
    let acked = Ranges::from_iter([Seq(1)]);
    let welcome = ControlDown::Welcome { version: 2, acked, pending: Vec::new(), now_ms: 7 };
    let frame = frame::encode(&welcome).unwrap();
    assert_eq!(frame, bytes("0700000000020101010007"));
    let ControlDown::Welcome { version, .. } = frame::decode(&frame[HEADER_BYTES..]).unwrap()
    else {
        panic!("no welcome")
    };
    let refusal = Versions::OWN.accept(version).unwrap_err();
    assert_eq!(refusal.to_string(), "version 2 was chosen, 1 to 1 were offered");
    assert_eq!(Versions::OWN.accept(1), Ok(1));
}
