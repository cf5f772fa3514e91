//! Whatever comes and goes, what is kept answers as the database does.

use super::*;
use crate::fleet::tests::device;
use crate::store::fresh::Fresh;
use crate::store::{Arrival, ArrivalBody, DeviceKey, EpochKey};
use flyball_protocol::sync::{Epoch, Seq};
use uuid::Uuid;

const STEP_MS: u64 = 10_000;

/// A machine whose blocks come and go.
struct Machine {
    store: Store,
    device: DeviceId,
    key: DeviceKey,
    epoch: EpochKey,
    next: u64,
    recent: RecentBlocks,
}

impl Machine {
    async fn new(fresh: &Fresh) -> Self {
        let store = fresh.store().await;
        let device = device(Uuid::from_u128(5));
        store.add_device(&device).await.unwrap();
        let open = store.open_epoch(device.id, Epoch(1), 0).await.unwrap().unwrap();
        let (key, epoch) = (open.device, open.epoch);
        Self { store, device: device.id, key, epoch, next: 0, recent: RecentBlocks::default() }
    }

    /// The next `blocks` of so many bytes.
    async fn sends(&mut self, blocks: u64, bytes: usize) {
        for _ in 0..blocks {
            let from_ms = self.next * STEP_MS;
            self.next += 1;
            let data = vec![u8::try_from(self.next % 251).unwrap(); bytes];
            let arrival = Arrival {
                id: self.device,
                device: self.key,
                epoch: self.epoch,
                seq: Seq(self.next),
                checksum: crc32fast::hash(&data),
                raw: Vec::new(),
                body: ArrivalBody::Block { from_ms, to_ms: from_ms + 9_000, data },
            };
            self.store.commit(&[arrival], 0).await.unwrap();
        }
    }

    /// What compaction and erasure do.
    async fn loses(&self, before_ms: u64) {
        let text = format!("DELETE FROM blocks WHERE from_ms < {before_ms}");
        self.store.tamper(text).await.unwrap();
    }

    async fn answers_as_the_database(&self, from_ms: u64, to_ms: u64) {
        let mut stored = Vec::new();
        let each = |block| -> Result<(), StoreError> {
            stored.push(block);
            Ok(())
        };
        self.store.for_each_block(self.device, from_ms, to_ms, each).await.unwrap();
        let known = self.recent.of(&self.store, self.device, from_ms, to_ms).await.unwrap();
        assert_eq!(known.as_deref(), Some(&*stored), "{from_ms} to {to_ms}");
    }

    async fn kept(&self) -> usize {
        self.recent.kept.get(&self.device).await.map_or(0, |blocks| blocks.len())
    }
}

#[tokio::test]
async fn blocks_that_came_and_went_since_the_last_question_are_answered_as_the_database_has_them() {
    let fresh = Fresh::new();
    let mut machine = Machine::new(&fresh).await;
    machine.answers_as_the_database(0, 100 * STEP_MS).await;
    machine.sends(6, 10).await;
    let ranges = [(0, 1_000), (0, 60), (2, 4), (3, 30), (0, 10), (25, 40), (0, 1_000)];
    for (round, (from, to)) in ranges.into_iter().cycle().take(40).enumerate() {
        machine.answers_as_the_database(from * STEP_MS, to * STEP_MS).await;
        machine.answers_as_the_database(from * STEP_MS + 1, to * STEP_MS - 1).await;
        if round % 3 == 0 {
            machine.sends(2, 10).await;
        }
        if round % 5 == 4 {
            machine.loses(round as u64 / 2 * STEP_MS).await;
        }
    }
    machine.loses(u64::MAX / 4).await;
    machine.answers_as_the_database(0, 1_000 * STEP_MS).await;
}

#[tokio::test]
async fn only_what_came_since_is_read_again() {
    let fresh = Fresh::new();
    let mut machine = Machine::new(&fresh).await;
    machine.sends(4, 10).await;
    machine.answers_as_the_database(0, 1_000 * STEP_MS).await;
    // Bytes that the database no longer has are answered: they were not read again.
    machine.store.tamper("UPDATE blocks SET data = ''".to_owned()).await.unwrap();
    machine.sends(1, 10).await;
    let blocks = machine.recent.of(&machine.store, machine.device, 0, 1_000 * STEP_MS).await;
    let lengths: Vec<usize> =
        blocks.unwrap().unwrap().iter().map(|block| block.data.len()).collect();
    assert_eq!(lengths, [10; 5]);
}

#[tokio::test]
async fn more_than_may_stand_in_memory_is_neither_kept_nor_answered() {
    let fresh = Fresh::new();
    let mut machine = Machine::new(&fresh).await;
    machine.sends(17, 1024 * 1024).await;
    let all = machine.recent.of(&machine.store, machine.device, 0, 1_000 * STEP_MS).await.unwrap();
    assert_eq!(all, None);
    assert_eq!(machine.kept().await, 0);
    machine.answers_as_the_database(0, 3 * STEP_MS).await;
    assert_eq!(machine.kept().await, 3);
}
