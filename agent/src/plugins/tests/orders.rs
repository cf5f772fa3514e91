//! Components that the aggregator brings, and what it orders of them.

use super::*;
use crate::plugins::hash::Hash;
use flyball_protocol::message::{Component, PluginOrder};

/// A machine whose operator's folder is empty.
fn bare() -> Rig {
    let rig = Rig::with(&report(ENGINE));
    std::fs::remove_file(rig.folder.path().join("plugins/demo.wasm")).unwrap();
    rig
}

fn order(bytes: &[u8]) -> PluginOrder {
    PluginOrder {
        plugin: "demo".into(),
        hash: Hash::of(bytes).to_string(),
        enabled: true,
        grants: Vec::new(),
        settings: Vec::new(),
    }
}

/// What the runner calls it.
fn version(bytes: &[u8]) -> PluginId {
    PluginId(format!("demo@{:.12}", Hash::of(bytes).to_string()))
}

impl Rig {
    async fn errand(&self, job: Job) -> JobEvent {
        let (sender, mut events) = mpsc::channel(8);
        let request = JobRequest { deadline_ms: 10_000, plugin: String::new(), job };
        self.plugins.run(request, sender).await;
        let said = events.recv().await.unwrap();
        match &said {
            JobEvent::Failed(_) => {}
            _ => assert_eq!(events.recv().await, Some(JobEvent::Done)),
        }
        said
    }

    async fn keep(&self, bytes: &[u8]) -> Component {
        match self.errand(Job::Keep { bytes: bytes.to_vec() }).await {
            JobEvent::Component(component) => component,
            other => panic!("{other:?}"),
        }
    }

    async fn lacking(&self, orders: &[&[u8]]) -> Vec<String> {
        let plugins = orders.iter().map(|bytes| order(bytes)).collect();
        match self.errand(Job::Order { plugins }).await {
            JobEvent::Lacking(hashes) => hashes,
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn a_component_is_described_and_runs_for_nobody_before_it_is_ordered() {
    let mut rig = bare();
    let mut runner = rig.runner().await;
    let component = rig.keep(b"one").await;
    assert_eq!((component.id.as_str(), component.hash), ("demo", Hash::of(b"one").to_string()));
    assert!(rig.status.borrow().is_empty());
    assert_eq!(kind(rig.job(1_000).recv().await), JobFailureKind::Unavailable);
    assert!(rig.lacking(&[b"one"]).await.is_empty());
    assert_eq!(rig.state(is_ready).await.id, "demo");
    let mut events = rig.job(1_000);
    assert_eq!(runner.code().await.unwrap(), CODE);
    runner.say(&FromRunner::Loaded { plugin: version(b"one") }).await;
    let call = runner.call().await;
    runner.say(&FromRunner::Event { call, event: Event::Done }).await;
    assert_eq!(events.recv().await, Some(JobEvent::Done));
    assert!(rig.lacking(&[]).await.is_empty());
    rig.status.wait_for(Vec::is_empty).await.unwrap();
    assert_eq!(kind(rig.job(1_000).recv().await), JobFailureKind::Unavailable);
}

#[tokio::test]
async fn a_job_ends_on_the_version_that_it_began_on() {
    let mut rig = bare();
    let mut runner = rig.runner().await;
    rig.keep(b"one").await;
    rig.lacking(&[b"one"]).await;
    rig.state(is_ready).await;
    let mut old = rig.job(60_000);
    runner.code().await.unwrap();
    runner.say(&FromRunner::Loaded { plugin: version(b"one") }).await;
    let old_call = runner.call().await;
    assert_eq!(rig.lacking(&[b"two"]).await, [Hash::of(b"two").to_string()]);
    rig.keep(b"two").await;
    let two = Hash::of(b"two").to_string();
    let ready = |p: &PluginStatus| p.hash == two && is_ready(&p.state);
    rig.status.wait_for(|plugins| plugins.iter().any(ready)).await.unwrap();
    let mut new = rig.job(1_000);
    match runner.hear().await {
        ToRunner::Load { plugin, .. } => assert_eq!(plugin, version(b"two")),
        other => panic!("{other:?}"),
    }
    while !matches!(runner.hear().await, ToRunner::Seal { .. }) {}
    runner.say(&FromRunner::Loaded { plugin: version(b"two") }).await;
    let new_call = runner.call().await;
    for (call, events) in [(new_call, &mut new), (old_call, &mut old)] {
        runner.say(&FromRunner::Event { call, event: Event::Done }).await;
        assert_eq!(events.recv().await, Some(JobEvent::Done));
    }
}

#[tokio::test]
async fn orders_outlive_a_restart_and_give_way_to_the_machines_own_folder() {
    let mut rig = bare();
    let runner = rig.runner().await;
    rig.keep(b"one").await;
    rig.lacking(&[b"one"]).await;
    rig.state(is_ready).await;
    drop(runner);
    rig.restart();
    let _runner = rig.runner().await;
    assert_eq!(rig.state(is_ready).await.hash, Hash::of(b"one").to_string());
    assert_eq!(rig.compilations(), 1);
    std::fs::write(rig.folder.path().join("plugins/demo.wasm"), b"own").unwrap();
    rig.lacking(&[b"one"]).await;
    let yields = |p: &PluginStatus| match &p.state {
        PluginState::Rejected(why) => why.contains("is taken by") && why.contains("demo.wasm"),
        _ => false,
    };
    rig.status.wait_for(|plugins| plugins.iter().any(yields)).await.unwrap();
}

#[tokio::test]
async fn what_is_no_plugin_is_told_with_the_compilers_reason() {
    let fault = flyball_plugin_messages::CompileFault::CoreModule;
    let rig = Rig::with(&Report::Rejected(fault.clone()));
    let _runner = rig.runner().await;
    match rig.errand(Job::Keep { bytes: b"module".to_vec() }).await {
        JobEvent::Failed(failure) => {
            assert_eq!(failure.kind, JobFailureKind::InvalidInput);
            assert_eq!(failure.message, fault.to_string());
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn without_a_runner_orders_are_kept_and_components_wait() {
    let rig = bare();
    assert_eq!(rig.lacking(&[b"one"]).await, [Hash::of(b"one").to_string()]);
    let nobody = rig.folder.path().join("runner.sock");
    std::fs::remove_file(nobody).unwrap();
    match rig.errand(Job::Keep { bytes: b"one".to_vec() }).await {
        JobEvent::Failed(failure) => assert_eq!(failure.kind, JobFailureKind::Unavailable),
        other => panic!("{other:?}"),
    }
    assert!(rig.lacking(&[b"one"]).await.is_empty());
}
