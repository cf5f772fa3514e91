//! Two halves of a mux against each other, without a socket.

use super::*;
use proptest::prelude::*;

struct Pair {
    client: Mux,
    server: Mux,
}

impl Pair {
    fn new() -> Self {
        Self { client: Mux::new(Side::Client), server: Mux::new(Side::Server) }
    }

    /// Carries bytes both ways until nothing is left to say.
    fn settle(&mut self) {
        loop {
            let (mut up, mut down) = (Vec::new(), Vec::new());
            let said = self.client.poll_transmit(&mut up) | self.server.poll_transmit(&mut down);
            self.server.handle_bytes(&up).unwrap();
            self.client.handle_bytes(&down).unwrap();
            if !said {
                return;
            }
        }
    }

    fn opened(&mut self) -> StreamId {
        let id = self.client.open().unwrap();
        assert_eq!(self.client.write(id, b"x"), Written::Taken(1));
        self.settle();
        assert_eq!(self.server.accept(), Some(id));
        assert_eq!(self.server.read(id, 9), Read::Data(Bytes::from_static(b"x")));
        id
    }
}

fn drain(mux: &mut Mux, id: StreamId) -> Vec<u8> {
    let mut all = Vec::new();
    while let Read::Data(bytes) = mux.read(id, 7_001) {
        all.extend_from_slice(&bytes);
    }
    all
}

