//! Both halves over a link that loses, repeats, reorders, cuts, and ends that restart: what was
//! made durable at the agent is committed exactly once, and trimmed only then.

use flyball_protocol::entry::Entry;
use flyball_protocol::sync::{Action, Epoch, Lane, Limits, Ranges, Receipt, Receiver, Sender, Seq};
use proptest::prelude::*;
use std::collections::{BTreeMap, VecDeque};

const LIMITS: Limits = Limits {
    window_entries: 4,
    window_bytes: 64,
    ack_timeout_ms: 1000,
    backoff_min_ms: 10,
    backoff_max_ms: 200,
};

/// What happens next to the whole arrangement.
#[derive(Clone, Copy, Debug)]
enum Step {
    Append,
    /// The quota drops the oldest entry that is not acknowledged.
    Drop,
    Send(Lane),
    DeliverUp,
    LoseUp,
    RepeatUp,
    SwapUp,
    Commit,
    FailCommit,
    Ack,
    DeliverDown,
    LoseDown,
    Cut,
    RestartAgent,
    RestartAggregator,
    /// A copy of the agent's disk is put by.
    CopyAgent,
    /// The disk of the agent is put back to the copy, unnoticed.
    RestoreAgent,
    /// The spool is gone, or its disk is known to be a copy: another epoch begins.
    RenewAgent {
        with_entries: bool,
    },
    /// A copy of the aggregator's store is put by.
    BackUpStore,
    /// The aggregator goes on with the copy.
    RestoreStore,
    Pass,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => Just(Step::Append),
        1 => Just(Step::Drop),
        8 => Just(Step::Send(Lane::Fresh)),
        8 => Just(Step::Send(Lane::Backfill)),
        10 => Just(Step::DeliverUp),
        1 => Just(Step::LoseUp),
        2 => Just(Step::RepeatUp),
        2 => Just(Step::SwapUp),
        6 => Just(Step::Commit),
        1 => Just(Step::FailCommit),
        6 => Just(Step::Ack),
        6 => Just(Step::DeliverDown),
        1 => Just(Step::LoseDown),
        1 => Just(Step::Cut),
        1 => Just(Step::RestartAgent),
        1 => Just(Step::RestartAggregator),
        1 => Just(Step::CopyAgent),
        1 => any::<bool>().prop_map(|with_entries| Step::RenewAgent { with_entries }),
        1 => Just(Step::BackUpStore),
        1 => Just(Step::RestoreStore),
        4 => Just(Step::Pass),
    ]
}

/// The agent's durable state. A body is its birth number: unique over every restore.
#[derive(Clone, Debug)]
struct Spool {
    epoch: Epoch,
    next_seq: Seq,
    entries: BTreeMap<Seq, Vec<u8>>,
}

impl Spool {
    fn read(&self, from: Seq, before: Seq, entries: usize, bytes: usize) -> Vec<Entry> {
        let mut found: Vec<Entry> = Vec::new();
        for (&seq, body) in self.entries.range(from..before) {
            if found.len() >= entries || found.iter().map(|e| e.body.len()).sum::<usize>() >= bytes
            {
                break;
            }
            found.push(Entry::new(seq, body.clone()));
        }
        found
    }
}

/// What the aggregator has committed: bodies by (epoch, number).
#[derive(Clone, Debug, Default)]
struct Store {
    rows: BTreeMap<(Epoch, Seq), Vec<u8>>,
}

impl Store {
    fn committed(&self, epoch: Epoch) -> Ranges {
        self.rows.keys().filter(|(row, _)| *row == epoch).map(|&(_, seq)| seq).collect()
    }

    fn commit(&mut self, epoch: Epoch, entry: Entry) {
        let row = self.rows.entry((epoch, entry.seq)).or_insert_with(|| entry.body.clone());
        assert_eq!(*row, entry.body, "{:?} of {epoch:?} has another body", entry.seq);
    }
}

struct World {
    now_ms: u64,
    spool: Spool,
    snapshot: Spool,
    sender: Sender,
    epochs: u64,
    births: u64,
    /// Bodies that the quota took, and those whose only copy a restore took.
    given_up: Vec<Vec<u8>>,
    /// Bodies that a copied disk may have brought under two epochs.
    copied: Vec<Vec<u8>>,
    store: Store,
    backup: Store,
    receiver: Option<Receiver>,
    uncommitted: Vec<Entry>,
    up: VecDeque<Entry>,
    down: VecDeque<Ranges>,
}

