//! The runner as a program: real processes, real sockets, a guest that misbehaves.

#![expect(clippy::unwrap_used, reason = "a test panics where it fails")]

use flyball_plugin_host::compile::compile;
use flyball_plugin_messages::frame::{CODE_PART_BYTES, Decoder, MAX_FRAME_BYTES, encode};
use flyball_plugin_messages::{
    CallId, Context, Event, Failure, FailureKind, FromRunner, PluginId, Render, Report, Request,
    ToRunner, VERSION, World,
};
use std::io::{Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::sync::OnceLock;
use std::time::Duration;

struct Runner {
    process: Child,
    socket: PathBuf,
    _folder: tempfile::TempDir,
}

impl Runner {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("runner.sock");
        let process = Command::new(env!("CARGO_BIN_EXE_flyball-runner"))
            .args(["run", "--socket"])
            .arg(&socket)
            .spawn()
            .unwrap();
        Self { process, socket, _folder: folder }
    }

    fn connect(&self) -> Agent {
        for _ in 0..1_000 {
            if let Ok(stream) = UnixStream::connect(&self.socket) {
                stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
                let mut agent = Agent { stream, decoder: Decoder::new(MAX_FRAME_BYTES) };
                let hello = agent.receive();
                assert!(matches!(&hello, FromRunner::Hello { version: VERSION, .. }), "{hello:?}");
                return agent;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        panic!("the runner does not listen");
    }

    /// The processes of its plugins.
    fn children(&self) -> Vec<u32> {
        let pid = self.process.id();
        let listed = std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap();
        listed.split_whitespace().map(|pid| pid.parse().unwrap()).collect()
    }
}

impl Drop for Runner {
    fn drop(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

struct Agent {
    stream: UnixStream,
    decoder: Decoder,
}

impl Agent {
    fn send(&mut self, message: &ToRunner) {
        self.stream.write_all(&encode(message, MAX_FRAME_BYTES).unwrap()).unwrap();
    }

    fn receive(&mut self) -> FromRunner {
        let mut buffer = [0; 64 * 1024];
        loop {
            if let Some(message) = self.decoder.decode().unwrap() {
                return message;
            }
            let count = self.stream.read(&mut buffer).unwrap();
            assert!(count > 0, "the runner hung up");
            self.decoder.push(&buffer[..count]);
        }
    }

    fn hand_over(&mut self, code: &[u8]) {
        self.send(&ToRunner::Load { plugin: plugin(), world: World::Renderer });
        for part in code.chunks(CODE_PART_BYTES) {
            self.send(&ToRunner::Code { plugin: plugin(), part: part.to_vec() });
        }
    }

    fn load(&mut self) {
        self.hand_over(code());
        self.send(&ToRunner::Seal { plugin: plugin() });
        assert_eq!(self.receive(), FromRunner::Loaded { plugin: plugin() });
    }

    fn call(&mut self, id: u64, source: &str, deadline_ms: u32) {
        let request = Request::Render(Render {
            format: "misbehave".into(),
            source: source.into(),
            width: None,
            height: None,
            options: Vec::new(),
        });
        let (call, context) = (CallId(id), Context::default());
        self.send(&ToRunner::Call { call, plugin: plugin(), deadline_ms, context, request });
    }

    fn failure(&mut self, id: u64) -> Failure {
        loop {
            match self.receive() {
                FromRunner::Event { call, event: Event::Failed(failure) } if call.0 == id => {
                    return failure;
                }
                FromRunner::Event { event: Event::Log { .. }, .. } | FromRunner::Cost { .. } => {}
                other => panic!("{other:?}"),
            }
        }
    }

    fn renders(&mut self, id: u64, source: &str) {
        self.call(id, source, 30_000);
        let image = self.receive();
        assert!(
            matches!(&image, FromRunner::Event { call, event: Event::Image(image) }
                if call.0 == id && image.data == source.as_bytes()),
            "{image:?}"
        );
        let cost = self.receive();
        assert!(
            matches!(&cost, FromRunner::Cost { call, memory_bytes }
                if call.0 == id && *memory_bytes >= 64 * 1024),
            "{cost:?}"
        );
        assert_eq!(self.receive(), FromRunner::Event { call: CallId(id), event: Event::Done });
    }
}

fn plugin() -> PluginId {
    PluginId("misbehaving".into())
}

fn code() -> &'static [u8] {
    static CODE: OnceLock<Vec<u8>> = OnceLock::new();
    CODE.get_or_init(|| {
        let folder = std::env::var_os("FLYBALL_GUESTS").map_or_else(
            || {
                let home = std::env::var_os("HOME").unwrap_or_default();
                Path::new(&home).join(".cache/flyball/guests/wasm32-unknown-unknown/release")
            },
            PathBuf::from,
        );
        let path = folder.join("misbehaving.wasm");
        let component = std::fs::read(&path).unwrap_or_else(|error| {
            panic!("{}: {error}; `cargo xtask test` builds the guests first", path.display())
        });
        match compile(&component) {
            (Report::Compiled { .. }, code) => code,
            (Report::Rejected(fault), _) => panic!("{fault}"),
        }
    })
}

#[test]
fn attacks_end_at_their_limits_and_the_plugin_goes_on() {
    let runner = Runner::start();
    let mut agent = runner.connect();
    agent.load();
    let before = runner.children();
    for (id, (attack, kind)) in [
        ("spin", FailureKind::Limit),
        ("eat", FailureKind::Limit),
        ("recurse", FailureKind::Limit),
        ("log", FailureKind::Limit),
        ("large-output", FailureKind::Limit),
        ("panic", FailureKind::Trapped),
    ]
    .into_iter()
    .enumerate()
    {
        let id = id as u64 * 2;
        agent.call(id, attack, 1_000);
        let failure = agent.failure(id);
        assert_eq!(failure.kind, kind, "{attack}: {}", failure.message);
        agent.renders(id + 1, "still here");
    }
    assert_eq!(runner.children(), before, "no attack cost the plugin its process");
}

#[test]
fn a_plugin_that_is_killed_fails_its_call_and_comes_back() {
    let runner = Runner::start();
    let mut agent = runner.connect();
    agent.load();
    agent.call(1, "spin", 60_000);
    let [pid] = runner.children()[..] else { panic!("one plugin, one process") };
    let pid = rustix::process::Pid::from_raw(i32::try_from(pid).unwrap()).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
    let failure = agent.failure(1);
    assert_eq!(failure.kind, FailureKind::Trapped);
    assert!(failure.message.contains("signal 9"), "{}", failure.message);
    agent.renders(2, "back again");
}

#[test]
fn a_cancelled_call_ends_at_once_and_says_nothing_more() {
    let runner = Runner::start();
    let mut agent = runner.connect();
    agent.load();
    agent.call(1, "spin", 60_000);
    agent.send(&ToRunner::Cancel { call: CallId(1) });
    agent.renders(2, "next");
}

#[test]
fn a_plugin_that_breaks_five_times_in_a_row_is_quarantined() {
    let runner = Runner::start();
    let mut agent = runner.connect();
    agent.load();
    for id in 0..5 {
        agent.call(id, "panic", 10_000);
        assert_eq!(agent.failure(id).kind, FailureKind::Trapped);
    }
    let told = agent.receive();
    assert!(
        matches!(&told, FromRunner::Quarantined { reason, .. } if reason.contains("asked to")),
        "{told:?}"
    );
    agent.call(9, "hello", 1_000);
    let refused = agent.failure(9);
    assert_eq!(refused.kind, FailureKind::Unavailable);
    assert!(refused.message.contains("quarantined"), "{}", refused.message);
    assert_eq!(runner.children(), [], "nothing of it runs meanwhile");
}

#[test]
fn code_that_is_none_is_refused_and_the_runner_lives() {
    let runner = Runner::start();
    let mut agent = runner.connect();
    agent.hand_over(b"not compiled");
    agent.send(&ToRunner::Seal { plugin: plugin() });
    let refused = agent.receive();
    assert!(matches!(&refused, FromRunner::NotLoaded { .. }), "{refused:?}");
    agent.load();
    agent.renders(1, "hello");
}

#[test]
fn code_runs_when_it_is_sealed_and_its_process_goes_when_it_is_unloaded() {
    let runner = Runner::start();
    let mut agent = runner.connect();
    agent.hand_over(code());
    agent.call(1, "hello", 1_000);
    assert_eq!(agent.failure(1).kind, FailureKind::Unavailable);
    assert_eq!(runner.children(), [], "nothing runs before its seal");
    agent.load();
    agent.renders(2, "hello");
    assert_eq!(runner.children().len(), 1);
    agent.send(&ToRunner::Unload { plugin: plugin() });
    agent.call(3, "hello", 1_000);
    assert_eq!(agent.failure(3).kind, FailureKind::Unavailable);
    assert_eq!(runner.children(), []);
    agent.send(&ToRunner::Seal { plugin: plugin() });
    let refused = agent.receive();
    assert!(matches!(&refused, FromRunner::NotLoaded { .. }), "{refused:?}");
    agent.load();
    agent.renders(4, "again");
}

#[test]
fn a_new_agent_takes_the_place_of_the_old_and_finds_nothing_loaded() {
    let runner = Runner::start();
    let mut old = runner.connect();
    old.load();
    let mut new = runner.connect();
    new.call(1, "hello", 1_000);
    assert_eq!(new.failure(1).kind, FailureKind::Unavailable);
    assert_eq!(old.stream.read(&mut [0; 1]).unwrap(), 0, "the old one is hung up on");
    new.load();
    new.renders(2, "hello");
}

#[test]
fn an_agent_that_talks_nonsense_is_hung_up_on_and_the_next_is_served() {
    let runner = Runner::start();
    let mut agent = runner.connect();
    agent.stream.write_all(&u32::MAX.to_le_bytes()).unwrap();
    assert_eq!(agent.stream.read(&mut [0; 1]).unwrap(), 0);
    runner.connect().load();
}

#[test]
fn the_process_of_a_plugin_is_confined() {
    let runner = Runner::start();
    let mut agent = runner.connect();
    agent.load();
    let [pid] = runner.children()[..] else { panic!("one plugin, one process") };
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let field = |name: &str| {
        let line = status.lines().find(|line| line.starts_with(name)).unwrap();
        line.split_whitespace().nth(1).unwrap().to_owned()
    };
    assert_eq!((field("NoNewPrivs:").as_str(), field("Seccomp:").as_str()), ("1", "2"));
    let limits = std::fs::read_to_string(format!("/proc/{pid}/limits")).unwrap();
    let data = limits.lines().find(|line| line.starts_with("Max data size")).unwrap();
    assert!(!data.contains("unlimited"), "{data}");
}
