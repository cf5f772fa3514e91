//! A machine as the API sees it: an enrolled device whose session is this test.

use super::rig::Rig;
use crate::fleet::DeviceId;
use crate::fleet::sessions::Order;
use flyball_protocol::command::Verdict;
use flyball_protocol::message::{
    EnrolReply, EnrolRequest, Job, JobEvent, Machine, PluginKind, PluginState, PluginStatus,
};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::sync::mpsc;

pub(super) struct Connected {
    pub(super) device: DeviceId,
    /// How many jobs came.
    pub(super) jobs: Arc<AtomicUsize>,
}

pub(super) async fn enrol(rig: &Rig) -> DeviceId {
    let token = rig.app.enrolment.create_token("test", "test", 60_000).await.unwrap().text;
    let key = rcgen::KeyPair::generate().unwrap();
    let csr = rcgen::CertificateParams::default().serialize_request(&key).unwrap();
    let machine = Machine {
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
    };
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
    let device = enrol(rig).await;
    let (orders, mut incoming) = mpsc::channel(8);
    rig.app.sessions.join(device, orders);
    rig.app.sessions.update(device, |inventory| inventory.plugins = plugins);
    let (app, jobs) = (rig.app.clone(), Arc::new(AtomicUsize::new(0)));
    let count = Arc::clone(&jobs);
    tokio::spawn(async move {
        while let Some(order) = incoming.recv().await {
            match order {
                Order::Command => {
                    for (_, pending) in app.operations.pending(device, 0).await.unwrap() {
                        let id = pending.operation;
                        app.operations.handle_sent(id).await.unwrap();
                        app.operations.handle_verdict(device, id, verdict.clone()).await.unwrap();
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
                Order::Validate { request, .. } => {
                    app.sessions.settle_validation(device, request, verdict.clone());
                }
                Order::Revoke | Order::Replace => {}
            }
        }
    });
    Connected { device, jobs }
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
