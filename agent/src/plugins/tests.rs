//! The agent's side against a runner that this test plays itself.

mod collectors;
mod orders;

use super::*;
use flyball_plugin_messages::frame::{Decoder, MAX_FRAME_BYTES, MAX_REPORT_BYTES, encode};
use flyball_plugin_messages::{FromRunner, Manifest, Report, ToRunner, VERSION, World};
use flyball_protocol::message::{Job, JobFailureKind, PluginState};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{UnixListener, UnixStream};

const ENGINE: &str = "engine/1";
const CODE: &[u8] = b"native";

/// A folder with plugins, a compiler that is a script, and the socket of a runner.
struct Rig {
    folder: tempfile::TempDir,
    listener: UnixListener,
    plugins: Plugins,
    status: watch::Receiver<Vec<PluginStatus>>,
}

struct Runner {
    stream: UnixStream,
    decoder: Decoder,
}

fn report(engine: &str) -> Report {
    let manifest = Manifest {
        id: "demo".into(),
        name: "Demo".into(),
        version: "1".into(),
        author: String::new(),
        licence: String::new(),
        description: String::new(),
        handles: vec!["demo".into()],
        attributes: Vec::new(),
    };
    let code_bytes = CODE.len() as u64;
    Report::Compiled { manifest, world: World::Renderer, engine: engine.into(), code_bytes }
}

/// A compiler that counts how often it was called and writes what it was told to.
fn script(folder: &Path, report: &Report) -> PathBuf {
    let (path, answer) = (folder.join("compiler"), folder.join("answer"));
    let code = if matches!(report, Report::Compiled { .. }) { CODE } else { b"" };
    let report = encode(report, MAX_REPORT_BYTES).unwrap();
    std::fs::write(&answer, [&report, code].concat()).unwrap();
    let calls = folder.join("calls");
    let text =
        format!("#!/bin/sh\necho >> {}\nexec /bin/cat {}\n", calls.display(), answer.display());
    std::fs::write(&path, text).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    path
}

impl Rig {
    fn with(report: &Report) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        std::fs::create_dir(root.join("plugins")).unwrap();
        std::fs::create_dir(root.join("state")).unwrap();
        std::fs::write(root.join("plugins/demo.wasm"), b"component").unwrap();
        script(root, report);
        let listener = UnixListener::bind(root.join("runner.sock")).unwrap();
        let (plugins, status) = Plugins::start(config(root));
        Self { folder, listener, plugins, status }
    }

    /// The agent ends and starts again on the same state.
    fn restart(&mut self) {
        let (plugins, status) = Plugins::start(config(self.folder.path()));
        self.plugins = plugins;
        self.status = status;
    }

    async fn runner(&self) -> Runner {
        let (stream, _) = self.listener.accept().await.unwrap();
        let mut runner = Runner { stream, decoder: Decoder::new(MAX_FRAME_BYTES) };
        runner.say(&FromRunner::Hello { version: VERSION, engine: ENGINE.into() }).await;
        runner
    }

    async fn state(&mut self, wanted: fn(&PluginState) -> bool) -> PluginStatus {
        let found = self.status.wait_for(|plugins| plugins.iter().any(|p| wanted(&p.state)));
        found.await.unwrap()[0].clone()
    }

    /// The one file of this kind in the cache.
    fn cached(&self, kind: &str) -> PathBuf {
        let cache = std::fs::read_dir(self.folder.path().join("state/plugins")).unwrap();
        let mut files = cache.flatten().map(|file| file.path());
        files.find(|path| path.extension().is_some_and(|extension| extension == kind)).unwrap()
    }

    fn compilations(&self) -> usize {
        std::fs::read_to_string(self.folder.path().join("calls")).unwrap_or_default().len()
    }

    fn job(&self, deadline_ms: u32) -> mpsc::Receiver<JobEvent> {
        let (sender, events) = mpsc::channel(8);
        let plugins = self.plugins.clone();
        let job = Job::Validate { format: "demo".into(), source: "s".into() };
        let request = JobRequest { deadline_ms, plugin: "demo".into(), job };
        tokio::spawn(async move { plugins.run(request, sender).await });
        events
    }
}