impl World {
    fn new() -> Self {
        let spool = Spool { epoch: Epoch(1), next_seq: Seq::FIRST, entries: BTreeMap::new() };
        Self {
            now_ms: 0,
            snapshot: spool.clone(),
            sender: Sender::new(LIMITS, 2, spool.epoch, spool.next_seq),
            spool,
            epochs: 1,
            births: 0,
            given_up: Vec::new(),
            copied: Vec::new(),
            store: Store::default(),
            backup: Store::default(),
            receiver: None,
            uncommitted: Vec::new(),
            up: VecDeque::new(),
            down: VecDeque::new(),
        }
    }

    fn take(&mut self, step: Step) {
        match step {
            Step::Append => self.append(),
            Step::Drop => {
                if let Some((_, body)) = self.spool.entries.pop_first() {
                    self.given_up.push(body);
                }
            }
            Step::Send(lane) => self.send(lane),
            Step::DeliverUp => {
                if let Some(entry) = self.up.pop_front() {
                    self.arrive(entry);
                }
            }
            Step::LoseUp => drop(self.up.pop_front()),
            Step::RepeatUp => {
                if let Some(entry) = self.up.front().cloned() {
                    self.up.push_back(entry);
                }
            }
            Step::SwapUp => self.up.rotate_left(usize::from(!self.up.is_empty())),
            Step::Commit => self.commit(),
            Step::FailCommit => {
                let failed: Vec<Seq> = self.uncommitted.drain(..).map(|entry| entry.seq).collect();
                if let Some(receiver) = &mut self.receiver {
                    receiver.handle_failed(failed);
                }
            }
            Step::Ack => {
                if let Some(ranges) = self.receiver.as_mut().and_then(Receiver::poll_ack) {
                    self.down.push_back(ranges);
                }
            }
            Step::DeliverDown => {
                if let Some(ranges) = self.down.pop_front() {
                    self.sender.handle_ack(&ranges);
                }
            }
            Step::LoseDown => drop(self.down.pop_front()),
            Step::Cut => self.cut(),
            Step::RestartAgent => self.restart_agent(),
            Step::RestartAggregator => {
                self.cut();
                self.uncommitted.clear();
            }
            Step::CopyAgent => self.snapshot = self.spool.clone(),
            Step::RestoreAgent => self.restore(),
            Step::RenewAgent { with_entries } => self.renew(with_entries),
            Step::BackUpStore => self.backup = self.store.clone(),
            Step::RestoreStore => self.restore_store(),
            Step::Pass => self.now_ms += 300,
        }
        self.drive();
    }

    fn append(&mut self) {
        self.births += 1;
        let body = self.births.to_string().into_bytes();
        self.spool.entries.insert(self.spool.next_seq, body);
        self.spool.next_seq = self.spool.next_seq.next();
        self.sender.handle_appended(self.spool.next_seq);
    }

    fn send(&mut self, lane: Lane) {
        if let Some(want) = self.sender.want(lane) {
            let found = self.spool.read(want.from, want.before, want.entries, want.bytes);
            self.up.extend(self.sender.supply(self.now_ms, want, found));
        }
    }

    fn arrive(&mut self, entry: Entry) {
        let Some(receiver) = &mut self.receiver else { return };
        match receiver.handle_entry(&entry) {
            Receipt::New | Receipt::Committed => self.uncommitted.push(entry),
            Receipt::Pending => {}
            receipt @ (Receipt::Damaged | Receipt::Conflict | Receipt::OverWindow) => {
                panic!("{receipt:?} for {entry:?}")
            }
        }
    }

    fn commit(&mut self) {
        let Some(receiver) = &mut self.receiver else { return };
        let epoch = receiver.epoch();
        receiver.handle_committed(self.uncommitted.iter().map(|entry| entry.seq));
        for entry in self.uncommitted.drain(..) {
            self.store.commit(epoch, entry);
        }
    }

    /// The connection ends; what was taken and not committed is forgotten with it.
    fn cut(&mut self) {
        self.up.clear();
        self.down.clear();
        self.uncommitted.clear();
        if self.receiver.take().is_some() {
            self.sender.handle_disconnected(self.now_ms, 0.5);
        }
    }

    fn restart_agent(&mut self) {
        self.cut();
        self.sender = Sender::new(LIMITS, 2, self.spool.epoch, self.spool.next_seq);
    }

