//! An enrolled machine that means harm: it is bounded, told why, and costs nobody else anything.
//! Every test holds the memory of the whole process against what it was before.

use super::rig::{Agent, Rig, block, code, entry, hello, send, series};
use flyball_protocol::entry::{Entry, EntryBody};
use flyball_protocol::frame::{self, MAX_FRAME_BYTES};
use flyball_protocol::message::{ALPN, ControlUp, LaneUp, StreamKind, close};
use flyball_protocol::series::{SeriesDef, SeriesRef};
use flyball_protocol::sync::Seq;
use std::time::Duration;

const START_MS: u64 = 1_795_298_300_000;
/// What a test may add to the process, the attacker's own side included.
const FLAT_MIB: u64 = 96;

/// Resident memory of this process.
fn rss_mib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() / 1024
}

/// An aggregator with one good agent, and what it took of memory before anything happened.
struct Scene {
    rig: Rig,
    witness: Agent,
    before_mib: u64,
    sent: u64,
}

impl Scene {
    async fn set() -> Self {
        let rig = Rig::start().await;
        let identity = rig.enrol().await;
        let mut witness = rig.agent(&identity, 1).await;
        witness.send(block(1, START_MS, &[(0, START_MS, Ok(40.0))])).await;
        witness.acknowledged(1).await;
        Self { rig, witness, before_mib: rss_mib(), sent: 1 }
    }

    async fn attacker(&self) -> Agent {
        let identity = self.rig.enrol().await;
        self.rig.agent(&identity, 1).await
    }

    /// The good agent is served as before, and memory stays where it was.
    async fn is_unharmed(&mut self) {
        self.sent += 1;
        let at_ms = START_MS + self.sent * 10_000;
        self.witness.send(block(self.sent, at_ms, &[(0, at_ms, Ok(41.0))])).await;
        self.witness.acknowledged(self.sent).await;
        let after_mib = rss_mib();
        assert!(
            after_mib < self.before_mib + FLAT_MIB,
            "{} MiB have become {after_mib} MiB",
            self.before_mib
        );
    }
}

/// The bytes of a sound block with every third of its bytes set to something else and the
/// checksum mended: lengths, counts, widths and statistics that lie.
fn lies() -> Vec<Vec<u8>> {
    let samples: Vec<_> = (0..10_u64)
        .flat_map(|tick| {
            let at_ms = START_MS + tick * 1000;
            (0..3_u32).map(move |number| (number, at_ms, Ok(f64::from(number) + tick as f64 * 0.5)))
        })
        .collect();
    let sound = block(1, START_MS, &samples);
    let EntryBody::Block(bytes) = EntryBody::decode(&sound.body).unwrap() else { panic!() };
    let checked = bytes.len() - 4;
    let mut lies = Vec::new();
    for at in 4..checked {
        for value in [0x00, 0x7f, 0xff] {
            let mut lie = bytes.clone();
            lie[at] = value;
            let sum = crc32fast::hash(&lie[..checked]).rotate_left(1);
            lie[checked..].copy_from_slice(&sum.to_le_bytes());
            lies.push(lie);
        }
    }
    lies
}

#[tokio::test]
async fn blocks_that_lie_about_lengths_and_statistics_are_kept_aside_and_block_nothing() {
    let mut scene = Scene::set().await;
    let mut attacker = scene.attacker().await;
    let lies = lies();
    let count = lies.len() as u64;
    for (seq, lie) in (1..).zip(lies) {
        attacker.send(entry(seq, &EntryBody::Block(lie))).await;
        // One at a time, so that a lie which ended the connection would be known.
        attacker.acknowledged(seq).await;
    }
    let aside = scene.rig.quarantined("malformed_entry") + scene.rig.quarantined("unknown_series");
    assert!(aside > count / 10, "{aside} of {count}");
    let stored = scene.rig.app.store.counts().await.unwrap().blocks;
    assert_eq!(aside + stored, count + 1, "each is a block or is kept aside, the good one beside");
    scene.is_unharmed().await;
}

#[tokio::test]
async fn a_dictionary_of_ten_million_series_is_refused_at_its_bound() {
    const MANY: u32 = 10_000_000;
    const A_FRAME: u32 = 8192;
    let mut scene = Scene::set().await;
    let mut attacker = scene.attacker().await;
    let pattern = series().remove(0);
    let mut sent = 0;
    let lane = &mut attacker.lane().await.0;
    while sent < MANY {
        let definitions: Vec<SeriesDef> = (sent..sent + A_FRAME)
            .map(|number| SeriesDef {
                number: SeriesRef(number + 100),
                attributes: vec![("n".into(), number.to_string())],
                ..pattern.clone()
            })
            .collect();
        let frame = frame::encode(&LaneUp::Series(definitions)).unwrap();
        if lane.write_all(&frame).await.is_err() {
            break;
        }
        sent += A_FRAME;
    }
    assert!(sent < 500_000, "{sent} definitions were taken off the wire");
    assert_eq!(attacker.closed_with().await, u64::from(close::MALFORMED));
    assert_eq!(scene.rig.refusals("series"), 1);
    scene.is_unharmed().await;
}

