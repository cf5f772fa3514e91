//! An ordered collector: what it is given, what it asks, and what becomes of what it read.

use super::*;
use crate::collectors::Moment;
use crate::collectors::collected::{self, Collected};
use crate::plugins::hash::Hash;
use crate::testing::soon;
use flyball_plugin_messages::{Absence, Answer, Ask, Attribute, Context, Fetch, Fetched};
use flyball_plugin_messages::{Reading, ReadingKind};
use flyball_protocol::message::PluginOrder;
use flyball_units::NoData;
use tokio::net::TcpListener;

const COMPONENT: &[u8] = b"collector";

fn collector() -> Report {
    let Report::Compiled { manifest, engine, code_bytes, .. } = report(ENGINE) else { panic!() };
    Report::Compiled { manifest, world: World::Collector, engine, code_bytes }
}

fn order(enabled: bool, port: u16) -> PluginOrder {
    PluginOrder {
        plugin: "demo".into(),
        hash: Hash::of(COMPONENT).to_string(),
        enabled,
        grants: vec![format!("http:127.0.0.1:{port}")],
        settings: vec![("interval_s".into(), "1".into()), ("key".into(), "\"s3cret\"".into())],
    }
}

fn version() -> PluginId {
    PluginId(format!("demo@{:.12}", Hash::of(COMPONENT).to_string()))
}

async fn errand(plugins: &Plugins, job: Job) {
    let (sender, mut events) = mpsc::channel(8);
    plugins.run(JobRequest { deadline_ms: 10_000, plugin: String::new(), job }, sender).await;
    let said = events.recv().await.unwrap();
    assert!(!matches!(said, JobEvent::Failed(_)), "{said:?}");
}

/// The next poll, with what it was given.
async fn poll(runner: &mut Runner) -> (CallId, Context) {
    match soon(runner.hear()).await {
        ToRunner::Call { call, context, request: Request::Poll, .. } => (call, context),
        other => panic!("{other:?}"),
    }
}

/// What it asks for is answered by the agent.
async fn fetch(runner: &mut Runner, call: CallId, port: u16) -> Answer {
    let ask = Ask::Fetch(Fetch {
        method: "GET".into(),
        url: format!("http://127.0.0.1:{port}/metrics"),
        headers: Vec::new(),
        body: Vec::new(),
        timeout_ms: 5_000,
    });
    runner.say(&FromRunner::Ask { call, ask }).await;
    match soon(runner.hear()).await {
        ToRunner::Answer { call: answered, answer } if answered == call => answer,
        other => panic!("{other:?}"),
    }
}

