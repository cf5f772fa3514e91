//! The same conversation over TLS and TCP, on the port number of QUIC.

use super::rig::{Identity, Rig, block, code, hello, series};
use flyball_link::{Connection, ConnectionError, Keeping, RecvStream, SendStream};
use flyball_protocol::frame::{self, Decoder};
use flyball_protocol::message::{
    ALPN, ControlDown, ControlUp, LaneDown, LaneUp, StreamKind, close,
};
use flyball_protocol::sync::Seq;
use serde::{Serialize, de::DeserializeOwned};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

const KEEPING: Keeping = Keeping { alive_every: None, silent_after: Duration::from_secs(20) };

async fn connect(rig: &Rig, identity: &Identity) -> Connection {
    let tls = rig.tls(ALPN, Some(identity)).into();
    flyball_link::connect(rig.address, tls, "flyball-aggregator", KEEPING).await.unwrap()
}

async fn send<T: Serialize>(stream: &mut SendStream, message: &T) {
    stream.write_all(&frame::encode(message).unwrap()).await.unwrap();
}

async fn next<T: DeserializeOwned>(stream: &mut RecvStream) -> T {
    let mut decoder = Decoder::new();
    loop {
        if let Some(message) = decoder.next_message().unwrap() {
            return message;
        }
        decoder.push(&stream.read_chunk(1).await.unwrap().unwrap());
    }
}

async fn greet(connection: &Connection, epoch: u64) -> (SendStream, RecvStream, ControlDown) {
    let (mut control, mut down) = connection.open_bi().await.unwrap();
    control.write_all(&[StreamKind::Control as u8]).await.unwrap();
    send(&mut control, &ControlUp::Hello(hello(epoch))).await;
    let welcome = next(&mut down).await;
    (control, down, welcome)
}

#[tokio::test]
async fn entries_over_tcp_are_committed_and_known_over_quic() {
    let rig = Rig::start().await;
    let identity = rig.enrol().await;
    let connection = connect(&rig, &identity).await;
    let (_control, _down, welcome) = greet(&connection, 7).await;
    assert!(matches!(welcome, ControlDown::Welcome { .. }), "{welcome:?}");
    let (mut up, mut down) = connection.open_bi().await.unwrap();
    up.write_all(&[StreamKind::Fresh as u8]).await.unwrap();
    send(&mut up, &LaneUp::Series(series())).await;
    send(&mut up, &LaneUp::Entry(block(1, 10_000, &[(0, 10_000, Ok(20.0))]))).await;
    let LaneDown::Ack(acked) = next(&mut down).await;
    assert!(acked.contains(Seq(1)));
    connection.close(close::DONE, b"it moves");
    let again = rig.agent(&identity, 7).await;
    assert!(again.acked().contains(Seq(1)), "the same epoch goes on over the other way");
}

#[tokio::test]
async fn a_revoked_device_is_cut_off_over_tcp_and_not_let_in_again() {
    let rig = Rig::start().await;
    let identity = rig.enrol().await;
    let connection = connect(&rig, &identity).await;
    let _streams = greet(&connection, 7).await;
    rig.app.fleet.revoke(identity.device).await.unwrap();
    for connection in [connection, connect(&rig, &identity).await] {
        let closed = connection.closed().await;
        assert!(
            matches!(closed, ConnectionError::ClosedByPeer { code: close::REVOKED, .. }),
            "{closed}"
        );
    }
    let over_quic = rig.connect(ALPN, Some(&identity)).await.unwrap();
    assert_eq!(code(&over_quic.closed().await), u64::from(close::REVOKED));
}

#[tokio::test]
async fn what_is_no_tls_ends_alone_and_what_is_no_frame_is_told_so() {
    let rig = Rig::start().await;
    let identity = rig.enrol().await;
    let mut noise = tokio::net::TcpStream::connect(rig.address).await.unwrap();
    noise.write_all(&[0xff; 4096]).await.unwrap();
    let mut answer = Vec::new();
    // A reset is as good an end as any.
    let _end = noise.read_to_end(&mut answer).await;
    let connection = connect(&rig, &identity).await;
    let (mut control, _down, _) = greet(&connection, 7).await;
    control.write_all(&0x8000_0000_u32.to_le_bytes()).await.unwrap();
    let closed = connection.closed().await;
    assert!(
        matches!(closed, ConnectionError::ClosedByPeer { code: close::FRAME_TOO_LARGE, .. }),
        "{closed}"
    );
    rig.agent(&identity, 7).await;
}