fn write(mux: &mut Mux, id: StreamId, bytes: &[u8]) -> usize {
    match mux.write(id, bytes) {
        Written::Taken(taken) => taken,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_stream_that_nobody_reads_stands_still_alone_at_its_window() {
    let mut pair = Pair::new();
    let (stuck, free) = (pair.opened(), pair.opened());
    let data = vec![7; 1024 * 1024];
    let mut sent = 0;
    loop {
        let taken = write(&mut pair.client, stuck, &data);
        pair.settle();
        sent += taken;
        if taken == 0 {
            break;
        }
    }
    let window = WINDOW_BYTES as usize;
    assert!((window..=window + BUFFER_BYTES).contains(&sent), "{sent}");
    write(&mut pair.client, free, b"still here");
    pair.settle();
    assert_eq!(drain(&mut pair.server, free), b"still here");
    let mut read = drain(&mut pair.server, stuck).len();
    pair.settle();
    read += drain(&mut pair.server, stuck).len();
    assert_eq!(read, sent);
}

#[test]
fn what_has_priority_goes_first_whatever_waits() {
    let mut pair = Pair::new();
    let (old, control) = (pair.opened(), pair.opened());
    pair.client.set_priority(control, 1);
    let mut rest = 100_000;
    while rest > 0 {
        let taken = write(&mut pair.client, old, &vec![1; rest]);
        rest -= taken;
        write(&mut pair.client, control, b"now");
        let mut out = Vec::new();
        pair.client.poll_transmit(&mut out);
        assert_eq!(&out[..9], [0, 2, 0, 0, 0, 3, 0, 0, 0], "control is first");
        pair.server.handle_bytes(&out).unwrap();
        assert_eq!(drain(&mut pair.server, control), b"now");
        drain(&mut pair.server, old);
        pair.settle();
    }
}

#[test]
fn equal_streams_take_turns() {
    let mut pair = Pair::new();
    let ids = [pair.opened(), pair.opened(), pair.opened()];
    for id in ids {
        write(&mut pair.client, id, &vec![0; BUFFER_BYTES]);
    }
    let mut order = Vec::new();
    for _ in 0..3 {
        let mut out = Vec::new();
        pair.client.poll_transmit(&mut out);
        let mut rest = &out[..];
        while let Some(header) = Header::parse(rest).unwrap() {
            order.push(header.stream);
            rest = &rest[Header::BYTES + header.payload_bytes()..];
        }
    }
    assert_eq!(order, [0, 2, 4, 0, 2, 4]);
}

#[test]
fn a_ninth_stream_waits_until_one_is_over_on_both_sides() {
    let mut pair = Pair::new();
    let ids: Vec<_> = (0..MAX_STREAMS).map(|_| pair.opened()).collect();
    assert_eq!(pair.client.open(), None);
    let first = ids[0];
    pair.client.finish(first);
    pair.settle();
    assert_eq!(pair.server.read(first, 1), Read::Finished);
    assert_eq!(pair.client.open(), None, "the other direction is still open");
    pair.server.finish(first);
    pair.settle();
    assert_eq!(pair.client.read(first, 1), Read::Finished);
    assert_eq!(pair.client.open(), Some(StreamId(16)));
}

#[test]
fn a_reader_that_stops_ends_the_writer_with_its_code() {
    let mut pair = Pair::new();
    let id = pair.opened();
    pair.server.stop(id, 5);
    pair.settle();
    assert_eq!(pair.client.write(id, b"more"), Written::Stopped(5));
    assert!(pair.client.is_sent(id));
}

#[test]
fn a_writer_that_resets_ends_the_reader_with_its_code() {
    let mut pair = Pair::new();
    let id = pair.opened();
    write(&mut pair.client, id, b"lost");
    pair.client.reset(id, 9);
    pair.settle();
    assert_eq!(pair.server.read(id, 9), Read::Reset(9));
    assert_eq!(pair.server.read(id, 9), Read::Closed);
}

#[test]
fn a_close_is_heard_behind_the_data_that_went_before() {
    let mut pair = Pair::new();
    let id = pair.opened();
    write(&mut pair.client, id, b"last");
    pair.settle();
    pair.client.close(4, b"revoked");
    pair.settle();
    assert!(pair.client.is_close_sent());
    let close = pair.server.peer_close().unwrap();
    assert_eq!((close.code, &*close.reason), (4, "revoked"));
    assert_eq!(drain(&mut pair.server, id), b"last");
}

#[test]
fn a_ping_is_answered_once() {
    let mut pair = Pair::new();
    pair.client.ping();
    let mut out = Vec::new();
    assert!(pair.client.poll_transmit(&mut out));
    pair.server.handle_bytes(&out.repeat(1000)).unwrap();
    let mut answer = Vec::new();
    assert!(pair.server.poll_transmit(&mut answer));
    assert_eq!(answer, [7, 0, 0, 0, 0, 0, 0, 0, 0]);
}

#[test]
fn what_a_peer_must_not_do_is_named() {
    let frame = |kind: u8, stream: u32, value: u32| {
        [&[kind][..], &stream.to_le_bytes(), &value.to_le_bytes()].concat()
    };
    let data = |stream: u32, bytes: usize| {
        [frame(0, stream, u32::try_from(bytes).unwrap()), vec![0; bytes]].concat()
    };
    let over_window = data(0, MAX_DATA_BYTES).repeat(WINDOW_BYTES as usize / MAX_DATA_BYTES + 1);
    let nine: Vec<u8> = (0..9).flat_map(|n| data(2 * n, 1)).collect();
    let cases = [
        (frame(9, 0, 0), Violation::Kind(9)),
        (frame(0, 0, u32::MAX), Violation::TooLarge(u32::MAX)),
        (frame(8, 0, 257), Violation::TooLarge(257)),
        (data(4, 1), Violation::OutOfTurn(4)),
        (data(1, 1), Violation::OutOfTurn(1)),
        (frame(4, 0, 1), Violation::OutOfTurn(0)),
        (frame(5, 1, 0), Violation::OutOfTurn(1)),
        (over_window, Violation::OverWindow(0)),
        (nine, Violation::TooManyStreams),
        ([data(0, 1), frame(1, 0, 0), data(0, 1)].concat(), Violation::BehindEnd(0)),
        ([data(0, 1), frame(4, 0, 1)].concat(), Violation::Credit(0)),
    ];
    for (bytes, violation) in cases {
        assert_eq!(Mux::new(Side::Server).handle_bytes(&bytes), Err(violation));
    }
}

proptest! {
    #[test]
    fn any_bytes_are_taken_or_refused_within_bounds(bytes in prop::collection::vec(any::<u8>(), 0..4096)) {
        let mut mux = Mux::new(Side::Server);
        for piece in bytes.chunks(17) {
            if mux.handle_bytes(piece).is_err() {
                return Ok(());
            }
        }
        prop_assert!(mux.streams.len() <= MAX_STREAMS);
        prop_assert!(mux.incoming.len() <= Header::BYTES + MAX_DATA_BYTES);
    }

    #[test]
    fn every_byte_arrives_once_and_in_order_however_it_is_cut(
        pieces in prop::collection::vec((0_usize..3, 1_usize..40_000), 1..40),
        cut in 1_usize..5_000,
    ) {
        let mut pair = Pair::new();
        let ids = [pair.opened(), pair.opened(), pair.opened()];
        let mut sent = [const { Vec::new() }; 3];
        let mut heard = [const { Vec::new() }; 3];
        let mut next = 0_u8;
        for (which, length) in pieces {
            let data: Vec<u8> = (0..length).map(|_| { next = next.wrapping_add(1); next }).collect();
            let taken = write(&mut pair.client, ids[which], &data);
            sent[which].extend_from_slice(&data[..taken]);
            let mut out = Vec::new();
            pair.client.poll_transmit(&mut out);
            for piece in out.chunks(cut) {
                pair.server.handle_bytes(piece).unwrap();
            }
            heard[which].extend(drain(&mut pair.server, ids[which]));
            let mut back = Vec::new();
            pair.server.poll_transmit(&mut back);
            pair.client.handle_bytes(&back).unwrap();
        }
        for _ in 0..4 {
            pair.settle();
            for (which, id) in ids.into_iter().enumerate() {
                heard[which].extend(drain(&mut pair.server, id));
            }
        }
        prop_assert_eq!(sent, heard);
    }
}