/// The samples of the first tick that has any.
async fn samples(collected: &mut Collected) -> Vec<(String, Result<f64, NoData>)> {
    loop {
        let read = collected.read(0, Moment::read(Clock)).to_vec();
        if !read.is_empty() {
            let series = collected.series();
            let name = |at: u16| series[usize::from(at)].metric.clone();
            return read.iter().map(|it| (name(it.series), it.value)).collect();
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn an_enabled_collector_fetches_what_is_granted_and_its_readings_are_sampled() {
    let server = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = server.local_addr().unwrap().port();
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = server.accept().await.unwrap();
            let mut request = [0; 4096];
            assert!(stream.read(&mut request).await.unwrap() > 0);
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nx 7.5").await.unwrap();
        }
    });
    let rig = Rig::with(&collector());
    std::fs::remove_file(rig.folder.path().join("plugins/demo.wasm")).unwrap();
    let mut runner = rig.runner().await;
    let (mut collected, intake) = collected::open();
    tokio::spawn(rig.plugins.clone().collect(intake, Clock));
    errand(&rig.plugins, Job::Keep { bytes: COMPONENT.to_vec() }).await;
    // What is not enabled is not polled.
    errand(&rig.plugins, Job::Order { plugins: vec![order(false, port)] }).await;
    runner.is_silent().await;
    errand(&rig.plugins, Job::Order { plugins: vec![order(true, port)] }).await;
    soon(runner.code()).await.unwrap();
    runner.say(&FromRunner::Loaded { plugin: version() }).await;
    let (call, context) = poll(&mut runner).await;
    assert_eq!(context.settings[1], ("key".into(), "\"s3cret\"".into()));
    let Answer::Fetched(Fetched { body, .. }) = fetch(&mut runner, call, port).await else {
        panic!()
    };
    assert_eq!(body, b"x 7.5");
    let Answer::Refused(failure) = fetch(&mut runner, call, 1).await else { panic!() };
    assert_eq!(failure.kind, FailureKind::Denied);
    let reading = |name: &str, value| Reading {
        name: name.into(),
        unit: "Cel".into(),
        kind: ReadingKind::Gauge,
        labels: vec![Attribute { key: "room".into(), value: "lab".into() }],
        value,
    };
    let readings = vec![
        reading("room.temperature", Ok(7.5)),
        reading("room.floor", Err(Absence::Unauthorised)),
        reading("hw.temperature", Ok(20.0)),
    ];
    runner.say(&FromRunner::Event { call, event: Event::Readings(readings) }).await;
    runner.say(&FromRunner::Event { call, event: Event::Done }).await;
    let sampled = soon(samples(&mut collected)).await;
    let expected =
        [("room.temperature".into(), Ok(7.5)), ("room.floor".into(), Err(NoData::Denied))];
    assert_eq!(sampled, expected);
    let series = &collected.series()[0];
    let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
    assert_eq!(series.attributes, [pair("plugin", "demo"), pair("room", "lab")]);
    assert_eq!(series.cadence_ms, 1_000);
    // A call that fails is polled again, and one that is disabled is silent from then on.
    let (call, _) = poll(&mut runner).await;
    let failure = Failure::new(FailureKind::Trapped, "it broke");
    runner.say(&FromRunner::Event { call, event: Event::Failed(failure) }).await;
    poll(&mut runner).await;
    errand(&rig.plugins, Job::Order { plugins: vec![order(false, port)] }).await;
    let disabled = soon(samples(&mut collected)).await;
    assert!(disabled.iter().all(|(_, value)| *value == Err(NoData::Disabled)), "{disabled:?}");
}

#[tokio::test]
async fn a_collector_of_the_folder_is_polled_by_the_policy_beside_it_without_any_aggregator() {
    let rig = Rig::with(&collector());
    let policy = rig.folder.path().join("plugins/demo.toml");
    std::fs::write(&policy, "grants = [\"http:127.0.0.1:1\"]\n[settings]\ninterval_s = 1\n")
        .unwrap();
    let mut runner = rig.runner().await;
    let (_collected, intake) = collected::open();
    tokio::spawn(rig.plugins.clone().collect(intake, Clock));
    soon(runner.code()).await.unwrap();
    let plugin = PluginId("demo".into());
    runner.say(&FromRunner::Loaded { plugin }).await;
    let (call, context) = poll(&mut runner).await;
    assert_eq!(context.settings, [("interval_s".to_owned(), "1".to_owned())]);
    // It is granted and not there; the next port is not granted.
    let Answer::Refused(failure) = fetch(&mut runner, call, 1).await else { panic!() };
    assert_eq!(failure.kind, FailureKind::Upstream, "{}", failure.message);
    let Answer::Refused(failure) = fetch(&mut runner, call, 2).await else { panic!() };
    assert_eq!(failure.kind, FailureKind::Denied, "{}", failure.message);
}

#[tokio::test]
async fn a_collector_of_the_folder_without_a_policy_is_left_alone() {
    let rig = Rig::with(&collector());
    std::fs::write(rig.folder.path().join("plugins/demo.toml"), "grants = 1").unwrap();
    let mut runner = rig.runner().await;
    let (_collected, intake) = collected::open();
    tokio::spawn(rig.plugins.clone().collect(intake, Clock));
    runner.is_silent().await;
}
