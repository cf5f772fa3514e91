//! A guard process over a simulated board, in one line.

use super::agent::Agent;
use flyball_command::{
    Action, Command, CommandKey, DeviceId, OperationId, Origin, SignedCommand, Verdict,
};
use flyball_harness::Rig;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command as Process, Stdio};
use std::time::{Duration, Instant};
use uuid::Uuid;

pub(crate) const GUARD: &str = env!("CARGO_BIN_EXE_flyball-guard");
pub(crate) const DEVICE: DeviceId = DeviceId(Uuid::from_u128(0x0f1b));

/// How long anything may take before the test calls it failed.
const PATIENCE: Duration = Duration::from_secs(60);

/// A board, a state folder, and the guard between them.
pub(crate) struct Guarded {
    pub(crate) board: Option<Rig>,
    root: PathBuf,
    folder: tempfile::TempDir,
    policy: Option<String>,
    child: Option<Child>,
    counter: u64,
    /// What the guard finds in its environment besides.
    pub(crate) environment: Vec<(&'static str, String)>,
    /// A program with its arguments that runs the guard.
    pub(crate) runner: Vec<String>,
}

impl Guarded {
    /// A simulated board whose time runs `speed` times as fast, guarded by its own thresholds.
    pub(crate) fn board(speed: f64) -> Self {
        Self::start(Some(Rig::start(1, speed).unwrap()), |_| None)
    }

    pub(crate) fn board_with_policy(speed: f64, policy: &str) -> Self {
        Self::start(Some(Rig::start(1, speed).unwrap()), |_| Some(policy.to_owned()))
    }

    /// A board whose policy names files in the folder that it is given.
    pub(crate) fn board_with_files(speed: f64, policy: impl Fn(&Path) -> String) -> Self {
        Self::start(Some(Rig::start(1, speed).unwrap()), |folder| Some(policy(folder)))
    }

    /// A machine whose tree is what `lay_out` makes of it, with the folder of everything else
    /// around it.
    pub(crate) fn tree(lay_out: impl Fn(&Path)) -> Self {
        Self::start(None, |folder| {
            lay_out(folder);
            None
        })
    }

    /// The same with a policy, not running yet.
    pub(crate) fn laid_out(policy: &str, lay_out: impl Fn(&Path)) -> Self {
        Self::prepare(None, |folder| {
            lay_out(folder);
            Some(policy.to_owned())
        })
    }

    /// A machine without any hardware that could be read.
    pub(crate) fn bare() -> Self {
        Self::start(None, |_| None)
    }

    fn start(board: Option<Rig>, policy: impl Fn(&Path) -> Option<String>) -> Self {
        let mut guarded = Self::prepare(board, policy);
        guarded.run();
        guarded
    }

    fn prepare(board: Option<Rig>, policy: impl Fn(&Path) -> Option<String>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let policy = policy(folder.path());
        let root = board.as_ref().map_or(folder.path().join("sys"), |rig| rig.root().into());
        let guarded = Self {
            board,
            root,
            folder,
            policy,
            child: None,
            counter: 0,
            environment: Vec::new(),
            runner: Vec::new(),
        };
        guarded.pin();
        guarded
    }

    fn pin(&self) {
        let pin = self.path("pin.toml");
        let key = organization().public().to_hex();
        fs::write(&pin, format!("device = \"{DEVICE}\"\ncommand_key = \"{key}\"\n")).unwrap();
        fs::set_permissions(&pin, fs::Permissions::from_mode(0o600)).unwrap();
    }

    pub(crate) fn run(&mut self) {
        self.run_with(&[]);
    }

    /// Runs it with further words of the command line.
    pub(crate) fn run_with(&mut self, words: &[&str]) {
        self.spawn_with(words);
        wait_for("the guard's status", || self.try_status().is_some());
    }

    /// Starts it without waiting for its status.
    pub(crate) fn spawn_with(&mut self, further: &[&str]) {
        let log = fs::OpenOptions::new().append(true).create(true).open(self.path("log")).unwrap();
        let mut words = self.runner.iter().map(String::as_str).chain([GUARD]);
        let mut process = Process::new(words.next().unwrap());
        process
            .args(words)
            .envs(self.environment.iter().map(|(key, value)| (*key, value)))
            .arg("run")
            .arg("--socket")
            .arg(self.socket())
            .arg("--state")
            .arg(self.path("state"));
        process.args(further);
        // Nothing of the machine that the test runs on.
        process.arg("--procfs-root").arg(self.path("proc"));
        process.arg("--sysfs-root").arg(&self.root).arg("--pin").arg(self.path("pin.toml"));
        if let Some(policy) = &self.policy {
            fs::write(self.path("policy.toml"), policy).unwrap();
            process.arg("--policy").arg(self.path("policy.toml"));
        }
        if self.path("equipment.toml").exists() {
            let driver = Path::new(GUARD).with_file_name("flyball-driver");
            assert!(driver.exists(), "build it first: cargo build --package flyball-drivers");
            process.arg("--equipment").arg(self.path("equipment.toml")).arg("--driver").arg(driver);
        }
        self.child = Some(process.stderr(log).stdout(Stdio::null()).spawn().unwrap());
    }

    pub(crate) fn pid(&self) -> Pid {
        let pid = self.child.as_ref().unwrap().id();
        Pid::from_raw(i32::try_from(pid).unwrap()).unwrap()
    }

    /// True once it has ended by itself.
    pub(crate) fn has_ended(&mut self) -> bool {
        let ended = self.child.as_mut().is_none_or(|child| child.try_wait().unwrap().is_some());
        if ended {
            self.child = None;
        }
        ended
    }

