//! A machine as the API sees it: an enrolled device whose session is this test.

use super::rig::{NOW_MS, Rig};
use crate::fleet::DeviceId;
use crate::fleet::sessions::Order;
use flyball_protocol::command::{Action, Arming, PowerState, Verdict};
use flyball_protocol::guard::Inventory as Board;
use flyball_protocol::message::{
    EnrolReply, EnrolRequest, Job, JobEvent, Machine, PendingCommand, PluginKind, PluginState,
    PluginStatus,
};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::sync::{mpsc, watch};

const PATIENCE: Duration = Duration::from_secs(10);

pub(super) struct Connected {
    pub(super) device: DeviceId,
    /// How many jobs came.
    pub(super) jobs: Arc<AtomicUsize>,
    asked: watch::Receiver<Vec<Action>>,
}

impl Connected {
    /// What was asked of it, as it was signed.
    pub(super) fn asked(&self) -> Vec<Action> {
        self.asked.borrow().clone()
    }

    /// The same, once there are that many.
    pub(super) async fn asked_for(&self, count: usize) -> Vec<Action> {
        let mut asked = self.asked.clone();
        let many = asked.wait_for(|asked| asked.len() >= count);
        tokio::time::timeout(PATIENCE, many).await.unwrap().unwrap().clone()
    }
}

fn simulated() -> Machine {
    Machine {
        hostname: "board".into(),
        os: "linux".into(),
        kernel: "6.12".into(),
        arch: "x86_64".into(),
        vendor: None,
        product: None,
        serial: None,
        cpus: 2,
        memory_bytes: 1 << 30,
        simulated: true,
        agent_version: "0.1.0".into(),
    }
}

/// The machine that the tests run on, as its agent would name it.
pub(super) fn own_host() -> Machine {
    Machine {
        hostname: sysinfo::System::host_name().unwrap(),
        kernel: sysinfo::System::kernel_version().unwrap(),
        simulated: false,
        ..simulated()
    }
}

pub(super) async fn enrol(rig: &Rig) -> DeviceId {
    enrol_as(rig, simulated()).await
}

async fn enrol_as(rig: &Rig, machine: Machine) -> DeviceId {
    let token = rig.app.enrolment.create_token("test", "test", 60_000).await.unwrap().text;
    let key = rcgen::KeyPair::generate().unwrap();
    let csr = rcgen::CertificateParams::default().serialize_request(&key).unwrap();
    let request = EnrolRequest { token, csr: csr.der().to_vec(), machine };
    match rig.app.enrolment.enrol(request).await.unwrap() {
        EnrolReply::Enrolled { device, .. } => device,
        refused @ EnrolReply::Refused(_) => panic!("{refused:?}"),
    }
}

/// A machine that answers every command with `verdict` and every job with `answer`'s events.
pub(super) async fn connect(
    rig: &Rig,
    plugins: Vec<PluginStatus>,
    verdict: Verdict,
    answer: impl Fn(Job) -> Vec<JobEvent> + Send + 'static,
) -> Connected {
    let connected = serve(rig, simulated(), move |_| Some(verdict.clone()), answer).await;
    rig.app.sessions.update(connected.device, |inventory| inventory.plugins = plugins);
    connected
}

/// A machine that stands as `board` says and judges every command by `judge`; it says nothing
/// where that is `None`.
pub(super) async fn guarded(
    rig: &Rig,
    board: Board,
    judge: impl Fn(&Action) -> Option<Verdict> + Send + 'static,
) -> Connected {
    guarded_as(rig, simulated(), board, judge).await
}

pub(super) async fn guarded_as(
    rig: &Rig,
    machine: Machine,
    board: Board,
    judge: impl Fn(&Action) -> Option<Verdict> + Send + 'static,
) -> Connected {
    let connected = serve(rig, machine, judge, |_| Vec::new()).await;
    let device = connected.device;
    rig.app.store.equipment_reported(device, &board.equipment, true, NOW_MS).await.unwrap();
    rig.app.sessions.update(device, |inventory| {
        inventory.board = board;
        inventory.at_ms = Some(NOW_MS);
    });
    connected
}

/// As a guard arms what may lose work.
pub(super) fn arm_the_destructive(action: &Action) -> Option<Verdict> {
    Some(match action {
        Action::Reset { reset, switch, .. } if reset.is_destructive() => Verdict::Armed(Arming {
            until_ms: NOW_MS + 60_000,
            target: format!("{switch}, serial 42"),
            state: Some(PowerState::On),
            consequence: "It loses power at once.".into(),
        }),
        _ => Verdict::Accepted,
    })
}

async fn serve(
    rig: &Rig,
    machine: Machine,
    judge: impl Fn(&Action) -> Option<Verdict> + Send + 'static,
    answer: impl Fn(Job) -> Vec<JobEvent> + Send + 'static,
) -> Connected {
    let device = enrol_as(rig, machine).await;
    let (orders, mut incoming) = mpsc::channel(8);
    rig.app.sessions.join(device, orders);
    let (app, jobs) = (rig.app.clone(), Arc::new(AtomicUsize::new(0)));
    let (noted, asked) = watch::channel(Vec::new());
    let count = Arc::clone(&jobs);
    let key = rig.app.authority.command_key().public();
    tokio::spawn(async move {
        while let Some(order) = incoming.recv().await {
            match order {
                Order::Command => {
                    for (_, pending) in app.operations.pending(device, 0).await.unwrap() {
                        let PendingCommand { operation: id, command, .. } = pending;
                        let command = key.open(&command).unwrap();
                        assert_eq!(command.device, device, "signed for the machine that acts");
                        app.operations.handle_sent(id).await.unwrap();
                        let verdict = judge(&command.action);
                        noted.send_modify(|asked| asked.push(command.action));
                        if let Some(verdict) = verdict {
                            app.operations.handle_verdict(device, id, verdict).await.unwrap();
                        }
                    }
                }
                Order::Job { request, events } => {
                    count.fetch_add(1, Ordering::SeqCst);
                    for event in answer(request.job) {
                        if events.send(event).await.is_err() {
                            break;
                        }
                    }
                }
                Order::Validate { request, action } => {
                    if let Some(verdict) = judge(&action) {
                        app.sessions.settle_validation(device, request, verdict);
                    }
                }
                Order::Revoke | Order::Replace | Order::Quarantine => {}
            }
        }
    });
    Connected { device, jobs, asked }
}

pub(super) fn plugin(id: &str, kind: PluginKind, handles: &[&str]) -> PluginStatus {
    PluginStatus {
        id: id.into(),
        name: id.into(),
        version: "1.0.0".into(),
        author: "tests".into(),
        licence: "MIT".into(),
        description: "for tests".into(),
        kind,
        handles: handles.iter().map(|handle| (*handle).to_owned()).collect(),
        hash: "aa".repeat(32),
        state: PluginState::Ready,
    }
}
