//! From an operator's word to the machine's, and back.

use super::rig::{Agent, Rig, entry, fan_floor};
use flyball_aggregator::fleet::{DeviceId, Target};
use flyball_aggregator::live::{Delivery, Interest, Live};
use flyball_aggregator::operations::{OperationState, SubmitError};
use flyball_protocol::command::{
    Clamp, Outcome, PublicKey, Refusal, RefusalKind, SignedCommand, Verdict,
};
use flyball_protocol::entry::EntryBody;
use flyball_protocol::frame;
use flyball_protocol::message::{
    ControlDown, ControlUp, Job, JobEvent, JobRequest, PendingCommand, PluginKind, PluginState,
    PluginStatus,
};
use flyball_units::Unit;
use uuid::Uuid;

async fn command(agent: &mut Agent) -> PendingCommand {
    match agent.down.next().await.unwrap() {
        ControlDown::Command(command) => command,
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn commands_that_are_asked_for_at_once_go_out_in_the_order_of_their_counters() {
    let rig = Rig::start().await;
    let identity = rig.enrol().await;
    let mut agent = rig.agent(&identity, 1).await;
    let key = PublicKey::from_hex(&identity.command_key).unwrap();
    for _ in 0..48 {
        let app = rig.app.clone();
        tokio::spawn(async move { app.operations.submit(fan_floor(identity.device)).await });
    }
    let mut counters = Vec::new();
    for _ in 0..48 {
        counters.push(key.open(&command(&mut agent).await.command).unwrap().counter);
    }
    assert_eq!(counters, (1..=48).collect::<Vec<_>>());
}

fn clamp() -> Verdict {
    Verdict::Clamped(Clamp { asked: 0.2, to: 0.6, unit: Unit::One, by: "cpu".into() })
}

fn refusal() -> Verdict {
    Verdict::Refused(Refusal {
        kind: RefusalKind::Interlock,
        interlock: "cpu".into(),
        reading: Some(97.0),
        limit: Some(95.0),
        unit: Some(Unit::Celsius),
        since_ms: Some(1),
        clears_when: "the cpu is below 90 °C".into(),
        reason: "the cpu is too hot".into(),
    })
}

#[tokio::test]
async fn a_command_is_signed_for_its_device_and_settled_by_its_outcome() {
    let rig = Rig::start().await;
    let identity = rig.enrol().await;
    let mut agent = rig.agent(&identity, 1).await;
    let live = rig.app.live.subscribe();
    live.set_interest(Interest { operations: true, ..Interest::default() });
    let submitted = tokio::spawn({
        let app = rig.app.clone();
        async move { app.operations.submit(fan_floor(identity.device)).await.unwrap() }
    });
    let pending = command(&mut agent).await;
    let key = PublicKey::from_hex(&identity.command_key).unwrap();
    let opened = key.open(&pending.command).unwrap();
    assert_eq!((opened.device, opened.operation), (identity.device, pending.operation));
    assert_eq!((opened.counter, opened.issuer.as_str()), (1, "operator@example.org"));
    agent.say(&ControlUp::Verdict { operation: pending.operation, verdict: clamp() }).await;
    let operation = submitted.await.unwrap();
    assert_eq!(operation.state, OperationState::Running);
    assert_eq!(operation.verdict, Some(clamp()));
    let outcome = Outcome {
        operation: operation.id,
        verdict: clamp(),
        observed: Some(0.6),
        state: None,
        verified: true,
        at_ms: 5,
        reason: None,
    };
    agent.send(entry(1, &EntryBody::Outcome(outcome.clone()))).await;
    agent.acknowledged(1).await;
    let settled = rig.app.operations.operation(operation.id).await.unwrap().unwrap();
    assert_eq!((settled.state, settled.outcome), (OperationState::Succeeded, Some(outcome)));
    let mut states = Vec::new();
    while states.last() != Some(&OperationState::Succeeded) {
        match live.next().await {
            Delivery::Live(live) => match &*live {
                Live::Operation(operation) => states.push(operation.state),
                other => panic!("{other:?}"),
            },
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(states.first(), Some(&OperationState::Queued));
}

#[tokio::test]
async fn a_refusal_comes_back_to_the_request_that_waits_for_it() {
    let rig = Rig::start().await;
    let identity = rig.enrol().await;
    let mut agent = rig.agent(&identity, 1).await;
    let submitted = tokio::spawn({
        let app = rig.app.clone();
        async move { app.operations.submit(fan_floor(identity.device)).await.unwrap() }
    });
    let pending = command(&mut agent).await;
    agent.say(&ControlUp::Verdict { operation: pending.operation, verdict: refusal() }).await;
    let operation = submitted.await.unwrap();
    assert_eq!(operation.state, OperationState::Refused);
    assert_eq!(operation.verdict, Some(refusal()));
}

#[tokio::test]
async fn a_command_for_a_machine_that_is_away_rides_in_its_next_welcome() {
    let rig = Rig::start().await;
    let identity = rig.enrol().await;
    let operation = rig.app.operations.submit(fan_floor(identity.device)).await.unwrap();
    assert_eq!(operation.state, OperationState::Queued);
    let rig = rig.restart().await;
    let mut agent = rig.agent(&identity, 1).await;
    let ControlDown::Welcome { pending, .. } = &agent.welcome else { panic!() };
    let operations: Vec<_> = pending.iter().map(|command| command.operation).collect();
    assert_eq!(operations, [operation.id]);
    // A verdict of another device's would change nothing; this one's own settles it.
    agent.say(&ControlUp::Verdict { operation: operation.id, verdict: refusal() }).await;
    let outcome = Outcome {
        operation: operation.id,
        verdict: refusal(),
        observed: None,
        state: None,
        verified: true,
        at_ms: 5,
        reason: None,
    };
    agent.send(entry(1, &EntryBody::Outcome(outcome))).await;
    agent.acknowledged(1).await;
    let settled = rig.app.operations.operation(operation.id).await.unwrap().unwrap();
    assert_eq!(settled.state, OperationState::Refused);
    drop(agent);
    let again = rig.agent(&identity, 1).await;
    let ControlDown::Welcome { pending, .. } = &again.welcome else { panic!() };
    assert_eq!(pending, &[]);
}

#[tokio::test]
async fn another_machine_cannot_settle_an_operation() {
    let rig = Rig::start().await;
    let (identity, other) = (rig.enrol().await, rig.enrol().await);
    let operation = rig.app.operations.submit(fan_floor(identity.device)).await.unwrap();
    let mut agent = rig.agent(&other, 1).await;
    let outcome = Outcome {
        operation: operation.id,
        verdict: clamp(),
        observed: None,
        state: None,
        verified: true,
        at_ms: 5,
        reason: None,
    };
    agent.send(entry(1, &EntryBody::Outcome(outcome))).await;
    agent.acknowledged(1).await;
    let unchanged = rig.app.operations.operation(operation.id).await.unwrap().unwrap();
    assert_eq!(unchanged, operation);
}

#[tokio::test]
async fn an_operation_for_nobody_is_an_error() {
    let rig = Rig::start().await;
    let nobody = DeviceId(Uuid::from_u128(7));
    let refused = rig.app.operations.submit(fan_floor(nobody)).await;
    assert!(matches!(refused, Err(SubmitError::UnknownDevice(device)) if device == nobody));
}

#[tokio::test]
async fn a_job_streams_its_events_from_a_machine_that_has_its_plugin() {
    let rig = Rig::start().await;
    let identity = rig.enrol().await;
    let mut agent = rig.agent(&identity, 1).await;
    let request = JobRequest {
        deadline_ms: 5000,
        plugin: "dot".into(),
        job: Job::Validate { format: "graphviz".into(), source: "digraph {}".into() },
    };
    assert!(rig.app.sessions.run_job(Target::Any, request.clone()).is_err());
    agent.say(&ControlUp::Plugins(vec![plugin()])).await;
    while rig.app.sessions.plugins().is_empty() {
        tokio::task::yield_now().await;
    }
    let mut stream = rig.app.sessions.run_job(Target::Any, request.clone()).unwrap();
    let (mut up, down) = agent.connection.accept_bi().await.unwrap();
    let asked: JobRequest = super::rig::Messages::new(down).next().await.unwrap();
    assert_eq!(asked, request);
    for event in [JobEvent::Diagnostics(Vec::new()), JobEvent::Done] {
        up.write_all(&frame::encode(&event).unwrap()).await.unwrap();
    }
    assert_eq!(stream.next().await, Some(JobEvent::Diagnostics(Vec::new())));
    assert_eq!(stream.next().await, Some(JobEvent::Done));
    assert_eq!(stream.next().await, None);
}

#[tokio::test]
async fn a_job_that_nobody_waits_for_is_stopped_on_the_machine() {
    let rig = Rig::start().await;
    let identity = rig.enrol().await;
    let agent = rig.agent(&identity, 1).await;
    let request = JobRequest {
        deadline_ms: 60_000,
        plugin: "dot".into(),
        job: Job::Validate { format: "graphviz".into(), source: "digraph {}".into() },
    };
    let stream = rig.app.sessions.run_job(Target::Device(identity.device), request).unwrap();
    let (up, _down) = agent.connection.accept_bi().await.unwrap();
    drop(stream);
    assert_eq!(up.stopped().await.unwrap(), Some(0_u32.into()));
}

#[tokio::test]
async fn a_job_ends_with_a_failure_where_its_machine_goes() {
    let rig = Rig::start().await;
    let identity = rig.enrol().await;
    let agent = rig.agent(&identity, 1).await;
    let request = JobRequest {
        deadline_ms: 60_000,
        plugin: "dot".into(),
        job: Job::Validate { format: "graphviz".into(), source: "digraph {}".into() },
    };
    let mut stream = rig.app.sessions.run_job(Target::Device(identity.device), request).unwrap();
    let _streams = agent.connection.accept_bi().await.unwrap();
    agent.connection.close(0_u32.into(), b"");
    assert!(matches!(stream.next().await, Some(JobEvent::Failed(_))));
    assert_eq!(stream.next().await, None);
}

fn plugin() -> PluginStatus {
    PluginStatus {
        id: "dot".into(),
        name: "Graphviz".into(),
        version: "0.1.0".into(),
        author: "Flyball".into(),
        licence: "MIT".into(),
        description: "Renders DOT".into(),
        kind: PluginKind::Renderer,
        handles: vec!["graphviz".into()],
        hash: "00".into(),
        state: PluginState::Ready,
    }
}

#[tokio::test]
async fn a_command_that_was_changed_on_its_way_does_not_open() {
    let rig = Rig::start().await;
    let identity = rig.enrol().await;
    rig.app.operations.submit(fan_floor(identity.device)).await.unwrap();
    let agent = rig.agent(&identity, 1).await;
    let ControlDown::Welcome { pending, .. } = &agent.welcome else { panic!() };
    let SignedCommand { mut bytes, signature } = pending[0].command.clone();
    bytes[5] ^= 1;
    let key = PublicKey::from_hex(&identity.command_key).unwrap();
    assert!(key.open(&SignedCommand { bytes, signature }).is_err());
}
