//! Foreign code in children of this program: one compiles and is gone, one answers calls.
//!
//! Both are confined as the agent's own compiler and runner are, so what passes here passes
//! there. Every wait has an end.

pub(crate) mod child;

use crate::case::Case;
use crate::case::script::Line;
use anyhow::{Context as _, Result, bail};
use child::{FromChild, ToChild};
use flyball_plugin_messages::frame::{
    Decoder, MAX_CODE_BYTES, MAX_FRAME_BYTES, MAX_REPORT_BYTES, encode,
};
use flyball_plugin_messages::{Event, Manifest, Report, Request, World};
use std::io::{Read as _, Write as _};
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::time::Duration;
use tempfile::NamedTempFile;

/// The compiler has a minute of processor time; on a busy machine that is more of ours.
const COMPILE_PATIENCE: Duration = Duration::from_secs(300);
/// Starting a child and loading its code.
const START_PATIENCE: Duration = Duration::from_secs(30);
/// On top of a call's own deadline.
const CALL_PATIENCE: Duration = Duration::from_secs(10);

/// Is the work counted? A counting engine is a little slower and is not what production runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Meter {
    Off,
    Fuel,
}

impl Meter {
    const fn argument(self) -> Option<&'static str> {
        match self {
            Self::Off => None,
            Self::Fuel => Some("--counting"),
        }
    }
}

/// What the compiler made of a component.
#[derive(Debug)]
pub(crate) struct Compiled {
    pub(crate) manifest: Manifest,
    pub(crate) world: World,
    meter: Meter,
    code: NamedTempFile,
}

/// Compiles in a child and asks the plugin what it is.
pub(crate) fn compile(component: &[u8], meter: Meter) -> Result<Compiled> {
    let mut input = NamedTempFile::with_prefix("flyball-").context("no temporary file")?;
    input.write_all(component).context("a temporary file can't be written")?;
    let mut command = this("compile")?;
    command.arg("--component").arg(input.path()).args(meter.argument()).stdin(Stdio::null());
    let mut child = Guarded::start(&mut command)?;
    let mut out = child.output()?;
    let (sender, output) = sync_channel(1);
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        let bound = MAX_CODE_BYTES + MAX_REPORT_BYTES as u64 + 4;
        let read = out.by_ref().take(bound).read_to_end(&mut bytes).map(|_| bytes);
        // Nobody waits any more where this fails.
        let _gone = sender.send(read);
    });
    let bytes = match output.recv_timeout(COMPILE_PATIENCE) {
        Ok(bytes) => bytes.context("the compiler's output can't be read")?,
        Err(_) => bail!("the compiler did not end within {} s", COMPILE_PATIENCE.as_secs()),
    };
    let status = child.wait()?;
    if !status.success() {
        bail!("the component can't be compiled within the compiler's limits: {}", end(status));
    }
    compiled(&bytes, meter)
}

fn compiled(bytes: &[u8], meter: Meter) -> Result<Compiled> {
    let mut decoder = Decoder::new(MAX_REPORT_BYTES);
    decoder.push(&bytes[..bytes.len().min(MAX_REPORT_BYTES + 4)]);
    let report = decoder.decode::<Report>().context("the compiler can't be understood")?;
    match report.context("the compiler said nothing")? {
        Report::Rejected(fault) => bail!("{fault}"),
        Report::Compiled { manifest, world, code_bytes, .. } => {
            let start = usize::try_from(code_bytes).ok().and_then(|n| bytes.len().checked_sub(n));
            let start = start.context("the compiler's code is cut off")?;
            let mut code = NamedTempFile::with_prefix("flyball-").context("no temporary file")?;
            code.write_all(&bytes[start..]).context("a temporary file can't be written")?;
            Ok(Compiled { manifest, world, meter, code })
        }
    }
}

/// One call, from outside.
#[derive(Debug)]
pub(crate) struct Outcome {
    /// The last is `Done` or `Failed`.
    pub(crate) events: Vec<Event>,
    /// What it asked of the agent.
    pub(crate) asked: Vec<String>,
    pub(crate) time: Duration,
    pub(crate) memory_bytes: u64,
    /// `None` where nothing is counted.
    pub(crate) fuel: Option<u64>,
    /// Lines of the script that were not asked for.
    left: usize,
}

/// A plugin's confined process.
#[derive(Debug)]
pub(crate) struct Session {
    child: Guarded,
    calls: ChildStdin,
    answers: Receiver<Result<FromChild>>,
}

impl Session {
    pub(crate) fn start(compiled: &Compiled) -> Result<Self> {
        let mut command = this("call")?;
        let world = match compiled.world {
            World::Renderer => "renderer",
            World::Importer => "importer",
            World::Collector => "collector",
        };
        command.arg("--code").arg(compiled.code.path()).args(["--world", world]);
        command.args(compiled.meter.argument()).stdin(Stdio::piped());
        let mut child = Guarded::start(&mut command)?;
        let calls = child.0.stdin.take().context("the child has no input")?;
        let answers = answers(child.output()?);
        let mut session = Self { child, calls, answers };
        match session.receive(START_PATIENCE)? {
            FromChild::Ready => Ok(session),
            FromChild::NotLoaded(reason) => bail!("the compiled code does not load: {reason}"),
            FromChild::Event(_) | FromChild::Asked(_) | FromChild::Ended { .. } => {
                bail!("the child is out of order")
            }
        }
    }