fn config(root: &Path) -> PluginsConfig {
    PluginsConfig {
        folder: root.join("plugins"),
        state: root.join("state"),
        compiler: root.join("compiler"),
        runner_socket: root.join("runner.sock"),
    }
}

impl Runner {
    async fn say(&mut self, message: &FromRunner) {
        self.stream.write_all(&encode(message, MAX_FRAME_BYTES).unwrap()).await.unwrap();
    }

    async fn hear(&mut self) -> ToRunner {
        let mut buffer = vec![0; 64 * 1024];
        loop {
            if let Some(message) = self.decoder.decode().unwrap() {
                return message;
            }
            let count = self.stream.read(&mut buffer).await.unwrap();
            assert!(count > 0, "the agent hung up");
            self.decoder.push(&buffer[..count]);
        }
    }

    /// Whatever was on its way would have come by now: the socket is in this very thread.
    async fn is_silent(&mut self) {
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
        assert_eq!(
            self.stream.try_read(&mut [0; 1]).unwrap_err().kind(),
            std::io::ErrorKind::WouldBlock
        );
    }

    /// The code as it came, once it is sealed; else what came in the place of the seal.
    async fn code(&mut self) -> Result<Vec<u8>, ToRunner> {
        let load = self.hear().await;
        assert!(matches!(load, ToRunner::Load { .. }), "{load:?}");
        let mut code = Vec::new();
        loop {
            match self.hear().await {
                ToRunner::Code { part, .. } => code.extend(part),
                ToRunner::Seal { .. } => return Ok(code),
                other => return Err(other),
            }
        }
    }

    async fn load(&mut self) {
        assert_eq!(self.code().await.unwrap(), CODE);
        self.say(&FromRunner::Loaded { plugin: plugin() }).await;
    }

    async fn call(&mut self) -> CallId {
        match self.hear().await {
            ToRunner::Call { call, .. } => call,
            other => panic!("{other:?}"),
        }
    }
}

fn plugin() -> PluginId {
    PluginId("demo".into())
}

fn is_ready(state: &PluginState) -> bool {
    *state == PluginState::Ready
}