#[tokio::test]
async fn ten_thousand_streams_are_a_few_at_a_time() {
    let mut scene = Scene::set().await;
    let attacker = scene.attacker().await;
    // At once no more than the transport allows, however long somebody waits.
    let mut open = Vec::new();
    let opening = async {
        for _ in 0..10_000 {
            let (mut up, down) = attacker.connection.open_bi().await.unwrap();
            up.write_all(&[StreamKind::Fresh as u8]).await.unwrap();
            open.push((up, down));
        }
    };
    assert!(tokio::time::timeout(Duration::from_secs(2), opening).await.is_err());
    assert!(open.len() < 16, "{} streams are open", open.len());
    scene.is_unharmed().await;
    // And one after the other: each is forgotten when it ends.
    drop(open);
    for _ in 0..4 {
        for _ in 0..500 {
            let (mut up, mut down) = attacker.connection.open_bi().await.unwrap();
            up.write_all(&[StreamKind::Fresh as u8]).await.unwrap();
            up.finish().unwrap();
            down.stop(0_u32.into()).unwrap();
        }
        scene.is_unharmed().await;
    }
}

#[tokio::test]
async fn a_greeting_that_comes_by_the_byte_is_given_up() {
    let mut scene = Scene::set().await;
    let identity = scene.rig.enrol().await;
    let connection = scene.rig.connect(ALPN, Some(&identity)).await.unwrap();
    let (mut control, _down) = connection.open_bi().await.unwrap();
    control.write_all(&[StreamKind::Control as u8]).await.unwrap();
    let greeting = frame::encode(&ControlUp::Hello(hello(1))).unwrap();
    let dripping = async {
        for byte in greeting.iter().cycle() {
            if control.write_all(&[*byte]).await.is_err() {
                return;
            }
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    };
    tokio::select! {
        () = dripping => {}
        error = connection.closed() => assert_eq!(code(&error), u64::from(close::REFUSED)),
    }
    assert_eq!(scene.rig.refusals("silent"), 1);
    scene.is_unharmed().await;
}

#[tokio::test]
async fn frames_that_are_announced_and_never_come_hold_no_memory() {
    let mut scene = Scene::set().await;
    let mut attackers = Vec::new();
    for _ in 0..16 {
        let attacker = scene.attacker().await;
        let mut lanes = Vec::new();
        // Seven lanes of each beside its control stream, each of them promising a mebibyte.
        for _ in 0..7 {
            let (mut up, down) = attacker.connection.open_bi().await.unwrap();
            up.write_all(&[StreamKind::Backfill as u8]).await.unwrap();
            let length = u32::try_from(MAX_FRAME_BYTES).unwrap();
            up.write_all(&length.to_le_bytes()).await.unwrap();
            up.write_all(&[1]).await.unwrap();
            lanes.push((up, down));
        }
        attackers.push((attacker, lanes));
    }
    for _ in 0..20 {
        for (up, _) in attackers.iter_mut().flat_map(|(_, lanes)| lanes) {
            up.write_all(&[0]).await.unwrap();
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    scene.is_unharmed().await;
    // Who drips on one lane is still heard on another.
    let (attacker, mut lanes) = attackers.remove(0);
    let (mut given_up, _) = lanes.remove(0);
    given_up.reset(0_u32.into()).unwrap();
    assert_eq!(attacker.closed_with().await, u64::from(close::MALFORMED));
    let (second, _) = &mut attackers[0];
    second.say(&ControlUp::Plugins(Vec::new())).await;
    scene.is_unharmed().await;
    attacker.connection.close(0_u32.into(), b"");
}

#[tokio::test]
async fn messages_and_blocks_of_versions_to_come_are_told_apart_from_damage() {
    let mut scene = Scene::set().await;
    let mut attacker = scene.attacker().await;
    let sound = block(1, START_MS, &[(0, START_MS, Ok(40.0))]);
    let EntryBody::Block(mut bytes) = EntryBody::decode(&sound.body).unwrap() else { panic!() };
    // Behind the mark of four bytes stands the version.
    bytes[4] = 99;
    let checked = bytes.len() - 4;
    let sum = crc32fast::hash(&bytes[..checked]).rotate_left(1);
    bytes[checked..].copy_from_slice(&sum.to_le_bytes());
    attacker.send(entry(1, &EntryBody::Block(bytes))).await;
    attacker.send(Entry::new(Seq(2), vec![99, 0, 0])).await;
    attacker.acknowledged(2).await;
    assert_eq!(scene.rig.quarantined("malformed_entry"), 2);
    // A message that this build does not know ends its connection with the reason.
    let lane = &mut attacker.lane().await.0;
    lane.write_all(&[2, 0, 0, 0, 99, 0]).await.unwrap();
    assert_eq!(attacker.closed_with().await, u64::from(close::MALFORMED));
    assert_eq!(scene.rig.refusals("malformed_message"), 1);
    let mut again = scene.attacker().await;
    send(&mut again.lane().await.0, &LaneUp::Entry(block(1, START_MS, &[(0, START_MS, Ok(1.0))])))
        .await;
    again.acknowledged(1).await;
    scene.is_unharmed().await;
}
