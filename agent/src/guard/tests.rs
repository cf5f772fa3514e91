//! The guard's client against a guard that each test scripts.

use super::*;
use crate::testing::{Guard, record, soon};
use flyball_protocol::guard::{FromAgent, FromGuard, VERSION};
use tempfile::TempDir;

const RUN: Uuid = Uuid::from_u128(1);

/// A link to a guard of this folder, and the ends of its channels.
struct Rig {
    folder: TempDir,
    orders: mpsc::Receiver<Order>,
    news: mpsc::Receiver<News>,
    asks: mpsc::Sender<Ask>,
    durable: watch::Sender<Option<Cursor>>,
}

impl Rig {
    fn start(cursor: Option<Cursor>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (recorder, orders) = mpsc::channel(16);
        let (tell, news) = mpsc::channel(16);
        let (asks, asked) = mpsc::channel(16);
        let (durable, confirmed) = watch::channel(cursor);
        let link = GuardLink {
            socket: folder.path().join("guard.sock"),
            cursor,
            recorder,
            news: tell,
            asks: asked,
            durable: confirmed,
        };
        tokio::spawn(link.run());
        Self { folder, orders, news, asks, durable }
    }

    fn guard(&self) -> Guard {
        Guard::listen(self.folder.path())
    }

    async fn delivery(&mut self) -> Delivery {
        match soon(self.orders.recv()).await.unwrap() {
            Order::Guard(delivery) => delivery,
            order => panic!("{order:?}"),
        }
    }

    async fn news(&mut self) -> News {
        soon(self.news.recv()).await.unwrap()
    }
}

fn attach(run: Option<Uuid>, after: u64) -> FromAgent {
    FromAgent::Attach { version: VERSION, run, after }
}

#[tokio::test]
async fn the_link_attaches_where_the_last_process_left_off() {
    let rig = Rig::start(Some(Cursor { run: RUN, through: 41 }));
    let (_guard, asked) = rig.guard().attach(RUN).await;
    assert_eq!(asked, attach(Some(RUN), 41));
}

#[tokio::test]
async fn records_are_handed_on_and_confirmed_only_when_they_are_durable() {
    let mut rig = Rig::start(None);
    let (mut guard, asked) = rig.guard().attach(RUN).await;
    assert_eq!(asked, attach(None, 0));
    assert!(matches!(rig.delivery().await, Delivery::Attached { run: RUN, .. }));
    assert!(matches!(rig.news().await, News::Attached { .. }));
    let records = vec![record(1000, 40.0), record(2000, 41.0)];
    guard.say(&FromGuard::Records { first: 1, records: records.clone() }).await;
    let Delivery::Records { first: 1, records: handed } = rig.delivery().await else { panic!() };
    assert_eq!(handed, records);
    // Nothing was confirmed up to here, or it would be heard first.
    rig.durable.send_replace(Some(Cursor { run: RUN, through: 2 }));
    assert_eq!(guard.hear().await, FromAgent::Confirm { through: 2 });
}

#[tokio::test]
async fn a_guard_that_comes_back_is_asked_for_what_is_new() {
    let mut rig = Rig::start(None);
    let listener = rig.guard();
    let (mut guard, _) = listener.attach(RUN).await;
    guard.say(&FromGuard::Records { first: 1, records: vec![record(1000, 1.0)] }).await;
    for _ in 0..2 {
        rig.delivery().await;
    }
    drop(guard);
    assert!(matches!(rig.delivery().await, Delivery::Detached));
    let (_guard, asked) = listener.attach(RUN).await;
    assert_eq!(asked, attach(Some(RUN), 1));
}

#[tokio::test]
async fn another_run_of_the_guard_begins_at_its_first_record() {
    let mut rig = Rig::start(Some(Cursor { run: RUN, through: 41 }));
    let other = Uuid::from_u128(2);
    let listener = rig.guard();
    let (guard, _) = listener.attach(other).await;
    assert!(matches!(rig.delivery().await, Delivery::Attached { run, .. } if run == other));
    drop(guard);
    let (mut guard, asked) = listener.attach(other).await;
    assert_eq!(asked, attach(Some(other), 0));
    // What is durable of the run before means nothing to this one.
    rig.durable.send_replace(Some(Cursor { run: RUN, through: 41 }));
    rig.durable.send_replace(Some(Cursor { run: other, through: 3 }));
    assert_eq!(guard.hear().await, FromAgent::Confirm { through: 3 });
}

#[tokio::test]
async fn commands_go_down_and_verdicts_come_up() {
    let mut rig = Rig::start(None);
    let (mut guard, _) = rig.guard().attach(RUN).await;
    assert!(matches!(rig.news().await, News::Attached { .. }));
    let operation = OperationId(Uuid::from_u128(5));
    let command = SignedCommand { bytes: vec![1], signature: vec![2] };
    rig.asks.send(Ask::Propose { operation, command: command.clone() }).await.unwrap();
    assert_eq!(guard.hear().await, FromAgent::Propose { operation, command });
    guard.say(&FromGuard::Verdict { operation, verdict: Verdict::Accepted }).await;
    let News::Verdict { operation: told, verdict: Verdict::Accepted } = rig.news().await else {
        panic!()
    };
    assert_eq!(told, operation);
}

#[tokio::test]
async fn a_guard_that_sends_nonsense_is_left_and_attached_to_anew() {
    let mut rig = Rig::start(None);
    let listener = rig.guard();
    for nonsense in [&[0xff; 8][..], &[1, 0, 0, 0, 0x7f][..], &[0, 0, 0, 0x80][..]] {
        let (mut guard, _) = listener.attach(RUN).await;
        guard.say_bytes(nonsense).await;
        guard.closed().await;
    }
    let (_guard, _) = listener.attach(RUN).await;
    assert!(matches!(rig.delivery().await, Delivery::Attached { .. }));
}