    fn restore(&mut self) {
        let newer = std::mem::replace(&mut self.spool, self.snapshot.clone());
        self.given_up.extend(newer.entries.into_values());
        // Only a restore over numbers that were given is one that the protocol can see.
        self.restart_agent();
    }

    /// The spool is opened on a copy of its disk, or anew, and knows it: no number of the old
    /// epoch is used again.
    fn renew(&mut self, with_entries: bool) {
        let entries = if with_entries { self.snapshot.entries.clone() } else { BTreeMap::new() };
        let next_seq = if with_entries { self.snapshot.next_seq } else { Seq::FIRST };
        self.copied.extend(entries.values().cloned());
        let kept = entries.values().cloned().collect::<Vec<_>>();
        let gone = std::mem::take(&mut self.spool.entries).into_values();
        self.given_up.extend(gone.filter(|body| !kept.contains(body)));
        self.epochs += 1;
        self.spool = Spool { epoch: Epoch(self.epochs), next_seq, entries };
        self.snapshot = self.spool.clone();
        self.restart_agent();
    }

    /// What was committed after the backup and trimmed by the agent has no other copy.
    fn restore_store(&mut self) {
        self.cut();
        let newer = std::mem::replace(&mut self.store, self.backup.clone());
        self.given_up.extend(newer.rows.into_values());
    }

    /// What the driver of either side does by itself.
    fn drive(&mut self) {
        while let Some(action) = self.sender.poll(self.now_ms) {
            match action {
                Action::Connect { address } => {
                    assert!(address < 2);
                    self.connect();
                }
                Action::Disconnect => self.cut(),
                Action::Trim(ranges) => self.trim(&ranges),
                Action::NewEpoch => {
                    self.cut();
                    self.epochs += 1;
                    self.spool.epoch = Epoch(self.epochs);
                    self.sender.handle_new_epoch(self.spool.epoch, self.spool.next_seq);
                }
            }
        }
    }

    fn connect(&mut self) {
        let (epoch, next_seq) = self.sender.handle_connected();
        assert_eq!((epoch, next_seq), (self.spool.epoch, self.spool.next_seq));
        let committed = self.store.committed(epoch);
        self.sender.handle_welcome(&committed);
        // The window of both lanes, and what a repetition may add.
        self.receiver = Some(Receiver::new(epoch, committed, 64));
    }

    fn trim(&mut self, ranges: &Ranges) {
        let epoch = self.spool.epoch;
        self.spool.entries.retain(|&seq, body| {
            let goes = ranges.contains(seq);
            if goes {
                assert_eq!(
                    self.store.rows.get(&(epoch, seq)),
                    Some(&*body),
                    "{seq:?} is trimmed and not committed"
                );
            }
            !goes
        });
    }

    /// A quiet link in the end: everything has to come through.
    fn settle(&mut self) {
        for _ in 0..2000 {
            for step in [
                Step::Send(Lane::Fresh),
                Step::Send(Lane::Backfill),
                Step::DeliverUp,
                Step::Commit,
                Step::Ack,
                Step::DeliverDown,
                Step::Pass,
            ] {
                self.take(step);
            }
            if self.spool.entries.is_empty() {
                return;
            }
        }
        panic!("{} entries never came through: {:?}", self.spool.entries.len(), self.sender);
    }
}

fn run(steps: &[Step]) -> World {
    let mut world = World::new();
    world.drive();
    for &step in steps {
        world.take(step);
    }
    world.settle();
    world
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn nothing_is_lost_and_nothing_is_there_twice(
        steps in prop::collection::vec(step(), 0..250)
    ) {
        let world = run(&steps);
        for birth in 1..=world.births {
            let body = birth.to_string().into_bytes();
            let times = world.store.rows.values().filter(|row| **row == body).count();
            prop_assert!(times > 0 || world.given_up.contains(&body), "entry {birth} is lost");
            prop_assert!(times < 2 || world.copied.contains(&body), "entry {birth} stands twice");
        }
        let renewed = steps.iter().any(|step| matches!(step, Step::RenewAgent { .. }));
        prop_assert!(renewed || world.epochs == 1, "an epoch was given up for nothing");
    }
}