    /// A case's calls. What the last one gave back; what all of them asked for.
    pub(crate) fn run(&mut self, case: &Case) -> Result<Outcome> {
        let mut asked = Vec::new();
        let mut script = &case.script[..];
        for _ in 1..case.times {
            let outcome = self.call(&case.request, case, script)?;
            asked.extend(outcome.asked);
            script = &script[script.len().saturating_sub(outcome.left)..];
        }
        let mut outcome = self.call(&case.request, case, script)?;
        asked.append(&mut outcome.asked);
        Ok(Outcome { asked, ..outcome })
    }

    /// One call with the case's circumstances.
    pub(crate) fn call(
        &mut self,
        request: &Request,
        case: &Case,
        script: &[Line],
    ) -> Result<Outcome> {
        let deadline_ms = case.deadline_ms;
        let (request, context, script) = (request.clone(), case.context.clone(), script.to_vec());
        let call = ToChild { deadline_ms, request, context, script };
        let frame = encode(&call, MAX_FRAME_BYTES).context("the request is too large")?;
        self.calls.write_all(&frame).context("the plugin's process does not listen")?;
        let patience = Duration::from_millis(deadline_ms.into()) + CALL_PATIENCE;
        let (mut events, mut asked) = (Vec::new(), Vec::new());
        loop {
            match self.receive(patience)? {
                FromChild::Event(event) => events.push(event),
                FromChild::Asked(what) => asked.push(what),
                FromChild::Ended { time_us, memory_bytes, fuel, left } => {
                    let time = Duration::from_micros(time_us);
                    return Ok(Outcome { events, asked, time, memory_bytes, fuel, left });
                }
                FromChild::Ready | FromChild::NotLoaded(_) => bail!("the child is out of order"),
            }
        }
    }

    fn receive(&mut self, patience: Duration) -> Result<FromChild> {
        match self.answers.recv_timeout(patience) {
            Ok(answer) => answer,
            Err(RecvTimeoutError::Timeout) => {
                bail!("the plugin's process did not answer within {} s", patience.as_secs())
            }
            Err(RecvTimeoutError::Disconnected) => {
                bail!("the plugin's process has ended: {}", end(self.child.wait()?))
            }
        }
    }
}

/// Reads frames as they come; ends with the stream.
fn answers(mut out: ChildStdout) -> Receiver<Result<FromChild>> {
    let (sender, answers) = sync_channel(64);
    std::thread::spawn(move || {
        let mut decoder = Decoder::new(MAX_FRAME_BYTES);
        let mut buffer = [0; 64 * 1024];
        loop {
            let message = match decoder.decode() {
                Ok(Some(message)) => Ok(message),
                Ok(None) => match out.read(&mut buffer) {
                    Ok(0) => return,
                    Ok(count) => {
                        decoder.push(&buffer[..count]);
                        continue;
                    }
                    Err(error) => Err(error.into()),
                },
                Err(error) => Err(error.into()),
            };
            let last = message.is_err();
            if sender.send(message).is_err() || last {
                return;
            }
        }
    });
    answers
}

/// This program again, as one of its children.
fn this(word: &str) -> Result<Command> {
    let program = Path::new("/proc/self/exe");
    let program = program.canonicalize().context("this program does not find itself")?;
    let mut command = Command::new(program);
    command.args(["child", word]).stdout(Stdio::piped());
    Ok(command)
}

/// Ends its process when it goes.
#[derive(Debug)]
struct Guarded(Child);

impl Guarded {
    fn start(command: &mut Command) -> Result<Self> {
        Ok(Self(command.spawn().context("a confined process can't be started")?))
    }

    fn output(&mut self) -> Result<ChildStdout> {
        self.0.stdout.take().context("the child has no output")
    }

    fn wait(&mut self) -> Result<ExitStatus> {
        self.0.wait().context("the child can't be waited for")
    }
}

impl Drop for Guarded {
    fn drop(&mut self) {
        // It has ended already where this fails.
        let _ended = self.0.kill();
        let _status = self.0.wait();
    }
}

/// Linux's numbers.
const SIGABRT: i32 = 6;
const SIGKILL: i32 = 9;
const SIGXCPU: i32 = 24;
const SIGSYS: i32 = 31;

fn end(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (_, Some(SIGABRT)) => "it gave up, as where its memory ends".into(),
        (_, Some(SIGKILL | SIGXCPU)) => {
            "it was killed, as a compiler is after its minute of processor time".into()
        }
        (_, Some(SIGSYS)) => "it made a system call that it may not".into(),
        (_, Some(signal)) => format!("it was ended by signal {signal}"),
        (Some(code), None) => format!("it ended with code {code}"),
        (None, None) => "it ended in an unknown way".into(),
    }
}