fn kind(event: Option<JobEvent>) -> JobFailureKind {
    match event {
        Some(JobEvent::Failed(failure)) => failure.kind,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_component_is_compiled_once_and_ready_at_every_start_without_its_code() {
    let mut rig = Rig::with(&report(ENGINE));
    let runner = rig.runner().await;
    let status = rig.state(is_ready).await;
    assert_eq!((status.id.as_str(), status.hash.len()), ("demo", 64));
    drop(runner);
    rig.restart();
    let mut runner = rig.runner().await;
    rig.state(is_ready).await;
    assert_eq!(rig.compilations(), 1);
    runner.is_silent().await;
}

#[tokio::test]
async fn the_first_job_brings_the_code_and_the_next_finds_it_there() {
    let mut rig = Rig::with(&report(ENGINE));
    let mut runner = rig.runner().await;
    rig.state(is_ready).await;
    let mut first = rig.job(1_000);
    let mut second = rig.job(1_000);
    runner.load().await;
    for events in [&mut first, &mut second] {
        let call = runner.call().await;
        runner.say(&FromRunner::Event { call, event: Event::Done }).await;
        assert_eq!(events.recv().await, Some(JobEvent::Done));
    }
    let mut third = rig.job(1_000);
    let call = runner.call().await;
    runner.say(&FromRunner::Event { call, event: Event::Done }).await;
    assert_eq!(third.recv().await, Some(JobEvent::Done));
}

#[tokio::test]
async fn progress_that_a_plugin_reports_in_the_middle_of_a_step_reaches_its_job() {
    let mut rig = Rig::with(&report(ENGINE));
    let mut runner = rig.runner().await;
    rig.state(is_ready).await;
    let mut events = rig.job(10_000);
    runner.load().await;
    let call = runner.call().await;
    let ask =
        flyball_plugin_messages::Ask::Progress { done: 3, total: Some(9), note: "pages".into() };
    runner.say(&FromRunner::Ask { call, ask }).await;
    let answer = flyball_plugin_messages::Answer::Progress { go_on: true };
    assert_eq!(runner.hear().await, ToRunner::Answer { call, answer });
    let told = JobEvent::Progress { done: 3, total: Some(9), note: "pages".into() };
    assert_eq!(events.recv().await, Some(told));
}

#[tokio::test]
async fn a_plugin_that_nobody_calls_leaves_the_runner_and_comes_back_with_the_next_job() {
    let mut rig = Rig::with(&report(ENGINE));
    let mut runner = rig.runner().await;
    rig.state(is_ready).await;
    let mut events = rig.job(600_000);
    runner.load().await;
    let call = runner.call().await;
    tokio::time::pause();
    tokio::time::sleep(Duration::from_secs(300)).await;
    tokio::time::resume();
    runner.is_silent().await;
    runner.say(&FromRunner::Event { call, event: Event::Done }).await;
    assert_eq!(events.recv().await, Some(JobEvent::Done));
    tokio::time::pause();
    assert_eq!(runner.hear().await, ToRunner::Unload { plugin: plugin() });
    tokio::time::resume();
    assert!(is_ready(&rig.status.borrow()[0].state));
    let _events = rig.job(1_000);
    runner.load().await;
    runner.call().await;
}

#[tokio::test]
async fn damaged_code_is_compiled_anew_and_never_run_while_its_job_waits() {
    let mut rig = Rig::with(&report(ENGINE));
    let mut runner = rig.runner().await;
    rig.state(is_ready).await;
    let code = rig.cached("cwasm");
    let mut bytes = std::fs::read(&code).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    std::fs::write(&code, bytes).unwrap();
    let _events = rig.job(1_000);
    assert_eq!(runner.code().await, Err(ToRunner::Unload { plugin: plugin() }));
    runner.load().await;
    runner.call().await;
    assert_eq!(rig.compilations(), 2);
}

#[tokio::test]
async fn a_report_whose_mac_does_not_hold_is_made_anew_at_the_start() {
    let mut rig = Rig::with(&report(ENGINE));
    let runner = rig.runner().await;
    rig.state(is_ready).await;
    let mac = rig.cached("mac");
    let mut bytes = std::fs::read(&mac).unwrap();
    bytes[0] ^= 1;
    std::fs::write(&mac, bytes).unwrap();
    drop(runner);
    rig.restart();
    let _runner = rig.runner().await;
    rig.state(is_ready).await;
    assert_eq!(rig.compilations(), 2);
}

#[tokio::test]
async fn a_runner_that_restarts_is_loaded_again() {
    let mut rig = Rig::with(&report(ENGINE));
    let mut first = rig.runner().await;
    rig.state(is_ready).await;
    let _lost = rig.job(1_000);
    first.load().await;
    drop(first);
    let mut second = rig.runner().await;
    rig.state(is_ready).await;
    let mut events = rig.job(1_000);
    second.load().await;
    let call = second.call().await;
    second.say(&FromRunner::Event { call, event: Event::Done }).await;
    assert_eq!(events.recv().await, Some(JobEvent::Done));
}

#[tokio::test]
async fn a_job_whose_runner_dies_is_told_so_whether_it_runs_or_waits() {
    for loaded in [true, false] {
        let mut rig = Rig::with(&report(ENGINE));
        let mut runner = rig.runner().await;
        rig.state(is_ready).await;
        let mut events = rig.job(1_000);
        if loaded {
            runner.load().await;
            runner.call().await;
        } else {
            runner.hear().await;
        }
        drop(runner);
        assert_eq!(kind(events.recv().await), JobFailureKind::Unavailable);
    }
}

#[tokio::test]
async fn a_job_that_is_dropped_is_cancelled_at_the_runner() {
    let mut rig = Rig::with(&report(ENGINE));
    let mut runner = rig.runner().await;
    rig.state(is_ready).await;
    let plugins = rig.plugins.clone();
    let job = Job::Validate { format: "demo".into(), source: "s".into() };
    let request = JobRequest { deadline_ms: 60_000, plugin: "demo".into(), job };
    let (sender, _events) = mpsc::channel(8);
    let running = tokio::spawn(async move { plugins.run(request, sender).await });
    runner.load().await;
    let call = runner.call().await;
    running.abort();
    assert_eq!(runner.hear().await, ToRunner::Cancel { call });
}

#[tokio::test]
async fn a_job_that_is_dropped_before_its_code_is_there_never_reaches_the_runner() {
    let mut rig = Rig::with(&report(ENGINE));
    let mut runner = rig.runner().await;
    rig.state(is_ready).await;
    let plugins = rig.plugins.clone();
    let job = Job::Validate { format: "demo".into(), source: "s".into() };
    let request = JobRequest { deadline_ms: 60_000, plugin: "demo".into(), job };
    let (sender, _events) = mpsc::channel(8);
    let dropped = tokio::spawn(async move { plugins.run(request, sender).await });
    assert_eq!(runner.code().await.unwrap(), CODE);
    dropped.abort();
    runner.is_silent().await;
    runner.say(&FromRunner::Loaded { plugin: plugin() }).await;
    let mut events = rig.job(1_000);
    let call = runner.call().await;
    runner.say(&FromRunner::Event { call, event: Event::Done }).await;
    assert_eq!(events.recv().await, Some(JobEvent::Done));
}

#[tokio::test]
async fn code_that_the_runner_refuses_is_compiled_once_more_and_then_rejected() {
    let mut rig = Rig::with(&report(ENGINE));
    let mut runner = rig.runner().await;
    rig.state(is_ready).await;
    let mut events = rig.job(1_000);
    let refusal = FromRunner::NotLoaded { plugin: plugin(), reason: "processor".into() };
    for _ in 0..2 {
        runner.code().await.unwrap();
        runner.say(&refusal).await;
    }
    let status = rig.state(|state| matches!(state, PluginState::Rejected(_))).await;
    assert_eq!(status.state, PluginState::Rejected("processor".into()));
    assert_eq!(kind(events.recv().await), JobFailureKind::Unavailable);
    assert_eq!(rig.compilations(), 2);
}

#[tokio::test]
async fn a_plugin_that_is_removed_leaves_the_runner() {
    let mut rig = Rig::with(&report(ENGINE));
    let mut runner = rig.runner().await;
    rig.state(is_ready).await;
    let _events = rig.job(1_000);
    runner.load().await;
    runner.call().await;
    std::fs::remove_file(rig.folder.path().join("plugins/demo.wasm")).unwrap();
    tokio::time::pause();
    assert_eq!(runner.hear().await, ToRunner::Unload { plugin: plugin() });
    rig.status.wait_for(Vec::is_empty).await.unwrap();
}

#[tokio::test]
async fn code_for_another_engine_is_rejected_with_both_names() {
    let mut rig = Rig::with(&report("engine/2"));
    let _runner = rig.runner().await;
    let status = rig.state(|state| matches!(state, PluginState::Rejected(_))).await;
    let PluginState::Rejected(reason) = status.state else { panic!() };
    assert!(reason.contains("engine/2") && reason.contains(ENGINE), "{reason}");
}

#[tokio::test]
async fn a_plugin_that_is_not_there_is_unavailable_by_name() {
    let mut rig = Rig::with(&report(ENGINE));
    let _runner = rig.runner().await;
    rig.state(is_ready).await;
    let (sender, mut events) = mpsc::channel(8);
    let job = Job::Validate { format: "x".into(), source: "s".into() };
    let request = JobRequest { deadline_ms: 10, plugin: "x".into(), job };
    rig.plugins.run(request, sender).await;
    let Some(JobEvent::Failed(failure)) = events.recv().await else { panic!() };
    assert_eq!(failure.kind, JobFailureKind::Unavailable);
    assert!(failure.message.contains("`x`"), "{}", failure.message);
}

#[tokio::test]
async fn an_agent_without_plugins_refuses_jobs() {
    let (plugins, _) = Plugins::none();
    let (sender, mut events) = mpsc::channel(8);
    let job = Job::Validate { format: "x".into(), source: "s".into() };
    plugins.run(JobRequest { deadline_ms: 10, plugin: "x".into(), job }, sender).await;
    assert_eq!(kind(events.recv().await), JobFailureKind::Unavailable);
}
