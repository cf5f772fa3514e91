//! What a durable commit costs on either engine. A measurement, not a test: run it by name, with
//! `--release --ignored --nocapture`.

use super::*;
use crate::fleet::tests::device;
use crate::store::Database;
use flyball_harness::counterparts::Postgres;
use flyball_protocol::sync::Epoch;
use std::path::Path;
use uuid::Uuid;

const NOW_MS: u64 = 1_795_298_300_000;
const AGENTS: u64 = 128;
const BLOCKS: u64 = 4_096;
/// A block of 2,000 samples of the realistic mix.
const BLOCK_BYTES: usize = 2_100;

/// Processor time in milliseconds: this process's, and its children's that have ended.
fn cpu_ms() -> (u64, u64) {
    let text = std::fs::read_to_string("/proc/self/stat").unwrap();
    let (_, fields) = text.rsplit_once(')').unwrap();
    let ticks: Vec<u64> =
        fields.split_whitespace().skip(11).take(4).map(|field| field.parse().unwrap()).collect();
    ((ticks[0] + ticks[1]) * 10, (ticks[2] + ticks[3]) * 10)
}

async fn agents(store: &Store) -> Vec<(DeviceId, DeviceKey, EpochKey)> {
    let mut agents = Vec::new();
    for number in 0..AGENTS {
        let device = device(Uuid::from_u128(u128::from(number) + 1));
        if store.device(device.id).await.unwrap().is_none() {
            store.add_device(&device).await.unwrap();
        }
        let opened = store.open_epoch(device.id, Epoch(7), NOW_MS).await.unwrap().unwrap();
        agents.push((device.id, opened.device, opened.epoch));
    }
    agents
}

/// Blocks from `first` on, a batch a commit; every agent in turn, as they come in.
async fn commit_all(store: &Store, batch: u64, first: u64) {
    let agents = agents(store).await;
    let mut next = first * BLOCKS;
    while next < (first + 1) * BLOCKS {
        let arrivals: Vec<Arrival> = (next..next + batch)
            .map(|number| {
                let (id, device, epoch) = agents[(number % AGENTS) as usize];
                let seq = number / AGENTS + 1;
                let from_ms = NOW_MS + seq * 10_000;
                // Random to the eye of any compression.
                let data: Vec<u8> = (0..BLOCK_BYTES as u64)
                    .map(|i| ((i + number).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 56) as u8)
                    .collect();
                Arrival {
                    id,
                    device,
                    epoch,
                    seq: Seq(seq),
                    checksum: number as u32,
                    raw: Vec::new(),
                    body: ArrivalBody::Block { from_ms, to_ms: from_ms + 9_000, data },
                }
            })
            .collect();
        store.commit(&arrivals, NOW_MS).await.unwrap();
        next += batch;
    }
}

#[tokio::test]
#[ignore = "a measurement"]
async fn what_a_commit_costs() {
    let folder = tempfile::tempdir().unwrap();
    for (run, batch) in (0..).zip([1, 16, 128]) {
        let store = Store::open(&folder.path().join("cost.db")).await.unwrap();
        agents(&store).await;
        let before = cpu_ms().0;
        commit_all(&store, batch, run).await;
        let us = (cpu_ms().0 - before) * 1_000 / BLOCKS;
        println!("sqlite, {batch} blocks a commit: {us} us of CPU a block");
        store.close().await;
    }
    let mut server = Postgres::durable().unwrap();
    let url = server.create("cost").unwrap();
    let database = Database::parse(&url, Path::new("/"));
    for (run, batch) in (0..).zip([1, 16, 128]) {
        let store = Store::connect(&database).await.unwrap();
        agents(&store).await;
        server_restarted(&mut server, &store).await;
        let before = cpu_ms();
        commit_all(&store, batch, run).await;
        store.close().await;
        server.stop().unwrap();
        let after = cpu_ms();
        let (own, its) =
            ((after.0 - before.0) * 1_000 / BLOCKS, (after.1 - before.1) * 1_000 / BLOCKS);
        println!(
            "postgresql, {batch} blocks a commit: {own} + {its} us of CPU a block, ours and its"
        );
        server.go().unwrap();
    }
}

/// So that the server's processor time begins here.
async fn server_restarted(server: &mut Postgres, store: &Store) {
    server.stop().unwrap();
    server.go().unwrap();
    while store.ping().await.is_err() || store.begin().await.is_err() {
        tokio::task::yield_now().await;
    }
}
