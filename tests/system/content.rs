//! A site that is cut off still has its content.

use crate::until::until;
use flyball_harness::fleet::{Fleet, FleetOptions};
use rustix::process::Signal;
use serde_json::{Value, json};
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};

fn free() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

/// The status and the body of what a reader nearby gets.
fn read(site: SocketAddr, path: &str, more: &str) -> (u16, Vec<u8>) {
    let mut stream = TcpStream::connect(site).unwrap();
    let head = format!("GET {path} HTTP/1.1\r\nHost: site\r\nConnection: close\r\n{more}\r\n");
    stream.write_all(head.as_bytes()).unwrap();
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).unwrap();
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n").unwrap();
    let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
    (head.split(' ').nth(1).unwrap().parse().unwrap(), bytes[end + 4..].to_vec())
}

/// A recording as a sniffer knows it: larger than one piece on its way.
fn recording() -> Vec<u8> {
    let mut bytes = b"OggS\0\x02".to_vec();
    bytes.extend((0..6_000_000_u32).map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes()[3]));
    bytes
}

#[test]
fn a_curriculum_that_was_placed_on_a_site_is_read_there_while_the_aggregator_is_away() {
    let site = free();
    let options = FleetOptions { content: Some(site), ..FleetOptions::default() };
    let fleet = Fleet::with(1, options).unwrap();
    let api = fleet.api().unwrap();
    let document = json!({
        "formatIdentifier": "umcf", "id": { "value": "biology" }, "title": "Biology",
        "version": { "number": "1.0.0" },
        "content": [{ "id": { "value": "root" }, "title": "Biology", "type": "curriculum",
            "children": [{ "id": { "value": "cells" }, "title": "Cells", "type": "topic" }] }],
    });
    let made = api.post("/api/v1/curricula", &document).unwrap();
    assert_eq!(made.status, 201, "{}", made.body);
    let recording = recording();
    let assets = "/api/v1/curricula/biology/topics/cells/assets";
    let made = api.post_form(assets, &recording, &[("type", "audio")]).unwrap();
    assert_eq!(made.status, 201, "{}", made.body);
    let placement = "/api/v1/curricula/biology/placement";
    let placed = api.put(placement, "*", &json!({})).unwrap();
    assert_eq!(placed.status, 200, "{}", placed.body);
    until("the machine keeps the curriculum", 120, || {
        let shown = api.get(placement).unwrap().body["data"].clone();
        if shown["devices"][0]["state"] == "kept" { Ok(()) } else { Err(shown) }
    });

    fleet.signal("aggregator", Signal::STOP).unwrap();
    let (status, body) = read(site, "/api/curricula/biology/full", "");
    let full: Value = serde_json::from_slice(&body).unwrap();
    assert_eq!((status, &full["title"]), (200, &json!("Biology")));
    let speech = "/api/curricula/biology/topics/cells/stream-audio";
    let (status, heard) = read(site, speech, "");
    assert_eq!(status, 200);
    assert!(heard == recording, "{} of {} bytes", heard.len(), recording.len());
    let (status, part) = read(site, speech, "Range: bytes=5000000-5000009\r\n");
    assert_eq!((status, &part[..]), (206, &recording[5_000_000..5_000_010]));
    fleet.signal("aggregator", Signal::CONT).unwrap();

    let gone = api.delete(placement).unwrap();
    assert_eq!(gone.status, 200, "{}", gone.body);
    until("the machine has taken it off", 60, || {
        match read(site, "/api/curricula/biology/full", "").0 {
            404 => Ok(()),
            status => Err(status),
        }
    });
}