    pub(crate) fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            if !self.runner.is_empty() {
                end_children(child.id());
            }
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    /// SIGTERM, and the wait for its end.
    pub(crate) fn stop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let pid = Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap();
            kill_process(pid, Signal::TERM).unwrap();
            assert!(child.wait().unwrap().success());
        }
    }

    #[expect(clippy::disallowed_methods, reason = "commands end by the wall clock")]
    pub(crate) fn wall_ms(&self) -> u64 {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        u64::try_from(since.unwrap().as_millis()).unwrap()
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn socket(&self) -> PathBuf {
        self.path("guard.sock")
    }

    /// What a command of the guard's program prints, and whether it succeeded.
    pub(crate) fn ask(&self, arguments: &[&str]) -> (bool, String) {
        let output = Process::new(GUARD).args(arguments).output().unwrap();
        let said = [output.stdout, output.stderr].concat();
        (output.status.success(), String::from_utf8_lossy(&said).into_owned())
    }

    /// Signs an action, proposes it, and gives back the answer with its operation.
    pub(crate) fn propose(&mut self, agent: &mut Agent, action: Action) -> (OperationId, Verdict) {
        let (operation, command) = self.signed(&organization(), action);
        (operation, agent.propose(operation, command))
    }

    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.path("log")).unwrap()
    }

    pub(crate) fn agent(&self) -> Agent {
        Agent::attach(&self.socket(), None, 0)
    }

    pub(crate) fn status(&self) -> Value {
        self.try_status().unwrap()
    }

    pub(crate) fn try_status(&self) -> Option<Value> {
        let mut process = Process::new(GUARD);
        let output =
            process.arg("status").arg("--json").arg("--socket").arg(self.socket()).output();
        serde_json::from_slice(&output.unwrap().stdout).ok()
    }

    /// The state of the limit whose name ends so.
    pub(crate) fn limit(&self, name: &str) -> Value {
        let status = self.status();
        let limits = status["inventory"]["limits"].as_array().unwrap();
        let found = limits.iter().find(|limit| limit["name"].as_str().unwrap().ends_with(name));
        found.unwrap_or_else(|| panic!("no {name} in {limits:#?}")).clone()
    }

    pub(crate) fn limit_state(&self, name: &str) -> String {
        self.limit(name)["state"].as_str().unwrap().to_owned()
    }

    pub(crate) fn settle(&self) {
        wait_for("all limits to be normal", || {
            let status = self.status();
            let limits = status["inventory"]["limits"].as_array().unwrap();
            limits.iter().all(|limit| limit["state"] == "Normal")
        });
    }

    pub(crate) fn order(&self, order: Value) {
        let answer = self.board.as_ref().unwrap().order(&order);
        assert!(answer.get("error").is_none(), "{answer}");
    }

    pub(crate) fn seize_all_fans(&self) {
        for fan in 1..=self.truth()["fans"].as_array().unwrap().len() {
            self.order(json!({ "fault": "fan_seized", "target": format!("fan{fan}") }));
        }
    }

    pub(crate) fn truth(&self) -> Value {
        self.board.as_ref().unwrap().state()
    }

    pub(crate) fn file(&self, path: &str) -> String {
        read(&self.sysfs(path))
    }

    /// A file of the machine's tree.
    pub(crate) fn sysfs(&self, path: &str) -> PathBuf {
        self.root.join(path)
    }

    /// Shows `text` in a file of the machine's tree, as a driver would.
    pub(crate) fn show(&self, path: &str, text: &str) {
        fs::write(self.sysfs(path), format!("{text}\n")).unwrap();
    }

    /// A command as the aggregator would sign it.
    pub(crate) fn signed(
        &mut self,
        key: &CommandKey,
        action: Action,
    ) -> (OperationId, SignedCommand) {
        self.signed_as(key, |command| command.action = action)
    }

    /// A command with something in it that is not as it should be.
    pub(crate) fn signed_as(
        &mut self,
        key: &CommandKey,
        change: impl FnOnce(&mut Command),
    ) -> (OperationId, SignedCommand) {
        self.counter += 1;
        let operation = OperationId(Uuid::from_u128(u128::from(self.counter)));
        let mut command = Command {
            device: DEVICE,
            operation,
            counter: self.counter,
            not_after_ms: u64::MAX,
            action: Action::ClearPowerCap { actuator: None },
            issuer: "operator@example.org".into(),
            origin: Origin::Remote,
            until_ms: None,
        };
        change(&mut command);
        (operation, key.sign(&command).unwrap())
    }
}

impl Drop for Guarded {
    fn drop(&mut self) {
        self.kill();
        if std::thread::panicking() {
            eprintln!("--- the guard's log\n{}", self.log());
        }
    }
}

/// The guard lives on where its runner alone is killed.
fn end_children(runner: u32) {
    let children = fs::read_to_string(format!("/proc/{runner}/task/{runner}/children"));
    for pid in children.unwrap_or_default().split_whitespace() {
        // It may have ended by itself in this moment.
        let _ = kill_process(Pid::from_raw(pid.parse().unwrap()).unwrap(), Signal::KILL);
    }
}

pub(crate) fn organization() -> CommandKey {
    CommandKey::from_bytes(&[7; 32])
}

pub(crate) fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap().trim().to_owned()
}

#[expect(clippy::disallowed_methods, reason = "a real process takes real time")]
pub(crate) fn wait_for(what: &str, mut done: impl FnMut() -> bool) {
    let until = Instant::now() + PATIENCE;
    while !done() {
        assert!(Instant::now() < until, "waited in vain for {what}");
        std::thread::sleep(Duration::from_millis(40));
    }
}