#[test]
fn an_aggregator_that_was_put_back_is_sent_what_the_spool_still_has() {
    let mut world = World::new();
    world.drive();
    world.take(Step::Append);
    world.settle();
    world.take(Step::BackUpStore);
    world.take(Step::Append);
    world.settle();
    // The second has left the spool; the third is under way when the store is put back.
    for step in [Step::Append, Step::Send(Lane::Fresh), Step::DeliverUp, Step::Commit] {
        world.take(step);
    }
    world.take(Step::RestoreStore);
    world.settle();
    let rows: Vec<_> = world.store.rows.iter().map(|((_, seq), body)| (seq.0, &body[..])).collect();
    assert_eq!(rows, [(1, &b"1"[..]), (3, b"3")]);
    assert_eq!(world.epochs, 1);
}

#[test]
fn a_lost_spool_begins_again_at_one_under_another_epoch() {
    let mut world = World::new();
    world.drive();
    for step in [Step::Append, Step::Append] {
        world.take(step);
    }
    world.settle();
    world.take(Step::RenewAgent { with_entries: false });
    world.take(Step::Append);
    world.settle();
    assert_eq!(world.store.rows[&(Epoch(2), Seq::FIRST)], b"3");
    assert_eq!(world.store.rows[&(Epoch(1), Seq::FIRST)], b"1");
}

#[test]
fn a_disk_that_is_put_back_goes_on_under_another_epoch() {
    let mut world = World::new();
    world.drive();
    for step in [Step::Append, Step::Append, Step::Append] {
        world.take(step);
    }
    world.settle();
    world.take(Step::RestoreAgent);
    world.take(Step::Append);
    world.settle();
    assert_eq!(world.epochs, 2);
    assert_eq!(world.store.rows[&(Epoch(2), Seq(1))], b"4");
    assert_eq!(world.store.rows.len(), 4);
}

#[test]
fn an_aggregator_that_never_acknowledges_is_left_for_the_next_address() {
    let mut sender = Sender::new(LIMITS, 2, Epoch(1), Seq(2));
    assert_eq!(sender.poll(0), Some(Action::Connect { address: 0 }));
    sender.handle_connected();
    sender.handle_welcome(&Ranges::new());
    let want = sender.want(Lane::Backfill).unwrap();
    assert_eq!(sender.want(Lane::Fresh), None);
    assert_eq!(sender.supply(5, want, vec![Entry::new(Seq(1), b"a".to_vec())]).len(), 1);
    assert_eq!(sender.poll_timeout(), Some(1005));
    assert_eq!(sender.poll(1004), None);
    assert_eq!(sender.poll(1005), Some(Action::Disconnect));
    sender.handle_disconnected(1005, 0.0);
    assert_eq!(sender.poll_timeout(), Some(1010));
    assert_eq!(sender.poll(1010), Some(Action::Connect { address: 1 }));
}

#[test]
fn the_window_bounds_what_is_unacknowledged() {
    let mut sender = Sender::new(LIMITS, 1, Epoch(1), Seq(1));
    sender.poll(0);
    sender.handle_connected();
    sender.handle_welcome(&Ranges::new());
    sender.handle_appended(Seq(100));
    let want = sender.want(Lane::Fresh).unwrap();
    assert_eq!(want.entries, LIMITS.window_entries);
    let entries = (1..=4).map(|seq| Entry::new(Seq(seq), b"x".to_vec())).collect();
    sender.supply(0, want, entries);
    assert_eq!(sender.want(Lane::Fresh), None);
    let mut acked = Ranges::new();
    acked.insert(Seq(2));
    sender.handle_ack(&acked);
    assert_eq!(sender.want(Lane::Fresh).map(|want| (want.from, want.entries)), Some((Seq(5), 1)));
    assert_eq!(sender.poll(0), Some(Action::Trim(acked)));
}

#[test]
fn the_wait_doubles_up_to_its_bound_once_every_address_has_failed() {
    let mut sender = Sender::new(LIMITS, 2, Epoch(1), Seq(1));
    let mut waits = Vec::new();
    let mut now_ms = 0;
    for _ in 0..14 {
        assert!(matches!(sender.poll(now_ms), Some(Action::Connect { .. })));
        sender.handle_disconnected(now_ms, 1.0);
        let until_ms = sender.poll_timeout().unwrap();
        waits.push(until_ms - now_ms);
        now_ms = until_ms;
    }
    assert_eq!(waits, [10, 10, 20, 20, 40, 40, 80, 80, 160, 160, 200, 200, 200, 200]);
}
