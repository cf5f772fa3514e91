//! The conversation with the guard: this thread hears, the others speak.

use crate::clock::Clock;
use crate::driver::Deadline;
use crate::reader::Reader;
use crate::worker::{self, Order, Task};
use crate::{drivers, limits};
use flyball_driver_messages::{
    Configuration, Decoder, DeedError, DeedFault, FrameError, FromDriver, MAX_DEEDS, ToDriver,
    VERSION, encode,
};
use std::io::{self, Read, Write};
use std::process;
use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

/// How long the equipment may take to hear that the driver leaves.
const FAREWELL: Duration = Duration::from_secs(1);
/// No look comes more often, whatever is configured.
const SHORTEST_POLL: Duration = Duration::from_millis(100);
const BUFFER_BYTES: usize = 16 * 1024;

#[derive(Debug, thiserror::Error)]
pub(crate) enum SessionError {
    #[error("the guard cannot be heard")]
    Read(#[source] io::Error),
    #[error("the guard's words cannot be understood")]
    Frame(#[source] FrameError),
    #[error("the guard speaks version {0}, this driver speaks {VERSION}; install one package")]
    Version(u8),
    #[error("the guard's first word is no configuration, or a later one is")]
    OutOfTurn,
    #[error("the configuration cannot work: {0}")]
    Misconfigured(String),
    #[error("a thread cannot be started")]
    Thread(#[source] io::Error),
    #[error("the guard does not listen any more")]
    Gone(#[source] Gone),
}

/// The other end is not there.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("the other end has closed")]
pub(crate) struct Gone;

/// Where the threads speak to the guard. Behind a lock, because a frame must be written whole
/// and two threads write.
#[derive(Clone)]
pub(crate) struct Outlet(Arc<Mutex<dyn Write + Send>>);

impl Outlet {
    pub(crate) fn new(output: impl Write + Send + 'static) -> Self {
        Self(Arc::new(Mutex::new(output)))
    }

    pub(crate) fn send(&self, message: &FromDriver) -> Result<(), Gone> {
        // What is too long for a frame is a fault of the driver itself: the guard restarts it.
        let frame = encode(message).map_err(|_| Gone)?;
        let mut output = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        output.write_all(&frame).and_then(|()| output.flush()).map_err(|_| Gone)
    }
}

/// Speaks with the guard until it ends the conversation.
///
/// # Errors
/// Where the conversation can't begin or breaks.
pub(crate) fn run(
    input: impl Read,
    output: impl Write + Send + 'static,
) -> Result<(), SessionError> {
    let clock = Clock::start();
    let outlet = Outlet::new(output);
    outlet.send(&FromDriver::Hello { version: VERSION }).map_err(SessionError::Gone)?;
    let mut inlet = Inlet::new(input);
    let configuration = match inlet.next()? {
        Some(ToDriver::Configure { version, .. }) if version != VERSION => {
            return Err(SessionError::Version(version));
        }
        Some(ToDriver::Configure { configuration, .. }) => *configuration,
        Some(ToDriver::Stop) | None => return Ok(()),
        Some(ToDriver::Act { .. }) => return Err(SessionError::OutOfTurn),
    };
    limits::apply(configuration.driver);
    let tasks = start(configuration, clock, &outlet)?;
    while let Some(message) = inlet.next()? {
        match message {
            ToDriver::Configure { .. } => return Err(SessionError::OutOfTurn),
            ToDriver::Stop => break,
            ToDriver::Act { request, actuator, deed, deadline_ms } => {
                let time = Duration::from_millis(u64::from(deadline_ms));
                let deadline = Deadline::after(clock, time);
                hand_over(&tasks, &outlet, Order { request, actuator, deed, deadline })?;
            }
        }
    }
    leave(&tasks);
    Ok(())
}

/// Starts the threads that look and act; the process ends with either of them.
fn start(
    configuration: Configuration,
    clock: Clock,
    outlet: &Outlet,
) -> Result<SyncSender<Task>, SessionError> {
    let poll = Duration::from_millis(u64::from(configuration.poll_ms)).max(SHORTEST_POLL);
    let driver = match drivers::open(&configuration, clock) {
        Ok(driver) => driver,
        Err(fault) => {
            let message = fault.message.clone();
            outlet.send(&FromDriver::Fault { fault, retry_ms: 0 }).map_err(SessionError::Gone)?;
            return Err(SessionError::Misconfigured(message));
        }
    };
    let (tasks, queue) = sync_channel(MAX_DEEDS);
    let mouth = outlet.clone();
    spawn("act", move || worker::run(&queue, &mouth))?;
    let reader = Reader { driver, clock, poll, outlet: outlet.clone(), tasks: tasks.clone() };
    spawn("look", move || reader.run())?;
    Ok(tasks)
}

fn spawn(
    name: &str,
    body: impl FnOnce() -> Result<(), Gone> + Send + 'static,
) -> Result<(), SessionError> {
    /// Ends the process with its thread, also where that unwinds: the guard starts a whole one.
    struct Last;
    impl Drop for Last {
        fn drop(&mut self) {
            process::exit(1);
        }
    }
    let body = move || {
        let _last = Last;
        // A guard that is gone needs no answer.
        let _ = body();
    };
    let thread = thread::Builder::new().name(name.to_owned()).spawn(body);
    thread.map(drop).map_err(SessionError::Thread)
}

fn hand_over(tasks: &SyncSender<Task>, outlet: &Outlet, order: Order) -> Result<(), SessionError> {
    let request = order.request;
    match tasks.try_send(Task::Act(order)) {
        Ok(()) => Ok(()),
        Err(TrySendError::Full(_)) => {
            let message = format!("{MAX_DEEDS} deeds wait already; ask again later");
            let outcome = Err(DeedError::new(DeedFault::NotTried, message));
            outlet.send(&FromDriver::Done { request, outcome }).map_err(SessionError::Gone)
        }
        Err(TrySendError::Disconnected(_)) => Err(SessionError::Gone(Gone)),
    }
}

fn leave(tasks: &SyncSender<Task>) {
    let (done, wait) = sync_channel(1);
    if tasks.try_send(Task::Leave(done)).is_ok() {
        // A deed that is under way may take longer; the guard has ended the conversation.
        let _ = wait.recv_timeout(FAREWELL);
    }
}

/// Whole messages from the guard.
struct Inlet<R> {
    input: R,
    decoder: Decoder,
    buffer: Vec<u8>,
}

impl<R: Read> Inlet<R> {
    fn new(input: R) -> Self {
        Self { input, decoder: Decoder::new(), buffer: vec![0; BUFFER_BYTES] }
    }

    /// The next message; `None` at the end of the stream.
    fn next(&mut self) -> Result<Option<ToDriver>, SessionError> {
        loop {
            if let Some(message) = self.decoder.next().map_err(SessionError::Frame)? {
                return Ok(Some(message));
            }
            let length = match self.input.read(&mut self.buffer) {
                Ok(0) => return Ok(None),
                Ok(length) => length,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(SessionError::Read(error)),
            };
            self.decoder.push(&self.buffer[..length]);
        }
    }
}
